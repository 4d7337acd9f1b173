/* What an act does besides being recorded: requests begin and move by the table (request/life.tbl.h),
 * clocks start, exhibits are announced. The same function for our acts and theirs, so that both ends
 * tell the same story. */
#ifndef COMITY_EXCHANGE_EFFECT_H
#define COMITY_EXCHANGE_EFFECT_H

#include "exchange/node.h"

/* own: we said it. Fails, changing nothing that the caller keeps (node_part), when the act may not do what it
 * says: REASON_WRONG_STATE, REASON_NOT_FOUND, REASON_WRONG_PARTY. */
bool effect_apply(struct node *n, const struct statement *s, bool own, struct err *e) MUST_USE;
/* The other side has a request of ours since this time: what it follows up is held there (42(8)), unless the request
 * has ended meanwhile. */
bool effect_delivered(struct node *n, const struct request_row *r, int64_t since_ms, struct err *e) MUST_USE;
/* A request of ours ended by a rejection: it holds nothing any more. */
bool effect_rejected(struct node *n, const struct request_row *r, const uint8_t hash[static SHA256_BYTES], struct err *e) MUST_USE;
/* The request that an act is about (its own id for a request); false when it is about none. */
bool effect_request_of(const struct statement *s, struct id *ret);

#endif
