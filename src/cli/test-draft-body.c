/* Filling in the bodies of statements: forms, files, --set. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/draft-body.h"

static json_t *form(const char *kind)
{
	json_t *body = NULL;

	assert_true(draft_body_form(kind, &body, NULL));
	return body;
}

static int64_t noon(void)
{
	return INT64_C(1790000000000);
}

static void sets_fields_by_the_type_that_the_form_has(void **state)
{
	AUTO_JSON *body = form("preservation-request");
	const json_t *offence = json_object_get(body, "offence");

	assert_true(draft_body_set(body, "offence.max_penalty_years=8", NULL));
	assert_true(draft_body_set(body, "confidential=yes", NULL));
	assert_true(draft_body_set(body, "facts=a = b", NULL));
	assert_true(draft_body_set(body, "offence.elements=intent", NULL));
	assert_true(draft_body_set(body, "offence.elements=by_data", NULL));
	assert_int_equal(json_int(offence, "max_penalty_years"), 8);
	assert_true(json_bool(body, "confidential"));
	assert_string_equal(json_text(body, "facts"), "a = b");
	assert_int_equal(json_array_size(json_object_get(offence, "elements")), 2);
}

static void opens_a_further_item_of_a_list_at_its_end_only(void **state)
{
	AUTO_JSON *body = form("preservation-request");
	struct err e;

	assert_true(draft_body_set(body, "data[0].account=a", NULL));
	assert_true(draft_body_set(body, "data[1].account=b", NULL));
	assert_false(draft_body_set(body, "data[3].account=c", &e));
	draft_body_finish(body);
	assert_int_equal(json_array_size(json_object_get(body, "data")), 2);
	assert_string_equal(json_text(json_array_get(json_object_get(body, "data"), 1), "account"), "b");
	assert_string_equal(json_text(json_array_get(json_object_get(body, "data"), 1), "category"), "");
}

static void reads_times_that_count_from_now(void **state)
{
	AUTO_JSON *body = form("preservation-request");
	int64_t ms;

	clock_set(noon);
	assert_true(draft_body_set(body, "confidential_until=+30d", NULL));
	assert_true(draft_body_set(body, "answer_by=-2h", NULL));
	clock_set(NULL);
	assert_true(time_parse(json_bytes(body, "confidential_until"), &ms));
	assert_int_equal(ms, noon() + 30 * DAY_MS);
	assert_true(time_parse(json_bytes(body, "answer_by"), &ms));
	assert_int_equal(ms, noon() - 7200000);
}

static void brings_times_of_every_depth_to_the_one_spelling(void **state)
{
	static const char *const given[][2] = {
		{ "2026-11-20", "2026-11-20T00:00:00.000Z" },           { "2026-11-20T10:00Z", "2026-11-20T10:00:00.000Z" },
		{ "2026-11-20T10:00:07Z", "2026-11-20T10:00:07.000Z" }, { "2026-11-20T10:00:07.250Z", "2026-11-20T10:00:07.250Z" },
		{ "2026-11-31", "2026-11-31" },                         { "2026-11-20T10:00", "2026-11-20T10:00" },
		{ "20 November", "20 November" },                       { "", "" },
	};
	AUTO_JSON *body = form("preservation-request");

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		assert_true(draft_body_set_text(body, "data[0].from", given[i][0], NULL));
		assert_true(draft_body_set_text(body, "confidential_until", given[i][0], NULL));
		assert_true(draft_body_set_text(body, "facts", given[i][0], NULL));
		draft_body_times("preservation-request", body);
		assert_string_equal(json_text(json_array_get(json_object_get(body, "data"), 0), "from"), given[i][1]);
		assert_string_equal(json_text(body, "confidential_until"), given[i][1]);
		/* A text that looks like a date stays what it is. */
		assert_string_equal(json_text(body, "facts"), given[i][0]);
	}
}

static void refuses_paths_and_values_that_do_not_fit(void **state)
{
	static const char *const wrong[] = { "nosuch=1", "offence=1", "offence.nosuch=1", "facts.x=1", "=1", "facts", "data[x].account=1",
					     "data[0=1", "[0]=1", "confidential=perhaps", "offence.max_penalty_years=8.5",
					     "offence.max_penalty_years=-1", "a.b.c.d.e.f.g.h.i.j=1" };
	AUTO_JSON *body = form("preservation-request");
	AUTO_JSON *before = json_deep_copy(body);
	struct err e;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(draft_body_set(body, wrong[i], &e));
		assert_int_equal(e.kind, ERR_INPUT);
	}
	assert_true(json_equal(body, before));
}

static void fills_a_file_into_the_form_and_keeps_what_it_does_not_know(void **state)
{
	static const char text[] = "{\"_help\":{},\"facts\":\"f\",\"offence\":{\"code\":\"UNCC-10\"},"
				   "\"data\":[{\"account\":\"a\"},{\"account\":\"b\"}],\"nosuch\":1}";
	AUTO_JSON *body = form("preservation-request");
	AUTO_JSON *from = NULL;

	assert_true(json_parse(bytes_of(text), "file", &from, NULL));
	draft_body_merge(body, from);
	assert_string_equal(json_text(body, "facts"), "f");
	assert_string_equal(json_text(json_object_get(body, "offence"), "code"), "UNCC-10");
	assert_non_null(json_object_get(json_object_get(body, "offence"), "law"));
	assert_int_equal(json_array_size(json_object_get(body, "data")), 2);
	assert_non_null(json_object_get(json_array_get(json_object_get(body, "data"), 1), "relation"));
	assert_non_null(json_object_get(body, "nosuch"));
	assert_null(json_object_get(body, "_help"));
}

static void cuts_the_clause_off_a_condition(void **state)
{
	AUTO_JSON *body = form("answer");
	const json_t *list = json_object_get(body, "conditions");

	draft_body_finish(body);
	assert_true(draft_body_condition(body, "40(19): only here: and now", NULL));
	assert_true(draft_body_condition(body, "say first: then use", NULL));
	assert_false(draft_body_condition(body, "40(19):", NULL));
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_text(json_array_get(list, 0), "clause"), "40(19)");
	assert_string_equal(json_text(json_array_get(list, 0), "text"), "only here: and now");
	assert_string_equal(json_text(json_array_get(list, 1), "clause"), "");
	assert_string_equal(json_text(json_array_get(list, 1), "text"), "say first: then use");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_fields_by_the_type_that_the_form_has),
		cmocka_unit_test(opens_a_further_item_of_a_list_at_its_end_only),
		cmocka_unit_test(reads_times_that_count_from_now),
		cmocka_unit_test(brings_times_of_every_depth_to_the_one_spelling),
		cmocka_unit_test(refuses_paths_and_values_that_do_not_fit),
		cmocka_unit_test(fills_a_file_into_the_form_and_keeps_what_it_does_not_know),
		cmocka_unit_test(cuts_the_clause_off_a_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
