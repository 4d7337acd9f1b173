/* How our log is kept, as we have stated it: slot, leaves per slot, classes with their embargoes. Each change is a new
 * version of a logged statement whose opening is published at once (kind log-parameters), and holds from the
 * next ISO week on, Monday midnight UTC; until then the old one holds, whatever the settings say (design.md part 10).
 * Version 1 holds at once: there was nothing before it. */
#ifndef COMITY_EXCHANGE_PARAMETERS_H
#define COMITY_EXCHANGE_PARAMETERS_H

#include "exchange/node.h"

/* Reads the versions and remembers whether a new one is due, because the settings or the kinds of statement say something
 * else than the newest. It is stated before the next slot: only then is the signer sure to be there. */
bool parameters_open(struct node *n, struct err *e) MUST_USE;
void parameters_free(struct parameters *p);
/* Whether the settings can be stated at all: asked before anything is started. */
bool parameters_setting(const struct config *c, struct err *e) MUST_USE;
/* States what is due to be stated, unless signing is locked; nothing otherwise. Its own transaction. */
bool parameters_state(struct node *n, struct err *e) MUST_USE;

/* In effect at a time; before anything was stated: the settings. */
int64_t parameters_slot_ms(const struct node *n, int64_t now_ms);
int64_t parameters_leaves(const struct node *n, int64_t now_ms);
/* The body of the statement in effect at a time; *ret NULL when there is none. A new reference. */
bool parameters_body_at(struct node *n, int64_t ms, json_t **ret, struct err *e) MUST_USE;
/* Quarters after the end of a period until this class is opened, by such a body (NULL, or a class that it does not name: 1). */
int64_t parameters_embargo(const json_t *body, struct bytes class);

#endif
