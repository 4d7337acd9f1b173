/* What `comity doctor` finds in a home: through the keeper while it runs, or on a backup (design.md part
 * 10: never a second connection to a live database). */
#ifndef COMITY_EXCHANGE_AUDIT_H
#define COMITY_EXCHANGE_AUDIT_H

#include "exchange/node.h"

/* Appends {"name","ok","text"} to checks. Each check speaks for itself; false only when none could be made. */
bool audit_node(struct node *n, json_t *checks, struct err *e) MUST_USE;
/* Only the store of a backup folder (comity.db, keys.db). */
bool audit_store(struct store *s, json_t *checks, struct err *e) MUST_USE;

#endif
