/* The last resort after a restore (design.md part 10): what the log signed is gone, so that log ends where it is known
 * to have ended, and the home goes on with a successor of another name and key. Two steps: the home that stands still
 * gets its new log, and when it runs again two people state what happened. */
#ifndef COMITY_EXCHANGE_RETIRE_H
#define COMITY_EXCHANGE_RETIRE_H

#include "exchange/node.h"

/* In HOME: the logs that ended, oldest first, a line each: "<vkey> <size> <64 hex root> <time>". */
#define RETIRED_FILE "retired"
#define RETIRED_BYTES_MAX (16 * KIB)

void retired_write(const struct register_retired *r, struct buf *out);
/* The newest of HOME/retired, oldest first, as our register entry says them. */
bool retired_read(int home_fd, struct register_retired ret[static PARTY_RETIRED_MAX], size_t *ret_count, struct err *e) MUST_USE;
/* "comity/XA" is followed by "comity/XA/2", that by "comity/XA/3". */
bool retire_successor(const char *origin, char ret[static CONFIG_ORIGIN_BYTES_MAX + 1], struct err *e) MUST_USE;
/* Of a home that stands still: the furthest checkpoint of its log that is known to have been signed, published, set aside,
 * remembered by the signer, or shown by a witness (exchange/shown.h). What stands in that tree goes on being proved. */
bool retire_furthest(int home_fd, const struct note_key *log_key, struct checkpoint *ret, struct err *e) MUST_USE;
/* Drafts the statement history-lost about the last log that ended. */
bool retire_draft(struct node *n, const char *officer, const char *text, struct id *ret_draft, struct err *e) MUST_USE;

#endif
