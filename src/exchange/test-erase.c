/* Erasure: only what has ended, only by two people, only at the side that decided it. The digging through raw bytes is
 * tests/scenarios/17-erasure. */
#include "exchange/test-erasing.h"

#include "exchange/audit.h"
#include "register/judge.h"

/* --- when it may be done ------------------------------------------------------------------------------------------ */

static void what_has_not_ended_is_not_erased(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct id id;

	IN_REFUSED(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e), REASON_WRONG_STATE);
	settle(&w.xa, &w.xr);
	IN_REFUSED(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e), REASON_WRONG_STATE);
	IN_REFUSED(&w.xr, draft_erasure(&w.xr, "XA", &p.id, &id, e), REASON_WRONG_STATE);
}

static void what_is_on_its_way_is_not_erased(void **state)
{
	struct said p = ended();
	struct said q = say_request(&w.xa, "XR");
	json_t *body = body_about("answer", &q.id);
	struct err why = { 0 };
	struct id id;

	/* Ended here, but neither letter has left. */
	json_put_text(body, "outcome", "withdrawn");
	json_put_text(body, "hold_until", "");
	json_put(body, "conditions", json_array());
	say(&w.xa, "answer", "XR", &q.id, body, ILSE, ILSE);
	assert_ok(node_begin(w.xa.node, e));
	assert_false(draft_erasure(&w.xa, "XR", &q.id, &id, &why));
	assert_int_equal(why.reason, REASON_WRONG_STATE);
	assert_non_null(strstr(why.text, "no receipt yet"));
	/* The other one is free to go. */
	assert_ok(draft_erasure(&w.xa, "XR", &p.id, &id, e));
	node_rollback(w.xa.node);
}

static void a_preservation_outlives_no_open_request_that_follows_it(void **state)
{
	struct said p = ended(), d = say_stored_data(&w.xa, "XR", &p.id);
	struct err why = { 0 };
	struct id id;

	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, DELIVERED);
	assert_ok(node_begin(w.xa.node, e));
	assert_false(draft_erasure(&w.xa, "XR", &p.id, &id, &why));
	assert_int_equal(why.reason, REASON_WRONG_STATE);
	assert_non_null(strstr(why.text, "42(8)"));
	node_rollback(w.xa.node);
}

static void it_takes_a_reviewer_and_an_authority(void **state)
{
	struct said p = ended();
	struct id id;
	uint8_t hash[SHA256_BYTES];

	IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e));
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_MISSING_APPROVAL);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_MISSING_APPROVAL);
	assert_int_equal(readable(&w.xa, p.hash), REASON_NONE);
	approve(&w.xa, &id, RANA);
	IN(&w.xa, send_draft(&w.xa, &id, hash, e));
	assert_erased(&w.xa, &p);
}

static void an_open_copy_of_the_keys_is_in_the_way(void **state)
{
	struct said p = ended();
	struct err why = { 0 };
	struct id id;

	assert_ok(dir_make(w.xa.dir.fd, "backup/2026-11-01T00-00-00-000Z", 0700, e));
	write_file(&w.xa, "backup/2026-11-01T00-00-00-000Z/keys.db", bytes_of("keys"));
	assert_ok(node_begin(w.xa.node, e));
	assert_false(draft_erasure(&w.xa, "XR", &p.id, &id, &why));
	assert_int_equal(why.reason, REASON_WRONG_STATE);
	assert_non_null(strstr(why.text, "backup/2026-11-01T00-00-00-000Z/keys.db"));
	node_rollback(w.xa.node);
	assert_int_equal(unlinkat(w.xa.dir.fd, "backup/2026-11-01T00-00-00-000Z/keys.db", 0), 0);
	erased_at(&w.xa, "XR", &p.id);
}

/* --- what it promises ------------------------------------------------------------------------------------------------ */

static int64_t day_named(struct home *h, const uint8_t *hash)
{
	AUTO_ACT *a = NULL;
	int64_t day;

	assert_ok(node_act_load(h->node, hash, &a, e));
	assert_true(erasure_day(json_bytes(a->statement->body, "last_backup_dies"), &day));
	assert_string_equal(a->statement->case_ref, "");
	return day;
}

static void it_names_the_day_on_which_the_last_backup_dies(void **state)
{
	struct said p = ended(), q = ended();
	struct seal_identity *identity;
	char name[KEY_BACKUP_NAME_LEN + 1];

	struct said first = erased_at(&w.xa, "XR", &p.id);
	assert_int_equal(day_named(&w.xa, first.hash), (the_time + ERASE_DRAFT_DAYS * DAY_MS) / DAY_MS * DAY_MS);
	back_up_keys(&w.xa, &identity, name);
	int64_t dies = (the_time + KEY_BACKUP_DAYS * DAY_MS) / DAY_MS * DAY_MS;
	the_time += 3600000;
	struct said second = erased_at(&w.xa, "XR", &q.id);
	assert_int_equal(day_named(&w.xa, second.hash), dies);
	seal_identity_free(identity);
}

static void what_changed_since_the_draft_makes_a_new_draft(void **state)
{
	struct said p = ended();
	struct seal_identity *identity;
	char name[KEY_BACKUP_NAME_LEN + 1];
	uint8_t hash[SHA256_BYTES];
	struct id id;

	IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e));
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	back_up_keys(&w.xa, &identity, name); /* lives longer than the draft says */
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_WRONG_STATE);
	IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e));
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	the_time += (ERASE_DRAFT_DAYS + 1) * DAY_MS;
	take_register(&w, &w.xa);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_WRONG_STATE);
	assert_int_equal(readable(&w.xa, p.hash), REASON_NONE);
	seal_identity_free(identity);
}

/* --- what is left ------------------------------------------------------------------------------------------------------ */

static void its_leaf_and_everything_else_still_prove(void **state)
{
	struct said p = ended(), q = ended();
	AUTO_JSON *checks = json_array();
	AUTO_BUF held = { 0 }, proof = { 0 }, leaf = { 0 };
	struct judgement j;
	AUTO_ACT *a = NULL;

	buf_init(&held, LETTER_BYTES_MAX);
	buf_init(&proof, NOTE_BYTES_MAX);
	buf_init(&leaf, LEAF_BYTES_MAX);
	assert_ok(node_act_json(w.xa.node, p.hash, &held, e));
	erased_at(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	assert_erased(&w.xa, &p);
	assert_ok(node_proof(w.xa.node, p.hash, &proof, e));
	assert_ok(node_leaf(w.xa.node, p.hash, &leaf, e));
	/* What a judge holds opens the leaf and verifies, as before. */
	assert_ok(act_parse(buf_bytes(&held), &a, e));
	assert_true(bytes_equal(a->leaf, buf_bytes(&leaf)));
	assert_ok(judge_act(a, w.xl.node->reg, the_time, NULL, &j, e));
	assert_int_equal(readable(&w.xa, q.hash), REASON_NONE);
	assert_ok(audit_node(w.xa.node, checks, e));
	for (size_t i = 0; i < json_array_size(checks); i++)
		if (!json_bool(json_array_get(checks, i), "ok"))
			fail_msg("%s: %s", json_text(json_array_get(checks, i), "name"), json_text(json_array_get(checks, i), "text"));
}

static void the_other_side_is_asked_and_decides_itself(void **state)
{
	struct said p = ended();
	int64_t since;

	assert_ok(erase_asked(w.xr.node, &p.id, &since, e));
	assert_int_equal(since, 0);
	erased_at(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	assert_ok(erase_asked(w.xr.node, &p.id, &since, e));
	assert_true(since > 0);
	assert_int_equal(request_at(&w.xr, &p.id).erased, 0);
	assert_int_equal(readable(&w.xr, p.hash), REASON_NONE);
	struct said theirs = erased_at(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	assert_erased(&w.xr, &p);
	/* Both erasures are read on both sides, and arrived although all else was gone. */
	assert_int_equal(readable(&w.xa, theirs.hash), REASON_NONE);
	assert_string_equal(receipt_at(&w.xr, theirs.hash).outcome, "received");
}

static void only_a_party_of_the_request_asks_for_its_erasure(void **state)
{
	struct said p = ended();
	struct id id;
	uint8_t hash[SHA256_BYTES];

	IN(&w.xa, draft_erasure(&w.xa, "XL", &p.id, &id, e));
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_WRONG_PARTY);
	assert_int_equal(readable(&w.xa, p.hash), REASON_NONE);
}

static void a_letter_that_comes_again_is_answered_erased(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 }, again = { 0 };
	const char *outcome;

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	buf_init(&again, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	buf_add(&again, buf_bytes(&j.body));
	outbox_job_release(&j);
	settle(&w.xa, &w.xr);
	json_t *body = body_about("answer", &p.id);
	json_put_text(body, "outcome", "withdrawn");
	json_put_text(body, "hold_until", "");
	json_put(body, "conditions", json_array());
	say(&w.xa, "answer", "XR", &p.id, body, ILSE, ILSE);
	settle(&w.xa, &w.xr);
	erased_at(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&again), w.xa.tls, &reply, &why), 200);
	struct reader r = reader_over(buf_bytes(&reply));
	struct bytes envelope = reader_field(&r, ENVELOPE_BYTES_MAX);
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *st = NULL;
	assert_ok(envelope_parse(envelope, &v, e));
	assert_ok(statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &st, e));
	assert_string_equal(json_text(st->body, "outcome"), "rejected");
	assert_string_equal(json_text(st->body, "reason"), "erased");
	/* And XA, who has the first receipt, is not told anything new by it. */
	IN(&w.xa, outbox_receipt(w.xa.node, envelope, NULL, &outcome, e));
	assert_string_equal(receipt_at(&w.xa, p.hash).outcome, "received");
	assert_erased(&w.xr, &p);
}

/* A receipt that did not fit our history is kept as evidence: with the request its words go, the numbers stay. */
static void evidence_about_it_goes_too(void **state)
{
	struct said p = ended(), q = ended();
	const struct said *all[] = { &p, &q };

	for (size_t i = 0; i < 2; i++) {
		const uint8_t ours[SHA256_BYTES] = { 1 }, theirs[SHA256_BYTES] = { 2 };
		IN(&w.xa, pair_dispute(w.xa.node, "XR", "receipt", 7 + i, ours, theirs, all[i]->hash, bytes_of("their words"), e));
	}
	erased_at(&w.xa, "XR", &p.id);
	struct query *query = store_query(w.xa.node->store, QUERY_pair_dispute_evidence);
	bool found;
	for (size_t i = 0; i < 2; i++) {
		assert_ok(query_row(query, &found, e));
		assert_true(found);
		assert_int_equal(query_int(query, 2), 7 + (int64_t)i);
		assert_true(bytes_is(query_bytes(query, 3), i == 0 ? "" : "their words"));
	}
	query_end(query);
}

static void nothing_new_is_said_about_an_erased_request(void **state)
{
	struct said p = ended();
	AUTO_JSON *body = body_about("acknowledgement", &p.id);
	struct id id;
	uint8_t hash[SHA256_BYTES];

	erased_at(&w.xr, "XA", &p.id);
	draft(&w.xr, "acknowledgement", "XA", &p.id, body, &id);
	approve(&w.xr, &id, OMAR);
	IN_REFUSED(&w.xr, send_draft(&w.xr, &id, hash, e), REASON_ERASED);
	IN_REFUSED(&w.xr, draft_erasure(&w.xr, "XA", &p.id, &id, e), REASON_WRONG_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(what_has_not_ended_is_not_erased),
		CLAIM(what_is_on_its_way_is_not_erased),
		CLAIM(a_preservation_outlives_no_open_request_that_follows_it),
		CLAIM(it_takes_a_reviewer_and_an_authority),
		CLAIM(an_open_copy_of_the_keys_is_in_the_way),
		CLAIM(it_names_the_day_on_which_the_last_backup_dies),
		CLAIM(what_changed_since_the_draft_makes_a_new_draft),
		CLAIM(its_leaf_and_everything_else_still_prove),
		CLAIM(the_other_side_is_asked_and_decides_itself),
		CLAIM(only_a_party_of_the_request_asks_for_its_erasure),
		CLAIM(a_letter_that_comes_again_is_answered_erased),
		CLAIM(evidence_about_it_goes_too),
		CLAIM(nothing_new_is_said_about_an_erased_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
