/* Letters on their way: in the order of sending, again and again while the peer is away, and done only by a
 * receipt that is true. */
#include "exchange/test-carry.h"

#include "seal/dsse.h"

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

static size_t due(struct home *h)
{
	struct outbox_job j;

	next_job(h, OUTBOX_LETTERS, &j);
	size_t count = j.count;
	outbox_job_release(&j);
	return count;
}

static void fails(struct home *h, unsigned status)
{
	struct outbox_job j;

	next_job(h, OUTBOX_LETTERS, &j);
	assert_true(j.count > 0);
	answered(h, &j, status, bytes_of(""));
	outbox_job_release(&j);
}

static void nothing_leaves_before_it_stands_under_a_checkpoint(void **state)
{
	say_request(&w.xa, "XR");
	assert_int_equal(due(&w.xa), 0);
	slot(&w.xa);
	assert_int_equal(due(&w.xa), 1);
}

static void the_waits_grow_to_a_minute(void **state)
{
	int64_t wait = 1000;

	say_request(&w.xa, "XR");
	slot(&w.xa);
	for (int i = 0; i < 10; i++) {
		fails(&w.xa, i % 2 == 0 ? 0 : 503);
		the_time += wait - 1;
		assert_int_equal(due(&w.xa), 0);
		the_time += 1;
		assert_int_equal(due(&w.xa), 1);
		wait = wait * 2 < 60000 ? wait * 2 : 60000;
	}
}

static void nothing_overtakes_while_a_peer_is_away(void **state)
{
	struct said first = say_request(&w.xa, "XR"), second;
	struct outbox_job j;

	slot(&w.xa);
	for (int i = 0; i < 6; i++) {
		fails(&w.xa, 0);
		the_time += 32000;
	}
	fails(&w.xa, 0); /* now for a minute */
	second = say_request(&w.xa, "XR");
	slot(&w.xa);
	assert_int_equal(due(&w.xa), 0);
	the_time += 60000;
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 2);
	assert_memory_equal(j.hash[0], first.hash, SHA256_BYTES);
	assert_memory_equal(j.hash[1], second.hash, SHA256_BYTES);
	outbox_job_release(&j);
	/* Another peer is not kept waiting. */
	say_request(&w.xa, "XL");
	slot(&w.xa);
	assert_true(due(&w.xa) > 0);
}

static void a_lost_answer_is_given_again(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	answered(&w.xa, &j, 0, bytes_of("")); /* the line broke */
	outbox_job_release(&j);
	assert_state(&w.xa, &p.id, SENT);
	assert_state(&w.xr, &p.id, RECEIVED);
	the_time += 1000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_int_equal(rows(&w.xr, QUERY_request_list), 1);
	the_time += 60000;
	assert_int_equal(due(&w.xa), 0);
}

static void an_acknowledgement_may_come_before_the_receipt(void **state)
{
	struct said p = say_request(&w.xa, "XR"), ack;
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	answered(&w.xa, &j, 0, bytes_of(""));
	outbox_job_release(&j);
	ack = say_acknowledged(&w.xr, "XA", &p.id);
	slot(&w.xr);
	slot(&w.xr);
	assert_true(carry_one(&w.xr, &w.xa));
	assert_string_equal(receipt_at(&w.xr, ack.hash).outcome, "received");
	assert_state(&w.xa, &p.id, ACKNOWLEDGED);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, ACKNOWLEDGED);
	assert_string_equal(receipt_at(&w.xa, p.hash).outcome, "received");
}

/* --- receipts ---------------------------------------------------------------------------------------------------- */

/* The peer's answer with one member of the receipt changed, signed by `key`, as a batch of one. */
static void changed_receipt(const struct buf *reply, const char *member, const char *value, const struct sign_key *key,
			    struct buf *out)
{
	struct reader r = reader_over(buf_bytes(reply));
	struct bytes type = statement_type(kind_find(bytes_of("receipt")));
	AUTO_ENVELOPE v = { 0 };
	AUTO_JSON *payload = NULL;
	AUTO_BUF text = { 0 }, envelope = { 0 };

	buf_init(&text, STATEMENT_BYTES_MAX);
	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	assert_ok(envelope_parse(reader_field(&r, ENVELOPE_BYTES_MAX), &v, e));
	assert_ok(json_parse(buf_bytes(&v.payload), "receipt", &payload, e));
	if (member != NULL)
		json_put_text(json_object_get(payload, "body"), member, value);
	assert_ok(json_write_canonical(payload, &text, e));
	assert_ok(envelope_sign(type, buf_bytes(&text), key, &envelope, e));
	buf_clear(out);
	buf_add_field(out, buf_bytes(&envelope));
}

static void a_receipt_that_is_not_true_is_not_believed(void **state)
{
	static const struct {
		const char *member, *value;
		bool by_another;
	} cases[] = {
		{ NULL, NULL, true },                /* signed by Laurania */
		{ "tag", SAMPLE_HASH, false },       /* who wrote it never opened the letter */
		{ "statement", SAMPLE_HASH, false }, /* of a statement that nobody made */
		{ "outcome", "rejected", false },
	};
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 }, false_one = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	buf_init(&false_one, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		next_job(&w.xa, OUTBOX_LETTERS, &j);
		assert_int_equal(j.count, 1);
		assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
		if (cases[i].member != NULL && strcmp(cases[i].member, "outcome") == 0)
			j.letter[0][0] ^= 1; /* a rejection of another letter than the one under way */
		changed_receipt(&reply, cases[i].member, cases[i].value, cases[i].by_another ? w.xl.sign : w.xr.sign, &false_one);
		answered(&w.xa, &j, 200, buf_bytes(&false_one));
		outbox_job_release(&j);
		assert_false(receipt_at(&w.xa, p.hash).found);
		assert_state(&w.xa, &p.id, SENT);
		assert_int_equal(due(&w.xa), 0);
		the_time += 60000;
	}
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &p.id, DELIVERED);
}

static void answers_that_are_no_receipts_are_held(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	static const char *const answers[] = { "", "<html>", "\0\0\0\3abc" };

	slot(&w.xa);
	for (size_t i = 0; i < 3; i++) {
		struct outbox_job j;
		next_job(&w.xa, OUTBOX_LETTERS, &j);
		assert_int_equal(j.count, 1);
		answered(&w.xa, &j, 200, bytes_from(answers[i], i == 2 ? 7 : strlen(answers[i])));
		outbox_job_release(&j);
		assert_state(&w.xa, &p.id, SENT);
		the_time += 60000;
	}
}

/* Laurania receipts what went to Ruritania. */
static void only_the_addressee_receipts(void **state)
{
	struct said p = say_request(&w.xa, "XR"), other = say_request(&w.xa, "XL");
	char hash[2 * SHA256_BYTES + 1];
	const char *outcome;
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 }, changed = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	buf_init(&changed, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j); /* in the register's order Laurania comes first */
	assert_string_equal(j.peer, "XL");
	assert_memory_equal(j.hash[0], other.hash, SHA256_BYTES);
	assert_int_equal(receive_at(&w.xl, bytes_of("\0\0\0\1x"), w.xa.tls, &reply, &why), 400);
	j.body.at[j.body.len - 1] ^= 1;
	assert_int_equal(receive_at(&w.xl, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200); /* a rejection */
	outbox_job_release(&j);
	hex_write(BYTES_ARRAY(p.hash), hash);
	changed_receipt(&reply, "statement", hash, w.xl.sign, &changed);
	AUTO_BUF with_id = { 0 };
	buf_init(&with_id, LETTER_BATCH_BYTES_MAX);
	char id[ID_TEXT_LEN + 1];
	id_write(&p.id, id);
	changed_receipt(&changed, "id", id, w.xl.sign, &with_id);
	struct reader r = reader_over(buf_bytes(&with_id));
	struct bytes envelope = reader_field(&r, ENVELOPE_BYTES_MAX);
	IN_REFUSED(&w.xa, outbox_receipt(w.xa.node, envelope, NULL, &outcome, e), REASON_WRONG_PARTY);
	assert_state(&w.xa, &p.id, SENT);
}

/* --- another carrier ----------------------------------------------------------------------------------------------- */

static void a_letter_may_go_by_another_carrier(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	const char *outcome = "";
	struct err why;
	AUTO_BUF letter = { 0 }, batch = { 0 }, reply = { 0 };

	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	buf_init(&batch, LETTER_BATCH_BYTES_MAX);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	IN_REFUSED(&w.xa, outbox_letter(w.xa.node, p.hash, &letter, e), REASON_UNLOGGED);
	slot(&w.xa);
	IN(&w.xa, outbox_letter(w.xa.node, p.hash, &letter, e));
	buf_add_field(&batch, buf_bytes(&letter));
	assert_int_equal(receive_at(&w.xr, buf_bytes(&batch), NULL, &reply, &why), 200);
	struct reader r = reader_over(buf_bytes(&reply));
	struct bytes envelope = reader_field(&r, ENVELOPE_BYTES_MAX);
	IN(&w.xa, outbox_receipt(w.xa.node, envelope, NULL, &outcome, e));
	assert_string_equal(outcome, "received");
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_int_equal(due(&w.xa), 0);
}

/* --- proofs ----------------------------------------------------------------------------------------------------------- */

static void a_proof_counts_only_from_the_addressee_and_whole(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j;

	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	slot(&w.xr);
	next_job(&w.xr, OUTBOX_PROOFS, &j);
	assert_int_equal(j.count, 1);
	IN_REFUSED(&w.xa, receive_proofs(w.xa.node, buf_bytes(&j.body), w.xl.tls, e), REASON_WRONG_PARTY);
	IN_REFUSED(&w.xa, receive_proofs(w.xa.node, buf_bytes(&j.body), NULL, e), REASON_UNKNOWN_KEY);
	IN_REFUSED(&w.xl, receive_proofs(w.xl.node, buf_bytes(&j.body), w.xr.tls, e), REASON_NOT_SEALED_TO_US);
	j.body.at[j.body.len - 1] ^= 1;
	IN_REFUSED(&w.xa, receive_proofs(w.xa.node, buf_bytes(&j.body), w.xr.tls, e), REASON_SEAL_BROKEN);
	j.body.at[j.body.len - 1] ^= 1;
	assert_int_equal(receipt_at(&w.xa, p.hash).proof, 0);
	IN(&w.xa, receive_proofs(w.xa.node, buf_bytes(&j.body), w.xr.tls, e));
	assert_true(receipt_at(&w.xa, p.hash).proof > 0);
	outbox_job_release(&j);
}

/* After a restore of older keys: nobody can ever send it, and the other node is told that it is gone. */
static void one_whose_key_is_gone_does_not_stop_the_letters_behind_it(void **state)
{
	struct said gone = say_request(&w.xa, "XR"), next = say_request(&w.xa, "XR");
	struct query *q = store_query(w.xa.node->store, QUERY_erase_record_keys);

	slot(&w.xa);
	query_bind_bytes(q, 1, bytes_from(gone.id.at, ID_BYTES));
	IN(&w.xa, query_run(q, e));
	query_end(q);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, next.hash));
	assert_string_equal(receipt_at(&w.xa, next.hash).outcome, "received");
	assert_int_equal(due(&w.xa), 0);
	assert_false(receipt_at(&w.xa, gone.hash).found);
	struct said last = say_stored_data(&w.xa, "XR", NULL);
	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_true(act_is_there(&w.xr, last.hash));
}

static void a_proof_that_nobody_can_make_any_more_stops_none_behind_it(void **state)
{
	struct said gone = say_request(&w.xa, "XR"), next = say_request(&w.xa, "XR");
	struct query *q;

	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	slot(&w.xr);
	q = store_query(w.xr.node->store, QUERY_erase_record_keys);
	query_bind_bytes(q, 1, bytes_from(gone.id.at, ID_BYTES));
	IN(&w.xr, query_run(q, e));
	query_end(q);
	assert_true(carry_proofs(&w.xr, &w.xa));
	assert_true(receipt_at(&w.xa, next.hash).proof > 0);
	assert_int_equal(receipt_at(&w.xa, gone.hash).proof, 0);
	assert_false(carry_proofs(&w.xr, &w.xa));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(nothing_leaves_before_it_stands_under_a_checkpoint),
		CLAIM(the_waits_grow_to_a_minute),
		CLAIM(nothing_overtakes_while_a_peer_is_away),
		CLAIM(a_lost_answer_is_given_again),
		CLAIM(an_acknowledgement_may_come_before_the_receipt),
		CLAIM(a_receipt_that_is_not_true_is_not_believed),
		CLAIM(answers_that_are_no_receipts_are_held),
		CLAIM(only_the_addressee_receipts),
		CLAIM(a_letter_may_go_by_another_carrier),
		CLAIM(a_proof_counts_only_from_the_addressee_and_whole),
		CLAIM(one_whose_key_is_gone_does_not_stop_the_letters_behind_it),
		CLAIM(a_proof_that_nobody_can_make_any_more_stops_none_behind_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
