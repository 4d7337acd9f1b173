/* For the tests of restores: a backup, the restore of it, and the questions to peers that follow. */
#ifndef COMITY_EXCHANGE_TEST_RESTORING_H
#define COMITY_EXCHANGE_TEST_RESTORING_H

#include "exchange/test-log-audit.h"

#include "exchange/pair-recover.h"
#include "exchange/recover.h"
#include "exchange/shown.h"

static struct world w;

static inline int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static inline int end(void **state)
{
	world_end(&w);
	return 0;
}

static inline void copy(struct home *h, const char *from, const char *to)
{
	AUTO_BUF in = { 0 };

	buf_init(&in, 64 * MIB);
	assert_ok(file_read(h->dir.fd, from, &in, e));
	write_file(h, to, buf_bytes(&in));
}

static inline void back_up(struct home *h)
{
	int fd = openat(h->dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)unlinkat(fd, "comity.db", 0);
	(void)unlinkat(fd, "keys.db", 0);
	assert_ok(store_backup(h->node->store, fd, true, NULL, NULL, e));
	close(fd);
}

/* What `comity restore` does: the backup into the store, the log files aside, the home marked. */
static inline void restore(struct home *h)
{
	home_close(h);
	(void)unlinkat(h->dir.fd, "store/comity.db-wal", 0);
	(void)unlinkat(h->dir.fd, "store/keys.db-wal", 0);
	copy(h, "backup/comity.db", "store/comity.db");
	copy(h, "backup/keys.db", "store/keys.db");
	assert_int_equal(renameat(h->dir.fd, "log", h->dir.fd, RECOVER_FOLDER), 0);
	assert_ok(dir_make(h->dir.fd, "log", 0700, e));
	assert_ok(signer_open(h, true, e));
	assert_ok(node_open_at(h, e));
	assert_true(h->node->locked);
}

static inline void recover(struct home *h, const char *const *without)
{
	struct recovered back;

	assert_ok(node_recover(h->node, without, &back, e));
	assert_false(h->node->locked);
}

/* Some tree of this size, with our signature. */
static inline void seen_elsewhere(struct home *h, uint64_t size)
{
	struct checkpoint c = { .size = size, .root = { 7 } };
	AUTO_BUF text = { 0 }, note = { 0 };

	buf_init(&text, KIB);
	buf_init(&note, NOTE_BYTES_MAX);
	snprintf(c.origin, sizeof(c.origin), "%s", log_origin(h->node->log));
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), c.origin, h->log, &note, e));
	IN(h, shown_keep(h->node, buf_bytes(&note), "witness W", e));
}

static inline bool no_peer_is_busy(void *ctx, const char *peer)
{
	return false;
}

/* The next question goes to its peer, and the answer comes back. False: none is due. */
static inline bool ask_one(struct home *h)
{
	struct home *all[] = { &w.xs, &w.xa, &w.xr, &w.xl };
	struct pair_question ask;
	bool found;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(pair_question_next(h->node, the_time, no_peer_is_busy, NULL, &ask, &found, e));
	for (size_t i = 0; found && i < 4; i++) {
		if (strcmp(all[i]->code, ask.peer) != 0)
			continue;
		IN(all[i], pair_asked(all[i]->node, buf_bytes(&ask.body), h->tls, &reply, e));
		IN(h, pair_question_answered(h->node, ask.peer, true, 200, buf_bytes(&reply), "", the_time, e));
	}
	buf_release(&ask.body);
	return found;
}

static inline struct pair_state last_of(struct home *h, const char *peer, enum pair_direction d)
{
	struct pair_state s;

	assert_ok(pair_last(h->node, peer, d, &s, e));
	return s;
}

static inline void assert_agree(struct home *from, struct home *to)
{
	struct pair_state sent = last_of(from, to->code, PAIR_SENT), received = last_of(to, from->code, PAIR_RECEIVED);

	assert_int_equal(sent.n, received.n);
	assert_memory_equal(sent.head, received.head, SHA256_BYTES);
}

#endif
