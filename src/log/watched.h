/* The logs that a witness watches: lines "log VKEY [URL]" as c2sp.org/tlog-policy has them, and below one of these, where the
 * log's origin is another than its key's name, "origin ORIGIN", all to the end of the line. Its own parser, because a
 * witness watches more logs than a policy names, and a policy's logs have the names of their keys. */
#ifndef COMITY_LOG_WATCHED_H
#define COMITY_LOG_WATCHED_H

#include "log/checkpoint.h"

struct watched_log {
	struct note_key key;
	char origin[CHECKPOINT_ORIGIN_BYTES_MAX + 1]; /* the key's name, unless a line says otherwise */
	char *url;           /* "" when none is given */
};
struct watched {
	struct watched_log *at; /* in order of origin */
	size_t count;
};
/* Errors name the line. An origin twice is an error: a log has one key. */
bool watched_parse(struct bytes text, struct watched *ret, struct err *e) MUST_USE;
void watched_write(const struct watched *w, struct buf *out);
const struct watched_log *watched_find(const struct watched *w, const char *origin); /* NULL: not watched */
void watched_release(struct watched *w);
#define AUTO_WATCHED __attribute__((cleanup(watched_release))) struct watched

#endif
