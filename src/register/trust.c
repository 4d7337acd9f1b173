/* The chain of trust roots. Version 1 is believed because its hash is the fingerprint that a person
 * compared; each later version because enough keys of the one before signed it, and it because enough
 * keys of its own did, so that whoever rotates keys proves to hold the new ones. Signatures are counted
 * by distinct keys. Versions follow each other without a gap; only the newest must not have expired. */
#include "register/register-internal.h"

#include <string.h>

/* A rotation a quarter, for decades. */
#define ROOTS_MAX 128u

bool signed_statement(const json_t *v, const char *kind, struct envelope *ret_envelope, struct statement **ret,
		      struct err *e)
{
	AUTO_STATEMENT *s = NULL;
	AUTO_ENVELOPE env = { 0 };

	if (!envelope_parse_json(v, &env, e) || !statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &s, e))
		return false;
	if (strcmp(s->kind->name, kind) != 0)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KIND, "a %s stands where a %s belongs", s->kind->name, kind);
	*ret_envelope = env;
	memset(&env, 0, sizeof(env));
	*ret = s;
	s = NULL;
	return true;
}

static bool read_keys(const json_t *list, struct trust *t, struct err *e)
{
	size_t n = json_array_size(list);

	if (n < 1 || n > ENVELOPE_SIGNATURES_MAX)
		return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "it does not name 1 to %u keys", ENVELOPE_SIGNATURES_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v) ||
		    !hex_parse(bytes_from(json_string_value(v), json_string_length(v)), t->keys[i], SIGN_PUBLIC_BYTES))
			return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "keys[%zu] is no key", i);
		for (size_t j = 0; j < i; j++) {
			if (memcmp(t->keys[i], t->keys[j], SIGN_PUBLIC_BYTES) == 0)
				return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "keys[%zu] stands there twice", i);
		}
	}
	t->key_count = n;
	return true;
}

static bool read_trust(const json_t *body, struct trust *t, struct err *e)
{
	const char *expires, *log, *origin;

	if (!read_keys(json_object_get(body, "keys"), t, e) ||
	    !json_must_int(body, "version", 1, ROOTS_MAX, &t->version, e) ||
	    !json_must_int(body, "threshold", 1, (int64_t)t->key_count, &t->threshold, e) ||
	    !json_must_text(body, "expires", &expires, e) || !json_must_text(body, "log", &log, e) ||
	    !json_must_text(body, "origin", &origin, e) ||
	    !json_must_hex(body, "register_key", t->register_key, sizeof(t->register_key), e) ||
	    !note_key_parse(bytes_of(log), &t->log_key, e))
		return false;
	if (!time_parse(bytes_of(expires), &t->expires))
		return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "the field expires is no time");
	if (t->log_key.type != NOTE_ED25519 || strcmp(origin, t->log_key.name) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "origin and the name of the log's key differ");
	return true;
}

static bool enough(const struct envelope *v, const struct trust *t, const char *whose, struct err *e)
{
	size_t signers = envelope_signed_by_how_many(v, (const uint8_t(*)[SIGN_PUBLIC_BYTES])t->keys, t->key_count);

	if (signers < (size_t)t->threshold)
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "%zu of %s keys signed it, %lld must", signers, whose,
			       (long long)t->threshold);
	return true;
}

/* The root that follows `last` (all zero before the first). */
static bool follow(const json_t *v, const uint8_t *fingerprint, const struct trust *last, struct trust *ret, struct err *e)
{
	struct trust t = { 0 };
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *s = NULL;

	if (!signed_statement(v, "register-root", &env, &s, e))
		return false;
	if (last->version == 0 && fingerprint != NULL && memcmp(env.hash, fingerprint, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_ROOT_MISMATCH,
			       "its trust root is not the one with the fingerprint that was given");
	if (!read_trust(s->body, &t, e))
		return false;
	if (t.version != last->version + 1)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "it says version %lld", (long long)t.version);
	memcpy(t.hash, env.hash, SHA256_BYTES);
	if ((last->version != 0 && !enough(&env, last, "the former root's", e)) || !enough(&env, &t, "its own", e))
		return false;
	*ret = t;
	return true;
}

bool register_roots_check(const json_t *roots, const uint8_t *fingerprint, int64_t now_ms, struct err *e)
{
	uint8_t first[SHA256_BYTES];
	struct trust t;

	return trust_follow(roots, fingerprint, now_ms, &t, first, e);
}

bool trust_follow(const json_t *roots, const uint8_t *fingerprint, int64_t now_ms, struct trust *ret,
		  uint8_t ret_fingerprint[static SHA256_BYTES], struct err *e)
{
	struct trust t = { 0 };
	uint8_t first[SHA256_BYTES];
	size_t n = json_array_size(roots);
	char expires[TIME_TEXT_LEN + 1];

	if (n < 1 || n > ROOTS_MAX)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "it does not hold 1 to %u trust roots", ROOTS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!follow(json_array_get(roots, i), fingerprint, &t, &t, e))
			return err_note(e, "trust root %zu", i + 1);
		if (i == 0)
			memcpy(first, t.hash, SHA256_BYTES);
	}
	if (t.expires <= now_ms) {
		time_write(t.expires, expires);
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "its newest trust root, version %lld, expired at %s",
			       (long long)t.version, expires);
	}
	*ret = t;
	memcpy(ret_fingerprint, first, SHA256_BYTES);
	return true;
}
