/* A full bundle also lies there compressed, beside itself as "<path>.gz", for whoever reads over a long way. */
#ifndef COMITY_LOG_GZIP_H
#define COMITY_LOG_GZIP_H

#include "base/buf.h"
#include "base/err.h"

void gzip_write(struct bytes in, struct buf *out);
/* Whether a file ends as the compressed content would: what a power cut took or emptied does not. */
bool gzip_looks_like(struct bytes gz, struct bytes content);
/* Not synced. */
bool gzip_beside(int dir_fd, const char *path, struct bytes content, struct err *e) MUST_USE;

#endif
