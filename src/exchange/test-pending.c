/* Proof-pending: what may travel without the quorum, what it may do, and that the full proof follows. */
#include "exchange/test-pending.h"

#include "exchange/cosigning-internal.h"
#include "register/judge.h"

/* A request that came proof-pending, acknowledged and ordered to be preserved. */
static struct said pending_request_at_xr(void)
{
	struct said s = say_request(&w.xa, "XR");

	miss();
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, s.hash).outcome, "received");
	slot(&w.xr);
	slot(&w.xr);
	say_acknowledged(&w.xr, "XA", &s.id);
	return s;
}

static void a_letter_under_art_42_goes_only_after_a_minute_and_pages(void **state)
{
	struct said s = say_request(&w.xa, "XR");

	all_dead(true);
	cosigned_slot(&w.xa);
	the_time += 29000;
	ask_witnesses(&w.xa);
	assert_false(carry_kept(&w.xa, &w.xr));
	assert_int_equal(witnesses[W_XR].calls, 0); /* nor is its witness asked before */
	the_time += 31000;
	ask_witnesses(&w.xa);
	assert_true(witnesses[W_XR].calls > 0);
	assert_null(cosigning_pending(w.xa.node, "XL"));
	assert_non_null(cosigning_pending(w.xa.node, "XR"));
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, s.hash).outcome, "received");
	assert_state(&w.xr, &s.id, RECEIVED);
	assert_int_equal(pending(&w.xa, "ours"), 1);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	assert_int_equal(number(&w.xr, QUERY_page_waiting), 1);
	assert_false(carry_kept(&w.xa, &w.xr)); /* once */
}

/* A note has room for 32 lines: were those of peers gathered, each for one letter, the witnesses of the policy could come too
 * late for theirs, and the quorum be missed for as long as letters are pending. */
static void the_lines_of_peers_take_no_room_from_the_policys_own(void **state)
{
	say_request(&w.xa, "XR");
	miss();
	assert_int_equal(cosignatures(cosigning_pending(w.xa.node, "XR")), 1);
	assert_int_equal(cosignatures(cosigning_current(w.xa.node->cosigning)), 0);
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(cosignatures(cosigning_proved(w.xa.node)), 3);
}

static void without_the_addressees_cosignature_it_waits(void **state)
{
	say_request(&w.xa, "XR");
	witnesses[W_XR].dead = true;
	miss();
	assert_null(cosigning_pending(w.xa.node, "XR"));
	assert_false(carry_kept(&w.xa, &w.xr));
}

static void other_kinds_wait(void **state)
{
	struct said p = say_request(&w.xa, "XR");

	cosigned_slot(&w.xa);
	assert_true(carry_kept(&w.xa, &w.xr));
	struct said d = say_stored_data(&w.xa, "XR", &p.id);
	miss();
	assert_false(carry_kept(&w.xa, &w.xr));
	/* Nor with the addressee's cosignature, which is asked for because of another letter. */
	struct said other = say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	assert_non_null(cosigning_pending(w.xa.node, "XR"));
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_false(carry_kept(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, other.hash));
	assert_false(act_is_there(&w.xr, d.hash));
	assert_int_equal(pending(&w.xa, "ours"), 1);
	met_again();
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, d.hash));
}

/* An acknowledgement needs one approval: with that it waits, with a second person's it may go. */
static void one_approver_is_not_enough(void **state)
{
	struct said s = say_request(&w.xa, "XR");
	struct said a;

	cosigned_slot(&w.xa);
	assert_true(carry_kept(&w.xa, &w.xr));
	/* The roles turn: XR's log is under the policy now. */
	policy_two_of_three(&w, "XR");
	for (size_t i = 0; i < WITNESSES; i++) {
		witnesses[i].log = w.xr.node->identity.log;
		witnesses[i].seen = false;
		witnesses[i].state = (struct witness_state){ 0 };
	}
	a = say_acknowledged(&w.xr, "XA", &s.id);
	all_dead(true);
	for (int i = 0; i < 4; i++)
		cosigned_slot(&w.xr);
	assert_true(cosigning_missed_since(w.xr.node) != 0);
	assert_non_null(cosigning_pending(w.xr.node, "XA"));
	assert_false(carry_kept(&w.xr, &w.xa));
	assert_false(receipt_at(&w.xr, a.hash).found);
}

static void the_full_proof_follows_and_ends_it(void **state)
{
	struct said s = pending_request_at_xr();
	AUTO_ACT *before = NULL, *after = NULL;

	IN(&w.xr, node_act_load(w.xr.node, s.hash, &before, e));
	assert_false(carry_proofs(&w.xa, &w.xr));
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xa, "ours"), 0);
	assert_int_equal(pending(&w.xr, "theirs"), 0);
	/* What is kept for the years to come has the quorum's proof. */
	IN(&w.xr, node_act_load(w.xr.node, s.hash, &after, e));
	assert_false(bytes_equal(before->proof, after->proof));
	struct judgement j;
	assert_ok(judge_act(after, w.xr.node->reg, the_time, NULL, &j, e));
	assert_int_equal(j.witnesses, 3);
	assert_false(carry_proofs(&w.xa, &w.xr));
}

static void nothing_is_disclosed_before_the_full_proof(void **state)
{
	struct said s = pending_request_at_xr();
	AUTO_JSON *preserve = body_about("order", &s.id), *disclose = body_about("order", &s.id);
	struct id id;
	uint8_t hash[SHA256_BYTES];

	say_accepted(&w.xr, "XA", &s.id);
	json_put_text(preserve, "measure", "preserve");
	json_put_text(disclose, "measure", "disclose");
	for (size_t i = 0; i < 2; i++) {
		json_put_time(i == 0 ? preserve : disclose, "expires", the_time + 60 * DAY_MS);
		json_put_time(i == 0 ? preserve : disclose, "duration_until", the_time + 60 * DAY_MS);
	}
	draft(&w.xr, "order", "XA", &s.id, disclose, &id);
	approve(&w.xr, &id, FINCH);
	IN_REFUSED(&w.xr, send_draft(&w.xr, &id, hash, e), REASON_PROOF_PENDING);
	json_incref(preserve);
	say(&w.xr, "order", "XA", &s.id, preserve, ILSE, ILSE);
	assert_state(&w.xr, &s.id, PRESERVED);
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_ok(node_begin(w.xr.node, e));
	struct err why = { 0 };
	/* Whatever else the law says about disclosure under a preservation request, the proof is no longer what stops it. */
	bool sent = send_draft(&w.xr, &id, hash, &why);
	assert_true(sent || why.reason != REASON_PROOF_PENDING);
	node_rollback(w.xr.node);
}

/* The follow-up under art. 44 came with a full proof; what it follows up did not yet. */
static void a_follow_up_does_not_open_what_is_pending(void **state)
{
	struct said s = pending_request_at_xr();
	struct request_row r = request_at(&w.xr, &s.id);
	bool is;
	int64_t due;

	assert_ok(pending_request(w.xr.node, &r, &is, &due, e));
	assert_true(is);
	assert_true(due > the_time);
	r.has_preservation = true;
	r.preservation = s.id;
	memset(r.hash, 7, sizeof(r.hash));
	assert_ok(pending_request(w.xr.node, &r, &is, &due, e));
	assert_true(is);
}

static void overdue_is_counted_after_a_day(void **state)
{
	pending_request_at_xr();
	assert_int_equal(pending(&w.xa, "overdue"), 0);
	assert_int_equal(pending(&w.xr, "overdue"), 0);
	the_time += DAY_MS + 1;
	assert_int_equal(pending(&w.xa, "overdue"), 1);
	assert_int_equal(pending(&w.xr, "overdue"), 1);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
}

static void a_restart_on_either_side_forgets_no_debt(void **state)
{
	pending_request_at_xr();
	home_close(&w.xa);
	home_open(&w.xa);
	home_close(&w.xr);
	home_open(&w.xr);
	assert_int_equal(pending(&w.xa, "ours"), 1);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 0);
}

/* The receipt got lost, and the quorum was met before the next attempt: the letter brings the full proof itself. */
static void a_letter_that_comes_again_with_its_proof_ends_it(void **state)
{
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	say_request(&w.xa, "XR");
	miss();
	IN(&w.xa, outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &j, e));
	assert_int_equal(j.count, 1);
	assert_true(j.held); /* the keeper commits before it leaves */
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	answered(&w.xa, &j, 0, bytes_of(""));
	outbox_job_release(&j);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	met_again();
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 0);
	assert_true(carry_proofs(&w.xa, &w.xr)); /* once more than needed */
	assert_int_equal(pending(&w.xa, "ours"), 0);
}

/* Somebody else's proof, or one of another leaf, ends nothing. */
static void a_proof_that_is_not_enough_ends_nothing(void **state)
{
	struct said s = pending_request_at_xr();
	struct counterproof c = { 0 };
	AUTO_ACT *a = NULL;
	AUTO_BUF text = { 0 };
	bool found;

	buf_init(&text, NOTE_BYTES_MAX);
	IN(&w.xr, node_act_load(w.xr.node, s.hash, &a, e));
	/* The very proof that it came with. */
	assert_ok(counterproof_write(s.hash, a->leaf, a->opening, a->proof, &text, e));
	assert_ok(counterproof_parse(buf_bytes(&text), &c, e));
	IN_REFUSED(&w.xr, pending_full_proof(w.xr.node, "XA", &c, &found, e), REASON_UNDER_WITNESSED);
	IN(&w.xr, pending_full_proof(w.xr.node, "XL", &c, &found, e));
	assert_false(found);
	c.opening[0] ^= 1;
	IN_REFUSED(&w.xr, pending_full_proof(w.xr.node, "XA", &c, &found, e), REASON_LEAF_MISMATCH);
	counterproof_release(&c);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
}

/* --- beside ordinary letters --------------------------------------------------------------------------------- */

/* An ordinary letter that has its proof; the other node alone has a register by which that is not enough, and the quorum
 * is missed from now on. */
static struct said not_yet_and_missed(void)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF text = { 0 }, warnings = { 0 };
	struct said first = say_stored_data(&w.xa, "XR", NULL);

	witnesses[W3].dead = true;
	cosigned_slot(&w.xa);
	buf_init(&text, 4 * KIB);
	buf_init(&warnings, 4 * KIB);
	policy_add_witness(&text, "w3", &witnesses[W3]);
	buf_add_text(&text, "quorum w3\n");
	IN(&w.xs, directory_policy(w.xs.node, bytes_of("XA"), buf_bytes(&text), 86400, 0, hash, &warnings, e));
	publish(&w);
	take_register(&w, &w.xr);
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_false(receipt_at(&w.xa, first.hash).found);
	return first;
}

static int64_t attempts_of(const struct said *s)
{
	struct query *q = store_query(w.xa.node->store, QUERY_outbox_get);
	bool found;

	query_bind_bytes(q, 1, BYTES_ARRAY(s->hash));
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	int64_t attempts = query_int(q, 3);
	query_end(q);
	return attempts;
}

/* The next batch, with nothing of it answered yet: how many letters, and whether this one is the first. */
static bool is_next(const struct said *s, struct outbox_job *j)
{
	IN(&w.xa, outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, j, e));
	return j->count == 1 && memcmp(j->hash[0], s->hash, SHA256_BYTES) == 0;
}

static void assert_next_and_fails(const struct said *s)
{
	struct outbox_job j;

	assert_true(is_next(s, &j));
	answered(&w.xa, &j, 0, bytes_of(""));
	outbox_job_release(&j);
}

static void assert_nothing_is_due(void)
{
	struct outbox_job j;

	IN(&w.xa, outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &j, e));
	assert_int_equal(j.count, 0);
	outbox_job_release(&j);
}

static void an_older_letter_that_is_not_yet_taken_does_not_hold_it_up(void **state)
{
	struct said first = not_yet_and_missed(), urgent = say_request(&w.xa, "XR");

	for (int i = 0; i < 7; i++) { /* and waits for long already */
		the_time += 60000;
		(void)carry_kept(&w.xa, &w.xr);
	}
	miss();
	int64_t attempts = attempts_of(&first);
	assert_true(attempts > 6);
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, urgent.hash));
	assert_string_equal(receipt_at(&w.xa, urgent.hash).outcome, "received");
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	assert_int_equal(number(&w.xr, QUERY_page_waiting), 1);
	/* The older one is not forgotten for it. */
	the_time += 60000;
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_int_equal(attempts_of(&first), attempts + 1);
	assert_false(receipt_at(&w.xa, first.hash).found);
}

static void each_of_the_two_waits_for_itself(void **state)
{
	struct said first = not_yet_and_missed(), urgent = say_request(&w.xa, "XR");

	miss();
	assert_next_and_fails(&urgent); /* waits for a second now */
	assert_next_and_fails(&first);  /* its turn, though the other one waits */
	assert_nothing_is_due();
	the_time += 1000; /* the second attempt of the one; the other one waits for two seconds */
	assert_next_and_fails(&urgent);
	assert_nothing_is_due();
	the_time += 1000;
	assert_next_and_fails(&first);
	assert_nothing_is_due();
	assert_int_equal(attempts_of(&urgent), 2);
	for (int i = 0; i < 10; i++) { /* as often as they like to fail, both have their turn within the longest wait */
		the_time += 60000;
		assert_next_and_fails(&urgent);
		assert_next_and_fails(&first);
	}
}

static void one_that_cannot_be_built_does_not_hold_it_up(void **state)
{
	struct said first = say_stored_data(&w.xa, "XR", NULL), urgent;

	cosigned_slot(&w.xa);
	urgent = say_request(&w.xa, "XR");
	miss();
	struct query *q = store_query(w.xa.node->store, QUERY_erase_record_keys); /* a record that another key does not open */
	query_bind_bytes(q, 1, bytes_from(first.id.at, ID_BYTES));
	IN(&w.xa, query_run(q, e));
	query_end(q);
	q = store_query(w.xa.node->store, QUERY_record_key_add);
	query_bind_bytes(q, 1, BYTES_ARRAY(first.hash));
	query_bind_bytes(q, 2, BYTES_ARRAY(urgent.hash));
	IN(&w.xa, query_run(q, e));
	query_end(q);
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, urgent.hash));
	assert_nothing_is_due();
	assert_int_equal(attempts_of(&first), 1);
}

static void what_has_its_full_proof_goes_with_it(void **state)
{
	struct said urgent = say_request(&w.xa, "XR"), later;

	cosigned_slot(&w.xa); /* it is proved, and has not left */
	later = say_request(&w.xa, "XR");
	miss();
	assert_non_null(cosigning_pending(w.xa.node, "XR"));
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, urgent.hash));
	assert_true(act_is_there(&w.xr, later.hash));
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	assert_int_equal(pending(&w.xa, "ours"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, witnessed, witnessed_end)
		CLAIM(a_letter_under_art_42_goes_only_after_a_minute_and_pages),
		CLAIM(the_lines_of_peers_take_no_room_from_the_policys_own),
		CLAIM(without_the_addressees_cosignature_it_waits),
		CLAIM(other_kinds_wait),
		CLAIM(one_approver_is_not_enough),
		CLAIM(the_full_proof_follows_and_ends_it),
		CLAIM(nothing_is_disclosed_before_the_full_proof),
		CLAIM(a_follow_up_does_not_open_what_is_pending),
		CLAIM(overdue_is_counted_after_a_day),
		CLAIM(a_restart_on_either_side_forgets_no_debt),
		CLAIM(a_letter_that_comes_again_with_its_proof_ends_it),
		CLAIM(a_proof_that_is_not_enough_ends_nothing),
		CLAIM(an_older_letter_that_is_not_yet_taken_does_not_hold_it_up),
		CLAIM(each_of_the_two_waits_for_itself),
		CLAIM(one_that_cannot_be_built_does_not_hold_it_up),
		CLAIM(what_has_its_full_proof_goes_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
