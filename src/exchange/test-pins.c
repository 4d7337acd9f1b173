/* Two states begin alone: no secretariat, fingerprints compared by telephone. */
#include "exchange/test-carry.h"

static struct home xa, xr;

static int begin(void **state)
{
	time_begins(23);
	home_begin(&xa, "XA", "Arcadia");
	home_begin(&xr, "XR", "Ruritania");
	home_write(&xa);
	home_write(&xr);
	home_open(&xa);
	home_open(&xr);
	return 0;
}

static int end(void **state)
{
	home_end(&xa);
	home_end(&xr);
	return 0;
}

static void pin(struct home *at, struct home *of)
{
	uint8_t hash[SHA256_BYTES];
	const char *party;
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	describe(of, &act, hash);
	IN(at, directory_pin(at->node, buf_bytes(&act), hash, &party, e));
	assert_string_equal(party, of->code);
	hash[0] ^= 1;
	IN_REFUSED(at, directory_pin(at->node, buf_bytes(&act), hash, &party, e), REASON_ROOT_MISMATCH);
}

static struct said ask(void)
{
	struct draft_new d = { .kind = "preservation-request", .to = "XR", .case_ref = "XA-2026-17", .legal_basis = "pilot",
			       .officer = "Ada Quill", .body = sample_body("preservation-request") };
	struct said s;

	IN(&xa, draft_new(xa.node, &d, &s.id, e));
	json_decref(d.body);
	approve(&xa, &s.id, RANA);
	approve(&xa, &s.id, ILSE);
	IN(&xa, send_draft(&xa, &s.id, s.hash, e));
	return s;
}

static void two_homes_that_pinned_each_other_play_a_request(void **state)
{
	struct said p, ack;

	pin(&xa, &xr);
	pin(&xr, &xa);
	assert_string_equal(directory_state(xa.node), "none");
	p = ask();
	settle(&xa, &xr);
	assert_state(&xa, &p.id, DELIVERED);
	assert_state(&xr, &p.id, RECEIVED);
	ack = say_acknowledged(&xr, "XA", &p.id);
	settle(&xa, &xr);
	assert_state(&xa, &p.id, ACKNOWLEDGED);
	assert_true(receipt_at(&xa, p.hash).proof > 0);
	assert_true(receipt_at(&xr, ack.hash).proof > 0);
}

static void a_pin_stays_over_a_restart(void **state)
{
	pin(&xa, &xr);
	home_close(&xa);
	home_open(&xa);
	assert_non_null(register_party(xa.node->reg, bytes_of("XR")));
}

static void who_was_not_pinned_is_unknown(void **state)
{
	struct said p;
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	pin(&xa, &xr);
	p = ask();
	slot(&xa);
	next_job(&xa, OUTBOX_LETTERS, &j);
	assert_int_equal(receive_at(&xr, buf_bytes(&j.body), xa.tls, &reply, &why), 200);
	answered(&xa, &j, 200, buf_bytes(&reply)); /* to nobody: XR cannot name who wrote */
	outbox_job_release(&j);
	assert_int_equal(rows(&xr, QUERY_request_list), 0);
	assert_state(&xa, &p.id, SENT);
	/* Once they have talked on the telephone, the same letter arrives. */
	pin(&xr, &xa);
	the_time += 60000;
	assert_true(carry_one(&xa, &xr));
	assert_state(&xa, &p.id, DELIVERED);
}

static void without_a_trust_root_no_bundle_is_taken(void **state)
{
	size_t entries;

	IN_REFUSED(&xa, directory_take(xa.node, bytes_of("{}"), &entries, NULL, e), REASON_ROOT_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(two_homes_that_pinned_each_other_play_a_request),
		CLAIM(a_pin_stays_over_a_restart),
		CLAIM(who_was_not_pinned_is_unknown),
		CLAIM(without_a_trust_root_no_bundle_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
