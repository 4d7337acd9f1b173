/* Between the sources of `comity log monitor`: what it follows, and how it says what it found. */
#ifndef COMITY_CLI_MONITOR_INTERNAL_H
#define COMITY_CLI_MONITOR_INTERNAL_H

#include "cli/commands.h"
#include "cli/expected.h"
#include "cli/output.h"
#include "cli/watch.h"

#define SAID_MAX 64u
enum { EXIT_CONSISTENT = 0, EXIT_WRONG = 1, EXIT_NOT_SEEN = 2 };

struct watcher {
	const struct args *a;
	struct watch_list list;
	struct log_watch *logs;
	struct expected expected;
	const uint8_t *pin;
	int state_fd, evidence_fd; /* -1: none */
	uint64_t turn;             /* seconds; 0: no end */
	int status;
	bool whole;                /* a round was completed: a service that is stopped later ends with what that one said */
	struct progress progress;
};

struct log_watch {
	struct watcher *w;
	struct watched_place *log;
	struct log_source source;
	bool open;
	bool read; /* in this round, to its end */
	struct monitor *monitor;
	uint8_t said[SAID_MAX][SHA256_BYTES]; /* findings since all was well; each is said once */
	size_t said_count;
	enum reason reason;            /* of the last round */
	int status;
	enum reason reason_before;     /* of the one before */
	int status_before;
	uint64_t size_said;
	uint8_t counted[SHA256_BYTES]; /* digest of the index whose openings were counted */
};

/* --- monitor-say.c: events, one JSON object or one line each; the event is taken over. --- */
void watch_say(struct watcher *w, json_t *event, const char *text);
json_t *watch_event(const struct log_watch *l, const char *what);
void watch_found(struct log_watch *l, const struct err *e);
void watch_say_verified(struct log_watch *l);
void watch_say_missing(struct watcher *w);
void watch_say_gone(struct log_watch *l);
void watch_say_register(struct watcher *w);
void watch_say_end(struct watcher *w);
void watch_say_server(struct log_watch *l, json_t *v);

#endif
