/* The parent in a folder that belongs to somebody else: it follows no link, and changes nothing but what it made. */
#include <sys/stat.h>

#include "base/file.h"
#include "daemon/parent-internal.h"
#include "store/test-home.h"

static struct test_home home;
static struct config config;

static int begin(void **state)
{
	struct err e = { 0 };

	home_make(&home);
	assert_true(file_write(home.fd, "comity.conf", bytes_of("party = XA\nlisten_peer = 127.0.0.1:0\nlisten_public = 127.0.0.1:0\n"), 0600, false, &e));
	if (!config_load(home.fd, &config, &e))
		fail_msg("%s", e.text);
	assert_int_equal(mkdirat(home.fd, "elsewhere", 0755), 0);
	return 0;
}

static int end(void **state)
{
	home_remove(&home);
	return 0;
}

static unsigned mode_of(int dir_fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void a_link_in_the_place_of_run_is_not_followed(void **state)
{
	struct err e = { 0 };
	int run = -1;

	assert_int_equal(symlinkat("elsewhere", home.fd, "run"), 0);
	assert_false(run_open(home.fd, &config, &run, &e));
	assert_int_equal(run, -1);
	assert_int_equal(mode_of(home.fd, "elsewhere"), 0755);
}

static void the_socket_is_made_with_its_mode(void **state)
{
	struct listeners l;
	mode_t before = umask(022);
	AUTO_FD run = -1;

	assert_int_equal(mkdirat(home.fd, "run", 0755), 0);
	assert_ok(run_open(home.fd, &config, &run, e));
	assert_int_equal(mode_of(home.fd, "run"), 0700);
	assert_ok(listeners_open(run, &config, &l, e));
	assert_int_equal(mode_of(run, "comity.sock"), 0600);
	assert_int_equal(umask(before), 022);
	assert_ok(listeners_give(run, getuid(), getgid(), e));
	close(l.peer);
	close(l.public);
	close(l.local);
}

static void only_the_socket_is_given_away(void **state)
{
	struct err e = { 0 };
	AUTO_FD run = -1;

	assert_int_equal(mkdirat(home.fd, "run", 0700), 0);
	assert_true(run_open(home.fd, &config, &run, &e));
	assert_int_equal(symlinkat("../elsewhere", run, "comity.sock"), 0);
	assert_false(listeners_give(run, getuid(), getgid(), &e));
	assert_int_equal(unlinkat(run, "comity.sock", 0), 0);
	assert_true(file_write(run, "comity.sock", bytes_of("x"), 0600, false, &e));
	assert_false(listeners_give(run, getuid(), getgid(), &e));
	assert_int_equal(e.reason, REASON_WRONG_STATE);
}

#define WITH_HOME(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HOME(a_link_in_the_place_of_run_is_not_followed),
		WITH_HOME(the_socket_is_made_with_its_mode),
		WITH_HOME(only_the_socket_is_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
