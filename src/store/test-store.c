/* What the shelf promises: one holder, all or nothing, keys first, and append-only means that. */
#include "store/store-internal.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "store/test-home.h"

/* SQLite's syncs go through here, so that a test sees their order and can die between two. */
static char syncs[4096];
static const char *die_after_sync_of;

static int sync_seen(int fd)
{
	char link[64], path[PATH_MAX] = "";
	const char *name;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		path[0] = '\0';
	name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	snprintf(syncs + strlen(syncs), sizeof(syncs) - strlen(syncs), "%s ", name);
	int rc = (int)syscall(SYS_fdatasync, fd);
	if (die_after_sync_of != NULL && strcmp(name, die_after_sync_of) == 0)
		raise(SIGKILL);
	return rc;
}

int fdatasync(int fd)
{
	return sync_seen(fd);
}

int fsync(int fd)
{
	return sync_seen(fd);
}

static bool leaf_add(struct store *s, int64_t index, struct err *e)
{
	struct query *q = store_query(s, QUERY_log_leaf_add);
	bool ok;

	query_bind_int(q, 1, index);
	query_bind_bytes(q, 2, bytes_of("leaf"));
	query_bind_null(q, 3);
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool key_add(struct store *s, const char *hash, const char *key, struct err *e)
{
	struct query *q = store_query(s, QUERY_record_key_add);
	bool ok;

	query_bind_bytes(q, 1, bytes_of(hash));
	query_bind_bytes(q, 2, bytes_of(key));
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool statement_add(struct store *s, const char *id, const char *hash, struct err *e)
{
	struct query *q = store_query(s, QUERY_statement_add);
	bool ok;

	query_bind_bytes(q, 1, bytes_of(id));
	query_bind_text(q, 2, "XA");
	query_bind_text(q, 3, "XR");
	query_bind_text(q, 4, "preservation");
	query_bind_bytes(q, 5, bytes_of(hash));
	query_bind_int(q, 6, 0);
	query_bind_null(q, 7);
	query_bind_text(q, 8, "");
	query_bind_int(q, 9, 0);
	query_bind_int(q, 10, 0);
	query_bind_bytes(q, 11, bytes_of("sealed"));
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool has_key(struct store *s, const char *hash, const char *key)
{
	struct query *q = store_query(s, QUERY_record_key_get);
	bool found = false;

	query_bind_bytes(q, 1, bytes_of(hash));
	assert_ok(query_row(q, &found, e));
	found = found && (key == NULL || bytes_is(query_bytes(q, 0), key));
	query_end(q);
	return found;
}

static bool has_statement(struct store *s, const char *hash)
{
	struct query *q = store_query(s, QUERY_statement_sealed);
	bool found = false;

	query_bind_bytes(q, 1, bytes_of(hash));
	assert_ok(query_row(q, &found, e));
	query_end(q);
	return found;
}

static int64_t leaf_count(struct store *s)
{
	struct query *q = store_query(s, QUERY_log_leaf_range);
	bool found = false;
	int64_t n = 0;

	query_bind_int(q, 1, 0);
	query_bind_int(q, 2, INT64_MAX);
	for (;;) {
		assert_ok(query_row(q, &found, e));
		if (!found)
			break;
		n++;
	}
	query_end(q);
	return n;
}

static void makes_an_empty_home_and_finds_it_again(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	struct stat st;
	AUTO_BUF problems = { 0 };

	home_make(&h);
	buf_init(&problems, 65536);
	for (int round = 0; round < 2; round++) {
		assert_ok(store_open(h.fd, &s, e));
		assert_ok(store_check(s, &problems, e));
		assert_string_equal(buf_text(&problems), "");
		if (round == 0) {
			assert_ok(store_begin(s, e));
			assert_ok(leaf_add(s, 0, e));
			assert_ok(store_commit(s, e));
		}
		assert_int_equal(leaf_count(s), 1);
		assert_int_equal(faccessat(h.fd, "store/comity.db-shm", F_OK, 0), -1);
		store_close(s);
		assert_int_equal(fstatat(h.fd, "store/comity.db", &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_true(fstatat(h.fd, "store/comity.db-wal", &st, 0) != 0 || st.st_size == 0);
	}
	home_remove(&h);
}

/* Raw SQL on the store's own connection, as if a query had been written that should not have been. */
static int raw(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static void refuses_to_change_what_is_append_only(void **state)
{
	static const char *const forbidden[] = {
		"UPDATE log_leaf SET leaf = x'00'",
		"UPDATE OR REPLACE log_leaf SET leaf = x'00'",
		"DELETE FROM log_leaf",
		"REPLACE INTO log_leaf (idx, leaf) VALUES (0, x'00')",
		"INSERT OR REPLACE INTO log_leaf (idx, leaf) VALUES (0, x'00')",
		"INSERT INTO log_leaf (idx, leaf) VALUES (0, x'00') ON CONFLICT (idx) DO UPDATE SET leaf = excluded.leaf",
		"INSERT INTO log_leaf (idx, leaf) VALUES (2, x'00')",
		"INSERT INTO log_leaf (leaf) VALUES (x'00')",
		"INSERT INTO log_leaf (idx, leaf) VALUES (-1, x'00')",
		"DELETE FROM statement",
		"UPDATE statement SET seq = 7",
		"REPLACE INTO statement VALUES (1, x'09', 'XL', 'XR', 'k', x'09', 0, NULL, '', 0, 0, x'00')",
		"REPLACE INTO statement VALUES (5, x'6964', 'XA', 'XR', 'k', x'09', 0, NULL, '', 0, 0, x'00')",
		"REPLACE INTO statement VALUES (5, x'09', 'XL', 'XR', 'k', x'68', 0, NULL, '', 0, 0, x'00')",
		"REPLACE INTO custody VALUES (x'01', 1, x'00')",
		"REPLACE INTO custody (rowid, exhibit, seq, hash) VALUES (1, x'05', 5, x'00')",
		"REPLACE INTO receipt_given VALUES ('XA', x'01', x'00', x'00')",
	};
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_ok(leaf_add(s, 0, e));
	assert_ok(statement_add(s, "id", "h", e));
	assert_int_equal(raw(s, "INSERT INTO custody VALUES (x'01', 1, x'ff')"), SQLITE_OK);
	assert_int_equal(raw(s, "INSERT INTO receipt_given VALUES ('XA', x'01', x'ff', x'ff')"), SQLITE_OK);
	for (int on = 0; on < 2; on++) {
		/* Another program has recursive_triggers off: then the guard before INSERT stands alone. */
		s->walled = false;
		assert_int_equal(raw(s, on ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF"), SQLITE_OK);
		s->walled = true;
		for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
			if (raw(s, forbidden[i]) != SQLITE_CONSTRAINT_TRIGGER)
				fail_msg("was allowed: %s", forbidden[i]);
	}
	assert_refused(leaf_add(s, 0, e), REASON_WRONG_STATE);
	assert_ok(leaf_add(s, 1, e));
	assert_int_equal(raw(s, "INSERT INTO statement VALUES (NULL, x'02', 'XA', 'XR', 'k', x'02', 0, NULL, '', 0, 0, x'00')"), SQLITE_OK);
	store_close(s);
	home_remove(&h);
}

static void lets_no_query_touch_schema_or_settings(void **state)
{
	static const char *const forbidden[] = {
		"DROP TABLE log_leaf", "DROP TRIGGER log_leaf_no_UPDATE", "ALTER TABLE log_leaf RENAME TO x",
		"PRAGMA recursive_triggers = OFF", "ATTACH ':memory:' AS other", "CREATE TABLE x (a)",
		"CREATE TEMP TABLE x (a)", "DETACH book", "PRAGMA user_version = 0", "REINDEX", "ANALYZE",
	};
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (raw(s, forbidden[i]) != SQLITE_AUTH)
			fail_msg("was allowed: %s", forbidden[i]);
	store_close(s);
	home_remove(&h);
}

static void rolls_back_both_files(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_ok(store_begin(s, e));
	assert_refused(store_begin(s, e), REASON_WRONG_STATE);
	assert_ok(key_add(s, "h", "k", e));
	assert_ok(statement_add(s, "id", "h", e));
	assert_true(store_in_transaction(s));
	store_rollback(s);
	assert_false(store_in_transaction(s));
	assert_false(has_key(s, "h", NULL));
	assert_false(has_statement(s, "h"));
	assert_refused(store_commit(s, e), REASON_WRONG_STATE);
	assert_int_equal(store_commits(s), 0);
	store_close(s);
	home_remove(&h);
}

static bool simple(struct store *s, enum query_name name, struct err *e)
{
	struct query *q = store_query(s, name);
	bool ok = query_run(q, e);

	query_end(q);
	return ok;
}

static void takes_back_one_step_of_a_transaction(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_ok(store_begin(s, e));
	assert_ok(key_add(s, "h", "k", e));
	assert_ok(simple(s, QUERY_savepoint, e));
	assert_ok(key_add(s, "i", "k", e));
	assert_ok(statement_add(s, "id", "i", e));
	assert_ok(simple(s, QUERY_savepoint_back, e));
	assert_ok(simple(s, QUERY_savepoint_keep, e));
	assert_ok(store_commit(s, e));
	assert_true(has_key(s, "h", NULL));
	assert_false(has_key(s, "i", NULL));
	assert_false(has_statement(s, "i"));
	store_close(s);
	home_remove(&h);
}

static void syncs_the_keys_before_the_book(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_ok(store_begin(s, e));
	assert_ok(statement_add(s, "id", "h", e));
	assert_ok(key_add(s, "h", "k", e));
	syncs[0] = '\0';
	assert_ok(store_commit(s, e));
	const char *keys = strstr(syncs, "keys.db-wal "), *book = strstr(syncs, "comity.db-wal ");
	assert_non_null(keys);
	assert_non_null(book);
	assert_true(keys < book);
	assert_ok(store_begin(s, e));
	assert_ok(leaf_add(s, 0, e));
	syncs[0] = '\0';
	assert_ok(store_commit(s, e));
	assert_null(strstr(syncs, "keys.db")); /* a file without changes costs no sync */
	store_close(s);
	home_remove(&h);
}

/* In a child: opens, writes one record, commits, is killed on the way. Returns the signal. */
static int child_dies(struct test_home *h, const char *crash_at, const char *sync_of)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct store *s = NULL;

		if (crash_at != NULL)
			setenv("COMITY_CRASH_AT", crash_at, 1);
		/* A first commit writes, and syncs, the heads of both -wal files. */
		if (!store_open(h->fd, &s, NULL) || !store_begin(s, NULL) || !key_add(s, "w", "k", NULL) ||
		    !leaf_add(s, 0, NULL) || !store_commit(s, NULL))
			_exit(1);
		if (!store_begin(s, NULL) || !key_add(s, "h", "first", NULL) || !statement_add(s, "id", "h", NULL))
			_exit(1);
		die_after_sync_of = sync_of;
		if (!store_commit(s, NULL))
			_exit(2);
		_exit(3);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void survives_death_around_a_commit(void **state)
{
	static const struct {
		const char *crash_at, *sync_of;
		bool key, statement;
	} cases[] = {
		{ "keeper-commit:2", NULL, false, false },
		{ "keeper-committed:2", NULL, true, true },
		{ NULL, "keys.db-wal", true, false }, /* a key without its record: harmless */
		{ NULL, "comity.db-wal", true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_home h;
		struct store *s = NULL;
		AUTO_BUF problems = { 0 };

		buf_init(&problems, 65536);
		home_make(&h);
		assert_int_equal(child_dies(&h, cases[i].crash_at, cases[i].sync_of), SIGKILL);
		assert_ok(store_open(h.fd, &s, e));
		assert_int_equal(has_key(s, "h", NULL), cases[i].key);
		assert_int_equal(has_statement(s, "h"), cases[i].statement);
		assert_ok(store_check(s, &problems, e));
		assert_int_equal(problems.len, 0);
		/* The same statement comes again: what was cut off is completed, what is whole stays. */
		assert_ok(store_begin(s, e));
		assert_ok(key_add(s, "h", "second", e));
		if (cases[i].statement)
			assert_refused(statement_add(s, "id", "h", e), REASON_WRONG_STATE);
		else
			assert_ok(statement_add(s, "id", "h", e));
		assert_ok(store_commit(s, e));
		assert_true(has_key(s, "h", cases[i].statement ? "first" : "second"));
		store_close(s);
		home_remove(&h);
	}
}

static void refuses_a_second_holder(void **state)
{
	struct test_home h;
	struct store *s = NULL, *other = NULL;
	int status = 0;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_refused(store_open(h.fd, &other, e), REASON_BUSY);
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = { 0 };

		_exit(!store_open(h.fd, &other, &e) && e.kind == ERR_CONFLICT && e.reason == REASON_BUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	assert_ok(store_open(h.fd, &other, e));
	store_close(other);
	home_remove(&h);
}

static void refuses_two_users_of_one_query(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	bool found = false;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	assert_ok(leaf_add(s, 0, e));
	assert_ok(leaf_add(s, 1, e));
	struct query *q = store_query(s, QUERY_log_leaf_range);
	query_bind_int(q, 1, 0);
	query_bind_int(q, 2, 9);
	assert_ok(query_row(q, &found, e));
	struct query *again = store_query(s, QUERY_log_leaf_range);
	assert_refused(query_row(again, &found, e), REASON_BAD_ARGUMENT);
	query_end(q);
	assert_int_equal(leaf_count(s), 2);
	q = store_query(s, QUERY_log_leaf_range);
	query_bind_int(q, 3, 0); /* there is no third parameter */
	assert_refused(query_run(q, e), REASON_BAD_ARGUMENT);
	query_end(q);
	store_close(s);
	home_remove(&h);
}

static void tells_a_full_disk(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	AUTO_BUF big = { 0 };

	home_make(&h);
	buf_init(&big, 1 << 20);
	memset(buf_room(&big, 1 << 20), 7, 1 << 20);
	buf_grown(&big, 1 << 20);
	assert_ok(store_open(h.fd, &s, e));
	s->walled = false;
	assert_int_equal(raw(s, "PRAGMA book.max_page_count = 200"), SQLITE_OK);
	s->walled = true;
	assert_ok(store_begin(s, e));
	struct query *q = store_query(s, QUERY_log_edge_put);
	query_bind_int(q, 1, 1);
	query_bind_bytes(q, 2, buf_bytes(&big));
	assert_refused(query_run(q, e), REASON_DISK_FULL);
	query_end(q);
	store_rollback(s);
	assert_ok(leaf_add(s, 0, e));
	store_close(s);
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_an_empty_home_and_finds_it_again),
		cmocka_unit_test(refuses_to_change_what_is_append_only),
		cmocka_unit_test(lets_no_query_touch_schema_or_settings),
		cmocka_unit_test(rolls_back_both_files),
		cmocka_unit_test(takes_back_one_step_of_a_transaction),
		cmocka_unit_test(syncs_the_keys_before_the_book),
		cmocka_unit_test(survives_death_around_a_commit),
		cmocka_unit_test(refuses_a_second_holder),
		cmocka_unit_test(refuses_two_users_of_one_query),
		cmocka_unit_test(tells_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
