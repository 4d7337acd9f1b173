/* For tests: an empty folder that is a home, and its removal. */
#ifndef COMITY_STORE_TEST_HOME_H
#define COMITY_STORE_TEST_HOME_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"

struct test_home {
	char path[PATH_MAX];
	int fd;
};

static inline void home_make(struct test_home *h)
{
	const char *under = getenv("TMPDIR");

	snprintf(h->path, sizeof(h->path), "%s/comity-test-XXXXXX", under == NULL ? "/tmp" : under);
	assert_non_null(mkdtemp(h->path));
	h->fd = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(h->fd >= 0);
}

static inline int home_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static inline void home_remove(struct test_home *h)
{
	close(h->fd);
	nftw(h->path, home_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Prints why, then fails: for calls that must succeed. */
#define assert_ok(call)                                                  \
	do {                                                             \
		struct err assert_e = { 0 };                             \
		struct err *e = &assert_e;                               \
		if (!(call))                                             \
			fail_msg("%s: %s", #call, assert_e.text);        \
	} while (0)
/* For calls that must fail with this reason. */
#define assert_refused(call, wanted)                                     \
	do {                                                             \
		struct err assert_e = { 0 };                             \
		struct err *e = &assert_e;                               \
		if (call)                                                \
			fail_msg("%s: was not refused", #call);          \
		if (assert_e.reason != (wanted))                         \
			fail_msg("%s: %s (%s)", #call, reason_code(assert_e.reason), assert_e.text); \
	} while (0)

#endif
