/* A log that ended and one that begins: what belongs to the old log is set aside in tables of the same content, never
 * deleted without a copy, in one transaction. Leaves of letters that are not delivered yet and of proofs that we owe
 * wait for the new log. */
#include <fcntl.h>
#include <limits.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/store-internal.h"

static const struct {
	const char *name;
	bool append_only;
} tables[] = {
	{ "log_leaf", true }, { "log_edge", false }, { "log_note", false }, { "leaf_class", true }, { "log_period", true },
	{ "log_opened", false }, { "log_unopened", false }, { "log_parameters", true },
};

static bool run(sqlite3 *db, struct buf *sql, struct err *e)
{
	bool ok = buf_check(sql, "restart of the log", e) && store_exec(db, buf_text(sql), e);

	buf_clear(sql);
	return ok;
}

static bool set_aside(sqlite3 *db, size_t i, int64_t mark, struct buf *sql, struct err *e)
{
	static const char *const events[] = { "UPDATE", "DELETE", "REPLACE" };
	const char *t = tables[i].name;

	for (size_t k = 0; tables[i].append_only && k < 3; k++) {
		buf_add_format(sql, "DROP TRIGGER IF EXISTS %s_no_%s", t, events[k]);
		if (!run(db, sql, e))
			return false;
	}
	buf_add_format(sql, "CREATE TABLE %s_of_%lld AS SELECT * FROM %s", t, (long long)mark, t);
	if (!run(db, sql, e))
		return false;
	buf_add_format(sql, "DELETE FROM %s", t);
	return run(db, sql, e) && (!tables[i].append_only || schema_guard(db, t, e));
}

static bool restart(sqlite3 *db, int64_t mark, struct err *e)
{
	AUTO_BUF sql = { 0 };

	buf_init(&sql, KIB);
	if (!store_exec(db, "INSERT INTO leaf_queue (hash, leaf, rank, peer, salt, class, basis, week, exercise) "
			    "SELECT l.hash, l.leaf, 0, '', c.salt, c.class, c.basis, c.week, c.exercise FROM log_leaf l "
			    "LEFT JOIN leaf_class c ON c.idx = l.idx WHERE l.hash IN (SELECT hash FROM outbox WHERE done = 0 "
			    "UNION SELECT hash FROM proof_out WHERE done = 0) ORDER BY l.idx", e) ||
	    !store_exec(db, "INSERT INTO leaf_ended (hash) SELECT hash FROM log_leaf WHERE hash IS NOT NULL ON CONFLICT (hash) DO NOTHING", e))
		return false;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!set_aside(db, i, mark, &sql, e))
			return false;
	return true;
}

bool store_log_restart(int home_fd, int64_t mark, struct err *e)
{
	AUTO_FD store_fd = openat(home_fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = -1;
	char folder[PATH_MAX];
	sqlite3 *db = NULL;

	if (store_fd < 0)
		return err_system(e, "cannot open the folder store");
	if (!store_lock_take(store_fd, &lock, e) || !store_folder_path(store_fd, folder, e) || !store_connect(folder, BOOK_FILE, &db, e))
		return false;
	bool ok = schema_migrate(db, "main", e) && store_exec(db, "BEGIN IMMEDIATE", e) && restart(db, mark, e) && store_exec(db, "COMMIT", e);
	if (sqlite3_close(db) != SQLITE_OK && ok) /* rolls back what was not committed */
		ok = err_set(e, ERR_SYSTEM, REASON_SYSTEM, "cannot close " BOOK_FILE);
	return ok;
}
