/* Messages between two roles: borders kept, descriptors never leaked, limits held at both ends. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "process/channel.h"

static struct channel *a, *b;
static int raw; /* the same socket as a's end */
static int open_before;

static int fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static int begin(void **state)
{
	struct err e = { 0 };
	int pair[2];

	open_before = fds_open();
	assert_true(channel_pair(pair, &e));
	raw = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
	a = channel_new(pair[0]);
	b = channel_new(pair[1]);
	return 0;
}

static int end(void **state)
{
	channel_free(a);
	channel_free(b);
	if (raw >= 0)
		close(raw);
	assert_int_equal(fds_open(), open_before);
	return 0;
}

static enum channel_got receive(struct buf *in, int fds[static MESSAGE_FDS_MAX], size_t *nfds, struct err *e)
{
	*nfds = 0;
	return channel_receive(b, in, fds, nfds, e);
}

static void messages_keep_their_borders(void **state)
{
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	assert_true(channel_send(a, bytes_of("one"), NULL, 0, &e));
	assert_true(channel_send(a, bytes_of("twotwo"), NULL, 0, &e));
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_MESSAGE);
	assert_true(bytes_is(buf_bytes(&in), "one"));
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_MESSAGE);
	assert_true(bytes_is(buf_bytes(&in), "twotwo"));
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_NOTHING);
}

static void the_largest_message_passes_and_one_byte_more_does_not(void **state)
{
	static uint8_t at[MESSAGE_BYTES_MAX + 1];
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	assert_false(channel_send(a, BYTES_ARRAY(at), NULL, 0, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_false(channel_send(a, bytes_from(at, 0), NULL, 0, &e));
	assert_true(channel_send(a, bytes_from(at, MESSAGE_BYTES_MAX), NULL, 0, &e));
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_MESSAGE);
	assert_int_equal(in.len, MESSAGE_BYTES_MAX);
}

static void descriptors_arrive_and_are_ours(void **state)
{
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX], sent[2];
	size_t nfds;
	char c;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	assert_int_equal(pipe(sent), 0);
	assert_true(channel_send(a, bytes_of("x"), sent, 2, &e));
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_MESSAGE);
	assert_int_equal(nfds, 2);
	assert_int_equal(write(fds[1], "y", 1), 1);
	assert_int_equal(read(sent[0], &c, 1), 1);
	assert_true((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(sent[i]);
	}
}

/* Past the limits of channel_send: as a role that was taken over would. */
static void send_raw(size_t len, const int *fds, size_t nfds)
{
	static uint8_t at[2 * MESSAGE_BYTES_MAX];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = { 0 };
	struct iovec part = { at, len };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = CMSG_SPACE(nfds * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	assert_int_equal(sendmsg(raw, &header, 0), len);
}

static void too_many_descriptors_break_the_channel_and_do_not_leak(void **state)
{
	int many[12] = { 0 }, fds[MESSAGE_FDS_MAX], before = fds_open();
	struct err e = { 0 };
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	send_raw(1, many, MESSAGE_FDS_MAX + 1);
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_BROKEN);
	assert_int_equal(e.reason, REASON_TOO_LARGE);
	send_raw(1, many, 12);
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_BROKEN);
	assert_int_equal(fds_open(), before);
}

static void a_message_over_the_limit_breaks_the_channel(void **state)
{
	int one[1] = { 0 }, fds[MESSAGE_FDS_MAX], before = fds_open();
	struct err e = { 0 };
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	send_raw(MESSAGE_BYTES_MAX + 1, one, 1);
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_BROKEN);
	assert_int_equal(fds_open(), before);
}

static void a_slow_reader_costs_bounded_memory_and_loses_nothing(void **state)
{
	static uint8_t at[64 * KIB];
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds, sent = 0, came = 0;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	for (; channel_send(a, BYTES_ARRAY(at), NULL, 0, &e); sent++)
		at[0] = (uint8_t)(sent + 1);
	assert_int_equal(e.reason, REASON_BUSY);
	assert_true(channel_queued(a) * sizeof(at) <= CHANNEL_QUEUE_BYTES_MAX);
	while (came < sent) {
		enum channel_got got = receive(&in, fds, &nfds, &e);

		if (got == CHANNEL_NOTHING) {
			assert_true(channel_flush(a, &e));
			continue;
		}
		assert_int_equal(got, CHANNEL_MESSAGE);
		assert_int_equal(in.at[0], (uint8_t)came);
		came++;
	}
	assert_int_equal(channel_queued(a), 0);
}

static void the_end_is_told_once(void **state)
{
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	assert_true(channel_send(a, bytes_of("last"), NULL, 0, &e));
	channel_free(a);
	a = NULL;
	close(raw);
	raw = -1;
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_MESSAGE);
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_CLOSED);
	assert_false(channel_send(b, bytes_of("x"), NULL, 0, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
}

static void nobody_answers_in_time(void **state)
{
	struct err e = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, MESSAGE_BYTES_MAX);
	assert_false(channel_call(a, bytes_of("?"), &reply, 1, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
}

static unsigned messages, ends;

static void free_at_second(void *ctx, struct bytes msg, int *fds, size_t nfds)
{
	if (++messages == 2) {
		channel_free(b);
		b = NULL;
		assert_true(bytes_is(msg, "m")); /* the bytes outlive the channel */
	}
}

static void count_end(void *ctx, const struct err *why)
{
	ends++;
}

static void a_callback_may_free_its_channel(void **state)
{
	static const struct channel_calls calls = { free_at_second, count_end };
	AUTO_LOOP *loop = loop_new();
	struct err e = { 0 };

	messages = ends = 0;
	assert_true(channel_watch(b, loop, &calls, NULL, &e));
	for (int i = 0; i < 5; i++)
		assert_true(channel_send(a, bytes_of("m"), NULL, 0, &e));
	assert_true(loop_turn(loop, 0, &e));
	assert_true(loop_turn(loop, 0, &e));
	assert_int_equal(messages, 2);
	assert_int_equal(ends, 0);
}

static void ignore(void *ctx, struct bytes msg, int *fds, size_t nfds)
{
	messages++;
}

static void descriptors_nobody_takes_are_closed(void **state)
{
	static const struct channel_calls calls = { ignore, count_end };
	AUTO_LOOP *loop = loop_new();
	struct err e = { 0 };
	int before = fds_open(), zero = 0;

	messages = ends = 0;
	assert_true(channel_watch(b, loop, &calls, NULL, &e));
	assert_true(channel_send(a, bytes_of("m"), &zero, 1, &e));
	assert_true(loop_turn(loop, 0, &e));
	assert_int_equal(messages, 1);
	assert_int_equal(fds_open(), before);
	channel_unwatch(b);
}

static void a_late_answer_is_not_taken_for_that_of_the_next_call(void **state)
{
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	assert_false(channel_call(a, bytes_of("first"), &in, 0, &e));
	/* The other end is not stuck: it was late, and answers both. */
	(void)!channel_send(b, bytes_of("answer to the first"), NULL, 0, NULL);
	(void)!channel_send(b, bytes_of("answer to the second"), NULL, 0, NULL);
	assert_false(channel_call(a, bytes_of("second"), &in, 1000, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_int_equal(in.len, 0);
}

static void the_other_end_sees_a_channel_that_was_shut(void **state)
{
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	channel_shut(a);
	channel_shut(a);
	assert_int_equal(receive(&in, fds, &nfds, &e), CHANNEL_CLOSED);
	assert_false(channel_send(a, bytes_of("m"), NULL, 0, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
}

static const uint8_t *message_at;
static size_t message_len;

static void look_at(void *ctx, struct bytes msg, int *fds, size_t nfds)
{
	message_at = msg.at;
	message_len = msg.len;
	assert_true(bytes_is(msg, "a file key"));
}

static void a_message_does_not_lie_in_memory_after_it_was_told(void **state)
{
	static const struct channel_calls calls = { look_at, count_end };
	AUTO_LOOP *loop = loop_new();
	struct err e = { 0 };

	assert_true(channel_watch(b, loop, &calls, NULL, &e));
	assert_true(channel_send(a, bytes_of("a file key"), NULL, 0, &e));
	assert_true(loop_turn(loop, 0, &e));
	assert_int_equal(message_len, 10);
	/* The channel keeps the memory for the next message. */
	for (size_t i = 0; i < message_len; i++)
		assert_int_equal(message_at[i], 0);
	channel_unwatch(b);
}

#define WITH_PAIR(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(messages_keep_their_borders),
		WITH_PAIR(the_largest_message_passes_and_one_byte_more_does_not),
		WITH_PAIR(descriptors_arrive_and_are_ours),
		WITH_PAIR(too_many_descriptors_break_the_channel_and_do_not_leak),
		WITH_PAIR(a_message_over_the_limit_breaks_the_channel),
		WITH_PAIR(a_slow_reader_costs_bounded_memory_and_loses_nothing),
		WITH_PAIR(the_end_is_told_once),
		WITH_PAIR(nobody_answers_in_time),
		WITH_PAIR(a_callback_may_free_its_channel),
		WITH_PAIR(descriptors_nobody_takes_are_closed),
		WITH_PAIR(a_late_answer_is_not_taken_for_that_of_the_next_call),
		WITH_PAIR(the_other_end_sees_a_channel_that_was_shut),
		WITH_PAIR(a_message_does_not_lie_in_memory_after_it_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
