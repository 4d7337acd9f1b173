/* The chain of letters between two parties, one for each direction (crypto.md 3.5, point 6): which letter of the
 * sender it is, and what all before it were. Sender and receiver each keep it; every receipt is the receiver's signed
 * word on the whole history so far, so that neither can later leave out, add or exchange a letter.
 *   head_0 = 32 zero bytes, head_n = SHA-256("comity pair v1" || head_(n-1) || hash of the letter's main statement). */
#ifndef COMITY_EXCHANGE_PAIRS_H
#define COMITY_EXCHANGE_PAIRS_H

#include "exchange/node.h"
#include "statement/letter.h"

enum pair_direction { PAIR_SENT = 0, PAIR_RECEIVED = 1 };

struct pair_state {
	uint64_t n;
	uint8_t head[SHA256_BYTES];
};

/* head may be the same array as prev. */
void pair_head_next(const uint8_t prev[static SHA256_BYTES], const uint8_t hash[static SHA256_BYTES], uint8_t head[static SHA256_BYTES]);
/* The newest there is; n 0 and a head of zeros before the first letter. */
bool pair_last(struct node *n, const char *peer, enum pair_direction d, struct pair_state *ret, struct err *e) MUST_USE;
/* The head after letter `at`; not found: later than the newest, or from before a recovery. */
bool pair_head_at(struct node *n, const char *peer, enum pair_direction d, uint64_t at, uint8_t head[static SHA256_BYTES], bool *ret_found,
		  struct err *e) MUST_USE;

/* It was counted, and what it was a restore took, or may have taken as long as the peer has not said what it has of us:
 * nothing that is said about it can be compared. */
bool pair_lost(struct node *n, const char *peer, enum pair_direction d, uint64_t at, bool *ret, struct err *e) MUST_USE;

/* A restore took letters of this direction whose content is known to the peer alone. */
bool pair_lost_any(struct node *n, const char *peer, enum pair_direction d, bool *ret, struct err *e) MUST_USE;

/* After a recovery: letters up to there are known to the peer and lost here. */
bool pair_skip(struct node *n, const char *peer, enum pair_direction d, const struct pair_state *to, struct err *e) MUST_USE;

/* --- sending ------------------------------------------------------------------------------- */

/* The next number of a letter to this peer is of this statement. */
bool pair_count(struct node *n, const char *peer, const uint8_t hash[static SHA256_BYTES], uint64_t *ret_n, struct err *e) MUST_USE;
/* What the letter says of its place; n 0: not counted. */
bool pair_of_letter(struct node *n, const char *peer, uint64_t number, struct letter_pair *ret, struct err *e) MUST_USE;
/* Letters that a program without counters had queued get their numbers. */
bool pair_adopt(struct node *n, struct err *e) MUST_USE;
/* What a receipt of theirs about a statement says of our letters, against what we know; what differs is kept as evidence. */
bool pair_check_receipt(struct node *n, const char *peer, const uint8_t *about, const json_t *body, struct bytes envelope, struct err *e) MUST_USE;
/* They lack letters before this one: everything after the last that they have goes again, in order. */
bool pair_fill_gap(struct node *n, const char *peer, const uint8_t *about, const json_t *body, struct bytes envelope, struct err *e) MUST_USE;
bool pair_send_again(struct node *n, const char *peer, uint64_t after, struct err *e) MUST_USE;

/* --- receiving ----------------------------------------------------------------------------- */

enum pair_fit {
	PAIR_UNSEEN, /* not looked at, or not counted */
	PAIR_NEXT,
	PAIR_AGAIN,  /* has its place already: a rejection whose receipt was lost */
	PAIR_EARLY,  /* before others that are still missing, and of a kind that never waits */
	PAIR_GAP,
};
/* A letter as the chain sees it. */
struct pair_letter {
	struct letter_pair at;
	uint8_t hash[SHA256_BYTES]; /* of its main statement */
	bool never_waits;           /* acted upon before what is missing: requests to preserve, and that one was taken on */
};
/* Where a letter stands that is known to come from this peer. */
bool pair_see(struct node *n, const char *peer, const struct pair_letter *l, enum pair_fit *ret, struct err *e) MUST_USE;
/* What is wrong with a letter that does not follow; false always. */
bool pair_gap(struct node *n, const char *peer, const struct pair_letter *l, struct err *e);
/* The letter takes its place, whatever became of its content. */
bool pair_take(struct node *n, const char *peer, const struct pair_letter *l, enum pair_fit fit, struct err *e) MUST_USE;

/* The sender was restored and knows of no letter of its own after this one: what came early after it keeps its effect and
 * loses its place, because the sender gives that number to another letter. */
bool pair_forget_early(struct node *n, const char *peer, uint64_t after, struct err *e) MUST_USE;

/* --- disputes ------------------------------------------------------------------------------ */

/* Two histories that differ: kept once for each peer, direction and number, with what they said (an envelope, or "") and about which
 * statement (or NULL). At most PAIR_DISPUTES_MAX of one peer. */
bool pair_dispute(struct node *n, const char *peer, const char *what, uint64_t number, const uint8_t ours[static SHA256_BYTES],
		  const uint8_t theirs[static SHA256_BYTES], const uint8_t *about, struct bytes evidence, struct err *e) MUST_USE;

#endif
