/* What was deleted is not in the files any more. The claims look at raw bytes, and each first shows that the bytes
 * would be there without the scrub. */
#include <string.h>

#include "store/store-internal.h"
#include "store/test-home.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

#define ROWS 3000u

static void hash_of(unsigned i, uint8_t out[static SHA256_BYTES])
{
	char text[32];

	snprintf(text, sizeof(text), "hash %u", i);
	sha256(bytes_of(text), out);
}

/* A key that can be found again: nothing else in the files looks like it. */
static void key_of(unsigned i, uint8_t out[static SHA256_BYTES])
{
	char text[32];

	snprintf(text, sizeof(text), "key %u", i);
	sha256(bytes_of(text), out);
}

static bool run(struct store *s, enum query_name name, const uint8_t *first, const uint8_t *second, struct err *e)
{
	struct query *q = store_query(s, name);

	query_bind_bytes(q, 1, bytes_from(first, SHA256_BYTES));
	if (second != NULL)
		query_bind_bytes(q, 2, bytes_from(second, SHA256_BYTES));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool delete_key(struct store *s, unsigned i, struct err *e)
{
	char sql[200], hex[2 * SHA256_BYTES + 1];
	uint8_t hash[SHA256_BYTES];

	hash_of(i, hash);
	hex_write(BYTES_ARRAY(hash), hex);
	snprintf(sql, sizeof(sql), "DELETE FROM record_key WHERE hash = x'%s'", hex);
	return store_exec(s->db, sql, e);
}

static bool is_wanted(const bool *dead, bool wanted, unsigned i)
{
	return dead == NULL || dead[i] == wanted;
}

/* How many of the keys from..to stand in the file; with dead: of those that are dead, or living. */
static size_t count_in(struct test_home *h, const char *file, unsigned from, unsigned to, const bool *dead, bool wanted)
{
	size_t count = 0;
	AUTO_BUF all = { 0 };
	struct err e;

	buf_init(&all, 64 * MIB);
	if (!file_read(h->fd, file, &all, &e))
		return 0;
	for (unsigned i = from; i < to; i++) {
		uint8_t key[SHA256_BYTES];
		key_of(i, key);
		count += is_wanted(dead, wanted, i) && memmem(all.at, all.len, key, sizeof(key)) != NULL;
	}
	return count;
}

static size_t found_in(struct test_home *h, const char *file, unsigned from, unsigned to)
{
	return count_in(h, file, from, to, NULL, false);
}

static struct store *filled(struct test_home *h)
{
	struct store *s = NULL;

	home_make(h);
	assert_ok(store_open(h->fd, &s, e));
	for (unsigned part = 0; part < 10; part++) {
		assert_ok(store_begin(s, e));
		for (unsigned i = part * ROWS / 10; i < (part + 1) * ROWS / 10; i++) {
			uint8_t hash[SHA256_BYTES], key[SHA256_BYTES];
			hash_of(i, hash);
			key_of(i, key);
			assert_ok(run(s, QUERY_record_key_add, hash, key, e));
		}
		assert_ok(store_commit(s, e));
	}
	return s;
}

/* Keys of many lengths come and go, so that pages are split and merged: balancing leaves copies behind. dead[i]: the
 * first 32 bytes of key i must not be found. */
static unsigned churn(struct store *s, bool dead[static ROWS])
{
	unsigned n = 0, seed = 11;
	uint8_t hash[SHA256_BYTES], key[1000];

	for (unsigned round = 0; n < ROWS; round++) {
		assert_ok(store_begin(s, e));
		for (unsigned i = 0; i < 15 && n < ROWS; i++, n++) {
			seed = seed * 1103515245 + 12345;
			hash_of(n, hash);
			memset(key, 0, sizeof(key));
			key_of(n, key);
			struct query *q = store_query(s, QUERY_record_key_add);
			query_bind_bytes(q, 1, BYTES_ARRAY(hash));
			query_bind_bytes(q, 2, bytes_from(key, (seed >> 16) % 3 == 0 ? 32 + (seed >> 18) % 900 : 32));
			assert_ok(query_run(q, e));
			query_end(q);
		}
		for (unsigned i = 0; i < 10; i++) {
			seed = seed * 1103515245 + 12345;
			unsigned k = (seed >> 8) % n;
			if (!dead[k])
				assert_ok(delete_key(s, k, e));
			dead[k] = true;
		}
		assert_ok(store_commit(s, e));
	}
	return n;
}

static size_t dead_found_in(struct test_home *h, const char *file, const bool *dead, bool wanted)
{
	return count_in(h, file, 0, ROWS, dead, wanted);
}

static void deleted_keys_are_in_neither_file_nor_log(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	bool *dead = calloc(ROWS, sizeof(*dead));
	size_t living;

	assert_non_null(dead);
	home_make(&h);
	assert_ok(store_open(h.fd, &s, e));
	churn(s, dead);
	/* The log has them still, and so have, after it was written home, the gaps of pages that were balanced. */
	assert_true(dead_found_in(&h, "store/keys.db-wal", dead, true) > 0);
	assert_int_equal(sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), SQLITE_OK);
	assert_true(dead_found_in(&h, "store/keys.db", dead, true) > 0);
	living = dead_found_in(&h, "store/keys.db", dead, false);
	assert_ok(store_scrub(s, e));
	assert_int_equal(dead_found_in(&h, "store/keys.db", dead, true), 0);
	assert_int_equal(dead_found_in(&h, "store/keys.db-wal", dead, true), 0);
	/* What was not deleted is there, and the database is whole. */
	assert_int_equal(dead_found_in(&h, "store/keys.db", dead, false), living);
	AUTO_BUF problems = { 0 };
	buf_init(&problems, 64 * KIB);
	assert_ok(store_check(s, &problems, e));
	assert_int_equal(problems.len, 0);
	store_close(s);
	free(dead);
	home_remove(&h);
}

/* A page that was in memory while its gap was scrubbed on the disk must not bring it back. */
static void later_writes_do_not_bring_it_back(void **state)
{
	struct test_home h;
	struct store *s = filled(&h);

	assert_ok(store_begin(s, e));
	for (unsigned i = 0; i < ROWS / 2; i++)
		assert_ok(delete_key(s, i, e));
	assert_ok(store_commit(s, e));
	assert_ok(store_scrub(s, e));
	assert_ok(store_begin(s, e));
	for (unsigned i = ROWS; i < ROWS + 500; i++) {
		uint8_t hash[SHA256_BYTES], key[SHA256_BYTES];
		hash_of(i, hash);
		key_of(i, key);
		assert_ok(run(s, QUERY_record_key_add, hash, key, e));
	}
	assert_ok(store_commit(s, e));
	assert_int_equal(found_in(&h, "store/keys.db-wal", 0, ROWS / 2), 0);
	store_close(s);
	assert_int_equal(found_in(&h, "store/keys.db", 0, ROWS / 2), 0);
	home_remove(&h);
}

static void refuses_while_a_transaction_is_open(void **state)
{
	struct test_home h;
	struct store *s = filled(&h);

	assert_ok(store_begin(s, e));
	assert_refused(store_scrub(s, e), REASON_WRONG_STATE);
	store_rollback(s);
	assert_ok(store_scrub(s, e));
	store_close(s);
	home_remove(&h);
}

static bool image_keep(void *ctx, struct bytes image, struct err *e)
{
	buf_add(ctx, image);
	return buf_check(ctx, "image", e);
}

static void the_image_of_the_keys_is_a_database_with_all_of_them(void **state)
{
	struct test_home h, to;
	struct store *s = filled(&h);
	AUTO_BUF image = { 0 };
	struct query *q;
	uint8_t hash[SHA256_BYTES], key[SHA256_BYTES];
	bool found;

	buf_init(&image, 16 * MIB);
	assert_ok(store_keys_image(s, image_keep, &image, e));
	store_close(s);
	home_make(&to);
	assert_ok(dir_make(to.fd, "store", 0700, e));
	assert_ok(file_write(to.fd, "store/keys.db", buf_bytes(&image), 0600, false, e));
	assert_ok(store_open(to.fd, &s, e));
	hash_of(ROWS - 1, hash);
	key_of(ROWS - 1, key);
	q = store_query(s, QUERY_record_key_get);
	query_bind_bytes(q, 1, BYTES_ARRAY(hash));
	assert_ok(query_row(q, &found, e));
	assert_true(found);
	assert_true(constant_time_equal(query_bytes(q, 0), BYTES_ARRAY(key)));
	query_end(q);
	store_close(s);
	home_remove(&to);
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deleted_keys_are_in_neither_file_nor_log),
		cmocka_unit_test(later_writes_do_not_bring_it_back),
		cmocka_unit_test(refuses_while_a_transaction_is_open),
		cmocka_unit_test(the_image_of_the_keys_is_a_database_with_all_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
