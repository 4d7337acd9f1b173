/* HOME/identity: the public halves of a home's keys, written by `comity init`, so that no process but the
 * one that needs a private key reads it. Lines "sign <hex>", "log <vkey>", "seal <age1...>", "tls <hex>",
 * "since <time>"; then, in homes that have a witness, "witness <vkey>". */
#ifndef COMITY_EXCHANGE_IDENTITY_H
#define COMITY_EXCHANGE_IDENTITY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "log/note.h"
#include "seal/age.h"

struct identity {
	uint8_t sign[SIGN_PUBLIC_BYTES];
	struct note_key log;
	struct age_recipient seal;
	uint8_t tls[SHA256_BYTES]; /* SHA-256 of the TLS key's SPKI */
	int64_t since;             /* when the keys were made */
	struct note_key witness;   /* of our witness (type 0x04) */
	bool has_witness;          /* homes that were made before there were witnesses have none */
};
bool identity_parse(struct bytes in, struct identity *ret, struct err *e) MUST_USE;
void identity_write(const struct identity *v, struct buf *out);

#endif
