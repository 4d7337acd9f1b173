/* What `comity log monitor` says: each finding once, while it lasts, as words or as an event for a program. */
#include "cli/monitor-internal.h"

#include <inttypes.h>

#include "base/clock.h"

void watch_say(struct watcher *w, json_t *event, const char *text)
{
	AUTO_BUF out = { 0 };
	AUTO_JSON *v = event;
	struct err e;

	buf_init(&out, 64 * KIB);
	json_put_time(v, "time", clock_now_ms());
	if (args_has(w->a, "json")) {
		if (!json_write_canonical(v, &out, &e))
			(void)command_failed(&e);
	} else {
		text_printable(bytes_of(text), &out);
	}
	buf_add_u8(&out, '\n');
	if (!output_write(&out, &e))
		(void)command_failed(&e);
	(void)fflush(stdout);
}

json_t *watch_event(const struct log_watch *l, const char *what)
{
	const struct checkpoint *c = monitor_checkpoint(l->monitor);
	json_t *v = json_object();

	json_put_text(v, "event", what);
	json_put_text(v, "log", watch_origin(l->log));
	json_put_text(v, "target", l->log->target);
	size_put(v, "size", c->size);
	size_put(v, "hashed", monitor_hashed(l->monitor));
	if (l->log->party != NULL)
		json_put_text(v, "party", l->log->party);
	return v;
}

void watch_say_server(struct log_watch *l, json_t *v)
{
	uint8_t server[SHA256_BYTES];

	if (target_is_url(l->log->target) && l->open && source_https_server(&l->source, server))
		json_put_hex(v, "server", BYTES_ARRAY(server));
}

void watch_say_verified(struct log_watch *l)
{
	const struct checkpoint *c = monitor_checkpoint(l->monitor);
	const struct policy_verdict *p = monitor_verdict(l->monitor);
	json_t *v;
	AUTO_BUF text = { 0 };

	if (l->said_count == 0 && l->size_said == c->size && c->size > 0)
		return;
	l->size_said = c->size;
	v = watch_event(l, "verified");
	buf_init(&text, 4 * KIB);
	json_put_hex(v, "root", BYTES_ARRAY(c->root));
	json_put_int(v, "witnesses", (int64_t)p->witnesses);
	watch_say_server(l, v);
	buf_add_format(&text, "%s: %" PRIu64 " leaves verified", c->origin, c->size);
	if (l->log->retired != NULL)
		buf_add_text(&text, " of a retired log");
	else if (l->log->policy == NULL)
		buf_add_text(&text, ", no witnesses asked for");
	else
		buf_add_format(&text, ", %zu witness%s", p->witnesses, p->witnesses == 1 ? "" : "es");
	watch_say(l->w, v, buf_text(&text));
}

static bool was_said(struct log_watch *l, const char *text)
{
	uint8_t digest[SHA256_BYTES];

	sha256(bytes_of(text), digest);
	for (size_t i = 0; i < l->said_count && i < SAID_MAX; i++)
		if (memcmp(l->said[i], digest, sizeof(digest)) == 0)
			return true;
	memcpy(l->said[l->said_count++ % SAID_MAX], digest, sizeof(digest));
	return false;
}

/* 1: something is wrong, and it is not a matter of whom one asks; 2: it could not be looked at. */
void watch_found(struct log_watch *l, const struct err *e)
{
	int status = e->kind == ERR_REJECTED ? EXIT_WRONG : EXIT_NOT_SEEN;
	json_t *v;
	AUTO_BUF text = { 0 };

	if (l->status != EXIT_WRONG)
		l->status = status;
	l->reason = e->reason;
	if (was_said(l, e->text))
		return;
	buf_init(&text, 4 * KIB);
	v = watch_event(l, status == EXIT_WRONG ? reason_code(e->reason) : "not-looked-at");
	json_put_text(v, "reason", reason_code(e->reason));
	json_put_text(v, "text", e->text);
	watch_say_server(l, v);
	buf_add_format(&text, "%s: %s: %s (%s)", watch_origin(l->log), status == EXIT_WRONG ? "WRONG" : "could not be looked at", e->text,
		       reason_code(e->reason));
	watch_say(l->w, v, buf_text(&text));
}

void watch_say_missing(struct watcher *w)
{
	for (size_t i = 0; i < w->expected.count; i++) {
		json_t *v = json_object();
		char text[120];

		if (w->expected.tags[i].found) {
			json_decref(v);
			continue;
		}
		json_put_text(v, "event", "not-found");
		json_put_bytes(v, "tag", bytes_from(w->expected.tags[i].hex, TAG_HEX_BYTES));
		snprintf(text, sizeof(text), "tag %.64s: NOT FOUND", w->expected.tags[i].hex);
		watch_say(w, v, text);
	}
}

/* It is no fault: who retired it had lost it. */
void watch_say_gone(struct log_watch *l)
{
	char text[NOTE_NAME_BYTES_MAX + 80];

	if (l->size_said == UINT64_MAX)
		return;
	l->size_said = UINT64_MAX;
	snprintf(text, sizeof(text), "%s: retired, and no mirror of it is served", watch_origin(l->log));
	watch_say(l->w, watch_event(l, "retired"), text);
}

/* As an event; in words it was said on standard error when the register was read. */
void watch_say_register(struct watcher *w)
{
	json_t *v;

	if (w->list.parties == NULL || args_has(w->a, "root") || !args_has(w->a, "json"))
		return;
	v = json_object();
	json_put_text(v, "event", "register-unchecked");
	json_put_text(v, "register", args_value(w->a, "register"));
	json_put_text(v, "text", "whose register it is, is not checked: --root is not given");
	watch_say(w, v, "");
}

void watch_say_end(struct watcher *w)
{
	static const char *const words[] = { "all consistent", "something is wrong", "not everything could be looked at" };
	json_t *v = json_object(), *logs = json_array();
	char text[160];

	for (size_t i = 0; i < w->list.count; i++) {
		const struct log_watch *l = &w->logs[i];
		const char *stands = l->size_said == UINT64_MAX ? "retired" : "verified";
		json_t *one = watch_event(l, l->reason == REASON_NONE ? stands : reason_code(l->reason));

		json_put_int(one, "status", w->logs[i].status);
		if (json_array_append_new(logs, one) != 0)
			abort();
	}
	json_put_text(v, "event", "end");
	json_put(v, "logs", logs);
	json_put_text(v, "result", words[w->status]);
	json_put_int(v, "status", w->status);
	if (w->list.parties != NULL)
		json_put_bool(v, "register_checked", args_has(w->a, "root"));
	json_put_int(v, "tags_expected", (int64_t)w->expected.count);
	json_put_int(v, "tags_found", (int64_t)w->expected.found);
	snprintf(text, sizeof(text), "%zu log%s: %s", w->list.count, w->list.count == 1 ? "" : "s", words[w->status]);
	watch_say(w, v, text);
}
