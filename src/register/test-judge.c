/* One true act, and then for each reason why an act can be untrue, the one change that makes it so. */
#include "register/test-judge.h"

static void believes_a_true_act(void **state)
{
	struct checkpoint_cache *cache = checkpoint_cache_new();
	struct judgement j = { 0 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	good(&a);
	act = parsed(&a);
	for (int i = 0; i < 2; i++) { /* the second time from the cache */
		j = (struct judgement){ 0 };
		assert_true(judge_act(act, reg, FX_NOW, cache, &j, NULL));
		assert_string_equal(j.sender->code, "XA");
		assert_string_equal(j.checkpoint.origin, xa.log.vkey.name);
		assert_int_equal(j.checkpoint.size, xa.log.n);
		assert_int_equal(j.index, a.index);
	}
	checkpoint_cache_free(cache);
	fx_act_release(&a);
}

static void believes_a_receipt_without_a_leaf(void **state)
{
	json_t *body = json_object();
	uint8_t letter[SHA256_BYTES] = { 1 };
	struct judgement j = { .index = 9 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	json_put_hex(body, "letter", BYTES_ARRAY(letter));
	json_put_text(body, "outcome", "rejected");
	json_put_text(body, "pair_head", "");
	json_put_int(body, "pair_n", 0);
	json_put_text(body, "reason", "stale-register");
	json_put_text(body, "other_channel", "+00 1 555 0101");
	for (size_t i = 0; i < 6; i++)
		json_put_text(body, (const char *const[]){ "id", "leaf", "proof_due", "statement", "tag", "text" }[i], "");
	fx_sign(&(struct fx_draft){ "receipt", "XA", "XR", body, false }, xa.key, &a);
	act = parsed(&a);
	assert_true(judge_act(act, reg, FX_NOW, NULL, &j, NULL));
	assert_int_equal(j.checkpoint.size, 0);
	assert_int_equal(j.index, 0);
	fx_act_release(&a);
}

static void unknown_key_when_the_party_is_not_in_the_register(void **state)
{
	struct fx_act a;

	draft(&a, "XL", xa.key);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_UNKNOWN_KEY);
}

static void unsigned_when_another_key_signed(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xr.key);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_UNSIGNED);
}

/* Rewrites the envelope with these signatures. */
static void resign(struct fx_act *a, const struct envelope_signature *sigs, size_t n)
{
	AUTO_ENVELOPE env = { 0 };

	assert_true(envelope_parse(buf_bytes(&a->envelope), &env, NULL));
	buf_clear(&a->envelope);
	assert_true(envelope_write_of(bytes_of(env.type), buf_bytes(&env.payload), sigs, n, &a->envelope, NULL));
}

static struct envelope_signature signature_of(const struct fx_act *a)
{
	AUTO_ENVELOPE env = { 0 };

	assert_true(envelope_parse(buf_bytes(&a->envelope), &env, NULL));
	return env.signatures[0];
}

static void bad_signature_when_one_bit_differs(void **state)
{
	struct envelope_signature s;
	struct fx_act a;

	good(&a);
	s = signature_of(&a);
	s.sig[3] ^= 1;
	resign(&a, &s, 1);
	assert_int_equal(judged(&a), REASON_BAD_SIGNATURE);
}

static void bad_signature_when_there_are_two(void **state)
{
	struct envelope_signature s[2];
	struct fx_act a;

	good(&a);
	s[0] = s[1] = signature_of(&a);
	resign(&a, s, 2);
	assert_int_equal(judged(&a), REASON_BAD_SIGNATURE);
}

static void keyid_is_only_a_hint(void **state)
{
	struct envelope_signature s;
	struct fx_act a;

	good(&a);
	s = signature_of(&a);
	memset(s.keyid, '0', KEY_ID_LEN);
	resign(&a, &s, 1);
	assert_int_equal(judged(&a), REASON_NONE);
}

static void key_not_valid_when_it_has_expired(void **state)
{
	struct fx_act a;

	xa.party.keys[0].until = FX_NOW + 1000;
	pin_both();
	good(&a);
	assert_int_equal(judged_at(&a, FX_NOW + 999), REASON_NONE);
	good(&a);
	assert_int_equal(judged_at(&a, FX_NOW + 1000), REASON_KEY_NOT_VALID);
}

static void key_not_valid_before_its_time(void **state)
{
	struct fx_act a;

	good(&a);
	assert_int_equal(judged_at(&a, xa.party.keys[0].from - 1), REASON_KEY_NOT_VALID);
}

static void key_not_valid_from_its_compromise_on(void **state)
{
	struct fx_act a;

	xa.party.keys[0].compromised = FX_NOW + 500;
	pin_both();
	good(&a);
	assert_int_equal(judged_at(&a, FX_NOW + 499), REASON_NONE);
	good(&a);
	assert_int_equal(judged_at(&a, FX_NOW + 500), REASON_KEY_NOT_VALID);
}

/* --- leaf and proof -------------------------------------------------------------------------------- */

static void leaf_mismatch_for_another_opening_or_secret(void **state)
{
	struct fx_act a;

	good(&a);
	a.opening[0] ^= 1;
	assert_int_equal(judged(&a), REASON_LEAF_MISMATCH);
	good(&a);
	a.x[31] ^= 1;
	assert_int_equal(judged(&a), REASON_LEAF_MISMATCH);
}

/* The class record says something else than the statement: class, basis, week, exercise. */
static void leaf_mismatch_for_another_class_record(void **state)
{
	for (int what = 0; what < 4; what++) {
		struct fx_act a;

		draft(&a, "XA", xa.key);
		fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
		if (what == 0)
			a.act_class.act_class = bytes_of("answer");
		else if (what == 1)
			a.act_class.basis = bytes_of("pilot");
		else if (what == 2)
			a.act_class.week = bytes_of("2026-W49");
		else
			a.act_class.exercise = !a.act_class.exercise;
		log_it(&a);
		assert_int_equal(judged(&a), REASON_LEAF_MISMATCH);
	}
}

static void leaf_mismatch_for_a_leaf_of_the_receivers_side(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	leaf_write(a.hash, &a.act_class, a.opening, a.x, LEAF_IN, a.leaf);
	a.index = fx_append(&xa.log, BYTES_ARRAY(a.leaf));
	fx_prove(&a, &xa.log);
	assert_int_equal(judged(&a), REASON_LEAF_MISMATCH);
}

static void unlogged_without_proof_or_leaf(void **state)
{
	struct fx_act a;

	good(&a);
	buf_clear(&a.proof);
	assert_int_equal(judged(&a), REASON_UNLOGGED);
	good(&a);
	buf_clear(&a.proof);
	a.has_leaf = false;
	assert_int_equal(judged(&a), REASON_UNLOGGED);
}

static void bad_proof_from_another_log(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	fx_leaf(&a, &xr.log);
	fx_prove(&a, &xr.log);
	assert_int_equal(judged(&a), REASON_BAD_PROOF);
}

static void bad_proof_when_another_key_signed_the_checkpoint(void **state)
{
	struct fx_log forged = xr.log;
	struct fx_act a;

	good(&a);
	forged.vkey = xa.log.vkey; /* the right origin, the wrong key */
	forged.n = 0;
	a.index = fx_append(&forged, BYTES_ARRAY(a.leaf));
	fx_prove(&a, &forged);
	assert_int_equal(judged(&a), REASON_BAD_PROOF);
}

static void bad_proof_of_another_leaf(void **state)
{
	struct fx_act a;

	good(&a);
	a.index--;
	fx_prove(&a, &xa.log);
	assert_int_equal(judged(&a), REASON_BAD_PROOF);
	good(&a);
	buf_clear(&a.proof);
	buf_add_text(&a.proof, "no proof at all\n");
	assert_int_equal(judged(&a), REASON_BAD_PROOF);
}

/* Signature before approvals, approvals before leaf, leaf before proof: with everything wrong, the
 * first doubt is told. */
static void doubts_are_told_in_order(void **state)
{
	static const enum reason order[] = { REASON_UNKNOWN_KEY, REASON_UNSIGNED, REASON_MISSING_APPROVAL,
					     REASON_LEAF_MISMATCH, REASON_UNLOGGED, REASON_NONE };

	for (int mended = 0; mended < 6; mended++) {
		struct fx_act a;

		draft(&a, mended >= 1 ? "XA" : "XL", mended >= 2 ? xa.key : xr.key);
		if (mended >= 3)
			fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
		xa.log.n = 0;
		log_it(&a);
		if (mended < 4)
			a.opening[0] ^= 1;
		if (mended < 5)
			buf_clear(&a.proof);
		assert_int_equal(judged(&a), order[mended]);
	}
}

static const uint8_t some_hash[SHA256_BYTES] = { 5 };

/* --- the other side ---------------------------------------------------------------------------------- */

static enum reason counterproof_judged(const struct fx_act *a, enum leaf_side side, struct fx_log *l,
				       const uint8_t *hash, const struct party *receiver)
{
	struct counterproof c = { 0 };
	struct judgement j = { 0 };
	uint8_t opening[32], leaf[LEAF_V1_BYTES];
	struct err e = { 0 };
	AUTO_ACT *act = parsed(a);
	AUTO_BUF proof = { 0 }, json = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	buf_init(&json, LETTER_BYTES_MAX);
	chance_fill(opening, sizeof(opening));
	leaf_write(a->hash, &a->act_class, opening, a->x, side, leaf);
	fx_proof(l, fx_append(l, BYTES_ARRAY(leaf)), &proof);
	assert_true(counterproof_write(hash, BYTES_ARRAY(leaf), opening, buf_bytes(&proof), &json, NULL));
	assert_true(counterproof_parse(buf_bytes(&json), &c, NULL));
	if (judge_counterproof(act, &c, reg, receiver, FX_NOW, NULL, &j, &e)) {
		assert_string_equal(j.checkpoint.origin, xr.log.vkey.name);
		assert_ptr_equal(j.sender, receiver);
	}
	counterproof_release(&c);
	return e.reason;
}

static void counterproof_shows_the_act_in_the_receivers_log(void **state)
{
	struct fx_act a;

	good(&a);
	assert_int_equal(counterproof_judged(&a, LEAF_IN, &xr.log, a.hash, &xr.party), REASON_NONE);
	fx_act_release(&a);
}

static void counterproof_is_refused_when_swapped(void **state)
{
	struct fx_act a;

	good(&a);
	/* the sender's leaf, in either log; the receiver's leaf in the sender's log; another statement; another party */
	assert_int_equal(counterproof_judged(&a, LEAF_OUT, &xr.log, a.hash, &xr.party), REASON_LEAF_MISMATCH);
	assert_int_equal(counterproof_judged(&a, LEAF_OUT, &xa.log, a.hash, &xr.party), REASON_LEAF_MISMATCH);
	assert_int_equal(counterproof_judged(&a, LEAF_IN, &xa.log, a.hash, &xr.party), REASON_BAD_PROOF);
	assert_int_equal(counterproof_judged(&a, LEAF_IN, &xr.log, some_hash, &xr.party), REASON_LEAF_MISMATCH);
	assert_int_equal(counterproof_judged(&a, LEAF_IN, &xa.log, a.hash, &xa.party), REASON_WRONG_PARTY);
	fx_act_release(&a);
}

static void counterproof_without_proof_is_unlogged(void **state)
{
	uint8_t leaf[LEAF_V1_BYTES];
	struct counterproof c = { 0 };
	struct judgement j;
	struct err e = { 0 };
	struct fx_act a;
	AUTO_ACT *act = NULL;

	good(&a);
	act = parsed(&a);
	judge_leaf(act->statement, act->opening, act->x, true, leaf);
	memcpy(c.hash, a.hash, SHA256_BYTES);
	memcpy(c.opening, a.opening, 32);
	c.leaf = BYTES_ARRAY(leaf);
	assert_false(judge_counterproof(act, &c, reg, &xr.party, FX_NOW, NULL, &j, &e));
	assert_int_equal(e.reason, REASON_UNLOGGED);
	fx_act_release(&a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		T(believes_a_true_act),
		T(believes_a_receipt_without_a_leaf),
		T(unknown_key_when_the_party_is_not_in_the_register),
		T(unsigned_when_another_key_signed),
		T(bad_signature_when_one_bit_differs),
		T(bad_signature_when_there_are_two),
		T(keyid_is_only_a_hint),
		T(key_not_valid_when_it_has_expired),
		T(key_not_valid_before_its_time),
		T(key_not_valid_from_its_compromise_on),
		T(leaf_mismatch_for_another_opening_or_secret),
		T(leaf_mismatch_for_another_class_record),
		T(leaf_mismatch_for_a_leaf_of_the_receivers_side),
		T(unlogged_without_proof_or_leaf),
		T(bad_proof_from_another_log),
		T(bad_proof_when_another_key_signed_the_checkpoint),
		T(bad_proof_of_another_leaf),
		T(doubts_are_told_in_order),
		T(counterproof_shows_the_act_in_the_receivers_log),
		T(counterproof_is_refused_when_swapped),
		T(counterproof_without_proof_is_unlogged),
	};
#undef T

	return cmocka_run_group_tests(tests, setup, teardown);
}
