/* Gathering cosignatures for our checkpoints (design.md parts 6 and 10). One candidate is under way at a time: a signed
 * checkpoint, asked for at all witnesses of our log's policy in parallel. When enough have signed it is `proved`: only
 * then it is published, and only leaves under it travel. A witness that does not answer stops nobody; one call per
 * witness is under way. When a round has not been completed in COSIGNING_ROUND_MS, the next one begins with the newest
 * checkpoint. Without a policy, or with "quorum none", every signed checkpoint is proved at once.
 * Pure model: the keeper carries calls to the courier, tests and the simulation by hand. */
#ifndef COMITY_EXCHANGE_COSIGNING_H
#define COMITY_EXCHANGE_COSIGNING_H

#include "exchange/node.h"

#define COSIGNING_ROUND_MS 10000
/* Missed for so long: paged, and arts 41 and 42 may go proof-pending. */
#define COSIGNING_MISSED_MS 60000
/* Our clock against the witnesses' median: beyond, nothing is sent. */
#define COSIGNING_CLOCK_OFF_MS 60000

/* A checkpoint with enough cosignatures, as letters carry it. */
struct proved {
	struct checkpoint checkpoint; /* size 0: none yet */
	struct buf note;
	int64_t quorum_ms;
};

struct cosigning;
struct cosigning *cosigning_new(void);
void cosigning_free(struct cosigning *c);

/* A checkpoint of ours was signed (n->checkpoint, n->note). */
bool cosigning_signed(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* The next call to make, if any: *ret_found. Keep asking until there is none. body is initialised here. */
struct cosigning_ask {
	uint64_t number; /* of the call, for cosigning_answered */
	char url[600];   /* ends in /add-checkpoint */
	struct buf body;
};
bool cosigning_next(struct node *n, int64_t now_ms, struct cosigning_ask *ret, bool *ret_found, struct err *e) MUST_USE;
/* Publishes and lets letters go when this made the quorum. An answer that is worth nothing is remembered for `status`. */
bool cosigning_answered(struct node *n, uint64_t number, bool http_ok, unsigned status, struct bytes body, const char *error,
			int64_t now_ms, struct err *e) MUST_USE;

/* The proved checkpoint that letters travel with. */
const struct proved *cosigning_proved(const struct node *n);
/* Under the addressee's own cosignature only (design.md part 10, proof-pending): NULL when the quorum is not missed, or
 * that witness has not signed either. */
const struct proved *cosigning_pending(const struct node *n, const char *party);
/* 0: the quorum is not missed; else since when. */
int64_t cosigning_missed_since(const struct node *n);
/* {"clock_off_ms","missed_since"("" when not),"proved_size","quorum","waiting","witnesses":[{"name","last_ms","error"}]} A new reference. */
json_t *cosigning_status(const struct node *n);
/* Our clock is further off the witnesses' median than we may send with. */
bool cosigning_clock_off(const struct node *n);

#endif
