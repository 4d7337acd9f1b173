/* A peer that took a newer register first wants more of our proofs than we know of: no letter dies of that. It is held,
 * the register is fetched, and the letter goes again with the proof that is wanted now. */
#include "exchange/pairs.h"
#include "exchange/test-forge.h"
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

/* So many of these witnesses, no longer ago than this; published, and nobody has taken it. */
static void state_untaken(const char *quorum, int64_t max_age_s)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF text = { 0 }, warnings = { 0 };

	buf_init(&text, 4 * KIB);
	buf_init(&warnings, 4 * KIB);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	policy_add_witness(&text, "w2", &witnesses[W2]);
	policy_add_witness(&text, "w3", &witnesses[W3]);
	buf_add_text(&text, quorum);
	IN(&w.xs, directory_policy(w.xs.node, bytes_of("XA"), buf_bytes(&text), max_age_s, 0, hash, &warnings, e));
	publish(&w);
}

static void state_two_of_three(int64_t max_age_s)
{
	state_untaken("group two 2 w1 w2 w3\nquorum two\n", max_age_s);
}

static struct pair_state last_of(struct home *h, const char *peer, enum pair_direction d)
{
	struct pair_state s;

	assert_ok(pair_last(h->node, peer, d, &s, e));
	return s;
}

/* The letter has its place at both, and there is no dispute about it. */
static void assert_agree(uint64_t letters)
{
	struct pair_state sent = last_of(&w.xa, "XR", PAIR_SENT), received = last_of(&w.xr, "XA", PAIR_RECEIVED);

	assert_int_equal(sent.n, letters);
	assert_int_equal(received.n, letters);
	assert_memory_equal(sent.head, received.head, SHA256_BYTES);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 0);
	assert_int_equal(rows(&w.xr, QUERY_pair_dispute_list), 0);
}

/* As `status` shows it among the letters that wait. */
static void assert_held_for_witnesses(const struct said *s)
{
	struct query *q = store_query(w.xa.node->store, QUERY_outbox_get);
	bool found;

	query_bind_bytes(q, 1, BYTES_ARRAY(s->hash));
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	assert_int_equal(query_int(q, 4), 0);
	struct bytes words = query_bytes(q, 5);
	char text[300];
	bytes_text(words, text, sizeof(text));
	query_end(q);
	assert_non_null(strstr(text, "wants more witnesses"));
	assert_non_null(strstr(text, "the register is fetched"));
	assert_false(receipt_at(&w.xa, s->hash).found);
	assert_state(&w.xa, &s->id, SENT);
	assert_false(act_is_there(&w.xr, s->hash));
	assert_true(w.xa.node->refresh_wanted);
}

static bool letter_is_due(void)
{
	struct outbox_job j;

	next_job(&w.xa, OUTBOX_LETTERS, &j);
	bool due = j.count > 0;
	outbox_job_release(&j);
	return due;
}

static void assert_delivered(const struct said *s)
{
	struct receipt_row r = receipt_at(&w.xa, s->hash);

	assert_string_equal(r.outcome, "received");
	assert_state(&w.xa, &s->id, DELIVERED);
	assert_state(&w.xr, &s->id, RECEIVED);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
}

static void a_policy_that_the_other_node_knew_first_holds_the_letter_and_does_not_end_it(void **state)
{
	struct said first = say_request(&w.xa, "XR"), second = say_stored_data(&w.xa, "XR", NULL);

	slot(&w.xa);
	state_two_of_three(86400);
	take_register(&w, &w.xr);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_held_for_witnesses(&first);
	assert_held_for_witnesses(&second);
	assert_agree(2);
	assert_false(letter_is_due());
	/* The register is not here yet: the same again, and still no end, nor a second place. */
	w.xa.node->refresh_wanted = false;
	the_time += 1000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_held_for_witnesses(&first);
	assert_agree(2);
	/* It comes: what one signature proved proves nothing any more, until the witnesses have signed. */
	take_register(&w, &w.xa);
	all_dead(true);
	the_time += 60000;
	ask_witnesses(&w.xa);
	assert_false(letter_is_due());
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_delivered(&first);
	assert_delivered(&second);
	assert_agree(2);
}

static void a_proof_that_became_too_old_there_first_is_made_anew(void **state)
{
	policy_two_of_three(&w, "XA");
	struct said s = say_stored_data(&w.xa, "XR", NULL);
	cosigned_slot(&w.xa);
	state_two_of_three(60);
	take_register(&w, &w.xr);
	the_time += 180 * 1000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_held_for_witnesses(&s);
	assert_agree(1);
	take_register(&w, &w.xa);
	the_time += 60000;
	assert_false(letter_is_due());
	cosigned_slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_delivered(&s);
	assert_agree(1);
}

/* The other way round: the sender proves by a policy that the receiver does not know yet. */
static struct said proved_by_a_newer_policy(void)
{
	policy_two_of_three(&w, "XA");
	struct said s = say_stored_data(&w.xa, "XR", NULL); /* by the register that both have */
	state_untaken("quorum w3\n", 86400);
	take_register(&w, &w.xa);
	witnesses[W1].dead = witnesses[W2].dead = true;
	cosigned_slot(&w.xa);
	return s;
}

static void who_may_be_behind_asks_for_the_register_before_it_rejects_a_proof(void **state)
{
	struct said s = proved_by_a_newer_policy();

	has_a_source(&w.xr);
	assert_true(carry_one(&w.xa, &w.xr)); /* busy */
	assert_false(receipt_at(&w.xa, s.hash).found);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	assert_true(w.xr.node->refresh_wanted);
	take_register(&w, &w.xr);
	the_time += 2000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_delivered(&s);
	assert_agree(1);
}

static void who_has_just_asked_rejects_and_judges_again_once_it_knows(void **state)
{
	struct said s = proved_by_a_newer_policy();

	has_a_source(&w.xr);
	w.xr.node->register_asked_ms = the_time;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_held_for_witnesses(&s);
	assert_agree(1);
	assert_false(w.xr.node->refresh_wanted);
	take_register(&w, &w.xr);
	the_time += 2000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_delivered(&s);
	assert_agree(1);
}

/* A place among the letters does not say that a letter was taken: what follows up one that is "not yet" is judged, and for
 * good. So nothing goes behind it with a better proof (outbox_ahead). */
static void a_place_alone_does_not_hold_back_what_follows_up(void **state)
{
	struct buf letter;
	struct verdict v;

	policy_two_of_three(&w, "XA");
	struct said first = say_request(&w.xa, "XR"), follows = say_stored_data(&w.xa, "XR", &first.id);
	witnesses[W3].dead = true;
	cosigned_slot(&w.xa);
	state_untaken("quorum w3\n", 86400);
	take_register(&w, &w.xr);
	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	assert_ok(outbox_letter(w.xa.node, first.hash, &letter, e));
	bring(&w.xr, buf_bytes(&letter), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_UNDER_WITNESSED);
	buf_release(&v.envelope);
	witnesses[W3].dead = false;
	cosigned_slot(&w.xa);
	buf_clear(&letter);
	assert_ok(outbox_letter(w.xa.node, follows.hash, &letter, e));
	bring(&w.xr, buf_bytes(&letter), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_NOT_FOUND);
	buf_release(&v.envelope);
	buf_release(&letter);
}

/* The same for the proofs that go back. */
static void a_proof_by_a_newer_policy_comes_again(void **state)
{
	struct said s = say_stored_data(&w.xr, "XA", NULL);

	slot(&w.xr);
	assert_true(carry_one(&w.xr, &w.xa));
	assert_string_equal(receipt_at(&w.xr, s.hash).outcome, "received");
	policy_two_of_three(&w, "XA");
	state_untaken("quorum w3\n", 86400);
	take_register(&w, &w.xa);
	witnesses[W1].dead = witnesses[W2].dead = true;
	cosigned_slot(&w.xa);
	has_a_source(&w.xr);
	for (int round = 0; round < 2; round++) {
		struct outbox_job j;
		struct err why;
		next_job(&w.xa, OUTBOX_PROOFS, &j);
		assert_int_equal(j.count, 1);
		assert_ok(node_begin(w.xr.node, e));
		bool ok = receive_proofs(w.xr.node, buf_bytes(&j.body), w.xa.tls, &why);
		if (ok)
			assert_ok(node_commit(w.xr.node, e));
		else
			node_rollback(w.xr.node);
		answered(&w.xa, &j, ok ? 200 : 422, bytes_of("{}"));
		outbox_job_release(&j);
		assert_true(ok == (round == 1));
		if (round == 0) {
			assert_int_equal(why.reason, REASON_UNDER_WITNESSED);
			assert_true(w.xr.node->refresh_wanted);
			take_register(&w, &w.xr);
			the_time += 2000;
		}
	}
	assert_true(receipt_at(&w.xr, s.hash).proof > 0);
}

static void every_other_rejection_is_still_the_end(void **state)
{
	struct said s;

	the_time += 300 * 1000;
	s = say_request(&w.xa, "XR");
	slot(&w.xa);
	the_time -= 200 * 1000; /* the statement is dated in the future there */
	assert_true(carry_one(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, s.hash).reason, "clock-off");
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
}

static void such_a_receipt_with_another_history_is_a_dispute_as_any(void **state)
{
	struct said s = say_request(&w.xa, "XR");
	struct buf letter;
	struct verdict v;
	const char *outcome;
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *r = NULL;
	AUTO_BUF envelope = { 0 };

	slot(&w.xa);
	state_two_of_three(86400);
	take_register(&w, &w.xr);
	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	assert_ok(outbox_letter(w.xa.node, s.hash, &letter, e));
	bring(&w.xr, buf_bytes(&letter), NULL, &v);
	assert_ok(envelope_parse(buf_bytes(&v.envelope), &env, e));
	assert_ok(statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &r, e));
	assert_string_equal(json_text(r->body, "reason"), "under-witnessed");
	json_t *body = json_deep_copy(r->body);
	json_put_text(body, "pair_head", SAMPLE_HASH);
	forge_receipt(&w.xr, "XA", body, &envelope);
	IN(&w.xa, outbox_receipt(w.xa.node, buf_bytes(&envelope), NULL, &outcome, e));
	assert_string_equal(outcome, "rejected");
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 1);
	assert_state(&w.xa, &s.id, SENT);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 1);
	buf_release(&v.envelope);
	buf_release(&letter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_policy_that_the_other_node_knew_first_holds_the_letter_and_does_not_end_it),
		CLAIM(a_proof_that_became_too_old_there_first_is_made_anew),
		CLAIM(who_may_be_behind_asks_for_the_register_before_it_rejects_a_proof),
		CLAIM(who_has_just_asked_rejects_and_judges_again_once_it_knows),
		CLAIM(a_place_alone_does_not_hold_back_what_follows_up),
		CLAIM(a_proof_by_a_newer_policy_comes_again),
		CLAIM(every_other_rejection_is_still_the_end),
		CLAIM(such_a_receipt_with_another_history_is_a_dispute_as_any),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
