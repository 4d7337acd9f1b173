/* What 42(3) and 40(15) want is missed field by field, with its paragraph; the fields of treaties/ and the
 * members of the bodies are the same. */
#include "statement/body.h"
#include "statement/test-samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct treaty *treaty;

static int load(void **state)
{
	const char *folder = getenv("COMITY_TREATIES");
	struct err e = { 0 };

	if (folder == NULL || !treaty_load(folder, &treaty, &e)) {
		fprintf(stderr, "treaties: %s\n", folder == NULL ? "COMITY_TREATIES is not set" : e.text);
		return -1;
	}
	return 0;
}

static int unload(void **state)
{
	treaty_free(treaty);
	return 0;
}

static const char *const kinds[] = { "preservation-request", "stored-data-request" };

/* body is taken. */
static void check(const char *kind, json_t *body, struct findings *f)
{
	AUTO_STATEMENT *s = NULL;
	struct err e = { 0 };

	findings_init(f);
	if (!sample_parse(sample_frame(kind, body), &s, &e))
		fail_msg("%s", e.text);
	statement_check(s, treaty, f);
}

static bool has(const struct findings *f, const char *field, const char *clause)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->at[i].field, field) == 0 && strcmp(f->at[i].clause, clause) == 0 &&
		    f->at[i].severity == FINDING_STOP)
			return true;
	return false;
}

/* The member as a form has it: empty. */
static void empty(const char *kind, json_t *body, const char *member)
{
	AUTO_JSON *form = body_form(kind_shape(kind_find(bytes_of(kind))));

	if (json_is_array(json_object_get(form, member)))
		json_put(body, member, json_array());
	else
		json_put(body, member, json_incref(json_object_get(form, member)));
}

static void a_complete_request_is_complete(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct findings f;

		check(kinds[i], sample_body(kinds[i]), &f);
		for (size_t j = 0; j < f.count; j++)
			fail_msg("%s: %s %s", kinds[i], f.at[j].field, f.at[j].text);
	}
}

static void fields_of_the_treaty_are_the_members_of_the_body(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		const struct shape *shape = kind_shape(kind_find(bytes_of(kinds[i])));
		const struct treaty_field *fields;
		size_t n = treaty_fields(treaty, bytes_of(kinds[i]), &fields);

		assert_int_equal(n, shape->count);
		for (size_t j = 0; j < n; j++)
			assert_non_null(shape_find(shape, bytes_of(fields[j].name)));
	}
}

static void each_letter_of_42_3_that_is_missing_is_named(void **state)
{
	static const struct {
		const char *member, *field, *clause;
	} letters[] = {
		{ "requesting_authority", "requesting_authority", "42(3)(a)" },
		{ "offence", "offence", "42(3)(b)" },
		{ "facts", "facts", "42(3)(b)" },
		{ "data", "data", "42(3)(c)" },
		{ "custodian", "custodian", "42(3)(d)" },
		{ "necessity", "necessity", "42(3)(e)" },
		{ "intends_mla", "intends_mla", "42(3)(f)" },
		{ "confidential_why", "confidential_why", "42(3)(g)" },
		{ "confidential_until", "confidential_until", "42(3)(g)" },
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		json_t *body = sample_body("preservation-request");
		struct findings f;

		empty("preservation-request", body, letters[i].member);
		check("preservation-request", body, &f);
		assert_int_equal(f.count, 1);
		assert_true(has(&f, letters[i].field, letters[i].clause));
	}
}

static void each_field_that_must_be_there_is_missed_with_its_clause(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		const struct treaty_field *fields;
		size_t n = treaty_fields(treaty, bytes_of(kinds[i]), &fields);

		for (size_t j = 0; j < n; j++) {
			json_t *body = sample_body(kinds[i]);
			struct findings f;

			if (!fields[j].must) {
				json_decref(body);
				continue;
			}
			empty(kinds[i], body, fields[j].name);
			check(kinds[i], body, &f);
			assert_true(has(&f, fields[j].name, fields[j].policy ? "" : fields[j].clause));
		}
	}
}

static void an_unknown_custodian_is_fine_with_a_reason(void **state)
{
	json_t *body = sample_body("preservation-request");
	struct findings f;

	json_put_text(body, "custodian", "");
	json_put_text(body, "custodian_unknown_why", "only an address is known");
	check("preservation-request", body, &f);
	assert_int_equal(f.count, 0);
}

static void what_is_missing_inside_a_field_is_named_with_its_place(void **state)
{
	static const struct {
		const char *object, *member, *field, *clause;
	} inside[] = {
		{ "requesting_authority", "name", "requesting_authority.name", "42(3)(a)" },
		{ "offence", "law", "offence.law", "42(3)(b)" },
		{ "offence", "research", "offence.research", "42(3)(b)" },
		{ "data", "category", "data[0].category", "42(3)(c)" },
		{ "data", "relation", "data[0].relation", "42(3)(c)" },
	};

	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		json_t *body = sample_body("preservation-request");
		json_t *object = json_object_get(body, inside[i].object);
		struct findings f;

		json_put_text(json_is_array(object) ? json_array_get(object, 0) : object, inside[i].member, "");
		check("preservation-request", body, &f);
		assert_int_equal(f.count, 1);
		assert_true(has(&f, inside[i].field, inside[i].clause));
	}
}

static void without_a_convention_offence_title_and_penalty_are_needed(void **state)
{
	json_t *body = sample_body("stored-data-request"), *offence = json_object_get(body, "offence");
	struct findings f;

	json_put_text(offence, "code", "");
	json_put_int(offence, "max_penalty_years", 0);
	check("stored-data-request", body, &f);
	assert_true(has(&f, "offence.title", "40(15)(b)"));
	assert_true(has(&f, "offence.max_penalty_years", "40(15)(b)"));
}

static void an_unknown_code_is_no_offence(void **state)
{
	json_t *body = sample_body("stored-data-request");
	struct findings f;

	json_put_text(json_object_get(body, "offence"), "code", "UNCC-99");
	check("stored-data-request", body, &f);
	assert_true(has(&f, "offence.code", "40(15)(b)"));
}

/* The offence's elements as given, in a request that is in order otherwise. */
static void check_elements(const char *const *elements, size_t n, struct findings *f)
{
	json_t *body = sample_body("preservation-request"), *list = json_array();

	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_array_append_new(list, json_string(elements[i])), 0);
	json_put(json_object_get(body, "offence"), "elements", list);
	check("preservation-request", body, f);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->at[0].field, "offence.elements");
}

static void elements_are_those_of_the_offence(void **state)
{
	static const char *const all[] = { "intent", "without_right", "serious_hindering", "by_data", "minor_disturbance" };
	static const char *const wrong[] = { "intent", "without_right", "serious_hindering", "by_data", "rudeness" };
	struct findings f;

	check_elements(all, 3, &f);
	assert_int_equal(f.at[0].severity, FINDING_NOTE);
	check_elements(all, 5, &f);
	assert_int_equal(f.at[0].severity, FINDING_REVIEW);
	check_elements(wrong, 5, &f);
	assert_int_equal(f.at[0].severity, FINDING_STOP);
}

static void a_window_that_ends_before_it_begins_is_found(void **state)
{
	json_t *body = sample_body("preservation-request");
	json_t *data = json_array_get(json_object_get(body, "data"), 0);
	struct findings f;

	json_put_text(data, "until", "2026-10-01T00:00:00.000Z");
	check("preservation-request", body, &f);
	assert_true(has(&f, "data[0].until", "42(3)(c)"));
}

static void flagged_rights_need_a_note(void **state)
{
	json_t *body = sample_body("preservation-request"), *rights = json_object_get(body, "rights");
	struct findings f;

	json_put_text(rights, "note", "");
	assert_int_equal(json_array_append_new(json_object_get(rights, "flags"), json_string("privacy")), 0);
	check("preservation-request", body, &f);
	assert_true(has(&f, "rights.note", "6"));
}

static void companions_are_asked_for(void **state)
{
	json_t *body = sample_body("stored-data-request"), *extension = sample_body("preservation-request");
	struct findings f;

	json_put_text(body, "answer_by", "2026-12-01T00:00:00.000Z");
	json_put_text(body, "expedited_why", "none");
	check("stored-data-request", body, &f);
	assert_true(has(&f, "answer_by_why", "40(26)"));
	assert_true(has(&f, "expedited_why", "44(3)"));
	json_put_text(extension, "status", "extension");
	check("preservation-request", extension, &f);
	assert_true(has(&f, "earlier", "42(9)"));
}

static void the_form_tells_the_paragraph(void **state)
{
	AUTO_JSON *form = NULL;
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	assert_true(statement_form(kind_find(bytes_of("preservation-request")), treaty, &out, NULL));
	assert_true(json_parse(buf_bytes(&out), "form", &form, NULL));
	assert_non_null(strstr(json_text(json_object_get(form, "_help"), "necessity"), "42(3)(e)"));
	assert_non_null(strstr(json_text(json_object_get(form, "_help"), "callback"), "the Convention does not ask"));
}

static void a_ground_outside_the_list_is_no_ground(void **state)
{
	static const char *const codes[] = { "R-ESSENTIAL", "bank-secrecy" };

	for (size_t i = 0; i < 2; i++) {
		json_t *body = sample_body("answer");
		struct findings f;

		json_put_text(body, "outcome", "refused");
		json_put_text(body, "reasons", "it would harm security");
		json_put_text(body, "ground", codes[i]);
		check("answer", body, &f);
		assert_int_equal(has(&f, "ground", ""), i == 1);
	}
}

static void a_preservation_order_lasts_at_most_90_days(void **state)
{
	static const char *const expires[] = { "2027-02-21T02:10:00.000Z", "2027-02-21T02:10:00.001Z" };

	for (size_t i = 0; i < 2; i++) {
		json_t *body = sample_body("order");
		struct findings f;

		json_put_text(body, "expires", expires[i]);
		check("order", body, &f);
		assert_int_equal(has(&f, "expires", "25(2)"), i == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_complete_request_is_complete),
		cmocka_unit_test(fields_of_the_treaty_are_the_members_of_the_body),
		cmocka_unit_test(each_letter_of_42_3_that_is_missing_is_named),
		cmocka_unit_test(each_field_that_must_be_there_is_missed_with_its_clause),
		cmocka_unit_test(an_unknown_custodian_is_fine_with_a_reason),
		cmocka_unit_test(what_is_missing_inside_a_field_is_named_with_its_place),
		cmocka_unit_test(without_a_convention_offence_title_and_penalty_are_needed),
		cmocka_unit_test(an_unknown_code_is_no_offence),
		cmocka_unit_test(elements_are_those_of_the_offence),
		cmocka_unit_test(a_window_that_ends_before_it_begins_is_found),
		cmocka_unit_test(flagged_rights_need_a_note),
		cmocka_unit_test(companions_are_asked_for),
		cmocka_unit_test(the_form_tells_the_paragraph),
		cmocka_unit_test(a_ground_outside_the_list_is_no_ground),
		cmocka_unit_test(a_preservation_order_lasts_at_most_90_days),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
