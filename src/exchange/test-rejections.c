/* Rejected letters in our log: one leaf for each that is beyond doubt the peer's, one a day for all the rest, and never more
 * than the peer's place in our slots. */
#include "exchange/rejections.h"
#include "exchange/test-forge.h"

static struct world w;
static struct forged f;
static struct buf sealed;

static int begin(void **state)
{
	world_begin(&w);
	slot(&w.xr);
	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	return 0;
}

static int end(void **state)
{
	buf_release(&sealed);
	world_end(&w);
	return 0;
}

/* True in everything, but no authority approved it. */
static void unapproved(void)
{
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ RANA }, 1);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
}

static int64_t of_kind(const char *kind, json_t **ret_last)
{
	struct query *q = store_query(w.xr.node->store, QUERY_statement_all);
	uint8_t hashes[64][SHA256_BYTES];
	size_t count = 0;
	int64_t found_count = 0;
	bool found;

	while (query_row(q, &found, NULL) && found && count < 64)
		memcpy(hashes[count++], query_bytes(q, 0).at, SHA256_BYTES);
	query_end(q);
	for (size_t i = 0; i < count; i++) {
		AUTO_ACT *a = NULL;

		assert_ok(node_act_load(w.xr.node, hashes[i], &a, e));
		if (strcmp(a->statement->kind->name, kind) != 0)
			continue;
		found_count++;
		if (ret_last != NULL) {
			json_decref(*ret_last);
			*ret_last = json_incref((json_t *)(uintptr_t)a->statement->body);
		}
	}
	return found_count;
}

static int64_t leaves_of(const char *peer)
{
	struct query *q = store_query(w.xr.node->store, QUERY_leaf_queue_of_peer);
	bool found;

	query_bind_text(q, 1, peer);
	assert_ok(query_row(q, &found, e));
	int64_t count = query_int(q, 0);
	query_end(q);
	return count;
}

static enum reason brought(const uint8_t *spki)
{
	struct verdict v;

	bring(&w.xr, buf_bytes(&sealed), spki, &v);
	enum reason r = v.reason;
	buf_release(&v.envelope);
	return r;
}

static void clock_looks(void)
{
	IN(&w.xr, rejections_clock(w.xr.node, the_time, e));
}

static void what_is_the_peers_beyond_doubt_gets_a_leaf_once(void **state)
{
	AUTO_JSON *body = NULL;
	char hex[2 * SHA256_BYTES + 1];

	unapproved();
	assert_int_equal(brought(w.xa.tls), REASON_MISSING_APPROVAL);
	assert_int_equal(of_kind("rejection", &body), 1);
	assert_string_equal(json_text(body, "from"), "XA");
	assert_string_equal(json_text(body, "reason"), "missing-approval");
	hex_write(BYTES_ARRAY(f.hash), hex);
	assert_string_equal(json_text(body, "statement"), hex);
	assert_int_equal(leaves_of("XA"), 1); /* it takes the peer's place, not ours */
	/* The same statement sealed anew says nothing new. */
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	assert_int_equal(brought(w.xa.tls), REASON_MISSING_APPROVAL);
	assert_int_equal(of_kind("rejection", NULL), 1);
	json_decref(f.act);
	unapproved();
	assert_int_equal(brought(w.xa.tls), REASON_MISSING_APPROVAL);
	assert_int_equal(of_kind("rejection", NULL), 2);
	json_decref(f.act);
	/* And stands under a checkpoint like anything that we say. */
	AUTO_BUF proof = { 0 };
	buf_init(&proof, NOTE_BYTES_MAX);
	slot(&w.xr);
	assert_int_equal(leaves_of("XA"), 0);
	the_time += DAY_MS;
	clock_looks();
	assert_int_equal(of_kind("rejections", NULL), 0); /* all were told one by one */
}

static void what_anybody_could_have_sent_is_one_leaf_a_day(void **state)
{
	AUTO_JSON *body = NULL;
	char day[TIME_TEXT_LEN + 1];

	time_write(the_time, day);
	day[10] = '\0';
	unapproved();
	for (int i = 0; i < 5; i++)
		assert_int_equal(brought(w.xl.tls), REASON_WRONG_PARTY); /* Laurania's line */
	assert_int_equal(brought(NULL), REASON_MISSING_APPROVAL); /* a USB stick */
	json_decref(f.act);
	forge(&w.xa, &w.xr, &f);
	f.key = w.xl.sign; /* Arcadia's line, and not its signature */
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	assert_int_equal(brought(w.xa.tls), REASON_UNSIGNED);
	json_decref(f.act);
	assert_int_equal(of_kind("rejection", NULL), 0);
	clock_looks();
	assert_int_equal(of_kind("rejections", NULL), 0); /* the day is not over */
	the_time += DAY_MS;
	clock_looks();
	assert_int_equal(of_kind("rejections", &body), 2); /* Arcadia's, Laurania's */
	clock_looks();
	assert_int_equal(of_kind("rejections", &body), 2);
	assert_string_equal(json_text(body, "day"), day);
	assert_int_equal(leaves_of("XA"), 0);
	/* What stands in it. */
	const json_t *reasons = json_object_get(body, "reasons");
	if (strcmp(json_text(body, "peer"), "XL") == 0) {
		assert_int_equal(json_array_size(reasons), 1);
		assert_int_equal(json_int(json_array_get(reasons, 0), "count"), 5);
		assert_string_equal(json_text(json_array_get(reasons, 0), "reason"), "wrong-party");
	} else {
		assert_string_equal(json_text(body, "peer"), "XA");
		assert_int_equal(json_array_size(reasons), 2);
	}
}

static void a_peer_that_floods_waits_for_its_slots(void **state)
{
	int64_t room = PEER_SLOTS_AHEAD_MAX * config_count(&w.xr.config, leaves_per_slot);

	for (int64_t i = 0; i < room; i++) {
		unapproved();
		assert_int_equal(brought(w.xa.tls), REASON_MISSING_APPROVAL);
		json_decref(f.act);
	}
	assert_int_equal(leaves_of("XA"), room);
	unapproved();
	assert_int_equal(brought(w.xa.tls), REASON_BUSY);
	json_decref(f.act);
	assert_int_equal(leaves_of("XA"), room);
	/* Another peer is not kept out. */
	forge(&w.xl, &w.xr, &f);
	forge_sign(&w.xl, &w.xl, &f, BY_TWO);
	seal_letter("XL", "XR", &f.act, 1, &w.xr, &sealed);
	assert_int_equal(brought(w.xl.tls), REASON_NONE);
	json_decref(f.act);
}

static void a_batch_that_is_not_answered_states_nothing(void **state)
{
	unapproved();
	w.xr.good_calls = 1; /* unwraps, and then the signer is gone */
	w.xr.refuse_signing = 1;
	struct verdict v;
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_not_equal(v.status, 200);
	buf_release(&v.envelope);
	assert_int_equal(of_kind("rejection", NULL), 0);
	assert_int_equal(brought(w.xa.tls), REASON_MISSING_APPROVAL);
	assert_int_equal(of_kind("rejection", NULL), 1);
	json_decref(f.act);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(what_is_the_peers_beyond_doubt_gets_a_leaf_once),
		T(what_anybody_could_have_sent_is_one_leaf_a_day),
		T(a_peer_that_floods_waits_for_its_slots),
		T(a_batch_that_is_not_answered_states_nothing),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
