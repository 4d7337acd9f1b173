/* The walls, each tried from inside, in a child process. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "process/sandbox.h"

static char folder[64];
static int folder_fd = -1;

static int folder_begin(void **state)
{
	struct err e = { 0 };

	snprintf(folder, sizeof(folder), "/tmp/comity-test-sandbox-XXXXXX");
	assert_non_null(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_make(folder_fd, "in", 0700, &e));
	assert_true(file_write(folder_fd, "in/file", bytes_of("x"), 0600, false, &e));
	assert_true(file_write(folder_fd, "outside", bytes_of("x"), 0600, false, &e));
	return 0;
}

static int folder_end(void **state)
{
	static const char *const names[] = { "in/file", "in/new", "outside" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(folder_fd, names[i], 0);
	(void)unlinkat(folder_fd, "in", AT_REMOVEDIR);
	close(folder_fd);
	return rmdir(folder);
}

/* Runs try inside the policy. 0: it succeeded; else its errno. -1: the kernel has no Landlock and the claim is
 * about paths. */
static int inside(const struct sandbox_policy *policy, bool about_paths, bool (*try)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct sandbox_result r;
		struct err e = { 0 };

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!sandbox_apply(policy, &r, &e)) {
			fprintf(stderr, "%s\n", e.text);
			_exit(250);
		}
		if (!r.seccomp || (about_paths && !r.landlock))
			_exit(251);
		errno = 0;
		_exit(try() ? 0 : errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 250);
	if (WEXITSTATUS(status) == 251) {
		printf("skipped: this kernel has not all walls\n");
		skip();
	}
	return WEXITSTATUS(status);
}

static bool got(int fd)
{
	return fd >= 0;
}

static bool open_file(void) { return got(openat(folder_fd, "in/file", O_RDONLY)); }
static bool open_outside(void) { return got(openat(folder_fd, "outside", O_RDONLY)); }
static bool open_to_write(void) { return got(openat(folder_fd, "in/file", O_RDWR)); }
static bool open_and_cut(void) { return got(openat(folder_fd, "in/file", O_RDONLY | O_TRUNC)); }
static bool create_file(void) { return got(openat(folder_fd, "in/new", O_WRONLY | O_CREAT, 0600)); }
static bool create_outside(void) { return got(openat(folder_fd, "other", O_WRONLY | O_CREAT, 0600)); }
static bool look_at_path(void) { struct stat st; return fstatat(folder_fd, "in/file", &st, 0) == 0; }
static bool look_at_fd(void) { struct stat st; return fstat(folder_fd, &st) == 0; }
static bool make_socket(void) { return got(socket(AF_INET, SOCK_STREAM, 0)); }
static bool make_netlink(void) { return got(socket(AF_NETLINK, SOCK_RAW, 0)); }
static bool fork_raw(void) { long p = syscall(SYS_fork); if (p == 0) _exit(0); return p > 0; }
static bool kill_parent(void) { return kill(getppid(), 0) == 0; }
static bool exec_true(void) { char *argv[] = { (char[]){ "true" }, NULL }; execv("/bin/true", argv); return false; }
static bool bind_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}
static bool connect_out(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED);
}
static bool code_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool plain_memory(void)
{
	void *at = malloc(32 * 1024 * 1024);

	if (at != NULL)
		memset(at, 1, 32 * 1024 * 1024);
	free(at);
	return at != NULL;
}
static bool make_memfd(void) { return got(memfd_create("x", MFD_CLOEXEC)); }
static bool make_pair(void) { int p[2]; return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) == 0; }
static void *nothing(void *ctx) { return ctx; }
static bool make_thread(void)
{
	pthread_t t;

	errno = pthread_create(&t, NULL, nothing, NULL);
	return errno == 0 && pthread_join(t, NULL) == 0;
}
static bool widen_and_open(void)
{
	const struct sandbox_policy wide = { .sets = SANDBOX_FILES_READ };
	struct sandbox_result r;

	return sandbox_apply(&wide, &r, NULL) || open_file();
}

static const struct sandbox_policy base = { .sets = SANDBOX_BASE };

static void a_role_with_nothing_works_on_what_it_has(void **state)
{
	assert_int_equal(inside(&base, false, look_at_fd), 0);
	assert_int_equal(inside(&base, false, plain_memory), 0);
	assert_int_equal(inside(&base, false, make_memfd), 0);
	assert_int_equal(inside(&base, false, make_pair), 0);
}

static void a_role_with_nothing_reaches_nothing(void **state)
{
	assert_int_not_equal(inside(&base, true, open_file), 0); /* EPERM, or EACCES under a sanitizer */
	assert_int_equal(inside(&base, false, open_to_write), EPERM);
	assert_int_equal(inside(&base, false, create_file), EPERM);
	assert_int_equal(inside(&base, false, make_socket), EPERM);
	assert_int_equal(inside(&base, false, fork_raw), EPERM);
	assert_int_equal(inside(&base, false, exec_true), EPERM);
	assert_int_equal(inside(&base, false, kill_parent), EPERM);
	assert_int_equal(inside(&base, false, code_memory), EPERM);
	assert_int_not_equal(inside(&base, false, make_thread), 0);
}

static void a_reader_reads_only_its_folder_and_writes_nothing(void **state)
{
	const struct sandbox_path paths[] = { { "in", folder_fd, SANDBOX_READ } };
	const struct sandbox_policy p = { SANDBOX_FILES_READ, paths, 1 };

	assert_int_equal(inside(&p, false, open_file), 0);
	assert_int_equal(inside(&p, false, look_at_path), 0);
	assert_int_equal(inside(&p, true, open_outside), EACCES);
	assert_int_equal(inside(&p, false, open_to_write), EPERM);
	assert_int_equal(inside(&p, false, open_and_cut), EPERM);
	assert_int_equal(inside(&p, false, create_file), EPERM);
}

static void a_writer_writes_only_in_its_folder(void **state)
{
	const struct sandbox_path paths[] = { { "in", folder_fd, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE } };
	const struct sandbox_policy p = { SANDBOX_FILES_READ | SANDBOX_FILES_WRITE, paths, 1 };

	assert_int_equal(inside(&p, false, open_to_write), 0);
	assert_int_equal(inside(&p, false, create_file), 0);
	assert_int_equal(inside(&p, true, create_outside), EACCES);
	assert_int_equal(inside(&p, false, make_socket), EPERM);
}

static void a_client_connects_and_does_not_bind(void **state)
{
	const struct sandbox_policy p = { .sets = SANDBOX_NET_CLIENT };

	assert_int_equal(inside(&p, false, connect_out), 0);
	assert_int_not_equal(inside(&p, false, bind_port), 0);
	assert_int_equal(inside(&p, false, make_netlink), EPERM);
}

static void a_server_does_not_connect(void **state)
{
	const struct sandbox_policy p = { .sets = SANDBOX_NET_SERVER };

	assert_int_equal(inside(&p, false, connect_out), EPERM);
}

static void threads_are_no_processes(void **state)
{
	const struct sandbox_policy p = { .sets = SANDBOX_THREADS };

	assert_int_equal(inside(&p, false, make_thread), 0);
	assert_int_equal(inside(&p, false, fork_raw), EPERM);
}

static void walls_only_grow(void **state)
{
	assert_int_not_equal(inside(&base, false, widen_and_open), 0);
}

static void a_missing_path_is_an_error_unless_said_otherwise(void **state)
{
	const struct sandbox_path missing[] = { { "not-there", folder_fd, SANDBOX_READ } };
	const struct sandbox_path excused[] = { { "not-there", folder_fd, SANDBOX_READ | SANDBOX_IF_THERE } };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct sandbox_result r;
		struct err e = { 0 };
		struct sandbox_policy p = { SANDBOX_FILES_READ, missing, 1 };
		bool refused = !sandbox_apply(&p, &r, &e);

		p.paths = excused;
		_exit((refused || !r.landlock) && sandbox_apply(&p, &r, &e) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_with_nothing_works_on_what_it_has),
		cmocka_unit_test(a_role_with_nothing_reaches_nothing),
		cmocka_unit_test(a_reader_reads_only_its_folder_and_writes_nothing),
		cmocka_unit_test(a_writer_writes_only_in_its_folder),
		cmocka_unit_test(a_client_connects_and_does_not_bind),
		cmocka_unit_test(a_server_does_not_connect),
		cmocka_unit_test(threads_are_no_processes),
		cmocka_unit_test(walls_only_grow),
		cmocka_unit_test(a_missing_path_is_an_error_unless_said_otherwise),
	};

	return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
