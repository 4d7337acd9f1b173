/* The door at work, in its sandbox, with real TLS and HTTP: who is let in, what is served, what is refused. */
#include "daemon/test-door-scene.h"

static void a_pinned_peer_delivers_letters(void **state)
{
	char text[200], spki[65];

	hex_write(BYTES_ARRAY(good_pin), spki);
	snprintf(text, sizeof(text), "caller=1 method=3 query= body=7 gone=0 uid=0 spki=%s", spki);
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = bytes_of("letters"), .has_body = true,
			      .key = &good_key, .cert = &good_cert }, 200, text);
}

static void a_peer_without_pinned_key_is_refused(void **state)
{
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = bytes_of("x"), .has_body = true, .key = &other_key,
			      .cert = &other_cert }, 403, "unknown-key");
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = bytes_of("x"), .has_body = true }, 403, "unknown-key");
	expect(&(struct ask){ .where = 'p', .path = "/checkpoint" }, 403, "unknown-key");
}

static void a_pinned_key_in_an_expired_certificate_is_refused(void **state)
{
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = bytes_of("x"), .has_body = true, .key = &good_key,
			      .cert = &old_cert }, 403, "key-not-valid");
}

static void files_of_the_log_are_public(void **state)
{
	struct answer a = { 0 };

	ask_now(&(struct ask){ .where = 'o', .path = "/checkpoint" }, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(buf_text(&a.body), "a checkpoint\n");
	assert_non_null(strstr(buf_text(&a.header), "text/plain; charset=utf-8"));
	assert_non_null(strstr(buf_text(&a.header), "max-age=2")); /* seconds, and no more */
	answer_free(&a);
	ask_now(&(struct ask){ .where = 'o', .path = "/tile/0/000" }, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(buf_text(&a.body), "a tile");
	assert_non_null(strstr(buf_text(&a.header), "immutable"));
	answer_free(&a);
	expect(&(struct ask){ .where = 'p', .path = "/checkpoint", .key = &good_key, .cert = &good_cert }, 200, "a checkpoint");
}

static void a_bundle_is_served_compressed_to_whom_takes_it(void **state)
{
	static const struct {
		const char *accept, *body;
		bool gzip;
	} cases[] = {
		{ "Accept-Encoding: br, gzip;q=0.5", "a compressed bundle", true },
		{ "Accept-Encoding: gzip;q=0", "a bundle", false },
		{ "Accept-Encoding: identity", "a bundle", false },
		{ "X-Nothing: 1", "a bundle", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a = { 0 };

		ask_now(&(struct ask){ .where = 'o', .path = "/tile/entries/000", .accept = cases[i].accept }, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(buf_text(&a.body), cases[i].body);
		assert_int_equal(strstr(buf_text(&a.header), "Content-Encoding: gzip") != NULL, cases[i].gzip);
		assert_non_null(strstr(buf_text(&a.header), "Vary: Accept-Encoding"));
		assert_non_null(strstr(buf_text(&a.header), "immutable"));
		answer_free(&a);
	}
	expect(&(struct ask){ .where = 'o', .path = "/tile/entries/001", .accept = "Accept-Encoding: gzip" }, 200, "a plain bundle");
	expect(&(struct ask){ .where = 'o', .path = "/tile/entries/000.gz" }, 404, NULL);
}

static void mirrors_are_served_below_their_own_name(void **state)
{
	struct answer a = { 0 };

	expect(&(struct ask){ .where = 'o', .path = "/mirror/" MIRRORED "/checkpoint" }, 200, "another checkpoint");
	ask_now(&(struct ask){ .where = 'o', .path = "/mirror/" MIRRORED "/acts/index" }, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(buf_text(&a.header), "max-age=60"));
	answer_free(&a);
	expect(&(struct ask){ .where = 'o', .path = "/mirror/" MIRRORED "/tile/0/000" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/mirror/../log/checkpoint" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/acts/index" }, 404, NULL);
}

static void nothing_but_the_log_is_read(void **state)
{
	expect(&(struct ask){ .where = 'o', .path = "/tile/0/001" }, 404, NULL); /* a link */
	expect(&(struct ask){ .where = 'o', .path = "/tile/0/002" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/../secret" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/tile/../../secret" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/tile/0/%30%30%30" }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/letters", .body = bytes_of("x"), .has_body = true }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/api/status" }, 404, NULL);
	expect(&(struct ask){ .where = 'l', .path = "/letters", .body = bytes_of("x"), .has_body = true }, 404, NULL);
	expect(&(struct ask){ .where = 'o', .path = "/register", .method = "DELETE" }, 405, NULL);
}

static void the_local_socket_tells_who_calls(void **state)
{
	char text[64];

	snprintf(text, sizeof(text), "query=a=1&b=2 body=0 gone=0 uid=%u ", (unsigned)getuid());
	expect(&(struct ask){ .where = 'l', .path = "/api/status?a=1&b=2" }, 200, text);
	expect(&(struct ask){ .where = 'l', .path = "/api/draft", .body = bytes_of("{}"), .has_body = true }, 200, "method=3");
}

/* Answers that come to these bytes, on one connection that the client ends; 0 also when the door ends it first. */
static unsigned answers_to(const char *text, unsigned *ret_first)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned count = 0;
	AUTO_BUF got = { 0 };

	buf_init(&got, MIB);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	(void)shutdown(fd, SHUT_WR);
	for (ssize_t n = 1; n > 0;) {
		n = recv(fd, buf_room(&got, 4096), 4096, 0);
		buf_grown(&got, n > 0 ? (size_t)n : 0);
	}
	*ret_first = got.len > 12 ? (unsigned)strtoul(buf_text(&got) + 9, NULL, 10) : 0;
	for (const char *c = buf_text(&got); (c = strstr(c, "HTTP/1.1 ")) != NULL; c++)
		count++;
	return count;
}

static void what_has_two_lengths_is_one_call(void **state)
{
#define NEXT "GET /api/status HTTP/1.1\r\nHost: a\r\n\r\n"
	unsigned first;

	assert_int_equal(answers_to("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" NEXT, &first), 2);
	assert_int_equal(first, 404);
	assert_int_equal(answers_to("GET /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 42\r\n\r\n" NEXT, &first), 1);
	assert_int_equal(first, 400);
	assert_int_equal(answers_to("POST /api/draft HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, &first), 1);
	assert_int_equal(first, 400);
#undef NEXT
}

static void bodies_and_paths_over_their_limits_are_refused(void **state)
{
	char path[DOOR_PATH_BYTES_MAX + 20] = "/api/";
	AUTO_BUF large = { 0 };

	buf_init(&large, 8 * MIB);
	(void)memset(buf_room(&large, LETTER_BATCH_BYTES_MAX + 1), 'x', LETTER_BATCH_BYTES_MAX + 1);
	buf_grown(&large, LETTER_BATCH_BYTES_MAX);
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = buf_bytes(&large), .has_body = true, .key = &good_key,
			      .cert = &good_cert }, 200, "body=2097152");
	buf_grown(&large, 1);
	expect(&(struct ask){ .where = 'p', .path = "/letters", .body = buf_bytes(&large), .has_body = true, .key = &good_key,
			      .cert = &good_cert }, 413, "too-large");
	memset(path + 5, 'a', DOOR_PATH_BYTES_MAX - 5);
	expect(&(struct ask){ .where = 'l', .path = path }, 200, NULL);
	memset(path + 5, 'a', DOOR_PATH_BYTES_MAX - 4);
	expect(&(struct ask){ .where = 'l', .path = path }, 414, "too-large");
}

static void a_large_upload_streams_into_the_pipe(void **state)
{
	uint64_t sum = 0;
	char text[100];

	for (size_t i = 0; i < 20000000; i++)
		sum = sum * 31 + 'x';
	snprintf(text, sizeof(text), "bytes=20000000 sum=%llu", (unsigned long long)sum);
	expect(&(struct ask){ .where = 'l', .path = "/exhibits/one", .put_bytes = 20000000 }, 201, text);
}

static void an_upload_can_be_refused_before_its_body(void **state)
{
	expect(&(struct ask){ .where = 'l', .path = "/exhibits/refused", .put_bytes = 1000 }, 403, "refused before the body");
}

static void an_upload_whose_reader_closes_is_told_so(void **state)
{
	expect(&(struct ask){ .where = 'l', .path = "/exhibits/closed", .put_bytes = 2000000 }, 409, "not taken");
}

static void a_file_is_served_in_ranges(void **state)
{
	struct answer a = { 0 };

	ask_now(&(struct ask){ .where = 'p', .path = "/exhibits/file", .range = "100-109", .key = &good_key, .cert = &good_cert }, &a);
	assert_int_equal(a.status, 206);
	assert_int_equal(a.body.len, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(a.body.at[i], (10 + 100 + i) % 251);
	assert_non_null(strstr(buf_text(&a.header), "bytes 100-109/999990"));
	answer_free(&a);
	ask_now(&(struct ask){ .where = 'p', .path = "/exhibits/file", .key = &good_key, .cert = &good_cert }, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, FILE_BYTES - 10);
	answer_free(&a);
	ask_now(&(struct ask){ .where = 'p', .path = "/exhibits/file", .range = "999980-", .key = &good_key, .cert = &good_cert }, &a);
	assert_int_equal(a.status, 206);
	assert_int_equal(a.body.len, 10);
	answer_free(&a);
	expect(&(struct ask){ .where = 'p', .path = "/exhibits/file", .range = "999990-", .key = &good_key, .cert = &good_cert },
	       416, NULL);
	ask_now(&(struct ask){ .where = 'p', .path = "/exhibits/file", .no_body_wanted = true, .key = &good_key,
			       .cert = &good_cert }, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(buf_text(&a.header), "Content-Length: 999990"));
	answer_free(&a);
}

static void a_stream_arrives_whole(void **state)
{
	struct answer a = { 0 };

	ask_now(&(struct ask){ .where = 'l', .path = "/api/stream" }, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, STREAM_BYTES);
	answer_free(&a);
}

static void a_keeper_that_is_gone_gives_503(void **state)
{
	expect(&(struct ask){ .where = 'l', .path = "/api/die" }, 503, "unavailable");
	expect(&(struct ask){ .where = 'l', .path = "/api/status" }, 503, "unavailable");
	expect(&(struct ask){ .where = 'o', .path = "/checkpoint" }, 200, "a checkpoint");
}

static void a_caller_that_gives_up_does_no_harm(void **state)
{
	struct answer a = { 0 };

	ask_now(&(struct ask){ .where = 'l', .path = "/api/never", .timeout_ms = 100 }, &a);
	assert_int_equal(a.result, CURLE_OPERATION_TIMEDOUT);
	answer_free(&a);
	expect(&(struct ask){ .where = 'l', .path = "/api/status" }, 200, "caller=3");
}

#define WITH_DOOR(claim) cmocka_unit_test_setup_teardown(claim, door_begin, door_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DOOR(a_pinned_peer_delivers_letters),
		WITH_DOOR(a_peer_without_pinned_key_is_refused),
		WITH_DOOR(a_pinned_key_in_an_expired_certificate_is_refused),
		WITH_DOOR(files_of_the_log_are_public),
		WITH_DOOR(a_bundle_is_served_compressed_to_whom_takes_it),
		WITH_DOOR(mirrors_are_served_below_their_own_name),
		WITH_DOOR(nothing_but_the_log_is_read),
		WITH_DOOR(the_local_socket_tells_who_calls),
		WITH_DOOR(what_has_two_lengths_is_one_call),
		WITH_DOOR(bodies_and_paths_over_their_limits_are_refused),
		WITH_DOOR(a_large_upload_streams_into_the_pipe),
		WITH_DOOR(an_upload_can_be_refused_before_its_body),
		WITH_DOOR(an_upload_whose_reader_closes_is_told_so),
		WITH_DOOR(a_file_is_served_in_ranges),
		WITH_DOOR(a_stream_arrives_whole),
		WITH_DOOR(a_keeper_that_is_gone_gives_503),
		WITH_DOOR(a_caller_that_gives_up_does_no_harm),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
