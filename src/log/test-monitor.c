/* A monitor against real logs that grow, go back, show two trees and lose or change files: what it may believe, what it
 * must report, and where it goes on. */
#include "log/monitor-internal.h"

#include "base/file.h"
#include "log/test-grown.h"

/* --- following ---------------------------------------------------------------------------------- */

static void follows_at_every_size_and_goes_on_from_its_state(void **state)
{
	static const uint64_t steps[] = { 0, 1, 1, 3, 250, 1, 255, 257, 0, 768, 1, 64000 };
	struct grown g;
	struct monitor *m;
	AUTO_BUF kept = { 0 };

	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		grown_append(&g, steps[i]);
		grown_publish(&g);
		m = grown_monitor(&g, NULL);
		assert_ok(monitor_state_read(m, buf_bytes(&kept), e));
		assert_ok(monitor_follow(m, &g.source, e));
		assert_int_equal(monitor_checkpoint(m)->size, log_size(g.l));
		assert_int_equal(monitor_hashed(m), log_size(g.l));
		buf_clear(&kept);
		monitor_state_write(m, &kept);
		assert_true(buf_ok(&kept));
		assert_true(kept.len < 70000);
		monitor_free(m);
	}
	grown_end(&g);
}

struct seen {
	uint64_t next, stop_at, files;
	bool partial_last;
};

static bool leaf_next(void *ctx, uint64_t index, struct bytes entry, struct err *e)
{
	struct seen *s = ctx;
	char want[64];

	assert_int_equal(index, s->next);
	snprintf(want, sizeof(want), "entry %llu", (unsigned long long)index);
	assert_true(bytes_is(entry, want));
	s->next++;
	return true;
}

static bool stop_there(void *ctx, uint64_t done, uint64_t size)
{
	struct seen *s = ctx;

	return s->stop_at == 0 || done < s->stop_at;
}

static void gives_each_leaf_once_although_it_was_stopped(void **state)
{
	struct grown g;
	struct seen s = { .stop_at = 300 };
	struct monitor_options o = { .leaf = leaf_next, .progress = stop_there, .ctx = &s };
	struct monitor *m;
	AUTO_BUF kept = { 0 };

	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	grown_append(&g, 1000);
	grown_publish(&g);
	m = grown_monitor(&g, &o);
	assert_refused(monitor_follow(m, &g.source, e), REASON_BUSY);
	assert_int_equal(monitor_hashed(m), 512); /* the whole tile in which it was stopped */
	assert_int_equal(monitor_checkpoint(m)->size, 1000);
	monitor_state_write(m, &kept);
	monitor_free(m);
	grown_append(&g, 500);
	grown_publish(&g);
	s.stop_at = 0;
	m = grown_monitor(&g, &o);
	assert_ok(monitor_state_read(m, buf_bytes(&kept), e));
	assert_ok(monitor_follow(m, &g.source, e));
	assert_int_equal(s.next, 1500);
	s.next = 0;
	monitor_begin_again(m);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_int_equal(s.next, 1500);
	monitor_free(m);
	grown_end(&g);
}

static void takes_the_full_tile_when_the_partial_one_is_gone(void **state)
{
	struct grown g;
	struct monitor *m;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	grown_begin(&g, "entry");
	grown_append(&g, 300);
	grown_publish(&g);
	assert_ok(file_read(g.log_fd, "checkpoint", &note, e));
	grown_append(&g, 400); /* 300.p/44 goes when the tile is full */
	grown_publish(&g);
	assert_ok(file_write(g.log_fd, "checkpoint", buf_bytes(&note), 0644, false, e)); /* a cache that lags */
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_int_equal(monitor_hashed(m), 300);
	grown_publish(&g);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_int_equal(monitor_hashed(m), 700);
	monitor_free(m);
	grown_end(&g);
}

static bool file_next(void *ctx, const char *path, struct bytes content, struct err *e)
{
	struct grown *copy = ctx;
	char folder[96];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	return dir_make(copy->log_fd, folder, 0755, e) && file_write(copy->log_fd, path, content, 0644, false, e);
}

static void the_files_that_it_gives_are_a_whole_mirror(void **state)
{
	struct grown g, copy;
	struct monitor_options o = { .file = file_next, .ctx = &copy };
	struct monitor *m;
	struct log_audit a;

	grown_begin(&g, "entry");
	grown_begin(&copy, "entry");
	m = grown_monitor(&g, &o);
	for (unsigned i = 0; i < 4; i++) {
		grown_append(&g, 333 + 20000 * i);
		grown_publish(&g);
		assert_ok(monitor_follow(m, &g.source, e));
		assert_ok(file_write(copy.log_fd, "checkpoint", monitor_note(m), 0644, false, e));
		assert_ok(log_audit_files(copy.log_fd, &g.key, NULL, NULL, &a, e));
		assert_int_equal(a.leaves, log_size(g.l));
	}
	monitor_free(m);
	grown_end(&copy);
	grown_end(&g);
}

/* --- wrong files -------------------------------------------------------------------------------- */

static void finds_every_changed_file_and_recovers_when_it_is_right_again(void **state)
{
	static const char *const files[] = { "checkpoint", "tile/0/000", "tile/0/256", "tile/entries/001", "tile/0/257.p/8",
					     "tile/entries/257.p/8", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1" };
	struct grown g;
	struct log_audit a;

	grown_begin(&g, "entry");
	grown_append(&g, 257 * 256 + 8);
	grown_publish(&g);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (int how = 0; how < 3; how++) {
			struct monitor *m = grown_monitor(&g, NULL);
			struct err why = { 0 };
			struct bytes ours, theirs;
			AUTO_BUF whole = { 0 };

			buf_init(&whole, MIB);
			assert_ok(file_read(g.log_fd, files[i], &whole, e));
			if (how == 0)
				whole.at[whole.len - 3] ^= 1;
			assert_ok(file_write(g.log_fd, files[i], bytes_slice(buf_bytes(&whole), 0, how == 1 ? whole.len - 1 : whole.len),
					     0644, false, e));
			if (how == 2)
				assert_int_equal(unlinkat(g.log_fd, files[i], 0), 0);
			assert_false(log_audit_files(g.log_fd, &g.key, NULL, NULL, &a, NULL)); /* the same engine, without a state */
			if (monitor_follow(m, &g.source, &why))
				fail_msg("%s was changed (%d), and nobody found it", files[i], how);
			assert_int_equal(why.kind == ERR_NOT_FOUND, how == 2);
			assert_int_not_equal(why.reason, REASON_SPLIT_VIEW); /* a wrong file accuses nobody */
			monitor_evidence(m, &ours, &theirs);
			assert_int_equal(ours.len, 0);
			if (how == 0)
				whole.at[whole.len - 3] ^= 1;
			assert_ok(file_write(g.log_fd, files[i], buf_bytes(&whole), 0644, false, e));
			assert_ok(monitor_follow(m, &g.source, e));
			assert_ok(log_audit_files(g.log_fd, &g.key, NULL, NULL, &a, e));
			monitor_free(m);
		}
	grown_end(&g);
}

static void a_wrong_key_is_refused(void **state)
{
	struct grown g, other;
	struct monitor *m;
	AUTO_BUF kept = { 0 };

	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	grown_begin(&other, "entry");
	grown_append(&g, 3);
	grown_publish(&g);
	m = grown_monitor(&other, NULL);
	assert_refused(monitor_follow(m, &g.source, e), REASON_UNKNOWN_KEY);
	assert_int_equal(monitor_checkpoint(m)->size, 0);
	monitor_state_write(m, &kept);
	monitor_free(m);
	m = grown_monitor(&g, NULL);
	assert_refused(monitor_state_read(m, buf_bytes(&kept), e), REASON_UNKNOWN_KEY);
	monitor_free(m);
	grown_end(&other);
	grown_end(&g);
}

/* --- contradictions --------------------------------------------------------------------------------- */

static void evidence_is(struct grown *g, const struct monitor *m, uint64_t size_a, uint64_t size_b)
{
	struct bytes ours, theirs;
	struct checkpoint a, b;

	monitor_evidence(m, &ours, &theirs);
	assert_ok(checkpoint_verify(ours, &g->key, &a, e)); /* anybody can verify both */
	assert_ok(checkpoint_verify(theirs, &g->key, &b, e));
	assert_int_equal(a.size, size_a);
	assert_int_equal(b.size, size_b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

/* The same key signs another tree: the other one's folder is served instead. */
static void two_trees_of_one_key_are_a_split_view(void **state)
{
	static const struct {
		uint64_t seen, served;
		enum reason reason;
	} cases[] = {
		{ 700, 700, REASON_SPLIT_VIEW }, /* one size, two roots */
		{ 700, 900, REASON_SPLIT_VIEW }, /* does not extend */
		{ 3, 66000, REASON_SPLIT_VIEW },
		{ 900, 700, REASON_ROLLED_BACK }, /* smaller; its tree cannot be told: the old tiles are gone */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grown g, other;
		struct monitor *m;

		grown_begin(&g, "entry");
		grown_begin_as(&other, "another", g.k);
		grown_append(&g, cases[i].seen);
		grown_append(&other, cases[i].served);
		grown_publish(&g);
		grown_publish(&other);
		m = grown_monitor(&g, NULL);
		assert_ok(monitor_follow(m, &g.source, e));
		assert_refused(monitor_follow(m, &other.source, e), cases[i].reason);
		evidence_is(&g, m, cases[i].seen, cases[i].served);
		assert_int_equal(monitor_checkpoint(m)->size, cases[i].seen); /* what was seen first stays */
		assert_ok(monitor_follow(m, &g.source, e));
		monitor_free(m);
		grown_end(&other);
		grown_end(&g);
	}
}

static void an_older_checkpoint_is_rolled_back_and_another_tree_is_split(void **state)
{
	struct grown g, other;
	struct monitor *m;
	AUTO_BUF old = { 0 }, foreign = { 0 };

	buf_init(&old, 4096);
	buf_init(&foreign, 4096);
	grown_begin(&g, "entry");
	grown_begin_as(&other, "another", g.k);
	grown_append(&other, 300);
	grown_note(&other, &foreign);
	grown_append(&g, 300);
	grown_publish(&g);
	grown_note(&g, &old);
	grown_append(&g, 700);
	grown_publish(&g);
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_ok(file_write(g.log_fd, "checkpoint", buf_bytes(&old), 0644, false, e));
	assert_refused(monitor_follow(m, &g.source, e), REASON_ROLLED_BACK);
	evidence_is(&g, m, 1000, 300);
	assert_ok(file_write(g.log_fd, "checkpoint", buf_bytes(&foreign), 0644, false, e));
	assert_refused(monitor_follow(m, &g.source, e), REASON_SPLIT_VIEW);
	evidence_is(&g, m, 1000, 300);
	monitor_free(m);
	grown_end(&other);
	grown_end(&g);
}

static void what_others_show_is_compared_now_or_later(void **state)
{
	struct grown g, other;
	struct monitor *m;
	AUTO_BUF smaller = { 0 }, larger = { 0 }, false_smaller = { 0 }, false_larger = { 0 }, kept = { 0 };

	buf_init(&smaller, 4096);
	buf_init(&larger, 4096);
	buf_init(&false_smaller, 4096);
	buf_init(&false_larger, 4096);
	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	grown_begin_as(&other, "another", g.k);
	grown_append(&g, 300);
	grown_append(&other, 300);
	grown_note(&g, &smaller);
	grown_note(&other, &false_smaller);
	grown_append(&g, 300);
	grown_append(&other, 700);
	grown_note(&other, &false_larger);
	grown_publish(&g);
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_follow(m, &g.source, e));
	assert_ok(monitor_compare(m, &g.source, buf_bytes(&smaller), "witness one", e));
	assert_refused(monitor_compare(m, &g.source, buf_bytes(&false_smaller), "witness one", e), REASON_SPLIT_VIEW);
	evidence_is(&g, m, 600, 300);
	grown_append(&g, 400);
	grown_note(&g, &larger);
	assert_ok(monitor_compare(m, &g.source, buf_bytes(&false_larger), "witness two", e)); /* nobody can tell yet */
	assert_refused(monitor_compare(m, &g.source, buf_bytes(&larger), "witness three", e), REASON_SPLIT_VIEW);
	monitor_state_write(m, &kept);
	monitor_free(m);
	grown_append(&g, 60);
	grown_publish(&g);
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_state_read(m, buf_bytes(&kept), e)); /* remembered over a restart */
	assert_refused(monitor_follow(m, &g.source, e), REASON_SPLIT_VIEW);
	evidence_is(&g, m, 1060, 1000);
	assert_refused(monitor_compare(m, &g.source, bytes_of("no note"), "witness two", e), REASON_MALFORMED);
	monitor_free(m);
	grown_end(&other);
	grown_end(&g);
}

/* --- state ------------------------------------------------------------------------------------------ */

static void a_state_that_was_changed_is_refused(void **state)
{
	struct grown g;
	struct monitor *m;
	AUTO_BUF kept = { 0 }, again = { 0 };

	buf_init(&kept, MONITOR_STATE_BYTES_MAX);
	buf_init(&again, MONITOR_STATE_BYTES_MAX);
	grown_begin(&g, "entry");
	grown_append(&g, 300);
	grown_publish(&g);
	m = grown_monitor(&g, NULL);
	assert_ok(monitor_follow(m, &g.source, e));
	monitor_state_write(m, &kept);
	assert_ok(monitor_state_read(m, buf_bytes(&kept), e));
	monitor_state_write(m, &again);
	assert_true(bytes_equal(buf_bytes(&kept), buf_bytes(&again)));
	for (size_t i = 0; i < kept.len; i += 7) {
		kept.at[i] ^= 0x20;
		assert_false(monitor_state_read(m, buf_bytes(&kept), NULL));
		assert_int_equal(monitor_checkpoint(m)->size, 0);
		kept.at[i] ^= 0x20;
		assert_false(i > 0 && monitor_state_read(m, bytes_slice(buf_bytes(&kept), 0, i), NULL));
	}
	assert_ok(monitor_state_read(m, (struct bytes){ 0 }, e));
	monitor_free(m);
	grown_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_at_every_size_and_goes_on_from_its_state),
		cmocka_unit_test(gives_each_leaf_once_although_it_was_stopped),
		cmocka_unit_test(takes_the_full_tile_when_the_partial_one_is_gone),
		cmocka_unit_test(the_files_that_it_gives_are_a_whole_mirror),
		cmocka_unit_test(finds_every_changed_file_and_recovers_when_it_is_right_again),
		cmocka_unit_test(a_wrong_key_is_refused),
		cmocka_unit_test(two_trees_of_one_key_are_a_split_view),
		cmocka_unit_test(an_older_checkpoint_is_rolled_back_and_another_tree_is_split),
		cmocka_unit_test(what_others_show_is_compared_now_or_later),
		cmocka_unit_test(a_state_that_was_changed_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
