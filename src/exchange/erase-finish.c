/* The second half of an erasure, and what keeps it: keys, blobs and own stanzas go once the first half (erase.c) is
 * durable; the files are scrubbed; and at every start what a restore may have brought back goes again. Each step
 * is a transaction of its own, can be done twice, and is asked for by what the store says is left. */
#include "exchange/erase-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "seal/age.h"
#include "store/blob.h"

#define ERASED_FILE "store/erased"
/* One line of it: id, space, time, newline. A million of them. */
#define ERASED_LINE_LEN (ID_TEXT_LEN + 1 + TIME_TEXT_LEN + 1)
#define ERASED_BYTES_MAX (64 * MIB)
/* So many share one scrubbing of the files. */
#define UNFINISHED_MAX 64

/* --- keys and blobs -------------------------------------------------------------------------------------------- */

static bool run_on(struct node *n, enum query_name name, const struct id *id, struct err *e)
{
	struct query *q = store_query(n->store, name);

	query_bind_bytes(q, 1, bytes_from(id->at, ID_BYTES));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* The next id that a query gives, and what stands in its second column. */
static bool next_of(struct node *n, enum query_name name, const struct id *about, struct id *ret, char *text, size_t room, bool *ret_found, struct err *e)
{
	struct query *q = store_query(n->store, name);
	bool ok;

	if (about != NULL)
		query_bind_bytes(q, 1, bytes_from(about->at, ID_BYTES));
	ok = query_row(q, ret_found, e);
	*ret_found = ok && *ret_found && query_bytes(q, 0).len == ID_BYTES;
	if (*ret_found) {
		memcpy(ret->at, query_bytes(q, 0).at, ID_BYTES);
		bytes_text(query_bytes(q, 1), text, room);
	}
	query_end(q);
	return ok;
}

/* Writes one change in a transaction of its own: between turns, or right after a commit. */
static bool alone(struct node *n, const enum query_name *names, size_t count, const struct id *id, struct err *e)
{
	if (!store_begin(n->store, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!run_on(n, names[i], id, e)) {
			store_rollback(n->store);
			return false;
		}
	}
	return store_commit(n->store, e);
}

static bool list_read(struct node *n, struct buf *out, struct err *e)
{
	buf_init(out, ERASED_BYTES_MAX);
	if (faccessat(n->home_fd, ERASED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || err_system(e, "cannot look at %s", ERASED_FILE);
	return file_read(n->home_fd, ERASED_FILE, out, e);
}

/* What the list says outlives a restore of the store. Written before the keys go, once the erasure is durable; what is
 * tried again is not written again. */
static bool list_add(struct node *n, const struct id *request, int64_t when, struct err *e)
{
	char id[ID_TEXT_LEN + 1], time[TIME_TEXT_LEN + 1], line[ERASED_LINE_LEN + 1];
	AUTO_BUF list = { 0 };

	id_write(request, id);
	time_write(when, time);
	snprintf(line, sizeof(line), "%s %s\n", id, time);
	if (!list_read(n, &list, e))
		return false;
	if (list.len > 0 && memmem(list.at, list.len, line, strlen(line)) != NULL)
		return true;
	AUTO_FD fd = openat(n->home_fd, ERASED_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_system(e, "cannot open %s", ERASED_FILE);
	return file_write_all(fd, bytes_of(line), e) && (fsync(fd) == 0 || err_system(e, "cannot sync %s", ERASED_FILE));
}

static bool blobs_go(struct node *n, const struct id *request, struct err *e)
{
	static const enum query_name gone[] = { QUERY_erase_blob_gone };
	char blob[BLOB_NAME_LEN + 1];
	struct id exhibit;
	bool found;

	for (;;) {
		struct err why = { 0 };
		if (!next_of(n, QUERY_erase_blobs, request, &exhibit, blob, sizeof(blob), &found, e))
			return false;
		if (!found)
			return true;
		if (!blob_remove(n->blobs_fd, blob, &why) && why.kind != ERR_NOT_FOUND) {
			if (e != NULL)
				*e = why;
			return false;
		}
		if (!alone(n, gone, 1, &exhibit, e))
			return false;
	}
}

/* Those whose keys are not known to be gone: the next few. */
struct unfinished {
	struct id id[UNFINISHED_MAX];
	int64_t when[UNFINISHED_MAX];
	size_t count;
};

static bool unfinished_read(struct node *n, struct unfinished *t, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_erase_open);
	bool found, ok;

	t->count = 0;
	while ((ok = query_row(q, &found, e)) && found && t->count < UNFINISHED_MAX) {
		if (query_bytes(q, 0).len != ID_BYTES)
			continue;
		memcpy(t->id[t->count].at, query_bytes(q, 0).at, ID_BYTES);
		t->when[t->count++] = query_int(q, 1);
	}
	query_end(q);
	return ok;
}

/* Done only when the files are scrubbed too: until then all of it is tried again. */
static bool keys_go(struct node *n, struct err *e)
{
	static const enum query_name keys[] = { QUERY_erase_record_keys, QUERY_erase_exhibit_keys }, scrubbed[] = { QUERY_erase_scrubbed };
	struct unfinished t;

	for (;;) {
		if (!unfinished_read(n, &t, e))
			return false;
		if (t.count == 0)
			return true;
		for (size_t i = 0; i < t.count; i++)
			if (!list_add(n, &t.id[i], t.when[i], e) || !alone(n, keys, 2, &t.id[i], e) || !blobs_go(n, &t.id[i], e))
				return false;
		if (!store_scrub(n->store, e))
			return false;
		for (size_t i = 0; i < t.count; i++)
			if (!alone(n, scrubbed, 1, &t.id[i], e))
				return false;
	}
}

/* --- stanzas ------------------------------------------------------------------------------------------------------ */

static bool file_key(struct node *n, const struct id *exhibit, struct secret **ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_key_get);
	bool found, ok;

	*ret = NULL;
	query_bind_bytes(q, 1, bytes_from(exhibit->at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found)
		*ret = secret_from(query_bytes(q, 0));
	query_end(q);
	return ok;
}

/* The sealed file gets a header of the same length that names no recipient, so that keys/seal.key alone opens it no
 * more: its file key is in the key store, and dies there. Written in place: 4 GiB are not copied. */
static bool stanza_goes(struct node *n, const char *blob, const struct secret *key, struct err *e)
{
	AUTO_FD fd = -1;
	AUTO_BUF head = { 0 }, bare = { 0 };
	size_t len = 0;

	buf_init(&head, AGE_HEADER_BYTES_MAX);
	buf_init(&bare, AGE_HEADER_BYTES_MAX);
	if (!blob_open(n->blobs_fd, blob, false, &fd, e))
		return false;
	uint8_t *at = buf_room(&head, AGE_HEADER_BYTES_MAX);
	ssize_t got = at != NULL ? pread(fd, at, AGE_HEADER_BYTES_MAX, 0) : -1;
	if (got < 0)
		return err_system(e, "cannot read a blob");
	buf_grown(&head, (size_t)got);
	return age_header_length(buf_bytes(&head), &len, e) && age_header_bare(len, key, &bare, e) &&
	       blob_overwrite(n->blobs_fd, blob, buf_bytes(&bare), e);
}

/* Afterwards, because the key is durable then: a crash before leaves a file that opens by its stanza. */
static bool stanzas_go(struct node *n, struct err *e)
{
	static const enum query_name bare[] = { QUERY_exhibit_bare };
	struct id exhibit;
	char blob[BLOB_NAME_LEN + 1];
	bool found;

	for (;;) {
		struct secret *key = NULL;
		if (!next_of(n, QUERY_exhibit_to_bare, NULL, &exhibit, blob, sizeof(blob), &found, e))
			return false;
		if (!found)
			return true;
		if (!file_key(n, &exhibit, &key, e))
			return false;
		/* Without its key, or without its file, there is nothing to protect: it is not looked at again. */
		struct err why = { 0 };
		bool ok = key == NULL || stanza_goes(n, blob, key, &why) || why.kind == ERR_NOT_FOUND || why.kind == ERR_INPUT;
		secret_free(key);
		if (!ok) {
			if (e != NULL)
				*e = why;
			return false;
		}
		if (!alone(n, bare, 1, &exhibit, e))
			return false;
	}
}

bool erase_finish(struct node *n, struct err *e)
{
	if (!stanzas_go(n, e) || !keys_go(n, e))
		return err_note(e, "erasure");
	n->scrub_wanted = false;
	return true;
}

/* --- after a restore ------------------------------------------------------------------------------------------------ */

static bool line_apply(struct node *n, struct bytes line, struct err *e)
{
	static const struct id none = { 0 };
	struct request_row r;
	struct id request;
	struct err why = { 0 };
	int64_t when;

	if (!id_parse(bytes_cut(&line, ' '), &request) || !time_parse(line, &when))
		return true; /* a line that was cut when it was written: its erasure is finished from the store */
	if (!node_request(n, &request, &r, &why))
		return why.kind == ERR_NOT_FOUND || (e != NULL && (*e = why, false));
	return r.erased > 0 || erase_blank(n, &request, when, &none, e);
}

static bool list_apply(struct node *n, struct err *e)
{
	AUTO_BUF list = { 0 };

	if (!list_read(n, &list, e))
		return false;
	for (struct bytes rest = buf_bytes(&list); rest.len > 0;)
		if (!line_apply(n, bytes_cut(&rest, '\n'), e))
			return false;
	return true;
}

/* Letters whose record has no key can never be built, and would hold up what is behind them. */
static bool unreadable_go(struct node *n, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_unreadable);

	query_bind_int(q, 1, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool again(struct node *n, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_erase_again);
	bool ok = query_run(q, e);

	query_end(q);
	return ok;
}

bool erase_reapply(struct node *n, struct err *e)
{
	if (!store_begin(n->store, e))
		return false;
	if (!again(n, e) || !list_apply(n, e) || !unreadable_go(n, e)) {
		store_rollback(n->store);
		return false;
	}
	return store_commit(n->store, e) && erase_finish(n, e);
}
