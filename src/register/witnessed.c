/* A register is itself a log, and whoever holds its key could show two of it. So the policy for that log that is in use
 * decides about what comes next: nobody gets rid of it by publishing a register without it. A new bundle that is too
 * lightly witnessed is refused as a whole. */
#include "register/register.h"

#include <string.h>

#include "register/judge.h"
#include "register/register-internal.h"

struct doubt {
	const struct register_ *of[2]; /* the new one, and the one in use or NULL */
	const struct note *note;
	const char *party;
	int64_t limit_ms;
};

static bool head_holds(const struct bundle_head *h, const struct note_key *k)
{
	return memcmp(h->log_key.public_key, k->public_key, SIGN_PUBLIC_BYTES) == 0 ||
	       memcmp(h->register_key, k->public_key, SIGN_PUBLIC_BYTES) == 0;
}

/* The secretariat's keys, by either register, and its log's. */
static bool is_its_own(const struct doubt *d, const struct note_key *k)
{
	for (size_t i = 0; i < 2; i++) {
		const struct party *p = d->of[i] == NULL ? NULL : register_party(d->of[i], bytes_of(d->party));

		if ((p != NULL && party_holds((struct party *)(uintptr_t)p, k)) || (d->of[i] != NULL && head_holds(&d->of[i]->head, k)))
			return true;
	}
	return false;
}

static bool does_not_count(void *ctx, const struct note_key *k)
{
	const struct doubt *d = ctx;

	return is_its_own(d, k) || cosignature_is_after(d->note, k, d->limit_ms);
}

static bool ask(const struct register_ *new, const struct register_policy *policy, struct doubt *d, struct err *e)
{
	struct policy_verdict v = { 0 };
	struct err why = { 0 };
	struct note note;
	bool ok;

	d->note = &note;
	if (!note_parse(buf_bytes(&new->note), &note, &why) || !policy_evaluate(policy->policy, &note, does_not_count, d, &v, &why))
		return err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED, "the checkpoint of the register's log: %s", why.text);
	ok = v.met || err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED,
			      "the register's log needs cosignatures by the policy for %s: %zu count, and they are no quorum; missing: %.200s",
			      d->party, v.witnesses, buf_text(&v.missing));
	if (ok && v.quorum_ms != 0 && new->head.time - v.quorum_ms > policy->max_age_ms)
		ok = err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED,
			     "the register's log was cosigned %lld s before its snapshot was made; its policy allows %lld s",
			     (long long)((new->head.time - v.quorum_ms) / 1000), (long long)(policy->max_age_ms / 1000));
	policy_verdict_release(&v);
	return ok;
}

bool register_witnessed(const struct register_ *new, const struct register_ *in_use, int64_t now_ms, struct err *e)
{
	bool first = in_use == NULL || !in_use->has_bundle;
	const struct register_ *decides = first ? new : in_use;
	const struct register_policy *policy = register_policy(decides, decides->head.party, now_ms);
	struct doubt d = { .of = { new, first ? NULL : in_use }, .party = decides->head.party, .limit_ms = now_ms + JUDGE_AHEAD_MS };

	if (!new->has_bundle || policy == NULL || policy_wants_none(policy->policy))
		return true;
	if (!first && register_same(new, in_use))
		return true; /* judged when it came */
	return ask(new, policy, &d, e);
}
