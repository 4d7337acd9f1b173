/* A record opens only with its own key, under its own hash, and as a whole. */
#include "store/record.h"
#include "store/test-home.h"

static const uint8_t key[32] = { 1, 2, 3 }, hash[32] = { 9, 9 };

static void opens_what_it_sealed_and_nothing_changed(void **state)
{
	AUTO_BUF sealed = { 0 }, plain = { 0 };
	uint8_t other[32] = { 9, 8 };

	buf_init(&sealed, 4096);
	buf_init(&plain, 4096);
	assert_ok(record_seal(key, hash, bytes_of("an act"), &sealed, e));
	assert_int_equal(sealed.len, 6 + RECORD_OVERHEAD_BYTES);
	assert_ok(record_open(key, hash, buf_bytes(&sealed), &plain, e));
	assert_string_equal(buf_text(&plain), "an act");
	assert_refused(record_open(key, other, buf_bytes(&sealed), &plain, e), REASON_SEAL_BROKEN);
	assert_refused(record_open(other, hash, buf_bytes(&sealed), &plain, e), REASON_SEAL_BROKEN);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.at[i] ^= 1;
		assert_refused(record_open(key, hash, buf_bytes(&sealed), &plain, e), REASON_SEAL_BROKEN);
		sealed.at[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_refused(record_open(key, hash, bytes_from(sealed.at, len), &plain, e), REASON_SEAL_BROKEN);
	assert_int_equal(plain.len, 6);
}

static void seals_the_same_twice_to_different_bytes(void **state)
{
	AUTO_BUF a = { 0 }, b = { 0 };

	buf_init(&a, 4096);
	buf_init(&b, 4096);
	assert_ok(record_seal(key, hash, bytes_of("same"), &a, e));
	assert_ok(record_seal(key, hash, bytes_of("same"), &b, e));
	assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
}

static void seals_an_empty_record(void **state)
{
	AUTO_BUF sealed = { 0 }, plain = { 0 };

	buf_init(&sealed, 4096);
	buf_init(&plain, 4096);
	assert_ok(record_seal(key, hash, bytes_of(""), &sealed, e));
	assert_int_equal(sealed.len, RECORD_OVERHEAD_BYTES);
	assert_ok(record_open(key, hash, buf_bytes(&sealed), &plain, e));
	assert_int_equal(plain.len, 0);
}

static void refuses_more_than_its_buffers_hold(void **state)
{
	AUTO_BUF small = { 0 }, sealed = { 0 };

	buf_init(&small, 30);
	buf_init(&sealed, 4096);
	assert_refused(record_seal(key, hash, bytes_of("three"), &small, e), REASON_TOO_LARGE);
	buf_release(&small);
	assert_ok(record_seal(key, hash, bytes_of("a record of more than thirty bytes"), &sealed, e));
	assert_refused(record_open(key, hash, buf_bytes(&sealed), &small, e), REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_it_sealed_and_nothing_changed),
		cmocka_unit_test(seals_the_same_twice_to_different_bytes),
		cmocka_unit_test(seals_an_empty_record),
		cmocka_unit_test(refuses_more_than_its_buffers_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
