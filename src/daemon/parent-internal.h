/* Between the sources of the parent. */
#ifndef COMITY_DAEMON_PARENT_INTERNAL_H
#define COMITY_DAEMON_PARENT_INTERNAL_H

#include <sys/types.h>

#include "daemon/parent-messages.h"
#include "daemon/roles.h"
#include "exchange/config.h"
#include "process/channel.h"
#include "process/loop.h"
#include "process/spawn.h"

/* --- parent-listen.c --- */

struct listeners {
	int peer, public, local;
	char peer_text[64], public_text[64]; /* the real addresses */
};
/* The home belongs to the service's user, and the parent may be root: nothing in there is followed to another place.
 * Opens HOME/run, which must be a folder and no link, with the mode that the settings ask for. */
bool run_open(int home_fd, const struct config *config, int *ret_run_fd, struct err *e) MUST_USE;
/* Opens all three and writes run/addresses. */
bool listeners_open(int run_fd, const struct config *config, struct listeners *ret, struct err *e) MUST_USE;
/* The public one alone: a witness without a node. */
bool listeners_open_public(int run_fd, const struct config *config, struct listeners *ret, struct err *e) MUST_USE;
/* Gives the local socket to the service's user. */
bool listeners_give(int run_fd, uid_t uid, gid_t gid, struct err *e) MUST_USE;

/* --- parent-spawn.c --- */

struct part_options {
	enum role role;
	int home_fd;
	const struct config *config;
	const struct listeners *listeners;
	bool alone;           /* a witness and its door, without a node */
	int direct_end;       /* of door and witness: the channel between them */
	int keeper_end;       /* the role's end of its channel to the keeper; -1 for the keeper itself, and where there is none */
	const int *role_ends; /* for the keeper: its ends of all channels, by enum role */
};
/* Starts the role; *ret_channel is our end of its channel to us. Nothing that it was given is closed. */
bool part_spawn(const struct part_options *o, struct child *ret, int *ret_channel, struct err *e) MUST_USE;

/* --- parent-page.c --- */

struct pager;
struct pager_options {
	struct loop *loop;
	const char *command; /* "" : nobody can be paged; borrowed */
	bool change_user;
	uid_t uid;
	gid_t gid;
	void (*paged)(void *ctx, uint64_t cookie, uint8_t exit_status);
	void *ctx;
};
struct pager *pager_new(const struct pager_options *o);
void pager_free(struct pager *p); /* ends what still runs */
/* Always told by paged, at once when it cannot be started. */
void pager_run(struct pager *p, uint64_t cookie, struct bytes officer, struct bytes words);

/* --- parent-home.c --- */

bool home_folders(int home_fd, bool alone, struct err *e) MUST_USE;
bool run_lock(int run_fd, int *ret_fd, struct err *e) MUST_USE; /* run/pid, held */
bool user_find(const struct config *config, struct pager_options *o, struct err *e) MUST_USE;

#endif
