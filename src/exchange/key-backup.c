/* The copy of keys.db is sealed as it leaves memory: no open copy touches the disk. It counts from before it has
 * its name, so a backup that is there is one that the next erasure knows of. */
#include "exchange/key-backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "exchange/erase.h"

#define PREFIX "keys-"
#define SUFFIX ".age"
#define PART ".part"

/* "2026-11-25T02-50-00-000Z": a time without the characters that file names dislike. */
static bool folder_time(struct bytes name, int64_t *ret_ms)
{
	char time[TIME_TEXT_LEN + 1];

	if (name.len != TIME_TEXT_LEN)
		return false;
	bytes_text(name, time, sizeof(time));
	if (time[13] != '-' || time[16] != '-' || time[19] != '-')
		return false;
	time[13] = time[16] = ':';
	time[19] = '.';
	return time_parse(bytes_of(time), ret_ms);
}

bool key_backup_time(struct bytes name, int64_t *ret_ms)
{
	return name.len == KEY_BACKUP_NAME_LEN && bytes_starts(name, PREFIX) &&
	       bytes_is(bytes_slice(name, strlen(PREFIX) + TIME_TEXT_LEN, name.len), SUFFIX) &&
	       folder_time(bytes_slice(name, strlen(PREFIX), TIME_TEXT_LEN), ret_ms);
}

static void name_of(int64_t ms, char name[static KEY_BACKUP_NAME_LEN + 1])
{
	char time[TIME_TEXT_LEN + 1];

	time_write(ms, time);
	for (char *p = time; *p != '\0'; p++)
		if (*p == ':' || *p == '.')
			*p = '-';
	snprintf(name, KEY_BACKUP_NAME_LEN + 1, PREFIX "%s" SUFFIX, time);
}

/* --- for whom ------------------------------------------------------------------------------------------- */

static bool add(const struct node *n, struct bytes text, struct age_recipient *list, size_t *count, struct err *e)
{
	if (*count == AGE_STANZAS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u recipients", AGE_STANZAS_MAX);
	if (!age_recipient_parse(text, &list[*count], e))
		return false;
	/* Who takes the home would have the backup too. */
	if (memcmp(n->identity.seal.x25519, list[*count].x25519, sizeof(n->identity.seal.x25519)) == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "keys are backed up to somebody else, not to this node's own key");
	(*count)++;
	return true;
}

bool key_backup_recipients(const struct node *n, const json_t *given, struct age_recipient ret[static AGE_STANZAS_MAX], size_t *ret_count,
			   struct err *e)
{
	struct bytes rest = bytes_of(config_text(&n->config, key_backup_to));
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(given); i++)
		if (!add(n, bytes_of(json_string_value(json_array_get(given, i))), ret, &count, e))
			return false;
	while (json_array_size(given) == 0 && rest.len > 0) {
		struct bytes word = bytes_cut(&rest, ' ');
		if (word.len > 0 && !add(n, word, ret, &count, e))
			return err_note(e, "key_backup_to");
	}
	*ret_count = count;
	return count > 0 || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT,
				    "for whom? give --to age1..., or set key_backup_to: a key backup is always sealed");
}

/* --- writing ---------------------------------------------------------------------------------------------- */

struct writing {
	int fd;
	const struct age_recipient *to;
	size_t count;
};

static bool pieces(struct age_stream *s, int fd, struct bytes image, struct err *e)
{
	uint8_t *out = malloc(AGE_CHUNK_BYTES + AGE_TAG_BYTES);
	bool ok = true, last = false;

	if (out == NULL)
		abort();
	while (ok && !last) {
		struct bytes piece = bytes_slice(image, 0, AGE_CHUNK_BYTES);
		image = bytes_slice(image, piece.len, image.len);
		last = image.len == 0;
		ok = age_stream_seal(s, piece, last, out, e) && file_write_all(fd, bytes_from(out, piece.len + AGE_TAG_BYTES), e);
	}
	free(out);
	return ok;
}

static bool image_write(void *ctx, struct bytes image, struct err *e)
{
	const struct writing *w = ctx;
	uint8_t nonce[AGE_NONCE_BYTES];
	AUTO_SECRET *key = secret_random(AGE_FILE_KEY_BYTES);
	AUTO_BUF header = { 0 };

	buf_init(&header, AGE_HEADER_BYTES_MAX);
	chance_fill(nonce, sizeof(nonce));
	if (!age_header_write(w->to, w->count, key, &header, e) || !file_write_all(w->fd, buf_bytes(&header), e) ||
	    !file_write_all(w->fd, BYTES_ARRAY(nonce), e))
		return false;
	struct age_stream *s = age_stream_new(key, nonce);
	bool ok = pieces(s, w->fd, image, e);
	age_stream_free(s);
	return ok && (fsync(w->fd) == 0 || err_system(e, "cannot sync the key backup"));
}

bool key_backup_remember(struct node *n, const char *cell, const char *name, int64_t when, struct err *e)
{
	struct query *q;

	if (!store_begin(n->store, e))
		return false;
	q = store_query(n->store, QUERY_cell_put);
	query_bind_text(q, 1, cell);
	query_bind_bytes(q, 2, bytes_of(name));
	query_bind_int(q, 3, when);
	bool ok = query_run(q, e);
	query_end(q);
	if (ok)
		return store_commit(n->store, e);
	store_rollback(n->store);
	return false;
}

static bool make_in(struct node *n, int dir, const struct age_recipient *to, size_t count, const char *name, int64_t now, struct err *e)
{
	char part[KEY_BACKUP_NAME_LEN + sizeof(PART)];
	struct writing w = { .to = to, .count = count };

	snprintf(part, sizeof(part), "%s" PART, name);
	AUTO_FD fd = openat(dir, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_system(e, "cannot make backup/%s", part);
	w.fd = fd;
	if (!store_keys_image(n->store, image_write, &w, e) || !key_backup_remember(n, "key-backup", name, now, e)) {
		unlinkat(dir, part, 0);
		return err_note(e, "key backup");
	}
	if (renameat(dir, part, dir, name) != 0 || fsync(dir) != 0)
		return err_system(e, "cannot name backup/%s", name);
	return true;
}

bool key_backup_make(struct node *n, const struct age_recipient *to, size_t count, char ret_name[static KEY_BACKUP_NAME_LEN + 1],
		     struct err *e)
{
	int64_t now = clock_now_ms();
	char name[KEY_BACKUP_NAME_LEN + 1];

	name_of(now, name);
	if (!dir_make(n->home_fd, "backup", 0700, e))
		return false;
	AUTO_FD dir = openat(n->home_fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_system(e, "cannot open backup/");
	if (!make_in(n, dir, to, count, name, now, e))
		return false;
	memcpy(ret_name, name, sizeof(name));
	return true;
}

/* --- ending ------------------------------------------------------------------------------------------------- */

/* Calls each(ctx, folder, name) for every entry of a folder. */
static bool each_entry(int dir_fd, const char *path, bool (*each)(void *ctx, int fd, const char *name, struct err *e), void *ctx,
		       struct err *e)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool ok = true;

	if (dir == NULL) {
		ok = errno == ENOENT || err_system(e, "cannot list %s", path);
		fd_close_at(&fd);
		return ok;
	}
	while (ok && (entry = readdir(dir)) != NULL)
		ok = entry->d_name[0] == '.' || each(ctx, fd, entry->d_name, e);
	closedir(dir);
	return ok;
}

struct sweeping {
	int64_t before_ms;
	bool folders;
	json_t *deleted;
};

/* What the node puts there, and nothing else: a folder with more in it stays, and that is an error. */
static bool folder_remove(int dir_fd, const char *name, struct err *e)
{
	static const char *const files[] = { "comity.db", "keys.db" };
	char path[300];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		if (unlinkat(dir_fd, path, 0) != 0 && errno != ENOENT)
			return err_system(e, "cannot delete the backup %s", path);
	}
	return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || err_system(e, "cannot delete the backup %s", name);
}

static void tell_deleted(const struct sweeping *s, const char *name)
{
	if (s->deleted != NULL && json_array_append_new(s->deleted, json_string(name)) != 0)
		abort();
}

static bool sweep_one(void *ctx, int fd, const char *name, struct err *e)
{
	const struct sweeping *s = ctx;
	struct bytes b = bytes_of(name);
	bool part = b.len == KEY_BACKUP_NAME_LEN + strlen(PART) && bytes_is(bytes_slice(b, KEY_BACKUP_NAME_LEN, b.len), PART);
	int64_t when;

	if (s->folders && folder_time(b, &when)) {
		if (when >= s->before_ms)
			return true;
		if (!folder_remove(fd, name, e))
			return false;
		tell_deleted(s, name);
		return true;
	}
	if (!key_backup_time(bytes_slice(b, 0, part ? KEY_BACKUP_NAME_LEN : b.len), &when) || (!part && when >= s->before_ms))
		return true;
	if (unlinkat(fd, name, 0) != 0 && errno != ENOENT)
		return err_system(e, "cannot delete the key backup %s, which is older than %d days", name, KEY_BACKUP_DAYS);
	tell_deleted(s, name);
	return true;
}

bool key_backup_sweep(int dir_fd, bool folders, int64_t now_ms, json_t *deleted, struct err *e)
{
	struct sweeping s = { now_ms - KEY_BACKUP_DAYS * DAY_MS, folders, deleted };

	return each_entry(dir_fd, ".", sweep_one, &s, e);
}

bool key_backup_sweep_home(struct node *n, json_t *deleted, struct err *e)
{
	AUTO_FD fd = openat(n->home_fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || err_system(e, "cannot open backup/");
	return key_backup_sweep(fd, true, clock_now_ms(), deleted, e);
}

/* --- open copies -------------------------------------------------------------------------------------------- */

/* Folder names, one a line: of the home those that restore made, of backup/ all. */
struct looking {
	struct buf *out;
	const char *prefix; /* of the path */
	const char *begins; /* of the name */
};

static bool look_one(void *ctx, int fd, const char *name, struct err *e)
{
	const struct looking *l = ctx;
	char path[600];

	if (!bytes_starts(bytes_of(name), l->begins) || snprintf(path, sizeof(path), "%s/keys.db", name) >= (int)sizeof(path) ||
	    faccessat(fd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	buf_add_format(l->out, "%s%s\n", l->prefix, path);
	return buf_check(l->out, "copies of keys", e);
}

bool key_copies_look(struct node *n, struct err *e)
{
	struct looking home = { &n->key_copies, "", "store.before-" };

	buf_clear(&n->key_copies);
	return each_entry(n->home_fd, ".", look_one, &home, e);
}

bool key_copies_none(struct node *n, struct err *e)
{
	AUTO_BUF all = { 0 };
	struct looking backup = { &all, "backup/", "" };

	buf_init(&all, 2 * n->key_copies.max);
	buf_add(&all, buf_bytes(&n->key_copies));
	if (!each_entry(n->home_fd, "backup", look_one, &backup, e))
		return false;
	for (struct bytes rest = buf_bytes(&all); rest.len > 0;) {
		char path[700];
		bytes_text(bytes_cut(&rest, '\n'), path, sizeof(path));
		if (faccessat(n->home_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
				       "HOME/%s is an open copy of the keys: while it is there, erasing would erase nothing; delete it first", path);
	}
	return true;
}
