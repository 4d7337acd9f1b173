/* Signed notes and checkpoints: one spelling, and trust only in keys that were asked about. */
#include "log/checkpoint.h"
#include "log/test-vectors.h"

static const char skey_peter[] = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

static void parse_key(const char *vkey, struct note_key *ret)
{
	AUTO_BUF again = { 0 };

	assert_ok(note_key_parse(bytes_of(vkey), ret, e));
	buf_init(&again, 1024);
	note_key_write(ret, &again);
	assert_string_equal(buf_text(&again), vkey);
}

static void check_note(const json_t *vectors, const json_t *v, unsigned *passed, unsigned *failed, unsigned *skipped)
{
	const char *text = json_text(v, "note"), *hex = json_text(v, "note_hex"), *expect = json_text(v, "expect");
	const json_t *names = json_object_get(v, "keys");
	uint8_t raw[4096];
	size_t raw_len = strlen(hex) / 2;
	struct note n;
	struct err e = { 0 };
	bool known = false, bad = false;
	struct note_key key;

	assert_true(raw_len <= sizeof(raw) && hex_parse(bytes_of(hex), raw, raw_len));
	bool ok = note_parse(raw_len > 0 ? bytes_from(raw, raw_len) : bytes_of(text), &n, &e);
	for (size_t i = 0; ok && i < json_array_size(names) + 1; i++) {
		const char *vkey = i < json_array_size(names)
					   ? json_text(json_object_get(vectors, "vkeys"), json_string_value(json_array_get(names, i)))
					   : json_text(v, "vkey"); /* the specification's example brings its own */

		if (!note_key_parse(bytes_of(vkey), &key, NULL))
			continue;
		if (note_verify(&n, &key, &e))
			known = true;
		else if (e.reason == REASON_BAD_SIGNATURE)
			bad = true;
	}
	bool want = strcmp(expect, "ok") == 0;
	if (!ok && e.reason == REASON_TOO_LARGE && want) {
		printf("  skipped: over our %u signatures (at least 16 must be taken)\n", NOTE_SIGNATURES_MAX);
		(*skipped)++;
	} else if ((ok && known && !bad) == want) {
		(*passed)++;
	} else {
		printf("  failed: expected \"%s\", got \"%s\": %.60s\n", expect, e.text, text);
		(*failed)++;
	}
}

static void agrees_with_the_published_notes(void **state)
{
	int fd = vectors_open("signed-note");
	unsigned passed = 0, failed = 0, skipped = 0;

	if (fd < 0)
		skip();
	AUTO_JSON *v = vectors_json(fd, "vectors.json");
	const json_t *notes = json_object_get(v, "notes"), *bad = json_object_get(v, "bad_vkeys");
	for (size_t i = 0; i < json_array_size(notes); i++)
		check_note(v, json_array_get(notes, i), &passed, &failed, &skipped);
	for (size_t i = 0; i < json_array_size(bad); i++) {
		struct note_key k;

		if (note_key_parse(bytes_of(json_string_value(json_array_get(bad, i))), &k, NULL))
			failed++;
		else
			passed++;
	}
	tally_print(&(struct tally){ passed, failed, skipped }, "signed-note/vectors.json",
		    skipped > 0 ? "more signatures than ours takes, and at least the 16 that it must" : NULL);
	assert_int_equal(failed, 0);
	assert_true(passed > 5);
	close(fd);
}

/* The Go tools' private key of the specification's own example, turned into a key file of ours. */
static struct sign_key *peter(void)
{
	AUTO_BUF seed = { 0 }, file = { 0 };
	struct sign_key *k = NULL;

	buf_init(&seed, 64);
	buf_init(&file, 256);
	assert_true(base64_parse(bytes_of(skey_peter + strlen("PRIVATE+KEY+PeterNeumann+c74f20a3+")), true, &seed));
	assert_int_equal(seed.len, 33);
	buf_add_text(&file, "comity-key-v1 ed25519 ");
	buf_add_hex(&file, bytes_from(seed.at + 1, 32));
	buf_add_text(&file, " peter\n");
	assert_ok(sign_key_parse(buf_bytes(&file), &k, e));
	return k;
}

static void signs_byte_for_byte_as_others_do(void **state)
{
	static const char text[] = "If you think cryptography is the answer to your problem,\n"
				   "then you don't know what your problem is.\n";
	static const char signed_note[] = "If you think cryptography is the answer to your problem,\n"
					  "then you don't know what your problem is.\n\n"
					  "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
	AUTO_SIGN_KEY *k = peter();
	struct note_key key, parsed;
	AUTO_BUF out = { 0 };

	buf_init(&out, 4096);
	assert_ok(note_sign(bytes_of(text), "PeterNeumann", k, &out, e));
	assert_string_equal(buf_text(&out), signed_note);
	note_key_make("PeterNeumann", NOTE_ED25519, sign_key_public(k), &key);
	parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", &parsed);
	assert_int_equal(key.id, parsed.id);
	assert_memory_equal(key.public_key, parsed.public_key, SIGN_PUBLIC_BYTES);
	assert_refused(note_sign(bytes_of("no end"), "PeterNeumann", k, &out, e), REASON_MALFORMED);
	assert_refused(note_sign(bytes_of("x\n"), "Peter Neumann", k, &out, e), REASON_MALFORMED);
	assert_refused(note_sign(bytes_of("x\n"), "Peter+Neumann", k, &out, e), REASON_MALFORMED);
}

#define SIG "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define DASH "\xe2\x80\x94 "

static void refuses_other_spellings(void **state)
{
	static const char *const notes[] = {
		"", "\n", "\n\n", "text\n", "text\n\n", "text\n" DASH SIG, "text\n\n" DASH "PeterNeumann x08go/Y=", "text\n\n- " SIG,
		"text\n\n" DASH " x08go/ZJkuBS\n", "text\n\n" DASH "a+b x08go/ZJkuBS\n", "text\n\n" DASH "a\xc2\xa0""b x08go/ZJkuBS\n",
		"text\n\n" DASH "a\xe2\x80\x83""b x08go/ZJkuBS\n", "text\n\n" DASH "a x08go/ZJkuB\n", "text\n\n" DASH "a x08goA==\n",
		"text\n\n" DASH "a x08go/ZJkuBS \n", "te\txt\n\n" DASH SIG, "te\xff\n\n" DASH SIG, "text\n\n" DASH SIG "\n" , "text\n\n" DASH SIG "x\n",
		"text\r\n\r\n" DASH SIG,
	};
	struct note n;

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		assert_refused(note_parse(bytes_of(notes[i]), &n, e), REASON_MALFORMED);
	assert_ok(note_parse(bytes_of("a\n\nb\n\n" DASH SIG), &n, e));
	assert_true(bytes_is(n.text, "a\n\nb\n"));
}

static void takes_as_many_signatures_as_its_limit(void **state)
{
	struct note n;
	AUTO_BUF b = { 0 };

	buf_init(&b, NOTE_BYTES_MAX);
	buf_add_text(&b, "text\n\n");
	for (unsigned i = 0; i < NOTE_SIGNATURES_MAX; i++)
		buf_add_text(&b, DASH SIG);
	assert_ok(note_parse(buf_bytes(&b), &n, e));
	assert_int_equal(n.signature_count, NOTE_SIGNATURES_MAX);
	buf_add_text(&b, DASH SIG);
	assert_refused(note_parse(buf_bytes(&b), &n, e), REASON_TOO_LARGE);
}

static void checkpoint_note(const struct sign_key *k, const char *origin, uint64_t size, struct buf *out)
{
	struct checkpoint c = { .size = size };
	AUTO_BUF text = { 0 };

	buf_init(&text, 1024);
	snprintf(c.origin, sizeof(c.origin), "%s", origin);
	c.root[0] = (uint8_t)size;
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), origin, k, out, e));
}

static void believes_only_the_key_it_asked_about(void **state)
{
	AUTO_SIGN_KEY *ours = sign_key_new();
	AUTO_SIGN_KEY *other = sign_key_new();
	struct note_key key, other_key, renamed;
	struct checkpoint c;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	checkpoint_note(ours, "xa.example/log", 7, &note);
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(ours), &key);
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(other), &other_key);
	note_key_make("xr.example/log", NOTE_ED25519, sign_key_public(ours), &renamed);
	assert_ok(checkpoint_verify(buf_bytes(&note), &key, &c, e));
	assert_int_equal(c.size, 7);
	assert_refused(checkpoint_verify(buf_bytes(&note), &other_key, &c, e), REASON_UNKNOWN_KEY);
	assert_refused(checkpoint_verify(buf_bytes(&note), &renamed, &c, e), REASON_UNKNOWN_KEY);
	other_key.id = key.id; /* a forged id meets the signature */
	assert_refused(checkpoint_verify(buf_bytes(&note), &other_key, &c, e), REASON_BAD_SIGNATURE);
	key.type = NOTE_COSIGNATURE;
	assert_refused(checkpoint_verify(buf_bytes(&note), &key, &c, e), REASON_BAD_ARGUMENT);
	key.type = NOTE_ED25519;
	for (size_t i = 0; i < 50; i++) { /* of the signed text */
		note.at[i] ^= 1;
		assert_false(checkpoint_verify(buf_bytes(&note), &key, &c, NULL));
		note.at[i] ^= 1;
	}
}

static void reads_one_spelling_of_a_checkpoint(void **state)
{
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	static const char *const bad[] = {
		"", "o\n", "o\n1\n", "\n1\n" ROOT "\n", "o\n01\n" ROOT "\n", "o\n-1\n" ROOT "\n", "o\n+1\n" ROOT "\n", "o\n1 \n" ROOT "\n",
		"o\n1\n" ROOT, "o\n1\nAAAA\n", "o\n18446744073709551616\n" ROOT "\n", "o\n9223372036854775808\n" ROOT "\n",
		"o\n1\n" ROOT "\n\n", "o\n1\n" ROOT "\nextension", "o\t\n1\n" ROOT "\n",
	};
	struct checkpoint c;
	AUTO_BUF again = { 0 };

	buf_init(&again, 1024);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(checkpoint_parse(bytes_of(bad[i]), &c, e), REASON_MALFORMED);
	assert_ok(checkpoint_parse(bytes_of("o\n1\n" ROOT "\nextension\n"), &c, e));
	checkpoint_write(&c, &again);
	assert_string_equal(buf_text(&again), "o\n1\n" ROOT "\n");
}

static void cache_remembers_only_what_verified(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_SIGN_KEY *other = sign_key_new();
	struct checkpoint_cache *cache = checkpoint_cache_new();
	struct note_key key, wrong;
	struct checkpoint c;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(k), &key);
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(other), &wrong);
	for (int round = 0; round < 2; round++)
		for (uint64_t size = 0; size < 100; size++) { /* more than it holds */
			buf_clear(&note);
			checkpoint_note(k, "xa.example/log", size, &note);
			for (int again = 0; again < 2; again++) {
				assert_ok(checkpoint_verify_cached(cache, buf_bytes(&note), &key, &c, e));
				assert_int_equal(c.size, size);
				assert_refused(checkpoint_verify_cached(cache, buf_bytes(&note), &wrong, &c, e), REASON_UNKNOWN_KEY);
			}
			note.at[15] ^= 1; /* the size */
			assert_false(checkpoint_verify_cached(cache, buf_bytes(&note), &key, &c, NULL));
		}
	checkpoint_cache_free(cache);
	checkpoint_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_published_notes),
		cmocka_unit_test(signs_byte_for_byte_as_others_do),
		cmocka_unit_test(refuses_other_spellings),
		cmocka_unit_test(takes_as_many_signatures_as_its_limit),
		cmocka_unit_test(believes_only_the_key_it_asked_about),
		cmocka_unit_test(reads_one_spelling_of_a_checkpoint),
		cmocka_unit_test(cache_remembers_only_what_verified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
