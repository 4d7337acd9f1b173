/* Is this act true? Whose key signed it and was it valid then; are the approvals there that the kind
 * demands, by people whom the register names in those roles; does the leaf rebuild; does the proof show
 * it in the sender's log; have enough independent witnesses cosigned that log. Used on arrival, by the signer, and by
 * `comity verify` years later: the same code decides. Every failure has its own reason code (design.md part 10).
 *
 * Which policy. On arrival (judge_act) the one in effect at at_ms, which is now: nobody can choose an older, weaker
 * one, and the quorum must not be older than that policy's maximum age. On record (judge_act_on_record) at_ms is the
 * statement's own time: the policy in effect then, or a later one, must be met by cosignatures that were made before
 * that policy was replaced. So a policy that came afterwards neither un-proves what was proved before it, nor does
 * an old one excuse what was proved only after its end; and for a statement from before the first policy the log's
 * own signature is enough, told as "no independent witness yet". "quorum none" excuses only what was said while it was
 * in effect. Age is not asked on record.
 *
 * When is a key judged. At quorum_ms, the earliest time at which enough witnesses had signed: the statement is not
 * later than that. Without a quorum at at_ms. On record a later proof does not make a statement later: the key's
 * period is judged at the statement's own time where that is before the quorum; a compromise counts against the quorum
 * alone, because whoever has stolen a key can write any time into a statement. */
#ifndef COMITY_REGISTER_JUDGE_H
#define COMITY_REGISTER_JUDGE_H

#include "log/tlog-proof.h"
#include "register/register.h"
#include "statement/act.h"

/* Cosignatures that are dated further ahead do not count. */
#define JUDGE_AHEAD_MS 60000

struct judgement {
	const struct party *sender;
	struct checkpoint checkpoint; /* of the sender's log, size 0 for kinds without leaf */
	uint64_t index;
	int64_t quorum_ms; /* not later than this it stood in the log, say independent witnesses; 0: none was asked for */
	size_t witnesses;  /* independent ones that cosigned and count; 0: "no independent witness yet" */
	bool pending;      /* under our own witness's cosignature alone (judge_act_pending) */
};

/* at_ms: now. cache may be NULL.
 * REASON_UNKNOWN_KEY (no such party), REASON_UNSIGNED, REASON_BAD_SIGNATURE, REASON_KEY_NOT_VALID, REASON_MISSING_APPROVAL,
 * REASON_BAD_APPROVAL, REASON_LEAF_MISMATCH, REASON_UNLOGGED, REASON_BAD_PROOF, REASON_UNDER_WITNESSED, REASON_STALE_PROOF. */
bool judge_act(const struct act *a, const struct register_ *r, int64_t at_ms, struct checkpoint_cache *cache,
	       struct judgement *ret, struct err *e) MUST_USE;
/* For `verify`: at_ms is the statement's own time. */
bool judge_act_on_record(const struct act *a, const struct register_ *r, int64_t at_ms, struct checkpoint_cache *cache,
			 struct judgement *ret, struct err *e) MUST_USE;
/* As judge_act; where the quorum is missing it is enough that the witness of `us` has cosigned, lately and not ahead of
 * time, if the kind may go pending and at least two different people approved (design.md part 10): ret->pending then,
 * and ret->quorum_ms 0. */
bool judge_act_pending(const struct act *a, const struct register_ *r, const struct party *us, int64_t at_ms,
		       struct checkpoint_cache *cache, struct judgement *ret, struct err *e) MUST_USE;
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
 * the act went to another party. ret->sender is the party whose log it is: the receiver. at_ms: now. Its age is not asked:
 * a proof that waited for us shows just as well that the leaf stands there. */
bool judge_counterproof(const struct act *a, const struct counterproof *c, const struct register_ *r,
			const struct party *receiver, int64_t at_ms, struct checkpoint_cache *cache, struct judgement *ret,
			struct err *e) MUST_USE;
bool judge_counterproof_on_record(const struct act *a, const struct counterproof *c, const struct register_ *r,
				  const struct party *receiver, int64_t at_ms, struct checkpoint_cache *cache,
				  struct judgement *ret, struct err *e) MUST_USE;

/* How a proof is looked at (judge-proof.c). */
enum judge_when { JUDGE_ARRIVAL, JUDGE_ARRIVAL_ANY_AGE, JUDGE_RECORD };
struct judge_question {
	const struct register_ *r;
	const struct party *log_of; /* whose log */
	const struct party *us;     /* whose witness is enough, NULL: nobody's */
	int64_t at_ms;
	enum judge_when when;
	struct checkpoint_cache *cache;
};
/* Log signature (its log's, or that of one of its retired logs within what was retired), inclusion of the leaf, policy. */
bool judge_proof(const struct judge_question *q, struct bytes proof, struct bytes leaf, struct judgement *ret,
		 struct err *e) MUST_USE;
/* It was the proof and not the statement: another proof of the same leaf, or the same one by a newer register, may do. */
bool judge_wants_another_proof(enum reason r);

#endif
