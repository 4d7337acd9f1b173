/* The one door to SQL: what queries.tbl.h lists, prepared once, bound by position. A query handle is
 * the prepared statement itself, so it has one user at a time; two at once both fail, rather than read
 * each other's rows. */
#include <errno.h>
#include <string.h>

#include "store/store-internal.h"

static const struct {
	const char *name, *sql;
	bool of_witness;
} texts[QUERY_COUNT] = {
#define QUERY(name, sql) [QUERY_##name] = { #name, sql, false },
#define WITNESS_QUERY(name, sql) [QUERY_##name] = { #name, sql, true },
#include "store/queries.tbl.h"
};

bool store_error(sqlite3 *db, int rc, const char *what, struct err *e)
{
	int system_errno = sqlite3_system_errno(db);
	const char *words = sqlite3_errmsg(db);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return err_set(e, ERR_UNAVAILABLE, REASON_DISK_FULL, "%s: the disk is full", what);
	case SQLITE_IOERR:
		if (system_errno == ENOSPC || system_errno == EDQUOT)
			return err_set(e, ERR_UNAVAILABLE, REASON_DISK_FULL, "%s: the disk is full", what);
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "%s: %s (%s)", what, words, strerror(system_errno));
	case SQLITE_CONSTRAINT:
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s: %s", what, words);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "%s: %s", what, words);
	case SQLITE_TOOBIG:
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s: %s", what, words);
	default:
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "%s: %s", what, words);
	}
}

/* SQLite counts parameters in order of first use; we bind by the number in their name. Every number
 * from 1 to the count is there. */
static bool parameters_find(struct query *q, struct err *e)
{
	int count = sqlite3_bind_parameter_count(q->stmt);

	if (count > QUERY_PARAMETERS_MAX)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "query %s: more than %d parameters", q->name, QUERY_PARAMETERS_MAX);
	for (int i = 1; i <= count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "$%d", i);
		q->at[i] = sqlite3_bind_parameter_index(q->stmt, name);
		if (q->at[i] == 0)
			return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "query %s: no parameter is called %s", q->name, name);
	}
	return true;
}

static int place(const struct query *q, int at)
{
	return at >= 1 && at <= QUERY_PARAMETERS_MAX ? q->at[at] : 0; /* 0 does not bind */
}

bool queries_prepare(struct store *s, struct err *e)
{
	for (size_t i = 0; i < QUERY_COUNT; i++) {
		struct query *q = &s->queries[i];
		int rc;

		q->store = s;
		q->name = texts[i].name;
		if (texts[i].of_witness != s->of_witness)
			continue; /* no statement: whoever asks gets an error */
		rc = sqlite3_prepare_v3(s->db, texts[i].sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL);
		if (rc != SQLITE_OK) {
			store_error(s->db, rc, q->name, e);
			return err_note(e, "query does not compile");
		}
		if (!parameters_find(q, e))
			return false;
	}
	return true;
}

void queries_finish(struct store *s)
{
	for (size_t i = 0; i < QUERY_COUNT; i++) {
		sqlite3_finalize(s->queries[i].stmt);
		s->queries[i].stmt = NULL;
	}
}

struct query *store_query(struct store *s, enum query_name name)
{
	struct query *q = &s->queries[name];

	if (q->in_use && q->stmt != NULL && sqlite3_stmt_busy(q->stmt)) {
		q->failed = true;
		return q;
	}
	query_end(q);
	q->in_use = true;
	return q;
}

void query_end(struct query *q)
{
	if (q->stmt != NULL) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
	}
	q->in_use = q->failed = false;
}

static void bound(struct query *q, int rc)
{
	if (rc != SQLITE_OK)
		q->failed = true;
}

void query_bind_bytes(struct query *q, int at, struct bytes v)
{
	/* A NULL pointer would bind NULL, not the empty blob. */
	const uint8_t *from = v.at == NULL ? (const uint8_t *)"" : v.at;

	bound(q, sqlite3_bind_blob64(q->stmt, place(q, at), from, v.len, SQLITE_STATIC));
}

void query_bind_text(struct query *q, int at, const char *v)
{
	bound(q, sqlite3_bind_text(q->stmt, place(q, at), v, -1, SQLITE_STATIC));
}

void query_bind_int(struct query *q, int at, int64_t v)
{
	bound(q, sqlite3_bind_int64(q->stmt, place(q, at), v));
}

void query_bind_null(struct query *q, int at)
{
	bound(q, sqlite3_bind_null(q->stmt, place(q, at)));
}

/* After a full disk SQLite may have rolled the transaction back by itself; what still runs then would
 * commit on its own. */
static bool usable(const struct query *q, struct err *e)
{
	const struct store *s = q->store;

	if (q->failed || q->stmt == NULL)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "query %s: a parameter does not fit, or two use it at once", q->name);
	if (s->in_transaction && sqlite3_get_autocommit(s->db))
		return err_set(e, ERR_UNAVAILABLE, REASON_WRONG_STATE, "query %s: the transaction was rolled back", q->name);
	return true;
}

bool query_row(struct query *q, bool *ret_found, struct err *e)
{
	int rc;

	if (!usable(q, e))
		return false;
	rc = sqlite3_step(q->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		char what[96];

		snprintf(what, sizeof(what), "query %s", q->name);
		store_error(q->store->db, rc, what, e);
		sqlite3_reset(q->stmt);
		return false;
	}
	*ret_found = rc == SQLITE_ROW;
	return true;
}

bool query_run(struct query *q, struct err *e)
{
	bool found;

	if (!query_row(q, &found, e))
		return false;
	sqlite3_reset(q->stmt);
	return true;
}

struct bytes query_bytes(const struct query *q, int column)
{
	const void *at = sqlite3_column_blob(q->stmt, column);

	return bytes_from(at, (size_t)sqlite3_column_bytes(q->stmt, column));
}

int64_t query_int(const struct query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

bool query_is_null(const struct query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

int64_t store_changes(const struct store *s)
{
	return sqlite3_changes64(s->db);
}
