/* One party, as its register entry says: the body of a register-entry statement turned into a value and
 * back. A body has one spelling: what is read must write back to the same JSON, so an unknown member, a
 * second order of roles or another spelling of a time is refused. All keys within one entry (statement
 * keys, log key, sealing key, TLS pin, approvers' keys) are different, so that whoever holds one of them
 * can never act as another: a node is no approver, and one person never two. */
#include "register/register-internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* A slot of a day, and what a log of one slot could hold in memory: beyond is a slip of the pen. */
#define SLOT_MS_MAX DAY_MS
#define LEAVES_PER_SLOT_MAX 100000

/* The texts live in `body`. party comes first, so that party_free finds the whole. */
struct party_memory {
	struct party party;
	json_t *body;
};

/* Members that are text: name, place, bytes at least and at most, words for people. */
struct party_text {
	const char *key;
	size_t at;
	size_t bytes_min, bytes_max;
	const char *words;
};
static const struct party_text party_texts[] = {
	{ "code", offsetof(struct party, code), 2, PARTY_CODE_LEN_MAX, "code" },
	{ "name", offsetof(struct party, name), 1, LINE_BYTES_MAX, "name" },
	{ "authority", offsetof(struct party, authority), 0, LINE_BYTES_MAX, "authority" },
	{ "contact_name", offsetof(struct party, contact_name), 0, LINE_BYTES_MAX, "contact point" },
	{ "phone", offsetof(struct party, phone), 0, LINE_BYTES_MAX, "telephone" },
	{ "callback", offsetof(struct party, callback), 0, LINE_BYTES_MAX, "call back to check" },
	{ "languages", offsetof(struct party, languages), 0, LINE_BYTES_MAX, "languages" },
	{ "timezone", offsetof(struct party, timezone), 0, LINE_BYTES_MAX, "time zone" },
	{ "carries_out", offsetof(struct party, carries_out), 0, LINE_BYTES_MAX, "carries out itself (arts.)" },
	{ "endpoint", offsetof(struct party, endpoint), 0, LINE_BYTES_MAX, "endpoint for nodes" },
	{ "public_endpoint", offsetof(struct party, public_endpoint), 0, LINE_BYTES_MAX, "public endpoint" },
};
#define PARTY_TEXT_COUNT (sizeof(party_texts) / sizeof(party_texts[0]))

static const char *text_at(const struct party *p, const struct party_text *t)
{
	const char *text;

	memcpy(&text, (const char *)p + t->at, sizeof(text));
	return text == NULL ? "" : text;
}

bool party_key_valid(const struct party *p, const uint8_t key[static SIGN_PUBLIC_BYTES], int64_t at_ms)
{
	for (size_t i = 0; i < p->key_count; i++) {
		const struct register_key *k = &p->keys[i];

		if (memcmp(k->key, key, SIGN_PUBLIC_BYTES) == 0)
			return k->from <= at_ms && (k->until == 0 || at_ms < k->until) &&
			       (k->compromised == 0 || at_ms < k->compromised);
	}
	return false;
}

const struct register_approver *party_approver(const struct party *p, struct bytes name)
{
	for (size_t i = 0; i < p->approver_count; i++) {
		if (bytes_is(name, p->approvers[i].name))
			return &p->approvers[i];
	}
	return NULL;
}

size_t party_all_keys(const struct party *p, struct party_held ret[static PARTY_HELD_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->key_count; i++)
		ret[n++] = (struct party_held){ p->keys[i].key, "signing key", p };
	ret[n++] = (struct party_held){ p->log_key.public_key, "log key", p };
	ret[n++] = (struct party_held){ p->seal.x25519, "sealing key", p };
	ret[n++] = (struct party_held){ p->tls_spki, "TLS pin", p };
	if (p->has_witness)
		ret[n++] = (struct party_held){ p->witness_key.public_key, "witness key", p };
	for (size_t i = 0; i < p->retired_count; i++)
		ret[n++] = (struct party_held){ p->retired[i].log_key.public_key, "retired log key", p };
	for (size_t i = 0; i < p->approver_count; i++)
		ret[n++] = (struct party_held){ p->approvers[i].key, "approver's key", p };
	return n;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void put_time(json_t *v, const char *key, int64_t ms)
{
	if (ms == 0)
		json_put_text(v, key, "");
	else
		json_put_time(v, key, ms);
}

static void append(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

static json_t *approvers_to_json(const struct party *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->approver_count; i++) {
		const struct register_approver *a = &p->approvers[i];
		json_t *v = json_object(), *roles = json_array();

		for (unsigned r = 0; r < APPROVAL_ROLE_COUNT; r++) {
			if (a->roles & 1u << r)
				append(roles, json_string(approval_role_code((enum approval_role)r)));
		}
		json_put_hex(v, "key", BYTES_ARRAY(a->key));
		json_put_text(v, "name", a->name);
		json_put(v, "roles", roles);
		append(list, v);
	}
	return list;
}

static json_t *keys_to_json(const struct party *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->key_count; i++) {
		json_t *v = json_object();

		put_time(v, "compromised", p->keys[i].compromised);
		put_time(v, "from", p->keys[i].from);
		json_put_hex(v, "key", BYTES_ARRAY(p->keys[i].key));
		put_time(v, "until", p->keys[i].until);
		append(list, v);
	}
	return list;
}

json_t *party_to_json(const struct party *p)
{
	json_t *v = json_object();
	char seal[AGE_RECIPIENT_LEN + 1];
	AUTO_BUF log = { 0 };

	buf_init(&log, KIB);
	for (size_t i = 0; i < PARTY_TEXT_COUNT; i++)
		json_put_text(v, party_texts[i].key, text_at(p, &party_texts[i]));
	json_put(v, "approvers", approvers_to_json(p));
	json_put_bool(v, "fictional", p->fictional);
	put_time(v, "in_force_from", p->in_force_from);
	json_put(v, "keys", keys_to_json(p));
	json_put_int(v, "leaves_per_slot", p->leaves_per_slot);
	note_key_write(&p->log_key, &log);
	json_put_text(v, "log", buf_text(&log));
	json_put_bool(v, "reservation_42_5", p->reservation_42_5);
	age_recipient_write(&p->seal, seal);
	json_put_text(v, "seal", seal);
	json_put_int(v, "slot_ms", p->slot_ms);
	json_put_hex(v, "tls", BYTES_ARRAY(p->tls_spki));
	party_log_to_json(p, v);
	return v;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Shown on terminals and pages, and read out on the telephone: no control or direction characters. */
bool party_is_plain(struct bytes in)
{
	AUTO_BUF shown = { 0 };

	buf_init(&shown, 4 * KIB);
	text_printable(in, &shown);
	return buf_ok(&shown) && bytes_equal(buf_bytes(&shown), in);
}

static bool read_text(const json_t *body, const char *key, size_t bytes_min, size_t bytes_max, const char **ret,
		      struct err *e)
{
	const char *text;
	size_t len;

	if (!json_must_text(body, key, &text, e))
		return false;
	len = strlen(text);
	if (len < bytes_min || len > bytes_max)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is not %zu to %zu bytes long", key,
			       bytes_min, bytes_max);
	if (!party_is_plain(bytes_of(text)))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s holds control characters", key);
	*ret = text;
	return true;
}

bool party_read_time(const json_t *body, const char *key, int64_t *ret, struct err *e)
{
	const char *text;
	int64_t ms = 0;

	if (!json_must_text(body, key, &text, e))
		return false;
	/* 0 means "not said", so 1970 itself cannot be. */
	if (text[0] != '\0' && (!time_parse(bytes_of(text), &ms) || ms <= 0))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field %s is no time", key);
	*ret = ms;
	return true;
}

static bool read_texts(const json_t *body, struct party *p, struct err *e)
{
	for (size_t i = 0; i < PARTY_TEXT_COUNT; i++) {
		const struct party_text *t = &party_texts[i];
		const char *text;

		if (!read_text(body, t->key, t->bytes_min, t->bytes_max, &text, e))
			return false;
		memcpy((char *)p + t->at, &text, sizeof(text));
	}
	for (const char *c = p->code; *c != '\0'; c++) {
		if (*c < 'A' || *c > 'Z')
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the party's code is not letters A-Z");
	}
	for (const char *c = p->carries_out; *c != '\0'; c++) {
		bool digit = *c >= '0' && *c <= '9';

		if (!digit && (*c != ' ' || c == p->carries_out || c[1] == ' ' || c[1] == '\0'))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
				       "the field carries_out is not numbers of articles, one space between");
	}
	return true;
}

static bool read_keys(const json_t *body, struct party *p, struct err *e)
{
	const json_t *list = json_object_get(body, "keys");
	size_t n = json_array_size(list);

	if (n < 1 || n > PARTY_KEYS_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field keys is not 1 to %u keys", PARTY_KEYS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		struct register_key *k = &p->keys[i];

		if (!json_must_hex(v, "key", k->key, sizeof(k->key), e) || !party_read_time(v, "from", &k->from, e) ||
		    !party_read_time(v, "until", &k->until, e) || !party_read_time(v, "compromised", &k->compromised, e))
			return err_note(e, "keys[%zu]", i);
		if (k->until != 0 && k->until <= k->from)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "keys[%zu] ends before it begins", i);
	}
	p->key_count = n;
	return true;
}

static bool read_roles(const json_t *list, unsigned *ret, struct err *e)
{
	unsigned roles = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		enum approval_role r;

		if (!json_is_string(v) ||
		    !approval_role_find(bytes_from(json_string_value(v), json_string_length(v)), &r))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "roles[%zu] is no role", i);
		roles |= 1u << r;
	}
	if (roles == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field roles names no role");
	*ret = roles;
	return true;
}

static bool read_approvers(const json_t *body, struct party *p, struct err *e)
{
	const json_t *list = json_object_get(body, "approvers");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > PARTY_APPROVERS_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field approvers is not a list of at most %u",
			       PARTY_APPROVERS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		struct register_approver *a = &p->approvers[i];

		if (!json_must_hex(v, "key", a->key, sizeof(a->key), e) ||
		    !read_text(v, "name", 1, APPROVER_NAME_BYTES_MAX, &a->name, e) ||
		    !read_roles(json_object_get(v, "roles"), &a->roles, e))
			return err_note(e, "approvers[%zu]", i);
		if (party_approver(p, bytes_of(a->name)) != NULL)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "approvers[%zu] has the name of another", i);
		p->approver_count = i + 1;
	}
	return true;
}

static bool read_rest(const json_t *body, struct party *p, struct err *e)
{
	const char *text;

	if (!party_read_time(body, "in_force_from", &p->in_force_from, e) ||
	    !json_must_int(body, "slot_ms", 1, SLOT_MS_MAX, &p->slot_ms, e) ||
	    !json_must_int(body, "leaves_per_slot", 1, LEAVES_PER_SLOT_MAX, &p->leaves_per_slot, e) ||
	    !json_must_hex(body, "tls", p->tls_spki, sizeof(p->tls_spki), e))
		return false;
	p->fictional = json_bool(body, "fictional");
	p->reservation_42_5 = json_bool(body, "reservation_42_5");
	if (!json_must_text(body, "log", &text, e))
		return false;
	if (!note_key_parse(bytes_of(text), &p->log_key, e))
		return err_note(e, "the field log");
	if (p->log_key.type != NOTE_ED25519)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field log is not a log's Ed25519 key");
	if (!json_must_text(body, "seal", &text, e))
		return false;
	if (!age_recipient_parse(bytes_of(text), &p->seal, e))
		return err_note(e, "the field seal");
	return true;
}

static bool keys_differ(const struct party *p, struct err *e)
{
	struct party_held held[PARTY_HELD_MAX];
	size_t n = party_all_keys(p, held);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			if (memcmp(held[i].key, held[j].key, SIGN_PUBLIC_BYTES) == 0)
				return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "one key stands twice in the entry: as %s and %s",
					       held[i].what, held[j].what);
		}
	}
	return true;
}

bool party_from_json(const json_t *body, struct party **ret, struct err *e)
{
	struct party_memory *m = calloc(1, sizeof(*m));
	AUTO_JSON *again = NULL;

	if (m == NULL)
		abort();
	/* A copy, because the caller may change its own. */
	m->body = json_deep_copy(body);
	if (!json_is_object(body) || m->body == NULL) {
		err_set(e, ERR_INPUT, REASON_MALFORMED, "a register entry is no object");
	} else if (read_texts(m->body, &m->party, e) && read_keys(m->body, &m->party, e) &&
		   read_approvers(m->body, &m->party, e) && read_rest(m->body, &m->party, e) &&
		   party_log_read(m->body, &m->party, e) && keys_differ(&m->party, e)) {
		again = party_to_json(&m->party);
		if (json_equal(again, m->body)) {
			*ret = &m->party;
			return true;
		}
		err_set(e, ERR_INPUT, REASON_NOT_CANONICAL,
			"a register entry holds a member that does not belong there, or in another spelling");
	}
	party_free(&m->party);
	return false;
}

void party_free(struct party *p)
{
	struct party_memory *m = (struct party_memory *)p;

	if (m == NULL)
		return;
	json_decref(m->body);
	free(m);
}

/* --- for people -------------------------------------------------------------------------------- */

static void print_line(struct buf *out, const char *words, const char *text)
{
	buf_add_format(out, "  %s: ", words);
	text_printable(bytes_of(text), out);
	buf_add_text(out, "\n");
}

static void print_keys(const struct party *p, int offset_minutes, struct buf *out)
{
	char from[64], until[64];

	for (size_t i = 0; i < p->key_count; i++) {
		const struct register_key *k = &p->keys[i];

		buf_add_text(out, "  signing key: ");
		buf_add_hex(out, BYTES_ARRAY(k->key));
		time_write_people(k->from, offset_minutes, from);
		time_write_people(k->until, offset_minutes, until);
		buf_add_format(out, "\n    valid from %s until %s\n", k->from == 0 ? "the beginning" : from,
			       k->until == 0 ? "further notice" : until);
		if (k->compromised != 0) {
			time_write_people(k->compromised, offset_minutes, from);
			buf_add_format(out, "    COMPROMISED from %s\n", from);
		}
	}
}

static void print_approvers(const struct party *p, struct buf *out)
{
	for (size_t i = 0; i < p->approver_count; i++) {
		const struct register_approver *a = &p->approvers[i];
		const char *comma = "";

		buf_add_text(out, "  approver: ");
		text_printable(bytes_of(a->name), out);
		buf_add_text(out, " (");
		for (unsigned r = 0; r < APPROVAL_ROLE_COUNT; r++) {
			if ((a->roles & 1u << r) == 0)
				continue;
			buf_add_format(out, "%s%s", comma, approval_role_code((enum approval_role)r));
			comma = ", ";
		}
		buf_add_text(out, ")\n");
	}
}

void party_print(const struct party *p, int offset_minutes, struct buf *out)
{
	char text[AGE_RECIPIENT_LEN + 1], time[64];

	buf_add_text(out, text_at(p, &party_texts[0]));
	buf_add_text(out, " ");
	text_printable(bytes_of(text_at(p, &party_texts[1])), out);
	buf_add_text(out, p->fictional ? " (FICTIONAL)\n" : "\n");
	for (size_t i = 2; i < PARTY_TEXT_COUNT; i++) {
		if (text_at(p, &party_texts[i])[0] != '\0')
			print_line(out, party_texts[i].words, text_at(p, &party_texts[i]));
	}
	time_write_people(p->in_force_from, offset_minutes, time);
	print_line(out, "Convention in force", p->in_force_from == 0 ? "no" : time);
	print_line(out, "reservation under 42(5)", p->reservation_42_5 ? "yes" : "no");
	print_keys(p, offset_minutes, out);
	print_approvers(p, out);
	buf_add_text(out, "  log: ");
	note_key_write(&p->log_key, out);
	buf_add_format(out, "\n  log slots: %lld leaves every %lld ms\n", (long long)p->leaves_per_slot,
		       (long long)p->slot_ms);
	party_log_print(p, offset_minutes, out);
	age_recipient_write(&p->seal, text);
	print_line(out, "sealing key", text);
	buf_add_text(out, "  TLS pin (SHA-256): ");
	buf_add_hex(out, BYTES_ARRAY(p->tls_spki));
	buf_add_text(out, "\n  entry (SHA-256): ");
	buf_add_hex(out, BYTES_ARRAY(p->entry_hash));
	buf_add_text(out, p->pinned ? "\n  known by a pinned fingerprint\n" : "\n");
}
