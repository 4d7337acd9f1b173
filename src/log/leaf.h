/* Leaf v1: canonical JSON of exactly {"c":64 hex,"k":64 hex,"t":64 hex,"v":1}: commitment to the act,
 * commitment to its class record, cross-log tag. All leaves have the same length and look alike; null
 * leaves are random. Everything derives from the act's opening and its cross-log secret, so a verifier
 * rebuilds every byte (design.md part 10, crypto.md 3.1):
 *   c = HMAC-SHA256(Kc, "c" || opening || statement hash)
 *   k = HMAC-SHA256(Kc, "k" || HKDF(opening, "comity/leaf/class") || JCS(class record))
 *   t = HMAC-SHA256(x, "xlog/v1/out") in the sender's log, "xlog/v1/in" in the receiver's
 * Kc is the ASCII text "comity leaf v1 commitment key". */
#ifndef COMITY_LOG_LEAF_H
#define COMITY_LOG_LEAF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum leaf_side { LEAF_OUT, LEAF_IN };
#define LEAF_V1_BYTES 220u /* {"c":"..64..","k":"..64..","t":"..64..","v":1} */

struct leaf_class {
	struct bytes act_class; /* class code of the statement's kind, "preservation" */
	struct bytes basis;     /* legal_basis */
	struct bytes week;      /* "2026-W47", of the statement's time */
	bool exercise;
};

/* opening and x: 32 bytes each. Writes exactly the leaf's bytes. */
void leaf_write(const uint8_t hash[static SHA256_BYTES], const struct leaf_class *c, const uint8_t opening[static 32],
		const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static LEAF_V1_BYTES]);
void leaf_tag(const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static SHA256_BYTES]);
void leaf_write_null(uint8_t ret[static LEAF_V1_BYTES]); /* drawn from chance_fill */
/* Shape only. */
bool leaf_parse(struct bytes in, uint8_t c[static 32], uint8_t k[static 32], uint8_t t[static 32], struct err *e) MUST_USE;

#endif
