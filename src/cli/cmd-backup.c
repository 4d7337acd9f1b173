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
#include "exchange/config.h"
#include "exchange/recover.h"
#include "log/log.h"
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

/* The store that was there may know leaves that its files lag behind by: they go out to the files first, so that
 * log recover finds all that can have been signed. A damaged store cannot; then the files are what there is. */
static void log_complete(int home)
{
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	struct config *c = malloc(sizeof(*c));
	struct store *s = NULL;
	struct log *l = NULL;
	struct err ignored;
	AUTO_FD files = openat(home, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (c == NULL)
		abort();
	if (files >= 0 && config_load(home, c, &ignored) && store_open(home, &s, &ignored)) {
		config_log_origin(c, origin);
		(void)(log_open(s, files, origin, &l, &ignored) && log_publish_tiles(l, &ignored));
	}
	log_close(l);
	store_close(s);
	free(c);
}

/* The log files may know more than the backup does: log recover reads them. When an earlier restore was not
 * recovered yet, its files are those. */
static bool log_aside(int home, char *aside, size_t room, struct err *e)
{
	if (faccessat(home, RECOVER_FOLDER, F_OK, 0) == 0)
		snprintf(aside, room, "log.before-%" PRId64, clock_now_ms());
	else
		snprintf(aside, room, RECOVER_FOLDER);
	if (renameat(home, "log", home, aside) != 0) {
		if (errno != ENOENT)
			return err_system(e, "cannot move log/ aside");
		aside[0] = '\0';
	}
	return dir_make(home, "log", 0700, e);
}

/* Where what was there is now, below the home; "" when there was nothing. */
struct aside {
	char store[64], log[64];
};

static bool restore(const char *home_path, const char *backup, struct aside *aside, struct err *e)
{
	static const char words[] = "restored: nothing is signed until comity log recover\n";
	AUTO_FD home = -1, from = -1, store_fd = -1, lock = -1;

	/* The mark comes before the store: if this stops half-way, the home is locked rather than forked. */
	return open_folder(AT_FDCWD, home_path, &home, e) && open_folder(AT_FDCWD, backup, &from, e) &&
	       (log_complete(home), true) && dir_make(home, "store", 0700, e) && open_folder(home, "store", &store_fd, e) &&
	       stands_still(store_fd, &lock, e) &&
	       backup_is_sound(from, e) && file_write(home, RESTORED_MARK, bytes_of(words), 0600, true, e) &&
	       move_aside(home, store_fd, aside->store, sizeof(aside->store), e) &&
	       log_aside(home, aside->log, sizeof(aside->log), e) && copy_file(from, store_fd, "comity.db", e) &&
	       copy_file(from, store_fd, "keys.db", e) && (fsync(store_fd) == 0 || err_system(e, "cannot sync store/"));
}

static void print_restored(const json_t *v, struct buf *out)
{
	output_member(out, "restored from", json_text(v, "backup"));
	output_member(out, "the store that was there is in", json_text(v, "aside"));
	output_member(out, "the log files that were there are in", json_text(v, "log_aside"));
	buf_add_text(out, "the node starts locked; comity log recover brings signed leaves back and unlocks it\n");
}

static void put_place(json_t *v, const char *member, const char *home, const char *folder)
{
	char path[4200] = "";

	if (folder[0] != '\0')
		snprintf(path, sizeof(path), "%.4096s/%s", home, folder);
	json_put_text(v, member, path);
}

int restore_command(const struct args *a)
{
	AUTO_JSON *v = json_object();
	struct aside aside = { 0 };
	const char *home;
	struct err e;

	if (!home_of(a, &home, &e) || !restore(home, a->positional[0], &aside, &e))
		return command_failed(&e);
	json_put_text(v, "backup", a->positional[0]);
	put_place(v, "aside", home, aside.store);
	put_place(v, "log_aside", home, aside.log);
	return output_value(a, v, print_restored);
}
