/* Calls are counted until the witness has answered them, also those whose client has gone: what waits at the witness
 * is bounded whatever clients do. */
#include "daemon/door-witness.h"

#include <stdlib.h>

#include "base/diag.h"
#include "base/text.h"
#include "process/channel.h"
#include "process/parcel.h"

#define GONE "the witness is starting again; try again"

struct door_witness {
	struct loop *loop;
	struct http *http;
	struct channel *channel; /* NULL: gone */
	size_t waiting;
};

struct door_witness *door_witness_new(struct loop *loop)
{
	struct door_witness *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->loop = loop;
	return w;
}

void door_witness_http(struct door_witness *w, struct http *h)
{
	w->http = h;
}

static void unavailable(void *ctx, struct http_call *c)
{
	if (http_tag(c) == DOOR_TAG_WITNESS)
		http_problem(c, 503, REASON_UNAVAILABLE, GONE);
}

static void gone(struct door_witness *w)
{
	channel_free(w->channel);
	w->channel = NULL;
	w->waiting = 0;
	if (w->http != NULL)
		http_each(w->http, unavailable, NULL);
}

static void closed(void *ctx, const struct err *why)
{
	if (why != NULL)
		diag_err(DIAG_ERROR, "witness-lost", why);
	gone(ctx);
}

static void message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct door_witness *w = ctx;
	struct door_message m;
	struct err e = { 0 };
	struct http_call *c;
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !door_message_parse(buf_bytes(&in), &m, &e) || m.type != DOOR_REPLY) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		gone(w);
		return;
	}
	w->waiting -= w->waiting > 0;
	c = w->http == NULL ? NULL : http_find(w->http, m.call);
	/* It answers its own calls and no others. */
	if (c != NULL && http_tag(c) == DOOR_TAG_WITNESS)
		http_answer(c, &(struct http_answer){ .status = m.status, .content_type = m.content_type, .body = m.body });
}

bool door_witness_channel(struct door_witness *w, int fd, struct err *e)
{
	static const struct channel_calls calls = { .message = message, .closed = closed };

	gone(w);
	w->channel = channel_new(fd);
	return channel_watch(w->channel, w->loop, &calls, w, e);
}

bool door_witness_answers(enum door_method method, struct bytes path, size_t *ret_bytes_max)
{
	uint8_t hash[SHA256_BYTES];

	if (method == METHOD_POST && bytes_is(path, "/add-checkpoint")) {
		*ret_bytes_max = WITNESS_REQUEST_BYTES_MAX;
		return true;
	}
	*ret_bytes_max = 0;
	return (method == METHOD_GET || method == METHOD_HEAD) && path.len == 1 + 2 * SHA256_BYTES + 11 && path.at[0] == '/' &&
	       hex_parse(bytes_slice(path, 1, 2 * SHA256_BYTES), hash, sizeof(hash)) &&
	       bytes_is(bytes_slice(path, 1 + 2 * SHA256_BYTES, path.len), "/checkpoint");
}

void door_witness_ask(struct door_witness *w, struct http_call *c)
{
	struct door_message m = { .type = DOOR_CALL, .call = http_number(c), .caller = CALLER_PUBLIC, .method = http_method(c),
				  .path = http_path(c), .body = http_body(c) };
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	door_message_write(&m, &out);
	if (w->channel == NULL || !buf_ok(&out)) {
		http_problem(c, 503, REASON_UNAVAILABLE, GONE);
	} else if (w->waiting >= WITNESS_CALLS_WAITING_MAX) {
		http_problem(c, 429, REASON_BUSY, "too many calls wait for the witness; try again");
	} else if (!parcel_send(w->channel, buf_bytes(&out), NULL, 0, &e)) {
		http_problem(c, 503, REASON_UNAVAILABLE, GONE);
	} else {
		w->waiting++;
		http_set_tag(c, DOOR_TAG_WITNESS);
	}
}

void door_witness_free(struct door_witness *w)
{
	if (w == NULL)
		return;
	channel_free(w->channel);
	free(w);
}
