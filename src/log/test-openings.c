/* Class openings: one spelling, and each opens exactly the leaf that it was made for. */
#include "log/openings.h"

#include "base/limits.h"
#include "store/test-home.h"

#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static const char line_real[] = "{\"basis\":\"UNCC\",\"class\":\"preservation\",\"exercise\":true,\"salt\":\"" SALT "\",\"week\":\"2026-W47\"}";
static const char line_null[] = "{\"basis\":\"\",\"class\":\"null\",\"exercise\":false,\"salt\":\"" SALT "\",\"week\":\"2026-W47\"}";
static const char line_head[] = "{\"first\":240,\"leaves\":1000,\"log\":\"comity/XA\",\"lost\":2,\"period\":\"2026-Q4\",\"schema\":1,\"withheld\":3}";

static void a_quarter_begins_and_ends_at_midnight_utc(void **state)
{
	static const struct {
		const char *period, *from, *until;
	} rows[] = {
		{ "2026-Q1", "2026-01-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z" },
		{ "2026-Q3", "2026-07-01T00:00:00.000Z", "2026-10-01T00:00:00.000Z" },
		{ "2026-Q4", "2026-10-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z" },
	};
	char text[PERIOD_TEXT_LEN + 1];
	int64_t from, until, want;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(period_parse(bytes_of(rows[i].period), &from, &until));
		assert_true(time_parse(bytes_of(rows[i].from), &want) && want == from);
		assert_true(time_parse(bytes_of(rows[i].until), &want) && want == until);
		period_of(from, text);
		assert_string_equal(text, rows[i].period);
		period_of(until - 1, text);
		assert_string_equal(text, rows[i].period);
		period_of(until, text);
		assert_string_not_equal(text, rows[i].period);
		assert_int_equal(period_quarters_since(bytes_of(rows[i].period), until - 1), 0);
		assert_int_equal(period_quarters_since(bytes_of(rows[i].period), until), 0);
		assert_int_equal(period_quarters_since(bytes_of(rows[i].period), until + 92 * DAY_MS), 1);
		assert_int_equal(period_quarters_since(bytes_of(rows[i].period), until + 366 * DAY_MS), 4);
	}
	static const char *const wrong[] = { "", "2026-Q0", "2026-Q5", "2026-q1", "2026-Q10", "26-Q1", "2026_Q1", "x026-Q1" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(period_parse(bytes_of(wrong[i]), &from, &until));
}

static void each_line_has_one_spelling(void **state)
{
	static const char *const lines[] = { line_real, line_null, "{}", "{\"lost\":true}" };
	struct openings_head h;
	AUTO_BUF out = { 0 };

	buf_init(&out, KIB);
	for (size_t i = 0; i < 4; i++) {
		struct class_opening o;
		assert_ok(class_opening_parse(bytes_of(lines[i]), &o, e));
		buf_clear(&out);
		class_opening_write(&o, &out);
		assert_int_equal(out.len, strlen(lines[i]) + 1);
		assert_memory_equal(out.at, lines[i], strlen(lines[i]));
	}
	assert_ok(openings_head_parse(bytes_of(line_head), &h, e));
	assert_int_equal(h.first, 240);
	assert_int_equal(h.lost, 2);
	buf_clear(&out);
	openings_head_write(&h, &out);
	assert_int_equal(out.len, strlen(line_head) + 1);
	assert_memory_equal(out.at, line_head, strlen(line_head));
}

static void every_cut_and_every_change_of_a_line_is_refused_or_is_another_line(void **state)
{
	char copy[sizeof(line_real)];
	struct class_opening o;
	AUTO_BUF out = { 0 };

	buf_init(&out, KIB);
	for (size_t i = 0; i < strlen(line_real); i++) {
		assert_false(class_opening_parse(bytes_from(line_real, i), &o, NULL));
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, line_real, sizeof(copy));
			copy[i] = (char)(copy[i] ^ 1 << bit);
			if (!class_opening_parse(bytes_from(copy, strlen(line_real)), &o, NULL))
				continue;
			buf_clear(&out);
			class_opening_write(&o, &out);
			assert_memory_equal(out.at, copy, strlen(line_real));
		}
	}
	assert_refused(class_opening_parse(bytes_of("{}x"), &o, e), REASON_MALFORMED);
}

static void refuses_heads_that_contradict_themselves(void **state)
{
	static const char *const wrong[] = {
		"{\"first\":0,\"leaves\":1,\"log\":\"comity/XA\",\"lost\":1,\"period\":\"2026-Q4\",\"schema\":1,\"withheld\":1}",
		"{\"first\":0,\"leaves\":1,\"log\":\"\",\"lost\":0,\"period\":\"2026-Q4\",\"schema\":1,\"withheld\":0}",
		"{\"first\":0,\"leaves\":1,\"log\":\"comity/XA\",\"lost\":0,\"period\":\"2026-Q5\",\"schema\":1,\"withheld\":0}",
		"{\"first\":0,\"leaves\":1,\"log\":\"comity/XA\",\"lost\":0,\"period\":\"2026-Q4\",\"schema\":2,\"withheld\":0}",
		"{\"first\":-1,\"leaves\":1,\"log\":\"comity/XA\",\"lost\":0,\"period\":\"2026-Q4\",\"schema\":1,\"withheld\":0}",
		"{\"first\":0,\"leaves\":1,\"log\":\"comity/XA\",\"lost\":0,\"period\":\"2026-Q4\",\"schema\":1,\"withheld\":0,\"x\":1}",
		"[]", "{}", "",
	};
	struct openings_head h;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(openings_head_parse(bytes_of(wrong[i]), &h, NULL));
}

static void a_line_opens_its_leaf_and_no_other(void **state)
{
	struct leaf_class c = { bytes_of("preservation"), bytes_of("UNCC"), bytes_of("2026-W47"), false };
	uint8_t opening[32] = { 1 }, x[32] = { 2 }, hash[32] = { 3 }, key[32] = { 4 }, leaf[LEAF_V1_BYTES], null[LEAF_V1_BYTES];
	struct class_opening o = { .c = c }, wrong, n = { .c = { bytes_of("null"), bytes_of(""), bytes_of("2026-W48"), false } };

	leaf_write(hash, &c, opening, x, LEAF_OUT, leaf);
	leaf_class_salt(opening, o.salt);
	assert_ok(class_opening_check(&o, BYTES_ARRAY(leaf), e));
	leaf_write_null(key, 7, bytes_of("2026-W48"), null);
	leaf_null_salt(key, 7, n.salt);
	assert_ok(class_opening_check(&n, BYTES_ARRAY(null), e));
	assert_refused(class_opening_check(&o, BYTES_ARRAY(null), e), REASON_LEAF_MISMATCH);
	assert_refused(class_opening_check(&n, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = o;
	wrong.c.act_class = bytes_of("stored-data");
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = o;
	wrong.c.basis = bytes_of("pilot");
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = o;
	wrong.c.week = bytes_of("2026-W46");
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = o;
	wrong.c.exercise = true;
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = (struct class_opening){ .withheld = true };
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
	wrong = (struct class_opening){ .lost = true };
	assert_refused(class_opening_check(&wrong, BYTES_ARRAY(leaf), e), REASON_LEAF_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quarter_begins_and_ends_at_midnight_utc),
		cmocka_unit_test(each_line_has_one_spelling),
		cmocka_unit_test(every_cut_and_every_change_of_a_line_is_refused_or_is_another_line),
		cmocka_unit_test(refuses_heads_that_contradict_themselves),
		cmocka_unit_test(a_line_opens_its_leaf_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
