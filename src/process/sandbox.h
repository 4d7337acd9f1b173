/* The inner wall of a role: no new privileges, Landlock for paths, ports and signals, and a seccomp
 * list of the system calls it may make; everything else fails with EPERM. Which walls stand depends on
 * the kernel, and the result says so. A role calls this once, before it starts threads, with
 * everything open that it may not open later. */
#ifndef COMITY_PROCESS_SANDBOX_H
#define COMITY_PROCESS_SANDBOX_H

#include <stddef.h>

#include "base/err.h"

/* Sets of system calls, each beyond the one above it in what it trusts the role with. */
enum sandbox_set {
	SANDBOX_BASE = 0,             /* memory, time, chance, waiting, descriptors it already has */
	SANDBOX_FILES_READ = 1 << 0,  /* open for reading, list, look at */
	SANDBOX_FILES_WRITE = 1 << 1, /* create, write, rename, remove; lock and map (SQLite) */
	SANDBOX_NET_CLIENT = 1 << 2,  /* socket and connect: Unix, IPv4, IPv6; resolve names */
	SANDBOX_NET_SERVER = 1 << 3,  /* accept on sockets that it was handed */
	SANDBOX_THREADS = 1 << 4,     /* threads, never processes */
	SANDBOX_SPAWN = 1 << 5        /* fork, exec, wait, signal, and what children need to do this too */
};

enum sandbox_access {
	SANDBOX_READ = 1 << 0,    /* read files, list folders */
	SANDBOX_WRITE = 1 << 1,   /* write and truncate files that are there */
	SANDBOX_MAKE = 1 << 2,    /* create, rename, remove files and folders */
	SANDBOX_EXECUTE = 1 << 3, /* with SANDBOX_SPAWN */
	SANDBOX_IF_THERE = 1 << 4 /* a missing path is no error */
};

struct sandbox_path {
	const char *path; /* a file, or a folder with all below it; "" with dir_fd: that folder itself */
	int dir_fd;       /* 0 or AT_FDCWD: path as it stands; else relative to this open folder */
	unsigned access;  /* of enum sandbox_access */
};

struct sandbox_policy {
	unsigned sets; /* of enum sandbox_set */
	const struct sandbox_path *paths;
	size_t path_count;
};

struct sandbox_result {
	int landlock_abi; /* 0: the kernel has none, or it is switched off */
	bool landlock;    /* paths are walled */
	bool seccomp;     /* system calls are walled */
};

/* False only when a wall that the kernel has could not be built, or a path is missing: then do not go
 * on. True with false members in the result: the kernel has no such wall; say so, loudly.
 * COMITY_SANDBOX=kill in the environment makes a forbidden call end the process (SIGSYS), for tests. */
bool sandbox_apply(const struct sandbox_policy *policy, struct sandbox_result *ret, struct err *e) MUST_USE;

#endif
