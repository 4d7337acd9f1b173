/* Who decides about witnesses: the secretariat for everybody, a home with pins alone for itself; and what a letter
 * without cosignatures meets from then on. */
#include "exchange/test-forge.h"

static struct world w;
static struct home xp, xq; /* two that only pinned each other */
static struct sign_key *witness;
static char policy[600];

static int begin(void **state)
{
	struct note_key key;
	AUTO_BUF vkey = { 0 };

	world_begin(&w);
	home_begin(&xp, "XP", "Pelagia");
	home_begin(&xq, "XQ", "Quarnia");
	home_write(&xp);
	home_write(&xq);
	home_open(&xp);
	home_open(&xq);
	buf_init(&vkey, KIB);
	witness = sign_key_new();
	note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(witness), &key);
	note_key_write(&key, &vkey);
	snprintf(policy, sizeof(policy), "witness w %s https://w.example\nquorum w\n", buf_text(&vkey));
	return 0;
}

static int end(void **state)
{
	home_end(&xp);
	home_end(&xq);
	world_end(&w);
	sign_key_free(witness);
	return 0;
}

static void decide(struct home *at, const char *party, const char *text, int64_t from_ms)
{
	uint8_t hash[SHA256_BYTES];

	IN(at, directory_policy(at->node, bytes_of(party), bytes_of(text), 600, from_ms, hash, NULL, e));
}

static void pin(struct home *at, struct home *of)
{
	uint8_t hash[SHA256_BYTES];
	const char *party;
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	describe(of, &act, hash);
	IN(at, directory_pin(at->node, buf_bytes(&act), hash, &party, e));
}

static void what_the_secretariat_decides_holds_for_everybody(void **state)
{
	const struct register_policy *p;
	struct forged f;
	uint64_t before = register_size(w.xr.node->reg);
	AUTO_ACT *act = NULL;
	struct judgement j;
	struct err why = { 0 };
	AUTO_BUF text = { 0 };

	decide(&w.xs, "XA", policy, 0);
	assert_null(register_policy(w.xr.node->reg, "XA", the_time)); /* only said, not published */
	publish(&w);
	take_register(&w, &w.xr);
	assert_true(register_size(w.xr.node->reg) > before);
	p = register_policy(w.xr.node->reg, "XA", the_time);
	assert_non_null(p);
	assert_string_equal(p->text, policy);
	assert_null(register_policy(w.xr.node->reg, "XL", the_time));
	/* What XA says without its witness has no effect at XR any more. */
	buf_init(&text, LETTER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ RANA, ILSE }, 2);
	assert_ok(json_write_canonical(f.act, &text, e));
	assert_ok(act_parse(buf_bytes(&text), &act, e));
	assert_false(judge_act(act, w.xr.node->reg, the_time, NULL, &j, &why));
	assert_int_equal(why.reason, REASON_UNDER_WITNESSED);
	json_decref(f.act);
	/* Every later bundle has it too. */
	publish(&w);
	take_register(&w, &w.xr);
	assert_int_equal(register_policy_count(w.xr.node->reg), 1);
}

static void the_registers_own_log_may_have_one(void **state)
{
	decide(&w.xs, "XS", policy, 0);
	publish(&w);
	take_register(&w, &w.xa);
	assert_non_null(register_policy(w.xa.node->reg, "XS", the_time));
}

static void who_follows_a_register_does_not_decide(void **state)
{
	uint8_t hash[SHA256_BYTES];

	IN_REFUSED(&w.xa, directory_policy(w.xa.node, bytes_of("XR"), bytes_of(policy), 600, 0, hash, NULL, e), REASON_WRONG_STATE);
	/* Nor does anybody for the past, for an unknown party, or what can never be. */
	IN_REFUSED(&w.xs, directory_policy(w.xs.node, bytes_of("XA"), bytes_of(policy), 600, the_time - DAY_MS, hash, NULL, e),
		   REASON_BAD_ARGUMENT);
	IN_REFUSED(&w.xs, directory_policy(w.xs.node, bytes_of("XZ"), bytes_of(policy), 600, 0, hash, NULL, e), REASON_NOT_FOUND);
	IN_REFUSED(&w.xs, directory_policy(w.xs.node, bytes_of("XA"), bytes_of("quorum w\n"), 600, 0, hash, NULL, e), REASON_MALFORMED);
}

static void with_pins_alone_each_home_decides_for_itself(void **state)
{
	pin(&xp, &xq);
	pin(&xq, &xp);
	decide(&xp, "XQ", policy, 0);
	assert_non_null(register_policy(xp.node->reg, "XQ", the_time));
	assert_null(register_policy(xq.node->reg, "XQ", the_time));
	home_close(&xp);
	home_open(&xp);
	assert_string_equal(register_policy(xp.node->reg, "XQ", the_time)->text, policy);
	/* And over the next pin. */
	pin(&xp, &xq);
	assert_int_equal(register_policy_count(xp.node->reg), 1);
	/* What was undone is not in use. */
	uint8_t hash[SHA256_BYTES];
	assert_ok(node_begin(xp.node, e));
	assert_ok(directory_policy(xp.node, bytes_of("XQ"), bytes_of("quorum none\n"), 600, 0, hash, NULL, e));
	assert_int_equal(register_policy_count(xp.node->reg), 2);
	node_rollback(xp.node);
	assert_int_equal(register_policy_count(xp.node->reg), 1);
}

/* --- retired logs ------------------------------------------------------------------------------------- */

/* XA's entry with this log key (NULL: its own) and these retired logs; self-signed, as a party hands it over. */
static void entry_of(const struct sign_key *log, json_t *retired, struct buf *out)
{
	struct forged f = { .key = w.xa.sign };
	AUTO_BUF vkey = { 0 };
	json_t *body;
	struct note_key key;

	buf_init(&vkey, KIB);
	assert_ok(directory_own_body(w.xa.node, &body, e));
	if (log != NULL) {
		note_key_make("comity/XA/2", NOTE_ED25519, sign_key_public(log), &key);
		note_key_write(&key, &vkey);
		json_put_text(body, "log", buf_text(&vkey));
	}
	if (retired != NULL)
		json_put(body, "retired", retired);
	f.frame = frame_of(&w.xa, "*", "register-entry", body);
	forge_sign(&w.xa, &w.xa, &f, NULL, 0);
	for (size_t i = 0; i < 4; i++)
		json_put_text(f.act, (const char *const[]){ "leaf", "opening", "proof", "x" }[i], "");
	buf_clear(out);
	assert_ok(json_write_canonical(f.act, out, e));
	json_decref(f.act);
}

static json_t *retired_of(const struct note_key *log, int64_t at_ms)
{
	json_t *list = json_array(), *v = json_object();
	AUTO_BUF vkey = { 0 };

	buf_init(&vkey, KIB);
	note_key_write(log, &vkey);
	json_put_time(v, "at", at_ms);
	json_put_text(v, "log", buf_text(&vkey));
	json_put_hex(v, "root", bytes_from((const uint8_t[SHA256_BYTES]){ 1 }, SHA256_BYTES));
	json_put_int(v, "size", 5);
	assert_int_equal(json_array_append_new(list, v), 0);
	return list;
}

static void a_log_is_retired_only_by_the_one_that_follows_it(void **state)
{
	struct note_key own = w.xa.node->identity.log, never;
	struct sign_key *next = sign_key_new(), *other = sign_key_new();
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	note_key_make("comity/XA/0", NOTE_ED25519, sign_key_public(other), &never);
	entry_of(NULL, retired_of(&never, the_time), &act); /* the log is the same: nothing was retired */
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e), REASON_BAD_REGISTER);
	entry_of(next, retired_of(&never, the_time), &act); /* not the one that it had */
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e), REASON_BAD_REGISTER);
	entry_of(next, retired_of(&own, the_time + DAY_MS), &act); /* it would go on for a day */
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e), REASON_BAD_REGISTER);
	int64_t at = the_time;
	entry_of(next, retired_of(&own, at), &act);
	IN(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e));
	/* From now on it stays retired, as it was said. */
	entry_of(next, retired_of(&own, at - 1000), &act);
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e), REASON_BAD_REGISTER);
	entry_of(next, NULL, &act);
	IN_REFUSED(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e), REASON_BAD_REGISTER);
	entry_of(next, retired_of(&own, at), &act);
	IN(&w.xs, directory_admit(w.xs.node, buf_bytes(&act), hash, e));
	publish(&w);
	take_register(&w, &w.xr);
	assert_int_equal(register_party(w.xr.node->reg, bytes_of("XA"))->retired_count, 1);
	sign_key_free(next);
	sign_key_free(other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(what_the_secretariat_decides_holds_for_everybody),
		T(the_registers_own_log_may_have_one),
		T(who_follows_a_register_does_not_decide),
		T(with_pins_alone_each_home_decides_for_itself),
		T(a_log_is_retired_only_by_the_one_that_follows_it),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
