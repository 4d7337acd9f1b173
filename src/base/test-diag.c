/* Operational messages: one line per event, nothing from outside can start another, and what repeats
 * is counted. */
#include "base/diag.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"

static int64_t now = INT64_C(1795399800000);

static int64_t test_time(void)
{
	return now;
}

static int captured = -1, before = -1;

static void capture(void)
{
	captured = memfd_create("test-diag", MFD_CLOEXEC);
	before = dup(STDERR_FILENO);
	assert_true(captured >= 0 && before >= 0);
	assert_true(dup2(captured, STDERR_FILENO) >= 0);
}

/* Ends capturing; what was printed. */
static void release(struct buf *out)
{
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	assert_int_equal(lseek(captured, 0, SEEK_SET), 0);
	assert_true(file_read_fd(captured, "messages", out, NULL));
	close(captured);
}

static size_t lines(struct bytes in)
{
	size_t n = 0;

	while (in.len > 0) {
		bytes_cut(&in, '\n');
		n++;
	}
	return n;
}

static void a_line_says_when_who_and_what(void **state)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 100000);
	diag_start("keeper", DIAG_INFO);
	capture();
	diag(DIAG_WARNING, "letter-rejected", "from=%s size=%d", "XR", 5);
	diag(DIAG_DEBUG, "not-printed", "x=1");
	release(&out);
	assert_string_equal(buf_text(&out), "time=2026-11-23T02:10:00.000Z level=warning role=keeper "
					    "event=letter-rejected from=XR size=5\n");
}

static void nothing_from_outside_starts_a_line_or_moves_the_cursor(void **state)
{
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, 100000);
	diag_start("door", DIAG_INFO);
	err_set(&e, ERR_INPUT, REASON_MALFORMED, "bad \n \"x\" level=error \x1b[2J \xff");
	capture();
	diag_err(DIAG_INFO, "forged", &e);
	release(&out);
	assert_int_equal(lines(buf_bytes(&out)), 1);
	assert_null(strchr(buf_text(&out), '\x1b'));
	assert_non_null(strstr(buf_text(&out), "'x'"));
	assert_non_null(strstr(buf_text(&out), "reason=malformed"));
}

static void what_repeats_is_counted_instead_of_printed(void **state)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 100000);
	diag_start("door", DIAG_INFO);
	capture();
	for (unsigned i = 0; i < DIAG_PER_MINUTE_MAX + 13; i++)
		diag(DIAG_INFO, "flood", "n=%u", i);
	diag(DIAG_INFO, "another", "n=1"); /* has a count of its own */
	now += 60000;
	diag(DIAG_INFO, "flood", "n=last");
	release(&out);
	assert_int_equal(lines(buf_bytes(&out)), DIAG_PER_MINUTE_MAX + 2);
	assert_non_null(strstr(buf_text(&out), "event=flood n=last left_out=13\n"));
}

static int start(void **state)
{
	clock_set(test_time);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_when_who_and_what),
		cmocka_unit_test(nothing_from_outside_starts_a_line_or_moves_the_cursor),
		cmocka_unit_test(what_repeats_is_counted_instead_of_printed),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
