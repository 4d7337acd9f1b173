/* The table of verbs and what they share. */
#include "api/api-internal.h"

#include "base/limits.h"

static const struct api_verb verbs[] = {
#define VERB(name, code, words) { code, verb_##name, words },
#include "api/verbs.tbl.h"
};

size_t api_verb_count(void)
{
	return sizeof(verbs) / sizeof(verbs[0]);
}

const struct api_verb *api_verb_at(size_t i)
{
	return i < api_verb_count() ? &verbs[i] : NULL;
}

const struct api_verb *api_verb_find(struct bytes name)
{
	for (size_t i = 0; i < api_verb_count(); i++)
		if (bytes_is(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

void api_problem(const struct err *e, struct buf *out)
{
	AUTO_JSON *v = json_object();
	AUTO_BUF words = { 0 };
	struct err ignored;

	/* A text that was cut inside a character is no text for JSON, and an error without words helps nobody. */
	buf_init(&words, 4 * ERR_TEXT_BYTES_MAX);
	text_printable(bytes_of(e->text), &words);
	json_put_bytes(v, "detail", buf_bytes(&words));
	json_put_text(v, "reason", reason_code(e->reason));
	json_put_int(v, "status", err_http_status(e->kind));
	json_put_text(v, "title", err_kind_name(e->kind));
	json_put_text(v, "type", "about:blank");
	if (!json_write_canonical(v, out, &ignored))
		buf_add_text(out, "{}");
}

bool in_text(const struct api_call *c, const char *member, struct bytes *ret, struct err *e)
{
	if (!json_is_string(json_object_get(c->in, member)))
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "the call needs the text \"%s\"", member);
	*ret = json_bytes(c->in, member);
	return true;
}

bool in_id(const struct api_call *c, const char *member, struct id *ret, struct err *e)
{
	struct bytes text;

	if (!in_text(c, member, &text, e))
		return false;
	return id_parse(text, ret) || err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s: \"%.*s\" is no id (32 hex characters)", member,
					      (int)(text.len < 64 ? text.len : 64), (const char *)text.at);
}

bool in_hash(const struct api_call *c, const char *member, uint8_t ret[static SHA256_BYTES], struct err *e)
{
	struct bytes text;

	if (!in_text(c, member, &text, e))
		return false;
	return hex_parse(text, ret, SHA256_BYTES) ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is no hash (64 hex characters)", member);
}

void put_id(json_t *object, const char *key, const struct id *id)
{
	char text[ID_TEXT_LEN + 1];

	id_write(id, text);
	json_put_text(object, key, text);
}

void put_hash(json_t *object, const char *key, const uint8_t hash[static SHA256_BYTES])
{
	json_put_hex(object, key, bytes_from(hash, SHA256_BYTES));
}

void put_base64(json_t *object, const char *key, struct bytes in)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, API_TEXT_BYTES_MAX);
	base64_write(in, true, &text);
	json_put_bytes(object, key, buf_bytes(&text));
}

void put_time(json_t *object, const char *key, int64_t ms)
{
	if (ms == 0)
		json_put_text(object, key, "");
	else
		json_put_time(object, key, ms);
}

void put_roles(json_t *object, const char *key, unsigned roles)
{
	json_t *list = json_array();

	for (unsigned r = 0; r < APPROVAL_ROLE_COUNT; r++)
		if ((roles & (1u << r)) != 0)
			json_array_append_new(list, json_string(approval_role_code((enum approval_role)r)));
	json_put(object, key, list);
}

void put_findings(json_t *object, const struct findings *f)
{
	json_put(object, "findings", findings_json(f));
}

int call_offset_minutes(const struct api_call *c)
{
	return (int)config_count(&c->node->config, utc_offset_minutes);
}

void put_statement_text(struct api_call *c, json_t *object, const struct statement *s)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * STATEMENT_BYTES_MAX);
	statement_print(s, call_offset_minutes(c), &text);
	json_put_bytes(object, "text", buf_bytes(&text));
}

const char *call_number(const struct node *n, const char *party)
{
	const struct party *p = register_party(n->reg, bytes_of(party));

	return p == NULL ? "" : p->callback[0] != '\0' ? p->callback : p->phone;
}
