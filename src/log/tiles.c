/* Tiles on their way between store, files and memory. A tile that is read from a file counts only when
 * its root is the hash that its parent tile has for it, up to the right edge in memory, so a damaged
 * file never reaches a proof: it is computed again from the tiles below it, or from the leaves
 * themselves, and written anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/gzip.h"
#include "log/log-internal.h"

void tile_path(int level, uint64_t n, unsigned width, char out[static 96])
{
	char digits[8 * 4 + 1];
	size_t at = sizeof(digits) - 1;
	size_t len;

	digits[at] = '\0';
	for (bool last = true; last || n > 0; last = false, n /= 1000) {
		char group[8];

		len = (size_t)snprintf(group, sizeof(group), last ? "%03u" : "x%03u/", (unsigned)(n % 1000));
		at -= len;
		memcpy(digits + at, group, len);
	}
	if (level < 0)
		len = (size_t)snprintf(out, 96, "tile/entries/%s", digits + at);
	else
		len = (size_t)snprintf(out, 96, "tile/%d/%s", level, digits + at);
	if (width > 0 && width < TILE_WIDTH)
		snprintf(out + len, 96 - len, ".p/%u", width);
}

bool leaves_each(struct log *l, uint64_t from, uint64_t to, bool (*each)(void *ctx, struct bytes leaf, struct err *e),
		 void *ctx, struct err *e)
{
	struct query *q = store_query(l->store, QUERY_log_leaf_range);
	bool found = false, ok = true;

	query_bind_int(q, 1, (int64_t)from);
	query_bind_int(q, 2, (int64_t)to);
	while (ok && (ok = query_row(q, &found, e)) && found) {
		if ((uint64_t)query_int(q, 0) != from || from == to)
			ok = err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the store has no leaf %llu", (unsigned long long)from);
		else
			ok = each(ctx, query_bytes(q, 1), e);
		from++;
	}
	query_end(q);
	if (ok && from != to)
		return err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the store has no leaf %llu", (unsigned long long)from);
	return ok;
}

void bundle_add(struct buf *bundle, struct bytes leaf)
{
	buf_add_u16(bundle, (uint16_t)leaf.len);
	buf_add(bundle, leaf);
}

bool tile_write_file(struct log *l, int level, uint64_t n, unsigned width, struct bytes content, struct err *e)
{
	char path[96], folder[96];

	tile_path(level, n, width, path);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	/* Not synced: what a power cut takes is projected again at the next open. */
	return dir_make(l->log_fd, folder, 0755, e) && file_write(l->log_fd, path, content, 0644, false, e) &&
	       (level != LEVEL_ENTRIES || width != TILE_WIDTH || gzip_beside(l->log_fd, path, content, e));
}

static bool bundle_each(void *ctx, struct bytes leaf, struct err *e)
{
	bundle_add(ctx, leaf);
	return true;
}

bool bundle_project(struct log *l, uint64_t n, unsigned width, struct err *e)
{
	AUTO_BUF bundle = { 0 };

	buf_init(&bundle, BUNDLE_BYTES_MAX);
	return leaves_each(l, n * TILE_WIDTH, n * TILE_WIDTH + width, bundle_each, &bundle, e) &&
	       buf_check(&bundle, "bundle", e) && tile_write_file(l, LEVEL_ENTRIES, n, width, buf_bytes(&bundle), e);
}

static bool tile_read_file(struct log *l, unsigned level, uint64_t n, struct tile *ret)
{
	char path[96];
	AUTO_BUF in = { 0 };

	tile_path((int)level, n, TILE_WIDTH, path);
	buf_init(&in, TILE_BYTES);
	if (!file_read(l->log_fd, path, &in, NULL) || in.len != TILE_BYTES)
		return false;
	tile_fill(ret, in.at, TILE_WIDTH);
	return true;
}

struct filling {
	struct tile *tile;
	unsigned i;
};

static bool fill_each(void *ctx, struct bytes leaf, struct err *e)
{
	struct filling *f = ctx;
	merkle_hash hash;

	merkle_leaf(leaf, hash);
	tile_set(f->tile, f->i++, hash);
	return true;
}

/* Computes a full tile from what lies below it. deep: from the leaves alone, believing no file. */
static bool tile_build(struct log *l, unsigned level, uint64_t n, bool deep, struct tile *ret, struct err *e)
{
	struct tile *child;
	bool ok = true;

	if (level == 0)
		return leaves_each(l, n * TILE_WIDTH, (n + 1) * TILE_WIDTH, fill_each, &(struct filling){ ret, 0 }, e);
	child = malloc(sizeof(*child));
	if (child == NULL)
		abort();
	for (unsigned i = 0; ok && i < TILE_WIDTH; i++) {
		uint64_t at = n * TILE_WIDTH + i;

		ok = (!deep && tile_read_file(l, level - 1, at, child)) || tile_build(l, level - 1, at, deep, child, e);
		if (ok)
			tile_set(ret, i, child->node[TILE_ROOT]);
	}
	free(child);
	return ok;
}

static bool has_root(const struct tile *t, const merkle_hash root)
{
	return memcmp(t->node[TILE_ROOT], root, SHA256_BYTES) == 0;
}

/* Puts right what a file does not have or has wrongly. */
static bool tile_repair(struct log *l, unsigned level, uint64_t n, const merkle_hash root, struct tile *ret, struct err *e)
{
	char path[96];

	if (!tile_build(l, level, n, false, ret, e))
		return false;
	if (!has_root(ret, root) && !tile_build(l, level, n, true, ret, e))
		return false;
	tile_path((int)level, n, TILE_WIDTH, path);
	if (!has_root(ret, root))
		return err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the store's leaves do not give %s", path);
	if (n >= edge_full_tiles(&l->published, level))
		return true;
	return tile_write_file(l, (int)level, n, TILE_WIDTH, bytes_from(ret->node, TILE_BYTES), e);
}

void tile_cache_clear(struct log *l)
{
	for (unsigned i = 0; i < TILE_CACHE; i++)
		l->cache[i].used = false;
}

static bool cache_find(struct log *l, unsigned level, uint64_t n, unsigned *ret)
{
	for (unsigned i = 0; i < TILE_CACHE; i++)
		if (l->cache[i].used && l->cache[i].level == level && l->cache[i].n == n) {
			l->cache[i].age = ++l->cache_age;
			*ret = i;
			return true;
		}
	*ret = 0;
	for (unsigned i = 0; i < TILE_CACHE; i++) {
		if (!l->cache[i].used) {
			*ret = i;
			break;
		}
		if (l->cache[i].age < l->cache[*ret].age)
			*ret = i;
	}
	return false;
}

bool tile_get(struct log *l, unsigned level, uint64_t n, const struct tile **ret, struct err *e)
{
	const struct tile *parent;
	merkle_hash root;
	unsigned slot;
	uint64_t full = edge_full_tiles(&l->now, level);

	if (n == full) {
		*ret = &l->now.level[level];
		return true;
	}
	if (n > full)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "log: no tile %llu at level %u", (unsigned long long)n, level);
	if (!cache_find(l, level, n, &slot)) {
		if (!tile_get(l, level + 1, n / TILE_WIDTH, &parent, e))
			return false;
		memcpy(root, parent->node[n % TILE_WIDTH], SHA256_BYTES);
		(void)cache_find(l, level, n, &slot); /* the parent may have taken the place */
		struct tile *t = &l->cache[slot].tile;
		l->cache[slot].used = false;
		if ((n >= edge_full_tiles(&l->published, level) || !tile_read_file(l, level, n, t) || !has_root(t, root)) &&
		    !tile_repair(l, level, n, root, t, e))
			return false;
		l->cache[slot].used = true;
		l->cache[slot].level = level;
		l->cache[slot].n = n;
		l->cache[slot].age = ++l->cache_age;
	}
	*ret = &l->cache[slot].tile;
	return true;
}
