/* Spellings that have exactly one form. Every parse function here accepts one spelling of each value
 * and nothing else, because these texts stand in signed statements: write(parse(x)) == x. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_parse(struct bytes hex, uint8_t *out, size_t out_len)
{
	if (hex.len % 2 != 0 || hex.len / 2 != out_len)
		return false;
	for (size_t i = 0; i < hex.len; i++) {
		if (hex_value(hex.at[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < out_len; i++)
		out[i] = (uint8_t)(hex_value(hex.at[2 * i]) << 4 | hex_value(hex.at[2 * i + 1]));
	return true;
}

void hex_write(struct bytes in, char *out)
{
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = hex_digits[in.at[i] >> 4];
		out[2 * i + 1] = hex_digits[in.at[i] & 15];
	}
	out[2 * in.len] = '\0';
}

/* -1 for what is not in the alphabet. */
static int base64_value(uint8_t c)
{
	static const int8_t values[256] = {
		['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
		['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
		['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
		['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
		['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
		['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
		['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
		['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
		['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
		['/'] = 64,
	};

	return values[c] - 1;
}

/* The last group of 2 or 3 digits: one or two bytes, and the bits left over must be zero. */
static bool base64_tail(const uint8_t *in, size_t digits, uint8_t *out)
{
	int a = base64_value(in[0]), b = base64_value(in[1]);
	int c = digits == 3 ? base64_value(in[2]) : 0;

	if ((a | b | c) < 0 || (digits == 2 ? b & 15 : c & 3) != 0)
		return false;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	if (digits == 3)
		out[1] = (uint8_t)((b & 15) << 4 | c >> 2);
	return true;
}

static bool base64_decode(const uint8_t *in, size_t digits, uint8_t *out)
{
	while (digits >= 4) {
		int a = base64_value(in[0]), b = base64_value(in[1]);
		int c = base64_value(in[2]), d = base64_value(in[3]);

		if ((a | b | c | d) < 0)
			return false;
		out[0] = (uint8_t)(a << 2 | b >> 4);
		out[1] = (uint8_t)((b & 15) << 4 | c >> 2);
		out[2] = (uint8_t)((c & 3) << 6 | d);
		in += 4;
		out += 3;
		digits -= 4;
	}
	return digits == 0 || base64_tail(in, digits, out);
}

bool base64_parse(struct bytes text, bool padded, struct buf *out)
{
	size_t digits = text.len;
	size_t len;
	uint8_t *at;

	if (padded) {
		if (text.len % 4 != 0)
			return false;
		for (int i = 0; i < 2 && digits > 0 && text.at[digits - 1] == '='; i++)
			digits--;
	}
	if (digits % 4 == 1)
		return false;
	if (digits == 0)
		return text.len == 0;
	len = digits / 4 * 3 + (digits % 4 == 0 ? 0 : digits % 4 - 1);
	if (!buf_ok(out) || len > out->max - out->len)
		return false;
	at = buf_room(out, len);
	if (at == NULL || !base64_decode(text.at, digits, at))
		return false;
	buf_grown(out, len);
	return true;
}

void base64_write(struct bytes in, bool padded, struct buf *out)
{
	size_t tail = in.len % 3;
	size_t len = in.len / 3 * 4 + (tail == 0 ? 0 : padded ? 4 : tail + 1);
	uint8_t *at;

	/* Four thirds of what is in memory already cannot pass SIZE_MAX, so len is right. */
	if (in.len == 0)
		return;
	at = buf_room(out, len);
	if (at == NULL)
		return;
	for (size_t i = 0; i + 3 <= in.len; i += 3) {
		uint32_t v = (uint32_t)in.at[i] << 16 | (uint32_t)in.at[i + 1] << 8 | in.at[i + 2];

		*at++ = (uint8_t)base64_digits[v >> 18];
		*at++ = (uint8_t)base64_digits[v >> 12 & 63];
		*at++ = (uint8_t)base64_digits[v >> 6 & 63];
		*at++ = (uint8_t)base64_digits[v & 63];
	}
	if (tail > 0) {
		uint32_t v = (uint32_t)in.at[in.len - tail] << 16;

		if (tail == 2)
			v |= (uint32_t)in.at[in.len - 1] << 8;
		*at++ = (uint8_t)base64_digits[v >> 18];
		*at++ = (uint8_t)base64_digits[v >> 12 & 63];
		if (tail == 2)
			*at++ = (uint8_t)base64_digits[v >> 6 & 63];
		else if (padded)
			*at++ = '=';
		if (padded)
			*at++ = '=';
	}
	buf_grown(out, len);
}

/* Length of the UTF-8 sequence at `at`, and its code point; 0 when it is none (RFC 3629: shortest
 * form, no surrogates, nothing above U+10FFFF). */
static size_t utf8_next(const uint8_t *at, size_t left, uint32_t *ret)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = at[0];
	size_t len;
	uint32_t point;

	if (c < 0x80) {
		*ret = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (len > left)
		return 0;
	point = c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret = point;
	return len;
}

bool utf8_is_valid(struct bytes in)
{
	size_t pos = 0;
	uint32_t point;

	while (pos < in.len) {
		size_t len = utf8_next(in.at + pos, in.len - pos, &point);

		if (len == 0)
			return false;
		pos += len;
	}
	return true;
}

/* What moves a cursor, hides, or turns the direction of what follows. */
static bool is_treacherous(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c ||
	       point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void text_printable(struct bytes in, struct buf *out)
{
	size_t pos = 0;
	uint32_t point;

	while (pos < in.len) {
		size_t len = utf8_next(in.at + pos, in.len - pos, &point);

		if (len == 0 || is_treacherous(point))
			buf_add_text(out, "\xef\xbf\xbd");
		else
			buf_add(out, bytes_slice(in, pos, len));
		pos += len == 0 ? 1 : len;
	}
}

bool id_parse(struct bytes text, struct id *ret)
{
	return hex_parse(text, ret->at, sizeof(ret->at));
}

void id_write(const struct id *id, char out[static ID_TEXT_LEN + 1])
{
	hex_write(BYTES_ARRAY(id->at), out);
}

bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->at, b->at, sizeof(a->at)) == 0;
}
