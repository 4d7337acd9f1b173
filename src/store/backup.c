/* Copies of a living store, through its own connection: the only way that is safe while it is written
 * (a second connection could corrupt it, see design.md part 8). comity.db is copied first and keys.db
 * after it, so that the copy has the key of every record in it. Both are on the disk before the
 * function returns, and files that were begun are removed when it fails. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store-internal.h"

#define STEP_PAGES 256 /* 1 MiB: about a millisecond between two calls of step */

struct progress {
	bool (*step)(void *ctx, unsigned left, unsigned total);
	void *ctx;
};

static bool pages_copy(struct store *s, sqlite3_backup *b, const char *file, const struct progress *p, struct err *e)
{
	for (;;) {
		int rc;

		if (s->in_transaction)
			return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "no backup while a transaction is open");
		rc = sqlite3_backup_step(b, STEP_PAGES);
		if (rc != SQLITE_OK && rc != SQLITE_DONE)
			return store_error(s->db, rc, file, e);
		if (p->step != NULL && !p->step(p->ctx, (unsigned)sqlite3_backup_remaining(b), (unsigned)sqlite3_backup_pagecount(b)))
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the backup was stopped");
		if (rc == SQLITE_DONE)
			return true;
	}
}

static bool database_copy(struct store *s, const char *name, const char *path, const struct progress *p, struct err *e)
{
	sqlite3 *to = NULL;
	sqlite3_backup *b;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	bool ok = rc == SQLITE_OK;

	if (!ok) {
		err_set(e, ERR_SYSTEM, REASON_SYSTEM, "cannot open %s", path);
	} else if ((ok = store_exec(to, "PRAGMA journal_mode = OFF", e) && store_exec(to, "PRAGMA synchronous = OFF", e) &&
			 store_exec(to, "PRAGMA temp_store = MEMORY", e))) {
		b = sqlite3_backup_init(to, "main", s->db, name);
		ok = b != NULL ? pages_copy(s, b, path, p, e) : store_error(to, sqlite3_errcode(to), path, e);
		rc = b == NULL ? SQLITE_OK : sqlite3_backup_finish(b);
		if (ok && rc != SQLITE_OK)
			ok = store_error(to, rc, path, e);
	}
	if (sqlite3_close(to) != SQLITE_OK && ok)
		ok = err_set(e, ERR_SYSTEM, REASON_SYSTEM, "cannot close %s", path);
	return ok;
}

static bool file_copy(struct store *s, int dir_fd, const char *folder, const char *name, const char *file,
		      const struct progress *p, struct err *e)
{
	char path[PATH_MAX];
	AUTO_FD fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= PATH_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the backup's path is too long");
	fd = openat(dir_fd, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_system(e, "cannot create %s", path);
	if (!database_copy(s, name, path, p, e)) {
		unlinkat(dir_fd, file, 0);
		return false;
	}
	if (fsync(fd) != 0) {
		err_system(e, "cannot sync %s", path);
		unlinkat(dir_fd, file, 0);
		return false;
	}
	return true;
}

bool store_backup(struct store *s, int dir_fd, bool with_keys, bool (*step)(void *ctx, unsigned left, unsigned total),
		  void *ctx, struct err *e)
{
	struct progress p = { step, ctx };
	char folder[PATH_MAX];

	if (!store_folder_path(dir_fd, folder, e) || !file_copy(s, dir_fd, folder, BOOK, BOOK_FILE, &p, e))
		return err_note(e, "backup");
	if (with_keys && !file_copy(s, dir_fd, folder, "main", KEYS_FILE, &p, e)) {
		unlinkat(dir_fd, BOOK_FILE, 0);
		return err_note(e, "backup");
	}
	if (fsync(dir_fd) != 0)
		return err_system(e, "backup: cannot sync its folder");
	return true;
}

/* Every row of a PRAGMA as a line, unless it is the one that says all is well. */
static bool lines(struct store *s, const char *sql, struct buf *problems, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc != SQLITE_OK)
		return store_error(s->db, rc, sql, e);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(q, 0);

		if (sqlite3_column_count(q) == 1 && text != NULL && strcmp(text, "ok") == 0)
			continue;
		buf_add_format(problems, "%s:", sql + strlen("PRAGMA "));
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			text = (const char *)sqlite3_column_text(q, i);
			buf_add_format(problems, " %s", text == NULL ? "-" : text);
		}
		buf_add_u8(problems, '\n');
	}
	sqlite3_finalize(q);
	/* A file too broken to be read is a finding, not a failure to look. */
	if (rc != SQLITE_DONE)
		buf_add_format(problems, "%s: %s\n", sql + strlen("PRAGMA "), sqlite3_errmsg(s->db));
	return true;
}

bool store_check(struct store *s, struct buf *problems, struct err *e)
{
	static const char *const pragmas[] = {
		"PRAGMA main.integrity_check", "PRAGMA " BOOK ".integrity_check",
		"PRAGMA main.foreign_key_check", "PRAGMA " BOOK ".foreign_key_check",
	};
	struct err version = { 0 };
	bool ok = true;

	s->walled = false;
	for (size_t i = 0; ok && i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		ok = lines(s, pragmas[i], problems, e);
	if (ok && (!schema_check_version(s->db, "main", &version) || !schema_check_version(s->db, BOOK, &version)))
		buf_add_format(problems, "%s\n", version.text);
	s->walled = true;
	return ok && buf_check(problems, "list of problems", e);
}
