/* One error value. Functions that can fail return bool, take `struct err *e` last and write their
 * outputs only on success. `kind` maps to an exit status and an HTTP status; `reason` is the stable
 * code that machines and translations hang on; `text` is one English sentence for operators. */
#ifndef COMITY_BASE_ERR_H
#define COMITY_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err_kind {
#define ERR_KIND(name, text, exit_status, http_status) ERR_##name,
#include "base/err-kinds.tbl.h"
	ERR_KIND_COUNT
};

enum reason {
#define REASON(name, code) REASON_##name,
#include "base/reasons.tbl.h"
	REASON_COUNT
};

#define ERR_TEXT_BYTES_MAX 400

struct err {
	enum err_kind kind;
	enum reason reason;
	char text[ERR_TEXT_BYTES_MAX];
};

/* Both return false, so that `return err_set(e, ...)` reads as one step. `e` may be NULL. */
bool err_set(struct err *e, enum err_kind kind, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* err_set with errno turned into text: call it right after the system call that failed. */
bool err_system(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts context in front ("home XA: ..."), keeps kind and reason. */
bool err_note(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_kind_name(enum err_kind kind);
int err_exit_status(enum err_kind kind);
int err_http_status(enum err_kind kind);
const char *reason_code(enum reason reason);          /* "wrong-party" */
bool reason_find(const char *code, enum reason *ret); /* the reverse; false when unknown */

#endif
