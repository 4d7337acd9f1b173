/* The courier: carries what the keeper hands it to other nodes and brings back what they answer. It accepts exactly
 * the server key that the keeper names (the pin is the trust; there is no chain), speaks TLS 1.3 and HTTP/1.1 only,
 * follows no redirect and no proxy, and reads no more than it was told to. Connections are kept and used again:
 * a handshake costs more than a letter. Each FETCH is answered by exactly one FETCHED. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/secret.h"
#include "daemon/courier-internal.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "process/parcel.h"

/* Letters of one moment to one node share few handshakes. */
#define HOST_CONNECTIONS_MAX 4L
#define CONNECTIONS_KEPT_MAX 64L
/* How often progress is told and looked for. */
#define TICK_US INT64_C(250000)
#define PEM_BYTES_MAX (64 * KIB)

static void tick_start(struct courier *c);

/* --- to the keeper ------------------------------------------------------------------------------- */

static void tell(struct courier *c, const struct courier_message *m)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	courier_message_write(m, &out);
	if (c->keeper != NULL && !(buf_check(&out, "answer", &e) && parcel_send(c->keeper, buf_bytes(&out), NULL, 0, &e)))
		diag_err(DIAG_WARNING, "keeper-not-told", &e);
}

static void tell_failed(struct courier *c, uint64_t job, uint64_t written, const char *why)
{
	struct bytes words = bytes_slice(bytes_of(why), 0, ERR_TEXT_BYTES_MAX - 1);

	tell(c, &(struct courier_message){ .type = COURIER_FETCHED, .job = job, .error = words, .written = written });
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void job_free(struct job *j)
{
	struct courier *c = j->courier;
	struct job **at = &c->jobs;

	while (*at != NULL && *at != j)
		at = &(*at)->next;
	if (*at == j) {
		*at = j->next;
		c->job_count--;
	}
	if (j->easy != NULL) {
		(void)curl_multi_remove_handle(c->multi, j->easy);
		curl_easy_cleanup(j->easy);
	}
	curl_slist_free_all(j->headers);
	if (j->out_waits)
		loop_unwatch(c->o.loop, j->out_fd);
	fd_close_at(&j->out_fd);
	buf_release(&j->request);
	buf_release(&j->answer);
	free(j);
}

static void job_begin(struct job *j)
{
	j->follows = false;
	j->begun_us = j->moved_us = clock_monotonic_us();
	if (curl_multi_add_handle(j->courier->multi, j->easy) != CURLM_OK)
		abort(); /* a handle that was set up and stands in no other */
}

/* Frees it and lets that go on which follows it, or ends it too: order is what it waits for. */
static void job_end(struct job *j, bool good)
{
	struct courier *c = j->courier;
	uint64_t number = j->m.job;
	struct job *next;

	job_free(j);
	if (good)
		c->good[c->good_at++ % GOOD_ENDS] = number;
	do {
		next = c->jobs;
		while (next != NULL && !(next->follows && next->m.after == number))
			next = next->next;
		if (next != NULL && good) {
			job_begin(next);
		} else if (next != NULL) {
			tell_failed(c, next->m.job, 0, "what was to go before it did not arrive");
			job_end(next, false);
		}
	} while (next != NULL);
}

static void job_done(struct job *j, CURLcode result)
{
	struct courier_message m = { .type = COURIER_FETCHED, .job = j->m.job, .written = j->written,
				     .begun_us = (uint64_t)j->begun_us };
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(j->easy, CURLINFO_CONTENT_TYPE, &type);
	if (result != CURLE_OK || j->refused[0] != '\0') {
		tell_failed(j->courier, j->m.job, j->written,
			    j->refused[0] != '\0' ? j->refused
			    : j->words[0] != '\0' ? j->words : curl_easy_strerror(result));
	} else {
		m.ok = true;
		m.status = (uint16_t)status;
		m.content_type = bytes_slice(bytes_of(type), 0, 128);
		m.body = buf_bytes(&j->answer);
		tell(j->courier, &m);
	}
	job_end(j, m.ok && status == 200);
}

void courier_finish(struct courier *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct job *j = NULL;
		CURLcode result = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&j);
		job_done(j, result);
	}
}

/* --- jobs that come ------------------------------------------------------------------------------- */

static struct job *job_find(struct courier *c, uint64_t number)
{
	struct job *j = c->jobs;

	while (j != NULL && j->m.job != number)
		j = j->next;
	return j;
}

static bool good_end(const struct courier *c, uint64_t number)
{
	for (size_t i = 0; i < GOOD_ENDS; i++)
		if (c->good[i] == number)
			return true;
	return false;
}

/* Takes the content of request. */
static void fetch(struct courier *c, const struct courier_message *m, struct buf *request, int out_fd)
{
	struct job *j = calloc(1, sizeof(*j));
	const char *why = "";

	if (j == NULL)
		abort();
	j->courier = c;
	j->m = *m;
	j->request = *request;
	buf_init(request, 0);
	j->out_fd = out_fd;
	buf_init(&j->answer, m->bytes_max < REGISTER_BYTES_MAX + MIB ? (size_t)m->bytes_max : REGISTER_BYTES_MAX + MIB);
	j->easy = curl_easy_init();
	if (j->easy == NULL)
		abort();
	j->next = c->jobs;
	c->jobs = j;
	c->job_count++;
	if (c->job_count > COURIER_JOBS_MAX)
		why = "too many jobs are under way";
	else if (job_setup(j, &why)) {
		if (m->after == 0 || good_end(c, m->after))
			job_begin(j);
		else if (job_find(c, m->after) != NULL)
			j->follows = true;
		else
			why = "what was to go before it did not arrive";
	}
	if (why[0] == '\0') {
		tick_start(c);
		return;
	}
	tell_failed(c, m->job, 0, why);
	job_end(j, false);
}

static void cancel(struct courier *c, uint64_t job)
{
	struct job *j = job_find(c, job);

	if (j == NULL)
		return;
	tell_failed(c, job, j->written, "cancelled");
	job_end(j, false);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void act(struct courier *c, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(c->multi, fd, what, &running);
	courier_finish(c);
}

struct socket {
	struct courier *courier;
	curl_socket_t fd;
};

static void socket_ready(void *ctx, short revents)
{
	struct socket *s = ctx;
	int what = 0;

	what |= (revents & (POLLIN | POLLHUP)) != 0 ? CURL_CSELECT_IN : 0;
	what |= (revents & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
	what |= (revents & POLLERR) != 0 ? CURL_CSELECT_ERR : 0;
	act(s->courier, s->fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct courier *c = ctx;
	struct socket *s = socket_ctx;
	short events = (short)(((what & CURL_POLL_IN) != 0 ? POLLIN : 0) | ((what & CURL_POLL_OUT) != 0 ? POLLOUT : 0));

	if (what == CURL_POLL_REMOVE) {
		loop_unwatch(c->o.loop, fd);
		(void)curl_multi_assign(c->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (s != NULL) {
		loop_change(c->o.loop, fd, events);
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	*s = (struct socket){ .courier = c, .fd = fd };
	(void)curl_multi_assign(c->multi, fd, s);
	return loop_watch(c->o.loop, fd, events, socket_ready, s, NULL) ? 0 : -1;
}

static void timer_due(void *ctx)
{
	struct courier *c = ctx;

	c->timer = 0;
	act(c, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct courier *c = ctx;

	loop_cancel(c->o.loop, c->timer);
	c->timer = timeout_ms < 0 ? 0
		: loop_timer(c->o.loop, clock_monotonic_us() + (int64_t)timeout_ms * 1000, timer_due, c);
	return 0;
}

static uint64_t bytes_moved(const struct job *j)
{
	curl_off_t up = 0, down = 0;

	(void)curl_easy_getinfo(j->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(j->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return (uint64_t)up + (uint64_t)down;
}

static void tick(void *ctx)
{
	struct courier *c = ctx;
	int64_t now = clock_monotonic_us();

	c->tick = 0;
	for (struct job *j = c->jobs, *next; j != NULL; j = next) {
		uint64_t moved = bytes_moved(j);

		next = j->next;
		if (j->written != j->told) {
			j->told = j->written;
			tell(c, &(struct courier_message){ .type = COURIER_PROGRESS, .job = j->m.job,
							   .written = j->written });
		}
		if (moved != j->moved || j->out_waits || j->follows) {
			j->moved = moved;
			j->moved_us = now;
		} else if (now - j->moved_us > (int64_t)j->m.timeout_ms * 1000) {
			tell_failed(c, j->m.job, j->written, "the other node did not answer in time");
			job_end(j, false);
			next = c->jobs; /* others may have ended with it */
		}
	}
	tick_start(c);
}

static void tick_start(struct courier *c)
{
	if (c->tick == 0 && c->jobs != NULL)
		c->tick = loop_timer(c->o.loop, clock_monotonic_us() + TICK_US, tick, c);
}

/* --- from the keeper ------------------------------------------------------------------------- */

static void keeper_gone(struct courier *c)
{
	channel_free(c->keeper);
	c->keeper = NULL;
	if (c->o.closed != NULL)
		c->o.closed(c->o.ctx);
}

static void keeper_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct courier *c = ctx;
	struct courier_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !courier_message_parse(buf_bytes(&in), &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		keeper_gone(c);
	} else if (m.type == COURIER_FETCH) {
		int out_fd = nfds > 0 ? fds[0] : -1;

		if (nfds > 0)
			fds[0] = -1;
		fetch(c, &m, &in, out_fd);
	} else if (m.type == COURIER_CANCEL) {
		cancel(c, m.job);
	}
}

static void keeper_closed(void *ctx, const struct err *why)
{
	if (why != NULL)
		diag_err(DIAG_ERROR, "keeper-lost", why);
	keeper_gone(ctx);
}

/* --- life ------------------------------------------------------------------------------------ */

bool courier_new(const struct courier_options *o, struct courier **ret, struct err *e)
{
	static const struct channel_calls calls = { .message = keeper_message, .closed = keeper_closed };
	struct courier *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->o = *o;
	c->keeper = channel_new(o->keeper_fd);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (c->multi = curl_multi_init()) == NULL) {
		courier_free(c);
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the HTTP client does not start");
	}
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS_MAX);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT_MAX);
	if (!channel_watch(c->keeper, o->loop, &calls, c, e)) {
		courier_free(c);
		return false;
	}
	*ret = c;
	return true;
}

void courier_free(struct courier *c)
{
	if (c == NULL)
		return;
	while (c->jobs != NULL)
		job_free(c->jobs);
	if (c->multi != NULL)
		(void)curl_multi_cleanup(c->multi);
	loop_cancel(c->o.loop, c->timer);
	loop_cancel(c->o.loop, c->tick);
	channel_free(c->keeper);
	curl_global_cleanup();
	free(c);
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static bool courier_serve(struct role_loop *r, struct err *e)
{
	struct courier_options o = { .loop = r->loop, .keeper_fd = ROLE_FD_KEEPER, .closed = stop, .ctx = r->loop };
	struct courier *c;
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF cert = { 0 };
	AUTO_SECRET *guarded = NULL;

	(void)mallopt(M_ARENA_MAX, 1); /* a resolver thread needs no heap of its own */
	buf_init(&key, PEM_BYTES_MAX);
	buf_init(&cert, PEM_BYTES_MAX);
	if (!role_read_fd(COURIER_FD_TLS_KEY, "TLS key", &key, e) ||
	    !role_read_fd(COURIER_FD_TLS_CERT, "TLS certificate", &cert, e))
		return false;
	guarded = secret_from(buf_bytes(&key));
	buf_wipe(&key);
	o.key_pem = secret_bytes(guarded);
	o.cert_pem = buf_bytes(&cert);
	if (!courier_new(&o, &c, e))
		return false;
	if (sandbox_role("courier", e) && role_ready(r, e))
		return loop_run(r->loop, e);
	return false;
}

int courier_main(int argc, char **argv)
{
	return role_serve(courier_serve, argc, argv);
}
