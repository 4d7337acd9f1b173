/* Asking which letters are missing is cheap, sending them again is not: it is done once in a while for each peer, and who lost
 * an answer gets it soon. And what a peer says of letters that nobody else knows of is believed up to a number. */
#include "exchange/test-restoring.h"

static void ask_of(const char *from, uint64_t received, struct buf *body)
{
	struct pair_message m = { .received = { .n = received } };

	snprintf(m.from, sizeof(m.from), "%s", from);
	memset(m.received.head, received > 0 ? 9 : 0, sizeof(m.received.head));
	buf_init(body, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(pair_message_write(&m, body, e));
}

static void two_letters(struct home *from, struct home *to)
{
	say_request(from, to->code);
	say_request(from, to->code);
	settle(from, to);
	assert_int_equal(number(from, QUERY_outbox_count), 0);
}

static void carry_all(struct home *from, struct home *to)
{
	while (carry_one(from, to))
		;
	assert_int_equal(number(from, QUERY_outbox_count), 0);
}

static void who_asks_again_at_once_is_told_to_wait(void **state)
{
	AUTO_BUF body = { 0 }, theirs = { 0 }, reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	two_letters(&w.xa, &w.xr);
	ask_of("XR", 0, &body);
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e));
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 2);
	carry_all(&w.xa, &w.xr);
	for (int i = 0; i < 5; i++) {
		buf_clear(&reply);
		IN_REFUSED(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e), REASON_BUSY);
		assert_int_equal(reply.len, 0);
		assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
		the_time += PAIR_AGAIN_MS_MAX / 5;
	}
	/* Another peer has its own time. */
	ask_of("XL", 0, &theirs);
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&theirs), w.xl.tls, &reply, e));
	the_time += 1;
	buf_clear(&reply);
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e));
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 2);
}

/* One that was refused for another reason has cost nothing. */
static void what_was_not_served_does_not_count(void **state)
{
	AUTO_BUF body = { 0 }, reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	two_letters(&w.xa, &w.xr);
	back_up(&w.xa);
	restore(&w.xa);
	ask_of("XR", 0, &body);
	IN_REFUSED(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e), REASON_LOCKED);
	recover(&w.xa, NULL);
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e));
}

/* The question of a home that was restored, as the courier carries it to Ruritania. False: none is due now. */
static bool ask_ruritania(bool answer_lost, unsigned *ret_status)
{
	struct pair_question ask;
	bool found;
	struct err why = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(pair_question_next(w.xa.node, the_time, no_peer_is_busy, NULL, &ask, &found, e));
	bool its = found && strcmp(ask.peer, "XR") == 0;
	if (its) {
		assert_ok(node_begin(w.xr.node, e));
		bool ok = pair_asked(w.xr.node, buf_bytes(&ask.body), w.xa.tls, &reply, &why);
		assert_ok(node_commit(w.xr.node, e));
		*ret_status = ok ? 200 : (unsigned)err_http_status(why.kind);
		IN(&w.xa, pair_question_answered(w.xa.node, "XR", !answer_lost, *ret_status, buf_bytes(&reply), "no connection", the_time, e));
	} else if (found) {
		IN(&w.xa, pair_question_answered(w.xa.node, ask.peer, false, 0, bytes_of(""), "no connection", the_time, e));
	}
	buf_release(&ask.body);
	return its;
}

static bool waits_for_ruritania(void)
{
	bool waits = false;

	assert_ok(pair_recovery_waits(w.xa.node, "XR", &waits, e));
	return waits;
}

static void whose_answer_was_lost_is_served_within_a_minute(void **state)
{
	int64_t began;
	unsigned status = 0;
	int busy = 0;

	two_letters(&w.xa, &w.xr);
	back_up(&w.xa);
	two_letters(&w.xr, &w.xa);
	restore(&w.xa);
	recover(&w.xa, NULL);
	began = the_time;
	while (!ask_ruritania(true, &status))
		;
	assert_int_equal(status, 200);
	while (waits_for_ruritania()) {
		the_time += 1000;
		assert_true(the_time - began <= 60000);
		if (ask_ruritania(false, &status))
			busy += status == 503;
	}
	assert_true(busy > 0);
	carry_all(&w.xr, &w.xa);
	assert_agree(&w.xr, &w.xa);
	assert_agree(&w.xa, &w.xr);
}

/* Receipts that say so set letters to go again no more often; what they were for stays due. */
static void receipts_with_a_gap_send_again_once_in_a_while(void **state)
{
	static const uint8_t none[SHA256_BYTES];
	AUTO_JSON *body = json_object();
	struct said first;

	first = say_request(&w.xa, "XR");
	two_letters(&w.xa, &w.xr);
	json_put_int(body, "pair_n", 0);
	json_put_hex(body, "pair_head", BYTES_ARRAY(none));
	IN(&w.xa, pair_fill_gap(w.xa.node, "XR", first.hash, body, bytes_of("x"), e));
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 3);
	carry_all(&w.xa, &w.xr);
	for (int i = 0; i < 5; i++) {
		IN(&w.xa, pair_fill_gap(w.xa.node, "XR", first.hash, body, bytes_of("x"), e));
		assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	}
	the_time += PAIR_AGAIN_MS_MAX + 1;
	IN(&w.xa, pair_fill_gap(w.xa.node, "XR", first.hash, body, bytes_of("x"), e));
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 3);
}

static void assert_told(const char *words)
{
	AUTO_JSON *status = json_object();
	const json_t *x;
	bool told = false;
	size_t i;

	assert_ok(pair_recovery_status(w.xa.node, status, e));
	json_array_foreach(json_object_get(status, "recovering"), i, x)
		told = told || (strcmp(json_text(x, "peer"), "XR") == 0 && strstr(json_text(x, "error"), words) != NULL);
	assert_true(told);
}

/* What it says is the last number there is: with that our letters to it would be at their end for ever. */
static void a_count_that_cannot_be_is_not_believed(void **state)
{
	static const uint64_t too_many[] = { LETTER_NUMBER_MAX, PAIR_SKIP_MAX + 3 };
	unsigned status;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	two_letters(&w.xa, &w.xr);
	back_up(&w.xa);
	two_letters(&w.xa, &w.xr);
	restore(&w.xa);
	recover(&w.xa, NULL);
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF body = { 0 };
		ask_of("XR", too_many[i], &body);
		IN_REFUSED(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e), REASON_BAD_FIELD);
		IN(&w.xa, pair_question_answered(w.xa.node, "XR", true, 200, buf_bytes(&body), "", the_time, e));
		assert_true(waits_for_ruritania());
		assert_told("that cannot be");
		assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 2);
	}
	/* It comes to its senses. */
	while (waits_for_ruritania()) {
		the_time += 1000;
		(void)ask_ruritania(false, &status);
	}
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 4);
	assert_agree(&w.xa, &w.xr);
}

static void as_many_as_may_be_are_skipped(void **state)
{
	AUTO_BUF body = { 0 };

	two_letters(&w.xa, &w.xr);
	back_up(&w.xa);
	restore(&w.xa);
	recover(&w.xa, NULL);
	ask_of("XR", PAIR_SKIP_MAX + 2, &body);
	IN(&w.xa, pair_question_answered(w.xa.node, "XR", true, 200, buf_bytes(&body), "", the_time, e));
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, PAIR_SKIP_MAX + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(who_asks_again_at_once_is_told_to_wait),
		CLAIM(what_was_not_served_does_not_count),
		CLAIM(whose_answer_was_lost_is_served_within_a_minute),
		CLAIM(receipts_with_a_gap_send_again_once_in_a_while),
		CLAIM(a_count_that_cannot_be_is_not_believed),
		CLAIM(as_many_as_may_be_are_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
