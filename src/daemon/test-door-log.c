/* Which paths are files of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "daemon/door.h"

static bool served(const char *path)
{
	bool mirror;
	const char *below;

	return door_file_of(path, &mirror, &below) != DOOR_FILE_NONE;
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void the_shapes_of_tlog_tiles_are_served(void **state)
{
	static const char *const good[] = {
		"checkpoint", "tile/0/000", "tile/0/x001/x234/067", "tile/63/000", "tile/1/000.p/1", "tile/0/x001/002.p/255",
		"tile/entries/000", "tile/entries/x001/x234/067.p/12", "acts/index", ("acts/" HEX), "openings/2026-Q4",
		("mirror/" HEX "/checkpoint"), ("mirror/" HEX "/tile/entries/000"), ("mirror/" HEX "/acts/" HEX),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(served(good[i]));
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
		"acts", "acts/", "acts/index/", "acts/../checkpoint", ("acts/" HEX "0"), ("acts/" HEX "/"), "openings/2026-Q5",
		"openings/2026-Q0", "openings/2026-Q10", "openings/", "tile/entries/000.gz", "mirror", "mirror/", ("mirror/" HEX),
		("mirror/" HEX "/"), "mirror/../checkpoint", ("mirror/" HEX "/../checkpoint"), ("mirror/" HEX "/mirror/" HEX "/checkpoint"),
		("mirror/" HEX "/.state"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (served(bad[i]))
			fail_msg("%s", bad[i]);
	}
}

static void a_mirror_is_told_from_the_own_log(void **state)
{
	bool mirror;
	const char *below;

	assert_int_equal(door_file_of("tile/entries/000", &mirror, &below), DOOR_FILE_BUNDLE);
	assert_false(mirror);
	assert_string_equal(below, "tile/entries/000");
	assert_int_equal(door_file_of(("mirror/" HEX "/tile/entries/000.p/3"), &mirror, &below), DOOR_FILE_TILE);
	assert_true(mirror);
	assert_string_equal(below, HEX "/tile/entries/000.p/3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shapes_of_tlog_tiles_are_served),
		cmocka_unit_test(nothing_else_is_opened),
		cmocka_unit_test(a_mirror_is_told_from_the_own_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
