/* Death and a full disk while the signer writes down what it is about to sign. The cell is durable before the note exists,
 * so whatever the step: what was signed is remembered, two checkpoints never contradict each other, and the log goes on. */
#include "exchange/test-carry.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/crash.h"
#include "exchange/signing.h"

static struct world w;

/* --- a cell that is cut ------------------------------------------------------------------------------ */

static int cell = -1;            /* writes to this one */
static long cut = -1;            /* are cut after so many bytes; -1: not */
static bool dies, sync_fails;    /* and then the process ends; or the disk cannot keep them */

ssize_t pwrite64(int fd, const void *at, size_t len, off64_t where)
{
	if (fd != cell || cut < 0)
		return (ssize_t)syscall(SYS_pwrite64, fd, at, len, where);
	ssize_t done = cut > 0 ? (ssize_t)syscall(SYS_pwrite64, fd, at, (size_t)cut < len ? (size_t)cut : len, where) : 0;
	if (dies)
		raise(SIGKILL);
	errno = ENOSPC;
	return done > 0 ? done : -1;
}

/* Death of a process takes nothing from the kernel: no need to wait for the disk. */
int fdatasync(int fd)
{
	if (fd == cell && sync_fails) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int fsync(int fd)
{
	return 0;
}

/* --- what became known outside ------------------------------------------------------------------------- */

/* "SIZE ROOT" of a note that the signer gave away; whole or not there. */
static void known_add(struct home *h)
{
	AUTO_FD fd = openat(h->dir.fd, "known", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	const struct checkpoint *c = &h->node->checkpoint;
	char line[160], hex[2 * SHA256_BYTES + 1];

	hex_write(BYTES_ARRAY(c->root), hex);
	snprintf(line, sizeof(line), "%llu %s\n", (unsigned long long)c->size, hex);
	if (fd < 0 || syscall(SYS_write, fd, line, strlen(line)) != (long)strlen(line))
		_exit(3);
}

/* Nothing that was signed is forgotten or of another tree; the signer is not behind the world, and signs what follows. */
static void assert_all_holds(struct home *h)
{
	uint64_t newest = 0;
	AUTO_BUF known = { 0 };

	buf_init(&known, MIB);
	(void)!file_read(h->dir.fd, "known", &known, NULL);
	struct reader r = reader_over(buf_bytes(&known));
	while (reader_left(&r) > 0) {
		struct bytes line = reader_line(&r, 200), number = bytes_cut(&line, ' ');
		char text[32];
		merkle_hash root, signed_root;
		bytes_text(number, text, sizeof(text));
		newest = strtoull(text, NULL, 10);
		assert_true(hex_parse(line, signed_root, sizeof(signed_root)));
		assert_true(newest <= log_size(h->node->log));
		assert_ok(log_root_at(h->node->log, newest, root, e));
		assert_memory_equal(root, signed_root, sizeof(root));
	}
	assert_false(h->node->locked);
	assert_true(signing_last(h->signing)->size >= newest);
	uint64_t before = signing_last(h->signing)->size;
	slot(h);
	assert_int_equal(signing_last(h->signing)->size, log_size(h->node->log));
	assert_true(log_size(h->node->log) > before);
	known_add(h);
}

/* --- death -------------------------------------------------------------------------------------------- */

/* A child goes on with the home, closing slots; true when it was killed. `begin` is called when the home is open. */
static bool child_is_killed(struct home *h, void (*begin)(struct home *h))
{
	int status = 0;
	pid_t pid;

	home_close(h);
	pid = fork();
	if (pid == 0) {
		if (!signer_open(h, false, NULL) || !node_open_at(h, NULL))
			_exit(1);
		begin(h);
		for (unsigned i = 0; i < 3; i++) {
			the_time += SLOT_MS;
			if (!node_slot(h->node, the_time, NULL))
				_exit(2);
			known_add(h);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	the_time += 4 * SLOT_MS;
	(void)unlinkat(h->dir.fd, "store/" CRASHED_FILE, 0);
	home_open(h);
	if (!WIFSIGNALED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	return true;
}

static char point[64];

static void armed(struct home *h)
{
	AUTO_FD store = openat(h->dir.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	setenv("COMITY_CRASH_AT", point, 1);
	crash_arm(store);
}

static void dies_at(const char *name)
{
	for (unsigned number = 1; number <= 3; number++) {
		snprintf(point, sizeof(point), "%s:%u", name, number);
		assert_true(child_is_killed(&w.xa, armed));
		assert_all_holds(&w.xa);
	}
}

static void death_before_after_and_between_cell_and_note_loses_nothing(void **state)
{
	world_begin(&w);
	dies_at("cell-write");
	dies_at("cell-written");
	world_end(&w);
}

static void torn(struct home *h)
{
	cell = h->cell_fd;
	dies = true;
}

/* Power goes after any byte of the cell: the other place is whole, and nothing was signed with the new one. */
static void death_after_any_byte_of_the_cell_loses_nothing(void **state)
{
	world_begin(&w);
	slot(&w.xa);
	for (cut = 0; cut <= 120; cut += cut < 16 ? 1 : 13) {
		uint64_t size = signing_last(w.xa.signing)->size;
		assert_true(child_is_killed(&w.xa, torn));
		/* The child had the store committed, and nothing signed, or all of the cell was there before it died: the start
		 * signs nothing more, the first slot after it does. */
		uint64_t after = signing_last(w.xa.signing)->size;
		assert_true(after == size || after == size + 4);
		assert_int_equal(w.xa.node->checkpoint.size, after);
		assert_int_equal(log_size(w.xa.node->log), size + 4);
		long was = cut;
		cut = -1;
		assert_all_holds(&w.xa);
		cut = was;
	}
	cut = -1;
	world_end(&w);
}

/* --- no space left, and a disk that does not keep ----------------------------------------------------------- */

static void a_cell_that_cannot_be_written_signs_nothing_and_the_same_process_goes_on(void **state)
{
	world_begin(&w);
	slot(&w.xa);
	for (int round = 0; round < 8; round++) {
		const struct checkpoint before = *signing_last(w.xa.signing), note = w.xa.node->checkpoint;
		struct err why = { 0 };
		cell = w.xa.cell_fd;
		cut = round % 4 == 3 ? -1 : round % 4 * 40;
		sync_fails = cut < 0;
		the_time += SLOT_MS;
		assert_false(node_slot(w.xa.node, the_time, &why));
		assert_non_null(strstr(why.text, "cannot write the cell of the last checkpoint"));
		assert_memory_equal(signing_last(w.xa.signing), &before, sizeof(before));
		assert_memory_equal(&w.xa.node->checkpoint, &note, sizeof(note));
		cut = -1;
		sync_fails = false;
		/* A start in between, every second time. */
		if (round % 2 == 1) {
			home_close(&w.xa);
			home_open(&w.xa);
		}
		assert_all_holds(&w.xa);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_before_after_and_between_cell_and_note_loses_nothing),
		cmocka_unit_test(death_after_any_byte_of_the_cell_loses_nothing),
		cmocka_unit_test(a_cell_that_cannot_be_written_signs_nothing_and_the_same_process_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
