/* A disk that was put back to an older state together with the signer's cell: nothing here knows of what was signed since.
 * The witnesses do, and they are looked at before anything is signed. */
#include "exchange/recover.h"
#include "exchange/shown.h"
#include "exchange/test-put-back.h"

static void a_disk_put_back_with_its_cell_locks_before_it_signs(void **state)
{
	keep_disk(&w.xa);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	uint64_t seen = size();
	size_t said = tree_count;
	put_disk_back(&w.xa);
	assert_false(w.xa.node->locked); /* nothing here knows */
	assert_true(size() < seen);
	say_request(&w.xa, "XR");
	assert_int_equal(grows(1), 0);
	assert_int_equal(grows(COSIGNING_LOOK_AGAIN_MS), 0);
	assert_int_equal(ask_witnesses(&w.xa), 1);
	assert_true(w.xa.node->locked);
	assert_true(signing_locked(w.xa.signing));
	assert_non_null(strstr(w.xa.node->locked_why, "w1.example/witness"));
	assert_non_null(strstr(w.xa.node->locked_why, "restored"));
	assert_int_equal(grows(SLOT_MS), 0);
	assert_int_equal(tree_count, said);
	/* Nor after another start. */
	home_close(&w.xa);
	open_seen(&w.xa);
	assert_true(w.xa.node->locked);
	assert_int_equal(grows(SLOT_MS), 0);
	assert_true(one_tree_for_each_size());
	assert_int_equal(tree_count, said);
}

/* Once more after a start, in which no witness can be reached. */
static void stays_locked_and_can_only_be_retired(void)
{
	struct recovered back;
	struct err why = { 0 };

	all_dead(true);
	for (int i = 0; i < 2; i++) {
		assert_true(w.xa.node->locked);
		assert_true(signing_locked(w.xa.signing));
		assert_int_equal(grows(SLOT_MS), 0);
		assert_false(node_recover(w.xa.node, NULL, &back, &why));
		assert_int_equal(why.reason, REASON_LOCKED);
		assert_non_null(strstr(why.text, "can only be retired"));
		assert_true(w.xa.node->locked);
		home_close(&w.xa);
		open_seen(&w.xa);
	}
}

/* The disk was put back, nobody could be reached, and the signer died between the commit of a slot and its checkpoint. */
static void leave_a_slot_unsigned(void)
{
	struct err why = { 0 };

	keep_disk(&w.xa);
	cosigned_slot(&w.xa);
	uint64_t seen = size();
	put_disk_back(&w.xa);
	say_request(&w.xa, "XR"); /* so that the leaves are others */
	all_dead(true);
	grows(1);
	ask_witnesses(&w.xa);
	w.xa.refuse_signing = 1;
	the_time += SLOT_MS;
	assert_false(node_slot(w.xa.node, the_time, &why));
	assert_int_equal(why.reason, REASON_UNAVAILABLE);
	assert_int_equal(size(), seen);
	all_dead(false);
	w.xa.refuse_signing = 0;
}

static void a_slot_that_waits_for_its_signature_gets_none_when_it_is_locked(void **state)
{
	leave_a_slot_unsigned();
	the_time += COSIGNING_ROUND_MS;
	cosigning_look_again(w.xa.node);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	stays_locked_and_can_only_be_retired();
	assert_true(one_tree_for_each_size());
}

static void a_slot_that_waits_for_its_signature_waits_for_the_look_too(void **state)
{
	leave_a_slot_unsigned();
	home_close(&w.xa);
	open_seen(&w.xa);
	assert_int_equal(grows(1), 0);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_int_equal(grows(SLOT_MS), 0);
	assert_true(one_tree_for_each_size());
}

/* The disk is put back, and the files of what was signed since lie aside. */
static void lose_a_slot_but_its_files(void)
{
	keep_disk(&w.xa);
	ask_witnesses(&w.xa);
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), size());
	home_close(&w.xa);
	disk(&w.xa, "cp -a log " RECOVER_FOLDER " && rm -rf store log keys && cp -a kept/store kept/log kept/keys .");
	open_seen(&w.xa);
}

static void another_tree_of_the_same_size_with_our_signature_locks(void **state)
{
	keep_disk(&w.xa);
	has_seen(&witnesses[W3], &w.xa, size(), w.xa.log);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_true(signing_locked(w.xa.signing));
	assert_non_null(strstr(w.xa.node->locked_why, "w3.example/witness"));
	assert_non_null(strstr(w.xa.node->locked_why, "another tree"));
	assert_int_equal(grows(SLOT_MS), 0);
	stays_locked_and_can_only_be_retired();
}

/* The larger tree is ours and comes back; the smaller one that another witness has is not in it. */
static void a_recovery_leads_to_all_that_was_shown_or_unlocks_nothing(void **state)
{
	uint64_t before = size(), after;
	struct recovered back;
	struct err why = { 0 };

	lose_a_slot_but_its_files();
	after = witnesses[W1].state.size;
	assert_true(after > before + 1);
	witnesses[W1].slow = witnesses[W2].slow = true;
	ask_witnesses(&w.xa);
	has_seen(&witnesses[W2], &w.xa, before + 1, w.xa.log);
	answer_late(&w.xa, &witnesses[W1]);
	answer_late(&w.xa, &witnesses[W2]);
	assert_true(w.xa.node->locked);
	assert_false(node_recover(w.xa.node, NULL, &back, &why));
	assert_int_equal(why.reason, REASON_LOCKED);
	assert_non_null(strstr(why.text, "w2.example/witness"));
	assert_int_equal(size(), after);
	stays_locked_and_can_only_be_retired();
}

static void a_recovery_to_all_that_was_shown_unlocks_for_good(void **state)
{
	struct recovered back;

	lose_a_slot_but_its_files();
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_ok(node_recover(w.xa.node, NULL, &back, e));
	assert_int_equal(size(), witnesses[W1].state.size);
	assert_false(w.xa.node->locked);
	home_close(&w.xa);
	open_seen(&w.xa);
	assert_false(w.xa.node->locked);
	ask_witnesses(&w.xa);
	assert_true(grows(1) > 0);
	assert_true(one_tree_for_each_size());
}

/* A 422 is unsigned, what the witness then shows is not. */
static void a_witness_that_says_another_tree_is_asked_to_show_it(void **state)
{
	cosigned_slot(&w.xa);
	has_seen(&witnesses[W1], &w.xa, size(), w.xa.log);
	slot(&w.xa);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_non_null(strstr(w.xa.node->locked_why, "w1.example/witness shows another tree"));
	stays_locked_and_can_only_be_retired();
}

static void the_witness_is_believed_even_when_the_turn_is_undone(void **state)
{
	struct cosigning_ask ask;
	bool found;

	keep_disk(&w.xa);
	has_seen(&witnesses[W1], &w.xa, size() + 8, w.xa.log);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(cosigning_next(w.xa.node, the_time, &ask, &found, e));
	assert_true(found);
	assert_ok(cosigning_answered(w.xa.node, ask.number, true, 200, buf_bytes(&witnesses[W1].note), "", the_time, e));
	node_rollback(w.xa.node);
	buf_release(&ask.body);
	assert_true(w.xa.node->locked);
	assert_int_equal(grows(SLOT_MS), 0); /* and writes down why */
	all_dead(true);
	home_close(&w.xa);
	open_seen(&w.xa);
	assert_true(w.xa.node->locked);
	assert_true(signing_locked(w.xa.signing));
}

/* --- an empty log ---------------------------------------------------------------------------------------------- */

static int begin_empty(void **state)
{
	tree_count = 0;
	witnessed_world_begin(&w);
	policy_two_of_three(&w, "XA");
	assert_int_equal(size(), 0);
	keep_disk(&w.xa);
	return 0;
}

static void a_home_put_back_to_an_empty_log_signs_nothing_before_it_has_looked(void **state)
{
	w.xa.node->next_slot_ms = 0;
	cosigned_slot(&w.xa);
	assert_true(size() > 0);
	put_disk_back(&w.xa);
	assert_int_equal(size(), 0);
	say_request(&w.xa, "XR");
	assert_int_equal(grows(1), 0);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_true(signing_locked(w.xa.signing));
	assert_int_equal(grows(SLOT_MS), 0);
	home_close(&w.xa);
	open_seen(&w.xa);
	assert_true(w.xa.node->locked);
	assert_true(signing_locked(w.xa.signing));
	assert_true(one_tree_for_each_size());
}

static void a_new_home_is_not_held_up(void **state)
{
	witnesses[W2].dead = true; /* the others do not know this log */
	assert_int_equal(grows(1), 0);
	assert_int_equal(ask_witnesses(&w.xa), 3);
	assert_false(cosigning_looking(w.xa.node));
	assert_true(grows(COSIGNING_LOOK_AGAIN_MS) > 0);
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), size());
}

static void the_most_that_was_shown_is_where_recovery_leads(void **state)
{
	keep_disk(&w.xa);
	witnesses[W1].slow = witnesses[W2].slow = witnesses[W3].slow = true;
	ask_witnesses(&w.xa);
	has_seen(&witnesses[W1], &w.xa, size() + 8, w.xa.log);
	has_seen(&witnesses[W2], &w.xa, size() + 4, w.xa.log);
	answer_late(&w.xa, &witnesses[W1]);
	answer_late(&w.xa, &witnesses[W2]);
	assert_true(w.xa.node->locked);
	struct checkpoint furthest = { 0 };
	shown_furthest(w.xa.node, &furthest);
	assert_int_equal(furthest.size, size() + 8);
	assert_non_null(strstr(w.xa.node->locked_why, "w1.example/witness"));
}

/* The disk is lost, and the signer's cell with it: who unlocks has nothing to go by but what the witnesses show. */
static void a_recovery_asks_the_witnesses_before_it_signs(void **state)
{
	struct recovered back;

	keep_disk(&w.xa);
	w.xa.node->locked = true;
	the_time += 10 * COSIGNING_ROUND_MS; /* until an officer comes */
	assert_ok(node_recover(w.xa.node, NULL, &back, e));
	assert_false(w.xa.node->locked);
	has_seen(&witnesses[W1], &w.xa, size() + 8, w.xa.log);
	assert_int_equal(grows(1), 0);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_int_equal(grows(SLOT_MS), 0);
}

static void what_is_not_signed_by_us_locks_nothing(void **state)
{
	keep_disk(&w.xa);
	has_seen(&witnesses[W1], &w.xa, size() + 1000, w.xs.log);
	buf_clear(&witnesses[W2].note);
	ask_witnesses(&w.xa);
	assert_false(w.xa.node->locked);
	assert_false(cosigning_looking(w.xa.node));
	assert_true(grows(1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_disk_put_back_with_its_cell_locks_before_it_signs),
		CLAIM(a_slot_that_waits_for_its_signature_gets_none_when_it_is_locked),
		CLAIM(a_slot_that_waits_for_its_signature_waits_for_the_look_too),
		CLAIM(another_tree_of_the_same_size_with_our_signature_locks),
		CLAIM(a_recovery_leads_to_all_that_was_shown_or_unlocks_nothing),
		CLAIM(a_recovery_to_all_that_was_shown_unlocks_for_good),
		CLAIM(a_witness_that_says_another_tree_is_asked_to_show_it),
		CLAIM(the_witness_is_believed_even_when_the_turn_is_undone),
		CLAIM(the_most_that_was_shown_is_where_recovery_leads),
		CLAIM(a_recovery_asks_the_witnesses_before_it_signs),
		CLAIM(what_is_not_signed_by_us_locks_nothing),
#define OF_EMPTY(name) cmocka_unit_test_setup_teardown(name, begin_empty, end)
		OF_EMPTY(a_home_put_back_to_an_empty_log_signs_nothing_before_it_has_looked),
		OF_EMPTY(a_new_home_is_not_held_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
