/* What each leaf of our log opens to: the class, and the salt that proves it. A null leaf is known by the home's null
 * key; of a real leaf the salt, which says nothing of the act, is kept beside it from the slot on, so that its class
 * can still be opened when the record and its key are erased. Works on any store, also on a backup. */
#ifndef COMITY_EXCHANGE_CLASSES_H
#define COMITY_EXCHANGE_CLASSES_H

#include "exchange/node.h"
#include "log/openings.h"

/* The home's null key; `make`: draws it when there is none, in a transaction of its own. */
bool classes_null_key(struct store *s, bool make, uint8_t ret[static 32], struct err *e) MUST_USE;
/* A queued leaf became the log's leaf `index`: what it opens to goes with it. Inside the slot's transaction. */
bool classes_keep(struct node *n, int64_t queue_seq, uint64_t index, struct err *e) MUST_USE;
/* Leaves in [first, until) that nobody here may be able to open, and why; inside a transaction. */
bool classes_unopened(struct store *s, uint64_t first, uint64_t until, const char *why, struct err *e) MUST_USE;
/* Leaves in the store. */
bool classes_size(struct store *s, uint64_t *ret, struct err *e) MUST_USE;

struct class_seen {
	uint64_t index;
	struct bytes leaf;
	const uint8_t *hash;    /* of the statement; NULL: null leaf, or one that came back after a restore */
	bool null;              /* made with our null key */
	bool kept;              /* the salt stands beside it */
	bool rebuilt;           /* every byte of it was made again: nothing is left to check */
	struct class_opening o; /* o.lost when nothing opens it; texts live as long as the call */
};
/* How the leaves are walked: null leaves are of a week between the two times; the last one's is tried first. */
struct class_walk {
	struct store *store;
	uint8_t null_key[32];
	char week[16];
	int64_t from_ms, until_ms; /* null leaves are of a week in between */
};
/* Leaves [from, to) in order. What is kept is not checked here: class_opening_check says whether it opens the leaf. */
bool classes_each(struct class_walk *w, uint64_t from, uint64_t to,
		  bool (*each)(void *ctx, const struct class_seen *c, struct err *e), void *ctx, struct err *e) MUST_USE;

#endif
