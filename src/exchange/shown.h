/* Checkpoints with this log's own signature that a witness showed and that this home's log does not lead to: of more leaves
 * than it has, or of another tree (design.md part 10). Each is kept in the store until the log contains it, and locks the
 * node as long, over every start. */
#ifndef COMITY_EXCHANGE_SHOWN_H
#define COMITY_EXCHANGE_SHOWN_H

#include "exchange/node.h"

enum shown_is { SHOWN_OURS, SHOWN_MORE, SHOWN_OTHER };
/* Against the log as it is. */
bool shown_compare(const struct node *n, const struct checkpoint *c, enum shown_is *ret, struct err *e) MUST_USE;

/* Inside a transaction. What is ours changes nothing; else it is kept, and node and signer lock. They do so even when it
 * cannot be written, or the turn is undone: then shown_write does it later. */
bool shown_keep(struct node *n, struct bytes note, const char *who, struct err *e) MUST_USE;
/* Begins and commits a transaction of its own, when there is something to write. */
bool shown_write(struct node *n, struct err *e) MUST_USE;
/* When the log is open: what was kept before this start still locks. */
bool shown_load(struct node *n, struct err *e) MUST_USE;

/* The signer locks itself, too: a locked node's, which was started again and has forgotten it. */
void shown_lock_signer(const struct node *n);

/* Of those with more leaves the largest, when it is larger than *ret. */
void shown_furthest(const struct node *n, struct checkpoint *ret);
/* ERR_CONFLICT REASON_LOCKED when one is of another tree, or, at the `end` of a recovery, of more leaves. */
bool shown_contained(const struct node *n, bool end, struct err *e) MUST_USE;
/* Of a home that stands still: whether its store leads to this checkpoint, and to all that were shown. A store that is too
 * small is an answer, and no error. */
bool shown_is_in_store(struct store *s, const struct checkpoint *c, bool *ret, struct err *e) MUST_USE;
bool shown_in_store(struct store *s, const struct note_key *log_key, bool *ret, struct err *e) MUST_USE;
/* The largest that was shown, when it is larger than *ret. */
bool shown_furthest_in_store(struct store *s, const struct note_key *log_key, struct checkpoint *ret, struct err *e) MUST_USE;

#endif
