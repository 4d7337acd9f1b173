/* Ed25519 signing keys (RFC 8032), by libsodium alone, so that no two honest verifiers disagree.
 * A key file is one line: "comity-key-v1 ed25519 <64 hex characters of seed> <comment>\n", mode 0600. */
#ifndef COMITY_SEAL_KEY_H
#define COMITY_SEAL_KEY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define SIGN_PUBLIC_BYTES 32
#define SIGNATURE_BYTES 64
/* First 16 bytes of SHA-256(public key), in hex: a hint in envelopes, never a decision. */
#define KEY_ID_LEN 32

struct sign_key; /* the private key, in guarded memory */

struct sign_key *sign_key_new(void); /* drawn from base/clock.h's chance */
bool sign_key_parse(struct bytes file, struct sign_key **ret, struct err *e) MUST_USE;
void sign_key_write(const struct sign_key *k, const char *comment, struct buf *out); /* out is to be wiped */
void sign_key_free(struct sign_key *k); /* NULL is fine */
const uint8_t *sign_key_public(const struct sign_key *k); /* SIGN_PUBLIC_BYTES */
void sign_key_sign(const struct sign_key *k, struct bytes msg, uint8_t ret[static SIGNATURE_BYTES]);

bool signature_verify(const uint8_t public_key[static SIGN_PUBLIC_BYTES], struct bytes msg,
		      const uint8_t signature[static SIGNATURE_BYTES]) MUST_USE;
void key_id_write(const uint8_t public_key[static SIGN_PUBLIC_BYTES], char out[static KEY_ID_LEN + 1]);

void sign_key_free_at(struct sign_key **k);
#define AUTO_SIGN_KEY __attribute__((cleanup(sign_key_free_at))) struct sign_key

#endif
