/* Leaves that tell nothing: two commitments and a tag, each an HMAC that nobody can tell from chance
 * without the opening or the cross-log secret. HMAC under a public key acts as a random oracle here: it
 * hides because the opening has 256 bits, and binds because SHA-256 does. Null leaves are made of the same three
 * kinds of value under a key of their own, so they differ from real ones in nothing that can be computed without it. */
#include "log/leaf.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/secret.h"

static const char commitment_key[] = "comity leaf v1 commitment key";

/* {"c":"<64>","k":"<64>","t":"<64>","v":1} */
static void assemble(const uint8_t c[static 32], const uint8_t k[static 32], const uint8_t t[static 32],
		     uint8_t ret[static LEAF_V1_BYTES])
{
	char hex_c[65], hex_k[65], hex_t[65], text[LEAF_V1_BYTES + 1];

	hex_write(bytes_from(c, 32), hex_c);
	hex_write(bytes_from(k, 32), hex_k);
	hex_write(bytes_from(t, 32), hex_t);
	snprintf(text, sizeof(text), "{\"c\":\"%s\",\"k\":\"%s\",\"t\":\"%s\",\"v\":1}", hex_c, hex_k, hex_t);
	memcpy(ret, text, LEAF_V1_BYTES);
}

/* JCS of {"basis","class","exercise","week"}. */
static void class_record_write(const struct leaf_class *c, struct buf *out)
{
	AUTO_JSON *record = json_object();

	json_put_bytes(record, "basis", c->basis);
	json_put_bytes(record, "class", c->act_class);
	json_put_bool(record, "exercise", c->exercise);
	json_put_bytes(record, "week", c->week);
	if (!json_write_canonical(record, out, NULL))
		abort(); /* four fields that our own statements hold always have a canonical form */
}

/* The same, by hand and without memory of its own, of texts in which JSON escapes nothing, as all class codes, bases
 * and weeks are: logs are opened by the million. 0: it cannot be done so. */
#define PLAIN_BYTES_MAX 256u
static size_t plain_add(char *at, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < 0x20 || text.at[i] > 0x7e || text.at[i] == '"' || text.at[i] == '\\')
			return 0;
		at[i] = (char)text.at[i];
	}
	return text.len;
}

static size_t class_record_plain(const struct leaf_class *c, char out[static PLAIN_BYTES_MAX])
{
	const struct bytes parts[] = {
		bytes_of("{\"basis\":\""), c->basis, bytes_of("\",\"class\":\""), c->act_class,
		bytes_of(c->exercise ? "\",\"exercise\":true,\"week\":\"" : "\",\"exercise\":false,\"week\":\""), c->week, bytes_of("\"}"),
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].len > PLAIN_BYTES_MAX - len)
			return 0;
		if (i % 2 == 0)
			memcpy(out + len, parts[i].at, parts[i].len);
		else if (plain_add(out + len, parts[i]) != parts[i].len)
			return 0;
		len += parts[i].len;
	}
	return len;
}

void leaf_class_salt(const uint8_t opening[static 32], uint8_t ret[static 32])
{
	hkdf_sha256(bytes_from(opening, 32), (struct bytes){ 0 }, "comity/leaf/class", ret, 32);
}

void leaf_class_commit(const uint8_t salt[static 32], const struct leaf_class *c, uint8_t ret[static 32])
{
	char plain[33 + PLAIN_BYTES_MAX] = { 'k' };
	AUTO_BUF_WIPE in = { 0 };

	memcpy(plain + 1, salt, 32);
	size_t len = class_record_plain(c, plain + 33);
	if (len > 0) {
		hmac_sha256(bytes_of(commitment_key), bytes_from(plain, 33 + len), ret);
		wipe(plain, 33 + len);
		return;
	}
	buf_init(&in, 64 * KIB);
	buf_add_u8(&in, 'k');
	buf_add(&in, bytes_from(salt, 32));
	class_record_write(c, &in);
	hmac_sha256(bytes_of(commitment_key), buf_bytes(&in), ret);
}

void leaf_write(const uint8_t hash[static SHA256_BYTES], const struct leaf_class *c, const uint8_t opening[static 32],
		const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static LEAF_V1_BYTES])
{
	uint8_t act[1 + 32 + SHA256_BYTES] = { 'c' }, salt[32];
	uint8_t commitment[32], class_commitment[32], tag[32];

	memcpy(act + 1, opening, 32);
	memcpy(act + 33, hash, SHA256_BYTES);
	hmac_sha256(bytes_of(commitment_key), BYTES_ARRAY(act), commitment);
	leaf_class_salt(opening, salt);
	leaf_class_commit(salt, c, class_commitment);
	leaf_tag(x, side, tag);
	assemble(commitment, class_commitment, tag, ret);
	wipe(act, sizeof(act));
	wipe(salt, sizeof(salt));
}

void leaf_tag(const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static SHA256_BYTES])
{
	hmac_sha256(bytes_from(x, 32), bytes_of(side == LEAF_OUT ? "xlog/v1/out" : "xlog/v1/in"), ret);
}

/* --- null leaves ------------------------------------------------------------------------------- */

static void null_part(const uint8_t null_key[static 32], char part, uint64_t index, uint8_t ret[static 32])
{
	uint8_t in[9] = { (uint8_t)part };

	for (unsigned i = 0; i < 8; i++)
		in[1 + i] = (uint8_t)(index >> (56 - 8 * i));
	hmac_sha256(bytes_from(null_key, 32), BYTES_ARRAY(in), ret);
}

void leaf_null_salt(const uint8_t null_key[static 32], uint64_t index, uint8_t ret[static 32])
{
	null_part(null_key, 'k', index, ret);
}

void leaf_write_null(const uint8_t null_key[static 32], uint64_t index, struct bytes week, uint8_t ret[static LEAF_V1_BYTES])
{
	struct leaf_class class = { .act_class = bytes_of(LEAF_CLASS_NULL), .basis = bytes_of(""), .week = week };
	uint8_t c[32], k[32], t[32], salt[32];

	null_part(null_key, 'c', index, c);
	null_part(null_key, 't', index, t);
	leaf_null_salt(null_key, index, salt);
	leaf_class_commit(salt, &class, k);
	assemble(c, k, t, ret);
	wipe(salt, sizeof(salt));
}

bool leaf_is_null(const uint8_t null_key[static 32], uint64_t index, struct bytes leaf)
{
	uint8_t c[32], k[32], t[32], want[32];

	if (!leaf_parse(leaf, c, k, t, NULL))
		return false;
	null_part(null_key, 'c', index, want);
	if (memcmp(c, want, sizeof(c)) != 0)
		return false;
	null_part(null_key, 't', index, want);
	return memcmp(t, want, sizeof(t)) == 0;
}

bool leaf_parse(struct bytes in, uint8_t c[static 32], uint8_t k[static 32], uint8_t t[static 32], struct err *e)
{
	struct reader r = reader_over(in);
	uint8_t out[3][32];
	static const char *const before[] = { "{\"c\":\"", "\",\"k\":\"", "\",\"t\":\"" };

	for (size_t i = 0; i < 3; i++) {
		reader_literal(&r, before[i]);
		if (!hex_parse(reader_take(&r, 64), out[i], 32))
			reader_fail(&r);
	}
	reader_literal(&r, "\",\"v\":1}");
	if (!reader_done(&r, "leaf", e))
		return false;
	memcpy(c, out[0], 32);
	memcpy(k, out[1], 32);
	memcpy(t, out[2], 32);
	return true;
}
