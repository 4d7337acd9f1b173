/* What arrives: letters and proofs. Every letter is answered by a signed receipt, a rejection too, in the
 * order in which they came. The receipt may leave once the turn's transaction is durable. */
#ifndef COMITY_EXCHANGE_RECEIVE_H
#define COMITY_EXCHANGE_RECEIVE_H

#include "exchange/node.h"

/* body: a batch (statement/letter.h). spki: SHA-256 of the peer's TLS key, NULL for a letter that another
 * carrier brought. reply gets a batch of receipt envelopes. False when nothing was looked at:
 * REASON_BUSY or REASON_STALE_REGISTER (the sender tries again), REASON_MALFORMED, REASON_TOO_LARGE. */
bool receive_letters(struct node *n, struct bytes body, const uint8_t *spki, struct buf *reply, struct err *e) MUST_USE;
/* A sealed list of counterproofs for statements of ours. */
bool receive_proofs(struct node *n, struct bytes body, const uint8_t *spki, struct err *e) MUST_USE;

#endif
