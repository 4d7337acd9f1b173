/* Who is who: the register, as one verified value. It comes from a bundle, published by the
 * secretariat's node, or from pins (two parties that compared fingerprints by telephone), or both.
 *
 * A bundle is canonical JSON {"checkpoint":note,"entries":[act...],"roots":[envelope...],"snapshot":envelope,"v":1}:
 * roots: register-root statements, version 1 first; each signed by its own threshold and, from the
 * second on, by the threshold of the one before. The fingerprint of the trust root is the hash (SHA-256
 * of the PAE) of version 1. The newest root names the register's signing key and its log's key.
 * snapshot: signed by the register's key; lists the hashes of the current entries, size and root of the
 * register's log, and the time. entries: acts of kind register-entry, signed by the register's key,
 * each with its proof under `checkpoint`. One that does not verify is not used; what was in use before
 * stays in use within the staleness rule (design.md part 10: 7 days warn, 30 days send nothing). */
#ifndef COMITY_REGISTER_REGISTER_H
#define COMITY_REGISTER_REGISTER_H

#include "log/checkpoint.h"
#include "seal/age.h"
#include "statement/act.h"

#define REGISTER_WARN_MS (7 * DAY_MS)
#define REGISTER_STALE_MS (30 * DAY_MS)
/* A snapshot may be dated ahead of our clock by this much; a later one would never be stale, and nothing newer taken. */
#define REGISTER_AHEAD_MS 60000
#define PARTY_APPROVERS_MAX 64u
#define PARTY_KEYS_MAX 8u

struct register_approver {
	const char *name;
	unsigned roles; /* bit 1 << enum approval_role */
	uint8_t key[SIGN_PUBLIC_BYTES];
};
struct register_key {
	uint8_t key[SIGN_PUBLIC_BYTES];
	int64_t from, until, compromised; /* ms; until 0: still valid; compromised 0: never, else from that time on */
};
struct party {
	const char *code, *name;           /* "XA", "Arcadia" */
	const char *authority;             /* code of the authority that signs by default */
	const char *contact_name, *phone, *callback, *languages, *timezone;
	const char *carries_out;           /* measures it carries out itself, "42 44"; others it facilitates */
	const char *endpoint, *public_endpoint;
	bool reservation_42_5;
	bool fictional;                    /* said wherever the party is shown */
	int64_t in_force_from;             /* the Convention, for this party; 0: not in force */
	struct register_key keys[PARTY_KEYS_MAX]; /* statement keys */
	size_t key_count;
	struct note_key log_key;
	int64_t slot_ms, leaves_per_slot;
	struct age_recipient seal;         /* current sealing key */
	uint8_t tls_spki[SHA256_BYTES];    /* pin of the peer's TLS key, as client and as server */
	struct register_approver approvers[PARTY_APPROVERS_MAX];
	size_t approver_count;
	uint8_t entry_hash[SHA256_BYTES];  /* the statement that says so */
	bool pinned;
};

struct register_;

struct register_ *register_new(void); /* empty */
void register_free(struct register_ *r);
/* Adds what a bundle says, verified from the trust root (fingerprint: 32 bytes). now_ms: for expiry. When
 * root is NULL the bundle's own first root is believed: only for `comity verify` without --root.
 * Entries that fail are left out and told in `problems` (may be NULL), one line each; so are both of two
 * entries that share a key or pin. False, and nothing has changed, when the bundle as a whole cannot be
 * believed or is older than the one in use (REASON_BAD_REGISTER, REASON_ROOT_MISMATCH), or when the two show
 * two histories (REASON_INCONSISTENT). A second load replaces what the first said; pinned parties stay as they are. */
bool register_load(struct register_ *r, struct bytes bundle, const uint8_t *root, int64_t now_ms, struct buf *problems,
		   struct err *e) MUST_USE;
/* Whether `new` may take the place of `in_use` (NULL, or pins alone: anything may): its root version, its size in
 * the same log and its time are not less (REASON_STALE_REGISTER), the trust root is the same (REASON_ROOT_MISMATCH),
 * and neither roots nor trees fork (REASON_INCONSISTENT: keep both). Whoever builds a fresh register asks this. */
bool register_newer(const struct register_ *new, const struct register_ *in_use, struct err *e) MUST_USE;
/* Both say the same: built from the same bundle and pins. */
bool register_same(const struct register_ *a, const struct register_ *b);
/* Of the last bundle: how many entries that its snapshot lists are missing or false ... */
size_t register_missing(const struct register_ *r);
/* ... and whether it had an entry of this party that was not used. */
bool register_left_out(const struct register_ *r, struct bytes code);
/* Adds a self-signed entry, which must verify with its own keys and have this hash, in place of what a
 * bundle or an earlier pin says of that party. Leaf and proof may be missing. */
bool register_pin(struct register_ *r, struct bytes act, const uint8_t hash[static SHA256_BYTES], struct err *e) MUST_USE;

size_t register_count(const struct register_ *r);
const struct party *register_at(const struct register_ *r, size_t i);
const struct party *register_party(const struct register_ *r, struct bytes code); /* NULL: none */
const struct party *register_party_by_tls(const struct register_ *r, const uint8_t spki[static SHA256_BYTES]);
/* Of the bundle; "" / 0 with pins alone. */
const char *register_origin(const struct register_ *r);
uint64_t register_size(const struct register_ *r);
int64_t register_time(const struct register_ *r);
const uint8_t *register_root_fingerprint(const struct register_ *r); /* 32 bytes, or NULL with pins alone */

bool party_key_valid(const struct party *p, const uint8_t key[static SIGN_PUBLIC_BYTES], int64_t at_ms);
const struct register_approver *party_approver(const struct party *p, struct bytes name);
/* Both parties' in_force_from lies at or before at_ms (art. 65). */
bool register_in_force(const struct register_ *r, struct bytes a, struct bytes b, int64_t at_ms);

/* What both hold, as words ("log key"), or NULL: of two parties, only one can be believed then. */
const char *party_shares_key(const struct party *a, const struct party *b);

/* Roots (a JSON array of envelopes, version 1 first) as everybody will verify them; fingerprint may be NULL. */
bool register_roots_check(const json_t *roots, const uint8_t *fingerprint, int64_t now_ms, struct err *e) MUST_USE;
/* Builds a bundle (at the secretariat). */
bool register_bundle_write(const struct bytes *roots, size_t root_count, struct bytes snapshot, struct bytes checkpoint,
			   const struct bytes *entries, size_t entry_count, struct buf *out, struct err *e) MUST_USE;
/* The body of a register-entry statement from a party, and the reverse (used by statement/register-entry.c's
 * shape): see man comity-register(5). A new reference. */
json_t *party_to_json(const struct party *p);
bool party_from_json(const json_t *body, struct party **ret, struct err *e) MUST_USE;
void party_free(struct party *p);
void party_print(const struct party *p, int offset_minutes, struct buf *out);

#endif
