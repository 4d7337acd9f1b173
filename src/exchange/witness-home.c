/* Key and state are made in this order: state, then key. A crash between the two leaves a state without a key, which
 * witness_home_renew clears away; a key without a state is never left by us, so that one is a loss. */
#include "exchange/witness-home.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define KEY_BYTES_MAX (4 * KIB)
#define VKEY_BYTES_MAX (2 * NOTE_NAME_BYTES_MAX)
#define REFUSED "; a witness whose state is lost takes a new key: comity witness new-key --home DIR"

static bool folder_open(int home_fd, int *ret, struct err *e)
{
	*ret = openat(home_fd, WITNESS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret >= 0 || err_system(e, "cannot open the folder " WITNESS_FOLDER);
}

static bool self_put(struct store *s, const struct note_key *self, struct err *e)
{
	struct query *q = store_query(s, QUERY_witness_self_put);
	AUTO_BUF vkey = { 0 };

	buf_init(&vkey, VKEY_BYTES_MAX);
	note_key_write(self, &vkey);
	query_bind_text(q, 1, buf_text(&vkey));
	query_bind_int(q, 2, clock_now_ms());
	bool ok = buf_check(&vkey, "verifier key", e) && store_begin(s, e) && query_run(q, e) && store_commit(s, e);
	query_end(q);
	return ok;
}

static bool self_get(struct store *s, struct note_key *ret, struct err *e)
{
	struct query *q = store_query(s, QUERY_witness_self_get);
	bool found = false;
	bool ok = query_row(q, &found, e) && (found || err_set(e, ERR_CONFLICT, REASON_FILE_MISSING, "it names no key")) &&
		  note_key_parse(query_bytes(q, 0), ret, e);

	query_end(q);
	return ok;
}

/* A name that a note cannot carry would be found out only by those who read the note. */
static bool self_make(const char *name, const struct sign_key *k, struct note_key *ret, struct err *e)
{
	struct note_key check;
	AUTO_BUF vkey = { 0 };

	buf_init(&vkey, VKEY_BYTES_MAX);
	note_key_make(name, NOTE_COSIGNATURE, sign_key_public(k), ret);
	note_key_write(ret, &vkey);
	return (buf_check(&vkey, "verifier key", e) && note_key_parse(buf_bytes(&vkey), &check, e) && strcmp(check.name, name) == 0) ||
	       err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.100s\" is no name for a witness: at most %u bytes, no spaces, no +", name,
		       NOTE_NAME_BYTES_MAX);
}

static bool public_write(int dir, const struct note_key *self, struct err *e)
{
	AUTO_BUF line = { 0 };

	buf_init(&line, VKEY_BYTES_MAX);
	note_key_write(self, &line);
	buf_add_u8(&line, '\n');
	return buf_check(&line, "verifier key", e) && file_write(dir, WITNESS_PUBLIC_FILE, buf_bytes(&line), 0644, true, e);
}

static bool make_in(int dir, const char *name, struct note_key *ret, struct err *e)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	struct store *s = NULL;
	struct note_key self;
	struct stat st;
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, KEY_BYTES_MAX);
	sign_key_write(k, name, &file);
	if (!self_make(name, k, &self, e) || !buf_check(&file, "the key", e))
		return false;
	if (fstatat(dir, WITNESS_KEY_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, WITNESS_KEY_FILE " is there already: a key is never written over");
	if (!store_open_witness(dir, true, &s, e))
		return false;
	bool ok = self_put(s, &self, e);
	store_close(s);
	if (!ok || !public_write(dir, &self, e) || !file_write(dir, WITNESS_KEY_FILE, buf_bytes(&file), 0600, true, e))
		return false;
	*ret = self;
	return true;
}

bool witness_home_make(int home_fd, const char *name, struct note_key *ret, struct err *e)
{
	AUTO_FD dir = -1;

	return dir_make(home_fd, WITNESS_FOLDER, 0700, e) && folder_open(home_fd, &dir, e) && make_in(dir, name, ret, e);
}

/* The journal goes with its database: left beside another one it would be replayed into it. */
static bool move_aside(int dir, struct err *e)
{
	static const char *const names[] = { WITNESS_KEY_FILE, WITNESS_PUBLIC_FILE, "state.db", "state.db-wal", "state.db-journal" };
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char to[64];

		snprintf(to, sizeof(to), "before-%" PRId64 ".%s", now, names[i]);
		if (renameat(dir, names[i], dir, to) != 0 && errno != ENOENT)
			return err_system(e, "cannot move " WITNESS_FOLDER "/%s aside", names[i]);
	}
	return fsync(dir) == 0 || err_system(e, "cannot sync " WITNESS_FOLDER);
}

bool witness_home_renew(int home_fd, const char *name, struct note_key *ret, struct err *e)
{
	AUTO_FD dir = -1, lock = -1;

	if (!dir_make(home_fd, WITNESS_FOLDER, 0700, e) || !folder_open(home_fd, &dir, e))
		return false;
	lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return err_system(e, "cannot open " WITNESS_FOLDER "/lock");
	if (flock(lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_CONFLICT, REASON_BUSY, "the witness of this home is running: stop it first");
	if (!move_aside(dir, e))
		return false;
	fd_close_at(&lock);
	return make_in(dir, name, ret, e);
}

bool witness_home_public(int home_fd, struct note_key *ret, struct err *e)
{
	AUTO_BUF line = { 0 };

	buf_init(&line, VKEY_BYTES_MAX);
	if (!file_read(home_fd, WITNESS_FOLDER "/" WITNESS_PUBLIC_FILE, &line, e))
		return err_note(e, "this folder has no witness");
	struct bytes rest = buf_bytes(&line);
	return note_key_parse(bytes_cut(&rest, '\n'), ret, e) || err_note(e, WITNESS_PUBLIC_FILE);
}

static bool key_read(int dir_fd, struct sign_key **ret, struct err *e)
{
	AUTO_BUF_WIPE in = { 0 };
	struct stat st;

	buf_init(&in, KEY_BYTES_MAX);
	if (fstatat(dir_fd, WITNESS_KEY_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return err_set(e, ERR_CONFLICT, REASON_FILE_MISSING, "there is no witness key; comity witness new-key makes one");
	return (file_read(dir_fd, WITNESS_KEY_FILE, &in, e) && sign_key_parse(buf_bytes(&in), ret, e)) ||
	       err_note(e, WITNESS_FOLDER "/" WITNESS_KEY_FILE);
}

bool witness_home_open(int dir_fd, struct sign_key **ret_key, struct note_key *ret_self, struct store **ret, struct err *e)
{
	AUTO_SIGN_KEY *k = NULL;
	struct store *s = NULL;
	struct note_key self;
	struct err why = { 0 };

	if (!key_read(dir_fd, &k, e))
		return false;
	if (!store_open_witness(dir_fd, false, &s, &why)) {
		if (why.reason == REASON_FILE_MISSING)
			return err_set(e, ERR_CONFLICT, REASON_FILE_MISSING, "the state of this witness's key is missing" REFUSED);
		return err_set(e, why.kind, why.reason, "%s", why.text);
	}
	if (!self_get(s, &self, &why) || self.type != NOTE_COSIGNATURE ||
	    !bytes_equal(bytes_from(self.public_key, self.public_key_len), bytes_from(sign_key_public(k), SIGN_PUBLIC_BYTES))) {
		store_close(s);
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the state of this witness is not of its key" REFUSED);
	}
	*ret = s;
	*ret_self = self;
	*ret_key = k;
	k = NULL;
	return true;
}
