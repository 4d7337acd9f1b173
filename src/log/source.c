/* A folder as a source of a log's files: the layout that is served is the layout on the disk. Nothing is read that is
 * no regular file, and never more than was asked for; symbolic links are followed, because who verifies a folder
 * of his own says what lies in it, and what comes is hashed anyway. */
#include "log/source.h"

#include <stdint.h>
#include <string.h>

#include "base/file.h"

static bool folder_fetch(void *ctx, const char *path, size_t bytes_max, struct buf *out, struct err *e)
{
	size_t before = out->len, max = out->max;
	bool ok;

	if (bytes_max < out->max - before)
		out->max = before + bytes_max;
	ok = file_read((int)(intptr_t)ctx, path, out, e) || (strcmp(path, "checkpoint") == 0 && err_note(e, "no log lies in this folder"));
	out->max = max;
	if (!ok)
		out->failed = false; /* of this file; the buffer is as it was */
	return ok;
}

struct log_source log_source_folder(int dir_fd)
{
	return (struct log_source){ .ctx = (void *)(intptr_t)dir_fd, .fetch = folder_fetch };
}

void log_source_close(struct log_source *s)
{
	if (s->close != NULL)
		s->close(s->ctx);
	*s = (struct log_source){ 0 };
}
