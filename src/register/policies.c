/* The register's policies: which witnesses' cosignatures a party's log needs, from when on. All that were ever
 * stated are kept, in order, because a proof of last year is judged by what was asked for last year. No policy
 * reaches back: it is in effect from the time that it names or from the time of its own statement, whichever is
 * later. Of two with the same beginning the one stated later counts. */
#include "register/register-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

void policies_release(struct policies *all)
{
	for (size_t i = 0; i < all->count; i++) {
		policy_free(all->at[i].policy);
		free((void *)(uintptr_t)all->at[i].party);
		free((void *)(uintptr_t)all->at[i].text);
	}
	free(all->at);
	*all = (struct policies){ 0 };
}

static bool read_body(const json_t *body, int64_t stated_ms, struct register_policy *ret, struct err *e)
{
	const char *code, *text, *from;
	int64_t seconds;

	if (!json_must_text(body, "party", &code, e) || !json_must_text(body, "policy", &text, e) ||
	    !json_must_text(body, "from", &from, e) || !json_must_int(body, "max_age_s", 1, POLICY_AGE_S_MAX, &seconds, e))
		return false;
	if (!time_parse(bytes_of(from), &ret->from))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field from is no time");
	if (code[0] == '\0' || strlen(code) > PARTY_CODE_LEN_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field party is no party code");
	if (!policy_parse(bytes_of(text), &ret->policy, e))
		return err_note(e, "the policy for the log of %s", code);
	ret->party = strdup(code);
	ret->text = strdup(text);
	if (ret->party == NULL || ret->text == NULL)
		abort();
	ret->max_age_ms = seconds * 1000;
	if (ret->from < stated_ms)
		ret->from = stated_ms;
	return true;
}

bool policies_add(struct policies *all, const json_t *body, const uint8_t hash[static SHA256_BYTES], int64_t stated_ms,
		  struct err *e)
{
	struct register_policy p = { 0 };
	size_t at = 0;

	if (all->count == POLICIES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a register holds at most %u policies", POLICIES_MAX);
	if (!read_body(body, stated_ms, &p, e))
		return false;
	memcpy(p.hash, hash, SHA256_BYTES);
	if (all->at == NULL)
		all->at = calloc(POLICIES_MAX, sizeof(*all->at));
	if (all->at == NULL)
		abort();
	while (at < all->count && (strcmp(all->at[at].party, p.party) < 0 ||
				   (strcmp(all->at[at].party, p.party) == 0 && all->at[at].from <= p.from)))
		at++;
	memmove(&all->at[at + 1], &all->at[at], (all->count - at) * sizeof(*all->at));
	all->at[at] = p;
	all->count++;
	return true;
}

size_t register_policy_count(const struct register_ *r)
{
	return r->policies.count;
}

const struct register_policy *register_policy_at(const struct register_ *r, size_t i)
{
	return i < r->policies.count ? &r->policies.at[i] : NULL;
}

const struct register_policy *register_policy(const struct register_ *r, const char *party, int64_t at_ms)
{
	const struct register_policy *found = NULL;

	for (size_t i = 0; i < r->policies.count; i++) {
		const struct register_policy *p = &r->policies.at[i];

		if (strcmp(p->party, party) == 0 && p->from <= at_ms)
			found = p;
	}
	return found;
}

bool register_policy_own(struct register_ *r, const json_t *body, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF text = { 0 };

	if (r->has_bundle)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "here the register decides about policies");
	buf_init(&text, STATEMENT_BYTES_MAX);
	if (!json_write_canonical(body, &text, e) || !buf_check(&text, "the policy", e))
		return false;
	sha256(buf_bytes(&text), hash);
	return policies_add(&r->policies, body, hash, 0, e);
}

static void warn(struct buf *out, const char *format, const char *name)
{
	if (out == NULL)
		return;
	buf_add_format(out, format, name);
	buf_add_text(out, "\n");
}

bool register_policy_review(struct bytes text, const struct party *p, struct buf *warnings, struct err *e)
{
	bool *others, any = false, met;
	AUTO_POLICY *policy = NULL;

	if (!policy_parse(text, &policy, e))
		return false;
	if (policy_wants_none(policy)) {
		warn(warnings, "quorum none: one signature of the log is enough, no independent witness is asked%s", "");
		return true;
	}
	others = calloc(policy_witness_count(policy) + 1, sizeof(*others));
	if (others == NULL)
		abort();
	for (size_t i = 0; i < policy_witness_count(policy); i++) {
		const struct policy_witness *w = policy_witness_at(policy, i);
		bool own = p != NULL && party_holds((struct party *)(uintptr_t)p, &w->key);

		others[i] = !own;
		any = any || own;
		if (own)
			warn(warnings, "the witness %s is the party's own: it does not count", w->name);
		if (w->url[0] == '\0')
			warn(warnings, "the witness %s has no address: the party's node cannot ask it", w->name);
	}
	met = policy_quorum(policy, others);
	free(others);
	return met || err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED, "this quorum can never be met: %s",
			      any ? "it needs the party's own witness, which does not count" : "too few witnesses stand in it");
}
