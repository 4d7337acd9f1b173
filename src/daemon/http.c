/* The listener and the flow of a call through it. libmicrohttpd runs in its external mode: its epoll
 * descriptor is watched by our loop, its timeout is a timer of ours. A call that waits is suspended, which
 * also stops the reading of its body: that is the back-pressure. Answers are made in http-answer.c, TLS
 * identities in http-peer.c. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "daemon/http-internal.h"

/* TLS 1.3 alone: between nodes there is no older software to be kind to. */
#define TLS_PRIORITIES "SECURE128:+SECURE192:-VERS-ALL:+VERS-TLS1.3"
/* A client that says nothing for so long is gone. */
#define IDLE_S_MAX 30u
/* One connection's buffer; read sizes and with them the speed of uploads follow it. Mapped, so that what is not
 * used costs nothing. */
#define CONNECTION_BYTES (192u * KIB)
/* What is still read of a body that nobody wants, so that its sender gets to see the answer. */
#define DISCARD_BYTES_MAX (4u * MIB)
#define RUNS_PER_TURN 16
#define SPIN_US INT64_C(5000)

/* Begins at a random one: what was meant for a call of the process before this one is of none here. */
static uint64_t number_last;
static bool number_begun;

static void run(void *ctx);

/* --- calls ------------------------------------------------------------------------------------- */

static void path_take(struct http_call *c, const char *uri)
{
	struct bytes rest = bytes_of(uri), path;

	for (size_t i = 0; i < rest.len; i++)
		c->too_long |= rest.at[i] <= ' ' || rest.at[i] > '~';
	path = bytes_cut(&rest, '?');
	c->too_long |= path.len > DOOR_PATH_BYTES_MAX;
	if (c->too_long)
		return;
	memcpy(c->path, path.at, path.len);
	buf_add(&c->query, rest);
	c->too_long = !buf_ok(&c->query);
}

/* libmicrohttpd tells the request line before it has taken it apart; what is returned becomes the call's. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http *h = cls;
	struct http_call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->http = h;
	c->connection = connection;
	if (!number_begun)
		chance_fill(&number_last, sizeof(number_last));
	number_begun = true;
	c->number = ++number_last;
	c->out_fd = c->in_fd = -1;
	buf_init(&c->query, DOOR_QUERY_BYTES_MAX);
	path_take(c, uri);
	c->next = h->calls;
	c->link = &h->calls;
	if (c->next != NULL)
		c->next->link = &c->next;
	h->calls = c;
	h->call_count++;
	return c;
}

static void out_close(struct http_call *c)
{
	if (c->out_fd >= 0)
		loop_unwatch(c->http->o.loop, c->out_fd);
	fd_close_at(&c->out_fd);
}

static void call_complete(struct http_call *c, bool ok)
{
	if (c->completed)
		return;
	c->completed = true;
	out_close(c);
	c->http->o.handler.complete(c->http->o.ctx, c, ok, c->received);
}

static void on_over(void *cls, struct MHD_Connection *connection, void **con_cls,
		    enum MHD_RequestTerminationCode toe)
{
	struct http *h = cls;
	struct http_call *c = *con_cls;

	*con_cls = NULL;
	if (c == NULL)
		return;
	if (c->phase == CALL_STREAM)
		call_complete(c, false);
	if (c->phase != CALL_NEW)
		h->o.handler.over(h->o.ctx, c, c->phase == CALL_ANSWERED);
	out_close(c);
	if (c->in_fd >= 0)
		loop_unwatch(h->o.loop, c->in_fd);
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	h->call_count--;
	buf_release(&c->query);
	buf_release(&c->body);
	free(c);
}

void call_suspend(struct http_call *c)
{
	if (c->suspended)
		return;
	c->suspended = true;
	MHD_suspend_connection(c->connection);
}

void call_resume(struct http_call *c)
{
	if (!c->suspended)
		return;
	c->suspended = false;
	MHD_resume_connection(c->connection);
	/* In the external mode nothing else tells the daemon to look. */
	if (c->http->woken)
		return;
	c->http->woken = true;
	loop_cancel(c->http->o.loop, c->http->timer);
	c->http->timer = loop_timer(c->http->o.loop, clock_monotonic_us(), run, c->http);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static void out_ready(void *ctx, short revents)
{
	struct http_call *c = ctx;

	loop_unwatch(c->http->o.loop, c->out_fd);
	call_resume(c);
}

/* Writes what the descriptor takes. Nothing more now: the call is suspended until it is writable. */
static void body_stream(struct http_call *c, const char *data, size_t *size)
{
	while (*size > 0) {
		ssize_t put = write(c->out_fd, data, *size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			if (!loop_watch(c->http->o.loop, c->out_fd, POLLOUT, out_ready, c, NULL))
				break;
			call_suspend(c);
			return;
		}
		if (put <= 0)
			break;
		c->received += (uint64_t)put;
		data += put;
		*size -= (size_t)put;
	}
	if (*size == 0)
		return;
	/* The reader has closed. What is to be answered comes from whoever gave us the descriptor. */
	c->phase = CALL_DISCARD;
	call_complete(c, false);
	c->wanted = c->received;
}

static enum MHD_Result body_take(struct http_call *c, const char *data, size_t *size)
{
	if (c->phase == CALL_STREAM)
		body_stream(c, data, size);
	if (c->phase == CALL_COLLECT) {
		buf_add(&c->body, bytes_from(data, *size));
		c->received += *size;
		*size = 0;
		if (!buf_ok(&c->body)) {
			buf_release(&c->body);
			c->phase = CALL_DISCARD;
			http_problem(c, 413, REASON_TOO_LARGE, "the body is over its limit");
		}
	}
	if (c->phase == CALL_DISCARD) {
		c->received += *size;
		*size = 0;
		if (c->received - c->wanted > DISCARD_BYTES_MAX)
			return MHD_NO;
	}
	return MHD_YES;
}

/* --- the flow ------------------------------------------------------------------------------------ */

static enum MHD_Result answer_queue(struct http_call *c)
{
	struct MHD_Response *response = c->response;
	enum MHD_Result queued;

	c->response = NULL;
	c->phase = CALL_ANSWERED;
	queued = MHD_queue_response(c->connection, c->status, response);
	MHD_destroy_response(response);
	return queued;
}

static bool method_find(const char *name, enum door_method *ret)
{
	static const struct {
		const char *name;
		enum door_method method;
	} table[] = { { "GET", METHOD_GET }, { "HEAD", METHOD_HEAD }, { "POST", METHOD_POST }, { "PUT", METHOD_PUT } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(name, table[i].name) == 0) {
			*ret = table[i].method;
			return true;
		}
	}
	return false;
}

static uint64_t length_find(struct MHD_Connection *connection)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t length = UINT64_MAX;

	if (text != NULL)
		return num_parse_u64(text, INT64_MAX, &length) ? length : UINT64_MAX;
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) == NULL
		       ? 0 : UINT64_MAX;
}

static enum MHD_Result framing_count(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	*(unsigned *)cls += strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 || strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	return MHD_YES;
}

/* What a proxy before us took for the body could be the next call for us (RFC 9112 6.3). */
static bool framing_unclear(struct MHD_Connection *connection)
{
	unsigned count = 0;

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, framing_count, &count);
	return count > 1;
}

static void call_begin(struct http_call *c, const char *method)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	c->phase = CALL_COLLECT;
	c->unclear = framing_unclear(c->connection);
	c->content_length = c->unclear ? UINT64_MAX : length_find(c->connection);
	if (c->unclear)
		http_problem(c, 400, REASON_MALFORMED, "the length of the body is said more than once");
	else if (info != NULL && info->header_size > HTTP_HEADER_BYTES_MAX)
		http_problem(c, 431, REASON_TOO_LARGE, "the header block is over its limit");
	else if (c->too_long)
		http_problem(c, 414, REASON_TOO_LARGE, "the path or query is over its limit, or not plain");
	else if (!method_find(method, &c->method))
		http_problem(c, 405, REASON_NOT_ALLOWED, "there is no such method here");
	else
		c->http->o.handler.begun(c->http->o.ctx, c);
}

/* First call: the header block. Then one for each piece of the body, then one without any; and again after
 * each resume. */
static enum MHD_Result on_call(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			       const char *version, const char *data, size_t *size, void **con_cls)
{
	struct http_call *c = *con_cls;

	if (c == NULL)
		return MHD_NO;
	c->http->moved++;
	if (c->phase == CALL_NEW) {
		call_begin(c, method);
		/* An answer that is queued now ends the connection, because a body might follow. Where none does, it waits for the
		 * next call, and the connection stays: a reader of a log asks for thousands of small files. */
		if (c->response != NULL && c->content_length > 0)
			return answer_queue(c);
		if (c->phase == CALL_HOLD)
			call_suspend(c);
		return MHD_YES;
	}
	if (c->phase == CALL_HOLD) {
		if (c->response != NULL)
			return *size > 0 ? MHD_NO : answer_queue(c);
		return MHD_YES; /* not resumed by us */
	}
	if (c->response != NULL && c->phase == CALL_COLLECT && c->content_length == 0)
		return *size > 0 ? MHD_NO : answer_queue(c);
	if (*size > 0)
		return body_take(c, data, size);
	if (c->phase == CALL_STREAM && c->received == 0 && c->content_length > 0)
		return MHD_YES; /* the first call again, after the hold */
	if (c->phase == CALL_COLLECT || c->phase == CALL_STREAM) {
		bool ok = c->content_length == UINT64_MAX || c->received == c->content_length;

		c->phase = CALL_WAIT;
		call_complete(c, ok);
	}
	if (c->response != NULL)
		return answer_queue(c);
	c->phase = CALL_WAIT;
	call_suspend(c);
	return MHD_YES;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void run(void *ctx)
{
	struct http *h = ctx;
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;
	uint64_t moved = h->moved;
	bool waits = false;
	int64_t wait_us;

	loop_cancel(h->o.loop, h->timer);
	h->timer = 0;
	h->woken = false;
	for (int i = 0; i < RUNS_PER_TURN; i++) {
		(void)MHD_run(h->daemon);
		waits = MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES;
		if (!waits || wait_ms > 0)
			break;
	}
	/* It also says "at once" for as long as a handshake waits for its client: turning on the spot until the client
	 * says something, which its descriptor tells anyway, would be the client's to decide. */
	wait_us = wait_ms > 0 ? (int64_t)wait_ms * 1000 : h->moved == moved ? SPIN_US : 0;
	if (waits && h->timer == 0)
		h->timer = loop_timer(h->o.loop, clock_monotonic_us() + wait_us, run, h);
}

static void run_ready(void *ctx, short revents)
{
	run(ctx);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode toe)
{
	struct http *h = cls;

	if (toe == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*socket_context);
		*socket_context = NULL;
		return;
	}
	if (!h->o.ask_certificate)
		return;
	*socket_context = calloc(1, sizeof(struct http_shown));
	if (*socket_context == NULL)
		abort();
	peer_ask(connection);
}

static struct MHD_Daemon *daemon_start(struct http *h)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME;
	struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)h->o.key_pem },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)h->o.cert_pem },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (h->o.key_pem != NULL)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_call, h, MHD_OPTION_LISTEN_SOCKET, h->o.listen_fd,
				MHD_OPTION_URI_LOG_CALLBACK, on_uri, h, MHD_OPTION_NOTIFY_COMPLETED, on_over, h,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, h->o.per_address_max,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY,
				h->o.key_pem == NULL ? plain : tls, MHD_OPTION_END);
}

bool http_new(const struct http_options *o, struct http **ret, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	const union MHD_DaemonInfo *info;
	int flags = fcntl(o->listen_fd, F_GETFL);

	if (h == NULL)
		abort();
	h->o = *o;
	if (flags >= 0)
		(void)fcntl(o->listen_fd, F_SETFL, flags | O_NONBLOCK);
	h->daemon = daemon_start(h);
	if (h->daemon == NULL) {
		free(h);
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT,
			       "cannot serve HTTP%s", o->key_pem == NULL ? "" : ": look at the TLS key and certificate");
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	h->epoll_fd = info == NULL ? -1 : info->epoll_fd;
	if (!loop_watch(o->loop, h->epoll_fd, POLLIN, run_ready, h, e)) {
		MHD_stop_daemon(h->daemon);
		free(h);
		return false;
	}
	h->o.key_pem = h->o.cert_pem = NULL;
	*ret = h;
	return true;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	h->ending = true;
	loop_unwatch(h->o.loop, h->epoll_fd);
	/* The daemon may not be stopped while a call is suspended; one run takes the resumes in. */
	for (struct http_call *c = h->calls; c != NULL; c = c->next) {
		if (c->response == NULL && c->phase != CALL_ANSWERED)
			http_problem(c, 503, REASON_UNAVAILABLE, "the node is ending");
		call_resume(c);
	}
	(void)MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	loop_cancel(h->o.loop, h->timer);
	free(h);
}
