/* The one error value. Setting it always works: texts that are too long are cut, a NULL error is
 * ignored, and errno is turned into words here so that it travels no further. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_status, http_status;
} kinds[ERR_KIND_COUNT] = {
#define ERR_KIND(name, text, exit_status, http_status) { text, exit_status, http_status },
#include "base/err-kinds.tbl.h"
};

static const char *const codes[REASON_COUNT] = {
#define REASON(name, code) code,
#include "base/reasons.tbl.h"
};

bool err_set(struct err *e, enum err_kind kind, enum reason reason, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	if (e == NULL)
		return false;
	/* Into a text of our own first: an argument may point into e->text. */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	e->kind = kind;
	e->reason = reason;
	memcpy(e->text, text, sizeof(text));
	return false;
}

/* Who can mend it follows from what the kernel said. */
static void kind_of_errno(int number, enum err_kind *ret_kind, enum reason *ret_reason)
{
	switch (number) {
	case ENOENT:
		*ret_kind = ERR_NOT_FOUND;
		*ret_reason = REASON_NOT_FOUND;
		return;
	case ENOSPC:
	case EDQUOT:
		*ret_kind = ERR_UNAVAILABLE;
		*ret_reason = REASON_DISK_FULL;
		return;
	case EAGAIN:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
	case ETIMEDOUT:
		*ret_kind = ERR_UNAVAILABLE;
		*ret_reason = REASON_UNAVAILABLE;
		return;
	default:
		*ret_kind = ERR_SYSTEM;
		*ret_reason = REASON_SYSTEM;
		return;
	}
}

bool err_system(struct err *e, const char *format, ...)
{
	int number = errno;
	char text[ERR_TEXT_BYTES_MAX], words[128];
	enum err_kind kind;
	enum reason reason;
	va_list args;

	if (e == NULL)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kind_of_errno(number, &kind, &reason);
	return err_set(e, kind, reason, "%s: %s", text, strerror_r(number, words, sizeof(words)));
}

bool err_note(struct err *e, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	if (e == NULL)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(e, e->kind, e->reason, "%s: %s", text, e->text);
}

const char *err_kind_name(enum err_kind kind)
{
	return (unsigned)kind < ERR_KIND_COUNT ? kinds[kind].name : "unknown";
}

int err_exit_status(enum err_kind kind)
{
	return (unsigned)kind < ERR_KIND_COUNT ? kinds[kind].exit_status : kinds[ERR_SYSTEM].exit_status;
}

int err_http_status(enum err_kind kind)
{
	return (unsigned)kind < ERR_KIND_COUNT ? kinds[kind].http_status : kinds[ERR_SYSTEM].http_status;
}

const char *reason_code(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? codes[reason] : "unknown";
}

bool reason_find(const char *code, enum reason *ret)
{
	for (unsigned i = 0; code != NULL && i < REASON_COUNT; i++) {
		if (strcmp(code, codes[i]) == 0) {
			*ret = (enum reason)i;
			return true;
		}
	}
	return false;
}
