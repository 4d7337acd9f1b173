/* Death at every file, and a full disk at every write, while acts and openings are published and while a recovery brings
 * them back. Readers never see an index that names what is not there, and nothing that was to be published stays away. */
#include "exchange/test-log-audit.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/crash.h"
#include "exchange/recover.h"
#include "log/published.h"

static struct world w;
static struct said acts[2];

/* --- a disk that is full for a while --------------------------------------------------------------- */

static long writes_left = -1; /* -1: there is room */

ssize_t write(int fd, const void *at, size_t len)
{
	if (writes_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	/* The last write that fits is a short one. */
	if (writes_left > 0 && --writes_left == 0 && len > 1)
		len /= 2;
	return (ssize_t)syscall(SYS_write, fd, at, len);
}

int fdatasync(int fd)
{
	return 0;
}

int fsync(int fd)
{
	return 0;
}

/* --- what readers see --------------------------------------------------------------------------------- */

static size_t openings_named(struct home *h, const struct log_source *s, const struct act *a)
{
	uint8_t digest[SHA256_BYTES], said[SHA256_BYTES];
	char path[32];
	AUTO_BUF file = { 0 };

	buf_init(&file, OPENINGS_BYTES_MAX);
	snprintf(path, sizeof(path), "openings/%.12s", json_text(a->statement->body, "period"));
	assert_ok(s->fetch(s->ctx, path, OPENINGS_BYTES_MAX, &file, e));
	sha256(buf_bytes(&file), digest);
	assert_true(hex_parse(json_bytes(a->statement->body, "digest"), said, sizeof(said)));
	assert_memory_equal(digest, said, sizeof(said));
	return 1;
}

struct seen {
	size_t requests, openings;
};

/* Every line of the index is of an act that verifies, and the openings that one names are there. */
static struct seen readers_see(struct home *h, const struct note_key *log_key)
{
	AUTO_FD fd = openat(h->dir.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log_source s = log_source_folder(fd);
	struct seen seen = { 0 };
	struct err why = { 0 };
	AUTO_PUBLISHED *p = NULL;

	if (!published_read(&s, &p, &why)) {
		assert_int_equal(why.kind, ERR_NOT_FOUND);
		return seen;
	}
	for (size_t i = 0; i < published_count(p); i++) {
		struct checkpoint c;
		uint64_t index;
		AUTO_ACT *a = NULL;
		assert_ok(published_act(&s, published_at(p, i), log_key, &a, &c, &index, e));
		seen.requests += strcmp(a->statement->kind->name, "preservation-request") == 0;
		if (strcmp(a->statement->kind->name, "class-openings") == 0)
			seen.openings += openings_named(h, &s, a);
	}
	return seen;
}

/* --- publishing ------------------------------------------------------------------------------------------ */

/* A quarter is opened and two acts are published. */
static bool work(struct home *h, struct err *e)
{
	for (int i = 0; i < 4; i++) {
		the_time += SLOT_MS;
		if (!node_slot(h->node, the_time, e))
			return false;
		while (h->node->openings_due)
			if (!openings_portion(h->node, the_time, e))
				return false;
	}
	return true;
}

static void back_up(struct home *h)
{
	AUTO_FD backup = openat(h->dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_ok(store_backup(h->node->store, backup, true, NULL, NULL, e));
}

/* With a backup, after which one more act is published. */
static void prepare(struct note_key *log_key, bool backup)
{
	world_begin(&w);
	for (size_t i = 0; i < 2; i++)
		acts[i] = say_request(&w.xa, "XR");
	slot(&w.xa);
	for (size_t i = 0; i < 2; i++)
		IN(&w.xa, publish_act(w.xa.node, acts[i].hash, e));
	*log_key = w.xa.node->identity.log;
	if (backup) {
		back_up(&w.xa);
		acts[1] = say_request(&w.xa, "XR");
		IN(&w.xa, publish_act(w.xa.node, acts[1].hash, e));
	}
	time_jumps("2027-04-01T08:00:00.000Z");
}

/* The home is closed, and a child does this with it; true when it was killed at that point. */
static bool child_is_killed(struct home *h, const char *point, unsigned number, bool (*child)(struct home *h, struct err *e))
{
	char at[64];
	int status = 0;
	pid_t pid;

	snprintf(at, sizeof(at), "%s:%u", point, number);
	home_close(h);
	pid = fork();
	if (pid == 0) {
		setenv("COMITY_CRASH_AT", at, 1);
		_exit(child(h, NULL) ? 0 : 2);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	the_time += 10 * SLOT_MS;
	if (!WIFSIGNALED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(unlinkat(h->dir.fd, "store/" CRASHED_FILE, 0), 0);
	return true;
}

static bool opens_and_works(struct home *h, struct err *e)
{
	return signer_open(h, false, e) && node_open_at(h, e) && work(h, e);
}

/* From point `number` on, every step-th of them. */
static void dies_at_every(const char *point, unsigned number, unsigned step)
{
	unsigned deaths = 0;
	bool killed = true;

	while (killed) {
		struct note_key log_key;
		prepare(&log_key, false);
		killed = child_is_killed(&w.xa, point, number, opens_and_works);
		number += step;
		deaths += killed;
		(void)readers_see(&w.xa, &log_key);
		home_open(&w.xa);
		assert_ok(work(&w.xa, e));
		struct seen seen = readers_see(&w.xa, &log_key);
		assert_int_equal(seen.requests, 2);
		assert_int_equal(seen.openings, 1);
		world_end(&w);
	}
	assert_true(deaths * step > 12);
	print_message("%s: %u deaths\n", point, deaths);
}

static void death_at_any_file_leaves_no_index_of_what_is_not_there(void **state)
{
	dies_at_every("file", 1, 1);
	/* What follows a file that has its name is mostly the next file. */
	dies_at_every("file-done", 1, 3);
}

static void a_full_disk_at_any_write_stops_publishing_and_loses_nothing(void **state)
{
	bool failed = true;
	unsigned failures = 0;

	for (long n = 0; failed; n += n < 6 ? 1 : 4) {
		struct note_key log_key;
		struct err why = { 0 };
		prepare(&log_key, false);
		writes_left = n;
		failed = !work(&w.xa, &why) || why.text[0] != '\0'; /* openings are tried again later */
		writes_left = -1;
		failures += failed;
		assert_int_equal(failed, why.text[0] != '\0');
		the_time += 3600000;
		(void)readers_see(&w.xa, &log_key);
		assert_ok(work(&w.xa, e));
		struct seen seen = readers_see(&w.xa, &log_key);
		assert_int_equal(seen.requests, 2);
		assert_int_equal(seen.openings, 1);
		world_end(&w);
	}
	assert_true(failures > 5);
}

/* --- a recovery ---------------------------------------------------------------------------------------------- */

static bool recovers(struct home *h, struct err *e)
{
	struct recovered back;

	return signer_open(h, true, e) && node_open_at(h, e) && node_recover(h->node, NULL, &back, e);
}

/* The store of the empty log, and all that was signed and published since as files. */
static void lose_the_store(struct home *h)
{
	static const char *const files[] = { "comity.db", "keys.db" };
	AUTO_BUF in = { 0 };

	buf_init(&in, 64 * MIB);
	home_close(h);
	for (size_t i = 0; i < 2; i++) {
		char from[40], to[40], wal[44];
		snprintf(from, sizeof(from), "backup/%s", files[i]);
		snprintf(to, sizeof(to), "store/%s", files[i]);
		snprintf(wal, sizeof(wal), "%s-wal", to);
		buf_clear(&in);
		assert_ok(file_read(h->dir.fd, from, &in, e));
		(void)unlinkat(h->dir.fd, wal, 0);
		write_file(h, to, buf_bytes(&in));
	}
	assert_int_equal(renameat(h->dir.fd, "log", h->dir.fd, RECOVER_FOLDER), 0);
	assert_ok(dir_make(h->dir.fd, "log", 0700, e));
	assert_ok(signer_open(h, true, e));
	assert_ok(node_open_at(h, e));
}

static void recovery_dies_at_every(const char *point)
{
	bool killed = true;
	unsigned number = 0;

	while (killed) {
		struct note_key log_key;
		struct recovered back;
		struct seen seen;
		prepare(&log_key, true);
		assert_ok(work(&w.xa, e));
		uint64_t size = log_size(w.xa.node->log);
		lose_the_store(&w.xa);
		killed = child_is_killed(&w.xa, point, ++number, recovers);
		(void)readers_see(&w.xa, &log_key);
		assert_ok(signer_open(&w.xa, true, e));
		assert_ok(node_open_at(&w.xa, e));
		assert_ok(node_recover(w.xa.node, NULL, &back, e));
		assert_int_equal(log_size(w.xa.node->log), size);
		seen = readers_see(&w.xa, &log_key);
		assert_int_equal(seen.requests, 3);
		assert_int_equal(seen.openings, 1);
		world_end(&w);
	}
	assert_true(number > 2);
	print_message("recovery, %s: %u deaths\n", point, number - 1);
}

static void a_recovery_that_dies_is_made_again(void **state)
{
	recovery_dies_at_every("file");
	recovery_dies_at_every("file-done");
	recovery_dies_at_every("keeper-commit");
	recovery_dies_at_every("keeper-committed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_at_any_file_leaves_no_index_of_what_is_not_there),
		cmocka_unit_test(a_full_disk_at_any_write_stops_publishing_and_loses_nothing),
		cmocka_unit_test(a_recovery_that_dies_is_made_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
