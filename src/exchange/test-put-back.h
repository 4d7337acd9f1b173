/* For the tests of a disk that is put back: all that a signer ever signed, a disk that is kept and put back, and time that
 * stands. */
#ifndef COMITY_EXCHANGE_TEST_PUT_BACK_H
#define COMITY_EXCHANGE_TEST_PUT_BACK_H

#include "exchange/test-witnesses.h"

static struct world w;

/* All that the signer of Arcadia ever signed, whatever became of its disk. */
static struct checkpoint trees[64];
static size_t tree_count;

static inline void signed_tree(const struct checkpoint *c)
{
	for (size_t i = 0; i < tree_count; i++)
		if (trees[i].size == c->size && memcmp(trees[i].root, c->root, sizeof(c->root)) == 0)
			return;
	assert_true(tree_count < sizeof(trees) / sizeof(trees[0]));
	trees[tree_count++] = *c;
}

static inline bool one_tree_for_each_size(void)
{
	for (size_t i = 0; i < tree_count; i++)
		for (size_t k = 0; k < i; k++)
			if (trees[i].size == trees[k].size)
				return false;
	return true;
}

static inline bool checkpoint_seen(void *ctx, const struct signing_extension *x, struct buf *note, struct err *e)
{
	struct home *h = ctx;
	struct checkpoint c;

	if (!checkpoint_direct(ctx, x, note, e))
		return false;
	assert_true(checkpoint_verify(buf_bytes(note), &h->node->identity.log, &c, NULL));
	signed_tree(&c);
	return true;
}

/* From here on no slot closes by itself: time stands. */
static inline void open_seen(struct home *h)
{
	home_open(h);
	if (h->node->note.len > 0)
		signed_tree(&h->node->checkpoint); /* as it started */
	h->node->signer.checkpoint = checkpoint_seen;
	h->node->next_slot_ms = 0;
}

static inline void disk(struct home *h, const char *what)
{
	char command[3 * PATH_MAX];

	snprintf(command, sizeof(command), "cd '%s' && %s", h->dir.path, what);
	assert_int_equal(system(command), 0);
}

static inline void keep_disk(struct home *h)
{
	home_close(h);
	disk(h, "mkdir kept && cp -a store log keys kept/");
	open_seen(h);
}

static inline void put_disk_back(struct home *h)
{
	home_close(h);
	disk(h, "rm -rf store log keys && cp -a kept/store kept/log kept/keys .");
	open_seen(h);
}

static inline int begin(void **state)
{
	tree_count = 0;
	witnessed_world_begin(&w);
	policy_two_of_three(&w, "XA");
	home_close(&w.xa);
	open_seen(&w.xa);
	cosigned_slot(&w.xa);
	return 0;
}

static inline int end(void **state)
{
	witnessed_world_end(&w);
	return 0;
}

static inline uint64_t size(void)
{
	return log_size(w.xa.node->log);
}

/* The clock moves on by this and the keeper looks: what the log has grown by. */
static inline uint64_t grows(int64_t ms)
{
	uint64_t before = size();

	the_time += ms;
	assert_ok(node_slot(w.xa.node, the_time, e));
	return size() - before;
}

#endif
