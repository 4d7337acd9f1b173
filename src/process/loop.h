/* The one poll loop of a role: single-threaded, nothing blocks in a callback. Every pending thing can
 * be cancelled, from inside any callback, its own too; what is cancelled is never called again. */
#ifndef COMITY_PROCESS_LOOP_H
#define COMITY_PROCESS_LOOP_H

#include <poll.h>

#include "base/err.h"

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *l); /* closes nothing: descriptors belong to those who watch them */

/* events: POLLIN, POLLOUT, or 0 (only errors and hang-ups). One watch per descriptor; unwatch before
 * closing it. revents may also hold POLLERR, POLLHUP. */
bool loop_watch(struct loop *l, int fd, short events, void (*ready)(void *ctx, short revents), void *ctx,
		struct err *e) MUST_USE;
void loop_change(struct loop *l, int fd, short events); /* of a descriptor that is watched */
void loop_unwatch(struct loop *l, int fd);              /* fine when it is not watched */

/* Once, at or after when_us on clock_monotonic_us(). Timers come in order of time, then of being set.
 * The cookie is never 0 and never used again. */
uint64_t loop_timer(struct loop *l, int64_t when_us, void (*due)(void *ctx), void *ctx);
void loop_cancel(struct loop *l, uint64_t cookie); /* fine for 0 and for timers that have run */

/* Called once after the callbacks of each turn, also when there were none. NULL: none. */
void loop_after_turn(struct loop *l, void (*after)(void *ctx), void *ctx);

/* One wait for at most timeout_us (less when a timer is due; -1: as long as it takes), then all
 * callbacks that are due. */
bool loop_turn(struct loop *l, int64_t timeout_us, struct err *e) MUST_USE;
/* Turns until loop_stop, which may come before the first turn. */
bool loop_run(struct loop *l, struct err *e) MUST_USE;
void loop_stop(struct loop *l);

void loop_free_at(struct loop **l);
#define AUTO_LOOP __attribute__((cleanup(loop_free_at))) struct loop

#endif
