/* When what a log signed is lost for good, the home goes on with a successor, and everybody is told. */
#include "exchange/test-restoring.h"

#include "exchange/pairs.h"
#include "exchange/retire.h"

static void a_successor_has_the_next_number(void **state)
{
	static const char *const names[][2] = {
		{ "comity/XA", "comity/XA/2" }, { "comity/XA/2", "comity/XA/3" }, { "comity/XA/99", "comity/XA/100" },
		{ "log.example", "log.example/2" }, { "log.example/1", "log.example/1/2" }, { "comity/XA/x", "comity/XA/x/2" },
	};
	char next[CONFIG_ORIGIN_BYTES_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_ok(retire_successor(names[i][0], next, e));
		assert_string_equal(next, names[i][1]);
	}
}

/* What `comity log retire` does to a home that stands still. */
static void retire(struct home *h, struct checkpoint *last)
{
	struct register_retired r = { .log_key = h->node->identity.log, .at = the_time }, again[PARTY_RETIRED_MAX];
	size_t count;
	AUTO_BUF text = { 0 };

	buf_init(&text, RETIRED_BYTES_MAX);
	assert_ok(signing_cell(h->cell_fd, last, e));
	assert_int_equal(last->size, log_size(h->node->log));
	r.size = last->size;
	memcpy(r.root, last->root, sizeof(r.root));
	retired_write(&r, &text);
	write_file(h, RETIRED_FILE, buf_bytes(&text));
	assert_ok(retired_read(h->dir.fd, again, &count, e));
	assert_int_equal(count, 1);
	assert_int_equal(again[0].size, r.size);
	assert_memory_equal(again[0].root, r.root, SHA256_BYTES);
	assert_string_equal(again[0].log_key.name, r.log_key.name);
	assert_refused(store_log_restart(h->dir.fd, the_time, e), REASON_BUSY);
	home_close(h);
	assert_ok(store_log_restart(h->dir.fd, the_time, e));
	assert_int_equal(renameat(h->dir.fd, "log", h->dir.fd, "log.retired"), 0);
	assert_int_equal(renameat(h->dir.fd, "keys/checkpoint", h->dir.fd, "keys/checkpoint.retired"), 0);
	sign_key_free(h->log);
	h->log = sign_key_new();
	set(h, CONFIG_log_origin, "comity/XA/2");
	home_write(h);
	home_open(h);
}

static void the_successor_starts_empty_and_letters_go_on(void **state)
{
	struct said before = say_request(&w.xa, "XR"), waiting, after;
	struct checkpoint last;

	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &before.id, DELIVERED);
	waiting = say_request(&w.xa, "XR");
	slot(&w.xa);
	retire(&w.xa, &last);
	assert_false(w.xa.node->locked);
	assert_int_equal(log_size(w.xa.node->log), 0);
	assert_string_equal(log_origin(w.xa.node->log), "comity/XA/2");
	/* What stood in the old log is not missing from the new one. */
	AUTO_JSON *found = audited(&w.xa);
	assert_int_equal(json_array_size(json_object_get(found, "faults")), 0);
	assert_true(json_int(found, "statements") > 1);
	/* The register is told the new key; then what waited goes, under the new log. */
	admit(&w, &w.xa);
	publish(&w);
	take_register(&w, &w.xa);
	take_register(&w, &w.xr);
	/* The entry says where the old log ended. */
	const struct party *xa = register_party(w.xr.node->reg, bytes_of("XA"));
	assert_int_equal(xa->retired_count, 1);
	assert_int_equal(xa->retired[0].size, last.size);
	assert_memory_equal(xa->retired[0].root, last.root, SHA256_BYTES);
	the_time += 60000;
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &waiting.id, DELIVERED);
	after = say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &after.id, DELIVERED);
	struct pair_state sent;
	assert_ok(pair_last(w.xa.node, "XR", PAIR_SENT, &sent, e));
	assert_int_equal(sent.n, 3);
}

static bool whole(struct home *h, const struct note_key *log_key)
{
	AUTO_FD cell = openat(h->dir.fd, "keys/checkpoint", O_RDONLY | O_CLOEXEC);
	struct checkpoint last;
	struct store *s = NULL;
	bool ret;

	assert_ok(signing_cell(cell, &last, e));
	assert_true(last.size > 0);
	assert_ok(store_open(h->dir.fd, &s, e));
	assert_ok(recover_is_whole(h->dir.fd, s, log_key, &last, &ret, e));
	store_close(s);
	return ret;
}

static void a_log_is_whole_while_its_store_and_files_reach_what_was_signed(void **state)
{
	struct note_key key = w.xa.node->identity.log;

	slot(&w.xa);
	home_close(&w.xa);
	assert_true(whole(&w.xa, &key));
	/* Its files are damaged. */
	AUTO_BUF tile = { 0 };
	buf_init(&tile, 64 * KIB);
	char path[96];
	struct checkpoint last;
	AUTO_FD cell = openat(w.xa.dir.fd, "keys/checkpoint", O_RDONLY | O_CLOEXEC);
	assert_ok(signing_cell(cell, &last, e));
	snprintf(path, sizeof(path), "log/tile/entries/000.p/%u", (unsigned)last.size);
	assert_ok(file_read(w.xa.dir.fd, path, &tile, e));
	tile.at[tile.len - 1] ^= 1;
	assert_int_equal(renameat(w.xa.dir.fd, path, w.xa.dir.fd, "log/kept"), 0);
	write_file(&w.xa, path, buf_bytes(&tile));
	assert_false(whole(&w.xa, &key));
	assert_int_equal(renameat(w.xa.dir.fd, "log/kept", w.xa.dir.fd, path), 0);
	assert_true(whole(&w.xa, &key));
	home_open(&w.xa);
}

static void a_log_is_not_whole_when_more_was_signed_or_seen_than_its_store_has(void **state)
{
	struct note_key key = w.xa.node->identity.log;

	slot(&w.xa);
	/* The store is older than the signer's memory. */
	back_up(&w.xa);
	slot(&w.xa);
	home_close(&w.xa);
	assert_true(whole(&w.xa, &key));
	copy(&w.xa, "store/comity.db", "kept.db");
	(void)unlinkat(w.xa.dir.fd, "store/comity.db-wal", 0);
	copy(&w.xa, "backup/comity.db", "store/comity.db");
	assert_false(whole(&w.xa, &key));
	copy(&w.xa, "kept.db", "store/comity.db");
	assert_true(whole(&w.xa, &key));
	/* Somebody has seen more. */
	home_open(&w.xa);
	seen_elsewhere(&w.xa, log_size(w.xa.node->log) + 1);
	home_close(&w.xa);
	assert_false(whole(&w.xa, &key));
	home_open(&w.xa);
}

/* What peers hold under that tree goes on being proved, and no monitor says that the log went on after its end. */
static void a_log_ends_where_a_witness_has_seen_it(void **state)
{
	struct note_key key = w.xa.node->identity.log;
	struct checkpoint last, of_cell;
	uint64_t seen = log_size(w.xa.node->log) + 100;

	slot(&w.xa);
	assert_ok(signing_cell(w.xa.cell_fd, &of_cell, e));
	seen_elsewhere(&w.xa, seen);
	home_close(&w.xa);
	assert_ok(retire_furthest(w.xa.dir.fd, &key, &last, e));
	assert_int_equal(last.size, seen);
	key.public_key[0] ^= 1; /* of another log */
	assert_ok(retire_furthest(w.xa.dir.fd, &key, &last, e));
	assert_int_equal(last.size, of_cell.size);
	assert_memory_equal(last.root, of_cell.root, SHA256_BYTES);
	home_open(&w.xa);
}

static void two_people_say_that_history_is_lost(void **state)
{
	uint8_t hash[SHA256_BYTES];
	struct checkpoint last;
	struct id draft;
	AUTO_ACT *act = NULL;

	slot(&w.xa);
	IN_REFUSED(&w.xa, retire_draft(w.xa.node, "Ada Quill", "the disk burnt", &draft, e), REASON_WRONG_STATE);
	retire(&w.xa, &last);
	take_register(&w, &w.xa);
	IN(&w.xa, retire_draft(w.xa.node, "Ada Quill", "the disk burnt", &draft, e));
	approve(&w.xa, &draft, ILSE);
	IN_REFUSED(&w.xa, send_draft(&w.xa, &draft, hash, e), REASON_MISSING_APPROVAL);
	approve(&w.xa, &draft, RANA);
	IN(&w.xa, send_draft(&w.xa, &draft, hash, e));
	assert_ok(node_act_load(w.xa.node, hash, &act, e));
	assert_string_equal(json_text(act->statement->body, "origin"), "comity/XA");
	assert_string_equal(json_text(act->statement->body, "successor"), "comity/XA/2");
	assert_int_equal(json_int(act->statement->body, "size"), last.size);
	slot(&w.xa);
	AUTO_BUF proof = { 0 };
	buf_init(&proof, NOTE_BYTES_MAX);
	assert_ok(node_proof(w.xa.node, hash, &proof, e));
	assert_non_null(strstr(buf_text(&proof), "comity/XA/2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_successor_has_the_next_number),
		CLAIM(the_successor_starts_empty_and_letters_go_on),
		CLAIM(a_log_is_whole_while_its_store_and_files_reach_what_was_signed),
		CLAIM(a_log_is_not_whole_when_more_was_signed_or_seen_than_its_store_has),
		CLAIM(a_log_ends_where_a_witness_has_seen_it),
		CLAIM(two_people_say_that_history_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
