/* For test-simulation.c: a second tree under the key of a home, grown beside its true one from some leaf on: what a fork is.
 * Honest code does not make one; this signs it with the log's key and nothing else. */
#ifndef COMITY_EXCHANGE_TEST_SIM_SHADOW_H
#define COMITY_EXCHANGE_TEST_SIM_SHADOW_H

#include "exchange/test-sim-network.h"

struct shadow {
	struct test_home dir;
	struct store *store;
	struct log *log;
	int log_fd;
	uint64_t forked_at;
	struct proved shown; /* the checkpoint and its note */
};

static inline void shadow_sign(struct sim_home *x, struct shadow *f)
{
	struct checkpoint *c = &f->shown.checkpoint;
	AUTO_BUF text = { 0 };

	buf_init(&text, KIB);
	snprintf(c->origin, sizeof(c->origin), "%s", log_origin(f->log));
	c->size = log_size(f->log);
	log_root(f->log, c->root);
	checkpoint_write(c, &text);
	buf_clear(&f->shown.note);
	assert_ok(note_sign(buf_bytes(&text), c->origin, x->h.log, &f->shown.note, e));
}

/* These leaves after those that are there. */
static inline void shadow_add(struct sim_home *x, struct shadow *f, const uint8_t (*leaf)[LEAF_V1_BYTES], size_t count)
{
	uint64_t index;

	assert_ok(store_begin(f->store, e));
	for (size_t i = 0; i < count; i++)
		assert_ok(log_append(f->log, BYTES_ARRAY(leaf[i]), NULL, &index, e));
	assert_ok(log_save(f->log, e));
	assert_ok(store_commit(f->store, e));
	log_committed(f->log);
	shadow_sign(x, f);
}

/* Leaves that say nothing, as many as a slot has. */
static inline void shadow_slot(struct sim_home *x, struct shadow *f)
{
	uint8_t leaf[SIM_LEAVES][LEAF_V1_BYTES], some[32], x_any[32];
	struct leaf_class c = { .act_class = bytes_of("null"), .basis = bytes_of(""), .week = bytes_of("2026-W48") };

	for (size_t i = 0; i < SIM_LEAVES; i++) {
		chance_fill(some, sizeof(some));
		chance_fill(x_any, sizeof(x_any));
		leaf_write(some, &c, some, x_any, LEAF_OUT, leaf[i]);
	}
	shadow_add(x, f, (const uint8_t(*)[LEAF_V1_BYTES])leaf, SIM_LEAVES);
}

static inline void shadow_copy(struct sim_home *x, struct shadow *f)
{
	struct query *q = store_query(x->h.node->store, QUERY_log_leaf_range);
	uint64_t index;
	bool found;

	assert_ok(store_begin(f->store, e));
	query_bind_int(q, 1, 0);
	query_bind_int(q, 2, (int64_t)log_size(x->h.node->log));
	assert_ok(query_row(q, &found, e));
	while (found) {
		assert_ok(log_append(f->log, query_bytes(q, 1), NULL, &index, e));
		assert_ok(query_row(q, &found, e));
	}
	query_end(q);
	assert_ok(log_save(f->log, e));
	assert_ok(store_commit(f->store, e));
	log_committed(f->log);
	f->forked_at = log_size(f->log);
}

static inline struct shadow *shadow_new(struct sim_home *x)
{
	static const char *const folders[] = { "store", "blobs", "log", "keys" };
	struct shadow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	home_make(&f->dir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_ok(dir_make(f->dir.fd, folders[i], 0700, e));
	assert_ok(store_open(f->dir.fd, &f->store, e));
	f->log_fd = openat(f->dir.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->log_fd >= 0);
	assert_ok(log_open(f->store, f->log_fd, log_origin(x->h.node->log), &f->log, e));
	buf_init(&f->shown.note, NOTE_BYTES_MAX);
	shadow_copy(x, f);
	return f;
}

static inline void shadow_free(struct shadow *f)
{
	if (f == NULL)
		return;
	log_close(f->log);
	store_close(f->store);
	close(f->log_fd);
	buf_release(&f->shown.note);
	home_remove(&f->dir);
	free(f);
}

/* Offered to a witness as the log's own: as what follows what that witness has seen. */
static inline unsigned shadow_offer(struct sim *s, int home, int w)
{
	struct shadow *f = s->home[home].shadow;
	uint64_t seen = s->witness[w].seen[home].state.size;
	merkle_hash proof[PROOF_HASHES_MAX];
	size_t count = 0;
	AUTO_BUF request = { 0 }, answer = { 0 };

	buf_init(&request, WITNESS_REQUEST_BYTES_MAX);
	buf_init(&answer, NOTE_BYTES_MAX);
	if (seen > 0 && seen < f->shown.checkpoint.size)
		assert_ok(log_consistency(f->log, seen, f->shown.checkpoint.size, proof, &count, e));
	assert_ok(witness_request_write(seen < f->shown.checkpoint.size ? seen : 0, (const merkle_hash *)proof, count,
					buf_bytes(&f->shown.note), &request, e));
	return witness_asked(s, w, buf_bytes(&request), &answer);
}

/* Proof of the newest leaf of the shadow, as a letter would carry it. */
static inline void shadow_proof(struct shadow *f, struct buf *out)
{
	struct tlog_proof p = { .index = log_size(f->log) - 1 };

	assert_ok(log_inclusion(f->log, p.index, f->shown.checkpoint.size, p.hashes, &p.hash_count, e));
	p.note = buf_bytes(&f->shown.note);
	tlog_proof_write(&p, out);
	assert_ok(buf_check(out, "proof", e));
}

#endif
