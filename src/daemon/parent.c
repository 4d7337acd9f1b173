/* The parent: opens what the roles may not open, starts them, starts again what dies, and ends them in order. It parses
 * nothing from outside and never reads a key (it passes key files on as descriptors).
 *
 * Roles other than the keeper are started again one by one, and the keeper is handed the new channel. When the
 * keeper dies, every other role's channel is dead, so all go and come again as one generation; the listening
 * sockets stay open, and clients wait.
 *
 * The parent has no sandbox of its own: its walls would stand around its children too, each of which builds closer
 * ones, and around the operator's page command, which may be any program. The systemd unit is its wall. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "daemon/parent-internal.h"
#include "daemon/serve.h"
#include "exchange/parameters.h"
#include "process/parcel.h"

#define BACKOFF_US_MIN INT64_C(50000)
#define BACKOFF_US_MAX INT64_C(5000000)
/* A role that has lived for so long begins anew with a short backoff. */
#define SETTLED_US INT64_C(60000000)
/* The keeper's time to finish its turn and close the store. */
#define STOP_US_MAX INT64_C(15000000)
/* Then the door's, to give its last answers. */
#define LAST_ANSWERS_US INT64_C(100000)

struct parent;

struct part {
	struct parent *parent;
	enum role role;
	struct child child; /* pid 0: not running */
	struct channel *channel;
	bool ready;
	uint32_t restarts;
	int64_t started_us, backoff_us;
	uint64_t timer;
};

struct parent {
	struct loop *loop;
	int home_fd, run_fd, pid_fd, signal_fd;
	struct config config;
	struct listeners listeners;
	struct pager *pager;
	struct part parts[ROLE_COUNT];
	int64_t begun_us;
	bool was_ready; /* once: from then on what dies is started again */
	bool all_ready; /* of this generation, told */
	bool stopping, killed;
	bool alone; /* a witness and its door, without a node */
	int status;
};

/* Roles that this parent has. */
static bool has(const struct parent *p, enum role role)
{
	return !p->alone || role == ROLE_door || role == ROLE_witness;
}

/* --- starting ----------------------------------------------------------------------------------- */

static void ended(void *ctx, short revents);
static void part_message(void *ctx, struct bytes msg, int *fds, size_t nfds);
static void part_closed(void *ctx, const struct err *why);

/* As part_spawn, and watches what it started. */
static bool part_start(struct part *t, int keeper_end, int direct_end, const int *role_ends, struct err *e)
{
	static const struct channel_calls calls = { .message = part_message, .closed = part_closed };
	struct parent *p = t->parent;
	int channel = -1;

	if (!part_spawn(&(struct part_options){ .role = t->role, .home_fd = p->home_fd, .config = &p->config,
						.listeners = &p->listeners, .alone = p->alone,
						.keeper_end = keeper_end, .direct_end = direct_end, .role_ends = role_ends }, &t->child, &channel, e))
		return err_note(e, "%s", role_name(t->role));
	t->channel = channel_new(channel);
	t->started_us = clock_monotonic_us();
	t->ready = false;
	return loop_watch(p->loop, t->child.pidfd, POLLIN, ended, t, e) &&
	       channel_watch(t->channel, p->loop, &calls, t, e);
}

/* Takes note that the role is gone. */
static void part_forget(struct part *t)
{
	channel_free(t->channel);
	t->channel = NULL;
	t->ready = false;
}

/* Nothing can be done about a role that cannot be killed, but say so. */
static void child_kill(const struct child *c)
{
	struct err e = { 0 };

	if (!child_signal(c, SIGKILL, &e))
		diag_err(DIAG_ERROR, "role-not-killed", &e);
}

static void part_kill(struct part *t)
{
	struct err e = { 0 };
	bool over;
	int status;

	loop_cancel(t->parent->loop, t->timer);
	t->timer = 0;
	if (t->child.pid == 0)
		return;
	loop_unwatch(t->parent->loop, t->child.pidfd);
	child_kill(&t->child);
	if (!child_wait(&t->child, true, &over, &status, &e))
		diag_err(DIAG_ERROR, "role-not-reaped", &e);
	part_forget(t);
}

static void kill_all(struct parent *p)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		part_kill(&p->parts[i]);
}

static void give_up(struct parent *p, int status)
{
	kill_all(p);
	p->status = status;
	p->killed = true;
	loop_stop(p->loop);
}

static void start_failed(struct parent *p, struct part *t, const struct err *e, void (*again)(void *ctx), void *ctx)
{
	diag_err(DIAG_ERROR, "role-not-started", e);
	if (!p->was_ready) {
		give_up(p, err_exit_status(e->kind));
		return;
	}
	loop_cancel(p->loop, t->timer);
	t->timer = loop_timer(p->loop, clock_monotonic_us() + BACKOFF_US_MAX, again, ctx);
}

/* All roles, with fresh channels between them. */
static void generation_start(void *ctx)
{
	struct parent *p = ctx;
	int ends[ROLE_COUNT][2], keepers[ROLE_COUNT], direct[2] = { -1, -1 };
	struct err e = { 0 };
	bool started;
	size_t i;

	p->parts[ROLE_keeper].timer = 0;
	p->all_ready = false;
	p->begun_us = clock_monotonic_us();
	memset(ends, 0xff, sizeof(ends));
	started = channel_pair(direct, &e);
	for (i = 0; started && i < ROLE_COUNT; i++)
		started = i == ROLE_keeper || p->alone || channel_pair(ends[i], &e);
	for (i = 0; i < ROLE_COUNT; i++)
		keepers[i] = ends[i][0];
	for (i = 0; started && i < ROLE_COUNT; i++)
		started = !has(p, (enum role)i) || part_start(&p->parts[i], ends[i][1], direct[i == ROLE_witness], keepers, &e);
	for (i = 0; i < ROLE_COUNT; i++) {
		fd_close_at(&ends[i][0]);
		fd_close_at(&ends[i][1]);
	}
	fd_close_at(&direct[0]);
	fd_close_at(&direct[1]);
	if (started)
		return;
	kill_all(p);
	start_failed(p, &p->parts[ROLE_keeper], &e, generation_start, p);
}

/* --- starting again -------------------------------------------------------------------------------- */

static bool keeper_tell(struct parent *p, const struct parent_message *m, const int *fd, struct err *e)
{
	struct channel *keeper = p->parts[ROLE_keeper].channel;
	AUTO_BUF out = { 0 };

	buf_init(&out, 8 * KIB);
	parent_message_write(m, &out);
	return keeper == NULL || parcel_send(keeper, buf_bytes(&out), fd, fd == NULL ? 0 : 1, e);
}

/* Door and witness speak to each other directly. One that is not running gets its end when it is started. */
static void direct_tell(struct parent *p, enum role role, const struct parent_message *m, int fd)
{
	struct channel *to = p->parts[role == ROLE_door ? ROLE_witness : ROLE_door].channel;
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, 1 * KIB);
	parent_message_write(m, &out);
	if (to != NULL && !parcel_send(to, buf_bytes(&out), &fd, 1, &e))
		diag_err(DIAG_ERROR, "role-not-told", &e);
}

static void part_restart(void *ctx)
{
	struct part *t = ctx;
	struct parent *p = t->parent;
	struct parent_message m = { .type = PARENT_CHANNEL, .role = (uint8_t)t->role };
	bool is_direct = t->role == ROLE_door || t->role == ROLE_witness;
	int pair[2] = { -1, -1 }, direct[2] = { -1, -1 };
	struct err e = { 0 };

	t->timer = 0;
	m.restarts = ++t->restarts;
	if ((p->alone || channel_pair(pair, &e)) && (!is_direct || channel_pair(direct, &e)) &&
	    part_start(t, pair[1], direct[1], NULL, &e)) {
		m.pid = (uint32_t)t->child.pid;
		if (is_direct)
			direct_tell(p, t->role, &m, direct[0]);
		if (!keeper_tell(p, &m, p->alone ? NULL : &pair[0], &e))
			diag_err(DIAG_ERROR, "keeper-not-told", &e);
		diag(DIAG_INFO, "role-restarted", "name=%s pid=%ld restarts=%u", role_name(t->role),
		     (long)t->child.pid, t->restarts);
	} else {
		start_failed(p, t, &e, part_restart, t);
	}
	fd_close_at(&pair[0]);
	fd_close_at(&pair[1]);
	fd_close_at(&direct[0]);
	fd_close_at(&direct[1]);
}

static int64_t backoff(struct part *t)
{
	int64_t now = clock_monotonic_us();

	if (t->backoff_us == 0 || now - t->started_us >= SETTLED_US)
		t->backoff_us = BACKOFF_US_MIN;
	else if (t->backoff_us < BACKOFF_US_MAX)
		t->backoff_us = 2 * t->backoff_us < BACKOFF_US_MAX ? 2 * t->backoff_us : BACKOFF_US_MAX;
	return now + t->backoff_us;
}

static void keeper_ended(struct parent *p)
{
	struct part *keeper = &p->parts[ROLE_keeper];

	kill_all(p);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		p->parts[i].restarts++;
	keeper->timer = loop_timer(p->loop, backoff(keeper), generation_start, p);
}

static void last_end(void *ctx)
{
	struct parent *p = ctx;

	kill_all(p);
	p->killed = true;
	loop_stop(p->loop);
}

static void ended(void *ctx, short revents)
{
	struct part *t = ctx;
	struct parent *p = t->parent;
	int fd = t->child.pidfd, status = 0;
	pid_t pid = t->child.pid;
	bool over = false;

	if (!child_wait(&t->child, false, &over, &status, NULL) || !over)
		return;
	loop_unwatch(p->loop, fd);
	part_forget(t);
	if (p->stopping) {
		if (t->role == ROLE_keeper)
			(void)loop_timer(p->loop, clock_monotonic_us() + LAST_ANSWERS_US, last_end, p);
		return;
	}
	diag(DIAG_ERROR, "role-ended", "name=%s pid=%ld status=%d", role_name(t->role), (long)pid, status);
	if (!p->was_ready)
		give_up(p, status == 0 ? err_exit_status(ERR_SYSTEM) : status); /* what is wrong now stays wrong */
	else if (t->role == ROLE_keeper)
		keeper_ended(p);
	else
		t->timer = loop_timer(p->loop, backoff(t), part_restart, t);
}

/* --- messages ------------------------------------------------------------------------------------ */

static void ready(struct parent *p)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (has(p, (enum role)i) && !p->parts[i].ready)
			return;
	}
	if (p->all_ready)
		return; /* one of them was started again */
	p->all_ready = true;
	diag(DIAG_INFO, "ready", "peer=%s public=%s after_ms=%lld", p->listeners.peer_text, p->listeners.public_text,
	     (long long)(clock_monotonic_us() - p->begun_us) / 1000);
	if (!p->was_ready)
		(void)sd_notify(0, "READY=1");
	p->was_ready = true;
}

static void paged(void *ctx, uint64_t cookie, uint8_t exit_status)
{
	struct parent *p = ctx;
	struct parent_message m = { .type = PARENT_PAGED, .cookie = cookie, .exit_status = exit_status };
	struct err e = { 0 };

	if (!keeper_tell(p, &m, NULL, &e))
		diag_err(DIAG_WARNING, "keeper-not-told", &e);
}

/* From the table of what each role may say: all say READY once, the keeper alone says PAGE. */
static bool message_take(struct part *t, struct bytes packet, int *fds, size_t nfds, struct err *e)
{
	struct parent_message m;
	AUTO_BUF in = { 0 };

	buf_init(&in, 8 * KIB);
	if (!parcel_open(packet, &fds, &nfds, &in, e) || !parent_message_parse(buf_bytes(&in), &m, e))
		return false;
	if (m.type == PARENT_READY && !t->ready) {
		t->ready = true;
		ready(t->parent);
		return true;
	}
	if (m.type == PARENT_PAGE && t->role == ROLE_keeper) {
		pager_run(t->parent->pager, m.cookie, m.officer, m.words);
		return true;
	}
	return err_set(e, ERR_FORBIDDEN, REASON_NOT_ALLOWED, "a role said what it may not say");
}

static void part_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct part *t = ctx;
	struct err e = { 0 };

	if (message_take(t, packet, fds, nfds, &e))
		return;
	/* A role that says what it may not is no longer ours: it ends, and ended() does the rest. */
	diag(DIAG_ERROR, "role-misspoke", "name=%s text=\"%s\"", role_name(t->role), e.text);
	child_kill(&t->child);
}

static void part_closed(void *ctx, const struct err *why)
{
	struct part *t = ctx;

	/* It ends, or has closed what it must keep; either way it has to go. */
	channel_free(t->channel);
	t->channel = NULL;
	if (t->child.pid != 0)
		child_kill(&t->child);
}

/* --- ending ---------------------------------------------------------------------------------------- */

static void signalled(void *ctx, short revents)
{
	struct parent *p = ctx;
	struct signalfd_siginfo info;
	struct err e = { 0 };

	if (read(p->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (p->stopping) {
		last_end(p); /* asked again */
		return;
	}
	p->stopping = true;
	(void)sd_notify(0, "STOPPING=1");
	diag(DIAG_INFO, "stopping", "signal=%u", info.ssi_signo);
	if (p->parts[ROLE_keeper].child.pid == 0) {
		last_end(p); /* there is nobody to be asked */
		return;
	}
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		loop_cancel(p->loop, p->parts[i].timer);
		p->parts[i].timer = 0;
	}
	(void)loop_timer(p->loop, clock_monotonic_us() + STOP_US_MAX, last_end, p);
	if (!keeper_tell(p, &(struct parent_message){ .type = PARENT_STOP }, NULL, &e))
		last_end(p);
}

static bool signals_watch(struct parent *p, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_system(e, "cannot block signals");
	p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signal_fd < 0)
		return err_system(e, "cannot watch for signals");
	return loop_watch(p->loop, p->signal_fd, POLLIN, signalled, p, e);
}

/* --- life ------------------------------------------------------------------------------------------ */

static bool home_open(struct parent *p, const char *home, struct err *e)
{
	p->home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->home_fd < 0)
		return err_system(e, "cannot open the home %s", home);
	return config_load(p->home_fd, &p->config, e) && parameters_setting(&p->config, e) && home_folders(p->home_fd, p->alone, e) &&
	       run_open(p->home_fd, &p->config, &p->run_fd, e) && run_lock(p->run_fd, &p->pid_fd, e);
}

static bool serve(struct parent *p, const char *home, struct err *e)
{
	struct pager_options pager = { .loop = p->loop, .paged = paged, .ctx = p };

	if (!home_open(p, home, e) || !user_find(&p->config, &pager, e) || !signals_watch(p, e) || !spawn_prepare(e) ||
	    !(p->alone ? listeners_open_public : listeners_open)(p->run_fd, &p->config, &p->listeners, e))
		return false;
	if (pager.change_user && !p->alone && !listeners_give(p->run_fd, pager.uid, pager.gid, e))
		return false;
	pager.command = config_text(&p->config, page_command);
	p->pager = pager_new(&pager);
	if (bytes_is(bytes_of(config_text(&p->config, sandbox)), "required"))
		(void)setenv("COMITY_SANDBOX_REQUIRED", "1", 1);
	else
		(void)unsetenv("COMITY_SANDBOX_REQUIRED");
	generation_start(p);
	return p->killed || loop_run(p->loop, e);
}

static int run(const char *home, bool alone)
{
	/* Large, and there is one. */
	static struct parent p;
	struct err e = { 0 };

	memset(&p, 0, sizeof(p));
	diag_start("parent", DIAG_INFO);
	p.home_fd = p.run_fd = p.pid_fd = p.signal_fd = -1;
	p.loop = loop_new();
	p.alone = alone;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		p.parts[i] = (struct part){ .parent = &p, .role = (enum role)i };
	if (!serve(&p, home, &e)) {
		diag_err(DIAG_ERROR, "serve-failed", &e);
		p.status = err_exit_status(e.kind);
	}
	kill_all(&p);
	pager_free(p.pager);
	if (p.pid_fd >= 0) {
		(void)unlinkat(p.run_fd, "comity.sock", 0);
		(void)unlinkat(p.run_fd, "addresses", 0);
		(void)unlinkat(p.run_fd, "pid", 0);
	}
	fd_close_at(&p.listeners.peer);
	fd_close_at(&p.listeners.public);
	fd_close_at(&p.listeners.local);
	fd_close_at(&p.signal_fd);
	fd_close_at(&p.pid_fd);
	fd_close_at(&p.run_fd);
	fd_close_at(&p.home_fd);
	loop_free(p.loop);
	return p.status;
}

int serve_run(const char *home)
{
	return run(home, false);
}

int serve_witness_run(const char *folder)
{
	return run(folder, true);
}
