/* Starts a role: this same program, by fork and exec, with a fresh memory layout, the descriptors it
 * was given and no others, and almost no environment. */
#ifndef COMITY_PROCESS_SPAWN_H
#define COMITY_PROCESS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define SPAWN_FDS_MAX 16u
#define SPAWN_ARGS_MAX 8u
/* The role finds the table's descriptors from this number on, in the table's order. */
#define SPAWN_FD_FIRST 3

struct spawn {
	const char *role;        /* argv: "comity", "role", role, then args */
	const char *const *args; /* at most SPAWN_ARGS_MAX */
	size_t arg_count;
	const int *fds; /* at most SPAWN_FDS_MAX; the caller keeps its own; -1 leaves a number closed */
	size_t fd_count;
	const char *user;        /* NULL: as we are; needs root */
	unsigned long files_max; /* RLIMIT_NOFILE; 0: as we have */
};

struct child {
	pid_t pid;
	int pidfd; /* readable when it has ended: watch it */
};

/* Opens this program now, before a sandbox or an upgrade takes its name away: every role then is of
 * the same build as its parent. Called by spawn_role if not before. */
bool spawn_prepare(struct err *e) MUST_USE;

/* Waits until exec has happened or failed. Standard input and output are /dev/null, standard error
 * is shared. Variables COMITY_* are passed on. The child dies when the parent does. */
bool spawn_role(const struct spawn *s, struct child *ret, struct err *e) MUST_USE;

/* The first thing a role does: no core dumps, not traceable by its own user, files private. (exec
 * resets these, so the parent cannot do them for it.) */
void spawn_entered(void);

bool child_signal(const struct child *c, int number, struct err *e) MUST_USE;
/* Reaps: *ret_ended false when it still runs (never when block). exit_status as a shell tells it: 128
 * and the signal's number when a signal ended it. Closes the pidfd at the end. */
bool child_wait(struct child *c, bool block, bool *ret_ended, int *ret_exit_status, struct err *e) MUST_USE;

#endif
