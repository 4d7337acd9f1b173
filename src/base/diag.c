/* Operational messages. A line is made in one piece and written with one call, so that lines of several
 * roles on one terminal do not mix, and nothing that came from outside can start a line of its own.
 * Events that repeat are counted instead of printed: a peer must not be able to fill the disk. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define LINE_BYTES_MAX 2048
#define EVENT_BYTES_MAX 48
#define EVENTS_MAX 64

/* What one event has printed in the minute that began at `start_ms`. */
struct meter {
	char event[EVENT_BYTES_MAX];
	int64_t start_ms;
	unsigned printed, left_out;
};

static const char *const level_names[] = { "debug", "info", "warning", "error" };
static char role_name[32] = "comity";
static enum diag_level least = DIAG_INFO;
static struct meter meters[EVENTS_MAX];

void diag_start(const char *role, enum diag_level level)
{
	snprintf(role_name, sizeof(role_name), "%s", role);
	least = level;
	memset(meters, 0, sizeof(meters));
}

static struct meter *meter_of(const char *event, int64_t now_ms)
{
	struct meter *oldest = &meters[0];

	for (size_t i = 0; i < EVENTS_MAX; i++) {
		if (strncmp(meters[i].event, event, EVENT_BYTES_MAX - 1) == 0)
			return &meters[i];
		if (meters[i].start_ms < oldest->start_ms)
			oldest = &meters[i];
	}
	*oldest = (struct meter){ .start_ms = now_ms };
	snprintf(oldest->event, sizeof(oldest->event), "%s", event);
	return oldest;
}

/* Whether this event may be printed now; then also how many were left out before it. */
static bool meter_pass(const char *event, int64_t now_ms, unsigned *ret_left_out)
{
	struct meter *m = meter_of(event, now_ms);

	*ret_left_out = 0;
	if (now_ms < m->start_ms || now_ms - m->start_ms >= 60000) {
		*ret_left_out = m->left_out;
		m->start_ms = now_ms;
		m->printed = 0;
		m->left_out = 0;
	}
	if (m->printed >= DIAG_PER_MINUTE_MAX) {
		m->left_out++;
		return false;
	}
	m->printed++;
	return true;
}

static void write_line(enum diag_level level, const char *event, struct bytes pairs)
{
	int64_t now = clock_now_ms();
	char time[TIME_TEXT_LEN + 1];
	unsigned left_out;
	AUTO_BUF line = { 0 };

	/* Each byte may become three (U+FFFD). */
	buf_init(&line, 3 * LINE_BYTES_MAX + 512);
	if (level < least || !meter_pass(event, now, &left_out))
		return;
	time_write(now, time);
	buf_add_format(&line, "time=%s level=%s role=%s event=%s", time,
		       level_names[(unsigned)level % 4], role_name, event);
	if (pairs.len > 0) {
		buf_add_u8(&line, ' ');
		text_printable(pairs, &line);
	}
	if (left_out > 0)
		buf_add_format(&line, " left_out=%u", left_out);
	buf_add_u8(&line, '\n');
	if (!buf_ok(&line))
		return;
	/* Nothing sensible can be done when standard error is gone. */
	if (write(STDERR_FILENO, line.at, line.len) < 0)
		return;
}

void diag(enum diag_level level, const char *event, const char *format, ...)
{
	char pairs[LINE_BYTES_MAX] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(pairs, sizeof(pairs), format, args);
	va_end(args);
	for (char *p = pairs; *p != '\0'; p++)
		if (*p == '\n')
			*p = ';'; /* one event, one line */
	write_line(level, event, bytes_of(pairs));
}

void diag_err(enum diag_level level, const char *event, const struct err *e)
{
	char text[ERR_TEXT_BYTES_MAX];

	/* A double quote of the sentence would end its value. */
	snprintf(text, sizeof(text), "%s", e->text);
	for (char *p = strchr(text, '"'); p != NULL; p = strchr(p, '"'))
		*p = '\'';
	diag(level, event, "kind=\"%s\" reason=%s text=\"%s\"", err_kind_name(e->kind), reason_code(e->reason), text);
}
