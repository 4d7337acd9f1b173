/* C2SP tlog-proof v1: inclusion of one leaf, offline, in one text file (crypto.md 1.8). `extra` is
 * unauthenticated and not used by us: it is kept, never believed. */
#ifndef COMITY_LOG_TLOG_PROOF_H
#define COMITY_LOG_TLOG_PROOF_H

#include "base/reader.h"
#include "log/checkpoint.h"
#include "log/merkle.h"

struct tlog_proof {
	uint64_t index;
	merkle_hash hashes[PROOF_HASHES_MAX];
	size_t hash_count;
	struct bytes extra; /* as base64 text, into the parsed bytes; empty when absent */
	struct bytes note;  /* into the parsed bytes */
};
/* Lines of base64, one hash each, up to the blank line, as a proof and an add-checkpoint call have them; what: begins the
 * sentence of an error. */
bool proof_lines_read(struct reader *r, const char *what, merkle_hash hashes[static PROOF_HASHES_MAX], size_t *ret_count,
		       struct err *e) MUST_USE;
bool tlog_proof_parse(struct bytes in, struct tlog_proof *ret, struct err *e) MUST_USE;
void tlog_proof_write(const struct tlog_proof *p, struct buf *out);
/* Verifies the checkpoint with the log's key and the leaf's inclusion. cache may be NULL.
 * REASON_UNLOGGED when the proof text is empty; REASON_BAD_PROOF, REASON_BAD_SIGNATURE otherwise. */
bool tlog_proof_check(struct bytes proof_text, struct bytes leaf_entry, const struct note_key *log_key,
		      struct checkpoint_cache *cache, struct checkpoint *ret, uint64_t *ret_index, struct err *e) MUST_USE;
/* The same of a log whose origin is another than its key's name (checkpoint_verify_of). */
bool tlog_proof_check_of(struct bytes proof_text, struct bytes leaf_entry, const char *origin, const struct note_key *log_key,
			 struct checkpoint *ret, uint64_t *ret_index, struct err *e) MUST_USE;

#endif
