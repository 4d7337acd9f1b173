/* The growing buffer. It promises that it never holds more than its maximum, that one byte beyond the
 * content is always there for a NUL, and that memory which it leaves behind when it grows is zeroed,
 * so that buf_wipe leaves no copy of a secret in the heap. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

#define BUF_ROOM_MIN 64u

void buf_init(struct buf *b, size_t bytes_max)
{
	*b = (struct buf){ .max = bytes_max };
}

void buf_release(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->at);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b == NULL)
		return;
	if (b->at != NULL)
		explicit_bzero(b->at, b->room + 1);
	buf_release(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

static bool buf_grow(struct buf *b, size_t need)
{
	size_t room = b->room < BUF_ROOM_MIN ? BUF_ROOM_MIN : b->room;
	size_t size;
	uint8_t *at;

	while (room < need) {
		if (!num_mul_size(room, 2, &room))
			room = need;
	}
	if (room > b->max)
		room = b->max;
	if (!num_add_size(room, 1, &size))
		return false;
	at = malloc(size);
	if (at == NULL)
		return false;
	if (b->at != NULL) {
		memcpy(at, b->at, b->len);
		explicit_bzero(b->at, b->len);
		free(b->at);
	}
	b->at = at;
	b->room = room;
	return true;
}

uint8_t *buf_room(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (len > b->max - b->len) {
		b->failed = true;
		return NULL;
	}
	if ((b->at == NULL || len > b->room - b->len) && !buf_grow(b, b->len + len)) {
		b->failed = true;
		return NULL;
	}
	return b->at + b->len;
}

void buf_grown(struct buf *b, size_t len)
{
	if (b->failed)
		return;
	if (b->at == NULL || len > b->room - b->len)
		abort(); /* the caller wrote beyond what it asked for */
	b->len += len;
}

void buf_add(struct buf *b, struct bytes in)
{
	uint8_t *at;

	if (in.len == 0)
		return;
	at = buf_room(b, in.len);
	if (at == NULL)
		return;
	memcpy(at, in.at, in.len);
	b->len += in.len;
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, bytes_of(text));
}

void buf_add_u8(struct buf *b, uint8_t v)
{
	buf_add(b, bytes_from(&v, 1));
}

static void add_big_endian(struct buf *b, uint64_t v, size_t width)
{
	uint8_t out[8];

	for (size_t i = 0; i < width; i++)
		out[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
	buf_add(b, bytes_from(out, width));
}

void buf_add_u16(struct buf *b, uint16_t v)
{
	add_big_endian(b, v, 2);
}

void buf_add_u32(struct buf *b, uint32_t v)
{
	add_big_endian(b, v, 4);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	add_big_endian(b, v, 8);
}

void buf_add_field(struct buf *b, struct bytes in)
{
	uint32_t len;

	if (!num_fit_u32(in.len, &len)) {
		b->failed = true;
		return;
	}
	buf_add_u32(b, len);
	buf_add(b, in);
}

void buf_add_format(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;
	uint8_t *at;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0) {
		b->failed = true;
		return;
	}
	at = buf_room(b, (size_t)len);
	if (at == NULL)
		return;
	va_start(args, format);
	vsnprintf((char *)at, (size_t)len + 1, format, args); /* the NUL has its own byte: see buf_grow */
	va_end(args);
	b->len += (size_t)len;
}

void buf_add_hex(struct buf *b, struct bytes in)
{
	size_t len;
	uint8_t *at;

	if (!num_mul_size(in.len, 2, &len)) {
		b->failed = true;
		return;
	}
	at = buf_room(b, len);
	if (at == NULL)
		return;
	hex_write(in, (char *)at);
	b->len += len;
}

void buf_add_base64(struct buf *b, struct bytes in)
{
	base64_write(in, true, b);
}

bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

bool buf_check(const struct buf *b, const char *what, struct err *e)
{
	if (b->failed)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s is over its limit of %zu bytes",
			       what, b->max);
	return true;
}

struct bytes buf_bytes(const struct buf *b)
{
	if (b->failed)
		return (struct bytes){ 0 };
	return bytes_from(b->at, b->len);
}

const char *buf_text(struct buf *b)
{
	if (b->failed || b->at == NULL)
		return "";
	b->at[b->len] = '\0';
	return (const char *)b->at;
}
