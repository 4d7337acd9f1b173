/* Proof files: the published bad ones are refused, ours make the round trip, and only the right leaf
 * under the right key is proved. */
#include "log/test-vectors.h"
#include "log/tlog-proof.h"

struct fixture {
	struct sign_key *k;
	struct note_key key;
	struct buf note, proof;
	merkle_hash leaves[3], root, ab;
};

/* A tree of the leaves a, b, c, and the proof of b. */
static void make(struct fixture *f)
{
	struct checkpoint c = { .origin = "xa.example/log", .size = 3 };
	struct tlog_proof p = { .index = 1, .hash_count = 2 };
	static const char *const entries[] = { "a", "b", "c" };
	AUTO_BUF text = { 0 };

	f->k = sign_key_new();
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(f->k), &f->key);
	for (size_t i = 0; i < 3; i++)
		merkle_leaf(bytes_of(entries[i]), f->leaves[i]);
	merkle_node(f->leaves[0], f->leaves[1], f->ab);
	merkle_node(f->ab, f->leaves[2], f->root);
	memcpy(c.root, f->root, 32);
	memcpy(p.hashes[0], f->leaves[0], 32);
	memcpy(p.hashes[1], f->leaves[2], 32);
	buf_init(&text, 1024);
	buf_init(&f->note, 4096);
	buf_init(&f->proof, 8192);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), "xa.example/log", f->k, &f->note, e));
	p.note = buf_bytes(&f->note);
	tlog_proof_write(&p, &f->proof);
}

static void drop(struct fixture *f)
{
	sign_key_free(f->k);
	buf_release(&f->note);
	buf_release(&f->proof);
}

static void proves_the_leaf_and_no_other(void **state)
{
	struct fixture f = { 0 };
	struct checkpoint c;
	struct checkpoint_cache *cache = checkpoint_cache_new();
	AUTO_SIGN_KEY *other = sign_key_new();
	struct note_key wrong;
	uint64_t index = 0;

	make(&f);
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(other), &wrong);
	for (int i = 0; i < 2; i++) {
		struct checkpoint_cache *with = i == 0 ? NULL : cache;

		assert_ok(tlog_proof_check(buf_bytes(&f.proof), bytes_of("b"), &f.key, with, &c, &index, e));
		assert_int_equal(index, 1);
		assert_int_equal(c.size, 3);
		assert_refused(tlog_proof_check(buf_bytes(&f.proof), bytes_of("a"), &f.key, with, &c, &index, e), REASON_BAD_PROOF);
		assert_refused(tlog_proof_check(buf_bytes(&f.proof), bytes_of("b"), &wrong, with, &c, &index, e), REASON_BAD_SIGNATURE);
		assert_refused(tlog_proof_check(bytes_of(""), bytes_of("b"), &f.key, with, &c, &index, e), REASON_UNLOGGED);
		assert_refused(tlog_proof_check(bytes_of("x"), bytes_of("b"), &f.key, with, &c, &index, e), REASON_BAD_PROOF);
	}
	assert_ok(tlog_proof_check_of(buf_bytes(&f.proof), bytes_of("b"), "xa.example/log", &f.key, &c, &index, e));
	assert_refused(tlog_proof_check_of(buf_bytes(&f.proof), bytes_of("b"), "xb.example/log", &f.key, &c, &index, e), REASON_BAD_SIGNATURE);
	/* The text as a whole, one byte changed at a time: never another truth. */
	for (size_t i = 0; i < f.proof.len; i++) {
		f.proof.at[i] ^= 1;
		if (tlog_proof_check(buf_bytes(&f.proof), bytes_of("b"), &f.key, NULL, &c, &index, NULL))
			fail_msg("byte %zu does not matter", i);
		f.proof.at[i] ^= 1;
	}
	checkpoint_cache_free(cache);
	drop(&f);
}

static void keeps_extra_and_does_not_believe_it(void **state)
{
	struct fixture f = { 0 };
	struct tlog_proof p;
	struct checkpoint c;
	uint64_t index;
	AUTO_BUF with = { 0 }, again = { 0 };

	make(&f);
	buf_init(&with, 8192);
	buf_init(&again, 8192);
	assert_ok(tlog_proof_parse(buf_bytes(&f.proof), &p, e));
	p.extra = bytes_of("b3BlbmluZw==");
	tlog_proof_write(&p, &with);
	assert_ok(tlog_proof_check(buf_bytes(&with), bytes_of("b"), &f.key, NULL, &c, &index, e));
	assert_ok(tlog_proof_parse(buf_bytes(&with), &p, e));
	assert_true(bytes_is(p.extra, "b3BlbmluZw=="));
	tlog_proof_write(&p, &again);
	assert_true(bytes_equal(buf_bytes(&with), buf_bytes(&again)));
	drop(&f);
}

static void refuses_the_published_bad_ones(void **state)
{
	int fd = vectors_open("tlog-proof");
	unsigned passed = 0, failed = 0;
	struct fixture f = { 0 };

	if (fd < 0)
		skip();
	make(&f);
	AUTO_JSON *v = vectors_json(fd, "invalid.json");
	const json_t *list = json_object_get(v, "invalid");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(json_array_get(list, i), 1));
		const char *end = strstr(text, "\n\ncheckpoint\n");
		struct tlog_proof p;
		AUTO_BUF whole = { 0 };

		/* Theirs end in a word instead of a checkpoint, which alone would be refused here. */
		buf_init(&whole, 8192);
		buf_add(&whole, bytes_from(text, end == NULL ? strlen(text) : (size_t)(end + 2 - text)));
		buf_add(&whole, buf_bytes(&f.note));
		if (tlog_proof_parse(buf_bytes(&whole), &p, NULL) || tlog_proof_parse(bytes_of(text), &p, NULL))
			failed++;
		else
			passed++;
	}
	printf("tlog-proof/invalid.json: %u passed, %u failed, 0 skipped (no cosignature policy in it)\n", passed, failed);
	drop(&f);
	close(fd);
	assert_int_equal(failed, 0);
	assert_true(passed >= 7);
}

static void takes_63_hashes_and_not_64(void **state)
{
	struct fixture f = { 0 };
	struct tlog_proof p;
	AUTO_BUF text = { 0 };

	make(&f);
	for (unsigned n = PROOF_HASHES_MAX; n <= PROOF_HASHES_MAX + 1; n++) {
		buf_init(&text, 16384);
		buf_add_text(&text, "c2sp.org/tlog-proof@v1\nindex 0\n");
		for (unsigned i = 0; i < n; i++)
			buf_add_text(&text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
		buf_add_u8(&text, '\n');
		buf_add(&text, buf_bytes(&f.note));
		if (n == PROOF_HASHES_MAX)
			assert_ok(tlog_proof_parse(buf_bytes(&text), &p, e));
		else
			assert_refused(tlog_proof_parse(buf_bytes(&text), &p, e), REASON_TOO_LARGE);
		buf_release(&text);
	}
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proves_the_leaf_and_no_other),
		cmocka_unit_test(keeps_extra_and_does_not_believe_it),
		cmocka_unit_test(refuses_the_published_bad_ones),
		cmocka_unit_test(takes_63_hashes_and_not_64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
