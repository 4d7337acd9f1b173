/* Ed25519 keys. The private key stays in guarded memory from the moment it is drawn or read; the public
 * half is kept beside it. Verification is libsodium's and nobody else's: it refuses small-order and
 * non-canonical points and an S that is not reduced, so that all our verifiers say the same. */
#include "seal/key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/secret.h"
#include "base/text.h"

#define SEED_BYTES crypto_sign_ed25519_SEEDBYTES
#define SEED_HEX_LEN (2 * (size_t)SEED_BYTES)
#define COMMENT_BYTES_MAX 200u

static const char key_head[] = "comity-key-v1 ed25519 ";

_Static_assert(SIGN_PUBLIC_BYTES == crypto_sign_ed25519_PUBLICKEYBYTES, "size of a public key");
_Static_assert(SIGNATURE_BYTES == crypto_sign_ed25519_BYTES, "size of a signature");

struct sign_key {
	struct secret *full; /* libsodium's form: seed, then public key */
	uint8_t public[SIGN_PUBLIC_BYTES];
};

static struct sign_key *key_from_seed(const uint8_t seed[static SEED_BYTES])
{
	struct sign_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	k->full = secret_new(crypto_sign_ed25519_SECRETKEYBYTES);
	if (crypto_sign_ed25519_seed_keypair(k->public, secret_at(k->full), seed) != 0)
		abort();
	return k;
}

struct sign_key *sign_key_new(void)
{
	AUTO_SECRET *seed = secret_random(SEED_BYTES);

	return key_from_seed(secret_at(seed));
}

static bool is_printable(struct bytes text)
{
	AUTO_BUF clean = { 0 };

	buf_init(&clean, 3 * text.len + 1);
	text_printable(text, &clean);
	return bytes_equal(buf_bytes(&clean), text);
}

bool sign_key_parse(struct bytes file, struct sign_key **ret, struct err *e)
{
	struct reader r = reader_over(file);
	AUTO_SECRET *seed = secret_new(SEED_BYTES);
	struct bytes hex, comment;

	reader_literal(&r, key_head);
	hex = reader_take(&r, SEED_HEX_LEN);
	comment = reader_line(&r, COMMENT_BYTES_MAX + 1);
	if (!reader_done(&r, "the key file", e))
		return false;
	/* No comment and no space, or a space and a comment. */
	if (!hex_parse(hex, secret_at(seed), SEED_BYTES) ||
	    (comment.len > 0 && (comment.len == 1 || comment.at[0] != ' ' || !is_printable(comment))))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the key file is malformed");
	*ret = key_from_seed(secret_at(seed));
	return true;
}

void sign_key_write(const struct sign_key *k, const char *comment, struct buf *out)
{
	struct bytes text = bytes_of(comment);

	text = bytes_slice(text, 0, COMMENT_BYTES_MAX / 3); /* a byte may become three */
	buf_add_text(out, key_head);
	buf_add_hex(out, bytes_slice(secret_bytes(k->full), 0, SEED_BYTES));
	if (text.len > 0) {
		buf_add_u8(out, ' ');
		text_printable(text, out);
	}
	buf_add_u8(out, '\n');
}

void sign_key_free(struct sign_key *k)
{
	if (k == NULL)
		return;
	secret_free(k->full);
	free(k);
}

const uint8_t *sign_key_public(const struct sign_key *k)
{
	return k->public;
}

void sign_key_sign(const struct sign_key *k, struct bytes msg, uint8_t ret[static SIGNATURE_BYTES])
{
	if (crypto_sign_ed25519_detached(ret, NULL, msg.at, msg.len, secret_bytes(k->full).at) != 0)
		abort();
}

bool signature_verify(const uint8_t public_key[static SIGN_PUBLIC_BYTES], struct bytes msg,
		      const uint8_t signature[static SIGNATURE_BYTES])
{
	return crypto_sign_ed25519_verify_detached(signature, msg.at, msg.len, public_key) == 0;
}

void key_id_write(const uint8_t public_key[static SIGN_PUBLIC_BYTES], char out[static KEY_ID_LEN + 1])
{
	uint8_t hash[SHA256_BYTES];

	sha256(bytes_from(public_key, SIGN_PUBLIC_BYTES), hash);
	hex_write(bytes_from(hash, KEY_ID_LEN / 2), out);
}

void sign_key_free_at(struct sign_key **k)
{
	sign_key_free(*k);
	*k = NULL;
}
