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

#endif
