/* Envelopes: one spelling, the bytes verified are the bytes used, and keys are counted, not signatures. */
#include "seal/dsse.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#define TYPE "application/vnd.comity.request+json; v=1"
#define KEYID "00112233445566778899aabbccddeeff"
#define SIG64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define ONE "{\"keyid\":\"" KEYID "\",\"sig\":\"" SIG64 "\"}"

static void the_pae_is_that_of_the_published_example(void **state)
{
	uint8_t hash[SHA256_BYTES], want[SHA256_BYTES];
	AUTO_BUF pae = { 0 };

	buf_init(&pae, 256);
	pae_write(bytes_of("http://example.com/HelloWorld"), bytes_of("hello world"), &pae);
	assert_string_equal(buf_text(&pae), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
	pae_hash(bytes_of("http://example.com/HelloWorld"), bytes_of("hello world"), hash);
	sha256(buf_bytes(&pae), want);
	assert_memory_equal(hash, want, sizeof(want));
}

static void the_hash_is_that_of_the_pae_for_types_of_any_length(void **state)
{
	char type[400];
	uint8_t hash[SHA256_BYTES], want[SHA256_BYTES];

	memset(type, 'a', sizeof(type));
	for (size_t len = 0; len <= sizeof(type); len++) {
		AUTO_BUF pae = { 0 };

		buf_init(&pae, 1024);
		pae_write(bytes_from(type, len), bytes_of("{}"), &pae);
		sha256(buf_bytes(&pae), want);
		pae_hash(bytes_from(type, len), bytes_of("{}"), hash);
		assert_memory_equal(hash, want, sizeof(want));
	}
}

static void the_published_envelope_keeps_its_payload(void **state)
{
	const char *shared = getenv("COMITY_SHARED");
	char path[1024];
	const json_t *published;
	AUTO_JSON *all = NULL;
	AUTO_BUF text = { 0 };
	AUTO_BUF pae = { 0 };
	AUTO_BUF payload = { 0 };
	struct err e;

	buf_init(&text, MIB);
	buf_init(&pae, 1024);
	buf_init(&payload, 1024);
	snprintf(path, sizeof(path), "%s/vectors/dsse/vector.json", shared == NULL ? "../shared" : shared);
	if (!file_read(AT_FDCWD, path, &text, &e)) {
		printf("skipped: dsse/vector.json is not here\n");
		skip();
	}
	assert_true(json_parse(buf_bytes(&text), "vector", &all, &e));
	published = json_object_get(all, "envelope");
	assert_true(base64_parse(json_bytes(published, "payload"), true, &payload));
	assert_true(bytes_equal(buf_bytes(&payload), json_bytes(all, "payload")));
	pae_write(json_bytes(published, "payloadType"), buf_bytes(&payload), &pae);
	assert_string_equal(buf_text(&pae), json_text(all, "pae"));
	printf("dsse/vector.json: 2 passed, 0 failed, 1 skipped (its signature is P-256; ours are Ed25519)\n");
}

static void what_is_signed_verifies_and_reads_back(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_SIGN_KEY *other = sign_key_new();
	AUTO_ENVELOPE v = { 0 };
	char keyid[KEY_ID_LEN + 1];
	uint8_t hash[SHA256_BYTES];
	struct err e;
	AUTO_BUF out = { 0 };
	AUTO_BUF again = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	buf_init(&again, ENVELOPE_BYTES_MAX);
	assert_true(envelope_sign(bytes_of(TYPE), bytes_of("{\"a\":1}"), k, &out, &e));
	assert_true(envelope_parse(buf_bytes(&out), &v, &e));
	assert_string_equal(v.type, TYPE);
	assert_true(bytes_is(buf_bytes(&v.payload), "{\"a\":1}"));
	pae_hash(bytes_of(TYPE), bytes_of("{\"a\":1}"), hash);
	assert_memory_equal(v.hash, hash, sizeof(hash));
	key_id_write(sign_key_public(k), keyid);
	assert_int_equal(v.signature_count, 1);
	assert_string_equal(v.signatures[0].keyid, keyid);
	assert_true(envelope_signed_by(&v, sign_key_public(k)));
	assert_false(envelope_signed_by(&v, sign_key_public(other)));
	assert_true(envelope_write_of(bytes_of(v.type), buf_bytes(&v.payload), v.signatures, 1, &again, &e));
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
}

static void keyid_is_a_hint_and_never_a_decision(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_SIGN_KEY *other = sign_key_new();
	AUTO_ENVELOPE v = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(envelope_sign(bytes_of(TYPE), bytes_of("{}"), k, &out, NULL));
	assert_true(envelope_parse(buf_bytes(&out), &v, NULL));
	key_id_write(sign_key_public(other), v.signatures[0].keyid);
	assert_true(envelope_signed_by(&v, sign_key_public(k)));
	assert_false(envelope_signed_by(&v, sign_key_public(other)));
}

static void every_flipped_byte_is_noticed(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	char keyid[KEY_ID_LEN + 1];
	AUTO_BUF out = { 0 };

	key_id_write(sign_key_public(k), keyid);
	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(envelope_sign(bytes_of(TYPE), bytes_of("{\"a\":\"preserve\"}"), k, &out, NULL));
	for (size_t i = 0; i < out.len; i++) {
		AUTO_ENVELOPE v = { 0 };
		size_t at = (size_t)(strstr(buf_text(&out), keyid) - (const char *)out.at);

		/* The hint is not signed. */
		if (i >= at && i < at + KEY_ID_LEN)
			continue;
		out.at[i] ^= 1;
		if (envelope_parse(buf_bytes(&out), &v, NULL))
			assert_false(envelope_signed_by(&v, sign_key_public(k)));
		out.at[i] ^= 1;
	}
}

static void refuses_every_other_spelling(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[]",
		/* order, space, tail */
		"{\"payloadType\":\"t\",\"payload\":\"e30=\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e30=\", \"payloadType\":\"t\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[" ONE "]}\n",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[" ONE ",]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[" ONE "],\"x\":1}",
		"{\"payload\":\"e30=\",\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[" ONE "]}",
		/* base64: no padding, other alphabet, left-over bits */
		"{\"payload\":\"e30\",\"payloadType\":\"t\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e31=\",\"payloadType\":\"t\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"_-8=\",\"payloadType\":\"t\",\"signatures\":[" ONE "]}",
		/* escapes where none are needed, or at all */
		"{\"payload\":\"e30=\",\"payloadType\":\"\\u0074\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"\\\"\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"\xc3\xa9\",\"signatures\":[" ONE "]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"\",\"signatures\":[" ONE "]}",
		/* signatures: none, of other forms */
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"" SIG64 "\"}]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"" KEYID "\",\"sig\":\"AAEC\"}]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"00\",\"sig\":\"" SIG64 "\"}]}",
		"{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":"
		"\"00112233445566778899AABBCCDDEEFF\",\"sig\":\"" SIG64 "\"}]}",
	};
	AUTO_ENVELOPE good = { 0 };
	struct err e;

	assert_true(envelope_parse(
		bytes_of("{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[" ONE "," ONE "]}"), &good, &e));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct envelope v = { 0 };

		assert_false(envelope_parse(bytes_of(bad[i]), &v, &e));
		assert_true(e.text[0] != '\0' && e.kind == ERR_INPUT);
		assert_null(v.payload.at); /* left released */
	}
}

/* Signs one payload with several keys. */
static void sign_with(struct sign_key *const *keys, size_t n, struct buf *out)
{
	struct envelope_signature sigs[ENVELOPE_SIGNATURES_MAX];
	AUTO_BUF pae = { 0 };

	buf_init(&pae, 1024);
	pae_write(bytes_of(TYPE), bytes_of("{}"), &pae);
	for (size_t i = 0; i < n; i++) {
		sign_key_sign(keys[i], buf_bytes(&pae), sigs[i].sig);
		key_id_write(sign_key_public(keys[i]), sigs[i].keyid);
	}
	assert_true(envelope_write_of(bytes_of(TYPE), bytes_of("{}"), sigs, n, out, NULL));
}

static void k_of_n_counts_distinct_trusted_keys(void **state)
{
	AUTO_SIGN_KEY *a = sign_key_new();
	AUTO_SIGN_KEY *b = sign_key_new();
	AUTO_SIGN_KEY *c = sign_key_new();
	struct sign_key *const signers[] = { a, a, b, a };
	uint8_t trusted[4][SIGN_PUBLIC_BYTES];
	const uint8_t (*keys)[SIGN_PUBLIC_BYTES] = (const uint8_t (*)[SIGN_PUBLIC_BYTES])trusted;
	AUTO_ENVELOPE v = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	sign_with(signers, 4, &out);
	assert_true(envelope_parse(buf_bytes(&out), &v, NULL));
	assert_int_equal(v.signature_count, 4);
	memcpy(trusted[0], sign_key_public(a), SIGN_PUBLIC_BYTES);
	memcpy(trusted[1], sign_key_public(a), SIGN_PUBLIC_BYTES);
	memcpy(trusted[2], sign_key_public(b), SIGN_PUBLIC_BYTES);
	memcpy(trusted[3], sign_key_public(c), SIGN_PUBLIC_BYTES);
	assert_int_equal(envelope_signed_by_how_many(&v, keys, 2), 1);
	assert_int_equal(envelope_signed_by_how_many(&v, keys, 4), 2);
	assert_int_equal(envelope_signed_by_how_many(&v, keys, 0), 0);
}

static void limits_hold_to_the_byte(void **state)
{
	static uint8_t payload[STATEMENT_BYTES_MAX + 1];
	struct envelope_signature sigs[ENVELOPE_SIGNATURES_MAX + 1];
	char type[ENVELOPE_TYPE_BYTES_MAX + 1];
	AUTO_ENVELOPE v = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	memset(sigs, 0, sizeof(sigs));
	memset(type, 't', sizeof(type));
	for (size_t i = 0; i <= ENVELOPE_SIGNATURES_MAX; i++)
		snprintf(sigs[i].keyid, sizeof(sigs[i].keyid), "%s", KEYID);
	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(envelope_write_of(bytes_from(type, ENVELOPE_TYPE_BYTES_MAX),
				      bytes_from(payload, STATEMENT_BYTES_MAX), sigs, ENVELOPE_SIGNATURES_MAX,
				      &out, &e));
	assert_true(envelope_parse(buf_bytes(&out), &v, &e));
	assert_int_equal(v.payload.len, STATEMENT_BYTES_MAX);
	buf_clear(&out);
	assert_false(envelope_write_of(bytes_of(TYPE), BYTES_ARRAY(payload), sigs, 1, &out, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_false(envelope_write_of(BYTES_ARRAY(type), bytes_of("{}"), sigs, 1, &out, &e));
	assert_false(envelope_write_of(bytes_of(TYPE), bytes_of("{}"), sigs, ENVELOPE_SIGNATURES_MAX + 1, &out, &e));
	assert_false(envelope_write_of(bytes_of(TYPE), bytes_of("{}"), sigs, 0, &out, &e));
	assert_int_equal(out.len, 0);
}

static void inside_json_an_envelope_is_the_same(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_ENVELOPE v = { 0 };
	AUTO_ENVELOPE w = { 0 };
	AUTO_JSON *json = NULL;
	AUTO_BUF out = { 0 };
	AUTO_BUF canonical = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	buf_init(&canonical, ENVELOPE_BYTES_MAX);
	assert_true(envelope_sign(bytes_of(TYPE), bytes_of("{\"n\":7}"), k, &out, NULL));
	assert_true(envelope_parse(buf_bytes(&out), &v, NULL));
	assert_true(envelope_json_of(bytes_of(v.type), buf_bytes(&v.payload), v.signatures, v.signature_count, &json,
				     NULL));
	assert_true(json_write_canonical(json, &canonical, NULL));
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&canonical)));
	assert_true(envelope_parse_json(json, &w, NULL));
	assert_memory_equal(v.hash, w.hash, sizeof(v.hash));
	assert_true(envelope_signed_by(&w, sign_key_public(k)));
	json_put_int(json, "extra", 1);
	envelope_release(&w);
	assert_false(envelope_parse_json(json, &w, NULL));
	assert_null(w.payload.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pae_is_that_of_the_published_example),
		cmocka_unit_test(the_hash_is_that_of_the_pae_for_types_of_any_length),
		cmocka_unit_test(the_published_envelope_keeps_its_payload),
		cmocka_unit_test(what_is_signed_verifies_and_reads_back),
		cmocka_unit_test(keyid_is_a_hint_and_never_a_decision),
		cmocka_unit_test(every_flipped_byte_is_noticed),
		cmocka_unit_test(refuses_every_other_spelling),
		cmocka_unit_test(k_of_n_counts_distinct_trusted_keys),
		cmocka_unit_test(limits_hold_to_the_byte),
		cmocka_unit_test(inside_json_an_envelope_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
