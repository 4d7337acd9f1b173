/* A monitor of logs that need more than its own form: witnesses in a policy, long entries, a log by another program. */
#include "log/monitor-internal.h"

#include "base/file.h"
#include "log/test-grown.h"
#include "log/test-vectors.h"

/* --- witnesses ------------------------------------------------------------------------------------ */

static void witness_line(const char *name, const struct sign_key *k, struct buf *out)
{
	struct note_key key;

	note_key_make(name, NOTE_COSIGNATURE, sign_key_public(k), &key);
	buf_add_text(out, "witness one ");
	note_key_write(&key, out);
	buf_add_text(out, "\nquorum one\n");
}

/* The checkpoint with one more signature. */
static void cosigned(struct grown *g, const char *name, const struct sign_key *k)
{
	struct note n;
	AUTO_BUF note = { 0 }, all = { 0 };

	buf_init(&note, 4096);
	buf_init(&all, 8192);
	grown_note(g, &note);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	buf_add(&all, buf_bytes(&note));
	assert_ok(cosignature_sign(n.text, name, k, 1764000000, &all, e));
	assert_ok(file_write(g->log_fd, "checkpoint", buf_bytes(&all), 0644, false, e));
}

static void too_few_witnesses_are_told_and_the_state_moves(void **state)
{
	static const struct {
		const char *name;
		bool counts;
	} cases[] = { { "ngo.example/witness", true }, { GROWN_ORIGIN "/witness", false } }; /* a log's own party never counts */

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grown g;
		struct monitor *m;
		AUTO_SIGN_KEY *k = sign_key_new(), *other = sign_key_new();
		AUTO_POLICY *policy = NULL;
		AUTO_BUF text = { 0 };

		buf_init(&text, 4096);
		witness_line(cases[i].name, k, &text);
		assert_ok(policy_parse(buf_bytes(&text), &policy, e));
		grown_begin(&g, "entry");
		grown_append(&g, 300);
		grown_publish(&g);
		m = grown_monitor(&g, &(struct monitor_options){ .policy = policy });
		assert_refused(monitor_follow(m, &g.source, e), REASON_UNDER_WITNESSED);
		assert_int_equal(monitor_hashed(m), 300);
		cosigned(&g, cases[i].name, other); /* its key id is another's: nobody asks */
		assert_refused(monitor_follow(m, &g.source, e), REASON_UNDER_WITNESSED);
		cosigned(&g, cases[i].name, k);
		if (cases[i].counts)
			assert_ok(monitor_follow(m, &g.source, e));
		else
			assert_refused(monitor_follow(m, &g.source, e), REASON_UNDER_WITNESSED);
		assert_int_equal(monitor_verdict(m)->witnesses, cases[i].counts ? 1 : 0);
		monitor_free(m);
		grown_end(&g);
	}
}

/* --- logs of others ----------------------------------------------------------------------------- */

static void follows_a_log_of_long_entries(void **state)
{
	struct grown g;
	struct monitor *m;
	struct edge *edge = calloc(1, sizeof(*edge));
	struct checkpoint c = { .origin = GROWN_ORIGIN, .size = 20 };
	AUTO_BUF bundle = { 0 }, entry = { 0 }, text = { 0 }, note = { 0 };

	assert_non_null(edge);
	buf_init(&bundle, 256 * 65537);
	buf_init(&entry, 65535);
	buf_init(&text, 1024);
	buf_init(&note, 4096);
	grown_begin(&g, "entry");
	memset(buf_room(&entry, 65535), 'x', 65535);
	for (unsigned i = 0; i < 20; i++) {
		struct bytes one = bytes_from(entry.at, i % 3 == 0 ? 65535 : i % 3 == 1 ? 0 : i);
		merkle_hash hash;

		merkle_leaf(one, hash);
		assert_ok(edge_push(edge, hash, NULL, NULL, e));
		buf_add_u16(&bundle, (uint16_t)one.len);
		buf_add(&bundle, one);
	}
	edge_root(edge, c.root);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), GROWN_ORIGIN, g.k, &note, e));
	assert_ok(dir_make(g.log_fd, "tile/entries/000.p", 0755, e));
	assert_ok(dir_make(g.log_fd, "tile/0/000.p", 0755, e));
	assert_ok(file_write(g.log_fd, "tile/entries/000.p/20", buf_bytes(&bundle), 0644, false, e));
	assert_ok(file_write(g.log_fd, "tile/0/000.p/20", bytes_from(edge->level[0].node, 20 * 32), 0644, false, e));
	assert_ok(file_write(g.log_fd, "checkpoint", buf_bytes(&note), 0644, false, e));
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_int_equal(monitor_hashed(m), 20);
	monitor_free(m);
	free(edge);
	grown_end(&g);
}

static void goes_on_through_every_size_of_tesseras_log(void **state)
{
	int fd = vectors_open("tlog-tiles-tessera/log");
	struct test_home h;
	struct log_source s;
	struct monitor_options o = { 0 };
	struct monitor *m;
	char link[PATH_MAX], *real;

	if (fd < 0)
		skip();
	assert_ok(note_key_parse(bytes_of("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"), &o.log_key, e));
	snprintf(link, sizeof(link), "%s/vectors/tlog-tiles-tessera/log/tile", getenv("COMITY_SHARED"));
	real = realpath(link, NULL);
	assert_non_null(real);
	home_make(&h);
	assert_int_equal(symlinkat(real, h.fd, "tile"), 0);
	free(real);
	s = log_source_folder(h.fd);
	m = monitor_new(&o);
	for (unsigned size = 0; size <= 15; size++) {
		char name[32];
		AUTO_BUF note = { 0 };

		buf_init(&note, 4096);
		snprintf(name, sizeof(name), "checkpoint.%u", size);
		assert_ok(file_read(fd, name, &note, e));
		assert_ok(file_write(h.fd, "checkpoint", buf_bytes(&note), 0644, false, e));
		assert_ok(monitor_follow(m, &s, e));
		assert_int_equal(monitor_hashed(m), size);
	}
	printf("tlog-tiles-tessera: followed through 16 sizes\n");
	monitor_free(m);
	home_remove(&h);
	close(fd);
}

#define TREE "a database, its tree"

/* Its key is that of the log, under another name. */
static void serve_tree(struct grown *g, const struct note_key *key, const char *origin, bool wrong)
{
	struct checkpoint c = { .size = log_size(g->l) };
	AUTO_BUF text = { 0 }, note = { 0 };

	buf_init(&text, KIB);
	buf_init(&note, 4 * KIB);
	snprintf(c.origin, sizeof(c.origin), "%s", origin);
	log_root(g->l, c.root);
	c.root[0] ^= wrong;
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), key->name, g->k, &note, e));
	assert_ok(file_write(g->log_fd, "checkpoint", buf_bytes(&note), 0644, false, e));
}

static void follows_a_log_whose_key_has_another_name_when_its_origin_is_said(void **state)
{
	struct grown g;
	struct err why = { 0 };
	struct bytes ours, theirs;
	struct monitor *m;
	AUTO_BUF kept = { 0 };

	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	grown_append(&g, 300);
	grown_publish(&g);
	note_key_make("key.example", NOTE_ED25519, sign_key_public(g.k), &g.key);
	serve_tree(&g, &g.key, TREE, false);
	/* Not said: that is no fault of the log's, and nothing was seen of it. */
	m = grown_monitor(&g, NULL);
	assert_false(monitor_follow(m, &g.source, &why));
	assert_int_equal(why.kind, ERR_CONFLICT);
	assert_non_null(strstr(why.text, TREE));
	assert_int_equal(monitor_checkpoint(m)->size, 0);
	monitor_free(m);
	m = grown_monitor(&g, &(struct monitor_options){ .origin = TREE });
	assert_ok(monitor_follow(m, &g.source, e));
	assert_string_equal(monitor_checkpoint(m)->origin, TREE);
	assert_int_equal(monitor_hashed(m), 300);
	monitor_state_write(m, &kept);
	monitor_free(m);
	/* The state is of this origin. */
	m = grown_monitor(&g, NULL);
	assert_refused(monitor_state_read(m, buf_bytes(&kept), e), REASON_UNKNOWN_KEY);
	monitor_free(m);
	m = grown_monitor(&g, &(struct monitor_options){ .origin = TREE });
	assert_ok(monitor_state_read(m, buf_bytes(&kept), e));
	serve_tree(&g, &g.key, "another tree", false);
	assert_false(monitor_follow(m, &g.source, &why));
	assert_int_equal(why.kind, ERR_CONFLICT);
	serve_tree(&g, &g.key, TREE, true);
	assert_refused(monitor_follow(m, &g.source, e), REASON_SPLIT_VIEW);
	monitor_evidence(m, &ours, &theirs);
	assert_true(ours.len > 0 && theirs.len > 0);
	monitor_free(m);
	grown_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_few_witnesses_are_told_and_the_state_moves),
		cmocka_unit_test(follows_a_log_of_long_entries),
		cmocka_unit_test(follows_a_log_whose_key_has_another_name_when_its_origin_is_said),
		cmocka_unit_test(goes_on_through_every_size_of_tesseras_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
