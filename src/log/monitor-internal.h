/* Between monitor.c and monitor-*.c: a tree as its served tiles show it, and what a monitor keeps. */
#ifndef COMITY_LOG_MONITOR_INTERNAL_H
#define COMITY_LOG_MONITOR_INTERNAL_H

#include "log/log-internal.h"
#include "log/monitor.h"

/* The tree under one checkpoint. Its right edge hashes to the checkpoint's root, and every other tile is taken only
 * when its root is the hash that its parent has for it. One tile a level is kept. */
struct view {
	const struct log_source *source;
	struct edge edge;
	struct {
		bool used;
		uint64_t n;
		struct tile tile;
	} kept[TILE_LEVELS];
	struct buf in;
};
void view_init(struct view *v);
void view_release(struct view *v);
/* REASON_BAD_PROOF when the tiles do not give the root. */
bool view_open(struct view *v, const struct log_source *s, const struct checkpoint *c, struct err *e) MUST_USE;
/* The same over an edge that is verified already. */
void view_over(struct view *v, const struct log_source *s, const struct edge *edge);
bool view_tile(struct view *v, unsigned level, uint64_t n, const struct tile **ret, struct err *e) MUST_USE;
/* Root at an earlier size, or at its own. */
bool view_root_at(struct view *v, uint64_t size, merkle_hash ret, struct err *e) MUST_USE;
/* The tile of this width or, when it is gone because the tile became full, the full one: at least width hashes. */
bool view_fetch(const struct log_source *s, int level, uint64_t n, unsigned width, size_t bytes_max, struct buf *out,
		struct err *e) MUST_USE;

/* What somebody else showed, and it was not compared yet. */
struct foreign {
	struct checkpoint checkpoint;
	struct buf note, shown_by;
};

struct monitor {
	struct monitor_options o;
	struct checkpoint seen; /* size 0 and origin "": none */
	struct buf note;        /* of seen */
	struct edge edge;       /* of what was hashed; at most seen.size */
	struct view view;       /* of seen, while following */
	struct foreign foreign[MONITOR_FOREIGN_MAX];
	size_t foreign_count;
	struct buf ours, theirs;
	struct policy_verdict verdict;
	struct buf bundle, tile;
	struct bytes entry[TILE_WIDTH];
	merkle_hash hash[TILE_WIDTH];
	uint64_t expected; /* bundles that the source was told of */
};
/* monitor-hash.c: from edge.size to seen.size, under view. */
bool monitor_hash(struct monitor *m, const struct log_source *s, struct err *e) MUST_USE;

#endif
