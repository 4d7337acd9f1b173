/* Whole files between descriptors in one pass and constant memory: read, cipher and write happen here,
 * the digests of both sides run beside in two lanes. Two blocks of each side take turns, so that a lane
 * still reads one while the other is filled. What verified is written before a failure further on is
 * told, as age does; the totals are given only when the whole file is good. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "seal/age-internal.h"
#include "seal/hash-lane.h"

#define BLOCK_CHUNKS 16u
#define PLAIN_BLOCK_BYTES ((size_t)BLOCK_CHUNKS * AGE_CHUNK_BYTES)
#define SEALED_BLOCK_BYTES ((size_t)BLOCK_CHUNKS * AGE_SEALED_CHUNK_BYTES)
#define PROGRESS_BYTES (8u * MIB)

struct copy {
	const struct age_copy *c;
	struct age_stream *stream;
	struct hash_lane *plain_lane, *sealed_lane;
	struct buf head;          /* header and nonce; opening: and what was read beyond them */
	size_t head_used;
	uint8_t *plain[2], *sealed[2];
	uint64_t plain_bytes, sealed_bytes, progress_next;
};

static void copy_init(struct copy *x, const struct age_copy *c)
{
	*x = (struct copy){ .c = c, .progress_next = PROGRESS_BYTES };
	buf_init(&x->head, AGE_HEADER_BYTES_MAX + AGE_NONCE_BYTES);
	x->plain_lane = hash_lane_new();
	x->sealed_lane = hash_lane_new();
	for (int i = 0; i < 2; i++) {
		x->plain[i] = malloc(PLAIN_BLOCK_BYTES);
		x->sealed[i] = malloc(SEALED_BLOCK_BYTES);
		if (x->plain[i] == NULL || x->sealed[i] == NULL)
			abort();
	}
}

static void copy_release(struct copy *x)
{
	hash_lane_free(x->plain_lane);
	hash_lane_free(x->sealed_lane);
	age_stream_free(x->stream);
	for (int i = 0; i < 2; i++) {
		free(x->plain[i]);
		free(x->sealed[i]);
	}
	buf_release(&x->head);
}

/* Reads until room is full or the end: *ret_len < room means the end. A pipe gives less at a time. */
static bool read_full(int fd, uint8_t *at, size_t room, size_t *ret_len, struct err *e)
{
	size_t len = 0;

	while (len < room) {
		ssize_t got = read(fd, at + len, room - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_system(e, "cannot read what is to be copied");
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return true;
}

static bool write_out(const struct copy *x, struct bytes in, struct err *e)
{
	return x->c->out_fd < 0 || file_write_all(x->c->out_fd, in, e);
}

static void progress(struct copy *x)
{
	if (x->c->progress == NULL || x->plain_bytes < x->progress_next)
		return;
	x->progress_next = x->plain_bytes + PROGRESS_BYTES;
	x->c->progress(x->c->ctx, x->plain_bytes);
}

/* Threads only for what is longer than one block. */
static void lanes_thread(struct copy *x)
{
	hash_lane_thread(x->plain_lane);
	hash_lane_thread(x->sealed_lane);
}

static void totals(struct copy *x, struct age_totals *ret)
{
	ret->plain_bytes = x->plain_bytes;
	ret->sealed_bytes = x->sealed_bytes;
	hash_lane_final(x->plain_lane, ret->plain_sha256);
	hash_lane_final(x->sealed_lane, ret->sealed_sha256);
}

static bool seal_head(struct copy *x, struct err *e)
{
	uint8_t file_key[AGE_FILE_KEY_BYTES], nonce[AGE_NONCE_BYTES];
	struct bytes key = BYTES_ARRAY(file_key);
	bool ok;

	chance_fill(file_key, sizeof(file_key));
	chance_fill(nonce, sizeof(nonce));
	if (x->c->file_key != NULL)
		key = secret_bytes(x->c->file_key);
	ok = age_header_write_with(x->c->recipients, x->c->recipient_count, key, &x->head, e);
	if (ok) {
		buf_add(&x->head, BYTES_ARRAY(nonce));
		x->stream = age_stream_new_with(key, nonce);
	}
	wipe(file_key, sizeof(file_key));
	return ok && buf_check(&x->head, "the age header", e);
}

static bool seal_block(struct copy *x, struct bytes plain, bool last, uint8_t *out, struct err *e)
{
	size_t sealed = 0;

	do {
		struct bytes chunk = bytes_slice(plain, 0, AGE_CHUNK_BYTES);

		plain = bytes_slice(plain, chunk.len, plain.len);
		if (!age_stream_seal(x->stream, chunk, last && plain.len == 0, out + sealed, e))
			return false;
		sealed += chunk.len + AGE_TAG_BYTES;
		x->plain_bytes += chunk.len;
	} while (plain.len > 0);
	x->sealed_bytes += sealed;
	hash_lane_feed(x->sealed_lane, bytes_from(out, sealed));
	return write_out(x, bytes_from(out, sealed), e);
}

static bool seal_all(struct copy *x, struct err *e)
{
	int fd = x->c->in_fd;
	unsigned turn = 0;
	size_t len, next_len = 0;
	bool last;

	x->sealed_bytes = x->head.len;
	hash_lane_feed(x->sealed_lane, buf_bytes(&x->head));
	if (!write_out(x, buf_bytes(&x->head), e) ||
	    !read_full(fd, x->plain[0], PLAIN_BLOCK_BYTES, &len, e))
		return false;
	if (len == PLAIN_BLOCK_BYTES)
		lanes_thread(x);
	do {
		uint8_t *block = x->plain[turn], *next = x->plain[turn ^ 1];

		hash_lane_feed(x->plain_lane, bytes_from(block, len));
		/* Whether this block is the last is known only when the next turns out empty. */
		next_len = 0;
		if (len == PLAIN_BLOCK_BYTES && !read_full(fd, next, PLAIN_BLOCK_BYTES, &next_len, e))
			return false;
		last = next_len == 0;
		if (!seal_block(x, bytes_from(block, len), last, x->sealed[turn], e))
			return false;
		progress(x);
		turn ^= 1;
		len = next_len;
	} while (!last);
	return true;
}

bool age_copy_seal(const struct age_copy *c, struct age_totals *ret, struct err *e)
{
	struct copy x;
	bool ok;

	copy_init(&x, c);
	ok = seal_head(&x, e) && seal_all(&x, e);
	if (ok)
		totals(&x, ret);
	copy_release(&x);
	return ok;
}

static bool open_key(struct copy *x, struct bytes header, const uint8_t *nonce, struct err *e)
{
	AUTO_SECRET *file_key = NULL;

	if (x->c->file_key != NULL) {
		if (!age_header_check(header, x->c->file_key, e))
			return false;
		x->stream = age_stream_new(x->c->file_key, nonce);
		return true;
	}
	if (!age_header_open(header, x->c->identities, x->c->identity_count, &file_key, e))
		return false;
	x->stream = age_stream_new(file_key, nonce);
	return true;
}

/* Reads as much as a header may have; what comes after it and the nonce waits in head. */
static bool open_head(struct copy *x, struct err *e)
{
	size_t room = AGE_HEADER_BYTES_MAX + AGE_NONCE_BYTES;
	uint8_t *at = buf_room(&x->head, room);
	size_t got, header_len;

	if (at == NULL)
		abort();
	if (!read_full(x->c->in_fd, at, room, &got, e))
		return false;
	buf_grown(&x->head, got);
	if (!age_header_length(buf_bytes(&x->head), &header_len, e))
		return false;
	if (header_len == 0 || got - header_len < AGE_NONCE_BYTES)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the age file ends before its payload");
	x->head_used = header_len + AGE_NONCE_BYTES;
	x->sealed_bytes = x->head_used;
	hash_lane_feed(x->sealed_lane, bytes_slice(buf_bytes(&x->head), 0, x->head_used));
	return open_key(x, bytes_slice(buf_bytes(&x->head), 0, header_len), x->head.at + header_len, e);
}

/* What waits in head, then the file. */
static bool sealed_read(struct copy *x, uint8_t *at, size_t room, size_t *ret_len, struct err *e)
{
	struct bytes waiting = bytes_slice(buf_bytes(&x->head), x->head_used, room);
	size_t got;

	if (waiting.len > 0)
		memcpy(at, waiting.at, waiting.len);
	if (!read_full(x->c->in_fd, at + waiting.len, room - waiting.len, &got, e))
		return false;
	x->head_used += waiting.len;
	*ret_len = waiting.len + got;
	return true;
}

/* A chunk of full size may be the last or not, and only its nonce says so: first the usual one. */
static bool open_chunk(struct copy *x, struct bytes chunk, uint8_t *out, bool *ret_last, struct err *e)
{
	*ret_last = chunk.len < AGE_SEALED_CHUNK_BYTES;
	if (!*ret_last && age_stream_open(x->stream, chunk, false, out, NULL))
		return true;
	*ret_last = true;
	return age_stream_open(x->stream, chunk, true, out, e);
}

/* Opens the chunks of a block; what verified is hashed and written even when a later one does not. */
static bool open_block(struct copy *x, struct bytes sealed, uint8_t *out, bool *ret_last, struct err *e)
{
	size_t plain = 0;
	bool ok = true;

	*ret_last = false;
	hash_lane_feed(x->sealed_lane, sealed);
	x->sealed_bytes += sealed.len;
	while (ok && sealed.len > 0 && !*ret_last) {
		struct bytes chunk = bytes_slice(sealed, 0, AGE_SEALED_CHUNK_BYTES);

		sealed = bytes_slice(sealed, chunk.len, sealed.len);
		ok = open_chunk(x, chunk, out + plain, ret_last, e);
		if (ok)
			plain += chunk.len - AGE_TAG_BYTES;
	}
	x->plain_bytes += plain;
	hash_lane_feed(x->plain_lane, bytes_from(out, plain));
	if (!write_out(x, bytes_from(out, plain), ok ? e : NULL) || !ok)
		return false;
	if (sealed.len > 0)
		return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN, "the age file goes on after its last chunk");
	return true;
}

static bool open_all(struct copy *x, struct err *e)
{
	unsigned turn = 0;
	uint8_t extra;
	size_t len;
	bool last;

	do {
		if (!sealed_read(x, x->sealed[turn], SEALED_BLOCK_BYTES, &len, e))
			return false;
		if (len == 0)
			return err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN,
				       "the age file was cut: its last chunk is missing");
		if (len == SEALED_BLOCK_BYTES)
			lanes_thread(x);
		if (!open_block(x, bytes_from(x->sealed[turn], len), x->plain[turn], &last, e))
			return false;
		progress(x);
		turn ^= 1;
	} while (!last);
	if (!sealed_read(x, &extra, 1, &len, e))
		return false;
	return len == 0 ||
	       err_set(e, ERR_REJECTED, REASON_SEAL_BROKEN, "the age file goes on after its last chunk");
}

bool age_copy_open(const struct age_copy *c, struct age_totals *ret, struct err *e)
{
	struct copy x;
	bool ok;

	copy_init(&x, c);
	ok = open_head(&x, e) && open_all(&x, e);
	if (ok)
		totals(&x, ret);
	copy_release(&x);
	return ok;
}
