/* Messages between the parent and the roles. */
#ifndef COMITY_DAEMON_PARENT_MESSAGES_H
#define COMITY_DAEMON_PARENT_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "daemon/roles.h"

enum parent_message_type {
	PARENT_READY = 1,   /* role -> parent: opened, sandboxed, serving */
	PARENT_CHANNEL = 2, /* parent -> keeper, with a descriptor: a role was started again; also to door and witness */
	PARENT_PAGE = 3,    /* keeper -> parent: run the page command */
	PARENT_PAGED = 4,   /* parent -> keeper: it ended */
	PARENT_STOP = 5,    /* parent -> keeper: finish the turn, close the store, end */
};

#define PAGE_WORDS_BYTES_MAX 2048u
#define PAGE_OFFICER_BYTES_MAX 128u

struct parent_message {
	enum parent_message_type type;
	uint8_t role;          /* CHANNEL */
	uint32_t restarts;     /* CHANNEL: how often that role was started again */
	uint32_t pid;          /* CHANNEL */
	uint64_t cookie;       /* PAGE, PAGED */
	uint8_t exit_status;   /* PAGED */
	struct bytes officer, words; /* PAGE: printable, words are the message in UTF-8 */
};

void parent_message_write(const struct parent_message *m, struct buf *out);
bool parent_message_parse(struct bytes in, struct parent_message *ret, struct err *e) MUST_USE;

#endif
