/* The roles as a table, and the numbers of the descriptors that each is started with. */
#ifndef COMITY_DAEMON_ROLES_H
#define COMITY_DAEMON_ROLES_H

#include <stddef.h>

enum role {
#define ROLE(name, main, sets, words) ROLE_##name,
#include "daemon/roles.tbl.h"
	ROLE_COUNT
};

/* Every role has its channel to the keeper first, and the one to the parent second; the keeper has the
 * parent first and then one channel for each other role. */
enum {
	ROLE_FD_KEEPER = 3,
	ROLE_FD_PARENT = 4,
	DOOR_FD_PEER = 5,
	DOOR_FD_PUBLIC = 6,
	DOOR_FD_LOCAL = 7,
	DOOR_FD_LOG = 8,
	DOOR_FD_TLS_KEY = 9,
	DOOR_FD_TLS_CERT = 10,
	DOOR_FD_WITNESS = 11, /* closed numbers where there is no such thing: a witness alone */
	DOOR_FD_MIRROR = 12,
	WITNESS_FD_DOOR = 5,
	WITNESS_FD_HOME = 6,  /* the folder of the witness */
	COURIER_FD_TLS_KEY = 5,
	COURIER_FD_TLS_CERT = 6,
	SIGNER_FD_HOME = 5,
	KEEPER_FD_PARENT = 3,
	KEEPER_FD_HOME = 4,
	KEEPER_FD_ROLES = 5, /* + enum role; the keeper's own number stays closed */
};

const char *role_name(enum role r);
const char *role_words(enum role r);
/* `comity role NAME [self-test]`: what spawn_role executes. Returns the exit status. */
int role_run(const char *name, int argc, char **argv);

#endif
