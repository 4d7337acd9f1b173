/* The uniform log: exactly K leaves a slot, real ones first come first served, null ones for the rest, in no
 * order (design.md part 10). node_slot and node_proof of node.h are here too. */
#ifndef COMITY_EXCHANGE_SLOTS_H
#define COMITY_EXCHANGE_SLOTS_H

#include "exchange/node.h"

/* Opens the log; the signer must be there: it gives the last checkpoint again. */
bool slots_open(struct node *n, struct err *e) MUST_USE;
/* Writes the proved checkpoint to the log's files when that is due: at a pace, so that short slots cost little. */
bool slots_publish(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* At the end: the files get what they lag behind by. What fails here is done at the next start. */
void slots_close(struct node *n);

#endif
