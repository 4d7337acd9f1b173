/* A new bundle is taken only when the register's own log is witnessed as the register in use wants it. Register key and
 * log key are in the wrong hands in most of these: everything is signed, and only the witnesses did not see it. */
#include "register/register-internal.h"
#include "register/test-bundle.h"

static struct sign_key *witness[3], *own;
static char policy[2000]; /* two of the three, and the secretariat's own beside them */
static struct fx_home xs;
static struct register_ *in_use;

static void put_witness(struct buf *out, const char *name, const struct sign_key *k)
{
	struct note_key key;

	note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(k), &key);
	buf_add_format(out, "witness %s ", name);
	note_key_write(&key, out);
	buf_add_text(out, "\n");
}

static int begin_all(void **state)
{
	AUTO_BUF text = { 0 };

	bundle_setup(state);
	buf_init(&text, sizeof(policy));
	fx_home_new("XS", "Secretariat", &xs);
	own = sign_key_new();
	for (size_t i = 0; i < 3; i++) {
		char name[] = { 'w', (char)('1' + i), '\0' };

		witness[i] = sign_key_new();
		put_witness(&text, name, witness[i]);
	}
	put_witness(&text, "own", own);
	put_witness(&text, "log", log_of_register.key);
	buf_add_text(&text, "group two 2 w1 w2 w3 own log\nquorum two\n");
	snprintf(policy, sizeof(policy), "%s", buf_text(&text));
	note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(own), &xs.party.witness_key);
	xs.party.has_witness = true;
	xs.party.witness_url = "";
	return 0;
}

static int end_all(void **state)
{
	for (size_t i = 0; i < 3; i++)
		sign_key_free(witness[i]);
	sign_key_free(own);
	fx_home_free(&xs);
	return bundle_teardown(state);
}

static int each(void **state)
{
	in_use = register_new();
	begin();
	add_entry(&xa.party);
	add_entry(&xs.party);
	return 0;
}

static int after(void **state)
{
	register_free(in_use);
	return 0;
}

/* The bundle's checkpoint gets this cosignature. */
static void cosign(const struct sign_key *k, int64_t at_ms)
{
	AUTO_JSON *v = fx_json(buf_bytes(&bundle));
	AUTO_BUF out = { 0 };
	struct note n;

	buf_init(&out, NOTE_BYTES_MAX);
	buf_add_text(&out, json_text(v, "checkpoint"));
	assert_true(note_parse(buf_bytes(&out), &n, NULL));
	AUTO_BUF text = { 0 };
	buf_init(&text, NOTE_BYTES_MAX);
	buf_add(&text, n.text);
	assert_true(cosignature_sign(buf_bytes(&text), "w.example/witness", k, at_ms / 1000, &out, NULL));
	put_member("checkpoint", json_string(buf_text(&out)));
}

/* What a home that uses `in_use` says to the bundle; taken into use when it is good. */
static enum reason offered(void)
{
	struct register_ *r = register_new();
	struct err e = { 0 };

	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	if (register_newer(r, in_use, &e) && register_witnessed(r, in_use, FX_NOW, &e)) {
		register_free(in_use);
		in_use = r;
		assert_int_equal(e.kind, ERR_NONE);
	} else {
		assert_string_not_equal(e.text, "");
		register_free(r);
	}
	return e.reason;
}

static void next(void)
{
	parts.time++;
	fx_append(&log_of_register, bytes_of("one more leaf"));
	for (size_t i = 0; i < parts.entry_count; i++)
		buf_release(&parts.entries[i].proof);
	finish();
}

/* A register with the policy, cosigned by two. */
static void in_force(void)
{
	add_policy("XS", policy, FX_NOW - DAY_MS);
	finish();
	cosign(witness[0], FX_NOW);
	cosign(witness[1], FX_NOW);
	assert_int_equal(offered(), REASON_NONE);
}

static void without_a_policy_one_signature_is_enough(void **state)
{
	finish();
	assert_int_equal(offered(), REASON_NONE);
	next();
	assert_int_equal(offered(), REASON_NONE);
	/* The first policy comes with a register that nobody could have cosigned by it. */
	add_policy("XS", policy, FX_NOW - DAY_MS);
	next();
	assert_int_equal(offered(), REASON_NONE);
	next();
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
}

static void the_policy_in_use_decides_about_the_next(void **state)
{
	in_force();
	next();
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
	cosign(witness[0], FX_NOW);
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
	cosign(witness[2], FX_NOW);
	assert_int_equal(offered(), REASON_NONE);
	/* The same again is no new one. */
	assert_int_equal(offered(), REASON_NONE);
}

static void a_thief_of_the_registers_key_cannot_leave_the_policy_out(void **state)
{
	in_force();
	parts.entry_count = 2; /* fx_act of the policy stays for release below */
	parts.policy_count = 0;
	next();
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
	parts.entry_count = 3;
}

static void a_weaker_policy_does_not_excuse_itself(void **state)
{
	in_force();
	add_policy("XS", "quorum none\n", FX_NOW - DAY_MS + 1);
	next();
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
}

static void the_secretariats_own_keys_never_count(void **state)
{
	in_force();
	next();
	cosign(witness[0], FX_NOW);
	cosign(own, FX_NOW);
	cosign(log_of_register.key, FX_NOW);
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
}

static void neither_does_what_is_dated_ahead(void **state)
{
	in_force();
	next();
	cosign(witness[0], FX_NOW);
	cosign(witness[1], FX_NOW + 10 * 60000);
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
}

static void an_old_quorum_carries_no_new_snapshot(void **state)
{
	in_force();
	next(); /* max_age_s 600 */
	cosign(witness[0], FX_NOW - 700000);
	cosign(witness[1], FX_NOW - 700000);
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
	/* With an old snapshot an old quorum is fine: how old that may be is asked elsewhere. */
	register_free(in_use);
	in_use = register_new();
	parts.time = FX_NOW - 700000;
	next();
	cosign(witness[0], FX_NOW - 700000);
	cosign(witness[1], FX_NOW - 700000);
	assert_int_equal(offered(), REASON_NONE);
}

static void the_first_one_is_held_to_its_own_policy(void **state)
{
	add_policy("XS", policy, FX_NOW - DAY_MS);
	finish();
	assert_int_equal(offered(), REASON_UNDER_WITNESSED);
	assert_null(register_root_fingerprint(in_use));
	cosign(witness[0], FX_NOW);
	cosign(witness[1], FX_NOW);
	assert_int_equal(offered(), REASON_NONE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, each, after)
	const struct CMUnitTest tests[] = {
		T(without_a_policy_one_signature_is_enough),
		T(the_policy_in_use_decides_about_the_next),
		T(a_thief_of_the_registers_key_cannot_leave_the_policy_out),
		T(a_weaker_policy_does_not_excuse_itself),
		T(the_secretariats_own_keys_never_count),
		T(neither_does_what_is_dated_ahead),
		T(an_old_quorum_carries_no_new_snapshot),
		T(the_first_one_is_held_to_its_own_policy),
	};
#undef T

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
