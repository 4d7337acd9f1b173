/* A finding is never lost in a way that lets something pass. */
#include "treaty/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

static void an_empty_list_passes(void **state)
{
	struct findings f;
	struct err e = { 0 };

	findings_init(&f);
	assert_true(findings_pass(&f, &e));
	assert_int_equal(f.count, 0);
	assert_false(f.stops || f.reviews);
}

static void notes_and_reviews_pass_and_the_first_stop_speaks(void **state)
{
	struct findings f;
	struct err e = { 0 };

	findings_init(&f);
	finding_add(&f, FINDING_NOTE, "a", "", REASON_NONE, "told");
	finding_add(&f, FINDING_REVIEW, "rights", "6", REASON_RIGHTS_REVIEW, "a reviewer decides");
	assert_true(findings_pass(&f, &e));
	assert_true(f.reviews);
	finding_add(&f, FINDING_STOP, "necessity", "42(3)(e)", REASON_MISSING_FIELD, "say why it is %s", "necessary");
	finding_add(&f, FINDING_STOP, "facts", "42(3)(b)", REASON_BAD_FIELD, "second");
	assert_false(findings_pass(&f, &e));
	assert_int_equal(e.kind, ERR_REJECTED);
	assert_int_equal(e.reason, REASON_MISSING_FIELD);
	assert_string_equal(e.text, "art. 42(3)(e) necessity: say why it is necessary");
	assert_false(findings_pass(&f, NULL));
}

static void a_full_list_still_stops(void **state)
{
	struct findings f;
	struct err e = { 0 };

	findings_init(&f);
	for (unsigned i = 0; i < FINDINGS_MAX; i++)
		finding_add(&f, FINDING_NOTE, "", "", REASON_NONE, "note %u", i);
	assert_int_equal(f.lost, 0);
	finding_add(&f, FINDING_NOTE, "", "", REASON_NONE, "one more");
	assert_int_equal(f.lost, 1);
	assert_string_equal(f.at[FINDINGS_MAX - 1].text, "note 63");
	finding_add(&f, FINDING_STOP, "x", "", REASON_SAFEGUARD, "stop");
	finding_add(&f, FINDING_REVIEW, "y", "", REASON_RIGHTS_REVIEW, "review");
	assert_int_equal(f.count, FINDINGS_MAX);
	assert_int_equal(f.lost, 3);
	assert_true(f.stops && f.reviews);
	assert_false(findings_pass(&f, &e));
	assert_string_equal(e.text, "x: stop");
}

static void what_outsiders_wrote_is_printed_safely(void **state)
{
	struct findings f;
	AUTO_BUF out = { 0 };

	buf_init(&out, 10000);
	findings_init(&f);
	finding_add(&f, FINDING_STOP, "requesting_authority", "42(3)(a)", REASON_MISSING_FIELD, "name it");
	finding_add(&f, FINDING_NOTE, "", "", REASON_NONE, "got \x1b[31m%s", "\xe2\x80\xae");
	findings_print(&f, &out);
	assert_string_equal(buf_text(&out), "stop    42(3)(a)  requesting_authority: name it\n"
					    "note    -         got \xef\xbf\xbd[31m\xef\xbf\xbd\n");
}

static void long_text_is_cut_between_characters(void **state)
{
	struct findings f;
	char text[400] = "";

	for (unsigned i = 0; i + 1 < sizeof(text) / 2; i++)
		memcpy(text + 1 + 2 * i, "\xc3\xa9", 3);
	text[0] = 'a';
	findings_init(&f);
	finding_add(&f, FINDING_NOTE, text, text, REASON_NONE, "%s", text);
	assert_true(utf8_is_valid(bytes_of(f.at[0].text)));
	assert_true(utf8_is_valid(bytes_of(f.at[0].field)));
	assert_int_equal(strlen(f.at[0].text), 299);
	assert_int_equal(strlen(f.at[0].field), 47);
	text[1] = 'b';
	memmove(text + 2, text + 3, strlen(text + 3) + 1);
	finding_add(&f, FINDING_NOTE, text, "", REASON_NONE, "%s", text);
	assert_true(utf8_is_valid(bytes_of(f.at[1].text)));
	assert_int_equal(strlen(f.at[1].text), 298);
}

static void a_program_reads_the_same(void **state)
{
	struct findings f;
	AUTO_JSON *v = NULL;
	const json_t *one;

	findings_init(&f);
	finding_add(&f, FINDING_REVIEW, "rights", "6", REASON_RIGHTS_REVIEW, "a reviewer decides");
	v = findings_json(&f);
	assert_int_equal(json_array_size(v), 1);
	one = json_array_get(v, 0);
	assert_string_equal(json_text(one, "severity"), "review");
	assert_string_equal(json_text(one, "field"), "rights");
	assert_string_equal(json_text(one, "clause"), "6");
	assert_string_equal(json_text(one, "reason"), "rights-review");
	assert_string_equal(json_text(one, "text"), "a reviewer decides");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_passes),
		cmocka_unit_test(notes_and_reviews_pass_and_the_first_stop_speaks),
		cmocka_unit_test(a_full_list_still_stops),
		cmocka_unit_test(what_outsiders_wrote_is_printed_safely),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(a_program_reads_the_same),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
