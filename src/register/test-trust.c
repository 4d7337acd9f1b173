/* The chain of trust roots, the snapshot and the checkpoint: what makes a bundle believed at all. */
#include "register/test-bundle.h"

/* --- the trust root ------------------------------------------------------------------------------------ */

static void refuses_another_fingerprint(void **state)
{
	struct register_ *r = register_new();
	uint8_t wrong[SHA256_BYTES];

	begin();
	add_entry(&xa.party);
	finish();
	memcpy(wrong, fingerprint, sizeof(wrong));
	wrong[31] ^= 1;
	assert_int_equal(loaded(r, wrong), REASON_ROOT_MISMATCH);
	assert_int_equal(register_count(r), 0);
	register_free(r);
}

static void refuses_a_root_signed_by_one_of_two(void **state)
{
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(first[2]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void refuses_a_root_signed_twice_by_one_key(void **state)
{
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(first[2], first[2]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void refuses_a_root_signed_by_a_stranger(void **state)
{
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(first[2], second[0]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void any_two_of_three_are_enough(void **state)
{
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(first[2], first[0]));
	finish();
	assert_int_equal(loaded_alone(), REASON_NONE);
	begin_without_root();
	add_root(1, first, 2, EXPIRES, SIGNERS(second[0], first[1], first[2]));
	finish();
	assert_int_equal(loaded_alone(), REASON_NONE);
}

static void rotation_needs_both_thresholds(void **state)
{
	begin();
	add_root(2, second, 2, EXPIRES, SIGNERS(first[0], first[2], second[0], second[1]));
	add_entry(&xa.party);
	finish();
	assert_int_equal(loaded_alone(), REASON_NONE);
	begin();
	add_root(2, second, 2, EXPIRES, SIGNERS(first[0], second[0], second[1]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	begin();
	add_root(2, second, 2, EXPIRES, SIGNERS(first[0], first[1], second[0]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void versions_follow_without_a_gap(void **state)
{
	begin();
	add_root(3, second, 2, EXPIRES, SIGNERS(first[0], first[2], second[0], second[1]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	begin_without_root();
	add_root(2, first, 2, EXPIRES, SIGNERS(first[0], first[1]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	begin_without_root();
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void refuses_an_expired_root(void **state)
{
	begin_without_root();
	add_root(1, first, 2, FX_NOW, SIGNERS(first[0], first[1]));
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	/* A former one may have expired. */
	add_root(2, second, 2, FX_NOW + 1, SIGNERS(first[0], first[1], second[1], second[2]));
	finish();
	assert_int_equal(loaded_alone(), REASON_NONE);
}

/* --- snapshot and checkpoint ---------------------------------------------------------------------------- */

static void refuses_a_snapshot_that_the_register_did_not_sign(void **state)
{
	begin();
	parts.snapshot_key = first[0];
	finish();
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void refuses_a_checkpoint_of_another_tree_or_log(void **state)
{
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	begin();
	add_entry(&xa.party);
	finish();
	fx_append(&log_of_register, bytes_of("one more"));
	fx_checkpoint(&log_of_register, &note);
	put_member("checkpoint", json_string_of(buf_bytes(&note)));
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	buf_clear(&note);
	log_of_register.n -= 2; /* of the same size, with another last leaf */
	fx_append(&log_of_register, bytes_of("not the entry"));
	fx_checkpoint(&log_of_register, &note);
	put_member("checkpoint", json_string_of(buf_bytes(&note)));
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	buf_clear(&note);
	fx_append(&xa.log, bytes_of("a leaf"));
	fx_checkpoint(&xa.log, &note);
	put_member("checkpoint", json_string_of(buf_bytes(&note)));
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

static void holds_at_most_as_many_entries_as_there_can_be_parties(void **state)
{
	for (size_t n = PARTIES_MAX; n <= PARTIES_MAX + 1; n++) {
		json_t *many = json_array();

		for (size_t i = 0; i < n; i++)
			assert_int_equal(json_array_append_new(many, json_true()), 0);
		begin();
		finish();
		put_member("entries", many);
		assert_int_equal(loaded_alone(), n == PARTIES_MAX ? REASON_NONE : REASON_BAD_REGISTER);
	}
}

/* A register of its own, as the signer builds one at each bundle. */
static struct register_ *fresh(void)
{
	struct register_ *r = register_new();

	assert_int_equal(loaded(r, fingerprint), REASON_NONE);
	return r;
}

static enum reason newer(const struct register_ *new, const struct register_ *in_use)
{
	struct err e = { 0 };
	bool ok = register_newer(new, in_use, &e);

	assert_int_equal(ok, e.kind == ERR_NONE);
	return e.reason;
}

/* The next bundle has the same first root, byte for byte. */
static void begin_with_the_same_root(int64_t time, int more_leaves)
{
	struct buf kept = parts.roots[0];

	parts.roots[0] = (struct buf){ 0 };
	begin_without_root();
	parts.roots[0] = kept;
	parts.root_count = 1;
	parts.time = time;
	while (more_leaves-- > 0)
		fx_append(&log_of_register, bytes_of("another leaf"));
}

static void a_key_that_was_rotated_away_brings_back_no_older_root(void **state)
{
	struct sign_key *old = register_key, *new = sign_key_new();
	struct register_ *before, *after, *thief, *fork;

	begin();
	add_entry(&xa.party);
	finish();
	before = fresh();
	begin_with_the_same_root(FX_NOW + 1000, 1);
	register_key = new;
	parts.snapshot_key = new;
	add_root(2, second, 2, EXPIRES, SIGNERS(first[0], first[1], second[0], second[1]));
	add_entry(&xa.party);
	finish();
	after = fresh();
	assert_int_equal(newer(after, before), REASON_NONE);
	assert_int_equal(newer(after, after), REASON_NONE);
	assert_int_equal(newer(after, NULL), REASON_NONE);
	/* Later, and with more in its log, but under the root that was replaced. */
	begin_with_the_same_root(FX_NOW + 2000, 2);
	register_key = old;
	parts.snapshot_key = old;
	add_entry(&xa.party);
	add_entry(&xl.party);
	finish();
	thief = fresh();
	assert_int_equal(newer(thief, before), REASON_NONE);
	assert_int_equal(newer(thief, after), REASON_STALE_REGISTER);
	/* Another version 2 beside the one in use. */
	begin_with_the_same_root(FX_NOW + 2000, 2);
	add_root(2, second, 1, EXPIRES, SIGNERS(first[0], first[1], second[0], second[1]));
	add_entry(&xa.party);
	add_entry(&xl.party);
	finish();
	fork = fresh();
	assert_int_equal(newer(fork, after), REASON_INCONSISTENT);
	register_free(before);
	register_free(after);
	register_free(thief);
	register_free(fork);
	sign_key_free(new);
}

static void two_trees_of_one_size_are_a_fork(void **state)
{
	struct register_ *one, *other;

	begin();
	add_entry(&xa.party);
	finish();
	one = fresh();
	begin_with_the_same_root(FX_NOW + 1000, 0);
	add_entry(&xr.party);
	finish();
	other = fresh();
	assert_int_equal(register_size(one), register_size(other));
	assert_int_equal(newer(other, one), REASON_INCONSISTENT);
	assert_false(register_same(one, other));
	assert_true(register_same(one, one));
	register_free(one);
	register_free(other);
}

static int64_t now_of_tests(void)
{
	return FX_NOW;
}

static void refuses_a_snapshot_from_the_future(void **state)
{
	clock_set(now_of_tests);
	for (int64_t late = 0; late < 2; late++) {
		begin();
		parts.time = FX_NOW + REGISTER_AHEAD_MS + late;
		finish();
		assert_int_equal(loaded_alone(), late == 0 ? REASON_NONE : REASON_BAD_REGISTER);
	}
	clock_set(NULL);
}

static void refuses_bytes_that_are_no_bundle(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "null", "{\"v\":1}", "\xff" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&bundle);
		buf_add_text(&bundle, bad[i]);
		assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	}
	begin();
	add_entry(&xa.party);
	finish();
	put_member("more", json_true());
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	finish();
	put_member("v", json_integer(2));
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
	finish();
	buf_add_text(&bundle, "\n"); /* another spelling */
	assert_int_equal(loaded_alone(), REASON_BAD_REGISTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_another_fingerprint),
		cmocka_unit_test(refuses_a_root_signed_by_one_of_two),
		cmocka_unit_test(refuses_a_root_signed_twice_by_one_key),
		cmocka_unit_test(refuses_a_root_signed_by_a_stranger),
		cmocka_unit_test(any_two_of_three_are_enough),
		cmocka_unit_test(rotation_needs_both_thresholds),
		cmocka_unit_test(versions_follow_without_a_gap),
		cmocka_unit_test(refuses_an_expired_root),
		cmocka_unit_test(refuses_a_snapshot_that_the_register_did_not_sign),
		cmocka_unit_test(refuses_a_checkpoint_of_another_tree_or_log),
		cmocka_unit_test(holds_at_most_as_many_entries_as_there_can_be_parties),
		cmocka_unit_test(a_key_that_was_rotated_away_brings_back_no_older_root),
		cmocka_unit_test(two_trees_of_one_size_are_a_fork),
		cmocka_unit_test(refuses_a_snapshot_from_the_future),
		cmocka_unit_test(refuses_bytes_that_are_no_bundle),
	};

	return cmocka_run_group_tests(tests, bundle_setup, bundle_teardown);
}
