/* The memory of what was done for peers a moment ago: one row a peer, and an end to the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "exchange/lately.h"

static void each_peer_has_its_own_row(void **state)
{
	struct lately *l = lately_new();

	lately_of(l, "XA")->behind_ms = 7;
	lately_of(l, "")->behind_ms = 8;
	assert_int_equal(lately_of(l, "XR")->behind_ms, 0);
	assert_int_equal(lately_of(l, "XA")->behind_ms, 7);
	assert_int_equal(lately_of(l, "")->behind_ms, 8);
	lately_free(l);
}

static void a_full_table_forgets_who_was_quiet_for_the_longest(void **state)
{
	struct lately *l = lately_new();
	char code[8];

	lately_of(l, "XA")->behind_ms = 7;
	lately_of(l, "XR")->behind_ms = 8;
	for (unsigned i = 0; i < PARTIES_MAX; i++) {
		snprintf(code, sizeof(code), "Q%c%c%c", 'A' + (char)(i % 26), 'A' + (char)(i / 26 % 26), 'A' + (char)(i / 676));
		lately_of(l, code)->behind_ms = 9;
		assert_int_equal(lately_of(l, "XR")->behind_ms, 8);
	}
	assert_int_equal(lately_of(l, "XA")->behind_ms, 0);
	lately_free(l);
}

static void a_window_has_two_ends(void **state)
{
	assert_false(lately_within(0, 5, 10));
	assert_true(lately_within(1000, 1000, 10));
	assert_true(lately_within(1000, 1010, 10));
	assert_false(lately_within(1000, 1011, 10));
	assert_false(lately_within(1000, 999, 10)); /* the clock went back */
	int64_t at = 0;
	assert_true(lately_begin(&at, 1000, 10));
	assert_false(lately_begin(&at, 1010, 10));
	assert_true(lately_begin(&at, 1011, 10));
	assert_int_equal(at, 1011);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_peer_has_its_own_row),
		cmocka_unit_test(a_full_table_forgets_who_was_quiet_for_the_longest),
		cmocka_unit_test(a_window_has_two_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
