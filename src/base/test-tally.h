/* For tests with published vectors: each file is counted case by case, and its line is printed also when a case failed. */
#ifndef COMITY_BASE_TEST_TALLY_H
#define COMITY_BASE_TEST_TALLY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

struct tally {
	unsigned passed, failed, skipped;
};

static inline bool tally_case(struct tally *t, bool ok, const char *what)
{
	if (ok) {
		t->passed++;
	} else {
		t->failed++;
		printf("  failed: %s\n", what);
	}
	return ok;
}

/* why: what was skipped, or how to read the counts; NULL: nothing to say, then nothing may be skipped. */
static inline void tally_print(const struct tally *t, const char *file, const char *why)
{
	printf("%s: %u passed, %u failed, %u skipped%s%s%s\n", file, t->passed, t->failed, t->skipped, why != NULL ? " (" : "",
	       why != NULL ? why : "", why != NULL ? ")" : "");
}

/* The end of a test about one file. */
static inline void tally_end(const struct tally *t, const char *file, const char *why)
{
	tally_print(t, file, why);
	assert_int_equal(t->failed, 0);
	assert_true(t->passed + t->skipped > 0 && (t->skipped == 0 || why != NULL));
}

/* A file of one case. */
static inline void tally_file(struct tally *sum, const char *file, bool ok, const char *why)
{
	struct tally one = { 0 };

	tally_case(&one, ok, file);
	tally_print(&one, file, why);
	sum->passed += one.passed;
	sum->failed += one.failed;
}

/* A file that nothing here can read, or need read. */
static inline void tally_unread(const char *file, unsigned cases, const char *why)
{
	tally_print(&(struct tally){ .skipped = cases }, file, why);
}

#endif
