/* Recipients and identities as text: Bech32 (BIP 173) without its limit of 90 characters. A recipient
 * is lower case, an identity upper case, and each has one spelling: the length is fixed, the prefix is
 * compared whole, the left-over bits are zero, and the checksum covers all of it. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "seal/age-internal.h"

#define KEY_BYTES 32u
#define GROUPS 52u /* 256 bits in groups of five, four bits of padding */
#define CHECKSUM_GROUPS 6u
#define IDENTITY_LEN (sizeof(identity_head) - 1 + GROUPS + CHECKSUM_GROUPS)
#define IDENTITY_FILE_BYTES_MAX (64 * KIB)

static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/* Prefix and the separator. */
static const char recipient_head[] = "age1";
static const char identity_head[] = "AGE-SECRET-KEY-1";

_Static_assert(sizeof(recipient_head) - 1 + GROUPS + CHECKSUM_GROUPS == AGE_RECIPIENT_LEN, "length");

struct seal_identity {
	struct secret *scalar;
	struct age_recipient recipient;
};

static uint32_t polymod(uint32_t sum, uint8_t value)
{
	static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++)
		sum ^= (top >> i & 1) != 0 ? generator[i] : 0;
	return sum;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* The checksum so far after the prefix, which counts in lower case. */
static uint32_t prefix_sum(const char *head)
{
	size_t len = strlen(head) - 1; /* without the separator */
	uint32_t sum = 1;

	for (size_t i = 0; i < len; i++)
		sum = polymod(sum, lower((uint8_t)head[i]) >> 5);
	sum = polymod(sum, 0);
	for (size_t i = 0; i < len; i++)
		sum = polymod(sum, lower((uint8_t)head[i]) & 31);
	return sum;
}

/* Digits are found without branches or lookups that depend on them: some of these texts are secret. */
static uint8_t digit_value(uint8_t c)
{
	unsigned found = 0;

	for (unsigned i = 0; i < 32; i++) {
		unsigned differs = (unsigned)(c ^ (uint8_t)digits[i]);

		found |= (i | 32) & (unsigned)-(int)((differs - 1) >> 31);
	}
	return (uint8_t)found; /* 32 is set when it is a digit */
}

static uint8_t digit_of(unsigned value)
{
	unsigned c = 0;

	for (unsigned i = 0; i < 32; i++)
		c |= (uint8_t)digits[i] & (unsigned)-(int)(((value ^ i) - 1) >> 31);
	return (uint8_t)c;
}

/* text is head, then the digits, of exactly the right length and in one case. */
static bool bech32_parse(struct bytes text, const char *head, bool upper, uint8_t ret[static KEY_BYTES])
{
	size_t head_len = strlen(head);
	uint32_t sum = prefix_sum(head), bits = 0;
	unsigned width = 0;
	size_t done = 0;
	bool ok = true;

	if (text.len != head_len + GROUPS + CHECKSUM_GROUPS || !bytes_starts(text, head))
		return false;
	for (size_t i = 0; i < GROUPS + CHECKSUM_GROUPS; i++) {
		uint8_t c = text.at[head_len + i];
		uint8_t value = digit_value(upper ? lower(c) : c);

		ok = ok && (value & 32) != 0 && !(upper && c >= 'a' && c <= 'z');
		sum = polymod(sum, value & 31);
		if (i >= GROUPS)
			continue;
		bits = (bits << 5 | (value & 31u)) & 0xfff;
		width += 5;
		if (width >= 8) {
			width -= 8;
			ret[done++] = (uint8_t)(bits >> width);
		}
	}
	/* 52 groups are 260 bits: the last four belong to no byte and must be zero. */
	ok = ok && (bits & 15) == 0;
	wipe(&bits, sizeof(bits));
	return ok && sum == 1;
}

/* Writes head, digits and checksum: no NUL. */
static void bech32_write(const uint8_t key[static KEY_BYTES], const char *head, bool upper, char *out)
{
	uint32_t sum = prefix_sum(head), bits = 0;
	size_t head_len = strlen(head), done = 0;
	unsigned width = 0;

	memcpy(out, head, head_len);
	out += head_len;
	for (size_t i = 0; i < GROUPS; i++) {
		unsigned value;

		if (width < 5) {
			bits = (bits << 8 | (done < KEY_BYTES ? key[done] : 0u)) & 0xffff;
			done++;
			width += 8;
		}
		width -= 5;
		value = bits >> width & 31;
		sum = polymod(sum, (uint8_t)value);
		out[i] = (char)digit_of(value);
	}
	wipe(&bits, sizeof(bits));
	for (unsigned i = 0; i < CHECKSUM_GROUPS; i++)
		sum = polymod(sum, 0);
	sum ^= 1;
	for (unsigned i = 0; i < CHECKSUM_GROUPS; i++)
		out[GROUPS + i] = (char)digit_of(sum >> (5 * (CHECKSUM_GROUPS - 1 - i)) & 31);
	for (size_t i = 0; upper && i < GROUPS + CHECKSUM_GROUPS; i++)
		out[i] = (char)(out[i] >= 'a' ? out[i] - 'a' + 'A' : out[i]);
}

/* Of the points of small order every scalar makes the same nothing: whoever seals to one seals to everybody, and
 * libsodium refuses at each letter. X25519 scalars are multiples of eight, so that one scalar shows it for all. */
static bool has_small_order(const uint8_t point[static KEY_BYTES])
{
	static const uint8_t any[KEY_BYTES] = { 1 };
	uint8_t shared[KEY_BYTES];

	return crypto_scalarmult_curve25519(shared, any, point) != 0;
}

bool age_recipient_parse(struct bytes text, struct age_recipient *ret, struct err *e)
{
	struct age_recipient r;

	if (bytes_starts(text, "AGE-SECRET-KEY-"))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this is a secret identity, not a recipient");
	if (bytes_starts(text, "age1pq1"))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "post-quantum recipients (age1pq1...) are not supported yet");
	if (!bech32_parse(text, recipient_head, false, r.x25519))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "not an age recipient: \"age1\" and 58 characters with their checksum are wanted");
	if (has_small_order(r.x25519))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "this age recipient is a point of small order: nothing sealed to it is secret");
	*ret = r;
	return true;
}

void age_recipient_write(const struct age_recipient *r, char out[static AGE_RECIPIENT_LEN + 1])
{
	bech32_write(r->x25519, recipient_head, false, out);
	out[AGE_RECIPIENT_LEN] = '\0';
}

/* Takes the scalar. */
static struct seal_identity *identity_of(struct secret *scalar)
{
	struct seal_identity *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->scalar = scalar;
	if (crypto_scalarmult_curve25519_base(s->recipient.x25519, secret_at(scalar)) != 0)
		abort();
	return s;
}

struct seal_identity *seal_identity_new(void)
{
	return identity_of(secret_random(KEY_BYTES));
}

bool seal_identity_parse(struct bytes file, struct seal_identity **ret, struct err *e)
{
	struct bytes found = { 0 };
	AUTO_SECRET *scalar = secret_new(KEY_BYTES);
	size_t line_number = 0;

	if (file.len > IDENTITY_FILE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the identity file is over its limit of %u bytes",
			       IDENTITY_FILE_BYTES_MAX);
	while (file.len > 0) {
		struct bytes line = bytes_cut(&file, '\n');

		line_number++;
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (found.len > 0)
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "the identity file has a second identity in line %zu", line_number);
		if (bytes_starts(line, "AGE-SECRET-KEY-PQ-"))
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "post-quantum identities are not supported yet");
		if (!bech32_parse(line, identity_head, true, secret_at(scalar)))
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "line %zu of the identity file is no age identity", line_number);
		found = line;
	}
	if (found.len == 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the identity file holds no identity");
	*ret = identity_of(scalar);
	scalar = NULL;
	return true;
}

void seal_identity_write(const struct seal_identity *s, struct buf *out)
{
	char recipient[AGE_RECIPIENT_LEN + 1], text[IDENTITY_LEN];

	age_recipient_write(&s->recipient, recipient);
	bech32_write(secret_bytes(s->scalar).at, identity_head, true, text);
	buf_add_format(out, "# public key: %s\n", recipient);
	buf_add(out, BYTES_ARRAY(text));
	buf_add_u8(out, '\n');
	wipe(text, sizeof(text));
}

void seal_identity_recipient(const struct seal_identity *s, struct age_recipient *ret)
{
	*ret = s->recipient;
}

struct bytes age_identity_secret(const struct seal_identity *s)
{
	return secret_bytes(s->scalar);
}

void seal_identity_free(struct seal_identity *s)
{
	if (s == NULL)
		return;
	secret_free(s->scalar);
	free(s);
}

void seal_identity_free_at(struct seal_identity **s)
{
	seal_identity_free(*s);
	*s = NULL;
}
