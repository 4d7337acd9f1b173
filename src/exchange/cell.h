/* Small single values in the store, by name. */
#ifndef COMITY_EXCHANGE_CELL_H
#define COMITY_EXCHANGE_CELL_H

#include "exchange/node.h"

/* A JSON array of register-policy bodies: the own decisions of a home that has pins alone. */
#define CELL_OWN_POLICIES "own-policies"
#define OWN_POLICIES_BYTES_MAX (4 * MIB)
/* Roots are kept as a JSON array of envelopes, version 1 first. */
#define CELL_ROOTS "register-roots"
#define ROOTS_BYTES_MAX (1 * MIB)

bool cell_put(struct node *n, const char *name, struct bytes value, struct err *e) MUST_USE;
/* Appends the value to out; nothing when there is none. */
bool cell_get(struct node *n, const char *name, struct buf *out, struct err *e) MUST_USE;
/* The same of a store whose node does not run. */
bool cell_of_store(struct store *s, const char *name, struct buf *out, struct err *e) MUST_USE;
/* Puts this home's own policies into a register without a bundle (policies.c); with one it does nothing. */
bool directory_own_policies(struct node *n, struct register_ *r, struct buf *problems, struct err *e) MUST_USE;

#endif
