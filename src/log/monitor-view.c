/* Tiles of somebody else's tree, believed only from a signed root downwards: a server cannot show one tree at the top
 * and another below it. A tile that does not fit is a wrong file, never a proof against the log's key: whoever
 * stands in between could have put it there. */
#include <string.h>

#include "log/monitor-internal.h"

void view_init(struct view *v)
{
	buf_init(&v->in, TILE_BYTES);
}

void view_release(struct view *v)
{
	buf_release(&v->in);
}

static void forget(struct view *v, const struct log_source *s)
{
	v->source = s;
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		v->kept[level].used = false;
}

void view_over(struct view *v, const struct log_source *s, const struct edge *edge)
{
	forget(v, s);
	v->edge = *edge;
}

bool view_fetch(const struct log_source *s, int level, uint64_t n, unsigned width, size_t bytes_max, struct buf *out,
		struct err *e)
{
	struct err first = { 0 };
	char path[96];

	buf_clear(out);
	tile_path(level, n, width, path);
	if (s->fetch(s->ctx, path, bytes_max, out, &first))
		return true;
	if (width == TILE_WIDTH || first.kind != ERR_NOT_FOUND)
		return err_set(e, first.kind, first.reason, "%s", first.text);
	buf_clear(out);
	tile_path(level, n, TILE_WIDTH, path);
	if (s->fetch(s->ctx, path, bytes_max, out, NULL))
		return true;
	return err_set(e, first.kind, first.reason, "%s", first.text);
}

bool view_open(struct view *v, const struct log_source *s, const struct checkpoint *c, struct err *e)
{
	merkle_hash root;

	forget(v, s);
	v->edge.size = c->size;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = edge_width(&v->edge, level);
		size_t len = (size_t)width * SHA256_BYTES;

		if (width == 0)
			continue;
		if (!view_fetch(s, (int)level, edge_full_tiles(&v->edge, level), width, TILE_BYTES, &v->in, e))
			return false;
		if (v->in.len != len && v->in.len != TILE_BYTES)
			return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "the last tile at level %u has a wrong length", level);
		tile_fill(&v->edge.level[level], v->in.at, width);
	}
	edge_root(&v->edge, root);
	if (memcmp(root, c->root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF,
			       "the last tiles do not give the root of the checkpoint of %llu leaves", (unsigned long long)c->size);
	return true;
}

bool view_tile(struct view *v, unsigned level, uint64_t n, const struct tile **ret, struct err *e)
{
	uint64_t full = edge_full_tiles(&v->edge, level);
	const struct tile *parent;
	merkle_hash root;
	char path[96];

	if (n == full) {
		*ret = &v->edge.level[level];
		return true;
	}
	if (n > full || level + 1 == TILE_LEVELS)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "there is no tile %llu at level %u", (unsigned long long)n, level);
	*ret = &v->kept[level].tile;
	if (v->kept[level].used && v->kept[level].n == n)
		return true;
	if (!view_tile(v, level + 1, n / TILE_WIDTH, &parent, e))
		return false;
	memcpy(root, parent->node[n % TILE_WIDTH], SHA256_BYTES);
	tile_path((int)level, n, TILE_WIDTH, path);
	v->kept[level].used = false;
	buf_clear(&v->in);
	if (!v->source->fetch(v->source->ctx, path, TILE_BYTES, &v->in, e))
		return false;
	if (v->in.len != TILE_BYTES)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s has a wrong length", path);
	tile_fill(&v->kept[level].tile, v->in.at, TILE_WIDTH);
	if (memcmp(v->kept[level].tile.node[TILE_ROOT], root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s does not fit the tile above it", path);
	v->kept[level].used = true;
	v->kept[level].n = n;
	return true;
}

/* The peaks of the tree of that size, as edge_root finds them: each is a complete subtree of the larger tree, too. */
bool view_root_at(struct view *v, uint64_t size, merkle_hash ret, struct err *e)
{
	bool first = true;

	if (size > v->edge.size)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "the tree has no size %llu", (unsigned long long)size);
	merkle_empty(ret);
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = size_width(size, level), right = width;
		const struct tile *t;

		if (width == 0)
			continue;
		if (!view_tile(v, level, size_full_tiles(size, level), &t, e))
			return false;
		for (unsigned bits = 0; bits < TILE_BITS; bits++) {
			if ((width >> bits & 1) == 0)
				continue;
			right -= 1u << bits;
			const uint8_t *peak = t->node[tile_place(bits, right >> bits)];
			if (first)
				memcpy(ret, peak, SHA256_BYTES);
			else
				merkle_node(peak, ret, ret);
			first = false;
		}
	}
	return true;
}
