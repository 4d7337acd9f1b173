/* The system calls of each set, as lists, and the few that are allowed only with certain arguments. The
 * lists follow what glibc, OpenSSL, libsodium, GnuTLS, libmicrohttpd, libcurl (with its resolver
 * thread) and SQLite were seen to use; a call that is missing fails with EPERM, and the tests that run
 * inside these walls notice. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/sandbox-internal.h"
#include "process/sandbox.h"
#include "process/sanitizer.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Memory, time, waiting, signals to itself, and work on descriptors that are open already. */
static const int calls_base[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(flock), SCMP_SYS(sendfile),
	SCMP_SYS(copy_file_range), SCMP_SYS(splice), SCMP_SYS(tee), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
	SCMP_SYS(memfd_create), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(signalfd4),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(msync), SCMP_SYS(mincore), SCMP_SYS(mlock), SCMP_SYS(mlock2),
	SCMP_SYS(munlock), SCMP_SYS(membarrier), SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(get_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(sched_yield), SCMP_SYS(getcpu),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(umask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigsuspend), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static const int calls_files_read[] = {
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(getcwd), SCMP_SYS(statfs), SCMP_SYS(chdir), SCMP_SYS(fchdir),
};

/* Not truncate: Landlock knows it only from version 3 on, and ftruncate does the same. Not symlink. */
static const int calls_files_write[] = {
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(utimensat),
};

static const int calls_net_client[] = {
	SCMP_SYS(connect), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
};

static const int calls_net_server[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
};

static const int calls_threads[] = {
	SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
};

/* A filter stands around the children too, so what they need to start and to build their own walls
 * is here. */
static const int calls_spawn[] = {
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(wait4),
	SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(close_range), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(prctl),
	SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(seccomp), SCMP_SYS(arch_prctl), SCMP_SYS(mmap),
	SCMP_SYS(mprotect), SCMP_SYS(ioctl), SCMP_SYS(socketpair), SCMP_SYS(newfstatat), SCMP_SYS(pipe),
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self),
};

#if BUILT_WITH_SANITIZER
/* Its runtime reads /proc/self and names its own memory. */
static const int calls_sanitizer[] = {
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(access),
	SCMP_SYS(prctl), SCMP_SYS(personality), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(tgkill),
};
#endif

/* Sticky, as in buf: rules are added in a row and asked about once. */
struct filter {
	scmp_filter_ctx ctx;
	int failed; /* a negative errno */
};

static void allow(struct filter *f, int call)
{
	int r = f->failed != 0 ? 0 : seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, call, 0, NULL);

	if (r < 0)
		f->failed = r;
}

static void allow_list(struct filter *f, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		allow(f, calls[i]);
}
#define ALLOW_LIST(f, list) allow_list((f), (list), sizeof(list) / sizeof((list)[0]))

/* Argument `arg`, of which only the bits of `mask` count, has the value. */
static struct scmp_arg_cmp masked(unsigned arg, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){ .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value };
}

static void answer_if(struct filter *f, uint32_t action, int call, struct scmp_arg_cmp if_so)
{
	int r = f->failed != 0 ? 0 : seccomp_rule_add_array(f->ctx, action, call, 1, &if_so);

	if (r < 0)
		f->failed = r;
}

static void allow_if(struct filter *f, int call, struct scmp_arg_cmp if_so)
{
	answer_if(f, SCMP_ACT_ALLOW, call, if_so);
}

/* Arguments that the kernel takes as int are compared in their low half: the rest may hold anything. */
#define LOW UINT64_C(0xffffffff)

static void add_base(struct filter *f)
{
	ALLOW_LIST(f, calls_base);
	/* glibc's fstat; a look at a path needs FILES_READ. */
	allow_if(f, SCMP_SYS(newfstatat), masked(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
	allow_if(f, SCMP_SYS(tgkill), masked(0, LOW, (scmp_datum_t)getpid())); /* abort() */
	allow_if(f, SCMP_SYS(prlimit64), masked(2, UINT64_MAX, 0));	       /* asks, does not set */
	allow_if(f, SCMP_SYS(prctl), masked(0, LOW, PR_SET_NAME));
	allow_if(f, SCMP_SYS(prctl), masked(0, LOW, PR_SET_VMA)); /* malloc names its memory */
	allow_if(f, SCMP_SYS(prctl), masked(0, LOW, PR_GET_DUMPABLE));
	allow_if(f, SCMP_SYS(ioctl), masked(1, LOW, FIONREAD));
	allow_if(f, SCMP_SYS(ioctl), masked(1, LOW, FIONBIO));
	allow_if(f, SCMP_SYS(ioctl), masked(1, LOW, TCGETS)); /* isatty */
	allow_if(f, SCMP_SYS(socketpair), masked(0, LOW, AF_UNIX));
	/* No memory becomes code. */
	allow_if(f, SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
	allow_if(f, SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
}

static void add_files(struct filter *f, unsigned sets)
{
	/* Nothing that writes, and not O_RDONLY with O_TRUNC, which cuts a file all the same. */
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

	if ((sets & (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE)) != 0) {
		ALLOW_LIST(f, calls_files_read);
		allow_if(f, SCMP_SYS(open), masked(1, writes, O_RDONLY));
		allow_if(f, SCMP_SYS(openat), masked(2, writes, O_RDONLY));
	}
	if ((sets & SANDBOX_FILES_WRITE) != 0) {
		ALLOW_LIST(f, calls_files_write);
		allow_if(f, SCMP_SYS(open), masked(1, O_ACCMODE, O_WRONLY));
		allow_if(f, SCMP_SYS(open), masked(1, O_ACCMODE, O_RDWR));
		allow_if(f, SCMP_SYS(openat), masked(2, O_ACCMODE, O_WRONLY));
		allow_if(f, SCMP_SYS(openat), masked(2, O_ACCMODE, O_RDWR));
	}
}

static void add_net_client(struct filter *f)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };

	ALLOW_LIST(f, calls_net_client);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		allow_if(f, SCMP_SYS(socket), masked(0, LOW, (scmp_datum_t)families[i]));
}

/* clone3 hides its flags in memory, where a filter cannot look. Where clone is allowed only for
 * threads, ENOSYS makes glibc use clone. */
static void add_threads(struct filter *f, unsigned sets)
{
	int r;

	if ((sets & SANDBOX_THREADS) != 0) {
		ALLOW_LIST(f, calls_threads);
		allow_if(f, SCMP_SYS(clone), masked(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
	}
	if ((sets & SANDBOX_SPAWN) != 0)
		ALLOW_LIST(f, calls_spawn);
	r = f->failed != 0 ? 0 : seccomp_rule_add_array(f->ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
	if (r < 0)
		f->failed = r;
}

static void filter_fill(struct filter *f, unsigned sets)
{
	add_base(f);
	add_files(f, sets);
	if ((sets & SANDBOX_NET_CLIENT) != 0)
		add_net_client(f);
	if ((sets & SANDBOX_NET_SERVER) != 0)
		ALLOW_LIST(f, calls_net_server);
	add_threads(f, sets);
#if BUILT_WITH_SANITIZER
	ALLOW_LIST(f, calls_sanitizer);
	allow_if(f, SCMP_SYS(open), masked(1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	allow_if(f, SCMP_SYS(openat), masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
#endif
}

static uint32_t forbidden_action(void)
{
	const char *mode = getenv("COMITY_SANDBOX");

	return mode != NULL && strcmp(mode, "kill") == 0 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
}

bool sandbox_calls_apply(unsigned sets, bool *ret_stands, struct err *e)
{
	struct filter f = { 0 };

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) {
		*ret_stands = false; /* a kernel without it */
		return true;
	}
	f.ctx = seccomp_init(forbidden_action());
	if (f.ctx == NULL)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "sandbox: cannot begin a seccomp filter");
	/* A binary tree instead of a chain of some hundred comparisons on every call. */
	(void)seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	filter_fill(&f, sets);
	if (f.failed == 0)
		f.failed = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	if (f.failed != 0) {
		errno = -f.failed;
		return err_system(e, "sandbox: cannot load the seccomp filter");
	}
	*ret_stands = true;
	return true;
}
