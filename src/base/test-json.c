/* JSON: what is doubtful is refused, and what is signed has one spelling. */
#include "base/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

static void refuses_what_is_doubtful(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "[01]", "[+1]", "[.5]", "[1.]",
		"[NaN]", "[1e400]",
		"[99999999999999999999]", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{} {}", "{}x",
		"[\"\n\"]", "[\"\t\"]",
		"[\"\\x41\"]", "[\"\\u12\"]",
		"[\"\xff\"]", "[\"\xc0\xaf\"]", "[\"\xed\xa0\x80\"]", "[\"\xf4\x90\x80\x80\"]", "[\"\xe2\x82\"]",
		"{\"\xff\":1}",
		"[\"\\ud83d\"]", "[\"\\ude02\"]", "[\"\\ud83d\\ud83d\"]", "[\"\\ud83dx\"]",
		"[\"\\u0000\"]", "{\"\\u0000\":1}", "\xef\xbb\xbf{}", "// x\n{}", "{}\x0c",
	};
	json_t *v = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (json_parse(bytes_of(bad[i]), "test", &v, &e))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(v);
	}
	assert_false(json_parse(bytes_from("{}\0", 3), "test", &v, &e));
	assert_false(json_parse((struct bytes){ 0 }, "test", &v, &e));
}

static void depth_is_limited_to_the_level(void **state)
{
	json_t *v = NULL;
	struct err e;
	AUTO_BUF in = { 0 };

	buf_init(&in, 100000);
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_u8(&in, '[');
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_u8(&in, ']');
	assert_true(json_parse_canonical(buf_bytes(&in), "test", &v, &e));
	json_decref(v);
	buf_clear(&in);
	for (unsigned i = 0; i < 2 * JSON_DEPTH_MAX + 2; i++)
		buf_add_u8(&in, i <= JSON_DEPTH_MAX ? '[' : ']');
	assert_false(json_parse(buf_bytes(&in), "test", &v, &e));
	/* Brackets in strings do not count, and escaped quotes do not end one. */
	buf_clear(&in);
	buf_add_text(&in, "[\"");
	for (unsigned i = 0; i < 100; i++)
		buf_add_text(&in, "[{\\\"");
	buf_add_text(&in, "\"]");
	assert_true(json_parse(buf_bytes(&in), "test", &v, &e));
	json_decref(v);
	/* A hundred thousand open brackets do not touch the stack. */
	buf_clear(&in);
	for (unsigned i = 0; i < 99999; i++)
		buf_add_u8(&in, '[');
	assert_false(json_parse(buf_bytes(&in), "test", &v, &e));
}

static void the_canonical_form_is_that_of_rfc_8785(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ " { \"b\" : 1 , \"a\" : [ true , false ] } ", "{\"a\":[true,false],\"b\":1}" },
		{ "[\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"]",
		  "[\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"]" },
		{ "[\"\\u0008\\u0009\\u000b\\u000c\\u000d\\u001f\\u007f\"]", "[\"\\b\\t\\u000b\\f\\r\\u001f\x7f\"]" },
		{ "[-0,0,-1,9007199254740991,-9007199254740991]", "[0,0,-1,9007199254740991,-9007199254740991]" },
		{ "{\"\":1,\"\\u0080\":2,\"10\":3,\"1\":4}", "{\"\":1,\"1\":4,\"10\":3,\"\xc2\x80\":2}" },
		/* UTF-16 order: U+1F602 (D83D DE02) before U+FB33, against the order of UTF-8. */
		{ "{\"\\ufb33\":1,\"\\ud83d\\ude02\":2,\"\\ud7ff\":3,\"\\uffff\":4,\"\\ue000\":5}",
		  "{\"\xed\x9f\xbf\":3,\"\xf0\x9f\x98\x82\":2,\"\xee\x80\x80\":5,\"\xef\xac\xb3\":1,\"\xef\xbf\xbf\":4}" },
		/* The same, after a common beginning; and a key that is the beginning of another. */
		{ "{\"a\\uffff\":1,\"a\\ud83d\\ude02\":2,\"a\":3}",
		  "{\"a\":3,\"a\xf0\x9f\x98\x82\":2,\"a\xef\xbf\xbf\":1}" },
	};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_JSON *v = NULL;
		AUTO_JSON *again = NULL;
		AUTO_BUF out = { 0 };

		buf_init(&out, 1000);
		assert_true(json_parse(bytes_of(rows[i].in), "test", &v, &e));
		assert_true(json_write_canonical(v, &out, &e));
		assert_string_equal(buf_text(&out), rows[i].out);
		assert_true(json_parse_canonical(buf_bytes(&out), "test", &again, &e));
		assert_false(json_parse_canonical(bytes_of(rows[i].in), "test", &again, &e));
		assert_int_equal(e.reason, REASON_NOT_CANONICAL);
	}
}

static void signed_json_holds_no_null_no_fraction_no_huge_integer(void **state)
{
	static const char *const bad[] = { "[null]", "{\"a\":null}", "[1.5]", "[1.0]", "[1e2]", "[9007199254740992]",
					   "[-9007199254740992]", "[9223372036854775807]", "[-9223372036854775808]" };
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_JSON *v = NULL;
		AUTO_BUF out = { 0 };
		json_t *unused = NULL;

		buf_init(&out, 1000);
		assert_true(json_parse(bytes_of(bad[i]), "test", &v, &e));
		assert_false(json_write_canonical(v, &out, &e));
		assert_int_equal(e.reason, REASON_NOT_CANONICAL);
		assert_false(json_parse_canonical(bytes_of(bad[i]), "test", &unused, &e));
		assert_null(unused);
	}
}

static void many_keys_are_sorted_beyond_the_stack(void **state)
{
	AUTO_JSON *v = json_object();
	AUTO_JSON *again = NULL;
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, 100000);
	for (unsigned i = 0; i < 1000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%u", (i * 7919) % 1000);
		json_put_int(v, key, i);
	}
	assert_true(json_write_canonical(v, &out, &e));
	assert_true(json_parse_canonical(buf_bytes(&out), "test", &again, &e));
	assert_int_equal(json_object_size(again), 1000);
}

static void an_overflow_of_the_buffer_is_told_once(void **state)
{
	AUTO_JSON *v = json_object();
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, 5);
	json_put_text(v, "key", "value");
	assert_false(json_write_canonical(v, &out, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void members_are_given_or_missed_with_a_sentence(void **state)
{
	AUTO_JSON *v = NULL;
	const char *text;
	uint8_t hex[2];
	int64_t number;
	struct err e;

	assert_true(json_parse(bytes_of("{\"t\":\"x\",\"n\":-5,\"b\":true,\"h\":\"0aff\"}"), "test", &v, &e));
	assert_true(json_must_text(v, "t", &text, &e));
	assert_string_equal(text, "x");
	assert_false(json_must_text(v, "n", &text, &e));
	assert_int_equal(e.reason, REASON_BAD_FIELD);
	assert_false(json_must_text(v, "missing", &text, &e));
	assert_int_equal(e.reason, REASON_MISSING_FIELD);
	assert_non_null(strstr(e.text, "missing"));
	assert_true(json_must_int(v, "n", -5, -5, &number, &e));
	assert_true(number == -5);
	assert_false(json_must_int(v, "n", -4, 10, &number, &e));
	assert_false(json_must_int(v, "t", -4, 10, &number, &e));
	assert_true(json_must_hex(v, "h", hex, 2, &e));
	assert_int_equal(hex[1], 0xff);
	assert_false(json_must_hex(v, "h", hex, 1, &e));
	assert_false(json_must_hex(NULL, "h", hex, 2, &e));
	assert_string_equal(json_text(v, "n"), "");
	assert_string_equal(json_text(NULL, "t"), "");
	assert_int_equal(json_int(v, "t"), 0);
	assert_true(json_bool(v, "b"));
	assert_false(json_bool(v, "n"));
	assert_int_equal(json_bytes(v, "missing").len, 0);
}

static void what_cannot_stand_in_json_is_replaced_not_fatal(void **state)
{
	AUTO_JSON *v = json_object();
	AUTO_BUF out = { 0 };

	buf_init(&out, 1000);
	assert_null(json_string_of(bytes_of("\xff")));
	assert_null(json_string_of(bytes_from("a\0b", 3)));
	json_put_bytes(v, "a", bytes_of("x\xffy"));
	json_put_bytes(v, "b", (struct bytes){ 0 });
	json_put_bool(v, "c", true);
	json_put_hex(v, "d", bytes_of("\x01\xfe"));
	json_put_time(v, "e", 0);
	json_put_int(v, "f", -7);
	assert_true(json_write_canonical(v, &out, NULL));
	assert_string_equal(buf_text(&out), "{\"a\":\"x\xef\xbf\xbdy\",\"b\":\"\",\"c\":true,\"d\":\"01fe\","
					    "\"e\":\"1970-01-01T00:00:00.000Z\",\"f\":-7}");
	buf_clear(&out);
	assert_true(json_write_pretty(v, &out, NULL));
	assert_int_equal(out.at[out.len - 1], '\n');
}

static bool holds_unsignable(const json_t *v)
{
	const char *key;
	json_t *one;
	size_t i;

	if (json_is_null(v) || json_is_real(v))
		return true;
	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, one) {
			if (holds_unsignable(one))
				return true;
		}
	}
	json_array_foreach(v, i, one) {
		if (holds_unsignable(one))
			return true;
	}
	return false;
}

/* Files with null or fractions cannot be signed here: they must be refused, and count as skipped. */
static void agrees_with_the_published_canonical_files(void **state)
{
	const char *shared = getenv("COMITY_SHARED");
	unsigned passed = 0, skipped = 0;
	struct dirent *entry;
	char path[1024];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vectors/jcs-rfc8785/input", shared == NULL ? "../shared" : shared);
	dir = opendir(path);
	if (dir == NULL) {
		printf("skipped: jcs-rfc8785 is not here\n");
		skip();
	}
	while ((entry = readdir(dir)) != NULL) {
		AUTO_JSON *v = NULL;
		AUTO_BUF in = { 0 };
		AUTO_BUF want = { 0 };
		AUTO_BUF got = { 0 };

		buf_init(&in, MIB);
		buf_init(&want, MIB);
		buf_init(&got, MIB);
		if (entry->d_name[0] == '.')
			continue;
		assert_true(file_read(dirfd(dir), entry->d_name, &in, NULL));
		assert_true(json_parse(buf_bytes(&in), entry->d_name, &v, NULL));
		if (holds_unsignable(v)) {
			assert_false(json_write_canonical(v, &got, NULL));
			skipped++;
			continue;
		}
		snprintf(path, sizeof(path), "../output/%s", entry->d_name);
		assert_true(file_read(dirfd(dir), path, &want, NULL));
		assert_true(json_write_canonical(v, &got, NULL));
		assert_string_equal(buf_text(&got), buf_text(&want));
		passed++;
	}
	closedir(dir);
	printf("jcs-rfc8785: %u passed, 0 failed, %u skipped (null or fractions: refused, as they must be)\n", passed,
	       skipped);
	assert_true(passed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_doubtful),
		cmocka_unit_test(depth_is_limited_to_the_level),
		cmocka_unit_test(the_canonical_form_is_that_of_rfc_8785),
		cmocka_unit_test(signed_json_holds_no_null_no_fraction_no_huge_integer),
		cmocka_unit_test(many_keys_are_sorted_beyond_the_stack),
		cmocka_unit_test(an_overflow_of_the_buffer_is_told_once),
		cmocka_unit_test(members_are_given_or_missed_with_a_sentence),
		cmocka_unit_test(what_cannot_stand_in_json_is_replaced_not_fatal),
		cmocka_unit_test(agrees_with_the_published_canonical_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
