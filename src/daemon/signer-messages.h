/* Messages between keeper and signer (as parcels): one request, one answer, in order. What the signer does
 * with them is exchange/signing.h. */
#ifndef COMITY_DAEMON_SIGNER_MESSAGES_H
#define COMITY_DAEMON_SIGNER_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "exchange/node.h"

struct channel;

/* The keeper's end: a node_signer whose ctx is an unwatched channel to the signer. Each waits for its answer. */
struct node_signer signer_over_channel(struct channel *ch);
/* The signer's end: answers one request that arrived. */
struct signing;
bool signer_answer(struct signing *s, struct bytes request, struct buf *reply, struct err *e) MUST_USE;

#endif
