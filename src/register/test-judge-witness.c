/* No proof, no effect: how many witnesses must have cosigned what an act of XA stands under, who counts, and when. */
#include "register/test-witnesses.h"

/* --- how many, and who ------------------------------------------------------------------------------- */

static void a_quorum_is_believed_and_says_since_when(void **state)
{
	struct checkpoint_cache *cache = checkpoint_cache_new();
	struct judgement j = { 0 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW - 2 * MINUTE, FX_NOW - 5 * MINUTE);
	cosign(&a, 2, FX_NOW - MINUTE);
	act = parsed(&a);
	for (int i = 0; i < 2; i++) { /* the second time from the cache */
		j = (struct judgement){ 0 };
		assert_true(judge_act(act, reg, FX_NOW, cache, &j, NULL));
		assert_true(j.quorum_ms == FX_NOW - 2 * MINUTE);
		assert_int_equal(j.witnesses, 3);
		assert_false(j.pending);
	}
	/* What is remembered is the verdict of that policy: a stricter one asks again. */
	policy_of("XA", "group g all w1 w2 w3 w4\nquorum g\n", FX_NOW - MINUTE);
	struct err e = { 0 };
	assert_false(judge_act(act, reg, FX_NOW, cache, &j, &e));
	assert_int_equal(e.reason, REASON_UNDER_WITNESSED);
	checkpoint_cache_free(cache);
	fx_act_release(&a);
}

static void without_a_policy_the_logs_signature_is_enough_and_no_witness_is_told(void **state)
{
	struct judgement j = { .witnesses = 9 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	policy_of("XR", TWO_OF_THREE, FX_NOW - DAY_MS); /* of another log */
	cosigned(&a, FX_NOW, FX_NOW);
	act = parsed(&a);
	assert_true(judge_act(act, reg, FX_NOW, NULL, &j, NULL));
	assert_int_equal(j.witnesses, 0);
	assert_true(j.quorum_ms == 0);
	fx_act_release(&a);
}

static void too_few_are_under_witnessed_and_the_missing_are_named(void **state)
{
	struct judgement j;
	struct err e = { 0 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	old_policy(TWO_OF_THREE);
	good(&a);
	assert_int_equal(judged(&a), REASON_UNDER_WITNESSED);
	good(&a);
	cosign(&a, 1, FX_NOW);
	act = parsed(&a);
	assert_false(judge_act(act, reg, FX_NOW, NULL, &j, &e));
	assert_int_equal(e.reason, REASON_UNDER_WITNESSED);
	assert_non_null(strstr(e.text, "w1, w3"));
	assert_null(strstr(e.text, "w2"));
	fx_act_release(&a);
}

static void a_witness_outside_the_quorum_does_not_help(void **state)
{
	struct fx_act a;

	old_policy(TWO_OF_THREE);
	good(&a);
	cosign(&a, 0, FX_NOW);
	cosign(&a, 3, FX_NOW);
	assert_int_equal(judged(&a), REASON_UNDER_WITNESSED);
}

static void the_logs_own_party_never_counts(void **state)
{
	struct fx_act a;

	note_key_make("log.XA.example/1/witness", NOTE_COSIGNATURE, sign_key_public(own_witness), &xa.party.witness_key);
	for (int own = 1; own >= 0; own--) {
		xa.party.has_witness = own;
		pin_both();
		old_policy("group g 2 w1 own\nquorum g\n");
		good(&a);
		cosign(&a, 0, FX_NOW);
		cosign_as(&a, "log.XA.example/1/witness", own_witness, FX_NOW);
		/* The same cosignatures count when the witness is somebody else's. */
		assert_int_equal(judged(&a), own ? REASON_UNDER_WITNESSED : REASON_NONE);
	}
	/* Nor under another name: the key is what counts. */
	AUTO_JSON *body = json_object();
	AUTO_BUF text = { 0 };
	xa.party.has_witness = true;
	pin_both();
	buf_init(&text, 8 * KIB);
	put_witness(&text, "friend", "friend.example/witness", own_witness);
	buf_add_text(&text, "quorum friend\n");
	json_put_time(body, "from", FX_NOW - DAY_MS);
	json_put_int(body, "max_age_s", MAX_AGE_S);
	json_put_text(body, "party", "XA");
	json_put_text(body, "policy", buf_text(&text));
	assert_true(register_policy_own(reg, body, NULL));
	good(&a);
	cosign_as(&a, "friend.example/witness", own_witness, FX_NOW);
	assert_int_equal(judged(&a), REASON_UNDER_WITNESSED);
}

/* Both name a witness that we know, and are over other bytes: the whole note is bad. */
static void a_cosignature_of_another_log_or_checkpoint_is_a_bad_proof(void **state)
{
	for (int other_log = 0; other_log < 2; other_log++) {
		struct fx_act a;
		struct note n;
		AUTO_BUF note = { 0 };

		old_policy(TWO_OF_THREE);
		buf_init(&note, NOTE_BYTES_MAX);
		if (!other_log)
			fx_append(&xa.log, bytes_of("before the act"));
		fx_append(&xr.log, bytes_of("a leaf of XR"));
		fx_checkpoint(other_log ? &xr.log : &xa.log, &note);
		good(&a);
		cosign(&a, 0, FX_NOW);
		assert_true(note_parse(buf_bytes(&note), &n, NULL));
		assert_true(cosignature_sign(n.text, names[1], witness[1], FX_NOW / 1000, &a.proof, NULL));
		assert_int_equal(judged(&a), REASON_BAD_PROOF);
		each(state);
	}
}

static void a_log_without_its_own_signature_is_no_log(void **state)
{
	struct fx_log forged = xr.log;
	struct fx_act a;

	old_policy(TWO_OF_THREE);
	good(&a);
	forged.vkey = xa.log.vkey;
	forged.n = 0;
	a.index = fx_append(&forged, BYTES_ARRAY(a.leaf));
	fx_prove(&a, &forged);
	cosign(&a, 0, FX_NOW);
	cosign(&a, 1, FX_NOW);
	assert_int_equal(judged(&a), REASON_BAD_PROOF);
}

/* --- when -------------------------------------------------------------------------------------------- */

static void a_proof_over_the_policys_age_is_stale_on_arrival_and_not_on_record(void **state)
{
	struct fx_act a;

	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + MAX_AGE_S * 1000), REASON_NONE);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + MAX_AGE_S * 1000 + 1), REASON_STALE_PROOF);
	cosigned(&a, FX_NOW - 5 * DAY_MS, FX_NOW - 5 * DAY_MS);
	assert_int_equal(recorded(&a, FX_NOW), REASON_NONE);
}

static void a_time_ahead_of_ours_does_not_count(void **state)
{
	struct fx_act a;

	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW, FX_NOW + JUDGE_AHEAD_MS);
	assert_int_equal(judged(&a), REASON_NONE);
	cosigned(&a, FX_NOW, FX_NOW + JUDGE_AHEAD_MS + 1000);
	assert_int_equal(judged(&a), REASON_UNDER_WITNESSED);
	cosigned(&a, FX_NOW, FX_NOW + JUDGE_AHEAD_MS + 1000);
	cosign(&a, 2, FX_NOW);
	assert_int_equal(judged(&a), REASON_NONE);
	cosigned(&a, FX_NOW, FX_NOW + JUDGE_AHEAD_MS + 1000);
	assert_int_equal(recorded(&a, FX_NOW - DAY_MS), REASON_UNDER_WITNESSED);
}

static void a_key_is_judged_when_the_quorum_was_complete(void **state)
{
	struct fx_act a;

	xa.party.keys[0].until = FX_NOW + MINUTE; /* rotated before it arrives */
	pin_both();
	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + 2 * MINUTE), REASON_NONE);
	cosigned(&a, FX_NOW, FX_NOW + MINUTE);
	assert_int_equal(judged_at(&a, FX_NOW + 2 * MINUTE), REASON_KEY_NOT_VALID);
	pin_both(); /* without a policy: at arrival */
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + 2 * MINUTE), REASON_KEY_NOT_VALID);
}

/* A witness tells whole seconds: a key that begins, or is stolen, within that second. */
static void a_second_of_a_witness_is_a_whole_second(void **state)
{
	struct fx_act a;

	xa.party.keys[0].from = FX_NOW - MINUTE + 900;
	pin_both();
	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW - MINUTE, FX_NOW - MINUTE);
	assert_int_equal(judged(&a), REASON_NONE);
	xa.party.keys[0].from = FX_NOW - MINUTE + 1000;
	pin_both();
	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW - MINUTE, FX_NOW - MINUTE);
	assert_int_equal(judged(&a), REASON_KEY_NOT_VALID);
	xa.party.keys[0].from = FX_NOW - DAY_MS;
	xa.party.keys[0].compromised = FX_NOW + 900;
	pin_both();
	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + MINUTE), REASON_KEY_NOT_VALID);
}

static void a_compromise_counts_from_its_stated_time_against_the_quorum(void **state)
{
	struct fx_act a;

	xa.party.keys[0].compromised = FX_NOW + MINUTE;
	pin_both();
	old_policy(TWO_OF_THREE);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(judged_at(&a, FX_NOW + 2 * MINUTE), REASON_NONE);
	cosigned(&a, FX_NOW, FX_NOW + MINUTE);
	assert_int_equal(judged_at(&a, FX_NOW + MINUTE), REASON_KEY_NOT_VALID);
	/* On record a thief could write any time into the statement: the witnesses' time decides. */
	cosigned(&a, FX_NOW, FX_NOW + MINUTE);
	assert_int_equal(recorded(&a, FX_NOW), REASON_KEY_NOT_VALID);
	cosigned(&a, FX_NOW, FX_NOW);
	assert_int_equal(recorded(&a, FX_NOW), REASON_NONE);
}

static void on_record_a_later_proof_makes_no_statement_later(void **state)
{
	struct fx_act a;

	xa.party.keys[0].until = FX_NOW + DAY_MS;
	pin_both();
	old_policy(TWO_OF_THREE);
	the_time = FX_NOW + 3 * DAY_MS;
	cosigned(&a, FX_NOW + 2 * DAY_MS, FX_NOW + 2 * DAY_MS);
	assert_int_equal(recorded(&a, FX_NOW), REASON_NONE);
	cosigned(&a, FX_NOW + 2 * DAY_MS, FX_NOW + 2 * DAY_MS);
	assert_int_equal(recorded(&a, FX_NOW + DAY_MS), REASON_KEY_NOT_VALID);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, each, after)
	const struct CMUnitTest tests[] = {
		T(a_quorum_is_believed_and_says_since_when),
		T(without_a_policy_the_logs_signature_is_enough_and_no_witness_is_told),
		T(too_few_are_under_witnessed_and_the_missing_are_named),
		T(a_witness_outside_the_quorum_does_not_help),
		T(the_logs_own_party_never_counts),
		T(a_cosignature_of_another_log_or_checkpoint_is_a_bad_proof),
		T(a_log_without_its_own_signature_is_no_log),
		T(a_proof_over_the_policys_age_is_stale_on_arrival_and_not_on_record),
		T(a_time_ahead_of_ours_does_not_count),
		T(a_key_is_judged_when_the_quorum_was_complete),
		T(a_second_of_a_witness_is_a_whole_second),
		T(a_compromise_counts_from_its_stated_time_against_the_quorum),
		T(on_record_a_later_proof_makes_no_statement_later),
	};
#undef T

	return cmocka_run_group_tests(tests, begin, end);
}
