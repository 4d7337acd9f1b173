/* Between the sources of cosigning.h. */
#ifndef COMITY_EXCHANGE_COSIGNING_INTERNAL_H
#define COMITY_EXCHANGE_COSIGNING_INTERNAL_H

#include "base/limits.h"
#include "exchange/cosigning.h"

/* What is asked of a witness: its cosignature, or to show the checkpoint of ours that it claims to have seen, or, after a
 * start, whatever it has seen. */
enum watcher_call { CALL_COSIGN, CALL_SHOW, CALL_LOOK };

/* Slots whose way to the proof is measured at one time. */
#define COSIGNING_SLOTS_MAX 256

/* One witness that we ask: of our log's policy, or of somebody to whom a letter may go proof-pending. */
struct watcher {
	struct note_key key;
	char url[WITNESS_URL_BYTES_MAX + 1];
	bool counts;                 /* in the policy, and not our own */
	bool for_peer;               /* asked only while the quorum is missed */
	bool known;                  /* size says how much of our log it has seen */
	uint64_t size;
	bool corrected;              /* it has said so by a 409 since it last signed */
	uint64_t claimed;            /* more than we ever signed, it says; 0: no such claim */
	bool contradicts;            /* it has another tree, it says */
	bool looked_at;              /* since the start: it has shown what it has seen, or failed to */
	bool has_shown;              /* it has; also that it has seen nothing */
	uint64_t call;               /* under way; 0: none */
	enum watcher_call what;
	int64_t call_ms;
	struct checkpoint asked;     /* of the call under way */
	unsigned failures;           /* in a row */
	int64_t next_ms;             /* not before */
	int64_t last_ms, off_ms;     /* when it last signed, by our clock; and how far its clock was from ours then */
	uint64_t told_size;          /* what it signed then, whether it counts or not */
	struct proved signed_under;  /* the newest checkpoint that it signed, with its cosignature that counts */
	char error[200];
};

struct cosigning {
	uint8_t policy[SHA256_BYTES]; /* hash of the policy that the watchers are of */
	bool has_policy, looked;      /* a policy that wants cosignatures; policies were looked up once */
	bool look;                    /* witnesses are to be looked at */
	int64_t look_us;              /* monotonic: since then; 0: nobody could be asked yet */
	struct watcher *watchers[COSIGNING_WITNESSES_MAX];
	size_t count;
	struct proved candidate;      /* size 0: none under way */
	int64_t begun_ms;             /* of the round */
	struct proved proved;
	bool unsaved;                 /* proved is not certainly in the store yet */
	int64_t waiting_since;        /* the oldest signed checkpoint that is not proved is from then; 0: all are */
	int64_t beyond_since;         /* the same of those after the candidate */
	int64_t paged_since;          /* the miss that was paged about */
	int64_t told_since;           /* the miss that stands in the journal; 0: none */
	uint64_t told_size;           /* what was proved then */
	uint64_t last_number;
	struct latency latency;       /* from a slot's commit to its proof */
	struct {
		uint64_t size;
		int64_t committed_us;
	} slots[COSIGNING_SLOTS_MAX]; /* that wait for it */
	size_t slot_count;
};

/* The checkpoint that witnesses are asked for now; NULL: none. */
struct proved *cosigning_current(struct cosigning *c);
/* Follows the register: another policy begins a new round. */
bool cosigning_policy(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* The watchers are of the policy that is in effect now. */
bool cosigning_policy_is_known(const struct node *n, int64_t now_ms);
/* Adds the witnesses of parties to which letters may go proof-pending, and drops those that none needs any more. */
bool cosigning_peers(struct node *n, struct err *e) MUST_USE;
/* A new round with the newest checkpoint. */
void cosigning_begin(struct node *n, int64_t now_ms);
/* The candidate, or the proved one, has got another cosignature. */
bool cosigning_gained(struct node *n, struct proved *p, int64_t now_ms, struct err *e) MUST_USE;
void proved_copy(struct proved *to, const struct proved *from);
/* No receiver would count what is dated so far ahead of us: neither do we. */
bool cosigning_is_ahead(int64_t signed_ms, int64_t now_ms);
/* A quorum is as old as its oldest line may make it: what is dated so far back, although it was asked for just now, would
 * keep letters from leaving that the others' lines carry. */
bool cosigning_is_behind(const struct node *n, int64_t signed_ms, int64_t now_ms);
/* NULL when it is none of ours. */
struct watcher *watcher_find(struct cosigning *c, const struct note_key *k);
/* It has signed that, and its word still counts. */
bool watcher_has_signed(const struct watcher *w, const struct proved *p, int64_t now_ms);

#endif
