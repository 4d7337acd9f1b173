/* The mill without its process: worker threads behind a loop, one channel to the keeper. */
#ifndef COMITY_DAEMON_MILL_H
#define COMITY_DAEMON_MILL_H

#include "base/err.h"
#include "process/loop.h"

struct mill;

struct mill_options {
	struct loop *loop;
	int keeper_fd;             /* taken */
	void (*closed)(void *ctx); /* the keeper has gone; may be NULL */
	void *ctx;
};
bool mill_new(const struct mill_options *o, struct mill **ret, struct err *e) MUST_USE;
void mill_free(struct mill *m); /* waits for the threads: their descriptors must come to an end */

#endif
