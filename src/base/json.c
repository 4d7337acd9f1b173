/* JSON from outside and canonical JSON for what is signed. Parsing is jansson's with everything
 * doubtful refused; the nesting is measured before, because jansson's own limit is deeper than our
 * stack should go. Writing is our own: JCS (RFC 8785) without the part about floating-point numbers,
 * which signed JSON may not hold. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/limits.h"
#include "base/text.h"

/* I-JSON (RFC 7493): integers that every implementation can hold. */
#define JSON_INT_MAX INT64_C(9007199254740991)
#define SORT_ON_STACK 48

/* The table of an object is seeded once from the kernel, before any sandbox: jansson would open
 * /dev/urandom by itself, and fall back to the clock where it cannot. */
__attribute__((constructor)) static void json_seed(void)
{
	size_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		json_object_seed(seed);
}

static bool depth_is_fine(struct bytes in)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.at[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

bool json_parse(struct bytes in, const char *what, json_t **ret, struct err *e)
{
	json_error_t error;
	json_t *v;

	if (!depth_is_fine(in))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s is nested deeper than %u levels",
			       what, JSON_DEPTH_MAX);
	v = json_loadb((const char *)in.at, in.len, JSON_REJECT_DUPLICATES, &error);
	if (v == NULL)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: line %d, column %d: %s", what,
			       error.line, error.column, error.text);
	*ret = v;
	return true;
}

bool json_parse_canonical(struct bytes in, const char *what, json_t **ret, struct err *e)
{
	AUTO_JSON *v = NULL;
	AUTO_BUF again = { 0 };

	/* One byte more than there is: a longer spelling need not be written to its end. */
	buf_init(&again, in.len + 1);
	if (!json_parse(in, what, &v, e))
		return false;
	if (!json_write_canonical(v, &again, e) && buf_ok(&again))
		return err_note(e, "%s", what);
	if (!bytes_equal(buf_bytes(&again), in))
		return err_set(e, ERR_INPUT, REASON_NOT_CANONICAL,
			       "%s is not in canonical form (RFC 8785)", what);
	*ret = v;
	v = NULL;
	return true;
}

/* RFC 8785 3.2.3: keys sort by UTF-16 code units. That is the order of their UTF-8 bytes, but for
 * one case: code points above U+FFFF begin with a surrogate (D800..DBFF), and so come before
 * U+E000..U+FFFF. The first bytes of the two are F0..F4 and EE..EF. */
static int key_compare(const void *a, const void *b)
{
	const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;

	while (*x == *y && *x != '\0') {
		x++;
		y++;
	}
	if (*x >= 0xee && *y >= 0xee && (*x >= 0xf0) != (*y >= 0xf0))
		return *x >= 0xf0 ? -1 : 1;
	return (int)*x - (int)*y;
}

/* RFC 8785 3.2.2.2: the shortest escapes, and none where none is needed. */
static bool write_string(struct bytes in, struct buf *out, struct err *e)
{
	size_t done = 0;

	buf_add_u8(out, '"');
	for (size_t i = 0; i < in.len; i++) {
		static const char shorts[] = "btn\0fr"; /* 8..13; there is none for 11 */
		uint8_t c = in.at[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, bytes_slice(in, done, i - done));
		done = i + 1;
		if (c == 0)
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "text holds a NUL character");
		if (c == '"' || c == '\\') {
			buf_add_u8(out, '\\');
			buf_add_u8(out, c);
		} else if (c >= 8 && c <= 13 && shorts[c - 8] != '\0') {
			buf_add_u8(out, '\\');
			buf_add_u8(out, (uint8_t)shorts[c - 8]);
		} else {
			buf_add_format(out, "\\u%04x", c);
		}
	}
	buf_add(out, bytes_slice(in, done, in.len - done));
	buf_add_u8(out, '"');
	return true;
}

static bool write_value(const json_t *v, unsigned depth, struct buf *out, struct err *e);

static bool write_object(const json_t *v, unsigned depth, struct buf *out, struct err *e)
{
	const char *on_stack[SORT_ON_STACK];
	const char **keys = on_stack;
	size_t count = json_object_size(v), n = 0;
	bool ok = true;
	void *it = json_object_iter((json_t *)(uintptr_t)v);

	if (count > SORT_ON_STACK) {
		keys = calloc(count, sizeof(*keys));
		if (keys == NULL)
			abort();
	}
	for (; it != NULL && n < count; it = json_object_iter_next((json_t *)(uintptr_t)v, it))
		keys[n++] = json_object_iter_key(it);
	if (n > 1)
		qsort(keys, n, sizeof(*keys), key_compare);
	buf_add_u8(out, '{');
	for (size_t i = 0; i < n && ok; i++) {
		if (i > 0)
			buf_add_u8(out, ',');
		ok = write_string(bytes_of(keys[i]), out, e);
		buf_add_u8(out, ':');
		ok = ok && write_value(json_object_get(v, keys[i]), depth, out, e);
	}
	buf_add_u8(out, '}');
	if (keys != on_stack)
		free(keys);
	return ok;
}

static bool write_array(const json_t *v, unsigned depth, struct buf *out, struct err *e)
{
	buf_add_u8(out, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			buf_add_u8(out, ',');
		if (!write_value(json_array_get(v, i), depth, out, e))
			return false;
	}
	buf_add_u8(out, ']');
	return true;
}

static bool write_value(const json_t *v, unsigned depth, struct buf *out, struct err *e)
{
	json_int_t number;

	if (!buf_ok(out))
		return true; /* told at the end, once */
	if (v == NULL || depth > JSON_DEPTH_MAX)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "nested deeper than %u levels",
			       JSON_DEPTH_MAX);
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return write_object(v, depth + 1, out, e);
	case JSON_ARRAY:
		return write_array(v, depth + 1, out, e);
	case JSON_STRING:
		return write_string(bytes_from(json_string_value(v), json_string_length(v)), out, e);
	case JSON_INTEGER:
		number = json_integer_value(v);
		if (number > JSON_INT_MAX || number < -JSON_INT_MAX)
			return err_set(e, ERR_INPUT, REASON_NOT_CANONICAL,
				       "signed JSON holds no integers beyond 2^53-1");
		buf_add_format(out, "%lld", (long long)number);
		return true;
	case JSON_TRUE:
		buf_add_text(out, "true");
		return true;
	case JSON_FALSE:
		buf_add_text(out, "false");
		return true;
	case JSON_REAL:
	case JSON_NULL:
		break;
	}
	return err_set(e, ERR_INPUT, REASON_NOT_CANONICAL, "signed JSON holds no null and no fractions");
}

bool json_write_canonical(const json_t *v, struct buf *out, struct err *e)
{
	return write_value(v, 0, out, e) && buf_check(out, "JSON", e);
}

static int add_to_buf(const char *at, size_t len, void *ctx)
{
	struct buf *out = ctx;

	buf_add(out, bytes_from(at, len));
	return buf_ok(out) ? 0 : -1;
}

bool json_write_pretty(const json_t *v, struct buf *out, struct err *e)
{
	if (json_dump_callback(v, add_to_buf, out, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0 && buf_ok(out))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "this cannot be written as JSON");
	buf_add_u8(out, '\n');
	return buf_check(out, "JSON", e);
}

void json_free_at(json_t **v)
{
	json_decref(*v);
	*v = NULL;
}
