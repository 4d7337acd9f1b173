/* comity log recover: after a restore, signing is unlocked and the log goes on. The node itself decides (exchange/recover.h)
 * by what lies in HOME/log.before-restore; here that folder is filled from a mirror, as any mirror is made, and emptied
 * when it has served. Cut off anywhere, the same command goes on. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/mirror.h"
#include "cli/output.h"
#include "exchange/identity.h"
#include "exchange/recover.h"
#include "log/leaf.h"
#include "log/log.h"

#define BUNDLE_ENTRIES 256u
#define BUNDLE_FILE_BYTES_MAX (BUNDLE_ENTRIES * (2 + LEAF_BYTES_MAX))

const struct option recover_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "from", 0, OPTION_VALUE, "TARGET", "our log as a mirror keeps it: a folder or an https address" },
	{ "pin", 0, OPTION_VALUE, "HEX", "SHA-256 of the web server's key (SPKI); without it any server is asked" },
	{ "without", 0, OPTION_MANY, "PARTY", "do not wait until this party has answered" }, OPTION_END,
};

static void print_recovered(const json_t *v, struct buf *out)
{
	if (!json_bool(v, "was_locked") && json_int(v, "brought_back") == 0 && json_int(v, "acts") == 0)
		buf_add_format(out, "not locked, nothing to recover: %" PRId64 " leaves\n", json_int(v, "size"));
	else
		buf_add_format(out, "%s at size %" PRId64 ", %" PRId64 " leaves brought back\n", json_bool(v, "was_locked") ? "unlocked" : "not locked",
			       json_int(v, "size"), json_int(v, "brought_back"));
	if (json_int(v, "acts") > 0)
		buf_add_format(out, "%" PRId64 " published act%s brought back\n", json_int(v, "acts"), json_int(v, "acts") == 1 ? "" : "s");
	if (json_text(v, "waiting_for")[0] != '\0')
		buf_add_format(out, "nothing is approved until these have said what they have of us: %s\n", json_text(v, "waiting_for"));
	if (json_text(v, "without")[0] != '\0')
		buf_add_format(out, "left out, and nothing goes to them until they have answered: %s\n", json_text(v, "without"));
}

/* Verified with our own log key, into the folder that the node recovers from. What lies there already counts as seen:
 * a mirror that contradicts it is refused, and one that is behind it replaces no checkpoint. */
static bool mirror_bring(const struct args *a, const char *home, const char *from, uint64_t *ret_size, struct err *e)
{
	AUTO_FD at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct identity public;
	struct watched_place log = { 0 };
	struct mirror m;
	uint8_t room[SHA256_BYTES];
	const uint8_t *pin;
	char folder[4400], target[4096];
	bool ok;
	AUTO_BUF identity = { 0 };

	buf_init(&identity, 4 * KIB);
	if (at < 0)
		return err_system(e, "cannot open %s", home);
	if (strlen(from) >= sizeof(target))
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "--from is longer than %zu bytes", sizeof(target) - 1);
	if (!pin_read(a, room, &pin, e) || !file_read(at, "identity", &identity, e) || !identity_parse(buf_bytes(&identity), &public, e))
		return false;
	snprintf(target, sizeof(target), "%s", from);
	snprintf(folder, sizeof(folder), "%.4096s/" RECOVER_FOLDER, home);
	log.key = public.log;
	log.target = target;
	watch_signals();
	ok = mirror_open(&m, &log, folder, pin, e) && mirror_round(&m, args_has(a, "quiet"), e);
	*ret_size = m.kept;
	mirror_close(&m);
	return ok || err_note(e, "%s", from);
}

/* The widest bundle of that number in the folder; none when it is not wider than `than`. */
static bool bundle_bring(int from, int to, uint64_t number, unsigned than, unsigned *ret_width, struct err *e)
{
	for (*ret_width = BUNDLE_ENTRIES; *ret_width > than; (*ret_width)--) {
		char path[96], folder[96];
		struct err none;
		AUTO_BUF content = { 0 };
		buf_init(&content, BUNDLE_FILE_BYTES_MAX);
		tile_path(-1, number, *ret_width, path);
		snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
		if (file_read(from, path, &content, &none))
			return dir_make(to, folder, 0755, e) && file_write(to, path, buf_bytes(&content), 0644, true, e);
	}
	*ret_width = 0;
	return true;
}

/* A copy of HOME/log may hold leaves that were signed and not published before the home ended. No checkpoint in it vouches
 * for them; the node does, by the root that the signer remembers. */
static bool beyond_bring(const char *home, const char *dir, uint64_t size, bool *ret_any, struct err *e)
{
	AUTO_FD at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), from = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = -1;
	unsigned than = (unsigned)(size % BUNDLE_ENTRIES), width = BUNDLE_ENTRIES;

	*ret_any = false;
	if (at < 0 || from < 0)
		return err_system(e, "cannot open %s", at < 0 ? home : dir);
	to = openat(at, RECOVER_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_system(e, "cannot open %s", RECOVER_FOLDER);
	for (uint64_t b = size / BUNDLE_ENTRIES; width == BUNDLE_ENTRIES; b++, than = 0) {
		if (!bundle_bring(from, to, b, than, &width, e))
			return false;
		*ret_any = *ret_any || width > 0;
	}
	return true;
}

static json_t *recover_input(const struct args *a)
{
	json_t *in = json_object(), *without = json_array();

	for (size_t i = 0; args_many(a, "without", i) != NULL; i++)
		if (json_array_append_new(without, json_string(args_many(a, "without", i))) != 0)
			abort();
	json_put(in, "without", without);
	return in;
}

/* Locked still, and a folder was given: what it holds beyond its checkpoint may be what is missing. */
static bool recover_call(struct client *c, const struct args *a, const char *home, const char *from, uint64_t size, json_t **ret,
			 struct err *e)
{
	struct err why = { 0 };
	bool any = false;

	if (client_call(c, "log-recover", recover_input(a), ret, &why))
		return true;
	if (why.reason != REASON_LOCKED || from == NULL || target_is_url(from) || !beyond_bring(home, from, size, &any, &why) || !any) {
		*e = why;
		return false;
	}
	return client_call(c, "log-recover", recover_input(a), ret, e);
}

/* The folder itself stays: the node that runs may look into this one only. */
static bool folder_empty(const char *home, struct err *e)
{
	AUTO_FD at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), from = -1, to = -1;
	char done[64];
	DIR *dir;
	bool ok = true;

	snprintf(done, sizeof(done), "log.recovered-%" PRId64, clock_now_ms());
	if (at < 0)
		return err_system(e, "cannot open %s", home);
	from = openat(at, RECOVER_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return errno == ENOENT || err_system(e, "cannot open %s", RECOVER_FOLDER);
	dir = fdopendir(dup(from));
	if (dir == NULL)
		return err_system(e, "cannot list %s", RECOVER_FOLDER);
	for (const struct dirent *d; ok && (d = readdir(dir)) != NULL;) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (to < 0) {
			ok = dir_make(at, done, 0700, e);
			to = ok ? openat(at, done, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
			if (to < 0) {
				ok = ok && err_system(e, "cannot open %s", done);
				break;
			}
		}
		ok = renameat(from, d->d_name, to, d->d_name) == 0 || err_system(e, "%s/%s could not be moved", RECOVER_FOLDER, d->d_name);
	}
	closedir(dir);
	return ok;
}

/* The node has unlocked itself; without the mark it also starts unlocked from now on. */
int recover_command(const struct args *a)
{
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	char mark[4200];
	const char *home, *from = args_value(a, "from");
	uint64_t size = 0;
	struct err e = { 0 };

	if (!home_of(a, &home, &e) || !client_open(a, &c, &e) || (from != NULL && !mirror_bring(a, home, from, &size, &e)) ||
	    !recover_call(c, a, home, from, size, &answer, &e))
		return command_failed(&e);
	snprintf(mark, sizeof(mark), "%.4096s/" RESTORED_MARK, home);
	if (unlink(mark) != 0 && errno != ENOENT) {
		(void)err_system(&e, "unlocked until the next start only: %s", mark);
		return command_failed(&e);
	}
	if (!folder_empty(home, &e)) {
		(void)err_note(&e, "recovered, but");
		return command_failed(&e);
	}
	return output_value(a, answer, print_recovered);
}
