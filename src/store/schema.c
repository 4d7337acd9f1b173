/* From an empty or older file to today's schema: the rows of schema.tbl.h whose version is above the
 * file's user_version run in order, in one transaction with the new version. A file from a newer
 * program is refused and left alone. Append-only tables get three triggers each; the one before INSERT
 * is made from the table's own keys, because REPLACE deletes without asking DELETE triggers where a
 * connection has not switched recursive_triggers on, and other programs may open the file. */
#include <string.h>

#include "base/limits.h"
#include "store/store-internal.h"

struct schema_row {
	int version;
	const char *database, *sql; /* of STATEMENT */
	const char *table;          /* of APPEND_ONLY and BLANKABLE */
	const char *blanks, *when;  /* of BLANKABLE */
};

static const struct schema_row rows[] = {
#define STATEMENT(version, database, sql) { version, database, sql, NULL, NULL, NULL },
#define APPEND_ONLY(version, table) { version, "main", NULL, table, NULL, NULL },
#define BLANKABLE(version, table, blanks, when) { version, "main", NULL, table, blanks, when },
#include "store/schema.tbl.h"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

int store_version(void)
{
	int version = 0;

	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].version > version)
			version = rows[i].version;
	return version;
}

static bool version_error(const char *database, int64_t have, struct err *e)
{
	return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
		       have > store_version()
			       ? "the database \"%s\" has schema version %lld, made by a newer program than this (version %d)"
			       : "the database \"%s\" has schema version %lld, and this program reads only version %d",
		       database, (long long)have, store_version());
}

bool schema_check_version(sqlite3 *db, const char *name, struct err *e)
{
	char sql[64];
	int64_t have;

	snprintf(sql, sizeof(sql), "PRAGMA %s.user_version", name);
	if (!store_number(db, sql, &have, e))
		return false;
	return have == store_version() || version_error(strcmp(name, BOOK) == 0 ? "main" : "keys", have, e);
}

/* " OR EXISTS (SELECT 1 FROM t WHERE a = NEW.a AND b = NEW.b)" for one unique index. */
static bool key_condition(sqlite3 *db, const char *table, const char *index, struct buf *out, struct err *e)
{
	sqlite3_stmt *columns = NULL;
	const char *joint = " WHERE ";
	int rc = sqlite3_prepare_v2(db, "SELECT name FROM pragma_index_info($1)", -1, &columns, NULL);

	if (rc != SQLITE_OK)
		return store_error(db, rc, "schema", e);
	sqlite3_bind_text(columns, 1, index, -1, SQLITE_STATIC);
	buf_add_format(out, " OR EXISTS (SELECT 1 FROM %s", table);
	while ((rc = sqlite3_step(columns)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(columns, 0);

		buf_add_format(out, "%s%s = NEW.%s", joint, name, name);
		joint = " AND ";
	}
	buf_add_text(out, ")");
	sqlite3_finalize(columns);
	return rc == SQLITE_DONE || store_error(db, rc, "schema", e);
}

/* The condition under which an INSERT would take an existing row's place. */
static bool replace_condition(sqlite3 *db, const char *table, struct buf *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool ok = true;
	int rc = sqlite3_prepare_v2(db, "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = $1", -1, &q, NULL);

	if (rc != SQLITE_OK)
		return store_error(db, rc, "schema", e);
	sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW && sqlite3_column_int(q, 0) == 0)
		buf_add_format(out, "EXISTS (SELECT 1 FROM %s WHERE rowid = NEW.rowid)", table);
	else
		buf_add_text(out, "0");
	sqlite3_finalize(q);
	if (rc != SQLITE_ROW)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "schema: no table %s to guard", table);
	rc = sqlite3_prepare_v2(db, "SELECT name FROM pragma_index_list($1) WHERE \"unique\" = 1 AND partial = 0", -1, &q, NULL);
	if (rc != SQLITE_OK)
		return store_error(db, rc, "schema", e);
	sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
	while (ok && (rc = sqlite3_step(q)) == SQLITE_ROW)
		ok = key_condition(db, table, (const char *)sqlite3_column_text(q, 0), out, e);
	sqlite3_finalize(q);
	return ok && (rc == SQLITE_DONE || store_error(db, rc, "schema", e));
}

bool schema_guard(sqlite3 *db, const char *table, struct err *e)
{
	static const char *const events[] = { "UPDATE", "DELETE" };
	AUTO_BUF sql = { 0 }, condition = { 0 };

	buf_init(&sql, 64 * KIB);
	buf_init(&condition, 32 * KIB);
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&sql);
		buf_add_format(&sql, "CREATE TRIGGER %s_no_%s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, '%s is append-only'); END",
			       table, events[i], events[i], table, table);
		if (!buf_check(&sql, "trigger", e) || !store_exec(db, buf_text(&sql), e))
			return false;
	}
	if (!replace_condition(db, table, &condition, e))
		return false;
	buf_clear(&sql);
	buf_add_format(&sql, "CREATE TRIGGER %s_no_REPLACE BEFORE INSERT ON %s WHEN %s "
		       "BEGIN SELECT RAISE(ABORT, '%s has this row already'); END", table, table, buf_text(&condition), table);
	return buf_check(&sql, "trigger", e) && store_exec(db, buf_text(&sql), e);
}

static bool is_word_of(const char *words, const char *word)
{
	struct bytes rest = bytes_of(words);

	while (rest.len > 0)
		if (bytes_is(bytes_cut(&rest, ' '), word))
			return true;
	return false;
}

/* Each column stays what it is; those that may be blanked may also become empty. */
static bool blank_condition(sqlite3 *db, const struct schema_row *r, struct buf *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info($1)", -1, &q, NULL);

	if (rc != SQLITE_OK)
		return store_error(db, rc, "schema", e);
	sqlite3_bind_text(q, 1, r->table, -1, SQLITE_STATIC);
	buf_add_format(out, "(%s)", r->when);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(q, 0);

		buf_add_format(out, is_word_of(r->blanks, name) ? " AND (NEW.%s IS OLD.%s OR length(NEW.%s) = 0)" : " AND NEW.%s IS OLD.%s",
			       name, name, name);
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE || store_error(db, rc, "schema", e);
}

static bool loosen(sqlite3 *db, const struct schema_row *r, struct err *e)
{
	AUTO_BUF sql = { 0 }, condition = { 0 };

	buf_init(&sql, 64 * KIB);
	buf_init(&condition, 32 * KIB);
	if (!blank_condition(db, r, &condition, e))
		return false;
	buf_add_format(&sql, "DROP TRIGGER %s_no_UPDATE; CREATE TRIGGER %s_no_UPDATE BEFORE UPDATE ON %s WHEN NOT (%s) "
		       "BEGIN SELECT RAISE(ABORT, '%s is append-only'); END", r->table, r->table, r->table, buf_text(&condition), r->table);
	return buf_check(&sql, "trigger", e) && store_exec(db, buf_text(&sql), e);
}

static bool run_row(sqlite3 *db, const struct schema_row *r, struct err *e)
{
	if (r->blanks != NULL)
		return loosen(db, r, e);
	return r->table != NULL ? schema_guard(db, r->table, e) : store_exec(db, r->sql, e);
}

static bool run_rows(sqlite3 *db, const char *database, int64_t have, struct err *e)
{
	char sql[64];

	for (int version = (int)have + 1; version <= store_version(); version++)
		for (size_t i = 0; i < ROW_COUNT; i++) {
			const struct schema_row *r = &rows[i];

			if (r->version != version || strcmp(r->database, database) != 0)
				continue;
			if (!run_row(db, r, e))
				return false;
		}
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", store_version());
	return store_exec(db, sql, e);
}

bool schema_migrate(sqlite3 *db, const char *database, struct err *e)
{
	int64_t have;

	if (!store_number(db, "PRAGMA user_version", &have, e))
		return false;
	if (have == store_version())
		return true;
	if (have > store_version() || have < 0)
		return version_error(database, have, e);
	if (!store_exec(db, "BEGIN IMMEDIATE", e))
		return false;
	if (run_rows(db, database, have, e) && store_exec(db, "COMMIT", e))
		return true;
	err_note(e, "schema of \"%s\" from version %lld to %d", database, (long long)have, store_version());
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}
