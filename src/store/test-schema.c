/* From nothing to today's schema, and not beyond: what a home must have, and what is left alone. */
#include "store/store-internal.h"
#include "store/test-home.h"

static void guards_every_append_only_table(void **state)
{
	static const char *const tables[] = {
#define STATEMENT(version, database, sql)
#define APPEND_ONLY(version, table) table,
#define BLANKABLE(version, table, blanks, when)
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

/* A row of an erased request may be blanked; nothing else may be done to it, and nothing to any other row. */
static void only_an_erased_row_is_blanked_and_only_where_it_may(void **state)
{
	static const struct {
		const char *sql;
		bool allowed;
	} claims[] = {
		{ "UPDATE statement SET sealed = x'' WHERE seq = 1", false }, /* not erased yet */
		{ "UPDATE request SET erased = 7 WHERE id = x'0a'", true },
		{ "UPDATE statement SET sealed = x'01' WHERE seq = 1", false },
		{ "UPDATE statement SET case_ref = 'other' WHERE seq = 1", false },
		{ "UPDATE statement SET sealed = x'', time = 9 WHERE seq = 1", false },
		{ "UPDATE statement SET sealed = x'', hash = x'99' WHERE seq = 1", false },
		{ "UPDATE statement SET sealed = x'', request = NULL WHERE seq = 1", false },
		{ "UPDATE statement SET sealed = x'', seq = 9 WHERE seq = 1", false },
		{ "DELETE FROM statement WHERE seq = 1", false },
		{ "UPDATE statement SET sealed = x'' WHERE seq = 2", false }, /* the erasure itself */
		{ "UPDATE statement SET sealed = x'' WHERE seq = 3", false }, /* another request's */
		{ "UPDATE statement SET sealed = x'', case_ref = '' WHERE seq = 1", true },
		{ "UPDATE request_move SET why = 'other' WHERE seq = 1", false },
		{ "UPDATE request_move SET to_state = 'x' WHERE seq = 1", false },
		{ "UPDATE request_move SET why = '' WHERE seq = 1", true },
		{ "UPDATE receipt_given SET envelope = x'77' WHERE hash = x'01'", false },
		{ "UPDATE receipt_given SET envelope = x'', hash = x'77' WHERE hash = x'01'", false },
		{ "UPDATE receipt_given SET envelope = x'' WHERE hash = x'03'", false },
		{ "UPDATE receipt_given SET envelope = x'' WHERE hash = x'01'", true },
		{ "UPDATE custody SET hash = x'' WHERE seq = 1", false },
		{ "UPDATE log_leaf SET leaf = x'' WHERE idx = 0", false },
	};
	static const char *const rows[] = {
		"INSERT INTO request (id, kind, peer, case_ref, asked, state, hash, hold_until, order_expires, acknowledged_by, acknowledged_at, "
		"created, updated) VALUES (x'0a', 'k', 'XA', 'c', 1, 's', x'01', 0, 0, '', 0, 0, 0), (x'0b', 'k', 'XA', 'c', 1, 's', x'03', 0, 0, '', "
		"0, 0, 0)",
		"INSERT INTO statement (seq, id, sender, addressee, kind, hash, own, request, case_ref, time, arrived, sealed) VALUES "
		"(1, x'01', 'XA', 'XR', 'answer', x'01', 0, x'0a', 'c', 1, 1, x'55'), (2, x'02', 'XA', 'XR', 'erasure', x'02', 0, x'0a', '', 1, 1, x'55'), "
		"(3, x'03', 'XA', 'XR', 'answer', x'03', 0, x'0b', 'c', 1, 1, x'55')",
		"INSERT INTO request_move (seq, request, from_state, event, to_state, why, time) VALUES (1, x'0a', 'a', 'b', 'c', 'why', 1)",
		"INSERT INTO receipt_given (sender, id, hash, envelope) VALUES ('XA', x'01', x'01', x'66'), ('XA', x'03', x'03', x'66')",
		"INSERT INTO custody (exhibit, seq, hash) VALUES (x'01', 1, x'01')",
		"INSERT INTO log_leaf (idx, leaf, hash) VALUES (0, x'01', x'01')",
	};
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_ok(store_exec(s->db, rows[i], e));
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct err why = { 0 };
		if (store_exec(s->db, claims[i].sql, &why) != claims[i].allowed)
			fail_msg("%s: %s", claims[i].sql, claims[i].allowed ? why.text : "was done");
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
		cmocka_unit_test(only_an_erased_row_is_blanked_and_only_where_it_may),
		cmocka_unit_test(leaves_a_newer_database_alone),
		cmocka_unit_test(refuses_records_without_their_key_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
