/* A proof file alone: what it shows with nothing, with the log's key, with a policy, with the register, with the
 * statement; and that no word of its extra line is believed that does not rebuild. */
#include "evidence/verify-proof.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "register/test-bundle.h"

static char folder[] = "/tmp/comity-proof-XXXXXX";
static int dir = -1;
static struct sign_key *witness[2];
static const char *const names[2] = { "w1.example/witness", "w2.example/witness" };
static struct fx_act said;
static struct proof_extra extra;
static char policy[2000], vkey[400];

static int64_t now(void)
{
	return FX_NOW + DAY_MS;
}

static void write_file(const char *name, struct bytes text)
{
	assert_true(file_write(dir, name, text, 0600, false, NULL));
}

static const char *path_of(const char *name)
{
	static char paths[32][128];
	static size_t next;
	char *path = paths[next++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* XA said something; it stands in its log, cosigned by so many. */
static void prove(size_t cosignatures)
{
	struct tlog_proof p;
	struct note n;
	AUTO_BUF text = { 0 };

	fx_prove(&said, &xa.log);
	assert_true(tlog_proof_parse(buf_bytes(&said.proof), &p, NULL) && note_parse(p.note, &n, NULL));
	buf_init(&text, 4 * KIB);
	buf_add(&text, n.text);
	for (size_t i = 0; i < cosignatures; i++)
		assert_true(cosignature_sign(buf_bytes(&text), names[i], witness[i], FX_NOW / 1000 + (int64_t)i, &said.proof, NULL));
}

static void write_proof(void)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 2 * NOTE_BYTES_MAX);
	assert_true(proof_extra_add(buf_bytes(&said.proof), &extra, &out, NULL));
	write_file("proof.txt", buf_bytes(&out));
}

static int begin_all(void **state)
{
	AUTO_BUF text = { 0 };
	json_t *body = json_object();
	struct note_key key;

	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	bundle_setup(state);
	clock_set(now);
	buf_init(&text, 4 * KIB);
	for (size_t i = 0; i < 2; i++) {
		witness[i] = sign_key_new();
		note_key_make(names[i], NOTE_COSIGNATURE, sign_key_public(witness[i]), &key);
		buf_add_format(&text, "witness w%zu ", i + 1);
		note_key_write(&key, &text);
		buf_add_text(&text, "\n");
	}
	buf_add_text(&text, "group both all w1 w2\nquorum both\n");
	snprintf(policy, sizeof(policy), "%s", buf_text(&text));
	write_file("policy", buf_bytes(&text));
	buf_clear(&text);
	note_key_write(&xa.log.vkey, &text);
	snprintf(vkey, sizeof(vkey), "%s", buf_text(&text));
	json_put_text(body, "note", "");
	json_put_text(body, "officer", "Omar Reed");
	json_put_text(body, "request", "00112233445566778899aabbccddeeff");
	fx_sign(&(struct fx_draft){ "acknowledgement", "XA", "XR", body, false }, xa.key, &said);
	fx_append(&xa.log, bytes_of("an earlier leaf"));
	fx_leaf(&said, &xa.log);
	fx_append(&xa.log, bytes_of("a later leaf"));
	return 0;
}

static int end_all(void **state)
{
	static const char *const files[] = { "proof.txt", "policy", "register.json", "other.json", "act.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(dir, files[i], 0);
	close(dir);
	rmdir(folder);
	fx_act_release(&said);
	sign_key_free(witness[0]);
	sign_key_free(witness[1]);
	clock_set(NULL);
	return bundle_teardown(state);
}

static int each(void **state)
{
	extra = (struct proof_extra){ .kind = "acknowledgement" };
	memcpy(extra.hash, said.hash, sizeof(extra.hash));
	memcpy(extra.opening, said.opening, sizeof(extra.opening));
	memcpy(extra.leaf, said.leaf, sizeof(extra.leaf));
	time_write(FX_NOW, extra.time);
	prove(2);
	write_proof();
	begin();
	add_entry(&xa.party);
	add_policy("XA", policy, FX_NOW);
	finish();
	write_file("register.json", buf_bytes(&bundle));
	return 0;
}

/* Takes the paths as given; the words of the report are in `problems`. */
static json_t *looked(struct verify_proof_options o, const char *result)
{
	json_t *report = NULL;
	struct err e = { 0 };

	o.path = path_of("proof.txt");
	if (!verify_proof(&o, &report, &e))
		fail_msg("%s", e.text);
	buf_clear(&problems);
	verify_proof_print(report, 60, &problems);
	if (strcmp(json_text(report, "result"), result) != 0)
		fail_msg("it is %s:\n%s", json_text(report, "result"), buf_text(&problems));
	return report;
}

static const char *reason_in(const json_t *report)
{
	return json_text(json_array_get(json_object_get(report, "broken"), 0), "reason");
}

static void must_be_broken(struct verify_proof_options o, const char *reason)
{
	json_t *report = looked(o, "broken");

	assert_string_equal(reason_in(report), reason);
	assert_int_equal(verify_proof_status(report), 1);
	json_decref(report);
}

/* Nothing is said of the proof then. */
static void must_be_unusable(struct verify_proof_options o, const char *words)
{
	json_t *report = NULL;
	struct err e = { 0 };

	o.path = path_of("proof.txt");
	assert_false(verify_proof(&o, &report, &e));
	assert_int_equal(e.kind, ERR_INPUT);
	assert_non_null(strstr(e.text, words));
	assert_null(report);
}

static bool is_unchecked(const json_t *report, const char *words)
{
	const json_t *list = json_object_get(report, "unchecked");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strstr(json_string_value(json_array_get(list, i)), words) != NULL)
			return true;
	return false;
}

static void alone_it_fits_together_and_is_not_verified(void **state)
{
	json_t *report = looked((struct verify_proof_options){ 0 }, "not-verified");

	assert_int_equal(verify_proof_status(report), 2);
	assert_true(told("NOT checked: who signed the checkpoint"));
	assert_true(told("stands as leaf 1 of 3 in the log log.XA.example/1"));
	assert_false(told("cosigned by"));
	json_decref(report);
}

static void with_the_logs_key_it_holds_and_another_key_breaks_it(void **state)
{
	json_t *report = looked((struct verify_proof_options){ .vkey = vkey }, "intact");
	AUTO_BUF other = { 0 };

	assert_int_equal(verify_proof_status(report), 0);
	assert_true(told("cosignatures were not checked (no policy given)")); /* the note carries two */
	assert_false(told("no independent witness yet"));
	assert_false(json_bool(report, "cosignatures_checked"));
	json_decref(report);
	buf_init(&other, KIB);
	note_key_write(&xr.log.vkey, &other);
	must_be_broken((struct verify_proof_options){ .vkey = buf_text(&other) }, "bad-proof");
}

static void with_a_policy_it_says_who_cosigned_and_since_when(void **state)
{
	const struct verify_proof_options o = { .vkey = vkey, .policy_path = path_of("policy") };
	json_t *report = looked(o, "intact");

	assert_int_equal(json_int(report, "witnesses"), 2);
	assert_string_equal(json_text(report, "not_later_than"), "2026-11-23T02:10:01.000Z");
	assert_true(told("cosigned by w1.example/witness at 2026-11-23 02:10"));
	assert_true(told("cosigned by w2.example/witness"));
	assert_true(told("not later than 2026-11-23 02:10"));
	json_decref(report);
	prove(1);
	write_proof();
	must_be_broken(o, "under-witnessed");
}

static void with_the_register_the_root_decides(void **state)
{
	uint8_t other[SHA256_BYTES] = { 7 };
	struct verify_proof_options o = { .register_path = path_of("register.json"), .roots = fingerprint, .root_count = 1 };
	json_t *report = looked(o, "intact");

	assert_string_equal(json_text(report, "party"), "Arcadia");
	assert_int_equal(json_int(report, "witnesses"), 2);
	json_decref(report);
	o.root_count = 0;
	json_decref(looked(o, "intact-unconfirmed"));
	o.roots = other;
	o.root_count = 1;
	must_be_unusable(o, "does not have the root given with --root");
	prove(1); /* the register's policy wants two, whatever time the file says of itself */
	time_write(FX_NOW - DAY_MS, extra.time);
	write_proof();
	o.roots = fingerprint;
	must_be_broken(o, "under-witnessed");
}

static void what_does_not_rebuild_is_broken(void **state)
{
	for (int what = 0; what < 3; what++) {
		each(state);
		if (what == 0)
			extra.hash[0] ^= 1;
		else if (what == 1)
			extra.opening[5] ^= 1;
		else
			extra.leaf[6] = extra.leaf[6] == 'a' ? 'b' : 'a';
		write_proof();
		must_be_broken((struct verify_proof_options){ .vkey = vkey }, "leaf-mismatch");
	}
}

/* Exit status 2, not 1: a file of the reader's that is none says nothing about the proof. */
static void what_the_reader_gives_must_be_usable(void **state)
{
	const char *junk = path_of("junk"), *nowhere = path_of("nowhere");
	const struct verify_proof_options all[] = {
		{ .vkey = "no key" }, { .vkey = vkey, .policy_path = junk }, { .vkey = vkey, .policy_path = nowhere },
		{ .register_path = junk }, { .register_path = junk, .roots = fingerprint, .root_count = 1 }, { .register_path = nowhere },
		{ .vkey = vkey, .statement_path = nowhere },
	};

	write_file("junk", bytes_of("x"));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct verify_proof_options o = all[i];
		json_t *report = NULL;
		struct err e = { 0 };

		o.path = path_of("proof.txt");
		assert_false(verify_proof(&o, &report, &e));
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(report);
	}
}

/* The leaf rebuilds, and is not the one of this place. */
static void another_leaf_of_the_same_log_is_broken(void **state)
{
	struct tlog_proof p;
	AUTO_BUF moved = { 0 };

	assert_true(tlog_proof_parse(buf_bytes(&said.proof), &p, NULL));
	buf_init(&moved, NOTE_BYTES_MAX);
	p.index = 0;
	tlog_proof_write(&p, &moved);
	buf_clear(&said.proof);
	buf_add(&said.proof, buf_bytes(&moved));
	write_proof();
	must_be_broken((struct verify_proof_options){ .vkey = vkey }, "bad-proof");
}

static void it_is_of_the_statement_given_or_of_none(void **state)
{
	AUTO_BUF act = { 0 };
	struct fx_act other;
	json_t *body = json_object();

	buf_init(&act, LETTER_BYTES_MAX);
	fx_write(&said, &act);
	write_file("act.json", buf_bytes(&act));
	write_file("other.json", buf_bytes(&said.envelope));
	json_decref(looked((struct verify_proof_options){ .vkey = vkey, .statement_path = path_of("act.json") }, "intact"));
	assert_true(told("of the statement that was given"));
	json_decref(looked((struct verify_proof_options){ .vkey = vkey, .statement_path = path_of("other.json") }, "intact"));
	json_put_text(body, "note", "another");
	json_put_text(body, "officer", "Omar Reed");
	json_put_text(body, "request", "00112233445566778899aabbccddeeff");
	fx_sign(&(struct fx_draft){ "acknowledgement", "XA", "XR", body, false }, xa.key, &other);
	write_file("other.json", buf_bytes(&other.envelope));
	must_be_broken((struct verify_proof_options){ .vkey = vkey, .statement_path = path_of("other.json") }, "digest-mismatch");
	fx_act_release(&other);
}

/* No hash covers them: the leaf rebuilds whatever they say. */
static void kind_and_time_are_told_as_said_until_the_statement_is_there(void **state)
{
	AUTO_BUF act = { 0 };
	json_t *report;

	snprintf(extra.kind, sizeof(extra.kind), "receipt");
	time_write(FX_NOW - 40 * DAY_MS, extra.time);
	write_proof();
	report = looked((struct verify_proof_options){ .vkey = vkey }, "intact");
	assert_string_equal(json_text(report, "said_kind"), "receipt");
	assert_string_equal(json_text(report, "said_time"), extra.time);
	assert_null(json_object_get(report, "time"));
	assert_string_equal(json_text(report, "statement_kind"), "");
	assert_true(is_unchecked(report, "kind and time as said in the file"));
	assert_true(told("NOT checked: kind and time as said in the file: give --statement FILE to check them"));
	assert_true(told("what it is said to be: receipt"));
	json_decref(report);
	buf_init(&act, LETTER_BYTES_MAX);
	fx_write(&said, &act);
	write_file("act.json", buf_bytes(&act));
	report = looked((struct verify_proof_options){ .vkey = vkey, .statement_path = path_of("act.json") }, "intact");
	assert_string_equal(json_text(report, "statement_kind"), "acknowledgement");
	assert_false(is_unchecked(report, "kind and time"));
	assert_true(told("what it is: acknowledgement"));
	json_decref(report);
}

static void without_the_extra_line_nothing_is_known_of_the_statement(void **state)
{
	json_t *report;

	write_file("proof.txt", buf_bytes(&said.proof));
	report = looked((struct verify_proof_options){ .vkey = vkey }, "not-verified");
	assert_string_equal(json_text(report, "hash"), "");
	assert_true(told("comity log check"));
	json_decref(report);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, each)
	const struct CMUnitTest tests[] = {
		T(alone_it_fits_together_and_is_not_verified),
		T(with_the_logs_key_it_holds_and_another_key_breaks_it),
		T(with_a_policy_it_says_who_cosigned_and_since_when),
		T(with_the_register_the_root_decides),
		T(what_does_not_rebuild_is_broken),
		T(what_the_reader_gives_must_be_usable),
		T(another_leaf_of_the_same_log_is_broken),
		T(it_is_of_the_statement_given_or_of_none),
		T(kind_and_time_are_told_as_said_until_the_statement_is_there),
		T(without_the_extra_line_nothing_is_known_of_the_statement),
	};
#undef T

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
