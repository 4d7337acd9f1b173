/* A tree that only grows needs, to grow on, the hashes of its unfinished tiles: at most 255 a level.
 * Each tile keeps the nodes above its hashes as they become complete, so a full tile's root, which is
 * the next level's hash, is already there, and appending costs one node hash per leaf on average. */
#include <string.h>

#include "log/log-internal.h"

void tile_set(struct tile *t, unsigned i, const merkle_hash hash)
{
	unsigned bits = 0;

	memcpy(t->node[i], hash, SHA256_BYTES);
	while (bits < TILE_BITS && (i & 1) != 0) {
		size_t right = tile_place(bits, i);

		i >>= 1;
		bits++;
		merkle_node(t->node[right - 1], t->node[right], t->node[tile_place(bits, i)]);
	}
}

void tile_fill(struct tile *t, const uint8_t *hashes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		tile_set(t, i, hashes + (size_t)i * SHA256_BYTES);
}

bool edge_push(struct edge *g, const merkle_hash leaf, edge_full full, void *ctx, struct err *e)
{
	const uint8_t *hash = leaf;
	unsigned level = 0;

	for (;;) {
		unsigned i = edge_width(g, level);
		struct tile *t = &g->level[level];

		tile_set(t, i, hash);
		if (i < TILE_WIDTH - 1 || level + 1 == TILE_LEVELS)
			break;
		if (full != NULL && !full(ctx, level, edge_full_tiles(g, level), t, e))
			return false;
		hash = t->node[TILE_ROOT];
		level++;
	}
	g->size++;
	return true;
}

void edge_follow(struct edge *to, const struct edge *from)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (to->size >> (TILE_BITS * level) != from->size >> (TILE_BITS * level))
			to->level[level] = from->level[level];
	to->size = from->size;
}

/* The tree's peaks from right to left: in each level the set bits of its width, smallest first. */
void edge_root(const struct edge *g, merkle_hash ret)
{
	bool first = true;

	merkle_empty(ret);
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = edge_width(g, level), right = width;

		for (unsigned bits = 0; bits < TILE_BITS; bits++) {
			if ((width >> bits & 1) == 0)
				continue;
			right -= 1u << bits;
			const uint8_t *peak = g->level[level].node[tile_place(bits, right >> bits)];
			if (first)
				memcpy(ret, peak, SHA256_BYTES);
			else
				merkle_node(peak, ret, ret);
			first = false;
		}
	}
}

void edge_write(const struct edge *g, struct buf *out)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		buf_add(out, bytes_from(g->level[level].node, (size_t)edge_width(g, level) * SHA256_BYTES));
}

bool edge_read(uint64_t size, struct bytes in, struct edge *ret, struct err *e)
{
	const uint8_t *at = in.at;
	size_t hashes = 0;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		hashes += size_width(size, level);
	if (size > INT64_MAX || in.len != hashes * SHA256_BYTES)
		return err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the stored right edge does not fit its size");
	ret->size = size;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		tile_fill(&ret->level[level], at, edge_width(ret, level));
		at = at == NULL ? NULL : at + (size_t)edge_width(ret, level) * SHA256_BYTES;
	}
	return true;
}
