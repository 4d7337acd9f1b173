/* Keys, and what exactly libsodium accepts as a signature: two honest verifiers must never disagree, so
 * the published edge cases are pinned here. */
#include "seal/key.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

/* RFC 8032 7.1, tests 1 and 2. */
static const char rfc_key_file[] =
	"comity-key-v1 ed25519 4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb duty\n";

static void signs_as_rfc_8032_says(void **state)
{
	static const uint8_t msg[] = { 0x72 };
	uint8_t sig[SIGNATURE_BYTES];
	char hex[2 * SIGNATURE_BYTES + 1];
	AUTO_SIGN_KEY *k = NULL;

	assert_true(sign_key_parse(bytes_of(rfc_key_file), &k, NULL));
	hex_write(bytes_from(sign_key_public(k), SIGN_PUBLIC_BYTES), hex);
	assert_string_equal(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	sign_key_sign(k, BYTES_ARRAY(msg), sig);
	hex_write(BYTES_ARRAY(sig), hex);
	assert_string_equal(hex, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
				 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	assert_true(signature_verify(sign_key_public(k), BYTES_ARRAY(msg), sig));
}

static void refuses_every_flipped_bit_of_a_signature(void **state)
{
	static const uint8_t msg[] = "preserve account 17";
	uint8_t sig[SIGNATURE_BYTES], public[SIGN_PUBLIC_BYTES];
	AUTO_SIGN_KEY *k = sign_key_new();

	memcpy(public, sign_key_public(k), sizeof(public));
	sign_key_sign(k, BYTES_ARRAY(msg), sig);
	for (unsigned bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(signature_verify(public, BYTES_ARRAY(msg), sig));
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * SIGN_PUBLIC_BYTES; bit++) {
		public[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(signature_verify(public, BYTES_ARRAY(msg), sig));
		public[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_false(signature_verify(public, bytes_from(msg, sizeof(msg) - 1), sig));
	assert_true(signature_verify(public, BYTES_ARRAY(msg), sig));
}

static void a_key_file_reads_back_as_the_same_key(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_SIGN_KEY *again = NULL;
	AUTO_BUF_WIPE file = { 0 };
	AUTO_BUF_WIPE file_again = { 0 };

	buf_init(&file, 1024);
	buf_init(&file_again, 1024);
	sign_key_write(k, "signing key of \xc3\x89lise\nand a second line", &file);
	assert_int_equal(bytes_find(buf_bytes(&file), '\n'), file.len - 1);
	assert_true(sign_key_parse(buf_bytes(&file), &again, NULL));
	assert_memory_equal(sign_key_public(k), sign_key_public(again), SIGN_PUBLIC_BYTES);
	sign_key_write(again, "", &file_again);
	assert_int_equal(file_again.len, strlen("comity-key-v1 ed25519 ") + 64 + 1);
	sign_key_free(again);
	again = NULL;
	assert_true(sign_key_parse(buf_bytes(&file_again), &again, NULL));
	assert_memory_equal(sign_key_public(k), sign_key_public(again), SIGN_PUBLIC_BYTES);
}

static void refuses_other_spellings_of_a_key_file(void **state)
{
#define SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
	static const char *const bad[] = {
		"", "comity-key-v1 ed25519 ", "comity-key-v1 ed25519 " SEED, "comity-key-v1 ed25519 " SEED " \n",
		"comity-key-v1 ed25519 " SEED "x\n", "comity-key-v1 ed25519 " SEED " a\nb\n",
		"comity-key-v2 ed25519 " SEED " a\n", " comity-key-v1 ed25519 " SEED " a\n",
		"comity-key-v1 ed25519 " SEED " a\r\n", "comity-key-v1 ed25519 " SEED "\n\n",
		"comity-key-v1 ed25519 4CCD089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb a\n",
		"comity-key-v1 ed25519 4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6 ab\n",
	};
	struct sign_key *k = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(sign_key_parse(bytes_of(bad[i]), &k, &e));
		assert_null(k);
		assert_null(strstr(e.text, "4ccd"));
	}
}

static void a_key_id_is_the_half_of_a_hash(void **state)
{
	static const uint8_t zero[SIGN_PUBLIC_BYTES];
	char id[KEY_ID_LEN + 1];

	key_id_write(zero, id);
	assert_string_equal(id, "66687aadf862bd776c8fc18b8e9f8e20");
}

static bool vectors_read(const char *name, json_t **ret)
{
	const char *shared = getenv("COMITY_SHARED");
	char path[1024];
	struct err e;
	AUTO_BUF text = { 0 };
	json_error_t error;

	buf_init(&text, 8 * MIB);
	snprintf(path, sizeof(path), "%s/vectors/%s", shared == NULL ? "../shared" : shared, name);
	if (!file_read(AT_FDCWD, path, &text, &e)) {
		printf("skipped: %s is not here\n", name);
		return false;
	}
	*ret = json_loadb((const char *)text.at, text.len, 0, &error);
	assert_non_null(*ret);
	return true;
}

/* json text in hex into a buffer; its length. */
static size_t unhex(const json_t *v, const char *key, uint8_t *out, size_t room)
{
	struct bytes hex = json_bytes(v, key);

	assert_true(hex.len / 2 <= room);
	assert_true(hex_parse(hex, out, hex.len / 2));
	return hex.len / 2;
}

static bool has_flag(const json_t *v, const char *flag)
{
	const json_t *flags = json_object_get(v, "flags");

	for (size_t i = 0; i < json_array_size(flags); i++) {
		if (strcmp(json_string_value(json_array_get(flags, i)), flag) == 0)
			return true;
	}
	return false;
}

/* libsodium's rule, written down: no point of small order in the key or in R, in whatever spelling, no
 * non-canonical key or R, and the equation without the cofactor. Mixed-order points remain allowed. */
static void accepts_of_the_edge_cases_exactly_what_libsodium_s_rule_says(void **state)
{
	uint8_t key[SIGN_PUBLIC_BYTES], sig[SIGNATURE_BYTES];
	unsigned passed = 0, failed = 0, accepted = 0;
	AUTO_JSON *all = NULL;

	if (!vectors_read("cctv-ed25519/ed25519vectors.json", &all))
		skip();
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *v = json_array_get(all, i);
		bool expected = !has_flag(v, "low_order_A") && !has_flag(v, "low_order_R") &&
				!has_flag(v, "non_canonical_A") && !has_flag(v, "non_canonical_R") &&
				!has_flag(v, "low_order_residue");
		bool got;

		assert_int_equal(unhex(v, "key", key, sizeof(key)), sizeof(key));
		assert_int_equal(unhex(v, "sig", sig, sizeof(sig)), sizeof(sig));
		got = signature_verify(key, json_bytes(v, "msg"), sig);
		accepted += got ? 1 : 0;
		if (got == expected)
			passed++;
		else
			failed++;
	}
	printf("cctv-ed25519/ed25519vectors.json: %u passed, %u failed, 0 skipped (%u accepted)\n", passed,
	       failed, accepted);
	assert_int_equal(failed, 0);
	assert_true(passed > 0 && accepted > 0);
}

static void agrees_with_wycheproof_on_ed25519(void **state)
{
	static uint8_t msg[64 * 1024], sig[256];
	uint8_t key[SIGN_PUBLIC_BYTES];
	unsigned passed = 0, failed = 0, skipped = 0;
	const json_t *groups;
	AUTO_JSON *all = NULL;

	if (!vectors_read("wycheproof/ed25519_test.json", &all))
		skip();
	groups = json_object_get(all, "testGroups");
	for (size_t g = 0; g < json_array_size(groups); g++) {
		const json_t *group = json_array_get(groups, g);
		const json_t *tests = json_object_get(group, "tests");

		unhex(json_object_get(group, "publicKey"), "pk", key, sizeof(key));
		for (size_t i = 0; i < json_array_size(tests); i++) {
			const json_t *t = json_array_get(tests, i);
			size_t len = unhex(t, "msg", msg, sizeof(msg));
			size_t sig_len = unhex(t, "sig", sig, sizeof(sig));
			bool valid = strcmp(json_text(t, "result"), "valid") == 0;

			/* A signature of another length cannot reach us: the type forbids it. */
			if (sig_len != SIGNATURE_BYTES)
				skipped++;
			else if (signature_verify(key, bytes_from(msg, len), sig) == valid)
				passed++;
			else
				failed++;
		}
	}
	printf("wycheproof/ed25519_test.json: %u passed, %u failed, %u skipped (signatures of another length than 64 bytes cannot be given to it)\n",
	       passed, failed, skipped);
	assert_int_equal(failed, 0);
	assert_true(passed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_rfc_8032_says),
		cmocka_unit_test(refuses_every_flipped_bit_of_a_signature),
		cmocka_unit_test(a_key_file_reads_back_as_the_same_key),
		cmocka_unit_test(refuses_other_spellings_of_a_key_file),
		cmocka_unit_test(a_key_id_is_the_half_of_a_hash),
		cmocka_unit_test(accepts_of_the_edge_cases_exactly_what_libsodium_s_rule_says),
		cmocka_unit_test(agrees_with_wycheproof_on_ed25519),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
