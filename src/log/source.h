/* Where the files of a log come from: a folder, or a web server. A source fetches one path of c2sp.org/tlog-tiles
 * ("checkpoint", "tile/0/000", "acts/index") with a limit; several may be asked for at once, so that a line with a
 * long way is used well. What it brings is never believed: the monitor hashes all of it. */
#ifndef COMITY_LOG_SOURCE_H
#define COMITY_LOG_SOURCE_H

#include "base/buf.h"
#include "base/err.h"

struct log_source {
	void *ctx;
	/* Appends the file to out. ERR_NOT_FOUND when there is none; REASON_UNAVAILABLE when the source did not answer. */
	bool (*fetch)(void *ctx, const char *path, size_t bytes_max, struct buf *out, struct err *e);
	/* May be NULL. These paths will be fetched next: begin already. */
	void (*expect)(void *ctx, const char *const *paths, size_t n);
	void (*close)(void *ctx);
};
struct log_source log_source_folder(int dir_fd); /* borrowed */
void log_source_close(struct log_source *s);

#endif
