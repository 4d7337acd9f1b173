/* Evidence: adding files and folders, handing exhibits over, fetching what arrived. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/draft-body.h"
#include "cli/draft.h"
#include "cli/output.h"

#define WAIT_STEP_MS 200
#define WAIT_SECONDS_DEFAULT 60u

static const struct option plain_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static json_t *named(const char *member, const char *value)
{
	json_t *v = json_object();

	json_put_text(v, member, value);
	return v;
}

/* --- add --------------------------------------------------------------------------------------- */

static const struct option add_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "media", 0, OPTION_VALUE, "TYPE", "media type (default: by the name's ending)" },
	{ "personal", 0, OPTION_FLAG, NULL, "the files hold personal data (36)" },
	OPTION_END,
};

static const char *media_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} table[] = {
		{ ".txt", "text/plain" }, { ".log", "text/plain" }, { ".csv", "text/csv" }, { ".json", "application/json" },
		{ ".eml", "message/rfc822" }, { ".mbox", "application/mbox" }, { ".pcap", "application/vnd.tcpdump.pcap" },
		{ ".pdf", "application/pdf" }, { ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".zip", "application/zip" },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t ending = strlen(table[i].ending);
		if (len > ending && bytes_is(bytes_from(name + len - ending, ending), table[i].ending))
			return table[i].type;
	}
	return "application/octet-stream";
}

/* One walk over what the command line names; links are not followed, other things than files are an error. */
struct walk {
	const struct args *a;
	struct client *c;
	const char *request;
	uint64_t bytes, files;     /* counted in the first walk */
	struct progress *progress; /* NULL: count only */
	json_t *list;
};

static bool add_file(struct walk *w, const FTSENT *f, size_t skip, struct err *e)
{
	const char *media = args_value(w->a, "media");
	AUTO_FD fd = -1;
	struct stat st;
	json_t *answer = NULL;

	if (f->fts_info != FTS_F)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is neither a file nor a folder", f->fts_path);
	fd = open(f->fts_accpath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_system(e, "cannot open %s", f->fts_path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is no regular file", f->fts_path);
	w->files++;
	if (w->progress == NULL) {
		w->bytes += (uint64_t)st.st_size;
		return true;
	}
	struct client_upload u = { .request = w->request, .name = f->fts_path + skip,
				   .media = media != NULL ? media : media_of(f->fts_name), .personal = args_has(w->a, "personal"),
				   .fd = fd, .bytes = (uint64_t)st.st_size, .progress = w->progress };
	if (!client_upload(w->c, &u, &answer, e))
		return err_note(e, "%s", f->fts_path);
	if (json_array_append_new(w->list, answer) != 0)
		abort();
	return true;
}

/* Files of a folder keep their path from the folder's own name on. */
static size_t name_starts(const char *path)
{
	size_t len = strlen(path), at;

	while (len > 1 && path[len - 1] == '/')
		len--;
	at = len;
	while (at > 0 && path[at - 1] != '/')
		at--;
	return at;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool walk_path(struct walk *w, const char *path, struct err *e)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
	bool ok = true;

	if (fts == NULL)
		return err_system(e, "cannot look at %s", path);
	for (FTSENT *f = fts_read(fts); ok && f != NULL; f = fts_read(fts)) {
		if (f->fts_info == FTS_D || f->fts_info == FTS_DP)
			continue;
		if (f->fts_info == FTS_ERR || f->fts_info == FTS_DNR || f->fts_info == FTS_NS) {
			errno = f->fts_errno;
			ok = err_system(e, "cannot read %s", f->fts_path);
		} else {
			ok = add_file(w, f, name_starts(path), e);
		}
	}
	fts_close(fts);
	return ok;
}

static bool walk_all(struct walk *w, struct err *e)
{
	w->files = 0;
	for (size_t i = 1; i < w->a->positional_count; i++)
		if (!walk_path(w, w->a->positional[i], e))
			return false;
	return w->files > 0 || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there is no file in what was named");
}

static void print_exhibits(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "exhibits");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		buf_add_format(out, "%s  %12" PRId64 "  %s  %-10s ", json_text(x, "id"), json_int(x, "size"), json_text(x, "sha256"),
			       json_text(x, "state"));
		output_printable(out, json_text(x, "name"));
		buf_add_u8(out, '\n');
	}
}

static int add_command(const struct args *a)
{
	AUTO_JSON *added = json_object();
	AUTO_CLIENT *c = NULL;
	struct progress p;
	struct walk w = { .a = a, .request = a->positional[0], .list = json_array() };
	struct err e;
	bool ok;

	json_put(added, "exhibits", w.list);
	if (!client_open(a, &c, &e) || !walk_all(&w, &e))
		return command_failed(&e);
	w.c = c;
	progress_start(&p, "sealing", w.bytes, args_has(a, "quiet"));
	w.progress = &p;
	ok = walk_all(&w, &e);
	progress_end(&p);
	if (!ok) {
		if (json_array_size(w.list) > 0)
			fprintf(stderr, "comity: %zu files were added before this:\n", json_array_size(w.list));
		return command_failed(&e);
	}
	return output_value(a, added, print_exhibits);
}

/* --- list, wait -------------------------------------------------------------------------------- */

static int list_command(const struct args *a)
{
	return output_call(a, "exhibit-list", named("request", a->positional[0]), print_exhibits);
}

static const struct option wait_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "count", 'n', OPTION_VALUE, "N", "so many exhibits (default 1)" },
	{ "state", 0, OPTION_VALUE, "STATE", "wait for this state of each (default: opened)" },
	{ "timeout", 't', OPTION_VALUE, "S", "give up after so many seconds without progress (default 60)" },
	OPTION_END,
};

static bool is_there(const json_t *x, const char *state)
{
	struct bytes has = json_bytes(x, "state");

	return bytes_is(has, state != NULL ? state : "opened");
}

/* The first that arrived and did not verify. */
static const json_t *first_broken(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "exhibits");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (bytes_is(json_bytes(json_array_get(list, i), "state"), "broken"))
			return json_array_get(list, i);
	return NULL;
}

/* How many are in the state, and what was fetched of all. */
static size_t count_there(const json_t *answer, const char *state, uint64_t *fetched, uint64_t *total)
{
	const json_t *list = json_object_get(answer, "exhibits");
	size_t there = 0;

	*fetched = *total = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		uint64_t size = (uint64_t)json_int(x, "sealed_size"), got = (uint64_t)json_int(x, "fetched");

		*total += size;
		*fetched += is_there(x, state) && got < size ? size : got;
		there += is_there(x, state) ? 1 : 0;
	}
	return there;
}

struct waiting {
	const char *request, *state;
	uint64_t count;
	size_t there;
	uint64_t fetched;
	struct progress progress;
};

/* Looks once: *ret when enough are there. */
static bool wait_look(struct client *c, struct waiting *w, json_t **ret, struct err *e)
{
	AUTO_JSON *answer = NULL;
	uint64_t total = 0;

	if (!client_call(c, "exhibit-list", named("request", w->request), &answer, e))
		return e->kind == ERR_NOT_FOUND;
	if (first_broken(answer) != NULL)
		return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH, "exhibit %.64s arrived and does not verify",
			       json_text(first_broken(answer), "id"));
	w->there = count_there(answer, w->state, &w->fetched, &total);
	w->progress.total = total;
	/* Before all are announced, 100 % would not be the whole. */
	if (json_array_size(json_object_get(answer, "exhibits")) >= w->count)
		progress_at(&w->progress, w->fetched);
	if (w->there >= w->count)
		*ret = json_incref(answer);
	return true;
}

/* The time runs from the last byte that arrived: a slow line is no failure. */
static bool wait_until(struct client *c, struct waiting *w, uint64_t seconds, json_t **ret, struct err *e)
{
	struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	int64_t allowed_us = (int64_t)seconds * 1000000, until = clock_monotonic_us() + allowed_us;

	for (;;) {
		uint64_t fetched = w->fetched;
		size_t there = w->there;

		if (!wait_look(c, w, ret, e))
			return false;
		if (*ret != NULL)
			return true;
		if (w->fetched != fetched || w->there != there)
			until = clock_monotonic_us() + allowed_us;
		if (clock_monotonic_us() >= until)
			break;
		(void)nanosleep(&step, NULL);
	}
	return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE,
		       "%zu of %" PRIu64 " exhibits are there after %" PRIu64 " s without progress", w->there, w->count, seconds);
}

static int wait_command(const struct args *a)
{
	struct waiting w = { .request = a->positional[0], .state = args_value(a, "state"), .count = 1 };
	uint64_t seconds = WAIT_SECONDS_DEFAULT;
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;
	bool ok;

	if ((args_has(a, "count") && !num_parse_u64(args_value(a, "count"), 100000, &w.count)) ||
	    (args_has(a, "timeout") && !num_parse_u64(args_value(a, "timeout"), 86400, &seconds))) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--count and --timeout want numbers");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e))
		return command_failed(&e);
	progress_start(&w.progress, "fetching", 0, args_has(a, "quiet"));
	ok = wait_until(c, &w, seconds, &answer, &e);
	progress_end(&w.progress);
	return ok ? output_value(a, answer, print_exhibits) : command_failed(&e);
}

/* --- release ----------------------------------------------------------------------------------- */

static const struct option release_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN,
	{ "condition", 0, OPTION_MANY, "TEXT", "condition of use; \"40(19): ...\" cites its clause" },
	OPTION_END,
};

static bool release_input(const struct args *a, struct client *c, const char *exhibit, json_t **ret, struct err *e)
{
	AUTO_JSON *answer = NULL;
	json_t *body;

	if (!client_call(c, "exhibit-release-body", named("exhibit", exhibit), &answer, e))
		return err_note(e, "exhibit %s", exhibit);
	body = json_object_get(answer, "body");
	for (size_t i = 0; args_many(a, "condition", i) != NULL; i++)
		if (!draft_body_condition(body, args_many(a, "condition", i), e))
			return false;
	json_put_text(answer, "kind", "exhibit");
	json_put_text(answer, "officer", "");
	*ret = json_incref(answer);
	return true;
}

static bool is_mine_and_new(const json_t *x)
{
	return json_bool(x, "own") && bytes_is(json_bytes(x, "state"), "ready");
}

/* All that are not handed over yet, or the ones that are named. */
static int release_command(const struct args *a)
{
	AUTO_CLIENT *c = NULL;
	AUTO_JSON *answer = NULL;
	const json_t *list;
	struct err e;
	size_t released = 0;

	if (!client_open(a, &c, &e) || !client_call(c, "exhibit-list", named("request", a->positional[0]), &answer, &e))
		return command_failed(&e);
	list = json_object_get(answer, "exhibits");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		bool wanted = a->positional_count == 1 && is_mine_and_new(x);
		json_t *in = NULL;
		int status;

		for (size_t k = 1; k < a->positional_count; k++)
			wanted = wanted || bytes_is(json_bytes(x, "id"), a->positional[k]);
		if (!wanted)
			continue;
		if (!release_input(a, c, json_text(x, "id"), &in, &e))
			return command_failed(&e);
		status = draft_run(a, c, in, "custodian");
		if (status != 0)
			return status;
		released++;
	}
	if (released == 0 || (a->positional_count > 1 && released != a->positional_count - 1)) {
		(void)err_set(&e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s", released == 0 ? "there is no exhibit to hand over" :
			      "not every exhibit that was named belongs to this request");
		return command_failed(&e);
	}
	return 0;
}

/* --- get --------------------------------------------------------------------------------------- */

static const struct option get_options[] = {
	OPTION_HOME, OPTION_QUIET,
	{ "output", 'o', OPTION_VALUE, "FILE", "where it goes; must not exist (without: standard output)" },
	OPTION_END,
};

static int get_command(const struct args *a)
{
	const char *path = args_value(a, "output");
	AUTO_CLIENT *c = NULL;
	AUTO_FD fd = -1;
	struct progress p;
	struct err e;
	bool ok;

	if (!client_open(a, &c, &e))
		return command_failed(&e);
	if (path != NULL)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (path != NULL && fd < 0) {
		(void)err_system(&e, "cannot make %s", path);
		return command_failed(&e);
	}
	progress_start(&p, "reading", 0, args_has(a, "quiet"));
	ok = client_download(c, a->positional[0], path != NULL ? fd : STDOUT_FILENO, &p, &e);
	progress_end(&p);
	if (!ok && path != NULL)
		unlink(path); /* a part of an exhibit must not be taken for it */
	return command_ended(ok, &e);
}

const struct command evidence_commands[] = {
	{ .name = "add", .words = "add files and folders as exhibits of a request", .arguments = "REQUEST PATH...",
	  .positional_min = 2, .positional_max = ARGS_POSITIONAL_MAX, .options = add_options, .run = add_command },
	{ .name = "list", .words = "exhibits of a request", .arguments = "REQUEST", .positional_min = 1, .positional_max = 1,
	  .options = plain_options, .run = list_command },
	{ .name = "release", .words = "hand exhibits over (needs an order for disclosure, 24)",
	  .arguments = "REQUEST [EXHIBIT...]", .positional_min = 1, .positional_max = ARGS_POSITIONAL_MAX,
	  .options = release_options, .run = release_command },
	{ .name = "wait", .words = "wait until exhibits have arrived and verified", .arguments = "REQUEST", .positional_min = 1,
	  .positional_max = 1, .options = wait_options, .run = wait_command },
	{ .name = "get", .words = "the content of an exhibit", .arguments = "EXHIBIT", .positional_min = 1, .positional_max = 1,
	  .options = get_options, .run = get_command },
	{ 0 },
};
