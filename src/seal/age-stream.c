/* The payload of an age file: chunks of 64 KiB under ChaCha20-Poly1305, each with its number and whether
 * it is the last in the nonce, so that none can be dropped, swapped or added. The cipher is OpenSSL's
 * (its assembly is several times faster than libsodium's); it is fetched once into a library context of
 * its own, so that the machine's OpenSSL configuration cannot take it away. Plaintext that does
 * not verify is zeroed before anybody sees it. */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "seal/age-internal.h"

#define CIPHER_KEY_BYTES 32u
#define CIPHER_NONCE_BYTES 12u
#define HEADER_BYTES_EACH 128u /* room asked for per recipient */

struct age_stream {
	EVP_CIPHER_CTX *ctx;
	uint64_t counter; /* chunks done; of the 11 bytes in the nonce the upper three stay zero */
	bool ended;
	int keyed; /* the context holds the key: 0 not yet, 1 for sealing, 2 for opening */
	uint8_t key[CIPHER_KEY_BYTES];
};

static EVP_CIPHER *cipher;
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;

static void cipher_fetch(void)
{
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

	if (library == NULL)
		abort();
	cipher = EVP_CIPHER_fetch(library, "ChaCha20-Poly1305", NULL);
	if (cipher == NULL)
		abort(); /* an OpenSSL without it cannot serve us at all */
}

static EVP_CIPHER_CTX *context_new(void)
{
	EVP_CIPHER_CTX *ctx;

	if (pthread_once(&cipher_once, cipher_fetch) != 0)
		abort();
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		abort();
	return ctx;
}

/* key NULL: the context has it already. */
static void seal_with(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce, struct bytes in,
		      uint8_t *out)
{
	static const uint8_t nothing;
	int len = 0, end = 0;

	/* None of these can fail on inputs of this size; sealing on regardless is not an option. */
	if (EVP_EncryptInit_ex2(ctx, key == NULL ? NULL : cipher, key, nonce, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &len, in.len == 0 ? &nothing : in.at, (int)in.len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, out + len, &end) != 1 || (size_t)(len + end) != in.len ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AGE_TAG_BYTES, out + in.len) != 1)
		abort();
}

static bool open_with(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce, struct bytes in,
		      uint8_t *out)
{
	size_t plain_len = in.len - AGE_TAG_BYTES;
	uint8_t tag[AGE_TAG_BYTES], unused[1];
	int len = 0, end = 0;

	memcpy(tag, in.at + plain_len, sizeof(tag));
	if (EVP_DecryptInit_ex2(ctx, key == NULL ? NULL : cipher, key, nonce, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AGE_TAG_BYTES, tag) != 1)
		abort();
	if (plain_len > 0 && EVP_DecryptUpdate(ctx, out, &len, in.at, (int)plain_len) != 1)
		abort();
	if (EVP_DecryptFinal_ex(ctx, unused, &end) == 1 && (size_t)(len + end) == plain_len)
		return true;
	wipe(out, plain_len);
	return false;
}

void age_wrap(const uint8_t key[static 32], struct bytes file_key, uint8_t ret[static AGE_WRAPPED_BYTES])
{
	static const uint8_t nonce[CIPHER_NONCE_BYTES];
	EVP_CIPHER_CTX *ctx = context_new();

	seal_with(ctx, key, nonce, bytes_slice(file_key, 0, AGE_FILE_KEY_BYTES), ret);
	EVP_CIPHER_CTX_free(ctx);
}

bool age_unwrap(const uint8_t key[static 32], const uint8_t in[static AGE_WRAPPED_BYTES],
		uint8_t ret[static AGE_FILE_KEY_BYTES])
{
	static const uint8_t nonce[CIPHER_NONCE_BYTES];
	EVP_CIPHER_CTX *ctx = context_new();
	bool ok = open_with(ctx, key, nonce, bytes_from(in, AGE_WRAPPED_BYTES), ret);

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

struct age_stream *age_stream_new_with(struct bytes file_key, const uint8_t nonce[static AGE_NONCE_BYTES])
{
	struct age_stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->ctx = context_new();
	hkdf_sha256(file_key, bytes_from(nonce, AGE_NONCE_BYTES), "payload", s->key, sizeof(s->key));
	return s;
}

struct age_stream *age_stream_new(const struct secret *file_key, const uint8_t nonce[static AGE_NONCE_BYTES])
{
	return age_stream_new_with(secret_bytes(file_key), nonce);
}

void age_stream_free(struct age_stream *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->ctx); /* clears the key that it holds */
	wipe(s->key, sizeof(s->key));
	free(s);
}

static void nonce_write(const struct age_stream *s, bool last, uint8_t out[static CIPHER_NONCE_BYTES])
{
	memset(out, 0, CIPHER_NONCE_BYTES);
	for (unsigned i = 0; i < 8; i++)
		out[CIPHER_NONCE_BYTES - 2 - i] = (uint8_t)(s->counter >> (8 * i));
	out[CIPHER_NONCE_BYTES - 1] = last ? 1 : 0;
}

/* The key is given to the context at the first chunk of a direction; after that only the nonce is. */
static const uint8_t *key_for(struct age_stream *s, int direction)
{
	bool there = s->keyed == direction;

	s->keyed = direction;
	return there ? NULL : s->key;
}

bool age_stream_seal(struct age_stream *s, struct bytes in, bool last, uint8_t *out, struct err *e)
{
	uint8_t nonce[CIPHER_NONCE_BYTES];

	if (s->ended)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the last chunk was sealed already");
	if (in.len > AGE_CHUNK_BYTES || (!last && in.len != AGE_CHUNK_BYTES) ||
	    (in.len == 0 && s->counter > 0))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT,
			       "a chunk of %zu bytes cannot stand here", in.len);
	nonce_write(s, last, nonce);
	seal_with(s->ctx, key_for(s, 1), nonce, in, out);
	s->counter++;
	s->ended = last;
	return true;
}

bool age_stream_open(struct age_stream *s, struct bytes in, bool last, uint8_t *out, struct err *e)
{
	uint8_t nonce[CIPHER_NONCE_BYTES];

	if (s->ended)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the last chunk was opened already");
	/* Only the whole file may be empty, never its last chunk after others. */
	if (in.len < AGE_TAG_BYTES || in.len > AGE_SEALED_CHUNK_BYTES ||
	    (!last && in.len != AGE_SEALED_CHUNK_BYTES) || (in.len == AGE_TAG_BYTES && s->counter > 0))
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN,
			       "sealed chunk %llu has a length that cannot be", (unsigned long long)s->counter);
	nonce_write(s, last, nonce);
	if (!open_with(s->ctx, key_for(s, 2), nonce, in, out))
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN,
			       "sealed chunk %llu was changed: it does not verify",
			       (unsigned long long)s->counter);
	s->counter++;
	s->ended = last;
	return true;
}

static bool seal_into(struct age_stream *s, struct bytes plain, struct buf *out, struct err *e)
{
	bool last;

	do {
		struct bytes chunk = bytes_slice(plain, 0, AGE_CHUNK_BYTES);
		uint8_t *at = buf_room(out, chunk.len + AGE_TAG_BYTES);

		plain = bytes_slice(plain, chunk.len, plain.len);
		last = plain.len == 0;
		if (at == NULL)
			return buf_check(out, "the sealed letter", e);
		if (!age_stream_seal(s, chunk, last, at, e))
			return false;
		buf_grown(out, chunk.len + AGE_TAG_BYTES);
	} while (!last);
	return true;
}

bool age_seal(const struct age_recipient *recipients, size_t n, struct bytes plain, struct buf *out,
	      struct err *e)
{
	uint8_t file_key[AGE_FILE_KEY_BYTES], nonce[AGE_NONCE_BYTES];
	size_t start = out->len;
	size_t room = plain.len + (plain.len / AGE_CHUNK_BYTES + 1) * AGE_TAG_BYTES +
		      (n + 1) * HEADER_BYTES_EACH;
	struct age_stream *s;
	bool ok;

	/* One allocation for all of it, where it fits. */
	if (buf_ok(out) && n <= AGE_STANZAS_MAX && room <= out->max - out->len)
		buf_room(out, room);
	chance_fill(file_key, sizeof(file_key));
	chance_fill(nonce, sizeof(nonce));
	ok = age_header_write_with(recipients, n, BYTES_ARRAY(file_key), out, e);
	if (ok) {
		buf_add(out, BYTES_ARRAY(nonce));
		s = age_stream_new_with(BYTES_ARRAY(file_key), nonce);
		ok = seal_into(s, plain, out, e);
		age_stream_free(s);
	}
	wipe(file_key, sizeof(file_key));
	if (!ok)
		out->len = start;
	return ok;
}

/* In memory it is known where the end is, so each chunk is tried once, with the nonce that it must
 * have; nothing is released unless all of it verifies. */
static bool open_into(struct age_stream *s, struct bytes sealed, struct buf *out, struct err *e)
{
	bool last;

	do {
		struct bytes chunk = bytes_slice(sealed, 0, AGE_SEALED_CHUNK_BYTES);
		size_t plain_len = chunk.len < AGE_TAG_BYTES ? 0 : chunk.len - AGE_TAG_BYTES;
		uint8_t *at = buf_room(out, plain_len);

		sealed = bytes_slice(sealed, chunk.len, sealed.len);
		last = sealed.len == 0;
		if (at == NULL)
			return buf_check(out, "the opened letter", e);
		if (!age_stream_open(s, chunk, last, at, e))
			return false;
		buf_grown(out, plain_len);
	} while (!last);
	return true;
}

bool age_payload_open(const struct secret *file_key, struct bytes payload, struct buf *out, struct err *e)
{
	size_t start = out->len;
	struct age_stream *s;
	bool ok;

	if (payload.len < AGE_NONCE_BYTES)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the age payload has no complete nonce");
	s = age_stream_new(file_key, payload.at);
	ok = open_into(s, bytes_slice(payload, AGE_NONCE_BYTES, payload.len), out, e);
	age_stream_free(s);
	if (!ok && out->at != NULL) {
		wipe(out->at + start, out->len - start);
		out->len = start;
	}
	return ok;
}
