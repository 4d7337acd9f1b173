/* The sandbox mechanism. In this order: no new privileges, then Landlock (which still needs to open
 * paths), then seccomp. Landlock's constants are our own, because Debian 12's headers know less than
 * the kernels it may run on; the kernel is asked for its version, and only what it knows is asked of
 * it. What an old kernel cannot wall by path, such as truncating (before version 3), is held by the
 * list of system calls: sandbox-calls.c. */
#include "process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "process/sandbox-internal.h"

/* From the kernel's Documentation/userspace-api/landlock.rst; the numbers are its stable interface. */
#define LL_CREATE_RULESET 444
#define LL_ADD_RULE 445
#define LL_RESTRICT_SELF 446
#define LL_VERSION_FLAG 1u
#define LL_RULE_PATH_BENEATH 1

#define LL_EXECUTE (UINT64_C(1) << 0)
#define LL_WRITE_FILE (UINT64_C(1) << 1)
#define LL_READ_FILE (UINT64_C(1) << 2)
#define LL_READ_DIR (UINT64_C(1) << 3)
#define LL_REMOVE_DIR (UINT64_C(1) << 4)
#define LL_REMOVE_FILE (UINT64_C(1) << 5)
#define LL_MAKE_DIR (UINT64_C(1) << 7)
#define LL_MAKE_REG (UINT64_C(1) << 8)
#define LL_MAKE_SOCK (UINT64_C(1) << 9)
#define LL_ALL_1 ((UINT64_C(1) << 13) - 1)
#define LL_REFER (UINT64_C(1) << 13)	 /* version 2 */
#define LL_TRUNCATE (UINT64_C(1) << 14)	 /* version 3 */
#define LL_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define LL_NET_BIND_TCP (UINT64_C(1) << 0)
#define LL_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define LL_SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* version 6 */
#define LL_SCOPE_SIGNAL (UINT64_C(1) << 1)
/* What may be granted on a file; the rest makes sense on folders only. */
#define LL_FILE_RIGHTS (LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE | LL_IOCTL_DEV)

struct ll_ruleset {
	uint64_t fs, net, scoped;
};

struct ll_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static int landlock_version(void)
{
	long v = syscall(LL_CREATE_RULESET, NULL, 0, LL_VERSION_FLAG);

	return v < 0 ? 0 : (int)v;
}

static struct ll_ruleset ruleset_for(int abi, const struct sandbox_policy *policy)
{
	struct ll_ruleset r = { .fs = LL_ALL_1 };

	if (abi >= 2)
		r.fs |= LL_REFER;
	if (abi >= 3)
		r.fs |= LL_TRUNCATE;
	if (abi >= 5)
		r.fs |= LL_IOCTL_DEV;
	/* Nobody binds inside a sandbox: listening sockets are handed in. A parent's wall stands around
	 * its children too, so one that spawns leaves both to them. */
	if (abi >= 4 && (policy->sets & SANDBOX_SPAWN) == 0) {
		r.net = LL_NET_BIND_TCP;
		if ((policy->sets & SANDBOX_NET_CLIENT) == 0)
			r.net |= LL_NET_CONNECT_TCP;
	}
	if (abi >= 6)
		r.scoped = LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL;
	return r;
}

static uint64_t rights_for(unsigned access)
{
	uint64_t rights = 0;

	if ((access & SANDBOX_READ) != 0)
		rights |= LL_READ_FILE | LL_READ_DIR;
	if ((access & SANDBOX_WRITE) != 0)
		rights |= LL_WRITE_FILE | LL_TRUNCATE;
	if ((access & SANDBOX_MAKE) != 0)
		rights |= LL_MAKE_REG | LL_MAKE_DIR | LL_MAKE_SOCK | LL_REMOVE_FILE | LL_REMOVE_DIR | LL_REFER;
	if ((access & SANDBOX_EXECUTE) != 0)
		rights |= LL_EXECUTE | LL_READ_FILE;
	return rights;
}

static bool path_allow(int ruleset, uint64_t handled, const struct sandbox_path *p, struct err *e)
{
	bool itself = p->path == NULL || p->path[0] == '\0';
	struct ll_path rule = { .allowed = rights_for(p->access) & handled };
	struct stat st;
	AUTO_FD fd = -1;

	fd = openat(p->dir_fd <= 0 ? AT_FDCWD : p->dir_fd, itself ? "." : p->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && (p->access & SANDBOX_IF_THERE) != 0)
		return true;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_system(e, "sandbox: %s", itself ? "folder" : p->path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= LL_FILE_RIGHTS;
	rule.parent_fd = fd;
	if (rule.allowed == 0)
		return true;
	if (syscall(LL_ADD_RULE, ruleset, LL_RULE_PATH_BENEATH, &rule, 0) != 0)
		return err_system(e, "sandbox: cannot allow %s", itself ? "folder" : p->path);
	return true;
}

static bool landlock_apply(const struct sandbox_policy *policy, int abi, struct err *e)
{
	struct ll_ruleset r = ruleset_for(abi, policy);
	/* The structure grew with the versions; an old kernel refuses bytes that it does not know. */
	size_t size = abi >= 6 ? sizeof(r) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	AUTO_FD ruleset = (int)syscall(LL_CREATE_RULESET, &r, size, 0);

	if (ruleset < 0)
		return err_system(e, "sandbox: cannot make a Landlock ruleset");
	for (size_t i = 0; i < policy->path_count; i++) {
		if (!path_allow(ruleset, r.fs, &policy->paths[i], e))
			return false;
	}
	if (syscall(LL_RESTRICT_SELF, ruleset, 0) != 0)
		return err_system(e, "sandbox: cannot apply the Landlock ruleset");
	return true;
}

bool sandbox_apply(const struct sandbox_policy *policy, struct sandbox_result *ret, struct err *e)
{
	struct sandbox_result r = { .landlock_abi = landlock_version() };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_system(e, "sandbox: cannot give up new privileges");
	if (r.landlock_abi > 0) {
		if (!landlock_apply(policy, r.landlock_abi, e))
			return false;
		r.landlock = true;
	}
	if (!sandbox_calls_apply(policy->sets, &r.seccomp, e))
		return false;
	*ret = r;
	return true;
}
