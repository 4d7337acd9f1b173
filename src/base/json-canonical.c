/* A reader for canonical JSON alone. What is signed has one spelling (RFC 8785), so its grammar is small: no
 * white space, keys in order, the shortest escapes, plain integers. Text in that spelling is read here in
 * one pass, several times faster than by reading any JSON and writing it again to compare; any other is
 * refused without a reason, and json.c reads it the slow way to say what is wrong. It accepts nothing that
 * the slow way would not accept with the same value (test-json.c and fuzz-json.c compare them). */
#include <stdlib.h>
#include <string.h>

#include "base/json-internal.h"
#include "base/limits.h"
#include "base/text.h"

#define KEY_BYTES_MAX 128u /* longer ones are read the slow way */

struct at {
	const uint8_t *p, *end;
	unsigned depth;
};

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
/* The high bit of some byte is set when a byte of v is zero, or below n (at most 0x80). */
#define HAS_ZERO(v) (((v) - EACH(1)) & ~(v) & EACH(0x80))
#define HAS_BELOW(v, n) (((v) - EACH(n)) & ~(v) & EACH(0x80))

size_t json_plain_run(struct bytes in, size_t from, bool *ascii)
{
	size_t i = from;
	uint64_t high = 0;

	for (;;) {
		uint64_t v;

		if (in.len - i < sizeof(v))
			break;
		memcpy(&v, in.at + i, sizeof(v));
		if ((HAS_BELOW(v, 0x20) | HAS_ZERO(v ^ EACH('"')) | HAS_ZERO(v ^ EACH('\\'))) != 0)
			break;
		high |= v;
		i += sizeof(v);
	}
	for (; i < in.len && in.at[i] >= 0x20 && in.at[i] != '"' && in.at[i] != '\\'; i++)
		high |= in.at[i];
	if (ascii != NULL && (high & EACH(0x80)) != 0)
		*ascii = false;
	return i - from;
}

static struct bytes left(const struct at *a)
{
	return bytes_from(a->p, (size_t)(a->end - a->p));
}

static bool take(struct at *a, uint8_t c)
{
	if (a->p == a->end || *a->p != c)
		return false;
	a->p++;
	return true;
}

static bool take_text(struct at *a, const char *text)
{
	if (!bytes_starts(left(a), text))
		return false;
	a->p += strlen(text);
	return true;
}

/* After the backslash: the one escape that RFC 8785 3.2.2.2 gives to this character. */
static bool escape(struct at *a, struct buf *out)
{
	static const char shorts[] = "\"\\btnfr", means[] = "\"\\\b\t\n\f\r";
	static const char digits[] = "0123456789abcdef";

	if (a->p == a->end)
		return false;
	const char *found = *a->p != '\0' ? strchr(shorts, *a->p) : NULL;
	if (found != NULL) {
		buf_add_u8(out, (uint8_t)means[found - shorts]);
		a->p++;
		return true;
	}
	if (a->end - a->p < 5 || memcmp(a->p, "u00", 3) != 0 || (a->p[3] != '0' && a->p[3] != '1'))
		return false;
	const char *low = a->p[4] != '\0' ? strchr(digits, a->p[4]) : NULL;
	if (low == NULL)
		return false;
	uint8_t c = (uint8_t)((a->p[3] - '0') << 4 | (low - digits));
	if (c == 0 || strchr(means, c) != NULL)
		return false;
	buf_add_u8(out, c);
	a->p += 5;
	return true;
}

static json_t *string_new(struct bytes text, bool ascii)
{
	if (!ascii && !utf8_is_valid(text))
		return NULL;
	json_t *v = json_stringn_nocheck(text.len > 0 ? (const char *)text.at : "", text.len);
	if (v == NULL)
		abort();
	return v;
}

/* After the opening quote. */
static json_t *read_string(struct at *a)
{
	bool ascii = true;
	size_t run = json_plain_run(left(a), 0, &ascii);
	struct bytes plain = bytes_from(a->p, run);
	AUTO_BUF text = { 0 };

	a->p += run;
	if (take(a, '"'))
		return string_new(plain, ascii);
	buf_init(&text, run + left(a).len);
	buf_add(&text, plain);
	while (!take(a, '"')) {
		run = json_plain_run(left(a), 0, &ascii);
		buf_add(&text, bytes_from(a->p, run));
		a->p += run;
		if (a->p == a->end || (*a->p != '"' && (!take(a, '\\') || !escape(a, &text))))
			return NULL;
	}
	return buf_ok(&text) ? string_new(buf_bytes(&text), ascii) : NULL;
}

static json_t *read_integer(struct at *a)
{
	bool minus = take(a, '-');
	const uint8_t *first = a->p;
	int64_t v = 0;

	for (; a->p < a->end && *a->p >= '0' && *a->p <= '9'; a->p++) {
		v = v * 10 + (*a->p - '0');
		if (v > JSON_INT_MAX)
			return NULL;
	}
	if (a->p == first || (*first == '0' && (minus || a->p - first > 1)))
		return NULL;
	json_t *ret = json_integer(minus ? -v : v);
	if (ret == NULL)
		abort();
	return ret;
}

static json_t *read_value(struct at *a);

static json_t *read_array(struct at *a)
{
	AUTO_JSON *list = json_array();
	json_t *ret, *v;

	if (take(a, ']'))
		goto done;
	do {
		v = read_value(a);
		if (v == NULL)
			return NULL;
		if (json_array_append_new(list, v) != 0)
			abort();
	} while (take(a, ','));
	if (!take(a, ']'))
		return NULL;
done:
	ret = list;
	list = NULL;
	return ret;
}

/* Keys rise strictly, so none comes twice. */
static bool read_key(struct at *a, char key[static KEY_BYTES_MAX + 1], bool first)
{
	char before[KEY_BYTES_MAX + 1];
	bool ascii = true;

	memcpy(before, key, sizeof(before));
	if (!take(a, '"'))
		return false;
	size_t len = json_plain_run(left(a), 0, &ascii);
	struct bytes text = bytes_from(a->p, len);
	if (len > KEY_BYTES_MAX || (!ascii && !utf8_is_valid(text)))
		return false;
	if (len > 0)
		memcpy(key, text.at, len);
	key[len] = '\0';
	a->p += len;
	return take_text(a, "\":") && (first || json_key_compare(before, key) < 0);
}

static json_t *read_object(struct at *a)
{
	AUTO_JSON *object = json_object();
	char key[KEY_BYTES_MAX + 1] = "";
	json_t *ret, *v;
	bool first = true;

	if (take(a, '}'))
		goto done;
	do {
		if (!read_key(a, key, first) || (v = read_value(a)) == NULL)
			return NULL;
		if (json_object_set_new_nocheck(object, key, v) != 0)
			abort();
		first = false;
	} while (take(a, ','));
	if (!take(a, '}'))
		return NULL;
done:
	ret = object;
	object = NULL;
	return ret;
}

static json_t *read_nested(struct at *a, json_t *(*read)(struct at *a))
{
	if (a->depth == JSON_DEPTH_MAX)
		return NULL;
	a->depth++;
	json_t *v = read(a);
	a->depth--;
	return v;
}

static json_t *read_value(struct at *a)
{
	if (take(a, '"'))
		return read_string(a);
	if (take(a, '{'))
		return read_nested(a, read_object);
	if (take(a, '['))
		return read_nested(a, read_array);
	if (take_text(a, "true"))
		return json_true();
	if (take_text(a, "false"))
		return json_false();
	return read_integer(a);
}

json_t *json_read_canonical(struct bytes in)
{
	struct at a = { .p = in.at, .end = in.at + in.len };
	AUTO_JSON *v = NULL;

	if (!bytes_starts(in, "{") && !bytes_starts(in, "["))
		return NULL;
	v = read_value(&a);
	if (v == NULL || a.p != a.end)
		return NULL;
	json_t *ret = v;
	v = NULL;
	return ret;
}
