/* Small single values in the store, by name. */
#ifndef COMITY_EXCHANGE_CELL_H
#define COMITY_EXCHANGE_CELL_H

#include "exchange/node.h"

bool cell_put(struct node *n, const char *name, struct bytes value, struct err *e) MUST_USE;
/* Appends the value to out; nothing when there is none. */
bool cell_get(struct node *n, const char *name, struct buf *out, struct err *e) MUST_USE;

#endif
