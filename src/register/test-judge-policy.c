/* Which policy a proof must meet, on arrival and years later; what a log that has ended still proves; and what is enough
 * when the witnesses fail. */
#include "register/test-witnesses.h"

/* --- which policy -------------------------------------------------------------------------------------- */

static void on_arrival_the_policy_of_now_must_be_met(void **state)
{
	struct fx_act a;

	old_policy("quorum w1\n");
	policy_of("XA", TWO_OF_THREE, FX_NOW);
	good(&a);
	cosign(&a, 0, FX_NOW - 2 * MINUTE);
	assert_int_equal(judged_at(&a, FX_NOW - 1), REASON_NONE);
	good(&a);
	cosign(&a, 0, FX_NOW - 2 * MINUTE); /* of the time when one was enough: no help any more */
	assert_int_equal(judged_at(&a, FX_NOW), REASON_UNDER_WITNESSED);
	/* And the other way: what is asked for less is enough. */
	policy_of("XA", "quorum w1\n", FX_NOW + MINUTE);
	good(&a);
	cosign(&a, 0, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + MINUTE), REASON_NONE);
}

static void a_later_policy_does_not_unprove_what_was_proved_before_it(void **state)
{
	struct judgement j;
	struct fx_act a;

	old_policy("quorum w1\n");
	policy_of("XA", "group g all w2 w3\nquorum g\n", FX_NOW);
	good(&a);
	cosign(&a, 0, FX_NOW - MINUTE);
	assert_int_equal(on_record(&a, FX_NOW - 2 * MINUTE, &j), REASON_NONE);
	assert_true(j.quorum_ms == FX_NOW - MINUTE);
	/* Proved under the old policy only after its end. */
	good(&a);
	cosign(&a, 0, FX_NOW);
	assert_int_equal(recorded(&a, FX_NOW - 2 * MINUTE), REASON_UNDER_WITNESSED);
	/* Said before, proved under the new one. */
	good(&a);
	cosign(&a, 1, FX_NOW);
	cosign(&a, 2, FX_NOW);
	assert_int_equal(recorded(&a, FX_NOW - 2 * MINUTE), REASON_NONE);
	/* Said after: the old one is over. */
	good(&a);
	cosign(&a, 0, FX_NOW - MINUTE);
	assert_int_equal(recorded(&a, FX_NOW), REASON_UNDER_WITNESSED);
}

static void before_the_first_policy_no_witness_is_asked_on_record(void **state)
{
	struct judgement j;
	struct fx_act a;

	policy_of("XA", TWO_OF_THREE, FX_NOW);
	good(&a);
	assert_int_equal(on_record(&a, FX_NOW - 1, &j), REASON_NONE);
	assert_int_equal(j.witnesses, 0);
	assert_true(j.quorum_ms == 0);
	good(&a);
	assert_int_equal(recorded(&a, FX_NOW), REASON_UNDER_WITNESSED);
	/* Where they signed all the same, they are told. */
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(on_record(&a, FX_NOW - 1, &j), REASON_NONE);
	assert_int_equal(j.witnesses, 2);
}

static void quorum_none_excuses_only_its_own_time(void **state)
{
	struct fx_act a;

	old_policy(TWO_OF_THREE);
	policy_of("XA", "quorum none\n", FX_NOW);
	good(&a);
	assert_int_equal(recorded(&a, FX_NOW), REASON_NONE);
	good(&a);
	assert_int_equal(judged(&a), REASON_NONE);
	good(&a);
	assert_int_equal(recorded(&a, FX_NOW - 1), REASON_UNDER_WITNESSED);
}

/* --- retired logs --------------------------------------------------------------------------------------- */

/* XA goes on with another log; the old one ends now with the leaves that it has. */
static void retire(struct fx_log *next)
{
	struct register_retired *r = &xa.party.retired[0];
	size_t n = xa.log.n;

	fx_log_new("log.XA.example/2", next);
	*r = (struct register_retired){ .log_key = xa.log.vkey, .size = xa.log.n, .at = FX_NOW };
	fx_root(xa.log.leaves, xa.log.n, r->root);
	xa.party.retired_count = 1;
	xa.party.log_key = next->vkey;
	pin_both();
	xa.log.n = n; /* the entry's leaf belongs to the next one */
}

static void proofs_of_a_retired_log_hold_and_new_ones_are_refused(void **state)
{
	struct fx_log next;
	struct fx_act a, before, later, late;

	good(&a);
	good(&before);
	good(&later);
	good(&late);
	fx_append(&xa.log, bytes_of("the last leaf"));
	retire(&next);
	xa.log.n--; /* below the last tree */
	fx_prove(&a, &xa.log);
	assert_int_equal(recorded(&a, FX_NOW - MINUTE), REASON_NONE);
	xa.log.n++;
	fx_prove(&before, &xa.log);
	assert_int_equal(recorded(&before, FX_NOW), REASON_NONE); /* the last tree itself */
	fx_prove(&late, &xa.log);
	assert_int_equal(judged_at(&late, FX_NOW + MINUTE), REASON_BAD_PROOF); /* now it is over */
	good(&a);
	assert_int_equal(recorded(&a, FX_NOW - MINUTE), REASON_BAD_PROOF); /* a larger tree */
	xa.log.n -= 3;
	fx_append(&xa.log, bytes_of("another history"));
	fx_prove(&later, &xa.log);
	assert_int_equal(recorded(&later, FX_NOW), REASON_BAD_PROOF);
	sign_key_free(next.key);
	xa.party.log_key = xa.log.vkey;
}

static void a_retired_log_has_no_later_quorum(void **state)
{
	struct fx_log next;
	struct fx_act a, b;

	good(&a);
	good(&b);
	retire(&next);
	old_policy(TWO_OF_THREE);
	cosign(&a, 0, FX_NOW - MINUTE);
	cosign(&a, 1, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + MINUTE), REASON_NONE); /* in flight when the log ended */
	fx_prove(&b, &xa.log);
	cosign(&b, 0, FX_NOW);
	cosign(&b, 1, FX_NOW + 1000);
	assert_int_equal(judged_at(&b, FX_NOW + MINUTE), REASON_BAD_PROOF);
	sign_key_free(next.key);
	xa.party.log_key = xa.log.vkey;
}

/* --- proof-pending ----------------------------------------------------------------------------------------- */

/* Judged by XR, whose witness is the fourth. */
static enum reason pending(struct fx_act *a, bool *ret_pending)
{
	const struct party *us = register_party(reg, bytes_of("XR"));
	struct judgement j = { 0 };
	struct err e = { 0 };
	AUTO_ACT *act = parsed(a);
	bool ok = judge_act_pending(act, reg, us, FX_NOW, NULL, &j, &e);

	assert_int_equal(ok, e.kind == ERR_NONE);
	*ret_pending = j.pending;
	assert_false(j.pending && j.quorum_ms != 0);
	fx_act_release(a);
	return e.reason;
}

static void xr_has_a_witness(void)
{
	note_key_make(names[3], NOTE_COSIGNATURE, sign_key_public(witness[3]), &xr.party.witness_key);
	xr.party.has_witness = true;
	pin_both();
	old_policy(TWO_OF_THREE);
}

static void two_people(struct fx_act *a)
{
	draft(a, "XA", xa.key);
	fx_approve(a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	fx_approve(a, xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	log_it(a);
}

static void in_need_our_own_witness_and_two_people_are_enough(void **state)
{
	struct fx_act a;
	bool is_pending;

	xr_has_a_witness();
	two_people(&a);
	cosign(&a, 3, FX_NOW);
	assert_int_equal(pending(&a, &is_pending), REASON_NONE);
	assert_true(is_pending);
	two_people(&a);
	cosign(&a, 3, FX_NOW);
	assert_int_equal(judged(&a), REASON_UNDER_WITNESSED); /* nobody else makes do with that */
	two_people(&a);
	cosign(&a, 0, FX_NOW);
	cosign(&a, 1, FX_NOW);
	assert_int_equal(pending(&a, &is_pending), REASON_NONE);
	assert_false(is_pending); /* the quorum is there */
}

static void one_person_or_another_witness_is_not_enough(void **state)
{
	struct fx_act a;
	bool is_pending;

	xr_has_a_witness();
	good(&a);
	cosign(&a, 3, FX_NOW);
	assert_int_equal(pending(&a, &is_pending), REASON_MISSING_APPROVAL);
	two_people(&a);
	cosign(&a, 0, FX_NOW);
	assert_int_equal(pending(&a, &is_pending), REASON_UNDER_WITNESSED);
	two_people(&a);
	cosign(&a, 3, FX_NOW - MAX_AGE_S * 1000 - 1000);
	assert_int_equal(pending(&a, &is_pending), REASON_STALE_PROOF);
	two_people(&a);
	cosign(&a, 3, FX_NOW + JUDGE_AHEAD_MS + 1000);
	assert_int_equal(pending(&a, &is_pending), REASON_UNDER_WITNESSED);
}

/* What discloses waits for the witnesses, whoever approved it. */
static void only_what_pages_and_preserves_may_pend(void **state)
{
	json_t *body = json_object();
	struct fx_act a;
	bool is_pending;

	for (size_t i = 0; i < kind_count(); i++) {
		const char *name = kind_at(i)->name;

		assert_int_equal(kind_at(i)->may_go_pending,
				 strcmp(name, "preservation-request") == 0 || strcmp(name, "acknowledgement") == 0);
	}
	xr_has_a_witness();
	json_put_text(body, "exhibit", "000102030405060708090a0b0c0d0e0f");
	json_put_text(body, "request", "000102030405060708090a0b0c0d0e0f");
	json_put_text(body, "result", "verified");
	json_put_hex(body, "sha256", bytes_from((const uint8_t[SHA256_BYTES]){ 1 }, SHA256_BYTES));
	json_put_text(body, "text", "");
	fx_sign(&(struct fx_draft){ "confirmation", "XA", "XR", body, true }, xa.key, &a);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	fx_approve(&a, xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	log_it(&a);
	cosign(&a, 3, FX_NOW);
	assert_int_equal(pending(&a, &is_pending), REASON_UNDER_WITNESSED);
}

/* --- the other side -------------------------------------------------------------------------------------- */

static void a_counterproof_needs_the_receivers_witnesses(void **state)
{
	for (int enough = 0; enough < 2; enough++) {
		const struct party *xr_party = register_party(reg, bytes_of("XR"));
		struct counterproof c = { 0 };
		struct judgement j = { 0 };
		uint8_t leaf[LEAF_V1_BYTES];
		struct err e = { 0 };
		struct fx_act a, counter;
		AUTO_ACT *act = NULL;

		good(&a);
		act = parsed(&a);
		policy_of("XR", TWO_OF_THREE, FX_NOW - DAY_MS);
		judge_leaf(act->statement, a.opening, act->x, true, leaf);
		counter = (struct fx_act){ .index = fx_append(&xr.log, BYTES_ARRAY(leaf)) };
		buf_init(&counter.proof, NOTE_BYTES_MAX);
		fx_prove(&counter, &xr.log);
		cosign(&counter, 0, FX_NOW - 20 * DAY_MS); /* its age is not asked */
		if (enough)
			cosign(&counter, 2, FX_NOW - 20 * DAY_MS);
		memcpy(c.hash, a.hash, SHA256_BYTES);
		memcpy(c.opening, a.opening, sizeof(c.opening));
		c.leaf = BYTES_ARRAY(leaf);
		c.proof = buf_bytes(&counter.proof);
		assert_int_equal(judge_counterproof(act, &c, reg, xr_party, FX_NOW, NULL, &j, &e), enough);
		assert_int_equal(e.reason, enough ? REASON_NONE : REASON_UNDER_WITNESSED);
		assert_int_equal(j.witnesses, enough ? 2 : 0);
		fx_act_release(&counter);
		fx_act_release(&a);
		each(state);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, each, after)
	const struct CMUnitTest tests[] = {
		T(on_arrival_the_policy_of_now_must_be_met),
		T(a_later_policy_does_not_unprove_what_was_proved_before_it),
		T(before_the_first_policy_no_witness_is_asked_on_record),
		T(quorum_none_excuses_only_its_own_time),
		T(proofs_of_a_retired_log_hold_and_new_ones_are_refused),
		T(a_retired_log_has_no_later_quorum),
		T(in_need_our_own_witness_and_two_people_are_enough),
		T(one_person_or_another_witness_is_not_enough),
		T(only_what_pages_and_preserves_may_pend),
		T(a_counterproof_needs_the_receivers_witnesses),
	};
#undef T

	return cmocka_run_group_tests(tests, begin, end);
}
