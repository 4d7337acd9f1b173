/* Files: whole or not at all, and never what is no file. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/comity-file-XXXXXX";
static int dir_fd = -1;

static int start(void **state)
{
	if (mkdtemp(folder) == NULL)
		return -1;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int stop(void **state)
{
	static const char *const names[] = { "a", "fifo", "link", "big" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	(void)unlinkat(dir_fd, "x/y/z", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "x/y", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "x", AT_REMOVEDIR);
	close(dir_fd);
	return rmdir(folder); /* fails when a temporary file was left behind */
}

static void what_is_written_is_read_and_replaced_whole(void **state)
{
	struct stat st;
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, 100);
	assert_true(file_write(dir_fd, "a", bytes_of("first"), 0600, true, &e));
	assert_true(file_write(dir_fd, "a", bytes_of("2nd"), 0600, false, &e));
	assert_true(file_read(dir_fd, "a", &out, &e));
	assert_string_equal(buf_text(&out), "2nd");
	assert_int_equal(fstatat(dir_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(file_read(dir_fd, "a", &out, &e)); /* appends */
	assert_string_equal(buf_text(&out), "2nd2nd");
}

static void a_file_over_the_limit_is_refused_and_one_at_the_limit_is_not(void **state)
{
	static uint8_t big[70000];
	struct err e;
	AUTO_BUF fits = { 0 };
	AUTO_BUF too_small = { 0 };

	buf_init(&fits, sizeof(big));
	buf_init(&too_small, sizeof(big) - 1);
	assert_true(file_write(dir_fd, "big", BYTES_ARRAY(big), 0600, false, &e));
	assert_true(file_read(dir_fd, "big", &fits, &e));
	assert_int_equal(fits.len, sizeof(big));
	assert_false(file_read(dir_fd, "big", &too_small, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(too_small.len, 0);
}

static void refuses_what_is_no_regular_file_without_waiting(void **state)
{
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, 100);
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_false(file_read(dir_fd, "fifo", &out, &e));
	assert_int_equal(e.reason, REASON_BAD_ARGUMENT);
	assert_false(file_read(dir_fd, ".", &out, &e));
	assert_false(file_read(dir_fd, "missing", &out, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct err e;

	assert_true(dir_make(dir_fd, "x/y/z", 0700, &e));
	assert_true(dir_make(dir_fd, "x/y/z", 0700, &e));
	assert_true(file_write(dir_fd, "a", bytes_of(""), 0600, false, &e));
	assert_false(dir_make(dir_fd, "a", 0700, &e));
	assert_false(dir_make(dir_fd, "a/b", 0700, &e));
	assert_false(dir_make(dir_fd, "", 0700, &e));
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
	struct err e;

	/* The name is a folder: the rename fails after the temporary file was made. */
	assert_true(dir_make(dir_fd, "x/y", 0700, &e));
	assert_false(file_write(dir_fd, "x", bytes_of("1"), 0600, true, &e));
	assert_false(file_write(dir_fd, "no/such/folder", bytes_of("1"), 0600, true, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_replaced_whole),
		cmocka_unit_test(a_file_over_the_limit_is_refused_and_one_at_the_limit_is_not),
		cmocka_unit_test(refuses_what_is_no_regular_file_without_waiting),
		cmocka_unit_test(folders_are_made_with_their_parents),
		cmocka_unit_test(a_failed_write_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
