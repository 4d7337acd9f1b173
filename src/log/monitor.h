/* Following a log that belongs to somebody else: from the last checkpoint that was verified to the newest, every
 * leaf hashed up to its root, so that a monitor and not only a proof says that nothing was rewritten. The state is the
 * right edge of the verified tree (a few kilobytes), so that following goes on where it stopped. Two signed checkpoints
 * of one size with two roots, or two that do not extend each other, are a split view: both notes are kept as
 * evidence that anybody can verify. (design.md part 10, crypto.md 3.5) */
#ifndef COMITY_LOG_MONITOR_H
#define COMITY_LOG_MONITOR_H

#include "log/checkpoint.h"
#include "log/log.h"
#include "log/policy.h"
#include "log/source.h"

struct monitor;

struct monitor_options {
	struct note_key log_key;
	const struct policy *policy; /* NULL: cosignatures are not asked for; borrowed */
	/* May be NULL: each verified leaf, in order; false stops. */
	bool (*leaf)(void *ctx, uint64_t index, struct bytes entry, struct err *e);
	/* May be NULL: for a mirror, each verified file before the checkpoint is taken over: path and content. */
	bool (*file)(void *ctx, const char *path, struct bytes content, struct err *e);
	void (*progress)(void *ctx, uint64_t done, uint64_t size); /* may be NULL */
	void *ctx;
};
struct monitor *monitor_new(const struct monitor_options *o);
void monitor_free(struct monitor *m);
/* State that monitor_state_write wrote, of the same log; empty: from the beginning. */
bool monitor_state_read(struct monitor *m, struct bytes state, struct err *e) MUST_USE;
void monitor_state_write(const struct monitor *m, struct buf *out);
const struct checkpoint *monitor_checkpoint(const struct monitor *m); /* last verified */

/* Fetches the newest checkpoint and verifies everything up to it. On failure the state stays where the last whole
 * tile was verified. REASON_SPLIT_VIEW: monitor_evidence has both notes. REASON_BAD_PROOF: files do not hash to
 * the checkpoint. REASON_UNDER_WITNESSED: verified, and the policy is not met (the state has moved). */
bool monitor_follow(struct monitor *m, const struct log_source *s, struct err *e) MUST_USE;
/* A checkpoint of the same log that somebody else shows (a witness, a peer, a proof): is it of the verified tree? Larger ones
 * are remembered and compared when following has come so far. REASON_SPLIT_VIEW when not. */
bool monitor_compare(struct monitor *m, struct bytes note, const char *shown_by, struct err *e) MUST_USE;
/* After REASON_SPLIT_VIEW: the two signed notes; empty bytes otherwise. */
void monitor_evidence(const struct monitor *m, struct bytes *ret_ours, struct bytes *ret_theirs);

#endif
