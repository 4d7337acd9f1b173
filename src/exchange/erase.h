/* Erasing a request: what its statements said, its evidence and every name in every table go; the leaves, the
 * hashes, the kinds and the erasure itself stay (design.md part 10, crypto.md 3.6). */
#ifndef COMITY_EXCHANGE_ERASE_H
#define COMITY_EXCHANGE_ERASE_H

#include "exchange/node.h"

/* A draft of an erasure lives this long: it promises by when the keys are gone. */
#define ERASE_DRAFT_DAYS 3
/* Backups of keys older than this are deleted. */
#define KEY_BACKUP_DAYS 30

/* REASON_WRONG_STATE with one sentence while something speaks against it. */
bool erase_allowed(struct node *n, const struct request_row *r, struct err *e) MUST_USE;
/* Members of the body that the node fills in: keys_gone, last_backup_dies, statements. */
bool erase_fill(struct node *n, const struct id *request, json_t *body, struct err *e) MUST_USE;
/* The effect of our own erasure `s`: comity.db is blanked in this transaction. */
bool erase_apply(struct node *n, const struct statement *s, struct request_row *r, struct err *e) MUST_USE;
/* After the commit, and at open: keys, blobs and own stanzas; then the files are scrubbed. Transactions of its own. */
bool erase_finish(struct node *n, struct err *e) MUST_USE;
/* At open, when the store may be older than what was erased from it. */
bool erase_reapply(struct node *n, struct err *e) MUST_USE;
/* Since when the other party asks for it (0: it does not). */
bool erase_asked(struct node *n, const struct id *request, int64_t *ret_ms, struct err *e) MUST_USE;

#endif
