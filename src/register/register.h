/* Who is who: the register, as one verified value. It comes from a bundle, published by the
 * secretariat's node, or from pins (two parties that compared fingerprints by telephone), or both.
 *
 * A bundle is canonical JSON {"checkpoint":note,"entries":[act...],"roots":[envelope...],"snapshot":envelope,"v":1}:
 * roots: register-root statements, version 1 first; each signed by its own threshold and, from the
 * second on, by the threshold of the one before. The fingerprint of the trust root is the hash (SHA-256
 * of the PAE) of version 1. The newest root names the register's signing key and its log's key.
 * snapshot: signed by the register's key; lists the hashes of the current entries, size and root of the
 * register's log, and the time. entries: acts of kind register-entry, signed by the register's key,
 * each with its proof under `checkpoint`; acts of kind register-policy stand among them, and the snapshot lists
 * them apart ("policies", left out when there is none). A policy that is listed and not there, or not true, takes the
 * whole bundle down: nobody can weaken what is asked for by leaving something out. An entry that does not verify is not used; what was in use before
 * stays in use within the staleness rule (design.md part 10: 7 days warn, 30 days send nothing). */
#ifndef COMITY_REGISTER_REGISTER_H
#define COMITY_REGISTER_REGISTER_H

#include "log/checkpoint.h"
#include "log/policy.h"
#include "seal/age.h"
#include "statement/act.h"

#define REGISTER_WARN_MS (7 * DAY_MS)
#define REGISTER_STALE_MS (30 * DAY_MS)
/* A snapshot may be dated ahead of our clock by this much; a later one would never be stale, and nothing newer taken. */
#define REGISTER_AHEAD_MS 60000
#define PARTY_APPROVERS_MAX 64u
#define PARTY_KEYS_MAX 8u
#define PARTY_RETIRED_MAX 4u

struct register_approver {
	const char *name;
	unsigned roles; /* bit 1 << enum approval_role */
	uint8_t key[SIGN_PUBLIC_BYTES];
};
struct register_key {
	uint8_t key[SIGN_PUBLIC_BYTES];
	int64_t from, until, compromised; /* ms; until 0: still valid; compromised 0: never, else from that time on */
};
/* A log that `comity log retire` ended: its proofs hold, and nothing beyond this tree or later than `at` is believed. */
struct register_retired {
	struct note_key log_key;
	uint64_t size;
	uint8_t root[SHA256_BYTES];
	int64_t at;
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
	struct register_retired retired[PARTY_RETIRED_MAX]; /* earlier logs */
	size_t retired_count;
	struct note_key witness_key;       /* the witness that it runs (type 0x04), when has_witness */
	bool has_witness;
	const char *witness_url;           /* submission prefix, "" when not said */
	int64_t slot_ms, leaves_per_slot;
	struct age_recipient seal;         /* current sealing key */
	uint8_t tls_spki[SHA256_BYTES];    /* pin of the peer's TLS key, as client and as server */
	struct register_approver approvers[PARTY_APPROVERS_MAX];
	size_t approver_count;
	uint8_t entry_hash[SHA256_BYTES];  /* the statement that says so */
	bool pinned;
};

/* What a proof from this party's log must show. In effect from `from` until the next one. */
struct register_policy {
	const char *party;
	struct policy *policy;
	const char *text; /* what was parsed */
	int64_t max_age_ms, from;
	uint8_t hash[SHA256_BYTES]; /* of the statement that says so; of a home's own decision: of its body */
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
/* Whether witnesses stand behind the checkpoint of `new` as the policy for the register's own log wants it that the
 * register in use has, in effect at now_ms (REASON_UNDER_WITNESSED; the secretariat's own keys never count, nor what is
 * dated ahead). The quorum must not be older, at the time of the snapshot, than the policy's maximum age; how old a
 * snapshot itself may be is the rule of 7 and 30 days, because nobody publishes a register every few minutes.
 * Where nothing is in use (NULL, or pins alone) the policy counts that `new` itself brings, if it brings one. That
 * protects against accidents (a bundle handed out before its witnesses signed) and not against a thief of the
 * register's key, who would leave the policy out: against him only the bundle in use protects.
 * register_load does not ask this: an old bundle in a package is judged on record. Whoever takes a bundle into use asks. */
bool register_witnessed(const struct register_ *new, const struct register_ *in_use, int64_t now_ms, struct err *e) MUST_USE;
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
const struct note_key *register_log_key(const struct register_ *r); /* of the register's log, or NULL with pins alone */
uint64_t register_size(const struct register_ *r);
int64_t register_time(const struct register_ *r);
const uint8_t *register_root_fingerprint(const struct register_ *r); /* 32 bytes, or NULL with pins alone */

/* The policy for this party's log: the newest with from <= at_ms. NULL: none, then the log's own signature is enough
 * and everything says "no independent witness yet". Lives as long as pointers to parties do. */
const struct register_policy *register_policy(const struct register_ *r, const char *party, int64_t at_ms);
/* All of them, by party and then oldest first. */
size_t register_policy_count(const struct register_ *r);
const struct register_policy *register_policy_at(const struct register_ *r, size_t i);
/* A home's own decision, when it has pins alone: the body of a register-policy statement, in effect from its own `from`.
 * Where a bundle is loaded, the bundle alone decides: ERR_CONFLICT. */
bool register_policy_own(struct register_ *r, const json_t *body, struct err *e) MUST_USE;
/* What is wrong with a policy text for the log of p, said to the one who decides: false when its quorum can never be
 * met (only the party's own keys are left, REASON_UNDER_WITNESSED); lines in `warnings` for what should make one
 * think ("quorum none", a witness that is the party's own). p NULL: no such party yet. */
bool register_policy_review(struct bytes text, const struct party *p, struct buf *warnings, struct err *e) MUST_USE;
/* Is it one of the party's own keys? As `excluded` of policy_evaluate with the party as ctx: own keys never count. */
bool party_holds(void *party, const struct note_key *k);

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
