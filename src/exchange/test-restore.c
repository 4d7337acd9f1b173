/* A home that came back from a backup must not say twice, differently, what it said before. */
#include "exchange/test-carry.h"

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

/* A backup as the node makes it, while it runs. */
static void back_up(struct home *h)
{
	int fd = openat(h->dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)unlinkat(fd, "comity.db", 0);
	(void)unlinkat(fd, "keys.db", 0);
	assert_ok(store_backup(h->node->store, fd, true, NULL, NULL, e));
	close(fd);
}

/* What `comity restore` does to a home that stands still. */
static void put_back(struct home *h)
{
	(void)unlinkat(h->dir.fd, "store/comity.db-wal", 0);
	(void)unlinkat(h->dir.fd, "store/keys.db-wal", 0);
	copy(h, "backup/comity.db", "store/comity.db");
	copy(h, "backup/keys.db", "store/keys.db");
}

static void the_newest_backup_starts_locked_and_is_recovered(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct outbox_job j;
	struct err why = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	slot(&w.xr);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	back_up(&w.xr);
	home_close(&w.xr);
	put_back(&w.xr);
	assert_ok(signer_open(&w.xr, true, e));
	assert_ok(node_open_at(&w.xr, e));
	assert_true(w.xr.node->locked);
	assert_non_null(strstr(w.xr.node->locked_why, "restored"));
	/* What arrives is held; no slot closes. */
	uint64_t size = log_size(w.xr.node->log);
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 503);
	assert_int_equal(why.reason, REASON_LOCKED);
	answered(&w.xa, &j, 503, bytes_of(""));
	outbox_job_release(&j);
	slot(&w.xr);
	assert_int_equal(log_size(w.xr.node->log), size);
	signing_unlock(w.xr.signing);
	w.xr.node->locked = false;
	the_time += 60000;
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_state(&w.xr, &p.id, RECEIVED);
}

static void a_locked_home_sends_nothing_and_signs_nothing(void **state)
{
	AUTO_JSON *body = sample_body("preservation-request");
	struct outbox_job j;
	uint8_t hash[SHA256_BYTES];
	struct id id;

	say_request(&w.xa, "XR");
	slot(&w.xa);
	draft(&w.xa, "preservation-request", "XR", NULL, body, &id);
	approve(&w.xa, &id, RANA);
	approve(&w.xa, &id, ILSE);
	home_close(&w.xa);
	assert_ok(signer_open(&w.xa, true, e));
	assert_ok(node_open_at(&w.xa, e));
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 0);
	outbox_job_release(&j);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &id, hash, e), REASON_LOCKED);
}

/* The store is older than what the home's own files show to the world: it says so, and does not start to fork. */
static void an_older_backup_does_not_start_beside_newer_files(void **state)
{
	struct err why = { 0 };

	slot(&w.xa);
	back_up(&w.xa);
	slot(&w.xa);
	home_close(&w.xa);
	put_back(&w.xa);
	assert_ok(signer_open(&w.xa, true, e));
	assert_false(node_open_at(&w.xa, &why));
	assert_int_equal(why.reason, REASON_INCONSISTENT);
	assert_non_null(strstr(why.text, "this store is older"));
}

/* Without the files the signer's own cell still knows. */
static void an_older_backup_without_files_stays_locked(void **state)
{
	struct checkpoint before;

	slot(&w.xa);
	back_up(&w.xa);
	slot(&w.xa);
	before = *signing_last(w.xa.signing);
	home_close(&w.xa);
	put_back(&w.xa);
	assert_int_equal(renameat(w.xa.dir.fd, "log", w.xa.dir.fd, "log.before"), 0);
	assert_ok(dir_make(w.xa.dir.fd, "log", 0700, e));
	/* Even when nobody marked it as restored. */
	assert_ok(signer_open(&w.xa, false, e));
	assert_ok(node_open_at(&w.xa, e));
	assert_true(w.xa.node->locked);
	assert_non_null(strstr(w.xa.node->locked_why, "older backup"));
	assert_true(log_size(w.xa.node->log) < before.size);
	slot(&w.xa);
	assert_int_equal(signing_last(w.xa.signing)->size, before.size);
	assert_memory_equal(signing_last(w.xa.signing)->root, before.root, SHA256_BYTES);
}

static void a_home_that_was_only_closed_goes_on(void **state)
{
	struct said p = say_request(&w.xa, "XR");

	slot(&w.xa);
	home_close(&w.xa);
	home_open(&w.xa);
	assert_false(w.xa.node->locked);
	assert_string_equal(directory_state(w.xa.node), "fresh");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(the_newest_backup_starts_locked_and_is_recovered),
		CLAIM(a_locked_home_sends_nothing_and_signs_nothing),
		CLAIM(an_older_backup_does_not_start_beside_newer_files),
		CLAIM(an_older_backup_without_files_stays_locked),
		CLAIM(a_home_that_was_only_closed_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
