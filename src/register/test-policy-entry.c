/* What the register says about witnesses: policies in a bundle, which nobody can leave out or bring back; the witness and
 * the retired logs in an entry; and what is said to the one who writes a policy. */
#include "register/register-internal.h"
#include "register/test-bundle.h"

static struct sign_key *witness[2];
static char one[2][600]; /* policies: quorum of one witness */

static int begin_all(void **state)
{
	bundle_setup(state);
	for (size_t i = 0; i < 2; i++) {
		struct note_key key;
		AUTO_BUF vkey = { 0 };

		buf_init(&vkey, KIB);
		witness[i] = sign_key_new();
		note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(witness[i]), &key);
		note_key_write(&key, &vkey);
		snprintf(one[i], sizeof(one[i]), "witness w %s https://w.example\nquorum w\n", buf_text(&vkey));
	}
	return 0;
}

static int end_all(void **state)
{
	sign_key_free(witness[0]);
	sign_key_free(witness[1]);
	return bundle_teardown(state);
}

static int each(void **state)
{
	xa.party.has_witness = xr.party.has_witness = false;
	xa.party.witness_url = NULL;
	xa.party.retired_count = 0;
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	return 0;
}

/* --- in a bundle ------------------------------------------------------------------------------------ */

static void the_newest_policy_that_has_begun_is_in_effect(void **state)
{
	struct register_ *r = register_new();
	const struct register_policy *p;

	add_policy("XA", one[1], FX_NOW + 2 * DAY_MS);
	add_policy("XA", one[0], FX_NOW + DAY_MS);
	add_policy("XR", "quorum none\n", FX_NOW + DAY_MS);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(problem_count(), 0);
	assert_int_equal(register_count(r), 2);
	assert_int_equal(register_policy_count(r), 3);
	assert_null(register_policy(r, "XA", FX_NOW + DAY_MS - 1));
	p = register_policy(r, "XA", FX_NOW + DAY_MS);
	assert_string_equal(p->text, one[0]);
	assert_int_equal(p->max_age_ms, 600000);
	assert_true(p->from == FX_NOW + DAY_MS);
	assert_memory_equal(policy_witness_at(p->policy, 0)->key.public_key, sign_key_public(witness[0]), SIGN_PUBLIC_BYTES);
	assert_string_equal(register_policy(r, "XA", FX_NOW + 9 * DAY_MS)->text, one[1]);
	assert_true(policy_wants_none(register_policy(r, "XR", FX_NOW + 9 * DAY_MS)->policy));
	assert_null(register_policy(r, "XL", FX_NOW + 9 * DAY_MS));
	register_free(r);
}

static void no_policy_reaches_back_before_its_statement(void **state)
{
	struct register_ *r = register_new();

	add_policy("XA", one[0], FX_NOW - 30 * DAY_MS);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_null(register_policy(r, "XA", FX_NOW - 1));
	assert_non_null(register_policy(r, "XA", FX_NOW));
	register_free(r);
}

static void of_two_that_begin_together_the_later_one_counts(void **state)
{
	struct register_ *r = register_new();

	add_policy("XA", one[0], FX_NOW + DAY_MS);
	add_policy("XA", one[1], FX_NOW + DAY_MS);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_string_equal(register_policy(r, "XA", FX_NOW + DAY_MS)->text, one[1]);
	register_free(r);
}

static void a_bundle_without_a_policy_that_it_lists_is_no_bundle(void **state)
{
	add_policy("XA", one[0], FX_NOW);
	fx_act_release(&parts.entries[--parts.entry_count]); /* left out, listed all the same */
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void nor_is_one_whose_policy_is_false(void **state)
{
	struct fx_act *a = add_policy_by(xa.key, "XA", one[0], FX_NOW); /* by the party, not by the register */

	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	each(state);
	a = add_policy("XA", one[0], FX_NOW);
	a->opening[0] ^= 1;
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	each(state);
	add_policy("XA", "quorum nobody\n", FX_NOW);
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void a_policy_that_is_not_listed_is_told_and_has_no_effect(void **state)
{
	struct register_ *r = register_new();

	add_policy("XA", one[0], FX_NOW);
	parts.policy_count = 0;
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_true(told("the snapshot does not list it"));
	assert_int_equal(register_policy_count(r), 0);
	assert_int_equal(register_missing(r), 0);
	register_free(r);
}

static void a_policy_is_no_entry_and_an_entry_no_policy(void **state)
{
	struct register_ *r = register_new();

	add_policy("XA", one[0], FX_NOW);
	memcpy(parts.listed[parts.listed_count++], parts.policies[0], SHA256_BYTES);
	parts.policy_count = 0;
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_policy_count(r), 0);
	assert_int_equal(register_missing(r), 1);
	register_free(r);
	each(state);
	memcpy(parts.policies[parts.policy_count++], parts.listed[0], SHA256_BYTES);
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void registers_with_other_policies_are_not_the_same(void **state)
{
	struct register_ *a = register_new(), *b = register_new();

	finish();
	assert_int_equal(loaded(a, fingerprint), REASON_NONE);
	assert_int_equal(loaded(b, fingerprint), REASON_NONE);
	assert_true(register_same(a, b));
	register_free(a);
	register_free(b);
	a = register_new();
	b = register_new();
	AUTO_JSON *body = json_object();
	json_put_time(body, "from", FX_NOW);
	json_put_int(body, "max_age_s", 60);
	json_put_text(body, "party", "XA");
	json_put_text(body, "policy", one[0]);
	assert_true(register_policy_own(a, body, NULL));
	assert_false(register_same(a, b));
	register_free(a);
	register_free(b);
}

static void where_there_is_a_register_no_home_decides_for_itself(void **state)
{
	struct register_ *r = register_new();
	AUTO_JSON *body = json_object();
	struct err e = { 0 };

	json_put_time(body, "from", FX_NOW);
	json_put_int(body, "max_age_s", 60);
	json_put_text(body, "party", "XA");
	json_put_text(body, "policy", "quorum none\n");
	add_policy("XA", one[0], FX_NOW);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_false(register_policy_own(r, body, &e));
	assert_int_equal(e.reason, REASON_WRONG_STATE);
	assert_string_equal(register_policy(r, "XA", FX_NOW)->text, one[0]);
	register_free(r);
}

/* --- in an entry -------------------------------------------------------------------------------------- */

static void say_witness(struct fx_home *h, const struct sign_key *k)
{
	note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(k), &h->party.witness_key);
	h->party.has_witness = true;
}

static void an_entry_says_its_witness_and_its_retired_logs(void **state)
{
	struct register_retired *old = &xa.party.retired[0];
	struct party *p = NULL;
	json_t *body;
	AUTO_BUF shown = { 0 };

	buf_init(&shown, 64 * KIB);
	say_witness(&xa, witness[0]);
	xa.party.witness_url = "https://w.example";
	*old = (struct register_retired){ .size = 7, .root = { 3 }, .at = FX_NOW };
	note_key_make("log.XA.example/0", NOTE_ED25519, sign_key_public(witness[1]), &old->log_key);
	xa.party.retired_count = 1;
	body = party_to_json(&xa.party);
	assert_true(party_from_json(body, &p, NULL));
	assert_true(p->has_witness && note_key_same(&p->witness_key, &xa.party.witness_key));
	assert_string_equal(p->witness_url, "https://w.example");
	assert_int_equal(p->retired_count, 1);
	assert_true(note_key_same(&p->retired[0].log_key, &old->log_key));
	assert_true(p->retired[0].size == 7 && p->retired[0].at == FX_NOW && p->retired[0].root[0] == 3);
	party_print(p, 0, &shown);
	assert_non_null(strstr(buf_text(&shown), "witness at: https://w.example"));
	assert_non_null(strstr(buf_text(&shown), "retired log: log.XA.example/0+"));
	party_free(p);
	json_decref(body);
}

/* Entries from before there were witnesses keep their one spelling. */
static void what_an_entry_does_not_say_is_not_there(void **state)
{
	static const char *const members[] = { "witness", "witness_url" };
	json_t *body = party_to_json(&xa.party);
	struct party *p = NULL;

	assert_null(json_object_get(body, "witness"));
	assert_null(json_object_get(body, "witness_url"));
	assert_null(json_object_get(body, "retired"));
	json_put(body, "retired", json_array());
	assert_false(party_from_json(body, &p, NULL));
	json_object_del(body, "retired");
	for (size_t i = 0; i < 2; i++) {
		json_put_text(body, members[i], "");
		assert_false(party_from_json(body, &p, NULL));
		json_object_del(body, members[i]);
	}
	assert_true(party_from_json(body, &p, NULL));
	party_free(p);
	json_decref(body);
}

static void a_witness_key_is_nobodys_other_key(void **state)
{
	struct register_ *r = register_new();
	struct party *p = NULL;
	struct err e = { 0 };
	json_t *body;

	say_witness(&xa, xa.log.key);
	body = party_to_json(&xa.party);
	assert_false(party_from_json(body, &p, &e));
	assert_non_null(strstr(e.text, "witness key"));
	json_decref(body);
	say_witness(&xa, xa.log.key);
	xa.party.witness_key.type = NOTE_ED25519;
	body = party_to_json(&xa.party);
	assert_false(party_from_json(body, &p, &e));
	json_decref(body);
	/* Of two parties with one witness neither is believed. */
	begin();
	say_witness(&xa, witness[0]);
	say_witness(&xr, witness[0]);
	assert_string_equal(party_shares_key(&xa.party, &xr.party), "witness key");
	add_entry(&xa.party);
	add_entry(&xr.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 0);
	assert_true(told("witness key"));
	register_free(r);
}

/* --- said to the one who decides ----------------------------------------------------------------------- */

static void a_quorum_that_can_never_be_met_is_refused(void **state)
{
	struct err e = { 0 };

	buf_clear(&problems);
	assert_true(register_policy_review(bytes_of(one[0]), &xa.party, &problems, &e));
	assert_int_equal(problems.len, 0);
	say_witness(&xa, witness[0]);
	assert_false(register_policy_review(bytes_of(one[0]), &xa.party, &problems, &e));
	assert_int_equal(e.reason, REASON_UNDER_WITNESSED);
	assert_true(told("the party's own"));
	assert_true(register_policy_review(bytes_of(one[0]), &xr.party, &problems, &e)); /* it may watch others */
	buf_clear(&problems);
	assert_true(register_policy_review(bytes_of("quorum none\n"), &xa.party, &problems, &e));
	assert_true(told("no independent witness"));
	assert_false(register_policy_review(bytes_of("quorum\n"), &xa.party, &problems, &e));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, each)
	const struct CMUnitTest tests[] = {
		T(the_newest_policy_that_has_begun_is_in_effect),
		T(no_policy_reaches_back_before_its_statement),
		T(of_two_that_begin_together_the_later_one_counts),
		T(a_bundle_without_a_policy_that_it_lists_is_no_bundle),
		T(nor_is_one_whose_policy_is_false),
		T(a_policy_that_is_not_listed_is_told_and_has_no_effect),
		T(a_policy_is_no_entry_and_an_entry_no_policy),
		T(registers_with_other_policies_are_not_the_same),
		T(where_there_is_a_register_no_home_decides_for_itself),
		T(an_entry_says_its_witness_and_its_retired_logs),
		T(what_an_entry_does_not_say_is_not_there),
		T(a_witness_key_is_nobodys_other_key),
		T(a_quorum_that_can_never_be_met_is_refused),
	};
#undef T

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
