/* Which rejected letters get a leaf (design.md part 10): one each where TLS pin and signature show whose they are, and
 * one a day and peer, with counts, for the rest. */
#ifndef COMITY_EXCHANGE_REJECTIONS_H
#define COMITY_EXCHANGE_REJECTIONS_H

#include "exchange/receive-internal.h"

/* Inside a transaction: every letter of a batch that was rejected just now is counted, and stated where it is known to be
 * its sender's; once for a statement. spki as for receive_letters; peer: under whose name it is counted. */
bool rejections_keep(struct node *n, const struct arrival *all, size_t count, const uint8_t *spki, const char *peer, struct err *e) MUST_USE;
/* Inside a transaction, now and then: states what was counted on days that are over. */
bool rejections_clock(struct node *n, int64_t now_ms, struct err *e) MUST_USE;

/* No peer fills our log, or our disk, faster than slots go by. spki: of its TLS key. REASON_BUSY when it has no room left. */
bool peer_has_room(struct node *n, const uint8_t *spki, struct err *e) MUST_USE;

#endif
