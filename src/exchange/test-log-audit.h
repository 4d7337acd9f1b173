/* For the tests of what the log says of itself: settings of one home, time that jumps, files read back. */
#ifndef COMITY_EXCHANGE_TEST_LOG_AUDIT_H
#define COMITY_EXCHANGE_TEST_LOG_AUDIT_H

#include "exchange/audit-log.h"
#include "exchange/openings.h"
#include "exchange/parameters.h"
#include "exchange/publish.h"
#include "exchange/test-carry.h"
#include "log/openings.h"
#include "store/test-tamper.h"

static inline void reopen(struct home *h)
{
	home_close(h);
	home_open(h);
}

/* The operator edits comity.conf and starts the node again. */
static inline void resettle(struct home *h, enum config_key key, const char *value)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 64 * KIB);
	home_close(h);
	set(h, key, value);
	config_write(&h->config, &text);
	write_file(h, "comity.conf", buf_bytes(&text));
	home_open(h);
}

static inline void time_jumps(const char *to)
{
	assert_true(time_parse(bytes_of(to), &the_time));
}

/* All that is due, portion by portion; how many there were. */
static inline unsigned open_all_due(struct home *h)
{
	unsigned count = 0;

	while (h->node->openings_due) {
		assert_ok(openings_portion(h->node, the_time, e));
		count++;
	}
	return count;
}

static inline bool log_file(struct home *h, const char *path, struct buf *out)
{
	buf_clear(out);
	return file_read(h->node->log_fd, path, out, NULL);
}

static inline uint64_t leaf_place(struct home *h, const uint8_t *hash)
{
	struct query *q = store_query(h->node->store, QUERY_log_leaf_of);
	uint64_t index;
	bool found;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	index = (uint64_t)query_int(q, 0);
	query_end(q);
	return index;
}

static inline void leaf_at(struct home *h, uint64_t index, uint8_t ret[static LEAF_V1_BYTES])
{
	struct query *q = store_query(h->node->store, QUERY_log_leaf_range);
	bool found;

	query_bind_int(q, 1, (int64_t)index);
	query_bind_int(q, 2, (int64_t)index + 1);
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	assert_int_equal(query_bytes(q, 1).len, LEAF_V1_BYTES);
	memcpy(ret, query_bytes(q, 1).at, LEAF_V1_BYTES);
	query_end(q);
}

/* The newest act of this kind in acts/index, read from its file; NULL when there is none. *ret_count: all of the kind. */
static inline struct act *published(struct home *h, const char *kind, size_t *ret_count)
{
	struct act *newest = NULL;
	AUTO_BUF index = { 0 }, act = { 0 };

	buf_init(&index, MIB);
	buf_init(&act, LETTER_BYTES_MAX);
	*ret_count = 0;
	if (!log_file(h, "acts/index", &index))
		return NULL;
	struct reader r = reader_over(buf_bytes(&index));
	while (reader_left(&r) > 0) {
		struct bytes line = reader_line(&r, 200), hash = bytes_cut(&line, ' ');
		char path[80];
		assert_true(reader_ok(&r) && hash.len == 64);
		snprintf(path, sizeof(path), "acts/%.64s", (const char *)hash.at);
		assert_true(log_file(h, path, &act));
		if (!bytes_is(bytes_cut(&line, ' '), kind))
			continue;
		(*ret_count)++;
		act_free(newest);
		assert_ok(act_parse(buf_bytes(&act), &newest, e));
	}
	return newest;
}

/* The whole audit. */
static inline json_t *audited(struct home *h)
{
	struct audit_place at = { 0 };
	json_t *out = json_object();

	while (!at.done)
		assert_ok(audit_log_portion(h->node->store, &at, out, e));
	return out;
}

#endif
