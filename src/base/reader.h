/* The one reader for bytes from outside. It never reads past its end and remembers failure, so a
 * parser reads all fields in a row and asks once, with reader_done, and the end must be the end. */
#ifndef COMITY_BASE_READER_H
#define COMITY_BASE_READER_H

#include "base/bytes.h"
#include "base/err.h"

struct reader {
	struct bytes in;
	size_t pos;
	bool failed;
};

struct reader reader_over(struct bytes in);

uint8_t reader_u8(struct reader *r); /* 0 after failure; numbers are big endian */
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
struct bytes reader_take(struct reader *r, size_t len);       /* exactly len bytes */
struct bytes reader_field(struct reader *r, size_t bytes_max); /* u32 length, at most bytes_max */
bool reader_copy(struct reader *r, uint8_t *out, size_t len);
/* A line up to \n, without it; fails without \n or beyond bytes_max. */
struct bytes reader_line(struct reader *r, size_t bytes_max);
bool reader_literal(struct reader *r, const char *text); /* fails unless these bytes come next */
/* Decimal without sign or leading zeros; stops before the first other byte. */
uint64_t reader_decimal(struct reader *r);
struct bytes reader_rest(struct reader *r);
size_t reader_left(const struct reader *r);
bool reader_fail(struct reader *r); /* for the caller's own checks; returns false */

bool reader_ok(const struct reader *r);
/* Nothing failed and nothing is left. `what` names the thing in the sentence ("receipt"). */
bool reader_done(const struct reader *r, const char *what, struct err *e) MUST_USE;

#endif
