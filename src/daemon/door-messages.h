/* Messages between door and keeper (as parcels). The door knows no rules: it tells what was asked and by
 * whom, and sends back what it is told. */
#ifndef COMITY_DAEMON_DOOR_MESSAGES_H
#define COMITY_DAEMON_DOOR_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum door_caller { CALLER_PEER = 1, CALLER_PUBLIC = 2, CALLER_LOCAL = 3 };
enum door_method { METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 3, METHOD_PUT = 4 };

enum door_message_type {
	/* door -> keeper: a call, complete with its body (POST, GET), or begun (PUT: the body follows into the
	 * descriptor that DOOR_PIPE brings). */
	DOOR_CALL = 1,
	/* keeper -> door */
	DOOR_REPLY = 2,  /* status and body; or, with a descriptor, the bytes offset..offset+length of that file */
	DOOR_STREAM = 3, /* status and length; the body comes from the pipe that is the descriptor */
	DOOR_PIPE = 4,   /* write the PUT body into this descriptor, then say DOOR_BODY_END */
	DOOR_PINS = 5,   /* SHA-256 of the SPKIs that peers may show; replaces the list before */
	/* door -> keeper */
	DOOR_BODY_END = 6, /* ok: the whole body was written; else the client went away */
	DOOR_GONE = 7,     /* the client went away before the reply: what was begun for it can stop */
};

#define DOOR_PATH_BYTES_MAX 512u
#define DOOR_QUERY_BYTES_MAX 2048u
#define DOOR_PINS_MAX PARTIES_MAX

struct door_message {
	enum door_message_type type;
	uint64_t call;           /* the door's number, never used again */
	/* CALL */
	enum door_caller caller;
	enum door_method method;
	uint8_t spki[32];        /* PEER */
	uint32_t uid;            /* LOCAL */
	struct bytes path, query; /* percent-decoding is not done: our paths need none */
	struct bytes body;       /* CALL, REPLY; at most HTTP_BODY_BYTES_MAX (letters: LETTER_BATCH_BYTES_MAX) */
	uint64_t content_length; /* CALL with PUT: what the client declared */
	/* REPLY, STREAM */
	uint16_t status;
	struct bytes content_type;
	bool cacheable;          /* immutable content: long cache; else no-store */
	bool ranges;             /* file: serve the Range that the client asked for (door handles it; 206, 416) */
	uint64_t offset, length; /* file, stream */
	/* PINS */
	struct bytes pins;       /* 32 bytes each */
	/* BODY_END */
	bool ok;
	uint64_t received;
};
void door_message_write(const struct door_message *m, struct buf *out);
bool door_message_parse(struct bytes in, struct door_message *ret, struct err *e) MUST_USE;

#endif
