/* Operational messages, never the log: one line of key=value on standard error, English, one event,
 * no secret. The same event is printed at most DIAG_PER_MINUTE_MAX times a minute; what was left out
 * is counted in the next line. */
#ifndef COMITY_BASE_DIAG_H
#define COMITY_BASE_DIAG_H

#include "base/err.h"

#define DIAG_PER_MINUTE_MAX 20u

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARNING, DIAG_ERROR };

/* role is put into each line ("keeper"); level: what is less is not printed. */
void diag_start(const char *role, enum diag_level level);
/* event is a short constant ("letter-rejected"); format gives the key=value pairs. Values that may
 * hold spaces are written key="..." by the caller with %s; control characters are replaced. */
void diag(enum diag_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_err(enum diag_level level, const char *event, const struct err *e);

#endif
