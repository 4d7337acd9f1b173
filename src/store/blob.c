/* Files in HOME/blobs. Promises: a final name exists only for complete content on the disk; no name
 * that did not come from here is ever opened, so no path from outside can lead out of the folder. The
 * caller vouches for the digest. */
#include "store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define TEMPORARY "tmp-"
#define CHANCE_BYTES 16

static bool is_hex(struct bytes name, size_t len)
{
	uint8_t at[SHA256_BYTES];

	return name.len == len && hex_parse(name, at, len / 2);
}

static bool is_temporary(const char *name)
{
	struct bytes n = bytes_of(name);

	return bytes_starts(n, TEMPORARY) && is_hex(bytes_slice(n, strlen(TEMPORARY), n.len), 2 * CHANCE_BYTES);
}

static bool name_check(const char *name, struct err *e)
{
	if (is_temporary(name) || is_hex(bytes_of(name), BLOB_NAME_LEN))
		return true;
	return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "this is no name of a blob");
}

static bool system_error(struct err *e, const char *verb, const char *name)
{
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no blob %s", name);
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(e, ERR_UNAVAILABLE, REASON_DISK_FULL, "cannot %s blob %s: the disk is full", verb, name);
	return err_system(e, "cannot %s blob %s", verb, name);
}

bool blob_new(int blobs_fd, char name[static BLOB_NAME_LEN + 1], int *ret_fd, struct err *e)
{
	uint8_t chance[CHANCE_BYTES];
	char hex[2 * CHANCE_BYTES + 1], temporary[BLOB_NAME_LEN + 1];
	int fd;

	chance_fill(chance, sizeof(chance));
	hex_write(BYTES_ARRAY(chance), hex);
	snprintf(temporary, sizeof(temporary), TEMPORARY "%s", hex);
	fd = openat(blobs_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return system_error(e, "make", temporary);
	memcpy(name, temporary, sizeof(temporary));
	*ret_fd = fd;
	return true;
}

bool blob_open(int blobs_fd, const char *name, bool to_write, int *ret_fd, struct err *e)
{
	struct stat st;

	if (!name_check(name, e))
		return false;
	if (to_write && !is_temporary(name))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "blob %s is finished: it is not written any more", name);
	AUTO_FD fd = openat(blobs_fd, name, (to_write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return system_error(e, "open", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "blob %s is not a regular file", name);
	*ret_fd = fd;
	fd = -1;
	return true;
}

bool blob_keep(int blobs_fd, const char *temporary, const uint8_t sha256[static SHA256_BYTES],
	       char name[static BLOB_NAME_LEN + 1], struct err *e)
{
	char final[BLOB_NAME_LEN + 1];
	struct stat st;
	AUTO_FD fd = -1;

	hex_write(bytes_from(sha256, SHA256_BYTES), final);
	if (!blob_open(blobs_fd, temporary, true, &fd, e))
		return false;
	if (fstatat(blobs_fd, final, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (unlinkat(blobs_fd, temporary, 0) != 0)
			return system_error(e, "remove", temporary);
	} else {
		if (fsync(fd) != 0)
			return system_error(e, "sync", temporary);
		if (renameat(blobs_fd, temporary, blobs_fd, final) != 0)
			return system_error(e, "rename", temporary);
	}
	/* In both cases: the one that was there may have been renamed just before a crash. */
	if (fsync(blobs_fd) != 0)
		return system_error(e, "sync the folder of", final);
	memcpy(name, final, sizeof(final));
	return true;
}

bool blob_overwrite(int blobs_fd, const char *name, struct bytes head, struct err *e)
{
	struct stat st;

	if (!name_check(name, e))
		return false;
	AUTO_FD fd = openat(blobs_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return system_error(e, "open", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < head.len)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "blob %s is no regular file, or too short", name);
	if (pwrite(fd, head.at, head.len, 0) != (ssize_t)head.len || fsync(fd) != 0)
		return system_error(e, "write", name);
	return true;
}

bool blob_remove(int blobs_fd, const char *name, struct err *e)
{
	if (!name_check(name, e))
		return false;
	return unlinkat(blobs_fd, name, 0) == 0 || system_error(e, "remove", name);
}

bool blob_size(int blobs_fd, const char *name, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (!name_check(name, e))
		return false;
	if (fstatat(blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return system_error(e, "look at", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "blob %s is not a regular file", name);
	*ret = (uint64_t)st.st_size;
	return true;
}

bool blob_sweep(int blobs_fd, int64_t age_ms, bool (*wanted)(void *ctx, const char *name), void *ctx, struct err *e)
{
	int64_t before_ms = clock_now_ms() - age_ms;
	int fd = openat(blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (dir == NULL) {
		err_system(e, "cannot list the blobs");
		fd_close_at(&fd);
		return false;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!is_temporary(entry->d_name) || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 > before_ms ||
		    (wanted != NULL && wanted(ctx, entry->d_name)))
			continue;
		if (unlinkat(fd, entry->d_name, 0) != 0 && errno != ENOENT) {
			system_error(e, "remove", entry->d_name);
			closedir(dir);
			return false;
		}
	}
	closedir(dir);
	return true;
}
