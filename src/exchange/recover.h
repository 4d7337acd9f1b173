/* After a restore: the log that was signed goes on, or nothing is signed (design.md part 10). */
#ifndef COMITY_EXCHANGE_RECOVER_H
#define COMITY_EXCHANGE_RECOVER_H

#include "exchange/node.h"

/* Where `comity restore` puts the log files that were there: below HOME. */
#define RECOVER_FOLDER "log.before-restore"

/* Brings leaves that were signed but are not in the restored store back from the log files that were set
 * aside, checks that they lead to just the root that was signed, and unlocks the signer. Begins and commits its
 * own transaction. What the statements said that are lost with the newer store does not come back; their
 * leaves do, so that the log stays one; peers send again what they sent. ERR_CONFLICT REASON_LOCKED when leaves are missing,
 * or the log that came back does not contain all that others showed of it (exchange/shown.h). */
/* What was published since the backup comes back too (exchange/publish.h). Then the peers are asked what they have of
 * us (exchange/pair-recover.h); `without`: codes, NULL at the end, or NULL. */
struct recovered {
	uint64_t leaves, acts;
};
bool node_recover(struct node *n, const char *const *without, struct recovered *ret, struct err *e) MUST_USE;

/* Of a home that stands still: nothing is lost. Its store has the leaves of the last checkpoint that is known to have been
 * signed and of all that others showed (exchange/shown.h), and its files hold together. Whether it is marked as restored is the caller's to ask. */
bool recover_is_whole(int home_fd, struct store *s, const struct note_key *log_key, const struct checkpoint *last, bool *ret,
		      struct err *e) MUST_USE;

#endif
