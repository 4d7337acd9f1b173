/* Policies are read as the specification and others' cases have them; what could be read in two ways is refused. */
#include "log/test-policy.h"

/* --- others' cases ----------------------------------------------------------------------------- */

/* Sigsum's own syntax has bare hex keys where tlog-policy has verifier keys; all else is equal. Each word of 64 hex
 * characters becomes the verifier key that it would be, of the type that its line needs. */
static void translate(const char *config, struct buf *out)
{
	bool is_log = false, at_start = true;

	buf_init(out, POLICY_BYTES_MAX);
	while (*config != '\0') {
		size_t len = strcspn(config, " \t\n");
		uint8_t key[SIGN_PUBLIC_BYTES];
		struct note_key k;

		if (len == 0) {
			at_start = at_start || *config == '\n';
			buf_add_u8(out, (uint8_t)*config++);
			continue;
		}
		if (at_start)
			is_log = len == 3 && memcmp(config, "log", 3) == 0;
		at_start = false;
		if (hex_parse(bytes_from(config, len), key, sizeof(key))) {
			note_key_make(is_log ? "log.example" : "witness.example", is_log ? NOTE_ED25519 : NOTE_COSIGNATURE, key, &k);
			note_key_write(&k, out);
		} else {
			buf_add(out, bytes_from(config, len));
		}
		config += len;
	}
}

static void check_quorums(const struct policy *p, const json_t *cases, struct tally *t)
{
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *one = json_array_get(cases, i), *who = json_array_get(one, 0);
		bool counted[POLICY_WITNESSES_MAX] = { false };

		for (size_t j = 0; j < json_array_size(who); j++)
			counted[json_integer_value(json_array_get(who, j)) - 1] = true; /* W1 is the first */
		tally_case(t, policy_quorum(p, counted) == json_is_true(json_array_get(one, 1)), "a quorum");
	}
}

static void agrees_with_sigsum_s_cases(void **state)
{
	static const struct {
		const char *desc, *says;
	} why[] = {
		{ "duplicate log", "line 3: this log's public key" }, { "end-of-line comment", "line 2: words after the URL" },
		{ "duplicate witness", "line 3: this witness's public key" }, { "duplicate name", "line 3: this name is taken" },
		{ "duplicate none", "line 2: \"none\" is no name" }, { "undef name", "line 4: a member is not defined" },
		{ "missing quorum", "no quorum line" }, { "repeated member", "line 4: a member is a group's member already" },
		{ "member in two groups", "line 6: a member is a group's member already" },
		{ "none as member", "line 4: \"none\" cannot be a member" }, { "formfeed", "line 1: control character 0x0c" },
		{ "DEL", "line 1: control character 0x7f" }, { "empty", "no quorum line" },
	};
	int fd = vectors_open("sigsum");
	struct tally t = { 0 };

	if (fd < 0)
		skip();
	AUTO_JSON *v = vectors_json(fd, "policy.json");
	close(fd);
	const json_t *valid = json_object_get(v, "valid"), *invalid = json_object_get(v, "invalid");
	for (size_t i = 0; i < json_array_size(valid); i++) {
		AUTO_POLICY *p = NULL;
		AUTO_BUF text = { 0 };

		translate(json_text(json_array_get(valid, i), "config"), &text);
		if (tally_case(&t, policy_parse(buf_bytes(&text), &p, NULL), json_text(json_array_get(valid, i), "desc")))
			check_quorums(p, json_object_get(json_array_get(valid, i), "quorum_cases"), &t);
	}
	for (size_t i = 0; i < json_array_size(invalid); i++) {
		const char *desc = json_text(json_array_get(invalid, i), "desc"), *says = NULL;
		struct policy *p = NULL;
		struct err e = { 0 };
		AUTO_BUF text = { 0 };

		for (size_t k = 0; k < sizeof(why) / sizeof(why[0]); k++)
			if (strcmp(why[k].desc, desc) == 0)
				says = why[k].says;
		translate(json_text(json_array_get(invalid, i), "config"), &text);
		bool refused = !policy_parse(buf_bytes(&text), &p, &e);
		policy_free(refused ? NULL : p);
		if (!tally_case(&t, refused && e.reason == REASON_MALFORMED && says != NULL && strstr(e.text, says) != NULL, desc))
			printf("    %s\n", e.text);
	}
	tally_end(&t, "sigsum/policy.json", "bare keys written as verifier keys");
	assert_true(t.passed >= 20);
}

static void reads_the_policies_that_others_use(void **state)
{
	static const struct {
		const char *path;
		size_t logs, witnesses;
	} rows[] = { { "sigsum-generic-2025-1.builtin-policy", 2, 3 }, { "sigsum-test-2025-3.builtin-policy", 2, 8 } };
	int fd = vectors_open("sigsum");
	struct tally sum = { 0 };
	char path[128];

	if (fd < 0)
		skip();
	for (size_t i = 0; i < 2; i++) {
		AUTO_POLICY *p = NULL;
		AUTO_BUF in = { 0 };
		AUTO_BUF text = { 0 };

		buf_init(&in, POLICY_BYTES_MAX);
		snprintf(path, sizeof(path), "sigsum/%s", rows[i].path);
		bool ok = file_read(fd, rows[i].path, &in, NULL);
		translate(ok ? buf_text(&in) : "", &text);
		tally_file(&sum, path, policy_parse(buf_bytes(&text), &p, NULL) && policy_log_count(p) == rows[i].logs &&
			   policy_witness_count(p) == rows[i].witnesses && !policy_wants_none(p), "bare keys written as verifier keys");
	}
	close(fd);
	assert_int_equal(sum.failed, 0);
	assert_int_equal(sum.passed, 2);
}

/* --- reading ----------------------------------------------------------------------------------- */

static void reads_names_keys_and_urls(void **state)
{
	struct scene s;

	scene_set(&s);
	AUTO_POLICY *p = policy_of(&s, "# who is believed\n\t\nlog $0 https://xa.example/log//\n \twitness\tXR $1 https://xr.example/w/ \n"
				       "witness K\xe2\x84\xaa\xff $2\n  # none of ours\nquorum XR\nwitness later $3\n");
	assert_int_equal(policy_log_count(p), 1);
	assert_string_equal(policy_log_at(p, 0)->key.name, "xa.example/log");
	assert_string_equal(policy_log_at(p, 0)->url, "https://xa.example/log");
	assert_int_equal(policy_witness_count(p), 3);
	assert_string_equal(policy_witness_at(p, 0)->name, "XR");
	assert_string_equal(policy_witness_at(p, 0)->url, "https://xr.example/w");
	assert_string_equal(policy_witness_at(p, 1)->name, "K\xe2\x84\xaa\xff");
	assert_string_equal(policy_witness_at(p, 1)->url, "");
	assert_true(note_key_same(&policy_witness_at(p, 2)->key, &s.witness[2]));
	AUTO_POLICY *none = policy_of(&s, "quorum none\n");
	assert_true(policy_wants_none(none));
	assert_true(policy_quorum(none, NULL));
	policy_free(NULL);
	scene_strike(&s);
}

static void refuses_what_could_be_read_in_two_ways(void **state)
{
	static const char *const bad[] = {
		"quorum none", "quorum none\nquorum none\n", "quorum\n", "quorum none none\n", "quorum W\n", "quorum W\nwitness W $1\n",
		"witness W $1\ngroup G any W\nquorum G W\n", "Quorum none\n", "log\nquorum none\n", "log $0 u v\nquorum none\n",
		"log $1\nquorum none\n", "witness W $0\nquorum W\n", "witness W\nquorum none\n", "witness\nquorum none\n",
		"witness W $1 u # x\nquorum W\n", "witness W $1\nwitness V $1\nquorum W\n", "log $0\nlog $0\nquorum none\n",
		"witness W $1\ngroup W any W\nquorum W\n", "witness G $1\ngroup G any G\nquorum G\n", "group G any G\nquorum G\n",
		"witness W $1\ngroup G\nquorum W\n", "witness W $1\ngroup G any\nquorum W\n", "witness W $1\ngroup G 0 W\nquorum G\n",
		"witness W $1\ngroup G 2 W\nquorum G\n", "witness W $1\ngroup G 01 W\nquorum G\n", "witness W $1\ngroup G +1 W\nquorum G\n",
		"witness W $1\ngroup G 1x W\nquorum G\n", "witness W $1\ngroup G -1 W\nquorum G\n", "witness W $1\ngroup G ALL W\nquorum G\n",
		"witness W $1\ngroup G 18446744073709551617 W\nquorum G\n", "witness W $1\ngroup none any W\nquorum none\n",
		"witness W $1\ngroup G any H W\ngroup H any G\nquorum G\n", "quorum none\r\n", "quorum\v none\n", "quorum\xc2\xa0none\n",
		"\xef\xbb\xbfquorum none\n",
	};
	struct scene s;
	struct policy *p = NULL;

	scene_set(&s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		AUTO_BUF text = { 0 };

		expand(&s, bad[i], &text);
		if (policy_parse(buf_bytes(&text), &p, &e))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.reason, REASON_MALFORMED);
		assert_non_null(strstr(e.text, "policy"));
	}
	assert_refused(policy_parse(bytes_from("quorum none\0\n", 13), &p, e), REASON_MALFORMED);
	/* One public key is one voice, whatever it is called. */
	struct note_key other;
	AUTO_BUF text = { 0 };
	buf_init(&text, 4096);
	note_key_make("other.example", NOTE_COSIGNATURE, s.witness[0].public_key, &other);
	buf_add_format(&text, "witness A %s\nwitness B ", s.vkeys[0]);
	note_key_write(&other, &text);
	buf_add_text(&text, "\ngroup G all A B\nquorum G\n");
	assert_refused(policy_parse(buf_bytes(&text), &p, e), REASON_MALFORMED);
	assert_null(p);
	scene_strike(&s);
}

/* Lines of one kind, each with a key of its own or, of groups, around the one above; then a quorum. */
static void many_lines(const char *first, unsigned count, struct buf *out)
{
	buf_init(out, POLICY_BYTES_MAX + 1);
	for (unsigned i = 0; i < count; i++) {
		struct note_key k;
		uint8_t key[SIGN_PUBLIC_BYTES] = { (uint8_t)(i + 1) };
		bool is_log = strcmp(first, "log") == 0;

		note_key_make("x.example", is_log ? NOTE_ED25519 : NOTE_COSIGNATURE, key, &k);
		if (strcmp(first, "group") == 0) {
			if (i == 0) {
				buf_add_text(out, "witness G0 ");
				note_key_write(&k, out);
				buf_add_u8(out, '\n');
			}
			buf_add_format(out, "group G%u all G%u\n", i + 1, i);
			continue;
		}
		buf_add_text(out, is_log ? "log " : "witness ");
		if (!is_log)
			buf_add_format(out, "W%u ", i);
		note_key_write(&k, out);
		buf_add_u8(out, '\n');
	}
	buf_add_text(out, strcmp(first, "group") == 0 ? "quorum G1\n" : "quorum none\n");
}

static void takes_as_much_as_its_limits(void **state)
{
	static const struct {
		const char *first;
		unsigned max;
	} rows[] = { { "log", POLICY_LOGS_MAX }, { "witness", POLICY_WITNESSES_MAX }, { "group", POLICY_GROUPS_MAX } };
	struct policy *refused = NULL;

	for (size_t i = 0; i < 3; i++) {
		AUTO_POLICY *p = NULL;
		AUTO_BUF full = { 0 };
		AUTO_BUF over = { 0 };

		assert_true(rows[i].max >= 32);
		many_lines(rows[i].first, rows[i].max, &full);
		assert_ok(policy_parse(buf_bytes(&full), &p, e));
		many_lines(rows[i].first, rows[i].max + 1, &over);
		assert_refused(policy_parse(buf_bytes(&over), &refused, e), REASON_TOO_LARGE);
	}
	AUTO_BUF text = { 0 };
	AUTO_POLICY *p = NULL;
	buf_init(&text, POLICY_BYTES_MAX + 1);
	buf_add_text(&text, "quorum none\n");
	while (text.len < POLICY_BYTES_MAX)
		buf_add_u8(&text, '\n');
	assert_ok(policy_parse(buf_bytes(&text), &p, e));
	buf_add_u8(&text, '\n');
	assert_refused(policy_parse(buf_bytes(&text), &refused, e), REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_sigsum_s_cases),
		cmocka_unit_test(reads_the_policies_that_others_use),
		cmocka_unit_test(reads_names_keys_and_urls),
		cmocka_unit_test(refuses_what_could_be_read_in_two_ways),
		cmocka_unit_test(takes_as_much_as_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
