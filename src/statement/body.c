/* One walk over a table of members, four times: parse, print, form, is-it-filled. A body has exactly the
 * members of its table; a member that does not fit is named with its place ("data[2]: the field from
 * ..."). Whether something that the law wants is missing is not asked here: an empty text is a shape
 * too. Text from outside reaches people only through text_printable. */
#include "statement/body.h"

#include <inttypes.h>

const struct member *shape_find(const struct shape *s, struct bytes name)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_is(name, s->members[i].name))
			return &s->members[i];
	return NULL;
}

static bool choice_has(const char *choices, struct bytes value)
{
	struct bytes rest = bytes_of(choices);

	while (rest.len > 0)
		if (bytes_equal(bytes_cut(&rest, '|'), value))
			return true;
	return false;
}

static bool parse_text(const json_t *v, const struct member *m, struct err *e)
{
	struct bytes b = json_bytes(v, m->name);
	uint8_t hash[SHA256_BYTES];
	struct id id;
	int64_t ms;

	if (m->optional && b.len == 0)
		return true;
	if (m->type == MEMBER_TEXT) {
		if (b.len < (size_t)m->min)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "the field %s is empty", m->name);
		if (b.len > (size_t)m->max)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the field %s is longer than %" PRId64 " bytes",
				       m->name, m->max);
		return true;
	}
	if (m->type == MEMBER_TIME)
		return time_parse(b, &ms) || err_set(e, ERR_INPUT, REASON_BAD_FIELD,
						     "the field %s is not a time like 2026-11-23T02:10:00.000Z", m->name);
	if (m->type == MEMBER_HASH)
		return hex_parse(b, hash, sizeof(hash)) ||
		       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is not 64 lower-case hex digits", m->name);
	if (m->type == MEMBER_ID)
		return id_parse(b, &id) || err_set(e, ERR_INPUT, REASON_BAD_FIELD,
						   "the field %s is not an id of 32 lower-case hex digits", m->name);
	return choice_has(m->choices, b) ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is none of %s", m->name, m->choices);
}

static bool parse_item(const json_t *item, const struct member *m, struct err *e)
{
	struct bytes b = bytes_from(json_string_value(item), json_string_length(item));
	uint8_t hash[SHA256_BYTES];

	if (m->type == MEMBER_LIST)
		return body_parse(item, m->of, e);
	if (!json_is_string(item))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is not text");
	if (m->type == MEMBER_HASHES)
		return hex_parse(b, hash, sizeof(hash)) ||
		       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is not 64 lower-case hex digits");
	if (m->type == MEMBER_CHOICES)
		return choice_has(m->choices, b) ||
		       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is none of %s", m->choices);
	return (b.len > 0 && b.len <= LINE_BYTES_MAX) ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is empty or longer than %u bytes", LINE_BYTES_MAX);
}

static bool parse_list(const json_t *list, const struct member *m, struct err *e)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is not a list", m->name);
	if (n < (size_t)m->min || n > (size_t)m->max)
		return err_set(e, n > (size_t)m->max ? ERR_LIMIT : ERR_INPUT,
			       n > (size_t)m->max ? REASON_TOO_LARGE : REASON_MISSING_FIELD,
			       "the field %s has %zu items; %" PRId64 " to %" PRId64 " are allowed", m->name, n, m->min,
			       m->max);
	for (size_t i = 0; i < n; i++) {
		if (!parse_item(json_array_get(list, i), m, e))
			return err_note(e, "%s[%zu]", m->name, i);
		for (size_t j = 0; m->type == MEMBER_CHOICES && j < i; j++)
			if (json_equal(json_array_get(list, i), json_array_get(list, j)))
				return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s[%zu] is there twice", m->name, i);
	}
	return true;
}

static bool parse_member(const json_t *v, const struct member *m, struct err *e)
{
	const json_t *value = json_object_get(v, m->name);
	const char *text;
	int64_t n;

	if (value == NULL && m->may_miss)
		return true;
	if (value == NULL)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "the field %s is missing", m->name);
	switch (m->type) {
	case MEMBER_COUNT:
		return json_must_int(v, m->name, m->min, m->max, &n, e);
	case MEMBER_FLAG:
		return json_is_boolean(value) ||
		       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is neither true nor false", m->name);
	case MEMBER_OBJECT:
		return body_parse(value, m->of, e) || err_note(e, "%s", m->name);
	case MEMBER_LIST:
	case MEMBER_TEXTS:
	case MEMBER_HASHES:
	case MEMBER_CHOICES:
		return parse_list(value, m, e);
	case MEMBER_TEXT:
	case MEMBER_TIME:
	case MEMBER_HASH:
	case MEMBER_ID:
	case MEMBER_CHOICE:
		break;
	}
	return json_must_text(v, m->name, &text, e) && parse_text(v, m, e);
}

bool body_parse(const json_t *v, const struct shape *s, struct err *e)
{
	const char *key;
	json_t *value;
	size_t known = 0;
	AUTO_BUF clean = { 0 };

	if (!json_is_object(v))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is not an object");
	for (size_t i = 0; i < s->count; i++) {
		if (!parse_member(v, &s->members[i], e))
			return false;
		known += json_object_get(v, s->members[i].name) != NULL;
	}
	if (json_object_size(v) == known)
		return true;
	buf_init(&clean, LINE_BYTES_MAX);
	json_object_foreach((json_t *)(uintptr_t)v, key, value)
		if (shape_find(s, bytes_of(key)) == NULL && clean.len == 0)
			text_printable(bytes_slice(bytes_of(key), 0, 40), &clean);
	return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field \"%s\" does not belong here", buf_text(&clean));
}

bool body_is_filled(const json_t *v)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, value)
			if (body_is_filled(value))
				return true;
		return false;
	}
	if (json_is_array(v)) {
		json_array_foreach((json_t *)(uintptr_t)v, i, value)
			if (body_is_filled(value))
				return true;
		return false;
	}
	return json_is_true(v) || json_string_length(v) > 0 || json_integer_value(v) > 0;
}

static void print_indent(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_add_text(out, "  ");
}

/* Lines after the first are marked, so that no text can look like another field. */
static void print_text(struct bytes text, struct buf *out)
{
	text_printable(bytes_cut(&text, '\n'), out);
	while (text.len > 0) {
		buf_add_text(out, "\n    | ");
		text_printable(bytes_cut(&text, '\n'), out);
	}
}

static void print_value(const json_t *value, const struct member *m, int offset_minutes, struct buf *out)
{
	struct bytes b = bytes_from(json_string_value(value), json_string_length(value));
	char people[64];
	int64_t ms;

	if (json_is_boolean(value)) {
		buf_add_text(out, json_is_true(value) ? "yes" : "no");
	} else if (json_is_integer(value)) {
		buf_add_format(out, "%" PRId64, (int64_t)json_integer_value(value));
	} else if (m->type == MEMBER_TIME && time_parse(b, &ms)) {
		time_write_people(ms, offset_minutes, people);
		buf_add_text(out, people);
	} else {
		print_text(b, out);
	}
}

static void print_object(const json_t *v, const struct shape *s, int offset_minutes, unsigned depth, struct buf *out);

static void print_list(const json_t *list, const struct member *m, int offset_minutes, unsigned depth,
		       struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		print_indent(depth, out);
		if (m->type == MEMBER_LIST) {
			buf_add_format(out, "%s %zu:\n", m->words, i + 1);
			print_object(item, m->of, offset_minutes, depth + 1, out);
			continue;
		}
		buf_add_format(out, "%s: ", m->words);
		print_value(item, m, offset_minutes, out);
		buf_add_u8(out, '\n');
	}
}

static void print_object(const json_t *v, const struct shape *s, int offset_minutes, unsigned depth, struct buf *out)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];
		const json_t *value = json_object_get(v, m->name);

		if (m->type != MEMBER_FLAG && m->type != MEMBER_COUNT && !body_is_filled(value))
			continue;
		if (m->zero_is_none && json_integer_value(value) == 0)
			continue;
		if (json_is_array(value)) {
			print_list(value, m, offset_minutes, depth, out);
			continue;
		}
		print_indent(depth, out);
		buf_add_format(out, "%s:", m->words);
		if (json_is_object(value)) {
			buf_add_u8(out, '\n');
			print_object(value, m->of, offset_minutes, depth + 1, out);
			continue;
		}
		buf_add_u8(out, ' ');
		print_value(value, m, offset_minutes, out);
		buf_add_u8(out, '\n');
	}
}

void body_print(const json_t *v, const struct shape *s, int offset_minutes, struct buf *out)
{
	print_object(v, s, offset_minutes, 1, out);
}

static json_t *made(json_t *v)
{
	if (v == NULL)
		abort();
	return v;
}

static json_t *form_of(const struct member *m)
{
	json_t *list;

	switch (m->type) {
	case MEMBER_COUNT:
		return made(json_integer(m->min));
	case MEMBER_FLAG:
		return json_false();
	case MEMBER_OBJECT:
		return body_form(m->of);
	case MEMBER_LIST:
		list = made(json_array());
		if (json_array_append_new(list, body_form(m->of)) != 0)
			abort();
		return list;
	case MEMBER_TEXTS:
	case MEMBER_HASHES:
	case MEMBER_CHOICES:
		return made(json_array());
	case MEMBER_TEXT:
	case MEMBER_TIME:
	case MEMBER_HASH:
	case MEMBER_ID:
	case MEMBER_CHOICE:
		break;
	}
	return made(json_string(""));
}

json_t *body_form(const struct shape *s)
{
	json_t *v = made(json_object());

	for (size_t i = 0; i < s->count; i++)
		json_put(v, s->members[i].name, form_of(&s->members[i]));
	return v;
}

bool body_time(const json_t *body, const char *name, int64_t *ret_ms)
{
	return time_parse(json_bytes(body, name), ret_ms);
}

void body_must_text(const json_t *body, const char *name, const char *clause, struct findings *f, const char *sentence)
{
	if (json_bytes(body, name).len == 0)
		finding_add(f, FINDING_STOP, name, clause, REASON_MISSING_FIELD, "%s", sentence);
}
