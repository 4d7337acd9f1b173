/* Starting one role: which descriptors it gets, in which order (roles.h), and as whom it runs. */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/parent-internal.h"
#include "daemon/role.h"

/* Descriptors for one spawn; closed after it. */
struct bundle {
	int fds[SPAWN_FDS_MAX];
	bool ours[SPAWN_FDS_MAX]; /* to be closed */
	size_t count;
};

static void bundle_add(struct bundle *b, int fd, bool ours)
{
	b->fds[b->count] = fd;
	b->ours[b->count++] = ours;
}

static void bundle_close(struct bundle *b)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->ours[i])
			fd_close_at(&b->fds[i]);
	}
}

static bool bundle_open(struct bundle *b, int home_fd, const char *path, int flags, struct err *e)
{
	int fd = openat(home_fd, path, flags | O_CLOEXEC);

	if (fd < 0)
		return err_system(e, "cannot open %s", path);
	bundle_add(b, fd, true);
	return true;
}

/* A number stays closed where there is no such thing. */
static bool bundle_door(const struct part_options *o, struct bundle *b, struct err *e)
{
	bool keyless = o->alone && config_yes(o->config, CONFIG_public_plain);

	bundle_add(b, o->listeners->peer, false);
	bundle_add(b, o->listeners->public, false);
	bundle_add(b, o->listeners->local, false);
	if (o->alone)
		bundle_add(b, -1, false);
	else if (!bundle_open(b, o->home_fd, "log", O_RDONLY | O_DIRECTORY, e))
		return false;
	if (keyless) {
		bundle_add(b, -1, false);
		bundle_add(b, -1, false);
	} else if (!bundle_open(b, o->home_fd, "keys/tls.key", O_RDONLY, e) ||
		   !bundle_open(b, o->home_fd, "keys/tls.crt", O_RDONLY, e)) {
		return false;
	}
	bundle_add(b, o->direct_end, false);
	/* Made where there is none, as in a home of before there were mirrors: a closed number would become that of the
	 * next descriptor that the door opens itself, and the door's walls are built around this one. */
	return o->alone || (dir_make(o->home_fd, "mirror", 0755, e) && bundle_open(b, o->home_fd, "mirror", O_RDONLY | O_DIRECTORY, e));
}

static bool bundle_extras(const struct part_options *o, struct bundle *b, struct err *e)
{
	switch (o->role) {
	case ROLE_signer:
		bundle_add(b, o->home_fd, false);
		return true;
	case ROLE_courier:
		return bundle_open(b, o->home_fd, "keys/tls.key", O_RDONLY, e) &&
		       bundle_open(b, o->home_fd, "keys/tls.crt", O_RDONLY, e);
	case ROLE_door:
		return bundle_door(o, b, e);
	case ROLE_witness:
		bundle_add(b, o->direct_end, false);
		return bundle_open(b, o->home_fd, "witness", O_RDONLY | O_DIRECTORY, e);
	case ROLE_mill:
	case ROLE_mill2:
	case ROLE_keeper:
	case ROLE_COUNT:
		break;
	}
	return true;
}

static unsigned long files_for(enum role role)
{
	unsigned long want = role == ROLE_door ? 4 * HTTP_CONNECTIONS_MAX + 256 : role == ROLE_signer ? 64 : 1024;
	struct rlimit have;

	return getrlimit(RLIMIT_NOFILE, &have) != 0 || have.rlim_max < want ? 0 : want;
}

bool part_spawn(const struct part_options *o, struct child *ret, int *ret_channel, struct err *e)
{
	const char *user = config_text(o->config, user);
	struct spawn s = { .role = role_name(o->role), .files_max = files_for(o->role) };
	struct bundle b = { 0 };
	const char *words[2];
	bool started;
	int pair[2];

	if (!channel_pair(pair, e))
		return false;
	if (o->role != ROLE_keeper)
		bundle_add(&b, o->keeper_end, false);
	bundle_add(&b, pair[1], true);
	if (o->role == ROLE_keeper) {
		bundle_add(&b, o->home_fd, false);
		for (size_t i = 0; i < ROLE_COUNT; i++)
			bundle_add(&b, o->role_ends[i], false);
	}
	started = bundle_extras(o, &b, e);
	if (o->alone)
		words[s.arg_count++] = ROLE_ALONE;
	if (o->role == ROLE_door && config_yes(o->config, CONFIG_public_plain))
		words[s.arg_count++] = ROLE_PLAIN;
	s.args = words;
	s.fds = b.fds;
	s.fd_count = b.count;
	s.user = geteuid() == 0 && user[0] != '\0' ? user : NULL;
	started = started && spawn_role(&s, ret, e);
	bundle_close(&b);
	if (!started) {
		close(pair[0]);
		return false;
	}
	*ret_channel = pair[0];
	return true;
}
