/* Calls for the witness at the door: where they go, and what callers hear when it is gone, slow or another. The door runs on
 * the test's own loop, as that of a witness alone, and speaks plain HTTP. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "daemon/door-messages.h"
#include "daemon/door.h"
#include "process/parcel.h"
#include "store/test-home.h"

#define HEX "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"

struct scene {
	struct loop *loop;
	struct door *door;
	struct channel *witness; /* our end; NULL: it is gone */
	int port;
};

static int listen_any(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 512), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct door_options o = { .keeper_fd = -1, .peer_fd = -1, .local_fd = -1, .log_fd = -1, .public_plain = true };
	int pair[2];

	assert_ok(channel_pair(pair, e));
	s->loop = o.loop = loop_new();
	o.public_fd = listen_any(&s->port);
	o.witness_fd = pair[1];
	s->witness = channel_new(pair[0]);
	assert_ok(door_new(&o, &s->door, e));
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	door_free(s->door);
	channel_free(s->witness);
	loop_free(s->loop);
	free(s);
	return 0;
}

static void turn(struct scene *s)
{
	assert_ok(loop_turn(s->loop, 2000, e));
}

/* --- a client --------------------------------------------------------------------------------------------- */

/* From 127.0.0.HOST: the door counts connections by address. */
static int connected(struct scene *s, unsigned host)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u + host) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void ask(int fd, const char *method, const char *path, struct bytes body)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	buf_add_format(&out, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", method, path, body.len);
	buf_add(&out, body);
	assert_ok(file_write_all(fd, buf_bytes(&out), e));
}

/* The whole answer with its header; the status. */
static unsigned answer(struct scene *s, int fd, struct buf *out)
{
	buf_clear(out);
	for (int i = 0; i < 5000; i++) {
		uint8_t *at = buf_room(out, 4096);
		ssize_t got = recv(fd, at, 4096, MSG_DONTWAIT);
		const char *text, *end, *len;

		buf_grown(out, got > 0 ? (size_t)got : 0);
		text = buf_text(out);
		end = strstr(text, "\r\n\r\n");
		len = strstr(text, "Content-Length: ");
		if (end != NULL && len != NULL && strlen(end + 4) >= strtoul(len + 16, NULL, 10))
			return (unsigned)strtoul(text + 9, NULL, 10);
		assert_true(got != 0);
		turn(s);
	}
	fail_msg("no answer: %s", buf_text(out));
	return 0;
}

/* --- the witness by hand ------------------------------------------------------------------------------------ */

static bool heard(struct scene *s, struct door_message *m, struct buf *in)
{
	int fds[MESSAGE_FDS_MAX], *at = fds;
	size_t nfds = 0;
	AUTO_BUF packet = { 0 };

	buf_init(&packet, MESSAGE_BYTES_MAX);
	if (channel_receive(s->witness, &packet, fds, &nfds, NULL) != CHANNEL_MESSAGE)
		return false;
	buf_clear(in);
	assert_ok(parcel_open(buf_bytes(&packet), &at, &nfds, in, e));
	assert_ok(door_message_parse(buf_bytes(in), m, e));
	return true;
}

static void hear(struct scene *s, struct door_message *m, struct buf *in)
{
	for (int i = 0; i < 5000 && !heard(s, m, in); i++)
		turn(s);
	assert_int_equal(m->type, DOOR_CALL);
}

static void say(struct scene *s, uint64_t call, unsigned status, const char *type, const char *text)
{
	struct door_message m = { .type = DOOR_REPLY, .call = call, .status = (uint16_t)status, .content_type = bytes_of(type), .body = bytes_of(text) };
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	door_message_write(&m, &out);
	assert_ok(parcel_send(s->witness, buf_bytes(&out), NULL, 0, e));
}

/* --- claims -------------------------------------------------------------------------------------------------- */

static void calls_go_to_the_witness_and_its_answers_back_over_one_connection(void **state)
{
	struct scene *s = *state;
	struct door_message m = { 0 };
	int fd = connected(s, 1);
	AUTO_BUF in = { 0 }, out = { 0 };

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	for (int i = 0; i < 3; i++) {
		ask(fd, "POST", "/add-checkpoint", bytes_of("a call"));
		hear(s, &m, &in);
		assert_int_equal(m.method, METHOD_POST);
		assert_true(bytes_is(m.path, "/add-checkpoint") && bytes_is(m.body, "a call"));
		say(s, m.call, 409, "text/x.tlog.size", "7\n");
		assert_int_equal(answer(s, fd, &out), 409);
		assert_non_null(strstr(buf_text(&out), "Content-Type: text/x.tlog.size"));
		assert_non_null(strstr(buf_text(&out), "\r\n\r\n7\n"));
		ask(fd, "GET", "/" HEX "/checkpoint", bytes_of(""));
		hear(s, &m, &in);
		assert_true(bytes_is(m.path, "/" HEX "/checkpoint"));
		say(s, m.call, 200, "text/plain; charset=utf-8", "a checkpoint\n");
		assert_int_equal(answer(s, fd, &out), 200);
		assert_non_null(strstr(buf_text(&out), "no-store"));
	}
	close(fd);
}

static void nothing_else_reaches_it(void **state)
{
	static const struct {
		const char *method, *path;
	} rows[] = {
		{ "GET", "/add-checkpoint" }, { "PUT", "/add-checkpoint" }, { "POST", "/add-checkpoint/" }, { "POST", "/" HEX "/checkpoint" },
		{ "GET", "/" HEX }, { "GET", "/" HEX "/checkpoint/" }, { "GET", "/" HEX "0/checkpoint" }, { "GET", "/register" },
		{ "GET", "/000DE184301123B9278C086A7D9F68C9577E83872224C197058FD90784EA9706/checkpoint" }, { "GET", "/checkpoint" },
		{ "GET", "/tile/0/000" }, { "POST", "/letters" }, { "GET", "/api/status" },
	};
	struct scene *s = *state;
	struct door_message m;
	AUTO_BUF in = { 0 }, out = { 0 };

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = connected(s, 1);

		ask(fd, rows[i].method, rows[i].path, bytes_of(""));
		if (answer(s, fd, &out) != 404)
			fail_msg("%s %s: %s", rows[i].method, rows[i].path, buf_text(&out));
		close(fd);
	}
	assert_false(heard(s, &m, &in));
}

static void a_body_over_its_limit_is_refused_before_it_is_passed_on(void **state)
{
	struct scene *s = *state;
	struct door_message m = { 0 };
	int fd = connected(s, 1);
	AUTO_BUF in = { 0 }, out = { 0 }, body = { 0 };

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	buf_init(&body, MIB);
	while (body.len < WITNESS_REQUEST_BYTES_MAX)
		buf_add_u8(&body, 'x');
	ask(fd, "POST", "/add-checkpoint", buf_bytes(&body));
	hear(s, &m, &in);
	assert_int_equal(m.body.len, WITNESS_REQUEST_BYTES_MAX);
	say(s, m.call, 400, "text/plain", "no\n");
	assert_int_equal(answer(s, fd, &out), 400);
	buf_add_u8(&body, 'x');
	ask(fd, "POST", "/add-checkpoint", buf_bytes(&body));
	assert_int_equal(answer(s, fd, &out), 413);
	assert_false(heard(s, &m, &in));
	close(fd);
}

static void a_witness_that_ends_answers_its_calls_with_503_and_a_new_one_takes_over(void **state)
{
	struct scene *s = *state;
	struct door_message m = { 0 };
	int fd = connected(s, 1), pair[2];
	AUTO_BUF in = { 0 }, out = { 0 };

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	ask(fd, "POST", "/add-checkpoint", bytes_of("x"));
	hear(s, &m, &in);
	uint64_t old = m.call;
	channel_free(s->witness);
	s->witness = NULL;
	assert_int_equal(answer(s, fd, &out), 503);
	ask(fd, "POST", "/add-checkpoint", bytes_of("x"));
	assert_int_equal(answer(s, fd, &out), 503);
	assert_ok(channel_pair(pair, e));
	s->witness = channel_new(pair[0]);
	assert_ok(door_witness_again(s->door, pair[1], e));
	ask(fd, "POST", "/add-checkpoint", bytes_of("y"));
	hear(s, &m, &in);
	say(s, old, 200, "text/plain", "of another time\n"); /* whom nobody waits for */
	say(s, m.call, 200, "text/plain", "now\n");
	assert_int_equal(answer(s, fd, &out), 200);
	assert_non_null(strstr(buf_text(&out), "now\n"));
	close(fd);
}

static void calls_that_wait_are_bounded_also_those_whose_clients_have_gone(void **state)
{
	struct scene *s = *state;
	struct door_message m = { 0 };
	uint64_t calls[WITNESS_CALLS_WAITING_MAX];
	AUTO_BUF in = { 0 }, out = { 0 };

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	for (unsigned i = 0; i < WITNESS_CALLS_WAITING_MAX; i++) {
		int fd = connected(s, 1 + i % 4);

		ask(fd, "POST", "/add-checkpoint", bytes_of("x"));
		hear(s, &m, &in);
		calls[i] = m.call;
		close(fd); /* it did not wait */
	}
	int fd = connected(s, 5);
	ask(fd, "POST", "/add-checkpoint", bytes_of("x"));
	assert_int_equal(answer(s, fd, &out), 429);
	assert_false(heard(s, &m, &in));
	for (unsigned i = 0; i < 3; i++)
		say(s, calls[i], 200, "text/plain", "late\n");
	for (unsigned i = 0, status = 429; status == 429; i++) { /* when the door has read them */
		assert_true(i < 100);
		ask(fd, "POST", "/add-checkpoint", bytes_of("z"));
		for (int k = 0; k < 20 && !heard(s, &m, &in); k++)
			turn(s);
		if (m.body.len == 1 && bytes_is(m.body, "z"))
			say(s, m.call, 200, "text/plain", "taken\n");
		status = answer(s, fd, &out);
	}
	assert_non_null(strstr(buf_text(&out), "taken"));
	close(fd);
}

#define WITH_DOOR(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DOOR(calls_go_to_the_witness_and_its_answers_back_over_one_connection),
		WITH_DOOR(nothing_else_reaches_it),
		WITH_DOOR(a_body_over_its_limit_is_refused_before_it_is_passed_on),
		WITH_DOOR(a_witness_that_ends_answers_its_calls_with_503_and_a_new_one_takes_over),
		WITH_DOOR(calls_that_wait_are_bounded_also_those_whose_clients_have_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
