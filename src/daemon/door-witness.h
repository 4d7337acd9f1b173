/* The door's side of the witness: calls that go to it instead of the keeper. */
#ifndef COMITY_DAEMON_DOOR_WITNESS_H
#define COMITY_DAEMON_DOOR_WITNESS_H

#include "daemon/http.h"

struct door_witness;

/* Calls that it asked about have this tag (http_set_tag). */
#define DOOR_TAG_WITNESS 2u

struct door_witness *door_witness_new(struct loop *loop);
void door_witness_free(struct door_witness *w);
void door_witness_http(struct door_witness *w, struct http *h); /* whose calls they are */
bool door_witness_channel(struct door_witness *w, int fd, struct err *e) MUST_USE; /* taken; replaces the one before */
/* Whether the witness answers this: POST /add-checkpoint, GET or HEAD /<64 hex>/checkpoint. ret: of the body. */
bool door_witness_answers(enum door_method method, struct bytes path, size_t *ret_bytes_max);
/* The body is complete. 503 when there is no witness, 429 when too many calls wait for it. */
void door_witness_ask(struct door_witness *w, struct http_call *c);

#endif
