/* C2SP tlog-checkpoint: origin, size, root, as a signed note (crypto.md 1.3). */
#ifndef COMITY_LOG_CHECKPOINT_H
#define COMITY_LOG_CHECKPOINT_H

#include "base/text.h"
#include "log/note.h"

#define CHECKPOINT_ORIGIN_BYTES_MAX NOTE_NAME_BYTES_MAX

struct checkpoint {
	char origin[CHECKPOINT_ORIGIN_BYTES_MAX + 1];
	uint64_t size;
	uint8_t root[SHA256_BYTES];
};
/* text: of the note, without signatures. Extension lines are accepted and ignored. */
bool checkpoint_parse(struct bytes text, struct checkpoint *ret, struct err *e) MUST_USE;
void checkpoint_write(const struct checkpoint *c, struct buf *out);
bool checkpoint_origin_is_valid(struct bytes origin);
/* note_parse, checkpoint_parse, origin equals the key's name, note_verify. */
bool checkpoint_verify(struct bytes note, const struct note_key *log_key, struct checkpoint *ret, struct err *e) MUST_USE;
/* The same for a log whose origin is another than its key's name, which c2sp.org/tlog-checkpoint allows. NULL: it is the name. */
bool checkpoint_verify_of(struct bytes note, const char *origin, const struct note_key *log_key, struct checkpoint *ret,
			  struct err *e) MUST_USE;

/* Remembers notes that verified (by SHA-256 of note and key), so that a checkpoint under which many
 * letters stand costs one verification. Bounded; forgets the oldest. */
struct checkpoint_cache;
struct checkpoint_cache *checkpoint_cache_new(void);
void checkpoint_cache_free(struct checkpoint_cache *c);
/* c may be NULL: no cache. */
bool checkpoint_verify_cached(struct checkpoint_cache *c, struct bytes note, const struct note_key *log_key,
			      struct checkpoint *ret, struct err *e) MUST_USE;
/* What a policy says about a note, remembered in the same cache: five cosignatures cost once per checkpoint, not once
 * per letter. `about` is the caller's digest of everything that the verdict depends on. c may be NULL: finds nothing. */
struct checkpoint_verdict {
	int64_t quorum_ms;
	size_t witnesses;
};
bool checkpoint_cache_find(const struct checkpoint_cache *c, const uint8_t about[static SHA256_BYTES],
			   struct checkpoint_verdict *ret);
void checkpoint_cache_put(struct checkpoint_cache *c, const uint8_t about[static SHA256_BYTES], const struct checkpoint_verdict *v);

#endif
