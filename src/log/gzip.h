/* A full bundle also lies there compressed, beside itself as "<path>.gz", for whoever reads over a long way. */
#ifndef COMITY_LOG_GZIP_H
#define COMITY_LOG_GZIP_H

#include "base/buf.h"
#include "base/err.h"

void gzip_write(struct bytes in, struct buf *out);
/* Whether gz inflates to just this content: who accepts gzip is sent nothing else. */
bool gzip_gives(struct bytes gz, struct bytes content);
/* Not synced. */
bool gzip_beside(int dir_fd, const char *path, struct bytes content, struct err *e) MUST_USE;

#endif
