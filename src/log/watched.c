/* Written by an operator or from the register, so that every complaint names its line. Kept in order of origin: a
 * witness looks one up for each call. */
#include "log/watched.h"

#include <stdlib.h>
#include <string.h>

#define ORIGIN "origin "

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line; empty at its end. */
static struct bytes word(struct bytes *rest)
{
	size_t from = 0, to;

	while (from < rest->len && blank(rest->at[from]))
		from++;
	to = from;
	while (to < rest->len && !blank(rest->at[to]))
		to++;
	struct bytes found = bytes_slice(*rest, from, to - from);
	*rest = bytes_slice(*rest, to, rest->len);
	return found;
}

static bool plain(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] == 0x7f)
			return false;
	return true;
}

static bool line_parse(struct bytes line, struct watched *w, struct err *e)
{
	struct watched_log l = { .url = NULL };
	struct bytes first = word(&line), vkey = word(&line), url = word(&line);

	if (!bytes_is(first, "log"))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "a line is \"log VKEY [URL]\", or below one \"origin ORIGIN\"");
	if (word(&line).len > 0)
		return err_set(e, ERR_INPUT, REASON_TRAILING_BYTES, "too many words");
	if (!note_key_parse(vkey, &l.key, e))
		return false;
	if (l.key.type != NOTE_ED25519)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "the key is not one of a log (type 0x01)");
	if (w->count == WITNESS_LOGS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "over %u logs", WITNESS_LOGS_MAX);
	if (url.len > WITNESS_URL_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "an address of over %u bytes", WITNESS_URL_BYTES_MAX);
	l.url = calloc(1, url.len + 1);
	if (l.url == NULL)
		abort();
	if (url.len > 0)
		memcpy(l.url, url.at, url.len);
	if (w->count % 64 == 0) {
		struct watched_log *more = realloc(w->at, (w->count + 64) * sizeof(*more));
		if (more == NULL)
			abort();
		w->at = more;
	}
	snprintf(l.origin, sizeof(l.origin), "%s", l.key.name);
	w->at[w->count++] = l;
	return true;
}

/* Of the log above it; an origin may have spaces, at its ends too. */
static bool origin_parse(struct bytes origin, struct watched *w, bool *may, struct err *e)
{
	if (!*may)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "an origin stands below its log, once");
	if (!checkpoint_origin_is_valid(origin))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "an origin is a line of 1 to %u bytes of UTF-8", CHECKPOINT_ORIGIN_BYTES_MAX);
	bytes_text(origin, w->at[w->count - 1].origin, sizeof(w->at[0].origin));
	*may = false;
	return true;
}

static int by_origin(const void *a, const void *b)
{
	const struct watched_log *x = a, *y = b;

	return strcmp(x->origin, y->origin);
}

static int find_origin(const void *origin, const void *log)
{
	const struct watched_log *l = log;

	return strcmp(origin, l->origin);
}

bool watched_parse(struct bytes text, struct watched *ret, struct err *e)
{
	AUTO_WATCHED w = { 0 };
	unsigned number = 0;
	bool may = false; /* an origin may come */

	while (text.len > 0) {
		struct bytes line = bytes_cut(&text, '\n'), look = line;

		number++;
		if ((line.len > 0 && line.at[0] == '#') || word(&look).len == 0)
			continue;
		if (!plain(line))
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "logs:%u: a control character", number);
		if (bytes_starts(line, ORIGIN) ? !origin_parse(bytes_slice(line, strlen(ORIGIN), line.len), &w, &may, e)
					       : !(may = line_parse(line, &w, e)))
			return err_note(e, "logs:%u", number);
	}
	if (w.count > 0)
		qsort(w.at, w.count, sizeof(*w.at), by_origin);
	for (size_t i = 1; i < w.count; i++)
		if (by_origin(&w.at[i - 1], &w.at[i]) == 0)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "logs: %s is there twice", w.at[i].origin);
	*ret = w;
	w = (struct watched){ 0 };
	return true;
}

void watched_write(const struct watched *w, struct buf *out)
{
	for (size_t i = 0; i < w->count; i++) {
		buf_add_text(out, "log ");
		note_key_write(&w->at[i].key, out);
		buf_add_format(out, "%s%s\n", w->at[i].url[0] == '\0' ? "" : " ", w->at[i].url);
		if (strcmp(w->at[i].origin, w->at[i].key.name) != 0)
			buf_add_format(out, ORIGIN "%s\n", w->at[i].origin);
	}
}

const struct watched_log *watched_find(const struct watched *w, const char *origin)
{
	return w->count == 0 ? NULL : bsearch(origin, w->at, w->count, sizeof(*w->at), find_origin);
}

void watched_release(struct watched *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->at[i].url);
	free(w->at);
	*w = (struct watched){ 0 };
}
