/* Between receive.c, which decides about letters, and receipts.c, which says so. */
#ifndef COMITY_EXCHANGE_RECEIVE_INTERNAL_H
#define COMITY_EXCHANGE_RECEIVE_INTERNAL_H

#include "exchange/pairs.h"
#include "exchange/receive.h"

struct arrival {
	struct bytes sealed;
	struct secret *file_key;
	struct letter *letter;
	const struct act *act;        /* the first */
	uint8_t digest[SHA256_BYTES]; /* of the sealed bytes */
	struct pair_letter place;     /* what it says of its place among the letters of that peer */
	enum pair_fit fit;            /* and whether that is so */
	bool named;                   /* its act could not be read, and is rejected by name all the same */
	struct id id;                 /* when named; all zero: none */
	char peer[PARTY_CODE_LEN_MAX + 1]; /* from whom it is known to come, or "" */
	bool brought;                 /* by that peer itself, over its TLS key */
	bool known;                   /* seen before: the old receipt goes again */
	bool pending;                 /* under our own cosignature alone: the full proof is due */
	bool ok;
	struct err why;               /* when not ok */
	uint8_t tag[SHA256_BYTES], leaf_hash[SHA256_BYTES];
	struct pair_state after;      /* letters of that peer here, with this one */
	struct buf receipt;           /* envelope */
};

/* Inside a transaction: fills the receipt of each that has none yet. peer: to whom they go. */
bool receipts_sign(struct node *n, struct arrival *all, size_t count, const char *peer, struct err *e) MUST_USE;

#endif
