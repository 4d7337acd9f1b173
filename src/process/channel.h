/* Messages between two roles, over a SOCK_SEQPACKET socket pair: each message arrives whole or not at
 * all, in order, with at most MESSAGE_FDS_MAX descriptors. Sending never blocks. */
#ifndef COMITY_PROCESS_CHANNEL_H
#define COMITY_PROCESS_CHANNEL_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "process/loop.h"

/* What may wait to be sent when the other end is slow. Beyond it channel_send fails with BUSY. */
#define CHANNEL_QUEUE_MESSAGES_MAX 1024u
#define CHANNEL_QUEUE_BYTES_MAX (16 * MIB)

struct channel;

bool channel_pair(int ret[static 2], struct err *e) MUST_USE; /* both close on exec */
/* Takes the descriptor, also makes it non-blocking. */
struct channel *channel_new(int fd);
void channel_free(struct channel *ch); /* closes; what still waits to be sent is lost */
/* Ends it for both sides, for one that is not watched: the other end sees the end, what waits to be sent is lost, and
 * whatever is asked of the channel from now on fails at once. Fine twice. */
void channel_shut(struct channel *ch);
int channel_fd(const struct channel *ch);

/* 1 to MESSAGE_BYTES_MAX bytes. The descriptors are duplicated: the caller keeps its own. False with
 * ERR_UNAVAILABLE: REASON_BUSY when the queue is full, REASON_UNAVAILABLE when the other end is gone. */
bool channel_send(struct channel *ch, struct bytes msg, const int *fds, size_t nfds,
		  struct err *e) MUST_USE;
/* Sends what waits, as far as the socket takes it. A watched channel does this by itself. */
bool channel_flush(struct channel *ch, struct err *e) MUST_USE;
size_t channel_queued(const struct channel *ch); /* messages that wait */

enum channel_got {
	CHANNEL_MESSAGE, /* msg and fds are filled; the caller owns the descriptors (close on exec) */
	CHANNEL_NOTHING, /* nothing now */
	CHANNEL_CLOSED,  /* the other end closed in good order; nothing will come */
	CHANNEL_BROKEN   /* see err: the channel must be closed */
};
/* Replaces the content of msg, whose maximum must be at least MESSAGE_BYTES_MAX. */
enum channel_got channel_receive(struct channel *ch, struct buf *msg, int fds[static MESSAGE_FDS_MAX],
				 size_t *ret_nfds, struct err *e) MUST_USE;

/* Sends the request and waits for one message, at most timeout_ms; descriptors that come with it are
 * closed. For channels that are not watched and on which nothing else is under way. When it fails the channel is
 * shut: an answer that comes late would be taken for that of the next call. */
bool channel_call(struct channel *ch, struct bytes request, struct buf *reply, int timeout_ms,
		  struct err *e) MUST_USE;

/* Receives and flushes from the loop until channel_unwatch or channel_free. The message callback
 * takes what descriptors it wants by setting their places to -1; the rest are closed after it. Both
 * callbacks may free the channel. closed is called once (why is NULL when in good order), after the
 * loop has let go of the channel. */
struct channel_calls {
	void (*message)(void *ctx, struct bytes msg, int *fds, size_t nfds);
	void (*closed)(void *ctx, const struct err *why);
};
bool channel_watch(struct channel *ch, struct loop *l, const struct channel_calls *calls, void *ctx,
		   struct err *e) MUST_USE;
void channel_unwatch(struct channel *ch);

void channel_free_at(struct channel **ch);
#define AUTO_CHANNEL __attribute__((cleanup(channel_free_at))) struct channel

#endif
