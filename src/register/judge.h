/* Is this act true? Whose key signed it and was it valid then; are the approvals there that the kind
 * demands, by people whom the register names in those roles; does the leaf rebuild; does the proof show
 * it in the sender's log. Used on arrival, by the signer, and by `comity verify` years later: the same
 * code decides. Every failure has its own reason code (design.md part 10). */
#ifndef COMITY_REGISTER_JUDGE_H
#define COMITY_REGISTER_JUDGE_H

#include "log/tlog-proof.h"
#include "register/register.h"
#include "statement/act.h"

struct judgement {
	const struct party *sender;
	struct checkpoint checkpoint; /* of the sender's log, size 0 for kinds without leaf */
	uint64_t index;
};

/* at_ms: when keys must be valid (arrival; for `verify`: the statement's own time). cache may be NULL.
 * REASON_UNKNOWN_KEY (no such party), REASON_UNSIGNED, REASON_BAD_SIGNATURE, REASON_KEY_NOT_VALID, REASON_MISSING_APPROVAL,
 * REASON_BAD_APPROVAL, REASON_LEAF_MISMATCH, REASON_UNLOGGED, REASON_BAD_PROOF. */
bool judge_act(const struct act *a, const struct register_ *r, int64_t at_ms, struct checkpoint_cache *cache,
	       struct judgement *ret, struct err *e) MUST_USE;
/* The parts, for those who need only one. */
bool judge_signature(const struct act *a, const struct register_ *r, int64_t at_ms, const struct party **ret_sender,
		     struct err *e) MUST_USE;
/* Approvals for a statement that is not signed yet (the signer) or is (judge_act). Each envelope is parsed,
 * its key found in the party's approvers under the same name and role, and all roles in `needed` present.
 * The case officer named in the body as "officer", if any, may be neither reviewer nor authority nor court, and
 * reviewer and authority are different people. */
bool judge_approvals(const struct approval *approvals, size_t n, const uint8_t hash[static SHA256_BYTES], unsigned needed,
		     const struct party *p, const json_t *body, int64_t at_ms, struct err *e) MUST_USE;
/* The leaf that an act must have in the log of one side. */
void judge_leaf(const struct statement *s, const uint8_t opening[static 32], const uint8_t x[static 32], bool in_receivers_log,
		uint8_t ret[static 220]);
/* The receiver's side: rebuilds its leaf from the act's x and the counterproof's opening. REASON_WRONG_PARTY when
 * the act went to another party. ret->sender is the party whose log it is: the receiver. */
bool judge_counterproof(const struct act *a, const struct counterproof *c, const struct party *receiver,
			struct checkpoint_cache *cache, struct judgement *ret, struct err *e) MUST_USE;

#endif
