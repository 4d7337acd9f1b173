/* What every role does around its work. */
#include "daemon/role.h"

#include <signal.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "daemon/parent-messages.h"
#include "process/parcel.h"

static void parent_message(void *ctx, struct bytes msg, int *fds, size_t nfds)
{
	/* The parent says nothing to a role but to the keeper, and to door and witness when the other was started again. */
	struct role_loop *r = ctx;
	struct parent_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	if (!parcel_open(msg, &fds, &nfds, &in, &e) || !parent_message_parse(buf_bytes(&in), &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
	} else if (m.type == PARENT_CHANNEL && nfds == 1 && r->channel != NULL) {
		int fd = fds[0];

		fds[0] = -1;
		r->channel(r->ctx, (enum role)m.role, fd);
	}
}

bool role_has(const struct role_loop *r, const char *word)
{
	for (int i = 0; i < r->argc; i++)
		if (bytes_is(bytes_of(r->argv[i]), word))
			return true;
	return false;
}

/* The parent has ended, or wants this role to end. */
static void parent_closed(void *ctx, const struct err *why)
{
	struct role_loop *r = ctx;

	channel_free(r->parent);
	r->parent = NULL;
	loop_stop(r->loop);
}

int role_serve(bool (*serve)(struct role_loop *r, struct err *e), int argc, char **argv)
{
	static const struct channel_calls calls = { .message = parent_message, .closed = parent_closed };
	struct role_loop r = { .loop = loop_new(), .argc = argc, .argv = argv };
	struct err e = { 0 };
	bool ok;

	(void)signal(SIGPIPE, SIG_IGN);
	r.parent = channel_new(ROLE_FD_PARENT);
	ok = channel_watch(r.parent, r.loop, &calls, &r, &e) && serve(&r, &e);
	if (!ok)
		diag_err(DIAG_ERROR, "role-failed", &e);
	/* No taking apart: what a role holds ends with it. */
	_exit(ok ? 0 : err_exit_status(e.kind));
}

bool role_ready(struct role_loop *r, struct err *e)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 64);
	parent_message_write(&(struct parent_message){ .type = PARENT_READY }, &out);
	return r->parent == NULL || parcel_send(r->parent, buf_bytes(&out), NULL, 0, e);
}

bool role_read_fd(int fd, const char *what, struct buf *out, struct err *e)
{
	bool read;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_system(e, "cannot read the %s", what);
	read = file_read_fd(fd, what, out, e);
	close(fd);
	return read;
}
