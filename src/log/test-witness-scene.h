/* The scene of the witness's tests: a state in memory, a log with its tree by the definition of RFC 6962, and calls. */
#ifndef COMITY_LOG_TEST_WITNESS_SCENE_H
#define COMITY_LOG_TEST_WITNESS_SCENE_H

#include "log/test-vectors.h"

#include <stdlib.h>
#include <string.h>

#include "log/checkpoint.h"
#include "log/witness.h"

#define NOW_S INT64_C(1795399800)
#define ORIGIN "log.example/2027"
#define LEAVES 70

/* --- a store in memory -------------------------------------------------------------------------------------- */

struct scene {
	struct sign_key *log, *key;
	struct note_key log_key, self;
	bool found, broken, put_refused;
	struct witness_state state;
	struct buf note;
	merkle_hash leaves[LEAVES];
};

static inline bool get(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e)
{
	struct scene *s = ctx;

	assert_string_equal(origin, ORIGIN);
	if (s->broken)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "broken");
	*ret = s->state;
	*ret_found = s->found;
	return true;
}

static inline bool put(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now, struct bytes note,
		struct err *e)
{
	struct scene *s = ctx;

	if (s->put_refused)
		return err_set(e, ERR_UNAVAILABLE, REASON_DISK_FULL, "the disk is full");
	assert_int_equal(was != NULL, s->found);
	if (was != NULL)
		assert_memory_equal(was, &s->state, sizeof(*was));
	s->state = *now;
	s->found = true;
	buf_clear(&s->note);
	buf_add(&s->note, note);
	return true;
}

static inline const struct note_key *log_key(void *ctx, const char *origin)
{
	struct scene *s = ctx;

	return strcmp(origin, ORIGIN) == 0 ? &s->log_key : NULL;
}

static inline struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->log = sign_key_new();
	s->key = sign_key_new();
	note_key_make(ORIGIN, NOTE_ED25519, sign_key_public(s->log), &s->log_key);
	note_key_make("w.example", NOTE_COSIGNATURE, sign_key_public(s->key), &s->self);
	buf_init(&s->note, MIB);
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t entry = (uint8_t)i;
		merkle_leaf(bytes_from(&entry, 1), s->leaves[i]);
	}
	return s;
}

static inline void scene_free(struct scene *s)
{
	sign_key_free(s->log);
	sign_key_free(s->key);
	buf_release(&s->note);
	free(s);
}

/* --- a tree, by the definition in RFC 6962 ------------------------------------------------------------------- */

static inline size_t split(size_t n)
{
	size_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static inline void root_of(const merkle_hash *leaves, size_t n, merkle_hash ret)
{
	merkle_hash a, b;

	if (n == 0) {
		merkle_empty(ret);
		return;
	}
	if (n == 1) {
		memcpy(ret, leaves[0], SHA256_BYTES);
		return;
	}
	root_of(leaves, split(n), a);
	root_of(leaves + split(n), n - split(n), b);
	merkle_node(a, b, ret);
}

static inline void subproof(size_t m, const merkle_hash *leaves, size_t n, bool whole, merkle_hash *out, size_t *count)
{
	size_t k = split(n);

	if (m == n) {
		if (!whole)
			root_of(leaves, n, out[(*count)++]);
		return;
	}
	if (m <= k) {
		subproof(m, leaves, k, whole, out, count);
		root_of(leaves + k, n - k, out[(*count)++]);
	} else {
		subproof(m - k, leaves + k, n - k, false, out, count);
		root_of(leaves, k, out[(*count)++]);
	}
}

static inline size_t proof_of(const struct scene *s, size_t m, size_t n, merkle_hash out[static PROOF_HASHES_MAX])
{
	size_t count = 0;

	if (m > 0 && m < n)
		subproof(m, s->leaves, n, true, out, &count);
	return count;
}

static inline void note_of(const struct scene *s, const char *origin, uint64_t size, const merkle_hash root, struct buf *out)
{
	struct checkpoint c = { .size = size };
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	snprintf(c.origin, sizeof(c.origin), "%s", origin);
	memcpy(c.root, root, SHA256_BYTES);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), origin, s->log, out, e));
}

static inline struct witness_answer send_bytes(struct scene *s, struct bytes request)
{
	const struct witness_store store = { .ctx = s, .get = get, .put = put, .log_key = log_key };
	struct witness_answer a = { 0 };

	witness_add_checkpoint(&store, "w.example", s->key, NOW_S, request, &a, NULL);
	return a;
}

static inline unsigned send_note(struct scene *s, uint64_t old, const merkle_hash *proof, size_t count, struct bytes note, struct buf *body)
{
	struct witness_answer a;
	AUTO_BUF request = { 0 };

	buf_init(&request, WITNESS_REQUEST_BYTES_MAX);
	assert_ok(witness_request_write(old, proof, count, note, &request, e));
	a = send_bytes(s, buf_bytes(&request));
	if (body != NULL) {
		buf_clear(body);
		buf_add(body, buf_bytes(&a.body));
	}
	assert_string_equal(a.content_type, a.status == 409 ? "text/x.tlog.size" : "text/plain; charset=utf-8");
	buf_release(&a.body);
	return a.status;
}

/* An honest call of our tree. */
static inline unsigned grow(struct scene *s, uint64_t old, size_t size, struct buf *body)
{
	merkle_hash root, proof[PROOF_HASHES_MAX];
	size_t count = proof_of(s, old, size, proof);
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	root_of((const merkle_hash *)s->leaves, size, root);
	note_of(s, ORIGIN, size, root, &note);
	return send_note(s, old, (const merkle_hash *)proof, count, buf_bytes(&note), body);
}

#endif
