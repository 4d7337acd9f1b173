/* The witness without its process: a folder, a channel to the door and one to the keeper. */
#ifndef COMITY_DAEMON_WITNESS_H
#define COMITY_DAEMON_WITNESS_H

#include "base/err.h"
#include "process/loop.h"

struct witness;

struct witness_options {
	struct loop *loop;  /* its after-turn is the witness's */
	int door_fd;        /* taken, also on failure */
	int keeper_fd;      /* taken; -1: none, a witness alone */
	int dir_fd;         /* the folder of the witness; borrowed */
};
/* With a keeper, a witness that may not sign is no error: it answers 503, says why to the keeper, and looks again
 * every second. Alone, it is one. */
bool witness_new(const struct witness_options *o, struct witness **ret, struct err *e) MUST_USE;
void witness_free(struct witness *w);
/* The door was started again: its new channel, taken. */
bool witness_door(struct witness *w, int fd, struct err *e) MUST_USE;

#endif
