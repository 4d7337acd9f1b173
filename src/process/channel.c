/* The message channel. The kernel keeps the borders of messages (SOCK_SEQPACKET), so there is no
 * framing to get wrong. Promised: a message is never cut (a truncated one breaks the channel), no
 * descriptor is leaked whatever the other end sends, and a slow reader costs bounded memory here. */
#include "process/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"

/* Room for descriptors beyond the limit, so that too many are seen, closed and refused. */
#define CONTROL_FDS 16u
/* File keys pass through messages between roles, all of them far smaller than this: what is freed, or lies in memory
 * until the next message, is wiped up to here. That costs less than the system call beside it; what is larger is
 * letters and evidence in the sealed form in which they travel anyway. */
#define WIPE_BYTES_MAX (16 * KIB)
/* A watched channel gives way to others after so many messages. */
#define MESSAGES_PER_TURN 64

struct queued {
	struct queued *next;
	size_t len, nfds;
	int fds[MESSAGE_FDS_MAX];
	uint8_t at[];
};

struct channel {
	int fd;
	struct queued *first, **end;
	size_t queued_count, queued_bytes;
	struct loop *loop;
	struct channel_calls calls;
	void *ctx;
	struct buf in;
	bool shut;
	bool *freed; /* set while a callback runs, to notice that it freed the channel */
};

bool channel_pair(int ret[static 2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) != 0)
		return err_system(e, "cannot make a channel");
	return true;
}

struct channel *channel_new(int fd)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	int flags = fcntl(fd, F_GETFL), room = 8 * (int)MESSAGE_BYTES_MAX;

	if (ch == NULL)
		abort();
	ch->fd = fd;
	ch->end = &ch->first;
	buf_init(&ch->in, MESSAGE_BYTES_MAX);
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* The kernel clips this to its own maximum; its default holds one largest message already, and
	 * what does not fit waits in the queue. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return ch;
}

static void wipe_small(uint8_t *at, size_t len)
{
	if (len <= WIPE_BYTES_MAX)
		wipe(at, len);
}

static void queued_drop(struct channel *ch)
{
	struct queued *q = ch->first;

	ch->first = q->next;
	if (ch->first == NULL)
		ch->end = &ch->first;
	ch->queued_count--;
	ch->queued_bytes -= q->len;
	for (size_t i = 0; i < q->nfds; i++)
		close(q->fds[i]);
	wipe_small(q->at, q->len);
	free(q);
}

void channel_free(struct channel *ch)
{
	if (ch == NULL)
		return;
	channel_unwatch(ch);
	if (ch->freed != NULL)
		*ch->freed = true;
	while (ch->first != NULL)
		queued_drop(ch);
	buf_release(&ch->in);
	close(ch->fd);
	free(ch);
}

void channel_shut(struct channel *ch)
{
	while (ch->first != NULL)
		queued_drop(ch);
	if (!ch->shut)
		(void)shutdown(ch->fd, SHUT_RDWR); /* no harm when the other end has gone already */
	ch->shut = true;
}

int channel_fd(const struct channel *ch)
{
	return ch->fd;
}

size_t channel_queued(const struct channel *ch)
{
	return ch->queued_count;
}

enum sent { SENT, SENT_LATER, SENT_NEVER };

static enum sent send_now(int fd, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)msg.at, .iov_len = msg.len };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *c;

		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(fd, &header, MSG_NOSIGNAL) >= 0)
			return SENT;
		if (errno == EINTR)
			continue;
		/* ETOOMANYREFS: as many descriptors are in flight as this user may have. */
		if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
			return SENT_LATER;
		err_system(e, "cannot send to another role");
		return SENT_NEVER;
	}
}

static short events_wanted(const struct channel *ch)
{
	return ch->first == NULL ? POLLIN : POLLIN | POLLOUT;
}

static void watch_update(struct channel *ch)
{
	if (ch->loop != NULL)
		loop_change(ch->loop, ch->fd, events_wanted(ch));
}

static bool queue_add(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	struct queued *q;

	if (ch->queued_count >= CHANNEL_QUEUE_MESSAGES_MAX ||
	    msg.len > CHANNEL_QUEUE_BYTES_MAX - ch->queued_bytes)
		return err_set(e, ERR_UNAVAILABLE, REASON_BUSY,
			       "%zu messages wait for another role already", ch->queued_count);
	q = calloc(1, sizeof(*q) + msg.len);
	if (q == NULL)
		abort();
	memcpy(q->at, msg.at, msg.len);
	q->len = msg.len;
	for (; q->nfds < nfds; q->nfds++) {
		q->fds[q->nfds] = fcntl(fds[q->nfds], F_DUPFD_CLOEXEC, 0);
		if (q->fds[q->nfds] < 0) {
			err_system(e, "cannot keep a descriptor for another role");
			while (q->nfds > 0)
				close(q->fds[--q->nfds]);
			free(q);
			return false;
		}
	}
	*ch->end = q;
	ch->end = &q->next;
	ch->queued_count++;
	ch->queued_bytes += msg.len;
	watch_update(ch);
	return true;
}

bool channel_send(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e)
{
	/* An empty message could not be told from the end. */
	if (msg.len == 0 || msg.len > MESSAGE_BYTES_MAX || nfds > MESSAGE_FDS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE,
			       "a message of %zu bytes and %zu descriptors is outside the limits", msg.len,
			       nfds);
	if (ch->shut)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "another role has gone");
	if (ch->first == NULL) {
		enum sent sent = send_now(ch->fd, msg, fds, nfds, e);

		if (sent != SENT_LATER)
			return sent == SENT;
	}
	return queue_add(ch, msg, fds, nfds, e);
}

bool channel_flush(struct channel *ch, struct err *e)
{
	while (ch->first != NULL) {
		struct queued *q = ch->first;
		enum sent sent = send_now(ch->fd, bytes_from(q->at, q->len), q->fds, q->nfds, e);

		if (sent == SENT_NEVER)
			return false;
		if (sent == SENT_LATER)
			break;
		queued_drop(ch);
	}
	watch_update(ch);
	return true;
}

/* Collects every descriptor that came, however many messages of them there are. */
static size_t fds_take(struct msghdr *header, int fds[static CONTROL_FDS])
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		size_t here;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here && count < CONTROL_FDS; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return count;
}

static void fds_close(int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++)
		fd_close_at(&fds[i]);
}

enum channel_got channel_receive(struct channel *ch, struct buf *msg, int fds[static MESSAGE_FDS_MAX],
				 size_t *ret_nfds, struct err *e)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
	struct msghdr header = { .msg_control = control, .msg_controllen = sizeof(control), .msg_iovlen = 1 };
	struct iovec part;
	int came[CONTROL_FDS];
	size_t count;
	ssize_t got;

	if (ch->shut)
		return CHANNEL_CLOSED; /* what it had sent before is not heard any more */
	buf_clear(msg);
	part = (struct iovec){ .iov_base = buf_room(msg, MESSAGE_BYTES_MAX), .iov_len = MESSAGE_BYTES_MAX };
	if (part.iov_base == NULL) {
		err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "there is no room for a message of another role");
		return CHANNEL_BROKEN;
	}
	header.msg_iov = &part;
	do {
		got = recvmsg(ch->fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		if (errno == EAGAIN)
			return CHANNEL_NOTHING;
		if (errno == ECONNRESET)
			return CHANNEL_CLOSED; /* it closed with messages of ours unread */
		err_system(e, "cannot receive from another role");
		return CHANNEL_BROKEN;
	}
	count = fds_take(&header, came);
	if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || count > MESSAGE_FDS_MAX) {
		fds_close(came, count);
		err_set(e, ERR_INPUT, REASON_TOO_LARGE, "a message between roles is over its limits");
		return CHANNEL_BROKEN;
	}
	if (got == 0) {
		fds_close(came, count);
		return CHANNEL_CLOSED;
	}
	buf_grown(msg, (size_t)got);
	memcpy(fds, came, count * sizeof(int));
	*ret_nfds = count;
	return CHANNEL_MESSAGE;
}

/* Waits until the socket is ready; false when the time is over. */
static bool call_wait(const struct channel *ch, int64_t end_us, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = ch->fd, .events = events_wanted(ch) };
		int64_t left_us = end_us - clock_monotonic_us();
		int ready;

		if (left_us < 0)
			left_us = 0;
		ready = poll(&p, 1, (int)((left_us + 999) / 1000));
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return err_system(e, "cannot wait for another role");
		if (ready == 0)
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE,
				       "another role did not answer in time");
	}
}

static bool call(struct channel *ch, struct bytes request, struct buf *reply, int timeout_ms, struct err *e)
{
	int64_t end_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;

	if (!channel_send(ch, request, NULL, 0, e))
		return false;
	for (;;) {
		switch (channel_receive(ch, reply, fds, &nfds, e)) {
		case CHANNEL_MESSAGE:
			fds_close(fds, nfds);
			return true;
		case CHANNEL_NOTHING:
			break;
		case CHANNEL_CLOSED:
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "another role has gone");
		case CHANNEL_BROKEN:
			return false;
		}
		if (!call_wait(ch, end_us, e) || !channel_flush(ch, e))
			return false;
	}
}

bool channel_call(struct channel *ch, struct bytes request, struct buf *reply, int timeout_ms,
		  struct err *e)
{
	bool answered = call(ch, request, reply, timeout_ms, e);

	if (!answered)
		channel_shut(ch);
	return answered;
}

static void closed(struct channel *ch, const struct err *why)
{
	channel_unwatch(ch);
	ch->calls.closed(ch->ctx, why);
}

/* One message to its callback. False when the channel is gone or no longer watched. */
static bool deliver(struct channel *ch, struct err *e)
{
	struct buf *in = &ch->in;
	int fds[MESSAGE_FDS_MAX];
	size_t nfds = 0;
	bool freed = false, *freed_before = ch->freed;

	switch (channel_receive(ch, in, fds, &nfds, e)) {
	case CHANNEL_NOTHING:
		return false;
	case CHANNEL_CLOSED:
		closed(ch, NULL);
		return false;
	case CHANNEL_BROKEN:
		closed(ch, e);
		return false;
	case CHANNEL_MESSAGE:
		break;
	}
	/* The bytes must outlive the channel if the callback frees it. */
	AUTO_BUF mine = *in;

	buf_init(in, MESSAGE_BYTES_MAX);
	ch->freed = &freed;
	ch->calls.message(ch->ctx, buf_bytes(&mine), fds, nfds);
	fds_close(fds, nfds);
	wipe_small(mine.at, mine.len);
	if (freed) {
		if (freed_before != NULL)
			*freed_before = true;
		return false;
	}
	ch->freed = freed_before;
	if (ch->in.at == NULL) { /* give the memory back for the next one */
		*in = mine;
		buf_init(&mine, 0);
	}
	return ch->loop != NULL;
}

static void ready(void *ctx, short revents)
{
	struct channel *ch = ctx;
	struct err e = { 0 };

	/* A failure to send is told by receiving too, after what still is to be read. */
	if ((revents & POLLOUT) != 0 && !channel_flush(ch, &e)) {
		while (ch->first != NULL)
			queued_drop(ch);
		watch_update(ch);
	}
	if ((revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return;
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		if (!deliver(ch, &e))
			return;
	}
}

bool channel_watch(struct channel *ch, struct loop *l, const struct channel_calls *calls, void *ctx,
		   struct err *e)
{
	if (!loop_watch(l, ch->fd, events_wanted(ch), ready, ch, e))
		return false;
	ch->loop = l;
	ch->calls = *calls;
	ch->ctx = ctx;
	return true;
}

void channel_unwatch(struct channel *ch)
{
	if (ch->loop != NULL)
		loop_unwatch(ch->loop, ch->fd);
	ch->loop = NULL;
}

void channel_free_at(struct channel **ch)
{
	channel_free(*ch);
	*ch = NULL;
}
