/* For tests: what somebody does to a home that stands still, past all guards of its store. */
#ifndef COMITY_STORE_TEST_TAMPER_H
#define COMITY_STORE_TEST_TAMPER_H

#include <sqlite3.h>

#include "base/text.h"
#include "store/test-home.h"

static inline void tamper(struct test_home *h, const char *file, const char *sql)
{
	char path[PATH_MAX + 32];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/store/%s", h->path, file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* The triggers that keep a table as it is are gone. */
static inline void tamper_unguard(struct test_home *h, const char *table)
{
	static const char *const events[] = { "UPDATE", "DELETE", "REPLACE" };
	char sql[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(sql, sizeof(sql), "DROP TRIGGER IF EXISTS %s_no_%s", table, events[i]);
		tamper(h, "comity.db", sql);
	}
}

static inline void tamper_leaf(struct test_home *h, uint64_t index, struct bytes leaf)
{
	char hex[2 * 1024 + 1], sql[2300];

	hex_write(leaf, hex);
	snprintf(sql, sizeof(sql), "UPDATE log_leaf SET leaf = x'%s' WHERE idx = %llu", hex, (unsigned long long)index);
	tamper_unguard(h, "log_leaf");
	tamper(h, "comity.db", sql);
}

static inline void tamper_remove_leaf(struct test_home *h, uint64_t index)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "DELETE FROM log_leaf WHERE idx = %llu", (unsigned long long)index);
	tamper_unguard(h, "log_leaf");
	tamper(h, "comity.db", sql);
}

static inline void tamper_class(struct test_home *h, uint64_t index, const char *class)
{
	char sql[192];

	snprintf(sql, sizeof(sql), "UPDATE leaf_class SET class = '%s' WHERE idx = %llu", class, (unsigned long long)index);
	tamper_unguard(h, "leaf_class");
	tamper(h, "comity.db", sql);
}

/* As erasure does: the key of the record is no more. */
static inline void tamper_forget_key(struct test_home *h, const uint8_t hash[static 32])
{
	char hex[65], sql[160];

	hex_write(bytes_from(hash, 32), hex);
	snprintf(sql, sizeof(sql), "DELETE FROM record_key WHERE hash = x'%s'", hex);
	tamper(h, "keys.db", sql);
}

/* Every request, although nobody signed an erasure. */
static inline void tamper_mark_erased(struct test_home *h)
{
	tamper(h, "comity.db", "UPDATE request SET erased = 1, scrubbed = 1");
}

static inline void tamper_two(struct test_home *h, const char *sql, const uint8_t one[static 32], const uint8_t two[static 32])
{
	char first[65], second[65], text[600];

	hex_write(bytes_from(one, 32), first);
	hex_write(bytes_from(two, 32), second);
	snprintf(text, sizeof(text), sql, first, second);
	tamper(h, "comity.db", text);
}

/* Of the request of this statement; its leaf is said to stand in a log that has ended. */
static inline void tamper_plant_erasure(struct test_home *h, const uint8_t hash[static 32])
{
	tamper_two(h, "INSERT INTO statement (id, sender, addressee, kind, hash, own, request, case_ref, time, arrived, sealed) "
		   "SELECT randomblob(16), sender, addressee, 'erasure', randomblob(32), 1, request, '', time, arrived, x'' FROM statement "
		   "WHERE hash IN (x'%s', x'%s') LIMIT 1", hash, hash);
	tamper(h, "comity.db", "INSERT INTO leaf_ended SELECT hash FROM statement WHERE kind = 'erasure'");
}

/* Into the request of another one. */
static inline void tamper_move_statement(struct test_home *h, const uint8_t hash[static 32], const uint8_t other[static 32])
{
	tamper_unguard(h, "statement");
	tamper_two(h, "UPDATE statement SET sealed = x'', request = (SELECT request FROM statement WHERE hash = x'%s') WHERE hash = x'%s'", other,
		   hash);
}

/* Its leaf is said to be of another statement, and its own row is gone. */
static inline void tamper_give_leaf(struct test_home *h, const uint8_t hash[static 32], const uint8_t other[static 32])
{
	tamper_unguard(h, "statement");
	tamper_unguard(h, "log_leaf");
	tamper_two(h, "UPDATE log_leaf SET hash = x'%s' WHERE hash = x'%s'", other, hash);
	tamper_two(h, "DELETE FROM statement WHERE hash IN (x'%s', x'%s')", hash, hash);
}

#endif
