/* DSSE v1 envelopes with Ed25519: what is signed is the PAE of type and payload, and the bytes that
 * were verified are the bytes that are used. Our envelopes are canonical JSON:
 * {"payload":b64,"payloadType":type,"signatures":[{"keyid":32 hex,"sig":b64}]}; an envelope whose own
 * canonical form differs from its bytes is refused, so that it has one spelling (crypto.md 1.9). */
#ifndef COMITY_SEAL_DSSE_H
#define COMITY_SEAL_DSSE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "seal/key.h"

#define ENVELOPE_SIGNATURES_MAX 16u
#define ENVELOPE_TYPE_BYTES_MAX 128u

struct envelope_signature {
	char keyid[KEY_ID_LEN + 1];
	uint8_t sig[SIGNATURE_BYTES];
};

/* Owns its memory; envelope_release frees. */
struct envelope {
	char type[ENVELOPE_TYPE_BYTES_MAX + 1];
	struct buf payload;           /* decoded, at most STATEMENT_BYTES_MAX */
	uint8_t hash[SHA256_BYTES];   /* SHA-256 of the PAE: the statement's hash */
	struct envelope_signature signatures[ENVELOPE_SIGNATURES_MAX];
	size_t signature_count;       /* at least 1 */
};

void pae_write(struct bytes type, struct bytes payload, struct buf *out);
void pae_hash(struct bytes type, struct bytes payload, uint8_t ret[static SHA256_BYTES]);

/* ret must be zeroed or released; on failure it is left released. */
bool envelope_parse(struct bytes in, struct envelope *ret, struct err *e) MUST_USE;
bool envelope_parse_json(const json_t *v, struct envelope *ret, struct err *e) MUST_USE;
void envelope_release(struct envelope *v); /* fine twice */
bool envelope_json_of(struct bytes type, struct bytes payload, const struct envelope_signature *sigs, size_t n,
		      json_t **ret, struct err *e) MUST_USE;
bool envelope_write_of(struct bytes type, struct bytes payload, const struct envelope_signature *sigs, size_t n,
		       struct buf *out, struct err *e) MUST_USE; /* the canonical bytes */
/* Signs and writes in one step. */
bool envelope_sign(struct bytes type, struct bytes payload, const struct sign_key *k, struct buf *out,
		   struct err *e) MUST_USE;
/* One of its signatures verifies with this key, whatever keyid says. */
bool envelope_signed_by(const struct envelope *v, const uint8_t public_key[static SIGN_PUBLIC_BYTES]) MUST_USE;
/* How many distinct keys of the list signed it (k-of-n counts distinct trusted keys). */
size_t envelope_signed_by_how_many(const struct envelope *v, const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t n);

#define AUTO_ENVELOPE __attribute__((cleanup(envelope_release))) struct envelope

#endif
