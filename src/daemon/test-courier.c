/* The courier against a real TLS server on the loopback, which runs in a child process. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/courier-messages.h"
#include "daemon/courier.h"
#include "daemon/http-internal.h"
#include "daemon/tls-key.h"
#include "process/parcel.h"

#define FILE_BYTES 1000000u
#define ANSWERS_MAX 128

static struct buf server_key, server_cert, own_key, own_cert;
static uint8_t server_pin[32], own_pin[32];
static int port;
static pid_t child;

/* --- the server ------------------------------------------------------------------------------------------ */

static int file_fd = -1;

static void served(void *ctx, struct http_call *c)
{
	http_collect(c, 4 * MIB);
}

static void complete(void *ctx, struct http_call *c, bool ok, uint64_t received)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	uint8_t spki[32] = { 0 };
	char text[200], hex[65];
	struct http_answer a = { .status = 200, .content_type = bytes_of("text/plain") };

	if (!http_peer(c, spki, NULL))
		memset(spki, 0, sizeof(spki));
	hex_write(BYTES_ARRAY(spki), hex);
	snprintf(text, sizeof(text), "port=%u body=%zu spki=%s", (unsigned)ntohs(((const struct sockaddr_in *)(const void *)info->client_addr)->sin_port),
		 http_body(c).len, hex);
	a.body = bytes_of(text);
	if (bytes_is(http_path(c), "/never"))
		return;
	if (bytes_is(http_path(c), "/302"))
		a.status = 302;
	if (bytes_starts(http_path(c), "/file")) {
		a.fd = fcntl(file_fd, F_DUPFD_CLOEXEC, 3);
		a.length = FILE_BYTES;
		a.ranges = bytes_is(http_path(c), "/file");
	}
	http_answer(c, &a);
}

static void over(void *ctx, struct http_call *c, bool answered)
{
}

static void child_run(int fd)
{
	struct http_options o = { .loop = loop_new(), .listen_fd = fd, .ask_certificate = true,
				  .handler = { served, complete, over } };
	struct err e = { 0 };
	struct http *h;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	file_fd = memfd_create("file", MFD_CLOEXEC);
	for (uint32_t i = 0; i < FILE_BYTES / 4; i++) {
		if (i % 25000 == 0) {
			static uint32_t block[25000];

			for (uint32_t k = 0; k < 25000; k++)
				block[k] = i + k;
			if (!file_write_all(file_fd, BYTES_ARRAY(block), &e))
				abort();
		}
	}
	o.key_pem = buf_text(&server_key);
	o.cert_pem = buf_text(&server_cert);
	if (!http_new(&o, &h, &e) || !loop_run(o.loop, &e))
		abort();
	_exit(0);
}

static int server_begin(void **state)
{
	struct buf *all[] = { &server_key, &server_cert, &own_key, &own_cert };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct err e = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_init(all[i], 16 * KIB);
	assert_true(tls_key_make("XR", &server_key, &server_cert, server_pin, &e));
	assert_true(tls_key_make("XA", &own_key, &own_cert, own_pin, &e));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	child = fork();
	if (child == 0)
		child_run(fd);
	close(fd);
	return 0;
}

static int server_end(void **state)
{
	struct buf *all[] = { &server_key, &server_cert, &own_key, &own_cert };
	int status = 0;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_wipe(all[i]);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -1;
}

/* --- the keeper ------------------------------------------------------------------------------------------- */

struct got {
	uint64_t job, written;
	bool ok;
	unsigned status;
	char text[512];
};

static struct loop *loop;
static struct courier *courier;
static struct channel *to_courier;
static struct got got[ANSWERS_MAX];
static size_t got_count;
static bool closed_seen;

static void answered(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct courier_message m;
	struct err e = { 0 };
	struct bytes text;
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	assert_true(parcel_open(packet, &fds, &nfds, &in, &e));
	assert_true(courier_message_parse(buf_bytes(&in), &m, &e));
	if (m.type != COURIER_FETCHED)
		return;
	assert_true(got_count < ANSWERS_MAX);
	text = m.ok ? m.body : m.error;
	got[got_count] = (struct got){ .job = m.job, .written = m.written, .ok = m.ok, .status = m.status };
	snprintf(got[got_count].text, sizeof(got[got_count].text), "%.*s", (int)text.len, (const char *)text.at);
	got_count++;
}

static void lost(void *ctx, const struct err *why)
{
	channel_free(to_courier);
	to_courier = NULL;
}

static void courier_closed(void *ctx)
{
	closed_seen = true;
}

static int begin(void **state)
{
	static const struct channel_calls calls = { .message = answered, .closed = lost };
	struct courier_options o = { .key_pem = buf_bytes(&own_key), .cert_pem = buf_bytes(&own_cert), .closed = courier_closed };
	struct err e = { 0 };
	int pair[2];

	loop = o.loop = loop_new();
	assert_true(channel_pair(pair, &e));
	o.keeper_fd = pair[1];
	assert_true(courier_new(&o, &courier, &e));
	to_courier = channel_new(pair[0]);
	assert_true(channel_watch(to_courier, loop, &calls, NULL, &e));
	got_count = 0;
	closed_seen = false;
	return 0;
}

static int end(void **state)
{
	channel_free(to_courier);
	to_courier = NULL;
	courier_free(courier);
	loop_free(loop);
	return 0;
}

static void send_message(const struct courier_message *m, int fd)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	courier_message_write(m, &out);
	assert_true(parcel_send(to_courier, buf_bytes(&out), &fd, fd >= 0 ? 1 : 0, &e));
}

static struct courier_message to_path(const char *path, uint64_t job)
{
	static char url[200];
	struct courier_message m = { .type = COURIER_FETCH, .job = job, .show_certificate = true, .bytes_max = 100000,
				     .timeout_ms = 20000 };

	snprintf(url, sizeof(url), "https://127.0.0.1:%d%s", port, path);
	m.url = bytes_of(url);
	memcpy(m.pin, server_pin, sizeof(m.pin));
	return m;
}

static void turn_until(size_t count)
{
	int64_t end_us = clock_monotonic_us() + INT64_C(60000000);
	struct err e = { 0 };

	while (got_count < count) {
		assert_true(clock_monotonic_us() < end_us);
		assert_true(loop_turn(loop, 1000000, &e));
	}
}

/* --- claims ------------------------------------------------------------------------------------------------- */

static void a_letter_arrives_and_our_key_is_seen(void **state)
{
	struct courier_message m = to_path("/letters", 7);
	char want[100], hex[65];

	m.post = true;
	m.content_type = bytes_of("application/octet-stream");
	m.body = bytes_of("a letter");
	send_message(&m, -1);
	turn_until(1);
	hex_write(BYTES_ARRAY(own_pin), hex);
	snprintf(want, sizeof(want), "body=8 spki=%s", hex);
	assert_true(got[0].ok);
	assert_int_equal(got[0].job, 7);
	assert_int_equal(got[0].status, 200);
	assert_non_null(strstr(got[0].text, want));
}

static void no_certificate_is_shown_where_none_is_wanted(void **state)
{
	struct courier_message m = to_path("/register", 1);

	m.show_certificate = false;
	send_message(&m, -1);
	turn_until(1);
	assert_true(got[0].ok);
	assert_non_null(strstr(got[0].text, "spki=0000"));
}

static void a_server_with_another_key_is_told_nothing(void **state)
{
	struct courier_message m = to_path("/letters", 1);

	m.pin[0] ^= 1;
	send_message(&m, -1);
	turn_until(1);
	assert_false(got[0].ok);
	assert_non_null(strstr(got[0].text, "SSL"));
	/* Nor does a connection that stands already lend its trust to another pin. */
	m = to_path("/letters", 2);
	send_message(&m, -1);
	turn_until(2);
	assert_true(got[1].ok);
	m.job = 3;
	m.pin[0] ^= 1;
	send_message(&m, -1);
	turn_until(3);
	assert_false(got[2].ok);
}

static void a_witness_may_have_any_certificate_and_lends_it_to_nobody(void **state)
{
	struct courier_message m = to_path("/add-checkpoint", 1);

	memset(m.pin, 0, sizeof(m.pin));
	m.any_server = true;
	m.show_certificate = false;
	send_message(&m, -1);
	turn_until(1);
	assert_true(got[0].ok);
	assert_non_null(strstr(got[0].text, "spki=0000"));
	/* A pinned call does not go over the connection that stands already. */
	m = to_path("/letters", 2);
	m.show_certificate = false;
	m.pin[0] ^= 1;
	send_message(&m, -1);
	turn_until(2);
	assert_false(got[1].ok);
	assert_non_null(strstr(got[1].text, "SSL"));
}

static void many_letters_share_few_connections(void **state)
{
	unsigned ports[64];
	size_t distinct = 0;

	for (uint64_t i = 0; i < 60; i++) {
		struct courier_message m = to_path("/letters", i);

		m.post = true;
		m.body = bytes_of("x");
		send_message(&m, -1);
	}
	turn_until(60);
	for (size_t i = 0; i < 60; i++) {
		unsigned p = 0;
		size_t k = 0;

		assert_true(got[i].ok);
		assert_int_equal(sscanf(got[i].text, "port=%u", &p), 1);
		while (k < distinct && ports[k] != p)
			k++;
		if (k == distinct)
			ports[distinct++] = p;
	}
	assert_true(distinct <= 4);
}

static void an_answer_over_its_limit_ends_with_an_error(void **state)
{
	struct courier_message m = to_path("/letters", 1);

	m.bytes_max = 10;
	send_message(&m, -1);
	turn_until(1);
	assert_false(got[0].ok);
	assert_string_equal(got[0].text, "the answer is over its limit");
}

static void a_redirect_is_not_followed(void **state)
{
	struct courier_message m = to_path("/302", 1);

	send_message(&m, -1);
	turn_until(1);
	assert_true(got[0].ok);
	assert_int_equal(got[0].status, 302);
}

static void only_https_is_spoken(void **state)
{
	struct courier_message m = to_path("/", 1);

	m.url = bytes_of("http://127.0.0.1:1/");
	send_message(&m, -1);
	m.url = bytes_of("file:///etc/passwd");
	send_message(&m, -1);
	turn_until(2);
	assert_false(got[0].ok);
	assert_false(got[1].ok);
}

static void check_numbers(int fd, uint32_t from, size_t bytes)
{
	uint32_t v;

	for (size_t i = 0; i < bytes / 4; i++) {
		assert_int_equal(pread(fd, &v, 4, (off_t)(i * 4)), 4);
		if (v != from + i)
			fail_msg("number %zu is %u", i, v);
	}
}

static void a_file_goes_on_where_it_ended(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct courier_message m = to_path("/file", 1);

	m.bytes_max = FILE_BYTES;
	m.range_from = 400000;
	send_message(&m, fd);
	turn_until(1);
	assert_true(got[0].ok);
	assert_int_equal(got[0].status, 206);
	assert_int_equal(got[0].written, FILE_BYTES - 400000);
	check_numbers(fd, 100000, FILE_BYTES - 400000);
	close(fd);
}

static void a_whole_file_instead_of_a_part_is_not_appended(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct courier_message m = to_path("/file-without-ranges", 1);

	m.bytes_max = FILE_BYTES;
	m.range_from = 400000;
	send_message(&m, fd);
	turn_until(1);
	assert_false(got[0].ok);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

static void a_full_pipe_makes_it_wait(void **state)
{
	static uint8_t at[65536];
	int ends[2];
	struct courier_message m = to_path("/file", 1);
	struct err e = { 0 };
	size_t total = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	m.bytes_max = FILE_BYTES;
	send_message(&m, ends[1]);
	close(ends[1]);
	while (got_count == 0) {
		ssize_t in = read(ends[0], at, sizeof(at));

		total += in > 0 ? (size_t)in : 0;
		assert_true(loop_turn(loop, in > 0 ? 0 : 10000, &e));
	}
	for (ssize_t in; (in = read(ends[0], at, sizeof(at))) > 0;)
		total += (size_t)in;
	assert_true(got[0].ok);
	assert_int_equal(total, FILE_BYTES);
	close(ends[0]);
}

static void silence_ends_a_job(void **state)
{
	struct courier_message m = to_path("/never", 1);

	m.timeout_ms = 300;
	send_message(&m, -1);
	turn_until(1);
	assert_false(got[0].ok);
	assert_string_equal(got[0].text, "the other node did not answer in time");
}

static void a_cancelled_job_is_answered_once(void **state)
{
	struct courier_message m = to_path("/never", 9);
	struct err e = { 0 };

	send_message(&m, -1);
	assert_true(loop_turn(loop, 100000, &e));
	m = (struct courier_message){ .type = COURIER_CANCEL, .job = 9 };
	send_message(&m, -1);
	send_message(&m, -1);
	turn_until(1);
	assert_false(got[0].ok);
	assert_int_equal(got[0].job, 9);
	m = to_path("/letters", 10);
	send_message(&m, -1);
	turn_until(2);
	assert_int_equal(got[1].job, 10);
}

static void more_jobs_than_its_limit_are_refused(void **state)
{
	size_t refused = 0;

	for (uint64_t i = 0; i < COURIER_JOBS_MAX + 5; i++) {
		struct courier_message m = to_path("/never", i);

		send_message(&m, -1);
	}
	turn_until(5);
	for (size_t i = 0; i < got_count; i++)
		refused += strcmp(got[i].text, "too many jobs are under way") == 0;
	assert_int_equal(refused, 5);
}

static void it_notices_that_the_keeper_has_gone(void **state)
{
	struct err e = { 0 };

	channel_free(to_courier);
	to_courier = NULL;
	for (int i = 0; i < 100 && !closed_seen; i++)
		assert_true(loop_turn(loop, 1000000, &e));
	assert_true(closed_seen);
}

/* What goes before it is answered with this path: the one that follows arrives, or is not even begun. */
static void follows(const char *first, bool arrives)
{
	struct courier_message before = to_path(first, 1), behind;

	send_message(&before, -1);
	behind = to_path("/letters", 2);
	behind.after = 1;
	send_message(&behind, -1);
	turn_until(2);
	assert_int_equal(got[0].job, 1);
	assert_int_equal(got[1].job, 2);
	assert_int_equal(got[1].ok, arrives);
	behind.job = 3; /* it comes when the first has ended already */
	send_message(&behind, -1);
	turn_until(3);
	assert_int_equal(got[2].ok, arrives);
}

static void what_follows_begins_when_the_first_was_taken(void **state)
{
	follows("/letters", true);
}

static void what_follows_one_that_was_not_taken_is_not_begun(void **state)
{
	follows("/302", false);
}

#define WITH_COURIER(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_COURIER(a_letter_arrives_and_our_key_is_seen),
		WITH_COURIER(no_certificate_is_shown_where_none_is_wanted),
		WITH_COURIER(a_server_with_another_key_is_told_nothing),
		WITH_COURIER(a_witness_may_have_any_certificate_and_lends_it_to_nobody),
		WITH_COURIER(many_letters_share_few_connections),
		WITH_COURIER(an_answer_over_its_limit_ends_with_an_error),
		WITH_COURIER(a_redirect_is_not_followed),
		WITH_COURIER(only_https_is_spoken),
		WITH_COURIER(a_file_goes_on_where_it_ended),
		WITH_COURIER(a_whole_file_instead_of_a_part_is_not_appended),
		WITH_COURIER(a_full_pipe_makes_it_wait),
		WITH_COURIER(silence_ends_a_job),
		WITH_COURIER(a_cancelled_job_is_answered_once),
		WITH_COURIER(more_jobs_than_its_limit_are_refused),
		WITH_COURIER(what_follows_begins_when_the_first_was_taken),
		WITH_COURIER(what_follows_one_that_was_not_taken_is_not_begun),
		WITH_COURIER(it_notices_that_the_keeper_has_gone),
	};

	return cmocka_run_group_tests(tests, server_begin, server_end);
}
