/* Bulk files under HOME/blobs/: content arrives under a temporary name and gets its final name, the
 * lower-case hex SHA-256 of its bytes, when its digest is known and checked. Names come from us, never
 * from outside. */
#ifndef COMITY_STORE_BLOB_H
#define COMITY_STORE_BLOB_H

#include "base/err.h"
#include "base/text.h"

#define BLOB_NAME_LEN 64

/* New temporary file; name is "tmp-" and 32 hex characters. The descriptor is read-write. */
bool blob_new(int blobs_fd, char name[static BLOB_NAME_LEN + 1], int *ret_fd, struct err *e) MUST_USE;
/* Reopens a temporary or final blob for reading (or for appending, to resume). */
bool blob_open(int blobs_fd, const char *name, bool to_write, int *ret_fd, struct err *e) MUST_USE;
/* fsync, rename to the digest's name, fsync of the folder. Fine when that blob is there already. */
bool blob_keep(int blobs_fd, const char *temporary, const uint8_t sha256[static SHA256_BYTES],
	       char name[static BLOB_NAME_LEN + 1], struct err *e) MUST_USE;
/* Writes over the beginning of a blob, in place and durably; no more than it has. For the header of a sealed file
 * (exchange/erase.c): the content stays, and so does the name. */
bool blob_overwrite(int blobs_fd, const char *name, struct bytes head, struct err *e) MUST_USE;
bool blob_remove(int blobs_fd, const char *name, struct err *e) MUST_USE;
bool blob_size(int blobs_fd, const char *name, uint64_t *ret, struct err *e) MUST_USE;
/* Removes temporary files older than age_ms that `wanted` does not claim. */
bool blob_sweep(int blobs_fd, int64_t age_ms, bool (*wanted)(void *ctx, const char *name), void *ctx, struct err *e) MUST_USE;

#endif
