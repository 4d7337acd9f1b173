/* The register's own log under a policy: the secretariat publishes only what its witnesses have cosigned, and nobody,
 * the signer neither, takes anything else, whoever made it. */
#include "exchange/test-witnesses.h"

static struct world w;
static struct home xp; /* a newcomer */

static int begin(void **state)
{
	char hex[2 * SHA256_BYTES + 1];

	witnessed_world_begin(&w);
	for (size_t i = W1; i <= W3; i++)
		witnesses[i].log = w.xs.node->identity.log;
	hex_write(bytes_from(register_root_fingerprint(w.xa.node->reg), SHA256_BYTES), hex);
	home_begin(&xp, "XP", "Pelagia");
	set(&xp, CONFIG_trust_root, hex);
	home_write(&xp);
	home_open(&xp);
	return 0;
}

static int end(void **state)
{
	home_end(&xp);
	witnessed_world_end(&w);
	return 0;
}

/* The secretariat tries to publish; what it says when it cannot. */
static enum reason publishes(const char *words)
{
	struct err why = { 0 };
	size_t entries;
	uint64_t size;

	assert_ok(node_begin(w.xs.node, e));
	if (directory_publish(w.xs.node, &entries, &size, &why)) {
		assert_ok(node_commit(w.xs.node, e));
		buf_clear(&w.bundle);
		assert_ok(directory_bundle(w.xs.node, &w.bundle, e));
		return REASON_NONE;
	}
	node_rollback(w.xs.node);
	assert_non_null(strstr(why.text, words));
	return why.reason;
}

static void in_force(void)
{
	policy_two_of_three(&w, "XS"); /* published and taken: nobody could have cosigned it by that policy yet */
	assert_non_null(register_policy(w.xa.node->reg, "XS", the_time));
}

static void the_secretariat_waits_for_its_quorum_and_says_for_whom(void **state)
{
	in_force();
	all_dead(true);
	cosigned_slot(&w.xs);
	assert_int_equal(publishes("w1.example/witness, w2.example/witness, w3.example/witness"), REASON_UNDER_WITNESSED);
	witnesses[W2].dead = false;
	the_time += 60000;
	cosigned_slot(&w.xs);
	assert_int_equal(publishes("missing: w1.example/witness, w3.example/witness"), REASON_UNDER_WITNESSED);
	all_dead(false);
	the_time += 600000;
	cosigned_slot(&w.xs);
	assert_int_equal(publishes(""), REASON_NONE);
	int64_t before = register_time(w.xa.node->reg);
	take_register(&w, &w.xa);
	assert_true(register_time(w.xa.node->reg) > before);
}

static void a_newcomer_waits_for_one_that_is_cosigned(void **state)
{
	size_t entries;

	in_force();
	IN_REFUSED(&xp, directory_take(xp.node, buf_bytes(&w.bundle), &entries, NULL, e), REASON_UNDER_WITNESSED);
	assert_null(register_root_fingerprint(xp.node->reg));
	cosigned_slot(&w.xs);
	assert_int_equal(publishes(""), REASON_NONE);
	take_register(&w, &xp);
	assert_non_null(register_party(xp.node->reg, bytes_of("XA")));
}

/* Everything that the secretariat's home holds, in other hands: a newer bundle, whose checkpoint no witness saw. */
static void steal(struct buf *out)
{
	AUTO_JSON *v = NULL;
	struct note n;
	AUTO_BUF note = { 0 };

	cosigned_slot(&w.xs);
	the_time += 1000;
	assert_int_equal(publishes(""), REASON_NONE);
	assert_ok(json_parse(buf_bytes(&w.bundle), "bundle", &v, e));
	buf_init(&note, NOTE_BYTES_MAX);
	AUTO_BUF whole = { 0 };
	buf_init(&whole, NOTE_BYTES_MAX);
	buf_add_text(&whole, json_text(v, "checkpoint"));
	assert_ok(note_parse(buf_bytes(&whole), &n, e));
	assert_ok(note_sign(n.text, w.xs.node->identity.log.name, w.xs.log, &note, e));
	json_put_text(v, "checkpoint", buf_text(&note));
	assert_ok(json_write_canonical(v, out, e));
}

static void nobody_takes_what_no_witness_saw(void **state)
{
	size_t entries;
	AUTO_BUF theirs = { 0 };

	buf_init(&theirs, REGISTER_BYTES_MAX);
	in_force();
	steal(&theirs);
	int64_t before = register_time(w.xa.node->reg);
	IN_REFUSED(&w.xa, directory_take(w.xa.node, buf_bytes(&theirs), &entries, NULL, e), REASON_UNDER_WITNESSED);
	assert_true(register_time(w.xa.node->reg) == before);
	assert_refused(signing_trust(w.xa.signing, buf_bytes(&theirs), e), REASON_UNDER_WITNESSED);
	/* What is in use is loaded again at a start, whatever it brought with it. */
	home_close(&w.xa);
	home_open(&w.xa);
	assert_true(register_time(w.xa.node->reg) == before);
	assert_refused(signing_trust(w.xa.signing, buf_bytes(&theirs), e), REASON_UNDER_WITNESSED);
	take_register(&w, &w.xa); /* the true one */
	assert_true(register_time(w.xa.node->reg) > before);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(the_secretariat_waits_for_its_quorum_and_says_for_whom),
		T(a_newcomer_waits_for_one_that_is_cosigned),
		T(nobody_takes_what_no_witness_saw),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
