/* Death and a full disk at every step of appending, committing, signing, tiles, bundles and checkpoint. Whatever the
 * step: no leaf whose commit was acknowledged is lost or another, no two checkpoints that were signed contradict each
 * other, no published checkpoint is of another tree, and the files become whole again at the next start. */
#include "log/log-internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "store/test-home.h"

#define ORIGIN "xa.example/log"
#define SLOTS 7u
#define SLOT_LEAVES 90u /* two tiles become full on the way */

/* --- a disk that is full for a while --------------------------------------------------------------- */

static long writes_left = -1; /* -1: there is room */

/* The last write that fits is a short one. */
static bool full(size_t *len)
{
	if (writes_left < 0)
		return false;
	if (writes_left == 0) {
		errno = ENOSPC;
		return true;
	}
	if (--writes_left == 0 && *len > 1)
		*len /= 2;
	return false;
}

ssize_t write(int fd, const void *at, size_t len)
{
	return full(&len) ? -1 : (ssize_t)syscall(SYS_write, fd, at, len);
}

ssize_t pwrite64(int fd, const void *at, size_t len, off64_t where)
{
	return full(&len) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, at, len, where);
}

/* Death of a process takes nothing from the kernel: no need to wait for the disk. */
int fdatasync(int fd)
{
	return 0;
}

int fsync(int fd)
{
	return 0;
}

/* --- a home that is only a log --------------------------------------------------------------------- */

struct fixture {
	struct test_home home;
	struct store *s;
	struct log *l;
	int log_fd;
};

static struct sign_key *key;

static size_t entry_write(uint64_t i, char out[static 32])
{
	return (size_t)snprintf(out, 32, "entry %llu", (unsigned long long)i);
}

static bool open_home(struct fixture *f, struct err *e)
{
	if (!store_open(f->home.fd, &f->s, e))
		return false;
	if (log_open(f->s, f->log_fd, ORIGIN, &f->l, e))
		return true;
	store_close(f->s);
	f->s = NULL;
	return false;
}

static void close_home(struct fixture *f)
{
	log_close(f->l);
	store_close(f->s);
	f->l = NULL;
	f->s = NULL;
}

static void make_home(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	home_make(&f->home);
	assert_ok(dir_make(f->home.fd, "log", 0755, e));
	f->log_fd = openat(f->home.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void end_home(struct fixture *f)
{
	close(f->log_fd);
	home_remove(&f->home);
}

/* Lines of what became known outside: "acked SIZE" and "signed SIZE ROOT"; each whole or not there. */
static bool note_down(struct fixture *f, const char *text)
{
	AUTO_FD fd = openat(f->home.fd, "known", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	return fd >= 0 && syscall(SYS_write, fd, text, strlen(text)) == (long)strlen(text);
}

static bool append_slot(struct fixture *f, struct err *e)
{
	char entry[32];

	if (!store_begin(f->s, e))
		return false;
	for (unsigned i = 0; i < SLOT_LEAVES; i++)
		if (!log_append(f->l, bytes_from(entry, entry_write(log_size(f->l), entry)), NULL, NULL, e)) {
			store_rollback(f->s);
			log_rollback(f->l);
			return false;
		}
	if (!log_save(f->l, e)) {
		store_rollback(f->s);
		log_rollback(f->l);
		return false;
	}
	if (!store_commit(f->s, e)) {
		log_rollback(f->l);
		return false;
	}
	log_committed(f->l);
	return true;
}

static bool sign(struct fixture *f, struct buf *note, struct err *e)
{
	struct checkpoint c = { .origin = ORIGIN, .size = log_size(f->l) };
	char hex[65], line[160];
	AUTO_BUF text = { 0 };

	buf_init(&text, 1024);
	log_root(f->l, c.root);
	checkpoint_write(&c, &text);
	if (!note_sign(buf_bytes(&text), ORIGIN, key, note, e))
		return false;
	hex_write(BYTES_ARRAY(c.root), hex);
	snprintf(line, sizeof(line), "signed %llu %s\n", (unsigned long long)c.size, hex);
	return note_down(f, line);
}

static bool sign_and_publish(struct fixture *f, struct err *e)
{
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	return sign(f, &note, e) && log_publish(f->l, buf_bytes(&note), e);
}

static bool one_slot(struct fixture *f, struct err *e)
{
	char line[64];

	if (!append_slot(f, e))
		return false;
	snprintf(line, sizeof(line), "acked %llu\n", (unsigned long long)log_size(f->l));
	return note_down(f, line) && sign_and_publish(f, e);
}

/* --- what must hold ----------------------------------------------------------------------------------- */

static void assert_all_holds(struct fixture *f)
{
	AUTO_BUF known = { 0 };
	struct log_audit a;
	struct note_key log_key;

	buf_init(&known, MIB);
	(void)!file_read(f->home.fd, "known", &known, NULL);
	struct reader r = reader_over(buf_bytes(&known));
	while (reader_left(&r) > 0) {
		struct bytes line = reader_line(&r, 200), word = bytes_cut(&line, ' '), number = bytes_cut(&line, ' ');
		char text[32];
		uint64_t size;
		merkle_hash root, signed_root;
		bytes_text(number, text, sizeof(text));
		size = strtoull(text, NULL, 10);
		assert_true(size <= log_size(f->l));
		if (!bytes_is(word, "signed"))
			continue;
		assert_true(hex_parse(line, signed_root, sizeof(signed_root)));
		assert_ok(log_root_at(f->l, size, root, e));
		assert_memory_equal(root, signed_root, sizeof(root));
	}
	for (uint64_t i = 0; i < log_size(f->l); i++) {
		struct query *q = store_query(f->s, QUERY_log_leaf_range);
		char entry[32];
		bool found;
		query_bind_int(q, 1, (int64_t)i);
		query_bind_int(q, 2, (int64_t)i + 1);
		assert_ok(query_row(q, &found, e));
		assert_true(found && bytes_equal(query_bytes(q, 1), bytes_from(entry, entry_write(i, entry))));
		query_end(q);
	}
	/* The next slot goes on from there, and then the files alone say the same. */
	assert_ok(one_slot(f, e));
	note_key_make(ORIGIN, NOTE_ED25519, sign_key_public(key), &log_key);
	assert_ok(log_audit_files(f->log_fd, &log_key, NULL, NULL, &a, e));
	assert_int_equal(a.leaves, log_size(f->l));
}

/* A published checkpoint is always of the tree that its files give, however it ended. */
static void assert_readers_see_one_tree(struct fixture *f)
{
	struct log_audit a;
	struct note_key log_key;

	if (faccessat(f->log_fd, "checkpoint", F_OK, 0) != 0)
		return;
	note_key_make(ORIGIN, NOTE_ED25519, sign_key_public(key), &log_key);
	assert_ok(log_audit_files(f->log_fd, &log_key, NULL, NULL, &a, e));
}

/* --- kill -9 -------------------------------------------------------------------------------------------- */

/* A child opens, closes slots, ends; true when it was killed on the way. */
static bool child_is_killed(struct fixture *f, const char *point, unsigned number, unsigned slots)
{
	char at[64];
	pid_t pid;
	int status = 0;

	snprintf(at, sizeof(at), "%s:%u", point, number);
	pid = fork();
	if (pid == 0) {
		struct err e;
		setenv("COMITY_CRASH_AT", at, 1);
		if (!open_home(f, &e))
			_exit(1);
		for (unsigned i = 0; i < slots; i++)
			if (!one_slot(f, &e))
				_exit(2);
		close_home(f);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		assert_int_equal(unlinkat(f->home.fd, "store/" CRASHED_FILE, 0), 0);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void dies_at_every(const char *point, unsigned least)
{
	unsigned number = 1;

	for (;; number++) {
		struct fixture f;
		make_home(&f);
		bool killed = child_is_killed(&f, point, number, SLOTS);
		assert_readers_see_one_tree(&f);
		/* Once more while the next start repairs what was left. */
		if (killed && child_is_killed(&f, point, 1 + number % 3, 1))
			assert_readers_see_one_tree(&f);
		assert_ok(open_home(&f, e));
		assert_all_holds(&f);
		close_home(&f);
		end_home(&f);
		if (!killed)
			break;
	}
	if (number <= least)
		fail_msg("only %u deaths at %s", number - 1, point);
	print_message("%s: %u deaths\n", point, number - 1);
}

static void nothing_is_lost_by_death_before_or_after_any_file_gets_its_name(void **state)
{
	dies_at_every("file", 3 * SLOTS);
	dies_at_every("file-done", 3 * SLOTS);
}

static void nothing_is_lost_by_death_while_old_widths_are_removed(void **state)
{
	dies_at_every("log-remove", 4);
}

static void nothing_is_lost_by_death_around_any_commit(void **state)
{
	dies_at_every("keeper-commit", SLOTS - 1);
	dies_at_every("keeper-committed", SLOTS - 1);
}

/* --- no space left -------------------------------------------------------------------------------------- */

/* Every write from the N-th on fails, the one before is cut; then there is room again, and the same process goes on. */
static void a_disk_that_is_full_at_any_write_stops_and_loses_nothing(void **state)
{
	unsigned commits_failed = 0, files_failed = 0;
	bool any_failed = true;

	for (long n = 1; any_failed; n += n < 40 ? 1 : 7) {
		struct fixture f;
		unsigned failed = 0;
		make_home(&f);
		assert_ok(open_home(&f, e));
		assert_ok(one_slot(&f, e));
		writes_left = n;
		for (unsigned i = 0; i < 3; i++) {
			struct err e = { 0 };
			uint64_t before = log_size(f.l);
			if (!one_slot(&f, &e)) {
				failed++;
				*(log_size(f.l) == before ? &commits_failed : &files_failed) += 1;
				assert_int_not_equal(e.text[0], '\0');
			}
		}
		writes_left = -1;
		assert_readers_see_one_tree(&f);
		assert_all_holds(&f);
		close_home(&f);
		assert_ok(open_home(&f, e));
		assert_all_holds(&f);
		close_home(&f);
		end_home(&f);
		any_failed = failed > 0;
	}
	assert_true(commits_failed > 3 && files_failed > 3);
}

/* Cosignatures come when there are newer leaves, and the tiles of the signed size were never written. */
static void shows_no_earlier_checkpoint_without_its_tiles(void **state)
{
	struct fixture f;
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	make_home(&f);
	assert_ok(open_home(&f, e));
	assert_ok(append_slot(&f, e));
	assert_ok(sign(&f, &note, e));
	writes_left = 0;
	assert_false(log_publish_tiles(f.l, NULL));
	writes_left = -1;
	assert_ok(append_slot(&f, e));
	assert_ok(log_publish_tiles(f.l, e));
	assert_ok(log_publish(f.l, buf_bytes(&note), e));
	assert_readers_see_one_tree(&f);
	assert_all_holds(&f);
	close_home(&f);
	end_home(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_by_death_before_or_after_any_file_gets_its_name),
		cmocka_unit_test(nothing_is_lost_by_death_while_old_widths_are_removed),
		cmocka_unit_test(nothing_is_lost_by_death_around_any_commit),
		cmocka_unit_test(a_disk_that_is_full_at_any_write_stops_and_loses_nothing),
		cmocka_unit_test(shows_no_earlier_checkpoint_without_its_tiles),
	};
	key = sign_key_new();
	int status = cmocka_run_group_tests(tests, NULL, NULL);
	sign_key_free(key);
	return status;
}
