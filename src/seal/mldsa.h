/* ML-DSA-44 (FIPS 204), verification only: for cosignatures of type 0x06, which newer witnesses of the public network
 * make (crypto.md 1.5). Debian 12 has no library for it. Only public values are handled, so nothing here needs to
 * run in constant time; nothing is signed. SHAKE is OpenSSL's. */
#ifndef COMITY_SEAL_MLDSA_H
#define COMITY_SEAL_MLDSA_H

#include "base/bytes.h"

#define MLDSA44_PUBLIC_BYTES 1312u
#define MLDSA44_SIGNATURE_BYTES 2420u

/* The pure form with an empty context string. */
bool mldsa44_verify(const uint8_t public_key[static MLDSA44_PUBLIC_BYTES], struct bytes message,
		    const uint8_t signature[static MLDSA44_SIGNATURE_BYTES]);
/* With a context of at most 255 bytes; a longer one never verifies. */
bool mldsa44_verify_context(const uint8_t public_key[static MLDSA44_PUBLIC_BYTES], struct bytes message, struct bytes context,
			    const uint8_t signature[static MLDSA44_SIGNATURE_BYTES]);

#endif
