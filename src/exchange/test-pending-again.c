/* A debt that is open stays open until it is paid, and ends when it is: whatever was restored, erased or replaced meanwhile. */
#include "exchange/test-pending.h"

#include "exchange/test-erasing.h"

static struct said goes_pending(void)
{
	struct said s = say_request(&w.xa, "XR");

	miss();
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	return s;
}

/* Ruritania took the full proof, and lost both with a day of its store: the letter goes pending a second time. */
static void a_letter_that_goes_pending_again_is_owed_again(void **state)
{
	back_up(&w.xr);
	goes_pending();
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xa, "ours"), 0);
	all_dead(true);
	the_time += DAY_MS; /* and the proof is too old by now */
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	miss();
	restore(&w.xr);
	take_register(&w, &w.xr);
	recover(&w.xr, NULL);
	while (ask_one(&w.xr))
		;
	assert_false(carry_kept(&w.xa, &w.xr)); /* what Ruritania's witness signed yesterday is too old as well */
	cosigned_slot(&w.xa);
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	assert_int_equal(pending(&w.xa, "ours"), 1);
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 0);
	assert_int_equal(pending(&w.xa, "ours"), 0);
}

/* Who approved the letter has left since; the proof is about the log, and holds up nothing behind it. */
static void a_full_proof_is_taken_although_people_have_changed(void **state)
{
	goes_pending();
	sign_key_free(w.xa.person[ILSE]);
	w.xa.person[ILSE] = sign_key_new();
	home_close(&w.xa);
	home_write(&w.xa);
	home_open(&w.xa);
	admit(&w, &w.xa);
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	met_again();
	assert_true(carry_proofs(&w.xa, &w.xr));
	assert_int_equal(pending(&w.xr, "theirs"), 0);
	assert_int_equal(pending(&w.xa, "ours"), 0);
}

/* Erased, it waits for no proof any more; what had come of one is gone too. */
static void an_erased_letter_waits_for_no_proof(void **state)
{
	struct said s = goes_pending();
	json_t *body = body_about("answer", &s.id);
	AUTO_BUF proof = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	met_again();
	json_put_text(body, "outcome", "withdrawn");
	json_put_text(body, "hold_until", "");
	json_put(body, "conditions", json_array());
	say(&w.xa, "answer", "XR", &s.id, body, ILSE, ILSE);
	for (int i = 0; i < 3; i++) {
		cosigned_slot(&w.xa);
		slot(&w.xr);
		carry_kept(&w.xa, &w.xr);
		/* Ruritania's proofs arrive, Arcadia's are lost on their way. */
		carry_proofs(&w.xr, &w.xa);
	}
	assert_state(&w.xr, &s.id, WITHDRAWN);
	assert_int_equal(pending(&w.xr, "theirs"), 1);
	erased_at(&w.xr, "XA", &s.id);
	assert_int_equal(pending(&w.xr, "theirs"), 0);
	assert_ok(pending_proof_of(w.xr.node, s.hash, &proof, e));
	assert_int_equal(proof.len, 0);
	the_time += DAY_MS + 1;
	assert_int_equal(pending(&w.xr, "overdue"), 0);
	carry_proofs(&w.xa, &w.xr);
	assert_int_equal(pending(&w.xa, "ours"), 0);
}

/* A letter whose proof has become too old would be rejected, and that would be its end: it waits for a fresh one. */
static void what_was_proved_too_long_ago_waits_for_a_fresh_proof(void **state)
{
	struct said d = say_stored_data(&w.xa, "XR", NULL);

	cosigned_slot(&w.xa);
	all_dead(true);
	the_time += DAY_MS;
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	cosigned_slot(&w.xa);
	assert_false(carry_kept(&w.xa, &w.xr));
	assert_false(receipt_at(&w.xa, d.hash).found);
	all_dead(false);
	the_time += 20000;
	cosigned_slot(&w.xa);
	assert_true(carry_kept(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, d.hash).outcome, "received");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, witnessed, witnessed_end)
		CLAIM(a_letter_that_goes_pending_again_is_owed_again),
		CLAIM(a_full_proof_is_taken_although_people_have_changed),
		CLAIM(what_was_proved_too_long_ago_waits_for_a_fresh_proof),
		CLAIM(an_erased_letter_waits_for_no_proof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
