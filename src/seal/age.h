/* Sealing: the age v1 format (age-encryption.org/v1) with X25519 recipients, byte for byte, readable by
 * any `age` (crypto.md 1.10). Header and payload are separate steps, because at a node the signer
 * unwraps the file key and another role decrypts. Bulk runs chunk by chunk in constant memory. */
#ifndef COMITY_SEAL_AGE_H
#define COMITY_SEAL_AGE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/secret.h"

#define AGE_FILE_KEY_BYTES 16u
#define AGE_NONCE_BYTES 16u
#define AGE_CHUNK_BYTES (64 * KIB)
#define AGE_TAG_BYTES 16u
#define AGE_RECIPIENT_LEN 62 /* "age1..." */

struct age_recipient {
	uint8_t x25519[32];
};
bool age_recipient_parse(struct bytes text, struct age_recipient *ret, struct err *e) MUST_USE;
void age_recipient_write(const struct age_recipient *r, char out[static AGE_RECIPIENT_LEN + 1]);

/* An X25519 identity. Its file form is age's own: comment lines, then "AGE-SECRET-KEY-1...". */
struct seal_identity;
struct seal_identity *seal_identity_new(void);
bool seal_identity_parse(struct bytes file, struct seal_identity **ret, struct err *e) MUST_USE;
void seal_identity_write(const struct seal_identity *s, struct buf *out); /* out is to be wiped */
void seal_identity_recipient(const struct seal_identity *s, struct age_recipient *ret);
void seal_identity_free(struct seal_identity *s);
void seal_identity_free_at(struct seal_identity **s);
#define AUTO_SEAL_IDENTITY __attribute__((cleanup(seal_identity_free_at))) struct seal_identity

/* The header: from "age-encryption.org/v1" to the newline after the MAC. Recipients 1 to AGE_STANZAS_MAX. */
bool age_header_write(const struct age_recipient *recipients, size_t n, const struct secret *file_key,
		      struct buf *out, struct err *e) MUST_USE;
/* Where the header ends within in (the beginning of a file). *ret_len 0 and true: not complete yet,
 * give more (at most AGE_HEADER_BYTES_MAX). False: this is no age header, or over a limit. */
bool age_header_length(struct bytes in, size_t *ret_len, struct err *e) MUST_USE;
/* Parses the complete header, unwraps with the first identity that fits, checks the MAC. ERR_REJECTED with
 * REASON_NOT_SEALED_TO_US when none fits, REASON_SEAL_BROKEN when the MAC fails, ERR_INPUT when malformed. */
bool age_header_open(struct bytes header, const struct seal_identity *const *identities, size_t n,
		     struct secret **ret_file_key, struct err *e) MUST_USE;
/* Checks the MAC of a header whose file key one already has. */
bool age_header_check(struct bytes header, const struct secret *file_key, struct err *e) MUST_USE;

/* A header of exactly len bytes with no recipient at all: who has the file key opens the file as before, and nobody
 * else ever will. For a file whose key is kept elsewhere, to be erasable. */
bool age_header_bare(size_t len, const struct secret *file_key, struct buf *out, struct err *e) MUST_USE;

/* The payload, chunk by chunk. After the header come AGE_NONCE_BYTES, then chunks. */
struct age_stream;
struct age_stream *age_stream_new(const struct secret *file_key, const uint8_t nonce[static AGE_NONCE_BYTES]);
void age_stream_free(struct age_stream *s);
/* Seals up to AGE_CHUNK_BYTES (exactly that, unless last) into out, which has room for in.len + AGE_TAG_BYTES. */
bool age_stream_seal(struct age_stream *s, struct bytes in, bool last, uint8_t *out, struct err *e) MUST_USE;
/* Opens one sealed chunk; out has room for in.len - AGE_TAG_BYTES. REASON_SEAL_BROKEN when it does not verify. */
bool age_stream_open(struct age_stream *s, struct bytes in, bool last, uint8_t *out, struct err *e) MUST_USE;

/* Whole small things in memory (letters). */
bool age_seal(const struct age_recipient *recipients, size_t n, struct bytes plain, struct buf *out,
	      struct err *e) MUST_USE;
/* payload: nonce and chunks, after the header. Appends the plaintext to out. */
bool age_payload_open(const struct secret *file_key, struct bytes payload, struct buf *out, struct err *e) MUST_USE;

/* Whole files between descriptors, in constant memory; digests of both sides in the same pass. Any of the
 * sinks may be NULL; progress (may be NULL) is called about every 8 MiB with the plaintext bytes so far. */
struct age_totals {
	uint64_t plain_bytes, sealed_bytes;
	uint8_t plain_sha256[32], sealed_sha256[32];
};
struct age_copy {
	int in_fd, out_fd;            /* out_fd -1: nothing is written (verification); neither is closed */
	const struct age_recipient *recipients; /* sealing */
	size_t recipient_count;
	const struct seal_identity *const *identities; /* opening */
	size_t identity_count;
	const struct secret *file_key; /* sealing: use this one (NULL: draw); opening: instead of identities */
	void (*progress)(void *ctx, uint64_t plain_bytes);
	void *ctx;
};
bool age_copy_seal(const struct age_copy *c, struct age_totals *ret, struct err *e) MUST_USE;
bool age_copy_open(const struct age_copy *c, struct age_totals *ret, struct err *e) MUST_USE;

#endif
