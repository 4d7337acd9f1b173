/* Between the two halves of an erasure. */
#ifndef COMITY_EXCHANGE_ERASE_INTERNAL_H
#define COMITY_EXCHANGE_ERASE_INTERNAL_H

#include "exchange/erase.h"

/* Blanks all that comity.db has of the request, except the draft `but_draft`; in the caller's transaction. */
bool erase_blank(struct node *n, const struct id *request, int64_t when, const struct id *but_draft, struct err *e) MUST_USE;

#endif
