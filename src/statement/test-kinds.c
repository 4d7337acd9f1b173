/* Every kind in the table has the same abilities, and exactly its members. */
#include "statement/body.h"
#include "statement/test-samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_kind_has_a_sample_that_parses_and_writes_back_the_same(void **state)
{
	assert_int_equal(kind_count(), SAMPLE_COUNT);
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		AUTO_STATEMENT *s = NULL;
		struct err e = { 0 };
		AUTO_BUF again = { 0 };

		buf_init(&again, STATEMENT_BYTES_MAX);
		if (!sample_parse(sample_frame(k->name, sample_body(k->name)), &s, &e))
			fail_msg("%s: %s", k->name, e.text);
		assert_ptr_equal(s->kind, k);
		assert_true(json_write_canonical(s->json, &again, NULL));
		assert_true(bytes_equal(buf_bytes(&again), s->payload));
	}
}

static void a_complaint_about_a_proof_has_no_number_to_show(void **state)
{
	for (int n = 0; n < 4; n += 3) {
		json_t *body = sample_body("complaint");
		AUTO_BUF out = { 0 };

		json_put_int(body, "n", n);
		buf_init(&out, 64 * KIB);
		body_print(body, &complaint_shape, 60, &out);
		assert_int_equal(strstr(buf_text(&out), "number of the letter: 3") != NULL, n == 3);
		assert_int_equal(strstr(buf_text(&out), "number of the letter") != NULL, n == 3);
		json_decref(body);
	}
}

static void every_kind_prints_what_it_says(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		AUTO_STATEMENT *s = NULL;
		AUTO_BUF out = { 0 };

		buf_init(&out, MIB);
		assert_true(sample_parse(sample_frame(kind_at(i)->name, sample_body(kind_at(i)->name)), &s, NULL));
		statement_print(s, 60, &out);
		assert_true(buf_ok(&out));
		assert_non_null(strstr(buf_text(&out), kind_at(i)->words));
		assert_non_null(strstr(buf_text(&out), "2026-11-23 02:10 UTC (03:10 +01:00)"));
		/* At least one line of the body. */
		assert_non_null(strstr(buf_text(&out), "\n  "));
	}
}

static void every_member_is_needed(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		const struct shape *shape = kind_shape(kind_at(i));
		AUTO_JSON *sample = sample_body(kind_at(i)->name);

		assert_int_equal(json_object_size(sample), shape->count);
		for (size_t m = 0; m < shape->count; m++) {
			AUTO_STATEMENT *s = NULL;
			struct err e = { 0 };
			json_t *body = sample_body(kind_at(i)->name);

			assert_int_equal(json_object_del(body, shape->members[m].name), 0);
			/* What came later: statements of before are still read. */
			if (shape->members[m].may_miss) {
				assert_true(sample_parse(sample_frame(kind_at(i)->name, body), &s, NULL));
				continue;
			}
			assert_false(sample_parse(sample_frame(kind_at(i)->name, body), &s, &e));
			assert_int_equal(e.reason, REASON_MISSING_FIELD);
			assert_non_null(strstr(e.text, shape->members[m].name));
		}
	}
}

static void every_member_has_its_type(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		const struct shape *shape = kind_shape(kind_at(i));

		for (size_t m = 0; m < shape->count; m++) {
			AUTO_STATEMENT *s = NULL;
			struct err e = { 0 };
			json_t *body = sample_body(kind_at(i)->name);
			/* No member is a list of lists. */
			json_t *wrong = json_pack("[[]]");

			json_put(body, shape->members[m].name, wrong);
			assert_false(sample_parse(sample_frame(kind_at(i)->name, body), &s, &e));
			assert_int_equal(e.kind, ERR_INPUT);
		}
	}
}

static void no_kind_takes_a_further_member(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		AUTO_STATEMENT *s = NULL;
		struct err e = { 0 };
		json_t *body = sample_body(kind_at(i)->name);

		json_put_text(body, "further\x1b[31m", "x");
		assert_false(sample_parse(sample_frame(kind_at(i)->name, body), &s, &e));
		assert_int_equal(e.reason, REASON_BAD_FIELD);
		assert_null(strchr(e.text, '\x1b'));
	}
}

static void a_text_over_its_limit_is_refused(void **state)
{
	char text[PARAGRAPH_BYTES_MAX + 2];

	for (size_t extra = 0; extra < 2; extra++) {
		AUTO_STATEMENT *s = NULL;
		json_t *body = sample_body("acknowledgement");

		memset(text, 'a', sizeof(text));
		text[PARAGRAPH_BYTES_MAX + extra] = '\0';
		json_put_text(body, "note", text);
		assert_int_equal(sample_parse(sample_frame("acknowledgement", body), &s, NULL), extra == 0);
	}
}

static void a_list_over_its_limit_is_refused(void **state)
{
	for (size_t n = LIST_ITEMS_MAX; n <= LIST_ITEMS_MAX + 1; n++) {
		AUTO_STATEMENT *s = NULL;
		json_t *body = sample_body("preservation-request"), *offence = json_object_get(body, "offence");
		json_t *elements = json_array();

		for (size_t i = 0; i < n; i++)
			assert_int_equal(json_array_append_new(elements, json_string("e")), 0);
		json_put(offence, "elements", elements);
		assert_int_equal(sample_parse(sample_frame("preservation-request", body), &s, NULL),
				 n == LIST_ITEMS_MAX);
	}
}

static void a_receipt_for_what_was_received_has_a_leaf_and_a_deadline(void **state)
{
	static const char *const needed[] = { "leaf", "statement", "tag", "proof_due", "id" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		AUTO_STATEMENT *s = NULL, *rejected = NULL;
		json_t *body = sample_body("receipt"), *other = sample_body("receipt");

		json_put_text(body, needed[i], "");
		assert_false(sample_parse(sample_frame("receipt", body), &s, NULL));
		json_put_text(other, needed[i], "");
		json_put_text(other, "outcome", "rejected");
		json_put_text(other, "reason", "unlogged");
		assert_true(sample_parse(sample_frame("receipt", other), &rejected, NULL));
	}
}

/* Receipts of before letters were counted stay what they are: in the store, in packages, given again. */
static void a_receipt_from_before_letters_were_counted_is_read(void **state)
{
	const struct kind *k = kind_find(bytes_of("receipt"));
	AUTO_JSON *old = sample_body("receipt");
	struct err e;

	json_object_del(old, "pair_head");
	json_object_del(old, "pair_n");
	assert_true(k->parse(old, &e));
}

static void a_root_whose_threshold_cannot_be_met_is_refused(void **state)
{
	AUTO_STATEMENT *s = NULL;
	json_t *body = sample_body("register-root"), *twice = sample_body("register-root");

	json_put_int(body, "threshold", 3);
	assert_false(sample_parse(sample_frame("register-root", body), &s, NULL));
	assert_int_equal(json_array_set_new(json_object_get(twice, "keys"), 1, json_string(SAMPLE_HASH)), 0);
	assert_false(sample_parse(sample_frame("register-root", twice), &s, NULL));
}

static void only_known_roles_approve(void **state)
{
	AUTO_STATEMENT *s = NULL;
	json_t *body = sample_body("register-entry");
	json_t *roles = json_object_get(json_array_get(json_object_get(body, "approvers"), 0), "roles");

	assert_int_equal(json_array_set_new(roles, 0, json_string("king")), 0);
	assert_false(sample_parse(sample_frame("register-entry", body), &s, NULL));
}

static void disclosure_needs_the_court_and_preservation_the_authority(void **state)
{
	const struct kind *order = kind_find(bytes_of("order"));
	AUTO_JSON *body = sample_body("order");

	assert_int_equal(kind_approvals(order, body), 1u << APPROVAL_AUTHORITY);
	json_put_text(body, "measure", "disclose");
	assert_int_equal(kind_approvals(order, body), 1u << APPROVAL_COURT);
	assert_int_equal(kind_approvals(kind_find(bytes_of("stored-data-request")), body),
			 1u << APPROVAL_REVIEWER | 1u << APPROVAL_AUTHORITY);
}

static void kinds_are_found_by_name_and_type_alone(void **state)
{
	for (size_t i = 0; i < kind_count(); i++) {
		assert_ptr_equal(kind_find(bytes_of(kind_at(i)->name)), kind_at(i));
		assert_ptr_equal(kind_find_type(statement_type(kind_at(i))), kind_at(i));
		assert_int_equal(kind_at(i)->leaf, kind_at(i)->act_class[0] != '\0');
	}
	assert_null(kind_find(bytes_of("order ")));
	assert_null(kind_find_type(bytes_of("application/vnd.comity.order+json; v=2")));
	assert_null(kind_at(kind_count()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_sample_that_parses_and_writes_back_the_same),
		cmocka_unit_test(every_kind_prints_what_it_says),
		cmocka_unit_test(a_complaint_about_a_proof_has_no_number_to_show),
		cmocka_unit_test(every_member_is_needed),
		cmocka_unit_test(every_member_has_its_type),
		cmocka_unit_test(no_kind_takes_a_further_member),
		cmocka_unit_test(a_text_over_its_limit_is_refused),
		cmocka_unit_test(a_list_over_its_limit_is_refused),
		cmocka_unit_test(a_receipt_for_what_was_received_has_a_leaf_and_a_deadline),
		cmocka_unit_test(a_receipt_from_before_letters_were_counted_is_read),
		cmocka_unit_test(a_root_whose_threshold_cannot_be_met_is_refused),
		cmocka_unit_test(only_known_roles_approve),
		cmocka_unit_test(disclosure_needs_the_court_and_preservation_the_authority),
		cmocka_unit_test(kinds_are_found_by_name_and_type_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
