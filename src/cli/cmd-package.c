/* A package for a court: everything the node has about a request, in a folder that verifies without it. */
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "evidence/package.h"

#define SEAL_SECONDS_MAX 120
#define SEAL_STEP_MS 150
#define CHECKPOINTS_MAX 64u

struct writer {
	struct client *c;
	const char *request, *exhibit; /* exhibit: the first, which the custody event names */
	struct progress progress;
};

static bool content(void *ctx, const struct package_exhibit *x, int out_fd, struct err *e)
{
	struct writer *w = ctx;

	return client_download(w->c, x->id, out_fd, NULL, e);
}

/* Until the checkpoint that proves the seal is there: a slot of the log. */
static bool proved_act(struct client *c, const char *hash, struct buf *out, struct err *e)
{
	int64_t until = clock_monotonic_us() + SEAL_SECONDS_MAX * INT64_C(1000000);
	struct timespec step = { .tv_nsec = SEAL_STEP_MS * 1000000L };

	while (clock_monotonic_us() < until) {
		AUTO_JSON *in = json_object(), *answer = NULL, *act = NULL;

		json_put_text(in, "hash", hash);
		if (!client_call(c, "statement-show", json_incref(in), &answer, e) ||
		    !json_parse(json_bytes(answer, "act"), "act", &act, e))
			return false;
		if (json_bytes(act, "proof").len > 0) {
			buf_add(out, json_bytes(answer, "act"));
			return buf_check(out, "the seal", e);
		}
		(void)nanosleep(&step, NULL);
	}
	return err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "the seal of the package was not logged within %d s", SEAL_SECONDS_MAX);
}

static bool seal(void *ctx, const uint8_t sha256_of_manifest[static SHA256_BYTES], uint64_t size, uint64_t files,
		 struct buf *act, struct err *e)
{
	struct writer *w = ctx;
	AUTO_JSON *in = json_object(), *answer = NULL;
	const char *hash;

	json_put_text(in, "request", w->request);
	if (w->exhibit != NULL)
		json_put_text(in, "exhibit", w->exhibit);
	json_put_hex(in, "sha256", bytes_from(sha256_of_manifest, SHA256_BYTES));
	json_put_int(in, "size", (int64_t)size);
	json_put_int(in, "files", (int64_t)files);
	return client_call(w->c, "package-seal", json_incref(in), &answer, e) && json_must_text(answer, "hash", &hash, e) &&
	       proved_act(w->c, hash, act, e);
}

static void progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct writer *w = ctx;

	w->progress.total = total;
	progress_at(&w->progress, done);
}

/* --- what the node gave, as the package wants it ------------------------------------------------- */

struct gathered {
	struct package_act *acts;
	struct package_exhibit *exhibits;
	struct bytes *pins;
	const char *parties[CHECKPOINTS_MAX];
	struct bytes notes[CHECKPOINTS_MAX];
};

static void *room_for(size_t n, size_t size)
{
	void *at = calloc(n + 1, size);

	if (at == NULL)
		abort();
	return at;
}

static bool gather_exhibits(const json_t *list, struct gathered *g, struct package_input *in, struct err *e)
{
	in->exhibit_count = json_array_size(list);
	for (size_t i = 0; i < in->exhibit_count; i++) {
		const json_t *x = json_array_get(list, i);
		struct package_exhibit *out = &g->exhibits[i];
		int64_t size;

		if (!json_must_text(x, "id", &out->id, e) || !json_must_text(x, "name", &out->name, e) ||
		    !json_must_int(x, "size", 0, INT64_MAX, &size, e) ||
		    !json_must_hex(x, "sha256", out->sha256, sizeof(out->sha256), e))
			return err_note(e, "exhibits[%zu]", i);
		out->size = (uint64_t)size;
	}
	return true;
}

static bool gather(const json_t *data, struct gathered *g, struct package_input *in, struct err *e)
{
	const json_t *acts = json_object_get(data, "acts"), *pins = json_object_get(data, "pins"),
		     *checkpoints = json_object_get(data, "checkpoints");

	in->act_count = json_array_size(acts);
	in->pin_count = json_array_size(pins);
	in->checkpoint_count = json_array_size(checkpoints);
	if (in->checkpoint_count > CHECKPOINTS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u logs", CHECKPOINTS_MAX);
	g->acts = room_for(in->act_count, sizeof(*g->acts));
	g->pins = room_for(in->pin_count, sizeof(*g->pins));
	g->exhibits = room_for(json_array_size(json_object_get(data, "exhibits")), sizeof(*g->exhibits));
	for (size_t i = 0; i < in->act_count; i++)
		g->acts[i] = (struct package_act){ json_bytes(json_array_get(acts, i), "act"),
						   json_bytes(json_array_get(acts, i), "counterproof") };
	for (size_t i = 0; i < in->pin_count; i++)
		g->pins[i] = bytes_of(json_string_value(json_array_get(pins, i)));
	for (size_t i = 0; i < in->checkpoint_count; i++) {
		g->parties[i] = json_text(json_array_get(checkpoints, i), "party");
		g->notes[i] = json_bytes(json_array_get(checkpoints, i), "note");
	}
	in->acts = g->acts;
	in->pins = g->pins;
	in->exhibits = g->exhibits;
	in->checkpoint_parties = g->parties;
	in->checkpoints = g->notes;
	in->bundle = json_bytes(data, "bundle");
	return gather_exhibits(json_object_get(data, "exhibits"), g, in, e);
}

static void gathered_release(struct gathered *g)
{
	free(g->acts);
	free(g->exhibits);
	free(g->pins);
}

/* --- write ------------------------------------------------------------------------------------- */

static const struct option write_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "out", 'o', OPTION_VALUE, "DIR", "folder of the package; must not exist" },
	OPTION_END,
};

static bool ask_node(struct client *c, const char *request, json_t **data, json_t **status, json_t **shown, struct err *e)
{
	int64_t until = clock_monotonic_us() + SEAL_SECONDS_MAX * INT64_C(1000000);
	struct timespec step = { .tv_nsec = SEAL_STEP_MS * 1000000L };
	json_t *by_id;

	/* The last acts may still wait for their slot of the log. */
	for (;;) {
		json_t *by_request = json_object();

		json_put_text(by_request, "request", request);
		if (client_call(c, "package-data", by_request, data, e))
			break;
		if (e->reason != REASON_UNLOGGED || clock_monotonic_us() >= until)
			return false;
		(void)nanosleep(&step, NULL);
	}
	by_id = json_object();
	json_put_text(by_id, "id", request);
	return client_call(c, "request-show", by_id, shown, e) && client_call(c, "status", NULL, status, e);
}

static void print_written(const json_t *v, struct buf *out)
{
	output_member(out, "package", json_text(v, "package"));
	buf_add_format(out, "exhibits: %" PRId64 "\nacts: %" PRId64 "\n", json_int(v, "exhibits"), json_int(v, "acts"));
	output_member(out, "verify it with", json_text(v, "verify"));
}

static int told(const struct args *a, const struct package_input *in, const char *path)
{
	AUTO_JSON *v = json_object();
	char verify[1024];

	snprintf(verify, sizeof(verify), "comity verify %.1000s", path);
	json_put_text(v, "package", path);
	json_put_int(v, "exhibits", (int64_t)in->exhibit_count);
	json_put_int(v, "acts", (int64_t)in->act_count);
	json_put_text(v, "verify", verify);
	return output_value(a, v, print_written);
}

static int write_command(const struct args *a)
{
	AUTO_JSON *data = NULL, *status = NULL, *shown = NULL;
	AUTO_CLIENT *c = NULL;
	const char *path = args_value(a, "out");
	struct gathered g = { 0 };
	struct package_input in = { .content = content, .seal = seal, .progress = progress };
	struct writer w = { .request = a->positional[0] };
	struct err e;
	bool ok;

	if (path == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "where to? give --out DIR");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e) || !ask_node(c, a->positional[0], &data, &status, &shown, &e))
		return command_failed(&e);
	w.c = c;
	in.ctx = &w;
	in.now_ms = clock_now_ms();
	in.case_ref = json_text(shown, "case");
	in.party = json_text(status, "party");
	in.party_name = json_text(status, "name");
	ok = gather(data, &g, &in, &e);
	w.exhibit = in.exhibit_count > 0 ? in.exhibits[0].id : NULL;
	progress_start(&w.progress, "writing", 0, args_has(a, "quiet"));
	ok = ok && package_write(path, &in, &e);
	progress_end(&w.progress);
	gathered_release(&g);
	return ok ? told(a, &in, path) : command_failed(&e);
}

const struct command package_commands[] = {
	{ .name = "write", .words = "write a package that a court verifies without a node", .arguments = "REQUEST",
	  .positional_min = 1, .positional_max = 1, .options = write_options, .run = write_command,
	  .more = "The folder is a BagIt 1.0 bag: exhibits as received, acts with the proofs of both logs, the register\n"
		  "that was used, and a signed seal over it all. comity verify FOLDER checks it." },
	{ 0 },
};
