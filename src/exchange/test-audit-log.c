/* The audit finds what was planted, taken away or relabelled, and calls nothing a fault that is none. */
#include "exchange/test-erasing.h"

static struct said request;

static int begin_with_request(void **state)
{
	(void)begin(state);
	request = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	return 0;
}

static void assert_faults(const json_t *v, int64_t want)
{
	if (json_int(v, "findings") != want) {
		AUTO_BUF out = { 0 };
		buf_init(&out, MIB);
		(void)!json_write_pretty(v, &out, NULL);
		fail_msg("%s", buf_text(&out));
	}
}

static void an_honest_home_has_no_fault(void **state)
{
	AUTO_JSON *a = audited(&w.xa), *r = audited(&w.xr);

	assert_faults(a, 0);
	assert_faults(r, 0);
	assert_true(json_int(a, "real") >= 2);
	assert_true(json_int(r, "real") >= 2); /* a leaf of what came, too */
	assert_int_equal(json_int(a, "real") + json_int(a, "null"), json_int(a, "size"));
	assert_int_equal(json_int(a, "size"), (int64_t)log_size(w.xa.node->log));
}

static void an_erased_record_still_opens_its_class(void **state)
{
	struct said p = ended();

	erased_at(&w.xa, "XR", &p.id);
	/* At once, while the erasure waits for its slot, and when it is logged. */
	AUTO_JSON *waiting = audited(&w.xa);
	assert_faults(waiting, 0);
	assert_int_equal(json_int(waiting, "erased"), 2); /* the request and its answer */
	settle(&w.xa, &w.xr);
	AUTO_JSON *logged = audited(&w.xa);
	assert_faults(logged, 0);
	assert_int_equal(json_int(logged, "erased"), 2);
}

static void assert_gone(const json_t *v, uint64_t place)
{
	const json_t *f = json_array_get(json_object_get(v, "faults"), 0);

	assert_faults(v, 1);
	assert_int_equal(json_int(f, "index"), (int64_t)place);
	assert_string_equal(json_text(f, "text"), "the key of this act is gone, and no erasure says so");
}

static void a_key_that_is_gone_without_an_erasure_is_found(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);

	home_close(&w.xa);
	tamper_forget_key(&w.xa.dir, request.hash);
	home_open(&w.xa);
	AUTO_JSON *a = audited(&w.xa);
	assert_gone(a, place);
	assert_int_equal(json_int(a, "erased"), 0);
}

/* Its request is erased, but an erasure is what has to stay readable: without it nothing accounts for the two others. */
static void the_key_of_an_erasure_itself_is_missed(void **state)
{
	struct said p = ended(), s = erased_at(&w.xa, "XR", &p.id);

	settle(&w.xa, &w.xr);
	uint64_t place = leaf_place(&w.xa, s.hash);
	home_close(&w.xa);
	tamper_forget_key(&w.xa.dir, s.hash);
	home_open(&w.xa);
	AUTO_JSON *a = audited(&w.xa);
	assert_faults(a, 3);
	const json_t *f = json_array_get(json_object_get(a, "faults"), 2);
	assert_int_equal(json_int(f, "index"), (int64_t)place);
	assert_string_equal(json_text(f, "text"), "the key of this act is gone, and no erasure says so");
	assert_int_equal(json_int(a, "erased"), 0);
}

/* Somebody writes into the table of requests what only an erasure that two people signed may say. */
static void a_mark_without_a_logged_erasure_is_none(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);
	struct store *s;

	home_close(&w.xa);
	tamper_mark_erased(&w.xa.dir);
	tamper_forget_key(&w.xa.dir, request.hash);
	assert_ok(store_open(w.xa.dir.fd, &s, e));
	AUTO_JSON *a = json_object();
	struct audit_place at = { 0 };
	while (!at.done)
		assert_ok(audit_log_portion(s, &at, a, e));
	store_close(s);
	assert_gone(a, place);
}

static void assert_hidden_is_found(uint64_t place, int64_t findings)
{
	struct audit_place at = { 0 };
	struct store *s;
	AUTO_JSON *a = json_object();
	bool found = false;

	assert_ok(store_open(w.xa.dir.fd, &s, e));
	while (!at.done)
		assert_ok(audit_log_portion(s, &at, a, e));
	store_close(s);
	assert_faults(a, findings);
	for (int64_t i = 0; i < findings; i++) {
		const json_t *f = json_array_get(json_object_get(a, "faults"), (size_t)i);
		found = found || json_int(f, "index") == (int64_t)place;
		assert_non_null(strstr(json_text(f, "text"), "the erasure of its request does not account for it"));
	}
	assert_true(found);
}

/* Two rows say that it was erased, and that the leaf of that erasure stands in a log that has ended. */
static void a_planted_erasure_is_none(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);

	home_close(&w.xa);
	tamper_mark_erased(&w.xa.dir);
	tamper_plant_erasure(&w.xa.dir, request.hash);
	tamper_forget_key(&w.xa.dir, request.hash);
	assert_hidden_is_found(place, 1);
}

/* One more act is said to be of a request that was erased: then its erasure names too few. */
static void an_act_moved_to_an_erased_request_is_found(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);
	struct said p = ended();

	erased_at(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	home_close(&w.xa);
	tamper_move_statement(&w.xa.dir, request.hash, p.hash);
	tamper_forget_key(&w.xa.dir, request.hash);
	assert_hidden_is_found(place, 3); /* which of the three is one too many, nobody can tell */
}

/* Its leaf is said to be of an act that was erased, and its own row is gone. */
static void a_leaf_given_to_an_erased_act_is_found(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);
	struct said p = ended();

	erased_at(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	home_close(&w.xa);
	tamper_give_leaf(&w.xa.dir, request.hash, p.hash);
	tamper_forget_key(&w.xa.dir, request.hash);
	assert_hidden_is_found(place, 2);
}

static void a_planted_leaf_is_found(void **state)
{
	uint8_t key[32] = { 9 }, leaf[LEAF_V1_BYTES];
	uint64_t place = leaf_place(&w.xa, request.hash), null = 0;

	/* In the place of a real one, and of a null one. */
	leaf_write_null(key, place, bytes_of("2026-W48"), leaf);
	while (leaf_at(&w.xa, null, leaf), !leaf_is_null(w.xa.node->null_key, null, BYTES_ARRAY(leaf)))
		null++;
	leaf_write_null(key, null, bytes_of("2026-W48"), leaf);
	home_close(&w.xa);
	tamper_leaf(&w.xa.dir, null, BYTES_ARRAY(leaf));
	tamper_leaf(&w.xa.dir, place, BYTES_ARRAY(leaf));
	struct store *s;
	assert_ok(store_open(w.xa.dir.fd, &s, e));
	AUTO_JSON *a = json_object();
	struct audit_place at = { 0 };
	while (!at.done)
		assert_ok(audit_log_portion(s, &at, a, e));
	store_close(s);
	assert_faults(a, 2);
	const json_t *faults = json_object_get(a, "faults");
	uint64_t low = place < null ? place : null, high = place < null ? null : place;
	assert_int_equal(json_int(json_array_get(faults, 0), "index"), (int64_t)low);
	assert_int_equal(json_int(json_array_get(faults, 1), "index"), (int64_t)high);
}

static void a_removed_leaf_is_found(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);
	struct audit_place at = { 0 };
	struct store *s;

	home_close(&w.xa);
	tamper_remove_leaf(&w.xa.dir, place);
	assert_ok(store_open(w.xa.dir.fd, &s, e));
	AUTO_JSON *a = json_object();
	while (!at.done)
		assert_ok(audit_log_portion(s, &at, a, e));
	merkle_hash root;
	assert_refused(log_root_of_store(s, (uint64_t)json_int(a, "size"), NULL, NULL, root, e), REASON_INCONSISTENT);
	store_close(s);
	assert_faults(a, 2); /* the gap, and the request that has no leaf */
	assert_int_equal(json_int(json_array_get(json_object_get(a, "faults"), 0), "index"), (int64_t)place);
	assert_int_equal(json_int(json_array_get(json_object_get(a, "faults"), 1), "index"), -1);
}

static void the_last_leaf_removed_is_found(void **state)
{
	uint64_t last = log_size(w.xa.node->log) - 1;
	struct audit_place at = { 0 };
	struct store *s;

	home_close(&w.xa);
	tamper_remove_leaf(&w.xa.dir, last);
	assert_ok(store_open(w.xa.dir.fd, &s, e));
	AUTO_JSON *a = json_object();
	while (!at.done)
		assert_ok(audit_log_portion(s, &at, a, e));
	store_close(s);
	assert_faults(a, 1);
}

static void a_swapped_class_is_found_and_never_published(void **state)
{
	uint64_t place = leaf_place(&w.xa, request.hash);

	home_close(&w.xa);
	tamper_class(&w.xa.dir, place, "page");
	home_open(&w.xa);
	AUTO_JSON *a = audited(&w.xa);
	assert_faults(a, 1);
	assert_int_equal(json_int(json_array_get(json_object_get(a, "faults"), 0), "index"), (int64_t)place);
}

/* An older backup comes back, and the leaves of what was said after it: null ones are known again by their key, those of
 * statements that are lost are told as what they are. */
static void after_a_recovery_what_does_not_open_is_told_and_is_no_fault(void **state)
{
	AUTO_FD backup = openat(w.xa.dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct recovered back;

	assert_true(backup >= 0);
	assert_ok(store_backup(w.xa.node->store, backup, true, NULL, NULL, e));
	struct said lost = say_request(&w.xa, "XR");
	slot(&w.xa);
	slot(&w.xa);
	uint64_t place = leaf_place(&w.xa, lost.hash), size = log_size(w.xa.node->log);
	home_close(&w.xa);
	(void)unlinkat(w.xa.dir.fd, "store/comity.db-wal", 0);
	(void)unlinkat(w.xa.dir.fd, "store/keys.db-wal", 0);
	copy(&w.xa, "backup/comity.db", "store/comity.db");
	copy(&w.xa, "backup/keys.db", "store/keys.db");
	assert_int_equal(renameat(w.xa.dir.fd, "log", w.xa.dir.fd, RECOVER_FOLDER), 0);
	assert_ok(dir_make(w.xa.dir.fd, "log", 0700, e));
	assert_ok(signer_open(&w.xa, true, e));
	assert_ok(node_open_at(&w.xa, e));
	assert_true(w.xa.node->locked);
	assert_ok(node_recover(w.xa.node, NULL, &back, e));
	assert_int_equal(log_size(w.xa.node->log), size);
	AUTO_JSON *a = audited(&w.xa);
	assert_faults(a, 0);
	assert_int_equal(json_int(a, "unknown"), 1);
	const json_t *told = json_array_get(json_object_get(a, "told"), 0);
	assert_int_equal(json_int(told, "index"), (int64_t)place);
	assert_non_null(strstr(json_text(told, "text"), "restore"));
	assert_int_equal(json_int(a, "real") + json_int(a, "null") + 1, (int64_t)size);
}

static void the_tree_of_a_backup_is_that_of_its_leaves(void **state)
{
	merkle_hash root, want;

	assert_ok(log_root_at(w.xa.node->log, w.xa.node->checkpoint.size, want, e));
	assert_ok(log_root_of_store(w.xa.node->store, w.xa.node->checkpoint.size, NULL, NULL, root, e));
	assert_memory_equal(root, want, sizeof(root));
	assert_memory_equal(root, w.xa.node->checkpoint.root, sizeof(root));
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin_with_request, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(an_honest_home_has_no_fault),
		CLAIM(an_erased_record_still_opens_its_class),
		CLAIM(a_key_that_is_gone_without_an_erasure_is_found),
		CLAIM(the_key_of_an_erasure_itself_is_missed),
		CLAIM(a_mark_without_a_logged_erasure_is_none),
		CLAIM(a_planted_erasure_is_none),
		CLAIM(an_act_moved_to_an_erased_request_is_found),
		CLAIM(a_leaf_given_to_an_erased_act_is_found),
		CLAIM(a_planted_leaf_is_found),
		CLAIM(a_removed_leaf_is_found),
		CLAIM(the_last_leaf_removed_is_found),
		CLAIM(a_swapped_class_is_found_and_never_published),
		CLAIM(after_a_recovery_what_does_not_open_is_told_and_is_no_fault),
		CLAIM(the_tree_of_a_backup_is_that_of_its_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
