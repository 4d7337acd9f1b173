/* Files, whole and safely: read with a limit, written durably by temporary name, fsync and rename. */
#ifndef COMITY_BASE_FILE_H
#define COMITY_BASE_FILE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* dir_fd may be AT_FDCWD. Refuses anything that is not a regular file. Appends to out; beyond out's
 * maximum: ERR_LIMIT. */
bool file_read(int dir_fd, const char *path, struct buf *out, struct err *e) MUST_USE;
bool file_read_fd(int fd, const char *what, struct buf *out, struct err *e) MUST_USE;
/* durable: fsync of the file and, after the rename, of its directory. */
bool file_write(int dir_fd, const char *path, struct bytes in, unsigned mode, bool durable,
		struct err *e) MUST_USE;
bool file_write_all(int fd, struct bytes in, struct err *e) MUST_USE;
bool dir_make(int dir_fd, const char *path, unsigned mode, struct err *e) MUST_USE; /* parents too; fine if there */
void fd_close_at(int *fd);
#define AUTO_FD __attribute__((cleanup(fd_close_at))) int

#endif
