/* For the tests of bundles: a secretariat with its trust roots and its log, and the parts of one bundle,
 * which a test changes before finish() writes it. */
#ifndef COMITY_REGISTER_TEST_BUNDLE_H
#define COMITY_REGISTER_TEST_BUNDLE_H

#include "register/test-fixture.h"

#define EXPIRES (FX_NOW + 365 * DAY_MS)
#define NO_ROOT ((const uint8_t *)NULL)

static struct fx_home xa, xr, xl;
static struct sign_key *first[3], *second[3], *register_key;
static struct fx_log log_of_register;
static struct buf bundle, problems;
static uint8_t fingerprint[SHA256_BYTES];

/* The parts of the next bundle. */
static struct {
	struct buf roots[4];
	size_t root_count;
	struct fx_act entries[8];
	size_t entry_count;
	uint8_t listed[8][SHA256_BYTES];
	size_t listed_count;
	uint8_t policies[8][SHA256_BYTES]; /* listed too */
	size_t policy_count;
	const struct sign_key *snapshot_key;
	int64_t time;
} parts;

static inline void add_root(int version, struct sign_key *const *keys, int threshold, int64_t expires,
		     const struct sign_key *const *signers, size_t signer_count)
{
	struct bytes type = statement_type(kind_find(bytes_of("register-root")));
	struct buf *out = &parts.roots[parts.root_count++];
	struct envelope_signature sigs[4];
	json_t *body = json_object(), *list = json_array();
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, STATEMENT_BYTES_MAX);
	for (size_t i = 0; i < 3; i++) {
		char hex[2 * SIGN_PUBLIC_BYTES + 1];

		hex_write(bytes_from(sign_key_public(keys[i]), SIGN_PUBLIC_BYTES), hex);
		assert_int_equal(json_array_append_new(list, json_string(hex)), 0);
	}
	json_put_time(body, "expires", expires);
	json_put(body, "keys", list);
	note_key_write(&log_of_register.vkey, &pae);
	json_put_text(body, "log", buf_text(&pae));
	json_put_text(body, "origin", log_of_register.vkey.name);
	json_put_hex(body, "register_key", bytes_from(sign_key_public(register_key), SIGN_PUBLIC_BYTES));
	json_put_int(body, "threshold", threshold);
	json_put_int(body, "version", version);
	fx_payload(&(struct fx_draft){ "register-root", "XS", "*", body, false }, &payload);
	buf_clear(&pae);
	pae_write(type, buf_bytes(&payload), &pae);
	for (size_t i = 0; i < signer_count; i++) {
		key_id_write(sign_key_public(signers[i]), sigs[i].keyid);
		sign_key_sign(signers[i], buf_bytes(&pae), sigs[i].sig);
	}
	buf_init(out, ENVELOPE_BYTES_MAX);
	assert_true(envelope_write_of(type, buf_bytes(&payload), sigs, signer_count, out, NULL));
	if (parts.root_count == 1)
		pae_hash(type, buf_bytes(&payload), fingerprint);
}
#define SIGNERS(...) (const struct sign_key *const[]){ __VA_ARGS__ }, \
	sizeof((const struct sign_key *const[]){ __VA_ARGS__ }) / sizeof(struct sign_key *)

static inline struct fx_act *add_entry(const struct party *p)
{
	struct fx_act *a = &parts.entries[parts.entry_count++];

	fx_entry(p, "XS", register_key, &log_of_register, a);
	memcpy(parts.listed[parts.listed_count++], a->hash, SHA256_BYTES);
	return a;
}

static inline struct fx_act *add_policy_by(const struct sign_key *key, const char *party, const char *text, int64_t from_ms)
{
	struct fx_act *a = &parts.entries[parts.entry_count++];
	json_t *body = json_object();

	json_put_time(body, "from", from_ms);
	json_put_int(body, "max_age_s", 600);
	json_put_text(body, "party", party);
	json_put_text(body, "policy", text);
	fx_sign(&(struct fx_draft){ "register-policy", "XS", "*", body, false }, key, a);
	fx_leaf(a, &log_of_register);
	memcpy(parts.policies[parts.policy_count++], a->hash, SHA256_BYTES);
	return a;
}

static inline struct fx_act *add_policy(const char *party, const char *text, int64_t from_ms)
{
	return add_policy_by(register_key, party, text, from_ms);
}

/* Empties the parts; the register's log begins again. */
static inline void begin_without_root(void)
{
	for (size_t i = 0; i < parts.root_count; i++)
		buf_release(&parts.roots[i]);
	for (size_t i = 0; i < parts.entry_count; i++)
		fx_act_release(&parts.entries[i]);
	memset(&parts, 0, sizeof(parts));
	parts.snapshot_key = register_key;
	parts.time = FX_NOW;
	log_of_register.n = 0;
	fx_append(&log_of_register, bytes_of("an earlier leaf"));
}

static inline void begin(void)
{
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(first[0], first[1]));
}

static inline void write_snapshot(struct buf *out)
{
	json_t *body = json_object(), *list = json_array();
	merkle_hash root;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	for (size_t i = 0; i < parts.listed_count; i++) {
		char hex[2 * SHA256_BYTES + 1];

		hex_write(BYTES_ARRAY(parts.listed[i]), hex);
		assert_int_equal(json_array_append_new(list, json_string(hex)), 0);
	}
	fx_root(log_of_register.leaves, log_of_register.n, root);
	if (parts.policy_count > 0) {
		json_t *policies = json_array();

		for (size_t i = 0; i < parts.policy_count; i++) {
			char hex[2 * SHA256_BYTES + 1];

			hex_write(BYTES_ARRAY(parts.policies[i]), hex);
			assert_int_equal(json_array_append_new(policies, json_string(hex)), 0);
		}
		json_put(body, "policies", policies);
	}
	json_put(body, "entries", list);
	json_put_text(body, "origin", log_of_register.vkey.name);
	json_put_hex(body, "root", BYTES_ARRAY(root));
	json_put_int(body, "size", (int64_t)log_of_register.n);
	json_put_time(body, "time", parts.time);
	fx_payload(&(struct fx_draft){ "register-snapshot", "XS", "*", body, false }, &payload);
	assert_true(envelope_sign(statement_type(kind_find(bytes_of("register-snapshot"))), buf_bytes(&payload),
				  parts.snapshot_key, out, NULL));
}

/* What a test has not proved yet is proved under the newest checkpoint. */
static inline void finish(void)
{
	struct bytes roots[4], entries[8];
	struct buf acts[8];
	AUTO_BUF snapshot = { 0 }, checkpoint = { 0 };

	buf_init(&snapshot, ENVELOPE_BYTES_MAX);
	buf_init(&checkpoint, NOTE_BYTES_MAX);
	write_snapshot(&snapshot);
	fx_checkpoint(&log_of_register, &checkpoint);
	for (size_t i = 0; i < parts.root_count; i++)
		roots[i] = buf_bytes(&parts.roots[i]);
	for (size_t i = 0; i < parts.entry_count; i++) {
		if (parts.entries[i].proof.len == 0)
			fx_prove(&parts.entries[i], &log_of_register);
		buf_init(&acts[i], LETTER_BYTES_MAX);
		fx_write(&parts.entries[i], &acts[i]);
		entries[i] = buf_bytes(&acts[i]);
	}
	buf_clear(&bundle);
	assert_true(register_bundle_write(roots, parts.root_count, buf_bytes(&snapshot), buf_bytes(&checkpoint), entries,
					  parts.entry_count, &bundle, NULL));
	for (size_t i = 0; i < parts.entry_count; i++)
		buf_release(&acts[i]);
}

/* The bundle with one member replaced. */
static inline void put_member(const char *key, json_t *taken)
{
	AUTO_JSON *v = fx_json(buf_bytes(&bundle));

	json_put(v, key, taken);
	buf_clear(&bundle);
	assert_true(json_write_canonical(v, &bundle, NULL));
}

static inline enum reason loaded(struct register_ *r, const uint8_t *root)
{
	struct err e = { 0 };
	bool ok;

	buf_clear(&problems);
	ok = register_load(r, buf_bytes(&bundle), root, FX_NOW, &problems, &e);
	assert_int_equal(ok, e.kind == ERR_NONE);
	return e.reason;
}

/* Of a register that has nothing yet, with the right fingerprint. */
static inline enum reason loaded_alone(void)
{
	struct register_ *r = register_new();
	enum reason why = loaded(r, fingerprint);

	if (why != REASON_NONE) {
		assert_int_equal(register_count(r), 0);
		assert_null(register_root_fingerprint(r));
		assert_string_equal(register_origin(r), "");
	}
	register_free(r);
	return why;
}

static inline bool told(const char *words)
{
	return strstr(buf_text(&problems), words) != NULL;
}

static inline size_t problem_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < problems.len; i++)
		n += problems.at[i] == '\n';
	return n;
}

static inline int bundle_setup(void **state)
{
	chance_seed(23);
	chance_set(chance_seeded_fill);
	buf_init(&bundle, REGISTER_BYTES_MAX);
	buf_init(&problems, 64 * KIB);
	fx_home_new("XA", "Arcadia", &xa);
	fx_home_new("XR", "Ruritania", &xr);
	fx_home_new("XL", "Laurania", &xl);
	for (size_t i = 0; i < 3; i++) {
		first[i] = sign_key_new();
		second[i] = sign_key_new();
	}
	register_key = sign_key_new();
	fx_log_new("register.XS.example/1", &log_of_register);
	return 0;
}

static inline int bundle_teardown(void **state)
{
	begin_without_root();
	fx_home_free(&xa);
	fx_home_free(&xr);
	fx_home_free(&xl);
	for (size_t i = 0; i < 3; i++) {
		sign_key_free(first[i]);
		sign_key_free(second[i]);
	}
	sign_key_free(register_key);
	sign_key_free(log_of_register.key);
	buf_release(&bundle);
	buf_release(&problems);
	chance_set(NULL);
	return 0;
}

#endif
