/* What a person and a program read: certainty beside every row, and nothing shown as law that is not. */
#include "treaty/treaty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/json.h"

#define B(text) bytes_of(text)
static const char PRES[] = "preservation-request";
static const char DATA[] = "stored-data-request";

static struct treaty *t;

static const char *folder(void)
{
	const char *path = getenv("COMITY_TREATIES");

	return path == NULL ? "treaties" : path;
}

static int load(void **state)
{
	struct err e = { 0 };

	if (!treaty_load(folder(), &t, &e)) {
		print_error("%s\n", e.text);
		return 1;
	}
	return 0;
}

static int unload(void **state)
{
	treaty_free(t);
	return 0;
}

static void show(const char *what, struct buf *out)
{
	struct err e = { 0 };

	buf_init(out, 1u << 20);
	if (!treaty_show(t, B(what), out, &e))
		fail_msg("%s", e.text);
}

static void article_42_shows_everything_a_duty_officer_needs(void **state)
{
	static const char *const wanted[] = {
		"Article 42", "KNOWN+P, unchecked", "expedited preservation", "Fields of preservation-request",
		"42(3)(e)", "R-ESSENTIAL", "R-DOMESTIC", "R-DISCRIM", "hold_days_min", "60 days  art. 42(8)",
		"order_days_max", "The Convention sets no answer deadline.", "Of house policy", "bank-secrecy",
	};
	const char *text, *none, *reserved;
	AUTO_BUF out = { 0 };

	show("42", &out);
	text = buf_text(&out);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("not shown: %s", wanted[i]);
	none = strstr(text, "No grounds for preservation-request");
	reserved = strstr(text, "Only with a reservation");
	assert_non_null(none);
	assert_non_null(reserved);
	/* What is no ground stands only under that heading. */
	assert_true(strstr(text, "  R-FORM") > none);
	assert_true(strstr(text, "  R-DC  ") > none);
	assert_true(strstr(text, "dual-criminality") > none);
	assert_true(strstr(text, "bank-secrecy") > none);
	assert_true(strstr(text, "  R-DC-PRES") > reserved && strstr(text, "  R-DC-PRES") < none);
}

/* A line that carries a certainty carries its "unchecked" as well. */
static void assert_marked(const char *text)
{
	static const char *const marks[] = { "[KNOWN+P", "[KNOWN", "[UNSURE", "[POLICY" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		for (const char *at = strstr(text, marks[i]); at != NULL; at = strstr(at + 1, marks[i])) {
			const char *end = strchr(at, ']');

			if (end == NULL || memmem(at, (size_t)(end - at), ", unchecked", 11) == NULL)
				fail_msg("not marked: %.60s", at);
		}
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
		n++;
	return n;
}

static void every_row_that_is_not_checked_says_unchecked(void **state)
{
	static const char *const lists[] = { "articles", "bases", "constants", "gate", "grounds", "offences" };
	size_t unchecked = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		AUTO_BUF out = { 0 };

		show(lists[i], &out);
		assert_marked(buf_text(&out));
		assert_true(times(buf_text(&out), "unchecked") > 0);
	}
	for (size_t i = 0; i < treaty_article_count(t); i++) {
		const struct treaty_article *a = treaty_article_at(t, i);
		AUTO_BUF out = { 0 };

		show(a->number, &out);
		assert_marked(buf_text(&out));
		unchecked += !certainty_is_checked(a->certainty);
		/* The first line is the article's own. */
		assert_int_equal(memmem(buf_text(&out), strcspn(buf_text(&out), "\n"), "unchecked", 9) == NULL,
				 certainty_is_checked(a->certainty));
	}
	assert_true(unchecked > 50);
	for (size_t i = 0; i < treaty_offence_count(t); i++) {
		AUTO_BUF out = { 0 };

		show(treaty_offence_at(t, i)->code, &out);
		assert_marked(buf_text(&out));
		assert_int_equal(strstr(buf_text(&out), "unchecked") == NULL,
				 certainty_is_checked(treaty_offence_at(t, i)->certainty));
	}
	assert_true(certainty_is_checked("TEXT") && certainty_is_checked("TEXT-AR"));
	assert_false(certainty_is_checked("KNOWN+P") || certainty_is_checked("KNOWN") || certainty_is_checked("UNSURE"));
	assert_false(certainty_is_checked("POLICY") || certainty_is_checked("TEXTUAL") || certainty_is_checked(""));
}

static void what_is_unsure_is_never_shown_as_law(void **state)
{
	static const char *const pages[] = { "39", "40", "44", DATA };
	AUTO_BUF page = { 0 };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		AUTO_BUF out = { 0 };
		const char *text;

		show(pages[i], &out);
		text = buf_text(&out);
		assert_true(times(text, "UNSURE") > 0);
		assert_int_equal(times(text, "[UNSURE"), times(text, "[UNSURE, unchecked, not law]"));
	}
	show("40", &page);
	assert_true(strstr(buf_text(&page), "40(15)(e)") > strstr(buf_text(&page), "Not to be relied on"));
	assert_true(strstr(buf_text(&page), "40(30)") < strstr(buf_text(&page), "Not to be relied on"));
	buf_release(&page);
	show("44", &page);
	assert_true(strstr(buf_text(&page), "  R-RIGHTS") > strstr(buf_text(&page), "A legal reading, not a listed ground"));
	assert_true(strstr(buf_text(&page), "  P-ONGOING") < strstr(buf_text(&page), "A legal reading, not a listed ground"));
}

static void a_program_is_told_what_is_law(void **state)
{
	AUTO_JSON *v = NULL;
	json_t *request, *one;
	size_t i, laws = 0;

	assert_true(treaty_show_json(t, B("44"), &v, NULL));
	request = json_object_get(v, "request");
	assert_true(json_is_false(json_object_get(request, "convention_sets_answer_deadline")));
	json_array_foreach(json_object_get(request, "grounds"), i, one)
	{
		bool law = json_bool(one, "law");

		laws += law;
		if (strcmp(json_text(one, "code"), "R-RIGHTS") == 0 || json_bool(one, "other"))
			assert_false(law);
		assert_int_equal(json_bool(one, "checked"), certainty_is_checked(json_text(one, "certainty")));
	}
	assert_true(laws > 5);
	json_array_foreach(json_object_get(request, "clocks"), i, one)
		assert_int_equal(json_bool(one, "law"), json_text(one, "clause")[0] != '\0');
}

static void the_same_names_work_for_people_and_programs(void **state)
{
	static const char *const names[] = { "42", "40(21)", "UNCC-11", "R-DISCRIM", "OTHER", "bank-secrecy", PRES, DATA,
					     "gate", "constants", "articles", "offences", "grounds", "bases",
					     "budapest", "hold_days_min" };
	struct err e = { 0 };
	json_t *none = NULL;
	AUTO_BUF out = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_JSON *v = NULL;
		AUTO_BUF text = { 0 };

		show(names[i], &text);
		assert_true(buf_bytes(&text).len > 0);
		assert_true(treaty_show_json(t, B(names[i]), &v, &e));
	}
	buf_init(&out, 1000);
	assert_false(treaty_show(t, B("\x1b[2Jidentity theft"), &out, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_null(strchr(e.text, '\x1b'));
	assert_false(treaty_show_json(t, B("identity theft"), &none, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_null(none);
}

static void a_page_that_does_not_fit_is_an_error(void **state)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, 100);
	assert_false(treaty_show(t, B("42"), &out, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(article_42_shows_everything_a_duty_officer_needs),
		cmocka_unit_test(every_row_that_is_not_checked_says_unchecked),
		cmocka_unit_test(what_is_unsure_is_never_shown_as_law),
		cmocka_unit_test(a_program_is_told_what_is_law),
		cmocka_unit_test(the_same_names_work_for_people_and_programs),
		cmocka_unit_test(a_page_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests_name("treaty-show", tests, load, unload);
}
