/* Leaf v1: canonical JSON of exactly {"c":64 hex,"k":64 hex,"t":64 hex,"v":1}: commitment to the act,
 * commitment to its class record, cross-log tag. All leaves have the same length and look alike; only who has
 * the home's null key can tell a null leaf. Everything derives from the act's opening and its cross-log secret, so a
 * verifier rebuilds every byte (design.md part 10, crypto.md 3.1):
 *   c = HMAC-SHA256(Kc, "c" || opening || statement hash)
 *   k = HMAC-SHA256(Kc, "k" || HKDF(opening, "comity/leaf/class") || JCS(class record))
 *   t = HMAC-SHA256(x, "xlog/v1/out") in the sender's log, "xlog/v1/in" in the receiver's
 * Kc is the ASCII text "comity leaf v1 commitment key". The salt of k says nothing about the act: it is kept, and
 * published with the class, after the opening was erased. The null leaf at place i (u64, big endian), key N:
 *   c = HMAC-SHA256(N, "c" || i), t = HMAC-SHA256(N, "t" || i), and k as above with the salt HMAC-SHA256(N, "k" || i)
 *   over {"basis":"","class":"null","exercise":false,"week":the slot's} */
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
/* The salt of k, and k itself. */
void leaf_class_salt(const uint8_t opening[static 32], uint8_t ret[static 32]);
void leaf_class_commit(const uint8_t salt[static 32], const struct leaf_class *c, uint8_t ret[static 32]);
#define LEAF_CLASS_NULL "null"
/* null_key: 32 secret bytes of the home; the same key, place and week give the same leaf again. */
void leaf_write_null(const uint8_t null_key[static 32], uint64_t index, struct bytes week, uint8_t ret[static LEAF_V1_BYTES]);
void leaf_null_salt(const uint8_t null_key[static 32], uint64_t index, uint8_t ret[static 32]);
/* Whether these bytes are the null leaf of this place, of whatever week. */
bool leaf_is_null(const uint8_t null_key[static 32], uint64_t index, struct bytes leaf);
/* Shape only. */
bool leaf_parse(struct bytes in, uint8_t c[static 32], uint8_t k[static 32], uint8_t t[static 32], struct err *e) MUST_USE;

#endif
