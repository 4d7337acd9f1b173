/* Erased stays erased, whatever dies in between and whatever is restored; and backups of the keys. */
#include <signal.h>
#include <sys/wait.h>

#include "exchange/test-erasing.h"

/* --- crashes and restores ------------------------------------------------------------------------------------------------- */

static bool key_is_there(struct home *h, const uint8_t *hash)
{
	struct query *q = store_query(h->node->store, QUERY_record_key_get);
	bool found;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	assert_ok(query_row(q, &found, e));
	query_end(q);
	return found;
}

/* The process dies when the erasure is durable and no key is gone yet. */
static void what_was_cut_off_is_finished_at_the_next_start(void **state)
{
	struct said p = ended(), s;

	IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &s.id, e));
	approve(&w.xa, &s.id, RANA);
	approve(&w.xa, &s.id, ILSE);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(send_draft(&w.xa, &s.id, s.hash, e));
	assert_true(w.xa.node->scrub_wanted);
	assert_true(key_is_there(&w.xa, p.hash));
	w.xa.node->scrub_wanted = false;
	assert_ok(node_commit(w.xa.node, e));
	assert_true(key_is_there(&w.xa, p.hash));
	home_close(&w.xa);
	home_open(&w.xa);
	assert_false(key_is_there(&w.xa, p.hash));
	assert_erased(&w.xa, &p);
	assert_int_equal(readable(&w.xa, s.hash), REASON_NONE);
}

/* The home starts, erases, and is killed at its n-th commit, before or after it; in a process of its own. */
static bool killed_at(struct home *h, const char *where, unsigned n, const struct id *draft)
{
	char at[64];
	uint8_t hash[SHA256_BYTES];
	int status = 0;
	pid_t child;

	snprintf(at, sizeof(at), "%s:%u", where, n);
	home_close(h);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct err why = { 0 };
		setenv("COMITY_CRASH_AT", at, 1);
		bool ok = signer_open(h, false, &why) && node_open_at(h, &why) && node_begin(h->node, &why) &&
			  send_draft(h, draft, hash, &why) && node_commit(h->node, &why);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)unlinkat(h->dir.fd, "store/crashed", 0);
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!killed)
		assert_int_equal(status, 0);
	home_open(h);
	return killed;
}

/* Erased for good, or not at all and still a draft: at whichever commit the process dies. */
static void a_kill_at_any_commit_leaves_all_or_nothing(void **state)
{
	static const char *const places[] = { "keeper-commit", "keeper-committed" };
	unsigned kills = 0, done = 0, undone = 0;

	for (unsigned i = 0; i < 16; i++) {
		struct said p = ended();
		struct id id;
		IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &id, e));
		approve(&w.xa, &id, RANA);
		approve(&w.xa, &id, ILSE);
		kills += killed_at(&w.xa, places[i % 2], 1 + i / 2, &id);
		assert_int_equal(number(&w.xa, QUERY_erase_unfinished), 0);
		if (request_at(&w.xa, &p.id).erased > 0) {
			assert_erased(&w.xa, &p);
			assert_false(key_is_there(&w.xa, p.hash));
			done++;
		} else {
			uint8_t hash[SHA256_BYTES];
			assert_int_equal(readable(&w.xa, p.hash), REASON_NONE);
			IN(&w.xa, send_draft(&w.xa, &id, hash, e));
			assert_erased(&w.xa, &p);
			undone++;
		}
		settle(&w.xa, &w.xr);
	}
	assert_true(kills >= 8 && done > 0 && undone > 0);
}

/* While somebody still reads, the log cannot be cut: then it is not done, and not said to be. */
static void what_could_not_be_scrubbed_is_tried_again(void **state)
{
	struct said p = ended();
	struct query *q;
	bool found;

	struct said s;
	IN(&w.xa, draft_erasure(&w.xa, "XR", &p.id, &s.id, e));
	approve(&w.xa, &s.id, RANA);
	approve(&w.xa, &s.id, ILSE);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(send_draft(&w.xa, &s.id, s.hash, e));
	q = store_query(w.xa.node->store, QUERY_statement_all);
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	assert_ok(node_commit(w.xa.node, e));
	assert_true(w.xa.node->scrub_wanted);
	query_end(q);
	assert_int_equal(number(&w.xa, QUERY_erase_unfinished), 1);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(node_commit(w.xa.node, e));
	assert_false(w.xa.node->scrub_wanted);
	assert_int_equal(number(&w.xa, QUERY_erase_unfinished), 0);
	assert_false(key_is_there(&w.xa, p.hash));
	assert_erased(&w.xa, &p);
}

static void older_keys_are_taken_again_when_they_come_back(void **state)
{
	struct said p = ended();

	back_up(&w.xa);
	erased_at(&w.xa, "XR", &p.id);
	assert_false(key_is_there(&w.xa, p.hash));
	home_close(&w.xa);
	copy(&w.xa, "backup/keys.db", "store/keys.db");
	assert_ok(signer_open(&w.xa, true, e));
	assert_ok(node_open_at(&w.xa, e));
	assert_false(key_is_there(&w.xa, p.hash));
	assert_erased(&w.xa, &p);
}

/* Even a store that knows nothing of the erasure: the list beside it does. */
static void an_older_store_does_not_bring_it_back(void **state)
{
	struct said p = ended(), q = ended();

	back_up(&w.xa);
	erased_at(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	home_close(&w.xa);
	copy(&w.xa, "backup/keys.db", "store/keys.db");
	copy(&w.xa, "backup/comity.db", "store/comity.db");
	assert_int_equal(renameat(w.xa.dir.fd, "log", w.xa.dir.fd, "log.before"), 0);
	assert_ok(dir_make(w.xa.dir.fd, "log", 0700, e));
	assert_ok(signer_open(&w.xa, true, e));
	assert_ok(node_open_at(&w.xa, e));
	assert_false(key_is_there(&w.xa, p.hash));
	assert_erased(&w.xa, &p);
	assert_int_equal(readable(&w.xa, q.hash), REASON_NONE);
	/* The erasure is lost with the newer store: the audit tells its leaf and what it covered, and calls neither a fault. */
	assert_int_equal(renameat(w.xa.dir.fd, "log.before", w.xa.dir.fd, RECOVER_FOLDER), 0);
	recover(&w.xa, NULL);
	AUTO_JSON *a = audited(&w.xa);
	assert_int_equal(json_int(a, "findings"), 0);
	assert_int_equal(json_int(a, "erased"), 0);
	assert_true(json_int(a, "unknown") >= 2);
}

static void a_store_that_is_newer_than_its_keys_opens(void **state)
{
	struct said p, q;

	p = say_request(&w.xa, "XR");
	back_up(&w.xa);
	q = say_request(&w.xa, "XR");
	slot(&w.xa);
	home_close(&w.xa);
	copy(&w.xa, "backup/keys.db", "store/keys.db");
	home_open(&w.xa);
	assert_int_equal(readable(&w.xa, p.hash), REASON_NONE);
	assert_int_equal(readable(&w.xa, q.hash), REASON_NOT_FOUND);
	/* What cannot be read cannot be sent; what is before it can. */
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
	assert_false(act_is_there(&w.xr, q.hash));
}

/* --- key backups ---------------------------------------------------------------------------------------------------------------- */

static void key_backups_are_sealed_and_end_after_thirty_days(void **state)
{
	struct seal_identity *identity;
	char old[KEY_BACKUP_NAME_LEN + 1], new[KEY_BACKUP_NAME_LEN + 1], path[80];
	AUTO_JSON *deleted = json_array();
	AUTO_BUF sealed = { 0 }, plain = { 0 };
	struct secret *key = NULL;
	size_t header;
	int64_t when;

	buf_init(&sealed, 64 * MIB);
	buf_init(&plain, 64 * MIB);
	back_up_keys(&w.xa, &identity, old);
	assert_true(key_backup_time(bytes_of(old), &when));
	assert_int_equal(when, the_time);
	snprintf(path, sizeof(path), "backup/%s", old);
	assert_ok(file_read(w.xa.dir.fd, path, &sealed, e));
	const struct seal_identity *ids[] = { identity }, *own[] = { w.xa.seal };
	assert_ok(age_header_length(buf_bytes(&sealed), &header, e));
	assert_refused(age_header_open(bytes_slice(buf_bytes(&sealed), 0, header), own, 1, &key, e), REASON_NOT_SEALED_TO_US);
	assert_ok(age_header_open(bytes_slice(buf_bytes(&sealed), 0, header), ids, 1, &key, e));
	assert_ok(age_payload_open(key, bytes_slice(buf_bytes(&sealed), header, sealed.len - header), &plain, e));
	assert_true(bytes_starts(buf_bytes(&plain), "SQLite format 3"));
	secret_free(key);
	seal_identity_free(identity);
	write_file(&w.xa, "backup/notes.txt", bytes_of("mine"));
	the_time += KEY_BACKUP_DAYS * DAY_MS;
	assert_ok(key_backup_sweep_home(w.xa.node, deleted, e));
	assert_int_equal(json_array_size(deleted), 0);
	the_time += 1;
	back_up_keys(&w.xa, &identity, new);
	assert_ok(key_backup_sweep_home(w.xa.node, deleted, e));
	assert_int_equal(json_array_size(deleted), 1);
	assert_string_equal(json_string_value(json_array_get(deleted, 0)), old);
	assert_int_not_equal(faccessat(w.xa.dir.fd, path, F_OK, 0), 0);
	snprintf(path, sizeof(path), "backup/%s", new);
	assert_int_equal(faccessat(w.xa.dir.fd, path, F_OK, 0), 0);
	assert_int_equal(faccessat(w.xa.dir.fd, "backup/notes.txt", F_OK, 0), 0);
	seal_identity_free(identity);
}

static void keys_are_not_backed_up_to_the_node_itself_nor_to_nobody(void **state)
{
	struct age_recipient to[AGE_STANZAS_MAX], own;
	char text[AGE_RECIPIENT_LEN + 1];
	AUTO_JSON *none = json_array(), *given = json_array();
	size_t count;

	assert_refused(key_backup_recipients(w.xa.node, none, to, &count, e), REASON_BAD_ARGUMENT);
	seal_identity_recipient(w.xa.seal, &own);
	age_recipient_write(&own, text);
	assert_int_equal(json_array_append_new(given, json_string(text)), 0);
	assert_refused(key_backup_recipients(w.xa.node, given, to, &count, e), REASON_BAD_ARGUMENT);
	seal_identity_recipient(w.xl.seal, &own);
	age_recipient_write(&own, text);
	assert_int_equal(json_array_set_new(given, 0, json_string(text)), 0);
	assert_ok(key_backup_recipients(w.xa.node, given, to, &count, e));
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(what_was_cut_off_is_finished_at_the_next_start),
		CLAIM(what_could_not_be_scrubbed_is_tried_again),
		CLAIM(a_kill_at_any_commit_leaves_all_or_nothing),
		CLAIM(older_keys_are_taken_again_when_they_come_back),
		CLAIM(an_older_store_does_not_bring_it_back),
		CLAIM(a_store_that_is_newer_than_its_keys_opens),
		CLAIM(key_backups_are_sealed_and_end_after_thirty_days),
		CLAIM(keys_are_not_backed_up_to_the_node_itself_nor_to_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
