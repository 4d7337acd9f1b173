/* One home's log. Promises: the tree never shrinks or changes; what log_append took is in it exactly
 * when the store's transaction committed; root and proofs are those of the leaves in the store. Three
 * edges keep this apart: `now` runs ahead inside a transaction, `committed` follows when it is durable,
 * `published` follows when the files show it. */
#include "log/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/log-internal.h"

struct checking {
	struct tile tile;
	unsigned i;
};

static bool check_each(void *ctx, struct bytes leaf, struct err *e)
{
	struct checking *c = ctx;
	merkle_hash hash;

	merkle_leaf(leaf, hash);
	tile_set(&c->tile, c->i++, hash);
	return true;
}

/* The stored edge against the leaves that it is made of, and no leaf beyond it. */
static bool edge_check(struct log *l, struct err *e)
{
	uint64_t size = l->committed.size;
	struct checking *c = calloc(1, sizeof(*c));
	struct query *q;
	bool found = false, ok;

	if (c == NULL)
		abort();
	ok = leaves_each(l, size - size % TILE_WIDTH, size, check_each, c, e);
	if (ok && memcmp(c->tile.node, l->committed.level[0].node, (size_t)c->i * SHA256_BYTES) != 0)
		ok = err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the stored right edge is not of the stored leaves");
	free(c);
	if (!ok)
		return false;
	q = store_query(l->store, QUERY_log_leaf_range);
	query_bind_int(q, 1, (int64_t)size);
	query_bind_int(q, 2, (int64_t)size + 1);
	ok = query_row(q, &found, e);
	query_end(q);
	if (ok && found)
		return err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the store has leaves beyond its right edge");
	return ok;
}

static bool edge_load(struct log *l, struct err *e)
{
	struct query *q = store_query(l->store, QUERY_log_edge_get);
	bool found = false, ok = query_row(q, &found, e);

	if (ok && found)
		ok = edge_read((uint64_t)query_int(q, 0), query_bytes(q, 1), &l->committed, e);
	query_end(q);
	return ok && edge_check(l, e);
}

bool log_open(struct store *s, int log_fd, const char *origin, struct log **ret, struct err *e)
{
	struct log *l;

	if (strlen(origin) == 0 || strlen(origin) > CHECKPOINT_ORIGIN_BYTES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "log: bad origin");
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->store = s;
	l->log_fd = log_fd;
	snprintf(l->origin, sizeof(l->origin), "%s", origin);
	buf_init(&l->bundle, TILE_WIDTH * (2 + LEAF_BYTES_MAX));
	if (!edge_load(l, e)) {
		log_close(l);
		return false;
	}
	l->now = l->committed;
	if (!files_repair(l, e)) {
		log_close(l);
		return false;
	}
	*ret = l;
	return true;
}

void log_close(struct log *l)
{
	if (l == NULL)
		return;
	buf_release(&l->bundle);
	free(l);
}

const char *log_origin(const struct log *l)
{
	return l->origin;
}

uint64_t log_size(const struct log *l)
{
	return l->now.size;
}

void log_root(const struct log *l, merkle_hash ret)
{
	edge_root(&l->now, ret);
}

bool log_append(struct log *l, struct bytes entry, const uint8_t *hash, uint64_t *ret_index, struct err *e)
{
	uint64_t index = l->now.size;
	merkle_hash leaf;
	struct query *q;
	bool ok;

	if (!store_in_transaction(l->store))
		return err_set(e, ERR_SYSTEM, REASON_WRONG_STATE, "log: no transaction is open");
	if (entry.len == 0 || entry.len > LEAF_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "log: a leaf of %zu bytes", entry.len);
	q = store_query(l->store, QUERY_log_leaf_add);
	query_bind_int(q, 1, (int64_t)index);
	query_bind_bytes(q, 2, entry);
	if (hash != NULL)
		query_bind_bytes(q, 3, bytes_from(hash, SHA256_BYTES));
	else
		query_bind_null(q, 3);
	ok = query_run(q, e);
	query_end(q);
	if (!ok)
		return err_note(e, "log");
	merkle_leaf(entry, leaf);
	if (!edge_push(&l->now, leaf, NULL, NULL, e))
		return false;
	if (ret_index != NULL)
		*ret_index = index;
	return true;
}

bool log_save(struct log *l, struct err *e)
{
	AUTO_BUF edge = { 0 };
	struct query *q;
	bool ok;

	buf_init(&edge, TILE_LEVELS * TILE_BYTES);
	if (!store_in_transaction(l->store))
		return err_set(e, ERR_SYSTEM, REASON_WRONG_STATE, "log: no transaction is open");
	edge_write(&l->now, &edge);
	if (!buf_check(&edge, "right edge", e))
		return false;
	q = store_query(l->store, QUERY_log_edge_put);
	query_bind_int(q, 1, (int64_t)l->now.size);
	query_bind_bytes(q, 2, buf_bytes(&edge));
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

void log_rollback(struct log *l)
{
	edge_follow(&l->now, &l->committed);
	tile_cache_clear(l); /* may hold tiles of leaves that are gone */
}

void log_committed(struct log *l)
{
	edge_follow(&l->committed, &l->now);
}

bool log_publish_tiles(struct log *l, struct err *e)
{
	if (l->now.size != l->committed.size)
		return err_set(e, ERR_SYSTEM, REASON_WRONG_STATE, "log: leaves are not committed yet");
	return files_publish(l, e);
}

bool log_publish(struct log *l, struct bytes checkpoint_note, struct err *e)
{
	struct checkpoint c;
	struct note n;
	merkle_hash root;

	if (!note_parse(checkpoint_note, &n, e) || !checkpoint_parse(n.text, &c, e) || !log_publish_tiles(l, e))
		return false;
	if (c.size <= l->committed.size && !log_root_at(l, c.size, root, e))
		return false;
	if (strcmp(c.origin, l->origin) != 0 || c.size > l->committed.size || memcmp(c.root, root, SHA256_BYTES) != 0)
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "log: the checkpoint is not of this tree of %llu leaves",
			       (unsigned long long)l->committed.size);
	/* Tiles first, whatever became of them when this size was the newest. */
	return (c.size == l->committed.size || files_ensure(l, c.size, e)) &&
	       file_write(l->log_fd, "checkpoint", checkpoint_note, 0644, false, e);
}
