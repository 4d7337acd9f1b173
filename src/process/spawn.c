/* Starting a role. After fork the child only rearranges descriptors and credentials and execs; what
 * fails there is told to the parent through a pipe that exec closes, so spawn_role returns the truth.
 * The program is opened once and executed by descriptor: a role restarted after an upgrade is still of
 * its parent's build, and the parent's sandbox need not let it find its own name. */
#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "process/sanitizer.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#define ENVIRONMENT_MAX 64

extern char **environ;

static int program_fd = -1;

/* Where the child stood when it failed. */
enum step { STEP_FDS, STEP_USER, STEP_LIMITS, STEP_PARENT, STEP_EXEC };

static const char *const step_names[] = {
	[STEP_FDS] = "arrange its descriptors", [STEP_USER] = "become its user",
	[STEP_LIMITS] = "set its limits",	[STEP_PARENT] = "be tied to its parent",
	[STEP_EXEC] = "execute the program",
};

struct failure {
	enum step step;
	int number;
};

struct identity {
	bool change;
	uid_t uid;
	gid_t gid;
};

bool spawn_prepare(struct err *e)
{
	if (program_fd < 0)
		program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return program_fd >= 0 || err_system(e, "cannot open our own program");
}

static bool identity_find(const char *user, struct identity *ret, struct err *e)
{
	const struct passwd *p;

	*ret = (struct identity){ 0 };
	if (user == NULL)
		return true;
	errno = 0;
	p = getpwnam(user);
	if (p == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no user %s", user);
	*ret = (struct identity){ .change = geteuid() != p->pw_uid, .uid = p->pw_uid, .gid = p->pw_gid };
	if (ret->change && geteuid() != 0)
		return err_set(e, ERR_FORBIDDEN, REASON_NOT_ALLOWED, "only root can start a role as %s", user);
	return true;
}

/* First all out of the way, then each to its place: a source may stand where another one goes. */
static bool fds_arrange(const struct spawn *s, int *report)
{
	int after = SPAWN_FD_FIRST + (int)s->fd_count;
	int high[SPAWN_FDS_MAX];
	int null;

	*report = fcntl(*report, F_DUPFD_CLOEXEC, after);
	program_fd = fcntl(program_fd, F_DUPFD_CLOEXEC, after);
	if (*report < 0 || program_fd < 0)
		return false;
	for (size_t i = 0; i < s->fd_count; i++) {
		high[i] = s->fds[i] < 0 ? -1 : fcntl(s->fds[i], F_DUPFD_CLOEXEC, after);
		if (s->fds[i] >= 0 && high[i] < 0)
			return false;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return false;
	for (size_t i = 0; i < s->fd_count; i++) {
		if (high[i] < 0)
			close(SPAWN_FD_FIRST + (int)i);
		else if (dup2(high[i], SPAWN_FD_FIRST + (int)i) < 0)
			return false;
	}
	/* Not closed at once: the report and the program are still needed, and end with exec. */
	return syscall(SYS_close_range, (unsigned)after, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

static bool limits_set(const struct spawn *s)
{
	struct rlimit none = { 0, 0 }, files = { s->files_max, s->files_max };

	return setrlimit(RLIMIT_CORE, &none) == 0 &&
	       (s->files_max == 0 || setrlimit(RLIMIT_NOFILE, &files) == 0);
}

static bool identity_take(const struct identity *who)
{
	return !who->change ||
	       (setgroups(0, NULL) == 0 && setresgid(who->gid, who->gid, who->gid) == 0 &&
		setresuid(who->uid, who->uid, who->uid) == 0);
}

static void signals_reset(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++) {
		if (i != SIGKILL && i != SIGSTOP)
			(void)signal(i, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static enum step child_run(const struct spawn *s, const struct identity *who, pid_t parent, int *report,
			   char *const *argv, char *const *env)
{
	signals_reset();
	if (!fds_arrange(s, report))
		return STEP_FDS;
	if (!limits_set(s))
		return STEP_LIMITS;
	if (!identity_take(who))
		return STEP_USER;
	/* After the change of user, which clears it; and the parent may have died before it was set. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		return STEP_PARENT;
	syscall(SYS_execveat, program_fd, "", argv, env, AT_EMPTY_PATH);
	return STEP_EXEC;
}

/* Nothing of ours but COMITY_*; the rest is the same on every machine. */
static void environment_make(char *ret[static ENVIRONMENT_MAX])
{
	static char lang[] = "LANG=C.UTF-8", zone[] = "TZ=UTC", path[] = "PATH=/usr/bin:/bin";
	size_t n = 0;

	ret[n++] = lang;
	ret[n++] = zone;
	ret[n++] = path;
#if BUILT_WITH_SANITIZER
	/* The leak check at exit wants ptrace, which no role has; leaks are the unit tests' business. */
	static char asan[] = "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1";

	ret[n++] = asan;
#endif
	for (char **v = environ; v != NULL && *v != NULL && n < ENVIRONMENT_MAX - 1; v++) {
		if (strncmp(*v, "COMITY_", 7) == 0)
			ret[n++] = *v;
	}
	ret[n] = NULL;
}

static bool report_read(int fd, struct failure *ret)
{
	ssize_t got;

	do {
		got = read(fd, ret, sizeof(*ret));
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(*ret);
}

/* The parent's half: learns whether exec happened. */
static bool child_began(const struct spawn *s, pid_t pid, int report, struct child *ret, struct err *e)
{
	struct failure failure;
	int pidfd = pidfd_open(pid, 0);

	if (pidfd < 0) {
		err_system(e, "cannot watch the role %s", s->role);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return false;
	}
	if (report_read(report, &failure)) {
		waitpid(pid, NULL, 0);
		close(pidfd);
		errno = failure.number;
		return err_system(e, "the role %s could not %s", s->role, step_names[failure.step]);
	}
	*ret = (struct child){ .pid = pid, .pidfd = pidfd };
	return true;
}

bool spawn_role(const struct spawn *s, struct child *ret, struct err *e)
{
	char *env[ENVIRONMENT_MAX];
	const char *argv[3 + SPAWN_ARGS_MAX + 1] = { "comity", "role", s->role };
	struct identity who;
	pid_t parent = getpid(), pid;
	int report[2];
	bool began;

	if (s->fd_count > SPAWN_FDS_MAX || s->arg_count > SPAWN_ARGS_MAX)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "the role %s is given too much", s->role);
	for (size_t i = 0; i < s->arg_count; i++)
		argv[3 + i] = s->args[i];
	if (!spawn_prepare(e) || !identity_find(s->user, &who, e))
		return false;
	environment_make(env);
	if (pipe2(report, O_CLOEXEC) != 0)
		return err_system(e, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		int out = report[1];
		struct failure f = { .step = child_run(s, &who, parent, &out,
						       (char *const *)(uintptr_t)argv, env) };

		f.number = errno;
		if (write(out < 0 ? report[1] : out, &f, sizeof(f)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	if (pid < 0)
		err_system(e, "cannot fork");
	began = pid > 0 && child_began(s, pid, report[0], ret, e);
	close(report[0]);
	return began;
}

void spawn_entered(void)
{
	umask(077);
#if !BUILT_WITH_SANITIZER
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

bool child_signal(const struct child *c, int number, struct err *e)
{
	if (pidfd_send_signal(c->pidfd, number, NULL, 0) == 0 || errno == ESRCH)
		return true;
	return err_system(e, "cannot signal a role");
}

bool child_wait(struct child *c, bool block, bool *ret_ended, int *ret_exit_status, struct err *e)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | (block ? 0 : WNOHANG)) != 0) {
		if (errno != EINTR)
			return err_system(e, "cannot wait for a role");
	}
	*ret_ended = info.si_pid != 0;
	if (!*ret_ended)
		return true;
	*ret_exit_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	fd_close_at(&c->pidfd);
	c->pid = 0;
	return true;
}
