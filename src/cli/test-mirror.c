/* A mirror that dies or runs out of space at any file: whoever reads the copy sees a whole log or none, and the next round
 * goes on and ends where an undisturbed one would. */
#include "log/test-grown.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/crash.h"
#include "base/file.h"
#include "cli/mirror.h"

static long writes_left = -1; /* -1: there is room */

ssize_t write(int fd, const void *at, size_t len)
{
	if (writes_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (writes_left > 0 && --writes_left == 0 && len > 1)
		len /= 2;
	return (ssize_t)syscall(SYS_write, fd, at, len);
}

int fsync(int fd)
{
	return 0;
}

int syncfs(int fd)
{
	return 0;
}

struct copied {
	struct grown log;
	struct test_home home; /* of the copy */
	char from[600], to[600];
	struct watched_place watched;
};

static void begin(struct copied *c, uint64_t leaves)
{
	*c = (struct copied){ .from = "" };
	grown_begin(&c->log, "entry");
	grown_append(&c->log, leaves);
	grown_publish(&c->log);
	home_make(&c->home);
	snprintf(c->from, sizeof(c->from), "/proc/self/fd/%d/log", c->log.home.fd);
	snprintf(c->to, sizeof(c->to), "/proc/self/fd/%d/copy", c->home.fd);
	c->watched = (struct watched_place){ .key = c->log.key, .target = c->from };
}

static void end(struct copied *c)
{
	home_remove(&c->home);
	grown_end(&c->log);
}

static bool round_of(struct copied *c, struct err *e)
{
	struct mirror m;
	bool ok = mirror_open(&m, &c->watched, c->to, NULL, e) && mirror_round(&m, true, e);

	mirror_close(&m);
	return ok;
}

/* A checkpoint in the copy is of files that are all there. */
static uint64_t readers_see(struct copied *c)
{
	AUTO_FD fd = openat(c->home.fd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log_audit a;

	if (fd < 0 || faccessat(fd, "checkpoint", F_OK, 0) != 0)
		return 0;
	assert_ok(log_audit_files(fd, &c->log.key, NULL, NULL, &a, e));
	return a.leaves;
}

/* As the log itself has them, so that a server of the copy can send them compressed. */
static void assert_compressed(struct copied *c)
{
	for (uint64_t i = 0; i < log_size(c->log.l) / 256; i++) {
		char name[80];
		AUTO_BUF own = { 0 }, copy = { 0 };

		buf_init(&own, MIB);
		buf_init(&copy, MIB);
		snprintf(name, sizeof(name), "log/tile/entries/%03u.gz", (unsigned)i);
		assert_ok(file_read(c->log.home.fd, name, &own, e));
		snprintf(name, sizeof(name), "copy/tile/entries/%03u.gz", (unsigned)i);
		assert_ok(file_read(c->home.fd, name, &copy, e));
		assert_true(bytes_equal(buf_bytes(&own), buf_bytes(&copy)));
	}
}

static bool child_is_killed(struct copied *c, const char *point, unsigned number)
{
	char at[64];
	int status = 0;
	pid_t pid;

	snprintf(at, sizeof(at), "%s:%u", point, number);
	pid = fork();
	if (pid == 0) {
		setenv("COMITY_CRASH_AT", at, 1);
		crash_arm(c->home.fd);
		_exit(round_of(c, NULL) ? 0 : 2);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(unlinkat(c->home.fd, CRASHED_FILE, 0), 0);
	return true;
}

static void dies_at_every(const char *point, bool grows)
{
	bool killed = true;
	unsigned number = 0;

	while (killed) {
		struct copied c;
		begin(&c, 300);
		if (grows) { /* tiles become full, and their unfinished ones go */
			assert_ok(round_of(&c, e));
			grown_append(&c.log, 500);
			grown_publish(&c.log);
		}
		killed = child_is_killed(&c, point, ++number);
		uint64_t seen = readers_see(&c);
		assert_true(seen == (grows ? 300 : 0) || seen == log_size(c.log.l));
		assert_ok(round_of(&c, e));
		assert_int_equal(readers_see(&c), log_size(c.log.l));
		assert_compressed(&c);
		end(&c);
	}
	assert_true(number > 6);
}

static void death_at_any_file_leaves_a_whole_log_or_none(void **state)
{
	dies_at_every("file", false);
	dies_at_every("file-done", false);
	dies_at_every("file", true);
	dies_at_every("file-done", true);
}

static void a_full_disk_at_any_write_leaves_a_whole_log_or_none(void **state)
{
	bool failed = true;
	long n = 0;

	for (; failed; n++) {
		struct copied c;
		struct err why = { 0 };
		begin(&c, 300);
		assert_ok(round_of(&c, e));
		grown_append(&c.log, 500);
		grown_publish(&c.log);
		writes_left = n;
		failed = !round_of(&c, &why);
		writes_left = -1;
		assert_int_equal(failed, why.text[0] != '\0');
		uint64_t seen = readers_see(&c);
		assert_true(seen == 300 || seen == log_size(c.log.l));
		assert_ok(round_of(&c, e));
		assert_int_equal(readers_see(&c), log_size(c.log.l));
		assert_compressed(&c);
		end(&c);
	}
	assert_true(n > 6);
}

/* As after a restore, where our own newer files lie in the folder that a mirror is brought to. */
static void a_checkpoint_that_is_there_is_not_replaced_by_a_smaller_one(void **state)
{
	struct copied c;
	char old[600];
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	begin(&c, 300);
	assert_ok(round_of(&c, e));
	/* That copy is the mirror now; a later one is in the folder. */
	memcpy(old, c.to, sizeof(old));
	snprintf(c.to, sizeof(c.to), "/proc/self/fd/%d/newer", c.home.fd);
	grown_append(&c.log, 100);
	grown_publish(&c.log);
	assert_ok(round_of(&c, e));
	assert_int_equal(unlinkat(c.home.fd, "newer/.mirror-state", 0), 0);
	c.watched.target = old;
	assert_ok(round_of(&c, e));
	assert_ok(file_read(c.home.fd, "newer/checkpoint", &note, e));
	assert_non_null(strstr(buf_text(&note), GROWN_ORIGIN "\n400\n"));
	/* And one that contradicts it is refused. */
	struct copied other;
	grown_begin_as(&other.log, "another", c.log.k);
	grown_append(&other.log, 450);
	grown_publish(&other.log);
	snprintf(old, sizeof(old), "/proc/self/fd/%d/log", other.log.home.fd);
	assert_int_equal(unlinkat(c.home.fd, "newer/.mirror-state", 0), 0);
	assert_refused(round_of(&c, e), REASON_SPLIT_VIEW);
	grown_end(&other.log);
	end(&c);
}

/* What a signal cut short was not looked for everywhere, so it cannot be said that it is nowhere. */
static void a_retired_log_is_not_called_gone_by_who_was_stopped(void **state)
{
	struct watch_list w = { .parties = register_new() };
	struct watched_place log = { .key = { .name = "log.example" } };
	struct log_source s;
	struct err why = { 0 };

	assert_false(watch_find_retired(&w, &log, NULL, &s, &why));
	assert_int_equal(why.kind, ERR_NOT_FOUND);
	watch_stop = 1;
	assert_false(watch_find_retired(&w, &log, NULL, &s, &why));
	watch_stop = 0;
	assert_int_equal(why.kind, ERR_UNAVAILABLE);
	watch_list_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_at_any_file_leaves_a_whole_log_or_none),
		cmocka_unit_test(a_full_disk_at_any_write_leaves_a_whole_log_or_none),
		cmocka_unit_test(a_retired_log_is_not_called_gone_by_who_was_stopped),
		cmocka_unit_test(a_checkpoint_that_is_there_is_not_replaced_by_a_smaller_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
