/* Hashes of short things. A Merkle node is 65 bytes, so what counts is the cost of a call: OpenSSL's
 * low-level functions hash one in 0.15 us where a fetched EVP digest takes three times that, and they
 * use the same SHA-NI code. They are deprecated for engines and FIPS providers, which we have none of.
 * HMAC is libsodium's: keys of any length, no allocation, no failure. */
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

void hmac_sha256(struct bytes key, struct bytes in, uint8_t out[static SHA256_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key.at, key.len);
	crypto_auth_hmacsha256_update(&state, in.at, in.len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void hkdf_sha256(struct bytes ikm, struct bytes salt, const char *info, uint8_t *out, size_t out_len)
{
	static const uint8_t no_salt[SHA256_BYTES];
	crypto_auth_hmacsha256_state state;
	uint8_t prk[SHA256_BYTES], block[SHA256_BYTES];
	uint8_t counter = 0;

	if (out_len > 255 * SHA256_BYTES)
		abort(); /* RFC 5869 2.3: L <= 255*HashLen; lengths here are constants */
	hmac_sha256(salt.len == 0 ? BYTES_ARRAY(no_salt) : salt, ikm, prk);
	while (out_len > 0) {
		size_t len = out_len < SHA256_BYTES ? out_len : SHA256_BYTES;

		crypto_auth_hmacsha256_init(&state, prk, sizeof(prk));
		if (counter > 0)
			crypto_auth_hmacsha256_update(&state, block, sizeof(block));
		counter++;
		crypto_auth_hmacsha256_update(&state, (const uint8_t *)info, strlen(info));
		crypto_auth_hmacsha256_update(&state, &counter, 1);
		crypto_auth_hmacsha256_final(&state, block);
		memcpy(out, block, len);
		out += len;
		out_len -= len;
	}
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(block, sizeof(block));
}
