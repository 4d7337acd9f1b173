/* A copy taken while the store is written opens, is whole, and becomes a home again. */
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/store-internal.h"
#include "store/test-home.h"

struct writer {
	struct store *s;
	int64_t next;
	unsigned calls;
	unsigned stop_at;
};

static void write_some(struct writer *w, int count)
{
	assert_ok(store_begin(w->s, e));
	for (int i = 0; i < count; i++, w->next++) {
		uint8_t leaf[900] = { (uint8_t)w->next };
		struct query *q = store_query(w->s, QUERY_log_leaf_add);

		query_bind_int(q, 1, w->next);
		query_bind_bytes(q, 2, BYTES_ARRAY(leaf));
		query_bind_null(q, 3);
		assert_ok(query_run(q, e));
		query_end(q);
		q = store_query(w->s, QUERY_record_key_add);
		query_bind_bytes(q, 1, bytes_from(&w->next, sizeof(w->next)));
		query_bind_bytes(q, 2, bytes_of("key"));
		assert_ok(query_run(q, e));
		query_end(q);
	}
	assert_ok(store_commit(w->s, e));
}

static bool step(void *ctx, unsigned left, unsigned total)
{
	struct writer *w = ctx;

	assert_true(left <= total);
	w->calls++;
	if (w->calls == w->stop_at)
		return false;
	if (w->calls < 5)
		write_some(w, 20);
	return true;
}

static int64_t count(struct store *s, const char *sql)
{
	int64_t n = -1;

	assert_ok(store_number(s->db, sql, &n, e));
	return n;
}

static int backup_folder(struct test_home *h, const char *name)
{
	assert_ok(dir_make(h->fd, name, 0700, e));
	int fd = openat(h->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void begin(struct test_home *h, struct writer *w)
{
	home_make(h);
	*w = (struct writer){ 0 };
	assert_ok(store_open(h->fd, &w->s, e));
	write_some(w, 3000);
}

static void copies_a_store_that_is_being_written(void **state)
{
	struct test_home h;
	struct writer w;
	struct store *copy = NULL;
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 65536);
	begin(&h, &w);
	int dir = backup_folder(&h, "new/store"); /* as a restored home has it */
	assert_ok(store_backup(w.s, dir, true, step, &w, e));
	assert_true(w.calls > 2);
	assert_true(w.next > 3000);
	assert_ok(store_open_backup(dir, &copy, e));
	assert_ok(store_check(copy, &problems, e));
	assert_string_equal(buf_text(&problems), "");
	assert_true(count(copy, "SELECT count(*) FROM log_leaf") >= 3000);
	assert_true(count(copy, "SELECT count(*) FROM record_key") >= count(copy, "SELECT count(*) FROM log_leaf"));
	assert_refused(store_begin(copy, e) && query_run(store_query(copy, QUERY_log_leaf_add), e), REASON_SYSTEM);
	store_close(copy);
	store_close(w.s);

	int restored = openat(h.fd, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(store_open(restored, &copy, e));
	assert_ok(store_check(copy, &problems, e));
	assert_int_equal(problems.len, 0);
	w.s = copy;
	w.next = count(copy, "SELECT count(*) FROM log_leaf");
	write_some(&w, 5);
	store_close(copy);
	close(restored);
	close(dir);
	home_remove(&h);
}

static void leaves_the_keys_apart(void **state)
{
	struct test_home h;
	struct writer w;
	struct store *copy = NULL;
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 65536);
	begin(&h, &w);
	int dir = backup_folder(&h, "50% of it"); /* a name that a URI has to escape */
	assert_ok(store_backup(w.s, dir, false, NULL, NULL, e));
	assert_int_equal(faccessat(dir, "keys.db", F_OK, 0), -1);
	assert_ok(store_open_backup(dir, &copy, e));
	assert_int_equal(count(copy, "SELECT count(*) FROM log_leaf"), 3000);
	assert_int_equal(count(copy, "SELECT count(*) FROM record_key"), 0);
	assert_ok(store_check(copy, &problems, e));
	assert_int_equal(problems.len, 0);
	store_close(copy);
	store_close(w.s);
	close(dir);
	home_remove(&h);
}

static void leaves_nothing_of_a_backup_that_was_stopped(void **state)
{
	struct test_home h;
	struct writer w;

	begin(&h, &w);
	int dir = backup_folder(&h, "b");
	w.stop_at = 2;
	assert_refused(store_backup(w.s, dir, true, step, &w, e), REASON_UNAVAILABLE);
	assert_int_equal(faccessat(dir, "comity.db", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "keys.db", F_OK, 0), -1);
	assert_ok(store_begin(w.s, e));
	assert_refused(store_backup(w.s, dir, true, NULL, NULL, e), REASON_WRONG_STATE);
	store_rollback(w.s);
	assert_ok(store_backup(w.s, dir, true, NULL, NULL, e));
	assert_false(store_backup(w.s, dir, true, NULL, NULL, NULL)); /* never over an older one */
	store_close(w.s);
	close(dir);
	home_remove(&h);
}

static void finds_a_damaged_page(void **state)
{
	struct test_home h;
	struct writer w;
	struct store *copy = NULL;
	uint8_t junk[4096] = { 0x55, 0x55, 0x55 };
	AUTO_BUF problems = { 0 };

	buf_init(&problems, MIB);
	begin(&h, &w);
	int dir = backup_folder(&h, "b");
	assert_ok(store_backup(w.s, dir, true, NULL, NULL, e));
	store_close(w.s);
	int fd = openat(dir, "comity.db", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 4096 * 100), sizeof(junk));
	close(fd);
	assert_ok(store_open_backup(dir, &copy, e));
	assert_ok(store_check(copy, &problems, e));
	assert_true(problems.len > 0);
	store_close(copy);
	close(dir);
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_a_store_that_is_being_written),
		cmocka_unit_test(leaves_the_keys_apart),
		cmocka_unit_test(leaves_nothing_of_a_backup_that_was_stopped),
		cmocka_unit_test(finds_a_damaged_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
