/* Files, whole and safely. Reading refuses what is not a regular file before it can block or be
 * endless. Writing goes to a temporary name beside the target and renames: whoever opens the name sees
 * the old bytes or all the new ones, and with `durable` they are on the disk when file_write returns. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"

#define READ_STEP_BYTES 65536u
#define TEMPORARY_TRIES 100

void fd_close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool file_read_fd(int fd, const char *what, struct buf *out, struct err *e)
{
	for (;;) {
		size_t left = out->max - out->len;
		size_t step = left < READ_STEP_BYTES ? left : READ_STEP_BYTES;
		uint8_t extra;
		uint8_t *at = step == 0 ? &extra : buf_room(out, step);
		ssize_t got;

		if (at == NULL)
			return buf_check(out, what, e);
		/* At the maximum one more byte is asked for, to tell "full" from "more to come". */
		got = read(fd, at, step == 0 ? 1 : step);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_system(e, "cannot read %s", what);
		if (got == 0)
			return buf_check(out, what, e);
		if (step == 0)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
				       "%s is over its limit of %zu bytes", what, out->max);
		buf_grown(out, (size_t)got);
	}
}

bool file_read(int dir_fd, const char *path, struct buf *out, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	AUTO_FD fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len_before = out->len;
	struct stat st;

	if (fd < 0)
		return err_system(e, "cannot open %s", path);
	if (fstat(fd, &st) != 0)
		return err_system(e, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is not a regular file", path);
	if (!file_read_fd(fd, path, out, e)) {
		out->len = len_before;
		return false;
	}
	return true;
}

bool file_write_all(int fd, struct bytes in, struct err *e)
{
	while (in.len > 0) {
		ssize_t put = write(fd, in.at, in.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_system(e, "cannot write");
		in = bytes_slice(in, (size_t)put, in.len);
	}
	return true;
}

/* Opens a name beside `path` that nobody has. */
static int temporary_open(int dir_fd, const char *path, unsigned mode, char name[static PATH_MAX])
{
	static unsigned counter;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int len = snprintf(name, PATH_MAX, "%s.%ld-%u.tmp", path, (long)getpid(), counter++);
		int fd;

		if (len >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			    (mode_t)mode);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static bool directory_sync(int dir_fd, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	AUTO_FD fd = -1;

	snprintf(parent, sizeof(parent), "%.*s",
		 slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path), slash == NULL ? "." : path);
	fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open the folder of %s", path);
	if (fsync(fd) != 0)
		return err_system(e, "cannot sync the folder of %s", path);
	return true;
}

bool file_write(int dir_fd, const char *path, struct bytes in, unsigned mode, bool durable,
		struct err *e)
{
	char name[PATH_MAX];
	AUTO_FD fd = temporary_open(dir_fd, path, mode, name);

	if (fd < 0)
		return err_system(e, "cannot create a file beside %s", path);
	if (!file_write_all(fd, in, e)) {
		err_note(e, "%s", path);
		goto undo;
	}
	if (durable && fsync(fd) != 0) {
		err_system(e, "cannot sync %s", path);
		goto undo;
	}
	crash_point("file");
	if (renameat(dir_fd, name, dir_fd, path) != 0) {
		err_system(e, "cannot rename to %s", path);
		goto undo;
	}
	crash_point("file-done");
	return !durable || directory_sync(dir_fd, path, e);
undo:
	unlinkat(dir_fd, name, 0);
	return false;
}

bool dir_make(int dir_fd, const char *path, unsigned mode, struct err *e)
{
	char part[PATH_MAX];
	struct stat st;
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "bad path for a folder");
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		/* Looked at first: a parent that exists may stand where we may not create. */
		if (fstatat(dir_fd, part, &st, 0) == 0 && S_ISDIR(st.st_mode))
			continue;
		if (mkdirat(dir_fd, part, (mode_t)mode) != 0 && errno != EEXIST)
			return err_system(e, "cannot make the folder %s", part);
	}
	if (fstatat(dir_fd, path, &st, 0) != 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is not a folder", path);
	return true;
}
