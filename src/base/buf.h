/* A growing byte buffer that cannot be made without a maximum. Failure is sticky: after the first
 * write that does not fit or cannot be allocated, all later ones are ignored and buf_ok is false,
 * so a writer writes everything and asks once. */
#ifndef COMITY_BASE_BUF_H
#define COMITY_BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct buf {
	uint8_t *at;
	size_t len, room, max;
	bool failed;
};

void buf_init(struct buf *b, size_t bytes_max);
void buf_release(struct buf *b); /* frees; the buf is empty and usable again with its maximum */
void buf_wipe(struct buf *b);    /* as buf_release, and zeroes the memory first */
void buf_clear(struct buf *b);   /* keeps the memory */

void buf_add(struct buf *b, struct bytes in);
void buf_add_text(struct buf *b, const char *text);
void buf_add_u8(struct buf *b, uint8_t v);
void buf_add_u16(struct buf *b, uint16_t v); /* big endian, as all of these */
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_field(struct buf *b, struct bytes in); /* u32 length, then the bytes: see reader_field */
void buf_add_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_hex(struct buf *b, struct bytes in);    /* lower case */
void buf_add_base64(struct buf *b, struct bytes in); /* standard alphabet, padded */
/* Makes room for `len` more bytes to be written in place; NULL when it would pass the maximum.
 * buf_grown then says how many were written. */
uint8_t *buf_room(struct buf *b, size_t len);
void buf_grown(struct buf *b, size_t len);

bool buf_ok(const struct buf *b);
bool buf_check(const struct buf *b, const char *what, struct err *e) MUST_USE; /* ERR_LIMIT if not ok */
struct bytes buf_bytes(const struct buf *b);
/* NUL-terminates in place (the NUL does not count) and returns the text; "" when failed. */
const char *buf_text(struct buf *b);

/* Always with `= { 0 }`: a return before buf_init then frees nothing (tools/check-auto). */
#define AUTO_BUF __attribute__((cleanup(buf_release))) struct buf
#define AUTO_BUF_WIPE __attribute__((cleanup(buf_wipe))) struct buf

#endif
