/* What the four parts of age share: file keys as plain bytes (for the hot path, on a wiped stack), and
 * the one cipher. */
#ifndef COMITY_SEAL_AGE_INTERNAL_H
#define COMITY_SEAL_AGE_INTERNAL_H

#include "seal/age.h"

#define AGE_WRAPPED_BYTES (AGE_FILE_KEY_BYTES + AGE_TAG_BYTES)
#define AGE_SEALED_CHUNK_BYTES (AGE_CHUNK_BYTES + AGE_TAG_BYTES)

struct bytes age_identity_secret(const struct seal_identity *s); /* 32 bytes */

bool age_header_write_with(const struct age_recipient *recipients, size_t n, struct bytes file_key,
			   struct buf *out, struct err *e) MUST_USE;
struct age_stream *age_stream_new_with(struct bytes file_key, const uint8_t nonce[static AGE_NONCE_BYTES]);

/* A file key wrapped under a key that is used once: ChaCha20-Poly1305 with the zero nonce. */
void age_wrap(const uint8_t key[static 32], struct bytes file_key, uint8_t ret[static AGE_WRAPPED_BYTES]);
bool age_unwrap(const uint8_t key[static 32], const uint8_t in[static AGE_WRAPPED_BYTES],
		uint8_t ret[static AGE_FILE_KEY_BYTES]) MUST_USE;

#endif
