/* What a node's witness watches: the logs of everybody else in the register, and the register's own. */
#ifndef COMITY_EXCHANGE_WATCHED_H
#define COMITY_EXCHANGE_WATCHED_H

#include "exchange/node.h"

/* The text of HOME/witness/logs (log/watched.h). The keeper hands it to the witness, which keeps the file: nobody else
 * has a hand in that folder. */
bool watched_text(const struct node *n, struct buf *out, struct err *e) MUST_USE;

#endif
