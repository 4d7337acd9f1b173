/* The register in memory follows the store; what does not fit is left out and told; and the secretariat admits
 * and publishes only what everybody else will believe. */
#include "exchange/cell.h"
#include "exchange/test-carry.h"

static struct world w;
static struct home xp; /* a newcomer */

static int begin(void **state)
{
	char hex[2 * SHA256_BYTES + 1];

	world_begin(&w);
	hex_write(bytes_from(register_root_fingerprint(w.xa.node->reg), SHA256_BYTES), hex);
	home_begin(&xp, "XP", "Pelagia");
	set(&xp, CONFIG_trust_root, hex);
	return 0;
}

static int end(void **state)
{
	home_end(&xp);
	world_end(&w);
	return 0;
}

static void xp_opens(void)
{
	home_write(&xp);
	home_open(&xp);
}

/* --- memory and store ------------------------------------------------------------------------------------------------ */

static void a_register_that_was_rolled_back_is_not_in_use(void **state)
{
	int64_t before = register_time(w.xa.node->reg);
	size_t entries;

	the_time += 1000;
	publish(&w);
	/* A part of a turn, then a whole turn. */
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(node_part(w.xa.node, e));
	assert_ok(directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	assert_ok(node_part_end(w.xa.node, false, e));
	assert_ok(directory_undone(w.xa.node, e));
	assert_true(register_time(w.xa.node->reg) == before);
	assert_ok(directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	node_rollback(w.xa.node);
	assert_ok(directory_undone(w.xa.node, e));
	assert_true(register_time(w.xa.node->reg) == before);
	/* The signer may keep the newer one, and stops no start. */
	node_close(w.xa.node);
	w.xa.node = NULL;
	assert_ok(node_open_at(&w.xa, e));
	assert_true(register_time(w.xa.node->reg) == before);
	take_register(&w, &w.xa);
	assert_true(register_time(w.xa.node->reg) > before);
}

static void undoing_something_else_moves_no_party(void **state)
{
	const struct party *p = register_party(w.xa.node->reg, bytes_of("XR"));

	w.xa.node->directory_changed = true;
	assert_ok(directory_undone(w.xa.node, e));
	assert_ptr_equal(register_party(w.xa.node->reg, bytes_of("XR")), p);
}

/* Were it built anew for every letter that fails, a hostile peer could have that done in the turn of a new register. What the
 * store says here would be another register: nobody looks. */
static void a_part_that_took_no_register_has_none_to_undo(void **state)
{
	struct register_ *in_use;
	size_t entries;

	the_time += 1000;
	publish(&w);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	in_use = w.xa.node->reg;
	assert_ok(cell_put(w.xa.node, "register-bundle", bytes_of("no bundle"), e));
	assert_ok(node_part(w.xa.node, e));
	assert_ok(node_part(w.xa.node, e));
	assert_ok(node_part_end(w.xa.node, true, e));
	assert_ok(node_part_end(w.xa.node, false, e));
	assert_ptr_equal(w.xa.node->reg, in_use);
	node_rollback(w.xa.node);
	assert_ptr_not_equal(w.xa.node->reg, in_use);
}

/* A part in a part took it, and the outer one fails. */
static void what_an_inner_part_took_is_undone_with_the_outer_one(void **state)
{
	int64_t before = register_time(w.xa.node->reg);
	size_t entries;

	the_time += 1000;
	publish(&w);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(node_part(w.xa.node, e));
	assert_ok(node_part(w.xa.node, e));
	assert_ok(directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	assert_ok(node_part_end(w.xa.node, true, e));
	assert_true(register_time(w.xa.node->reg) > before);
	assert_ok(node_part_end(w.xa.node, false, e));
	assert_true(register_time(w.xa.node->reg) == before);
	assert_ok(node_commit(w.xa.node, e));
}

static void the_same_bundle_again_changes_nothing(void **state)
{
	const struct party *p = register_party(w.xa.node->reg, bytes_of("XR"));
	size_t entries = 0;

	w.xa.node->directory_changed = w.xa.node->outbox_changed = false;
	IN(&w.xa, directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	assert_int_equal(entries, register_count(w.xa.node->reg));
	assert_false(w.xa.node->directory_changed || w.xa.node->outbox_changed);
	assert_ptr_equal(register_party(w.xa.node->reg, bytes_of("XR")), p);
	/* Another one is another one. */
	the_time += 1000;
	publish(&w);
	IN(&w.xa, directory_take(w.xa.node, buf_bytes(&w.bundle), &entries, NULL, e));
	assert_true(w.xa.node->directory_changed);
}

/* --- what does not fit ------------------------------------------------------------------------------------------------ */

static void a_pin_with_the_key_of_a_registered_party_is_left_out_and_told(void **state)
{
	uint8_t hash[SHA256_BYTES];
	struct home xn;
	size_t entries;
	const char *party;
	AUTO_BUF act = { 0 }, problems = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	buf_init(&problems, 64 * KIB);
	memcpy(xp.tls, w.xl.tls, sizeof(xp.tls));
	xp_opens();
	describe(&xp, &act, hash);
	home_begin(&xn, "XN", "Nordia");
	set(&xn, CONFIG_trust_root, config_text(&xp.config, trust_root));
	home_write(&xn);
	home_open(&xn);
	IN(&xn, directory_pin(xn.node, buf_bytes(&act), hash, &party, e)); /* before there is a register */
	IN(&xn, directory_take(xn.node, buf_bytes(&w.bundle), &entries, &problems, e));
	assert_non_null(register_party(xn.node->reg, bytes_of("XL")));
	assert_null(register_party(xn.node->reg, bytes_of("XP")));
	assert_non_null(strstr(buf_text(&problems), "XP and XL have the same TLS pin"));
	/* Where the register is in use, such a pin is refused. */
	IN_REFUSED(&w.xa, directory_pin(w.xa.node, buf_bytes(&act), hash, &party, e), REASON_BAD_REGISTER);
	home_end(&xn);
}

/* --- at the secretariat ------------------------------------------------------------------------------------------------ */

static void admits_nobody_with_a_key_of_another(void **state)
{
	uint8_t hash[SHA256_BYTES], admitted[SHA256_BYTES];
	struct home xq;
	AUTO_BUF act = { 0 }, other = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	buf_init(&other, LETTER_BYTES_MAX);
	memcpy(xp.tls, w.xl.tls, sizeof(xp.tls));
	xp_opens();
	describe(&xp, &act, hash);
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), admitted, e), REASON_BAD_REGISTER);
	home_close(&xp);
	chance_fill(xp.tls, sizeof(xp.tls));
	xp_opens();
	admit(&w, &xp);
	/* Not even while the first one only waits to be published. */
	home_begin(&xq, "XQ", "Quarnia");
	memcpy(xq.tls, xp.tls, sizeof(xq.tls));
	home_write(&xq);
	home_open(&xq);
	describe(&xq, &other, hash);
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&other), admitted, e), REASON_BAD_REGISTER);
	publish(&w);
	assert_non_null(register_party(w.xs.node->reg, bytes_of("XP")));
	home_end(&xq);
}

/* A root with all keys of the last one, signed by `signers`. */
static void root_of(int version, struct sign_key *const *signers, struct buf *out)
{
	struct bytes type = statement_type(kind_find(bytes_of("register-root")));
	AUTO_JSON *frame = NULL;
	struct envelope_signature sigs[2];
	AUTO_ENVELOPE last = { 0 };
	AUTO_BUF payload = { 0 }, pae = { 0 }, first = { 0 };
	uint8_t fingerprint[SHA256_BYTES];

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, STATEMENT_BYTES_MAX + KIB);
	buf_init(&first, ENVELOPE_BYTES_MAX);
	world_root(&w, &first, fingerprint);
	assert_ok(envelope_parse(buf_bytes(&first), &last, e));
	assert_ok(json_parse(buf_bytes(&last.payload), "root", &frame, e));
	json_put_int(json_object_get(frame, "body"), "version", version);
	assert_ok(json_write_canonical(frame, &payload, e));
	pae_write(type, buf_bytes(&payload), &pae);
	for (size_t i = 0; i < 2; i++) {
		key_id_write(sign_key_public(signers[i]), sigs[i].keyid);
		sign_key_sign(signers[i], buf_bytes(&pae), sigs[i].sig);
	}
	assert_ok(envelope_write_of(type, buf_bytes(&payload), sigs, 2, out, e));
}

static void stores_no_root_that_does_not_follow(void **state)
{
	uint8_t fingerprint[SHA256_BYTES];
	int64_t version;
	AUTO_BUF root = { 0 };

	buf_init(&root, ENVELOPE_BYTES_MAX);
	root_of(2, (struct sign_key *const[]){ w.xa.sign, w.xl.sign }, &root);
	IN_REFUSED(&w.xs, directory_root(w.xs.node, buf_bytes(&root), &version, fingerprint, e), REASON_BAD_SIGNATURE);
	publish(&w); /* goes on */
}

static void publishes_every_root(void **state)
{
	enum { MANY = 18 };
	uint8_t fingerprint[SHA256_BYTES];
	int64_t version;
	AUTO_BUF root = { 0 };
	AUTO_JSON *v = NULL;

	buf_init(&root, ENVELOPE_BYTES_MAX);
	for (int i = 2; i <= MANY; i++) {
		buf_clear(&root);
		root_of(i, w.roots, &root);
		IN(&w.xs, directory_root(w.xs.node, buf_bytes(&root), &version, fingerprint, e));
		assert_int_equal(version, i);
	}
	publish(&w);
	assert_ok(json_parse(buf_bytes(&w.bundle), "bundle", &v, e));
	assert_int_equal(json_array_size(json_object_get(v, "roots")), MANY);
	take_register(&w, &w.xa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_register_that_was_rolled_back_is_not_in_use),
		CLAIM(undoing_something_else_moves_no_party),
		CLAIM(a_part_that_took_no_register_has_none_to_undo),
		CLAIM(what_an_inner_part_took_is_undone_with_the_outer_one),
		CLAIM(the_same_bundle_again_changes_nothing),
		CLAIM(a_pin_with_the_key_of_a_registered_party_is_left_out_and_told),
		CLAIM(admits_nobody_with_a_key_of_another),
		CLAIM(stores_no_root_that_does_not_follow),
		CLAIM(publishes_every_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
