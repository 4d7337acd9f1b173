/* Secrets, and the chance and time that tests may answer. */
#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/clock.h"

static void a_new_secret_is_zero_and_a_random_one_is_not(void **state)
{
	static const uint8_t zero[32];
	AUTO_SECRET *a = secret_new(32);
	AUTO_SECRET *b = secret_random(32);
	AUTO_SECRET *c = secret_random(32);

	assert_memory_equal(secret_at(a), zero, 32);
	assert_false(secret_equal(a, b));
	assert_false(secret_equal(b, c));
	assert_int_equal(secret_len(b), 32);
}

static void equal_means_length_and_content(void **state)
{
	AUTO_SECRET *a = secret_from(bytes_of("abc"));
	AUTO_SECRET *b = secret_from(bytes_of("abc"));
	AUTO_SECRET *c = secret_from(bytes_of("abcd"));
	AUTO_SECRET *d = secret_from(bytes_of("abd"));
	AUTO_SECRET *empty = secret_new(0);

	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_false(secret_equal(a, empty));
	assert_true(secret_equal(empty, empty));
	assert_true(constant_time_equal(secret_bytes(a), bytes_of("abc")));
	secret_free(NULL);
}

static void wiping_leaves_zeroes(void **state)
{
	uint8_t at[5] = "abcd";
	static const uint8_t zero[5];

	wipe(at, sizeof(at));
	assert_memory_equal(at, zero, sizeof(at));
	wipe(NULL, 0);
}

static void seeded_chance_repeats_and_each_call_is_its_own_stream(void **state)
{
	uint8_t a[40], b[40], c[40], d[40];

	chance_set(chance_seeded_fill);
	chance_seed(7);
	chance_fill(a, 40);
	chance_fill(b, 40);
	chance_seed(7);
	chance_fill(c, 8); /* taking less does not shift the next */
	chance_fill(d, 40);
	chance_set(NULL);
	assert_memory_equal(a, c, 8);
	assert_memory_equal(b, d, 40);
	assert_memory_not_equal(a, b, 40);
}

static int64_t a_fixed_time(void)
{
	return 42;
}

static void time_is_what_the_test_says(void **state)
{
	clock_set(a_fixed_time);
	assert_true(clock_now_ms() == 42);
	clock_set(NULL);
	assert_true(clock_now_ms() > INT64_C(1600000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_secret_is_zero_and_a_random_one_is_not),
		cmocka_unit_test(equal_means_length_and_content),
		cmocka_unit_test(wiping_leaves_zeroes),
		cmocka_unit_test(seeded_chance_repeats_and_each_call_is_its_own_stream),
		cmocka_unit_test(time_is_what_the_test_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
