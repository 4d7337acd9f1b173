/* Which paths are files of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "daemon/door.h"

static void the_shapes_of_tlog_tiles_are_served(void **state)
{
	static const char *const good[] = {
		"checkpoint", "tile/0/000", "tile/0/x001/x234/067", "tile/63/000", "tile/1/000.p/1", "tile/0/x001/002.p/255",
		"tile/entries/000", "tile/entries/x001/x234/067.p/12",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(door_log_path_is(good[i]));
}

static void nothing_else_is_opened(void **state)
{
	static const char *const bad[] = {
		"", "/", "checkpoint/", "Checkpoint", "checkpoint.tmp", "../checkpoint", "tile", "tile/", "tile/0", "tile/0/",
		"tile/0/0", "tile/0/00", "tile/0/0000", "tile/64/000", "tile/00/000", "tile/-1/000", "tile/x/000",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/",
		"tile/0/000.p/1/2", "tile/0/x001", "tile/0/x001/", "tile/0/001/002", "tile/0/x000/001", "tile/0/../000",
		"tile/entries/..", "tile/entries/../../store/comity.db", "tile//000", "tile/0//000", "tile/0/x01/000",
		"tile/0/0a0", "tile/0/x001/x234/067.q/1", "tile/0/x1/x2/x3/x4/x5/x6/x7/x8/001", "tile/entries/000/",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (door_log_path_is(bad[i]))
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shapes_of_tlog_tiles_are_served),
		cmocka_unit_test(nothing_else_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
