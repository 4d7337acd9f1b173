/* Who names a register that nobody has makes us ask for it once in a while, and is judged by ours in between. */
#include "exchange/pairs.h"
#include "exchange/test-forge.h"
#include "exchange/test-witnesses.h"

#define NOBODY_HAS (INT64_C(1) << 50)

static struct world w;

static int begin(void **state)
{
	witnessed_world_begin(&w);
	the_time += 10000;
	return 0;
}

static int end(void **state)
{
	witnessed_world_end(&w);
	return 0;
}

/* A letter signed by nobody, made by a register of this size. The status that its carrier gets. */
static unsigned liar_sends(struct home *from, struct home *to, int64_t size)
{
	struct forged f = { 0 };
	struct err why;
	struct sign_key *nobody = sign_key_new();
	AUTO_STATEMENT *s = NULL;
	AUTO_BUF sealed = { 0 }, body = { 0 }, reply = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	buf_init(&body, LETTER_BATCH_BYTES_MAX);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	f.key = nobody;
	f.frame = frame_of(from, to->code, "preservation-request", sample_body("preservation-request"));
	json_put_int(json_object_get(f.frame, "register"), "size", size);
	forge_state(from, &f, BY_TWO, &s);
	forge_act(&f, bytes_of("x"), bytes_of("x"));
	seal_letter(from->code, to->code, &f.act, 1, to, &sealed);
	buf_add_field(&body, buf_bytes(&sealed));
	unsigned status = receive_at(to, buf_bytes(&body), from->tls, &reply, &why);
	assert_true(status == 200 || why.reason == REASON_BUSY);
	json_decref(f.act);
	sign_key_free(nobody);
	return status;
}

static int64_t rejected_from(struct home *h, const char *peer)
{
	struct query *q = store_query(h->node->store, QUERY_reject_count_list);
	int64_t all = 0;
	bool found;

	while (query_row(q, &found, NULL) && found)
		all += bytes_is(query_bytes(q, 0), peer) ? query_int(q, 3) : 0;
	query_end(q);
	return all;
}

static void who_names_a_register_that_our_source_does_not_have_is_rejected(void **state)
{
	has_a_source(&w.xr);
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	assert_true(w.xr.node->refresh_wanted);
	/* The question is under way. */
	the_time += 300;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	source_answers(&w.xr);
	/* At the longest wait between two tries. */
	for (int i = 0; i < 2; i++) {
		the_time += 60000;
		assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS + i), 200);
		assert_false(w.xr.node->refresh_wanted);
	}
	assert_int_equal(rejected_from(&w.xr, "XA"), 2);
}

/* To a question of that time. */
static void source_gives(int64_t asked, const struct buf *bundle)
{
	struct bytes in = bundle != NULL ? buf_bytes(bundle) : bytes_of("");
	struct err why = { 0 };

	assert_ok(node_begin(w.xr.node, e));
	bool ok = directory_fetched(w.xr.node, asked, bundle != NULL ? &in : NULL, NULL, &why);
	assert_int_equal(ok, bundle == NULL || bundle == &w.bundle);
	assert_ok(node_commit(w.xr.node, e));
}

/* Published after our source was asked, however short a time after. */
static void a_register_that_is_newer_than_the_last_question_is_waited_for(void **state)
{
	has_a_source(&w.xr);
	source_answers(&w.xr);
	the_time += 500;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	assert_true(w.xr.node->refresh_wanted);
	assert_int_equal(rejected_from(&w.xr, "XA"), 0);
}

/* The source was asked, then the register was published and named to us, then the answer came: it cannot know better. */
static void an_answer_that_was_on_its_way_is_held_against_nobody(void **state)
{
	has_a_source(&w.xr);
	int64_t asked = the_time;
	the_time += 200;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	the_time += 200;
	source_gives(asked, &w.bundle);
	the_time += 5000;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	assert_true(w.xr.node->refresh_wanted);
	the_time += 1000;
	source_gives(the_time, &w.bundle);
	assert_false(w.xr.node->refresh_wanted);
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 200);
}

/* What the source gave does not verify here, or it gave nothing. */
static void an_answer_that_is_of_no_use_is_held_against_nobody(void **state)
{
	AUTO_BUF broken = { 0 };

	buf_init(&broken, REGISTER_BYTES_MAX);
	buf_add(&broken, buf_bytes(&w.bundle));
	broken.at[broken.len / 2] ^= 1;
	has_a_source(&w.xr);
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	for (int i = 0; i < 2; i++) {
		the_time += 100;
		source_gives(the_time, i == 0 ? &broken : NULL);
		the_time += 5000;
		assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	}
}

static void a_clock_that_was_set_back_is_held_against_nobody(void **state)
{
	has_a_source(&w.xr);
	the_time += 60000;
	source_answers(&w.xr);
	the_time -= 60000;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
		the_time += 1000;
	}
}

/* A liar who names another one ten times a second is asked about all the same. */
static void who_never_stops_lying_is_judged_after_one_question(void **state)
{
	has_a_source(&w.xr);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS + i), 503);
		the_time += 100;
	}
	int64_t asked = the_time - 1050;
	source_answers(&w.xr);
	w.xr.node->register_had_ms = asked;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS + 20), 200);
}

static void a_lie_of_one_is_not_held_against_another(void **state)
{
	has_a_source(&w.xr);
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 503);
	source_answers(&w.xr);
	the_time += 4000;
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 200);
	assert_int_equal(liar_sends(&w.xl, &w.xr, NOBODY_HAS), 503);
}

static void fifty_lies_are_one_question_and_are_counted(void **state)
{
	int busy = 0;

	has_a_source(&w.xr);
	for (int i = 0; i < 50; i++) {
		busy += liar_sends(&w.xa, &w.xr, NOBODY_HAS + i) == 503;
		source_answers(&w.xr);
		the_time += 1000;
	}
	assert_int_equal(busy, 1);
	assert_int_equal(rejected_from(&w.xr, "XA"), 49);
}

/* Neither a source, nor all of what asking it takes. */
static void who_has_no_source_to_ask_judges_by_what_it_has(void **state)
{
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 200);
	assert_false(w.xr.node->refresh_wanted);
	assert_ok(config_set(&w.xr.node->config, CONFIG_register_url, "https://xs.example:8443", e));
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 200);
	assert_ok(config_set(&w.xr.node->config, CONFIG_register_pin, SAMPLE_HASH, e));
	assert_true(directory_may_be_behind(w.xr.node, the_time));
	assert_ok(config_set(&w.xr.node->config, CONFIG_trust_root, "", e));
	assert_false(directory_may_be_behind(w.xr.node, the_time));
	assert_int_equal(liar_sends(&w.xa, &w.xr, NOBODY_HAS), 200);
	assert_false(w.xr.node->refresh_wanted);
}

/* A register was published and taken by the sender; the last one that this home asked for is older than that. */
static void who_tells_the_truth_is_heard_once_the_register_is_here(void **state)
{
	struct said s;

	has_a_source(&w.xr);
	/* Even if it lied, or was ahead, a moment ago. */
	assert_int_equal(liar_sends(&w.xa, &w.xr, (int64_t)register_size(w.xr.node->reg) + 1), 503);
	publish(&w);
	take_register(&w, &w.xr);
	source_answers(&w.xr);
	policy_two_of_three(&w, "XL");
	the_time += 4000;
	assert_int_equal(liar_sends(&w.xa, &w.xr, (int64_t)register_size(w.xr.node->reg) + 1), 503);
	source_answers(&w.xr);
	s = say_request(&w.xa, "XR");
	slot(&w.xa);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_state(&w.xa, &s.id, DELIVERED);
}

/* The sender waits a minute between two tries, and the source is asked a moment after each. */
static void a_proof_that_is_not_enough_is_told_so_at_the_longest_wait_too(void **state)
{
	int busy = 0, told = 0;
	uint8_t hash[SHA256_BYTES];
	struct said s = say_request(&w.xa, "XR");
	AUTO_BUF text = { 0 }, warnings = { 0 };

	slot(&w.xa);
	buf_init(&text, 4 * KIB);
	buf_init(&warnings, 4 * KIB);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	policy_add_witness(&text, "w2", &witnesses[W2]);
	buf_add_text(&text, "group two 2 w1 w2\nquorum two\n");
	IN(&w.xs, directory_policy(w.xs.node, bytes_of("XA"), buf_bytes(&text), 86400, 0, hash, &warnings, e));
	publish(&w);
	take_register(&w, &w.xr);
	has_a_source(&w.xr);
	for (int i = 0; i < 20; i++) {
		struct outbox_job j;
		struct err why;
		AUTO_BUF reply = { 0 };
		buf_init(&reply, LETTER_BATCH_BYTES_MAX);
		next_job(&w.xa, OUTBOX_LETTERS, &j);
		if (j.count > 0) {
			unsigned status = receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why);
			answered(&w.xa, &j, status, buf_bytes(&reply));
			busy += status == 503;
			told += status == 200;
		}
		outbox_job_release(&j);
		the_time += 300;
		if (w.xr.node->refresh_wanted)
			source_answers(&w.xr);
		the_time += 61000;
	}
	assert_true(told >= busy);
	assert_true(w.xa.node->refresh_wanted);
	assert_state(&w.xa, &s.id, SENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(who_names_a_register_that_our_source_does_not_have_is_rejected),
		CLAIM(a_register_that_is_newer_than_the_last_question_is_waited_for),
		CLAIM(an_answer_that_was_on_its_way_is_held_against_nobody),
		CLAIM(an_answer_that_is_of_no_use_is_held_against_nobody),
		CLAIM(a_clock_that_was_set_back_is_held_against_nobody),
		CLAIM(who_never_stops_lying_is_judged_after_one_question),
		CLAIM(a_lie_of_one_is_not_held_against_another),
		CLAIM(fifty_lies_are_one_question_and_are_counted),
		CLAIM(who_has_no_source_to_ask_judges_by_what_it_has),
		CLAIM(who_tells_the_truth_is_heard_once_the_register_is_here),
		CLAIM(a_proof_that_is_not_enough_is_told_so_at_the_longest_wait_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
