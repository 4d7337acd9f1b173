/* For the tests of this chapter: fictional parties with real keys, a small log in memory for each, and
 * acts under their checkpoints. Everything is built the way a node builds it, so that a test changes
 * one thing and nothing else. */
#ifndef COMITY_REGISTER_TEST_FIXTURE_H
#define COMITY_REGISTER_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "log/leaf.h"
#include "register/judge.h"

#define FX_NOW INT64_C(1795399800000) /* 2026-11-23T02:10:00.000Z */
#define FX_LEAVES_MAX 32

/* --- a log in memory ----------------------------------------------------------------------------- */

struct fx_log {
	struct sign_key *key;
	struct note_key vkey;
	merkle_hash leaves[FX_LEAVES_MAX];
	size_t n;
};

static inline void fx_log_new(const char *origin, struct fx_log *l)
{
	*l = (struct fx_log){ .key = sign_key_new() };
	note_key_make(origin, NOTE_ED25519, sign_key_public(l->key), &l->vkey);
}

static inline size_t fx_append(struct fx_log *l, struct bytes entry)
{
	assert_true(l->n < FX_LEAVES_MAX);
	merkle_leaf(entry, l->leaves[l->n]);
	return l->n++;
}

static inline size_t fx_split(size_t n)
{
	size_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static inline void fx_root(merkle_hash *h, size_t n, merkle_hash ret)
{
	merkle_hash left, right;
	size_t k = fx_split(n);

	if (n == 0) {
		merkle_empty(ret);
	} else if (n == 1) {
		memcpy(ret, h[0], SHA256_BYTES);
	} else {
		fx_root(h, k, left);
		fx_root(h + k, n - k, right);
		merkle_node(left, right, ret);
	}
}

static inline void fx_path(merkle_hash *h, size_t n, size_t index, struct tlog_proof *p)
{
	size_t k = fx_split(n);

	if (n <= 1)
		return;
	if (index < k) {
		fx_path(h, k, index, p);
		fx_root(h + k, n - k, p->hashes[p->hash_count++]);
	} else {
		fx_path(h + k, n - k, index - k, p);
		fx_root(h, k, p->hashes[p->hash_count++]);
	}
}

static inline void fx_checkpoint(struct fx_log *l, struct buf *note)
{
	struct checkpoint cp = { .size = l->n };
	AUTO_BUF text = { 0 };

	snprintf(cp.origin, sizeof(cp.origin), "%s", l->vkey.name);
	fx_root(l->leaves, l->n, cp.root);
	buf_init(&text, NOTE_BYTES_MAX);
	checkpoint_write(&cp, &text);
	assert_true(note_sign(buf_bytes(&text), l->vkey.name, l->key, note, NULL));
}

static inline void fx_proof(struct fx_log *l, size_t index, struct buf *out)
{
	struct tlog_proof p = { .index = index };
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	fx_checkpoint(l, &note);
	fx_path(l->leaves, l->n, index, &p);
	p.note = buf_bytes(&note);
	tlog_proof_write(&p, out);
	assert_true(buf_ok(out));
}

/* --- a party ------------------------------------------------------------------------------------- */

enum fx_person { FX_REVIEWER, FX_AUTHORITY, FX_DUTY, FX_COURT, FX_PEOPLE };

struct fx_home {
	struct sign_key *key;
	struct fx_log log;
	struct sign_key *people[FX_PEOPLE];
	struct party party; /* as the register will say it */
};

static inline void fx_home_new(const char *code, const char *name, struct fx_home *h)
{
	static const char *const names[FX_PEOPLE] = { "Rana Vale", "Ilse Thorn", "Omar Reed", "Judge Finch" };
	static const enum approval_role roles[FX_PEOPLE] = { APPROVAL_REVIEWER, APPROVAL_AUTHORITY, APPROVAL_DUTY,
							     APPROVAL_COURT };
	struct seal_identity *id = seal_identity_new();
	char origin[64];

	snprintf(origin, sizeof(origin), "log.%s.example/1", code);
	*h = (struct fx_home){ .key = sign_key_new() };
	fx_log_new(origin, &h->log);
	h->party = (struct party){ .code = code, .name = name, .authority = "central authority", .contact_name = "Duty desk",
		.phone = "+00 1 555 0100", .callback = "+00 1 555 0101", .languages = "en fr", .timezone = "Etc/UTC",
		.carries_out = "42 44", .endpoint = "https://peer.example:8443", .public_endpoint = "https://www.example",
		.fictional = true, .in_force_from = FX_NOW - 90 * DAY_MS, .key_count = 1, .log_key = h->log.vkey,
		.slot_ms = 30000, .leaves_per_slot = 8, .approver_count = FX_PEOPLE };
	memcpy(h->party.keys[0].key, sign_key_public(h->key), SIGN_PUBLIC_BYTES);
	h->party.keys[0].from = FX_NOW - 10 * DAY_MS;
	seal_identity_recipient(id, &h->party.seal);
	seal_identity_free(id);
	chance_fill(h->party.tls_spki, SHA256_BYTES);
	for (size_t i = 0; i < FX_PEOPLE; i++) {
		struct register_approver *a = &h->party.approvers[i];

		h->people[i] = sign_key_new();
		*a = (struct register_approver){ .name = names[i], .roles = 1u << (unsigned)roles[i] };
		memcpy(a->key, sign_key_public(h->people[i]), SIGN_PUBLIC_BYTES);
	}
}

static inline void fx_home_free(struct fx_home *h)
{
	sign_key_free(h->key);
	sign_key_free(h->log.key);
	for (size_t i = 0; i < FX_PEOPLE; i++)
		sign_key_free(h->people[i]);
}

/* --- a statement and its act ------------------------------------------------------------------------ */

struct fx_draft {
	const char *kind, *from, *to;
	json_t *body; /* taken */
	bool exercise;
};

/* The register that statements say they used. */
static const char *fx_used_origin = "";
static size_t fx_used_size;

static inline void fx_payload(const struct fx_draft *d, struct buf *out)
{
	AUTO_JSON *v = json_object();
	json_t *reg = json_object();
	uint8_t id[ID_BYTES];

	chance_fill(id, sizeof(id));
	json_put_text(reg, "origin", fx_used_origin);
	json_put_int(reg, "size", (int64_t)fx_used_size);
	json_put_time(reg, "time", FX_NOW);
	json_put_text(v, "authority", "central authority");
	json_put(v, "body", d->body);
	json_put_text(v, "case", "XA-2026-17");
	json_put_bool(v, "exercise", d->exercise);
	json_put_text(v, "from", d->from);
	json_put_hex(v, "id", BYTES_ARRAY(id));
	json_put_text(v, "kind", d->kind);
	json_put_text(v, "legal_basis", "UNCC");
	json_put(v, "refs", json_array());
	json_put(v, "register", reg);
	json_put_time(v, "time", FX_NOW);
	json_put_text(v, "to", d->to);
	json_put_int(v, "v", 1);
	json_put_text(v, "via", "comity");
	assert_true(json_write_canonical(v, out, NULL));
}

/* Everything an act is made of; change a part, then write. */
struct fx_act {
	struct buf envelope;
	uint8_t hash[SHA256_BYTES], opening[32], x[32], leaf[LEAF_V1_BYTES];
	struct leaf_class act_class;
	struct buf approvals[ACT_APPROVALS_MAX];
	size_t approval_count;
	struct buf proof;
	size_t index;
	bool has_leaf;
};

static inline void fx_sign(const struct fx_draft *d, const struct sign_key *key, struct fx_act *a)
{
	const struct kind *k = kind_find(bytes_of(d->kind));
	AUTO_BUF payload = { 0 };

	*a = (struct fx_act){ .has_leaf = k->leaf };
	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&a->envelope, ENVELOPE_BYTES_MAX);
	buf_init(&a->proof, NOTE_BYTES_MAX + 8 * KIB);
	fx_payload(d, &payload);
	assert_true(envelope_sign(statement_type(k), buf_bytes(&payload), key, &a->envelope, NULL));
	pae_hash(statement_type(k), buf_bytes(&payload), a->hash);
	chance_fill(a->opening, sizeof(a->opening));
	chance_fill(a->x, sizeof(a->x));
	a->act_class = (struct leaf_class){ bytes_of(k->act_class), bytes_of("UNCC"), bytes_of("2026-W48"), d->exercise };
}

static inline void fx_leaf(struct fx_act *a, struct fx_log *l)
{
	leaf_write(a->hash, &a->act_class, a->opening, a->x, LEAF_OUT, a->leaf);
	a->index = fx_append(l, BYTES_ARRAY(a->leaf));
}

static inline void fx_approve(struct fx_act *a, const struct sign_key *key, const char *name, enum approval_role role)
{
	struct buf *out = &a->approvals[a->approval_count++];

	buf_init(out, ENVELOPE_BYTES_MAX);
	assert_true(approval_make(key, name, role, "", a->hash, FX_NOW, out, NULL));
}

static inline void fx_prove(struct fx_act *a, struct fx_log *l)
{
	buf_clear(&a->proof);
	fx_proof(l, a->index, &a->proof);
}

static inline json_t *fx_json(struct bytes in)
{
	json_t *v = NULL;

	assert_true(json_parse(in, "test", &v, NULL));
	return v;
}

/* The canonical act. */
static inline void fx_write(const struct fx_act *a, struct buf *out)
{
	AUTO_JSON *v = json_object();
	json_t *approvals = json_array();

	for (size_t i = 0; i < a->approval_count; i++)
		assert_int_equal(json_array_append_new(approvals, fx_json(buf_bytes(&a->approvals[i]))), 0);
	json_put(v, "approvals", approvals);
	json_put(v, "envelope", fx_json(buf_bytes(&a->envelope)));
	json_put_bytes(v, "leaf", a->has_leaf ? BYTES_ARRAY(a->leaf) : bytes_of(""));
	json_put_hex(v, "opening", a->has_leaf ? BYTES_ARRAY(a->opening) : bytes_of(""));
	json_put_bytes(v, "proof", buf_bytes(&a->proof));
	json_put_hex(v, "x", a->has_leaf ? BYTES_ARRAY(a->x) : bytes_of(""));
	buf_clear(out);
	assert_true(json_write_canonical(v, out, NULL));
}

static inline void fx_act_release(struct fx_act *a)
{
	buf_release(&a->envelope);
	buf_release(&a->proof);
	for (size_t i = 0; i < a->approval_count; i++)
		buf_release(&a->approvals[i]);
}

/* A party's entry signed by `key`, as a leaf of `l`. */
static inline void fx_entry(const struct party *p, const char *from, const struct sign_key *key, struct fx_log *l, struct fx_act *a)
{
	fx_sign(&(struct fx_draft){ "register-entry", from, "*", party_to_json(p), false }, key, a);
	fx_leaf(a, l);
}

#endif
