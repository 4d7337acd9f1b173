/* What is gone on one side - erased, or lost with a restored store - neither stops the letters after it for ever nor
 * accuses who did nothing wrong; and a peer cannot fill our disk with its claims. */
#include "exchange/test-erasing.h"

#include "exchange/closings.h"
#include "exchange/test-forge.h"

static int64_t disputes(void)
{
	return rows(&w.xa, QUERY_pair_dispute_list) + rows(&w.xr, QUERY_pair_dispute_list);
}

static void recovered(struct home *h)
{
	recover(h, NULL);
	while (ask_one(h))
		;
}

/* Ruritania forgets a day in which Arcadia said something that it has erased since. */
static void what_was_erased_does_not_stop_the_letters_after_it(void **state)
{
	struct said kept, gone, next;

	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	back_up(&w.xr);
	gone = ended();
	kept = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	erased_at(&w.xa, "XR", &gone.id);
	settle(&w.xa, &w.xr);
	restore(&w.xr);
	recovered(&w.xr);
	settle(&w.xa, &w.xr);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	assert_agree(&w.xa, &w.xr);
	assert_false(act_is_there(&w.xr, gone.hash));
	assert_state(&w.xr, &kept.id, RECEIVED);
	next = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &next.id, DELIVERED);
	assert_int_equal(disputes(), 0);
}

static void the_year_ends(void)
{
	assert_true(time_parse(bytes_of("2027-01-01T00:00:10.000Z"), &the_time));
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
}

/* Its closing was true when it was said; what we restored cannot tell. */
static void a_closing_about_letters_that_we_lost_accuses_nobody(void **state)
{
	struct said first = say_request(&w.xr, "XA"), second = say_request(&w.xr, "XA");

	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	the_year_ends();
	back_up(&w.xa);
	say_acknowledged(&w.xa, "XR", &first.id);
	settle(&w.xa, &w.xr);
	w.xr.node->closings_next_ms = 0;
	IN(&w.xr, closings_clock(w.xr.node, the_time, e)); /* received: 2 */
	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xa, "XR", &second.id);
	settle(&w.xa, &w.xr);
	restore(&w.xa);
	recovered(&w.xa);
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 3);
	settle(&w.xa, &w.xr);
	assert_int_equal(last_of(&w.xa, "XR", PAIR_RECEIVED).n, 3);
	assert_int_equal(disputes(), 0);
}

/* The same when it comes before we have heard what the peer has of us. */
static void a_closing_that_overtakes_the_recovery_accuses_nobody(void **state)
{
	struct said first = say_request(&w.xr, "XA");

	settle(&w.xa, &w.xr);
	back_up(&w.xa);
	say_acknowledged(&w.xa, "XR", &first.id);
	settle(&w.xa, &w.xr);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
	restore(&w.xa);
	recover(&w.xa, NULL);
	the_year_ends();
	w.xr.node->closings_next_ms = 0;
	IN(&w.xr, closings_clock(w.xr.node, the_time, e)); /* received: 1, of which we know nothing yet */
	settle(&w.xa, &w.xr);
	assert_int_equal(last_of(&w.xa, "XR", PAIR_RECEIVED).n, 2);
	assert_int_equal(disputes(), 0);
	while (ask_one(&w.xa))
		;
	assert_agree(&w.xa, &w.xr);
	assert_int_equal(disputes(), 0);
	/* Afterwards nobody may say of us what we did not say. */
	bool lost;
	assert_ok(pair_lost(w.xa.node, "XR", PAIR_SENT, 9, &lost, e));
	assert_false(lost);
}

/* A letter that never waits came before the one that waits, and then its sender forgot it. */
static void an_early_letter_that_its_sender_lost_stops_nothing(void **state)
{
	struct said waits = say_stored_data(&w.xa, "XR", NULL), early, next;
	struct verdict v;
	AUTO_BUF letter = { 0 };

	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	slot(&w.xa);
	back_up(&w.xa);
	early = say_request(&w.xa, "XR");
	slot(&w.xa);
	assert_ok(outbox_letter(w.xa.node, early.hash, &letter, e));
	bring(&w.xr, buf_bytes(&letter), NULL, &v);
	assert_int_equal(v.reason, REASON_NONE);
	buf_release(&v.envelope);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	restore(&w.xa);
	recovered(&w.xa);
	next = say_request(&w.xa, "XR"); /* has the number that the lost one had */
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &waits.id, DELIVERED);
	assert_state(&w.xa, &next.id, DELIVERED);
	assert_state(&w.xr, &early.id, RECEIVED);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 2);
	assert_agree(&w.xa, &w.xr);
	assert_int_equal(disputes(), 0);
}

/* Both were restored: the one that asks first knows more of us than we do. */
static void a_peer_that_asks_before_we_have_asked_it_is_no_liar(void **state)
{
	struct said next;

	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	back_up(&w.xa);
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	back_up(&w.xr);
	restore(&w.xa);
	restore(&w.xr);
	recover(&w.xa, NULL);
	recover(&w.xr, NULL);
	while (ask_one(&w.xr))
		;
	while (ask_one(&w.xa))
		;
	assert_int_equal(disputes(), 0);
	assert_agree(&w.xa, &w.xr);
	next = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &next.id, DELIVERED);
}

static void claims_fill_no_disk(void **state)
{
	struct pair_message m = { .from = "XR" };
	AUTO_BUF body = { 0 }, reply = { 0 };

	buf_init(&body, PAIR_MESSAGE_BYTES_MAX);
	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	for (uint64_t i = 1; i <= 2 * PAIR_DISPUTES_MAX; i++) {
		m.received.n = 1000 + i;
		buf_clear(&body);
		buf_clear(&reply);
		assert_ok(pair_message_write(&m, &body, e));
		IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e));
		the_time += PAIR_AGAIN_MS_MAX + 1;
	}
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), PAIR_DISPUTES_MAX);
	/* Another peer still has room. */
	memcpy(m.from, "XL", 3);
	buf_clear(&body);
	assert_ok(pair_message_write(&m, &body, e));
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xl.tls, &reply, e));
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), PAIR_DISPUTES_MAX + 1);
}

/* Every letter takes a place, a rejected one too: so their number in a day has an end. */
static void rejections_fill_no_disk(void **state)
{
	char day[TIME_TEXT_LEN + 1];
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	time_write(the_time + SLOT_MS, day);
	day[10] = '\0';
	assert_ok(node_begin(w.xr.node, e));
	for (int i = 0; i < REJECTIONS_PER_DAY_MAX; i++) {
		struct query *q = store_query(w.xr.node->store, QUERY_reject_count_add);
		query_bind_text(q, 1, "XA");
		query_bind_text(q, 2, day);
		query_bind_text(q, 3, i % 2 == 0 ? "malformed" : "clock-off");
		query_bind_int(q, 4, 0);
		assert_ok(query_run(q, e));
		query_end(q);
	}
	assert_ok(node_commit(w.xr.node, e));
	say_request(&w.xa, "XR");
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 503);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	the_time += DAY_MS;
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
	outbox_job_release(&j);
}

/* Accepted by a program that did not count letters, and its receipt was lost. */
static void a_letter_that_is_known_without_a_place_takes_it_when_it_comes_again(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct query *q = store_query(w.xr.node->store, QUERY_receipt_given_add);
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	query_bind_text(q, 1, "XA");
	query_bind_bytes(q, 2, bytes_from(p.id.at, ID_BYTES));
	query_bind_bytes(q, 3, BYTES_ARRAY(p.hash));
	query_bind_bytes(q, 4, bytes_of("a receipt"));
	assert_ok(query_run(q, e));
	query_end(q);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	assert_non_null(memmem(reply.at, reply.len, "a receipt", 9));
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
	assert_agree(&w.xa, &w.xr);
	outbox_job_release(&j);
}

/* A peer that is gone keeps no quarter with others open. */
static void who_is_gone_does_not_keep_the_quarters_of_others_open(void **state)
{
	static const char *const without[] = { "XL", NULL };
	struct pair_question ask;
	bool found = true;

	say_request(&w.xa, "XL");
	settle(&w.xa, &w.xl);
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	back_up(&w.xa);
	restore(&w.xa);
	recover(&w.xa, without);
	while (found) {
		AUTO_BUF reply = { 0 };
		bool gone;
		buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
		assert_ok(pair_question_next(w.xa.node, the_time, no_peer_is_busy, NULL, &ask, &found, e));
		gone = found && strcmp(ask.peer, "XL") == 0;
		if (found && !gone) {
			struct home *to = strcmp(ask.peer, "XR") == 0 ? &w.xr : &w.xs;
			IN(to, pair_asked(to->node, buf_bytes(&ask.body), w.xa.tls, &reply, e));
			IN(&w.xa, pair_question_answered(w.xa.node, ask.peer, true, 200, buf_bytes(&reply), "", the_time, e));
		} else if (gone) {
			IN(&w.xa, pair_question_answered(w.xa.node, ask.peer, false, 0, bytes_of(""), "no connection", the_time, e));
		}
		buf_release(&ask.body);
	}
	the_year_ends();
	w.xa.node->closings_next_ms = 0;
	IN(&w.xa, closings_clock(w.xa.node, the_time, e));
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 2);
	assert_int_equal(last_of(&w.xa, "XL", PAIR_SENT).n, 1);
}

/* The statement is signed, its place is not: who carries a letter cannot make one party accuse the other. */
static void a_carrier_makes_no_dispute(void **state)
{
	struct forged f;
	struct verdict v;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed); /* says that it is number 1 */
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	bring(&w.xr, buf_bytes(&sealed), NULL, &v);
	assert_int_equal(v.reason, REASON_PAIR_GAP);
	assert_int_equal(rows(&w.xr, QUERY_pair_dispute_list), 0);
	buf_release(&v.envelope);
	json_decref(f.act);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(what_was_erased_does_not_stop_the_letters_after_it),
		CLAIM(a_closing_about_letters_that_we_lost_accuses_nobody),
		CLAIM(a_closing_that_overtakes_the_recovery_accuses_nobody),
		CLAIM(an_early_letter_that_its_sender_lost_stops_nothing),
		CLAIM(a_peer_that_asks_before_we_have_asked_it_is_no_liar),
		CLAIM(claims_fill_no_disk),
		CLAIM(rejections_fill_no_disk),
		CLAIM(a_letter_that_is_known_without_a_place_takes_it_when_it_comes_again),
		CLAIM(who_is_gone_does_not_keep_the_quarters_of_others_open),
		CLAIM(a_carrier_makes_no_dispute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
