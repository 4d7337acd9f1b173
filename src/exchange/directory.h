/* The register as this home uses it: the last bundle that verified, kept in the store, and the pins.
 * A newer bundle replaces the one in use only when it verifies; until then the last good one stays in
 * use within the staleness rule (design.md part 10). At the secretariat the bundle is made here too. */
#ifndef COMITY_EXCHANGE_DIRECTORY_H
#define COMITY_EXCHANGE_DIRECTORY_H

#include "exchange/node.h"

/* Outside a transaction, at open. */
bool directory_load(struct node *n, struct err *e) MUST_USE;
/* After a part or a turn was undone (node_part_end without keeping, node_rollback): what is in memory follows the
 * store again. Does nothing unless the register was changed; pointers to parties stay as long as it says the same. */
bool directory_undone(struct node *n, struct err *e) MUST_USE;
/* The `register` member of a statement: which register we used. Fills origin, size, time. */
void directory_checkpoint(const struct node *n, json_t *member);
/* "fresh", "warn" (7 days), "stale" (30 days), "none" (no trust root: pins alone, or nothing yet). */
const char *directory_state(const struct node *n);

/* Verifies and takes a bundle into use, tells the signer. *ret_entries: parties it has. One with listed entries that are
 * missing or false replaces no good one; nor does one that is too lightly witnessed (register_witnessed:
 * REASON_UNDER_WITNESSED), which is not taken as the first one either. Entries and pins that share a key with another are left out, and told. */
bool directory_take(struct node *n, struct bytes bundle, size_t *ret_entries, struct buf *problems, struct err *e) MUST_USE;
/* The same for what the secretariat itself made: its first one need not be cosigned yet by the policy that it brings. */
bool directory_take_ours(struct node *n, struct bytes bundle, size_t *ret_entries, struct buf *problems, struct err *e) MUST_USE;
bool directory_pin(struct node *n, struct bytes act, const uint8_t hash[static 32], const char **ret_party, struct err *e) MUST_USE;
bool directory_bundle(struct node *n, struct buf *out, struct err *e) MUST_USE; /* what is stored; empty: nothing */
bool directory_pins(struct node *n, bool (*each)(void *ctx, const char *party, struct bytes act), void *ctx, struct err *e) MUST_USE;

/* Our own entry as a body, from the settings and keys. A new reference. */
bool directory_own_body(struct node *n, json_t **ret, struct err *e) MUST_USE;
/* Our own entry as an act: the logged one when it says the same, else a new one is stated. */
bool directory_describe(struct node *n, uint8_t ret_hash[static 32], struct err *e) MUST_USE;

/* The hashes of all entries that we stated, oldest first; to be freed. */
bool directory_entries(struct node *n, uint8_t (**ret)[32], size_t *ret_count, struct err *e) MUST_USE;
/* And of all policies. */
bool directory_policies(struct node *n, uint8_t (**ret)[32], size_t *ret_count, struct err *e) MUST_USE;

/* Secretariat only. A root must follow those that are stored; an entry may share no key with another party's. */
bool directory_root(struct node *n, struct bytes envelope, int64_t *ret_version, uint8_t ret_fingerprint[static 32], struct err *e) MUST_USE;
bool directory_admit(struct node *n, struct bytes act, uint8_t ret_hash[static 32], struct err *e) MUST_USE;
/* Which witnesses the log of a party needs from `from_ms` on (0: now; never earlier), and how old a proof may be. At the
 * secretariat a statement, which the next publication carries; where parties are pinned and there is no trust root, this
 * home's own decision at once. What should make one think goes into `warnings`, one line each; a quorum that can never
 * be met is refused. */
bool directory_policy(struct node *n, struct bytes party, struct bytes text, int64_t max_age_s, int64_t from_ms,
		      uint8_t ret_hash[static 32], struct buf *warnings, struct err *e) MUST_USE;
/* Makes a snapshot and a bundle when all entries are under the proved checkpoint, and takes it into use. Where our log
 * has a policy, REASON_UNDER_WITNESSED before its quorum is there, naming the witnesses that are missing. */
bool directory_publish(struct node *n, size_t *ret_entries, uint64_t *ret_size, struct err *e) MUST_USE;

/* Fetching: what to fetch, when it is due; whether there is a source at all; and whether it was not asked for a while, so
 * that somebody else may have a newer register than we. */
bool directory_fetch_due(struct node *n, int64_t now_ms, char url[static 600], uint8_t pin[static 32]);
/* What its source answered to a question of that time; bundle NULL: nothing. */
bool directory_fetched(struct node *n, int64_t asked_ms, const struct bytes *bundle, struct buf *problems, struct err *e) MUST_USE;
bool directory_has_source(const struct node *n);
bool directory_may_be_behind(const struct node *n, int64_t now_ms);

#endif
