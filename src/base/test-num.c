/* Checked arithmetic at its edges. */
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void sums_and_products_stop_at_the_edge_and_leave_the_result_alone(void **state)
{
	size_t s = 7;
	uint64_t u = 7;

	assert_true(num_add_size(SIZE_MAX - 1, 1, &s));
	assert_true(s == SIZE_MAX);
	assert_false(num_add_size(SIZE_MAX, 1, &s));
	assert_true(s == SIZE_MAX);
	assert_true(num_mul_size(SIZE_MAX, 1, &s));
	assert_true(num_mul_size(SIZE_MAX, 0, &s));
	assert_int_equal(s, 0);
	assert_false(num_mul_size(SIZE_MAX / 2 + 1, 2, &s));
	assert_int_equal(s, 0);
	assert_true(num_add_u64(UINT64_MAX - 5, 5, &u));
	assert_false(num_add_u64(UINT64_MAX, 1, &u));
	assert_true(u == UINT64_MAX);
}

static void what_does_not_fit_is_refused(void **state)
{
	uint32_t a = 1;
	uint16_t b = 1;
	size_t c = 1;

	assert_true(num_fit_u32(UINT32_MAX, &a));
	assert_true(a == UINT32_MAX);
	assert_false(num_fit_u32((uint64_t)UINT32_MAX + 1, &a));
	assert_true(num_fit_u16(65535, &b));
	assert_false(num_fit_u16(65536, &b));
	assert_int_equal(b, 65535);
	assert_true(num_fit_size(SIZE_MAX, &c));
	assert_true(c == SIZE_MAX);
}

static void decimal_text_has_one_spelling(void **state)
{
	static const char *const bad[] = { "", "00", "01", "-1", "+1", " 1", "1 ", "1x", "0x1", "1e3",
					   "18446744073709551616", "99999999999999999999" };
	uint64_t v = 9;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(num_parse_u64(bad[i], UINT64_MAX, &v));
	assert_false(num_parse_u64(NULL, UINT64_MAX, &v));
	assert_true(v == 9);
	assert_true(num_parse_u64("18446744073709551615", UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(num_parse_u64("0", 0, &v));
	assert_int_equal(v, 0);
	assert_true(num_parse_u64("65535", 65535, &v));
	assert_false(num_parse_u64("65536", 65535, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_and_products_stop_at_the_edge_and_leave_the_result_alone),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(decimal_text_has_one_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
