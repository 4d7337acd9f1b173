/* A witness against the table of c2sp.org/tlog-witness (crypto.md 1.6), and against what another implementation has
 * published. For an origin that it does not know the specification says 404; a snapshot of recorded exchanges with an
 * older witness answered 403 there. We follow the specification. */
#include "log/test-witness-scene.h"
#include "log/watched.h"

/* --- claims ---------------------------------------------------------------------------------------------------- */

static void cosigns_every_step_of_a_growing_log(void **state)
{
	struct scene *s = scene_new();
	uint64_t old = 0;
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	for (size_t size = 1; size <= LEAVES; size += 1 + size / 3) {
		struct note n;
		struct checkpoint c;
		int64_t time_s;

		assert_int_equal(grow(s, old, size, &body), 200);
		assert_int_equal(s->state.size, size);
		/* What is kept for monitors is the checkpoint with the log's line and ours, as it was answered. */
		assert_ok(checkpoint_verify(buf_bytes(&s->note), &s->log_key, &c, e));
		assert_int_equal(c.size, size);
		assert_ok(note_parse(buf_bytes(&s->note), &n, e));
		assert_int_equal(n.signature_count, 2);
		assert_ok(cosignature_verify(&n, &s->self, &time_s, e));
		assert_int_equal(time_s, NOW_S);
		assert_true(body.len < s->note.len && memcmp(s->note.at + s->note.len - body.len, body.at, body.len) == 0);
		old = size;
	}
	scene_free(s);
}

/* c2sp.org/tlog-checkpoint: the name SHOULD match the origin. */
static void a_logs_key_may_have_another_name_than_its_origin(void **state)
{
	struct scene *s = scene_new();
	struct checkpoint c = { .origin = ORIGIN, .size = 3 }, kept;
	AUTO_BUF text = { 0 }, note = { 0 };

	buf_init(&text, 4 * KIB);
	buf_init(&note, 4 * KIB);
	note_key_make("key.example", NOTE_ED25519, sign_key_public(s->log), &s->log_key);
	assert_int_equal(grow(s, 0, 3, NULL), 403); /* signed by a key of another name is signed by another key */
	root_of((const merkle_hash *)s->leaves, 3, c.root);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), "key.example", s->log, &note, e));
	assert_int_equal(send_note(s, 0, NULL, 0, buf_bytes(&note), NULL), 200);
	assert_int_equal(s->state.size, 3);
	assert_ok(checkpoint_verify_of(buf_bytes(&s->note), ORIGIN, &s->log_key, &kept, e));
	assert_refused(checkpoint_verify(buf_bytes(&s->note), &s->log_key, &kept, e), REASON_UNKNOWN_KEY);
	assert_refused(checkpoint_verify_of(buf_bytes(&s->note), "other.example", &s->log_key, &kept, e), REASON_UNKNOWN_KEY);
	scene_free(s);
}

static void the_same_checkpoint_again_is_cosigned_again(void **state)
{
	struct scene *s = scene_new();

	assert_int_equal(grow(s, 0, 9, NULL), 200);
	assert_int_equal(grow(s, 9, 9, NULL), 200);
	scene_free(s);
}

static void an_unknown_origin_is_404_before_any_signature_is_looked_at(void **state)
{
	struct scene *s = scene_new();
	merkle_hash root;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	root_of((const merkle_hash *)s->leaves, 3, root);
	note_of(s, "other.example", 3, root, &note);
	assert_int_equal(send_note(s, 0, NULL, 0, buf_bytes(&note), NULL), 404);
	/* Also when all the rest is wrong. */
	assert_int_equal(send_note(s, 7, NULL, 0, buf_bytes(&note), NULL), 404);
	scene_free(s);
}

static void a_signature_that_is_not_the_logs_is_403_before_sizes_are_looked_at(void **state)
{
	struct scene *s = scene_new();
	struct sign_key *other = sign_key_new(), *log = s->log;
	merkle_hash root;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	assert_int_equal(grow(s, 0, 5, NULL), 200);
	root_of((const merkle_hash *)s->leaves, 6, root);
	s->log = other; /* unknown key */
	note_of(s, ORIGIN, 6, root, &note);
	s->log = log;
	assert_int_equal(send_note(s, 5, NULL, 0, buf_bytes(&note), NULL), 403);
	assert_int_equal(send_note(s, 99, NULL, 0, buf_bytes(&note), NULL), 403);
	buf_clear(&note);
	note_of(s, ORIGIN, 6, root, &note); /* the known key, with a signature of another text */
	note.at[sizeof(ORIGIN)] = '7';
	assert_int_equal(send_note(s, 5, NULL, 0, buf_bytes(&note), NULL), 403);
	assert_int_equal(s->state.size, 5);
	sign_key_free(other);
	scene_free(s);
}

static void an_old_size_beyond_the_new_one_is_400(void **state)
{
	struct scene *s = scene_new();
	merkle_hash root;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	assert_int_equal(grow(s, 0, 9, NULL), 200);
	root_of((const merkle_hash *)s->leaves, 5, root);
	note_of(s, ORIGIN, 5, root, &note);
	assert_int_equal(send_note(s, 9, NULL, 0, buf_bytes(&note), NULL), 400);
	assert_int_equal(s->state.size, 9);
	scene_free(s);
}

static void a_caller_who_errs_about_our_state_is_told_it(void **state)
{
	struct scene *s = scene_new();
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	assert_int_equal(grow(s, 3, 9, &body), 409); /* never seen */
	assert_string_equal(buf_text(&body), "0\n");
	assert_false(s->found);
	assert_int_equal(grow(s, 0, 9, NULL), 200);
	assert_int_equal(grow(s, 0, 20, &body), 409);
	assert_string_equal(buf_text(&body), "9\n");
	assert_int_equal(grow(s, 8, 20, &body), 409);
	/* A smaller tree, rightly signed: the size, and no cosignature. */
	assert_int_equal(grow(s, 4, 4, &body), 409);
	assert_string_equal(buf_text(&body), "9\n");
	assert_int_equal(s->state.size, 9);
	scene_free(s);
}

static void a_fork_is_never_cosigned(void **state)
{
	struct scene *s = scene_new();
	merkle_hash root, proof[PROOF_HASHES_MAX];
	size_t count;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	assert_int_equal(grow(s, 0, 9, NULL), 200);
	s->leaves[4][0] ^= 1;
	root_of((const merkle_hash *)s->leaves, 9, root); /* same size, other root */
	note_of(s, ORIGIN, 9, root, &note);
	assert_int_equal(send_note(s, 9, NULL, 0, buf_bytes(&note), NULL), 422);
	for (size_t size = 10; size <= LEAVES; size++) {
		buf_clear(&note);
		count = proof_of(s, 9, size, proof);
		root_of((const merkle_hash *)s->leaves, size, root);
		note_of(s, ORIGIN, size, root, &note);
		assert_int_equal(send_note(s, 9, (const merkle_hash *)proof, count, buf_bytes(&note), NULL), 422);
		assert_int_equal(send_note(s, 9, NULL, 0, buf_bytes(&note), NULL), 422);
	}
	assert_int_equal(s->state.size, 9);
	scene_free(s);
}

static void a_proof_with_one_bit_changed_a_hash_more_or_less_is_422(void **state)
{
	struct scene *s = scene_new();
	merkle_hash root, proof[PROOF_HASHES_MAX];
	size_t count;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	assert_int_equal(grow(s, 0, 11, NULL), 200);
	count = proof_of(s, 11, 50, proof);
	root_of((const merkle_hash *)s->leaves, 50, root);
	note_of(s, ORIGIN, 50, root, &note);
	for (size_t i = 0; i < count; i++) {
		proof[i][i % SHA256_BYTES] ^= 0x10;
		assert_int_equal(send_note(s, 11, (const merkle_hash *)proof, count, buf_bytes(&note), NULL), 422);
		proof[i][i % SHA256_BYTES] ^= 0x10;
	}
	assert_int_equal(send_note(s, 11, (const merkle_hash *)proof, count - 1, buf_bytes(&note), NULL), 422);
	memset(proof[count], 7, SHA256_BYTES);
	assert_int_equal(send_note(s, 11, (const merkle_hash *)proof, count + 1, buf_bytes(&note), NULL), 422);
	assert_int_equal(send_note(s, 11, (const merkle_hash *)proof, count, buf_bytes(&note), NULL), 200);
	scene_free(s);
}

static void a_proof_from_nothing_is_422(void **state)
{
	struct scene *s = scene_new();
	merkle_hash root, proof[1] = { { 1 } };
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	root_of((const merkle_hash *)s->leaves, 3, root);
	note_of(s, ORIGIN, 3, root, &note);
	assert_int_equal(send_note(s, 0, (const merkle_hash *)proof, 1, buf_bytes(&note), NULL), 422);
	assert_false(s->found);
	scene_free(s);
}

static void an_empty_tree_has_one_root(void **state)
{
	struct scene *s = scene_new();
	merkle_hash wrong = { 1 };
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	note_of(s, ORIGIN, 0, wrong, &note);
	assert_int_equal(send_note(s, 0, NULL, 0, buf_bytes(&note), NULL), 422);
	assert_false(s->found);
	assert_int_equal(grow(s, 0, 0, NULL), 200);
	assert_true(s->found);
	assert_int_equal(send_note(s, 0, NULL, 0, buf_bytes(&note), NULL), 422);
	assert_int_equal(grow(s, 0, 0, NULL), 200);
	assert_int_equal(grow(s, 0, 7, NULL), 200);
	assert_int_equal(grow(s, 0, 0, NULL), 409);
	scene_free(s);
}

static unsigned send_text(struct scene *s, const char *head, struct bytes note, const char *tail)
{
	struct witness_answer a;
	AUTO_BUF request = { 0 };

	buf_init(&request, MIB);
	buf_add_text(&request, head);
	buf_add(&request, note);
	buf_add_text(&request, tail);
	a = send_bytes(s, buf_bytes(&request));
	buf_release(&a.body);
	return a.status;
}

static void what_is_spelled_otherwise_is_400(void **state)
{
	static const char *const heads[] = {
		"", "\n", "old\n\n", "old 0\n", "old 00\n\n", "old +0\n\n", "old 0 \n\n", "Old 0\n\n", "old 0\r\n\r\n", "old -1\n\n",
		"old 9223372036854775808\n\n", "old 99999999999999999999999\n\n", "old 0\nAAAA\n\n", "old 0\n\n\n",
		"old 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n", " old 0\n\n", "old 0\nold 0\n\n",
	};
	static const char *const tails[] = { "\n", "x", "\n\n", "\xe2\x80\x94 x\n", " " };
	struct scene *s = scene_new();
	merkle_hash root;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	root_of((const merkle_hash *)s->leaves, 3, root);
	note_of(s, ORIGIN, 3, root, &note);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (send_text(s, heads[i], buf_bytes(&note), "") != 400)
			fail_msg("\"%s\" was not refused", heads[i]);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (send_text(s, "old 0\n\n", buf_bytes(&note), tails[i]) != 400)
			fail_msg("\"%s\" behind the note was not refused", tails[i]);
	for (size_t len = 0; len < note.len; len++)
		assert_int_equal(send_text(s, "old 0\n\n", bytes_from(note.at, len), ""), 400);
	assert_false(s->found);
	assert_int_equal(send_text(s, "old 0\n\n", buf_bytes(&note), ""), 200);
	scene_free(s);
}

static void sixty_three_hashes_are_read_and_one_more_is_400(void **state)
{
	struct scene *s = scene_new();
	static const char line[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	merkle_hash root;
	AUTO_BUF note = { 0 }, head = { 0 };

	buf_init(&note, 4 * KIB);
	buf_init(&head, 64 * KIB);
	assert_int_equal(grow(s, 0, 3, NULL), 200);
	root_of((const merkle_hash *)s->leaves, 9, root);
	note_of(s, ORIGIN, 9, root, &note);
	buf_add_text(&head, "old 3\n");
	for (size_t i = 0; i < PROOF_HASHES_MAX; i++)
		buf_add_text(&head, line);
	buf_add_text(&head, "\n");
	assert_int_equal(send_text(s, buf_text(&head), buf_bytes(&note), ""), 422);
	head.len--;
	buf_add_text(&head, line);
	buf_add_text(&head, "\n");
	assert_int_equal(send_text(s, buf_text(&head), buf_bytes(&note), ""), 400);
	scene_free(s);
}

static void nothing_is_cosigned_that_could_not_be_kept(void **state)
{
	struct scene *s = scene_new();
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	s->put_refused = true;
	assert_int_equal(grow(s, 0, 3, &body), 500);
	assert_null(strstr(buf_text(&body), "w.example"));
	s->put_refused = false;
	s->broken = true;
	assert_int_equal(grow(s, 0, 3, &body), 500);
	s->broken = false;
	assert_int_equal(grow(s, 0, 3, &body), 200);
	scene_free(s);
}

static void other_lines_of_a_note_are_not_passed_on(void **state)
{
	struct scene *s = scene_new();
	struct sign_key *other = sign_key_new();
	merkle_hash root;
	struct note n;
	struct note_key other_key;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	root_of((const merkle_hash *)s->leaves, 3, root);
	note_of(s, ORIGIN, 3, root, &note);
	note_key_make("stranger.example", NOTE_COSIGNATURE, sign_key_public(other), &other_key);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	assert_ok(cosignature_sign(n.text, "stranger.example", other, NOW_S, &note, e));
	assert_int_equal(send_note(s, 0, NULL, 0, buf_bytes(&note), NULL), 200);
	assert_null(memmem(s->note.at, s->note.len, "stranger", 8));
	sign_key_free(other);
	scene_free(s);
}

/* --- published by others ----------------------------------------------------------------------------------------- */

#define VECTORS "tlog-witness-mirror-sunlight"

static void published_folder(int dir, const char *folder, const char *origin, const char *vkey, struct tally *sum)
{
	char hex[2 * SHA256_BYTES + 1], path[200], name[256];
	struct note_key self;
	struct checkpoint c;
	struct note n;
	int64_t time_s;
	AUTO_BUF in = { 0 };

	buf_init(&in, NOTE_BYTES_MAX);
	witness_origin_hex(origin, hex);
	snprintf(path, sizeof(path), "testdata/%s/%s/checkpoint", folder, hex);
	snprintf(name, sizeof(name), VECTORS "/%s", path);
	tally_file(sum, name, file_read(dir, path, &in, NULL) && note_key_parse(bytes_of(vkey), &self, NULL) &&
		   note_parse(buf_bytes(&in), &n, NULL) && checkpoint_parse(n.text, &c, NULL) && strcmp(c.origin, origin) == 0 &&
		   cosignature_verify(&n, &self, &time_s, NULL) && time_s == INT64_C(0x69546780),
		   "where a witness publishes it, by the name of the log");
}

static void folders_of_another_witness_are_where_we_say_and_verify(void **state)
{
	int dir = vectors_open(VECTORS);
	struct tally sum = { 0 };

	if (dir < 0)
		skip();
	published_folder(dir, "witness", "rome2026h1.example.org", "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN", &sum);
	published_folder(dir, "witness2", "milan2026h1.example.org", "witness2.example.org+2e55b896+BIZ7fpceQWd60IfqQeS9IAnmNOCZjMDne8lZuguz/bi9", &sum);
	close(dir);
	assert_int_equal(sum.failed, 0);
	assert_int_equal(sum.passed, 2);
}

/* --- the list of logs ----------------------------------------------------------------------------------------------- */

static void a_list_of_logs_is_strict_and_found_by_origin(void **state)
{
	static const char *const bad[] = { "log\n", "log x\n", "log %s url more\n", "witness %s\n", "log %s\nlog %s\n", "quorum none\n", "log %s \x01\n",
					   "origin log.example\n", "log %s\norigin \n", "log %s\norigin a\norigin b\n", "log %s\norigin a\tb\n",
					   "log %s\norigin \xff\n", "log %s\norigin\n" };
	struct scene *s = scene_new();
	AUTO_WATCHED w = { 0 };
	AUTO_BUF vkey = { 0 }, text = { 0 }, again = { 0 };

	buf_init(&vkey, 4 * KIB);
	buf_init(&text, 16 * KIB);
	buf_init(&again, 16 * KIB);
	note_key_write(&s->log_key, &vkey);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[2048];
		struct watched none;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(line, sizeof(line), bad[i], buf_text(&vkey), buf_text(&vkey));
#pragma GCC diagnostic pop
		if (watched_parse(bytes_of(line), &none, NULL))
			fail_msg("taken: %s", line);
	}
	buf_add_format(&text, "# logs\n\n \t\nlog\t%s   https://log.example/2027 \n", buf_text(&vkey));
	assert_ok(watched_parse(buf_bytes(&text), &w, e));
	assert_int_equal(w.count, 1);
	assert_string_equal(watched_find(&w, ORIGIN)->url, "https://log.example/2027");
	assert_null(watched_find(&w, "other"));
	watched_write(&w, &again);
	buf_clear(&text);
	buf_add_format(&text, "log %s https://log.example/2027\n", buf_text(&vkey));
	assert_string_equal(buf_text(&again), buf_text(&text));
	scene_free(s);
}

static void an_origin_line_names_the_log_above_it(void **state)
{
	struct scene *s = scene_new();
	AUTO_WATCHED w = { 0 };
	AUTO_BUF vkey = { 0 }, text = { 0 }, again = { 0 };
	struct watched none;

	buf_init(&vkey, 4 * KIB);
	buf_init(&text, 16 * KIB);
	buf_init(&again, 16 * KIB);
	note_key_write(&s->log_key, &vkey);
	/* One key of two logs. */
	buf_add_format(&text, "log %s https://a.example\norigin a database, its tree\nlog %s\n", buf_text(&vkey), buf_text(&vkey));
	assert_ok(watched_parse(buf_bytes(&text), &w, e));
	assert_int_equal(w.count, 2);
	assert_string_equal(watched_find(&w, "a database, its tree")->url, "https://a.example");
	assert_string_equal(watched_find(&w, "a database, its tree")->key.name, ORIGIN);
	assert_string_equal(watched_find(&w, ORIGIN)->url, "");
	watched_write(&w, &again);
	assert_string_equal(buf_text(&again), buf_text(&text));
	buf_clear(&text);
	buf_add_format(&text, "log %s\norigin a\nlog %s\norigin a\n", buf_text(&vkey), buf_text(&vkey));
	assert_refused(watched_parse(buf_bytes(&text), &none, e), REASON_BAD_FIELD);
	/* Its key's name is not said again. */
	buf_clear(&text);
	buf_clear(&again);
	watched_release(&w);
	buf_add_format(&text, "log %s\n# between\norigin " ORIGIN "\n", buf_text(&vkey));
	assert_ok(watched_parse(buf_bytes(&text), &w, e));
	watched_write(&w, &again);
	assert_null(strstr(buf_text(&again), "origin "));
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cosigns_every_step_of_a_growing_log),
		cmocka_unit_test(a_logs_key_may_have_another_name_than_its_origin),
		cmocka_unit_test(the_same_checkpoint_again_is_cosigned_again),
		cmocka_unit_test(an_unknown_origin_is_404_before_any_signature_is_looked_at),
		cmocka_unit_test(a_signature_that_is_not_the_logs_is_403_before_sizes_are_looked_at),
		cmocka_unit_test(an_old_size_beyond_the_new_one_is_400),
		cmocka_unit_test(a_caller_who_errs_about_our_state_is_told_it),
		cmocka_unit_test(a_fork_is_never_cosigned),
		cmocka_unit_test(a_proof_with_one_bit_changed_a_hash_more_or_less_is_422),
		cmocka_unit_test(a_proof_from_nothing_is_422),
		cmocka_unit_test(an_empty_tree_has_one_root),
		cmocka_unit_test(what_is_spelled_otherwise_is_400),
		cmocka_unit_test(sixty_three_hashes_are_read_and_one_more_is_400),
		cmocka_unit_test(nothing_is_cosigned_that_could_not_be_kept),
		cmocka_unit_test(other_lines_of_a_note_are_not_passed_on),
		cmocka_unit_test(folders_of_another_witness_are_where_we_say_and_verify),
		cmocka_unit_test(a_list_of_logs_is_strict_and_found_by_origin),
		cmocka_unit_test(an_origin_line_names_the_log_above_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
