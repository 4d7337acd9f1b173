/* Leaf v1: rebuilt byte for byte by whoever has the opening, and alike for everybody else. The known
 * answers were computed apart from this code, from the formulas in leaf.h. */
#include "log/leaf.h"

#include "base/clock.h"
#include "store/test-home.h"

static const char known_out[] = "{\"c\":\"4e193e48a45d81d241189ab658eed9f443686627e4254a4d2f683b3a35935bd0\",\"k\":\"5503e6fe0da62fdaaf302fb105d453809b77410cf51340f4835485c6c36ba413\",\"t\":\"a5bf0dfaa163c51df8dfd132ff7eabdfdef444632b31c8432dcdede3a1c0cf91\",\"v\":1}";
static const char known_in[] = "{\"c\":\"4e193e48a45d81d241189ab658eed9f443686627e4254a4d2f683b3a35935bd0\",\"k\":\"5503e6fe0da62fdaaf302fb105d453809b77410cf51340f4835485c6c36ba413\",\"t\":\"494228c603b0e097b82a001801cf202c64960a9bc96461918a21c730d9541081\",\"v\":1}";

static void rebuilds_the_known_answer(void **state)
{
	struct leaf_class c = { bytes_of("preservation"), bytes_of("uncc"), bytes_of("2026-W47"), true };
	uint8_t opening[32], x[32], hash[32], leaf[LEAF_V1_BYTES], again[LEAF_V1_BYTES];

	for (uint8_t i = 0; i < 32; i++) {
		opening[i] = i;
		x[i] = (uint8_t)(32 + i);
	}
	sha256(bytes_of("statement"), hash);
	leaf_write(hash, &c, opening, x, LEAF_OUT, leaf);
	assert_memory_equal(leaf, known_out, LEAF_V1_BYTES);
	leaf_write(hash, &c, opening, x, LEAF_IN, again);
	assert_memory_equal(again, known_in, LEAF_V1_BYTES);
	c.exercise = false;
	leaf_write(hash, &c, opening, x, LEAF_OUT, again);
	assert_memory_equal(again, leaf, 76);                 /* the same act */
	assert_memory_not_equal(again + 76, leaf + 76, 64);   /* another class record */
}

/* The record is JCS whatever the texts are: the answer comes from the formula over a record that JSON escapes. */
static void a_class_record_is_canonical_json(void **state)
{
	static const char record[] = "k" "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
		"{\"basis\":\"a\\\"b\",\"class\":\"c\\\\d\",\"exercise\":true,\"week\":\"2026-W47\"}";
	static const char plain[] = "k" "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
		"{\"basis\":\"UNCC\",\"class\":\"page\",\"exercise\":false,\"week\":\"2026-W47\"}";
	struct leaf_class c = { bytes_of("c\\d"), bytes_of("a\"b"), bytes_of("2026-W47"), true };
	uint8_t salt[32], k[32], want[32];

	memset(salt, 1, sizeof(salt));
	leaf_class_commit(salt, &c, k);
	hmac_sha256(bytes_of("comity leaf v1 commitment key"), bytes_from(record, sizeof(record) - 1), want);
	assert_memory_equal(k, want, sizeof(k));
	c = (struct leaf_class){ bytes_of("page"), bytes_of("UNCC"), bytes_of("2026-W47"), false };
	leaf_class_commit(salt, &c, k);
	hmac_sha256(bytes_of("comity leaf v1 commitment key"), bytes_from(plain, sizeof(plain) - 1), want);
	assert_memory_equal(k, want, sizeof(k));
}

static void refuses_every_other_spelling(void **state)
{
	uint8_t c[32], k[32], t[32];
	char copy[LEAF_V1_BYTES + 2];

	assert_int_equal(sizeof(known_out) - 1, LEAF_V1_BYTES);
	assert_ok(leaf_parse(bytes_of(known_out), c, k, t, e));
	for (size_t i = 0; i < LEAF_V1_BYTES; i++) {
		assert_false(leaf_parse(bytes_from(known_out, i), c, k, t, NULL));
		memcpy(copy, known_out, sizeof(known_out));
		copy[i] ^= 0x20; /* other case, other quote */
		bool digit = known_out[i] >= '0' && known_out[i] <= '9';
		if (!digit || i == LEAF_V1_BYTES - 2)
			assert_false(leaf_parse(bytes_from(copy, LEAF_V1_BYTES), c, k, t, NULL));
	}
	snprintf(copy, sizeof(copy), "%s\n", known_out);
	assert_refused(leaf_parse(bytes_of(copy), c, k, t, e), REASON_TRAILING_BYTES);
}

/* The same key makes the same leaf again, and only that key knows it. */
static void a_null_leaf_is_known_to_its_key_alone(void **state)
{
	uint8_t key[32] = { 1 }, other[32] = { 2 }, a[LEAF_V1_BYTES], b[LEAF_V1_BYTES];

	leaf_write_null(key, 300, bytes_of("2026-W47"), a);
	leaf_write_null(key, 300, bytes_of("2026-W47"), b);
	assert_memory_equal(a, b, LEAF_V1_BYTES);
	assert_true(leaf_is_null(key, 300, BYTES_ARRAY(a)));
	assert_false(leaf_is_null(key, 301, BYTES_ARRAY(a)));
	assert_false(leaf_is_null(other, 300, BYTES_ARRAY(a)));
	leaf_write_null(key, 300, bytes_of("2026-W48"), b);
	assert_memory_not_equal(a, b, LEAF_V1_BYTES);
	assert_true(leaf_is_null(key, 300, BYTES_ARRAY(b))); /* of whatever week */
	assert_false(leaf_is_null(key, 300, bytes_of(known_out)));
}

#define LEAVES 2000u
#define VALUE_BITS (3u * 256)

static int values_compare(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* Real and null leaves by turns: the same length, no value twice among all of them, and every bit of c, k and t set
 * as often in the ones as in the others, within six standard deviations of a fair coin. */
static void null_leaves_look_like_any_other(void **state)
{
	struct leaf_class class = { bytes_of("preservation"), bytes_of("UNCC"), bytes_of("2026-W47"), false };
	uint8_t (*values)[32] = calloc(3 * LEAVES, 32), key[32], opening[32], x[32], hash[32], leaf[LEAF_V1_BYTES];
	unsigned set[2][VALUE_BITS] = { { 0 } };

	assert_non_null(values);
	chance_seed(5);
	chance_seeded_fill(key, sizeof(key));
	for (unsigned i = 0; i < LEAVES; i++) {
		bool null = i % 2 == 0;
		uint8_t *v = values[3 * (size_t)i];
		chance_seeded_fill(opening, sizeof(opening));
		chance_seeded_fill(x, sizeof(x));
		sha256(BYTES_ARRAY(x), hash);
		if (null)
			leaf_write_null(key, i, bytes_of("2026-W47"), leaf);
		else
			leaf_write(hash, &class, opening, x, i % 4 == 1 ? LEAF_OUT : LEAF_IN, leaf);
		assert_ok(leaf_parse(BYTES_ARRAY(leaf), v, v + 32, v + 64, e));
		for (unsigned bit = 0; bit < VALUE_BITS; bit++)
			set[null][bit] += v[bit / 8] >> bit % 8 & 1;
	}
	for (unsigned bit = 0; bit < VALUE_BITS; bit++)
		for (unsigned null = 0; null < 2; null++) {
			/* 1,000 throws: deviation 15.8 */
			assert_in_range(set[null][bit], LEAVES / 4 - 95, LEAVES / 4 + 95);
		}
	qsort(values, 3 * LEAVES, 32, values_compare);
	for (size_t i = 1; i < 3 * LEAVES; i++)
		assert_memory_not_equal(values[i - 1], values[i], 32);
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rebuilds_the_known_answer),
		cmocka_unit_test(a_class_record_is_canonical_json),
		cmocka_unit_test(refuses_every_other_spelling),
		cmocka_unit_test(a_null_leaf_is_known_to_its_key_alone),
		cmocka_unit_test(null_leaves_look_like_any_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
