/* The store says what is published; the files are a projection, like the tiles: temporary name, rename, the index last,
 * so that what it names is there. Nothing asks for them to be durable: what a power cut took is written
 * again, with a newer proof of the same leaf. */
#include "exchange/publish.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

/* 2 * 10^5 acts, which is centuries of what is published now. */
#define INDEX_BYTES_MAX (32 * MIB)

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
static bool write_one(struct node *n, const uint8_t hash[static 32], const char *path, bool *ret_there, bool *ret_new, struct err *e)
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
	*ret_there = *ret_new = true;
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
	char kind[40];
	int64_t time;
};

/* Read first: writing an act asks the store as well. */
static bool wanted_read(struct node *n, struct wanted_act **ret, size_t *ret_count, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_published_list);
	struct wanted_act *all = NULL;
	size_t count = 0, room = 0;
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		if (query_bytes(q, 0).len != SHA256_BYTES)
			continue;
		if (count == room) {
			room = 2 * room + 16;
			all = reallocarray(all, room, sizeof(*all));
			if (all == NULL)
				abort();
		}
		memcpy(all[count].hash, query_bytes(q, 0).at, SHA256_BYTES);
		bytes_text(query_bytes(q, 1), all[count].kind, sizeof(all[count].kind));
		all[count++].time = query_int(q, 2);
	}
	query_end(q);
	*ret = all;
	*ret_count = count;
	return ok;
}

bool publish_proved(struct node *n, struct err *e)
{
	struct wanted_act *all = NULL;
	size_t count = 0, there = 0;
	bool any_new = false, ok;
	AUTO_BUF index = { 0 };

	if (n->publish_done)
		return true;
	buf_init(&index, INDEX_BYTES_MAX);
	ok = wanted_read(n, &all, &count, e);
	for (size_t i = 0; ok && i < count; i++) {
		char hex[2 * SHA256_BYTES + 1], path[80];
		bool is_there = false;
		hex_write(BYTES_ARRAY(all[i].hash), hex);
		snprintf(path, sizeof(path), "acts/%s", hex);
		ok = write_one(n, all[i].hash, path, &is_there, &any_new, e);
		if (ok && is_there) {
			index_line(hex, bytes_of(all[i].kind), all[i].time, &index);
			there++;
		}
	}
	free(all);
	if (ok && there > 0 && (any_new || !is_file(n->log_fd, "acts/index")))
		ok = buf_check(&index, "acts/index", e) && file_write(n->log_fd, "acts/index", buf_bytes(&index), 0644, false, e);
	if (!ok)
		return err_note(e, "publishing acts");
	n->publish_done = there == count;
	return true;
}
