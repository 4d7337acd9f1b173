/* What verifying the tiles alone (monitor.c) leaves out. The root that a store's leaves give, without opening it as a log:
 * for the audit of a backup. And the compressed bundles, which no hash covers: whoever accepts gzip is sent these. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/gzip.h"
#include "log/log-internal.h"

static bool push_range(struct store *s, struct edge *g, uint64_t until, struct err *e)
{
	struct query *q = store_query(s, QUERY_log_leaf_range);
	bool found, ok;

	query_bind_int(q, 1, (int64_t)g->size);
	query_bind_int(q, 2, (int64_t)until);
	while ((ok = query_row(q, &found, e)) && found) {
		merkle_hash hash;

		if ((uint64_t)query_int(q, 0) != g->size)
			break; /* a gap */
		merkle_leaf(query_bytes(q, 1), hash);
		ok = edge_push(g, hash, NULL, NULL, e);
		if (!ok)
			break;
	}
	query_end(q);
	if (ok && g->size < until)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "leaf %llu is gone from the store", (unsigned long long)g->size);
	return ok;
}

bool log_root_of_store(struct store *s, uint64_t size, void (*progress)(void *ctx, uint64_t leaves, uint64_t size), void *ctx,
		       merkle_hash ret, struct err *e)
{
	struct edge *g = calloc(1, sizeof(*g));
	bool ok = true;

	if (g == NULL)
		abort();
	while (ok && g->size < size) {
		ok = push_range(s, g, size - g->size < 65536 ? size : g->size + 65536, e);
		if (ok && progress != NULL)
			progress(ctx, g->size, size);
	}
	if (ok)
		edge_root(g, ret);
	free(g);
	return ok;
}

/* None at all is no fault: then the bundle is sent as it is, and a mirror has none. */
static bool compressed_gives(int log_fd, const char *path, struct err *e)
{
	char name[100];
	struct err why = { 0 };
	AUTO_BUF gz = { 0 }, content = { 0 };

	buf_init(&gz, BUNDLE_BYTES_MAX + BUNDLE_BYTES_MAX / 8);
	buf_init(&content, BUNDLE_BYTES_MAX);
	snprintf(name, sizeof(name), "%s.gz", path);
	if (!file_read(log_fd, name, &gz, &why)) {
		if (why.kind == ERR_NOT_FOUND)
			return true;
		if (e != NULL)
			*e = why;
		return false;
	}
	return file_read(log_fd, path, &content, e) &&
	       (gzip_gives(buf_bytes(&gz), buf_bytes(&content)) ||
		err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s does not inflate to the bundle beside it", name));
}

uint64_t log_audit_compressed(int log_fd, uint64_t size, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
			      void (*wrong)(void *ctx, const char *text), void *ctx)
{
	uint64_t count = 0;

	for (uint64_t n = 0; n < size / TILE_WIDTH; n++) {
		char path[96];
		struct err e = { 0 };

		tile_path(LEVEL_ENTRIES, n, TILE_WIDTH, path);
		if (progress != NULL)
			progress(ctx, n * TILE_WIDTH, size);
		if (compressed_gives(log_fd, path, &e))
			continue;
		count++;
		wrong(ctx, e.text);
	}
	return count;
}
