/* Bundles: what a register holds after one, which entries are left out, and one bundle after another. */
#include "register/test-bundle.h"

/* --- a true bundle ------------------------------------------------------------------------------------ */

static void believes_a_true_bundle(void **state)
{
	struct register_ *r = register_new();
	const struct party *p;

	begin();
	add_entry(&xr.party);
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_string_equal(buf_text(&problems), "");
	assert_int_equal(register_count(r), 2);
	assert_string_equal(register_at(r, 0)->code, "XA"); /* in order of code */
	assert_string_equal(register_at(r, 1)->code, "XR");
	assert_null(register_at(r, 2));
	p = register_party(r, bytes_of("XA"));
	assert_ptr_equal(p, register_at(r, 0));
	assert_false(p->pinned);
	assert_memory_equal(p->entry_hash, parts.entries[1].hash, SHA256_BYTES);
	assert_null(register_party(r, bytes_of("XL")));
	assert_ptr_equal(register_party_by_tls(r, xr.party.tls_spki), register_at(r, 1));
	assert_null(register_party_by_tls(r, xl.party.tls_spki));
	assert_string_equal(register_origin(r), log_of_register.vkey.name);
	assert_int_equal(register_size(r), 3);
	assert_int_equal(register_time(r), FX_NOW);
	assert_memory_equal(register_root_fingerprint(r), fingerprint, SHA256_BYTES);
	register_free(r);
}

static void without_a_fingerprint_the_first_root_is_believed(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded(r, NO_ROOT), REASON_NONE);
	assert_memory_equal(register_root_fingerprint(r), fingerprint, SHA256_BYTES);
	register_free(r);
}

static void in_force_only_when_it_is_for_both(void **state)
{
	struct register_ *r = register_new();
	struct party late = xr.party;

	begin();
	late.in_force_from = FX_NOW;
	add_entry(&xa.party);
	add_entry(&late);
	late = xl.party;
	late.in_force_from = 0;
	add_entry(&late);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_true(register_in_force(r, bytes_of("XA"), bytes_of("XR"), FX_NOW));
	assert_false(register_in_force(r, bytes_of("XA"), bytes_of("XR"), FX_NOW - 1));
	assert_false(register_in_force(r, bytes_of("XA"), bytes_of("XL"), FX_NOW));
	assert_false(register_in_force(r, bytes_of("XS"), bytes_of("XA"), FX_NOW));
	register_free(r);
}

/* --- entries one by one ------------------------------------------------------------------------------- */

static void tells_of_a_listed_entry_that_is_missing(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	memset(parts.listed[parts.listed_count++], 0xab, SHA256_BYTES);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	assert_int_equal(problem_count(), 1);
	assert_true(told("abababab"));
	assert_int_equal(register_missing(r), 1);
	assert_false(register_left_out(r, bytes_of("XA")));
	register_free(r);
}

/* What is listed and there, but false, is no less missing. */
static void a_false_entry_is_a_missing_one(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	add_entry(&xr.party)->opening[0] ^= 1;
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_missing(r), 1);
	assert_true(register_left_out(r, bytes_of("XR")));
	assert_false(register_left_out(r, bytes_of("XA")));
	register_free(r);
}

/* Loads a bundle of XA as it should be and XR with something wrong, and expects XA alone. */
static void leaves_out_xr(const char *words)
{
	struct register_ *r = register_new();

	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	assert_non_null(register_party(r, bytes_of("XA")));
	if (!told(words))
		fail_msg("not told \"%s\": %s", words, buf_text(&problems));
	register_free(r);
}

static void leaves_out_an_entry_that_is_not_listed(void **state)
{
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	parts.listed_count--;
	leaves_out_xr("(XR): the snapshot does not list it");
}

static void leaves_out_an_entry_that_is_not_under_the_checkpoint(void **state)
{
	struct fx_log elsewhere = log_of_register;
	struct fx_act *a;

	begin();
	add_entry(&xa.party);
	a = add_entry(&xr.party);
	elsewhere.n = 0; /* another tree, signed by the same key */
	a->index = fx_append(&elsewhere, BYTES_ARRAY(a->leaf));
	fx_prove(a, &elsewhere);
	leaves_out_xr("under another checkpoint");

	begin();
	add_entry(&xa.party);
	a = add_entry(&xr.party);
	a->index = 0; /* the earlier leaf's path */
	leaves_out_xr("entry 2 (XR)");
}

static void leaves_out_an_entry_without_proof(void **state)
{
	begin();
	add_entry(&xa.party);
	buf_add_text(&add_entry(&xr.party)->proof, "\n");
	leaves_out_xr("entry 2 (XR)");
}

static void leaves_out_an_entry_whose_leaf_does_not_rebuild(void **state)
{
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party)->opening[0] ^= 1;
	leaves_out_xr("(XR): its leaf does not rebuild");
}

static void leaves_out_an_entry_that_the_party_signed_itself(void **state)
{
	struct fx_act *a = &parts.entries[1];

	begin();
	add_entry(&xa.party);
	fx_entry(&xr.party, "XR", xr.key, &log_of_register, a);
	memcpy(parts.listed[parts.listed_count++], a->hash, SHA256_BYTES);
	parts.entry_count++;
	leaves_out_xr("(XR): it is not signed by the register's key");
}

static void leaves_out_an_act_of_another_kind(void **state)
{
	json_t *body = json_object();
	struct fx_act *a = &parts.entries[1];

	begin();
	add_entry(&xa.party);
	json_put_int(body, "attempt", 1);
	json_put_text(body, "officer", "Omar Reed");
	json_put_text(body, "request", "00112233445566778899aabbccddeeff");
	json_put_text(body, "text", "");
	fx_sign(&(struct fx_draft){ "page", "XS", "XS", body, false }, register_key, a);
	fx_leaf(a, &log_of_register);
	memcpy(parts.listed[parts.listed_count++], a->hash, SHA256_BYTES);
	parts.entry_count++;
	leaves_out_xr("it is a page");
}

/* Whichever byte of the entry it is: XA stays, XR is never there with other words than were signed. */
static void leaves_out_an_entry_with_one_changed_byte(void **state)
{
	size_t from, len, left_out = 0, tried = 0;
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	finish();
	fx_write(&parts.entries[1], &act);
	from = (size_t)((const uint8_t *)memmem(bundle.at, bundle.len, act.at, act.len) - bundle.at);
	len = act.len;
	for (size_t i = 0; i < len; i += 7) {
		struct register_ *r = register_new();
		enum reason why;

		bundle.at[from + i] ^= 1;
		why = loaded(r, fingerprint);
		/* Where the byte was part of the JSON's own form, the bundle as a whole is no bundle. */
		assert_true(why == REASON_BAD_REGISTER || why == REASON_NONE);
		if (why == REASON_NONE) {
			assert_non_null(register_party(r, bytes_of("XA")));
			left_out += register_party(r, bytes_of("XR")) == NULL && problem_count() > 0;
			tried++;
		}
		register_free(r);
		bundle.at[from + i] ^= 1;
	}
	assert_true(tried > len / 14);
	/* keyid is a hint that nobody relies on: 32 characters may change. */
	assert_in_range(tried - left_out, 0, 32 / 7 + 1);
}

static void leaves_out_the_second_copy_of_an_entry(void **state)
{
	struct register_ *r = register_new();
	AUTO_JSON *v = NULL;
	json_t *list;

	begin();
	add_entry(&xa.party);
	finish();
	v = fx_json(buf_bytes(&bundle));
	list = json_incref(json_object_get(v, "entries"));
	assert_int_equal(json_array_append(list, json_array_get(list, 0)), 0);
	put_member("entries", list);
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	assert_true(told("entry 2 (XA): it stands in the bundle twice"));
	register_free(r);
}

/* --- between entries -------------------------------------------------------------------------------- */

static void leaves_out_both_entries_of_one_party(void **state)
{
	struct register_ *r = register_new();
	struct party again = xr.party;

	begin();
	again.phone = "+00 1 555 0999";
	add_entry(&xr.party);
	add_entry(&xa.party);
	add_entry(&again);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	assert_non_null(register_party(r, bytes_of("XA")));
	assert_true(told("XR: the bundle has two entries for this party"));
	register_free(r);
}

static void leaves_out_both_parties_that_share_a_key(void **state)
{
	static const char *const what[] = { "TLS pin", "signing key", "log key", "sealing key", "approver's key",
					    "signing key" };

	for (int i = 0; i < 6; i++) {
		struct register_ *r = register_new();
		struct party p = xr.party;

		if (i == 0)
			memcpy(p.tls_spki, xa.party.tls_spki, SHA256_BYTES);
		else if (i == 1)
			memcpy(p.keys[0].key, xa.party.keys[0].key, SIGN_PUBLIC_BYTES);
		else if (i == 2)
			note_key_make("log.other.example", NOTE_ED25519, xa.log.vkey.public_key, &p.log_key);
		else if (i == 3)
			p.seal = xa.party.seal;
		else if (i == 4)
			memcpy(p.approvers[2].key, xa.party.approvers[1].key, SIGN_PUBLIC_BYTES);
		else /* one party's approver is the other's node */
			memcpy(p.keys[0].key, xa.party.approvers[1].key, SIGN_PUBLIC_BYTES);
		begin();
		add_entry(&xa.party);
		add_entry(&xl.party);
		add_entry(&p);
		finish();
		assert_int_equal(loaded(r, fingerprint), REASON_NONE);
		assert_int_equal(register_count(r), 1);
		assert_non_null(register_party(r, bytes_of("XL")));
		assert_int_equal(problem_count(), 2);
		assert_true(told("XA: its ") && told("XR: its ") && told(what[i]));
		register_free(r);
	}
}

/* --- one bundle after another ----------------------------------------------------------------------- */

static void an_older_bundle_never_replaces_a_newer_one(void **state)
{
	struct register_ *r = register_new(), *old = register_new();
	AUTO_BUF older = { 0 };

	buf_init(&older, REGISTER_BYTES_MAX);
	begin();
	add_entry(&xr.party);
	finish();
	buf_add(&older, buf_bytes(&bundle));
	assert_int_equal(loaded(old, fingerprint), REASON_NONE);
	add_entry(&xa.party);
	parts.time += 1000;
	buf_clear(&parts.entries[0].proof);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	/* Whoever keeps two registers can tell which is older ... */
	assert_true(register_size(old) < register_size(r) && register_time(old) < register_time(r));
	/* ... and one register does not go back. */
	buf_clear(&bundle);
	buf_add(&bundle, buf_bytes(&older));
	assert_int_equal(loaded(r, fingerprint), REASON_BAD_REGISTER);
	assert_int_equal(register_count(r), 2);
	assert_int_equal(register_size(r), 3);
	register_free(r);
	register_free(old);
}

static void the_same_again_is_fine_and_an_earlier_time_is_not(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	parts.time--;
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_BAD_REGISTER);
	assert_int_equal(register_time(r), FX_NOW);
	register_free(r);
}

static void a_newer_bundle_replaces_what_the_older_said(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	/* XR is no longer listed, XL is new. */
	add_entry(&xl.party);
	memmove(parts.listed[1], parts.listed[2], SHA256_BYTES);
	parts.listed_count--;
	parts.time += 1000;
	for (size_t i = 0; i < parts.entry_count; i++)
		buf_clear(&parts.entries[i].proof);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	assert_int_equal(register_count(r), 2);
	assert_null(register_party(r, bytes_of("XR")));
	assert_non_null(register_party(r, bytes_of("XL")));
	assert_int_equal(register_time(r), FX_NOW + 1000);
	register_free(r);
}

static void two_trees_of_one_size_are_refused(void **state)
{
	struct register_ *r = register_new();

	begin();
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	log_of_register.n = 0;
	fx_append(&log_of_register, bytes_of("another past"));
	parts.entry_count = parts.listed_count = 0;
	fx_act_release(&parts.entries[0]);
	add_entry(&xr.party);
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_INCONSISTENT);
	assert_non_null(register_party(r, bytes_of("XA")));
	register_free(r);
}

static void another_trust_root_does_not_replace_the_first(void **state)
{
	struct register_ *r = register_new();

	begin();
	finish();
	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	begin_without_root();
	add_root(1, second, 2, EXPIRES, SIGNERS(second[0], second[1]));
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded(r, NO_ROOT), REASON_ROOT_MISMATCH);
	assert_int_equal(register_count(r), 0);
	register_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_a_true_bundle),
		cmocka_unit_test(without_a_fingerprint_the_first_root_is_believed),
		cmocka_unit_test(in_force_only_when_it_is_for_both),
		cmocka_unit_test(tells_of_a_listed_entry_that_is_missing),
		cmocka_unit_test(a_false_entry_is_a_missing_one),
		cmocka_unit_test(leaves_out_an_entry_that_is_not_listed),
		cmocka_unit_test(leaves_out_an_entry_that_is_not_under_the_checkpoint),
		cmocka_unit_test(leaves_out_an_entry_without_proof),
		cmocka_unit_test(leaves_out_an_entry_whose_leaf_does_not_rebuild),
		cmocka_unit_test(leaves_out_an_entry_that_the_party_signed_itself),
		cmocka_unit_test(leaves_out_an_act_of_another_kind),
		cmocka_unit_test(leaves_out_an_entry_with_one_changed_byte),
		cmocka_unit_test(leaves_out_the_second_copy_of_an_entry),
		cmocka_unit_test(leaves_out_both_entries_of_one_party),
		cmocka_unit_test(leaves_out_both_parties_that_share_a_key),
		cmocka_unit_test(an_older_bundle_never_replaces_a_newer_one),
		cmocka_unit_test(the_same_again_is_fine_and_an_earlier_time_is_not),
		cmocka_unit_test(a_newer_bundle_replaces_what_the_older_said),
		cmocka_unit_test(two_trees_of_one_size_are_refused),
		cmocka_unit_test(another_trust_root_does_not_replace_the_first),
	};

	return cmocka_run_group_tests(tests, bundle_setup, bundle_teardown);
}
