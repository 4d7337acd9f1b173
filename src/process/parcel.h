/* A message of any size up to a stated maximum: small ones travel in the packet itself, larger ones in a
 * memfd that goes with it as its first descriptor. The receiver copies the bytes before it looks at
 * them, so that the sender cannot change them under its eyes. First byte of the packet: 0 inline,
 * 1 in the memfd. */
#ifndef COMITY_PROCESS_PARCEL_H
#define COMITY_PROCESS_PARCEL_H

#include "process/channel.h"

#define PARCEL_BYTES_MAX (8 * MIB)
#define PARCEL_FDS_MAX (MESSAGE_FDS_MAX - 1)

bool parcel_send(struct channel *ch, struct bytes msg, const int *fds, size_t nfds, struct err *e) MUST_USE;
/* What a message callback or channel_receive got. Appends to out the parcel's bytes; *fds and *nfds are moved on
 * past the memfd (which is closed). out's maximum is the limit. */
bool parcel_open(struct bytes packet, int **fds, size_t *nfds, struct buf *out, struct err *e) MUST_USE;
/* Request and answer on a channel that is not watched. Descriptors that come with the answer are closed. When it
 * fails the channel is shut, as by channel_call. */
bool parcel_call(struct channel *ch, struct bytes request, const int *fds, size_t nfds, struct buf *reply,
		 int timeout_ms, struct err *e) MUST_USE;

#endif
