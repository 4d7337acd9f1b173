/* What a handler asks of a call, and what it says about its body. */
#include <fcntl.h>
#include <unistd.h>

#include "daemon/http-internal.h"

/* Fewer turns for a large body. */
#define PIPE_BYTES (1 * (int)MIB)

enum door_method http_method(const struct http_call *c)
{
	return c->method;
}

struct bytes http_path(const struct http_call *c)
{
	return bytes_of(c->path);
}

struct bytes http_query(const struct http_call *c)
{
	return buf_bytes(&c->query);
}

uint64_t http_content_length(const struct http_call *c)
{
	return c->content_length;
}

struct bytes http_body(const struct http_call *c)
{
	return buf_bytes(&c->body);
}

void http_set_tag(struct http_call *c, unsigned tag)
{
	c->tag = tag;
}

unsigned http_tag(const struct http_call *c)
{
	return c->tag;
}

uint64_t http_number(const struct http_call *c)
{
	return c->number;
}

struct http_call *http_find(struct http *h, uint64_t number)
{
	struct http_call *c = h->calls;

	while (c != NULL && c->number != number)
		c = c->next;
	return c;
}

void http_each(struct http *h, void (*each)(void *ctx, struct http_call *c), void *ctx)
{
	for (struct http_call *c = h->calls, *next; c != NULL; c = next) {
		next = c->next;
		each(ctx, c);
	}
}

void http_collect(struct http_call *c, size_t bytes_max)
{
	if (c->content_length != UINT64_MAX && c->content_length > bytes_max) {
		http_problem(c, 413, REASON_TOO_LARGE, "the body is over its limit");
		return;
	}
	buf_init(&c->body, bytes_max);
}

void http_hold(struct http_call *c)
{
	c->phase = CALL_HOLD;
}

void http_stream_into(struct http_call *c, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (c->phase != CALL_HOLD || c->response != NULL) {
		close(fd);
		return;
	}
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES); /* fewer turns; no harm when it is refused */
	c->out_fd = fd;
	c->phase = CALL_STREAM;
	call_resume(c);
}
