/* A quorum counts each voice once, and says when it was complete. */
#include "log/test-policy.h"

#define TEXT "xa.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

/* A note with cosignatures: times in seconds, 0: not signed. */
static void note_of(const struct scene *s, const int64_t times[WITNESSES], struct buf *out)
{
	buf_clear(out);
	assert_ok(note_sign(bytes_of(TEXT), "xa.example/log", s->log, out, e));
	for (unsigned i = 0; i < WITNESSES; i++)
		if (times[i] != 0)
			assert_ok(cosignature_sign(bytes_of(TEXT), s->witness[i].name, s->keys[i], times[i], out, e));
}

static bool is_excluded(void *ctx, const struct note_key *k)
{
	return note_key_same(ctx, k);
}

static const char by_mandate[] = "witness W1 $1\nwitness W2 $2\nwitness W3 $3\nwitness W4 $4\nwitness W5 $5\n"
				 "group NGO 2 W1 W2 W3\ngroup Q all NGO W4\nquorum Q\n";

static void says_when_the_quorum_was_complete(void **state)
{
	static const struct {
		int64_t times[WITNESSES];
		bool met;
		int64_t quorum_s, newest_s, oldest_s;
		size_t witnesses;
		const char *missing;
	} rows[] = {
		{ { 0 }, false, 0, 0, 0, 0, "W1, W2, W3, W4" },
		{ { 10, 20, 30, 0, 0 }, false, 0, 30, 10, 3, "W4" },
		{ { 10, 0, 0, 5, 0 }, false, 0, 10, 5, 2, "W2, W3" },
		{ { 10, 20, 0, 5, 0 }, true, 20, 20, 5, 3, "W3" },
		{ { 10, 20, 0, 50, 0 }, true, 50, 50, 10, 3, "W3" },
		/* the latest of all came after the quorum */
		{ { 40, 20, 10, 15, 0 }, true, 20, 40, 10, 4, "" },
		{ { 7, 7, 7, 7, 0 }, true, 7, 7, 7, 4, "" },
		/* W5 is listed and has no vote */
		{ { 0, 0, 0, 0, 3 }, false, 0, 0, 0, 0, "W1, W2, W3, W4" },
		{ { 10, 20, 0, 5, 99 }, true, 20, 20, 5, 3, "W3" },
	};
	struct scene s;
	AUTO_BUF note = { 0 };

	scene_set(&s);
	buf_init(&note, NOTE_BYTES_MAX);
	AUTO_POLICY *p = policy_of(&s, by_mandate);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_verdict v;
		struct note n;

		note_of(&s, rows[i].times, &note);
		assert_ok(note_parse(buf_bytes(&note), &n, e));
		assert_ok(policy_evaluate(p, &n, NULL, NULL, &v, e));
		assert_int_equal(v.met, rows[i].met);
		assert_int_equal(v.quorum_ms, rows[i].quorum_s * 1000);
		assert_int_equal(v.newest_ms, rows[i].newest_s * 1000);
		assert_int_equal(v.oldest_ms, rows[i].oldest_s * 1000);
		assert_int_equal(v.witnesses, rows[i].witnesses);
		assert_string_equal(buf_text(&v.missing), rows[i].missing);
		policy_verdict_release(&v);
	}
	scene_strike(&s);
}

static void a_quorum_may_be_one_witness_or_none(void **state)
{
	static const int64_t third[WITNESSES] = { 0, 0, 30, 0, 0 };
	struct scene s;
	struct policy_verdict v;
	struct note n;
	AUTO_BUF note = { 0 };

	scene_set(&s);
	buf_init(&note, NOTE_BYTES_MAX);
	note_of(&s, third, &note);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	AUTO_POLICY *one = policy_of(&s, "witness W1 $1\nwitness W3 $3\ngroup G all W1 W3\nquorum W3\n");
	assert_ok(policy_evaluate(one, &n, NULL, NULL, &v, e));
	assert_true(v.met);
	assert_int_equal(v.quorum_ms, 30000);
	assert_int_equal(v.missing.len, 0);
	policy_verdict_release(&v);
	AUTO_POLICY *none = policy_of(&s, "witness W3 $3\nquorum none\n");
	assert_ok(policy_evaluate(none, &n, NULL, NULL, &v, e));
	assert_true(v.met);
	assert_int_equal(v.quorum_ms, 0);
	assert_int_equal(v.witnesses, 0);
	policy_verdict_release(&v);
	scene_strike(&s);
}

static void an_excluded_witness_never_counts(void **state)
{
	static const int64_t times[WITNESSES] = { 10, 20, 0, 5, 0 }, all[WITNESSES] = { 10, 20, 30, 5, 0 };
	struct scene s;
	struct policy_verdict v;
	struct note n;
	AUTO_BUF note = { 0 };

	scene_set(&s);
	buf_init(&note, NOTE_BYTES_MAX);
	AUTO_POLICY *p = policy_of(&s, by_mandate);
	note_of(&s, times, &note);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	assert_ok(policy_evaluate(p, &n, is_excluded, &s.witness[0], &v, e));
	assert_false(v.met);
	assert_int_equal(v.witnesses, 2);
	assert_int_equal(v.newest_ms, 20000);
	assert_string_equal(buf_text(&v.missing), "W3"); /* not W1: its word would not help */
	policy_verdict_release(&v);
	note_of(&s, all, &note);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	assert_ok(policy_evaluate(p, &n, is_excluded, &s.witness[0], &v, e));
	assert_true(v.met);
	assert_int_equal(v.quorum_ms, 30000);
	policy_verdict_release(&v);
	scene_strike(&s);
}

static void a_wrong_signature_of_a_known_key_fails_the_whole(void **state)
{
	static const int64_t times[WITNESSES] = { 10, 20, 0, 5, 0 };
	uint8_t payload[72] = { 0, 0, 0, 0, 0, 0, 0, 9 };
	struct scene s;
	struct policy_verdict v = { .witnesses = 99 };
	struct note n;
	AUTO_BUF note = { 0 };

	scene_set(&s);
	buf_init(&note, NOTE_BYTES_MAX);
	AUTO_POLICY *p = policy_of(&s, by_mandate);
	for (unsigned i = 2; i < WITNESSES; i += 2) { /* W3, and W5 that has no vote */
		note_of(&s, times, &note);
		note_signature_write(&s.witness[i], BYTES_ARRAY(payload), &note);
		assert_ok(note_parse(buf_bytes(&note), &n, e));
		assert_refused(policy_evaluate(p, &n, NULL, NULL, &v, e), REASON_BAD_SIGNATURE);
		assert_refused(policy_evaluate(p, &n, is_excluded, &s.witness[i], &v, e), REASON_BAD_SIGNATURE);
		assert_int_equal(v.witnesses, 99);
	}
	/* Keys that the policy does not know are ignored. */
	AUTO_POLICY *few = policy_of(&s, "witness W1 $1\nquorum W1\n");
	assert_ok(policy_evaluate(few, &n, NULL, NULL, &v, e));
	assert_true(v.met);
	policy_verdict_release(&v);
	scene_strike(&s);
}

/* One note with both kinds, under a policy that wants both. */
static void counts_post_quantum_witnesses_beside_others(void **state)
{
	int fd = vectors_open("cosignature");
	struct policy_verdict v;
	struct note n;
	AUTO_POLICY *p = NULL;
	AUTO_BUF text = { 0 };

	if (fd < 0)
		skip();
	AUTO_JSON *j = vectors_json(fd, "generated.json");
	close(fd);
	buf_init(&text, POLICY_BYTES_MAX);
	buf_add_format(&text, "log %s\nwitness ml %s\nwitness ed %s\ngroup Q all ml ed\nquorum Q\n", json_text(json_object_get(j, "log"), "vkey"),
		       json_text(json_object_get(j, "witness_mldsa44"), "vkey"), json_text(json_object_get(j, "witness_ed25519"), "vkey"));
	assert_ok(policy_parse(buf_bytes(&text), &p, e));
	assert_ok(note_parse(bytes_of(json_text(j, "note")), &n, e));
	assert_ok(policy_evaluate(p, &n, NULL, NULL, &v, e));
	assert_true(v.met);
	assert_int_equal(v.witnesses, 2);
	assert_int_equal(v.quorum_ms, 1760000000000);
	policy_verdict_release(&v);
}

/* Every set of nine witnesses, against counting by hand. */
static void counts_votes_level_by_level(void **state)
{
	struct policy *p = NULL;
	AUTO_BUF text = { 0 };

	buf_init(&text, POLICY_BYTES_MAX);
	for (unsigned i = 0; i < 9; i++) {
		uint8_t key[SIGN_PUBLIC_BYTES] = { (uint8_t)i, 1 };
		struct note_key k;

		note_key_make("x.example", NOTE_COSIGNATURE, key, &k);
		buf_add_format(&text, "witness W%u ", i);
		note_key_write(&k, &text);
		buf_add_u8(&text, '\n');
	}
	buf_add_text(&text, "group A 2 W0 W1 W2\ngroup B any W3 W4\ngroup C all W5 W6\ngroup D 2 A B C\ngroup E 2 D W7 W8\nquorum E\n");
	assert_ok(policy_parse(buf_bytes(&text), &p, e));
	for (unsigned set = 0; set < 512; set++) {
		bool w[POLICY_WITNESSES_MAX] = { false };

		for (unsigned i = 0; i < 9; i++)
			w[i] = (set >> i & 1) != 0;
		int a = w[0] + w[1] + w[2] >= 2, b = w[3] + w[4] >= 1, c = w[5] + w[6] >= 2;
		int d = a + b + c >= 2;
		assert_int_equal(policy_quorum(p, w), d + w[7] + w[8] >= 2);
	}
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_when_the_quorum_was_complete),
		cmocka_unit_test(a_quorum_may_be_one_witness_or_none),
		cmocka_unit_test(an_excluded_witness_never_counts),
		cmocka_unit_test(a_wrong_signature_of_a_known_key_fails_the_whole),
		cmocka_unit_test(counts_post_quantum_witnesses_beside_others),
		cmocka_unit_test(counts_votes_level_by_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
