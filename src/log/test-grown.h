/* For tests: a log of its own in a temporary home, which grows and is published, and a monitor of it. */
#ifndef COMITY_LOG_TEST_GROWN_H
#define COMITY_LOG_TEST_GROWN_H

#include "store/test-home.h"

#include "base/file.h"
#include "log/monitor.h"

#define GROWN_ORIGIN "xa.example/log"

struct grown {
	struct test_home home;
	struct store *s;
	struct log *l;
	struct sign_key *k;
	bool own_key;
	struct note_key key;
	int log_fd;
	const char *word; /* entries are "word N" */
	struct log_source source;
};

static inline void grown_begin_as(struct grown *g, const char *word, struct sign_key *k)
{
	*g = (struct grown){ .word = word, .k = k };
	home_make(&g->home);
	assert_ok(dir_make(g->home.fd, "log", 0755, e));
	g->log_fd = openat(g->home.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(store_open(g->home.fd, &g->s, e));
	note_key_make(GROWN_ORIGIN, NOTE_ED25519, sign_key_public(g->k), &g->key);
	assert_ok(log_open(g->s, g->log_fd, GROWN_ORIGIN, &g->l, e));
	g->source = log_source_folder(g->log_fd);
}

static inline void grown_begin(struct grown *g, const char *word)
{
	grown_begin_as(g, word, sign_key_new());
	g->own_key = true;
}

static inline void grown_end(struct grown *g)
{
	log_close(g->l);
	store_close(g->s);
	if (g->own_key)
		sign_key_free(g->k);
	close(g->log_fd);
	home_remove(&g->home);
}

static inline void grown_append(struct grown *g, uint64_t count)
{
	char entry[64];

	assert_ok(store_begin(g->s, e));
	for (uint64_t i = 0; i < count; i++) {
		snprintf(entry, sizeof(entry), "%s %llu", g->word, (unsigned long long)log_size(g->l));
		assert_ok(log_append(g->l, bytes_of(entry), NULL, NULL, e));
	}
	assert_ok(log_save(g->l, e));
	assert_ok(store_commit(g->s, e));
	log_committed(g->l);
}

static inline void grown_note(struct grown *g, struct buf *out)
{
	struct checkpoint c = { .origin = GROWN_ORIGIN, .size = log_size(g->l) };
	AUTO_BUF text = { 0 };

	buf_init(&text, 1024);
	log_root(g->l, c.root);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), GROWN_ORIGIN, g->k, out, e));
}

static inline void grown_publish(struct grown *g)
{
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	grown_note(g, &note);
	assert_ok(log_publish(g->l, buf_bytes(&note), e));
}

static inline struct monitor *grown_monitor(const struct grown *g, const struct monitor_options *o)
{
	struct monitor_options mine = o == NULL ? (struct monitor_options){ .policy = NULL } : *o;

	mine.log_key = g->key;
	return monitor_new(&mine);
}

#endif
