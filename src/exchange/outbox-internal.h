/* Between the sources of outbox.h. */
#ifndef COMITY_EXCHANGE_OUTBOX_INTERNAL_H
#define COMITY_EXCHANGE_OUTBOX_INTERNAL_H

#include "exchange/outbox.h"

/* What is in this batch, and all that waits for its peer, is tried again after a while that grows. */
bool outbox_hold(struct node *n, const struct outbox_job *j, const char *error, int64_t now_ms, struct err *e) MUST_USE;

#endif
