/* Acts that are for everybody: what the log says of itself. Once such an act is proved, it stands with its proof as
 * HOME/log/acts/<64 hex hash> (canonical JSON) and in HOME/log/acts/index, oldest first, one line
 * "<64 hex> <kind> <time>" each. A published act shows the opening and the cross-log secret of its own leaf, and of no other. */
#ifndef COMITY_EXCHANGE_PUBLISH_H
#define COMITY_EXCHANGE_PUBLISH_H

#include "exchange/node.h"

/* This act of ours is for everybody. Inside a transaction; the files follow when it is proved. */
bool publish_act(struct node *n, const uint8_t hash[static 32], struct err *e) MUST_USE;
/* Writes what is proved and not there yet; files that are gone are written again (once after the start). */
bool publish_proved(struct node *n, struct err *e) MUST_USE;
/* After a recovery: acts and openings that stand in this folder and not among our files come back, when their proofs are of
 * our tree. The store does not know them; the index does. *ret_acts: how many came. */
bool publish_back(struct node *n, int aside_fd, uint64_t *ret_acts, struct err *e) MUST_USE;

#endif
