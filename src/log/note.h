/* C2SP signed notes: text, a blank line, signature lines. Parsing does not verify: who is trusted is
 * asked with note_verify. (crypto.md 1.2; c2sp.org/signed-note) */
#ifndef COMITY_LOG_NOTE_H
#define COMITY_LOG_NOTE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "seal/key.h"

#define NOTE_NAME_BYTES_MAX 200u
enum note_type { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };

/* A verifier key "name+8 hex+base64(type || public key)". */
struct note_key {
	char name[NOTE_NAME_BYTES_MAX + 1];
	uint32_t id;
	uint8_t type;
	uint8_t public_key[SIGN_PUBLIC_BYTES];
};
void note_key_make(const char *name, enum note_type type, const uint8_t public_key[static SIGN_PUBLIC_BYTES],
		   struct note_key *ret);
bool note_key_parse(struct bytes vkey, struct note_key *ret, struct err *e) MUST_USE;
void note_key_write(const struct note_key *k, struct buf *out);

struct note_signature {
	struct bytes name;    /* into the note's bytes */
	uint32_t id;
	uint8_t bytes[128];   /* after the key id; longer ones (post-quantum) are kept as len only */
	size_t len;
};
struct note {
	struct bytes text;    /* with its final newline; into the parsed bytes, which must outlive the note */
	struct note_signature signatures[NOTE_SIGNATURES_MAX];
	size_t signature_count;
};
bool note_parse(struct bytes in, struct note *ret, struct err *e) MUST_USE;
/* Ed25519 type 0x01. REASON_UNKNOWN_KEY when no line names this key; REASON_BAD_SIGNATURE when one does and fails. */
bool note_verify(const struct note *n, const struct note_key *k, struct err *e) MUST_USE;
/* text must end with a newline. Appends text, blank line, one signature line. */
bool note_sign(struct bytes text, const char *name, const struct sign_key *k, struct buf *out, struct err *e) MUST_USE;

#endif
