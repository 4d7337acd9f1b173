/* Between the two sources of exhibits. */
#ifndef COMITY_EXCHANGE_EXHIBIT_INTERNAL_H
#define COMITY_EXCHANGE_EXHIBIT_INTERNAL_H

#include "exchange/exhibit.h"

/* Writes state, blob, fetched, next and attempts of the row. */
bool exhibit_state_put(struct node *n, const struct exhibit_row *x, const char *state, struct err *e) MUST_USE;
bool exhibit_key_add(struct node *n, const struct id *exhibit, const struct secret *key, struct err *e) MUST_USE;

#endif
