/* Verifies a published log from its files alone: checkpoint by the key, every entry re-hashed, every
 * tile at every level compared with what its entries give, and the root last. Files that a checkpoint
 * does not need are not looked at. Works on any log of this format, in constant memory. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "log/log-internal.h"

struct audit {
	int log_fd;
	struct edge edge;
	struct buf hashes, bundle;
};

/* The file of this width or, when it is gone because the tile became full, the full one. */
static bool read_either(int log_fd, int level, uint64_t n, unsigned width, struct buf *out, struct err *e)
{
	char path[96];

	buf_clear(out);
	tile_path(level, n, width, path);
	if (file_read(log_fd, path, out, e))
		return true;
	if (width == TILE_WIDTH)
		return false;
	tile_path(level, n, TILE_WIDTH, path);
	return file_read(log_fd, path, out, NULL);
}

static bool compare_tile(struct audit *a, unsigned level, uint64_t n, unsigned width, const struct tile *t, struct err *e)
{
	size_t len = (size_t)width * SHA256_BYTES;
	char path[96];

	tile_path((int)level, n, width, path);
	if (!read_either(a->log_fd, (int)level, n, width, &a->hashes, e))
		return false;
	if (a->hashes.len != len && a->hashes.len != TILE_BYTES)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s has a wrong length", path);
	if (memcmp(a->hashes.at, t->node, len) != 0)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s is not what the entries give", path);
	return true;
}

static bool full_tile(void *ctx, unsigned level, uint64_t n, const struct tile *t, struct err *e)
{
	return compare_tile(ctx, level, n, TILE_WIDTH, t, e);
}

/* Hashes the first `width` entries; a full bundle that stands in for an unfinished one holds more. */
static bool audit_bundle(struct audit *a, uint64_t n, unsigned width, struct err *e)
{
	struct reader r;
	char path[96];
	unsigned count = 0;

	tile_path(LEVEL_ENTRIES, n, width, path);
	if (!read_either(a->log_fd, LEVEL_ENTRIES, n, width, &a->bundle, e))
		return false;
	r = reader_over(buf_bytes(&a->bundle));
	while (reader_ok(&r) && reader_left(&r) > 0) {
		struct bytes entry = reader_take(&r, reader_u16(&r));
		merkle_hash hash;

		if (!reader_ok(&r) || ++count > width)
			continue;
		merkle_leaf(entry, hash);
		if (!edge_push(&a->edge, hash, full_tile, a, e))
			return false;
	}
	if (!reader_done(&r, path, e))
		return false;
	if (count != width && count != TILE_WIDTH)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s holds %u entries", path, count);
	return true;
}

static bool audit_tree(struct audit *a, const struct checkpoint *c, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
		       void *ctx, struct err *e)
{
	merkle_hash root;

	for (uint64_t n = 0; n * TILE_WIDTH < c->size; n++) {
		uint64_t left = c->size - n * TILE_WIDTH;

		if (!audit_bundle(a, n, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH, e))
			return false;
		if (progress != NULL)
			progress(ctx, a->edge.size, c->size);
	}
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = edge_width(&a->edge, level);

		if (width > 0 && !compare_tile(a, level, edge_full_tiles(&a->edge, level), width, &a->edge.level[level], e))
			return false;
	}
	edge_root(&a->edge, root);
	if (memcmp(root, c->root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_ROOT_MISMATCH, "the entries do not give the checkpoint's root");
	return true;
}

bool log_audit_files(int log_fd, const struct note_key *key, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
		     void *ctx, struct log_audit *ret, struct err *e)
{
	struct audit *a;
	struct checkpoint c;
	AUTO_BUF note = { 0 };
	bool ok;

	buf_init(&note, NOTE_BYTES_MAX);
	if (!file_read(log_fd, "checkpoint", &note, e) || !checkpoint_verify(buf_bytes(&note), key, &c, e))
		return false;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	a->log_fd = log_fd;
	buf_init(&a->hashes, TILE_BYTES);
	buf_init(&a->bundle, BUNDLE_BYTES_MAX);
	ok = audit_tree(a, &c, progress, ctx, e);
	if (ok) {
		ret->checkpoint = c;
		ret->leaves = a->edge.size;
	}
	buf_release(&a->hashes);
	buf_release(&a->bundle);
	free(a);
	return ok;
}
