/* Messages between keeper and signer (as parcels): one request, one answer, in order. What the signer does
 * with them is exchange/signing.h. */
#ifndef COMITY_DAEMON_SIGNER_MESSAGES_H
#define COMITY_DAEMON_SIGNER_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "exchange/node.h"

struct channel;

/* The keeper's end: a node_signer whose ctx it is. Each call waits for its answer. Whatever goes wrong with one (no
 * answer in time, one that is malformed, of another request, or does not verify) ends the channel: the signer sees that
 * and is started again, and until the new channel is here every call fails at once. */
struct signer_end {
	struct channel *ch;      /* borrowed, not watched */
	uint64_t last;           /* number of the last request */
	const uint8_t *sign_key; /* our public key for statements; while it is NULL no act is signed */
};
struct node_signer signer_over_channel(struct signer_end *end, struct channel *ch);
/* The signer's end: answers one request that arrived. */
struct signing;
bool signer_answer(struct signing *s, struct bytes request, struct buf *reply, struct err *e) MUST_USE;

#endif
