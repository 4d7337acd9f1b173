/* comity log statistics: anybody counts a log's acts by class, from its files alone. */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "log/leaf.h"
#include "log/openings.h"
#include "log/statistics.h"
#include "register/judge.h"

const struct option statistics_options_table[] = {
	OPTION_JSON, OPTION_QUIET, WATCH_OPTIONS,
	{ "period", 'p', OPTION_VALUE, "QUARTER", "only this one, as 2026-Q4; without it, all that are published" },
	{ "weeks", 0, OPTION_FLAG, NULL, "count each week apart" },
	OPTION_END,
};

struct counting {
	const struct watch_list *list;
	struct progress progress;
};

static bool hashed(void *ctx, uint64_t done, uint64_t size)
{
	struct counting *c = ctx;

	c->progress.total = size * LEAF_V1_BYTES;
	progress_at(&c->progress, done * LEAF_V1_BYTES);
	return watch_stop == 0;
}

static bool signer(void *ctx, const struct act *a, struct err *e)
{
	const struct counting *c = ctx;
	const struct party *sender;

	return judge_signature(a, c->list->parties, a->statement->time, &sender, e);
}

/* --- printing -------------------------------------------------------------------------------------- */

static void print_period(const json_t *v, const json_t *period, struct buf *out)
{
	const json_t *n, *counts = json_object_get(v, "counts");
	const char *name = json_text(period, "period");
	size_t i;

	buf_add_format(out, "\n%s: %" PRId64 " leaves from leaf %" PRId64 " on: %" PRId64 " acts, %" PRId64 " null leaves", name,
		       json_int(period, "leaves"), json_int(period, "first"), json_int(period, "opened"), json_int(period, "null"));
	if (json_int(period, "withheld") > 0)
		buf_add_format(out, ", %" PRId64 " withheld by an embargo", json_int(period, "withheld"));
	if (json_int(period, "lost") > 0)
		buf_add_format(out, ", %" PRId64 " that nobody can open", json_int(period, "lost"));
	buf_add_u8(out, '\n');
	json_array_foreach(counts, i, n) {
		if (strcmp(json_text(n, "period"), name) != 0)
			continue;
		buf_add_format(out, "  %10" PRId64 "  ", json_int(n, "count"));
		if (json_text(n, "week")[0] != '\0')
			buf_add_format(out, "%s  ", json_text(n, "week"));
		buf_add_format(out, "%-24s %-12s%s\n", json_text(n, "class"), json_text(n, "basis"), json_bool(n, "exercise") ? " EXERCISE" : "");
	}
}

static void print_statistics(const json_t *v, struct buf *out)
{
	const json_t *log, *period;
	size_t i, k;

	json_array_foreach(json_object_get(v, "logs"), i, log) {
		output_member(out, "log", json_text(log, "log"));
		if (json_text(log, "text")[0] != '\0') {
			output_member(out, "  not counted", json_text(log, "text"));
			continue;
		}
		buf_add_format(out, "leaves: %" PRId64 ", every one hashed%s\n", json_int(log, "size"),
			       json_array_size(json_object_get(log, "periods")) > 0 ? "; each opening opens its leaf" : "");
		buf_add_text(out, json_bool(log, "signatures_checked") ? "signatures: the party's own, by the register\n" :
									"signatures: not checked (give --register)\n");
		if (json_array_size(json_object_get(log, "periods")) == 0)
			buf_add_text(out, "no openings are published yet\n");
		json_array_foreach(json_object_get(log, "periods"), k, period)
			print_period(log, period, out);
	}
}

/* --- the command ------------------------------------------------------------------------------------ */

static json_t *count_one(const struct args *a, struct counting *c, const struct watched_place *l, const uint8_t *pin, int *status)
{
	struct statistics_options o = { .log_key = l->key, .period = args_value(a, "period"), .weeks = args_has(a, "weeks"),
					.signer = c->list->parties != NULL ? signer : NULL, .progress = hashed, .ctx = c };
	struct log_source s;
	json_t *v = NULL;
	struct err e = { 0 };
	bool ok = target_open(l->target, pin, &watch_stop, &s, &e);

	if (ok) {
		progress_start(&c->progress, l->key.name, 0, args_has(a, "quiet") || isatty(STDERR_FILENO) != 1);
		ok = statistics_count(&o, &s, &v, &e);
		progress_end(&c->progress);
		log_source_close(&s);
	}
	if (ok)
		return v;
	v = json_object();
	json_put_text(v, "log", l->key.name);
	json_put_text(v, "reason", reason_code(e.reason));
	json_put_text(v, "text", e.text);
	*status = e.kind == ERR_REJECTED ? 1 : *status == 1 ? 1 : 2;
	(void)command_failed(&e);
	return v;
}

int statistics_command(const struct args *a)
{
	const char *period = args_value(a, "period");
	AUTO_WATCH_LIST w = { 0 };
	struct counting c = { .list = &w };
	uint8_t room[SHA256_BYTES];
	const uint8_t *pin;
	AUTO_JSON *v = json_object();
	json_t *logs = json_array();
	int64_t from, until;
	struct err e;
	int status = 0, printed;
	bool ok = period == NULL || period_parse(bytes_of(period), &from, &until) ||
		  err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--period wants a quarter, as 2026-Q4");

	json_put(v, "logs", logs);
	watch_signals();
	if (!ok || !pin_read(a, room, &pin, &e) || !watch_list_read(a, &w, &e)) {
		(void)command_failed(&e);
		return 2;
	}
	if (w.parties != NULL)
		json_put_bool(v, "register_checked", args_has(a, "root"));
	for (size_t i = 0; i < w.count && watch_stop == 0; i++)
		if (json_array_append_new(logs, count_one(a, &c, &w.logs[i], pin, &status)) != 0)
			abort();
	printed = output_value(a, v, print_statistics);
	return printed != 0 ? 2 : status;
}
