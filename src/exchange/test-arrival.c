/* Arrivals as a whole: changed bytes, batches, a register that is behind or too old, a signer that is gone. What
 * cannot be judged now is not lost and leaves nothing half done. */
#include "exchange/test-forge.h"

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

/* --- changed on the way ------------------------------------------------------------------------------------------- */

static void one_changed_byte_anywhere_is_seen(void **state)
{
	struct forged f;
	struct verdict v;
	struct stand before = stand_of(&w.xr), after;
	size_t header = 0;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	assert_ok(age_header_length(buf_bytes(&sealed), &header, e));
	for (size_t i = 0; i < sealed.len; i += i < header + 40 || i + 20 > sealed.len ? 1 : 61) {
		sealed.at[i] ^= 1;
		bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
		if (v.status == 200 && v.reason == REASON_NONE)
			fail_msg("byte %zu was changed and nobody saw", i);
		buf_release(&v.envelope);
		sealed.at[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len += len < header + 40 ? 1 : 199) {
		bring(&w.xr, bytes_from(sealed.at, len), w.xa.tls, &v);
		if (v.status == 200 && v.reason == REASON_NONE)
			fail_msg("cut to %zu bytes and nobody saw", len);
		buf_release(&v.envelope);
	}
	after = stand_of(&w.xr);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_false(receipt_was_kept(&w.xr, "XA", &f.id));
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_NONE);
	buf_release(&v.envelope);
	json_decref(f.act);
}

static void a_batch_has_an_end(void **state)
{
	static const uint8_t length[] = { 0, 0, 0, 9, 'x' };
	struct err why;
	AUTO_BUF many = { 0 }, reply = { 0 };

	buf_init(&many, KIB);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	assert_int_equal(receive_at(&w.xr, bytes_of(""), w.xa.tls, &reply, &why), 400);
	assert_int_equal(receive_at(&w.xr, BYTES_ARRAY(length), w.xa.tls, &reply, &why), 400);
	for (unsigned i = 0; i <= LETTER_BATCH_MAX; i++)
		buf_add_field(&many, bytes_of("x"));
	assert_int_equal(receive_at(&w.xr, buf_bytes(&many), w.xa.tls, &reply, &why), 413);
	assert_int_equal(why.reason, REASON_TOO_LARGE);
}

static void each_letter_of_a_batch_has_its_own_receipt(void **state)
{
	struct said first = say_request(&w.xa, "XR"), second = say_request(&w.xa, "XR");
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 2);
	j.body.at[j.body.len - 1] ^= 1; /* the second is changed on the way */
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	answered(&w.xa, &j, 200, buf_bytes(&reply));
	outbox_job_release(&j);
	assert_state(&w.xa, &first.id, DELIVERED);
	assert_state(&w.xa, &second.id, SENT);
	/* It could not be read, so it is tried again. */
	the_time += 60000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &second.id, DELIVERED);
}

/* --- not now -------------------------------------------------------------------------------------------------------- */

static void a_signer_that_is_gone_leaves_nothing_half_done(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct stand before = stand_of(&w.xr), after;
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	/* Gone for opening (skip 0 calls), then gone for the receipt only. */
	for (int good = 0; good < 2; good++) {
		next_job(&w.xa, OUTBOX_LETTERS, &j);
		w.xr.good_calls = good;
		w.xr.refuse_signing = 1;
		assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 503);
		w.xr.refuse_signing = 0;
		answered(&w.xa, &j, 503, bytes_of(""));
		outbox_job_release(&j);
		after = stand_of(&w.xr);
		assert_memory_equal(&before, &after, sizeof(before));
		the_time += 60000;
	}
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_string_equal(receipt_at(&w.xa, p.hash).reason, "none");
}

/* Arcadia has a new rights reviewer; Ruritania has not heard of her yet. */
static void a_newer_register_is_fetched_before_anybody_is_rejected(void **state)
{
	struct said theirs = say_request(&w.xr, "XA"), ours;
	struct stand before, after;

	settle(&w.xa, &w.xr);
	assert_state(&w.xr, &theirs.id, DELIVERED);
	say_acknowledged(&w.xa, "XR", &theirs.id);
	home_close(&w.xa);
	sign_key_free(w.xa.person[RANA]);
	w.xa.person[RANA] = sign_key_new();
	home_write(&w.xa);
	home_open(&w.xa);
	admit(&w, &w.xa);
	publish(&w);
	take_register(&w, &w.xa);
	ours = say_request(&w.xa, "XR");
	slot(&w.xa);
	slot(&w.xa);
	has_a_source(&w.xr);
	the_time += 4000;
	before = stand_of(&w.xr);
	assert_true(carry_one(&w.xa, &w.xr)); /* both in one batch */
	after = stand_of(&w.xr);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_true(w.xr.node->refresh_wanted);
	assert_state(&w.xr, &theirs.id, DELIVERED);
	assert_state(&w.xa, &ours.id, SENT);
	/* It cannot be reached at first: nobody is rejected for that. */
	w.xr.node->register_asked_ms = the_time;
	the_time += 1000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &ours.id, SENT);
	take_register(&w, &w.xr);
	source_answers(&w.xr);
	the_time += 60000;
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xr, &theirs.id, ACKNOWLEDGED);
	assert_state(&w.xr, &ours.id, RECEIVED);
	assert_state(&w.xa, &ours.id, DELIVERED);
}

static void with_a_register_of_thirty_days_nothing_is_sent_and_nothing_judged(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j, none;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 1);
	the_time += 31 * DAY_MS;
	assert_string_equal(directory_state(w.xa.node), "stale");
	next_job(&w.xa, OUTBOX_LETTERS, &none);
	assert_int_equal(none.count, 0);
	outbox_job_release(&none);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 503);
	assert_int_equal(why.reason, REASON_STALE_REGISTER);
	assert_true(w.xr.node->refresh_wanted);
	answered(&w.xa, &j, 503, bytes_of(""));
	outbox_job_release(&j);
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
}

static void an_older_register_replaces_no_newer_one(void **state)
{
	struct buf old = w.bundle;
	size_t entries;

	buf_init(&w.bundle, REGISTER_BYTES_MAX);
	publish(&w);
	take_register(&w, &w.xa);
	IN_REFUSED(&w.xa, directory_take(w.xa.node, buf_bytes(&old), &entries, NULL, e), REASON_STALE_REGISTER);
	buf_release(&old);
}

/* --- exercise ------------------------------------------------------------------------------------------------------- */

static void in_exercise(struct world *x)
{
	set(&x->xr, CONFIG_exercise, "yes");
}

static int begin_exercise(void **state)
{
	world_begin_with(&w, in_exercise);
	return 0;
}

static void a_node_in_exercise_rejects_real_requests(void **state)
{
	struct said p = say_request(&w.xa, "XR");

	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, p.hash).reason, "live-in-exercise");
	assert_state(&w.xa, &p.id, REJECTED);
	assert_int_equal(rows(&w.xr, QUERY_request_list), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(one_changed_byte_anywhere_is_seen),
		CLAIM(a_batch_has_an_end),
		CLAIM(each_letter_of_a_batch_has_its_own_receipt),
		CLAIM(a_signer_that_is_gone_leaves_nothing_half_done),
		CLAIM(a_newer_register_is_fetched_before_anybody_is_rejected),
		CLAIM(with_a_register_of_thirty_days_nothing_is_sent_and_nothing_judged),
		CLAIM(an_older_register_replaces_no_newer_one),
		cmocka_unit_test_setup_teardown(a_node_in_exercise_rejects_real_requests, begin_exercise, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
