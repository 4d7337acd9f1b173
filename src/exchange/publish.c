/* The store says what is published; the files are a projection, like the tiles: temporary name, rename, the index last,
 * so that what it names is there. Acts need not be durable: what a power cut took is written again, with a newer proof
 * of the same leaf. The index is: after a recovery it also names acts that the store has lost. */
#include "exchange/publish.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/published.h"

bool publish_act(struct node *n, const uint8_t hash[static 32], struct err *e)
{
	struct query *q = store_query(n->store, QUERY_published_add);

	query_bind_bytes(q, 1, bytes_from(hash, 32));
	bool ok = query_run(q, e);
	query_end(q);
	n->publish_done = false;
	return ok;
}

static bool is_file(int dir_fd, const char *path)
{
	return faccessat(dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* *ret_there: its file is there now. */
static bool write_one(struct node *n, const uint8_t hash[static 32], const char *path, bool *ret_there, struct err *e)
{
	AUTO_BUF act = { 0 }, proof = { 0 };
	struct err unproved = { 0 };

	*ret_there = is_file(n->log_fd, path);
	if (*ret_there)
		return true;
	buf_init(&act, LETTER_BYTES_MAX);
	buf_init(&proof, NOTE_BYTES_MAX);
	if (!node_proof(n, hash, &proof, &unproved)) {
		if (unproved.reason == REASON_UNLOGGED)
			return true;
		if (e != NULL)
			*e = unproved;
		return false;
	}
	if (!node_act_json(n, hash, &act, e) || !dir_make(n->log_fd, "acts", 0755, e) ||
	    !file_write(n->log_fd, path, buf_bytes(&act), 0644, false, e))
		return false;
	*ret_there = true;
	return true;
}

static void index_line(const char *hex, struct bytes kind, int64_t ms, struct buf *index)
{
	char time[TIME_TEXT_LEN + 1];

	time_write(ms, time);
	buf_add_format(index, "%s ", hex);
	buf_add(index, kind);
	buf_add_format(index, " %s\n", time);
}

struct wanted_act {
	uint8_t hash[SHA256_BYTES];
	char kind[PUBLISHED_KIND_BYTES_MAX + 1];
	int64_t time;
	bool ours;    /* the store has it */
	size_t place; /* keeps the order of what has one time */
};
struct wanted {
	struct wanted_act *acts;
	size_t count, room;
};

static struct wanted_act *wanted_add(struct wanted *w)
{
	if (w->count == w->room) {
		w->room = 2 * w->room + 16;
		w->acts = reallocarray(w->acts, w->room, sizeof(*w->acts));
		if (w->acts == NULL)
			abort();
	}
	w->acts[w->count] = (struct wanted_act){ .place = w->count };
	return &w->acts[w->count++];
}

/* Read first: writing an act asks the store as well. */
static bool wanted_read(struct node *n, struct wanted *w, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_published_list);
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		struct wanted_act *a;
		if (query_bytes(q, 0).len != SHA256_BYTES)
			continue;
		a = wanted_add(w);
		memcpy(a->hash, query_bytes(q, 0).at, SHA256_BYTES);
		bytes_text(query_bytes(q, 1), a->kind, sizeof(a->kind));
		a->time = query_int(q, 2);
		a->ours = true;
	}
	query_end(q);
	return ok;
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(((const struct wanted_act *)a)->hash, ((const struct wanted_act *)b)->hash, SHA256_BYTES);
}

static int by_time(const void *a, const void *b)
{
	const struct wanted_act *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Acts that a recovery brought back stand in no store: the index that is there is all that knows of them. */
static void lost_read(const struct published *p, struct wanted *w)
{
	size_t ours = w->count, kept = 0;

	if (ours > 0)
		qsort(w->acts, ours, sizeof(*w->acts), by_hash);
	for (size_t i = 0; i < published_count(p); i++) {
		const struct published_line *l = published_at(p, i);
		struct wanted_act key;
		memcpy(key.hash, l->hash, sizeof(key.hash));
		if (ours > 0 && bsearch(&key, w->acts, ours, sizeof(*w->acts), by_hash) != NULL)
			continue;
		struct wanted_act *a = wanted_add(w);
		memcpy(a->hash, l->hash, sizeof(a->hash));
		snprintf(a->kind, sizeof(a->kind), "%s", l->kind);
		a->time = l->time;
	}
	if (w->count > 0)
		qsort(w->acts, w->count, sizeof(*w->acts), by_hash);
	for (size_t i = 0; i < w->count; i++)
		if (kept == 0 || memcmp(w->acts[kept - 1].hash, w->acts[i].hash, SHA256_BYTES) != 0)
			w->acts[kept++] = w->acts[i];
	w->count = kept;
	if (w->count > 0)
		qsort(w->acts, w->count, sizeof(*w->acts), by_time);
}

/* *ret_whole: nothing is left that waits for its proof. */
static bool write_all(struct node *n, const struct wanted *w, struct buf *index, bool *ret_whole, struct err *e)
{
	*ret_whole = true;
	for (size_t i = 0; i < w->count; i++) {
		const struct wanted_act *a = &w->acts[i];
		char hex[2 * SHA256_BYTES + 1], path[80];
		bool is_there = false;
		hex_write(BYTES_ARRAY(a->hash), hex);
		published_path(a->hash, path);
		if (!a->ours)
			is_there = is_file(n->log_fd, path);
		else if (!write_one(n, a->hash, path, &is_there, e))
			return false;
		if (is_there)
			index_line(hex, bytes_of(a->kind), a->time, index);
		*ret_whole = *ret_whole && (is_there || !a->ours);
	}
	return true;
}

static bool same_index(const struct published *p, const struct buf *index)
{
	return p == NULL ? index->len == 0 : bytes_equal(published_index(p), buf_bytes(index));
}

bool publish_proved(struct node *n, struct err *e)
{
	struct log_source files = log_source_folder(n->log_fd);
	struct wanted w = { 0 };
	struct err none;
	AUTO_PUBLISHED *there = NULL;
	bool whole = false, ok;
	AUTO_BUF index = { 0 };

	if (n->publish_done)
		return true;
	buf_init(&index, PUBLISHED_INDEX_BYTES_MAX);
	ok = wanted_read(n, &w, e);
	if (ok && published_read(&files, &there, &none))
		lost_read(there, &w);
	ok = ok && write_all(n, &w, &index, &whole, e) && buf_check(&index, "acts/index", e);
	if (ok && !same_index(there, &index))
		ok = file_write(n->log_fd, "acts/index", buf_bytes(&index), 0644, true, e);
	free(w.acts);
	if (!ok)
		return err_note(e, "publishing acts");
	n->publish_done = whole;
	return true;
}
