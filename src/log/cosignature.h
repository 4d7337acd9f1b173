/* C2SP tlog-cosignature: a witness's word that at that time this checkpoint was the largest consistent tree of
 * its log that it had seen. Type 0x04 (Ed25519) is made and verified, type 0x06 (ML-DSA-44) is verified.
 * (crypto.md 1.5; c2sp.org/tlog-cosignature) */
#ifndef COMITY_LOG_COSIGNATURE_H
#define COMITY_LOG_COSIGNATURE_H

#include "log/checkpoint.h"
#include "log/note.h"

/* text: of the checkpoint, with its final newline. Appends one line "— name base64\n". time_s: seconds since 1970. */
bool cosignature_sign(struct bytes text, const char *name, const struct sign_key *k, int64_t time_s, struct buf *out,
		      struct err *e) MUST_USE;
/* REASON_UNKNOWN_KEY when no line of the note names this key; REASON_BAD_SIGNATURE when one does and fails. The
 * key's type says which form. A time of 0 is no time: refused. */
bool cosignature_verify(const struct note *n, const struct note_key *witness, int64_t *ret_time_s, struct err *e) MUST_USE;
/* It verifies, and is dated after that: whoever judges at a time of his own leaves it out. */
bool cosignature_is_after(const struct note *n, const struct note_key *witness, int64_t latest_ms) MUST_USE;
/* Adds to `note` (a whole note) those of the answer's lines that are a witness's own and verify under its checkpoint; a
 * line of that key that is there already is replaced. *ret_time_s of the line taken. Everything else in the answer is
 * ignored; REASON_UNKNOWN_KEY when nothing is left. */
bool cosignature_take(struct buf *note, struct bytes lines, const struct note_key *witness, int64_t *ret_time_s,
		      struct err *e) MUST_USE;

#endif
