/* The histogram behind `status`: what it may say about how long letters took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange/latency.h"

static void says_nothing_about_nothing(void **state)
{
	struct latency l = { 0 };

	assert_int_equal(latency_quantile_us(&l, 500), 0);
}

static void is_never_better_than_the_truth_and_at_most_a_fifteenth_worse(void **state)
{
	for (int64_t us = 0; us < INT64_C(1) << 39; us += us / 7 + 1) {
		struct latency l = { 0 };
		latency_add(&l, us, 1);
		int64_t told = latency_quantile_us(&l, 999);
		assert_true(told >= us);
		assert_true(told <= us + us / 15 + 1);
	}
}

static void finds_the_median_and_the_tail(void **state)
{
	struct latency l = { 0 };

	latency_add(&l, 10, 980);
	latency_add(&l, 5000, 20);
	assert_int_equal(l.count, 1000);
	assert_int_equal(latency_quantile_us(&l, 500), 10);
	assert_true(latency_quantile_us(&l, 990) >= 5000);
	assert_int_equal(latency_quantile_us(&l, 980), 10);
}

static void takes_times_beyond_its_range(void **state)
{
	struct latency l = { 0 };

	latency_add(&l, INT64_MAX, 1);
	latency_add(&l, -5, 1);
	assert_int_equal(latency_quantile_us(&l, 500), 0);
	assert_true(latency_quantile_us(&l, 999) >= INT64_C(1) << 39);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_about_nothing),
		cmocka_unit_test(is_never_better_than_the_truth_and_at_most_a_fifteenth_worse),
		cmocka_unit_test(finds_the_median_and_the_tail),
		cmocka_unit_test(takes_times_beyond_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
