/* Cosignatures: the same bytes as others make, believed for one key, one text and one time. */
#include "log/cosignature.h"

#include <string.h>

#include "log/test-vectors.h"

#define TIME_S 1760000000
#define VECTORS "tlog-witness-mirror-sunlight"

static struct bytes json_bytes_at(const json_t *list, size_t i)
{
	const char *text = json_string_value(json_array_get(list, i));

	return bytes_of(text == NULL ? "" : text);
}

static struct sign_key *key_of_seed(const char *seed_hex)
{
	struct sign_key *k = NULL;
	AUTO_BUF file = { 0 };

	buf_init(&file, 256);
	buf_add_format(&file, "comity-key-v1 ed25519 %s w\n", seed_hex);
	assert_ok(sign_key_parse(buf_bytes(&file), &k, e));
	return k;
}

static void key_of(const char *vkey, struct note_key *ret)
{
	AUTO_BUF again = { 0 };

	assert_ok(note_key_parse(bytes_of(vkey), ret, e));
	buf_init(&again, NOTE_VKEY_BYTES_MAX);
	note_key_write(ret, &again);
	assert_string_equal(buf_text(&again), vkey);
}

/* The line of this key in a note, with its line feed. */
static struct bytes line_of(struct bytes note, const struct note_key *k)
{
	struct note n;

	assert_ok(note_parse(note, &n, e));
	for (size_t i = 0; i < n.signature_count; i++) {
		const struct note_signature *s = &n.signatures[i];

		if (s->id == k->id && bytes_is(s->name, k->name))
			return bytes_from(s->name.at - strlen(NOTE_DASH), strlen(NOTE_DASH) + s->name.len + 1 + s->base64.len + 1);
	}
	fail_msg("no line of %s", k->name);
	return bytes_of("");
}

static void signs_and_verifies_as_the_generated_vectors(void **state)
{
	int fd = vectors_open("cosignature");
	struct note_key log, ed, ml;
	struct note n;
	int64_t time_s = 0;
	AUTO_BUF out = { 0 };

	if (fd < 0)
		skip();
	AUTO_JSON *v = vectors_json(fd, "generated.json");
	const char *note = json_text(v, "note");
	AUTO_SIGN_KEY *k = key_of_seed(json_text(json_object_get(v, "witness_ed25519"), "seed_hex"));
	AUTO_SIGN_KEY *log_signer = key_of_seed(json_text(json_object_get(v, "log"), "seed_hex"));
	key_of(json_text(json_object_get(v, "log"), "vkey"), &log);
	key_of(json_text(json_object_get(v, "witness_ed25519"), "vkey"), &ed);
	key_of(json_text(json_object_get(v, "witness_mldsa44"), "vkey"), &ml);
	assert_int_equal(ml.type, NOTE_COSIGNATURE_MLDSA);
	assert_int_equal(ml.public_key_len, MLDSA44_PUBLIC_BYTES);
	assert_ok(note_parse(bytes_of(note), &n, e));
	assert_int_equal(n.signature_count, 3);
	/* Text, log's line, Ed25519 witness's line: byte for byte the beginning of the published note. */
	buf_init(&out, NOTE_BYTES_MAX);
	struct tally t = { 0 };
	tally_case(&t, note_sign(n.text, log.name, log_signer, &out, NULL) && bytes_starts(bytes_of(note), buf_text(&out)), "the log's line made");
	tally_case(&t, cosignature_sign(n.text, ed.name, k, TIME_S, &out, NULL) && bytes_starts(bytes_of(note), buf_text(&out)),
		   "the Ed25519 cosignature made");
	tally_case(&t, note_verify(&n, &log, NULL), "the log's line");
	tally_case(&t, cosignature_verify(&n, &ed, &time_s, NULL) && time_s == TIME_S, "the Ed25519 cosignature");
	time_s = 0;
	tally_case(&t, cosignature_verify(&n, &ml, &time_s, NULL) && time_s == TIME_S, "the ML-DSA-44 cosignature");
	/* Only the long line is left out so far: taking it makes the whole published note. */
	tally_case(&t, cosignature_take(&out, line_of(bytes_of(note), &ml), &ml, &time_s, NULL) && strcmp(buf_text(&out), note) == 0,
		   "the note with all three lines");
	close(fd);
	tally_end(&t, "cosignature/generated.json", NULL);
}

/* Each bit of name, time, origin, size, root and signature counts. */
static void post_quantum_cosignatures_cover_every_field(void **state)
{
	int fd = vectors_open("cosignature");
	struct note_key ml, renamed;
	struct note n;
	int64_t time_s;
	AUTO_BUF text = { 0 };
	AUTO_BUF payload = { 0 };
	AUTO_BUF note = { 0 };

	if (fd < 0)
		skip();
	AUTO_JSON *v = vectors_json(fd, "generated.json");
	close(fd);
	key_of(json_text(json_object_get(v, "witness_mldsa44"), "vkey"), &ml);
	assert_ok(note_parse(bytes_of(json_text(v, "note")), &n, e));
	buf_init(&text, 1024);
	buf_init(&payload, 4096);
	buf_init(&note, NOTE_BYTES_MAX);
	buf_add(&text, n.text);
	note_signature_decode(&n.signatures[2], &payload);
	assert_int_equal(payload.len, 8 + MLDSA44_SIGNATURE_BYTES);
	static const size_t places[] = { 7, 8, 100, 1500, 8 + MLDSA44_SIGNATURE_BYTES - 1 }; /* time, signature */
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		payload.at[places[i]] ^= 1;
		buf_clear(&note);
		buf_add(&note, n.text);
		buf_add_u8(&note, '\n');
		note_signature_write(&ml, buf_bytes(&payload), &note);
		payload.at[places[i]] ^= 1;
		assert_ok(note_parse(buf_bytes(&note), &n, e));
		assert_refused(cosignature_verify(&n, &ml, &time_s, e), REASON_BAD_SIGNATURE);
		n.text = buf_bytes(&text);
	}
	const char *const texts[] = { "node.example/log2\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n",
				      "node.example/log1\n16\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n",
				      "node.example/log1\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cg=\n" };
	for (size_t i = 0; i < 3; i++) {
		assert_ok(note_parse(bytes_of(json_text(v, "note")), &n, e));
		n.text = bytes_of(texts[i]);
		assert_refused(cosignature_verify(&n, &ml, &time_s, e), REASON_BAD_SIGNATURE);
	}
	/* The specification leaves extension lines out of these; those of Ed25519 cover the whole text. */
	n.text = bytes_of("node.example/log1\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\nmore\n");
	assert_ok(cosignature_verify(&n, &ml, &time_s, e));
	renamed = ml;
	renamed.name[0] = 'W';
	assert_refused(cosignature_verify(&n, &renamed, &time_s, e), REASON_UNKNOWN_KEY);
}

static void verifies_what_other_witnesses_published(void **state)
{
	static const struct {
		const char *about, *path;
	} rows[] = {
		{ "testdata/witness/witness.v0.json",
		  "testdata/witness/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint" },
		{ "testdata/witness/mirror/mirror.v0.json",
		  "testdata/witness/mirror/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint" },
		{ "testdata/witness2/witness.v0.json",
		  "testdata/witness2/88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482/checkpoint" },
	};
	int fd = vectors_open(VECTORS);
	struct tally sum = { 0 };

	if (fd < 0)
		skip();
	for (size_t i = 0; i < 3; i++) {
		struct note_key key;
		struct note n;
		int64_t time_s = 0;
		char path[200];
		AUTO_BUF in = { 0 };

		AUTO_JSON *about = vectors_json(fd, rows[i].about);
		buf_init(&in, NOTE_BYTES_MAX);
		bool ok = note_key_parse(json_bytes_at(json_object_get(about, "verifier_keys"), 0), &key, NULL);
		snprintf(path, sizeof(path), VECTORS "/%s", rows[i].about);
		tally_file(&sum, path, ok, "its verifier key");
		ok = ok && file_read(fd, rows[i].path, &in, NULL) && note_parse(buf_bytes(&in), &n, NULL) &&
		     cosignature_verify(&n, &key, &time_s, NULL) && time_s == 1767139200;
		if (ok)
			in.at[n.text.len - 3] ^= 1; /* of the root */
		snprintf(path, sizeof(path), VECTORS "/%s", rows[i].path);
		tally_file(&sum, path, ok && !cosignature_verify(&n, &key, &time_s, NULL), "its cosignature, and not under another root");
	}
	close(fd);
	assert_int_equal(sum.failed, 0);
	assert_int_equal(sum.passed, 6);
}

static void reads_the_published_times_and_keys(void **state)
{
	int fd = vectors_open("cosignature");

	if (fd < 0)
		skip();
	AUTO_JSON *v = vectors_json(fd, "upstream.json");
	const json_t *convert = json_object_get(json_object_get(v, "convert_vkey"), "ed25519_to_cosigv1");
	const json_t *stamp = json_array_get(json_object_get(v, "timestamp_only"), 0);
	struct note_signature s;
	struct note_key key, cosigning;
	struct note n;
	char line[256];

	struct tally t = { 0 };
	uint64_t time_s = 0;

	/* That log's key as a witness's: another type, therefore another id. */
	bool ok = note_key_parse(json_bytes_at(convert, 1), &key, NULL) && key.type == NOTE_ED25519;
	if (ok)
		note_key_make(key.name, NOTE_COSIGNATURE, key.public_key, &cosigning);
	tally_case(&t, ok && cosigning.id != key.id && note_key_same(&cosigning, &key), "a key");
	snprintf(line, sizeof(line), "w %s", json_text(stamp, "sig_b64"));
	ok = note_signature_parse(bytes_of(line), &s, NULL) && s.len == 72;
	for (size_t i = 0; ok && i < 8; i++)
		time_s = time_s << 8 | s.bytes[i];
	tally_case(&t, ok && time_s == (uint64_t)json_integer_value(json_object_get(stamp, "timestamp")), "a time");
	tally_case(&t, note_parse(bytes_of(json_text(v, "spec_example")), &n, NULL) && n.signature_count > 1 && n.signatures[1].len == 72,
		   "a note");
	close(fd);
	tally_end(&t, "cosignature/upstream.json", NULL);
}

/* --- of our own making ------------------------------------------------------------------------- */

#define TEXT "xa.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

struct scene {
	struct sign_key *log, *one, *two;
	struct note_key vone, vtwo;
	struct buf note; /* signed by the log alone */
};

static void scene_set(struct scene *s)
{
	*s = (struct scene){ sign_key_new(), sign_key_new(), sign_key_new(), .note = { 0 } };
	note_key_make("xr.example/witness", NOTE_COSIGNATURE, sign_key_public(s->one), &s->vone);
	note_key_make("xl.example/witness", NOTE_COSIGNATURE, sign_key_public(s->two), &s->vtwo);
	buf_init(&s->note, NOTE_BYTES_MAX);
	assert_ok(note_sign(bytes_of(TEXT), "xa.example/log", s->log, &s->note, e));
}

static void scene_strike(struct scene *s)
{
	sign_key_free(s->log);
	sign_key_free(s->one);
	sign_key_free(s->two);
	buf_release(&s->note);
}

static void believes_only_the_witness_it_asked_about(void **state)
{
	struct scene s;
	struct note n;
	int64_t time_s = -1;
	struct note_key other;

	scene_set(&s);
	assert_ok(cosignature_sign(bytes_of(TEXT), s.vone.name, s.one, 1000, &s.note, e));
	assert_ok(note_parse(buf_bytes(&s.note), &n, e));
	assert_ok(cosignature_verify(&n, &s.vone, &time_s, e));
	assert_int_equal(time_s, 1000);
	assert_refused(cosignature_verify(&n, &s.vtwo, &time_s, e), REASON_UNKNOWN_KEY);
	note_key_make(s.vone.name, NOTE_COSIGNATURE, sign_key_public(s.two), &other);
	assert_refused(cosignature_verify(&n, &other, &time_s, e), REASON_UNKNOWN_KEY);
	other.id = s.vone.id; /* a forged id meets the signature */
	assert_refused(cosignature_verify(&n, &other, &time_s, e), REASON_BAD_SIGNATURE);
	/* A key that signs logs does not cosign, and the other way round. */
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(s.log), &other);
	assert_refused(cosignature_verify(&n, &other, &time_s, e), REASON_BAD_ARGUMENT);
	assert_refused(note_verify(&n, &s.vone, e), REASON_BAD_ARGUMENT);
	/* The log's own signature is no cosignature of the same key. */
	other.type = NOTE_COSIGNATURE;
	assert_refused(cosignature_verify(&n, &other, &time_s, e), REASON_BAD_SIGNATURE);
	assert_int_equal(time_s, 1000);
	n.text = bytes_of("xa.example/log\n8\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	assert_refused(cosignature_verify(&n, &s.vone, &time_s, e), REASON_BAD_SIGNATURE);
	n.text = bytes_of("not a checkpoint\n");
	assert_refused(cosignature_verify(&n, &s.vone, &time_s, e), REASON_MALFORMED);
	scene_strike(&s);
}

/* A payload with this time, signed as it should be. */
static void signed_at(const struct scene *s, uint64_t time_s, struct buf *payload)
{
	uint8_t signature[SIGNATURE_BYTES];
	AUTO_BUF message = { 0 };

	buf_init(&message, 1024);
	buf_add_format(&message, "cosignature/v1\ntime %llu\n" TEXT, (unsigned long long)time_s);
	sign_key_sign(s->one, buf_bytes(&message), signature);
	buf_clear(payload);
	buf_add_u64(payload, time_s);
	buf_add(payload, BYTES_ARRAY(signature));
}

static void the_time_is_signed_and_is_a_time(void **state)
{
	struct scene s;
	struct note n;
	int64_t time_s;
	size_t before;
	AUTO_BUF payload = { 0 };
	static const struct {
		uint64_t at;
		bool fine;
	} rows[] = { { 1, true }, { 0, false }, { INT64_MAX / 1000, true }, { INT64_MAX / 1000 + 1, false }, { UINT64_MAX, false } };

	scene_set(&s);
	before = s.note.len;
	buf_init(&payload, 256);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		signed_at(&s, rows[i].at, &payload);
		s.note.len = before;
		note_signature_write(&s.vone, buf_bytes(&payload), &s.note);
		assert_ok(note_parse(buf_bytes(&s.note), &n, e));
		if (rows[i].fine)
			assert_ok(cosignature_verify(&n, &s.vone, &time_s, e));
		else
			assert_refused(cosignature_verify(&n, &s.vone, &time_s, e), REASON_BAD_SIGNATURE);
	}
	for (size_t at = 0; at < 72; at++) { /* every byte of time and signature, then other lengths */
		signed_at(&s, 1000, &payload);
		payload.at[at] ^= 0x20;
		s.note.len = before;
		note_signature_write(&s.vone, buf_bytes(&payload), &s.note);
		assert_ok(note_parse(buf_bytes(&s.note), &n, e));
		assert_refused(cosignature_verify(&n, &s.vone, &time_s, e), REASON_BAD_SIGNATURE);
	}
	for (size_t len = 1; len <= 73; len += 8) {
		signed_at(&s, 1000, &payload);
		buf_add_u8(&payload, 0);
		s.note.len = before;
		note_signature_write(&s.vone, bytes_slice(buf_bytes(&payload), 0, len), &s.note);
		assert_ok(note_parse(buf_bytes(&s.note), &n, e));
		assert_refused(cosignature_verify(&n, &s.vone, &time_s, e), REASON_BAD_SIGNATURE);
	}
	buf_clear(&payload);
	assert_refused(cosignature_sign(bytes_of(TEXT), "w", s.one, 0, &payload, e), REASON_BAD_ARGUMENT);
	assert_refused(cosignature_sign(bytes_of(TEXT), "w", s.one, -1, &payload, e), REASON_BAD_ARGUMENT);
	assert_refused(cosignature_sign(bytes_of(TEXT), "w w", s.one, 1, &payload, e), REASON_BAD_ARGUMENT);
	assert_refused(cosignature_sign(bytes_of("text\n"), "w", s.one, 1, &payload, e), REASON_MALFORMED);
	assert_int_equal(payload.len, 0);
	scene_strike(&s);
}

static void takes_from_an_answer_what_is_the_witness_s_own(void **state)
{
	struct scene s;
	struct note n;
	int64_t time_s = 0;
	AUTO_BUF answer = { 0 };
	AUTO_BUF wrong = { 0 };

	scene_set(&s);
	buf_init(&answer, NOTE_BYTES_MAX);
	buf_init(&wrong, 1024);
	/* noise, another's line, a wrong line of this key, the right one, one more */
	buf_add_text(&answer, "hello\n\n" NOTE_DASH "xr.example/witness AAAA\n" NOTE_DASH "\n");
	assert_ok(cosignature_sign(bytes_of(TEXT), s.vtwo.name, s.two, 500, &answer, e));
	assert_ok(cosignature_sign(bytes_of("xa.example/log\n8\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), s.vone.name, s.one, 600,
				   &wrong, e));
	assert_refused(cosignature_take(&s.note, buf_bytes(&wrong), &s.vone, &time_s, e), REASON_UNKNOWN_KEY);
	buf_add(&answer, buf_bytes(&wrong));
	assert_refused(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e), REASON_UNKNOWN_KEY);
	assert_int_equal(time_s, 0);
	assert_ok(cosignature_sign(bytes_of(TEXT), s.vone.name, s.one, 700, &answer, e));
	buf_add_text(&answer, "no end of a line");
	assert_ok(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e));
	assert_int_equal(time_s, 700);
	assert_ok(note_parse(buf_bytes(&s.note), &n, e));
	assert_int_equal(n.signature_count, 2);
	assert_ok(cosignature_take(&s.note, buf_bytes(&answer), &s.vtwo, &time_s, e));
	assert_int_equal(time_s, 500);
	/* A later word of the same witness takes the place of the earlier. */
	buf_clear(&answer);
	assert_ok(cosignature_sign(bytes_of(TEXT), s.vone.name, s.one, 900, &answer, e));
	assert_ok(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e));
	assert_ok(note_parse(buf_bytes(&s.note), &n, e));
	assert_int_equal(n.signature_count, 3);
	assert_ok(cosignature_verify(&n, &s.vone, &time_s, e));
	assert_int_equal(time_s, 900);
	assert_ok(cosignature_verify(&n, &s.vtwo, &time_s, e));
	assert_int_equal(s.note.max, NOTE_BYTES_MAX);
	assert_true(cosignature_is_after(&n, &s.vone, 899999));
	assert_false(cosignature_is_after(&n, &s.vone, 900000));
	s.vone.public_key[0] ^= 1; /* what does not verify has no time */
	assert_false(cosignature_is_after(&n, &s.vone, 0));
	scene_strike(&s);
}

static void a_note_that_is_full_stays_as_it_is(void **state)
{
	struct scene s;
	int64_t time_s;
	AUTO_BUF answer = { 0 };
	AUTO_BUF before = { 0 };

	scene_set(&s);
	buf_init(&answer, NOTE_BYTES_MAX);
	buf_init(&before, NOTE_BYTES_MAX);
	assert_ok(cosignature_sign(bytes_of(TEXT), s.vone.name, s.one, 700, &answer, e));
	for (unsigned i = 1; i < NOTE_SIGNATURES_MAX; i++)
		buf_add_text(&s.note, NOTE_DASH "other AAAAAAAA\n");
	buf_add(&before, buf_bytes(&s.note));
	assert_refused(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e), REASON_TOO_LARGE);
	assert_string_equal(buf_text(&s.note), buf_text(&before));
	buf_release(&s.note);
	buf_init(&s.note, strlen(TEXT) + 100);
	buf_add_text(&s.note, TEXT "\n" NOTE_DASH "other AAAAAAAA\n");
	assert_refused(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e), REASON_TOO_LARGE);
	assert_string_equal(buf_text(&s.note), TEXT "\n" NOTE_DASH "other AAAAAAAA\n");
	buf_clear(&answer);
	while (answer.len <= NOTE_BYTES_MAX - 1)
		buf_add_u8(&answer, '\n');
	assert_refused(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e), REASON_UNKNOWN_KEY);
	answer.max++;
	buf_add_u8(&answer, '\n');
	assert_refused(cosignature_take(&s.note, buf_bytes(&answer), &s.vone, &time_s, e), REASON_TOO_LARGE);
	scene_strike(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_and_verifies_as_the_generated_vectors),
		cmocka_unit_test(post_quantum_cosignatures_cover_every_field),
		cmocka_unit_test(verifies_what_other_witnesses_published),
		cmocka_unit_test(reads_the_published_times_and_keys),
		cmocka_unit_test(believes_only_the_witness_it_asked_about),
		cmocka_unit_test(the_time_is_signed_and_is_a_time),
		cmocka_unit_test(takes_from_an_answer_what_is_the_witness_s_own),
		cmocka_unit_test(a_note_that_is_full_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
