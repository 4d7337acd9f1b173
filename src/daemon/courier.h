/* The courier without its process: an HTTPS client on a loop, one channel to the keeper. */
#ifndef COMITY_DAEMON_COURIER_H
#define COMITY_DAEMON_COURIER_H

#include "base/bytes.h"
#include "base/err.h"
#include "process/loop.h"

struct courier;

struct courier_options {
	struct loop *loop;
	int keeper_fd;              /* taken */
	struct bytes key_pem, cert_pem; /* borrowed until courier_free */
	void (*closed)(void *ctx);  /* the keeper has gone; may be NULL */
	void *ctx;
};
bool courier_new(const struct courier_options *o, struct courier **ret, struct err *e) MUST_USE;
void courier_free(struct courier *c);

#endif
