/* The register's keys were rotated because one was stolen. What the thief still can sign takes nobody back:
 * not the signer, which builds a fresh register at each bundle, and not the node. */
#include "exchange/test-nodes.h"

#include "register/test-bundle.h" /* after it: its names are short */

static struct home own;
static struct sign_key *stolen;

static int start(void **state)
{
	char hex[2 * SHA256_BYTES + 1];

	bundle_setup(state);
	time_begins(29);
	stolen = register_key;
	begin();
	add_entry(&xa.party);
	finish();
	hex_write(BYTES_ARRAY(fingerprint), hex);
	home_begin(&own, "XA", "Arcadia");
	set(&own, CONFIG_trust_root, hex);
	home_write(&own);
	home_open(&own);
	return 0;
}

static int stop(void **state)
{
	home_end(&own);
	sign_key_free(stolen);
	if (register_key == stolen)
		register_key = sign_key_new();
	return bundle_teardown(state);
}

/* Both must say the same. */
static enum reason taken(void)
{
	struct err signer = { 0 }, node = { 0 };
	size_t entries;

	bool ok = signing_trust(own.signing, buf_bytes(&bundle), &signer);
	assert_int_equal(ok, signer.reason == REASON_NONE);
	assert_ok(node_begin(own.node, e));
	ok = directory_take(own.node, buf_bytes(&bundle), &entries, NULL, &node);
	assert_int_equal(ok, node.reason == REASON_NONE);
	assert_ok(node_commit(own.node, e));
	assert_int_equal(node.reason, signer.reason);
	return signer.reason;
}

/* The next bundle: the same first root, byte for byte, and so many leaves more in the log. */
static void next(int64_t after_ms, int more_leaves)
{
	struct buf kept = parts.roots[0];

	parts.roots[0] = (struct buf){ 0 };
	begin_without_root();
	parts.roots[0] = kept;
	parts.root_count = 1;
	parts.time = SAMPLE_NOW + after_ms;
	while (more_leaves-- > 0)
		fx_append(&log_of_register, bytes_of("another leaf"));
}

static void rotate(void)
{
	next(1000, 1);
	register_key = sign_key_new();
	parts.snapshot_key = register_key;
	add_root(2, second, 2, EXPIRES, SIGNERS(first[0], first[1], second[0], second[1]));
	add_entry(&xa.party);
	finish();
}

static void a_stolen_key_brings_back_no_older_root(void **state)
{
	struct sign_key *fresh;

	assert_int_equal(taken(), REASON_NONE);
	rotate();
	assert_int_equal(taken(), REASON_NONE);
	fresh = register_key;
	register_key = stolen;
	next(2000, 2);
	add_entry(&xa.party);
	add_entry(&xl.party);
	finish();
	register_key = fresh;
	assert_int_equal(taken(), REASON_STALE_REGISTER);
	assert_null(register_party(own.node->reg, bytes_of("XL")));
}

static void nor_after_the_newer_root_has_expired(void **state)
{
	struct sign_key *fresh;
	size_t entries;

	assert_int_equal(taken(), REASON_NONE);
	next(1000, 1);
	register_key = fresh = sign_key_new();
	parts.snapshot_key = fresh;
	add_root(2, second, 2, SAMPLE_NOW + DAY_MS, SIGNERS(first[0], first[1], second[0], second[1]));
	add_entry(&xa.party);
	finish();
	assert_int_equal(taken(), REASON_NONE);
	the_time += 2 * DAY_MS;
	home_close(&own);
	home_open(&own);
	assert_null(register_root_fingerprint(own.node->reg));
	register_key = stolen;
	next(2 * DAY_MS, 2);
	add_entry(&xl.party);
	finish();
	register_key = fresh;
	IN_REFUSED(&own, directory_take(own.node, buf_bytes(&bundle), &entries, NULL, e), REASON_STALE_REGISTER);
}

static void two_trees_of_one_size_are_told_as_a_fork(void **state)
{
	assert_int_equal(taken(), REASON_NONE);
	next(1000, 0);
	add_entry(&xr.party);
	finish();
	assert_int_equal(taken(), REASON_INCONSISTENT);
}

static void nothing_is_taken_from_the_future(void **state)
{
	next(REGISTER_AHEAD_MS + 1, 0);
	add_entry(&xa.party);
	finish();
	assert_int_equal(taken(), REASON_BAD_REGISTER);
	next(REGISTER_AHEAD_MS, 0);
	add_entry(&xa.party);
	finish();
	assert_int_equal(taken(), REASON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, start, stop)
		CLAIM(a_stolen_key_brings_back_no_older_root),
		CLAIM(nor_after_the_newer_root_has_expired),
		CLAIM(two_trees_of_one_size_are_told_as_a_fork),
		CLAIM(nothing_is_taken_from_the_future),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
