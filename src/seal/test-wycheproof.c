/* The primitives that others wrote and this program stands on, as it calls them, against Wycheproof's cases; what is not
 * in use is said to be skipped. */
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/test-tally.h"
#include "base/text.h"

#define FOLDER "wycheproof/"

struct hex {
	uint8_t at[16384];
	size_t len;
};

static bool taken(const json_t *v, const char *key, struct hex *ret)
{
	struct bytes text = json_bytes(v, key);

	ret->len = text.len / 2;
	return text.len % 2 == 0 && ret->len <= sizeof(ret->at) && hex_parse(text, ret->at, ret->len);
}

static struct bytes of(const struct hex *h)
{
	return bytes_from(h->at, h->len);
}

static bool is_valid(const json_t *t)
{
	return bytes_is(json_bytes(t, "result"), "valid");
}

enum outcome { PASSED, FAILED, SKIPPED };

static enum outcome agrees(bool ok)
{
	return ok ? PASSED : FAILED;
}

static enum outcome hkdf_case(const json_t *group, const json_t *t)
{
	static struct hex ikm, salt, info, okm;
	static uint8_t out[255 * SHA256_BYTES];
	size_t size = (size_t)json_int(t, "size");

	if (!taken(t, "ikm", &ikm) || !taken(t, "salt", &salt) || !taken(t, "info", &info) || !taken(t, "okm", &okm))
		return FAILED;
	/* Its callers' lengths are constants: longer ones end the program. Ours takes its label as text. */
	if (size > sizeof(out))
		return SKIPPED;
	if (memchr(info.at, 0, info.len) != NULL || info.len == sizeof(info.at))
		return FAILED;
	info.at[info.len] = '\0';
	hkdf_sha256(of(&ikm), of(&salt), (const char *)info.at, out, size);
	return agrees((okm.len == size && memcmp(out, okm.at, size) == 0) == is_valid(t));
}

static enum outcome hmac_case(const json_t *group, const json_t *t)
{
	static struct hex key, msg, tag;
	uint8_t out[SHA256_BYTES];

	if (!taken(t, "key", &key) || !taken(t, "msg", &msg) || !taken(t, "tag", &tag))
		return FAILED;
	hmac_sha256(of(&key), of(&msg), out);
	return agrees((tag.len == (size_t)json_int(group, "tagSize") / 8 && tag.len <= sizeof(out) &&
		       memcmp(out, tag.at, tag.len) == 0) == is_valid(t));
}

/* "acceptable": computed right, or refused; a shared secret of zeros must be refused. */
static enum outcome x25519_case(const json_t *group, const json_t *t)
{
	static struct hex public, private, shared;
	uint8_t out[crypto_scalarmult_curve25519_BYTES];

	if (!taken(t, "public", &public) || !taken(t, "private", &private) || !taken(t, "shared", &shared) || public.len != 32 ||
	    private.len != 32 || shared.len != sizeof(out))
		return FAILED;
	bool made = crypto_scalarmult_curve25519(out, private.at, public.at) == 0;
	if (sodium_is_zero(shared.at, shared.len))
		return agrees(!made);
	return agrees(made ? memcmp(out, shared.at, sizeof(out)) == 0 : !is_valid(t));
}

static bool seals(EVP_CIPHER_CTX *c, const struct hex *key, const struct hex *iv, const struct hex *aad, const struct hex *msg,
		  const struct hex *ct, const struct hex *tag)
{
	static uint8_t out[16384 + 16];
	uint8_t made[16];
	int len = 0, last = 0;

	return EVP_EncryptInit_ex2(c, EVP_chacha20_poly1305(), key->at, iv->at, NULL) == 1 &&
	       EVP_EncryptUpdate(c, NULL, &len, aad->at, (int)aad->len) == 1 &&
	       EVP_EncryptUpdate(c, out, &len, msg->at, (int)msg->len) == 1 && EVP_EncryptFinal_ex(c, out + len, &last) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, sizeof(made), made) == 1 && (size_t)(len + last) == ct->len &&
	       memcmp(out, ct->at, ct->len) == 0 && memcmp(made, tag->at, sizeof(made)) == 0;
}

static bool opens(EVP_CIPHER_CTX *c, const struct hex *key, const struct hex *iv, const struct hex *aad, const struct hex *msg,
		  const struct hex *ct, struct hex *tag)
{
	static uint8_t out[16384 + 16];
	int len = 0, last = 0;

	return EVP_DecryptInit_ex2(c, EVP_chacha20_poly1305(), key->at, iv->at, NULL) == 1 &&
	       EVP_DecryptUpdate(c, NULL, &len, aad->at, (int)aad->len) == 1 &&
	       EVP_DecryptUpdate(c, out, &len, ct->at, (int)ct->len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, (int)tag->len, tag->at) == 1 &&
	       EVP_DecryptFinal_ex(c, out + len, &last) == 1 && (size_t)(len + last) == msg->len && memcmp(out, msg->at, msg->len) == 0;
}

/* The cipher of sealed files and of stored records; its nonces here have 12 bytes, and no other length can be said. */
static enum outcome chacha_case(const json_t *group, const json_t *t)
{
	static struct hex key, iv, aad, msg, ct, tag;
	EVP_CIPHER_CTX *c;
	bool ok;

	if (taken(t, "iv", &iv) && iv.len != 12)
		return SKIPPED;
	if (!taken(t, "key", &key) || !taken(t, "aad", &aad) || !taken(t, "msg", &msg) || !taken(t, "ct", &ct) ||
	    !taken(t, "tag", &tag) || key.len != 32 || tag.len != 16 || iv.len != 12)
		return FAILED;
	c = EVP_CIPHER_CTX_new();
	assert_non_null(c);
	ok = opens(c, &key, &iv, &aad, &msg, &ct, &tag) == is_valid(t) && seals(c, &key, &iv, &aad, &msg, &ct, &tag) == is_valid(t);
	EVP_CIPHER_CTX_free(c);
	return agrees(ok);
}

static json_t *file_load(const char *name)
{
	const char *shared = getenv("COMITY_SHARED");
	char path[4200];
	json_t *v;

	snprintf(path, sizeof(path), "%.4000s/vectors/" FOLDER "%s", shared == NULL ? "" : shared, name);
	v = shared == NULL ? NULL : json_load_file(path, 0, NULL);
	if (v == NULL)
		printf(FOLDER "%s: not there, skipped\n", name);
	return v;
}

static void all_cases(const char *name, enum outcome (*one)(const json_t *group, const json_t *t), const char *why)
{
	AUTO_JSON *v = file_load(name);
	struct tally tally = { 0 };
	const json_t *group, *t;
	char file[128], what[64];
	size_t i, k;

	if (v == NULL)
		skip();
	json_array_foreach(json_object_get(v, "testGroups"), i, group) {
		json_array_foreach(json_object_get(group, "tests"), k, t) {
			enum outcome got = one(group, t);

			snprintf(what, sizeof(what), "case %d", (int)json_int(t, "tcId"));
			if (got == SKIPPED)
				tally.skipped++;
			else
				tally_case(&tally, got == PASSED, what);
		}
	}
	snprintf(file, sizeof(file), FOLDER "%s", name);
	tally_end(&tally, file, why);
	assert_int_equal(tally.passed + tally.skipped, json_int(v, "numberOfTests"));
	assert_true(tally.passed > 10 * tally.skipped);
}

static void hkdf_agrees(void **state)
{
	all_cases("hkdf_sha256_test.json", hkdf_case, "longer than an output may be: lengths here are constants, and the program ends itself");
}

static void hmac_agrees(void **state)
{
	all_cases("hmac_sha256_test.json", hmac_case, NULL);
}

static void x25519_agrees(void **state)
{
	all_cases("x25519_test.json", x25519_case, NULL);
}

static void chacha20_poly1305_agrees(void **state)
{
	all_cases("chacha20_poly1305_test.json", chacha_case, "nonces that have not 12 bytes cannot be given to it");
}

static void ml_kem_is_not_in_use(void **state)
{
	static const char *const names[] = { "mlkem_768_test.json", "mlkem_768_encaps_test.json", "mlkem_768_keygen_seed_test.json",
					     "mlkem_768_semi_expanded_decaps_test.json" };
	char file[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_JSON *v = file_load(names[i]);

		if (v == NULL)
			skip();
		snprintf(file, sizeof(file), FOLDER "%s", names[i]);
		tally_unread(file, (unsigned)json_int(v, "numberOfTests"), "nothing here seals with ML-KEM");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hkdf_agrees),
		cmocka_unit_test(hmac_agrees),
		cmocka_unit_test(x25519_agrees),
		cmocka_unit_test(chacha20_poly1305_agrees),
		cmocka_unit_test(ml_kem_is_not_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
