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

static void null_leaves_look_like_any_other(void **state)
{
	uint8_t a[LEAF_V1_BYTES], b[LEAF_V1_BYTES], c[32], k[32], t[32];

	chance_seed(5);
	chance_set(chance_seeded_fill);
	leaf_write_null(a);
	leaf_write_null(b);
	chance_set(NULL);
	assert_ok(leaf_parse(BYTES_ARRAY(a), c, k, t, e));
	assert_ok(leaf_parse(BYTES_ARRAY(b), c, k, t, e));
	assert_memory_not_equal(a, b, LEAF_V1_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rebuilds_the_known_answer),
		cmocka_unit_test(refuses_every_other_spelling),
		cmocka_unit_test(null_leaves_look_like_any_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
