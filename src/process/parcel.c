/* Parcels: messages of a channel that may be larger than one packet. Promised: what is opened is the
 * receiver's own copy, whatever the sender does to its memfd meanwhile; a parcel over the receiver's limit
 * is refused before it is read; no descriptor is leaked on any path. */
#include "process/parcel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { INLINE = 0, IN_MEMFD = 1 };

static bool send_inline(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	AUTO_BUF_WIPE packet = { 0 };

	buf_init(&packet, MESSAGE_BYTES_MAX);
	buf_add_u8(&packet, INLINE);
	buf_add(&packet, msg);
	return buf_check(&packet, "parcel", e) && channel_send(ch, buf_bytes(&packet), fds, nfds, e);
}

static bool send_memfd(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	static const uint8_t mark = IN_MEMFD;
	int all[MESSAGE_FDS_MAX];
	AUTO_FD memory = memfd_create("comity-parcel", MFD_CLOEXEC);

	if (memory < 0)
		return err_system(e, "cannot make a parcel");
	if (!file_write_all(memory, msg, e))
		return err_note(e, "parcel");
	all[0] = memory;
	if (nfds > 0)
		memcpy(all + 1, fds, nfds * sizeof(int));
	return channel_send(ch, bytes_from(&mark, 1), all, nfds + 1, e);
}

bool parcel_send(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	if (msg.len > PARCEL_BYTES_MAX || nfds > PARCEL_FDS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
			       "a parcel of %zu bytes and %zu descriptors is outside the limits", msg.len, nfds);
	return msg.len < MESSAGE_BYTES_MAX ? send_inline(ch, msg, fds, nfds, e) : send_memfd(ch, msg, fds, nfds, e);
}

/* Copies the whole memfd. Its size may be changed by the sender at any time: only what arrives counts. */
static bool memfd_read(int fd, struct buf *out, struct err *e)
{
	size_t before = out->len;
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) != 0)
		return err_system(e, "cannot look at a parcel");
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "a parcel came without its memory");
	while (at < st.st_size) {
		size_t want = (size_t)(st.st_size - at);
		uint8_t *room = want > PARCEL_BYTES_MAX ? NULL : buf_room(out, want);
		ssize_t got;

		if (room == NULL) {
			out->len = before;
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a parcel of %lld bytes is over its limit",
				       (long long)st.st_size);
		}
		got = pread(fd, room, want, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			out->len = before;
			return got < 0 ? err_system(e, "cannot read a parcel")
				       : err_set(e, ERR_INPUT, REASON_MALFORMED, "a parcel was cut short");
		}
		buf_grown(out, (size_t)got);
		at += got;
	}
	return true;
}

bool parcel_open(struct bytes packet, int **fds, size_t *nfds, struct buf *out, struct err *e)
{
	bool opened;

	if (packet.len > 0 && packet.at[0] == INLINE) {
		buf_add(out, bytes_slice(packet, 1, packet.len));
		return buf_check(out, "parcel", e);
	}
	if (packet.len != 1 || packet.at[0] != IN_MEMFD || *nfds == 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "a message between roles is no parcel");
	opened = memfd_read((*fds)[0], out, e);
	fd_close_at(&(*fds)[0]);
	(*fds)++;
	(*nfds)--;
	return opened;
}

/* Until one packet has come or the time is over. */
static bool answer_wait(struct channel *ch, struct buf *packet, int fds[static MESSAGE_FDS_MAX], size_t *nfds,
			int64_t end_us, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = channel_fd(ch), .events = POLLIN };
		int64_t left_us;

		switch (channel_receive(ch, packet, fds, nfds, e)) {
		case CHANNEL_MESSAGE:
			return true;
		case CHANNEL_NOTHING:
			break;
		case CHANNEL_CLOSED:
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "another role has gone");
		case CHANNEL_BROKEN:
			return false;
		}
		if (channel_queued(ch) > 0)
			p.events |= POLLOUT;
		left_us = end_us - clock_monotonic_us();
		if (left_us <= 0)
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "another role did not answer in time");
		if (poll(&p, 1, (int)((left_us + 999) / 1000)) < 0 && errno != EINTR)
			return err_system(e, "cannot wait for another role");
		if (!channel_flush(ch, e))
			return false;
	}
}

bool parcel_call(struct channel *ch, struct bytes request, const int *fds, size_t nfds, struct buf *reply,
		 int timeout_ms, struct err *e)
{
	int64_t end_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
	int came[MESSAGE_FDS_MAX], *left = came;
	size_t count = 0;
	AUTO_BUF_WIPE packet = { 0 };
	bool opened;

	buf_init(&packet, MESSAGE_BYTES_MAX);
	if (!parcel_send(ch, request, fds, nfds, e) || !answer_wait(ch, &packet, came, &count, end_us, e)) {
		channel_shut(ch);
		return false;
	}
	opened = parcel_open(buf_bytes(&packet), &left, &count, reply, e);
	for (size_t i = 0; i < count; i++)
		fd_close_at(&left[i]);
	if (!opened)
		channel_shut(ch);
	return opened;
}
