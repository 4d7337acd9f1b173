/* What is on its way. The outbox keeps statements, not ciphertext: each attempt seals to the current key
 * and takes a fresh proof (design.md part 10). To each peer one batch is under way at a time, in the
 * order of sending; but what may go proof-pending while the quorum is missed goes before all that has to wait, and is tried
 * again by itself. The courier carries; this module says what and takes the answer. */
#ifndef COMITY_EXCHANGE_OUTBOX_H
#define COMITY_EXCHANGE_OUTBOX_H

#include "exchange/node.h"

enum outbox_what { OUTBOX_LETTERS, OUTBOX_PROOFS };

struct outbox_job {
	enum outbox_what what;
	char peer[PARTY_CODE_LEN_MAX + 1];
	char url[600];
	uint8_t pin[32];
	struct buf body;
	size_t count;
	uint8_t under[SHA256_BYTES]; /* of letters: digest of the note that proves them; zeros when they go proof-pending */
	bool held; /* another batch was held, or letters go proof-pending: the transaction is to be committed */
	size_t receipts; /* believed and kept, when it has been answered */
	int64_t seq[LETTER_BATCH_MAX];
	uint64_t number[LETTER_BATCH_MAX];              /* of letters: exchange/pairs.h */
	uint8_t hash[LETTER_BATCH_MAX][SHA256_BYTES];   /* statements */
	uint8_t letter[LETTER_BATCH_MAX][SHA256_BYTES]; /* digests of the sealed letters */
};
/* Inside a transaction. `busy` tells whether a job to this peer is under way already. Fills *ret with the next
 * batch (ret->count 0: nothing due now). */
/* ret is initialised here and released by outbox_job_release. */
bool outbox_next(struct node *n, enum outbox_what what, int64_t now_ms, bool (*busy)(void *ctx, enum outbox_what what, const char *peer),
		 void *ctx, struct outbox_job *ret, struct err *e) MUST_USE;
/* While one batch of letters is under way and a full one waits behind it: that one, ready to leave as soon as the first is
 * answered. It must be dropped when the first got no answer, so that nothing overtakes. The answer may still say "not yet"
 * for want of a better proof; so the second has the very proof of the first, and nothing goes ahead behind letters that go
 * proof-pending. */
bool outbox_ahead(struct node *n, const struct outbox_job *flying, struct outbox_job *ret, struct err *e) MUST_USE;
void outbox_job_release(struct outbox_job *j);
/* Inside a transaction. http_ok: there was an answer, with this status and body. */
bool outbox_answered(struct node *n, struct outbox_job *j, bool http_ok, unsigned status, struct bytes body,
		     const char *error, int64_t now_ms, struct err *e) MUST_USE;

/* For another carrier: the sealed letter of a statement of ours; and the receipt that comes back. A rejection for
 * under-witnessed, stale-proof or pair-gap ends nothing: the letter waits, and goes again. */
bool outbox_letter(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
bool outbox_receipt(struct node *n, struct bytes envelope, const uint8_t *letter_digest, const char **ret_outcome, struct err *e) MUST_USE;

#endif
