/* Opens the two files of a home as one connection and keeps its only transaction. Promises: one
 * process per home (a lock that dies with its holder); a commit that returned true is on the disk; the
 * key store is on the disk before what it is the key of; nothing is opened outside HOME/store.
 * SQLite runs with exclusive locking, so that the wal-index lives in memory and no second connection
 * can exist beside ours, and keeps all temporary things in memory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "store/store-internal.h"

bool store_exec(sqlite3 *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	char what[64];

	if (rc == SQLITE_OK)
		return true;
	snprintf(what, sizeof(what), "%.48s", sql);
	return store_error(db, rc, what, e);
}

bool store_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	else
		store_error(db, rc, sql, e);
	sqlite3_finalize(q);
	return rc == SQLITE_ROW;
}

bool store_folder_path(int dir_fd, char ret[static PATH_MAX], struct err *e)
{
	char link[64], path[PATH_MAX];
	struct stat by_fd, by_path;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return err_system(e, "cannot tell the path of the store's folder");
	path[len] = '\0';
	/* The link's text is a claim: the folder may have been renamed or removed since. */
	if (fstat(dir_fd, &by_fd) != 0 || stat(path, &by_path) != 0 || by_fd.st_dev != by_path.st_dev ||
	    by_fd.st_ino != by_path.st_ino)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the store's folder is not at %s any more", path);
	memcpy(ret, path, (size_t)len + 1);
	return true;
}

static const char *const settings[] = {
	"PRAGMA locking_mode = EXCLUSIVE", /* before WAL is first touched: then there is no -shm file */
	"PRAGMA temp_store = MEMORY",
	"PRAGMA secure_delete = ON",
	"PRAGMA foreign_keys = ON",
	"PRAGMA recursive_triggers = ON",
	"PRAGMA trusted_schema = OFF",
	/* 8 MiB: longer, and the turn that copies the pages home is felt by every letter in it. */
	"PRAGMA wal_autocheckpoint = 2000",
};

/* These belong to each file, so that they come again for the attached one. */
static const char *const file_settings[] = {
	"PRAGMA %s.journal_mode = WAL",
	"PRAGMA %s.synchronous = FULL",
	"PRAGMA %s.cache_size = -8192",
	"PRAGMA %s.mmap_size = 0",
};

static bool settle_file(sqlite3 *db, const char *name, struct err *e)
{
	char sql[64];

	for (size_t i = 0; i < sizeof(file_settings) / sizeof(file_settings[0]); i++) {
		snprintf(sql, sizeof(sql), file_settings[i], name);
		if (!store_exec(db, sql, e))
			return false;
	}
	return true;
}

static bool settle(sqlite3 *db, struct err *e)
{
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!store_exec(db, settings[i], e))
			return false;
	return settle_file(db, "main", e);
}

static bool open_error(sqlite3 *db, int rc, const char *path, struct err *e)
{
	bool ok = db == NULL ? err_set(e, ERR_SYSTEM, REASON_SYSTEM, "out of memory") : store_error(db, rc, path, e);

	sqlite3_close(db);
	return ok;
}

bool store_connect(const char *folder, const char *file, sqlite3 **ret, struct err *e)
{
	char path[PATH_MAX];
	sqlite3 *db = NULL;
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= PATH_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the home's path is too long");
	/* Made here, so that its mode does not hang on the umask; -wal takes the same mode. */
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_system(e, "cannot open %s", path);
	fd_close_at(&fd);
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return open_error(db, rc, path, e);
	if (!settle(db, e)) {
		err_note(e, "%s", path);
		sqlite3_close(db);
		return false;
	}
	*ret = db;
	return true;
}

/* Each file by a connection of its own, so that schema.tbl.h's statements need no prefix. The keys
 * first: comity.db with a version proves that keys.db was there. */
static bool migrate(const char *folder, const char *file, const char *database, bool fresh_only, struct err *e)
{
	sqlite3 *db = NULL;
	int64_t have;
	bool ok;

	if (!store_connect(folder, file, &db, e))
		return false;
	ok = store_number(db, "PRAGMA user_version", &have, e);
	if (ok && fresh_only && have != 0)
		ok = err_set(e, ERR_CONFLICT, REASON_FILE_MISSING, "%s is there, but its key store %s is missing", file, KEYS_FILE);
	ok = ok && schema_migrate(db, database, e);
	if (sqlite3_close(db) != SQLITE_OK && ok)
		ok = err_set(e, ERR_SYSTEM, REASON_SYSTEM, "cannot close %s", file);
	return ok;
}

static bool migrate_both(int store_fd, const char *folder, struct err *e)
{
	struct stat st;
	bool no_keys = fstatat(store_fd, KEYS_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0;
	bool book = fstatat(store_fd, BOOK_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;

	/* A key store made empty beside old records would look as if all had been erased. */
	if (no_keys && book && !migrate(folder, BOOK_FILE, "main", true, e))
		return false;
	return migrate(folder, KEYS_FILE, "keys", false, e) && migrate(folder, BOOK_FILE, "main", false, e);
}

static bool attach(sqlite3 *db, const char *name, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "ATTACH $1 AS " BOOK, -1, &q, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
		rc = sqlite3_step(q);
	}
	if (rc != SQLITE_DONE)
		store_error(db, rc, name, e);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *c, const char *d)
{
	const struct store *s = ctx;

	if (!s->walled)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

static bool prepare(struct store *s, const char *sql, sqlite3_stmt **ret, struct err *e)
{
	int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return rc == SQLITE_OK || store_error(s->db, rc, sql, e);
}

/* The wall stands before the queries are prepared: one that changes the schema does not compile. */
static bool start(struct store *s, struct err *e)
{
	sqlite3_set_authorizer(s->db, authorize, s);
	s->walled = true;
	return queries_prepare(s, e) && prepare(s, "BEGIN IMMEDIATE", &s->begin, e) &&
	       prepare(s, "COMMIT", &s->commit, e) && prepare(s, "ROLLBACK", &s->rollback, e);
}

static struct store *store_new(void)
{
	struct store *s = calloc(1, sizeof(*s));
	uint64_t seed;

	if (s == NULL)
		abort();
	s->lock_fd = -1;
	sqlite3_randomness(sizeof(seed), &seed); /* reads its seed now, while /dev is in sight */
	record_start();
	return s;
}

bool store_lock_take(int store_fd, int *ret_fd, struct err *e)
{
	AUTO_FD fd = openat(store_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_system(e, "cannot open store/lock");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return err_set(e, ERR_CONFLICT, REASON_BUSY, "another process has this home open (store/lock)");
		return err_system(e, "cannot lock store/lock");
	}
	*ret_fd = fd;
	fd = -1;
	return true;
}

static bool open_files(struct store *s, int store_fd, struct err *e)
{
	char folder[PATH_MAX], book[PATH_MAX];

	if (!store_folder_path(store_fd, folder, e) || !migrate_both(store_fd, folder, e) ||
	    !store_connect(folder, KEYS_FILE, &s->db, e))
		return false;
	if (snprintf(book, sizeof(book), "%s/" BOOK_FILE, folder) >= PATH_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the home's path is too long");
	return attach(s->db, book, e) && settle_file(s->db, BOOK, e) && schema_check_version(s->db, "main", e) &&
	       schema_check_version(s->db, BOOK, e);
}

bool store_open(int home_fd, struct store **ret, struct err *e)
{
	struct store *s;
	AUTO_FD store_fd = -1;

	if (!dir_make(home_fd, "store", 0700, e))
		return false;
	store_fd = openat(home_fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store_fd < 0)
		return err_system(e, "cannot open the folder store");
	s = store_new();
	crash_arm(store_fd);
	if (!store_lock_take(store_fd, &s->lock_fd, e) || !open_files(s, store_fd, e) || !start(s, e)) {
		store_close(s);
		return false;
	}
	*ret = s;
	return true;
}

/* The schema's version is the same number for all our files, so that one table tells of all. */
static bool open_witness(struct store *s, int dir_fd, bool make, struct err *e)
{
	char folder[PATH_MAX];
	struct stat st;
	bool there = fstatat(dir_fd, WITNESS_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (there && make)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, WITNESS_FILE " is there already");
	if (!there && !make)
		return err_set(e, ERR_CONFLICT, REASON_FILE_MISSING, WITNESS_FILE " is missing");
	return store_folder_path(dir_fd, folder, e) && store_connect(folder, WITNESS_FILE, &s->db, e) &&
	       schema_migrate(s->db, "witness", e) && start(s, e);
}

bool store_open_witness(int dir_fd, bool make, struct store **ret, struct err *e)
{
	struct store *s = store_new();

	s->of_witness = true;
	crash_arm(dir_fd);
	if (!store_lock_take(dir_fd, &s->lock_fd, e) || !open_witness(s, dir_fd, make, e)) {
		err_note(e, "state of the witness");
		store_close(s);
		return false;
	}
	*ret = s;
	return true;
}

/* "file:" name of a file that nobody changes: SQLite then needs neither locks nor a -wal beside it. */
static bool immutable_name(const char *folder, const char *file, struct buf *out, struct err *e)
{
	buf_add_text(out, "file:");
	for (const char *c = folder; *c != '\0'; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			     strchr("/-._~", *c) != NULL;

		buf_add_format(out, plain ? "%c" : "%%%02X", (unsigned)(unsigned char)*c);
	}
	buf_add_format(out, "/%s?mode=ro&immutable=1", file);
	return buf_check(out, "path of the backup", e);
}

/* keys.db may be kept apart: then the connection's main is an empty key store in memory. */
static bool open_backup_files(struct store *s, int dir_fd, struct err *e)
{
	char folder[PATH_MAX];
	struct stat st;
	bool keys = fstatat(dir_fd, KEYS_FILE, &st, 0) == 0;
	AUTO_BUF keys_name = { 0 }, book_name = { 0 };
	int rc;

	buf_init(&keys_name, 4 * PATH_MAX);
	buf_init(&book_name, 4 * PATH_MAX);
	if (fstatat(dir_fd, BOOK_FILE, &st, 0) != 0)
		return err_system(e, "cannot find %s in the backup", BOOK_FILE);
	if ((fstatat(dir_fd, BOOK_FILE "-wal", &st, 0) == 0 && st.st_size > 0) ||
	    (fstatat(dir_fd, KEYS_FILE "-wal", &st, 0) == 0 && st.st_size > 0))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
			       "this is no backup but a store that was not closed (it has a -wal file): open the home instead");
	if (!store_folder_path(dir_fd, folder, e) || !immutable_name(folder, BOOK_FILE, &book_name, e) ||
	    !immutable_name(folder, KEYS_FILE, &keys_name, e))
		return false;
	rc = sqlite3_open_v2(keys ? buf_text(&keys_name) : ":memory:", &s->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return store_error(s->db, rc, folder, e);
	sqlite3_extended_result_codes(s->db, 1);
	return (keys || schema_migrate(s->db, "keys", e)) && attach(s->db, buf_text(&book_name), e) &&
	       store_exec(s->db, "PRAGMA temp_store = MEMORY", e) && store_exec(s->db, "PRAGMA trusted_schema = OFF", e) &&
	       store_exec(s->db, "PRAGMA query_only = ON", e) && schema_check_version(s->db, "main", e) &&
	       schema_check_version(s->db, BOOK, e);
}

bool store_open_backup(int dir_fd, struct store **ret, struct err *e)
{
	struct store *s = store_new();

	s->read_only = true;
	if (!open_backup_files(s, dir_fd, e) || !start(s, e)) {
		err_note(e, "backup");
		store_close(s);
		return false;
	}
	*ret = s;
	return true;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->begin != NULL)
		store_rollback(s);
	queries_finish(s);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	sqlite3_finalize(s->rollback);
	if (s->db != NULL && !s->read_only)
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(s->db);
	if (!s->read_only)
		crash_disarm();
	fd_close_at(&s->lock_fd); /* last: the next process must find closed files */
	free(s);
}

static int step_once(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	sqlite3_reset(q);
	return rc;
}

bool store_begin(struct store *s, struct err *e)
{
	int rc;

	if (s->in_transaction)
		return err_set(e, ERR_SYSTEM, REASON_WRONG_STATE, "a transaction is open already");
	rc = step_once(s->begin);
	if (rc != SQLITE_DONE)
		return store_error(s->db, rc, "begin", e);
	s->in_transaction = true;
	return true;
}

bool store_commit(struct store *s, struct err *e)
{
	int rc;

	if (!s->in_transaction)
		return err_set(e, ERR_SYSTEM, REASON_WRONG_STATE, "no transaction is open");
	if (sqlite3_get_autocommit(s->db)) {
		store_rollback(s);
		return err_set(e, ERR_UNAVAILABLE, REASON_WRONG_STATE, "commit: the transaction was rolled back");
	}
	crash_point(s->of_witness ? "witness-commit" : "keeper-commit");
	rc = step_once(s->commit);
	if (rc != SQLITE_DONE) {
		store_error(s->db, rc, "commit", e);
		store_rollback(s);
		return false;
	}
	s->in_transaction = false;
	s->commits++;
	crash_point(s->of_witness ? "witness-committed" : "keeper-committed");
	return true;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		step_once(s->rollback);
	s->in_transaction = false;
}

bool store_in_transaction(const struct store *s)
{
	return s->in_transaction;
}

uint64_t store_commits(const struct store *s)
{
	return s->commits;
}
