/* Answers: from memory, from a file with ranges (RFC 9110 14), from a pipe. Descriptors belong to the response and
 * are closed when libmicrohttpd lets go of it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/reader.h"
#include "daemon/http-internal.h"

/* Four TLS records: large enough that the calls do not count, small enough for many at once. */
#define BLOCK_BYTES (64 * KIB)
#define YEAR_CACHE "public, max-age=31536000, immutable"

/* The source of a file or stream answer. call is valid whenever libmicrohttpd asks for bytes. */
struct source {
	struct http_call *call;
	int fd;
	uint64_t offset;
};

static void source_free(void *cls)
{
	struct source *s = cls;

	close(s->fd);
	free(s);
}

static ssize_t file_bytes(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct source *s = cls;
	ssize_t got;

	s->call->http->moved++;
	do {
		got = pread(s->fd, buf, max, (off_t)(s->offset + pos));
	} while (got < 0 && errno == EINTR);
	/* The length was promised: a file that is shorter now is a broken answer, not a short one. */
	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void in_ready(void *ctx, short revents)
{
	struct http_call *c = ctx;

	loop_unwatch(c->http->o.loop, c->in_fd);
	c->in_fd = -1;
	call_resume(c);
}

static ssize_t stream_bytes(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct source *s = cls;
	ssize_t got;

	s->call->http->moved++;
	do {
		got = read(s->fd, buf, max);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN && !s->call->http->ending) {
		if (!loop_watch(s->call->http->o.loop, s->fd, POLLIN, in_ready, s->call, NULL))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		s->call->in_fd = s->fd;
		call_suspend(s->call);
		return 0;
	}
	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void header_add(struct MHD_Response *r, const char *name, const char *value)
{
	if (MHD_add_response_header(r, name, value) != MHD_YES)
		abort(); /* out of memory: names and values are ours */
}

enum range { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE };

/* One range, "bytes=A-B", "bytes=A-", "bytes=-N". Several ranges, or what is no range, are ignored, as RFC 9110
 * allows: the whole is sent. */
static enum range range_parse(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_len)
{
	struct reader r = reader_over(bytes_of(text));
	struct bytes rest;
	uint64_t from = 0, to = UINT64_MAX;
	bool suffix;

	if (!reader_literal(&r, "bytes="))
		return RANGE_NONE;
	suffix = reader_left(&r) > 0 && r.in.at[r.pos] == '-';
	if (!suffix)
		from = reader_decimal(&r);
	reader_literal(&r, "-");
	rest = bytes_slice(r.in, r.pos, r.in.len);
	if (rest.len > 0 || suffix)
		to = reader_decimal(&r);
	if (!reader_done(&r, "range", NULL) || (!suffix && to < from))
		return RANGE_NONE;
	if (suffix) {
		if (to == 0 || size == 0)
			return RANGE_OUTSIDE;
		*ret_len = to < size ? to : size;
		*ret_from = size - *ret_len;
		return RANGE_PART;
	}
	if (from >= size)
		return RANGE_OUTSIDE;
	*ret_from = from;
	*ret_len = (to < size ? to + 1 : size) - from;
	return RANGE_PART;
}

static struct MHD_Response *source_response(struct http_call *c, const struct http_answer *a, uint64_t from,
					    uint64_t len)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	*s = (struct source){ .call = c, .fd = a->fd, .offset = from };
	if (a->stream) {
		int flags = fcntl(a->fd, F_GETFL);

		if (flags >= 0)
			(void)fcntl(a->fd, F_SETFL, flags | O_NONBLOCK);
	}
	return MHD_create_response_from_callback(len, BLOCK_BYTES, a->stream ? stream_bytes : file_bytes, s,
						 source_free);
}

static struct MHD_Response *file_response(struct http_call *c, const struct http_answer *a, unsigned *status)
{
	const char *asked = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
	uint64_t from = 0, len = a->length;
	enum range range = RANGE_NONE;
	struct MHD_Response *r;
	char text[96] = "";

	if (a->ranges && !a->stream && asked != NULL && *status == 200)
		range = range_parse(asked, a->length, &from, &len);
	if (range == RANGE_PART) {
		*status = 206;
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)from,
			 (unsigned long long)(from + len - 1), (unsigned long long)a->length);
	}
	if (range == RANGE_OUTSIDE) {
		*status = 416;
		len = 0;
		snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)a->length);
	}
	r = source_response(c, a, a->offset + from, len);
	if (r != NULL && text[0] != '\0')
		header_add(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	if (r != NULL && a->ranges)
		header_add(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	return r;
}

static struct bytes trimmed(struct bytes in)
{
	while (in.len > 0 && (in.at[0] == ' ' || in.at[0] == '\t'))
		in = bytes_slice(in, 1, in.len);
	while (in.len > 0 && (in.at[in.len - 1] == ' ' || in.at[in.len - 1] == '\t'))
		in.len--;
	return in;
}

/* RFC 9110 12.5.3: names with "," between, each perhaps with a weight; one of 0 means no. */
bool http_accepts_gzip(const struct http_call *c)
{
	const char *text = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);

	for (struct bytes rest = bytes_of(text); rest.len > 0;) {
		struct bytes weight = bytes_cut(&rest, ','), name = trimmed(bytes_cut(&weight, ';'));

		if (!bytes_is(name, "gzip"))
			continue;
		weight = trimmed(weight);
		if (!bytes_starts(weight, "q=0"))
			return true;
		for (size_t i = strlen("q=0"); i < weight.len; i++)
			if (weight.at[i] != '.' && weight.at[i] != '0')
				return true;
		return false;
	}
	return false;
}

void http_answer(struct http_call *c, const struct http_answer *a)
{
	unsigned status = a->status;
	struct MHD_Response *r;
	char type[128], fresh[48];

	if (c->response != NULL || c->phase == CALL_ANSWERED) {
		if (a->fd > 0)
			close(a->fd);
		return;
	}
	r = a->fd > 0 ? file_response(c, a, &status)
		      : MHD_create_response_from_buffer(a->body.len, (void *)(uintptr_t)a->body.at,
							MHD_RESPMEM_MUST_COPY);
	if (r == NULL)
		abort();
	if (a->content_type.len > 0) {
		snprintf(type, sizeof(type), "%.*s", (int)a->content_type.len, (const char *)a->content_type.at);
		header_add(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	}
	snprintf(fresh, sizeof(fresh), "public, max-age=%u", a->fresh_s);
	header_add(r, MHD_HTTP_HEADER_CACHE_CONTROL, a->cacheable ? YEAR_CACHE : a->fresh_s > 0 ? fresh : "no-store");
	if (a->gzip)
		header_add(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (a->varies)
		header_add(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	header_add(r, "X-Content-Type-Options", "nosniff");
	if (c->unclear)
		header_add(r, MHD_HTTP_HEADER_CONNECTION, "close");
	c->response = r;
	c->status = status;
	call_resume(c);
}

void http_problem(struct http_call *c, unsigned status, enum reason reason, const char *detail)
{
	AUTO_JSON *problem = json_object();
	AUTO_BUF body = { 0 };

	buf_init(&body, 4 * KIB);
	json_put_text(problem, "detail", detail);
	json_put_text(problem, "reason", reason_code(reason));
	json_put_int(problem, "status", (int64_t)status);
	json_put_text(problem, "title", MHD_get_reason_phrase_for(status));
	json_put_text(problem, "type", "about:blank");
	if (!json_write_canonical(problem, &body, NULL))
		buf_clear(&body);
	http_answer(c, &(struct http_answer){ .status = status, .body = buf_bytes(&body),
					      .content_type = bytes_of("application/problem+json") });
}
