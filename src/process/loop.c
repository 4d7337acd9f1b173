/* The poll loop. Callbacks may watch, change and unwatch anything, so a watch is never moved during a
 * turn: what goes away is marked and swept at its end, what comes is polled from the next turn on. That
 * also covers a descriptor number that is closed and used again within one turn.
 * Timers are a binary heap ordered by time and then by cookie. */
#include "process/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

struct watch {
	void (*ready)(void *ctx, short revents);
	void *ctx;
	bool gone;
};

struct timer {
	int64_t when_us;
	uint64_t cookie;
	void (*due)(void *ctx);
	void *ctx;
};

struct loop {
	struct pollfd *polls; /* polls[i] and watches[i] belong together */
	struct watch *watches;
	size_t count, room;
	bool sweep;
	struct timer *timers;
	size_t timer_count, timer_room;
	uint64_t cookie_last;
	void (*after)(void *ctx);
	void *after_ctx;
	bool stopped;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	free(l->polls);
	free(l->watches);
	free(l->timers);
	free(l);
}

static size_t watch_find(const struct loop *l, int fd)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->polls[i].fd == fd && !l->watches[i].gone)
			return i;
	}
	return l->count;
}

static void watches_grow(struct loop *l)
{
	l->room = l->room == 0 ? 16 : 2 * l->room;
	l->polls = reallocarray(l->polls, l->room, sizeof(*l->polls));
	l->watches = reallocarray(l->watches, l->room, sizeof(*l->watches));
	if (l->polls == NULL || l->watches == NULL)
		abort();
}

bool loop_watch(struct loop *l, int fd, short events, void (*ready)(void *ctx, short revents), void *ctx,
		struct err *e)
{
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "no descriptor to watch");
	if (watch_find(l, fd) < l->count)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "descriptor %d is watched already", fd);
	if (l->count == l->room)
		watches_grow(l);
	l->polls[l->count] = (struct pollfd){ .fd = fd, .events = events };
	l->watches[l->count] = (struct watch){ .ready = ready, .ctx = ctx };
	l->count++;
	return true;
}

void loop_change(struct loop *l, int fd, short events)
{
	size_t i = watch_find(l, fd);

	if (i < l->count)
		l->polls[i].events = events;
}

void loop_unwatch(struct loop *l, int fd)
{
	size_t i = watch_find(l, fd);

	if (i == l->count)
		return;
	l->watches[i].gone = true;
	l->polls[i].fd = -1;
	l->sweep = true;
}

static void watches_sweep(struct loop *l)
{
	size_t kept = 0;

	if (!l->sweep)
		return;
	for (size_t i = 0; i < l->count; i++) {
		if (l->watches[i].gone)
			continue;
		l->polls[kept] = l->polls[i];
		l->watches[kept] = l->watches[i];
		kept++;
	}
	l->count = kept;
	l->sweep = false;
}

static bool timer_before(const struct timer *a, const struct timer *b)
{
	return a->when_us != b->when_us ? a->when_us < b->when_us : a->cookie < b->cookie;
}

static void timer_swap(struct loop *l, size_t i, size_t j)
{
	struct timer t = l->timers[i];

	l->timers[i] = l->timers[j];
	l->timers[j] = t;
}

static void timer_up(struct loop *l, size_t i)
{
	while (i > 0 && timer_before(&l->timers[i], &l->timers[(i - 1) / 2])) {
		timer_swap(l, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void timer_down(struct loop *l, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
			if (child < l->timer_count && timer_before(&l->timers[child], &l->timers[least]))
				least = child;
		}
		if (least == i)
			return;
		timer_swap(l, i, least);
		i = least;
	}
}

uint64_t loop_timer(struct loop *l, int64_t when_us, void (*due)(void *ctx), void *ctx)
{
	if (l->timer_count == l->timer_room) {
		l->timer_room = l->timer_room == 0 ? 16 : 2 * l->timer_room;
		l->timers = reallocarray(l->timers, l->timer_room, sizeof(*l->timers));
		if (l->timers == NULL)
			abort();
	}
	l->timers[l->timer_count] = (struct timer){
		.when_us = when_us, .cookie = ++l->cookie_last, .due = due, .ctx = ctx,
	};
	timer_up(l, l->timer_count++);
	return l->cookie_last;
}

static void timer_remove(struct loop *l, size_t i)
{
	l->timer_count--;
	if (i == l->timer_count)
		return;
	l->timers[i] = l->timers[l->timer_count];
	timer_down(l, i);
	timer_up(l, i);
}

void loop_cancel(struct loop *l, uint64_t cookie)
{
	for (size_t i = 0; cookie != 0 && i < l->timer_count; i++) {
		if (l->timers[i].cookie == cookie) {
			timer_remove(l, i);
			return;
		}
	}
}

void loop_after_turn(struct loop *l, void (*after)(void *ctx), void *ctx)
{
	l->after = after;
	l->after_ctx = ctx;
}

static bool wait_for(struct loop *l, int64_t timeout_us, struct err *e)
{
	struct timespec t, *timeout = NULL;

	if (l->timer_count > 0) {
		int64_t left = l->timers[0].when_us - clock_monotonic_us();

		left = left < 0 ? 0 : left;
		if (timeout_us < 0 || left < timeout_us)
			timeout_us = left;
	}
	if (timeout_us >= 0) {
		t = (struct timespec){ .tv_sec = timeout_us / 1000000,
				       .tv_nsec = timeout_us % 1000000 * 1000 };
		timeout = &t;
	}
	if (ppoll(l->polls, l->count, timeout, NULL) >= 0)
		return true;
	for (size_t i = 0; i < l->count; i++)
		l->polls[i].revents = 0;
	return errno == EINTR || err_system(e, "cannot wait for events");
}

/* Only timers that were set before this turn's callbacks began: one that sets itself again for "now"
 * waits for the next turn, and cannot keep descriptors from being served. */
static void timers_run(struct loop *l)
{
	uint64_t last = l->cookie_last;
	int64_t now = l->timer_count > 0 ? clock_monotonic_us() : 0;

	while (l->timer_count > 0 && l->timers[0].when_us <= now) {
		struct timer t = l->timers[0];

		if (t.cookie > last)
			return;
		timer_remove(l, 0);
		t.due(t.ctx);
	}
}

bool loop_turn(struct loop *l, int64_t timeout_us, struct err *e)
{
	size_t count;

	watches_sweep(l);
	count = l->count;
	if (!wait_for(l, timeout_us, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		short revents = l->polls[i].revents;

		if (revents != 0 && !l->watches[i].gone)
			l->watches[i].ready(l->watches[i].ctx, revents);
	}
	timers_run(l);
	if (l->after != NULL)
		l->after(l->after_ctx);
	return true;
}

bool loop_run(struct loop *l, struct err *e)
{
	while (!l->stopped) {
		if (!loop_turn(l, -1, e))
			return false;
	}
	l->stopped = false;
	return true;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

void loop_free_at(struct loop **l)
{
	loop_free(*l);
	*l = NULL;
}
