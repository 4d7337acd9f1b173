/* At the end of each quarter both nodes of a pair say how many letters they count, and the heads (crypto.md 3.5,
 * point 6); what the peer says is compared with ours at the same number. */
#ifndef COMITY_EXCHANGE_CLOSINGS_H
#define COMITY_EXCHANGE_CLOSINGS_H

#include "exchange/node.h"

/* Inside a transaction, once a second: says what is due of the quarter before this one. */
bool closings_clock(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* A closing, ours or theirs, takes its effect. */
bool closings_said(struct node *n, const struct statement *closing, bool own, struct err *e) MUST_USE;
/* For status: {disputed:[{peer,what,n,ours,theirs,time}]}. */
bool closings_status(struct node *n, json_t *out, struct err *e) MUST_USE;

#endif
