/* From nothing to today's schema, and not beyond: what a home must have, and what is left alone. */
#include "store/store-internal.h"
#include "store/test-home.h"

static void guards_every_append_only_table(void **state)
{
	static const char *const tables[] = {
#define STATEMENT(version, database, sql)
#define APPEND_ONLY(version, table) table,
#include "store/schema.tbl.h"
	};
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char sql[200];
		int64_t n = 0;

		snprintf(sql, sizeof(sql), "SELECT count(*) FROM book.sqlite_schema WHERE type = 'trigger' AND tbl_name = '%s' "
			 "AND name LIKE '%s_no_%%'", tables[i], tables[i]);
		assert_ok(store_number(s->db, sql, &n, e));
		assert_int_equal(n, 3);
	}
	store_close(s);
	home_remove(&h);
}

static void set_version(struct test_home *h, const char *file, int version)
{
	char path[PATH_MAX + 32], sql[64];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/store/%s", h->path, file);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void leaves_a_newer_database_alone(void **state)
{
	static const char *const files[] = { "keys.db", "comity.db" };

	for (size_t i = 0; i < 2; i++) {
		struct test_home h;
		struct store *s = NULL;

		home_make(&h);
		assert_ok(store_open(h.fd, &s, e));
		store_close(s);
		set_version(&h, files[i], store_version() + 1);
		assert_refused(store_open(h.fd, &s, e), REASON_WRONG_STATE);
		set_version(&h, files[i], store_version());
		assert_ok(store_open(h.fd, &s, e));
		store_close(s);
		home_remove(&h);
	}
}

static void refuses_records_without_their_key_store(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	store_close(s);
	assert_int_equal(unlinkat(h.fd, "store/keys.db", 0), 0);
	assert_refused(store_open(h.fd, &s, e), REASON_FILE_MISSING);
	assert_refused(store_open(h.fd, &s, e), REASON_FILE_MISSING);
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guards_every_append_only_table),
		cmocka_unit_test(leaves_a_newer_database_alone),
		cmocka_unit_test(refuses_records_without_their_key_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
