/* Leaves that tell nothing: two commitments and a tag, each an HMAC that nobody can tell from chance
 * without the opening or the cross-log secret. HMAC under a public key acts as a random oracle here: it
 * hides because the opening has 256 bits, and binds because SHA-256 does. */
#include "log/leaf.h"

#include <string.h>

#include "base/clock.h"
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

void leaf_write(const uint8_t hash[static SHA256_BYTES], const struct leaf_class *c, const uint8_t opening[static 32],
		const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static LEAF_V1_BYTES])
{
	struct bytes key = bytes_of(commitment_key);
	uint8_t act[1 + 32 + SHA256_BYTES] = { 'c' }, salt[32];
	uint8_t commitment[32], class_commitment[32], tag[32];
	AUTO_BUF_WIPE in = { 0 };

	memcpy(act + 1, opening, 32);
	memcpy(act + 33, hash, SHA256_BYTES);
	hmac_sha256(key, BYTES_ARRAY(act), commitment);
	buf_init(&in, 64 * KIB);
	hkdf_sha256(bytes_from(opening, 32), (struct bytes){ 0 }, "comity/leaf/class", salt, sizeof(salt));
	buf_add_u8(&in, 'k');
	buf_add(&in, BYTES_ARRAY(salt));
	class_record_write(c, &in);
	hmac_sha256(key, buf_bytes(&in), class_commitment);
	leaf_tag(x, side, tag);
	assemble(commitment, class_commitment, tag, ret);
	wipe(act, sizeof(act));
	wipe(salt, sizeof(salt));
}

void leaf_tag(const uint8_t x[static 32], enum leaf_side side, uint8_t ret[static SHA256_BYTES])
{
	hmac_sha256(bytes_from(x, 32), bytes_of(side == LEAF_OUT ? "xlog/v1/out" : "xlog/v1/in"), ret);
}

void leaf_write_null(uint8_t ret[static LEAF_V1_BYTES])
{
	uint8_t chance[96];

	chance_fill(chance, sizeof(chance));
	assemble(chance, chance + 32, chance + 64, ret);
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
