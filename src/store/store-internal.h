/* What store.c, schema.c, query.c and backup.c share. SQLite's own names differ from ours: the
 * connection's "main" is keys.db and comity.db is attached as BOOK, because SQLite commits the files
 * of a transaction one after the other and "main" first. */
#ifndef COMITY_STORE_STORE_INTERNAL_H
#define COMITY_STORE_STORE_INTERNAL_H

#include <limits.h>
#include <sqlite3.h>

#include "store/store.h"

#define BOOK "book"
#define BOOK_FILE "comity.db"
#define KEYS_FILE "keys.db"
#define WITNESS_FILE "state.db"
#define QUERY_PARAMETERS_MAX 32

struct query {
	struct store *store;
	sqlite3_stmt *stmt;
	const char *name;
	int at[QUERY_PARAMETERS_MAX + 1]; /* SQLite's place of $1.. */
	bool in_use, failed; /* failed: a binding did not fit, or two users at once */
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *rollback;
	int lock_fd;
	bool read_only;
	bool in_transaction;
	bool of_witness; /* the one file is a witness's state */
	bool walled; /* the authorizer lets only reading and writing of rows through */
	uint64_t commits;
	struct query queries[QUERY_COUNT];
};

/* SQLite's result code as an error; `what` begins the sentence ("query outbox_add"). Returns false. */
bool store_error(sqlite3 *db, int rc, const char *what, struct err *e);
bool store_lock_take(int store_fd, int *ret, struct err *e) MUST_USE;
/* The triggers that keep a table append-only. */
bool schema_guard(sqlite3 *db, const char *table, struct err *e) MUST_USE;
/* One statement without parameters and rows. */
bool store_exec(sqlite3 *db, const char *sql, struct err *e) MUST_USE;
/* The first column of the first row as a number. */
bool store_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *e) MUST_USE;
/* The absolute path of an open folder: SQLite opens by name, and later than a sandbox may allow a look
 * at /proc. */
bool store_folder_path(int dir_fd, char ret[static PATH_MAX], struct err *e) MUST_USE;
/* Opens folder/file, made with mode 0600 when missing, with our settings on the connection. */
bool store_connect(const char *folder, const char *file, sqlite3 **ret, struct err *e) MUST_USE;

/* Brings the connection's own file from its version to ours, in one transaction. database: "keys", "main"
 * or "witness", as schema.tbl.h calls them. */
bool schema_migrate(sqlite3 *db, const char *database, struct err *e) MUST_USE;
/* ERR_CONFLICT when the version that SQLite's schema `name` carries is not ours. */
bool schema_check_version(sqlite3 *db, const char *name, struct err *e) MUST_USE;

bool queries_prepare(struct store *s, struct err *e) MUST_USE;
void queries_finish(struct store *s);

/* Fetches the cipher, before a sandbox closes what OpenSSL reads when it starts. */
void record_start(void);

#endif
