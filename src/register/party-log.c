/* What an entry says about logs and witnesses besides the key of the log itself: the witness that the party runs for
 * the logs of others, and logs of its own that it has ended. A retired log's key is never its current one; its
 * proofs are good up to the tree and the time that stand here (judge.c). */
#include "register/register-internal.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

static void put_vkey(json_t *v, const char *member, const struct note_key *k)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, KIB);
	note_key_write(k, &text);
	json_put_text(v, member, buf_text(&text));
}

void party_log_to_json(const struct party *p, json_t *v)
{
	json_t *list = p->retired_count > 0 ? json_array() : NULL;

	for (size_t i = 0; i < p->retired_count; i++) {
		const struct register_retired *r = &p->retired[i];
		json_t *item = json_object();

		json_put_time(item, "at", r->at);
		put_vkey(item, "log", &r->log_key);
		json_put_hex(item, "root", BYTES_ARRAY(r->root));
		json_put_int(item, "size", (int64_t)r->size);
		if (json_array_append_new(list, item) != 0)
			abort();
	}
	if (list != NULL)
		json_put(v, "retired", list);
	if (p->has_witness)
		put_vkey(v, "witness", &p->witness_key);
	if (p->witness_url != NULL && p->witness_url[0] != '\0')
		json_put_text(v, "witness_url", p->witness_url);
}

static bool read_retired(const json_t *v, struct register_retired *ret, struct err *e)
{
	const char *log;
	int64_t size;

	if (!party_read_time(v, "at", &ret->at, e) || !json_must_text(v, "log", &log, e) ||
	    !json_must_hex(v, "root", ret->root, sizeof(ret->root), e) ||
	    !json_must_int(v, "size", 0, INT64_MAX, &size, e) || !note_key_parse(bytes_of(log), &ret->log_key, e))
		return false;
	if (ret->at == 0 || ret->log_key.type != NOTE_ED25519)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "it has no time, or its key is not a log's Ed25519 key");
	ret->size = (uint64_t)size;
	return true;
}

bool party_log_read(const json_t *body, struct party *p, struct err *e)
{
	const json_t *retired = json_object_get(body, "retired");
	const char *witness = json_text(body, "witness");

	if (json_array_size(retired) > PARTY_RETIRED_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field retired has more than %u logs", PARTY_RETIRED_MAX);
	for (size_t i = 0; i < json_array_size(retired); i++) {
		if (!read_retired(json_array_get(retired, i), &p->retired[i], e))
			return err_note(e, "retired[%zu]", i);
		p->retired_count = i + 1;
	}
	p->has_witness = witness[0] != '\0';
	if (p->has_witness && !note_key_parse(bytes_of(witness), &p->witness_key, e))
		return err_note(e, "the field witness");
	if (p->has_witness && p->witness_key.type != NOTE_COSIGNATURE)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field witness is not a witness's key (type 4)");
	p->witness_url = json_text(body, "witness_url");
	if (json_bytes(body, "witness_url").len > LINE_BYTES_MAX || !party_is_plain(json_bytes(body, "witness_url")))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field witness_url is too long, or holds control characters");
	return true;
}

void party_log_print(const struct party *p, int offset_minutes, struct buf *out)
{
	char time[64];

	if (p->has_witness) {
		buf_add_text(out, "  witness: ");
		note_key_write(&p->witness_key, out);
		buf_add_text(out, "\n");
	}
	if (p->witness_url != NULL && p->witness_url[0] != '\0') {
		buf_add_text(out, "  witness at: ");
		text_printable(bytes_of(p->witness_url), out);
		buf_add_text(out, "\n");
	}
	for (size_t i = 0; i < p->retired_count; i++) {
		const struct register_retired *r = &p->retired[i];

		buf_add_text(out, "  retired log: ");
		note_key_write(&r->log_key, out);
		time_write_people(r->at, offset_minutes, time);
		buf_add_format(out, "\n    ended at %s with %llu leaves\n", time, (unsigned long long)r->size);
	}
}

bool party_holds(void *party, const struct note_key *k)
{
	struct party_held held[PARTY_HELD_MAX];
	size_t n = party_all_keys(party, held);

	for (size_t i = 0; i < n; i++)
		if (memcmp(held[i].key, k->public_key, SIGN_PUBLIC_BYTES) == 0)
			return true;
	return false;
}
