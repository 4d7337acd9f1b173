/* DSSE envelopes. They are read by a parser that knows only the canonical spelling, so a second
 * spelling of the same envelope does not exist; envelopes inside larger JSON come through
 * envelope_parse_json, under the canonical check of what holds them. Both accept exactly the same
 * (fuzz-dsse.c compares them). Nothing here decides whom to trust: keyid only orders the attempts. */
#include "seal/dsse.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/reader.h"

#define SIGNATURE_BASE64_LEN 88u
#define PAE_HEAD_BYTES_MAX (ENVELOPE_TYPE_BYTES_MAX + 64)
/* What stands in an envelope beside payload, type and signatures; and per signature. */
#define FRAME_BYTES 64u
#define FRAME_SIGNATURE_BYTES 160u

static void pae_head_write(struct bytes type, size_t payload_len, struct buf *out)
{
	buf_add_format(out, "DSSEv1 %zu ", type.len);
	buf_add(out, type);
	buf_add_format(out, " %zu ", payload_len);
}

void pae_write(struct bytes type, struct bytes payload, struct buf *out)
{
	pae_head_write(type, payload.len, out);
	buf_add(out, payload);
}

void pae_hash(struct bytes type, struct bytes payload, uint8_t ret[static SHA256_BYTES])
{
	uint8_t head[PAE_HEAD_BYTES_MAX];
	struct buf b = { .at = head, .room = sizeof(head) - 1, .max = sizeof(head) - 1 };
	AUTO_BUF pae = { 0 };

	buf_init(&pae, SIZE_MAX / 4);
	if (type.len <= ENVELOPE_TYPE_BYTES_MAX) {
		/* The usual case takes no memory: it never outgrows the array, so buf never frees it. */
		pae_head_write(type, payload.len, &b);
		sha256_two(buf_bytes(&b), payload, ret);
		return;
	}
	pae_write(type, payload, &pae);
	if (!buf_ok(&pae))
		abort();
	sha256(buf_bytes(&pae), ret);
}

/* Printable ASCII that JSON writes as it is, so that the type, too, has one spelling. */
static bool type_check(struct bytes type, struct err *e)
{
	if (type.len == 0 || type.len > ENVELOPE_TYPE_BYTES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the envelope's payloadType is empty or longer than %u bytes",
			       ENVELOPE_TYPE_BYTES_MAX);
	for (size_t i = 0; i < type.len; i++) {
		if (type.at[i] < 0x20 || type.at[i] > 0x7e || type.at[i] == '"' || type.at[i] == '\\')
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
				       "the envelope's payloadType holds a character that is not allowed");
	}
	return true;
}

static bool keyid_is_fine(struct bytes keyid)
{
	uint8_t id[KEY_ID_LEN / 2];

	return hex_parse(keyid, id, sizeof(id));
}

static bool signature_take(struct envelope *v, struct bytes keyid, struct bytes sig, struct err *e)
{
	struct envelope_signature *s;
	struct buf decoded;
	bool ok;

	if (v->signature_count >= ENVELOPE_SIGNATURES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the envelope has more than %u signatures",
			       ENVELOPE_SIGNATURES_MAX);
	s = &v->signatures[v->signature_count];
	if (!keyid_is_fine(keyid))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the envelope's keyid is not %d lower-case hex digits", KEY_ID_LEN);
	buf_init(&decoded, SIGNATURE_BYTES);
	ok = sig.len == SIGNATURE_BASE64_LEN && base64_parse(sig, true, &decoded) &&
	     decoded.len == SIGNATURE_BYTES;
	if (ok)
		memcpy(s->sig, decoded.at, SIGNATURE_BYTES);
	buf_release(&decoded);
	if (!ok)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the envelope's signature is not %d bytes in base64", SIGNATURE_BYTES);
	memcpy(s->keyid, keyid.at, KEY_ID_LEN);
	s->keyid[KEY_ID_LEN] = '\0';
	v->signature_count++;
	return true;
}

static bool content_take(struct envelope *v, struct bytes payload, struct bytes type, struct err *e)
{
	if (!type_check(type, e))
		return false;
	memcpy(v->type, type.at, type.len);
	v->type[type.len] = '\0';
	buf_init(&v->payload, STATEMENT_BYTES_MAX);
	if (payload.len > ((size_t)STATEMENT_BYTES_MAX + 2) / 3 * 4)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
			       "the envelope's payload is over its limit of %u bytes", STATEMENT_BYTES_MAX);
	if (!base64_parse(payload, true, &v->payload))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the envelope's payload is not base64 of at most %u bytes",
			       STATEMENT_BYTES_MAX);
	pae_hash(type, buf_bytes(&v->payload), v->hash);
	return true;
}

/* A string up to its closing quote. What could be escaped is refused by those who take it. */
static struct bytes quoted(struct reader *r)
{
	struct bytes rest = bytes_slice(r->in, r->pos, reader_left(r));
	struct bytes text = reader_take(r, bytes_find(rest, '"'));

	reader_literal(r, "\"");
	return text;
}

static bool parse_into(struct bytes in, struct envelope *v, struct err *e)
{
	struct reader r = reader_over(in);
	struct bytes payload, type, keyid, sig;
	bool more;

	reader_literal(&r, "{\"payload\":\"");
	payload = quoted(&r);
	reader_literal(&r, ",\"payloadType\":\"");
	type = quoted(&r);
	reader_literal(&r, ",\"signatures\":[");
	if (!reader_ok(&r))
		return err_set(e, ERR_INPUT, REASON_MALFORMED,
			       "the envelope is no canonical envelope near byte %zu", r.pos);
	if (!content_take(v, payload, type, e))
		return false;
	do {
		reader_literal(&r, "{\"keyid\":\"");
		keyid = quoted(&r);
		reader_literal(&r, ",\"sig\":\"");
		sig = quoted(&r);
		reader_literal(&r, "}");
		if (!reader_ok(&r))
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "the envelope's signatures are malformed near byte %zu", r.pos);
		if (!signature_take(v, keyid, sig, e))
			return false;
		more = bytes_starts(bytes_slice(in, r.pos, 1), ",");
		reader_literal(&r, more ? "," : "]}");
	} while (more);
	return reader_done(&r, "the envelope", e);
}

bool envelope_parse(struct bytes in, struct envelope *ret, struct err *e)
{
	if (in.len > ENVELOPE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the envelope is over its limit of %u bytes",
			       ENVELOPE_BYTES_MAX);
	if (!parse_into(in, ret, e)) {
		envelope_release(ret);
		return false;
	}
	return true;
}

static bool parse_json_into(const json_t *v, struct envelope *ret, struct err *e)
{
	const json_t *list = json_object_get(v, "signatures");
	const char *payload, *type;

	if (json_object_size(v) != 3 || !json_is_array(list) || json_array_size(list) == 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED,
			       "an envelope has payload, payloadType and signatures, and nothing else");
	if (!json_must_text(v, "payload", &payload, e) || !json_must_text(v, "payloadType", &type, e) ||
	    !content_take(ret, bytes_of(payload), bytes_of(type), e))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (json_object_size(one) != 2)
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "an envelope's signature has keyid and sig, and nothing else");
		if (!signature_take(ret, json_bytes(one, "keyid"), json_bytes(one, "sig"), e))
			return false;
	}
	return true;
}

bool envelope_parse_json(const json_t *v, struct envelope *ret, struct err *e)
{
	if (!parse_json_into(v, ret, e)) {
		envelope_release(ret);
		return false;
	}
	return true;
}

void envelope_release(struct envelope *v)
{
	if (v == NULL)
		return;
	buf_release(&v->payload);
	memset(v, 0, sizeof(*v));
}

static bool write_check(struct bytes type, struct bytes payload, const struct envelope_signature *sigs,
			size_t n, struct err *e)
{
	if (!type_check(type, e))
		return false;
	if (payload.len > STATEMENT_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
			       "the payload of an envelope is over its limit of %u bytes",
			       STATEMENT_BYTES_MAX);
	if (n == 0 || n > ENVELOPE_SIGNATURES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "an envelope has 1 to %u signatures",
			       ENVELOPE_SIGNATURES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!keyid_is_fine(bytes_from(sigs[i].keyid, strnlen(sigs[i].keyid, KEY_ID_LEN + 1))))
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT,
				       "a keyid is %d lower-case hex digits", KEY_ID_LEN);
	}
	return true;
}

static void put_base64(json_t *object, const char *key, struct bytes in)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, SIZE_MAX / 4);
	buf_add_base64(&text, in);
	json_put_bytes(object, key, buf_bytes(&text));
}

bool envelope_json_of(struct bytes type, struct bytes payload, const struct envelope_signature *sigs, size_t n,
		      json_t **ret, struct err *e)
{
	json_t *v, *list;

	if (!write_check(type, payload, sigs, n, e))
		return false;
	v = json_object();
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_object();

		json_put_text(one, "keyid", sigs[i].keyid);
		put_base64(one, "sig", BYTES_ARRAY(sigs[i].sig));
		if (json_array_append_new(list, one) != 0)
			abort();
	}
	put_base64(v, "payload", payload);
	json_put_bytes(v, "payloadType", type);
	json_put(v, "signatures", list);
	*ret = v;
	return true;
}

bool envelope_write_of(struct bytes type, struct bytes payload, const struct envelope_signature *sigs, size_t n,
		       struct buf *out, struct err *e)
{
	if (!write_check(type, payload, sigs, n, e))
		return false;
	/* Asked for at once, where it fits: the usual envelope then takes one allocation. */
	if (buf_ok(out) && FRAME_BYTES + payload.len * 4 / 3 + type.len + n * FRAME_SIGNATURE_BYTES <
	    out->max - out->len)
		buf_room(out, FRAME_BYTES + payload.len * 4 / 3 + type.len + n * FRAME_SIGNATURE_BYTES);
	buf_add_text(out, "{\"payload\":\"");
	buf_add_base64(out, payload);
	buf_add_text(out, "\",\"payloadType\":\"");
	buf_add(out, type);
	buf_add_text(out, "\",\"signatures\":[");
	for (size_t i = 0; i < n; i++) {
		buf_add_text(out, i > 0 ? ",{\"keyid\":\"" : "{\"keyid\":\"");
		buf_add_text(out, sigs[i].keyid);
		buf_add_text(out, "\",\"sig\":\"");
		buf_add_base64(out, BYTES_ARRAY(sigs[i].sig));
		buf_add_text(out, "\"}");
	}
	buf_add_text(out, "]}");
	return buf_check(out, "the envelope", e);
}

static void pae_room(struct bytes type, struct bytes payload, struct buf *pae)
{
	buf_init(pae, SIZE_MAX / 4);
	buf_room(pae, type.len + payload.len + 64);
	pae_write(type, payload, pae);
	if (!buf_ok(pae))
		abort();
}

bool envelope_sign(struct bytes type, struct bytes payload, const struct sign_key *k, struct buf *out,
		   struct err *e)
{
	struct envelope_signature s;
	AUTO_BUF pae = { 0 };

	buf_init(&pae, 0);
	if (!type_check(type, e))
		return false;
	if (payload.len > STATEMENT_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
			       "the payload of an envelope is over its limit of %u bytes",
			       STATEMENT_BYTES_MAX);
	pae_room(type, payload, &pae);
	sign_key_sign(k, buf_bytes(&pae), s.sig);
	key_id_write(sign_key_public(k), s.keyid);
	return envelope_write_of(type, payload, &s, 1, out, e);
}

/* Signatures whose keyid fits are tried first, so that the usual case costs one verification. */
static bool signed_by(const struct envelope *v, struct bytes pae, const uint8_t *public_key)
{
	char keyid[KEY_ID_LEN + 1];

	key_id_write(public_key, keyid);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < v->signature_count; i++) {
			bool fits = strcmp(v->signatures[i].keyid, keyid) == 0;

			if (fits == (round == 0) && signature_verify(public_key, pae, v->signatures[i].sig))
				return true;
		}
	}
	return false;
}

bool envelope_signed_by(const struct envelope *v, const uint8_t public_key[static SIGN_PUBLIC_BYTES])
{
	AUTO_BUF pae = { 0 };

	pae_room(bytes_of(v->type), buf_bytes(&v->payload), &pae);
	return signed_by(v, buf_bytes(&pae), public_key);
}

static bool is_repeated(const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (memcmp(keys[i], keys[j], SIGN_PUBLIC_BYTES) == 0)
			return true;
	}
	return false;
}

size_t envelope_signed_by_how_many(const struct envelope *v, const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t n)
{
	size_t count = 0;
	AUTO_BUF pae = { 0 };

	pae_room(bytes_of(v->type), buf_bytes(&v->payload), &pae);
	for (size_t i = 0; i < n; i++)
		count += !is_repeated(keys, i) && signed_by(v, buf_bytes(&pae), keys[i]) ? 1 : 0;
	return count;
}
