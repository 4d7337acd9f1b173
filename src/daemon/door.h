/* The door without its process: three listeners on a loop, one channel to the keeper. */
#ifndef COMITY_DAEMON_DOOR_H
#define COMITY_DAEMON_DOOR_H

#include "base/err.h"
#include "process/loop.h"

struct door;

struct door_options {
	struct loop *loop;
	int keeper_fd, peer_fd, public_fd, local_fd; /* taken, also on failure */
	int log_fd;                                  /* folder; borrowed */
	const char *key_pem, *cert_pem;
};
bool door_new(const struct door_options *o, struct door **ret, struct err *e) MUST_USE;
void door_free(struct door *d);

/* Whether the path is one that the log's files have (c2sp.org/tlog-tiles), and nothing else. Without the first
 * slash. */
bool door_log_path_is(const char *path);

#endif
