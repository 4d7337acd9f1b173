/* The duty desk's clocks: who is paged, when, and when it stops; holds that end, and those that may not. */
#include "exchange/test-carry.h"

#include "exchange/duty.h"

#define ESCALATE_MS (300 * INT64_C(1000))

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

/* Who is paged now; "" when nobody is due. */
static int exit_status;

static const char *paged(void)
{
	static char officer[128];
	struct duty_page p;
	bool found;

	IN(&w.xr, duty_next(w.xr.node, the_time, &p, &found, e));
	snprintf(officer, sizeof(officer), "%s", found ? p.officer : "");
	if (found) {
		assert_non_null(strstr(buf_text(&p.words), "preservation-request from XA"));
		IN(&w.xr, duty_paged(w.xr.node, p.seq, exit_status, the_time, e));
	}
	buf_release(&p.words);
	return officer;
}

static struct said arrived(void)
{
	struct said p = say_request(&w.xa, "XR");

	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	return p;
}

static void one_officer_after_the_other_until_somebody_acknowledges(void **state)
{
	struct said p;

	assert_string_equal(paged(), "");
	p = arrived();
	assert_true(w.xr.node->duty_changed);
	assert_string_equal(paged(), "omar");
	assert_string_equal(paged(), "");
	the_time += ESCALATE_MS - 1;
	assert_string_equal(paged(), "");
	the_time += 1;
	assert_string_equal(paged(), "nora");
	the_time += ESCALATE_MS;
	assert_string_equal(paged(), "omar"); /* and round again */
	say_acknowledged(&w.xr, "XA", &p.id);
	the_time += ESCALATE_MS;
	assert_string_equal(paged(), "");
}

static void each_page_is_a_statement(void **state)
{
	int64_t before;

	arrived();
	before = rows(&w.xr, QUERY_statement_all);
	assert_string_equal(paged(), "omar");
	assert_int_equal(rows(&w.xr, QUERY_statement_all), before + 1);
	assert_int_equal(number(&w.xr, QUERY_outbox_count), 0); /* it stays at home */
}

static void twenty_pages_are_enough(void **state)
{
	int count = 0;

	arrived();
	for (int i = 0; i < 40; i++, the_time += ESCALATE_MS)
		count += paged()[0] != '\0';
	assert_int_equal(count, 20);
	assert_int_equal(number(&w.xr, QUERY_page_waiting), 1); /* still shown */
}

static void a_page_that_fails_goes_to_the_next_officer_and_not_at_once_again(void **state)
{
	int count = 0;

	arrived();
	exit_status = 1;
	assert_string_equal(paged(), "omar");
	assert_string_equal(paged(), "");
	the_time += ESCALATE_MS;
	assert_string_equal(paged(), "nora");
	exit_status = 0;
	for (int i = 0; i < 40; i++) {
		the_time += ESCALATE_MS;
		count += paged()[0] != '\0';
	}
	assert_int_equal(count, 20);
}

static void requests_that_nobody_answered_hide_no_new_one(void **state)
{
	for (int i = 0; i < 21; i++)
		arrived();
	for (int i = 0; i < 21 * 20; i++) {
		assert_string_not_equal(paged(), "");
		the_time += ESCALATE_MS;
	}
	assert_string_equal(paged(), "");
	arrived();
	assert_string_equal(paged(), "omar");
}

static void without_a_command_nobody_is_paged(void **state)
{
	arrived();
	assert_ok(config_set(&w.xr.node->config, CONFIG_page_command, "", e));
	assert_string_equal(paged(), "");
	assert_ok(config_set(&w.xr.node->config, CONFIG_page_command, "/bin/true", e));
	assert_ok(config_set(&w.xr.node->config, CONFIG_page_officers, "  ", e));
	assert_string_equal(paged(), "");
}

/* --- holds ---------------------------------------------------------------------------------------------------------- */

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

static void a_hold_ends_on_both_sides_at_its_time_and_not_before(void **state)
{
	struct said p = preserved();
	int64_t until = request_at(&w.xr, &p.id).hold_until;

	assert_true(until >= the_time + 59 * DAY_MS);
	the_time = until - 1;
	clocks(&w.xa);
	clocks(&w.xr);
	assert_state(&w.xa, &p.id, PRESERVED);
	assert_state(&w.xr, &p.id, PRESERVED);
	the_time = until;
	clocks(&w.xa);
	clocks(&w.xr);
	assert_state(&w.xa, &p.id, LAPSED);
	assert_state(&w.xr, &p.id, LAPSED);
}

static void no_hold_ends_while_its_follow_up_is_pending(void **state)
{
	struct said p = preserved(), d = say_stored_data(&w.xa, "XR", &p.id);

	settle(&w.xa, &w.xr);
	assert_state(&w.xr, &p.id, HELD);
	the_time += 400 * DAY_MS;
	clocks(&w.xa);
	clocks(&w.xr);
	assert_state(&w.xa, &p.id, HELD);
	assert_state(&w.xr, &p.id, HELD);
	assert_state(&w.xr, &d.id, RECEIVED);
}

static void a_refused_follow_up_ends_the_hold(void **state)
{
	struct said p = preserved(), d = say_stored_data(&w.xa, "XR", &p.id);
	json_t *body;

	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xr, "XA", &d.id);
	body = body_about("answer", &d.id);
	json_put(body, "conditions", json_array());
	json_put_text(body, "hold_until", "");
	json_put_text(body, "outcome", "refused");
	json_put_text(body, "ground", "R-DISCRIM");
	json_put_text(body, "reasons", "it would punish an opinion");
	json_put_bool(body, "consulted", true);
	json_put_text(body, "consultation", "by telephone, on the same day");
	say(&w.xr, "answer", "XA", &d.id, body, ILSE, ILSE);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, REFUSED);
	assert_state(&w.xa, &p.id, RELEASED);
	assert_state(&w.xr, &p.id, RELEASED);
}

static void a_renewed_order_lengthens_the_order_and_not_the_hold(void **state)
{
	struct said p = preserved();
	struct request_row before = request_at(&w.xr, &p.id), after;

	the_time += 30 * DAY_MS;
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	say_ordered(&w.xr, "XA", &p.id, false);
	settle(&w.xa, &w.xr);
	after = request_at(&w.xa, &p.id);
	assert_int_equal(after.hold_until, before.hold_until);
	assert_true(after.order_expires > before.order_expires);
	assert_int_equal(after.order_expires, request_at(&w.xr, &p.id).order_expires);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(one_officer_after_the_other_until_somebody_acknowledges),
		CLAIM(each_page_is_a_statement),
		CLAIM(twenty_pages_are_enough),
		CLAIM(a_page_that_fails_goes_to_the_next_officer_and_not_at_once_again),
		CLAIM(requests_that_nobody_answered_hide_no_new_one),
		CLAIM(without_a_command_nobody_is_paged),
		CLAIM(a_hold_ends_on_both_sides_at_its_time_and_not_before),
		CLAIM(no_hold_ends_while_its_follow_up_is_pending),
		CLAIM(a_refused_follow_up_ends_the_hold),
		CLAIM(a_renewed_order_lengthens_the_order_and_not_the_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
