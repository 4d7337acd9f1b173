/* The one reader for bytes from outside. It promises never to read past its end and to remember
 * failure: after the first field that does not fit, every later one is empty or zero, so that the
 * caller needs to ask only once, at the end, and the end must be the end. */
#include "base/reader.h"

#include <string.h>

struct reader reader_over(struct bytes in)
{
	return (struct reader){ .in = in };
}

bool reader_fail(struct reader *r)
{
	r->failed = true;
	return false;
}

bool reader_ok(const struct reader *r)
{
	return !r->failed;
}

size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->in.len - r->pos;
}

struct bytes reader_take(struct reader *r, size_t len)
{
	struct bytes out;

	if (r->failed || len > r->in.len - r->pos) {
		reader_fail(r);
		return (struct bytes){ 0 };
	}
	out = bytes_slice(r->in, r->pos, len);
	r->pos += len;
	return out;
}

static uint64_t big_endian(struct reader *r, size_t width)
{
	struct bytes in = reader_take(r, width);
	uint64_t v = 0;

	for (size_t i = 0; i < in.len; i++)
		v = v << 8 | in.at[i];
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)big_endian(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)big_endian(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return (uint32_t)big_endian(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return big_endian(r, 8);
}

struct bytes reader_field(struct reader *r, size_t bytes_max)
{
	uint32_t len = reader_u32(r);

	if (len > bytes_max)
		reader_fail(r);
	return reader_take(r, len);
}

bool reader_copy(struct reader *r, uint8_t *out, size_t len)
{
	struct bytes in = reader_take(r, len);

	if (r->failed)
		return false;
	if (len > 0)
		memcpy(out, in.at, len);
	return true;
}

struct bytes reader_line(struct reader *r, size_t bytes_max)
{
	struct bytes rest, line;
	size_t len;

	if (r->failed)
		return (struct bytes){ 0 };
	rest = bytes_slice(r->in, r->pos, r->in.len - r->pos);
	len = bytes_find(rest, '\n');
	if (len == rest.len || len > bytes_max) {
		reader_fail(r);
		return (struct bytes){ 0 };
	}
	line = reader_take(r, len);
	reader_take(r, 1);
	return line;
}

bool reader_literal(struct reader *r, const char *text)
{
	struct bytes want = bytes_of(text);
	struct bytes got = reader_take(r, want.len);

	if (r->failed || !bytes_equal(got, want))
		return reader_fail(r);
	return true;
}

uint64_t reader_decimal(struct reader *r)
{
	uint64_t value = 0;
	size_t start = r->pos;

	if (r->failed)
		return 0;
	while (r->pos < r->in.len) {
		uint8_t c = r->in.at[r->pos];

		if (c < '0' || c > '9')
			break;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
			reader_fail(r);
			return 0;
		}
		r->pos++;
	}
	if (r->pos == start || (r->in.at[start] == '0' && r->pos > start + 1)) {
		reader_fail(r);
		return 0;
	}
	return value;
}

struct bytes reader_rest(struct reader *r)
{
	return reader_take(r, reader_left(r));
}

bool reader_done(const struct reader *r, const char *what, struct err *e)
{
	if (r->failed)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s is malformed near byte %zu",
			       what, r->pos);
	if (r->pos != r->in.len)
		return err_set(e, ERR_INPUT, REASON_TRAILING_BYTES, "%s has %zu bytes after its end",
			       what, r->in.len - r->pos);
	return true;
}
