/* Parcels: small ones inline, large ones through memory that the sender cannot change any more. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "process/parcel.h"

static struct channel *a, *b;

static int begin(void **state)
{
	struct err e = { 0 };
	int pair[2];

	assert_true(channel_pair(pair, &e));
	a = channel_new(pair[0]);
	b = channel_new(pair[1]);
	return 0;
}

static int end(void **state)
{
	channel_free(a);
	channel_free(b);
	return 0;
}

/* Receives one parcel at b; the count of descriptors that came with it, which are closed. */
static bool receive(struct buf *out, size_t *ret_count, struct err *e)
{
	int came[MESSAGE_FDS_MAX], *fds = came;
	size_t nfds = 0;
	AUTO_BUF packet = { 0 };
	bool opened;

	buf_init(&packet, MESSAGE_BYTES_MAX);
	assert_int_equal(channel_receive(b, &packet, came, &nfds, e), CHANNEL_MESSAGE);
	opened = parcel_open(buf_bytes(&packet), &fds, &nfds, out, e);
	*ret_count = nfds;
	for (size_t i = 0; i < nfds; i++)
		close(fds[i]);
	return opened;
}

static void passes(size_t len)
{
	struct err e = { 0 };
	size_t count;
	int zero = 0;
	AUTO_BUF in = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	buf_init(&out, PARCEL_BYTES_MAX);
	if (len > 0) {
		uint8_t *at = buf_room(&in, len);

		for (size_t i = 0; i < len; i++)
			at[i] = (uint8_t)(i * 13 >> 2);
		buf_grown(&in, len);
	}
	assert_true(parcel_send(a, buf_bytes(&in), &zero, 1, &e));
	assert_true(receive(&out, &count, &e));
	assert_true(bytes_equal(buf_bytes(&in), buf_bytes(&out)));
	assert_int_equal(count, 1);
}

static void every_size_up_to_the_limit_arrives(void **state)
{
	passes(0);
	passes(1);
	passes(MESSAGE_BYTES_MAX - 1);
	passes(MESSAGE_BYTES_MAX);
	passes(MESSAGE_BYTES_MAX + 1);
	passes(PARCEL_BYTES_MAX);
}

static void what_is_over_the_limit_is_not_sent(void **state)
{
	uint8_t *at = calloc(1, PARCEL_BYTES_MAX + 1);
	int zeros[MESSAGE_FDS_MAX] = { 0 };
	struct err e = { 0 };

	assert_false(parcel_send(a, bytes_from(at, PARCEL_BYTES_MAX + 1), NULL, 0, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_false(parcel_send(a, bytes_from(at, 1), zeros, PARCEL_FDS_MAX + 1, &e));
	free(at);
}

static void the_receivers_limit_counts(void **state)
{
	struct err e = { 0 };
	uint8_t *at = calloc(1, MIB);
	size_t count;
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB - 1);
	assert_true(parcel_send(a, bytes_from(at, MIB), NULL, 0, &e));
	assert_false(receive(&out, &count, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(out.len, 0);
	free(at);
}

/* A role that was taken over sends something else than memory, or nothing at all. */
static void what_is_no_parcel_is_refused(void **state)
{
	static const uint8_t in_memory = 1, other = 2;
	struct err e = { 0 };
	int ends[2];
	size_t count;
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	assert_int_equal(pipe(ends), 0);
	assert_true(channel_send(a, bytes_from(&in_memory, 1), ends, 1, &e));
	assert_false(receive(&out, &count, &e));
	assert_int_equal(e.reason, REASON_MALFORMED);
	assert_true(channel_send(a, bytes_from(&in_memory, 1), NULL, 0, &e));
	assert_false(receive(&out, &count, &e));
	assert_true(channel_send(a, bytes_from(&other, 1), NULL, 0, &e));
	assert_false(receive(&out, &count, &e));
	assert_true(channel_send(a, bytes_of("\001tail"), ends, 1, &e));
	assert_false(receive(&out, &count, &e));
	close(ends[0]);
	close(ends[1]);
}

static void a_memory_of_any_claimed_size_is_limited(void **state)
{
	static const uint8_t in_memory = 1;
	int fd = memfd_create("huge", MFD_CLOEXEC);
	struct err e = { 0 };
	size_t count;
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_true(channel_send(a, bytes_from(&in_memory, 1), &fd, 1, &e));
	assert_false(receive(&out, &count, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	close(fd);
}

/* In a child: answers each parcel with twice its bytes. */
static void echo_twice(struct channel *ch)
{
	for (;;) {
		struct err e = { 0 };
		int came[MESSAGE_FDS_MAX], *fds = came;
		size_t nfds = 0;
		AUTO_BUF packet = { 0 };
		AUTO_BUF in = { 0 };
		AUTO_BUF out = { 0 };
		enum channel_got got;

		buf_init(&packet, MESSAGE_BYTES_MAX);
		buf_init(&in, PARCEL_BYTES_MAX);
		buf_init(&out, PARCEL_BYTES_MAX);
		got = channel_receive(ch, &packet, came, &nfds, &e);
		if (got == CHANNEL_NOTHING) {
			struct pollfd p = { .fd = channel_fd(ch), .events = POLLIN };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (got != CHANNEL_MESSAGE)
			_exit(0);
		if (!parcel_open(buf_bytes(&packet), &fds, &nfds, &in, &e))
			_exit(1);
		buf_add(&out, buf_bytes(&in));
		buf_add(&out, buf_bytes(&in));
		if (!parcel_send(ch, buf_bytes(&out), NULL, 0, &e))
			_exit(2);
	}
}

static void a_call_gets_its_answer(void **state)
{
	uint8_t *at = calloc(1, MIB);
	struct err e = { 0 };
	int status = 0;
	pid_t pid = fork();
	AUTO_BUF reply = { 0 };

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		channel_free(a);
		echo_twice(b);
	}
	channel_free(b);
	b = NULL;
	buf_init(&reply, PARCEL_BYTES_MAX);
	assert_true(parcel_call(a, bytes_of("ab"), NULL, 0, &reply, 20000, &e));
	assert_true(bytes_is(buf_bytes(&reply), "abab"));
	buf_clear(&reply);
	assert_true(parcel_call(a, bytes_from(at, MIB), NULL, 0, &reply, 20000, &e));
	assert_int_equal(reply.len, 2 * MIB);
	free(at);
	channel_free(a);
	a = NULL;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_call_to_nobody_fails(void **state)
{
	struct err e = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PARCEL_BYTES_MAX);
	assert_false(parcel_call(a, bytes_of("ab"), NULL, 0, &reply, 1, &e));
	assert_int_equal(e.reason, REASON_UNAVAILABLE);
	channel_free(b);
	b = NULL;
	assert_false(parcel_call(a, bytes_of("ab"), NULL, 0, &reply, 20000, &e));
	assert_int_equal(e.reason, REASON_UNAVAILABLE);
}

#define WITH_PAIR(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(every_size_up_to_the_limit_arrives), WITH_PAIR(what_is_over_the_limit_is_not_sent),
		WITH_PAIR(the_receivers_limit_counts),	       WITH_PAIR(what_is_no_parcel_is_refused),
		WITH_PAIR(a_memory_of_any_claimed_size_is_limited), WITH_PAIR(a_call_gets_its_answer),
		WITH_PAIR(a_call_to_nobody_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
