/* A follow-up and the hold that it asks for, when letters, answers and receipts cross or are late (42(8)): neither
 * side may believe for ever in a hold that the other has ended, or miss one that it keeps. */
#include "exchange/test-carry.h"

#include "exchange/duty.h"

static struct world w;

static int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static struct said preserved(void)
{
	struct said p = say_request(&w.xa, "XR");

	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	say_accepted(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	say_ordered(&w.xr, "XA", &p.id, false);
	settle(&w.xa, &w.xr);
	return p;
}

static void clocks(struct home *h)
{
	IN(h, duty_clocks(h->node, the_time, e));
}

static enum life_state state_at(struct home *h, const struct said *p)
{
	return request_at(h, &p->id).state;
}

static json_t *answer_of(const struct id *id, const char *outcome, const char *ground)
{
	json_t *body = body_about("answer", id);

	json_put(body, "conditions", json_array());
	json_put_text(body, "hold_until", "");
	json_put_text(body, "outcome", outcome);
	json_put_text(body, "ground", ground);
	json_put_text(body, "reasons", "said in a sentence");
	json_put_bool(body, "consulted", true);
	json_put_text(body, "consultation", "by telephone, on the same day");
	return body;
}

static void slots(struct home *h)
{
	for (int i = 0; i < 3; i++)
		slot(h);
}

/* The letter arrives and its receipt is lost. */
static void arrives_unanswered(void)
{
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 1);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	outbox_job_release(&j);
}

static void refuses(const struct said *d)
{
	say_acknowledged(&w.xr, "XA", &d->id);
	say(&w.xr, "answer", "XA", &d->id, answer_of(&d->id, "refused", "R-DISCRIM"), ILSE, ILSE);
	slots(&w.xr);
	while (carry_one(&w.xr, &w.xa))
		;
}

static void one_withdrawn_before_its_receipt_holds_nothing(void **state)
{
	struct said p = preserved(), d = say_stored_data(&w.xa, "XR", &p.id);

	say(&w.xa, "answer", "XR", &d.id, answer_of(&d.id, "withdrawn", ""), ILSE, ILSE);
	settle(&w.xa, &w.xr);
	assert_int_equal(state_at(&w.xa, &d), LIFE_WITHDRAWN);
	assert_int_equal(state_at(&w.xr, &d), LIFE_WITHDRAWN);
	assert_int_equal(state_at(&w.xr, &p), LIFE_RELEASED);
	assert_int_equal(state_at(&w.xa, &p), LIFE_PRESERVED);
	the_time += 400 * DAY_MS;
	clocks(&w.xa);
	assert_int_equal(state_at(&w.xa, &p), LIFE_LAPSED);
}

static void one_refused_before_its_receipt_holds_nothing(void **state)
{
	struct said p = preserved(), d = say_stored_data(&w.xa, "XR", &p.id);

	slots(&w.xa);
	arrives_unanswered();
	refuses(&d);
	assert_int_equal(state_at(&w.xa, &d), LIFE_REFUSED);
	settle(&w.xa, &w.xr);
	assert_int_equal(state_at(&w.xr, &p), LIFE_RELEASED);
	assert_int_equal(state_at(&w.xa, &p), LIFE_PRESERVED);
}

static void a_receipt_that_comes_after_the_hold_ended_still_tells_that_it_is_kept(void **state)
{
	struct said p = preserved(), d;
	json_t *body;
	char id[ID_TEXT_LEN + 1];

	the_time = request_at(&w.xa, &p.id).hold_until - 10 * 60000;
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	body = sample_body("stored-data-request");
	id_write(&p.id, id);
	json_put_text(body, "preservation", id);
	json_put_time(body, "confidential_until", the_time + 90 * DAY_MS);
	d = say(&w.xa, "stored-data-request", "XR", NULL, body, RANA, ILSE);
	slots(&w.xa);
	the_time = request_at(&w.xa, &p.id).hold_until - 900;
	arrives_unanswered();
	the_time += 2000;
	clocks(&w.xa);
	clocks(&w.xr);
	assert_int_equal(state_at(&w.xa, &p), LIFE_LAPSED);
	assert_int_equal(state_at(&w.xr, &p), LIFE_HELD);
	settle(&w.xa, &w.xr);
	assert_int_equal(state_at(&w.xa, &d), LIFE_DELIVERED);
	assert_int_equal(state_at(&w.xa, &p), LIFE_HELD);
}

static void the_hold_lasts_until_the_last_follow_up_is_decided(void **state)
{
	struct said p = preserved(), first = say_stored_data(&w.xa, "XR", &p.id), second;

	settle(&w.xa, &w.xr);
	second = say_stored_data(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	refuses(&first);
	assert_int_equal(state_at(&w.xa, &p), LIFE_HELD);
	assert_int_equal(state_at(&w.xr, &p), LIFE_HELD);
	refuses(&second);
	assert_int_equal(state_at(&w.xa, &p), LIFE_RELEASED);
	assert_int_equal(state_at(&w.xr, &p), LIFE_RELEASED);
}

/* The other node's clock is behind, so that it rejects the letter. */
static void a_rejected_follow_up_ends_the_hold_that_was_left_for_it(void **state)
{
	struct said p = preserved(), first = say_stored_data(&w.xa, "XR", &p.id), second;
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };
	int64_t now;
	unsigned status;

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	settle(&w.xa, &w.xr);
	second = say_stored_data(&w.xa, "XR", &p.id);
	slots(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	refuses(&first);
	assert_int_equal(state_at(&w.xa, &p), LIFE_HELD);
	now = the_time;
	the_time = now - 400000;
	status = receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why);
	the_time = now;
	answered(&w.xa, &j, status, buf_bytes(&reply));
	outbox_job_release(&j);
	assert_int_equal(state_at(&w.xa, &second), LIFE_REJECTED);
	assert_int_equal(state_at(&w.xa, &p), LIFE_RELEASED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(one_withdrawn_before_its_receipt_holds_nothing),
		CLAIM(one_refused_before_its_receipt_holds_nothing),
		CLAIM(a_receipt_that_comes_after_the_hold_ended_still_tells_that_it_is_kept),
		CLAIM(the_hold_lasts_until_the_last_follow_up_is_decided),
		CLAIM(a_rejected_follow_up_ends_the_hold_that_was_left_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
