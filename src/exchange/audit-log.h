/* Every leaf of our log against what it opens to: real ones are rebuilt from their record's key, null ones from the null
 * key; of an erased one the kept salt opens the class, and the rest cannot be checked any more. And every statement
 * that must have a leaf has one. In portions, through the keeper; or over a backup, which needs no node. */
#ifndef COMITY_EXCHANGE_AUDIT_LOG_H
#define COMITY_EXCHANGE_AUDIT_LOG_H

#include "exchange/node.h"

#define AUDIT_PORTION 2000u
/* In one portion's lists; the counts go on. */
#define AUDIT_TOLD_MAX 50u

struct audit_place {
	uint64_t leaf;     /* next one */
	int64_t statement; /* the last one that was looked at; leaves come first */
	bool done;
};
/* Looks at the next portion and moves on. Adds to the counts of out: "real", "null", "erased", "unknown", "findings",
 * "statements"; sets "size"; appends to its lists "told" {"index","text"} (what is known not to open) and "faults"
 * {"index"(-1: no leaf),"text"}. Everything in "faults" is one: a leaf that is not what it should be. */
bool audit_log_portion(struct store *s, struct audit_place *at, json_t *out, struct err *e) MUST_USE;

#endif
