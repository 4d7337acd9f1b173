/* Proof-pending (design.md part 10): while the quorum is missed, letters under arts 41 and 42 may travel with the
 * addressee's own cosignature alone. They may page and preserve, never disclose; the full proof is due within 24 h.
 * Both sides remember such a letter until then, and count what is pending and what is overdue. */
#ifndef COMITY_EXCHANGE_PENDING_H
#define COMITY_EXCHANGE_PENDING_H

#include "exchange/cosigning.h"
#include "exchange/node.h"
#include "exchange/outbox.h"

/* The full proof is due so long after the letter. */
#define PENDING_DUE_MS DAY_MS

bool pending_open(struct node *n, struct err *e) MUST_USE; /* whether anything is pending */

/* --- ours --------------------------------------------------------------------------------------------------- */

/* Letters to j->peer that the missed quorum does not stop: of a kind that may go so, approved by two different people,
 * their leaf under this checkpoint with the addressee's cosignature and not under one that is proved. Each is chosen when
 * its own wait is over, whatever other letters wait for. That they go so is kept before they go, because a
 * receipt may get lost: j->held. One that had its proof before is owed again: the addressee has lost it. */
bool pending_choose(struct node *n, const struct proved *under, size_t most, struct outbox_job *j, int64_t now_ms, struct err *e) MUST_USE;
/* Its receipt came: now the full proof is owed; after a rejection nothing is. */
bool pending_receipted(struct node *n, const uint8_t hash[static 32], bool received, struct err *e) MUST_USE;
/* The peer took the full proof. */
bool pending_proved(struct node *n, const uint8_t hash[static 32], struct err *e) MUST_USE;

/* --- theirs ------------------------------------------------------------------------------------------------- */

/* As judge_act; when the act is under-witnessed and nothing else is wrong, our own cosignature may do for now. */
bool pending_judge(struct node *n, const struct act *a, bool *ret_pending, struct err *e) MUST_USE;
bool pending_kept(struct node *n, const uint8_t hash[static 32], const char *peer, int64_t now_ms, struct err *e) MUST_USE;
/* A full proof for a letter of this peer. *ret_found false: we know no pending letter by that hash. Judged by the policy
 * of the register like any proof. */
bool pending_full_proof(struct node *n, const char *peer, const struct counterproof *c, bool *ret_found, struct err *e) MUST_USE;
/* The letter came again, and this time with a full proof. */
bool pending_again(struct node *n, const struct act *a, struct err *e) MUST_USE;
/* The full proof that came later, for an act that was kept without; nothing when there is none. */
bool pending_proof_of(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
/* What discloses is refused for a request that is pending, or that follows up one that is: REASON_PROOF_PENDING. */
bool pending_allows(struct node *n, const struct statement *s, struct err *e) MUST_USE;
/* Whether this request, or the preservation that it follows up, waits for its full proof; *ret_due_ms: until when. */
bool pending_request(struct node *n, const struct request_row *r, bool *ret, int64_t *ret_due_ms, struct err *e) MUST_USE;

/* {"ours","overdue","theirs"} A new reference. */
json_t *pending_status(struct node *n, int64_t now_ms);

#endif
