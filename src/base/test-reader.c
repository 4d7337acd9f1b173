/* The reader never reads past its end, and remembers. */
#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void reads_fields_in_order_and_the_end_is_the_end(void **state)
{
	static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 2, 'h', 'i' };
	struct reader r = reader_over(BYTES_ARRAY(in));
	struct err e;

	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_false(reader_done(&r, "test", &e));
	assert_int_equal(e.reason, REASON_TRAILING_BYTES);
	assert_int_equal(reader_left(&r), 6);
	assert_true(bytes_is(reader_field(&r, 2), "hi"));
	assert_true(reader_done(&r, "test", &e));
}

static void failure_is_remembered_and_everything_after_it_is_empty(void **state)
{
	static const uint8_t in[] = { 1, 2, 3 };
	struct reader r = reader_over(BYTES_ARRAY(in));
	uint8_t out[2] = { 7, 7 };
	struct err e;

	assert_int_equal(reader_u32(&r), 0);
	assert_false(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_take(&r, 1).len, 0);
	assert_int_equal(reader_rest(&r).len, 0);
	assert_int_equal(reader_line(&r, 10).len, 0);
	assert_int_equal(reader_decimal(&r), 0);
	assert_false(reader_literal(&r, ""));
	assert_false(reader_copy(&r, out, 1));
	assert_int_equal(out[0], 7);
	assert_false(reader_done(&r, "receipt", &e));
	assert_int_equal(e.reason, REASON_MALFORMED);
	assert_non_null(strstr(e.text, "receipt"));
}

static void refuses_a_field_beyond_its_maximum_or_beyond_the_end(void **state)
{
	static const uint8_t in[] = { 0, 0, 0, 3, 'a', 'b', 'c' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	struct reader r = reader_over(BYTES_ARRAY(in));

	assert_true(bytes_is(reader_field(&r, 3), "abc"));
	r = reader_over(BYTES_ARRAY(in));
	assert_int_equal(reader_field(&r, 2).len, 0);
	assert_false(reader_ok(&r));
	r = reader_over(BYTES_ARRAY(huge));
	reader_field(&r, SIZE_MAX);
	assert_false(reader_ok(&r));
}

static void a_line_ends_with_a_newline_within_its_limit(void **state)
{
	struct reader r = reader_over(bytes_of("one\n\ntwo"));

	assert_true(bytes_is(reader_line(&r, 3), "one"));
	assert_int_equal(reader_line(&r, 3).len, 0);
	assert_true(reader_ok(&r));
	reader_line(&r, 3);
	assert_false(reader_ok(&r)); /* no newline */
	r = reader_over(bytes_of("four\n"));
	reader_line(&r, 3);
	assert_false(reader_ok(&r));
}

static void decimals_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "+1", "00", "01", " 1", "18446744073709551616",
					   "99999999999999999999999" };
	struct reader r = reader_over(bytes_of("18446744073709551615 0"));

	assert_true(reader_decimal(&r) == UINT64_MAX);
	assert_true(reader_literal(&r, " "));
	assert_int_equal(reader_decimal(&r), 0);
	assert_true(reader_done(&r, "numbers", NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = reader_over(bytes_of(bad[i]));
		reader_decimal(&r);
		assert_false(reader_ok(&r));
	}
}

static void a_literal_is_compared_whole(void **state)
{
	struct reader r = reader_over(bytes_of("abc"));

	assert_true(reader_literal(&r, "ab"));
	assert_false(reader_literal(&r, "cd"));
	r = reader_over((struct bytes){ 0 });
	assert_true(reader_literal(&r, ""));
	assert_true(reader_done(&r, "nothing", NULL));
}

static void bytes_are_cut_and_clipped_within_what_is_there(void **state)
{
	struct bytes rest = bytes_of("a,b,,c");

	assert_true(bytes_is(bytes_cut(&rest, ','), "a"));
	assert_true(bytes_is(bytes_cut(&rest, ','), "b"));
	assert_int_equal(bytes_cut(&rest, ',').len, 0);
	assert_true(bytes_is(bytes_cut(&rest, ','), "c"));
	assert_int_equal(rest.len, 0);
	assert_int_equal(bytes_cut(&rest, ',').len, 0);
	assert_true(bytes_is(bytes_slice(bytes_of("abc"), 1, SIZE_MAX), "bc"));
	assert_int_equal(bytes_slice(bytes_of("abc"), 9, 1).len, 0);
	assert_int_equal(bytes_slice((struct bytes){ 0 }, 0, 5).len, 0);
	assert_true(bytes_compare(bytes_of("a"), bytes_of("ab")) < 0);
	assert_true(bytes_compare(bytes_of("b"), bytes_of("ab")) > 0);
	assert_int_equal(bytes_compare(bytes_of("\xff"), bytes_of("a")), 1);
	assert_int_equal(bytes_compare((struct bytes){ 0 }, bytes_of("")), 0);
	assert_true(bytes_starts(bytes_of("abc"), "ab"));
	assert_false(bytes_starts(bytes_of("a"), "ab"));
	assert_true(bytes_equal(bytes_of(NULL), bytes_of("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_fields_in_order_and_the_end_is_the_end),
		cmocka_unit_test(failure_is_remembered_and_everything_after_it_is_empty),
		cmocka_unit_test(refuses_a_field_beyond_its_maximum_or_beyond_the_end),
		cmocka_unit_test(a_line_ends_with_a_newline_within_its_limit),
		cmocka_unit_test(decimals_have_one_spelling),
		cmocka_unit_test(a_literal_is_compared_whole),
		cmocka_unit_test(bytes_are_cut_and_clipped_within_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
