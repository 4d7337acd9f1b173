/* comity.conf: every complaint names its line, nothing is guessed, and what is written reads back the same. */
#include "store/test-home.h"

#include "base/limits.h"
#include "exchange/config.h"

static enum reason parsed(const char *text, struct config *c, struct err *why)
{
	*why = (struct err){ 0 };
	bool ok = config_parse(bytes_of(text), c, why);

	assert_int_equal(ok, why->reason == REASON_NONE);
	return why->reason;
}

static void what_is_written_reads_back_the_same(void **state)
{
	struct config c, again;
	struct err why;
	AUTO_BUF text = { 0 };

	buf_init(&text, 256 * KIB);
	config_defaults(&c);
	assert_ok(config_set(&c, CONFIG_party, "XA", e));
	assert_ok(config_set(&c, CONFIG_utc_offset_minutes, "-210", e));
	config_write(&c, &text);
	assert_int_equal(parsed(buf_text(&text), &again, &why), REASON_NONE);
	assert_memory_equal(&c, &again, sizeof(c));
	assert_int_equal(config_count(&again, utc_offset_minutes), -210);
}

static void every_setting_has_a_default_words_and_a_name_that_is_found(void **state)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key;
		assert_true(config_find(bytes_of(config_name((enum config_key)i)), &key));
		assert_int_equal(key, i);
		assert_true(strlen(config_words(key)) > 0);
		assert_non_null(config_default(key));
	}
}

static void spaces_comments_and_empty_lines_do_not_matter(void **state)
{
	struct config c;
	struct err why;

	assert_int_equal(parsed("# a comment\r\n\n  party=XA\n\tname =  Arcadia of the Hills \t\n", &c, &why), REASON_NONE);
	assert_string_equal(config_text(&c, party), "XA");
	assert_string_equal(config_text(&c, name), "Arcadia of the Hills");
	assert_int_equal(config_count(&c, slot_ms), 30000);
}

static void a_wrong_line_is_named(void **state)
{
	static const struct {
		const char *text, *place;
		enum reason reason;
	} cases[] = {
		{ "party = XA\nwish = more\n", "comity.conf:2", REASON_BAD_FIELD },
		{ "party = XA\n\nparty = XR\n", "comity.conf:3", REASON_BAD_FIELD },
		{ "party\n", "comity.conf:1", REASON_MALFORMED },
		{ "slot_ms = soon\n", "comity.conf:1", REASON_BAD_FIELD },
		{ "slot_ms = 99999999999\n", "comity.conf:1", REASON_BAD_FIELD },
		{ "slot_ms = 1 2\n", "comity.conf:1", REASON_BAD_FIELD },
		{ "slot_ms =\n", "comity.conf:1", REASON_BAD_FIELD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config c;
		struct err why;
		assert_int_equal(parsed(cases[i].text, &c, &why), cases[i].reason);
		assert_non_null(strstr(why.text, cases[i].place));
	}
}

static void a_zero_byte_and_a_long_value_are_refused(void **state)
{
	char text[CONFIG_VALUE_BYTES_MAX + 20];
	struct config c;

	assert_refused(config_parse(bytes_from("party = X\0A\n", 12), &c, e), REASON_MALFORMED);
	memset(text, 'a', sizeof(text));
	memcpy(text, "name = ", 7);
	text[7 + CONFIG_VALUE_BYTES_MAX] = '\0';
	assert_refused(config_parse(bytes_of(text), &c, e), REASON_TOO_LARGE);
	text[7 + CONFIG_VALUE_BYTES_MAX - 1] = '\0';
	assert_ok(config_parse(bytes_of(text), &c, e));
}

static void the_log_is_called_after_the_party_unless_it_has_a_name(void **state)
{
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	struct config c;

	config_defaults(&c);
	assert_ok(config_set(&c, CONFIG_party, "XA", e));
	config_log_origin(&c, origin);
	assert_string_equal(origin, "comity/XA");
	assert_ok(config_set(&c, CONFIG_log_origin, "log.arcadia.example/2", e));
	config_log_origin(&c, origin);
	assert_string_equal(origin, "log.arcadia.example/2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(every_setting_has_a_default_words_and_a_name_that_is_found),
		cmocka_unit_test(spaces_comments_and_empty_lines_do_not_matter),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(a_zero_byte_and_a_long_value_are_refused),
		cmocka_unit_test(the_log_is_called_after_the_party_unless_it_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
