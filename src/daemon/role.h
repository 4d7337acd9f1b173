/* What every role does around its work: a loop, the channel to the parent, the word "ready", the end. */
#ifndef COMITY_DAEMON_ROLE_H
#define COMITY_DAEMON_ROLE_H

#include "base/buf.h"
#include "daemon/roles.h"
#include "process/channel.h"
#include "process/loop.h"

struct role_loop {
	struct loop *loop;
	struct channel *parent; /* watched: when it closes, the loop stops */
	int argc;
	char **argv; /* words that the parent gave */
	/* The other end of a channel was started again: the new channel, taken. NULL: fds are closed. */
	void (*channel)(void *ctx, enum role role, int fd);
	void *ctx;
};

/* Words that a role may be started with. */
#define ROLE_ALONE "alone" /* there is no keeper: a witness and its door, and nothing else */
#define ROLE_PLAIN "plain" /* the public listener speaks HTTP without TLS */
bool role_has(const struct role_loop *r, const char *word);

/* Makes the loop, ignores SIGPIPE, stops the loop on the parent's end, says what failed, returns the exit
 * status. For roles that have ROLE_FD_KEEPER and ROLE_FD_PARENT. */
int role_serve(bool (*serve)(struct role_loop *r, struct err *e), int argc, char **argv);
/* Tells the parent PARENT_READY. */
bool role_ready(struct role_loop *r, struct err *e) MUST_USE;
/* Reads the whole descriptor from its beginning and closes it. */
bool role_read_fd(int fd, const char *what, struct buf *out, struct err *e) MUST_USE;

int signer_main(int argc, char **argv);
int keeper_main(int argc, char **argv);
int mill_main(int argc, char **argv);
int courier_main(int argc, char **argv);
int door_main(int argc, char **argv);
int witness_main(int argc, char **argv);

/* Tries, inside the role's sandbox, what the role may not do; prints one line for each. Returns 0 when all was
 * refused, else 1. */
int role_self_test(const char *name);

#endif
