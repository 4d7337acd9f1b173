/* A home that lost a day comes back as the same home: its log goes on, its peers send again what they sent, and no
 * letter takes the place of another. */
#include "exchange/test-carry.h"

#include "exchange/pair-recover.h"
#include "exchange/recover.h"

static struct world w;

static int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static void copy(struct home *h, const char *from, const char *to)
{
	AUTO_BUF in = { 0 };

	buf_init(&in, 64 * MIB);
	assert_ok(file_read(h->dir.fd, from, &in, e));
	write_file(h, to, buf_bytes(&in));
}

static void back_up(struct home *h)
{
	int fd = openat(h->dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)unlinkat(fd, "comity.db", 0);
	(void)unlinkat(fd, "keys.db", 0);
	assert_ok(store_backup(h->node->store, fd, true, NULL, NULL, e));
	close(fd);
}

/* What `comity restore` does: the backup into the store, the log files aside, the home marked. */
static void restore(struct home *h)
{
	home_close(h);
	(void)unlinkat(h->dir.fd, "store/comity.db-wal", 0);
	(void)unlinkat(h->dir.fd, "store/keys.db-wal", 0);
	copy(h, "backup/comity.db", "store/comity.db");
	copy(h, "backup/keys.db", "store/keys.db");
	assert_int_equal(renameat(h->dir.fd, "log", h->dir.fd, RECOVER_FOLDER), 0);
	assert_ok(dir_make(h->dir.fd, "log", 0700, e));
	assert_ok(signer_open(h, true, e));
	assert_ok(node_open_at(h, e));
	assert_true(h->node->locked);
}

static void recover(struct home *h, const char *const *without)
{
	uint64_t back;

	assert_ok(node_recover(h->node, without, &back, e));
	assert_false(h->node->locked);
}

static bool no_peer_is_busy(void *ctx, const char *peer)
{
	return false;
}

/* The next question goes to its peer, and the answer comes back. False: none is due. */
static bool ask_one(struct home *h)
{
	struct home *all[] = { &w.xs, &w.xa, &w.xr, &w.xl };
	struct pair_question ask;
	bool found;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(pair_question_next(h->node, the_time, no_peer_is_busy, NULL, &ask, &found, e));
	for (size_t i = 0; found && i < 4; i++) {
		if (strcmp(all[i]->code, ask.peer) != 0)
			continue;
		IN(all[i], pair_asked(all[i]->node, buf_bytes(&ask.body), h->tls, &reply, e));
		IN(h, pair_question_answered(h->node, ask.peer, true, 200, buf_bytes(&reply), "", the_time, e));
	}
	buf_release(&ask.body);
	return found;
}

static struct pair_state last_of(struct home *h, const char *peer, enum pair_direction d)
{
	struct pair_state s;

	assert_ok(pair_last(h->node, peer, d, &s, e));
	return s;
}

static void assert_agree(struct home *from, struct home *to)
{
	struct pair_state sent = last_of(from, to->code, PAIR_SENT), received = last_of(to, from->code, PAIR_RECEIVED);

	assert_int_equal(sent.n, received.n);
	assert_memory_equal(sent.head, received.head, SHA256_BYTES);
}

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

static void seen_elsewhere(struct home *h, uint64_t size)
{
	assert_ok(node_begin(h->node, e));
	assert_true(recover_known(h->node, size, "witness W"));
	assert_ok(node_commit(h->node, e));
}

static void who_has_seen_more_of_our_log_stops_it(void **state)
{
	uint64_t size, back;

	slot(&w.xa);
	size = log_size(w.xa.node->log);
	seen_elsewhere(&w.xa, size);
	assert_false(w.xa.node->locked);
	seen_elsewhere(&w.xa, size + 4);
	assert_true(w.xa.node->locked);
	assert_non_null(strstr(w.xa.node->locked_why, "witness W has seen"));
	/* The next start knows it too, before anything is signed. */
	home_close(&w.xa);
	home_open(&w.xa);
	assert_true(w.xa.node->locked);
	slot(&w.xa);
	assert_int_equal(log_size(w.xa.node->log), size);
	assert_refused(node_recover(w.xa.node, NULL, &back, e), REASON_LOCKED);
	assert_true(w.xa.node->locked);
}

/* Nothing is left aside: the files come from a mirror, and only the log's own leaves are believed. */
static void leaves_that_are_missing_keep_it_locked(void **state)
{
	uint64_t back;

	a_day_goes_by();
	restore(&w.xa);
	assert_int_equal(renameat(w.xa.dir.fd, RECOVER_FOLDER "/tile", w.xa.dir.fd, "tiles-of-a-mirror"), 0);
	assert_refused(node_recover(w.xa.node, NULL, &back, e), REASON_LOCKED);
	assert_true(w.xa.node->locked);
	assert_int_equal(renameat(w.xa.dir.fd, "tiles-of-a-mirror", w.xa.dir.fd, RECOVER_FOLDER "/tile"), 0);
	recover(&w.xa, NULL);
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
		CLAIM(leaves_that_are_missing_keep_it_locked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
