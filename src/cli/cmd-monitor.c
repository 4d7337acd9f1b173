/* comity log monitor: what outsiders run. Each log is followed on its own; what one does never stops another. Each
 * finding is said once, when it is new. */
#include "cli/monitor-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "log/leaf.h"
#include "log/statistics.h"
#include "log/witness.h"

#define WITNESS_SECONDS_MAX 30u

const struct option monitor_options_table[] = {
	OPTION_JSON, OPTION_QUIET, WATCH_OPTIONS,
	OPTION_ORIGIN(OPTION_MANY, "first line of the log's checkpoints, when it is not the key's name; as --key"),
	{ "state", 's', OPTION_VALUE, "DIR", "where it is kept what was verified; without it, from the beginning" },
	{ "witnesses", 'w', OPTION_FLAG, NULL, "ask the policy's witnesses, too, which checkpoint they have" },
	{ "evidence", 'e', OPTION_VALUE, "DIR", "where both notes of a split view are put" },
	{ "expect", 0, OPTION_MANY, "HEX", "cross-log tag that a leaf must have" },
	{ "expect-file", 0, OPTION_VALUE, "FILE", "the same, one on each line" },
	{ "classes", 0, OPTION_FLAG, NULL, "count the acts by class, too, when openings were published (reads the log again)" },
	{ "every", 0, OPTION_VALUE, "SECONDS", "go on as a service until a signal ends it" },
	OPTION_TURN,
	OPTION_END,
};

static void keep_evidence(struct log_watch *l, enum reason reason)
{
	char origin[2 * SHA256_BYTES + 1], name[128];
	struct bytes note[2];
	bool is_new = false;
	AUTO_BUF text = { 0 };
	struct err e;
	json_t *v;

	monitor_evidence(l->monitor, &note[0], &note[1]);
	if (l->w->evidence_fd < 0 || note[0].len == 0)
		return;
	witness_origin_hex(watch_origin(l->log), origin);
	snprintf(name, sizeof(name), "%s-%" PRIu64 "%s", origin, monitor_checkpoint(l->monitor)->size, reason == REASON_SPLIT_VIEW ? "" : "-older");
	if (!evidence_write(l->w->evidence_fd, name, note, &is_new, &e))
		watch_found(l, &e);
	if (!is_new)
		return;
	buf_init(&text, 4 * KIB);
	buf_add_format(&text, "%s: both notes are in %s/%s-a.txt and -b.txt: each is signed by the log's key%s", watch_origin(l->log),
		       args_value(l->w->a, "evidence"), name, reason == REASON_SPLIT_VIEW ? ", and no one log has both trees" : "");
	v = watch_event(l, "evidence");
	json_put_text(v, "files", name);
	watch_say(l->w, v, buf_text(&text));
}

static void state_path(const struct log_watch *l, char ret[static 96])
{
	char origin[2 * SHA256_BYTES + 1];

	witness_origin_hex(watch_origin(l->log), origin);
	snprintf(ret, 96, "%s.state", origin);
}

static bool state_load(struct log_watch *l, struct err *e)
{
	char path[96];
	struct err why = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, MONITOR_STATE_BYTES_MAX);
	if (l->w->state_fd < 0)
		return true;
	state_path(l, path);
	if (!file_read(l->w->state_fd, path, &in, &why))
		return why.kind == ERR_NOT_FOUND || err_set(e, why.kind, why.reason, "%s", why.text);
	return monitor_state_read(l->monitor, buf_bytes(&in), e) || err_note(e, "%s", path);
}

static bool state_save(struct log_watch *l, struct err *e)
{
	char path[96];
	AUTO_BUF out = { 0 };

	if (l->w->state_fd < 0)
		return true;
	buf_init(&out, MONITOR_STATE_BYTES_MAX);
	monitor_state_write(l->monitor, &out);
	state_path(l, path);
	return buf_check(&out, "the state", e) && file_write(l->w->state_fd, path, buf_bytes(&out), 0644, true, e);
}

/* --- expected tags ----------------------------------------------------------------------------------- */

static bool leaf_look(void *ctx, uint64_t index, struct bytes entry, struct err *e)
{
	struct log_watch *l = ctx;
	const struct sought *t = expected_look(&l->w->expected, entry);
	char text[200];
	json_t *v;

	if (t == NULL)
		return true;
	v = watch_event(l, "found");
	json_put_bytes(v, "tag", bytes_from(t->hex, TAG_HEX_BYTES));
	size_put(v, "index", index);
	snprintf(text, sizeof(text), "tag %.64s: leaf %" PRIu64 " of %.60s", t->hex, index, watch_origin(l->log));
	watch_say(l->w, v, text);
	return true;
}

static bool hashed(void *ctx, uint64_t done, uint64_t size)
{
	struct log_watch *l = ctx;

	l->w->progress.total = size * LEAF_V1_BYTES;
	progress_at(&l->w->progress, done * LEAF_V1_BYTES);
	return watch_stop == 0;
}

#define ITS_END "its end"
#define ALL_ASKED "all its witnesses were asked"

/* A signal came first: what was not read can say nothing, neither for the log nor against it. A service that has
 * been round all of them is only told to end: what that round said stands. */
static void stopped(struct log_watch *l, const char *before)
{
	struct err e = { 0 };

	if (l->status == EXIT_WRONG)
		return;
	if (l->w->whole) {
		l->status = l->status_before;
		l->reason = l->reason_before;
		return;
	}
	(void)err_set(&e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "stopped before %s", before);
	watch_found(l, &e);
}

/* What was rejected before the signal came stays so. */
static void found(struct log_watch *l, const struct err *e, const char *before)
{
	if (watch_stop != 0 && e->kind != ERR_REJECTED)
		stopped(l, before);
	else
		watch_found(l, e);
}

static void ask_witness(struct log_watch *l, const struct policy_witness *witness)
{
	char path[100], origin[2 * SHA256_BYTES + 1];
	struct checkpoint shown;
	struct log_source s;
	struct err e = { 0 };
	AUTO_BUF note = { 0 };

	if (witness->url[0] == '\0')
		return;
	buf_init(&note, NOTE_BYTES_MAX);
	witness_origin_hex(watch_origin(l->log), origin);
	snprintf(path, sizeof(path), "%s/checkpoint", origin);
	if (!target_open(witness->url, NULL, &watch_stop, &s, &e)) {
		found(l, &e, ALL_ASKED);
		return;
	}
	target_turn(&s, WITNESS_SECONDS_MAX);
	if (!s.fetch(s.ctx, path, NOTE_BYTES_MAX, &note, &e)) {
		(void)err_note(&e, "witness %s", witness->name);
		if (l->log->retired == NULL || e.kind != ERR_NOT_FOUND) /* today's witnesses may never have seen it */
			found(l, &e, ALL_ASKED);
	} else if (!checkpoint_verify_of(buf_bytes(&note), l->log->origin, &l->log->key, &shown, &e)) {
		e.kind = ERR_UNAVAILABLE; /* says nothing about the log: anybody could have written it */
		(void)err_note(&e, "witness %s", witness->name);
		found(l, &e, ALL_ASKED);
	} else if (!watch_ended(l->log, &shown, witness->name, &e)) {
		found(l, &e, ALL_ASKED);
	} else if (!monitor_compare(l->monitor, l->open ? &l->source : NULL, buf_bytes(&note), witness->name, &e)) {
		found(l, &e, ALL_ASKED);
		keep_evidence(l, e.reason);
	}
	log_source_close(&s);
}

/* Once for each state of what the log publishes. */
static void count_classes(struct log_watch *l)
{
	struct statistics_options o = { .log_key = l->log->key, .progress = hashed, .ctx = l };
	uint8_t digest[SHA256_BYTES];
	struct err e = { 0 };
	json_t *counts = NULL, *v;
	size_t periods;
	char text[200];
	AUTO_BUF index = { 0 };

	buf_init(&index, PUBLISHED_INDEX_BYTES_MAX);
	if (!l->source.fetch(l->source.ctx, "acts/index", PUBLISHED_INDEX_BYTES_MAX, &index, &e)) {
		if (e.kind != ERR_NOT_FOUND)
			found(l, &e, ITS_END);
		return;
	}
	sha256(buf_bytes(&index), digest);
	if (memcmp(digest, l->counted, sizeof(digest)) == 0)
		return;
	if (!statistics_count(&o, &l->source, &counts, &e)) {
		found(l, &e, ITS_END);
		return;
	}
	memcpy(l->counted, digest, sizeof(digest));
	periods = json_array_size(json_object_get(counts, "periods"));
	v = watch_event(l, "counted");
	json_put(v, "statistics", counts);
	snprintf(text, sizeof(text), "%.100s: the openings of %zu quarter%s open what they say", watch_origin(l->log), periods, periods == 1 ? "" : "s");
	watch_say(l->w, v, text);
}

static bool follow(struct log_watch *l, struct err *e)
{
	bool ok;

	if (!l->open && !(l->log->retired != NULL ? watch_find_retired(&l->w->list, l->log, l->w->pin, &l->source, e)
						  : target_open(l->log->target, l->w->pin, &watch_stop, &l->source, e)))
		return false;
	l->open = true;
	target_turn(&l->source, l->w->turn);
	progress_start(&l->w->progress, watch_origin(l->log), 0, args_has(l->w->a, "quiet") || isatty(STDERR_FILENO) != 1);
	ok = monitor_follow(l->monitor, &l->source, e) && watch_ended(l->log, monitor_checkpoint(l->monitor), l->log->target, e);
	progress_end(&l->w->progress);
	return ok;
}

static void watch_round(struct log_watch *l)
{
	size_t asked = 0, witnesses = args_has(l->w->a, "witnesses") && l->log->policy != NULL ? policy_witness_count(l->log->policy) : 0;
	struct err e = { 0 }, state = { 0 };

	l->status_before = l->status;
	l->reason_before = l->reason;
	l->status = EXIT_CONSISTENT;
	l->reason = REASON_NONE;
	l->read = follow(l, &e);
	if (l->read) {
		watch_say_verified(l);
		if (args_has(l->w->a, "classes"))
			count_classes(l);
	} else if (l->log->retired != NULL && !l->open && e.kind == ERR_NOT_FOUND) {
		watch_say_gone(l);
		l->read = true; /* there is nothing to read */
	} else {
		found(l, &e, ITS_END);
		/* The mirror has not all of it, or not any more: another may have it the next time. */
		if (l->log->retired != NULL && l->open && e.kind == ERR_NOT_FOUND) {
			log_source_close(&l->source);
			l->open = false;
		}
		if (e.reason == REASON_SPLIT_VIEW || e.reason == REASON_ROLLED_BACK)
			keep_evidence(l, e.reason);
	}
	for (; asked < witnesses && watch_stop == 0; asked++)
		ask_witness(l, policy_witness_at(l->log->policy, asked));
	if (asked < witnesses)
		stopped(l, ALL_ASKED);
	if (!state_save(l, &state))
		watch_found(l, &state);
	if (l->status == EXIT_CONSISTENT)
		l->said_count = 0;
	if (l->status == EXIT_WRONG || l->w->status == EXIT_CONSISTENT)
		l->w->status = l->status;
}

/* --- the command ----------------------------------------------------------------------------------- */

static bool logs_begin(struct watcher *w, struct err *e)
{
	if (w->state_fd >= 0 && !watch_list_apart(&w->list, e))
		return false;
	w->logs = calloc(w->list.count, sizeof(w->logs[0]));
	if (w->logs == NULL)
		abort();
	for (size_t i = 0; i < w->list.count; i++) {
		struct log_watch *l = &w->logs[i];
		const struct watched_place *p = &w->list.logs[i];
		struct monitor_options o = { .log_key = p->key, .origin = p->origin, .policy = p->retired != NULL ? NULL : p->policy,
					     .leaf = w->expected.count > 0 ? leaf_look : NULL, .progress = hashed, .ctx = l };

		*l = (struct log_watch){ .w = w, .log = &w->list.logs[i], .monitor = monitor_new(&o) };
		if (!state_load(l, e))
			return false;
		if (w->expected.count > 0)
			monitor_begin_again(l->monitor);
	}
	return true;
}

static void watcher_release(struct watcher *w)
{
	for (size_t i = 0; w->logs != NULL && i < w->list.count; i++) {
		monitor_free(w->logs[i].monitor);
		if (w->logs[i].open)
			log_source_close(&w->logs[i].source);
	}
	free(w->logs);
	expected_release(&w->expected);
	fd_close_at(&w->state_fd);
	fd_close_at(&w->evidence_fd);
	watch_list_release(&w->list);
}

static bool all_read(const struct watcher *w)
{
	for (size_t i = 0; i < w->list.count; i++)
		if (!w->logs[i].read)
			return false;
	return true;
}

/* A round of all logs. False: a signal cut it short. */
static bool one_round(struct watcher *w)
{
	size_t i = 0;

	w->status = EXIT_CONSISTENT;
	for (; i < w->list.count && watch_stop == 0; i++)
		watch_round(&w->logs[i]);
	for (size_t k = i; k < w->list.count && !w->whole; k++) {
		stopped(&w->logs[k], ITS_END);
		w->status = w->status == EXIT_CONSISTENT ? EXIT_NOT_SEEN : w->status;
	}
	return watch_stop == 0;
}

static int watch_all(struct watcher *w, uint64_t every)
{
	bool missing = false, said = false;
	int last = EXIT_CONSISTENT;

	watch_say_register(w);
	do {
		/* Stopped later, a service ends with what its last whole round said, or with what is wrong since. */
		if (!one_round(w) && w->whole) {
			w->status = w->status == EXIT_WRONG ? EXIT_WRONG : last;
			break;
		}
		last = w->status;
		w->whole = true;
		/* Only of logs that were all read to their end can it be said that a tag is not there. */
		missing = w->expected.found < w->expected.count && all_read(w);
		if (missing && !said)
			watch_say_missing(w);
		said = missing;
	} while (every > 0 && watch_sleep((int64_t)every * 1000));
	if (missing && w->status == EXIT_CONSISTENT)
		w->status = EXIT_WRONG;
	watch_say_end(w);
	return w->status;
}

int monitor_command(const struct args *a)
{
	uint8_t pin[SHA256_BYTES];
	struct watcher w = { .a = a, .state_fd = -1, .evidence_fd = -1 };
	uint64_t seconds = 0;
	struct err e;
	int status = EXIT_NOT_SEEN;
	bool ok = seconds_read(a, "every", &seconds, &e);

	if (ok && args_has(a, "witnesses") && args_value(a, "register") == NULL && args_value(a, "logs") == NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "whose witnesses? --witnesses needs --register FILE or --logs FILE");
	watch_signals();
	ok = ok && pin_read(a, pin, &w.pin, &e) && watch_list_read(a, &w.list, &e) && watch_list_origins(a, &w.list, &e) &&
	     turn_read(a, w.list.count, &w.turn, &e) && (watch_list_retired(&w.list), true) && expected_read(a, &w.expected, &e) &&
	     folder_of(a, "state", &w.state_fd, &e) && folder_of(a, "evidence", &w.evidence_fd, &e) && logs_begin(&w, &e);
	if (ok)
		status = watch_all(&w, seconds);
	else
		(void)command_failed(&e);
	watcher_release(&w);
	return status;
}
