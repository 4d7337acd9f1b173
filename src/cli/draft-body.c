/* The form of a kind is the one list of its members; everything here follows it, so that a member that a
 * kind gains can be set without a change to this file. */
#include "cli/draft-body.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"
#include "statement/statement.h"

#define PATH_DEPTH_MAX 8u

bool draft_body_form(const char *kind, json_t **ret, struct err *e)
{
	const struct kind *k = kind_find(bytes_of(kind));
	AUTO_BUF text = { 0 };
	AUTO_JSON *form = NULL;

	if (k == NULL)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "there is no kind of statement \"%s\"", kind);
	buf_init(&text, MIB);
	if (!statement_form(k, NULL, &text, e) || !json_parse(buf_bytes(&text), "form", &form, e))
		return false;
	(void)json_object_del(form, "_help");
	if (json_is_string(json_object_get(form, "urgency")))
		json_put_text(form, "urgency", "normal");
	*ret = form;
	form = NULL;
	return true;
}

/* A copy with nothing in it: what a further item of a list looks like. */
static json_t *emptied(const json_t *v)
{
	json_t *empty = NULL;
	const char *key;
	json_t *member;

	if (json_is_object(v)) {
		empty = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, member)
			json_put(empty, key, emptied(member));
	} else if (json_is_array(v)) {
		empty = json_array();
	} else if (json_is_boolean(v)) {
		empty = json_false();
	} else if (json_is_integer(v)) {
		empty = json_integer(0);
	} else {
		empty = json_string("");
	}
	if (empty == NULL)
		abort();
	return empty;
}

static json_t *merged(const json_t *form, json_t *from)
{
	json_t *list;

	if (json_is_object(form) && json_is_object(from)) {
		json_t *copy = json_deep_copy(form);

		draft_body_merge(copy, from);
		return copy;
	}
	if (!json_is_array(form) || !json_is_array(from) || json_array_size(form) == 0)
		return json_deep_copy(from);
	list = json_array();
	for (size_t i = 0; i < json_array_size(from); i++)
		if (json_array_append_new(list, merged(json_array_get(form, 0), json_array_get(from, i))) != 0)
			abort();
	return list;
}

void draft_body_merge(json_t *form, const json_t *from)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)from, key, value) {
		if (bytes_is(bytes_of(key), "_help"))
			continue;
		json_put(form, key, merged(json_object_get(form, key), value));
	}
}

static json_t *typed(const json_t *old, const char *path, const char *value, struct err *e)
{
	char time[TIME_TEXT_LEN + 1];
	bool yes = bytes_is(bytes_of(value), "yes") || bytes_is(bytes_of(value), "true");
	uint64_t n;
	json_t *text;

	if (json_is_object(old)) {
		(void)err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s has parts: set %s.PART", path, path);
		return NULL;
	}
	if (json_is_boolean(old)) {
		if (yes || bytes_is(bytes_of(value), "no") || bytes_is(bytes_of(value), "false"))
			return json_boolean(yes);
		(void)err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is yes or no, not \"%s\"", path, value);
		return NULL;
	}
	if (json_is_integer(old)) {
		if (num_parse_u64(value, INT64_MAX, &n))
			return json_integer((json_int_t)n);
		(void)err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is a whole number, not \"%s\"", path, value);
		return NULL;
	}
	text = json_string_of(bytes_of(draft_time_relative(value, time) ? time : value));
	if (text == NULL)
		(void)err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s: this is not UTF-8", path);
	return text;
}

/* One step of a path: a name, and perhaps [index]. */
struct step {
	char name[64];
	bool indexed;
	size_t index;
};

static bool step_parse(struct bytes part, struct step *ret)
{
	size_t open = bytes_find(part, '[');
	char number[16];
	uint64_t n = 0;

	if (open == 0 || open >= sizeof(ret->name))
		return false;
	memcpy(ret->name, part.at, open);
	ret->name[open] = '\0';
	ret->indexed = open < part.len;
	if (!ret->indexed)
		return true;
	if (part.at[part.len - 1] != ']' || part.len - open - 2 >= sizeof(number) || part.len - open < 3)
		return false;
	memcpy(number, part.at + open + 1, part.len - open - 2);
	number[part.len - open - 2] = '\0';
	if (!num_parse_u64(number, LIST_ITEMS_MAX, &n))
		return false;
	ret->index = (size_t)n;
	return true;
}

static json_t *item_at(json_t *list, size_t index)
{
	if (index == json_array_size(list) && index > 0 &&
	    json_array_append_new(list, emptied(json_array_get(list, 0))) != 0)
		abort();
	return json_array_get(list, index);
}

bool draft_body_set_text(json_t *body, const char *path, const char *value, struct err *e)
{
	struct bytes rest = bytes_of(path);
	json_t *at = body, *fresh;
	struct step step = { 0 };

	for (unsigned depth = 0; depth < PATH_DEPTH_MAX; depth++) {
		json_t *old;
		if (!step_parse(bytes_cut(&rest, '.'), &step))
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%s\" is no path like data[0].category", path);
		old = json_object_get(at, step.name);
		if (old == NULL)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "there is no field \"%s\" (in %s)", step.name, path);
		if (rest.len > 0) {
			at = step.indexed ? item_at(old, step.index) : json_is_array(old) ? json_array_get(old, 0) : old;
			if (!json_is_object(at))
				return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s does not lead to a field", path);
			continue;
		}
		if (json_is_array(old)) {
			fresh = typed(NULL, path, value, e);
			if (fresh != NULL && json_array_append_new(old, fresh) != 0)
				abort();
			return fresh != NULL;
		}
		fresh = typed(old, path, value, e);
		if (fresh == NULL)
			return false;
		json_put(at, step.name, fresh);
		return true;
	}
	return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is too deep", path);
}

bool draft_body_set(json_t *body, const char *assignment, struct err *e)
{
	struct bytes rest = bytes_of(assignment);
	struct bytes path = bytes_cut(&rest, '=');
	char name[256];

	if (path.len == bytes_of(assignment).len || path.len >= sizeof(name))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--set wants PATH=VALUE, not \"%.60s\"", assignment);
	memcpy(name, path.at, path.len);
	name[path.len] = '\0';
	return draft_body_set_text(body, name, assignment + path.len + 1, e);
}

static bool looks_like_clause(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] == ' ')
			return false;
	return b.len > 0 && b.at[0] >= '0' && b.at[0] <= '9';
}

bool draft_body_condition(json_t *body, const char *text, struct err *e)
{
	json_t *list = json_object_get(body, "conditions"), *item;
	struct bytes rest = bytes_of(text), clause = bytes_cut(&rest, ':');

	if (!json_is_array(list))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this kind of statement has no conditions");
	if (!looks_like_clause(clause)) {
		clause = (struct bytes){ 0 };
		rest = bytes_of(text);
	}
	while (rest.len > 0 && rest.at[0] == ' ')
		rest = bytes_slice(rest, 1, rest.len);
	if (rest.len == 0 || !utf8_is_valid(rest))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a condition needs words in UTF-8");
	item = json_object();
	json_put_bytes(item, "clause", clause);
	json_put_text(item, "kind", "use");
	json_put_bytes(item, "text", rest);
	if (json_array_append_new(list, item) != 0)
		abort();
	return true;
}

static bool is_filled(const json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		if (is_filled(member))
			return true;
	json_array_foreach((json_t *)(uintptr_t)v, i, member)
		if (is_filled(member))
			return true;
	return json_is_true(v) || json_string_length(v) > 0 || json_integer_value(v) != 0;
}

void draft_body_finish(json_t *body)
{
	const char *key;
	json_t *member;

	json_object_foreach(body, key, member) {
		for (size_t i = json_array_size(member); i-- > 0;)
			if (!is_filled(json_array_get(member, i)) && json_array_remove(member, i) != 0)
				abort();
	}
}
