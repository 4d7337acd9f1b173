/* One record under one key: 12 bytes of nonce, ciphertext, 16 bytes of tag. OpenSSL, because it does
 * ChaCha20-Poly1305 more than twice as fast here as libsodium (crypto.md 2.2). The cipher is fetched
 * once. Nothing is written to out unless the whole record verifies. */
#include "store/record.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/secret.h"
#include "store/store-internal.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16

static EVP_CIPHER *cipher;

void record_start(void)
{
	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	if (cipher == NULL)
		abort(); /* a libcrypto without it cannot have been linked on purpose */
}

static EVP_CIPHER_CTX *context_new(void)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	record_start();
	if (c == NULL)
		abort();
	return c;
}

bool record_seal(const uint8_t key[static 32], const uint8_t hash[static SHA256_BYTES], struct bytes plain,
		 struct buf *out, struct err *e)
{
	size_t room;
	uint8_t *at;
	int len = 0, end = 0;

	if (plain.len > INT32_MAX - RECORD_OVERHEAD_BYTES || !num_add_size(plain.len, RECORD_OVERHEAD_BYTES, &room))
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a record of %zu bytes is too large", plain.len);
	at = buf_room(out, room);
	if (at == NULL)
		return buf_check(out, "record", e);
	chance_fill(at, NONCE_BYTES);
	EVP_CIPHER_CTX *c = context_new();
	bool ok = EVP_EncryptInit_ex2(c, cipher, key, at, NULL) == 1 &&
		  EVP_EncryptUpdate(c, NULL, &len, hash, SHA256_BYTES) == 1 &&
		  (plain.len == 0 || EVP_EncryptUpdate(c, at + NONCE_BYTES, &len, plain.at, (int)plain.len) == 1) &&
		  EVP_EncryptFinal_ex(c, at + NONCE_BYTES + plain.len, &end) == 1 &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, at + NONCE_BYTES + plain.len) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "cannot seal a record");
	buf_grown(out, room);
	return true;
}

bool record_open(const uint8_t key[static 32], const uint8_t hash[static SHA256_BYTES], struct bytes sealed,
		 struct buf *out, struct err *e)
{
	uint8_t tag[TAG_BYTES];
	uint8_t *at;
	int len = 0, end = 0;

	if (sealed.len < RECORD_OVERHEAD_BYTES || sealed.len > INT32_MAX)
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN, "a record is too short to be one");
	struct bytes body = bytes_slice(sealed, NONCE_BYTES, sealed.len - RECORD_OVERHEAD_BYTES);
	at = buf_room(out, body.len);
	if (at == NULL)
		return buf_check(out, "record", e);
	memcpy(tag, sealed.at + sealed.len - TAG_BYTES, TAG_BYTES);
	EVP_CIPHER_CTX *c = context_new();
	bool ok = EVP_DecryptInit_ex2(c, cipher, key, sealed.at, NULL) == 1 &&
		  EVP_DecryptUpdate(c, NULL, &len, hash, SHA256_BYTES) == 1 &&
		  (body.len == 0 || EVP_DecryptUpdate(c, at, &len, body.at, (int)body.len) == 1) &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
		  EVP_DecryptFinal_ex(c, at + body.len, &end) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok) {
		wipe(at, body.len);
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN, "a record does not open under its key");
	}
	buf_grown(out, body.len);
	return true;
}
