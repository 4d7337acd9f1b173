/* Many statements at once, prepared by another system of the authority: each is judged like a draft that an
 * officer sends, and none stands in for another. */
#include "exchange/test-carry.h"

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

/* A request as the other system holds it: the bytes and what people approved; no draft is left here. */
struct ready {
	struct buf payload, approvals[2];
	struct bytes list[2];
	uint8_t hash[SHA256_BYTES];
};

static void ready_make(struct ready *r, const char *to)
{
	json_t *body = sample_body("preservation-request");
	struct draft_row row;
	struct id id;

	draft(&w.xa, "preservation-request", to, NULL, body, &id);
	json_decref(body);
	assert_ok(draft_get(w.xa.node, &id, &row, e));
	buf_init(&r->payload, STATEMENT_BYTES_MAX);
	buf_add(&r->payload, buf_bytes(&row.payload));
	memcpy(r->hash, row.hash, sizeof(r->hash));
	for (size_t i = 0; i < 2; i++) {
		enum person who = i == 0 ? RANA : ILSE;
		buf_init(&r->approvals[i], ENVELOPE_BYTES_MAX);
		approval_of(&w.xa, who, people[who].role, "", row.hash, &r->approvals[i]);
		r->list[i] = buf_bytes(&r->approvals[i]);
	}
	draft_release(&row);
	IN(&w.xa, draft_drop(w.xa.node, &id, e));
}

static void ready_release(struct ready *r)
{
	buf_release(&r->payload);
	buf_release(&r->approvals[0]);
	buf_release(&r->approvals[1]);
}

static struct act_item item_of(const struct ready *r, size_t approvals)
{
	return (struct act_item){ .kind = bytes_of("preservation-request"), .payload = buf_bytes(&r->payload), .approvals = r->list,
				  .approval_count = approvals };
}

static int64_t outbox_waiting(void)
{
	struct query *q = store_query(w.xa.node->store, QUERY_outbox_count);
	bool found;

	assert_ok(query_row(q, &found, e));
	int64_t n = found ? query_int(q, 0) : 0;
	query_end(q);
	return n;
}

static void each_is_sent_or_refused_on_its_own(void **state)
{
	struct ready r[3];
	struct act_item items[3];
	int64_t before = outbox_waiting();

	for (size_t i = 0; i < 3; i++) {
		ready_make(&r[i], "XR");
		items[i] = item_of(&r[i], i == 1 ? 1 : 2);
	}
	IN(&w.xa, draft_send_all(w.xa.node, items, 3, e));
	assert_true(items[0].ok);
	assert_false(items[1].ok);
	assert_int_equal(items[1].e.reason, REASON_MISSING_APPROVAL);
	assert_true(items[2].ok);
	assert_true(act_is_there(&w.xa, r[0].hash));
	assert_false(act_is_there(&w.xa, r[1].hash));
	assert_true(act_is_there(&w.xa, r[2].hash));
	assert_int_equal(outbox_waiting(), before + 2);
	for (size_t i = 0; i < 3; i++)
		ready_release(&r[i]);
}

static void asking_again_sends_nothing_twice(void **state)
{
	struct ready r;
	struct act_item items[2];

	ready_make(&r, "XR");
	items[0] = item_of(&r, 2);
	IN(&w.xa, draft_send_all(w.xa.node, items, 1, e));
	assert_true(items[0].ok);
	int64_t after = outbox_waiting();
	items[0] = items[1] = item_of(&r, 2);
	IN(&w.xa, draft_send_all(w.xa.node, items, 2, e));
	assert_true(items[0].ok && items[1].ok);
	assert_memory_equal(items[1].hash, r.hash, SHA256_BYTES);
	assert_int_equal(outbox_waiting(), after);
	ready_release(&r);
}

static void approvals_of_another_statement_do_not_serve(void **state)
{
	struct ready r[2];
	struct act_item item;

	ready_make(&r[0], "XR");
	ready_make(&r[1], "XR");
	item = item_of(&r[0], 2);
	item.approvals = r[1].list;
	IN(&w.xa, draft_send_all(w.xa.node, &item, 1, e));
	assert_false(item.ok);
	assert_int_equal(item.e.reason, REASON_BAD_APPROVAL);
	assert_false(act_is_there(&w.xa, r[0].hash));
	ready_release(&r[0]);
	ready_release(&r[1]);
}

static void what_no_officer_drafts_cannot_be_sent_so(void **state)
{
	struct ready r;
	struct act_item item;

	ready_make(&r, "XR");
	item = item_of(&r, 2);
	item.kind = bytes_of("receipt");
	IN(&w.xa, draft_send_all(w.xa.node, &item, 1, e));
	assert_false(item.ok);
	assert_int_equal(item.e.reason, REASON_UNKNOWN_KIND);
	ready_release(&r);
}

static void a_signer_that_is_gone_sends_nothing(void **state)
{
	struct ready r;
	struct act_item item;

	ready_make(&r, "XR");
	item = item_of(&r, 2);
	w.xa.refuse_signing = 1;
	IN_REFUSED(&w.xa, draft_send_all(w.xa.node, &item, 1, e), REASON_UNAVAILABLE);
	assert_false(act_is_there(&w.xa, r.hash));
	ready_release(&r);
}

static void many_to_xl(void)
{
	struct ready r[LETTER_BATCH_MAX];
	struct act_item items[LETTER_BATCH_MAX];

	for (size_t i = 0; i < LETTER_BATCH_MAX; i++) {
		ready_make(&r[i], "XL");
		items[i] = item_of(&r[i], 2);
	}
	IN(&w.xa, draft_send_all(w.xa.node, items, LETTER_BATCH_MAX, e));
	for (size_t i = 0; i < LETTER_BATCH_MAX; i++)
		ready_release(&r[i]);
	for (int i = 0; i < 32; i++)
		slot(&w.xa);
}

static void a_full_batch_behind_one_under_way_is_made_ready_and_follows_it(void **state)
{
	struct outbox_job first, ahead;

	many_to_xl();
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &first, e));
	assert_true(first.count > 0);
	assert_ok(outbox_ahead(w.xa.node, &first, &ahead, e));
	assert_memory_equal(ahead.under, first.under, SHA256_BYTES);
	assert_int_equal(ahead.count, first.count);
	assert_true(ahead.seq[0] > first.seq[first.count - 1]);
	outbox_job_release(&first);
	assert_ok(outbox_ahead(w.xa.node, &ahead, &first, e));
	assert_int_equal(first.count, 0); /* nothing waits behind both */
	outbox_job_release(&first);
	outbox_job_release(&ahead);
	node_rollback(w.xa.node);
}

/* The first may be "not yet" by a proof that is not enough; with a better one the second would be taken before it. */
static void a_batch_with_another_proof_waits_for_the_answer_to_the_first(void **state)
{
	struct outbox_job first, ahead;

	many_to_xl();
	next_job(&w.xa, OUTBOX_LETTERS, &first);
	assert_true(first.count > 0);
	slot(&w.xa);
	IN(&w.xa, outbox_ahead(w.xa.node, &first, &ahead, e));
	assert_int_equal(ahead.count, 0);
	outbox_job_release(&ahead);
	/* Nor behind one that goes proof-pending: others stand before it. */
	memset(first.under, 0, sizeof(first.under));
	IN(&w.xa, outbox_ahead(w.xa.node, &first, &ahead, e));
	assert_int_equal(ahead.count, 0);
	outbox_job_release(&ahead);
	outbox_job_release(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_sent_or_refused_on_its_own, begin, end),
		cmocka_unit_test_setup_teardown(asking_again_sends_nothing_twice, begin, end),
		cmocka_unit_test_setup_teardown(approvals_of_another_statement_do_not_serve, begin, end),
		cmocka_unit_test_setup_teardown(what_no_officer_drafts_cannot_be_sent_so, begin, end),
		cmocka_unit_test_setup_teardown(a_signer_that_is_gone_sends_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_full_batch_behind_one_under_way_is_made_ready_and_follows_it, begin, end),
		cmocka_unit_test_setup_teardown(a_batch_with_another_proof_waits_for_the_answer_to_the_first, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
