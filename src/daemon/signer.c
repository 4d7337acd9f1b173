/* The signer: reads the keys of the home, gives the home back, builds its walls, and from then on only answers the
 * keeper, one request after another. Everything it refuses and why stands in exchange/signing.c. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/secret.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "daemon/signer-messages.h"
#include "exchange/approvers.h"
#include "exchange/signing.h"
#include "process/parcel.h"

#define KEY_BYTES_MAX (64 * KIB)

struct signer {
	struct role_loop *r;
	struct channel *keeper;
	struct signing *signing;
};

static void keeper_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct signer *s = ctx;
	struct err e = { 0 };
	AUTO_BUF request = { 0 };
	AUTO_BUF_WIPE reply = { 0 };

	buf_init(&request, PARCEL_BYTES_MAX);
	buf_init(&reply, PARCEL_BYTES_MAX);
	if (parcel_open(packet, &fds, &nfds, &request, &e) &&
	    signer_answer(s->signing, buf_bytes(&request), &reply, &e) &&
	    parcel_send(s->keeper, buf_bytes(&reply), NULL, 0, &e))
		return;
	/* It waits for an answer that cannot be given: better it sees the end. */
	diag_err(DIAG_ERROR, "bad-message", &e);
	loop_stop(s->r->loop);
}

static void keeper_closed(void *ctx, const struct err *why)
{
	struct signer *s = ctx;

	loop_stop(s->r->loop);
}

static bool read_sign_key(int home, const char *path, struct sign_key **ret, struct err *e)
{
	AUTO_BUF_WIPE in = { 0 };

	buf_init(&in, KEY_BYTES_MAX);
	return (file_read(home, path, &in, e) && sign_key_parse(buf_bytes(&in), ret, e)) || err_note(e, "%s", path);
}

static bool read_identity(int home, const char *path, struct seal_identity **ret, struct err *e)
{
	AUTO_BUF_WIPE in = { 0 };

	buf_init(&in, KEY_BYTES_MAX);
	return (file_read(home, path, &in, e) && seal_identity_parse(buf_bytes(&in), ret, e)) ||
	       err_note(e, "%s", path);
}

/* The file is not there while there is a trust root. */
static bool read_approvers(int home, struct buf *out, struct err *e)
{
	struct stat st;

	if (fstatat(home, "approvers", &st, 0) != 0 && errno == ENOENT)
		return true;
	return file_read(home, "approvers", out, e);
}

static bool signing_open(const struct config *config, struct signing **ret, struct err *e)
{
	struct signing_options o = { .config = config };
	AUTO_SIGN_KEY *sign = NULL;
	AUTO_SIGN_KEY *log = NULL;
	AUTO_SEAL_IDENTITY *identity = NULL;
	AUTO_BUF approvers = { 0 };
	struct stat st;
	int home = SIGNER_FD_HOME;

	buf_init(&approvers, APPROVERS_BYTES_MAX);
	if (!read_sign_key(home, "keys/sign.key", &sign, e) || !read_sign_key(home, "keys/log.key", &log, e) ||
	    !read_identity(home, "keys/seal.key", &identity, e) || !read_approvers(home, &approvers, e))
		return false;
	o.approvers = buf_bytes(&approvers);
	o.restored = fstatat(home, "keys/restored", &st, 0) == 0;
	o.checkpoint_fd = openat(home, "keys/checkpoint", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o.checkpoint_fd < 0)
		return err_system(e, "cannot open keys/checkpoint");
	o.sign_key = sign;
	o.log_key = log;
	o.identity = identity;
	if (!signing_new(&o, ret, e)) {
		close(o.checkpoint_fd);
		return false;
	}
	sign = log = NULL;
	identity = NULL;
	return true;
}

static bool signer_serve(struct role_loop *r, struct err *e)
{
	static const struct channel_calls calls = { .message = keeper_message, .closed = keeper_closed };
	static struct config config; /* the signing keeps it */
	struct signer s = { .r = r };

	if (!config_load(SIGNER_FD_HOME, &config, e) || !signing_open(&config, &s.signing, e))
		return false;
	close(SIGNER_FD_HOME);
	s.keeper = channel_new(ROLE_FD_KEEPER);
	if (!channel_watch(s.keeper, r->loop, &calls, &s, e) || !sandbox_role("signer", e) || !role_ready(r, e))
		return false;
	return loop_run(r->loop, e);
}

int signer_main(int argc, char **argv)
{
	return role_serve(signer_serve, argc, argv);
}
