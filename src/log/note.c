/* Signed notes as c2sp.org/signed-note has them. A note has one spelling: UTF-8 without control
 * characters, split at its last blank line, signature lines of strict base64. Signatures by keys that
 * nobody asked about are kept and ignored; of several lines by one key the first counts. */
#include "log/note.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "signed note: %s", what);
}

/* Unicode's White_Space among multi-byte characters; the ASCII ones are below or equal to 0x20. */
static bool has_wide_space(struct bytes name)
{
	static const char *const spaces[] = {
		"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	for (size_t i = 0; i < name.len; i++) {
		struct bytes rest = bytes_slice(name, i, name.len);

		for (size_t k = 0; k < sizeof(spaces) / sizeof(spaces[0]); k++)
			if (bytes_starts(rest, spaces[k]))
				return true;
		/* U+2000 to U+200A */
		if (bytes_starts(rest, "\xe2\x80") && rest.len > 2 && rest.at[2] >= 0x80 && rest.at[2] <= 0x8a)
			return true;
	}
	return false;
}

bool note_name_is_valid(struct bytes name)
{
	if (name.len == 0 || name.len > NOTE_NAME_BYTES_MAX || !utf8_is_valid(name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] <= 0x20 || name.at[i] == '+' || name.at[i] == 0x7f)
			return false;
	return !has_wide_space(name);
}

/* Length of the public key that a type has; 0 for one that we do not know. */
static size_t key_len(uint8_t type)
{
	if (type == NOTE_ED25519 || type == NOTE_COSIGNATURE)
		return SIGN_PUBLIC_BYTES;
	return type == NOTE_COSIGNATURE_MLDSA ? MLDSA44_PUBLIC_BYTES : 0;
}

static uint32_t key_id(const struct note_key *k)
{
	uint8_t tail[2 + NOTE_PUBLIC_KEY_BYTES_MAX] = { '\n', k->type };
	uint8_t digest[SHA256_BYTES];

	memcpy(tail + 2, k->public_key, k->public_key_len);
	sha256_two(bytes_of(k->name), bytes_from(tail, 2 + k->public_key_len), digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

void note_key_make(const char *name, enum note_type type, const uint8_t public_key[static SIGN_PUBLIC_BYTES],
		   struct note_key *ret)
{
	struct note_key k = { .type = (uint8_t)type, .public_key_len = SIGN_PUBLIC_BYTES };

	snprintf(k.name, sizeof(k.name), "%s", name);
	memcpy(k.public_key, public_key, SIGN_PUBLIC_BYTES);
	k.id = key_id(&k);
	*ret = k;
}

bool note_key_parse(struct bytes vkey, struct note_key *ret, struct err *e)
{
	struct bytes rest = vkey, name = bytes_cut(&rest, '+'), id_hex = bytes_cut(&rest, '+');
	uint8_t id[4];
	struct note_key k = { .id = 0 };
	AUTO_BUF key = { 0 };

	buf_init(&key, 1 + NOTE_PUBLIC_KEY_BYTES_MAX);
	if (!note_name_is_valid(name) || !hex_parse(id_hex, id, sizeof(id)))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "verifier key: it must be name+8 hex characters+base64");
	if (!base64_parse(rest, true, &key) || key.len < 2)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "verifier key: the key is not base64 of a type and a public key");
	k.type = key.at[0];
	k.public_key_len = key_len(k.type);
	if (k.public_key_len == 0)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "verifier key: unknown type 0x%02x", k.type);
	if (key.len != 1 + k.public_key_len)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "verifier key: a key of type 0x%02x has %zu bytes", k.type, k.public_key_len);
	memcpy(k.name, name.at, name.len);
	memcpy(k.public_key, key.at + 1, k.public_key_len);
	k.id = key_id(&k);
	if (k.id != ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "verifier key: its id does not fit its name and key");
	*ret = k;
	return true;
}

void note_key_write(const struct note_key *k, struct buf *out)
{
	uint8_t key[1 + NOTE_PUBLIC_KEY_BYTES_MAX] = { k->type };

	memcpy(key + 1, k->public_key, k->public_key_len);
	buf_add_format(out, "%s+%08x+", k->name, (unsigned)k->id);
	base64_write(bytes_from(key, 1 + k->public_key_len), true, out);
}

bool note_key_same(const struct note_key *a, const struct note_key *b)
{
	return bytes_equal(bytes_from(a->public_key, a->public_key_len), bytes_from(b->public_key, b->public_key_len));
}

bool note_signature_parse(struct bytes line, struct note_signature *ret, struct err *e)
{
	struct note_signature s = { .name = bytes_cut(&line, ' '), .base64 = line };
	struct reader r;
	AUTO_BUF decoded = { 0 };

	buf_init(&decoded, NOTE_BYTES_MAX);
	if (!note_name_is_valid(s.name))
		return malformed(e, "a signature line has no valid name");
	if (!base64_parse(line, true, &decoded) || decoded.len < 5)
		return malformed(e, "a signature is not base64 of a key id and a signature");
	r = reader_over(buf_bytes(&decoded));
	s.id = reader_u32(&r);
	s.len = reader_left(&r);
	if (s.len <= sizeof(s.bytes))
		reader_copy(&r, s.bytes, s.len);
	*ret = s;
	return true;
}

void note_signature_decode(const struct note_signature *s, struct buf *out)
{
	AUTO_BUF decoded = { 0 };

	buf_init(&decoded, NOTE_BYTES_MAX);
	if (!base64_parse(s->base64, true, &decoded) || decoded.len != 4 + s->len)
		abort(); /* it was parsed */
	buf_add(out, bytes_slice(buf_bytes(&decoded), 4, s->len));
}

void note_signature_write(const struct note_key *k, struct bytes payload, struct buf *out)
{
	AUTO_BUF signature = { 0 };

	buf_init(&signature, NOTE_BYTES_MAX);
	buf_add_u32(&signature, k->id);
	buf_add(&signature, payload);
	buf_add_format(out, NOTE_DASH "%s ", k->name);
	base64_write(buf_bytes(&signature), true, out);
	buf_add_u8(out, '\n');
}

/* Where the text ends: after the first \n of the last "\n\n". 0 when there is none. */
static size_t text_end(struct bytes in)
{
	for (size_t i = in.len; i >= 2; i--)
		if (in.at[i - 1] == '\n' && in.at[i - 2] == '\n')
			return i - 1;
	return 0;
}

bool note_parse(struct bytes in, struct note *ret, struct err *e)
{
	struct note_signature found[NOTE_SIGNATURES_MAX];
	size_t end, count = 0;
	struct reader r;

	if (in.len > NOTE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "signed note: over %u bytes", NOTE_BYTES_MAX);
	if (!utf8_is_valid(in))
		return malformed(e, "not UTF-8");
	for (size_t i = 0; i < in.len; i++)
		if (in.at[i] < 0x20 && in.at[i] != '\n')
			return malformed(e, "a control character");
	end = text_end(in);
	if (end == 0)
		return malformed(e, "no blank line between text and signatures");
	r = reader_over(bytes_slice(in, end + 1, in.len));
	while (reader_left(&r) > 0) {
		if (count == NOTE_SIGNATURES_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "signed note: over %u signatures", NOTE_SIGNATURES_MAX);
		if (!reader_literal(&r, NOTE_DASH))
			return malformed(e, "a signature line does not begin with an em dash");
		struct bytes line = reader_line(&r, NOTE_BYTES_MAX);
		if (!reader_ok(&r))
			return malformed(e, "the last signature line does not end");
		if (!note_signature_parse(line, &found[count], e))
			return false;
		count++;
	}
	if (count == 0)
		return malformed(e, "no signatures");
	ret->text = bytes_slice(in, 0, end);
	memcpy(ret->signatures, found, count * sizeof(found[0]));
	ret->signature_count = count;
	return true;
}

bool note_verify(const struct note *n, const struct note_key *k, struct err *e)
{
	if (k->type != NOTE_ED25519)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the key of %s does not sign notes", k->name);
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];

		if (s->id != k->id || !bytes_is(s->name, k->name))
			continue;
		if (s->len != SIGNATURE_BYTES || !signature_verify(k->public_key, n->text, s->bytes))
			return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "signed note: the signature of %s is wrong", k->name);
		return true;
	}
	return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "signed note: not signed by %s+%08x", k->name, (unsigned)k->id);
}

bool note_sign(struct bytes text, const char *name, const struct sign_key *k, struct buf *out, struct err *e)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct note_key key;

	if (text.len == 0 || text.at[text.len - 1] != '\n' || !utf8_is_valid(text))
		return malformed(e, "the text to sign must be UTF-8 and end its last line");
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < 0x20 && text.at[i] != '\n')
			return malformed(e, "a control character in the text to sign");
	if (!note_name_is_valid(bytes_of(name)))
		return malformed(e, "the name of the key is not valid");
	note_key_make(name, NOTE_ED25519, sign_key_public(k), &key);
	sign_key_sign(k, text, signature);
	buf_add(out, text);
	buf_add_u8(out, '\n');
	note_signature_write(&key, BYTES_ARRAY(signature), out);
	return buf_check(out, "signed note", e);
}
