/* What may go proof-pending waits for no other letter to the same peer, and holds up none. */
#include "exchange/test-pending.h"

#define BACKLOG 33 /* more than two batches */

/* Its key is gone (older keys were restored), or is another one. */
static void spoil(struct home *h, const struct said *s, bool other_key)
{
	struct query *q = store_query(h->node->store, QUERY_erase_record_keys);

	query_bind_bytes(q, 1, bytes_from(s->id.at, ID_BYTES));
	IN(h, query_run(q, e));
	query_end(q);
	if (!other_key)
		return;
	q = store_query(h->node->store, QUERY_record_key_add);
	query_bind_bytes(q, 1, BYTES_ARRAY(s->hash));
	query_bind_bytes(q, 2, BYTES_ARRAY(s->hash));
	IN(h, query_run(q, e));
	query_end(q);
}

static void one_that_cannot_be_read_holds_up_nobody(bool other_key)
{
	struct said ordinary = say_stored_data(&w.xa, "XR", NULL), other = say_stored_data(&w.xa, "XL", NULL), gone, urgent;

	cosigned_slot(&w.xa);
	gone = say_request(&w.xa, "XR");
	urgent = say_request(&w.xa, "XR");
	miss();
	spoil(&w.xa, &gone, other_key);
	for (int i = 0; i < 3; i++) {
		struct outbox_job j;
		struct err why;
		AUTO_BUF reply = { 0 };
		buf_init(&reply, LETTER_BATCH_BYTES_MAX);
		IN(&w.xa, outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &j, e));
		assert_int_equal(j.count, 1);
		unsigned status = receive_at(strcmp(j.peer, "XR") == 0 ? &w.xr : &w.xl, buf_bytes(&j.body), w.xa.tls, &reply, &why);
		answered(&w.xa, &j, status, buf_bytes(&reply));
		outbox_job_release(&j);
	}
	assert_true(act_is_there(&w.xr, urgent.hash));
	assert_true(act_is_there(&w.xr, ordinary.hash));
	assert_true(act_is_there(&w.xl, other.hash));
}

static void an_urgent_one_whose_key_is_gone_holds_up_nobody(void **state)
{
	one_that_cannot_be_read_holds_up_nobody(false);
}

static void an_urgent_one_that_does_not_open_holds_up_nobody(void **state)
{
	one_that_cannot_be_read_holds_up_nobody(true);
}

static void a_backlog_of_others_does_not_go_ahead_of_it(void **state)
{
	struct outbox_job flying, next;
	struct said urgent;

	for (int i = 0; i < BACKLOG; i++)
		say_stored_data(&w.xa, "XR", NULL);
	for (int i = 0; i < BACKLOG; i++)
		cosigned_slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &flying);
	assert_true(flying.count > 1);
	urgent = say_request(&w.xa, "XR");
	IN(&w.xa, outbox_ahead(w.xa.node, &flying, &next, e));
	assert_int_equal(next.count, flying.count);
	outbox_job_release(&next);
	miss();
	/* Each batch that is sealed ahead has the way to this peer for itself, and the next one behind it again. */
	IN(&w.xa, outbox_ahead(w.xa.node, &flying, &next, e));
	assert_int_equal(next.count, 0);
	outbox_job_release(&next);
	outbox_job_release(&flying);
	IN(&w.xa, outbox_next(w.xa.node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &next, e));
	assert_int_equal(next.count, 1);
	assert_memory_equal(next.hash[0], urgent.hash, SHA256_BYTES);
	outbox_job_release(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, witnessed, witnessed_end)
		CLAIM(an_urgent_one_whose_key_is_gone_holds_up_nobody),
		CLAIM(an_urgent_one_that_does_not_open_holds_up_nobody),
		CLAIM(a_backlog_of_others_does_not_go_ahead_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
