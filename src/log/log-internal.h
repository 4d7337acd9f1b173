/* What log.c, edge.c, tiles.c, proofs.c and monitor-*.c share: tiles with their inner nodes, the right edge
 * of a tree, and the log's memory. */
#ifndef COMITY_LOG_LOG_INTERNAL_H
#define COMITY_LOG_LOG_INTERNAL_H

#include "log/log.h"

#define TILE_BITS 8u
#define TILE_WIDTH 256u
#define TILE_BYTES (TILE_WIDTH * SHA256_BYTES)
#define TILE_NODES (2 * TILE_WIDTH - 1)
#define TILE_LEVELS 8u /* 256^8 leaves are more than a 64-bit size can count */
#define LEVEL_ENTRIES (-1)
/* 256 entries of two bytes of length and, in other logs, up to 65,535 bytes. */
#define BUNDLE_BYTES_MAX (TILE_WIDTH * (2 + UINT16_MAX))

/* 256 hashes and, once both children are there, the nodes above them: no proof hashes anything. */
struct tile {
	merkle_hash node[TILE_NODES];
};
/* Place of node i among those that stand `bits` above the tile's own hashes. */
static inline size_t tile_place(unsigned bits, uint64_t i)
{
	return 2 * TILE_WIDTH - (2 * TILE_WIDTH >> bits) + (size_t)i;
}
#define TILE_ROOT (TILE_NODES - 1)
void tile_set(struct tile *t, unsigned i, const merkle_hash hash);
void tile_fill(struct tile *t, const uint8_t *hashes, unsigned count);

/* The tiles that are not full, one per level. */
struct edge {
	uint64_t size;
	struct tile level[TILE_LEVELS];
};
/* Of a tree of this size, at this level: hashes in the unfinished tile, and full tiles. */
static inline unsigned size_width(uint64_t size, unsigned level)
{
	return (unsigned)((size >> (TILE_BITS * level)) & (TILE_WIDTH - 1));
}
static inline uint64_t size_full_tiles(uint64_t size, unsigned level)
{
	return level + 1 >= TILE_LEVELS ? 0 : size >> (TILE_BITS * (level + 1));
}
static inline unsigned edge_width(const struct edge *g, unsigned level)
{
	return size_width(g->size, level);
}
static inline uint64_t edge_full_tiles(const struct edge *g, unsigned level)
{
	return size_full_tiles(g->size, level);
}
/* Called for each tile that a leaf completes, lowest level first. */
typedef bool (*edge_full)(void *ctx, unsigned level, uint64_t n, const struct tile *t, struct err *e);
bool edge_push(struct edge *g, const merkle_hash leaf, edge_full full, void *ctx, struct err *e) MUST_USE;
/* `to` becomes `from`; one of them grew out of the other. Copies only the levels that differ. */
void edge_follow(struct edge *to, const struct edge *from);
void edge_root(const struct edge *g, merkle_hash ret);
void edge_write(const struct edge *g, struct buf *out);
bool edge_read(uint64_t size, struct bytes in, struct edge *ret, struct err *e) MUST_USE;

#define TILE_CACHE 32u

struct log {
	struct store *store;
	int log_fd;
	char origin[CHECKPOINT_ORIGIN_BYTES_MAX + 1];
	struct edge now;       /* with what the open transaction appended */
	struct edge committed; /* what the store has for good */
	struct edge published; /* what the files show */
	bool must_repair;      /* publishing failed half-way: look at the files again */
	struct buf bundle;     /* entries of the published edge's unfinished bundle */
	struct {
		bool used;
		unsigned level;
		uint64_t n, age;
		struct tile tile;
	} cache[TILE_CACHE];
	uint64_t cache_age;
};

/* A full or the unfinished tile of the tree `now`, checked against its parent. Valid until the next call. */
bool tile_get(struct log *l, unsigned level, uint64_t n, const struct tile **ret, struct err *e) MUST_USE;
void tile_cache_clear(struct log *l);
/* Leaves [from, to) of the store, in order. */
bool leaves_each(struct log *l, uint64_t from, uint64_t to, bool (*each)(void *ctx, struct bytes leaf, struct err *e),
		 void *ctx, struct err *e) MUST_USE;
void bundle_add(struct buf *bundle, struct bytes leaf);
bool tile_write_file(struct log *l, int level, uint64_t n, unsigned width, struct bytes content, struct err *e) MUST_USE;
/* Writes bundle n (full, or as wide as the committed size says) from the store. */
bool bundle_project(struct log *l, uint64_t n, unsigned width, struct err *e) MUST_USE;

/* At open and after a failure: makes the files what the committed edge says they are. */
bool files_repair(struct log *l, struct err *e) MUST_USE;
/* Brings the files from `published` to `committed`. */
bool files_publish(struct log *l, struct err *e) MUST_USE;
/* After it: the unfinished tiles as they were at an earlier size, in case they could not be written then. */
bool files_ensure(struct log *l, uint64_t size, struct err *e) MUST_USE;

#endif
