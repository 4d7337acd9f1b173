/* Pins: fingerprints that two parties compared by telephone. */
#include "register/test-bundle.h"

static enum reason pinned(struct register_ *r, const struct fx_act *a, const uint8_t *hash)
{
	struct err e = { 0 };
	AUTO_BUF act = { 0 };
	bool ok;

	buf_init(&act, LETTER_BYTES_MAX);
	fx_write(a, &act);
	ok = register_pin(r, buf_bytes(&act), hash, &e);
	assert_int_equal(ok, e.kind == ERR_NONE);
	return e.reason;
}

static enum reason pinned_party(struct register_ *r, struct fx_home *h)
{
	struct fx_act a;
	enum reason why;

	h->log.n = 0;
	fx_entry(&h->party, h->party.code, h->key, &h->log, &a);
	fx_prove(&a, &h->log);
	why = pinned(r, &a, a.hash);
	fx_act_release(&a);
	return why;
}

static void pins_with_the_right_hash_only(void **state)
{
	struct register_ *r = register_new();
	struct fx_act a;
	uint8_t wrong[SHA256_BYTES];

	xa.log.n = 0;
	fx_entry(&xa.party, "XA", xa.key, &xa.log, &a);
	memcpy(wrong, a.hash, sizeof(wrong));
	wrong[0] ^= 0x80;
	assert_int_equal(pinned(r, &a, wrong), REASON_ROOT_MISMATCH);
	assert_int_equal(register_count(r), 0);
	assert_int_equal(pinned(r, &a, a.hash), REASON_NONE);
	assert_true(register_party(r, bytes_of("XA"))->pinned);
	assert_memory_equal(register_party(r, bytes_of("XA"))->entry_hash, a.hash, SHA256_BYTES);
	assert_null(register_root_fingerprint(r));
	assert_string_equal(register_origin(r), "");
	assert_int_equal(register_size(r), 0);
	assert_int_equal(register_time(r), 0);
	a.has_leaf = false; /* before the home has a log; and pinning twice is pinning */
	assert_int_equal(pinned(r, &a, a.hash), REASON_NONE);
	assert_int_equal(register_count(r), 1);
	fx_act_release(&a);
	register_free(r);
}

static void refuses_a_pin_that_another_key_signed(void **state)
{
	struct register_ *r = register_new();
	struct fx_act a;

	fx_entry(&xa.party, "XA", xr.key, &xa.log, &a);
	assert_int_equal(pinned(r, &a, a.hash), REASON_BAD_SIGNATURE);
	fx_act_release(&a);
	fx_entry(&xa.party, "XS", xa.key, &xa.log, &a);
	assert_int_equal(pinned(r, &a, a.hash), REASON_WRONG_PARTY);
	fx_act_release(&a);
	fx_entry(&xa.party, "XA", xa.key, &xa.log, &a);
	a.x[0] ^= 1;
	assert_int_equal(pinned(r, &a, a.hash), REASON_LEAF_MISMATCH);
	fx_act_release(&a);
	assert_int_equal(register_count(r), 0);
	register_free(r);
}

static void refuses_a_pin_whose_proof_is_false(void **state)
{
	struct register_ *r = register_new();
	struct fx_act a;

	xa.log.n = 0;
	fx_append(&xa.log, bytes_of("a leaf"));
	fx_entry(&xa.party, "XA", xa.key, &xa.log, &a);
	a.index = 0;
	fx_prove(&a, &xa.log);
	assert_int_equal(pinned(r, &a, a.hash), REASON_BAD_PROOF);
	fx_act_release(&a);
	register_free(r);
}

static void refuses_a_pin_with_the_key_of_another_party(void **state)
{
	struct register_ *r = register_new();
	struct fx_home thief = xr;
	struct fx_act a;

	assert_int_equal(pinned_party(r, &xa), REASON_NONE);
	memcpy(thief.party.tls_spki, xa.party.tls_spki, SHA256_BYTES);
	fx_entry(&thief.party, "XR", xr.key, &xr.log, &a);
	assert_int_equal(pinned(r, &a, a.hash), REASON_BAD_REGISTER);
	assert_int_equal(register_count(r), 1);
	fx_act_release(&a);
	register_free(r);
}

static void a_pin_stands_above_a_bundle(void **state)
{
	struct party other = xa.party, thief = xl.party;

	begin();
	other.phone = "+00 1 555 0999";
	memcpy(thief.keys[0].key, xa.party.keys[0].key, SIGN_PUBLIC_BYTES);
	add_entry(&other);
	add_entry(&xr.party);
	finish();
	for (int pin_first = 0; pin_first < 2; pin_first++) {
		struct register_ *r = register_new();

		if (pin_first)
			assert_int_equal(pinned_party(r, &xa), REASON_NONE);
		assert_int_equal(loaded(r, fingerprint), REASON_NONE);
		assert_int_equal(told("XA: this party is pinned"), pin_first);
		if (!pin_first)
			assert_int_equal(pinned_party(r, &xa), REASON_NONE);
		assert_int_equal(register_count(r), 2);
		assert_true(register_party(r, bytes_of("XA"))->pinned);
		assert_string_equal(register_party(r, bytes_of("XA"))->phone, xa.party.phone);
		assert_int_equal(register_size(r), 3);
		register_free(r);
	}
	{
		struct register_ *r = register_new();

		/* A bundle cannot throw a pinned party out by giving its key to another. */
		assert_int_equal(pinned_party(r, &xa), REASON_NONE);
		begin();
		add_entry(&thief);
		add_entry(&xr.party);
		finish();
		assert_int_equal(loaded(r, fingerprint), REASON_NONE);
		assert_non_null(register_party(r, bytes_of("XA")));
		assert_non_null(register_party(r, bytes_of("XR")));
		assert_null(register_party(r, bytes_of("XL")));
		assert_true(told("XL: its signing key is also the signing key of XA"));
		register_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_with_the_right_hash_only),
		cmocka_unit_test(refuses_a_pin_that_another_key_signed),
		cmocka_unit_test(refuses_a_pin_whose_proof_is_false),
		cmocka_unit_test(refuses_a_pin_with_the_key_of_another_party),
		cmocka_unit_test(a_pin_stands_above_a_bundle),
	};

	return cmocka_run_group_tests(tests, bundle_setup, bundle_teardown);
}
