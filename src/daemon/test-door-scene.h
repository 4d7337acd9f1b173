/* The scene of the door's tests: a child process holds the door in its sandbox and a keeper that acts by a script (the
 * path says what it does); a client asks over real TLS and HTTP on the loopback. */
#ifndef COMITY_DAEMON_TEST_DOOR_SCENE_H
#define COMITY_DAEMON_TEST_DOOR_SCENE_H

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
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/door-messages.h"
#include "daemon/door.h"
#include "daemon/roles.h"
#include "daemon/sandbox.h"
#include "daemon/tls-key.h"
#include "process/parcel.h"

#define FILE_BYTES 1000000u
#define STREAM_BYTES 3000000u

/* --- the keeper by script, in the child ------------------------------------------------------------ */

static struct loop *loop;
static struct channel *to_door;
static uint64_t gone_count, put_call, put_bytes, put_sum;
static int put_fd = -1, file_fd = -1, feed_fd = -1;
static size_t fed;

static void door_say(const struct door_message *m, int fd)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	door_message_write(m, &out);
	if (to_door != NULL && !parcel_send(to_door, buf_bytes(&out), &fd, fd >= 0 ? 1 : 0, &e))
		abort();
}

static void reply_text(uint64_t call, unsigned status, const char *text)
{
	door_say(&(struct door_message){ .type = DOOR_REPLY, .call = call, .status = (uint16_t)status,
					 .content_type = bytes_of("text/plain"), .body = bytes_of(text) }, -1);
}

static void put_ready(void *ctx, short revents)
{
	uint8_t at[65536];
	ssize_t got = read(put_fd, at, sizeof(at));

	for (ssize_t i = 0; i < got; i++)
		put_sum = put_sum * 31 + at[i];
	put_bytes += got > 0 ? (uint64_t)got : 0;
	if (got > 0)
		return;
	loop_unwatch(loop, put_fd);
	fd_close_at(&put_fd);
}

static void put_begin(const struct door_message *m)
{
	int ends[2];
	struct err e = { 0 };

	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	put_call = m->call;
	put_bytes = put_sum = 0;
	put_fd = ends[0];
	door_say(&(struct door_message){ .type = DOOR_PIPE, .call = m->call }, ends[1]);
	close(ends[1]);
	if (bytes_is(m->path, "/exhibits/closed"))
		fd_close_at(&put_fd);
	else if (!loop_watch(loop, put_fd, POLLIN, put_ready, NULL, &e))
		abort();
}

static void put_end(void *ctx)
{
	char text[200];

	if (put_fd >= 0) { /* the pipe still holds some */
		(void)loop_timer(loop, clock_monotonic_us(), put_end, ctx);
		return;
	}
	snprintf(text, sizeof(text), "bytes=%llu sum=%llu", (unsigned long long)put_bytes, (unsigned long long)put_sum);
	reply_text(put_call, 201, text);
}

static void feed_ready(void *ctx, short revents)
{
	static const uint8_t block[50000];
	size_t want = STREAM_BYTES - fed < sizeof(block) ? STREAM_BYTES - fed : sizeof(block);
	ssize_t put = write(feed_fd, block, want);

	fed += put > 0 ? (size_t)put : 0;
	if (put > 0 && fed < STREAM_BYTES)
		return;
	loop_unwatch(loop, feed_fd);
	fd_close_at(&feed_fd);
}

static void stream_begin(uint64_t call)
{
	struct err e = { 0 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		abort();
	feed_fd = ends[1];
	fed = 0;
	door_say(&(struct door_message){ .type = DOOR_STREAM, .call = call, .status = 200, .length = STREAM_BYTES }, ends[0]);
	close(ends[0]);
	if (!loop_watch(loop, feed_fd, POLLOUT, feed_ready, NULL, &e))
		abort();
}

static void keeper_die(void *ctx)
{
	channel_free(to_door);
	to_door = NULL;
}

static void call_arrived(const struct door_message *m)
{
	char text[300], spki[65];
	bool file = bytes_starts(m->path, "/exhibits/file");

	hex_write(BYTES_ARRAY(m->spki), spki);
	if (m->method == METHOD_PUT && bytes_is(m->path, "/exhibits/refused"))
		reply_text(m->call, 403, "refused before the body");
	else if (m->method == METHOD_PUT)
		put_begin(m);
	else if (file)
		door_say(&(struct door_message){ .type = DOOR_REPLY, .call = m->call, .status = 200, .ranges = true,
						 .offset = 10, .length = FILE_BYTES - 10 }, file_fd);
	else if (bytes_is(m->path, "/api/stream"))
		stream_begin(m->call);
	else if (bytes_is(m->path, "/api/die"))
		(void)loop_timer(loop, clock_monotonic_us(), keeper_die, NULL);
	else if (!bytes_is(m->path, "/api/never")) {
		snprintf(text, sizeof(text), "caller=%d method=%d query=%.*s body=%zu gone=%llu uid=%u spki=%s",
			 (int)m->caller, (int)m->method, (int)m->query.len, (const char *)m->query.at, m->body.len,
			 (unsigned long long)gone_count, m->uid, spki);
		reply_text(m->call, 200, text);
	}
}

static void from_door(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct door_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !door_message_parse(buf_bytes(&in), &m, &e))
		abort();
	if (m.type == DOOR_CALL)
		call_arrived(&m);
	else if (m.type == DOOR_BODY_END && m.ok)
		put_end(NULL);
	else if (m.type == DOOR_BODY_END)
		reply_text(m.call, 409, "the body was not taken");
	else if (m.type == DOOR_GONE)
		gone_count++;
}

static void door_closed(void *ctx, const struct err *why)
{
	abort();
}

/* --- the fixture ------------------------------------------------------------------------------------ */

static struct buf server_key, server_cert, good_key, good_cert, other_key, other_cert, old_cert;
static uint8_t server_pin[32], good_pin[32], other_pin[32];
static char folder[64], socket_path[96];
static int peer_port, public_port;
static pid_t child;

static int listen_any(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

#define MIRRORED "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void folder_make(void)
{
	struct err e = { 0 };
	int home;

	snprintf(folder, sizeof(folder), "/tmp/comity-test-door-XXXXXX");
	assert_non_null(mkdtemp(folder));
	home = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_make(home, "log/tile/0", 0700, &e));
	assert_true(file_write(home, "log/checkpoint", bytes_of("a checkpoint\n"), 0600, false, &e));
	assert_true(file_write(home, "log/tile/0/000", bytes_of("a tile"), 0600, false, &e));
	assert_true(dir_make(home, "log/tile/entries", 0700, &e) && dir_make(home, "mirror/" MIRRORED "/acts", 0700, &e));
	assert_true(file_write(home, "log/tile/entries/000", bytes_of("a bundle"), 0600, false, &e));
	assert_true(file_write(home, "log/tile/entries/000.gz", bytes_of("a compressed bundle"), 0600, false, &e));
	assert_true(file_write(home, "log/tile/entries/001", bytes_of("a plain bundle"), 0600, false, &e));
	assert_true(file_write(home, "mirror/" MIRRORED "/checkpoint", bytes_of("another checkpoint\n"), 0600, false, &e));
	assert_true(file_write(home, "mirror/" MIRRORED "/acts/index", bytes_of("acts\n"), 0600, false, &e));
	assert_true(file_write(home, "secret", bytes_of("a secret"), 0600, false, &e));
	assert_int_equal(symlinkat("../../../secret", home, "log/tile/0/001"), 0);
	close(home);
}

static void folder_remove(void)
{
	static const char *const names[] = { "/log/tile/0/000", "/log/tile/0/001", "/log/checkpoint", "/secret", "/socket",
					     "/log/tile/entries/000", "/log/tile/entries/000.gz", "/log/tile/entries/001",
					     "/log/tile/entries", ("/mirror/" MIRRORED "/checkpoint"), ("/mirror/" MIRRORED "/acts/index"),
					     ("/mirror/" MIRRORED "/acts"), ("/mirror/" MIRRORED), "/mirror", "/log/tile/0", "/log/tile", "/log", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", folder, names[i]);
		(void)remove(path);
	}
}

static void child_run(int peer, int public, int local)
{
	static const struct channel_calls calls = { .message = from_door, .closed = door_closed };
	struct door_options o = { .peer_fd = peer, .public_fd = public, .local_fd = local, .log_fd = DOOR_FD_LOG,
				  .mirror_fd = DOOR_FD_MIRROR };
	struct err e = { 0 };
	struct door *d;
	uint8_t byte;
	char path[96];
	int pair[2], log, mirror, keeper_end;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	o.peer_fd = fcntl(peer, F_DUPFD_CLOEXEC, 40);
	o.public_fd = fcntl(public, F_DUPFD_CLOEXEC, 40);
	o.local_fd = fcntl(local, F_DUPFD_CLOEXEC, 40);
	snprintf(path, sizeof(path), "%s/log", folder);
	log = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/mirror", folder);
	mirror = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	log = fcntl(log, F_DUPFD_CLOEXEC, 40);
	mirror = fcntl(mirror, F_DUPFD_CLOEXEC, 40);
	if (log < 0 || mirror < 0 || !channel_pair(pair, &e))
		abort();
	keeper_end = fcntl(pair[0], F_DUPFD_CLOEXEC, 40);
	o.keeper_fd = fcntl(pair[1], F_DUPFD_CLOEXEC, 40);
	close(pair[0]);
	close(pair[1]);
	file_fd = fcntl(memfd_create("file", 0), F_DUPFD_CLOEXEC, 40);
	for (size_t i = 0; i < FILE_BYTES; i++) {
		byte = (uint8_t)(i % 251);
		if (i % 4096 == 0 && ftruncate(file_fd, FILE_BYTES) != 0)
			abort();
		if (i < 5000 && pwrite(file_fd, &byte, 1, (off_t)i) != 1)
			abort();
	}
	if (dup2(log, DOOR_FD_LOG) < 0 || dup2(mirror, DOOR_FD_MIRROR) < 0)
		abort();
	o.loop = loop = loop_new();
	o.key_pem = buf_text(&server_key);
	o.cert_pem = buf_text(&server_cert);
	to_door = channel_new(keeper_end);
	if (!door_new(&o, &d, &e) || !channel_watch(to_door, loop, &calls, NULL, &e) || !sandbox_role("door", &e)) {
		fprintf(stderr, "test-door: %s\n", e.text);
		abort();
	}
	door_say(&(struct door_message){ .type = DOOR_PINS, .pins = BYTES_ARRAY(good_pin) }, -1);
	if (!loop_run(loop, &e))
		abort();
	_exit(0);
}

static int door_begin(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int peer = listen_any(&peer_port), public = listen_any(&public_port);
	int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	folder_make();
	snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
	assert_int_equal(bind(local, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(local, 64), 0);
	child = fork();
	if (child == 0)
		child_run(peer, public, local);
	close(peer);
	close(public);
	close(local);
	return 0;
}

static int door_end(void **state)
{
	int status = 0;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	folder_remove();
	/* It must not have fallen over by itself. */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return 0;
}

static int keys_make(void **state)
{
	struct buf *all[] = { &server_key, &server_cert, &good_key, &good_cert, &other_key, &other_cert, &old_cert };
	struct err e = { 0 };
	uint8_t pin[32];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_init(all[i], 16 * KIB);
	assert_true(tls_key_make("XR", &server_key, &server_cert, server_pin, &e));
	assert_true(tls_key_make("XA", &good_key, &good_cert, good_pin, &e));
	assert_true(tls_key_make("XL", &other_key, &other_cert, other_pin, &e));
	assert_true(tls_certificate_make(buf_bytes(&good_key), "XA", 1000, 2000, &old_cert, pin, &e));
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int keys_free(void **state)
{
	struct buf *all[] = { &server_key, &server_cert, &good_key, &good_cert, &other_key, &other_cert, &old_cert };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_wipe(all[i]);
	curl_global_cleanup();
	return 0;
}

/* --- the client --------------------------------------------------------------------------------------- */

struct answer {
	CURLcode result;
	long status;
	struct buf body, header;
};

struct ask {
	char where; /* 'p'eer, 'o'pen (public), 'l'ocal */
	const char *method, *path, *range;
	struct bytes body;
	bool has_body, no_body_wanted;
	size_t put_bytes; /* streamed */
	const struct buf *key, *cert;
	long timeout_ms;
	const char *accept; /* Accept-Encoding, sent as it is; what comes stays compressed */
};

static size_t take(char *data, size_t one, size_t len, void *ctx)
{
	buf_add(ctx, bytes_from(data, len));
	return len;
}

static size_t give(char *data, size_t one, size_t room, void *ctx)
{
	size_t *left = ctx, len = *left < room ? *left : room;

	memset(data, 'x', len);
	*left -= len;
	return len;
}

static void answer_free(struct answer *a)
{
	buf_release(&a->body);
	buf_release(&a->header);
}

static void client_tls(CURL *easy, const struct ask *q)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	if (q->cert != NULL) {
		struct curl_blob key = { q->key->at, q->key->len, CURL_BLOB_COPY };
		struct curl_blob cert = { q->cert->at, q->cert->len, CURL_BLOB_COPY };

		curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
		curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &cert);
	}
}

static void ask_now(const struct ask *q, struct answer *a)
{
	CURL *easy = curl_easy_init();
	size_t left = q->put_bytes;
	struct curl_slist *accept = NULL;
	char url[700];

	buf_init(&a->body, 8 * MIB);
	buf_init(&a->header, 64 * KIB);
	snprintf(url, sizeof(url), q->where == 'l' ? "http://localhost%.0d%s" : "https://127.0.0.1:%d%s",
		 q->where == 'p' ? peer_port : q->where == 'o' ? public_port : 0, q->path);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, q->timeout_ms > 0 ? q->timeout_ms : 20000L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &a->body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, &a->header);
	if (q->where == 'l')
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	else
		client_tls(easy, q);
	if (q->has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)q->body.len);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, q->body.at == NULL ? (const void *)"" : q->body.at);
	}
	if (q->put_bytes > 0) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
		curl_easy_setopt(easy, CURLOPT_READDATA, &left);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->put_bytes);
	}
	if (q->no_body_wanted)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (q->method != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
	if (q->range != NULL)
		curl_easy_setopt(easy, CURLOPT_RANGE, q->range);
	if (q->accept != NULL)
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, accept = curl_slist_append(NULL, q->accept));
	a->result = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &a->status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(accept);
}

/* The status, with the body compared when `part` is not NULL. */
static void expect(const struct ask *q, long status, const char *part)
{
	struct answer a = { 0 };

	ask_now(q, &a);
	if (a.result != CURLE_OK)
		fail_msg("%s: %s", q->path, curl_easy_strerror(a.result));
	if (a.status != status || (part != NULL && strstr(buf_text(&a.body), part) == NULL))
		fail_msg("%s: %ld \"%.300s\"", q->path, a.status, buf_text(&a.body));
	answer_free(&a);
}

#endif
