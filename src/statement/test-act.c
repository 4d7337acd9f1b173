/* Acts and counterproofs: one spelling, everything in place, nothing more. */
#include "statement/test-acts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* act is taken. */
static bool parses(json_t *act, struct err *e)
{
	AUTO_ACT *a = NULL;
	AUTO_BUF json = { 0 };
	bool ok;

	buf_init(&json, LETTER_BYTES_MAX);
	ok = json_write_canonical(act, &json, e) && act_parse(buf_bytes(&json), &a, e);
	json_decref(act);
	return ok;
}

static void an_act_of_every_kind_parses_and_writes_back_the_same(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		AUTO_JSON *v = sample_act_of(kind_at(i)->name, i % 3);
		AUTO_ACT *a = NULL;
		struct err e = { 0 };
		AUTO_BUF json = { 0 };

		buf_init(&json, LETTER_BYTES_MAX);
		assert_true(json_write_canonical(v, &json, NULL));
		if (!act_parse(buf_bytes(&json), &a, &e))
			fail_msg("%s", e.text);
		assert_true(bytes_equal(buf_bytes(&a->json), buf_bytes(&json)));
		assert_ptr_equal(a->statement->kind, kind_at(i));
		assert_memory_equal(a->statement->hash, a->envelope.hash, SHA256_BYTES);
		assert_int_equal(a->approval_count, i % 3);
		assert_int_equal(a->leaf.len > 0, kind_at(i)->leaf);
	}
}

static void approvals_are_slices_that_parse_again(void **state)
{
	AUTO_JSON *v = sample_act_of("preservation-request", 3);
	AUTO_ACT *a = NULL;

	assert_true(act_parse_json(v, &a, NULL));
	for (size_t i = 0; i < 3; i++) {
		AUTO_APPROVAL one = { 0 };

		assert_true(approval_parse(a->approval_bytes[i], &one, NULL));
		assert_memory_equal(one.hash, a->statement->hash, SHA256_BYTES);
		assert_string_equal(a->approvals[i].approver, "Rana Vale");
	}
}

static void every_member_is_needed_and_no_other_taken(void **state)
{
	static const char *const members[] = { "approvals", "envelope", "leaf", "opening", "proof", "x" };
	json_t *more = sample_act_of("order", 1);

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *v = sample_act_of("order", 1), *wrong = sample_act_of("order", 1);

		assert_int_equal(json_object_del(v, members[i]), 0);
		assert_false(parses(v, NULL));
		json_put_int(wrong, members[i], 1);
		assert_false(parses(wrong, NULL));
	}
	json_put_text(more, "z", "");
	assert_false(parses(more, NULL));
}

static void leaf_opening_and_x_stand_together_or_not_at_all(void **state)
{
	static const char *const members[] = { "leaf", "opening", "x" };
	json_t *none = sample_act_of("register-entry", 0), *proof_alone;
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		json_t *v = sample_act_of("order", 1);

		json_put_text(v, members[i], "");
		assert_false(parses(v, &e));
		assert_int_equal(e.reason, REASON_MISSING_FIELD);
		json_put_text(none, members[i], "");
	}
	proof_alone = json_deep_copy(none);
	assert_true(parses(none, NULL));
	json_put_text(proof_alone, "proof", "x");
	assert_false(parses(proof_alone, NULL));
}

static void a_kind_without_leaf_has_none(void **state)
{
	json_t *v = sample_act_of("receipt", 0);

	json_put_text(v, "leaf", SAMPLE_LEAF);
	json_put_text(v, "opening", SAMPLE_HASH);
	json_put_text(v, "x", SAMPLE_HASH);
	assert_false(parses(v, NULL));
}

static void more_approvals_than_the_limit_are_refused(void **state)
{
	assert_true(parses(sample_act_of("order", ACT_APPROVALS_MAX), NULL));
	assert_false(parses(sample_act_of("order", ACT_APPROVALS_MAX + 1), NULL));
}

static void a_statement_that_its_kind_refuses_makes_no_act(void **state)
{
	json_t *body = sample_body("order");
	struct err e;

	json_put_text(body, "measure", "delete");
	assert_false(parses(sample_act(sample_frame("order", body), 1), &e));
	assert_int_equal(e.reason, REASON_BAD_FIELD);
}

static void a_counterproof_writes_back_the_same(void **state)
{
	uint8_t hash[SHA256_BYTES] = { 1 }, opening[32] = { 2 };
	struct counterproof c;
	AUTO_BUF out = { 0 }, again = { 0 };

	buf_init(&out, MIB);
	buf_init(&again, MIB);
	assert_true(counterproof_write(hash, bytes_of(SAMPLE_LEAF), opening, bytes_of("proof\n"), &out, NULL));
	assert_true(counterproof_parse(buf_bytes(&out), &c, NULL));
	assert_memory_equal(c.hash, hash, sizeof(hash));
	assert_memory_equal(c.opening, opening, sizeof(opening));
	assert_true(bytes_is(c.leaf, SAMPLE_LEAF));
	assert_true(counterproof_write(c.hash, c.leaf, c.opening, c.proof, &again, NULL));
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	counterproof_release(&c);
	counterproof_release(&c);
}

static void a_counterproof_without_leaf_is_refused(void **state)
{
	uint8_t hash[SHA256_BYTES] = { 1 }, opening[32] = { 2 };
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	assert_false(counterproof_write(hash, bytes_of(""), opening, bytes_of("proof\n"), &out, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_act_of_every_kind_parses_and_writes_back_the_same),
		cmocka_unit_test(approvals_are_slices_that_parse_again),
		cmocka_unit_test(every_member_is_needed_and_no_other_taken),
		cmocka_unit_test(leaf_opening_and_x_stand_together_or_not_at_all),
		cmocka_unit_test(a_kind_without_leaf_has_none),
		cmocka_unit_test(more_approvals_than_the_limit_are_refused),
		cmocka_unit_test(a_statement_that_its_kind_refuses_makes_no_act),
		cmocka_unit_test(a_counterproof_writes_back_the_same),
		cmocka_unit_test(a_counterproof_without_leaf_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
