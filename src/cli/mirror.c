/* Every file goes by a temporary name; the checkpoint goes last, so that whoever reads the copy never sees one for which
 * a file is missing. A checkpoint that is there already is never replaced by one of a smaller tree. */
#include "cli/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "log/gzip.h"
#include "log/leaf.h"
#include "log/openings.h"
#include "log/published.h"
#include "log/tlog-proof.h"

#define STATE_FILE ".mirror-state"

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
	bool full = strstr(path, ".p/") == NULL, bundle = strncmp(path, "tile/entries/", 13) == 0;

	return put_file(m->dir_fd, path, content, false, e) && (!full || !bundle || gzip_beside(m->dir_fd, path, content, e)) &&
	       (!full || partials_remove(m->dir_fd, path, e));
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
	struct checkpoint kept;
	bool has_note, has_state;
	AUTO_BUF note = { 0 }, state = { 0 };

	buf_init(&note, MONITOR_STATE_BYTES_MAX);
	buf_init(&state, MONITOR_STATE_BYTES_MAX);
	has_note = file_read(m->dir_fd, "checkpoint", &note, &why);
	if (!has_note && why.kind != ERR_NOT_FOUND)
		return err_set(e, why.kind, why.reason, "%s", why.text);
	if (has_note && !checkpoint_verify_of(buf_bytes(&note), m->log->origin, &m->log->key, &kept, e))
		return err_note(e, "the copy that is here");
	m->kept = has_note ? kept.size : 0;
	has_state = file_read(m->dir_fd, STATE_FILE, &state, &why);
	if (has_state)
		return monitor_state_read(m->monitor, buf_bytes(&state), e) || err_note(e, STATE_FILE);
	if (why.kind != ERR_NOT_FOUND)
		return err_set(e, why.kind, why.reason, "%s", why.text);
	return !has_note || monitor_compare(m->monitor, NULL, buf_bytes(&note), "the copy that is here", e);
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

bool mirror_round(struct mirror *m, bool quiet, struct err *e)
{
	bool ok;

	target_turn(&m->source, m->turn);
	progress_start(&m->progress, watch_origin(m->log), 0, quiet);
	ok = monitor_follow(m->monitor, &m->source, e);
	progress_end(&m->progress);
	if (!ok) {
		(void)state_save(m, NULL);
		return false;
	}
	if (!take_published(m, e) || !state_save(m, e))
		return false;
	if (monitor_checkpoint(m->monitor)->size < m->kept)
		return true;
	m->kept = monitor_checkpoint(m->monitor)->size;
	return put_file(m->dir_fd, "checkpoint", monitor_note(m->monitor), true, e);
}

bool mirror_open(struct mirror *m, const struct watched_place *log, const char *folder, const uint8_t *pin, struct err *e)
{
	struct monitor_options o = { .log_key = log->key, .origin = log->origin, .file = take_file, .progress = hashed, .ctx = m };

	*m = (struct mirror){ .log = log, .dir_fd = -1, .monitor = monitor_new(&o) };
	if (!dir_make(AT_FDCWD, folder, 0755, e))
		return false;
	m->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir_fd < 0)
		return err_system(e, "cannot open %s", folder);
	return state_load(m, e) && target_open(log->target, pin, &watch_stop, &m->source, e);
}

void mirror_close(struct mirror *m)
{
	log_source_close(&m->source);
	monitor_free(m->monitor);
	fd_close_at(&m->dir_fd);
}
