/* Between the sources of the HTTP wrapper. */
#ifndef COMITY_DAEMON_HTTP_INTERNAL_H
#define COMITY_DAEMON_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "daemon/http.h"

enum call_phase {
	CALL_NEW,       /* header block read */
	CALL_COLLECT,   /* body comes into memory */
	CALL_HOLD,      /* suspended before the body: nobody has said yet where it goes */
	CALL_STREAM,    /* body goes into out_fd */
	CALL_DISCARD,   /* body goes nowhere: its reader closed, or it is too large */
	CALL_WAIT,      /* suspended after the body: the answer is being made */
	CALL_ANSWERED
};

struct http_call {
	struct http *http;
	struct MHD_Connection *connection;
	struct http_call *next, **link;
	uint64_t number;
	enum call_phase phase;
	enum door_method method;
	bool too_long; /* path or query over their limits, or of other characters */
	bool unclear;  /* where its body ends: the connection ends with the answer */
	char path[DOOR_PATH_BYTES_MAX + 1];
	struct buf query, body;
	uint64_t content_length, received;
	uint64_t wanted; /* of what was received, when the rest began to be discarded */
	unsigned tag;
	int out_fd; /* of a streamed body */
	int in_fd;  /* watched for a streamed answer; owned by the response */
	bool suspended, completed;
	unsigned status;
	struct MHD_Response *response; /* waits to be queued */
};

struct http {
	struct http_options o;
	struct MHD_Daemon *daemon;
	int epoll_fd;
	uint64_t timer;
	bool woken;     /* the timer is due now, because a call was resumed */
	uint64_t moved; /* grows whenever a call gets on */
	struct http_call *calls;
	size_t call_count;
	bool ending;
};

void call_suspend(struct http_call *c);
void call_resume(struct http_call *c);

/* What a TLS client has shown, kept with its connection. */
struct http_shown {
	bool looked, shown;
	uint8_t spki[32];
	int64_t from_s, until_s;
	char why[120];
};
void peer_ask(struct MHD_Connection *connection);

#endif
