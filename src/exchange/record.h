/* How acts are kept: see record.c. Internal to exchange/. */
#ifndef COMITY_EXCHANGE_RECORD_H
#define COMITY_EXCHANGE_RECORD_H

#include "exchange/node.h"

struct record_head {
	struct id id;
	const char *sender, *addressee, *kind, *case_ref;
	uint8_t hash[32];
	bool own;
	const struct id *request; /* or NULL */
	int64_t time, arrived;
};

bool record_new(struct node *n, const uint8_t hash[static 32], struct record_keys *ret, struct err *e) MUST_USE;
bool record_put(struct node *n, const struct record_head *h, const struct record_keys *keys, struct bytes act_json,
		struct err *e) MUST_USE;
/* The stored act, decrypted, as canonical JSON whose proof member may be empty. */
bool record_get(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
/* The leaf of s under this opening. peer: whose letter it is, "" for our own. Null leaves are drawn at the slot and never wait. */
enum leaf_rank { LEAF_RANK_OWN, LEAF_RANK_PEER, LEAF_RANK_PAGE }; /* who comes first when a slot is full */
bool record_queue_leaf(struct node *n, const struct statement *s, const uint8_t opening[static 32], struct bytes leaf,
		       enum leaf_rank rank, const char *peer, struct err *e) MUST_USE;
/* Whether the stored act is one of ours, whose proof member is still empty. */
bool record_lacks_proof(struct bytes act_json);
/* Writes act_json with `proof` in its empty proof member. */
bool record_with_proof(struct bytes act_json, struct bytes proof, struct buf *out, struct err *e) MUST_USE;

#endif
