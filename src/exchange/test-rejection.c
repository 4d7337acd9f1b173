/* Every way in which a letter can be wrong has its own reason, and a rejected letter leaves nothing behind but the word
 * that it was rejected: none of its statements, no request, no proof owed, no receipt kept. */
#include "exchange/test-forge.h"

static struct world w;
static struct forged f;
static struct buf sealed;

static int begin(void **state)
{
	world_begin(&w);
	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	return 0;
}

static int end(void **state)
{
	json_decref(f.act);
	buf_release(&sealed);
	world_end(&w);
	return 0;
}

static void seal_act(void)
{
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
}

static void signed_by_two(void)
{
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
}

#define REJECTED(wanted) rejected_as(&w.xr, buf_bytes(&sealed), w.xa.tls, REASON_##wanted, "XA", &f.id, __LINE__)

/* --- in order, and again --------------------------------------------------------------------------------------------- */

static void what_is_in_order_is_received_once(void **state)
{
	struct verdict first, again;
	struct stand before, after;

	signed_by_two();
	seal_act();
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &first);
	assert_int_equal(first.reason, REASON_NONE);
	before = stand_of(&w.xr);
	assert_int_equal(before.requests, 1);
	/* The same statement again, sealed anew an hour later: the first receipt, byte for byte. */
	the_time += 3600000;
	seal_act();
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &again);
	assert_true(bytes_equal(buf_bytes(&first.envelope), buf_bytes(&again.envelope)));
	after = stand_of(&w.xr);
	assert_memory_equal(&before, &after, sizeof(before));
	buf_release(&first.envelope);
	buf_release(&again.envelope);
}

static void another_statement_with_the_same_id_is_a_replay(void **state)
{
	struct verdict first;
	char id[ID_TEXT_LEN + 1];

	signed_by_two();
	seal_act();
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &first);
	assert_int_equal(first.reason, REASON_NONE);
	buf_release(&first.envelope);
	id_write(&f.id, id);
	json_decref(f.act);
	forge(&w.xa, &w.xr, &f);
	json_put_text(f.frame, "id", id);
	json_put_text(f.frame, "case", "XA-2026-18");
	signed_by_two();
	seal_act();
	rejected_as(&w.xr, buf_bytes(&sealed), w.xa.tls, REASON_REPLAYED, "XA", NULL, __LINE__);
}

/* --- signatures and the log -------------------------------------------------------------------------------------------- */

static void an_act_without_proof_is_unlogged(void **state)
{
	signed_by_two();
	json_put_text(f.act, "proof", "");
	seal_act();
	REJECTED(UNLOGGED);
	json_put_text(f.act, "leaf", "");
	json_put_text(f.act, "opening", "");
	json_put_text(f.act, "x", "");
	seal_act();
	struct verdict v;
	struct stand before = stand_of(&w.xr), after;
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	after = stand_of(&w.xr);
	assert_int_not_equal(v.reason, REASON_NONE);
	assert_memory_equal(&before, &after, sizeof(before));
	buf_release(&v.envelope);
}

static void a_proof_of_another_leaf_or_log_is_none(void **state)
{
	struct forged other;
	json_t *proof;

	signed_by_two();
	forge(&w.xa, &w.xr, &other);
	forge_sign(&w.xa, &w.xa, &other, BY_TWO);
	proof = json_incref(json_object_get(other.act, "proof"));
	json_put(f.act, "proof", proof);
	seal_act();
	REJECTED(BAD_PROOF);
	json_decref(other.act);
	forge(&w.xl, &w.xr, &other); /* proved, but by the log of Laurania */
	forge_sign(&w.xl, &w.xl, &other, BY_TWO);
	proof = json_incref(json_object_get(other.act, "proof"));
	json_put(f.act, "proof", proof);
	seal_act();
	REJECTED(BAD_PROOF);
	json_decref(other.act);
}

static void a_statement_signed_by_nobody_we_know_is_unsigned(void **state)
{
	f.key = w.xl.sign;
	signed_by_two();
	seal_act();
	REJECTED(UNSIGNED);
}

static void a_changed_signature_is_a_bad_one(void **state)
{
	json_t *sig;
	char *text;

	signed_by_two();
	sig = json_array_get(json_object_get(json_object_get(f.act, "envelope"), "signatures"), 0);
	text = strdup(json_text(sig, "sig"));
	text[5] = text[5] == 'A' ? 'B' : 'A';
	json_put_text(sig, "sig", text);
	free(text);
	seal_act();
	REJECTED(BAD_SIGNATURE);
}

static void a_leaf_that_does_not_open_is_a_mismatch(void **state)
{
	static const char *const members[] = { "opening", "x" };

	signed_by_two();
	for (size_t i = 0; i < 2; i++) {
		json_t *good = json_incref(json_object_get(f.act, members[i]));
		json_put_text(f.act, members[i], SAMPLE_HASH);
		seal_act();
		REJECTED(LEAF_MISMATCH);
		json_put(f.act, members[i], good);
	}
}

/* --- parties ------------------------------------------------------------------------------------------------------------- */

static void a_letter_brought_by_another_is_of_the_wrong_party(void **state)
{
	signed_by_two();
	seal_act();
	rejected_as(&w.xr, buf_bytes(&sealed), w.xl.tls, REASON_WRONG_PARTY, "XA", &f.id, __LINE__);
}

static void a_statement_of_another_in_a_letter_of_ours_is_of_the_wrong_party(void **state)
{
	struct forged other;

	forge(&w.xl, &w.xr, &other);
	forge_sign(&w.xl, &w.xl, &other, BY_TWO);
	seal_letter("XA", "XR", &other.act, 1, &w.xr, &sealed);
	rejected_as(&w.xr, buf_bytes(&sealed), w.xa.tls, REASON_WRONG_PARTY, "XL", &other.id, __LINE__);
	json_decref(other.act);
	json_decref(f.frame);
}

static void what_was_said_to_another_is_re_addressed(void **state)
{
	json_put_text(f.frame, "to", "XL");
	signed_by_two();
	seal_act(); /* to XR, by the letter */
	REJECTED(RE_ADDRESSED);
	seal_letter("XA", "XL", &f.act, 1, &w.xr, &sealed); /* to XL, but sealed to XR */
	REJECTED(RE_ADDRESSED);
}

static void what_is_sealed_to_another_cannot_be_opened(void **state)
{
	signed_by_two();
	seal_letter("XA", "XR", &f.act, 1, &w.xl, &sealed);
	REJECTED(NOT_SEALED_TO_US);
}

static void a_party_that_the_register_does_not_have_is_unknown(void **state)
{
	json_put_text(f.frame, "from", "XQ");
	signed_by_two();
	seal_letter("XQ", "XR", &f.act, 1, &w.xr, &sealed);
	rejected_as(&w.xr, buf_bytes(&sealed), NULL, REASON_UNKNOWN_KEY, "XQ", &f.id, __LINE__);
}

/* --- time and exercise ----------------------------------------------------------------------------------------------------- */

static void a_statement_from_the_future_is_rejected(void **state)
{
	/* It takes a slot until it is logged; the clocks may differ by a minute. */
	json_put_time(f.frame, "time", the_time + SLOT_MS + 60001);
	signed_by_two();
	seal_act();
	REJECTED(CLOCK_OFF);
	the_time += 1;
	struct verdict v;
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_NONE);
	buf_release(&v.envelope);
}

static void a_sender_with_an_old_register_is_rejected(void **state)
{
	json_put_time(json_object_get(f.frame, "register"), "time", the_time - 30 * DAY_MS - 1);
	signed_by_two();
	seal_act();
	REJECTED(STALE_REGISTER);
}

static void an_exercise_is_rejected_by_a_live_node(void **state)
{
	json_put_bool(f.frame, "exercise", true);
	signed_by_two();
	seal_act();
	REJECTED(EXERCISE_IN_LIVE);
}

/* --- people and law ----------------------------------------------------------------------------------------------------------- */

static void an_approval_that_is_missing_is_missed(void **state)
{
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ RANA }, 1);
	seal_act();
	REJECTED(MISSING_APPROVAL);
}

static void the_case_officer_approves_nothing_of_the_own(void **state)
{
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ RANA, ADA }, 2);
	seal_act();
	REJECTED(BAD_APPROVAL);
}

static void people_of_another_party_approve_nothing(void **state)
{
	forge_sign(&w.xa, &w.xl, &f, BY_TWO); /* the same names, other keys */
	seal_act();
	REJECTED(BAD_APPROVAL);
}

static void a_lesser_offence_is_rejected_on_arrival_too(void **state)
{
	json_t *offence = json_object_get(json_object_get(f.frame, "body"), "offence");

	json_put_text(offence, "code", "");
	json_put_text(offence, "title", "insult");
	json_put(offence, "elements", json_array());
	json_put_int(offence, "max_penalty_years", 1);
	signed_by_two();
	seal_act();
	REJECTED(BELOW_THRESHOLD);
}

/* --- acts in support and answers ------------------------------------------------------------------------------------------------ */

static void an_act_of_another_party_supports_nothing(void **state)
{
	struct forged other;

	signed_by_two();
	forge(&w.xl, &w.xr, &other);
	forge_sign(&w.xl, &w.xl, &other, BY_TWO);
	seal_letter("XA", "XR", (json_t *const[]){ f.act, other.act }, 2, &w.xr, &sealed);
	REJECTED(WRONG_PARTY);
	json_decref(other.act);
}

static void only_custody_that_an_exhibit_names_travels_in_support(void **state)
{
	struct forged other;

	signed_by_two();
	forge(&w.xa, &w.xr, &other);
	forge_sign(&w.xa, &w.xa, &other, BY_TWO);
	seal_letter("XA", "XR", (json_t *const[]){ f.act, other.act }, 2, &w.xr, &sealed);
	REJECTED(BAD_CUSTODY);
	json_decref(other.act);
}

static void only_who_is_asked_answers(void **state)
{
	struct said p = say_request(&w.xl, "XR");

	json_decref(f.frame);
	settle(&w.xl, &w.xr);
	/* Arcadia has no part in it; nor may Laurania answer itself. */
	f.frame = frame_of(&w.xa, "XR", "answer", body_about("answer", &p.id));
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ ILSE }, 1);
	seal_act();
	REJECTED(WRONG_PARTY);
	json_decref(f.act);
	f.key = w.xl.sign;
	f.frame = frame_of(&w.xl, "XR", "answer", body_about("answer", &p.id));
	forge_sign(&w.xl, &w.xl, &f, (const enum person[]){ ILSE }, 1);
	seal_letter("XL", "XR", &f.act, 1, &w.xr, &sealed);
	rejected_as(&w.xr, buf_bytes(&sealed), w.xl.tls, REASON_WRONG_PARTY, "XL", &f.id, __LINE__);
}

static void an_answer_to_nothing_is_not_found(void **state)
{
	struct id none = { { 9 } };

	json_decref(f.frame);
	f.frame = frame_of(&w.xa, "XR", "answer", body_about("answer", &none));
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ ILSE }, 1);
	seal_act();
	REJECTED(NOT_FOUND);
}

static void what_the_table_does_not_allow_is_the_wrong_state(void **state)
{
	struct said p = say_request(&w.xr, "XA"); /* Ruritania asks; Arcadia accepts before anybody acknowledged */

	json_decref(f.frame);
	settle(&w.xa, &w.xr);
	f.frame = frame_of(&w.xa, "XR", "answer", body_about("answer", &p.id));
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ ILSE }, 1);
	seal_act();
	REJECTED(WRONG_STATE);
	assert_state(&w.xr, &p.id, DELIVERED);
}

static void a_receipt_is_no_letter(void **state)
{
	json_decref(f.frame);
	f.frame = frame_of(&w.xa, "XR", "receipt", sample_body("receipt"));
	signed_by_two();
	json_put(f.act, "approvals", json_array());
	json_put_text(f.act, "leaf", "");
	json_put_text(f.act, "opening", "");
	json_put_text(f.act, "proof", "");
	json_put_text(f.act, "x", "");
	seal_act();
	REJECTED(UNKNOWN_KIND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(what_is_in_order_is_received_once),
		CLAIM(another_statement_with_the_same_id_is_a_replay),
		CLAIM(an_act_without_proof_is_unlogged),
		CLAIM(a_proof_of_another_leaf_or_log_is_none),
		CLAIM(a_statement_signed_by_nobody_we_know_is_unsigned),
		CLAIM(a_changed_signature_is_a_bad_one),
		CLAIM(a_leaf_that_does_not_open_is_a_mismatch),
		CLAIM(a_letter_brought_by_another_is_of_the_wrong_party),
		CLAIM(a_statement_of_another_in_a_letter_of_ours_is_of_the_wrong_party),
		CLAIM(what_was_said_to_another_is_re_addressed),
		CLAIM(what_is_sealed_to_another_cannot_be_opened),
		CLAIM(a_party_that_the_register_does_not_have_is_unknown),
		CLAIM(a_statement_from_the_future_is_rejected),
		CLAIM(a_sender_with_an_old_register_is_rejected),
		CLAIM(an_exercise_is_rejected_by_a_live_node),
		CLAIM(an_approval_that_is_missing_is_missed),
		CLAIM(the_case_officer_approves_nothing_of_the_own),
		CLAIM(people_of_another_party_approve_nothing),
		CLAIM(a_lesser_offence_is_rejected_on_arrival_too),
		CLAIM(an_act_of_another_party_supports_nothing),
		CLAIM(only_custody_that_an_exhibit_names_travels_in_support),
		CLAIM(only_who_is_asked_answers),
		CLAIM(an_answer_to_nothing_is_not_found),
		CLAIM(what_the_table_does_not_allow_is_the_wrong_state),
		CLAIM(a_receipt_is_no_letter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
