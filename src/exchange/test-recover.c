/* A home that lost a day comes back as the same home: its log goes on, its peers send again what they sent, and no
 * letter takes the place of another. */
#include "exchange/test-restoring.h"

#include "exchange/audit.h"

/* Before the backup one letter each way; after it one more each way, which the restored home has forgotten. */
static struct said first, lost_ours, lost_theirs;

static void a_day_goes_by(void)
{
	first = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	say_request(&w.xr, "XA");
	settle(&w.xr, &w.xa);
	back_up(&w.xa);
	lost_ours = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	lost_theirs = say_request(&w.xr, "XA");
	settle(&w.xr, &w.xa);
	assert_state(&w.xa, &lost_theirs.id, RECEIVED);
}

static void peers_send_again_and_the_numbers_go_on(void **state)
{
	struct err none;
	struct request_row r;

	a_day_goes_by();
	struct receipt_row receipt = receipt_at(&w.xr, lost_theirs.hash);
	assert_true(receipt.found && receipt.proof > 0);
	restore(&w.xa);
	assert_false(node_request(w.xa.node, &lost_theirs.id, &r, &none));
	recover(&w.xa, NULL);
	assert_string_equal(w.xa.node->recovering, "XR");
	while (ask_one(&w.xa))
		;
	assert_int_equal(w.xa.node->recoveries, 0);
	assert_string_equal(w.xa.node->recovering, "");
	/* Ours go on after the last that Ruritania has. */
	assert_agree(&w.xa, &w.xr);
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 2);
	settle(&w.xr, &w.xa);
	assert_state(&w.xa, &lost_theirs.id, RECEIVED);
	assert_agree(&w.xr, &w.xa);
	/* The first receipt and its proof stay what they were. */
	struct receipt_row again = receipt_at(&w.xr, lost_theirs.hash);
	assert_string_equal(again.outcome, "received");
	assert_int_equal(again.proof, receipt.proof);
	struct said next = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &next.id, DELIVERED);
	assert_agree(&w.xa, &w.xr);
	assert_int_equal(last_of(&w.xa, "XR", PAIR_SENT).n, 3);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list) + rows(&w.xr, QUERY_pair_dispute_list), 0);
}

/* The backup has the receipt and not the proof, which Ruritania has long delivered. */
static void a_proof_that_was_lost_comes_again(void **state)
{
	struct said p = say_request(&w.xa, "XR");

	slot(&w.xa);
	slot(&w.xa);
	while (carry_one(&w.xa, &w.xr))
		;
	back_up(&w.xa);
	settle(&w.xa, &w.xr);
	assert_int_not_equal(receipt_at(&w.xa, p.hash).proof, 0);
	restore(&w.xa);
	assert_int_equal(receipt_at(&w.xa, p.hash).proof, 0);
	recover(&w.xa, NULL);
	while (ask_one(&w.xa))
		;
	settle(&w.xa, &w.xr);
	assert_int_not_equal(receipt_at(&w.xa, p.hash).proof, 0);
}

static void until_they_have_answered_nothing_is_approved_and_receipts_are_signed(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	uint8_t hash[SHA256_BYTES];
	struct id id;

	a_day_goes_by();
	restore(&w.xa);
	recover(&w.xa, NULL);
	draft(&w.xa, "preservation-request", "XL", NULL, body, &id);
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_LOCKED);
	/* A start in between changes nothing. */
	home_close(&w.xa);
	home_open(&w.xa);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_LOCKED);
	struct said theirs = say_request(&w.xl, "XA");
	settle(&w.xl, &w.xa);
	assert_state(&w.xl, &theirs.id, DELIVERED);
	while (ask_one(&w.xa))
		;
	IN(&w.xa, send_draft(&w.xa, &id, hash, e));
}

/* Status and doctor say who was not waited for. */
static void assert_left_out(struct home *h, const char *whom)
{
	AUTO_JSON *status = json_object(), *checks = json_array();
	const json_t *x;
	bool told = false;
	size_t i;

	assert_ok(pair_recovery_status(h->node, status, e));
	json_array_foreach(json_object_get(status, "recovering"), i, x) {
		assert_int_equal(json_bool(x, "skipped"), strcmp(json_text(x, "peer"), whom) == 0);
		told = told || json_bool(x, "skipped");
	}
	assert_int_equal(told, whom[0] != '\0');
	assert_ok(audit_node(h->node, checks, e));
	json_array_foreach(checks, i, x) {
		if (strcmp(json_text(x, "name"), "recovery") != 0)
			continue;
		assert_int_equal(json_bool(x, "ok"), whom[0] == '\0');
		assert_int_equal(strstr(json_text(x, "text"), "left out, and not heard since: XR") != NULL, whom[0] != '\0');
	}
}

/* Ruritania is gone: an officer goes on without it, and only what goes to it waits. */
static void a_peer_that_is_gone_may_be_left_out(void **state)
{
	static const char *const without[] = { "XR", NULL };
	AUTO_JSON *body = sample_body("preservation-request");
	uint8_t hash[SHA256_BYTES];
	struct pair_question ask;
	struct id to_xl, to_xr;
	bool found = true;

	a_day_goes_by();
	restore(&w.xa);
	recover(&w.xa, NULL);
	/* Nobody answers. */
	while (found) {
		assert_ok(pair_question_next(w.xa.node, the_time, no_peer_is_busy, NULL, &ask, &found, e));
		if (found)
			IN(&w.xa, pair_question_answered(w.xa.node, ask.peer, false, 0, bytes_of(""), "no connection", the_time, e));
		buf_release(&ask.body);
	}
	assert_string_equal(w.xa.node->recovering, "XR");
	recover(&w.xa, without);
	assert_string_equal(w.xa.node->recovering, "");
	assert_left_out(&w.xa, "XR");
	reopen(&w.xa);
	assert_left_out(&w.xa, "XR");
	draft(&w.xa, "preservation-request", "XR", NULL, body, &to_xr);
	approve(&w.xa, &to_xr, RANA);
	approve(&w.xa, &to_xr, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &to_xr, hash, e), REASON_LOCKED);
	draft(&w.xa, "preservation-request", "XL", NULL, body, &to_xl);
	approve(&w.xa, &to_xl, RANA);
	approve(&w.xa, &to_xl, ILSE);
	the_time += 1000;
	while (ask_one(&w.xa)) /* the others answer, and so does Ruritania in the end */
		;
	assert_left_out(&w.xa, "");
	IN(&w.xa, send_draft(&w.xa, &to_xl, hash, e));
	settle(&w.xa, &w.xl);
	IN(&w.xa, send_draft(&w.xa, &to_xr, hash, e));
	settle(&w.xa, &w.xr);
	assert_agree(&w.xa, &w.xr);
}

static void only_the_peer_itself_asks_for_its_letters(void **state)
{
	struct pair_message m = { .from = "XR" };
	AUTO_BUF body = { 0 }, reply = { 0 };

	buf_init(&body, PAIR_MESSAGE_BYTES_MAX);
	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(pair_message_write(&m, &body, e));
	IN_REFUSED(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xl.tls, &reply, e), REASON_WRONG_PARTY);
	assert_int_equal(reply.len, 0);
}

/* A peer that claims another history of our letters gets nothing again, and the difference is kept. */
static void another_history_is_a_dispute(void **state)
{
	struct pair_message m = { .from = "XR", .received = { .n = 1, .head = { 9 } } };
	AUTO_BUF body = { 0 }, reply = { 0 };

	buf_init(&body, PAIR_MESSAGE_BYTES_MAX);
	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	say_request(&w.xa, "XR");
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	assert_ok(pair_message_write(&m, &body, e));
	IN(&w.xa, pair_asked(w.xa.node, buf_bytes(&body), w.xr.tls, &reply, e));
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 1);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
}

static void who_has_seen_more_of_our_log_stops_it(void **state)
{
	uint64_t size;
	struct recovered back;

	slot(&w.xa);
	size = log_size(w.xa.node->log);
	IN(&w.xa, shown_keep(w.xa.node, buf_bytes(&w.xa.node->note), "witness W", e));
	assert_false(w.xa.node->locked);
	seen_elsewhere(&w.xa, size + 4);
	assert_true(w.xa.node->locked);
	assert_non_null(strstr(w.xa.node->locked_why, "witness W shows"));
	/* The next start knows it too, before anything is signed. */
	home_close(&w.xa);
	home_open(&w.xa);
	assert_true(w.xa.node->locked);
	slot(&w.xa);
	assert_int_equal(log_size(w.xa.node->log), size);
	assert_refused(node_recover(w.xa.node, NULL, &back, e), REASON_LOCKED);
	assert_true(w.xa.node->locked);
}

/* A signer that dies is started again alone, and its new life knows nothing of what a witness showed. */
static void who_is_locked_states_nothing_whatever_its_signer_knows(void **state)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "page", .to = "", .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	uint8_t hash[SHA256_BYTES];

	json_put_int(body, "attempt", 1);
	json_put_text(body, "officer", "Ada Quill");
	json_put_text(body, "request", "");
	json_put_text(body, "text", "wake up");
	IN(&w.xa, node_state(w.xa.node, &s, hash, e));
	seen_elsewhere(&w.xa, log_size(w.xa.node->log) + 4);
	signing_unlock(w.xa.signing);
	IN_REFUSED(&w.xa, node_state(w.xa.node, &s, hash, e), REASON_LOCKED);
	assert_non_null(strstr(w.xa.node->locked_why, "witness W"));
	shown_lock_signer(w.xa.node);
	assert_true(signing_locked(w.xa.signing));
}

/* Nothing is left aside: the files come from a mirror, and only the log's own leaves are believed. */
static void leaves_that_are_missing_keep_it_locked(void **state)
{
	struct recovered back;

	a_day_goes_by();
	restore(&w.xa);
	assert_int_equal(renameat(w.xa.dir.fd, RECOVER_FOLDER "/tile", w.xa.dir.fd, "tiles-of-a-mirror"), 0);
	assert_refused(node_recover(w.xa.node, NULL, &back, e), REASON_LOCKED);
	assert_true(w.xa.node->locked);
	assert_int_equal(renameat(w.xa.dir.fd, "tiles-of-a-mirror", w.xa.dir.fd, RECOVER_FOLDER "/tile"), 0);
	recover(&w.xa, NULL);
}

/* The newest checkpoint never had its quorum: no file has it, and the signer's memory is gone as well. A witness that had
 * signed it shows it, and its leaves are there. */
static void a_checkpoint_that_only_a_witness_has_is_recovered_to(void **state)
{
	struct checkpoint newest;
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	slot(&w.xa);
	back_up(&w.xa);
	slot(&w.xa);
	copy(&w.xa, "log/checkpoint", "published");
	slot(&w.xa);
	newest = w.xa.node->checkpoint;
	buf_add(&note, buf_bytes(&w.xa.node->note));
	assert_int_equal(unlinkat(w.xa.dir.fd, "keys/checkpoint", 0), 0);
	restore(&w.xa);
	copy(&w.xa, "published", RECOVER_FOLDER "/checkpoint");
	recover(&w.xa, NULL);
	assert_true(log_size(w.xa.node->log) < newest.size);
	IN(&w.xa, shown_keep(w.xa.node, buf_bytes(&note), "witness W", e));
	assert_true(w.xa.node->locked);
	recover(&w.xa, NULL);
	assert_int_equal(log_size(w.xa.node->log), newest.size);
	slot(&w.xa);
	assert_true(log_size(w.xa.node->log) > newest.size);
}

static void act_path(const struct said *p, char ret[static 80])
{
	memcpy(ret, "acts/", 5);
	hex_write(BYTES_ARRAY(p->hash), ret + 5);
}

/* What was published after the backup stands in no store any more; strangers have read it. */
static void what_was_published_and_lost_stays_published(void **state)
{
	struct said kept, damaged, later;
	char path[80], other[160];
	struct act *newest;
	size_t count, before;
	AUTO_BUF was = { 0 }, is = { 0 }, index = { 0 };

	buf_init(&was, LETTER_BYTES_MAX);
	buf_init(&is, LETTER_BYTES_MAX);
	buf_init(&index, MIB);
	a_day_goes_by();
	kept = say_request(&w.xa, "XR");
	damaged = say_request(&w.xa, "XR");
	IN(&w.xa, publish_act(w.xa.node, kept.hash, e));
	IN(&w.xa, publish_act(w.xa.node, damaged.hash, e));
	slot(&w.xa);
	slot(&w.xa);
	act_free(published(&w.xa, "preservation-request", &before));
	assert_int_equal(before, 2);
	act_path(&kept, path);
	assert_true(log_file(&w.xa, path, &was));
	restore(&w.xa);
	/* Somebody put another act under the name of one of them. */
	act_path(&damaged, path);
	snprintf(other, sizeof(other), RECOVER_FOLDER "/%s", path);
	write_file(&w.xa, other, buf_bytes(&was));
	recover(&w.xa, NULL);
	assert_false(log_file(&w.xa, path, &is));
	act_path(&kept, path);
	assert_true(log_file(&w.xa, path, &is));
	assert_true(bytes_equal(buf_bytes(&was), buf_bytes(&is)));
	newest = published(&w.xa, "preservation-request", &count);
	assert_int_equal(count, 1);
	assert_memory_equal(newest->statement->hash, kept.hash, sizeof(kept.hash));
	act_free(newest);
	/* A start, and another act: the lost one keeps its line, in its place. */
	while (ask_one(&w.xa))
		;
	reopen(&w.xa);
	the_time += 1000;
	later = say_request(&w.xa, "XL");
	IN(&w.xa, publish_act(w.xa.node, later.hash, e));
	slot(&w.xa);
	slot(&w.xa);
	newest = published(&w.xa, "preservation-request", &count);
	assert_int_equal(count, 2);
	assert_memory_equal(newest->statement->hash, later.hash, sizeof(later.hash));
	act_free(newest);
	/* Another recovery brings nothing twice. */
	assert_true(log_file(&w.xa, "acts/index", &index));
	size_t len = index.len;
	recover(&w.xa, NULL);
	assert_true(log_file(&w.xa, "acts/index", &index));
	assert_int_equal(index.len, len);
}

/* An empty folder is there in every home, for files that are brought while the node runs. */
static void an_empty_folder_holds_nothing_to_recover_from(void **state)
{
	struct recovered back;
	struct err why = { 0 };

	a_day_goes_by();
	restore(&w.xa);
	assert_int_equal(renameat(w.xa.dir.fd, RECOVER_FOLDER, w.xa.dir.fd, "by"), 0);
	assert_ok(dir_make(w.xa.dir.fd, RECOVER_FOLDER, 0700, e));
	assert_false(node_recover(w.xa.node, NULL, &back, &why));
	assert_int_equal(why.reason, REASON_LOCKED);
	assert_non_null(strstr(why.text, "there are no log files in " RECOVER_FOLDER));
	/* They come, and the same node goes on. */
	assert_int_equal(renameat(w.xa.dir.fd, "by/tile", w.xa.dir.fd, RECOVER_FOLDER "/tile"), 0);
	assert_int_equal(renameat(w.xa.dir.fd, "by/checkpoint", w.xa.dir.fd, RECOVER_FOLDER "/checkpoint"), 0);
	recover(&w.xa, NULL);
}

/* We asked, they took it on, and the asking is lost with our disk: what they say comes again and is kept, so that nobody waits
 * for a proof that we promised. */
static void an_answer_to_what_was_lost_is_kept_without_effect(void **state)
{
	settle(&w.xa, &w.xr);
	back_up(&w.xa);
	struct said asked = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	struct said ack = say_acknowledged(&w.xr, "XA", &asked.id);
	settle(&w.xa, &w.xr);
	assert_true(act_is_there(&w.xa, ack.hash));
	restore(&w.xa);
	recover(&w.xa, NULL);
	while (ask_one(&w.xa))
		;
	assert_false(act_is_there(&w.xa, ack.hash));
	settle(&w.xa, &w.xr);
	assert_true(act_is_there(&w.xa, ack.hash));
	assert_false(act_is_there(&w.xa, asked.hash));
	assert_string_equal(receipt_at(&w.xr, ack.hash).outcome, "received");
	assert_int_equal(number(&w.xr, QUERY_outbox_count), 0);
	assert_agree(&w.xr, &w.xa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(peers_send_again_and_the_numbers_go_on),
		CLAIM(a_proof_that_was_lost_comes_again),
		CLAIM(until_they_have_answered_nothing_is_approved_and_receipts_are_signed),
		CLAIM(a_peer_that_is_gone_may_be_left_out),
		CLAIM(only_the_peer_itself_asks_for_its_letters),
		CLAIM(another_history_is_a_dispute),
		CLAIM(who_has_seen_more_of_our_log_stops_it),
		CLAIM(a_checkpoint_that_only_a_witness_has_is_recovered_to),
		CLAIM(who_is_locked_states_nothing_whatever_its_signer_knows),
		CLAIM(leaves_that_are_missing_keep_it_locked),
		CLAIM(what_was_published_and_lost_stays_published),
		CLAIM(an_empty_folder_holds_nothing_to_recover_from),
		CLAIM(an_answer_to_what_was_lost_is_kept_without_effect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
