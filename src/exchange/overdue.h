/* A receipt promised a proof by a day. When the day is over: first a notice to the peer, then, after a grace period
 * and only by an officer, a published complaint that anybody can check against the peer's log (design.md part 10).
 * Without a receipt nobody promised anything, and nobody is accused. */
#ifndef COMITY_EXCHANGE_OVERDUE_H
#define COMITY_EXCHANGE_OVERDUE_H

#include "exchange/node.h"

/* Inside a transaction, once a second: says a notice for each receipt whose proof is overdue; once for each. */
bool overdue_clock(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* A notice that came to us about a letter of theirs: kept, and the proof goes again at once. */
bool overdue_heard(struct node *n, const struct statement *notice, struct err *e) MUST_USE;
/* Drafts a complaint about the statement whose proof has not come, or about the closing of a peer that does not fit
 * ours (its hash). Refused before the grace period is over and when there is nothing to complain about. */
bool overdue_complaint(struct node *n, const uint8_t hash[static SHA256_BYTES], const char *officer, struct id *ret_draft, struct err *e) MUST_USE;
/* A complaint of ours is signed: is it still true? Then it is published. */
bool overdue_complained(struct node *n, const struct statement *complaint, struct err *e) MUST_USE;
/* For status: {overdue:[{peer,hash,due,notice}],notices:[{peer,hash,due,time}]}. */
bool overdue_status(struct node *n, json_t *out, struct err *e) MUST_USE;

#endif
