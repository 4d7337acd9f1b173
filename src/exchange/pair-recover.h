/* After a restore: what the newer store knew of letters is lost here, not at the peers. Each is asked how many letters it
 * has of us and sent to us; it sends again what we lack, and our numbers go on after the last that it has (design.md
 * part 10, "Restore is not a fork"). Until the peers with which there was traffic have answered, nothing is said that needs
 * approval; receipts are signed, because they only say what is here. */
#ifndef COMITY_EXCHANGE_PAIR_RECOVER_H
#define COMITY_EXCHANGE_PAIR_RECOVER_H

#include "exchange/pairs.h"

#define PAIR_MESSAGE_BYTES_MAX 1024u

/* POST /pair and its answer: canonical JSON {"from","received":{"head","n"},"sent":{"head","n"},"v":1}. */
struct pair_message {
	char from[PARTY_CODE_LEN_MAX + 1];
	struct pair_state received, sent; /* by the one that says it, of the other */
};
bool pair_message_parse(struct bytes in, struct pair_message *ret, struct err *e) MUST_USE;
bool pair_message_write(const struct pair_message *m, struct buf *out, struct err *e) MUST_USE;

/* Inside a transaction: whom to ask is noted. `without` (codes, NULL at the end; may be NULL): nobody waits for these;
 * what goes to them alone does. That they were left out stands in status and doctor until they have answered. */
bool pair_recovery_begin(struct node *n, const char *const *without, struct err *e) MUST_USE;
bool pair_recovery_load(struct node *n, struct err *e) MUST_USE;
/* Has this peer still to say what it has of us? */
bool pair_recovery_waits(struct node *n, const char *peer, bool *ret, struct err *e) MUST_USE;
/* May this be said now? REASON_LOCKED. */
bool pair_recovery_allows(struct node *n, const struct kind *k, const json_t *body, const char *to, struct err *e) MUST_USE;
/* For status: {recovering:[{peer,waits,skipped,error}]}; skipped: an officer went on without its answer. */
bool pair_recovery_status(struct node *n, json_t *out, struct err *e) MUST_USE;

/* The peer's question; inside a transaction. What it lacks goes again, REASON_BUSY when it did within
 * PAIR_AGAIN_MS_MAX. */
bool pair_asked(struct node *n, struct bytes body, const uint8_t *spki, struct buf *reply, struct err *e) MUST_USE;

/* Our questions: the next that is due, none when *ret_found is false. body is initialised here. */
struct pair_question {
	char peer[PARTY_CODE_LEN_MAX + 1], url[600];
	uint8_t pin[SHA256_BYTES];
	struct buf body;
};
bool pair_question_next(struct node *n, int64_t now_ms, bool (*busy)(void *ctx, const char *peer), void *ctx, struct pair_question *ret,
			bool *ret_found, struct err *e) MUST_USE;
/* Inside a transaction. */
bool pair_question_answered(struct node *n, const char *peer, bool http_ok, unsigned status, struct bytes body, const char *error,
			    int64_t now_ms, struct err *e) MUST_USE;

#endif
