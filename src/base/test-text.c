/* Spellings that have exactly one form, the calendar, and hashes by published answers. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void hex_is_lower_case_and_exact(void **state)
{
	uint8_t out[2] = { 9, 9 };
	char text[5];

	assert_true(hex_parse(bytes_of("00ff"), out, 2));
	assert_int_equal(out[1], 0xff);
	hex_write(BYTES_ARRAY(out), text);
	assert_string_equal(text, "00ff");
	assert_true(hex_parse((struct bytes){ 0 }, out, 0));
	assert_false(hex_parse(bytes_of("00FF"), out, 2));
	assert_false(hex_parse(bytes_of("00f"), out, 2));
	assert_false(hex_parse(bytes_of("00ff0"), out, 2));
	assert_false(hex_parse(bytes_of("00ff00"), out, 2));
	assert_false(hex_parse(bytes_of("0g00"), out, 2));
	assert_false(hex_parse(bytes_of(" 0ff"), out, 2));
}

static void base64_is_that_of_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *padded, *bare;
	} rows[] = {
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" }, { "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy",
		"Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/", "+/+/" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_BUF b = { 0 };

		buf_init(&b, 100);
		base64_write(bytes_of(rows[i].plain), true, &b);
		assert_string_equal(buf_text(&b), rows[i].padded);
		buf_clear(&b);
		base64_write(bytes_of(rows[i].plain), false, &b);
		assert_true(bytes_is(buf_bytes(&b), rows[i].bare));
		buf_clear(&b);
		assert_true(base64_parse(bytes_of(rows[i].padded), true, &b));
		assert_true(bytes_is(buf_bytes(&b), rows[i].plain));
		buf_clear(&b);
		assert_true(base64_parse(bytes_of(rows[i].bare), false, &b));
		assert_true(bytes_is(buf_bytes(&b), rows[i].plain));
	}
}

static void refuses_other_spellings_of_base64(void **state)
{
	static const char *const bad_padded[] = {
		"Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zm9v====", "=", "==",
		"====", "Z===",
		"Zh==", "Zm9=", "Z g=", "Zg==\n", " Zg==", "Zm9vZg==Zm9v",
		"Zm9-", "Zm_v",
		"Z\xc3\xa9==",
	};
	static const char *const bad_bare[] = { "Z", "Zm9vY", "Zh", "Zm9", "Zg==", "Zm8=", "Zg\n", "Zm9 " };
	AUTO_BUF b = { 0 };

	buf_init(&b, 100);
	buf_add_text(&b, "kept");
	for (size_t i = 0; i < sizeof(bad_padded) / sizeof(bad_padded[0]); i++)
		assert_false(base64_parse(bytes_of(bad_padded[i]), true, &b));
	for (size_t i = 0; i < sizeof(bad_bare) / sizeof(bad_bare[0]); i++)
		assert_false(base64_parse(bytes_of(bad_bare[i]), false, &b));
	assert_string_equal(buf_text(&b), "kept");
}

static void base64_beyond_the_maximum_leaves_the_buffer_as_it_was(void **state)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 5);
	assert_false(base64_parse(bytes_of("Zm9vYmFy"), true, &b));
	assert_true(buf_ok(&b));
	assert_true(base64_parse(bytes_of("Zm9vYmE="), true, &b));
	assert_string_equal(buf_text(&b), "fooba");
}

static void base64_of_every_pair_of_bytes_reads_back(void **state)
{
	AUTO_BUF text = { 0 };
	AUTO_BUF back = { 0 };

	buf_init(&text, 100);
	buf_init(&back, 100);
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t in[2] = { (uint8_t)(i >> 8), (uint8_t)i };

		buf_clear(&text);
		buf_clear(&back);
		base64_write(BYTES_ARRAY(in), true, &text);
		assert_true(base64_parse(buf_bytes(&text), true, &back));
		assert_true(bytes_equal(buf_bytes(&back), BYTES_ARRAY(in)));
	}
}

static void ids_are_32_hex_digits(void **state)
{
	struct id a, b;
	char text[ID_TEXT_LEN + 1];

	assert_true(id_parse(bytes_of("00112233445566778899aabbccddeeff"), &a));
	id_write(&a, text);
	assert_string_equal(text, "00112233445566778899aabbccddeeff");
	assert_true(id_parse(bytes_of("00112233445566778899aabbccddeefe"), &b));
	assert_false(id_equal(&a, &b));
	assert_true(id_equal(&a, &a));
	assert_false(id_parse(bytes_of("00112233445566778899AABBCCDDEEFF"), &b));
	assert_false(id_parse(bytes_of("00112233-4455-6677-8899-aabbccddeeff"), &b));
	assert_false(id_parse(bytes_of(""), &b));
}

static void times_are_those_of_the_calendar(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:00.000Z", 0 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2000-02-29T00:00:00.000Z", INT64_C(951782400000) },
		{ "2024-02-29T23:59:59.999Z", INT64_C(1709251199999) },
		{ "2026-11-23T02:10:00.000Z", INT64_C(1795399800000) },
		{ "2100-03-01T00:00:00.000Z", INT64_C(4107542400000) },
		{ "1900-03-01T00:00:00.000Z", INT64_C(-2203891200000) },
		{ "0001-01-01T00:00:00.000Z", INT64_C(-62135596800000) },
		{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
	};
	char text[TIME_TEXT_LEN + 1];
	int64_t ms;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(time_parse(bytes_of(rows[i].text), &ms));
		assert_true(ms == rows[i].ms);
		time_write(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
	time_write(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	time_write(INT64_MIN, text);
	assert_string_equal(text, "0001-01-01T00:00:00.000Z");
}

static void every_day_of_eight_centuries_reads_back(void **state)
{
	char text[TIME_TEXT_LEN + 1];
	int64_t ms;

	for (int64_t day = -150000; day < 150000; day++) {
		time_write(day * DAY_MS + 12345678, text);
		assert_true(time_parse(bytes_of(text), &ms));
		assert_true(ms == day * DAY_MS + 12345678);
	}
}

static void refuses_times_that_are_none(void **state)
{
	static const char *const bad[] = {
		"", "2026-11-23T02:10:00Z", "2026-11-23 02:10:00.000Z", "2026-11-23T02:10:00.000z",
		"2026-11-23T02:10:00.000",
		"2026-11-23T02:10:00.000+00:00", "2026-11-23T02:10:00,000Z", "2026-02-29T00:00:00.000Z",
		"2100-02-29T00:00:00.000Z", "1900-02-29T00:00:00.000Z", "2026-04-31T00:00:00.000Z",
		"2026-00-10T00:00:00.000Z",
		"2026-13-10T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z",
		"2026-01-01T24:00:00.000Z",
		"2026-01-01T00:60:00.000Z", "2026-12-31T23:59:60.000Z", "0000-01-01T00:00:00.000Z",
		"2026-1 -01T00:00:00.000Z",
		"+026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.00aZ", "2026-11-23T02:10:00.000ZZ",
	};
	int64_t ms = 5;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_parse(bytes_of(bad[i]), &ms));
	assert_true(ms == 5);
}

static void weeks_belong_to_the_year_of_their_thursday(void **state)
{
	static const struct {
		const char *day, *week;
	} rows[] = {
		{ "2026-11-23", "2026-W48" }, { "2026-11-22", "2026-W47" }, { "2026-12-31", "2026-W53" },
		{ "2027-01-03", "2026-W53" }, { "2027-01-04", "2027-W01" }, { "2024-12-30", "2025-W01" },
		{ "2021-01-03", "2020-W53" }, { "2016-01-03", "2015-W53" }, { "2018-01-01", "2018-W01" },
		{ "2008-12-29", "2009-W01" }, { "2000-01-01", "1999-W52" }, { "1969-12-31", "1970-W01" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[TIME_TEXT_LEN + 1], week[16];
		int64_t ms;

		snprintf(text, sizeof(text), "%sT23:59:59.999Z", rows[i].day);
		assert_true(time_parse(bytes_of(text), &ms));
		time_write_week(ms, week);
		assert_string_equal(week, rows[i].week);
		time_write_week(ms - (DAY_MS - 1), week);
		assert_string_equal(week, rows[i].week);
	}
}

static void people_read_utc_and_local_time_together(void **state)
{
	const int64_t ms = INT64_C(1795399800000);
	char text[64];

	time_write_people(ms, 60, text);
	assert_string_equal(text, "2026-11-23 02:10 UTC (03:10 +01:00)");
	time_write_people(ms, -180, text);
	assert_string_equal(text, "2026-11-23 02:10 UTC (2026-11-22 23:10 -03:00)");
	time_write_people(ms, 345, text);
	assert_string_equal(text, "2026-11-23 02:10 UTC (07:55 +05:45)");
	time_write_people(ms, 0, text);
	assert_string_equal(text, "2026-11-23 02:10 UTC");
}

static void utf8_is_shortest_form_without_surrogates(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xff", "a\xe2\x82",
	};
	static const char *const good[] = {
		"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_is_valid(bytes_of(bad[i])));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_is_valid(bytes_of(good[i])));
	assert_true(utf8_is_valid(bytes_from("a\0b", 3)));
}

static void what_hides_or_turns_text_becomes_visible(void **state)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 200);
	text_printable(bytes_of("\xc3\xa9t\xc3\xa9 \x1b[2J\n\xe2\x80\xae\xe2\x81\xa6\xff."), &b);
#define X "\xef\xbf\xbd"
	assert_string_equal(buf_text(&b), "\xc3\xa9t\xc3\xa9 " X "[2J" X X X X ".");
}

static void check_hex(struct bytes got, const char *want)
{
	char text[2 * 128 + 1];

	assert_true(got.len <= 128);
	hex_write(got, text);
	assert_string_equal(text, want);
}

static void hashes_are_those_of_the_standards(void **state)
{
	uint8_t out[SHA256_BYTES];

	sha256((struct bytes){ 0 }, out);
	check_hex(BYTES_ARRAY(out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256(bytes_of("abc"), out); /* FIPS 180-4 */
	check_hex(BYTES_ARRAY(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_two(bytes_of("a"), bytes_of("bc"), out);
	check_hex(BYTES_ARRAY(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, cases 2 and 6. */
	hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"), out);
	check_hex(BYTES_ARRAY(out), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	{
		uint8_t key[131];

		memset(key, 0xaa, sizeof(key));
		hmac_sha256(BYTES_ARRAY(key), bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	}
	check_hex(BYTES_ARRAY(out), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hkdf_is_that_of_rfc_5869(void **state)
{
	uint8_t ikm[22], salt[13], out[82];
	static const char info[] = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";

	memset(ikm, 0x0b, sizeof(ikm));
	for (unsigned i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	hkdf_sha256(BYTES_ARRAY(ikm), BYTES_ARRAY(salt), info, out, 42); /* A.1 */
	check_hex(bytes_from(out, 42), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	hkdf_sha256(BYTES_ARRAY(ikm), (struct bytes){ 0 }, "", out, 42); /* A.3 */
	check_hex(bytes_from(out, 42), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
	{
		uint8_t first[82];

		memcpy(first, out, 42);
		hkdf_sha256(BYTES_ARRAY(ikm), (struct bytes){ 0 }, "", out, sizeof(out)); /* longer begins the same */
		assert_memory_equal(first, out, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_is_lower_case_and_exact),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(refuses_other_spellings_of_base64),
		cmocka_unit_test(base64_beyond_the_maximum_leaves_the_buffer_as_it_was),
		cmocka_unit_test(base64_of_every_pair_of_bytes_reads_back),
		cmocka_unit_test(ids_are_32_hex_digits),
		cmocka_unit_test(times_are_those_of_the_calendar),
		cmocka_unit_test(every_day_of_eight_centuries_reads_back),
		cmocka_unit_test(refuses_times_that_are_none),
		cmocka_unit_test(weeks_belong_to_the_year_of_their_thursday),
		cmocka_unit_test(people_read_utc_and_local_time_together),
		cmocka_unit_test(utf8_is_shortest_form_without_surrogates),
		cmocka_unit_test(what_hides_or_turns_text_becomes_visible),
		cmocka_unit_test(hashes_are_those_of_the_standards),
		cmocka_unit_test(hkdf_is_that_of_rfc_5869),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
