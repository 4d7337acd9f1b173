/* The door without its process: three listeners on a loop, one channel to the keeper. */
#ifndef COMITY_DAEMON_DOOR_H
#define COMITY_DAEMON_DOOR_H

#include "base/err.h"
#include "process/loop.h"

struct door;

struct door_options {
	struct loop *loop;
	int keeper_fd, peer_fd, public_fd, local_fd; /* taken, also on failure; -1: none, a witness alone */
	int log_fd;                                  /* folder; borrowed; -1: none */
	int mirror_fd;                               /* folder; borrowed; 0 or -1: none */
	int witness_fd;                              /* taken; 0: none yet */
	bool public_plain;                           /* the public listener speaks HTTP without TLS */
	const char *key_pem, *cert_pem;
};
bool door_new(const struct door_options *o, struct door **ret, struct err *e) MUST_USE;
void door_free(struct door *d);
/* The witness was started again: its new channel, taken. */
bool door_witness_again(struct door *d, int fd, struct err *e) MUST_USE;

/* What a path without its first slash names, and nothing else is opened: a file of a log (c2sp.org/tlog-tiles), what is
 * published beside it, or the same of a log that is mirrored here. */
enum door_file {
	DOOR_FILE_NONE,
	DOOR_FILE_CHECKPOINT, /* checkpoint */
	DOOR_FILE_TILE,       /* tile/<L>/<N>[.p/<W>], tile/entries/<N>.p/<W> */
	DOOR_FILE_BUNDLE,     /* tile/entries/<N>: may lie there compressed, too */
	DOOR_FILE_ACT,        /* acts/<64 hex> */
	DOOR_FILE_INDEX,      /* acts/index */
	DOOR_FILE_OPENINGS,   /* openings/<YYYY-Qn> */
};
/* *ret_mirror: below mirror/<64 hex>/, and *ret_path begins at the 64 digits; else *ret_path is path. */
enum door_file door_file_of(const char *path, bool *ret_mirror, const char **ret_path);

#endif
