/* Backups go through the running node, which holds the one connection there is. Restoring needs a home that
 * stands still, keeps what was there, and leaves the home locked: a store that is older than what its node
 * has signed must not sign again (design.md part 10). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exchange/recover.h"
#include "store/store.h"

#define COPY_STEP_BYTES (256u * KIB)

const struct option backup_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };
const struct option restore_options[] = { OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTION_END };

static void print_backup(const json_t *v, struct buf *out)
{
	output_member(out, "backup", json_text(v, "folder"));
}

int backup_command(const struct args *a)
{
	return output_call(a, "backup", NULL, print_backup);
}

/* --- restore ----------------------------------------------------------------------------------- */

static bool open_folder(int at, const char *path, int *ret, struct err *e)
{
	*ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret >= 0 || err_system(e, "cannot open %s", path);
}

/* The node's own lock, as store/ takes it; held until the end. */
static bool stands_still(int store_fd, int *ret_lock, struct err *e)
{
	*ret_lock = openat(store_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_lock < 0)
		return err_system(e, "cannot open store/lock");
	return flock(*ret_lock, LOCK_EX | LOCK_NB) == 0 ||
	       err_set(e, ERR_CONFLICT, REASON_BUSY, "the node of this home is running: stop it first");
}

static bool backup_is_sound(int from, struct err *e)
{
	struct store *s = NULL;
	AUTO_BUF problems = { 0 };
	bool ok;

	buf_init(&problems, MIB);
	if (!store_open_backup(from, &s, e))
		return err_note(e, "the backup");
	ok = store_check(s, &problems, e);
	store_close(s);
	if (ok && problems.len > 0)
		return err_set(e, ERR_REJECTED, REASON_MALFORMED, "the backup is damaged: %.300s", buf_text(&problems));
	return ok;
}

static bool copy_file(int from, int to, const char *name, struct err *e)
{
	AUTO_FD in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), out = -1;
	AUTO_BUF piece = { 0 };

	if (in < 0)
		return err_system(e, "cannot open %s of the backup", name);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_system(e, "cannot make store/%s", name);
	buf_init(&piece, COPY_STEP_BYTES);
	for (;;) {
		uint8_t *at = buf_room(&piece, COPY_STEP_BYTES);
		ssize_t got = at == NULL ? -1 : read(in, at, COPY_STEP_BYTES);
		if (got < 0)
			return err_system(e, "cannot read %s of the backup", name);
		if (got == 0)
			break;
		if (!file_write_all(out, bytes_from(at, (size_t)got), e))
			return err_note(e, "store/%s", name);
	}
	return fsync(out) == 0 || err_system(e, "cannot sync store/%s", name);
}

/* What was there is moved aside, never lost: a journal left beside another database would be replayed into it. */
static bool move_aside(int home, int store_fd, char *aside, size_t room, struct err *e)
{
	static const char *const names[] = { "comity.db", "comity.db-wal", "comity.db-journal", "keys.db", "keys.db-wal",
					     "keys.db-journal" };
	AUTO_FD to = -1;

	snprintf(aside, room, "store.before-%" PRId64, clock_now_ms());
	if (!dir_make(home, aside, 0700, e) || !open_folder(home, aside, &to, e))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (renameat(store_fd, names[i], to, names[i]) != 0 && errno != ENOENT)
			return err_system(e, "cannot move store/%s to %s", names[i], aside);
	return true;
}

/* The log files may know more than the backup does: log recover reads them. When an earlier restore was not
 * recovered yet, its files are those. */
static bool log_aside(int home, struct err *e)
{
	char other[64];

	snprintf(other, sizeof(other), "log.before-%" PRId64, clock_now_ms());
	if (renameat(home, "log", home, faccessat(home, RECOVER_FOLDER, F_OK, 0) == 0 ? other : RECOVER_FOLDER) != 0 && errno != ENOENT)
		return err_system(e, "cannot move log/ aside");
	return dir_make(home, "log", 0700, e);
}

static bool restore(const char *home_path, const char *backup, char *aside, size_t room, struct err *e)
{
	static const char words[] = "restored: nothing is signed until comity log recover\n";
	AUTO_FD home = -1, from = -1, store_fd = -1, lock = -1;

	/* The mark comes before the store: if this stops half-way, the home is locked rather than forked. */
	return open_folder(AT_FDCWD, home_path, &home, e) && open_folder(AT_FDCWD, backup, &from, e) &&
	       dir_make(home, "store", 0700, e) && open_folder(home, "store", &store_fd, e) && stands_still(store_fd, &lock, e) &&
	       backup_is_sound(from, e) && file_write(home, RESTORED_MARK, bytes_of(words), 0600, true, e) &&
	       move_aside(home, store_fd, aside, room, e) && log_aside(home, e) && copy_file(from, store_fd, "comity.db", e) &&
	       copy_file(from, store_fd, "keys.db", e) && (fsync(store_fd) == 0 || err_system(e, "cannot sync store/"));
}

static void print_restored(const json_t *v, struct buf *out)
{
	output_member(out, "restored from", json_text(v, "backup"));
	output_member(out, "what was there is in", json_text(v, "aside"));
	buf_add_text(out, "the node starts locked; comity log recover brings signed leaves back and unlocks it\n");
}

int restore_command(const struct args *a)
{
	AUTO_JSON *v = json_object();
	char aside[64] = "";
	const char *home;
	struct err e;

	if (!home_of(a, &home, &e) || !restore(home, a->positional[0], aside, sizeof(aside), &e))
		return command_failed(&e);
	json_put_text(v, "backup", a->positional[0]);
	json_put_text(v, "aside", aside);
	return output_value(a, v, print_restored);
}
