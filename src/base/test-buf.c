/* The growing buffer and the arena: a maximum that holds, and failure that sticks. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/reader.h"

static void holds_its_maximum_and_not_one_byte_more(void **state)
{
	struct err e;
	AUTO_BUF b = { 0 };

	buf_init(&b, 300);
	for (unsigned i = 0; i < 300; i++)
		buf_add_u8(&b, (uint8_t)i);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_bytes(&b).len, 300);
	assert_int_equal(b.at[299], 299 & 255);
	buf_add_u8(&b, 0);
	assert_false(buf_ok(&b));
	assert_false(buf_check(&b, "test", &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(buf_bytes(&b).len, 0);
	assert_string_equal(buf_text(&b), "");
}

static void failure_sticks_until_it_is_cleared(void **state)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 4);
	buf_add_text(&b, "abcde");
	buf_add_text(&b, "a");
	assert_false(buf_ok(&b));
	assert_null(buf_room(&b, 1));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	buf_add_text(&b, "abcd");
	assert_string_equal(buf_text(&b), "abcd");
	buf_release(&b);
	buf_add_text(&b, "abcde"); /* the maximum stays */
	assert_false(buf_ok(&b));
}

static void what_it_writes_the_reader_reads(void **state)
{
	struct reader r;
	AUTO_BUF b = { 0 };

	buf_init(&b, 1000);
	buf_add_u8(&b, 0xfe);
	buf_add_u16(&b, 0xfedc);
	buf_add_u32(&b, 0xfedcba98);
	buf_add_u64(&b, UINT64_C(0xfedcba9876543210));
	buf_add_field(&b, bytes_of("field"));
	buf_add_field(&b, (struct bytes){ 0 });
	buf_add_format(&b, "%d-%s", -5, "x");
	r = reader_over(buf_bytes(&b));
	assert_int_equal(reader_u8(&r), 0xfe);
	assert_int_equal(reader_u16(&r), 0xfedc);
	assert_int_equal(reader_u32(&r), 0xfedcba98);
	assert_true(reader_u64(&r) == UINT64_C(0xfedcba9876543210));
	assert_true(bytes_is(reader_field(&r, 5), "field"));
	assert_int_equal(reader_field(&r, 0).len, 0);
	assert_true(bytes_is(reader_rest(&r), "-5-x"));
	assert_true(reader_done(&r, "test", NULL));
}

static void formats_to_the_last_byte_of_its_maximum(void **state)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 5);
	buf_add_format(&b, "%s", "abcde");
	assert_string_equal(buf_text(&b), "abcde");
	buf_add_format(&b, "%s", "");
	assert_true(buf_ok(&b));
	buf_add_format(&b, "%d", 1);
	assert_false(buf_ok(&b));
}

static void room_is_given_in_place(void **state)
{
	uint8_t *at;
	AUTO_BUF b = { 0 };

	buf_init(&b, 100);
	buf_add_text(&b, "ab");
	at = buf_room(&b, 98);
	assert_non_null(at);
	memcpy(at, "cd", 2);
	buf_grown(&b, 2);
	assert_string_equal(buf_text(&b), "abcd");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
}

static void wiping_an_empty_or_a_full_one_is_fine(void **state)
{
	struct buf b;

	buf_init(&b, 10);
	buf_wipe(&b);
	buf_add_text(&b, "secret");
	buf_wipe(&b);
	assert_null(b.at);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 10);
	buf_release(NULL);
	buf_wipe(NULL);
}

static void an_arena_gives_no_more_than_its_ceiling(void **state)
{
	AUTO_ARENA *a = arena_new(64);
	uint8_t *one = arena_take(a, 1);
	struct bytes copy;

	assert_non_null(one);
	assert_int_equal((uintptr_t)one % 16, 0);
	assert_int_equal(*one, 0);
	copy = arena_copy(a, bytes_of("abc"));
	assert_true(bytes_is(copy, "abc"));
	assert_string_equal(arena_text(a, bytes_from("abcd", 3)), "abc");
	assert_null(arena_take(a, 17)); /* 48 of 64 are taken */
	assert_non_null(arena_take(a, 16));
	assert_null(arena_take(a, 0));
	assert_null(arena_take(a, SIZE_MAX));
	assert_null(arena_copy(a, bytes_of("x")).at);
	assert_null(arena_text(a, bytes_of("")));
}

static void pieces_of_an_arena_do_not_overlap(void **state)
{
	AUTO_ARENA *a = arena_new(1000000);
	uint8_t *pieces[200];

	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_take(a, i * 37 + 1);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)i, i * 37 + 1);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i * 37 + 1; j++)
			assert_int_equal(pieces[i][j], (uint8_t)i);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_its_maximum_and_not_one_byte_more),
		cmocka_unit_test(failure_sticks_until_it_is_cleared),
		cmocka_unit_test(what_it_writes_the_reader_reads),
		cmocka_unit_test(formats_to_the_last_byte_of_its_maximum),
		cmocka_unit_test(room_is_given_in_place),
		cmocka_unit_test(wiping_an_empty_or_a_full_one_is_fine),
		cmocka_unit_test(an_arena_gives_no_more_than_its_ceiling),
		cmocka_unit_test(pieces_of_an_arena_do_not_overlap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
