/* Hashes of short things. A Merkle node is 65 bytes, so what counts is the cost of a call: OpenSSL's
 * low-level functions hash one in 0.15 us where a fetched EVP digest takes three times that, and they
 * use the same SHA-NI code. They are deprecated for engines and FIPS providers, which we have none of.
 * HMAC (RFC 2104) stands on them: every record key is derived so, several times for each letter. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void sha256_two(struct bytes a, struct bytes b, uint8_t out[static SHA256_BYTES])
{
	SHA256_CTX c;

	/* These return 0 only under a failing self-test; hashing on would be worse than stopping. */
	if (SHA256_Init(&c) != 1 || SHA256_Update(&c, a.at, a.len) != 1 ||
	    SHA256_Update(&c, b.at, b.len) != 1 || SHA256_Final(out, &c) != 1)
		abort();
}

void sha256(struct bytes in, uint8_t out[static SHA256_BYTES])
{
	sha256_two(in, (struct bytes){ 0 }, out);
}

#define BLOCK_BYTES 64u

struct hmac {
	SHA256_CTX inner, outer;
};

static void hash_add(SHA256_CTX *c, struct bytes in)
{
	if (SHA256_Update(c, in.at, in.len) != 1)
		abort();
}

static void pad_add(SHA256_CTX *c, const uint8_t key[static BLOCK_BYTES], uint8_t pad)
{
	uint8_t block[BLOCK_BYTES];

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		block[i] = key[i] ^ pad;
	if (SHA256_Init(c) != 1)
		abort();
	hash_add(c, BYTES_ARRAY(block));
	sodium_memzero(block, sizeof(block));
}

static void hmac_begin(struct hmac *h, struct bytes key)
{
	uint8_t block[BLOCK_BYTES] = { 0 };

	if (key.len > BLOCK_BYTES)
		sha256(key, block);
	else if (key.len > 0)
		memcpy(block, key.at, key.len);
	pad_add(&h->inner, block, 0x36);
	pad_add(&h->outer, block, 0x5c);
	sodium_memzero(block, sizeof(block));
}

static void hmac_end(struct hmac *h, uint8_t out[static SHA256_BYTES])
{
	if (SHA256_Final(out, &h->inner) != 1)
		abort();
	hash_add(&h->outer, bytes_from(out, SHA256_BYTES));
	if (SHA256_Final(out, &h->outer) != 1)
		abort();
	sodium_memzero(h, sizeof(*h));
}

void hmac_sha256(struct bytes key, struct bytes in, uint8_t out[static SHA256_BYTES])
{
	struct hmac h;

	hmac_begin(&h, key);
	hash_add(&h.inner, in);
	hmac_end(&h, out);
}

void hkdf_sha256(struct bytes ikm, struct bytes salt, const char *info, uint8_t *out, size_t out_len)
{
	static const uint8_t no_salt[SHA256_BYTES];
	struct hmac h;
	uint8_t prk[SHA256_BYTES], block[SHA256_BYTES];
	uint8_t counter = 0;

	if (out_len > 255 * SHA256_BYTES)
		abort(); /* RFC 5869 2.3: L <= 255*HashLen; lengths here are constants */
	hmac_sha256(salt.len == 0 ? BYTES_ARRAY(no_salt) : salt, ikm, prk);
	while (out_len > 0) {
		size_t len = out_len < SHA256_BYTES ? out_len : SHA256_BYTES;

		hmac_begin(&h, BYTES_ARRAY(prk));
		if (counter > 0)
			hash_add(&h.inner, BYTES_ARRAY(block));
		counter++;
		hash_add(&h.inner, bytes_of(info));
		hash_add(&h.inner, bytes_from(&counter, 1));
		hmac_end(&h, block);
		memcpy(out, block, len);
		out += len;
		out_len -= len;
	}
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(block, sizeof(block));
}

/* --- in pieces --------------------------------------------------------------------------------- */

struct sha256_run {
	SHA256_CTX c;
};

struct sha256_run *sha256_begin(void)
{
	struct sha256_run *r = calloc(1, sizeof(*r));

	if (r == NULL || SHA256_Init(&r->c) != 1)
		abort();
	return r;
}

void sha256_add(struct sha256_run *r, struct bytes in)
{
	hash_add(&r->c, in);
}

void sha256_end(struct sha256_run *r, uint8_t out[static SHA256_BYTES])
{
	if (SHA256_Final(out, &r->c) != 1)
		abort();
	sha256_drop(r);
}

void sha256_drop(struct sha256_run *r)
{
	free(r);
}
