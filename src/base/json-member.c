/* Members of JSON objects: reading them, with and without insisting, and putting them in. Putting
 * aborts when memory is gone. Text that is not UTF-8, or that holds a NUL, cannot stand in JSON: the
 * doubtful bytes become U+FFFD, so that a stray byte in a message for people stops nothing. What is
 * signed came through json_parse or is refused by its kind before. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

struct bytes json_bytes(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_string(v))
		return (struct bytes){ 0 };
	return bytes_from(json_string_value(v), json_string_length(v));
}

const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

int64_t json_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool json_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* The member when it is of this type. What is missing and what is wrong are told apart. */
static bool must_be(const json_t *object, const char *key, json_type type, const char *type_name,
		    const json_t **ret, struct err *e)
{
	const json_t *v = json_object_get(object, key);

	if (v == NULL)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "the field %s is missing", key);
	if (json_typeof(v) != type)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is not %s", key, type_name);
	*ret = v;
	return true;
}

bool json_must_text(const json_t *object, const char *key, const char **ret, struct err *e)
{
	const json_t *v = NULL;

	if (!must_be(object, key, JSON_STRING, "text", &v, e))
		return false;
	/* Values put together in memory can hold one; parsed ones cannot. */
	if (memchr(json_string_value(v), 0, json_string_length(v)) != NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s holds a NUL", key);
	*ret = json_string_value(v);
	return true;
}

bool json_must_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		   struct err *e)
{
	const json_t *v = NULL;

	if (!must_be(object, key, JSON_INTEGER, "a whole number", &v, e))
		return false;
	if (json_integer_value(v) < min || json_integer_value(v) > max)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the field %s is not between %lld and %lld", key, (long long)min,
			       (long long)max);
	*ret = json_integer_value(v);
	return true;
}

bool json_must_hex(const json_t *object, const char *key, uint8_t *out, size_t len, struct err *e)
{
	const json_t *v = NULL;

	if (!must_be(object, key, JSON_STRING, "text", &v, e))
		return false;
	if (!hex_parse(bytes_from(json_string_value(v), json_string_length(v)), out, len))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the field %s is not %zu lower-case hex digits", key, 2 * len);
	return true;
}

json_t *json_string_of(struct bytes utf8)
{
	json_t *v;

	if (!utf8_is_valid(utf8) || bytes_find(utf8, 0) != utf8.len)
		return NULL;
	v = json_stringn_nocheck(utf8.len == 0 ? "" : (const char *)utf8.at, utf8.len);
	if (v == NULL)
		abort();
	return v;
}

void json_put(json_t *object, const char *key, json_t *taken)
{
	if (taken == NULL || json_object_set_new(object, key, taken) != 0)
		abort();
}

void json_put_bytes(json_t *object, const char *key, struct bytes utf8)
{
	json_t *v = json_string_of(utf8);

	if (v == NULL) {
		AUTO_BUF clean = { 0 };

		buf_init(&clean, SIZE_MAX / 4);
		text_printable(utf8, &clean);
		if (!buf_ok(&clean))
			abort();
		v = json_string_of(buf_bytes(&clean));
	}
	json_put(object, key, v);
}

void json_put_text(json_t *object, const char *key, const char *text)
{
	json_put_bytes(object, key, bytes_of(text));
}

void json_put_int(json_t *object, const char *key, int64_t v)
{
	json_put(object, key, json_integer(v));
}

void json_put_bool(json_t *object, const char *key, bool v)
{
	json_put(object, key, json_boolean(v));
}

void json_put_hex(json_t *object, const char *key, struct bytes in)
{
	AUTO_BUF hex = { 0 };

	buf_init(&hex, SIZE_MAX / 4);
	buf_add_hex(&hex, in);
	if (!buf_ok(&hex))
		abort();
	json_put_bytes(object, key, buf_bytes(&hex));
}

void json_put_time(json_t *object, const char *key, int64_t ms)
{
	char text[TIME_TEXT_LEN + 1];

	time_write(ms, text);
	json_put_text(object, key, text);
}
