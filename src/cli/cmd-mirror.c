/* comity log mirror: a full copy of a log, verified leaf by leaf while it is made, in the layout in which it was
 * published. Every file goes by a temporary name; the checkpoint goes last, so that whoever reads the copy never sees
 * one for which a file is missing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "log/leaf.h"
#include "log/openings.h"
#include "log/published.h"
#include "log/tlog-proof.h"

#define STATE_FILE ".mirror-state"
#define EVERY_SECONDS_MAX 604800u

const struct option mirror_options_table[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "key", 'k', OPTION_VALUE, "VKEY", "key of the log: name+8 hex+base64" },
	{ "pin", 0, OPTION_VALUE, "HEX", "SHA-256 of the web server's key (SPKI); without it any server is asked" },
	{ "every", 0, OPTION_VALUE, "SECONDS", "go on as a service until a signal ends it" },
	OPTION_END,
};

struct mirror {
	const struct watched *log;
	int dir_fd;
	struct log_source source;
	struct monitor *monitor;
	struct progress progress;
	uint64_t acts; /* new in this round */
};

static bool put_file(int dir_fd, const char *path, struct bytes content, bool durable, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[160];

	snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
	return (slash == NULL || dir_make(dir_fd, folder, 0755, e)) && file_write(dir_fd, path, content, 0644, durable, e);
}

/* "067.p" with all its widths, when 067 is full. Others may be reading them: an open file stays readable. */
static bool partials_remove(int dir_fd, const char *path, struct err *e)
{
	char folder[160];
	int fd;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%.140s.p", path);
	fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || err_system(e, "cannot open %s", folder);
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)err_system(e, "cannot list %s", folder);
		fd_close_at(&fd);
		return false;
	}
	for (const struct dirent *d; (d = readdir(dir)) != NULL;)
		if (d->d_name[0] != '.')
			(void)unlinkat(fd, d->d_name, 0);
	closedir(dir);
	return unlinkat(dir_fd, folder, AT_REMOVEDIR) == 0 || err_system(e, "cannot remove %s", folder);
}

static bool take_file(void *ctx, const char *path, struct bytes content, struct err *e)
{
	struct mirror *m = ctx;
	bool full = strstr(path, ".p/") == NULL;

	return put_file(m->dir_fd, path, content, false, e) && (!full || partials_remove(m->dir_fd, path, e));
}

static bool hashed(void *ctx, uint64_t done, uint64_t size)
{
	struct mirror *m = ctx;

	m->progress.total = size * LEAF_V1_BYTES;
	progress_at(&m->progress, done * LEAF_V1_BYTES);
	return watch_stop == 0;
}

/* --- what is published beside the log ------------------------------------------------------------ */

/* An act is taken when it proves itself under the log's key; openings when an act names their digest. */
static bool take_act(struct mirror *m, const struct published_line *l, struct act **ret, struct err *e)
{
	char path[80];
	struct checkpoint proved;
	struct tlog_proof proof;
	uint64_t index;

	published_path(l->hash, path);
	if (!published_act(&m->source, l, &m->log->key, ret, &proved, &index, e) || !tlog_proof_parse((*ret)->proof, &proof, e) ||
	    !monitor_compare(m->monitor, &m->source, proof.note, "a published act", e))
		return false;
	m->acts++;
	return put_file(m->dir_fd, path, buf_bytes(&(*ret)->json), false, e);
}

static bool take_openings(struct mirror *m, const struct published *p, const struct act *named, struct err *e)
{
	char path[32], period[PERIOD_TEXT_LEN + 1];
	uint8_t digest[SHA256_BYTES];
	int64_t from, until;
	struct err why = { 0 };
	AUTO_ACT *a = NULL;
	AUTO_BUF file = { 0 };

	bytes_text(json_bytes(named->statement->body, "period"), period, sizeof(period));
	if (!period_parse(bytes_of(period), &from, &until))
		return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "a published act opens what is no quarter");
	buf_init(&file, OPENINGS_BYTES_MAX);
	snprintf(path, sizeof(path), "openings/%s", period);
	if (!m->source.fetch(m->source.ctx, path, OPENINGS_BYTES_MAX, &file, e))
		return false;
	sha256(buf_bytes(&file), digest);
	if (!published_openings_act(p, &m->source, &m->log->key, period, digest, &a, &why))
		/* Newer than any act that is there: it is taken with the act that names it. */
		return why.reason == REASON_DIGEST_MISMATCH || err_set(e, why.kind, why.reason, "%s", why.text);
	return put_file(m->dir_fd, path, buf_bytes(&file), false, e);
}

static bool take_published(struct mirror *m, struct err *e)
{
	AUTO_PUBLISHED *p = NULL;
	struct err why = { 0 };

	if (!published_read(&m->source, &p, &why))
		return why.kind == ERR_NOT_FOUND || err_set(e, why.kind, why.reason, "%s", why.text);
	for (size_t i = 0; i < published_count(p); i++) {
		const struct published_line *l = published_at(p, i);
		char path[80];
		AUTO_ACT *a = NULL;

		published_path(l->hash, path);
		if (faccessat(m->dir_fd, path, F_OK, 0) == 0)
			continue;
		/* The openings first: an act that is there says that its file was taken. */
		if (strcmp(l->kind, "class-openings") == 0) {
			struct checkpoint proved;
			uint64_t index;
			AUTO_ACT *named = NULL;

			if (!published_act(&m->source, l, &m->log->key, &named, &proved, &index, e) || !take_openings(m, p, named, e))
				return false;
		}
		if (!take_act(m, l, &a, e))
			return false;
	}
	return put_file(m->dir_fd, "acts/index", published_index(p), false, e);
}

/* --- one log --------------------------------------------------------------------------------------- */

/* Without a state the copy itself says what was seen: nothing that contradicts it is taken. */
static bool state_load(struct mirror *m, struct err *e)
{
	struct err why = { 0 };
	AUTO_BUF state = { 0 };

	buf_init(&state, MONITOR_STATE_BYTES_MAX);
	if (file_read(m->dir_fd, STATE_FILE, &state, &why))
		return monitor_state_read(m->monitor, buf_bytes(&state), e) || err_note(e, STATE_FILE);
	if (why.kind != ERR_NOT_FOUND)
		return err_set(e, why.kind, why.reason, "%s", why.text);
	if (!file_read(m->dir_fd, "checkpoint", &state, &why))
		return why.kind == ERR_NOT_FOUND || err_set(e, why.kind, why.reason, "%s", why.text);
	return monitor_compare(m->monitor, NULL, buf_bytes(&state), "the copy that is here", e);
}

static bool state_save(struct mirror *m, struct err *e)
{
	AUTO_BUF state = { 0 };

	buf_init(&state, MONITOR_STATE_BYTES_MAX);
	monitor_state_write(m->monitor, &state);
	/* The state must never be ahead of the files on the disk. */
	if (syncfs(m->dir_fd) != 0)
		return err_system(e, "cannot sync the mirror");
	return buf_check(&state, "the state", e) && file_write(m->dir_fd, STATE_FILE, buf_bytes(&state), 0644, true, e);
}

static bool mirror_round(struct mirror *m, bool quiet, struct err *e)
{
	bool ok;

	progress_start(&m->progress, m->log->key.name, 0, quiet);
	ok = monitor_follow(m->monitor, &m->source, e);
	progress_end(&m->progress);
	if (!ok) {
		(void)state_save(m, NULL);
		return false;
	}
	return take_published(m, e) && state_save(m, e) && put_file(m->dir_fd, "checkpoint", monitor_note(m->monitor), true, e);
}

static bool mirror_open(struct mirror *m, const struct watched *log, const char *folder, const uint8_t *pin, struct err *e)
{
	struct monitor_options o = { .log_key = log->key, .file = take_file, .progress = hashed, .ctx = m };

	*m = (struct mirror){ .log = log, .dir_fd = -1, .monitor = monitor_new(&o) };
	if (!dir_make(AT_FDCWD, folder, 0755, e))
		return false;
	m->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir_fd < 0)
		return err_system(e, "cannot open %s", folder);
	return state_load(m, e) && target_open(log->target, pin, &watch_stop, &m->source, e);
}

static void mirror_close(struct mirror *m)
{
	log_source_close(&m->source);
	monitor_free(m->monitor);
	fd_close_at(&m->dir_fd);
}

/* --- which logs -------------------------------------------------------------------------------------- */

/* Keys and addresses of parties, as the node itself believes them. */
static bool parties_of_home(const struct args *a, struct watch_list *w, struct err *e)
{
	AUTO_CLIENT *c = NULL;
	AUTO_JSON *answer = NULL;

	if (!client_open(a, &c, e) || !client_call(c, "register-show", NULL, &answer, e))
		return false;
	for (size_t i = 0; i < a->positional_count; i++) {
		const json_t *p, *parties = json_object_get(answer, "parties");
		size_t k;
		bool found = false;

		json_array_foreach(parties, k, p) {
			struct note_key key;

			if (strcmp(json_text(p, "code"), a->positional[i]) != 0)
				continue;
			if (json_bytes(p, "public_endpoint").len == 0)
				return err_set(e, ERR_CONFLICT, REASON_NOT_FOUND, "the register says of no place where the log of %s is read", a->positional[i]);
			if (!note_key_parse(json_bytes(p, "log"), &key, e))
				return err_note(e, "%s", a->positional[i]);
			watch_list_add(w, json_text(p, "public_endpoint"), &key, a->positional[i], NULL);
			found = true;
		}
		if (!found)
			return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "the register has no party \"%.20s\"", a->positional[i]);
	}
	return true;
}

static bool one_target(const struct args *a, struct watch_list *w, struct err *e)
{
	const char *vkey = args_value(a, "key");
	struct note_key key;

	if (a->positional_count != 2 || vkey == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "give TARGET, DIR and --key VKEY; or --home DIR and parties");
	if (!note_key_parse(bytes_of(vkey), &key, e))
		return false;
	watch_list_add(w, a->positional[0], &key, NULL, NULL);
	return true;
}

/* --- the command ---------------------------------------------------------------------------------- */

static void told(const struct args *a, const struct mirror *m, const struct err *failed)
{
	AUTO_JSON *v = json_object();
	AUTO_BUF out = { 0 };
	struct err e;

	buf_init(&out, 16 * KIB);
	json_put_text(v, "event", failed == NULL ? "mirrored" : "failed");
	json_put_text(v, "log", m->log->key.name);
	json_put_int(v, "size", (int64_t)monitor_checkpoint(m->monitor)->size);
	json_put_int(v, "hashed", (int64_t)monitor_hashed(m->monitor));
	json_put_time(v, "time", clock_now_ms());
	if (failed != NULL) {
		json_put_text(v, "reason", reason_code(failed->reason));
		json_put_text(v, "text", failed->text);
	}
	if (args_has(a, "json")) {
		if (!json_write_canonical(v, &out, &e))
			return;
	} else if (failed == NULL) {
		buf_add_format(&out, "%s: %" PRIu64 " leaves mirrored, %" PRIu64 " new acts", m->log->key.name,
			       monitor_checkpoint(m->monitor)->size, m->acts);
	} else {
		buf_add_format(&out, "%s: ", m->log->key.name);
		output_printable(&out, failed->text);
		buf_add_format(&out, " (%s)", reason_code(failed->reason));
	}
	buf_add_u8(&out, '\n');
	if (!output_write(&out, &e))
		(void)command_failed(&e);
	(void)fflush(stdout);
}

static int mirror_all(const struct args *a, struct mirror *mirrors, size_t count, uint64_t every)
{
	bool quiet = args_has(a, "quiet") || isatty(STDERR_FILENO) != 1;
	int status;

	do {
		status = 0;
		for (size_t i = 0; i < count && watch_stop == 0; i++) {
			uint64_t before = monitor_checkpoint(mirrors[i].monitor)->size;
			struct err e = { 0 };

			mirrors[i].acts = 0;
			if (mirror_round(&mirrors[i], quiet, &e)) {
				if (every == 0 || before != monitor_checkpoint(mirrors[i].monitor)->size)
					told(a, &mirrors[i], NULL);
			} else if (watch_stop == 0) {
				told(a, &mirrors[i], &e);
				status = e.kind == ERR_REJECTED ? 1 : status == 1 ? 1 : 2;
			}
		}
	} while (every > 0 && watch_sleep((int64_t)every * 1000));
	return status;
}

int mirror_command(const struct args *a)
{
	const char *every = args_value(a, "every"), *home = args_value(a, "home");
	AUTO_WATCH_LIST w = { 0 };
	uint8_t room[SHA256_BYTES];
	const uint8_t *pin = NULL;
	struct mirror *mirrors;
	uint64_t seconds = 0;
	size_t count = 0;
	struct err e;
	int status = 2;
	bool ok = every == NULL || (num_parse_u64(every, EVERY_SECONDS_MAX, &seconds) && seconds > 0) ||
		  err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--every wants seconds, 1 to %u", EVERY_SECONDS_MAX);

	watch_signals();
	ok = ok && pin_read(a, room, &pin, &e) && (home != NULL ? parties_of_home(a, &w, &e) : one_target(a, &w, &e));
	mirrors = calloc(w.count + 1, sizeof(*mirrors));
	if (mirrors == NULL)
		abort();
	for (; ok && count < w.count; count++) {
		char origin[2 * SHA256_BYTES + 1], folder[4400];

		origin_hex(w.logs[count].key.name, origin);
		snprintf(folder, sizeof(folder), "%.4200s%s%s", home != NULL ? home : a->positional[1], home != NULL ? "/mirror/" : "",
			 home != NULL ? origin : "");
		ok = mirror_open(&mirrors[count], &w.logs[count], folder, pin, &e);
	}
	if (ok)
		status = mirror_all(a, mirrors, count, seconds);
	else
		(void)command_failed(&e);
	while (count-- > 0)
		mirror_close(&mirrors[count]);
	free(mirrors);
	return status;
}
