/* What the sources of register/ share. */
#ifndef COMITY_REGISTER_REGISTER_INTERNAL_H
#define COMITY_REGISTER_REGISTER_INTERNAL_H

#include "base/limits.h"
#include "register/register.h"

/* What a bundle said, besides its entries. */
struct bundle_head {
	char origin[CHECKPOINT_ORIGIN_BYTES_MAX + 1];
	struct note_key log_key; /* of the register's log */
	uint64_t size;
	uint8_t tree[SHA256_BYTES]; /* root of the register's log at that size */
	int64_t time;
	int64_t root_version;
	uint8_t root_hash[SHA256_BYTES]; /* of the newest root */
	uint8_t fingerprint[SHA256_BYTES];
	uint8_t register_key[SIGN_PUBLIC_BYTES];
	char party[PARTY_CODE_LEN_MAX + 1]; /* whose log it is: who states the snapshot */
};

/* Policies, by party and then oldest first. Owned. */
struct policies {
	struct register_policy *at;
	size_t count;
};
/* A register-policy body and the time of the statement (0: none): parsed and put in its place. */
bool policies_add(struct policies *all, const json_t *body, const uint8_t hash[static SHA256_BYTES], int64_t stated_ms,
		  struct err *e) MUST_USE;
void policies_release(struct policies *all);

struct register_ {
	struct party *parties[PARTIES_MAX]; /* owned, in order of code */
	size_t count;
	struct policies policies; /* of the bundle; with pins alone: the home's own decisions */
	bool has_bundle;
	struct bundle_head head;
	struct buf note; /* the bundle's checkpoint, with its cosignatures */
	size_t missing; /* listed entries of the bundle that are missing or false */
	char left_out[PARTIES_MAX][PARTY_CODE_LEN_MAX + 1]; /* parties with an entry that was not used */
	size_t left_out_count;
};

/* Who may say what the register holds: the newest trust root. */
struct trust {
	int64_t version, threshold, expires;
	uint8_t keys[ENVELOPE_SIGNATURES_MAX][SIGN_PUBLIC_BYTES];
	size_t key_count;
	uint8_t register_key[SIGN_PUBLIC_BYTES];
	struct note_key log_key;
	uint8_t hash[SHA256_BYTES]; /* of this root's statement */
};
/* The chain from version 1, whose hash must be `fingerprint` (NULL: believed), to the newest, which must
 * not have expired at now_ms. ret_fingerprint: the hash of version 1. */
bool trust_follow(const json_t *roots, const uint8_t *fingerprint, int64_t now_ms, struct trust *ret,
		  uint8_t ret_fingerprint[static SHA256_BYTES], struct err *e) MUST_USE;
/* An envelope inside JSON that holds a statement of this kind. */
bool signed_statement(const json_t *v, const char *kind, struct envelope *ret_envelope, struct statement **ret,
		      struct err *e) MUST_USE;

/* Takes p when there is room and no such code yet. */
bool register_insert(struct register_ *r, struct party *p, struct err *e) MUST_USE;
void register_remove(struct register_ *r, size_t i);

/* One 32-byte key or pin of a party: `what` names it in sentences. */
struct party_held {
	const uint8_t *key;
	const char *what;
	const struct party *party;
};
#define PARTY_HELD_MAX (PARTY_KEYS_MAX + PARTY_APPROVERS_MAX + 4 + PARTY_RETIRED_MAX)
size_t party_all_keys(const struct party *p, struct party_held ret[static PARTY_HELD_MAX]);

/* Shown on terminals and pages: no control or direction characters. */
bool party_is_plain(struct bytes in);
/* A time of an entry, "" for none. */
bool party_read_time(const json_t *body, const char *key, int64_t *ret, struct err *e) MUST_USE;
/* party-log.c: an entry's witness and retired logs. Members are there only when they say something, so that entries of
 * before these members keep their one spelling. */
void party_log_to_json(const struct party *p, json_t *v);
bool party_log_read(const json_t *body, struct party *p, struct err *e) MUST_USE;
void party_log_print(const struct party *p, int offset_minutes, struct buf *out);

#endif
