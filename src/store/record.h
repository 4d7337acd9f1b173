/* Encryption at rest of one record under its own key: ChaCha20-Poly1305 with a random 12-byte nonce in
 * front and the record's hash as associated data, so that no record can stand in another's place. */
#ifndef COMITY_STORE_RECORD_H
#define COMITY_STORE_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define RECORD_OVERHEAD_BYTES 28u

bool record_seal(const uint8_t key[static 32], const uint8_t hash[static SHA256_BYTES], struct bytes plain,
		 struct buf *out, struct err *e) MUST_USE;
bool record_open(const uint8_t key[static 32], const uint8_t hash[static SHA256_BYTES], struct bytes sealed,
		 struct buf *out, struct err *e) MUST_USE;

#endif
