/* C2SP signed notes: text, a blank line, signature lines. Parsing does not verify: who is trusted is
 * asked with note_verify. (crypto.md 1.2; c2sp.org/signed-note) */
#ifndef COMITY_LOG_NOTE_H
#define COMITY_LOG_NOTE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "seal/key.h"
#include "seal/mldsa.h"

#define NOTE_NAME_BYTES_MAX 200u
#define NOTE_PUBLIC_KEY_BYTES_MAX MLDSA44_PUBLIC_BYTES
/* Name, "+", id, "+", base64 of type and the longest key. */
#define NOTE_VKEY_BYTES_MAX (NOTE_NAME_BYTES_MAX + 10u + (1u + NOTE_PUBLIC_KEY_BYTES_MAX + 2u) / 3u * 4u)
enum note_type { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04, NOTE_COSIGNATURE_MLDSA = 0x06 };

/* A verifier key "name+8 hex+base64(type || public key)". */
struct note_key {
	char name[NOTE_NAME_BYTES_MAX + 1];
	uint32_t id;
	uint8_t type;
	size_t public_key_len; /* SIGN_PUBLIC_BYTES but for NOTE_COSIGNATURE_MLDSA */
	uint8_t public_key[NOTE_PUBLIC_KEY_BYTES_MAX];
};
bool note_name_is_valid(struct bytes name);
/* Of the two types with Ed25519 keys; the name must be valid. */
void note_key_make(const char *name, enum note_type type, const uint8_t public_key[static SIGN_PUBLIC_BYTES],
		   struct note_key *ret);
bool note_key_parse(struct bytes vkey, struct note_key *ret, struct err *e) MUST_USE;
void note_key_write(const struct note_key *k, struct buf *out);
/* The same public key, whatever its name and type: one holder. */
bool note_key_same(const struct note_key *a, const struct note_key *b);

struct note_signature {
	struct bytes name;    /* into the note's bytes */
	uint32_t id;
	struct bytes base64;  /* into the note's bytes: of key id and signature */
	uint8_t bytes[128];   /* after the key id; a longer one (post-quantum) comes from note_signature_decode */
	size_t len;
};
/* One line without the em dash and the line feed: "name base64". */
bool note_signature_parse(struct bytes line, struct note_signature *ret, struct err *e) MUST_USE;
/* Appends the len bytes after the key id. */
void note_signature_decode(const struct note_signature *s, struct buf *out);
/* Appends "— name base64\n"; payload: what follows the key id. */
void note_signature_write(const struct note_key *k, struct bytes payload, struct buf *out);
#define NOTE_DASH "\xe2\x80\x94 " /* U+2014 and a space begin a signature line */
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
