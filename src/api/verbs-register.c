/* Verbs about who is who. */
#include "api/api-internal.h"

#include "base/limits.h"
#include "exchange/directory.h"

bool verb_register_describe(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	if (!directory_describe(c->node, hash, e) || !node_act_json(c->node, hash, &act, e))
		return false;
	json_put_bytes(c->out, "act", buf_bytes(&act));
	put_hash(c->out, "hash", hash);
	put_hash(c->out, "fingerprint", hash);
	return true;
}

bool verb_register_pin(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	const char *party;
	struct bytes act;

	if (!in_text(c, "act", &act, e) || !in_hash(c, "hash", hash, e) || !directory_pin(c->node, act, hash, &party, e))
		return false;
	json_put_text(c->out, "party", party);
	return true;
}

bool verb_register_admit(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	struct bytes act;

	if (!in_text(c, "act", &act, e) || !directory_admit(c->node, act, hash, e))
		return false;
	put_hash(c->out, "hash", hash);
	return true;
}

bool verb_register_root(struct api_call *c, struct err *e)
{
	uint8_t fingerprint[SHA256_BYTES];
	struct bytes envelope;
	int64_t version;

	if (!in_text(c, "envelope", &envelope, e) || !directory_root(c->node, envelope, &version, fingerprint, e))
		return false;
	json_put_int(c->out, "version", version);
	put_hash(c->out, "fingerprint", fingerprint);
	return true;
}

bool verb_register_publish(struct api_call *c, struct err *e)
{
	uint64_t size;
	size_t entries;

	if (!directory_publish(c->node, &entries, &size, e))
		return false;
	json_put_int(c->out, "entries", (int64_t)entries);
	json_put_int(c->out, "size", (int64_t)size);
	return true;
}

bool verb_register_refresh(struct api_call *c, struct err *e)
{
	if (config_text(&c->node->config, register_url)[0] == '\0')
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "comity.conf has no register_url");
	c->node->refresh_wanted = true;
	return true;
}

bool verb_register_load(struct api_call *c, struct err *e)
{
	struct bytes bundle;
	size_t entries;
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 64 * KIB);
	if (!in_text(c, "bundle", &bundle, e) || !directory_take(c->node, bundle, &entries, &problems, e))
		return false;
	json_put_int(c->out, "entries", (int64_t)entries);
	json_put_bytes(c->out, "problems", buf_bytes(&problems));
	return true;
}

bool verb_register_policy(struct api_call *c, struct err *e)
{
	struct bytes party, text, from = json_bytes(c->in, "from");
	uint8_t hash[SHA256_BYTES];
	int64_t age, from_ms = 0;
	AUTO_BUF warnings = { 0 };

	buf_init(&warnings, 64 * KIB);
	if (!in_text(c, "party", &party, e) || !in_text(c, "policy", &text, e) ||
	    !json_must_int(c->in, "max_age_s", 1, POLICY_AGE_S_MAX, &age, e))
		return false;
	if (from.len > 0 && !time_parse(from, &from_ms))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field from is no time");
	if (!directory_policy(c->node, party, text, age, from_ms, hash, &warnings, e))
		return false;
	put_hash(c->out, "hash", hash);
	json_put_bytes(c->out, "warnings", buf_bytes(&warnings));
	return true;
}

static void put_policies(json_t *out, const struct register_ *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < register_policy_count(r); i++) {
		const struct register_policy *p = register_policy_at(r, i), *next = register_policy_at(r, i + 1);
		json_t *v = json_object();

		json_put_text(v, "party", p->party);
		json_put_text(v, "policy", p->text);
		json_put_int(v, "max_age_s", p->max_age_ms / 1000);
		put_time(v, "from", p->from);
		put_time(v, "until", next != NULL && strcmp(next->party, p->party) == 0 ? next->from : 0);
		put_hash(v, "hash", p->hash);
		if (json_array_append_new(list, v) != 0)
			abort();
	}
	json_put(out, "policies", list);
}

bool verb_register_show(struct api_call *c, struct err *e)
{
	const struct register_ *r = c->node->reg;
	const uint8_t *fingerprint = register_root_fingerprint(r);
	json_t *parties = json_array();

	json_put_text(c->out, "origin", register_origin(r));
	json_put_int(c->out, "size", (int64_t)register_size(r));
	put_time(c->out, "time", register_time(r));
	json_put_text(c->out, "state", directory_state(c->node));
	json_put_hex(c->out, "fingerprint", bytes_from(fingerprint, fingerprint != NULL ? SHA256_BYTES : 0));
	for (size_t i = 0; i < register_count(r); i++) {
		const struct party *p = register_at(r, i);
		json_t *v = party_to_json(p);
		AUTO_BUF text = { 0 };
		buf_init(&text, 64 * KIB);
		party_print(p, call_offset_minutes(c), &text);
		json_put_bool(v, "pinned", p->pinned);
		put_hash(v, "entry", p->entry_hash);
		json_put_bytes(v, "text", buf_bytes(&text));
		json_array_append_new(parties, v);
	}
	json_put(c->out, "parties", parties);
	put_policies(c->out, r);
	return true;
}

bool verb_register_bundle(struct api_call *c, struct err *e)
{
	AUTO_BUF bundle = { 0 };

	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!directory_bundle(c->node, &bundle, e))
		return false;
	if (bundle.len == 0)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no register bundle");
	json_put_bytes(c->out, "bundle", buf_bytes(&bundle));
	return true;
}
