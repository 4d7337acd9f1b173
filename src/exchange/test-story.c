/* One case from the first draft to the last proof, between two homes: what people say, what both ends then
 * show, and the two places that refuse to hand over evidence before the court has ordered it. */
#include "exchange/test-carry.h"

#include "exchange/exhibit.h"
#include "log/leaf.h"

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

/* --- the draft ------------------------------------------------------------------------------------------------- */

static const struct finding *missing(const struct findings *f, const char *field)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->at[i].field, field) == 0)
			return &f->at[i];
	return NULL;
}

static void a_draft_says_what_is_missing_and_which_paragraph_asks_for_it(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	struct findings *f = calloc(1, sizeof(*f));
	struct draft_row row;
	struct id id;
	uint8_t hash[SHA256_BYTES];

	json_put_text(body, "necessity", "");
	draft(&w.xa, "preservation-request", "XR", NULL, body, &id);
	IN(&w.xa, draft_get(w.xa.node, &id, &row, e) && draft_check(w.xa.node, &row, SAFEGUARD_DRAFT, f, e));
	assert_non_null(missing(f, "necessity"));
	assert_string_equal(missing(f, "necessity")->clause, "42(3)(e)");
	assert_int_equal(missing(f, "necessity")->severity, FINDING_STOP);
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_MISSING_FIELD);
	assert_int_equal(rows(&w.xa, QUERY_request_list), 0);
	draft_release(&row);
	free(f);
}

static void what_is_not_approved_is_not_sent(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	struct id id;
	uint8_t hash[SHA256_BYTES];

	draft(&w.xa, "preservation-request", "XR", NULL, body, &id);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_MISSING_APPROVAL);
	approve(&w.xa, &id, RANA);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_MISSING_APPROVAL);
	IN_REFUSED(&w.xa, approve_as(&w.xa, &id, ADA, APPROVAL_REVIEWER, e), REASON_BAD_APPROVAL);
	IN_REFUSED(&w.xa, approve_as(&w.xa, &id, OMAR, APPROVAL_AUTHORITY, e), REASON_BAD_APPROVAL);
	approve(&w.xa, &id, ILSE);
	IN(&w.xa, send_draft(&w.xa, &id, hash, e));
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_NOT_FOUND); /* it is no draft any more */
}

static void the_case_officer_does_not_authorise_the_own_request(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	struct id id;
	uint8_t hash[SHA256_BYTES];

	draft(&w.xa, "preservation-request", "XR", NULL, body, &id);
	approve(&w.xa, &id, RANA);
	IN(&w.xa, approve_as(&w.xa, &id, ADA, APPROVAL_AUTHORITY, e));
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_BAD_APPROVAL);
}

static void a_lesser_offence_is_not_sent(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	json_t *offence = json_object_get(body, "offence");
	struct id id;
	uint8_t hash[SHA256_BYTES];

	json_put_text(offence, "code", "");
	json_put_text(offence, "title", "insult");
	json_put(offence, "elements", json_array());
	json_put_int(offence, "max_penalty_years", 1);
	draft(&w.xa, "preservation-request", "XR", NULL, body, &id);
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_BELOW_THRESHOLD);
}

static void nothing_goes_to_a_party_that_nobody_knows(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	struct id id;
	uint8_t hash[SHA256_BYTES];

	draft(&w.xa, "preservation-request", "XQ", NULL, body, &id);
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_BAD_REGISTER);
}

/* --- preservation ------------------------------------------------------------------------------------------------ */

static struct said preserved(void)
{
	struct said p = say_request(&w.xa, "XR");

	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_state(&w.xr, &p.id, RECEIVED);
	say_acknowledged(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, ACKNOWLEDGED);
	assert_string_equal(request_at(&w.xa, &p.id).acknowledged_by, "Omar Reed");
	say_accepted(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, ACCEPTED);
	say_ordered(&w.xr, "XA", &p.id, false);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, PRESERVED);
	assert_state(&w.xr, &p.id, PRESERVED);
	return p;
}

static void both_ends_hold_for_the_same_time_and_at_least_sixty_days(void **state)
{
	int64_t before = the_time;
	struct said p = preserved();
	struct request_row a = request_at(&w.xa, &p.id), r = request_at(&w.xr, &p.id);

	assert_int_equal(a.hold_until, r.hold_until);
	assert_int_equal(a.order_expires, r.order_expires);
	assert_true(r.hold_until >= before + 60 * DAY_MS);
	assert_true(r.order_expires <= the_time + 90 * DAY_MS);
	assert_true(r.order_expires > the_time);
}

static void an_order_to_preserve_lasts_ninety_days_at_most(void **state)
{
	struct said p = preserved();
	AUTO_JSON *body = body_about("order", &p.id);
	struct id id;
	uint8_t hash[SHA256_BYTES];

	json_put_time(body, "expires", the_time + 91 * DAY_MS);
	json_put_time(body, "duration_until", the_time + 91 * DAY_MS);
	draft(&w.xr, "order", "XA", &p.id, body, &id);
	approve(&w.xr, &id, ILSE);
	assert_ok(node_begin(w.xr.node, e));
	struct err why = { 0 };
	assert_false(send_draft(&w.xr, &id, hash, &why));
	assert_non_null(strstr(why.text, "90 days"));
	node_rollback(w.xr.node);
}

static void every_statement_ends_with_a_proof_on_both_sides(void **state)
{
	struct said p = say_request(&w.xa, "XR"), ack;

	settle(&w.xa, &w.xr);
	assert_string_equal(receipt_at(&w.xa, p.hash).outcome, "received");
	assert_true(receipt_at(&w.xa, p.hash).proof > 0);
	ack = say_acknowledged(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	assert_true(receipt_at(&w.xr, ack.hash).proof > 0);
	assert_int_equal(number(&w.xa, QUERY_receipt_proofs_waiting), 0);
	assert_int_equal(number(&w.xr, QUERY_receipt_proofs_waiting), 0);
	assert_int_equal(number(&w.xr, QUERY_proof_out_count), 0);
}

/* --- evidence ------------------------------------------------------------------------------------------------------ */

#define CONTENT "2026-11-02T10:00:00Z login 192.0.2.7\n"

static void write_again(int fd, struct bytes in)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_ok(file_write_all(fd, in, e));
}

/* Takes the content in at XR as the two mills do. */
static struct id taken_in(const struct id *request)
{
	struct exhibit_intake x;
	struct age_totals first, second;
	char path[] = "/tmp/comity-test-content-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	write_again(fd, bytes_of(CONTENT));
	lseek(fd, 0, SEEK_SET);
	IN(&w.xr, exhibit_begin(w.xr.node, request, "logins.csv", "text/csv", true, &x, e));
	struct age_copy in = { .in_fd = fd, .out_fd = x.fd, .recipients = &x.recipient, .recipient_count = 1, .file_key = x.file_key };
	assert_ok(age_copy_seal(&in, &first, e));
	lseek(x.fd, 0, SEEK_SET);
	struct age_copy out = { .in_fd = x.fd, .out_fd = -1, .file_key = x.file_key };
	assert_ok(age_copy_open(&out, &second, e));
	IN(&w.xr, exhibit_sealed(w.xr.node, &x, &first, &second, e));
	second.plain_sha256[0] ^= 1;
	IN_REFUSED(&w.xr, exhibit_sealed(w.xr.node, &x, &first, &second, e), REASON_DIGEST_MISMATCH);
	secret_free(x.file_key);
	close(x.fd);
	close(fd);
	return x.id;
}

static struct said handed_over(const struct id *request, const struct id *exhibit)
{
	json_t *body, *refs, *condition = json_object();
	struct request_row r;

	IN(&w.xr, exhibit_release_body(w.xr.node, exhibit, &body, &refs, &r, e));
	json_put_text(condition, "clause", "40(19)");
	json_put_text(condition, "kind", "use");
	json_put_text(condition, "text", "this case only");
	assert_int_equal(json_array_append_new(json_object_get(body, "conditions"), condition), 0);
	json_decref(refs);
	return say(&w.xr, "exhibit", "XA", request, body, CORA, CORA);
}

static bool idle(void *ctx, const struct id *id)
{
	return false;
}

/* Copies what XR would serve into XA's blob, as the courier does; `wrong` changes a byte on the way. */
static bool fetched(bool wrong)
{
	struct exhibit_fetch f;
	struct age_totals t = { 0 };
	uint64_t size;
	bool found, complete, opened;
	struct exhibit_row row;
	struct secret *key = NULL;
	int from, blob;

	IN(&w.xa, exhibit_next(w.xa.node, the_time, idle, NULL, &f, &found, e));
	if (!found)
		return false;
	assert_memory_equal(f.pin, w.xr.tls, SHA256_BYTES);
	assert_refused(exhibit_for_peer(w.xr.node, &f.row.id, w.xl.tls, &from, &size, e), REASON_NOT_FOUND);
	assert_ok(exhibit_for_peer(w.xr.node, &f.row.id, w.xa.tls, &from, &size, e));
	uint8_t *all = malloc(size);
	assert_int_equal(read(from, all, size), size);
	if (wrong)
		all[size - 1] ^= 1;
	assert_ok(file_write_all(f.fd, bytes_from(all + f.from, size - f.from), e));
	free(all);
	close(from);
	close(f.fd);
	IN(&w.xa, exhibit_fetched(w.xa.node, &f.row.id, true, "", the_time, &complete, e));
	assert_true(complete);
	IN(&w.xa, exhibit_open(w.xa.node, &f.row.id, &row, &key, &blob, e));
	struct age_copy c = { .in_fd = blob, .out_fd = -1, .file_key = key };
	struct err why;
	opened = age_copy_open(&c, &t, &why);
	assert_int_equal(opened, !wrong);
	IN(&w.xa, exhibit_checked(w.xa.node, &f.row.id, opened, &t, the_time, e));
	secret_free(key);
	close(blob);
	return true;
}

/* A stored-data request that follows p, accepted. */
static struct said follow_up(const struct said *p)
{
	struct said d = say_stored_data(&w.xa, "XR", p != NULL ? &p->id : NULL);

	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xr, "XA", &d.id);
	settle(&w.xa, &w.xr);
	say_accepted(&w.xr, "XA", &d.id);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, ACCEPTED);
	return d;
}

static void the_whole_story(void **state)
{
	struct said p = preserved(), d = follow_up(&p);
	struct exhibit_row x;

	/* 42(8): the clock of the hold stands still on both sides. */
	assert_state(&w.xa, &p.id, HELD);
	assert_state(&w.xr, &p.id, HELD);
	assert_int_equal(request_at(&w.xr, &p.id).hold_until, 0);
	struct id exhibit = taken_in(&d.id);
	say_ordered(&w.xr, "XA", &d.id, true);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, EXECUTING);
	struct said handed = handed_over(&d.id, &exhibit);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, RESULT_SENT);
	assert_string_equal(receipt_at(&w.xr, handed.hash).reason, "none");
	assert_true(fetched(false));
	assert_ok(exhibit_get(w.xa.node, &exhibit, &x, e));
	assert_string_equal(x.state, "opened");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &d.id, CONFIRMED);
	assert_state(&w.xr, &d.id, CONFIRMED);
	assert_state(&w.xa, &p.id, RELEASED);
	assert_state(&w.xr, &p.id, RELEASED);
	assert_int_equal(number(&w.xa, QUERY_receipt_proofs_waiting), 0);
	assert_int_equal(number(&w.xr, QUERY_receipt_proofs_waiting), 0);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	assert_int_equal(number(&w.xr, QUERY_outbox_count), 0);
	assert_false(fetched(false));
}

static void a_transfer_that_was_changed_is_fetched_again_and_told_when_it_stays_wrong(void **state)
{
	struct said d = follow_up(NULL);
	struct exhibit_row x;
	struct id exhibit = taken_in(&d.id);

	say_ordered(&w.xr, "XA", &d.id, true);
	settle(&w.xa, &w.xr);
	handed_over(&d.id, &exhibit);
	settle(&w.xa, &w.xr);
	for (int i = 0; i < 3; i++) {
		the_time += 10000;
		assert_true(fetched(true));
	}
	assert_ok(exhibit_get(w.xa.node, &exhibit, &x, e));
	assert_string_equal(x.state, "broken");
	the_time += 10000;
	assert_false(fetched(true));
	settle(&w.xa, &w.xr);
	assert_state(&w.xr, &d.id, RESULT_SENT);
}

/* --- no disclosure without the court ---------------------------------------------------------------------------------- */

static void nothing_is_taken_in_for_a_preservation(void **state)
{
	struct said p = preserved();
	struct exhibit_intake x;

	IN_REFUSED(&w.xr, exhibit_begin(w.xr.node, &p.id, "logins.csv", "text/csv", true, &x, e), REASON_WRONG_STATE);
}

/* The statement that would hand the exhibit over, with an order of our choice. */
static json_t *body_of_exhibit(const struct id *request, const char *order)
{
	json_t *body = body_about("exhibit", request);

	json_put_text(body, "order", order);
	return body;
}

static void the_keeper_hands_nothing_over_before_the_court_ordered_it(void **state)
{
	struct said d = follow_up(NULL);
	struct id exhibit = taken_in(&d.id), id;
	struct request_row r;
	json_t *body, *refs;
	uint8_t hash[SHA256_BYTES];

	IN_REFUSED(&w.xr, exhibit_release_body(w.xr.node, &exhibit, &body, &refs, &r, e), REASON_NO_DISCLOSURE_ORDER);
	AUTO_JSON *forced = body_of_exhibit(&d.id, SAMPLE_HASH);
	draft(&w.xr, "exhibit", "XA", &d.id, forced, &id);
	approve(&w.xr, &id, CORA);
	IN_REFUSED(&w.xr, send_draft(&w.xr, &id, hash, e), REASON_NO_DISCLOSURE_ORDER);
}

/* Asks the signer itself, as a keeper in other hands would. */
static enum reason signer_says(const struct id *request, const uint8_t *order, const char *named)
{
	struct own_statement s = { .kind = "exhibit", .to = "XA", .case_ref = "XA-2026-17", .legal_basis = "UNCC", .via = "comity" };
	struct err why = { 0 };
	struct bytes approval, support;
	uint8_t hash[SHA256_BYTES], signature[64];
	struct id id;
	AUTO_BUF payload = { 0 }, envelope = { 0 }, act = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	buf_init(&act, LETTER_BYTES_MAX);
	s.body = body_of_exhibit(request, named);
	assert_ok(node_payload(w.xr.node, &s, &id, &payload, e));
	json_decref(s.body);
	pae_hash(statement_type(kind_find(bytes_of("exhibit"))), buf_bytes(&payload), hash);
	approval_of(&w.xr, CORA, APPROVAL_CUSTODIAN, "", hash, &envelope);
	approval = buf_bytes(&envelope);
	struct signing_item item = { .kind = bytes_of("exhibit"), .payload = buf_bytes(&payload), .approvals = &approval, .approval_count = 1 };
	if (order != NULL) {
		assert_ok(node_act_json(w.xr.node, order, &act, e));
		support = buf_bytes(&act);
		item.support = &support;
		item.support_count = 1;
	}
	bool ok = signing_statement(w.xr.signing, &item, signature, &why);
	assert_int_equal(ok, why.reason == REASON_NONE);
	return why.reason;
}

static void the_signer_itself_signs_no_exhibit_without_the_courts_order(void **state)
{
	struct said d = follow_up(NULL), other = follow_up(NULL);
	char named[2 * SHA256_BYTES + 1];

	assert_int_equal(signer_says(&d.id, NULL, SAMPLE_HASH), REASON_NO_DISCLOSURE_ORDER);
	struct said order = say_ordered(&w.xr, "XA", &other.id, true);
	hex_write(BYTES_ARRAY(order.hash), named);
	assert_int_equal(signer_says(&d.id, order.hash, named), REASON_NO_DISCLOSURE_ORDER);  /* of another request */
	assert_int_equal(signer_says(&other.id, order.hash, SAMPLE_HASH), REASON_NO_DISCLOSURE_ORDER);
	assert_int_equal(signer_says(&other.id, d.hash, named), REASON_NO_DISCLOSURE_ORDER);
	assert_int_equal(signer_says(&other.id, order.hash, named), REASON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_draft_says_what_is_missing_and_which_paragraph_asks_for_it),
		CLAIM(what_is_not_approved_is_not_sent),
		CLAIM(the_case_officer_does_not_authorise_the_own_request),
		CLAIM(a_lesser_offence_is_not_sent),
		CLAIM(nothing_goes_to_a_party_that_nobody_knows),
		CLAIM(both_ends_hold_for_the_same_time_and_at_least_sixty_days),
		CLAIM(an_order_to_preserve_lasts_ninety_days_at_most),
		CLAIM(every_statement_ends_with_a_proof_on_both_sides),
		CLAIM(the_whole_story),
		CLAIM(a_transfer_that_was_changed_is_fetched_again_and_told_when_it_stays_wrong),
		CLAIM(nothing_is_taken_in_for_a_preservation),
		CLAIM(the_keeper_hands_nothing_over_before_the_court_ordered_it),
		CLAIM(the_signer_itself_signs_no_exhibit_without_the_courts_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
