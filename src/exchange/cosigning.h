/* Gathering cosignatures for our checkpoints (design.md parts 6 and 10). One candidate is under way at a time: a signed
 * checkpoint, asked for at all witnesses of our log's policy in parallel. When enough have signed it is `proved`: only
 * then it is published, and only leaves under it travel. A witness that does not answer stops nobody; one call per
 * witness is under way. When a round has not been completed in COSIGNING_ROUND_MS, the next one begins with the newest
 * checkpoint. Without a policy, or with "quorum none", every signed checkpoint is proved at once.
 * Pure model: the keeper carries calls to the courier, tests and the simulation by hand. */
#ifndef COMITY_EXCHANGE_COSIGNING_H
#define COMITY_EXCHANGE_COSIGNING_H

#include "exchange/node.h"
#include "register/judge.h"

#define COSIGNING_ROUND_MS 10000
/* While witnesses are looked at after a start, the next slot is tried again so soon. */
#define COSIGNING_LOOK_AGAIN_MS 200
/* How long it must be missed until somebody is paged, and arts 41 and 42 may go proof-pending, is the setting quorum_missed_s. */
/* A cosignature that is dated further ahead of our clock does not count here. Receivers, whose clocks are not ours, allow
 * twice that. */
#define COSIGNING_AHEAD_MS (JUDGE_AHEAD_MS / 2)
/* Our clock against the witnesses' median: so far ahead, nothing is sent; nor so far behind it that theirs do not count. */
#define COSIGNING_CLOCK_OFF_MS 60000

/* A checkpoint with enough cosignatures, as letters carry it. */
struct proved {
	struct checkpoint checkpoint; /* size 0: none yet */
	struct buf note;
	int64_t quorum_ms;
	size_t witnesses;             /* of the policy that signed it */
};

struct cosigning;
struct cosigning *cosigning_new(void);
void cosigning_free(struct cosigning *c);
/* When log and register are open: what was proved before this start, then as cosigning_signed. */
bool cosigning_open(struct node *n, struct err *e) MUST_USE;
/* After a start, no new checkpoint is signed before the witnesses that count have shown what they have seen of our log, or
 * failed to and would be no quorum by themselves, or COSIGNING_ROUND_MS have passed since they could be asked: a home that
 * was put back together with its signer's cell knows of nothing that it must not sign again. What shows our own signature
 * under more leaves, or under another tree, locks the node. */
bool cosigning_looking(const struct node *n);
/* As after a start, once a recovery has unlocked the node: while it was locked nobody was asked. */
void cosigning_look_again(struct node *n);
/* Inside a transaction: keeps the proved note when it is not certain that it is stored. */
bool cosigning_save(struct node *n, struct err *e) MUST_USE;
/* That transaction is durable. Who cannot know does not say so, and the note is kept once more with the next slot. */
void cosigning_saved(struct node *n);

/* A checkpoint of ours was signed (n->checkpoint, n->note). */
bool cosigning_signed(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* The next call to make, if any: *ret_found. Keep asking until there is none. body is initialised here. Inside a
 * transaction, which it only reads. */
struct cosigning_ask {
	uint64_t number; /* of the call, for cosigning_answered */
	char url[600];   /* ends in /add-checkpoint; with an empty body it is a GET of what the witness shows of our log */
	struct buf body;
};
/* Whether there may be one: a look at memory alone, for every turn of the keeper. */
bool cosigning_due(const struct node *n, int64_t now_ms);
bool cosigning_next(struct node *n, int64_t now_ms, struct cosigning_ask *ret, bool *ret_found, struct err *e) MUST_USE;
/* Inside a transaction. Publishes and lets letters go when this made the quorum. An answer that is worth nothing is
 * remembered for `status`. A witness that says that it has seen more of our log than we ever signed, or another tree of it,
 * is asked to show our signature for that; it can, when this home was restored, and then the node locks (exchange/shown.h). */
bool cosigning_answered(struct node *n, uint64_t number, bool http_ok, unsigned status, struct bytes body, const char *error,
			int64_t now_ms, struct err *e) MUST_USE;

/* The proved checkpoint that letters travel with. */
const struct proved *cosigning_proved(const struct node *n);
/* Names of the witnesses that count and have not signed the newest checkpoint that they are asked for, with ", " between;
 * false, and nothing, when none is waited for. */
bool cosigning_missing(const struct node *n, struct buf *out);
/* Its quorum is so old that a receiver would reject what travels under it: letters wait for the next one. */
bool cosigning_stale(const struct node *n, int64_t now_ms);
/* Under the addressee's own cosignature only (design.md part 10, proof-pending): NULL when the quorum is not missed, or
 * that witness has not signed either. */
const struct proved *cosigning_pending(const struct node *n, const char *party);
/* Letters whose leaf stands below this have a proof that is not too old. */
int64_t cosigning_reach(const struct node *n, int64_t now_ms);
/* 0: the quorum is not missed; else since when. */
int64_t cosigning_missed_since(const struct node *n);
/* One page a miss: true once after the quorum was missed, and again only after it was met in between. */
bool cosigning_page_due(const struct node *n, int64_t *ret_since);
void cosigning_paged(struct node *n);
/* For the journal: a line when the quorum begins to be missed, and one when it is met again. */
void cosigning_tell(struct node *n);
/* Whether this letter of ours to that peer waits for nothing but witnesses: its leaf stands under a checkpoint that we
 * signed and not enough of them did. */
bool cosigning_waits(struct node *n, const uint8_t hash[static 32], const char *peer);
/* {"clock_off_ms","cosigned_ms_p50","cosigned_ms_p95"(from a slot's commit to its proof, since the start),"missed_since"("" when not),"proved_at"("" before a quorum),"proved_by","proved_size","quorum","waiting","waiting_proofs","witnesses":[{"counts","error",
 * "last_ms","name","signed"}]}; quorum: "none" (one signature is enough), "met", "waiting", "missed". A new reference. */
json_t *cosigning_status(const struct node *n);
/* Median of the witnesses' clocks against ours in the last round; 0 when nobody signed. */
int64_t cosigning_clock_off_ms(const struct node *n);
/* Our clock is further off the witnesses' median than we may send with; cosigning_is_off: so is one with this median. */
bool cosigning_is_off(int64_t off_ms);
bool cosigning_clock_off(const struct node *n);

#endif
