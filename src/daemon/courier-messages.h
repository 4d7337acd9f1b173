/* Messages between keeper and courier (as parcels): the courier is an HTTPS client that accepts exactly
 * the pinned server key. Nothing it is told is secret, but what it carries is (sealed). */
#ifndef COMITY_DAEMON_COURIER_MESSAGES_H
#define COMITY_DAEMON_COURIER_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum courier_message_type {
	COURIER_FETCH = 1,    /* keeper -> courier */
	COURIER_FETCHED = 2,  /* courier -> keeper, once for each FETCH */
	COURIER_PROGRESS = 3, /* courier -> keeper: bytes written to the descriptor so far, at most 4 a second */
	COURIER_CANCEL = 4,   /* keeper -> courier */
};

#define COURIER_URL_BYTES_MAX 1024u
#define COURIER_JOBS_MAX 64u

struct courier_message {
	enum courier_message_type type;
	uint64_t job;
	/* FETCH. With a descriptor: the answer's body is appended to that file from its present position on
	 * (only for status 200 and 206), not held in memory. */
	bool post;              /* POST with body, else GET */
	bool show_certificate;  /* mutual TLS: to a peer's peer endpoint */
	/* Any certificate of the server will do: for witnesses alone. Whoever answers in a witness's place cannot sign for
	 * it, the call tells nothing that is not public, and an answer without signature changes nothing but when it is
	 * asked again. pin is all zero then, and our certificate is not shown. */
	bool any_server;
	uint8_t pin[32];        /* SHA-256 of the server's SPKI */
	struct bytes url;       /* https://host:port/path */
	struct bytes content_type;
	struct bytes body;
	uint64_t range_from;    /* with a descriptor: ask for bytes from here on */
	uint64_t bytes_max;     /* of the answer; more ends it with an error */
	uint32_t timeout_ms;    /* without any progress */
	uint64_t after;         /* not 0: begin only when that job was answered with status 200; fail when it ends otherwise */
	/* FETCHED */
	bool ok;                /* there was an HTTP answer */
	uint16_t status;
	struct bytes error;     /* one sentence when not ok */
	uint64_t begun_us;      /* when the request was begun, on clock_monotonic_us, which is one for all roles */
	/* FETCHED, PROGRESS */
	uint64_t written;
};
void courier_message_write(const struct courier_message *m, struct buf *out);
bool courier_message_parse(struct bytes in, struct courier_message *ret, struct err *e) MUST_USE;

#endif
