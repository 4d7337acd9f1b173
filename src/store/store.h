/* The shelf: one SQLite database HOME/store/comity.db and, attached to the same and only connection,
 * the separate key store HOME/store/keys.db (record keys and exhibit file keys, which is what erasure
 * destroys and what backups keep apart). WAL, STRICT tables, synchronous=FULL, secure_delete.
 * Every query stands in queries.tbl.h and is prepared at open; one that does not compile stops the
 * node. Append-only tables are guarded by triggers, also against REPLACE. Parameters are $1..$n, so
 * that PostgreSQL can follow behind this header. Only the keeper (and tools on a stopped home or a
 * backup) opens a store; a second opening of a running home's is refused by a lock file. */
#ifndef COMITY_STORE_STORE_H
#define COMITY_STORE_STORE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct store;
struct query;

enum query_name {
#define QUERY(name, sql) QUERY_##name,
#define WITNESS_QUERY(name, sql) QUERY_##name,
#include "store/queries.tbl.h"
	QUERY_COUNT
};

/* home_fd: folder that holds store/ (made when missing, with an empty schema). Takes the lock
 * store/lock; ERR_CONFLICT REASON_BUSY when another process has it. Migrates to the current version. */
bool store_open(int home_fd, struct store **ret, struct err *e) MUST_USE;
/* As store_open, for `comity doctor` on a backup: read-only, no migration. */
bool store_open_backup(int dir_fd, struct store **ret, struct err *e) MUST_USE;
/* The state of a witness, dir_fd/state.db: a database of its own with the queries WITNESS_QUERY and no others. With
 * `make` it must not be there yet, and is made; without, it must be there (REASON_FILE_MISSING): a witness whose state
 * is lost does not begin again from nothing. Takes dir_fd/lock. Crash tests say witness-commit:N. */
bool store_open_witness(int dir_fd, bool make, struct store **ret, struct err *e) MUST_USE;
void store_close(struct store *s); /* truncating checkpoint, then close */

bool store_begin(struct store *s, struct err *e) MUST_USE; /* BEGIN IMMEDIATE; an error when one is open */
bool store_commit(struct store *s, struct err *e) MUST_USE; /* durable when true; rolled back when false */
void store_rollback(struct store *s);
bool store_in_transaction(const struct store *s);
/* Commits so far. Opening a store arms the crash points of base/crash.h, with the mark in its folder. */
uint64_t store_commits(const struct store *s);

/* A prepared query, reset and unbound. Between store_query and query_end nobody else uses it. */
struct query *store_query(struct store *s, enum query_name name);
void query_bind_bytes(struct query *q, int at, struct bytes v); /* at from 1; v must live until query_end */
void query_bind_text(struct query *q, int at, const char *v);
void query_bind_int(struct query *q, int at, int64_t v);
void query_bind_null(struct query *q, int at);
/* For queries without rows. REASON_DISK_FULL, REASON_WRONG_STATE (constraint) or REASON_SYSTEM. */
bool query_run(struct query *q, struct err *e) MUST_USE;
/* Steps; *ret_found false at the end. Column values live until the next step or query_end. */
bool query_row(struct query *q, bool *ret_found, struct err *e) MUST_USE;
struct bytes query_bytes(const struct query *q, int column); /* column from 0; text or blob */
int64_t query_int(const struct query *q, int column);
bool query_is_null(const struct query *q, int column);
void query_end(struct query *q);
/* Rows changed by the last query_run. */
int64_t store_changes(const struct store *s);

/* Online backup through this connection into dir_fd: comity.db and, sealed by the caller elsewhere or
 * not at all, keys.db. step is called between portions; returning false stops it. */
bool store_backup(struct store *s, int dir_fd, bool with_keys, bool (*step)(void *ctx, unsigned left, unsigned total),
		  void *ctx, struct err *e) MUST_USE;
/* keys.db as it would be copied, in memory that is wiped afterwards: for a backup that is sealed before it touches
 * a disk. */
bool store_keys_image(struct store *s, bool (*take)(void *ctx, struct bytes image, struct err *e), void *ctx, struct err *e) MUST_USE;
/* After an erasure was committed: nothing of what was deleted stays in either file or its log. Outside a transaction,
 * and while no query has rows left to give. */
bool store_scrub(struct store *s, struct err *e) MUST_USE;
/* integrity_check, foreign_key_check, schema version: problems are appended as lines. */
bool store_check(struct store *s, struct buf *problems, struct err *e) MUST_USE;
/* For a home that stands still and whose log ended: what is of that log goes to tables named after `mark`, and a new
 * one begins (exchange/retire.h). REASON_BUSY when the store is open. */
bool store_log_restart(int home_fd, int64_t mark, struct err *e) MUST_USE;
int store_version(void); /* of the schema this program writes */

#endif
