/* For the tests of this chapter and of api/: whole homes in folders of their own, in one process, without
 * sockets. The signer is called directly (exchange/signing.h), time stands still until a test moves it,
 * and what goes from node to node is carried by hand. Fictional parties: Secretariat XS keeps the register,
 * Arcadia XA asks, Ruritania XR is asked, Laurania XL is somebody else. */
#ifndef COMITY_EXCHANGE_TEST_NODES_H
#define COMITY_EXCHANGE_TEST_NODES_H

#include "store/test-home.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/draft.h"
#include "exchange/node.h"
#include "exchange/outbox.h"
#include "exchange/receive.h"
#include "seal/approval.h"
#include "statement/letter.h"
#include "statement/test-samples.h"

#define SLOT_MS 30000

enum person { RANA, ILSE, OMAR, FINCH, CORA, ADA, PEOPLE };
static const struct {
	const char *name, *roles;
	enum approval_role role;
} people[PEOPLE] = {
	[RANA] = { "Rana Vale", "rights-reviewer", APPROVAL_REVIEWER },
	[ILSE] = { "Ilse Thorn", "authority", APPROVAL_AUTHORITY },
	[OMAR] = { "Omar Reed", "duty-officer", APPROVAL_DUTY },
	[FINCH] = { "Judge Finch", "court", APPROVAL_COURT },
	[CORA] = { "Cora Hale", "custodian", APPROVAL_CUSTODIAN },
	/* The case officer of the samples, who holds a role as well: it must not help. */
	[ADA] = { "Ada Quill", "authority,rights-reviewer", APPROVAL_AUTHORITY },
};

struct home {
	struct test_home dir;
	const char *code, *name;
	struct config config; /* the signer's */
	struct sign_key *sign, *log, *person[PEOPLE]; /* copies; the signer has its own */
	struct sign_key *witness; /* NULL: it has none */
	struct seal_identity *seal;
	struct signing *signing;
	int cell_fd;
	struct node *node;
	uint8_t tls[SHA256_BYTES];
	int good_calls, refuse_signing; /* after so many good ones, so many calls of the signer fail as if it were gone */
};

/* --- time and chance ------------------------------------------------------------------------------------ */

static int64_t the_time = SAMPLE_NOW;

static inline int64_t time_now(void)
{
	return the_time;
}

/* By how much the clock was set since the test began: that moves no interval. */
static int64_t the_clock_was_set_by;

static inline int64_t time_monotonic(void)
{
	return (the_time - the_clock_was_set_by) * 1000;
}

static inline void set_clock(int64_t by_ms)
{
	the_time += by_ms;
	the_clock_was_set_by += by_ms;
}

static inline void time_begins(uint64_t seed)
{
	the_time = SAMPLE_NOW;
	the_clock_was_set_by = 0;
	clock_set(time_now);
	clock_set_monotonic(time_monotonic);
	chance_seed(seed);
	chance_set(chance_seeded_fill);
}

/* --- the signer, in this process --------------------------------------------------------------------------- */

static inline bool signer_gone(struct home *h, struct err *e)
{
	if (h->refuse_signing == 0 || h->good_calls-- > 0)
		return false;
	h->refuse_signing--;
	err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the signer is gone");
	return true;
}

static inline bool sign_direct(void *ctx, const struct signing_item *items, size_t n, struct node_signature *results,
			       struct err *e)
{
	struct home *h = ctx;

	if (signer_gone(h, e))
		return false;
	for (size_t i = 0; i < n; i++)
		results[i].ok = signing_statement(h->signing, &items[i], results[i].signature, &results[i].e);
	return true;
}

static inline bool checkpoint_direct(void *ctx, const struct signing_extension *x, struct buf *note, struct err *e)
{
	struct home *h = ctx;

	return !signer_gone(h, e) && signing_checkpoint(h->signing, x, note, e);
}

static inline bool unwrap_direct(void *ctx, const struct bytes *headers, size_t n, struct secret **keys, struct err *e)
{
	struct home *h = ctx;

	if (signer_gone(h, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!signing_unwrap(h->signing, headers[i], &keys[i], NULL))
			keys[i] = NULL;
	return true;
}

static inline bool trust_direct(void *ctx, struct bytes bundle, struct err *e)
{
	struct home *h = ctx;

	return signing_trust(h->signing, bundle, e);
}

static inline bool last_direct(void *ctx, struct checkpoint *ret, bool *ret_locked, struct err *e)
{
	struct home *h = ctx;

	*ret = *signing_last(h->signing);
	*ret_locked = signing_locked(h->signing);
	return true;
}

static inline bool unlock_direct(void *ctx, struct err *e)
{
	struct home *h = ctx;

	signing_unlock(h->signing);
	return true;
}

/* --- making a home ------------------------------------------------------------------------------------------ */

static inline void write_file(struct home *h, const char *path, struct bytes in)
{
	assert_ok(file_write(h->dir.fd, path, in, 0600, false, e));
}

static inline void set(struct home *h, enum config_key key, const char *value)
{
	assert_ok(config_set(&h->config, key, value, e));
}

/* Keys, people and settings, nothing written yet: the trust root is not known before the keys are. */
static inline void home_begin(struct home *h, const char *code, const char *name)
{
	char text[80];

	memset(h, 0, sizeof(*h));
	home_make(&h->dir);
	h->code = code;
	h->name = name;
	h->cell_fd = -1;
	h->sign = sign_key_new();
	h->log = sign_key_new();
	h->seal = seal_identity_new();
	for (size_t i = 0; i < PEOPLE; i++)
		h->person[i] = sign_key_new();
	chance_fill(h->tls, sizeof(h->tls));
	config_defaults(&h->config);
	set(h, CONFIG_party, code);
	set(h, CONFIG_name, name);
	set(h, CONFIG_authority, "central authority");
	set(h, CONFIG_contact_name, "Duty desk");
	set(h, CONFIG_phone, "+00 1 555 0100");
	set(h, CONFIG_callback, "+00 1 555 0101");
	set(h, CONFIG_fictional, "yes");
	set(h, CONFIG_in_force_from, "2026-08-01T00:00:00.000Z");
	set(h, CONFIG_leaves_per_slot, "4");
	set(h, CONFIG_page_command, "/bin/true");
	set(h, CONFIG_page_officers, "omar nora");
	snprintf(text, sizeof(text), "https://%s.example:8443", code);
	set(h, CONFIG_endpoint, text);
}

static inline void home_write(struct home *h)
{
	static const char *const folders[] = { "keys", "store", "blobs", "log", "backup" };
	struct identity public = { .since = the_time - DAY_MS };
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	AUTO_BUF text = { 0 };

	buf_init(&text, 256 * KIB);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_ok(dir_make(h->dir.fd, folders[i], 0700, e));
	config_write(&h->config, &text);
	write_file(h, "comity.conf", buf_bytes(&text));
	config_log_origin(&h->config, origin);
	memcpy(public.sign, sign_key_public(h->sign), SIGN_PUBLIC_BYTES);
	memcpy(public.tls, h->tls, SHA256_BYTES);
	note_key_make(origin, NOTE_ED25519, sign_key_public(h->log), &public.log);
	seal_identity_recipient(h->seal, &public.seal);
	if (h->witness != NULL) {
		char name[NOTE_NAME_BYTES_MAX + 1];
		snprintf(name, sizeof(name), "%.180s/witness", origin);
		note_key_make(name, NOTE_COSIGNATURE, sign_key_public(h->witness), &public.witness);
		public.has_witness = true;
	}
	buf_clear(&text);
	identity_write(&public, &text);
	write_file(h, "identity", buf_bytes(&text));
	buf_clear(&text);
	for (size_t i = 0; i < PEOPLE; i++) {
		buf_add_format(&text, "%s\t%s\t", people[i].name, people[i].roles);
		buf_add_hex(&text, bytes_from(sign_key_public(h->person[i]), SIGN_PUBLIC_BYTES));
		buf_add_u8(&text, '\n');
	}
	write_file(h, "approvers", buf_bytes(&text));
}

static inline struct sign_key *sign_key_copy(const struct sign_key *k)
{
	struct sign_key *copy = NULL;
	AUTO_BUF_WIPE text = { 0 };

	buf_init(&text, KIB);
	sign_key_write(k, "copy", &text);
	assert_ok(sign_key_parse(buf_bytes(&text), &copy, e));
	return copy;
}

static inline struct seal_identity *seal_identity_copy(const struct seal_identity *s)
{
	struct seal_identity *copy = NULL;
	AUTO_BUF_WIPE text = { 0 };

	buf_init(&text, KIB);
	seal_identity_write(s, &text);
	assert_ok(seal_identity_parse(buf_bytes(&text), &copy, e));
	return copy;
}

static inline bool signer_open(struct home *h, bool restored, struct err *e)
{
	struct signing_options o = { .config = &h->config, .sign_key = sign_key_copy(h->sign), .log_key = sign_key_copy(h->log),
				     .identity = seal_identity_copy(h->seal), .restored = restored };
	AUTO_BUF approvers = { 0 };

	buf_init(&approvers, APPROVERS_BYTES_MAX);
	assert_true(file_read(h->dir.fd, "approvers", &approvers, NULL));
	o.approvers = buf_bytes(&approvers);
	o.checkpoint_fd = openat(h->dir.fd, "keys/checkpoint", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(o.checkpoint_fd >= 0);
	h->cell_fd = o.checkpoint_fd;
	if (signing_new(&o, &h->signing, e))
		return true;
	sign_key_free(o.sign_key);
	sign_key_free(o.log_key);
	seal_identity_free(o.identity);
	close(h->cell_fd);
	h->cell_fd = -1;
	return false;
}

static inline bool node_open_at(struct home *h, struct err *e)
{
	struct node_options o = { .home_fd = fcntl(h->dir.fd, F_DUPFD_CLOEXEC, 3), .treaties = getenv("COMITY_TREATIES"),
		.signer = { h, sign_direct, checkpoint_direct, unwrap_direct, trust_direct, last_direct, unlock_direct } };

	if (o.treaties == NULL)
		fail_msg("COMITY_TREATIES is not set");
	return node_open(&o, &h->node, e);
}

static inline void home_open(struct home *h)
{
	assert_ok(signer_open(h, false, e));
	assert_ok(node_open_at(h, e));
}

static inline void home_close(struct home *h)
{
	node_close(h->node);
	h->node = NULL;
	signing_free(h->signing);
	h->signing = NULL;
	if (h->cell_fd >= 0)
		close(h->cell_fd);
	h->cell_fd = -1;
}

static inline void home_end(struct home *h)
{
	home_close(h);
	sign_key_free(h->sign);
	sign_key_free(h->log);
	sign_key_free(h->witness);
	seal_identity_free(h->seal);
	for (size_t i = 0; i < PEOPLE; i++)
		sign_key_free(h->person[i]);
	home_remove(&h->dir);
}

/* One step inside a transaction of its own, which must succeed. */
#define IN(h, call)                                  \
	do {                                         \
		assert_ok(node_begin((h)->node, e)); \
		assert_ok(call);                     \
		assert_ok(node_commit((h)->node, e)); \
	} while (0)
/* One that must fail with this reason, and leaves nothing. */
#define IN_REFUSED(h, call, reason)                  \
	do {                                         \
		assert_ok(node_begin((h)->node, e)); \
		assert_refused(call, reason);        \
		node_rollback((h)->node);            \
	} while (0)

/* The next slot of this home's log closes; a look at witnesses that begins now is over by then. */
static inline void slot(struct home *h)
{
	(void)cosigning_looking(h->node);
	the_time += SLOT_MS;
	assert_ok(node_slot(h->node, the_time, e));
}

/* --- the register --------------------------------------------------------------------------------------------- */

struct world {
	struct home xs, xa, xr, xl;
	struct sign_key *roots[3];
	struct buf bundle;
};

static inline void world_root(struct world *w, struct buf *envelope, uint8_t fingerprint[static SHA256_BYTES])
{
	struct bytes type = statement_type(kind_find(bytes_of("register-root")));
	json_t *body = json_object(), *keys = json_array();
	AUTO_JSON *frame = sample_frame("register-root", body);
	struct envelope_signature sigs[2];
	struct note_key log;
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, STATEMENT_BYTES_MAX + KIB);
	for (size_t i = 0; i < 3; i++) {
		char hex[2 * SIGN_PUBLIC_BYTES + 1];
		hex_write(bytes_from(sign_key_public(w->roots[i]), SIGN_PUBLIC_BYTES), hex);
		assert_int_equal(json_array_append_new(keys, json_string(hex)), 0);
	}
	note_key_make("comity/XS", NOTE_ED25519, sign_key_public(w->xs.log), &log);
	note_key_write(&log, &pae);
	json_put_time(body, "expires", the_time + 400 * DAY_MS);
	json_put(body, "keys", keys);
	json_put_text(body, "log", buf_text(&pae));
	json_put_text(body, "origin", log.name);
	json_put_hex(body, "register_key", bytes_from(sign_key_public(w->xs.sign), SIGN_PUBLIC_BYTES));
	json_put_int(body, "threshold", 2);
	json_put_int(body, "version", 1);
	json_put_text(frame, "from", "XS");
	assert_ok(json_write_canonical(frame, &payload, e));
	buf_clear(&pae);
	pae_write(type, buf_bytes(&payload), &pae);
	for (size_t i = 0; i < 2; i++) {
		key_id_write(sign_key_public(w->roots[i]), sigs[i].keyid);
		sign_key_sign(w->roots[i], buf_bytes(&pae), sigs[i].sig);
	}
	assert_ok(envelope_write_of(type, buf_bytes(&payload), sigs, 2, envelope, e));
	pae_hash(type, buf_bytes(&payload), fingerprint);
}

/* The home's own entry as people hand it over: an act and its hash. */
static inline void describe(struct home *h, struct buf *act, uint8_t hash[static SHA256_BYTES])
{
	IN(h, directory_describe(h->node, hash, e));
	assert_ok(node_act_json(h->node, hash, act, e));
}

static inline void admit(struct world *w, struct home *h)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	describe(h, &act, hash);
	IN(&w->xs, directory_admit(w->xs.node, buf_bytes(&act), hash, e));
}

/* The secretariat publishes what it has admitted. */
static inline void publish(struct world *w)
{
	size_t entries;
	uint64_t size;

	slot(&w->xs);
	slot(&w->xs);
	IN(&w->xs, directory_publish(w->xs.node, &entries, &size, e));
	buf_clear(&w->bundle);
	assert_ok(directory_bundle(w->xs.node, &w->bundle, e));
}

static inline void take_register(struct world *w, struct home *h)
{
	size_t entries;

	IN(h, directory_take(h->node, buf_bytes(&w->bundle), &entries, NULL, e));
}

/* Four homes that know each other by the register; `prepare` (may be NULL) changes settings before they are written. */
static inline void world_begin_with(struct world *w, void (*prepare)(struct world *w))
{
	uint8_t fingerprint[SHA256_BYTES], told[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct home *all[] = { &w->xs, &w->xa, &w->xr, &w->xl };
	int64_t version;
	AUTO_BUF root = { 0 };

	buf_init(&root, ENVELOPE_BYTES_MAX);
	buf_init(&w->bundle, REGISTER_BYTES_MAX);
	time_begins(17);
	for (size_t i = 0; i < 3; i++)
		w->roots[i] = sign_key_new();
	home_begin(&w->xs, "XS", "Secretariat");
	home_begin(&w->xa, "XA", "Arcadia");
	home_begin(&w->xr, "XR", "Ruritania");
	home_begin(&w->xl, "XL", "Laurania");
	if (prepare != NULL)
		prepare(w);
	world_root(w, &root, fingerprint);
	hex_write(BYTES_ARRAY(fingerprint), hex);
	for (size_t i = 0; i < 4; i++) {
		set(all[i], CONFIG_trust_root, hex);
		home_write(all[i]);
		home_open(all[i]);
	}
	IN(&w->xs, directory_root(w->xs.node, buf_bytes(&root), &version, told, e));
	assert_memory_equal(told, fingerprint, SHA256_BYTES);
	for (size_t i = 1; i < 4; i++)
		admit(w, all[i]);
	publish(w);
	for (size_t i = 1; i < 4; i++)
		take_register(w, all[i]);
}

static inline void world_begin(struct world *w)
{
	world_begin_with(w, NULL);
}

static inline void world_end(struct world *w)
{
	struct home *all[] = { &w->xs, &w->xa, &w->xr, &w->xl };

	for (size_t i = 0; i < 4; i++)
		home_end(all[i]);
	for (size_t i = 0; i < 3; i++)
		sign_key_free(w->roots[i]);
	buf_release(&w->bundle);
}

#endif
