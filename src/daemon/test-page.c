/* Paging: the operator's command gets the officer and the words, and nothing else of ours. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/parent-internal.h"

static struct loop *loop;
static char folder[64], command[96];
static uint64_t paged_cookie;
static int paged_status, paged_count;

static void paged(void *ctx, uint64_t cookie, uint8_t status)
{
	paged_cookie = cookie;
	paged_status = status;
	paged_count++;
}

static int begin(void **state)
{
	loop = loop_new();
	snprintf(folder, sizeof(folder), "/tmp/comity-test-page-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command), "%s/page", folder);
	paged_count = 0;
	return 0;
}

static int end(void **state)
{
	char path[96];

	loop_free(loop);
	(void)unlink(command);
	snprintf(path, sizeof(path), "%s/out", folder);
	(void)unlink(path);
	return rmdir(folder);
}

static void command_make(const char *script)
{
	struct err e = { 0 };
	AUTO_BUF text = { 0 };

	buf_init(&text, 4096);
	buf_add_format(&text, "#!/bin/sh\nFOLDER=%s\n%s\n", folder, script);
	assert_true(file_write(AT_FDCWD, command, buf_bytes(&text), 0700, false, &e));
}

static struct pager *pager_of(const char *program)
{
	return pager_new(&(struct pager_options){ .loop = loop, .command = program, .paged = paged });
}

static void turn_until_paged(void)
{
	int64_t end_us = clock_monotonic_us() + INT64_C(20000000);
	struct err e = { 0 };

	while (paged_count == 0) {
		assert_true(clock_monotonic_us() < end_us);
		assert_true(loop_turn(loop, 1000000, &e));
	}
}

static void the_command_gets_officer_and_words_and_its_status_comes_back(void **state)
{
	struct pager *p;
	struct err e = { 0 };
	char path[96];
	AUTO_BUF out = { 0 };

	command_make("{ echo \"$# $1\"; cat; echo; echo \"secret=$COMITY_TEST_SECRET\"; } > $FOLDER/out\nexit 7");
	assert_int_equal(setenv("COMITY_TEST_SECRET", "told", 1), 0);
	p = pager_of(command);
	pager_run(p, 5, bytes_of("duty $(one)"), bytes_of("wake up; \"now\""));
	turn_until_paged();
	assert_int_equal(paged_cookie, 5);
	assert_int_equal(paged_status, 7);
	buf_init(&out, 4096);
	snprintf(path, sizeof(path), "%s/out", folder);
	assert_true(file_read(AT_FDCWD, path, &out, &e));
	assert_string_equal(buf_text(&out), "1 duty $(one)\nwake up; \"now\"\nsecret=\n");
	pager_free(p);
}

static void without_a_command_the_answer_comes_at_once(void **state)
{
	struct pager *p = pager_of("");

	pager_run(p, 6, bytes_of("duty"), bytes_of("words"));
	assert_int_equal(paged_count, 1);
	assert_int_equal(paged_status, 127);
	pager_free(p);
}

static void a_command_that_is_not_there_is_told_as_a_status(void **state)
{
	struct pager *p = pager_of("/nowhere/page");

	pager_run(p, 7, bytes_of("duty"), bytes_of("words"));
	turn_until_paged();
	assert_int_equal(paged_status, 127);
	pager_free(p);
}

static void what_still_runs_ends_with_the_pager(void **state)
{
	struct pager *p;

	command_make("sleep 1000");
	p = pager_of(command);
	pager_run(p, 8, bytes_of("duty"), bytes_of("words"));
	pager_free(p); /* waits for it: returns at all because it was killed */
	assert_int_equal(paged_count, 0);
}

#define WITH_FOLDER(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(the_command_gets_officer_and_words_and_its_status_comes_back),
		WITH_FOLDER(without_a_command_the_answer_comes_at_once),
		WITH_FOLDER(a_command_that_is_not_there_is_told_as_a_status),
		WITH_FOLDER(what_still_runs_ends_with_the_pager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
