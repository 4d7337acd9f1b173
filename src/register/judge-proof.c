/* What a proof shows, and who says so: the leaf stands under a checkpoint of the party's log, which its log key signed
 * and, where the register has a policy for that log, enough independent witnesses cosigned. The party's own keys never
 * count, nor does a cosignature that is dated ahead of us. Witnesses' signatures are verified once for each checkpoint:
 * the verdict is remembered under the digest of note, policy and party's entry. A party's retired log still proves what it
 * held when it ended: not a larger tree, not another one, and nothing that was cosigned after its end. */
#include "register/judge.h"

#include <string.h>

#include "base/clock.h"
#include "register/register-internal.h"

/* --- one policy -------------------------------------------------------------------------------- */

struct doubt {
	const struct party *party;
	const struct note *note;
	int64_t limit_ms;
};

static bool does_not_count(void *ctx, const struct note_key *k)
{
	const struct doubt *d = ctx;

	return party_holds((struct party *)(uintptr_t)d->party, k) || cosignature_is_after(d->note, k, d->limit_ms);
}

/* Everything that the verdict depends on: the entry says which keys are the party's own. */
static void verdict_key(struct bytes note, const struct register_policy *policy, const struct party *p,
			uint8_t ret[static SHA256_BYTES])
{
	uint8_t all[3 * SHA256_BYTES];

	memcpy(all, policy->hash, SHA256_BYTES);
	memcpy(all + SHA256_BYTES, p->entry_hash, SHA256_BYTES);
	sha256(note, all + (size_t)2 * SHA256_BYTES);
	sha256(BYTES_ARRAY(all), ret);
}

/* *ret_met false: too few, `missing` names them. A verdict of too few is not remembered: it depends on the clock. */
static bool ask_policy(const struct judge_question *q, const struct register_policy *policy, struct bytes note_bytes,
		       struct checkpoint_verdict *ret, bool *ret_met, struct buf *missing, struct err *e)
{
	int64_t now = clock_now_ms();
	uint8_t key[SHA256_BYTES];
	struct policy_verdict v = { 0 };
	struct doubt d = { .party = q->log_of };
	struct note n;

	verdict_key(note_bytes, policy, q->log_of, key);
	*ret_met = checkpoint_cache_find(q->cache, key, ret);
	if (*ret_met)
		return true;
	if (!note_parse(note_bytes, &n, e))
		return false;
	d.note = &n;
	d.limit_ms = (q->when == JUDGE_RECORD && now > q->at_ms ? now : q->at_ms) + JUDGE_AHEAD_MS;
	if (!policy_evaluate(policy->policy, &n, does_not_count, &d, &v, e))
		return false;
	*ret = (struct checkpoint_verdict){ v.quorum_ms, v.witnesses };
	*ret_met = v.met;
	if (v.met)
		checkpoint_cache_put(q->cache, key, ret);
	else if (missing != NULL)
		buf_add(missing, buf_bytes(&v.missing));
	policy_verdict_release(&v);
	return true;
}

static bool too_few(const struct judge_question *q, const struct checkpoint_verdict *v, struct buf *missing, struct err *e)
{
	return err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED,
		       "the proof from the log of %s has %zu independent cosignatures, and they are no quorum; missing: %.200s",
		       q->log_of->code, v->witnesses, buf_text(missing));
}

/* Our own witness alone, when we are asked to make do with it. */
static bool ask_ours(const struct judge_question *q, const struct register_policy *policy, struct bytes note_bytes,
		     struct judgement *j, struct err *e)
{
	struct note n;
	int64_t time_s;

	if (q->us == NULL || !q->us->has_witness || q->us == q->log_of || !note_parse(note_bytes, &n, NULL) ||
	    !cosignature_verify(&n, &q->us->witness_key, &time_s, NULL) || time_s > (q->at_ms + JUDGE_AHEAD_MS) / 1000)
		return false;
	if (q->at_ms - time_s * 1000 > policy->max_age_ms)
		return err_set(e, ERR_REJECTED, REASON_STALE_PROOF, "our own witness's cosignature in the proof from %s is too old",
			       q->log_of->code);
	j->pending = true;
	j->witnesses = 1;
	return true;
}

/* --- which policy (judge.h says why) ------------------------------------------------------------- */

static bool on_arrival(const struct judge_question *q, struct bytes note, struct judgement *j, struct err *e)
{
	const struct register_policy *policy = register_policy(q->r, q->log_of->code, q->at_ms);
	struct checkpoint_verdict v = { 0 };
	AUTO_BUF missing = { 0 };
	bool met;

	buf_init(&missing, 64 * KIB);
	if (policy == NULL)
		return true;
	if (!ask_policy(q, policy, note, &v, &met, &missing, e))
		return false;
	if (!met) {
		(void)too_few(q, &v, &missing, e);
		return ask_ours(q, policy, note, j, e);
	}
	if (q->when == JUDGE_ARRIVAL && v.quorum_ms != 0 && q->at_ms - v.quorum_ms > policy->max_age_ms)
		return err_set(e, ERR_REJECTED, REASON_STALE_PROOF,
			       "the proof from the log of %s was cosigned %lld s ago; its policy allows %lld s", q->log_of->code,
			       (long long)((q->at_ms - v.quorum_ms) / 1000), (long long)(policy->max_age_ms / 1000));
	j->quorum_ms = v.quorum_ms;
	j->witnesses = v.witnesses;
	return true;
}

/* Newest first; `until` is when the next one began. */
static bool on_record(const struct judge_question *q, struct bytes note, struct judgement *j, struct err *e)
{
	const struct register_policy *then = register_policy(q->r, q->log_of->code, q->at_ms);
	struct checkpoint_verdict v = { 0 }, of_then = { 0 };
	int64_t until = INT64_MAX;
	AUTO_BUF missing = { 0 };
	bool met;

	buf_init(&missing, 64 * KIB);
	for (size_t i = register_policy_count(q->r); i-- > 0;) {
		const struct register_policy *p = register_policy_at(q->r, i);

		if (strcmp(p->party, q->log_of->code) != 0)
			continue;
		if (!ask_policy(q, p, note, &v, &met, p == then ? &missing : NULL, e))
			return false;
		if (met && v.quorum_ms < until && (v.quorum_ms != 0 || p == then)) {
			j->quorum_ms = v.quorum_ms;
			j->witnesses = v.witnesses;
			return true;
		}
		if (p == then) {
			of_then = v;
			break; /* earlier ones ended before this was said */
		}
		until = p->from;
	}
	return then == NULL || too_few(q, &of_then, &missing, e);
}

/* --- the log ------------------------------------------------------------------------------------- */

/* The retired log whose origin the note names, NULL: it is to be the current one. */
static const struct register_retired *retired_log(const struct party *p, struct bytes proof)
{
	struct bytes origin;
	struct tlog_proof t;

	if (!tlog_proof_parse(proof, &t, NULL))
		return NULL;
	origin = bytes_cut(&t.note, '\n');
	if (bytes_is(origin, p->log_key.name))
		return NULL;
	for (size_t i = 0; i < p->retired_count; i++)
		if (bytes_is(origin, p->retired[i].log_key.name))
			return &p->retired[i];
	return NULL;
}

static bool within_retired(const struct judge_question *q, const struct register_retired *old, const struct judgement *j,
			   struct err *e)
{
	int64_t when = j->quorum_ms != 0 ? j->quorum_ms : q->at_ms;

	if (j->checkpoint.size > old->size ||
	    (j->checkpoint.size == old->size && memcmp(j->checkpoint.root, old->root, SHA256_BYTES) != 0))
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "the retired log %s of %s did not end with this tree",
			       old->log_key.name, q->log_of->code);
	if (when > old->at)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "the log %s of %s was retired before this was proved in it",
			       old->log_key.name, q->log_of->code);
	return true;
}

bool judge_wants_another_proof(enum reason r)
{
	return r == REASON_UNDER_WITNESSED || r == REASON_STALE_PROOF;
}

bool judge_proof(const struct judge_question *q, struct bytes proof, struct bytes leaf, struct judgement *ret, struct err *e)
{
	const struct register_retired *old;
	struct judgement j = { .sender = q->log_of };
	struct err inner = { 0 };
	struct tlog_proof t;

	if (proof.len == 0)
		return err_set(e, ERR_REJECTED, REASON_UNLOGGED, "there is no proof that this stands in the log of %s",
			       q->log_of->code);
	old = retired_log(q->log_of, proof);
	/* Whatever is wrong inside a proof is a bad proof to whoever asks about an act. */
	if (!tlog_proof_check(proof, leaf, old != NULL ? &old->log_key : &q->log_of->log_key, q->cache, &j.checkpoint, &j.index,
			      &inner) ||
	    !tlog_proof_parse(proof, &t, &inner))
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "the proof from the log of %s: %s", q->log_of->code, inner.text);
	if (!(q->when == JUDGE_RECORD ? on_record(q, t.note, &j, &inner) : on_arrival(q, t.note, &j, &inner)))
		return err_set(e, ERR_REJECTED,
			       inner.reason == REASON_UNDER_WITNESSED || inner.reason == REASON_STALE_PROOF ? inner.reason : REASON_BAD_PROOF,
			       "%s", inner.text);
	if (old != NULL && !within_retired(q, old, &j, e))
		return false;
	*ret = j;
	return true;
}
