/* The one error value: always a sentence, always a code, never an overflow. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void setting_returns_false_even_for_nobody(void **state)
{
	struct err e;

	assert_false(err_set(&e, ERR_REJECTED, REASON_REPLAYED, "letter %d", 7));
	assert_int_equal(e.kind, ERR_REJECTED);
	assert_int_equal(e.reason, REASON_REPLAYED);
	assert_string_equal(e.text, "letter 7");
	assert_false(err_set(NULL, ERR_REJECTED, REASON_REPLAYED, "x"));
	assert_false(err_note(NULL, "x"));
	assert_false(err_system(NULL, "x"));
}

static void context_goes_in_front_and_keeps_kind_and_reason(void **state)
{
	struct err e;

	err_set(&e, ERR_LIMIT, REASON_TOO_LARGE, "too much");
	assert_false(err_note(&e, "home %s", "XA"));
	assert_string_equal(e.text, "home XA: too much");
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(e.reason, REASON_TOO_LARGE);
	/* An argument may be the text itself. */
	err_set(&e, ERR_INPUT, REASON_MALFORMED, "<%s>", e.text);
	assert_string_equal(e.text, "<home XA: too much>");
}

static void long_texts_are_cut_and_end(void **state)
{
	char longer[2 * ERR_TEXT_BYTES_MAX];
	struct err e;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	err_set(&e, ERR_INPUT, REASON_MALFORMED, "%s", longer);
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES_MAX - 1);
	for (int i = 0; i < 100; i++)
		err_note(&e, "again and again");
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES_MAX - 1);
}

static void errno_becomes_words_and_says_who_can_mend_it(void **state)
{
	static const struct {
		int number;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
		{ ENOENT, ERR_NOT_FOUND, REASON_NOT_FOUND }, { ENOSPC, ERR_UNAVAILABLE, REASON_DISK_FULL },
		{ ECONNREFUSED, ERR_UNAVAILABLE, REASON_UNAVAILABLE }, { EIO, ERR_SYSTEM, REASON_SYSTEM },
	};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = rows[i].number;
		assert_false(err_system(&e, "cannot open"));
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(e.reason, rows[i].reason);
		assert_true(strncmp(e.text, "cannot open: ", 13) == 0 && strlen(e.text) > 13);
	}
}

static void every_reason_is_found_by_its_code_and_no_code_stands_twice(void **state)
{
	enum reason r;

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		assert_true(reason_find(reason_code((enum reason)i), &r));
		assert_int_equal(r, i); /* the first with this code is this one */
	}
	assert_false(reason_find("no-such-code", &r));
	assert_false(reason_find(NULL, &r));
	assert_string_equal(reason_code(REASON_COUNT), "unknown");
}

static void every_kind_but_none_fails_for_the_shell_and_for_http(void **state)
{
	assert_int_equal(err_exit_status(ERR_NONE), 0);
	for (unsigned i = ERR_NONE + 1; i < ERR_KIND_COUNT; i++) {
		assert_true(err_exit_status((enum err_kind)i) > 0);
		assert_true(err_http_status((enum err_kind)i) >= 400);
		assert_true(err_kind_name((enum err_kind)i)[0] != '\0');
	}
	assert_int_equal(err_exit_status(ERR_KIND_COUNT), err_exit_status(ERR_SYSTEM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_returns_false_even_for_nobody),
		cmocka_unit_test(context_goes_in_front_and_keeps_kind_and_reason),
		cmocka_unit_test(long_texts_are_cut_and_end),
		cmocka_unit_test(errno_becomes_words_and_says_who_can_mend_it),
		cmocka_unit_test(every_reason_is_found_by_its_code_and_no_code_stands_twice),
		cmocka_unit_test(every_kind_but_none_fails_for_the_shell_and_for_http),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
