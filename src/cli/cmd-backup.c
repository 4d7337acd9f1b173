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
#include "cli/witness-folder.h"
#include "exchange/config.h"
#include "exchange/recover.h"
#include "log/log.h"
#include "seal/age.h"
#include "store/store.h"

#define COPY_STEP_BYTES (256u * KIB)

const struct option backup_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "keys", 0, OPTION_FLAG, NULL, "the key store instead, sealed; deletes key backups older than 30 days" },
	{ "to", 0, OPTION_MANY, "RECIPIENT", "to whom it is sealed, age1... (else the setting key_backup_to)" },
	{ "out", 'o', OPTION_VALUE, "DIR", "folder for the sealed keys (else HOME/backup)" },
	OPTION_END,
};

void backup_print(const json_t *v, struct buf *out)
{
	const json_t *deleted = json_object_get(v, "deleted");

	output_member(out, "backup", json_text(v, "folder"));
	output_member(out, "keys", json_text(v, "file"));
	for (size_t i = 0; i < json_array_size(deleted); i++)
		output_member(out, "deleted, older than 30 days", json_string_value(json_array_get(deleted, i)));
}

const struct option restore_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "keys", 0, OPTION_VALUE, "FILE", "sealed backup of the keys (comity backup --keys)" },
	{ "identity", 'i', OPTION_VALUE, "FILE", "identity that opens it (AGE-SECRET-KEY-1...)" },
	OPTION_END,
};

int backup_command(const struct args *a)
{
	struct err e;

	if (args_has(a, "keys"))
		return key_backup_command(a);
	if (!args_has(a, "to") && !args_has(a, "out"))
		return output_call(a, "backup", NULL, backup_print);
	(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--to and --out belong to --keys");
	return command_failed(&e);
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
	(void)unlinkat(home, RECOVER_FOLDER, AT_REMOVEDIR); /* a node makes one; an empty one holds nothing */
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
	char witness[NOTE_NAME_BYTES_MAX + 1]; /* name of the witness, which has a new key */
};

/* What the witness has cosigned since the backup is in no backup: its key is used no more. */
static bool witness_renew(int home, struct aside *aside, struct err *e)
{
	struct witness_folder *f = calloc(1, sizeof(*f));
	struct note_key self;

	if (f == NULL)
		abort();
	f->fd = home;
	bool ok = config_load(home, &f->config, e) && witness_folder_new_key(f, &self, e);
	free(f);
	if (ok)
		snprintf(aside->witness, sizeof(aside->witness), "%s", self.name);
	return ok;
}

/* The sealed keys, opened beside the store under another name until all else is in place. */
#define KEYS_NEW "keys.db.new"

static bool keys_open(int store_fd, const struct args *a, struct err *e)
{
	const char *path = args_value(a, "keys"), *with = args_value(a, "identity");
	AUTO_SEAL_IDENTITY *identity = NULL;
	AUTO_BUF_WIPE file = { 0 };
	struct age_totals totals;

	if (path == NULL)
		return true;
	buf_init(&file, 64 * KIB);
	if (with == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "with which identity are the keys opened? give --identity FILE");
	if (!file_read(AT_FDCWD, with, &file, e) || !seal_identity_parse(buf_bytes(&file), &identity, e))
		return err_note(e, "identity");
	AUTO_FD in = open(path, O_RDONLY | O_CLOEXEC), out = -1;
	if (in < 0)
		return err_system(e, "cannot open %s", path);
	(void)unlinkat(store_fd, KEYS_NEW, 0); /* of a restore that was cut off */
	out = openat(store_fd, KEYS_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return err_system(e, "cannot make store/" KEYS_NEW);
	const struct seal_identity *ids[1] = { identity };
	struct age_copy copy = { .in_fd = in, .out_fd = out, .identities = ids, .identity_count = 1 };
	if (age_copy_open(&copy, &totals, e) && fsync(out) == 0)
		return true;
	(void)unlinkat(store_fd, KEYS_NEW, 0);
	return err_note(e, "%s", path);
}

static bool keys_take(int from, int store_fd, const struct args *a, struct err *e)
{
	if (!args_has(a, "keys"))
		return copy_file(from, store_fd, "keys.db", e);
	return renameat(store_fd, KEYS_NEW, store_fd, "keys.db") == 0 || err_system(e, "cannot name store/keys.db");
}

static bool keys_are_somewhere(int from, const struct args *a, struct err *e)
{
	return args_has(a, "keys") || faccessat(from, "keys.db", F_OK, 0) == 0 ||
	       err_set(e, ERR_INPUT, REASON_FILE_MISSING,
		       "the backup has no keys.db: give --keys FILE and --identity FILE (comity backup --keys made the file)");
}

static bool restore(const struct args *a, const char *home_path, struct aside *aside, struct err *e)
{
	const char *backup = a->positional[0];
	static const char words[] = "restored: nothing is signed until comity log recover\n";
	AUTO_FD home = -1, from = -1, store_fd = -1, lock = -1;

	/* The mark comes before the store: if this stops half-way, the home is locked rather than forked. */
	return open_folder(AT_FDCWD, home_path, &home, e) && open_folder(AT_FDCWD, backup, &from, e) &&
	       (log_complete(home), true) && dir_make(home, "store", 0700, e) && open_folder(home, "store", &store_fd, e) &&
	       stands_still(store_fd, &lock, e) &&
	       keys_are_somewhere(from, a, e) && backup_is_sound(from, e) && keys_open(store_fd, a, e) && file_write(home, RESTORED_MARK, bytes_of(words), 0600, true, e) &&
	       move_aside(home, store_fd, aside->store, sizeof(aside->store), e) &&
	       log_aside(home, aside->log, sizeof(aside->log), e) && copy_file(from, store_fd, "comity.db", e) &&
	       keys_take(from, store_fd, a, e) && witness_renew(home, aside, e) &&
	       (fsync(store_fd) == 0 || err_system(e, "cannot sync store/"));
}

static void print_restored(const json_t *v, struct buf *out)
{
	output_member(out, "restored from", json_text(v, "backup"));
	output_member(out, "the store that was there is in", json_text(v, "aside"));
	output_member(out, "the log files that were there are in", json_text(v, "log_aside"));
	output_member(out, "the witness has a new key (what it cosigned is in no backup): describe this home to the register again",
		      json_text(v, "witness"));
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

	if (!home_of(a, &home, &e) || !restore(a, home, &aside, &e))
		return command_failed(&e);
	json_put_text(v, "backup", a->positional[0]);
	put_place(v, "aside", home, aside.store);
	put_place(v, "log_aside", home, aside.log);
	json_put_text(v, "witness", aside.witness);
	return output_value(a, v, print_restored);
}
