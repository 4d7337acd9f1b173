/* Small spellings that have exactly one form: hex, base64, ids, and times. */
#ifndef COMITY_BASE_TEXT_H
#define COMITY_BASE_TEXT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* Lower-case hex of exactly out_len bytes; false on any other spelling or length. */
bool hex_parse(struct bytes hex, uint8_t *out, size_t out_len) MUST_USE;
/* Writes 2*len characters and a NUL. */
void hex_write(struct bytes in, char *out);

/* Standard alphabet. Strict: padding as RFC 4648 wants it (or, with `padded` false, none at all),
 * zero trailing bits, no white space. Appends to out; false leaves out as it was. */
bool base64_parse(struct bytes text, bool padded, struct buf *out) MUST_USE;
void base64_write(struct bytes in, bool padded, struct buf *out);

bool utf8_is_valid(struct bytes in);
/* Copies text to a terminal-safe form: control and bidi-override characters become U+FFFD. */
void text_printable(struct bytes in, struct buf *out);

/* 128-bit identifier: 32 lower-case hex characters. */
#define ID_BYTES 16
#define ID_TEXT_LEN 32
struct id {
	uint8_t at[ID_BYTES];
};
bool id_parse(struct bytes text, struct id *ret) MUST_USE;
void id_write(const struct id *id, char out[static ID_TEXT_LEN + 1]);
bool id_equal(const struct id *a, const struct id *b);

/* A time is milliseconds since 1970 UTC. Its one spelling is "2026-11-23T02:10:00.000Z". */
#define TIME_TEXT_LEN 24
bool time_parse(struct bytes text, int64_t *ret_ms) MUST_USE;
void time_write(int64_t ms, char out[static TIME_TEXT_LEN + 1]);
/* "2026-11-23 02:10 UTC (03:10 +01:00)": UTC and local together, as people read it; once when local is UTC. */
void time_write_people(int64_t ms, int offset_minutes, char out[static 64]);
/* ISO 8601 week "2026-W47". */
void time_write_week(int64_t ms, char out[static 16]);
#define DAY_MS (INT64_C(86400) * 1000)

/* SHA-256 by OpenSSL, with the digest fetched once. */
#define SHA256_BYTES 32
void sha256(struct bytes in, uint8_t out[static SHA256_BYTES]);
void sha256_two(struct bytes a, struct bytes b, uint8_t out[static SHA256_BYTES]); /* of a || b */
/* In pieces, for what does not fit in memory. */
struct sha256_run;
struct sha256_run *sha256_begin(void);
void sha256_add(struct sha256_run *r, struct bytes in);
void sha256_end(struct sha256_run *r, uint8_t out[static SHA256_BYTES]); /* and frees it */
void sha256_drop(struct sha256_run *r);                                 /* frees it; NULL is fine */
void hmac_sha256(struct bytes key, struct bytes in, uint8_t out[static SHA256_BYTES]);
/* RFC 5869, SHA-256. */
void hkdf_sha256(struct bytes ikm, struct bytes salt, const char *info, uint8_t *out, size_t out_len);

#endif
