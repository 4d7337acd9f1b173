/* The look at witnesses after a start: whom it asks, how often, and how long it holds the log up. */
#include "exchange/test-put-back.h"

/* Between the opening of a home and the first turn of its keeper more than a look's time may pass. */
static void a_home_that_opens_slowly_looks_all_the_same(void **state)
{
	keep_disk(&w.xa);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	put_disk_back(&w.xa);
	say_request(&w.xa, "XR");
	the_time += 2 * COSIGNING_ROUND_MS;
	assert_int_equal(grows(1), 0);
	assert_int_equal(ask_witnesses(&w.xa), 1);
	assert_true(w.xa.node->locked);
	assert_int_equal(grows(SLOT_MS), 0);
	assert_true(one_tree_for_each_size());
}

/* What the look is for: when no witness can be reached, it is as before, and a witness finds it out later. */
static void who_cannot_be_reached_holds_the_log_up_no_longer_than_a_look(void **state)
{
	keep_disk(&w.xa);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	put_disk_back(&w.xa);
	say_request(&w.xa, "XR");
	all_dead(true);
	assert_int_equal(grows(1), 0);
	ask_witnesses(&w.xa);
	assert_int_equal(grows(COSIGNING_ROUND_MS - 2), 0);
	assert_true(grows(COSIGNING_LOOK_AGAIN_MS) > 0);
	assert_false(one_tree_for_each_size());
}

/* After a boot the network may come a moment later than the node; one witness of three that is away holds up nothing. */
static void who_fails_is_asked_again_while_too_few_have_answered(void **state)
{
	keep_disk(&w.xa);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	put_disk_back(&w.xa);
	say_request(&w.xa, "XR");
	all_dead(true);
	assert_int_equal(grows(1), 0);
	assert_int_equal(ask_witnesses(&w.xa), 3);
	assert_int_equal(ask_witnesses(&w.xa), 0); /* not in a circle */
	assert_int_equal(grows(3000), 0);
	witnesses[W2].dead = false;
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_true(one_tree_for_each_size());
}

static void a_slow_witness_holds_the_log_up_for_a_round_at_most(void **state)
{
	keep_disk(&w.xa);
	witnesses[W2].slow = true;
	assert_int_equal(grows(1), 0);
	ask_witnesses(&w.xa);
	assert_false(w.xa.node->locked);
	assert_int_equal(grows(COSIGNING_ROUND_MS - 2), 0);
	assert_true(cosigning_looking(w.xa.node));
	assert_true(grows(COSIGNING_LOOK_AGAIN_MS) > 0);
	/* What it then shows is looked at all the same. */
	has_seen(&witnesses[W2], &w.xa, size(), w.xa.log);
	answer_late(&w.xa, &witnesses[W2]);
	assert_true(w.xa.node->locked);
}

/* However the clock is set meanwhile. */
static void a_clock_that_is_set_ends_no_look(void **state)
{
	keep_disk(&w.xa);
	set_clock(2 * COSIGNING_ROUND_MS);
	assert_true(cosigning_looking(w.xa.node));
	set_clock(-3600 * 1000);
	assert_true(cosigning_looking(w.xa.node));
	the_time += COSIGNING_ROUND_MS;
	assert_false(cosigning_looking(w.xa.node));
}

static void each_witness_is_asked_once_and_then_the_log_goes_on(void **state)
{
	unsigned calls = witnesses[W1].calls;

	keep_disk(&w.xa);
	assert_true(cosigning_looking(w.xa.node));
	ask_witnesses(&w.xa);
	assert_false(cosigning_looking(w.xa.node));
	/* It has shown where the next proof begins: the second call is the cosignature. */
	assert_true(grows(1) > 0);
	ask_witnesses(&w.xa);
	assert_int_equal(cosigning_proved(w.xa.node)->checkpoint.size, size());
	assert_true(witnesses[W1].calls <= calls + 3);
	assert_false(w.xa.node->locked);
}

static void without_a_policy_nothing_is_waited_for(void **state)
{
	home_close(&w.xr);
	home_open(&w.xr);
	uint64_t before = log_size(w.xr.node->log);
	assert_false(cosigning_looking(w.xr.node));
	w.xr.node->next_slot_ms = 0;
	assert_ok(node_slot(w.xr.node, the_time, e));
	assert_true(log_size(w.xr.node->log) > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_home_that_opens_slowly_looks_all_the_same),
		CLAIM(who_cannot_be_reached_holds_the_log_up_no_longer_than_a_look),
		CLAIM(who_fails_is_asked_again_while_too_few_have_answered),
		CLAIM(a_slow_witness_holds_the_log_up_for_a_round_at_most),
		CLAIM(a_clock_that_is_set_ends_no_look),
		CLAIM(each_witness_is_asked_once_and_then_the_log_goes_on),
		CLAIM(without_a_policy_nothing_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
