/* The root that a store's leaves give, without opening it as a log: for the audit of a backup. (Files alone are
 * verified by monitor.c.) */
#include <stdlib.h>
#include <string.h>

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
