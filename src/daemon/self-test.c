/* Each role tries what it may not do. It builds the walls that it has at work, over an empty home of its own, and
 * then does by hand what an intruder in it would do. One line for each attempt: refused, allowed (because the role
 * needs it), or NOT REFUSED, which fails. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"

/* Out of the way of every number that a role's descriptors have. */
#define HOME_FD 40

/* An attempt returns whether it succeeded; errno says why not. */

static bool fd_got(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool opens_passwd(void)
{
	return fd_got(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool opens_own_memory(void)
{
	return fd_got(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
}

static bool creates_in_home(void)
{
	return fd_got(openat(HOME_FD, "intruder", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool creates_in_store(void)
{
	return fd_got(openat(HOME_FD, "store/probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool reads_keys(void)
{
	return fd_got(openat(HOME_FD, "keys/sign.key", O_RDONLY | O_CLOEXEC));
}

static bool creates_in_witness(void)
{
	return fd_got(openat(HOME_FD, "witness/probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool reads_witness_key(void)
{
	return fd_got(openat(HOME_FD, "witness/witness.key", O_RDONLY | O_CLOEXEC));
}

static bool lists_keys(void)
{
	return fd_got(openat(HOME_FD, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool creates_elsewhere(void)
{
	return fd_got(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static bool connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Nobody listens there: that the kernel says so means that it tried. */
	bool tried = fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED);
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return tried;
}

static bool binds(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return bound;
}

/* Without an address: the kernel would choose a port. */
static bool listens(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool heard = fd >= 0 && listen(fd, 1) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return heard;
}

static bool forks(void)
{
	/* Raw, so that no handler of a library runs. */
	long pid = syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool executes(void)
{
	char *argv[] = { (char[]){ "comity" }, (char[]){ "--help" }, NULL };

	execv("/proc/self/exe", argv);
	return false; /* or we would not be here */
}

static bool signals_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool traces(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool traces_parent(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
}

static bool reads_parent_memory(void)
{
	static char here, there;
	struct iovec to = { &here, 1 }, from = { &there, 1 }; /* where it stands in our parent too: it has forked us */

	return process_vm_readv(getppid(), &to, 1, &from, 1, 0) == 1;
}

static bool makes_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED;
}

static const struct {
	const char *words;
	bool (*try)(void);
	const char *who_may; /* names of roles, with a space behind each */
} attempts[] = {
	{ "open /etc/passwd", opens_passwd, "" },
	{ "open its own memory as a file", opens_own_memory, "" },
	{ "list the keys", lists_keys, "" },
	{ "create a file in the home", creates_in_home, "" },
	{ "create a file elsewhere", creates_elsewhere, "" },
	{ "create a file in the store", creates_in_store, "keeper " },
	{ "read the signing key", reads_keys, "" },
	{ "create a file in the witness's folder", creates_in_witness, "witness " },
	{ "read the witness's key", reads_witness_key, "witness " },
	{ "connect to the network", connects, "courier " },
	{ "bind a port", binds, "" },
	{ "listen", listens, "" },
	{ "fork", forks, "" },
	{ "signal its parent", signals_parent, "" },
	{ "trace", traces, "" },
	{ "trace its parent", traces_parent, "" },
	{ "read its parent's memory", reads_parent_memory, "" },
	{ "make memory that is code", makes_code, "" },
	{ "execute a program", executes, "" },
};

static bool may(size_t i, const char *name)
{
	char word[40];

	snprintf(word, sizeof(word), "%s ", name);
	return strstr(attempts[i].who_may, word) != NULL;
}

/* An empty home, and its folders at the numbers where the role's sandbox looks for them. */
static bool home_make(const char *name, char path[static 64], struct err *e)
{
	static const char *const folders[] = { "store", "blobs", "log", "backup", "keys", "witness" };
	int home, log, witness;

	snprintf(path, 64, "%s", "/tmp/comity-self-test-XXXXXX");
	if (mkdtemp(path) == NULL)
		return err_system(e, "cannot make %s", path);
	home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (home < 0 || mkdirat(home, folders[i], 0700) != 0)
			return err_system(e, "cannot make %s", path);
	}
	if (!file_write(home, "keys/sign.key", bytes_of("a key\n"), 0600, false, e) ||
	    !file_write(home, "witness/witness.key", bytes_of("a key\n"), 0600, false, e))
		return false;
	log = openat(home, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	witness = openat(home, "witness", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log < 0 || witness < 0 || dup2(home, HOME_FD) < 0 ||
	    (bytes_is(bytes_of(name), "witness") && dup2(witness, WITNESS_FD_HOME) < 0) ||
	    (bytes_is(bytes_of(name), "keeper") && dup2(HOME_FD, KEEPER_FD_HOME) < 0) ||
	    (bytes_is(bytes_of(name), "door") && (dup2(log, DOOR_FD_LOG) < 0 || dup2(log, DOOR_FD_MIRROR) < 0)))
		return err_system(e, "cannot arrange descriptors");
	return true;
}

/* By the parent, which has no walls. */
static void home_remove(const char *path)
{
	static const char *const names[] = { "keys/sign.key", "store/probe", "witness/witness.key", "witness/probe", "intruder" };
	static const char *const folders[] = { "store", "blobs", "log", "backup", "keys", "witness" };
	AUTO_FD home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; home >= 0 && i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(home, names[i], 0);
	for (size_t i = 0; home >= 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)unlinkat(home, folders[i], AT_REMOVEDIR);
	(void)rmdir(path);
}

static int attempts_make(const char *name)
{
	int status = 0;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		bool done = attempts[i].try();
		const char *why = done ? "" : strerror(errno), *word = "refused";

		if (may(i, name))
			word = done ? "allowed" : "REFUSED, and is needed";
		else if (done)
			word = "NOT REFUSED";
		if (done != may(i, name))
			status = 1;
		printf("%s: %s: %s%s%s\n", name, attempts[i].words, word, done ? "" : ": ", why);
		fflush(stdout);
	}
	return status;
}

int role_self_test(const char *name)
{
	struct err e = { 0 };
	char path[64];
	int status = 1, ended = 0;
	pid_t pid;

	if (!home_make(name, path, &e)) {
		fprintf(stderr, "comity: %s\n", e.text);
		return err_exit_status(e.kind);
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (sandbox_role(name, &e))
			status = attempts_make(name);
		else
			fprintf(stderr, "comity: %s\n", e.text);
		fflush(NULL);
		_exit(status);
	}
	/* With COMITY_SANDBOX=kill the first attempt ends the child, which counts as a failure here. */
	if (pid < 0 || waitpid(pid, &ended, 0) < 0)
		status = 1;
	else
		status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 1;
	home_remove(path);
	return status;
}
