/* What the door needs of an HTTP server, and no more: listeners whose calls are told to a handler header
 * first, bodies that are collected within a limit or streamed into a descriptor, answers from memory, files
 * and pipes, at any later time. libmicrohttpd stands behind it (GnuTLS as its transport); nothing outside
 * http*.c knows that. Everything runs on the given loop; nothing blocks. */
#ifndef COMITY_DAEMON_HTTP_H
#define COMITY_DAEMON_HTTP_H

#include "base/buf.h"
#include "base/secret.h"
#include "daemon/door-messages.h"
#include "process/loop.h"

struct http;      /* a listener */
struct http_call; /* one call, from its header block to the end of its answer */

struct http_handler {
	/* The header block is there and no byte of the body was read. Answer now, or say what happens to
	 * the body (http_collect, http_hold; if nothing is said, a body is refused). */
	void (*begun)(void *ctx, struct http_call *c);
	/* The body is complete: also when there was none, and after http_stream_into. ok: all of it was
	 * written (streams); false also when the reader of the descriptor closed it. */
	void (*complete)(void *ctx, struct http_call *c, bool ok, uint64_t received);
	/* The call is over, answered or because the client went away; afterwards c is freed. Also for calls that
	 * never began, because their header block was refused. */
	void (*over)(void *ctx, struct http_call *c, bool answered);
};

struct http_options {
	struct loop *loop;
	int listen_fd;                /* taken */
	const char *key_pem, *cert_pem; /* NULL: plain HTTP */
	bool ask_certificate;         /* mutual TLS: asks; http_peer says what was shown */
	unsigned per_address_max;     /* connections from one address; 0: no such limit */
	struct http_handler handler;
	void *ctx;
};
bool http_new(const struct http_options *o, struct http **ret, struct err *e) MUST_USE;
void http_free(struct http *h); /* ends all calls */

/* --- what was asked ------------------------------------------------------------------------- */

enum door_method http_method(const struct http_call *c);
struct bytes http_path(const struct http_call *c); /* as sent: no decoding */
struct bytes http_query(const struct http_call *c);
uint64_t http_content_length(const struct http_call *c); /* UINT64_MAX: the client did not say */
struct bytes http_body(const struct http_call *c);       /* collected so far */
/* SHA-256 of the SPKI of the client's certificate. False when none was shown, it cannot be read, or it is not
 * valid at this time. The handshake has proved that the client holds its key. */
bool http_peer(struct http_call *c, uint8_t ret_spki[static 32], struct err *e) MUST_USE;
bool http_uid(struct http_call *c, uint32_t *ret, struct err *e) MUST_USE; /* of a Unix socket */

/* The handler's own; 0 in the beginning. */
void http_set_tag(struct http_call *c, unsigned tag);
unsigned http_tag(const struct http_call *c);
uint64_t http_number(const struct http_call *c); /* never used again in this process */
struct http_call *http_find(struct http *h, uint64_t number); /* NULL when it is over */
/* Asks for each call that is under way; the callback may answer it. */
void http_each(struct http *h, void (*each)(void *ctx, struct http_call *c), void *ctx);

/* --- what happens to the body ------------------------------------------------------------------ */

void http_collect(struct http_call *c, size_t bytes_max);
void http_hold(struct http_call *c); /* reads nothing until http_stream_into or an answer */
void http_stream_into(struct http_call *c, int fd); /* taken, made non-blocking */

/* --- answers -------------------------------------------------------------------------------------- */

struct http_answer {
	unsigned status;
	struct bytes content_type;
	struct bytes body;       /* copied */
	bool cacheable;          /* never changes: may be kept for a year */
	unsigned fresh_s;        /* else: may be kept for so many seconds; 0: not at all */
	bool gzip;               /* the content is compressed so */
	bool varies;             /* who accepts gzip gets other bytes */
	bool ranges;             /* of a file: as the client asked, 206 or 416 */
	int fd;                  /* taken; 0: none. The bytes come from it, file or stream */
	bool stream;             /* it is a pipe with `length` bytes to come */
	uint64_t offset, length; /* of a file: the part of it that is the whole answer */
};
/* Once for each call; a second answer is dropped. */
void http_answer(struct http_call *c, const struct http_answer *a);
bool http_accepts_gzip(const struct http_call *c);
/* RFC 9457 problem details. */
void http_problem(struct http_call *c, unsigned status, enum reason reason, const char *detail);

#endif
