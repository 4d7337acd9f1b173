/* The poll loop, mostly about what happens when callbacks change what is watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "process/loop.h"

static struct loop *loop;
static char trace[64];
static uint64_t cookies[4];

static int begin(void **state)
{
	loop = loop_new();
	trace[0] = '\0';
	return 0;
}

static int end(void **state)
{
	loop_free(loop);
	return 0;
}

static void note(void *ctx)
{
	size_t len = strlen(trace);

	snprintf(trace + len, sizeof(trace) - len, "%s", (const char *)ctx);
}

static void turn(int64_t timeout_us)
{
	struct err e = { 0 };

	assert_true(loop_turn(loop, timeout_us, &e));
}

static void timers_come_in_order_of_time_then_of_being_set(void **state)
{
	int64_t now = clock_monotonic_us();

	(void)loop_timer(loop, now - 10, note, (void *)(uintptr_t)"c");
	(void)loop_timer(loop, now - 30, note, (void *)(uintptr_t)"a");
	(void)loop_timer(loop, now - 10, note, (void *)(uintptr_t)"d");
	(void)loop_timer(loop, now - 20, note, (void *)(uintptr_t)"b");
	turn(-1);
	assert_string_equal(trace, "abcd");
}

static void cancel_next(void *ctx)
{
	loop_cancel(loop, cookies[1]);
	note((void *)(uintptr_t)"x");
}

static void a_cancelled_timer_never_comes(void **state)
{
	int64_t now = clock_monotonic_us();

	cookies[0] = loop_timer(loop, now - 20, cancel_next, NULL);
	cookies[1] = loop_timer(loop, now - 10, note, (void *)(uintptr_t)"y");
	assert_true(cookies[0] != 0 && cookies[1] > cookies[0]);
	turn(0);
	turn(0);
	assert_string_equal(trace, "x");
	loop_cancel(loop, cookies[0]); /* has run: fine */
	loop_cancel(loop, 0);
}

static void again(void *ctx)
{
	note((void *)(uintptr_t)"r");
	(void)loop_timer(loop, clock_monotonic_us() - 1, again, NULL);
}

static void a_timer_that_sets_itself_again_waits_for_the_next_turn(void **state)
{
	(void)loop_timer(loop, clock_monotonic_us() - 1, again, NULL);
	turn(0);
	assert_string_equal(trace, "r");
	turn(0);
	assert_string_equal(trace, "rr");
}

static void many_timers_keep_their_order_when_some_are_cancelled(void **state)
{
	uint64_t all[200];
	int64_t now = clock_monotonic_us();

	for (int i = 0; i < 200; i++)
		all[i] = loop_timer(loop, now - 1000 + (i * 37) % 200, note, (void *)(uintptr_t)(i % 50 == 0 ? "k" : "."));
	for (int i = 0; i < 200; i++) {
		if (i % 50 != 0)
			loop_cancel(loop, all[i]);
	}
	turn(0);
	assert_string_equal(trace, "kkkk");
}

static int pipes[2][2];

static void both_unwatch(void *ctx, short revents)
{
	note(ctx);
	loop_unwatch(loop, pipes[0][0]);
	loop_unwatch(loop, pipes[1][0]);
}

static void what_is_unwatched_in_a_turn_is_not_called_in_it(void **state)
{
	struct err e = { 0 };

	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
		assert_true(loop_watch(loop, pipes[i][0], POLLIN, both_unwatch, (void *)(uintptr_t)"u", &e));
	}
	assert_false(loop_watch(loop, pipes[0][0], POLLIN, both_unwatch, NULL, &e));
	turn(0);
	turn(0);
	assert_string_equal(trace, "u");
	for (int i = 0; i < 4; i++)
		close(pipes[i / 2][i % 2]);
}

static void drop_and_rewatch(void *ctx, short revents)
{
	struct err e = { 0 };

	note(ctx);
	loop_unwatch(loop, pipes[0][0]);
	assert_true(loop_watch(loop, pipes[0][0], POLLIN, drop_and_rewatch, (void *)(uintptr_t)"2", &e));
}

static void a_descriptor_watched_again_is_polled_from_the_next_turn(void **state)
{
	struct err e = { 0 };

	assert_int_equal(pipe(pipes[0]), 0);
	assert_int_equal(write(pipes[0][1], "x", 1), 1);
	assert_true(loop_watch(loop, pipes[0][0], POLLIN, drop_and_rewatch, (void *)(uintptr_t)"1", &e));
	turn(0);
	assert_string_equal(trace, "1");
	turn(0);
	assert_string_equal(trace, "12");
	loop_change(loop, pipes[0][0], 0);
	turn(0);
	assert_string_equal(trace, "12");
	loop_unwatch(loop, pipes[0][0]);
	close(pipes[0][0]);
	close(pipes[0][1]);
}

static void stop_now(void *ctx)
{
	loop_stop(loop);
}

static void it_stops_when_told_also_before_it_runs(void **state)
{
	struct err e = { 0 };

	loop_stop(loop);
	assert_true(loop_run(loop, &e));
	(void)loop_timer(loop, clock_monotonic_us(), stop_now, NULL);
	assert_true(loop_run(loop, &e));
}

static void after_is_called_once_each_turn(void **state)
{
	loop_after_turn(loop, note, (void *)(uintptr_t)"t");
	turn(0);
	turn(0);
	assert_string_equal(trace, "tt");
}

#define WITH_LOOP(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(timers_come_in_order_of_time_then_of_being_set),
		WITH_LOOP(a_cancelled_timer_never_comes),
		WITH_LOOP(a_timer_that_sets_itself_again_waits_for_the_next_turn),
		WITH_LOOP(many_timers_keep_their_order_when_some_are_cancelled),
		WITH_LOOP(what_is_unwatched_in_a_turn_is_not_called_in_it),
		WITH_LOOP(a_descriptor_watched_again_is_polled_from_the_next_turn),
		WITH_LOOP(it_stops_when_told_also_before_it_runs),
		WITH_LOOP(after_is_called_once_each_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
