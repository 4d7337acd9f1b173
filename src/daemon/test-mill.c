/* The mill between real descriptors: files and pipes, several jobs at once. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/mill-messages.h"
#include "daemon/mill.h"
#include "process/parcel.h"

#define PLAIN_BYTES 3000000u
#define ANSWERS_MAX 64

static struct loop *loop;
static struct mill *mill;
static struct channel *to_mill;
static struct mill_message answers[ANSWERS_MAX];
static size_t answer_count;
static bool closed_seen;
static struct seal_identity *identity;
static struct age_recipient recipient;

static void answered(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct mill_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, 64 * KIB);
	assert_true(parcel_open(packet, &fds, &nfds, &in, &e));
	assert_true(mill_message_parse(buf_bytes(&in), &m, &e));
	if (m.type != MILL_DONE)
		return;
	m.error = (struct bytes){ 0 };
	assert_true(answer_count < ANSWERS_MAX);
	answers[answer_count++] = m;
}

static void lost(void *ctx, const struct err *why)
{
	channel_free(to_mill);
	to_mill = NULL;
}

static void mill_closed(void *ctx)
{
	closed_seen = true;
}

static int begin(void **state)
{
	static const struct channel_calls calls = { .message = answered, .closed = lost };
	struct mill_options o = { .closed = mill_closed };
	struct err e = { 0 };
	int pair[2];

	loop = o.loop = loop_new();
	assert_true(channel_pair(pair, &e));
	o.keeper_fd = pair[1];
	assert_true(mill_new(&o, &mill, &e));
	to_mill = channel_new(pair[0]);
	assert_true(channel_watch(to_mill, loop, &calls, NULL, &e));
	answer_count = 0;
	closed_seen = false;
	identity = seal_identity_new();
	seal_identity_recipient(identity, &recipient);
	return 0;
}

static int end(void **state)
{
	channel_free(to_mill);
	to_mill = NULL;
	mill_free(mill);
	loop_free(loop);
	seal_identity_free(identity);
	return 0;
}

static void send(enum mill_message_type type, uint64_t job, const uint8_t key[static AGE_FILE_KEY_BYTES], int in, int out)
{
	struct mill_message m = { .type = type, .job = job, .recipients = { recipient }, .recipient_count = 1 };
	int fds[] = { in, out };
	struct err e = { 0 };
	AUTO_BUF_WIPE msg = { 0 };

	buf_init(&msg, 64 * KIB);
	memcpy(m.file_key, key, AGE_FILE_KEY_BYTES);
	mill_message_write(&m, &msg);
	assert_true(parcel_send(to_mill, buf_bytes(&msg), fds, out < 0 ? 1 : 2, &e));
}

static void turn_until(size_t count)
{
	int64_t end_us = clock_monotonic_us() + INT64_C(60000000);
	struct err e = { 0 };

	while (answer_count < count) {
		assert_true(clock_monotonic_us() < end_us);
		assert_true(loop_turn(loop, 1000000, &e));
	}
}

static int plain_file(void)
{
	static uint8_t at[PLAIN_BYTES];
	struct err e = { 0 };
	int fd = memfd_create("plain", MFD_CLOEXEC);

	for (size_t i = 0; i < sizeof(at); i++)
		at[i] = (uint8_t)(i * 7 >> 3);
	assert_true(fd >= 0 && file_write_all(fd, BYTES_ARRAY(at), &e));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static const uint8_t key[AGE_FILE_KEY_BYTES] = { 1, 2, 3 };

static void what_it_seals_it_opens_with_the_same_totals(void **state)
{
	int plain = plain_file(), sealed = memfd_create("sealed", MFD_CLOEXEC), again = memfd_create("again", MFD_CLOEXEC);
	uint8_t a[4096], b[4096];

	send(MILL_SEAL, 1, key, plain, sealed);
	turn_until(1);
	assert_true(answers[0].ok);
	assert_int_equal(answers[0].totals.plain_bytes, PLAIN_BYTES);
	assert_int_equal(lseek(sealed, 0, SEEK_CUR), (off_t)answers[0].totals.sealed_bytes);
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	send(MILL_OPEN, 2, key, sealed, again);
	turn_until(2);
	assert_true(answers[1].ok);
	assert_memory_equal(&answers[0].totals, &answers[1].totals, sizeof(answers[0].totals));
	for (off_t at = 0; at < (off_t)PLAIN_BYTES; at += (off_t)sizeof(a)) {
		ssize_t one = pread(plain, a, sizeof(a), at), two = pread(again, b, sizeof(b), at);

		assert_int_equal(one, two);
		assert_memory_equal(a, b, (size_t)one);
	}
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	send(MILL_CHECK, 3, key, sealed, -1);
	turn_until(3);
	assert_true(answers[2].ok);
	assert_memory_equal(&answers[0].totals, &answers[2].totals, sizeof(answers[0].totals));
	close(plain);
	close(sealed);
	close(again);
}

static void a_broken_seal_is_told_with_its_reason(void **state)
{
	int plain = plain_file(), sealed = memfd_create("sealed", MFD_CLOEXEC);
	uint8_t byte;

	send(MILL_SEAL, 1, key, plain, sealed);
	turn_until(1);
	assert_true(answers[0].ok);
	assert_int_equal(pread(sealed, &byte, 1, 200000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(sealed, &byte, 1, 200000), 1);
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	send(MILL_CHECK, 2, key, sealed, -1);
	turn_until(2);
	assert_false(answers[1].ok);
	assert_int_equal(answers[1].reason, REASON_SEAL_BROKEN);
	close(plain);
	close(sealed);
}

static void more_jobs_than_threads_all_end(void **state)
{
	enum { JOBS = 12 };
	int sealed[JOBS], plain[JOBS];
	uint64_t seen = 0;

	for (size_t i = 0; i < JOBS; i++) {
		plain[i] = plain_file();
		sealed[i] = memfd_create("sealed", MFD_CLOEXEC);
		send(MILL_SEAL, i, key, plain[i], sealed[i]);
	}
	turn_until(JOBS);
	for (size_t i = 0; i < JOBS; i++) {
		assert_true(answers[i].ok);
		seen |= UINT64_C(1) << answers[i].job;
		close(plain[i]);
		close(sealed[i]);
	}
	assert_int_equal(seen, (1u << JOBS) - 1);
}

static void a_pipe_is_read_to_its_end(void **state)
{
	int ends[2], sealed = memfd_create("sealed", MFD_CLOEXEC);
	struct err e = { 0 };

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	send(MILL_SEAL, 1, key, ends[0], sealed);
	close(ends[0]);
	assert_true(loop_turn(loop, 1000000, &e));
	assert_true(file_write_all(ends[1], bytes_of("through a pipe"), &e));
	close(ends[1]);
	turn_until(1);
	assert_true(answers[0].ok);
	assert_int_equal(answers[0].totals.plain_bytes, 14);
	close(sealed);
}

static void a_job_without_descriptors_is_refused(void **state)
{
	struct mill_message m = { .type = MILL_OPEN, .job = 5 };
	struct err e = { 0 };
	AUTO_BUF msg = { 0 };

	buf_init(&msg, 64 * KIB);
	mill_message_write(&m, &msg);
	assert_true(parcel_send(to_mill, buf_bytes(&msg), NULL, 0, &e));
	turn_until(1);
	assert_false(answers[0].ok);
	assert_int_equal(answers[0].reason, REASON_BAD_ARGUMENT);
}

static void it_notices_that_the_keeper_has_gone(void **state)
{
	struct err e = { 0 };

	channel_free(to_mill);
	to_mill = NULL;
	for (int i = 0; i < 100 && !closed_seen; i++)
		assert_true(loop_turn(loop, 1000000, &e));
	assert_true(closed_seen);
}

#define WITH_MILL(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MILL(what_it_seals_it_opens_with_the_same_totals),
		WITH_MILL(a_broken_seal_is_told_with_its_reason),
		WITH_MILL(more_jobs_than_threads_all_end),
		WITH_MILL(a_pipe_is_read_to_its_end),
		WITH_MILL(a_job_without_descriptors_is_refused),
		WITH_MILL(it_notices_that_the_keeper_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
