/* Who promised a proof and does not send it is told first, and accused in public only by an officer, only after the
 * grace period, and only with what it signed itself. */
#include "exchange/test-forge.h"

#include "exchange/closings.h"
#include "exchange/overdue.h"

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

/* Delivered, and the proof does not come. */
static struct said unproved_request(void)
{
	struct said p = say_request(&w.xa, "XR");

	slot(&w.xa);
	slot(&w.xa);
	while (carry_one(&w.xa, &w.xr))
		;
	assert_string_equal(receipt_at(&w.xa, p.hash).outcome, "received");
	assert_int_equal(receipt_at(&w.xa, p.hash).proof, 0);
	return p;
}

/* Among what this home publishes. */
static int64_t complaints_of(struct home *h)
{
	struct query *q = store_query(h->node->store, QUERY_published_list);
	int64_t count = 0;
	bool found = true;

	while (found) {
		assert_ok(query_row(q, &found, e));
		count += found && bytes_is(query_bytes(q, 1), "complaint");
	}
	query_end(q);
	return count;
}

static void clock_of(struct home *h)
{
	IN(h, overdue_clock(h->node, the_time, e));
}

static void fresh(void)
{
	/* Days later the register is still fetched. */
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
}

static void days_pass(int days)
{
	the_time += days * DAY_MS;
	fresh();
}

static void no_receipt_accuses_nobody(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct id draft;

	slot(&w.xa);
	slot(&w.xa);
	days_pass(20);
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_overdue_list), 0);
	IN_REFUSED(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e), REASON_NOT_FOUND);
	/* Nor does a rejection, which promises nothing. */
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 1);
}

static void nothing_is_overdue_before_the_day_that_the_receipt_promised(void **state)
{
	unproved_request();
	the_time += DAY_MS - 60000;
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_overdue_list), 0);
	the_time += 120000;
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_overdue_list), 1);
	/* Once for each receipt. */
	int64_t statements = rows(&w.xa, QUERY_statement_all);
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_statement_all), statements);
}

static void the_peer_is_told_and_its_proof_goes_again_at_once(void **state)
{
	struct said p = unproved_request();
	struct outbox_job j;

	/* Ruritania believes that its proof was taken. */
	slot(&w.xr);
	next_job(&w.xr, OUTBOX_PROOFS, &j);
	assert_int_equal(j.count, 1);
	answered(&w.xr, &j, 200, bytes_of("{}"));
	outbox_job_release(&j);
	assert_int_equal(number(&w.xr, QUERY_proof_out_count), 0);
	days_pass(2);
	clock_of(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	/* The notice has neither leaf nor number, and its receipt promises nothing. */
	assert_int_equal(number(&w.xr, QUERY_leaf_queue_count), 0);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	assert_int_equal(rows(&w.xr, QUERY_overdue_heard_list), 1);
	assert_int_equal(number(&w.xr, QUERY_proof_out_count), 1);
	clock_of(&w.xa);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	assert_true(carry_proofs(&w.xr, &w.xa));
	assert_int_not_equal(receipt_at(&w.xa, p.hash).proof, 0);
	assert_int_equal(rows(&w.xa, QUERY_overdue_list), 0);
	assert_int_equal(number(&w.xa, QUERY_receipt_proofs_waiting), 0);
}

static void a_notice_about_what_never_came_is_rejected(void **state)
{
	struct said p = unproved_request();
	struct forged f = { .key = w.xl.sign };
	struct verdict v;
	AUTO_BUF sealed = { 0 };
	json_t *body = sample_body("overdue-notice");
	char hex[2 * SHA256_BYTES + 1];

	/* Of Arcadia's letter, but said by Laurania. */
	hex_write(BYTES_ARRAY(p.hash), hex);
	json_put_text(body, "statement", hex);
	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	f.frame = frame_of(&w.xl, "XR", "overdue-notice", body);
	forge_sign(&w.xl, &w.xl, &f, NULL, 0);
	json_put_text(f.act, "leaf", "");
	json_put_text(f.act, "opening", "");
	json_put_text(f.act, "proof", "");
	json_put_text(f.act, "x", "");
	seal_letter("XL", "XR", &f.act, 1, &w.xr, &sealed);
	bring(&w.xr, buf_bytes(&sealed), w.xl.tls, &v);
	assert_int_equal(v.reason, REASON_NOT_FOUND);
	assert_int_equal(rows(&w.xr, QUERY_overdue_heard_list), 0);
	buf_release(&v.envelope);
	json_decref(f.act);
}

/* A receipt that cannot be read (an older program's) neither stops the clock, which pages as well, nor hides the others. */
static void a_receipt_that_cannot_be_read_stops_no_clock(void **state)
{
	struct said p = unproved_request();
	struct query *q = store_query(w.xa.node->store, QUERY_receipt_add);
	const uint8_t hash[SHA256_BYTES] = { 5 };

	query_bind_bytes(q, 1, BYTES_ARRAY(hash));
	query_bind_bytes(q, 2, bytes_of("{\"payload\":\"\"}"));
	query_bind_text(q, 3, "received");
	query_bind_text(q, 4, "none");
	query_bind_int(q, 5, the_time);
	query_bind_int(q, 6, the_time + 1000);
	assert_ok(query_run(q, e));
	query_end(q);
	days_pass(2);
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_overdue_list), 1);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_int_equal(rows(&w.xr, QUERY_overdue_heard_list), 1);
	int64_t statements = rows(&w.xa, QUERY_statement_all);
	clock_of(&w.xa);
	assert_int_equal(rows(&w.xa, QUERY_statement_all), statements);
	(void)p;
}

/* Notices have no leaf, and no slot that bounds them: one a day about a letter is enough. */
static void notices_fill_no_disk(void **state)
{
	struct said p = unproved_request();
	AUTO_BUF sealed = { 0 };
	int64_t before;

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	before = rows(&w.xr, QUERY_statement_all);
	for (int i = 0; i < 4; i++) {
		struct forged f = { .key = w.xa.sign };
		struct verdict v;
		json_t *body = sample_body("overdue-notice");
		char hex[2 * SHA256_BYTES + 1];

		hex_write(BYTES_ARRAY(p.hash), hex);
		json_put_text(body, "statement", hex);
		f.frame = frame_of(&w.xa, "XR", "overdue-notice", body);
		forge_sign(&w.xa, &w.xa, &f, NULL, 0);
		json_put_text(f.act, "leaf", "");
		json_put_text(f.act, "opening", "");
		json_put_text(f.act, "proof", "");
		json_put_text(f.act, "x", "");
		seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
		bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
		assert_int_equal(v.reason, i == 0 || i == 3 ? REASON_NONE : REASON_BUSY);
		buf_release(&v.envelope);
		json_decref(f.act);
		if (i == 2)
			days_pass(1);
	}
	/* Two notices; and our word on each rejection, which waits for its place in the log (PEER_SLOTS_AHEAD_MAX). */
	assert_int_equal(rows(&w.xr, QUERY_statement_all), before + 2 + 2);
	assert_int_equal(rows(&w.xr, QUERY_overdue_heard_list), 1);
}

/* The time that the refusal names, as people write times. */
static const char *refusal_until(const struct said *p)
{
	static char until[64];
	struct err why = { 0 };
	struct id draft;

	assert_ok(node_begin(w.xa.node, e));
	assert_false(overdue_complaint(w.xa.node, p->hash, "Ada Quill", &draft, &why));
	node_rollback(w.xa.node);
	const char *from = strstr(why.text, "has until "), *to = strstr(why.text, " to send the proof");
	assert_true(from != NULL && to != NULL);
	from += strlen("has until ");
	snprintf(until, sizeof(until), "%.*s", (int)(to - from), from);
	return until;
}

static void an_officer_publishes_after_the_grace_period_only(void **state)
{
	struct said p = unproved_request();
	uint8_t hash[SHA256_BYTES];
	AUTO_ACT *act = NULL;
	struct id draft;

	days_pass(2);
	IN_REFUSED(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e), REASON_PROOF_PENDING);
	clock_of(&w.xa);
	IN_REFUSED(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e), REASON_PROOF_PENDING);
	assert_string_equal(refusal_until(&p), "2026-12-02 02:13 UTC");
	days_pass(7);
	IN(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e));
	IN_REFUSED(&w.xa, send_draft(&w.xa, &draft, hash, e), REASON_MISSING_APPROVAL);
	approve(&w.xa, &draft, ILSE);
	IN(&w.xa, send_draft(&w.xa, &draft, hash, e));
	assert_int_equal(complaints_of(&w.xa), 1);
	/* Parties, tag, leaf, day, and what Ruritania signed: nothing of the case. */
	assert_ok(node_act_load(w.xa.node, hash, &act, e));
	assert_string_equal(json_text(act->statement->body, "party"), "XR");
	assert_string_equal(act->statement->case_ref, "");
	assert_null(strstr(json_text(act->statement->body, "receipt"), "XA-2026-17"));
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *receipt = NULL;
	assert_ok(envelope_parse(json_bytes(act->statement->body, "receipt"), &v, e));
	assert_true(envelope_signed_by(&v, sign_key_public(w.xr.sign)));
	assert_ok(statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &receipt, e));
	assert_string_equal(receipt->case_ref, "");
	assert_string_equal(json_text(receipt->body, "tag"), json_text(act->statement->body, "tag"));
}

/* Drafted and approved in time, overtaken by the proof: it is not published. */
static void a_proof_that_came_meanwhile_stops_the_complaint(void **state)
{
	struct said p = unproved_request();
	uint8_t hash[SHA256_BYTES];
	struct id draft;

	days_pass(2);
	clock_of(&w.xa);
	days_pass(8);
	IN(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e));
	approve(&w.xa, &draft, ILSE);
	slot(&w.xr);
	assert_true(carry_proofs(&w.xr, &w.xa));
	IN_REFUSED(&w.xa, send_draft(&w.xa, &draft, hash, e), REASON_WRONG_STATE);
	IN_REFUSED(&w.xa, overdue_complaint(w.xa.node, p.hash, "Ada Quill", &draft, e), REASON_WRONG_STATE);
	assert_int_equal(complaints_of(&w.xa), 0);
}

/* --- closings ---------------------------------------------------------------------------------------------------- */

static void quarter_ends(void)
{
	int64_t end;

	assert_true(time_parse(bytes_of("2027-01-01T00:00:10.000Z"), &end));
	the_time = end;
	/* A register is stale after 30 days: it is published again and again meanwhile. */
	fresh();
}

static void both_close_the_quarter_and_find_it_equal(void **state)
{
	struct said p = say_request(&w.xa, "XR");

	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xr, "XA", &p.id);
	settle(&w.xr, &w.xa);
	IN(&w.xa, closings_clock(w.xa.node, the_time, e));
	int64_t before = rows(&w.xa, QUERY_statement_all);
	quarter_ends();
	w.xa.node->closings_next_ms = w.xr.node->closings_next_ms = 0;
	IN(&w.xa, closings_clock(w.xa.node, the_time, e));
	IN(&w.xr, closings_clock(w.xr.node, the_time, e));
	assert_int_equal(rows(&w.xa, QUERY_statement_all), before + 1);
	settle(&w.xa, &w.xr);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 0);
	assert_int_equal(rows(&w.xr, QUERY_pair_dispute_list), 0);
	/* Both hold the other's. */
	assert_int_equal(rows(&w.xa, QUERY_statement_all), before + 2);
	/* Said once; a closing alone is no traffic for the next. */
	w.xa.node->closings_next_ms = 0;
	the_time += 100 * DAY_MS;
	fresh();
	IN(&w.xa, closings_clock(w.xa.node, the_time, e));
	assert_int_equal(rows(&w.xa, QUERY_statement_all), before + 2);
}

static void a_closing_that_does_not_fit_is_kept_and_an_officer_may_publish_it(void **state)
{
	json_t *body = sample_body("closing");
	struct forged f = { .key = w.xr.sign };
	uint8_t hash[SHA256_BYTES];
	struct verdict v;
	struct id draft;
	AUTO_BUF sealed = { 0 };

	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	json_put_text(body, "peer", "XA");
	json_put_int(json_object_get(body, "received"), "n", 1); /* with another head than ours */
	json_put_int(json_object_get(body, "sent"), "n", 0);
	json_put_text(json_object_get(body, "sent"), "head", "0000000000000000000000000000000000000000000000000000000000000000");
	f.frame = frame_of(&w.xr, "XA", "closing", body);
	forge_sign(&w.xr, &w.xr, &f, NULL, 0);
	seal_letter("XR", "XA", &f.act, 1, &w.xa, &sealed);
	bring(&w.xa, buf_bytes(&sealed), w.xr.tls, &v);
	assert_int_equal(v.reason, REASON_NONE);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 1);
	assert_non_null(strstr(w.xa.node->disputed, "peer=XR what=closing number=1"));
	IN(&w.xa, overdue_complaint(w.xa.node, f.hash, "Ada Quill", &draft, e));
	approve(&w.xa, &draft, ILSE);
	IN(&w.xa, send_draft(&w.xa, &draft, hash, e));
	assert_int_equal(complaints_of(&w.xa), 1);
	buf_release(&v.envelope);
	json_decref(f.act);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(no_receipt_accuses_nobody),
		CLAIM(nothing_is_overdue_before_the_day_that_the_receipt_promised),
		CLAIM(the_peer_is_told_and_its_proof_goes_again_at_once),
		CLAIM(a_notice_about_what_never_came_is_rejected),
		CLAIM(a_receipt_that_cannot_be_read_stops_no_clock),
		CLAIM(notices_fill_no_disk),
		CLAIM(an_officer_publishes_after_the_grace_period_only),
		CLAIM(a_proof_that_came_meanwhile_stops_the_complaint),
		CLAIM(both_close_the_quarter_and_find_it_equal),
		CLAIM(a_closing_that_does_not_fit_is_kept_and_an_officer_may_publish_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
