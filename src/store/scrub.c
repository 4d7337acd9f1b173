/* What was deleted leaves the disk. secure_delete zeroes what SQLite frees, but two places keep old bytes:
 * the write-ahead log, until a checkpoint truncates it, and the gap in the middle of a tree page, where
 * copies of rows stand that balancing has moved to another page. So: checkpoint, forget the cached pages,
 * and write zeros into every gap, through SQLite's own file handle (a second one would drop its locks when
 * closed). A page that is torn half-way is whole: only bytes that mean nothing differ. Blocks that the file
 * system has given away are out of reach (SECURITY.md). */
#include <string.h>

#include "base/secret.h"
#include "store/store-internal.h"

#define FILE_HEADER_BYTES 100u
#define PAGE_BYTES_MAX 65536u
/* Overflow pages begin with the number of the next page; below this it cannot look like a tree page's first byte. */
#define PAGES_MAX INT64_C(0x02000000)

static unsigned u16_at(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Where the gap of a tree page begins and ends; false when this is none, or not one that we understand. */
static bool page_gap(const uint8_t *page, size_t size, size_t header, size_t *ret_from, size_t *ret_to)
{
	uint8_t type = page[header];
	size_t from, to;

	if (type != 2 && type != 5 && type != 10 && type != 13)
		return false;
	from = header + (type < 10 ? 12u : 8u) + 2u * u16_at(page + header + 3);
	to = u16_at(page + header + 5);
	if (to == 0)
		to = PAGE_BYTES_MAX;
	if (from > to || to > size)
		return false;
	*ret_from = from;
	*ret_to = to;
	return true;
}

static bool page_scrub(sqlite3_file *f, uint8_t *page, size_t size, int64_t number, bool *changed, const char *name, struct err *e)
{
	int64_t at = (number - 1) * (int64_t)size;
	size_t from, to;
	int rc = f->pMethods->xRead(f, page, (int)size, at);

	if (rc != SQLITE_OK)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "%s: page %lld cannot be read", name, (long long)number);
	if (!page_gap(page, size, number == 1 ? FILE_HEADER_BYTES : 0, &from, &to))
		return true;
	size_t i = from;
	while (i < to && page[i] == 0)
		i++;
	if (i == to)
		return true;
	memset(page + from, 0, to - from);
	*changed = true;
	rc = f->pMethods->xWrite(f, page + from, (int)(to - from), at + (int64_t)from);
	return rc == SQLITE_OK || err_set(e, ERR_SYSTEM, REASON_SYSTEM, "%s: page %lld cannot be written", name, (long long)number);
}

static bool file_scrub(struct store *s, const char *database, struct err *e)
{
	uint8_t head[FILE_HEADER_BYTES];
	sqlite3_file *f = NULL;
	sqlite3_int64 bytes = 0;
	bool changed = false, ok = true;

	if (sqlite3_file_control(s->db, database, SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || f == NULL || f->pMethods == NULL ||
	    f->pMethods->xFileSize(f, &bytes) != SQLITE_OK)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the file of \"%s\" is not in reach", database);
	if (bytes < (sqlite3_int64)sizeof(head))
		return true;
	if (f->pMethods->xRead(f, head, sizeof(head), 0) != SQLITE_OK)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the file of \"%s\" cannot be read", database);
	size_t size = u16_at(head + 16) == 1 ? PAGE_BYTES_MAX : u16_at(head + 16);
	if (size < 512 || bytes / (int64_t)size >= PAGES_MAX)
		return err_set(e, ERR_SYSTEM, REASON_TOO_LARGE, "the file of \"%s\" is too large to be scrubbed", database);
	uint8_t *page = malloc(size);
	if (page == NULL)
		abort();
	for (int64_t n = 1; ok && n <= bytes / (int64_t)size; n++)
		ok = page_scrub(f, page, size, n, &changed, database, e);
	free(page);
	if (ok && changed && f->pMethods->xSync(f, SQLITE_SYNC_FULL) != SQLITE_OK)
		ok = err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the file of \"%s\" cannot be synced", database);
	return ok;
}

static bool log_truncate(struct store *s, const char *database, struct err *e)
{
	int left = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(s->db, database, SQLITE_CHECKPOINT_TRUNCATE, &left, &done);

	if (rc != SQLITE_OK)
		return store_error(s->db, rc, "checkpoint", e);
	return left <= 0 || err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "checkpoint: %d pages of \"%s\" are left in its log", left - done, database);
}

bool store_scrub(struct store *s, struct err *e)
{
	static const char *const databases[] = { "main", BOOK };

	if (s->in_transaction || !sqlite3_get_autocommit(s->db))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "nothing is scrubbed while a transaction is open");
	for (size_t i = 0; i < 2; i++)
		if (!log_truncate(s, databases[i], e))
			return false;
	/* A page in memory would bring its gap back when it is written next. */
	sqlite3_db_release_memory(s->db);
	for (size_t i = 0; i < 2; i++)
		if (!file_scrub(s, databases[i], e))
			return false;
	return true;
}

bool store_keys_image(struct store *s, bool (*take)(void *ctx, struct bytes image, struct err *e), void *ctx, struct err *e)
{
	sqlite3_int64 size = 0;
	unsigned char *image;

	if (s->in_transaction)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "no backup while a transaction is open");
	s->walled = false; /* it asks for the number of pages by a PRAGMA */
	image = sqlite3_serialize(s->db, "main", &size, 0);
	s->walled = true;
	if (image == NULL)
		return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the key store cannot be copied");
	bool ok = take(ctx, bytes_from(image, (size_t)size), e);
	wipe(image, (size_t)size);
	sqlite3_free(image);
	return ok;
}
