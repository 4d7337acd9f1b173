/* Whether an act is true, in this order, cheapest doubt first where the order leaves room: the party is
 * known; its envelope has exactly one signature, by a key that the register names for it; every approval is of this
 * statement and by an approver of the party in that role, and no role that the kind needs is missing; the leaf rebuilds
 * from opening and secret; the proof shows it under a checkpoint of the sender's log, cosigned as the policy asks
 * (judge-proof.c); the key was valid at the time that the witnesses give, or at the caller's when there is none. An honest act costs one Ed25519 verification for its envelope
 * and one for each approval; the checkpoint costs one for all acts under it (checkpoint_cache). */
#include "register/judge.h"

#include <string.h>

#include "log/leaf.h"

_Static_assert(LEAF_V1_BYTES == 220, "judge.h says how long a leaf is");

/* Whose key signed it, whenever that was. */
static bool signer_of(const struct act *a, const struct register_ *r, const struct party **ret_party,
		      const struct register_key **ret, struct err *e)
{
	const struct party *p = register_party(r, bytes_of(a->statement->from));
	const struct register_key *hinted = NULL, *signer = NULL;
	char id[KEY_ID_LEN + 1];

	if (p == NULL)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "the register knows no party %s", a->statement->from);
	/* A second signature would give one statement many spellings, and make us verify for each. */
	if (a->envelope.signature_count != 1)
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "a statement of a party has one signature, not %zu",
			       a->envelope.signature_count);
	for (size_t i = 0; i < p->key_count && hinted == NULL; i++) {
		key_id_write(p->keys[i].key, id);
		if (strcmp(id, a->envelope.signatures[0].keyid) == 0)
			hinted = &p->keys[i];
	}
	if (hinted != NULL && envelope_signed_by(&a->envelope, hinted->key))
		signer = hinted;
	/* keyid is a hint, never a decision: what does not fit is tried with the other keys. */
	for (size_t i = 0; i < p->key_count && signer == NULL; i++) {
		if (&p->keys[i] != hinted && envelope_signed_by(&a->envelope, p->keys[i].key))
			signer = &p->keys[i];
	}
	if (signer == NULL && hinted == NULL)
		return err_set(e, ERR_REJECTED, REASON_UNSIGNED, "no key that the register names for %s signed this statement",
			       p->code);
	if (signer == NULL)
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "the signature under the statement of %s is false",
			       p->code);
	*ret_party = p;
	*ret = signer;
	return true;
}

/* Cosignatures tell whole seconds (crypto.md 1.5): what was proved then was proved by the end of that second. */
#define WITNESS_SECOND_MS 999

/* exact_ms: the part of a second that the two times do not tell. */
static bool key_was_valid(const struct party *p, const struct register_key *k, int64_t period_ms, int64_t compromise_ms, int64_t exact_ms,
			  struct err *e)
{
	bool compromised = k->compromised != 0 && k->compromised <= compromise_ms + exact_ms;
	char when[TIME_TEXT_LEN + 1];

	if (k->from <= period_ms + exact_ms && (k->until == 0 || period_ms < k->until) && !compromised)
		return true;
	time_write(compromised ? compromise_ms : period_ms, when);
	return err_set(e, ERR_REJECTED, REASON_KEY_NOT_VALID, "the key that signed for %s was %s at %s", p->code,
		       compromised ? "compromised" : "not valid", when);
}

bool judge_signature(const struct act *a, const struct register_ *r, int64_t at_ms, const struct party **ret_sender,
		     struct err *e)
{
	const struct register_key *k;
	const struct party *p;

	if (!signer_of(a, r, &p, &k, e) || !key_was_valid(p, k, at_ms, at_ms, 0, e))
		return false;
	*ret_sender = p;
	return true;
}

static bool bad_approval(struct err *e, const struct approval *a, const char *words)
{
	return err_set(e, ERR_REJECTED, REASON_BAD_APPROVAL, "the approval by %s as %s: %s", a->approver,
		       approval_role_code(a->role), words);
}

static bool approval_check(const struct approval *a, const uint8_t *hash, const struct party *p, struct bytes officer,
			   const struct register_approver **ret, struct err *e)
{
	const struct register_approver *who = party_approver(p, bytes_of(a->approver));
	/* Independent of the officer: who reviews and who authorises, and all the more the court (art. 24(2)). */
	bool independent = a->role == APPROVAL_REVIEWER || a->role == APPROVAL_AUTHORITY || a->role == APPROVAL_COURT;

	if (memcmp(a->hash, hash, SHA256_BYTES) != 0)
		return bad_approval(e, a, "it approves another statement");
	if (who == NULL)
		return bad_approval(e, a, "the register names no approver of this name");
	if ((who->roles & 1u << (unsigned)a->role) == 0)
		return bad_approval(e, a, "the register does not name this person in this role");
	if (independent && bytes_is(officer, a->approver))
		return bad_approval(e, a, "the case officer cannot approve this (arts. 6, 24)");
	if (a->envelope.signature_count != 1 || !envelope_signed_by(&a->envelope, who->key))
		return bad_approval(e, a, "its signature is not by the key that the register names");
	*ret = who;
	return true;
}

bool judge_approvals(const struct approval *approvals, size_t n, const uint8_t hash[static SHA256_BYTES], unsigned needed,
		     const struct party *p, const json_t *body, int64_t at_ms, struct err *e)
{
	/* Approvers have no period of validity: the register in use names those of now, and the acts of
	 * earlier ones are judged against the register of their time. at_ms is for assurances that expire. */
	struct bytes officer = json_bytes(body, "officer");
	const struct register_approver *who[ACT_APPROVALS_MAX];
	unsigned present = 0;

	if (n > ACT_APPROVALS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a statement has at most %u approvals",
			       ACT_APPROVALS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct approval *a = &approvals[i];

		if (!approval_check(a, hash, p, officer, &who[i], e))
			return false;
		for (size_t j = 0; j < i; j++) {
			enum approval_role other = approvals[j].role;

			if (who[j] != who[i])
				continue;
			if (other == a->role)
				return bad_approval(e, a, "the same person approved twice");
			if ((a->role == APPROVAL_REVIEWER && other == APPROVAL_AUTHORITY) ||
			    (a->role == APPROVAL_AUTHORITY && other == APPROVAL_REVIEWER))
				return bad_approval(e, a, "reviewer and authority must be different people");
		}
		present |= 1u << (unsigned)a->role;
	}
	for (unsigned role = 0; role < APPROVAL_ROLE_COUNT; role++) {
		if ((needed & 1u << role) != 0 && (present & 1u << role) == 0)
			return err_set(e, ERR_REJECTED, REASON_MISSING_APPROVAL, "the approval by the %s is missing",
				       approval_role_code((enum approval_role)role));
	}
	return true;
}

void judge_leaf(const struct statement *s, const uint8_t opening[static 32], const uint8_t x[static 32], bool in_receivers_log,
		uint8_t ret[static 220])
{
	char week[16];
	struct leaf_class c = {
		.act_class = bytes_of(s->kind->act_class),
		.basis = bytes_of(s->legal_basis),
		.exercise = s->exercise,
	};

	time_write_week(s->time, week);
	c.week = bytes_of(week);
	leaf_write(s->hash, &c, opening, x, in_receivers_log ? LEAF_IN : LEAF_OUT, ret);
}

/* In need, two people answer for what witnesses cannot. */
static bool may_pend(const struct act *a, struct err *e)
{
	const struct statement *s = a->statement;

	if (!s->kind->may_go_pending)
		return err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED, "a %s waits for the witnesses of the log of %s",
			       s->kind->name, s->from);
	for (size_t i = 1; i < a->approval_count; i++)
		if (strcmp(a->approvals[i].approver, a->approvals[0].approver) != 0)
			return true;
	return err_set(e, ERR_REJECTED, REASON_MISSING_APPROVAL,
		       "without the witnesses of its log, a %s of %s needs the approvals of two different people", s->kind->name,
		       s->from);
}

static bool judge(const struct act *a, struct judge_question *q, struct judgement *ret, struct err *e)
{
	const struct statement *s = a->statement;
	const struct register_key *k;
	struct judgement j;
	uint8_t leaf[LEAF_V1_BYTES];
	int64_t period = q->at_ms, compromise = q->at_ms;

	if (!signer_of(a, q->r, &q->log_of, &k, e) ||
	    !judge_approvals(a->approvals, a->approval_count, s->hash, kind_approvals(s->kind, s->body), q->log_of, s->body,
			     q->at_ms, e))
		return false;
	j = (struct judgement){ .sender = q->log_of };
	if (s->kind->leaf) {
		if (a->leaf.len == 0)
			return err_set(e, ERR_REJECTED, REASON_UNLOGGED, "%s sent this without a leaf of its log", q->log_of->code);
		judge_leaf(s, a->opening, a->x, false, leaf);
		if (!bytes_equal(a->leaf, BYTES_ARRAY(leaf)))
			return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the leaf does not rebuild from the statement of %s",
				       q->log_of->code);
		if (!judge_proof(q, a->proof, a->leaf, &j, e) || (j.pending && !may_pend(a, e)))
			return false;
	}
	if (j.quorum_ms != 0) {
		compromise = j.quorum_ms;
		period = q->when == JUDGE_RECORD && q->at_ms < j.quorum_ms ? q->at_ms : j.quorum_ms;
	}
	if (!key_was_valid(q->log_of, k, period, compromise, j.quorum_ms != 0 ? WITNESS_SECOND_MS : 0, e))
		return false;
	*ret = j;
	return true;
}

bool judge_act(const struct act *a, const struct register_ *r, int64_t at_ms, struct checkpoint_cache *cache,
	       struct judgement *ret, struct err *e)
{
	struct judge_question q = { .r = r, .at_ms = at_ms, .when = JUDGE_ARRIVAL, .cache = cache };

	return judge(a, &q, ret, e);
}

bool judge_act_on_record(const struct act *a, const struct register_ *r, int64_t at_ms, struct checkpoint_cache *cache,
			 struct judgement *ret, struct err *e)
{
	struct judge_question q = { .r = r, .at_ms = at_ms, .when = JUDGE_RECORD, .cache = cache };

	return judge(a, &q, ret, e);
}

bool judge_act_pending(const struct act *a, const struct register_ *r, const struct party *us, int64_t at_ms,
		       struct checkpoint_cache *cache, struct judgement *ret, struct err *e)
{
	struct judge_question q = { .r = r, .us = us, .at_ms = at_ms, .when = JUDGE_ARRIVAL, .cache = cache };

	return judge(a, &q, ret, e);
}

static bool judge_counter(const struct act *a, const struct counterproof *c, const struct judge_question *q,
			  struct judgement *ret, struct err *e)
{
	const struct party *receiver = q->log_of;
	uint8_t leaf[LEAF_V1_BYTES];

	if (strcmp(a->statement->to, receiver->code) != 0)
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "the statement went to %s, not to %s", a->statement->to,
			       receiver->code);
	if (memcmp(c->hash, a->statement->hash, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the counterproof of %s is of another statement",
			       receiver->code);
	judge_leaf(a->statement, c->opening, a->x, true, leaf);
	if (!bytes_equal(c->leaf, BYTES_ARRAY(leaf)))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the leaf of %s does not rebuild from the statement",
			       receiver->code);
	return judge_proof(q, c->proof, c->leaf, ret, e);
}

bool judge_counterproof(const struct act *a, const struct counterproof *c, const struct register_ *r,
			const struct party *receiver, int64_t at_ms, struct checkpoint_cache *cache, struct judgement *ret,
			struct err *e)
{
	return judge_counter(a, c, &(struct judge_question){ r, receiver, NULL, at_ms, JUDGE_ARRIVAL_ANY_AGE, cache }, ret, e);
}

bool judge_counterproof_on_record(const struct act *a, const struct counterproof *c, const struct register_ *r,
				  const struct party *receiver, int64_t at_ms, struct checkpoint_cache *cache,
				  struct judgement *ret, struct err *e)
{
	return judge_counter(a, c, &(struct judge_question){ r, receiver, NULL, at_ms, JUDGE_RECORD, cache }, ret, e);
}
