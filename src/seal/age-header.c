/* The header of an age file, byte for byte: one spelling, checked by a grammar as strict as the
 * reference's, and authenticated by the file key that one of its stanzas wraps. Stanzas of types that
 * we do not know are skipped; an X25519 stanza that is malformed condemns the header. */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/text.h"
#include "seal/age-internal.h"

#define VERSION_LINE "age-encryption.org/v1\n"
#define STANZA_INFO "age-encryption.org/v1/X25519"
#define KEY_BYTES 32u
#define MAC_BASE64_LEN 43u
#define BODY_COLUMNS 64u
/* An X25519 stanza: "-> X25519 ", 43 characters, newline, 43 characters, newline. */
#define STANZA_BYTES 98u

struct stanza {
	uint8_t share[KEY_BYTES];
	uint8_t body[AGE_WRAPPED_BYTES];
};

struct header {
	struct stanza x25519[AGE_STANZAS_MAX];
	size_t x25519_count, stanza_count, scrypt_count;
	struct bytes signed_part; /* up to and including "---" */
	uint8_t mac[SHA256_BYTES];
};

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "the age header is malformed: %s", what);
}

static void wrap_key(const uint8_t secret[static KEY_BYTES], const uint8_t share[static KEY_BYTES],
		     const uint8_t recipient[static KEY_BYTES], uint8_t ret[static KEY_BYTES])
{
	uint8_t salt[2 * KEY_BYTES];

	memcpy(salt, share, KEY_BYTES);
	memcpy(salt + KEY_BYTES, recipient, KEY_BYTES);
	hkdf_sha256(bytes_from(secret, KEY_BYTES), BYTES_ARRAY(salt), STANZA_INFO, ret, KEY_BYTES);
}

static void mac_of(struct bytes file_key, struct bytes signed_part, uint8_t ret[static SHA256_BYTES])
{
	uint8_t key[KEY_BYTES];

	hkdf_sha256(file_key, (struct bytes){ 0 }, "header", key, sizeof(key));
	hmac_sha256(BYTES_ARRAY(key), signed_part, ret);
	wipe(key, sizeof(key));
}

static bool stanza_write(const struct age_recipient *r, struct bytes file_key, struct buf *out, struct err *e)
{
	uint8_t scalar[KEY_BYTES], share[KEY_BYTES], secret[KEY_BYTES], key[KEY_BYTES];
	uint8_t body[AGE_WRAPPED_BYTES];
	bool ok;

	chance_fill(scalar, sizeof(scalar));
	/* -1: the recipient is a point of small order, and the secret would be known to everybody. */
	ok = crypto_scalarmult_curve25519_base(share, scalar) == 0 &&
	     crypto_scalarmult_curve25519(secret, scalar, r->x25519) == 0;
	if (ok) {
		wrap_key(secret, share, r->x25519, key);
		age_wrap(key, file_key, body);
		buf_add_text(out, "-> X25519 ");
		base64_write(BYTES_ARRAY(share), false, out);
		buf_add_u8(out, '\n');
		base64_write(BYTES_ARRAY(body), false, out);
		buf_add_u8(out, '\n');
	}
	wipe(scalar, sizeof(scalar));
	wipe(secret, sizeof(secret));
	wipe(key, sizeof(key));
	return ok || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a recipient's key is not usable");
}

bool age_header_write_with(const struct age_recipient *recipients, size_t n, struct bytes file_key,
			   struct buf *out, struct err *e)
{
	size_t start = out->len;
	uint8_t mac[SHA256_BYTES];

	if (n == 0 || n > AGE_STANZAS_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "an age file has 1 to %u recipients",
			       AGE_STANZAS_MAX);
	if (file_key.len != AGE_FILE_KEY_BYTES)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a file key has %u bytes",
			       AGE_FILE_KEY_BYTES);
	buf_add_text(out, VERSION_LINE);
	for (size_t i = 0; i < n; i++) {
		if (!stanza_write(&recipients[i], file_key, out, e)) {
			out->len = start;
			return false;
		}
	}
	buf_add_text(out, "---");
	if (!buf_check(out, "the age header", e))
		return false;
	mac_of(file_key, bytes_slice(buf_bytes(out), start, out->len), mac);
	buf_add_u8(out, ' ');
	base64_write(BYTES_ARRAY(mac), false, out);
	buf_add_u8(out, '\n');
	return buf_check(out, "the age header", e);
}

bool age_header_write(const struct age_recipient *recipients, size_t n, const struct secret *file_key,
		      struct buf *out, struct err *e)
{
	return age_header_write_with(recipients, n, secret_bytes(file_key), out, e);
}

/* One stanza of a type of our own, with an empty body, as long as it has to be. */
bool age_header_bare(size_t len, const struct secret *file_key, struct buf *out, struct err *e)
{
	static const char begin[] = VERSION_LINE "-> comity-erasable ", end[] = "\n\n---";
	size_t fixed = sizeof(begin) - 1 + sizeof(end) - 1 + 1 + MAC_BASE64_LEN + 1, start = out->len;
	uint8_t mac[SHA256_BYTES];

	if (len <= fixed || len > AGE_HEADER_BYTES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "no header without recipients has %zu bytes", len);
	buf_add_text(out, begin);
	for (size_t i = fixed; i < len; i++)
		buf_add_u8(out, '-');
	buf_add_text(out, end);
	if (!buf_check(out, "the age header", e))
		return false;
	mac_of(secret_bytes(file_key), bytes_slice(buf_bytes(out), start, out->len), mac);
	buf_add_u8(out, ' ');
	base64_write(BYTES_ARRAY(mac), false, out);
	buf_add_u8(out, '\n');
	return buf_check(out, "the age header", e);
}

bool age_header_length(struct bytes in, size_t *ret_len, struct err *e)
{
	static const char version[] = VERSION_LINE;
	size_t known = in.len < sizeof(version) - 1 ? in.len : sizeof(version) - 1;
	struct bytes window = bytes_slice(in, 0, AGE_HEADER_BYTES_MAX), rest;

	if (!bytes_equal(bytes_slice(in, 0, known), bytes_from(version, known)))
		return malformed(e, "it does not begin with " "age-encryption.org/v1");
	rest = bytes_slice(window, known, window.len);
	/* Only the last line begins with dashes: they are no digits of base64. */
	while (rest.len > 0) {
		struct bytes line = rest;
		size_t end = bytes_find(rest, '\n');

		if (end == rest.len)
			break;
		bytes_cut(&rest, '\n');
		if (bytes_starts(line, "---")) {
			*ret_len = window.len - rest.len;
			return true;
		}
	}
	if (in.len >= AGE_HEADER_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the age header is over its limit of %u bytes",
			       AGE_HEADER_BYTES_MAX);
	*ret_len = 0;
	return true;
}

static bool base64_exact(struct bytes text, uint8_t *out, size_t len)
{
	struct buf b;
	bool ok;

	buf_init(&b, len);
	ok = base64_parse(text, false, &b) && b.len == len;
	if (ok)
		memcpy(out, b.at, len);
	buf_release(&b);
	return ok;
}

/* Arguments are one or more visible characters, with one space between them. */
static bool arguments_are_fine(struct bytes line)
{
	bool in_word = false;

	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] == ' ' ? !in_word : line.at[i] < 0x21 || line.at[i] > 0x7e)
			return false;
		in_word = line.at[i] != ' ';
	}
	return in_word;
}

/* The lines of a body, all full but the last, which may be empty. Kept: the first AGE_WRAPPED_BYTES. */
static bool body_parse(struct reader *r, struct buf *body, struct err *e)
{
	struct bytes line;

	do {
		line = reader_line(r, BODY_COLUMNS);
		if (!reader_ok(r))
			return malformed(e, "a stanza's body has a line that is too long or has no end");
		if (!base64_parse(line, false, body))
			return malformed(e, "a stanza's body is not canonical base64");
	} while (line.len == BODY_COLUMNS);
	return true;
}

static bool stanza_take(struct header *h, struct bytes line, struct bytes body, struct err *e)
{
	struct bytes type = bytes_cut(&line, ' ');
	struct stanza *s = &h->x25519[h->x25519_count];

	if (bytes_is(type, "scrypt"))
		h->scrypt_count++;
	if (!bytes_is(type, "X25519"))
		return true;
	/* What is left must be one argument: a space is no digit of base64. */
	if (!base64_exact(line, s->share, sizeof(s->share)))
		return malformed(e, "an X25519 stanza needs one share of 32 bytes");
	if (body.len != sizeof(s->body))
		return malformed(e, "an X25519 stanza's body is not 32 bytes");
	memcpy(s->body, body.at, sizeof(s->body));
	h->x25519_count++;
	return true;
}

static bool stanzas_parse(struct reader *r, struct header *h, struct buf *body, struct err *e)
{
	while (bytes_starts(bytes_slice(r->in, r->pos, 3), "-> ")) {
		struct bytes line;

		if (++h->stanza_count > AGE_STANZAS_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
				       "the age header has more than %u stanzas", AGE_STANZAS_MAX);
		reader_literal(r, "-> ");
		line = reader_line(r, AGE_HEADER_BYTES_MAX);
		if (!reader_ok(r) || !arguments_are_fine(line))
			return malformed(e, "a stanza's first line");
		buf_clear(body);
		if (!body_parse(r, body, e) || !stanza_take(h, line, buf_bytes(body), e))
			return false;
	}
	if (h->stanza_count == 0)
		return malformed(e, "it has no stanza");
	if (h->scrypt_count > 0 && h->stanza_count > 1)
		return malformed(e, "a passphrase stanza stands beside others");
	return true;
}

static bool header_parse(struct bytes in, struct header *h, struct err *e)
{
	struct reader r = reader_over(in);
	struct bytes mac;
	AUTO_BUF body = { 0 };

	*h = (struct header){ 0 };
	buf_init(&body, AGE_HEADER_BYTES_MAX);
	if (in.len > AGE_HEADER_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the age header is over its limit of %u bytes",
			       AGE_HEADER_BYTES_MAX);
	if (!reader_literal(&r, VERSION_LINE))
		return malformed(e, "it does not begin with " "age-encryption.org/v1");
	if (!stanzas_parse(&r, h, &body, e))
		return false;
	reader_literal(&r, "---");
	h->signed_part = bytes_slice(in, 0, r.pos);
	reader_literal(&r, " ");
	mac = reader_line(&r, MAC_BASE64_LEN);
	if (!reader_ok(&r) || !base64_exact(mac, h->mac, sizeof(h->mac)))
		return malformed(e, "its last line");
	return reader_done(&r, "the age header", e);
}

static bool mac_check(const struct header *h, struct bytes file_key, struct err *e)
{
	uint8_t mac[SHA256_BYTES];

	mac_of(file_key, h->signed_part, mac);
	if (!constant_time_equal(BYTES_ARRAY(mac), BYTES_ARRAY(h->mac)))
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN,
			       "the age header was changed: its MAC does not verify");
	return true;
}

/* False without an error when this identity does not fit. */
static bool stanza_open(const struct stanza *s, const struct seal_identity *identity,
			uint8_t ret[static AGE_FILE_KEY_BYTES])
{
	uint8_t secret[KEY_BYTES], key[KEY_BYTES];
	struct age_recipient r;
	bool ok = crypto_scalarmult_curve25519(secret, age_identity_secret(identity).at, s->share) == 0;

	if (ok) {
		seal_identity_recipient(identity, &r);
		wrap_key(secret, s->share, r.x25519, key);
		ok = age_unwrap(key, s->body, ret);
	}
	wipe(secret, sizeof(secret));
	wipe(key, sizeof(key));
	return ok;
}

/* A share of small order gives the same secret to everybody: no honest sender makes one. */
static bool shares_check(const struct header *h, struct err *e)
{
	static const uint8_t scalar[KEY_BYTES] = { 8 };
	uint8_t secret[KEY_BYTES];

	for (size_t i = 0; i < h->x25519_count; i++) {
		if (crypto_scalarmult_curve25519(secret, scalar, h->x25519[i].share) != 0)
			return malformed(e, "an X25519 share is a point of small order");
	}
	return true;
}

bool age_header_open(struct bytes header, const struct seal_identity *const *identities, size_t n,
		     struct secret **ret_file_key, struct err *e)
{
	uint8_t key[AGE_FILE_KEY_BYTES];
	struct header h;
	bool found = false, ok;

	if (!header_parse(header, &h, e))
		return false;
	for (size_t i = 0; i < n && !found; i++)
		for (size_t j = 0; j < h.x25519_count && !found; j++)
			found = stanza_open(&h.x25519[j], identities[i], key);
	if (!found)
		return shares_check(&h, e) &&
		       err_set(e, ERR_REJECTED, REASON_NOT_SEALED_TO_US, "this is not sealed to us");
	ok = mac_check(&h, BYTES_ARRAY(key), e);
	if (ok)
		*ret_file_key = secret_from(BYTES_ARRAY(key));
	wipe(key, sizeof(key));
	return ok;
}

bool age_header_check(struct bytes header, const struct secret *file_key, struct err *e)
{
	struct header h;

	return header_parse(header, &h, e) && mac_check(&h, secret_bytes(file_key), e);
}
