/* The mill: one thread for each job, which only reads and writes the descriptors that came with it. The loop's
 * thread alone speaks to the keeper; a worker tells it through two atomics and an eventfd. The keys of a job live
 * in guarded memory and are wiped when it ends. When the keeper goes, so does the mill, with all jobs. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/secret.h"
#include "daemon/mill-messages.h"
#include "daemon/mill.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "process/parcel.h"

#define TICK_US INT64_C(250000)
#define STACK_BYTES (1 * MIB)
/* Jobs that wait for a thread; the keeper starts far fewer. */
#define WAITING_MAX 256u

struct job {
	struct job *next;
	enum mill_message_type type;
	uint64_t number;
	struct secret *key;
	struct age_recipient recipients[AGE_STANZAS_MAX];
	size_t recipient_count;
	int in_fd, out_fd;
	int wake_fd;
	pthread_t thread;
	bool running;
	uint64_t told;
	/* Written by the worker; the rest of the result is read only after done. */
	_Atomic uint64_t bytes;
	atomic_bool done;
	bool ok;
	struct err e;
	struct age_totals totals;
};

struct mill {
	struct mill_options o;
	struct channel *keeper;
	struct job *jobs; /* in order of arrival */
	size_t running, count;
	int wake_fd;
	uint64_t tick;
};

/* --- a worker's thread --------------------------------------------------------------------------- */

static void progress(void *ctx, uint64_t bytes)
{
	struct job *j = ctx;

	atomic_store(&j->bytes, bytes);
}

static void *work(void *ctx)
{
	static const uint64_t one = 1;
	struct job *j = ctx;
	struct age_copy c = {
		.in_fd = j->in_fd, .out_fd = j->type == MILL_CHECK ? -1 : j->out_fd, .recipients = j->recipients,
		.recipient_count = j->recipient_count, .file_key = j->key, .progress = progress, .ctx = j,
	};

	j->ok = j->type == MILL_SEAL ? age_copy_seal(&c, &j->totals, &j->e) : age_copy_open(&c, &j->totals, &j->e);
	/* The reader of a pipe learns of the end here, before the keeper does. */
	fd_close_at(&j->in_fd);
	fd_close_at(&j->out_fd);
	atomic_store(&j->done, true);
	/* Full only when it is about to be read anyway. */
	return write(j->wake_fd, &one, sizeof(one)) < 0 ? NULL : j;
}

/* --- the loop's thread ---------------------------------------------------------------------------- */

static void tell(struct mill *m, const struct mill_message *msg)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, 8 * KIB);
	mill_message_write(msg, &out);
	if (m->keeper != NULL && !(buf_check(&out, "answer", &e) && parcel_send(m->keeper, buf_bytes(&out), NULL, 0, &e)))
		diag_err(DIAG_WARNING, "keeper-not-told", &e);
}

static void tell_failed(struct mill *m, uint64_t job, const struct err *e)
{
	tell(m, &(struct mill_message){ .type = MILL_DONE, .job = job, .error = bytes_of(e->text),
					.reason = (uint16_t)e->reason });
}

static void job_free(struct job *j)
{
	secret_free(j->key);
	fd_close_at(&j->in_fd);
	fd_close_at(&j->out_fd);
	free(j);
}

static void tick(void *ctx);

static bool job_start(struct job *j, struct err *e)
{
	pthread_attr_t attr;
	int failed;

	if (pthread_attr_init(&attr) != 0)
		abort();
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	failed = pthread_create(&j->thread, &attr, work, j);
	(void)pthread_attr_destroy(&attr);
	if (failed != 0) {
		errno = failed;
		return err_system(e, "the mill cannot start a thread");
	}
	j->running = true;
	return true;
}

/* Starts what may run, drops what cannot. */
static void jobs_start(struct mill *m)
{
	for (struct job **at = &m->jobs; *at != NULL && m->running < MILL_JOBS_MAX;) {
		struct job *j = *at;
		struct err e = { 0 };

		if (!j->running && !job_start(j, &e)) {
			tell_failed(m, j->number, &e);
			*at = j->next;
			m->count--;
			job_free(j);
			continue;
		}
		m->running = 0;
		for (struct job *k = m->jobs; k != NULL; k = k->next)
			m->running += k->running;
		at = &j->next;
	}
	if (m->tick == 0 && m->running > 0)
		m->tick = loop_timer(m->o.loop, clock_monotonic_us() + TICK_US, tick, m);
}

static void job_finish(struct mill *m, struct job *j)
{
	(void)pthread_join(j->thread, NULL);
	m->running--;
	m->count--;
	if (j->ok)
		tell(m, &(struct mill_message){ .type = MILL_DONE, .job = j->number, .ok = true, .totals = j->totals });
	else
		tell_failed(m, j->number, &j->e);
	job_free(j);
}

static void woken(void *ctx, short revents)
{
	struct mill *m = ctx;
	uint64_t count;

	if (read(m->wake_fd, &count, sizeof(count)) < 0)
		return;
	for (struct job **at = &m->jobs; *at != NULL;) {
		struct job *j = *at;

		if (!j->running || !atomic_load(&j->done)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		job_finish(m, j);
	}
	jobs_start(m);
}

static void tick(void *ctx)
{
	struct mill *m = ctx;

	m->tick = 0;
	for (struct job *j = m->jobs; j != NULL; j = j->next) {
		uint64_t bytes = atomic_load(&j->bytes);

		if (bytes == j->told)
			continue;
		j->told = bytes;
		tell(m, &(struct mill_message){ .type = MILL_PROGRESS, .job = j->number, .bytes = bytes });
	}
	if (m->running > 0)
		m->tick = loop_timer(m->o.loop, clock_monotonic_us() + TICK_US, tick, m);
}

/* Workers read and write until it is done: their ends of pipes must block. */
static int fd_take(int *fds, size_t nfds, size_t i)
{
	int fd = i < nfds ? fds[i] : -1, flags;

	if (fd < 0)
		return -1;
	fds[i] = -1;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

static void job_add(struct mill *m, const struct mill_message *msg, int *fds, size_t nfds)
{
	struct job *j = calloc(1, sizeof(*j)), **end = &m->jobs;
	struct err e = { 0 };

	if (j == NULL)
		abort();
	j->type = msg->type;
	j->number = msg->job;
	j->key = secret_from(BYTES_ARRAY(msg->file_key));
	memcpy(j->recipients, msg->recipients, sizeof(j->recipients));
	j->recipient_count = msg->recipient_count;
	j->in_fd = fd_take(fds, nfds, 0);
	j->out_fd = msg->type == MILL_CHECK ? -1 : fd_take(fds, nfds, 1);
	j->wake_fd = m->wake_fd;
	if (j->in_fd < 0 || (j->out_fd < 0 && msg->type != MILL_CHECK))
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "the job came without its descriptors");
	else if (m->count >= WAITING_MAX)
		(void)err_set(&e, ERR_UNAVAILABLE, REASON_BUSY, "too many jobs wait for the mill");
	if (e.kind != ERR_NONE) {
		tell_failed(m, msg->job, &e);
		job_free(j);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = j;
	m->count++;
	jobs_start(m);
}

static void keeper_gone(struct mill *m)
{
	channel_free(m->keeper);
	m->keeper = NULL;
	if (m->o.closed != NULL)
		m->o.closed(m->o.ctx);
}

static void keeper_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct mill *m = ctx;
	struct mill_message msg;
	struct err e = { 0 };
	AUTO_BUF_WIPE in = { 0 };

	buf_init(&in, 8 * KIB);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !mill_message_parse(buf_bytes(&in), &msg, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		keeper_gone(m);
		return;
	}
	if (msg.type == MILL_SEAL || msg.type == MILL_OPEN || msg.type == MILL_CHECK)
		job_add(m, &msg, fds, nfds);
	wipe(&msg, sizeof(msg));
}

static void keeper_closed(void *ctx, const struct err *why)
{
	if (why != NULL)
		diag_err(DIAG_ERROR, "keeper-lost", why);
	keeper_gone(ctx);
}

bool mill_new(const struct mill_options *o, struct mill **ret, struct err *e)
{
	static const struct channel_calls calls = { .message = keeper_message, .closed = keeper_closed };
	struct mill *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->o = *o;
	m->keeper = channel_new(o->keeper_fd);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0)
		err_system(e, "the mill cannot make an eventfd");
	if (m->wake_fd < 0 || !loop_watch(o->loop, m->wake_fd, POLLIN, woken, m, e) ||
	    !channel_watch(m->keeper, o->loop, &calls, m, e)) {
		mill_free(m);
		return false;
	}
	*ret = m;
	return true;
}

void mill_free(struct mill *m)
{
	if (m == NULL)
		return;
	loop_cancel(m->o.loop, m->tick);
	while (m->jobs != NULL) {
		struct job *j = m->jobs;

		m->jobs = j->next;
		if (j->running)
			(void)pthread_join(j->thread, NULL);
		job_free(j);
	}
	if (m->wake_fd >= 0)
		loop_unwatch(m->o.loop, m->wake_fd);
	fd_close_at(&m->wake_fd);
	channel_free(m->keeper);
	free(m);
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static bool mill_serve(struct role_loop *r, struct err *e)
{
	struct mill_options o = { .loop = r->loop, .keeper_fd = ROLE_FD_KEEPER, .closed = stop, .ctx = r->loop };
	struct mill *m;

	/* Workers hold a few buffers each; arenas of their own would cost more than they save. */
	(void)mallopt(M_ARENA_MAX, 1);
	if (!mill_new(&o, &m, e) || !sandbox_role("mill", e) || !role_ready(r, e))
		return false;
	return loop_run(r->loop, e);
}

int mill_main(int argc, char **argv)
{
	return role_serve(mill_serve, argc, argv);
}
