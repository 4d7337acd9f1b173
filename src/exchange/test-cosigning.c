/* Cosigning, with witnesses in this process: when a checkpoint is proved, what leaves before, and what an answer can do. */
#include "exchange/slots.h"
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

/* The size that the world sees; 0: no checkpoint is published. */
static uint64_t published_size(struct home *h)
{
	struct checkpoint c;
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	if (!file_read(h->dir.fd, "log/checkpoint", &note, NULL))
		return 0;
	assert_ok(checkpoint_verify(buf_bytes(&note), &h->node->identity.log, &c, e));
	return c.size;
}

static void without_a_policy_one_signature_is_enough_at_once(void **state)
{
	say_request(&w.xa, "XR");
	slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_int_equal(ask_witnesses(&w.xa), 0);
	assert_true(tw_letter_is_due(&w.xa));
	AUTO_JSON *v = cosigning_status(w.xa.node);
	assert_string_equal(json_text(v, "quorum"), "none");
}

static void quorum_none_is_enough_at_once(void **state)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	buf_add_text(&text, "quorum none\n");
	state_policy(&w, "XA", buf_bytes(&text));
	slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_int_equal(ask_witnesses(&w.xa), 0);
}

static void nothing_leaves_and_nothing_is_published_before_the_quorum(void **state)
{
	policy_two_of_three(&w, "XA");
	uint64_t before = published_size(&w.xa);
	all_dead(true);
	struct said s = say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	assert_int_equal(published_size(&w.xa), before);
	assert_false(tw_letter_is_due(&w.xa));
	IN_REFUSED(&w.xa, node_proof(w.xa.node, s.hash, &(struct buf){ .max = NOTE_BYTES_MAX }, e), REASON_UNLOGGED);
	/* One of two is not enough either. */
	witnesses[W1].dead = false;
	the_time += 5000;
	ask_witnesses(&w.xa);
	assert_int_equal(witnesses[W1].state.size, log_size(w.xa.node->log));
	assert_int_equal(tw_proved_size(&w.xa), 0);
	assert_false(tw_letter_is_due(&w.xa));
	witnesses[W3].dead = false;
	the_time += 5000;
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	assert_true(tw_letter_is_due(&w.xa));
	assert_ok(node_slot(w.xa.node, the_time, e));
	assert_int_equal(published_size(&w.xa), log_size(w.xa.node->log));
	assert_true(carry_one(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, s.hash).outcome, "received");
}

static void a_dead_and_a_slow_witness_stop_nobody_but_two_are_needed(void **state)
{
	policy_two_of_three(&w, "XA");
	witnesses[W1].dead = true;
	witnesses[W2].slow = true;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	uint64_t asked = log_size(w.xa.node->log);
	/* The slow one answers what it was asked, after the next slot closed. */
	answer_late(&w.xa, &witnesses[W2]); /* 409: it was asked from nothing and has seen nothing: it signs */
	assert_int_equal(tw_proved_size(&w.xa), asked);
	assert_string_equal(tw_error_of(&w.xa, "w1.example/witness"), "nobody is there");
	assert_string_equal(tw_error_of(&w.xa, "w2.example/witness"), "");
}

static void a_cosignature_that_comes_after_the_quorum_is_taken_too(void **state)
{
	policy_two_of_three(&w, "XA");
	witnesses[W3].slow = true;
	cosigned_slot(&w.xa);
	assert_int_equal(cosignatures(cosigning_proved(w.xa.node)), 2);
	the_time += 600;
	answer_late(&w.xa, &witnesses[W3]);
	assert_int_equal(cosignatures(cosigning_proved(w.xa.node)), 3);
	/* And is published; after the next slot it would belong to nothing any more. */
	assert_ok(node_slot(w.xa.node, the_time, e));
	AUTO_BUF note = { 0 };
	buf_init(&note, NOTE_BYTES_MAX);
	assert_ok(file_read(w.xa.dir.fd, "log/checkpoint", &note, e));
	assert_true(bytes_equal(buf_bytes(&note), buf_bytes(&cosigning_proved(w.xa.node)->note)));
	cosigned_slot(&w.xa);
	uint64_t proved = tw_proved_size(&w.xa);
	slot(&w.xa);
	witnesses[W1].slow = witnesses[W2].slow = true;
	answer_late(&w.xa, &witnesses[W3]);
	assert_int_equal(tw_proved_size(&w.xa), proved);
}

static void what_a_witness_has_seen_is_where_the_proof_begins(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	uint64_t first = log_size(w.xa.node->log);
	unsigned calls = witnesses[W1].calls;
	/* Known from then on: one call a slot. */
	cosigned_slot(&w.xa);
	assert_int_equal(witnesses[W1].calls, calls + 1);
	assert_int_equal(witnesses[W1].state.size, log_size(w.xa.node->log));
	assert_true(log_size(w.xa.node->log) > first);
	/* A node that was started again has forgotten, asks from nothing, and is told. */
	slot(&w.xa);
	home_close(&w.xa);
	home_open(&w.xa);
	calls = witnesses[W1].calls;
	ask_witnesses(&w.xa);
	assert_int_equal(witnesses[W1].calls, calls + 2);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

static void our_own_witness_never_counts_and_is_not_asked(void **state)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	policy_add_witness(&text, "own", &witnesses[W_XA]);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	buf_add_text(&text, "group any any own w1\nquorum any\n");
	state_policy(&w, "XA", buf_bytes(&text));
	witnesses[W1].dead = true;
	cosigned_slot(&w.xa);
	assert_int_equal(witnesses[W_XA].calls, 0);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	witnesses[W1].dead = false;
	the_time += 5000;
	ask_witnesses(&w.xa);
	assert_int_equal(witnesses[W_XA].calls, 0);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

static void a_line_by_another_key_is_worth_nothing(void **state)
{
	policy_two_of_three(&w, "XA");
	witnesses[W1].junk = witnesses[W2].junk = true;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	assert_non_null(strstr(tw_error_of(&w.xa, "w1.example/witness"), "no cosignature"));
}

/* It took what it was sent: asked from less it would say 409 each second time, and status would say that instead. */
static void a_witness_with_a_new_key_is_told_as_that(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	witnesses[W1].junk = true;
	witnesses[W1].state.size = 0; /* a new key begins with nothing */
	witnesses[W1].seen = false;
	for (int i = 0; i < 6; i++) {
		the_time += 60 * 1000;
		cosigned_slot(&w.xa);
		assert_non_null(strstr(tw_error_of(&w.xa, "w1.example/witness"), "no cosignature by the key"));
	}
}

static void a_proved_note_outlives_a_restart(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	AUTO_BUF note = { 0 };
	buf_init(&note, NOTE_BYTES_MAX);
	buf_add(&note, buf_bytes(&cosigning_proved(w.xa.node)->note));
	int64_t quorum = cosigning_proved(w.xa.node)->quorum_ms;
	assert_true(quorum > 0);
	struct said s = say_request(&w.xa, "XR");
	all_dead(true);
	slot(&w.xa);
	home_close(&w.xa);
	home_open(&w.xa);
	assert_true(bytes_equal(buf_bytes(&cosigning_proved(w.xa.node)->note), buf_bytes(&note)));
	assert_int_equal(cosigning_proved(w.xa.node)->quorum_ms, quorum);
	assert_true(tw_proved_size(&w.xa) < log_size(w.xa.node->log));
	assert_false(tw_letter_is_due(&w.xa));
	all_dead(false);
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
	settle(&w.xa, &w.xr);
	assert_true(act_is_there(&w.xr, s.hash));
}

/* The turn in which it was proved is undone: it is proved all the same, and kept with the next slot. */
static void a_proved_note_outlives_a_turn_that_is_undone(void **state)
{
	policy_two_of_three(&w, "XA");
	witnesses[W2].slow = true;
	witnesses[W3].dead = true;
	cosigned_slot(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(tw_say(&w.xa, &witnesses[W2], witnesses[W2].held, buf_bytes(&witnesses[W2].held_body), e));
	node_rollback(w.xa.node);
	uint64_t proved = tw_proved_size(&w.xa);
	assert_int_equal(proved, log_size(w.xa.node->log));
	slot(&w.xa);
	home_close(&w.xa);
	home_open(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), proved);
}

static void a_key_with_a_new_name_is_believed_by_that(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	note_key_make("w1.example/2026", NOTE_COSIGNATURE, sign_key_public(witnesses[W1].key), &witnesses[W1].vkey);
	snprintf(witnesses[W1].url, sizeof(witnesses[W1].url), "https://w1.example/2026");
	policy_two_of_three(&w, "XA");
	witnesses[W2].dead = true;
	cosigned_slot(&w.xa);
	assert_string_equal(tw_error_of(&w.xa, "w1.example/2026"), "");
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

static void a_peer_s_witness_is_asked_no_longer_than_a_letter_needs_it(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	assert_int_equal(w.xa.node->cosigning->count, 3);
	all_dead(true);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	the_time += 60000;
	cosigned_slot(&w.xa);
	assert_int_equal(w.xa.node->cosigning->count, 4);
	assert_non_null(cosigning_pending(w.xa.node, "XR"));
	all_dead(false);
	cosigned_slot(&w.xa);
	cosigned_slot(&w.xa);
	assert_int_equal(w.xa.node->cosigning->count, 3);
}

static void a_policy_that_comes_unproves_what_one_signature_proved(void **state)
{
	slot(&w.xa);
	assert_true(tw_proved_size(&w.xa) > 0);
	policy_two_of_three(&w, "XA");
	all_dead(true);
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), 0);
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

/* --- restored, or told so ------------------------------------------------------------------------------------- */

static void a_witness_that_shows_more_than_we_signed_locks_the_node(void **state)
{
	policy_two_of_three(&w, "XA");
	slot(&w.xa);
	has_seen(&witnesses[W2], &w.xa, log_size(w.xa.node->log) + 1000, w.xa.log);
	ask_witnesses(&w.xa);
	assert_true(w.xa.node->locked);
	assert_non_null(strstr(w.xa.node->locked_why, "w2.example/witness"));
	assert_non_null(strstr(w.xa.node->locked_why, "restored"));
	assert_true(signing_locked(w.xa.signing));
	uint64_t size = log_size(w.xa.node->log);
	slot(&w.xa);
	assert_int_equal(log_size(w.xa.node->log), size);
	assert_int_equal(ask_witnesses(&w.xa), 0);
}

/* The number alone is unsigned: anybody between us and the witness can say it. */
static void a_witness_that_only_says_so_does_not(void **state)
{
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	slot(&w.xa);
	has_seen(&witnesses[W2], &w.xa, log_size(w.xa.node->log) + 1000, w.xs.log);
	ask_witnesses(&w.xa);
	assert_false(w.xa.node->locked);
	assert_non_null(strstr(tw_error_of(&w.xa, "w2.example/witness"), "shows no signature"));
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log));
}

static void a_witness_that_only_says_that_it_saw_another_tree_is_told(void **state)
{
	policy_two_of_three(&w, "XA");
	slot(&w.xa);
	has_seen(&witnesses[W1], &w.xa, log_size(w.xa.node->log), w.xs.log);
	ask_witnesses(&w.xa);
	/* It was asked to show it, and what it shows is not ours. */
	assert_non_null(strstr(tw_error_of(&w.xa, "w1.example/witness"), "another tree of this log (422), and shows no signature of ours"));
	assert_false(w.xa.node->locked);
	assert_int_equal(tw_proved_size(&w.xa), log_size(w.xa.node->log)); /* by the other two */
}

/* --- rounds, the miss --------------------------------------------------------------------------------- */

static void a_round_that_is_not_complete_gives_way_to_the_newest(void **state)
{
	policy_two_of_three(&w, "XA");
	all_dead(true);
	cosigned_slot(&w.xa);
	uint64_t first = log_size(w.xa.node->log);
	witnesses[W1].dead = false;
	slot(&w.xa); /* 30 s later: the round is over */
	ask_witnesses(&w.xa);
	assert_true(witnesses[W1].state.size > first);
	assert_int_equal(witnesses[W1].state.size, log_size(w.xa.node->log));
}

static void a_letter_that_waits_for_witnesses_is_known_from_one_that_nobody_took(void **state)
{
	policy_two_of_three(&w, "XA");
	all_dead(true);
	struct said s = say_request(&w.xa, "XR");
	assert_false(cosigning_waits(w.xa.node, s.hash, "XR")); /* for its slot first */
	cosigned_slot(&w.xa);
	assert_true(cosigning_waits(w.xa.node, s.hash, "XR"));
	/* After a minute it may go with the addressee's own witness, which lives: then it is the courier's turn. */
	witnesses[W_XR].dead = false;
	the_time += 60000;
	cosigned_slot(&w.xa);
	assert_non_null(cosigning_pending(w.xa.node, "XR"));
	assert_false(cosigning_waits(w.xa.node, s.hash, "XR"));
	all_dead(false);
	cosigned_slot(&w.xa);
	assert_false(cosigning_waits(w.xa.node, s.hash, "XR"));
}

static void each_slot_is_measured_until_its_proof(void **state)
{
	struct cosigning *c = w.xa.node->cosigning;

	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	uint64_t before = c->latency.count;
	assert_true(before > 0);
	all_dead(true);
	for (int i = 0; i < 3; i++)
		cosigned_slot(&w.xa);
	assert_int_equal(c->latency.count, before);
	all_dead(false);
	the_time += 600000;
	cosigned_slot(&w.xa);
	ask_witnesses(&w.xa);
	assert_int_equal(c->latency.count, before + 4); /* those that were passed over too */
	assert_int_equal(c->slot_count, 0);
	AUTO_JSON *v = cosigning_status(w.xa.node);
	assert_true(json_int(v, "cosigned_ms_p50") >= 0 && json_int(v, "cosigned_ms_p95") >= json_int(v, "cosigned_ms_p50"));
	assert_true(json_int(v, "proved_by") >= 2);
	assert_int_equal(json_int(v, "proved_size"), log_size(w.xa.node->log));
}

/* A witness that says another size each time is asked no oftener than one that fails. */
static void a_witness_of_two_minds_is_not_asked_for_ever(void **state)
{
	struct cosigning_ask ask;
	unsigned asked = 0;
	bool found = true;

	policy_two_of_three(&w, "XA");
	witnesses[W1].dead = witnesses[W2].dead = true;
	witnesses[W3].slow = true;
	cosigned_slot(&w.xa);
	uint64_t number = witnesses[W3].held;
	while (found && asked < 20) {
		IN(&w.xa, cosigning_answered(w.xa.node, number, true, 409, bytes_of(asked++ % 2 == 0 ? "1\n" : "2\n"), "", the_time, e));
		assert_ok(node_begin(w.xa.node, e));
		assert_ok(cosigning_next(w.xa.node, the_time, &ask, &found, e));
		node_rollback(w.xa.node);
		number = ask.number;
		buf_release(&ask.body);
	}
	assert_int_equal(asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(without_a_policy_one_signature_is_enough_at_once),
		CLAIM(quorum_none_is_enough_at_once),
		CLAIM(nothing_leaves_and_nothing_is_published_before_the_quorum),
		CLAIM(a_dead_and_a_slow_witness_stop_nobody_but_two_are_needed),
		CLAIM(a_cosignature_that_comes_after_the_quorum_is_taken_too),
		CLAIM(what_a_witness_has_seen_is_where_the_proof_begins),
		CLAIM(our_own_witness_never_counts_and_is_not_asked),
		CLAIM(a_line_by_another_key_is_worth_nothing),
		CLAIM(a_witness_with_a_new_key_is_told_as_that),
		CLAIM(a_proved_note_outlives_a_restart),
		CLAIM(a_proved_note_outlives_a_turn_that_is_undone),
		CLAIM(a_key_with_a_new_name_is_believed_by_that),
		CLAIM(a_peer_s_witness_is_asked_no_longer_than_a_letter_needs_it),
		CLAIM(a_policy_that_comes_unproves_what_one_signature_proved),
		CLAIM(a_witness_that_shows_more_than_we_signed_locks_the_node),
		CLAIM(a_witness_that_only_says_so_does_not),
		CLAIM(a_witness_that_only_says_that_it_saw_another_tree_is_told),
		CLAIM(a_round_that_is_not_complete_gives_way_to_the_newest),
		CLAIM(a_letter_that_waits_for_witnesses_is_known_from_one_that_nobody_took),
		CLAIM(each_slot_is_measured_until_its_proof),
		CLAIM(a_witness_of_two_minds_is_not_asked_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
