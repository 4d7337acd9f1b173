/* The door: the only role that reads bytes from the network. It terminates TLS, takes HTTP apart, checks that a peer
 * shows a pinned and valid key before it reads a byte of a body, and asks the keeper about everything
 * else. It knows no rules and holds nothing worth stealing but its TLS key. The files of the log, public and
 * cosigned, it serves itself. When the keeper is gone, callers are told so. */
#include "daemon/door.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "daemon/door-messages.h"
#include "daemon/door-witness.h"
#include "daemon/http.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "process/parcel.h"

/* One address is one node or one office behind its gateway; the rest of the places are for others. */
#define PER_ADDRESS_MAX (HTTP_CONNECTIONS_MAX / 4)
#define PEM_BYTES_MAX (64 * KIB)

enum { TAG_ASKED = 1 }; /* the keeper knows of this call */

struct entrance {
	struct door *door;
	enum door_caller caller;
	struct http *http;
};

struct door {
	struct door_options o;
	struct channel *keeper; /* NULL: gone */
	struct entrance entrances[CALLER_LOCAL + 1]; /* by enum door_caller */
	struct buf pins;
	struct door_witness *witness;
};

/* --- to the keeper ----------------------------------------------------------------------------- */

static bool tell(struct door *d, const struct door_message *m)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	door_message_write(m, &out);
	if (d->keeper == NULL || !buf_ok(&out))
		return false;
	if (parcel_send(d->keeper, buf_bytes(&out), NULL, 0, &e))
		return true;
	diag_err(DIAG_WARNING, "keeper-not-told", &e);
	return false;
}

static void ask(struct entrance *in, struct http_call *c)
{
	struct door_message m = {
		.type = DOOR_CALL, .call = http_number(c), .caller = in->caller, .method = http_method(c),
		.path = http_path(c), .query = http_query(c), .body = http_body(c),
	};
	struct err e;

	if (in->caller == CALLER_PEER && !http_peer(c, m.spki, &e)) {
		http_problem(c, 403, e.reason, e.text);
		return;
	}
	if (in->caller == CALLER_LOCAL && !http_uid(c, &m.uid, &e)) {
		http_problem(c, 403, e.reason, e.text);
		return;
	}
	if (m.method == METHOD_PUT)
		m.content_length = http_content_length(c);
	if (tell(in->door, &m))
		http_set_tag(c, TAG_ASKED);
	else
		http_problem(c, 503, REASON_UNAVAILABLE, "the node is starting or busy; try again");
}

/* --- files of the log ------------------------------------------------------------------------- */

/* The compressed one where the client takes it and there is one. */
static int file_open(int dir_fd, const char *path, bool gzip, bool *ret_gzip)
{
	char compressed[DOOR_PATH_BYTES_MAX + 8];
	int fd = -1;

	if (dir_fd <= 0)
		return -1;
	snprintf(compressed, sizeof(compressed), "%s.gz", path);
	if (gzip)
		fd = openat(dir_fd, compressed, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	*ret_gzip = fd >= 0;
	return fd >= 0 ? fd : openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool is_file(struct bytes path)
{
	bool mirror;
	const char *below;

	return path.len > 1 && door_file_of((const char *)path.at + 1, &mirror, &below) != DOOR_FILE_NONE;
}

static void serve_log(struct door *d, struct http_call *c)
{
	static const struct {
		const char *content_type;
		unsigned fresh_s; /* 0: never changes */
	} files[] = {
		[DOOR_FILE_CHECKPOINT] = { "text/plain; charset=utf-8", 2 },
		[DOOR_FILE_TILE] = { "application/octet-stream", 0 },
		[DOOR_FILE_BUNDLE] = { "application/octet-stream", 0 },
		[DOOR_FILE_ACT] = { "application/json", 0 },
		[DOOR_FILE_INDEX] = { "text/plain; charset=utf-8", 60 },
		[DOOR_FILE_OPENINGS] = { "application/jsonl", 300 },
	};
	bool mirror;
	const char *path;
	enum door_file file = door_file_of((const char *)http_path(c).at + 1, &mirror, &path);
	struct http_answer a = {
		.status = 200, .cacheable = files[file].fresh_s == 0, .fresh_s = files[file].fresh_s,
		.content_type = bytes_of(files[file].content_type), .varies = file == DOOR_FILE_BUNDLE,
	};
	struct stat st;
	int fd = file_open(mirror ? d->o.mirror_fd : d->o.log_fd, path, file == DOOR_FILE_BUNDLE && http_accepts_gzip(c), &a.gzip);

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		http_problem(c, 404, REASON_NOT_FOUND, "the log has no such file");
		return;
	}
	a.fd = fd;
	a.length = (uint64_t)st.st_size;
	a.ranges = !a.gzip && file != DOOR_FILE_CHECKPOINT && file != DOOR_FILE_INDEX;
	http_answer(c, &a);
}

/* --- what may be asked where ----------------------------------------------------------------- */

static const struct {
	enum door_caller caller;
	enum door_method method;
	const char *begin, *end; /* of the path; end NULL: the path is begin */
	size_t body_max;
} routes[] = {
	{ CALLER_PEER, METHOD_POST, "/letters", NULL, LETTER_BATCH_BYTES_MAX },
	{ CALLER_PEER, METHOD_POST, "/proofs", NULL, HTTP_BODY_BYTES_MAX },
	{ CALLER_PEER, METHOD_POST, "/pair", NULL, 4 * KIB },
	{ CALLER_PEER, METHOD_GET, "/exhibits/", "", 0 },
	{ CALLER_PUBLIC, METHOD_GET, "/register", NULL, 0 },
	{ CALLER_LOCAL, METHOD_GET, "/api/", "", 0 },
	{ CALLER_LOCAL, METHOD_POST, "/api/", "", HTTP_BODY_BYTES_MAX },
	{ CALLER_LOCAL, METHOD_PUT, "/exhibits/", "", 0 },
	{ CALLER_LOCAL, METHOD_GET, "/exhibits/", "/content", 0 },
};

static bool route_fits(size_t i, enum door_caller caller, enum door_method method, struct bytes path)
{
	struct bytes begin = bytes_of(routes[i].begin), end = bytes_of(routes[i].end);

	if (method == METHOD_HEAD)
		method = METHOD_GET;
	if (routes[i].caller != caller || routes[i].method != method)
		return false;
	if (routes[i].end == NULL)
		return bytes_equal(path, begin);
	return path.len > begin.len + end.len && bytes_starts(path, routes[i].begin) &&
	       bytes_equal(bytes_slice(path, path.len - end.len, end.len), end);
}

static bool pin_known(const struct door *d, const uint8_t spki[static 32])
{
	struct bytes pins = buf_bytes(&d->pins);

	for (size_t at = 0; at + SHA256_BYTES <= pins.len; at += SHA256_BYTES) {
		if (bytes_equal(bytes_slice(pins, at, SHA256_BYTES), bytes_from(spki, SHA256_BYTES)))
			return true;
	}
	return false;
}

static bool peer_admitted(struct door *d, struct http_call *c)
{
	uint8_t spki[32];
	struct err e;

	if (!http_peer(c, spki, &e)) {
		http_problem(c, 403, e.reason, e.text);
		return false;
	}
	if (!pin_known(d, spki)) {
		http_problem(c, 403, REASON_UNKNOWN_KEY, "no party of the register shows this key");
		return false;
	}
	return true;
}

static void begun(void *ctx, struct http_call *c)
{
	struct entrance *in = ctx;
	struct bytes path = http_path(c);
	enum door_method method = http_method(c);
	size_t i = 0, witness_max;

	if (in->caller == CALLER_PEER && !peer_admitted(in->door, c))
		return;
	if (in->caller == CALLER_PUBLIC && door_witness_answers(method, path, &witness_max)) {
		http_collect(c, witness_max);
		return;
	}
	if (in->caller != CALLER_LOCAL && in->door->o.log_fd >= 0 && (method == METHOD_GET || method == METHOD_HEAD) &&
	    is_file(path)) {
		serve_log(in->door, c);
		return;
	}
	while (i < sizeof(routes) / sizeof(routes[0]) && !route_fits(i, in->caller, method, path))
		i++;
	if (in->door->o.keeper_fd < 0)
		i = sizeof(routes) / sizeof(routes[0]); /* a witness alone has nobody to ask */
	if (i == sizeof(routes) / sizeof(routes[0])) {
		http_problem(c, 404, REASON_NOT_FOUND, "there is nothing at this address");
	} else if (method != METHOD_PUT) {
		http_collect(c, routes[i].body_max);
	} else if (http_content_length(c) == UINT64_MAX) {
		http_problem(c, 411, REASON_MISSING_FIELD, "say Content-Length");
	} else {
		http_hold(c);
		ask(in, c);
	}
}

static void complete(void *ctx, struct http_call *c, bool ok, uint64_t received)
{
	struct entrance *in = ctx;
	struct door_message m = { .type = DOOR_BODY_END, .call = http_number(c), .ok = ok, .received = received };
	size_t witness_max;

	if (in->caller == CALLER_PUBLIC && door_witness_answers(http_method(c), http_path(c), &witness_max))
		door_witness_ask(in->door->witness, c);
	else if (http_method(c) != METHOD_PUT)
		ask(in, c);
	else if (!tell(in->door, &m))
		http_problem(c, 503, REASON_UNAVAILABLE, "the node is starting or busy; try again");
}

static void over(void *ctx, struct http_call *c, bool answered)
{
	struct entrance *in = ctx;
	struct door_message m = { .type = DOOR_GONE, .call = http_number(c) };

	if (!answered && http_tag(c) == TAG_ASKED)
		(void)tell(in->door, &m);
}

/* --- from the keeper ----------------------------------------------------------------------- */

static struct http_call *call_find(struct door *d, uint64_t number)
{
	struct http_call *c = NULL;

	for (int i = CALLER_PEER; c == NULL && i <= CALLER_LOCAL; i++)
		if (d->entrances[i].http != NULL)
			c = http_find(d->entrances[i].http, number);
	return c != NULL && http_tag(c) == DOOR_TAG_WITNESS ? NULL : c; /* the keeper answers no call that it was not asked */
}

static int fd_take(int *fds, size_t nfds)
{
	int fd = nfds > 0 ? fds[0] : 0;

	if (nfds > 0)
		fds[0] = -1;
	return fd;
}

static void told(struct door *d, const struct door_message *m, int *fds, size_t nfds)
{
	struct http_call *c = m->type == DOOR_PINS ? NULL : call_find(d, m->call);

	if (m->type == DOOR_PINS) {
		buf_clear(&d->pins);
		buf_add(&d->pins, m->pins);
		return;
	}
	if (c == NULL)
		return; /* it went away meanwhile, which the keeper has been told */
	if (m->type == DOOR_PIPE && nfds > 0) {
		http_stream_into(c, fd_take(fds, nfds));
	} else if (m->type == DOOR_REPLY || (m->type == DOOR_STREAM && nfds > 0)) {
		http_answer(c, &(struct http_answer){
			.status = m->status, .content_type = m->content_type, .body = m->body,
			.cacheable = m->cacheable, .ranges = m->ranges, .fd = fd_take(fds, nfds),
			.stream = m->type == DOOR_STREAM, .offset = m->offset, .length = m->length });
	}
}

static void unavailable(void *ctx, struct http_call *c)
{
	if (http_tag(c) == TAG_ASKED)
		http_problem(c, 503, REASON_UNAVAILABLE, "the node is starting again; try again");
}

static void keeper_gone(struct door *d)
{
	channel_free(d->keeper);
	d->keeper = NULL;
	for (int i = CALLER_PEER; i <= CALLER_LOCAL; i++)
		if (d->entrances[i].http != NULL)
			http_each(d->entrances[i].http, unavailable, NULL);
}

static void keeper_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct door *d = ctx;
	struct door_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	if (parcel_open(packet, &fds, &nfds, &in, &e) && door_message_parse(buf_bytes(&in), &m, &e)) {
		told(d, &m, fds, nfds);
		return;
	}
	diag_err(DIAG_ERROR, "bad-message", &e);
	keeper_gone(d);
}

static void keeper_closed(void *ctx, const struct err *why)
{
	if (why != NULL)
		diag_err(DIAG_ERROR, "keeper-lost", why);
	keeper_gone(ctx);
}

/* --- life ------------------------------------------------------------------------------------ */

static bool entrance_open(struct door *d, enum door_caller caller, int *fd, struct err *e)
{
	struct entrance *in = &d->entrances[caller];
	struct http_options o = {
		.loop = d->o.loop, .listen_fd = *fd, .ask_certificate = caller == CALLER_PEER,
		.per_address_max = caller == CALLER_LOCAL ? 0 : PER_ADDRESS_MAX,
		.handler = { .begun = begun, .complete = complete, .over = over }, .ctx = in,
	};

	if (*fd < 0)
		return true;
	if (caller == CALLER_PEER || (caller == CALLER_PUBLIC && !d->o.public_plain)) {
		o.key_pem = d->o.key_pem;
		o.cert_pem = d->o.cert_pem;
	}
	*in = (struct entrance){ .door = d, .caller = caller };
	if (!http_new(&o, &in->http, e))
		return false;
	*fd = -1;
	return true;
}

bool door_new(const struct door_options *o, struct door **ret, struct err *e)
{
	static const struct channel_calls calls = { .message = keeper_message, .closed = keeper_closed };
	struct door *d = calloc(1, sizeof(*d));

	if (d == NULL)
		abort();
	d->o = *o;
	buf_init(&d->pins, DOOR_PINS_MAX * SHA256_BYTES);
	d->witness = door_witness_new(o->loop);
	d->keeper = o->keeper_fd < 0 ? NULL : channel_new(o->keeper_fd);
	if ((o->witness_fd > 0 && !door_witness_channel(d->witness, o->witness_fd, e)) ||
	    !entrance_open(d, CALLER_PEER, &d->o.peer_fd, e) || !entrance_open(d, CALLER_PUBLIC, &d->o.public_fd, e) ||
	    !entrance_open(d, CALLER_LOCAL, &d->o.local_fd, e) ||
	    (d->keeper != NULL && !channel_watch(d->keeper, o->loop, &calls, d, e))) {
		door_free(d);
		return false;
	}
	d->o.key_pem = d->o.cert_pem = NULL;
	door_witness_http(d->witness, d->entrances[CALLER_PUBLIC].http);
	*ret = d;
	return true;
}

void door_free(struct door *d)
{
	if (d == NULL)
		return;
	channel_free(d->keeper);
	d->keeper = NULL;
	door_witness_free(d->witness);
	for (int i = CALLER_PEER; i <= CALLER_LOCAL; i++)
		http_free(d->entrances[i].http);
	fd_close_at(&d->o.peer_fd);
	fd_close_at(&d->o.public_fd);
	fd_close_at(&d->o.local_fd);
	buf_release(&d->pins);
	free(d);
}

bool door_witness_again(struct door *d, int fd, struct err *e)
{
	return door_witness_channel(d->witness, fd, e);
}

static void channel_again(void *ctx, enum role role, int fd)
{
	struct err e = { 0 };

	if (role != ROLE_witness)
		close(fd);
	else if (!door_witness_again(ctx, fd, &e))
		diag_err(DIAG_ERROR, "channel-not-taken", &e);
}

static bool door_serve(struct role_loop *r, struct err *e)
{
	struct door_options o = {
		.loop = r->loop, .keeper_fd = ROLE_FD_KEEPER, .peer_fd = DOOR_FD_PEER, .public_fd = DOOR_FD_PUBLIC,
		.local_fd = DOOR_FD_LOCAL, .log_fd = DOOR_FD_LOG, .witness_fd = DOOR_FD_WITNESS,
		.mirror_fd = DOOR_FD_MIRROR,
		.public_plain = role_has(r, ROLE_PLAIN),
	};
	bool alone = role_has(r, ROLE_ALONE), keyless = alone && o.public_plain;
	struct door *d;
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF cert = { 0 };

	buf_init(&key, PEM_BYTES_MAX);
	buf_init(&cert, PEM_BYTES_MAX);
	if (alone)
		o.keeper_fd = o.peer_fd = o.local_fd = o.log_fd = o.mirror_fd = -1;
	if (!keyless && (!role_read_fd(DOOR_FD_TLS_KEY, "TLS key", &key, e) ||
			 !role_read_fd(DOOR_FD_TLS_CERT, "TLS certificate", &cert, e)))
		return false;
	o.key_pem = buf_text(&key);
	o.cert_pem = buf_text(&cert);
	if (!door_new(&o, &d, e))
		return false;
	buf_wipe(&key);
	r->channel = channel_again;
	r->ctx = d;
	if ((alone ? sandbox_role_without_paths("door", e) : sandbox_role("door", e)) && role_ready(r, e))
		return loop_run(r->loop, e);
	return false;
}

int door_main(int argc, char **argv)
{
	return role_serve(door_serve, argc, argv);
}
