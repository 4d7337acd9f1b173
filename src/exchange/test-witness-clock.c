/* Whose clock is right: what is dated ahead counts for the log that it is about no more than for its readers. */
#include "exchange/cosigning-internal.h"
#include "exchange/test-witnesses.h"

static struct world w;

static int begin(void **state)
{
	witnessed_world_begin(&w);
	return 0;
}

static int end(void **state)
{
	witnessed_world_end(&w);
	return 0;
}

static void a_clock_off_the_median_sends_nothing(void **state)
{
	policy_two_of_three(&w, "XA");
	say_request(&w.xa, "XR");
	/* One witness with a wrong clock moves no median. */
	witnesses[W1].ahead_ms = 3600 * 1000;
	cosigned_slot(&w.xa);
	assert_false(cosigning_clock_off(w.xa.node));
	assert_true(tw_letter_is_due(&w.xa));
	/* Two of them: nothing counts, and it is our clock that is asked about. */
	uint64_t proved = tw_proved_size(&w.xa);
	witnesses[W2].ahead_ms = witnesses[W3].ahead_ms = 62000;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), proved);
	assert_true(cosigning_clock_off(w.xa.node));
	assert_true(cosigning_clock_off_ms(w.xa.node) > 60000);
	assert_false(tw_letter_is_due(&w.xa));
	slot(&w.xa); /* a new round, in which nobody has answered yet */
	assert_true(cosigning_clock_off(w.xa.node));
	witnesses[W2].ahead_ms = witnesses[W3].ahead_ms = -62000;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_true(cosigning_clock_off(w.xa.node));
	witnesses[W2].ahead_ms = witnesses[W3].ahead_ms = COSIGNING_AHEAD_MS + 2000;
	cosigned_slot(&w.xa);
	assert_true(tw_proved_size(&w.xa) < log_size(w.xa.node->log));
	assert_true(cosigning_clock_off(w.xa.node));
	witnesses[W2].ahead_ms = witnesses[W3].ahead_ms = COSIGNING_AHEAD_MS - 2000;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_true(tw_letter_is_due(&w.xa));
}

static const char *quorum_of(struct home *h)
{
	static char word[20];
	AUTO_JSON *v = cosigning_status(h->node);

	snprintf(word, sizeof(word), "%s", json_text(v, "quorum"));
	return word;
}

/* No receiver counts what is dated ahead; so it must not hide from us that the quorum is missed. */
static void a_witness_an_hour_ahead_hides_no_miss(void **state)
{
	AUTO_BUF missing = { 0 };

	policy_two_of_three(&w, "XA");
	struct said s = say_request(&w.xa, "XR");
	witnesses[W1].ahead_ms = 3600 * 1000;
	witnesses[W2].dead = witnesses[W_XR].dead = true;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	assert_non_null(strstr(tw_error_of(&w.xa, "w1.example/witness"), "its clock is off"));
	the_time += 60000;
	ask_witnesses(&w.xa);
	assert_string_equal(quorum_of(&w.xa), "missed");
	assert_true(cosigning_missed_since(w.xa.node) != 0);
	buf_init(&missing, KIB);
	assert_true(cosigning_missing(w.xa.node, &missing));
	assert_string_equal(buf_text(&missing), "w1.example/witness, w2.example/witness");
	assert_false(tw_letter_is_due(&w.xa));
	/* Its clock is set right: the same checkpoint is asked for again, and it counts. */
	uint64_t size = log_size(w.xa.node->log);
	witnesses[W1].ahead_ms = 0;
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), size);
	assert_int_equal(cosignatures(cosigning_proved(w.xa.node)), 2);
	assert_string_equal(tw_error_of(&w.xa, "w1.example/witness"), "");
	assert_string_equal(quorum_of(&w.xa), "met");
	settle(&w.xa, &w.xr);
	assert_true(act_is_there(&w.xr, s.hash));
}

/* It was taken while our clock ran ahead as well; now ours is right. */
static void what_our_own_clock_let_in_does_not_count_once_it_is_right(void **state)
{
	policy_two_of_three(&w, "XA");
	witnesses[W2].dead = witnesses[W3].dead = true;
	the_time += 3600 * 1000;
	slot(&w.xa);
	ask_witnesses(&w.xa);
	assert_int_equal(cosignatures(cosigning_current(w.xa.node->cosigning)), 1);
	the_time -= 3600 * 1000;
	witnesses[W1].ahead_ms = 3600 * 1000;
	witnesses[W3].dead = false;
	ask_witnesses(&w.xa);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(cosignatures(cosigning_current(w.xa.node->cosigning)), 2);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	/* The quorum is missed by the clock that is right. */
	the_time += 60000;
	assert_string_equal(quorum_of(&w.xa), "missed");
	/* And is asked for again. */
	witnesses[W1].ahead_ms = 0;
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

static void a_proved_note_that_is_dated_ahead_carries_no_letter_and_no_restart(void **state)
{
	policy_two_of_three(&w, "XA");
	the_time += 3600 * 1000;
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	uint64_t proved = tw_proved_size(&w.xa);
	assert_true(proved > 0);
	assert_true(tw_letter_is_due(&w.xa));
	slot(&w.xa); /* keeps the note */
	the_time -= 3600 * 1000;
	assert_true(cosigning_stale(w.xa.node, the_time));
	assert_false(tw_letter_is_due(&w.xa));
	all_dead(true);
	home_close(&w.xa);
	home_open(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	all_dead(false);
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_true(tw_letter_is_due(&w.xa));
}

/* One is enough, and the other's line would make the quorum as old as it says. */
static void a_witness_that_dates_back_holds_up_no_letter_that_another_carries(void **state)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	policy_add_witness(&text, "w2", &witnesses[W2]);
	buf_add_text(&text, "group one 1 w1 w2\nquorum one\n");
	state_policy(&w, "XA", buf_bytes(&text));
	struct said s = say_request(&w.xa, "XR");
	witnesses[W1].ahead_ms = -48LL * 3600 * 1000;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_false(cosigning_stale(w.xa.node, the_time));
	assert_non_null(strstr(tw_error_of(&w.xa, "w1.example/witness"), "172800 s back"));
	assert_int_equal(cosignatures(cosigning_proved(w.xa.node)), 1);
	settle(&w.xa, &w.xr);
	assert_true(act_is_there(&w.xr, s.hash));
	/* Alone it makes no quorum, and that is told. */
	witnesses[W2].dead = true;
	cosigned_slot(&w.xa);
	the_time += 60000;
	assert_string_equal(quorum_of(&w.xa), "missed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_witness_that_dates_back_holds_up_no_letter_that_another_carries),
		CLAIM(a_clock_off_the_median_sends_nothing),
		CLAIM(a_witness_an_hour_ahead_hides_no_miss),
		CLAIM(what_our_own_clock_let_in_does_not_count_once_it_is_right),
		CLAIM(a_proved_note_that_is_dated_ahead_carries_no_letter_and_no_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
