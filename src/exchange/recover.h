/* After a restore: the log that was signed goes on, or nothing is signed (design.md part 10). */
#ifndef COMITY_EXCHANGE_RECOVER_H
#define COMITY_EXCHANGE_RECOVER_H

#include "exchange/node.h"

/* Where `comity restore` puts the log files that were there: below HOME. */
#define RECOVER_FOLDER "log.before-restore"

/* Brings leaves that were signed but are not in the restored store back from the log files that were set
 * aside, checks that they lead to just the root that was signed, and unlocks the signer. Begins and commits its
 * own transaction. What the statements said that are lost with the newer store does not come back; their
 * leaves do, so that the log stays one. ERR_CONFLICT REASON_LOCKED when leaves are missing. */
bool node_recover(struct node *n, uint64_t *ret_brought_back, struct err *e) MUST_USE;

#endif
