/* Fetching and opening. What arrives is opened as a whole and compared with the signed digests before anything
 * is confirmed; a transfer goes on where it stopped, and begins again when it does not verify. */
#include "exchange/exhibit.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "exchange/exhibit-internal.h"

#define FETCH_RETRY_MS_MIN 1000
#define FETCH_RETRY_MS_MAX 300000
/* A transfer that arrives whole and does not verify is fetched again this often, then told. */
#define OPEN_ATTEMPTS_MAX 3
/* Looked at in one go; a peer that dribbles holds up to two of its own, and nobody else's. */
#define WAITING_MAX 256
#define PEER_FETCHES_MAX 2u

struct waiting {
	struct id id;
	char peer[PARTY_CODE_LEN_MAX + 1];
	bool busy;
};

static size_t to_fetch(struct node *n, int64_t now_ms, struct waiting list[static WAITING_MAX], bool *ok, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_to_fetch);
	size_t count = 0;
	bool found;

	query_bind_int(q, 1, now_ms);
	while ((*ok = query_row(q, &found, e)) && found && count < WAITING_MAX) {
		if (query_bytes(q, 0).len != ID_BYTES)
			continue;
		memcpy(list[count].id.at, query_bytes(q, 0).at, ID_BYTES);
		bytes_text(query_bytes(q, 1), list[count].peer, sizeof(list[count].peer));
		count++;
	}
	query_end(q);
	return count;
}

/* What a peer announces must not fill the disk that everything else needs. */
static bool room_for(struct node *n, const struct exhibit_row *x, uint64_t from, struct err *e)
{
	struct statvfs v;
	uint64_t room;

	if (fstatvfs(n->blobs_fd, &v) != 0)
		return err_system(e, "cannot look at the disk");
	room = (uint64_t)v.f_bavail * v.f_frsize;
	if (room >= EXHIBIT_DISK_RESERVE_BYTES && x->sealed_size - from <= room - EXHIBIT_DISK_RESERVE_BYTES)
		return true;
	return err_set(e, ERR_UNAVAILABLE, REASON_DISK_FULL, "%s needs %llu more bytes and the disk has %llu: it is not fetched", x->name,
		       (unsigned long long)(x->sealed_size - from), (unsigned long long)room);
}

/* The blob of a row, for appending. A crash between keeping the blob and the commit leaves the row with the
 * temporary name of a file that has its final one already; a lost file is fetched again. */
static bool reopen(struct node *n, struct exhibit_row *x, int *ret_fd, struct err *e)
{
	char kept[BLOB_NAME_LEN + 1];
	struct err missing = { 0 };

	if (blob_open(n->blobs_fd, x->blob, true, ret_fd, &missing))
		return true;
	if (missing.kind != ERR_NOT_FOUND) {
		if (e != NULL)
			*e = missing;
		return false;
	}
	hex_write(bytes_from(x->sealed_sha256, SHA256_BYTES), kept);
	if (blob_open(n->blobs_fd, kept, false, ret_fd, &missing))
		snprintf(x->blob, sizeof(x->blob), "%s", kept);
	else if (!blob_new(n->blobs_fd, x->blob, ret_fd, e))
		return false;
	return exhibit_state_put(n, x, "fetching", e);
}

static bool prepare_fetch(struct node *n, const struct id *id, struct exhibit_fetch *f, struct err *e)
{
	const struct party *p;
	char text[ID_TEXT_LEN + 1];

	if (!exhibit_get(n, id, &f->row, e))
		return false;
	p = register_party(n->reg, bytes_of(f->row.peer));
	if (p == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_BAD_REGISTER, "%s is not in our register", f->row.peer);
	if (f->row.blob[0] == '\0') {
		if (!blob_new(n->blobs_fd, f->row.blob, &f->fd, e) || !exhibit_state_put(n, &f->row, "fetching", e))
			return false;
	} else if (!reopen(n, &f->row, &f->fd, e)) {
		return false;
	}
	off_t end = lseek(f->fd, 0, SEEK_END);
	if (end < 0)
		return err_system(e, "cannot look at a blob");
	f->from = (uint64_t)end;
	if (f->from > f->row.sealed_size) { /* more than announced: it cannot be right, begin again */
		if (ftruncate(f->fd, 0) != 0 || lseek(f->fd, 0, SEEK_SET) != 0)
			return err_system(e, "cannot empty a blob");
		f->from = 0;
	}
	if (f->from == f->row.sealed_size)
		fd_close_at(&f->fd);
	else if (!room_for(n, &f->row, f->from, e))
		return false;
	id_write(id, text);
	snprintf(f->url, sizeof(f->url), "%s/exhibits/%s", p->endpoint, text);
	memcpy(f->pin, p->tls_spki, SHA256_BYTES);
	return true;
}

static int64_t retry_after(int64_t attempts)
{
	int64_t wait = FETCH_RETRY_MS_MIN;

	for (int64_t i = 0; i < attempts && wait < FETCH_RETRY_MS_MAX; i++)
		wait *= 2;
	return wait < FETCH_RETRY_MS_MAX ? wait : FETCH_RETRY_MS_MAX;
}

/* One that cannot be fetched now makes room for the others. */
static bool set_back(struct node *n, const struct id *id, int64_t now_ms, struct err *e)
{
	struct exhibit_row x;

	if (!exhibit_get(n, id, &x, e))
		return false;
	x.next = now_ms + retry_after(x.attempts);
	x.attempts++;
	return exhibit_state_put(n, &x, x.state, e);
}

bool exhibit_next(struct node *n, int64_t now_ms, bool (*busy)(void *ctx, const struct id *id), void *ctx,
		  struct exhibit_fetch *ret, bool *ret_found, struct err *e)
{
	struct waiting *list = calloc(WAITING_MAX, sizeof(*list));
	bool ok;

	if (list == NULL)
		abort();
	size_t count = to_fetch(n, now_ms, list, &ok, e);
	memset(ret, 0, sizeof(*ret));
	ret->fd = -1;
	*ret_found = false;
	for (size_t i = 0; ok && i < count; i++)
		list[i].busy = busy(ctx, &list[i].id);
	for (size_t i = 0; ok && !*ret_found && i < count; i++) {
		unsigned under_way = 0;
		for (size_t k = 0; k < count; k++)
			under_way += list[k].busy && bytes_is(bytes_of(list[k].peer), list[i].peer);
		if (list[i].busy || under_way >= PEER_FETCHES_MAX)
			continue;
		*ret_found = prepare_fetch(n, &list[i].id, ret, &ret->problem);
		if (!*ret_found) {
			fd_close_at(&ret->fd);
			ok = set_back(n, &list[i].id, now_ms, e);
		}
	}
	free(list);
	return ok;
}

bool exhibit_fetched(struct node *n, const struct id *id, bool fetched, const char *error, int64_t now_ms, bool *ret_complete, struct err *e)
{
	struct exhibit_row x;

	if (!exhibit_get(n, id, &x, e) || !blob_size(n->blobs_fd, x.blob, &x.fetched, e))
		return false;
	*ret_complete = fetched && x.fetched == x.sealed_size;
	n->fetch_changed = true;
	if (*ret_complete)
		return exhibit_state_put(n, &x, "fetching", e);
	x.next = now_ms + retry_after(x.attempts);
	x.attempts++;
	return exhibit_state_put(n, &x, "fetching", e);
}

bool exhibit_progress(struct node *n, const struct id *id, struct err *e)
{
	struct exhibit_row x;

	return exhibit_get(n, id, &x, e) &&
	       (!bytes_is(bytes_of(x.state), "fetching") ||
		(blob_size(n->blobs_fd, x.blob, &x.fetched, e) && exhibit_state_put(n, &x, "fetching", e)));
}

static bool key_get(struct node *n, const struct exhibit_row *x, struct secret **ret, bool *ret_found, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_key_get);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(x->id.at, ID_BYTES));
	ok = query_row(q, ret_found, e);
	if (ok && *ret_found)
		*ret = secret_from(query_bytes(q, 0));
	query_end(q);
	return ok;
}

static bool key_unwrap(struct node *n, const struct exhibit_row *x, int fd, struct secret **ret, struct err *e)
{
	uint8_t *head = malloc(AGE_HEADER_BYTES_MAX);
	ssize_t got;
	size_t len = 0;

	if (head == NULL)
		abort();
	got = pread(fd, head, AGE_HEADER_BYTES_MAX, 0);
	bool ok = got >= 0 || err_system(e, "cannot read a blob");
	ok = ok && age_header_length(bytes_from(head, (size_t)got), &len, e);
	struct bytes header = bytes_from(head, len);
	ok = ok && (len > 0 || err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: the sealed file is cut inside its header", x->name));
	ok = ok && n->signer.unwrap(n->signer.ctx, &header, 1, ret, e);
	if (ok && *ret == NULL)
		ok = err_set(e, ERR_REJECTED, REASON_NOT_SEALED_TO_US, "%s is not sealed to this node, or was changed", x->name);
	free(head);
	return ok;
}

bool exhibit_open(struct node *n, const struct id *id, struct exhibit_row *ret, struct secret **ret_key, int *ret_fd, struct err *e)
{
	struct secret *key = NULL;
	AUTO_FD fd = -1;
	bool found;

	if (!exhibit_get(n, id, ret, e))
		return false;
	if (bytes_is(bytes_of(ret->state), "erased"))
		return err_set(e, ERR_NOT_FOUND, REASON_ERASED, "this exhibit was erased with its request");
	if (ret->blob[0] == '\0')
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is not here yet", ret->name);
	if (!blob_open(n->blobs_fd, ret->blob, false, &fd, e) || !key_get(n, ret, &key, &found, e) ||
	    (!found && !key_unwrap(n, ret, fd, &key, e)))
		return false;
	*ret_key = key;
	*ret_fd = fd;
	fd = -1;
	return true;
}

static bool confirm(struct node *n, const struct exhibit_row *x, bool verified, const char *text, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct request_row r;
	char id[ID_TEXT_LEN + 1];
	uint8_t hash[SHA256_BYTES];
	struct statement_ref ref;
	struct own_statement s = { .kind = "confirmation", .legal_basis = "UNCC", .via = "comity", .body = body, .refs = &ref,
				   .ref_count = 1, .request = &x->request };
	AUTO_ACT *a = NULL;

	if (!node_request(n, &x->request, &r, e) || !node_act_load(n, x->statement, &a, e))
		return false;
	ref.id = a->statement->id;
	memcpy(ref.hash, x->statement, SHA256_BYTES);
	s.legal_basis = a->statement->legal_basis;
	s.to = x->peer;
	s.case_ref = r.case_ref;
	id_write(&x->id, id);
	json_put_text(body, "exhibit", id);
	id_write(&x->request, id);
	json_put_text(body, "request", id);
	json_put_text(body, "result", verified ? "verified" : "broken");
	json_put_hex(body, "sha256", BYTES_ARRAY(x->sha256));
	json_put_text(body, "text", text);
	return node_state(n, &s, hash, e);
}

static bool accept_exhibit(struct node *n, struct exhibit_row *x, struct err *e)
{
	struct custody_event v = { .act = "accept", .reason = "fetched, opened and compared with the signed digests", .result = "ok",
				   .name = x->name, .sha256 = x->sha256, .size = x->size };
	struct request_row r;
	struct secret *key = NULL;
	uint8_t hash[SHA256_BYTES];
	char blob[BLOB_NAME_LEN + 1];
	AUTO_FD fd = -1;
	bool found;

	if (!node_request(n, &x->request, &r, e) || !blob_open(n->blobs_fd, x->blob, false, &fd, e) ||
	    !key_get(n, x, &key, &found, e))
		return false;
	bool ok = found || (key_unwrap(n, x, fd, &key, e) && exhibit_key_add(n, &x->id, key, e));
	secret_free(key);
	hex_write(bytes_from(x->sealed_sha256, SHA256_BYTES), blob);
	if (!ok || (!bytes_is(bytes_of(x->blob), blob) && !blob_keep(n->blobs_fd, x->blob, x->sealed_sha256, blob, e)))
		return false;
	snprintf(x->blob, sizeof(x->blob), "%s", blob);
	n->scrub_wanted = true; /* our own stanza leaves it */
	return exhibit_state_put(n, x, "opened", e) && exhibit_custody(n, &x->id, &x->request, r.case_ref, &v, hash, e) &&
	       confirm(n, x, true, "", e);
}

bool exhibit_checked(struct node *n, const struct id *id, bool opened, const struct age_totals *t, int64_t now_ms, struct err *e)
{
	struct exhibit_row x;

	if (!exhibit_get(n, id, &x, e))
		return false;
	n->fetch_changed = true;
	if (bytes_is(bytes_of(x.state), "opened") || bytes_is(bytes_of(x.state), "broken") || bytes_is(bytes_of(x.state), "erased"))
		return true; /* told before, or gone */
	if (opened && t->plain_bytes == x.size && t->sealed_bytes == x.sealed_size &&
	    memcmp(t->plain_sha256, x.sha256, SHA256_BYTES) == 0 && memcmp(t->sealed_sha256, x.sealed_sha256, SHA256_BYTES) == 0)
		return accept_exhibit(n, &x, e);
	if (!blob_remove(n->blobs_fd, x.blob, e))
		return false;
	x.blob[0] = '\0';
	x.fetched = 0;
	x.failed++;
	x.next = now_ms + FETCH_RETRY_MS_MIN;
	if (x.failed < OPEN_ATTEMPTS_MAX)
		return exhibit_state_put(n, &x, "announced", e);
	return exhibit_state_put(n, &x, "broken", e) && confirm(n, &x, false, "what arrived does not have the signed digests", e);
}
