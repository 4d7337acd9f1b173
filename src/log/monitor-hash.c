/* From the bottom up: entries to level-0 hashes, these compared with the served tile, the tile's root with its parent in
 * the verified view. No allocation and no parser per leaf: a bundle is lengths and bytes, and what the entries mean
 * is nobody's business here. */
#include <string.h>

#include "base/reader.h"
#include "log/monitor-internal.h"

/* Bundles and tiles that a source with a long way may begin to fetch while these are hashed. */
#define AHEAD 24u

static unsigned bundle_width(const struct monitor *m, uint64_t n)
{
	uint64_t left = m->seen.size - n * TILE_WIDTH;

	return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

static void expect(struct monitor *m, const struct log_source *s, uint64_t n)
{
	uint64_t end = (m->seen.size + TILE_WIDTH - 1) / TILE_WIDTH;

	if (s->expect == NULL)
		return;
	if (m->expected < n)
		m->expected = n;
	for (; m->expected < end && m->expected <= n + AHEAD; m->expected++) {
		char entries[96], tile[96];
		const char *const paths[] = { entries, tile };

		tile_path(LEVEL_ENTRIES, m->expected, bundle_width(m, m->expected), entries);
		tile_path(0, m->expected, bundle_width(m, m->expected), tile);
		s->expect(s->ctx, paths, 2);
	}
}

static bool give(struct monitor *m, int level, uint64_t n, unsigned width, struct bytes content, struct err *e)
{
	char path[96];

	if (m->o.file == NULL)
		return true;
	tile_path(level, n, width, path);
	return m->o.file(m->o.ctx, path, content, e);
}

static bool wrong(struct err *e, int level, uint64_t n, unsigned width, const char *what)
{
	char path[96];

	tile_path(level, n, width, path);
	return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s %s", path, what);
}

/* Takes the bundle apart and hashes its first `width` entries; *ret_len: of those, in bytes. */
static bool bundle_take(struct monitor *m, const struct log_source *s, uint64_t n, unsigned width, size_t *ret_len,
			struct err *e)
{
	struct reader r;
	unsigned count = 0;

	if (!view_fetch(s, LEVEL_ENTRIES, n, width, BUNDLE_BYTES_MAX, &m->bundle, e))
		return false;
	r = reader_over(buf_bytes(&m->bundle));
	while (count < TILE_WIDTH && reader_ok(&r) && reader_left(&r) > 0) {
		m->entry[count] = reader_take(&r, reader_u16(&r));
		if (++count == width)
			*ret_len = r.pos;
	}
	if (!reader_done(&r, "bundle", NULL) || (count != width && count != TILE_WIDTH))
		return wrong(e, LEVEL_ENTRIES, n, width, "is no bundle of that many entries");
	for (unsigned i = 0; i < width; i++)
		merkle_leaf(m->entry[i], m->hash[i]);
	return true;
}

/* The served level-0 tile is what the entries give, and has its place under the checkpoint. */
static bool bundle_check(struct monitor *m, const struct log_source *s, uint64_t n, unsigned width, struct err *e)
{
	struct tile *t = &m->edge.level[0];
	unsigned have = edge_width(&m->edge, 0);
	const struct tile *parent;

	if (memcmp(m->hash, t->node, (size_t)have * SHA256_BYTES) != 0)
		return wrong(e, LEVEL_ENTRIES, n, width, "begins otherwise than it did");
	if (!view_fetch(s, 0, n, width, TILE_BYTES, &m->tile, e))
		return false;
	if (m->tile.len != (size_t)width * SHA256_BYTES && m->tile.len != TILE_BYTES)
		return wrong(e, 0, n, width, "has a wrong length");
	if (memcmp(m->tile.at, m->hash, (size_t)width * SHA256_BYTES) != 0)
		return wrong(e, 0, n, width, "is not what the entries give");
	/* Beyond the edge's width nothing counts until the size says so. */
	for (unsigned i = have; i < width; i++)
		tile_set(t, i, m->hash[i]);
	if (width < TILE_WIDTH)
		return memcmp(m->view.edge.level[0].node, m->hash, (size_t)width * SHA256_BYTES) == 0 ||
		       wrong(e, LEVEL_ENTRIES, n, width, "is not what the checkpoint stands for");
	if (!view_tile(&m->view, 1, n / TILE_WIDTH, &parent, e))
		return false;
	return memcmp(parent->node[n % TILE_WIDTH], t->node[TILE_ROOT], SHA256_BYTES) == 0 ||
	       wrong(e, LEVEL_ENTRIES, n, width, "is not what the checkpoint stands for");
}

/* A full tile's root goes into the tile above it. */
static bool carry(struct monitor *m, struct err *e)
{
	const uint8_t *hash = m->edge.level[0].node[TILE_ROOT];

	for (unsigned level = 1; level < TILE_LEVELS; level++) {
		unsigned i = edge_width(&m->edge, level);
		struct tile *t = &m->edge.level[level];

		tile_set(t, i, hash);
		if (i < TILE_WIDTH - 1 || level + 1 == TILE_LEVELS)
			break;
		if (!give(m, (int)level, edge_full_tiles(&m->edge, level), TILE_WIDTH, bytes_from(t->node, TILE_BYTES), e))
			return false;
		hash = t->node[TILE_ROOT];
	}
	return true;
}

static bool bundle_step(struct monitor *m, const struct log_source *s, struct err *e)
{
	uint64_t n = m->edge.size / TILE_WIDTH;
	unsigned have = edge_width(&m->edge, 0), width = bundle_width(m, n);
	size_t len = 0;

	expect(m, s, n);
	if (!bundle_take(m, s, n, width, &len, e) || !bundle_check(m, s, n, width, e) ||
	    !give(m, LEVEL_ENTRIES, n, width, bytes_slice(buf_bytes(&m->bundle), 0, len), e) ||
	    !give(m, 0, n, width, bytes_from(m->hash, (size_t)width * SHA256_BYTES), e))
		return false;
	for (unsigned i = have; m->o.leaf != NULL && i < width; i++)
		if (!m->o.leaf(m->o.ctx, n * TILE_WIDTH + i, m->entry[i], e))
			return false;
	if (width == TILE_WIDTH && !carry(m, e))
		return false;
	m->edge.size += width - have;
	return true;
}

/* The unfinished upper tiles, which a mirror serves, too. */
static bool give_upper(struct monitor *m, struct err *e)
{
	for (unsigned level = 1; level < TILE_LEVELS; level++) {
		unsigned width = edge_width(&m->edge, level);

		if (width > 0 && !give(m, (int)level, edge_full_tiles(&m->edge, level), width,
				       bytes_from(m->edge.level[level].node, (size_t)width * SHA256_BYTES), e))
			return false;
	}
	return true;
}

bool monitor_hash(struct monitor *m, const struct log_source *s, struct err *e)
{
	merkle_hash root;

	m->expected = 0;
	while (m->edge.size < m->seen.size) {
		if (!bundle_step(m, s, e))
			return false;
		if (m->o.progress != NULL && !m->o.progress(m->o.ctx, m->edge.size, m->seen.size))
			return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "stopped at leaf %llu of %llu", (unsigned long long)m->edge.size,
				       (unsigned long long)m->seen.size);
	}
	edge_root(&m->edge, root);
	if (memcmp(root, m->seen.root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "the entries do not give the checkpoint's root");
	return give_upper(m, e);
}
