/* ML-DSA-44 against the published cases; without them only what never verifies. */
#include "seal/mldsa.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/test-tally.h"
#include "base/text.h"

static bool hex_take(const json_t *v, const char *key, uint8_t *out, size_t len_max, size_t *ret_len)
{
	struct bytes hex = json_bytes(v, key);

	*ret_len = hex.len / 2;
	return hex.len % 2 == 0 && hex.len / 2 <= len_max && hex_parse(hex, out, hex.len / 2);
}

/* A key or signature of another length is the caller's to refuse: note_key and cosignature know the lengths. */
static bool verifies(const json_t *group, const json_t *t)
{
	static uint8_t key[4096], msg[65536], context[4096], signature[8192];
	size_t key_len, msg_len, context_len, signature_len;

	assert_true(hex_take(group, "publicKey", key, sizeof(key), &key_len));
	assert_true(hex_take(t, "msg", msg, sizeof(msg), &msg_len));
	assert_true(hex_take(t, "ctx", context, sizeof(context), &context_len));
	assert_true(hex_take(t, "sig", signature, sizeof(signature), &signature_len));
	return key_len == MLDSA44_PUBLIC_BYTES && signature_len == MLDSA44_SIGNATURE_BYTES &&
	       mldsa44_verify_context(key, bytes_from(msg, msg_len), bytes_from(context, context_len), signature);
}

static void verifies_as_wycheproof_says(void **state)
{
	const char *shared = getenv("COMITY_SHARED");
	size_t group, i, valid = 0;
	struct tally tally = { 0 };
	json_t *v = NULL, *g, *t;
	char path[4200];

	snprintf(path, sizeof(path), "%.4000s/vectors/wycheproof/mldsa_44_verify_test.json", shared == NULL ? "" : shared);
	if (shared == NULL || (v = json_load_file(path, JSON_REJECT_DUPLICATES, NULL)) == NULL) {
		printf("wycheproof/mldsa_44_verify_test.json: not there, skipped\n");
		skip();
	}
	json_array_foreach(json_object_get(v, "testGroups"), group, g) {
		json_array_foreach(json_object_get(g, "tests"), i, t) {
			bool wanted = bytes_is(json_bytes(t, "result"), "valid");
			tally_case(&tally, verifies(g, t) == wanted, json_text(t, "comment"));
			valid += wanted;
		}
	}
	json_decref(v);
	tally_end(&tally, "wycheproof/mldsa_44_verify_test.json", NULL);
	assert_true(tally.passed > 100 && valid > 50);
}

static void never_verifies_chance_zeros_or_ones(void **state)
{
	static uint8_t key[MLDSA44_PUBLIC_BYTES], signature[MLDSA44_SIGNATURE_BYTES];

	for (unsigned round = 0; round < 20; round++) {
		chance_fill(key, sizeof(key));
		chance_fill(signature, sizeof(signature));
		assert_false(mldsa44_verify(key, bytes_of("checkpoint"), signature));
		/* Well-formed: no hints, small responses. */
		memset(signature + 32, 0, sizeof(signature) - 32);
		for (size_t i = 32; i < 32 + 2304; i += 9) /* gamma1 - 0: every z is 0 */
			for (unsigned j = 0; j < 4; j++)
				signature[i + (j * 18 + 17) / 8] |= (uint8_t)(1u << (j * 18 + 17) % 8);
		assert_false(mldsa44_verify(key, bytes_of("checkpoint"), signature));
	}
	memset(signature, 0xff, sizeof(signature));
	assert_false(mldsa44_verify(key, bytes_of("checkpoint"), signature));
	memset(signature, 0, sizeof(signature));
	assert_false(mldsa44_verify(key, bytes_of("checkpoint"), signature));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_as_wycheproof_says),
		cmocka_unit_test(never_verifies_chance_zeros_or_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
