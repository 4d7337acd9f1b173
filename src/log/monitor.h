/* Following a log that belongs to somebody else: from the last checkpoint that was verified to the newest, every
 * leaf hashed up to its root, so that a monitor and not only a proof says that nothing was rewritten. The state is the
 * right edge of the verified tree (a few kilobytes), so that following goes on where it stopped. Two signed checkpoints
 * of one size with two roots, or two that do not extend each other, are a split view: both notes are kept as
 * evidence that anybody can verify. (design.md part 10, crypto.md 3.5)
 *
 * A new checkpoint is believed from the top down: its right edge must hash to its root, and the tree below it must
 * have had, at the size seen before, the root seen before. Then entries are hashed from the bottom up, and each tile
 * is compared with what is served and with its parent, so that what was hashed stays verified when following is cut
 * off in the middle. */
#ifndef COMITY_LOG_MONITOR_H
#define COMITY_LOG_MONITOR_H

#include "log/checkpoint.h"
#include "log/log.h"
#include "log/policy.h"
#include "log/source.h"

struct monitor;

/* Checkpoints that others showed and that are ahead of us: one per witness is what is expected. */
#define MONITOR_FOREIGN_MAX 32u

struct monitor_options {
	struct note_key log_key;
	const char *origin; /* NULL: the key's name; borrowed */
	const struct policy *policy; /* NULL: cosignatures are not asked for; borrowed */
	/* May be NULL: keys that never count, as in policy_evaluate. Without it: whose names begin with the log's origin or
	 * its key's name and a slash, because a log's own party never counts. */
	bool (*excluded)(void *ctx, const struct note_key *k);
	/* May be NULL: each verified leaf, in order; false stops. */
	bool (*leaf)(void *ctx, uint64_t index, struct bytes entry, struct err *e);
	/* May be NULL: for a mirror, each verified file before the checkpoint is taken over: path and content. */
	bool (*file)(void *ctx, const char *path, struct bytes content, struct err *e);
	/* May be NULL: leaves hashed so far, of how many; false stops, and following can go on there later. */
	bool (*progress)(void *ctx, uint64_t done, uint64_t size);
	void *ctx;
};
struct monitor *monitor_new(const struct monitor_options *o);
void monitor_free(struct monitor *m);
/* State that monitor_state_write wrote, of the same log; empty: from the beginning. */
bool monitor_state_read(struct monitor *m, struct bytes state, struct err *e) MUST_USE;
void monitor_state_write(const struct monitor *m, struct buf *out);
/* All leaves are hashed and given again; what was seen stays what everything is held against. */
void monitor_begin_again(struct monitor *m);
/* The newest that extends all seen before (size 0 and origin "" when none was seen), its whole note, and up to which
 * leaf everything was hashed: less than its size only after a failure or a stop. */
const struct checkpoint *monitor_checkpoint(const struct monitor *m);
struct bytes monitor_note(const struct monitor *m);
uint64_t monitor_hashed(const struct monitor *m);
/* What the policy said about monitor_note; zeroes without a policy. */
const struct policy_verdict *monitor_verdict(const struct monitor *m);

/* Fetches the newest checkpoint and verifies everything up to it. On failure the state stays where the last whole
 * tile was verified. REASON_SPLIT_VIEW: monitor_evidence has both notes. REASON_ROLLED_BACK: an older checkpoint is
 * served than was seen, and as far as can be told of the same tree. REASON_BAD_PROOF: files do not hash to the
 * checkpoint. ERR_CONFLICT: the key given has signed a checkpoint of another origin, which contradicts nothing. REASON_UNDER_WITNESSED: verified, and the policy is not met (the state has moved). ERR_NOT_FOUND,
 * ERR_UNAVAILABLE: it could not be looked at. */
bool monitor_follow(struct monitor *m, const struct log_source *s, struct err *e) MUST_USE;
/* A checkpoint of the same log that somebody else shows (a witness, a peer, a proof): is it of the verified tree?
 * Larger ones are remembered and compared when following has come so far. A smaller one is compared through the
 * log's tiles; s NULL: remembered as well. REASON_SPLIT_VIEW when it is not. */
bool monitor_compare(struct monitor *m, const struct log_source *s, struct bytes note, const char *shown_by,
		     struct err *e) MUST_USE;
/* After REASON_SPLIT_VIEW or REASON_ROLLED_BACK: the two signed notes; empty bytes otherwise. */
void monitor_evidence(const struct monitor *m, struct bytes *ret_ours, struct bytes *ret_theirs);

#endif
