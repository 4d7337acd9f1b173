/* Opening and hashing the files of a bag. A path is walked component by component with O_NOFOLLOW, so
 * that no link, whenever it was put there, leads out of the bag; FIFOs and devices are never waited for.
 * Both digests come from one read of 1 MiB at a time: memory stays the same for any size. Of a large file
 * SHA-256 is made on a lane beside SHA-512, block by block in two buffers. */
#include "evidence/bagit.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "seal/hash-lane.h"

#define HASH_BUFFER_BYTES (1 * MIB)
#define HASH_PROGRESS_BYTES (8 * MIB)

struct bag_hasher {
	EVP_MD *md256, *md512;
	EVP_MD_CTX *ctx256, *ctx512;
	uint8_t *buffer; /* two blocks: one is hashed on the lane while the next is read */
};

struct bag_hasher *bag_hasher_new(void)
{
	struct bag_hasher *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->md256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->md512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	h->ctx256 = EVP_MD_CTX_new();
	h->ctx512 = EVP_MD_CTX_new();
	h->buffer = malloc(2 * HASH_BUFFER_BYTES);
	if (h->md256 == NULL || h->md512 == NULL || h->ctx256 == NULL || h->ctx512 == NULL || h->buffer == NULL)
		abort();
	return h;
}

void bag_hasher_free(struct bag_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx256);
	EVP_MD_CTX_free(h->ctx512);
	EVP_MD_free(h->md256);
	EVP_MD_free(h->md512);
	free(h->buffer);
	free(h);
}

/* libcrypto's digests fail only when memory is gone. */
static void hash_begin(struct bag_hasher *h)
{
	if (EVP_DigestInit_ex2(h->ctx256, h->md256, NULL) != 1 || EVP_DigestInit_ex2(h->ctx512, h->md512, NULL) != 1)
		abort();
}

static void hash_add(struct bag_hasher *h, const uint8_t *at, size_t len)
{
	if (EVP_DigestUpdate(h->ctx256, at, len) != 1 || EVP_DigestUpdate(h->ctx512, at, len) != 1)
		abort();
}

static void hash_end(struct bag_hasher *h, struct bag_digests *ret)
{
	if (EVP_DigestFinal_ex(h->ctx256, ret->sha256, NULL) != 1 || EVP_DigestFinal_ex(h->ctx512, ret->sha512, NULL) != 1)
		abort();
}

void bag_hash_bytes(struct bag_hasher *h, struct bytes in, struct bag_digests *ret)
{
	hash_begin(h);
	if (in.len > 0)
		hash_add(h, in.at, in.len);
	ret->size = in.len;
	hash_end(h, ret);
}

/* One block into both digests; lane NULL: one after the other. */
static void hash_block(struct bag_hasher *h, struct hash_lane *lane, const uint8_t *at, size_t len)
{
	if (lane == NULL) {
		hash_add(h, at, len);
		return;
	}
	hash_lane_feed(lane, bytes_from(at, len));
	if (EVP_DigestUpdate(h->ctx512, at, len) != 1)
		abort();
}

static bool read_block(int fd, uint8_t *at, const char *what, size_t *ret, struct err *e)
{
	ssize_t n;

	do
		n = read(fd, at, HASH_BUFFER_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_system(e, "cannot read %s", what);
	*ret = (size_t)n;
	return true;
}

/* A lane is worth its thread from some blocks on. */
static struct hash_lane *lane_for(int fd)
{
	struct hash_lane *lane;
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size < HASH_PROGRESS_BYTES)
		return NULL;
	lane = hash_lane_new();
	hash_lane_thread(lane);
	return lane;
}

bool bag_hash_fd(struct bag_hasher *h, int fd, const char *what, void (*progress)(void *ctx, uint64_t bytes), void *ctx,
		 struct bag_digests *ret, struct err *e)
{
	struct hash_lane *lane = lane_for(fd);
	struct bag_digests d = { 0 };
	uint64_t untold = 0;
	size_t n = 0, turn = 0;

	hash_begin(h);
	for (;; turn = 1 - turn) {
		uint8_t *block = h->buffer + turn * HASH_BUFFER_BYTES;

		if (!read_block(fd, block, what, &n, e)) {
			hash_lane_free(lane);
			return false;
		}
		if (n == 0)
			break;
		hash_block(h, lane, block, n);
		d.size += n;
		untold += n;
		if (progress != NULL && untold >= HASH_PROGRESS_BYTES) {
			progress(ctx, untold);
			untold = 0;
		}
	}
	hash_end(h, &d);
	if (lane != NULL)
		hash_lane_final(lane, d.sha256);
	hash_lane_free(lane);
	if (progress != NULL && untold > 0)
		progress(ctx, untold);
	*ret = d;
	return true;
}

bool bag_open(int dir_fd, const char *path, int *ret_fd, struct err *e)
{
	struct bytes rest = bytes_of(path);
	char name[PACKAGE_PATH_BYTES_MAX + 1];
	AUTO_FD folder = -1;
	AUTO_FD fd = -1;
	struct stat st;

	if (!bag_path_check(rest, e))
		return false;
	while (rest.len > 0) {
		struct bytes part = bytes_cut(&rest, '/');
		int from = folder >= 0 ? folder : dir_fd, next;

		memcpy(name, part.at, part.len);
		name[part.len] = '\0';
		next = openat(from, name,
			      O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (rest.len > 0 ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY));
		if (next < 0)
			return errno == ENOENT ? err_set(e, ERR_NOT_FOUND, REASON_FILE_MISSING, "there is no %s", path) :
						 err_system(e, "cannot open %s", path);
		fd_close_at(&folder);
		if (rest.len > 0)
			folder = next;
		else
			fd = next;
	}
	if (fstat(fd, &st) != 0)
		return err_system(e, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REJECTED, REASON_MALFORMED, "%s is no regular file", path);
	*ret_fd = fd;
	fd = -1;
	return true;
}
