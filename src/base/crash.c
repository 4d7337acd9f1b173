/* One point of one process can be armed; what is not armed costs a comparison with nought. */
#include "base/crash.h"

#ifdef COMITY_CRASH_TESTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/num.h"

#define NAME_BYTES_MAX 40u

static char armed[NAME_BYTES_MAX];
static uint64_t at, seen; /* at 0: nothing is armed */
static int mark = -1;

void crash_disarm(void)
{
	at = seen = 0;
	fd_close_at(&mark);
}

void crash_arm(int mark_fd)
{
	const char *text = getenv("COMITY_CRASH_AT");
	struct bytes rest = bytes_of(text);
	struct bytes name = bytes_cut(&rest, ':');

	crash_disarm();
	if (name.len == 0 || name.len >= sizeof(armed) || rest.len == 0 ||
	    faccessat(mark_fd, CRASHED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    !num_parse_u64((const char *)rest.at, UINT64_MAX, &at))
		return;
	bytes_text(name, armed, sizeof(armed));
	mark = fcntl(mark_fd, F_DUPFD_CLOEXEC, 0);
}

void crash_point(const char *name)
{
	if (at == 0 || strcmp(name, armed) != 0 || ++seen != at)
		return;
	AUTO_FD fd = openat(mark, CRASHED_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		raise(SIGKILL);
}

#endif
