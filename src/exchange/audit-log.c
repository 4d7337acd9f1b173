/* What the audit believes is only what rebuilds. A row that says what a leaf is counts for nothing until the leaf's
 * bytes come out of it again; a leaf that nothing rebuilds is a fault, unless the home knows since when and why it
 * cannot open it. That a key is gone is believed only where an erasure covers its statement, which itself opens to
 * its leaf: rows that say so are easily written. */
#include "exchange/audit-log.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/classes.h"
#include "exchange/record.h"
#include "log/leaf.h"
#include "register/judge.h"

/* What is known of the erasure of the request that was looked at last: its leaves stand close together. */
struct erasures {
	bool looked, any, covered; /* any: some row says that there is one; covered: one of them accounts for its keys */
	struct id request;
};

struct auditing {
	struct store *store;
	json_t *out;
	uint64_t next; /* index that must come */
	struct erasures last;
};

static void count_up(json_t *out, const char *name)
{
	json_put_int(out, name, json_int(out, name) + 1);
}

static void tell(json_t *out, const char *list, const char *count, int64_t index, const char *text)
{
	json_t *all = json_object_get(out, list), *v;

	count_up(out, count);
	if (all == NULL) {
		all = json_array();
		json_put(out, list, all);
	}
	if (json_array_size(all) >= AUDIT_TOLD_MAX)
		return;
	v = json_object();
	json_put_int(v, "index", index);
	json_put_text(v, "text", text);
	if (json_array_append_new(all, v) != 0)
		abort();
}

static void fault(struct auditing *a, uint64_t index, const char *text)
{
	tell(a->out, "faults", "findings", (int64_t)index, text);
}

static bool statement_own(struct auditing *a, const uint8_t *hash, bool *ret_own, bool *ret_found, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_statement_by_hash);

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	bool ok = query_row(q, ret_found, e);
	if (ok && *ret_found)
		*ret_own = query_int(q, 4) != 0;
	query_end(q);
	return ok;
}

/* From the record: text NULL when the leaf rebuilds. */
static bool rebuild(struct auditing *a, const struct class_seen *c, const struct record_keys *keys, const char **ret_text, struct err *e)
{
	struct node n = { .store = a->store }; /* records need nothing else */
	uint8_t leaf[LEAF_V1_BYTES];
	bool own = false, found = false;
	AUTO_ACT *act = NULL;
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	if (!statement_own(a, c->hash, &own, &found, e))
		return false;
	*ret_text = NULL;
	if (!found || !record_get(&n, c->hash, &json, NULL) || !act_parse(buf_bytes(&json), &act, NULL)) {
		*ret_text = "the record of its statement cannot be read, and its key is there";
		return true;
	}
	judge_leaf(act->statement, keys->opening, own ? keys->x : act->x, !own, leaf);
	if (memcmp(act->statement->hash, c->hash, SHA256_BYTES) != 0 || !bytes_equal(c->leaf, BYTES_ARRAY(leaf)))
		*ret_text = "it does not open to its statement";
	return true;
}

/* What says that the keys of a request were to go. A key that is simply not there hides what the leaf stands for. */
struct erasure {
	uint8_t hash[SHA256_BYTES], leaf[LEAF_V1_BYTES];
	int64_t keyless; /* of its request; the erasure says how many there were */
};

static bool erasure_find(struct auditing *a, const struct id *request, int64_t nth, struct erasure *ret, bool *ret_found, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_audit_erasures);

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	query_bind_int(q, 2, nth);
	bool ok = query_row(q, ret_found, e);
	memset(ret, 0, sizeof(*ret));
	if (ok && *ret_found) {
		struct bytes hash = query_bytes(q, 0), leaf = query_bytes(q, 1);
		if (hash.len == sizeof(ret->hash) && leaf.len == sizeof(ret->leaf)) {
			memcpy(ret->hash, hash.at, hash.len);
			memcpy(ret->leaf, leaf.at, leaf.len);
		}
		ret->keyless = query_int(q, 2);
	}
	query_end(q);
	return ok;
}

/* A row that says that there is an erasure is none: it opens to its leaf, names this request, and as many statements. */
static bool erasure_counts(struct auditing *a, const struct id *request, const struct erasure *x, bool *ret, struct err *e)
{
	struct node n = { .store = a->store };
	struct class_seen c = { .hash = x->hash, .leaf = BYTES_ARRAY(x->leaf) };
	struct record_keys keys;
	const char *text = NULL;
	struct id named;
	AUTO_ACT *act = NULL;
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	*ret = false;
	if (!node_record_keys(&n, x->hash, &keys, NULL))
		return true;
	bool ok = rebuild(a, &c, &keys, &text, e);
	wipe(&keys, sizeof(keys));
	if (!ok || text != NULL || !record_get(&n, x->hash, &json, NULL) || !act_parse(buf_bytes(&json), &act, NULL))
		return ok;
	*ret = bytes_is(bytes_of(act->statement->kind->name), "erasure") && id_parse(json_bytes(act->statement->body, "request"), &named) &&
	       id_equal(&named, request) && json_int(act->statement->body, "statements") >= x->keyless;
	return true;
}

static bool erasures_of(struct auditing *a, const struct id *request, struct err *e)
{
	struct erasures *l = &a->last;
	struct erasure x;
	bool found = true;

	if (l->looked && id_equal(&l->request, request))
		return true;
	*l = (struct erasures){ .request = *request };
	for (int64_t i = 0; found && !l->covered; i++) {
		if (!erasure_find(a, request, i, &x, &found, e) || (found && !erasure_counts(a, request, &x, &l->covered, e)))
			return false;
		l->any = l->any || found;
	}
	l->looked = true;
	return true;
}

/* The request of this leaf's statement; *ret_found false: none that is marked as erased. */
static bool erased_request(struct auditing *a, const struct class_seen *c, struct id *ret, bool *ret_twice, bool *ret_found, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_audit_erased);

	query_bind_bytes(q, 1, bytes_from(c->hash, SHA256_BYTES));
	query_bind_int(q, 2, (int64_t)c->index);
	bool ok = query_row(q, ret_found, e);
	*ret_found = ok && *ret_found && query_bytes(q, 0).len == ID_BYTES;
	if (*ret_found) {
		memcpy(ret->at, query_bytes(q, 0).at, ID_BYTES);
		*ret_twice = query_int(q, 1) != 0;
	}
	query_end(q);
	return ok;
}

static bool restored_after(struct auditing *a, uint64_t index, bool *ret, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_audit_restored);

	query_bind_int(q, 1, (int64_t)index);
	bool ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

static bool look_at_keyless(struct auditing *a, const struct class_seen *c, struct err *e)
{
	bool marked, twice = false, restored = false;
	struct id request;

	if (!erased_request(a, c, &request, &twice, &marked, e) || (marked && !erasures_of(a, &request, e)) ||
	    (marked && !restored_after(a, c->index, &restored, e)))
		return false;
	if (!marked || (!a->last.any && !restored))
		fault(a, c->index, "the key of this act is gone, and no erasure says so");
	else if (!a->last.any)
		tell(a->out, "told", "unknown", (int64_t)c->index, "marked as erased; a restore has taken the erasure that says so");
	else if (!a->last.covered || twice)
		fault(a, c->index, "the key of this act is gone, and the erasure of its request does not account for it");
	else if (c->kept)
		count_up(a->out, "erased"); /* the class opens; act and tag cannot be checked any more */
	else
		tell(a->out, "told", "unknown", (int64_t)c->index, "erased before its class was kept");
	return true;
}

static bool look_at_real(struct auditing *a, const struct class_seen *c, struct err *e)
{
	struct node n = { .store = a->store };
	struct record_keys keys;
	struct err gone = { 0 };
	const char *text = NULL;

	if (c->kept && !class_opening_check(&c->o, c->leaf, NULL)) {
		fault(a, c->index, "the class that is kept for it does not open it");
		return true;
	}
	if (node_record_keys(&n, c->hash, &keys, &gone)) {
		bool ok = rebuild(a, c, &keys, &text, e);
		wipe(&keys, sizeof(keys));
		if (ok && text != NULL)
			fault(a, c->index, text);
		else if (ok)
			count_up(a->out, "real");
		return ok;
	}
	if (gone.kind != ERR_NOT_FOUND) {
		if (e != NULL)
			*e = gone;
		return false;
	}
	return look_at_keyless(a, c, e);
}

/* No statement is named: a null leaf, or one of those of which it is known that they do not open. */
static bool look_at_unnamed(struct auditing *a, const struct class_seen *c, struct err *e)
{
	char why[80] = "";
	bool found = false;

	if (c->null && !c->o.lost) {
		count_up(a->out, "null");
		return true;
	}
	if (c->null) {
		fault(a, c->index, "a null leaf of another week than any that it may be of");
		return true;
	}
	struct query *q = store_query(a->store, QUERY_log_unopened_of);
	query_bind_int(q, 1, (int64_t)c->index);
	bool ok = query_row(q, &found, e);
	if (ok && found)
		bytes_text(query_bytes(q, 0), why, sizeof(why));
	query_end(q);
	if (ok && found)
		tell(a->out, "told", "unknown", (int64_t)c->index, why);
	else if (ok)
		fault(a, c->index, "neither a null leaf of this home nor of a statement that it has");
	return ok;
}

static void missing(struct auditing *a, uint64_t until)
{
	for (; a->next < until; a->next++)
		fault(a, a->next, "this leaf is gone from the store");
}

static bool each_leaf(void *ctx, const struct class_seen *c, struct err *e)
{
	struct auditing *a = ctx;

	missing(a, c->index);
	a->next = c->index + 1;
	return c->hash != NULL ? look_at_real(a, c, e) : look_at_unnamed(a, c, e);
}

static bool log_size_stated(struct store *s, uint64_t *ret, struct err *e)
{
	struct query *q = store_query(s, QUERY_log_edge_get);
	bool found, ok = query_row(q, &found, e);

	if (ok)
		*ret = found ? (uint64_t)query_int(q, 0) : 0;
	query_end(q);
	return ok;
}

static bool leaves_portion(struct auditing *a, struct audit_place *at, uint64_t size, struct err *e)
{
	struct class_walk w = { .store = a->store, .from_ms = 0, .until_ms = clock_now_ms() + 35 * DAY_MS };
	uint64_t until = size - at->leaf < AUDIT_PORTION ? size : at->leaf + AUDIT_PORTION;
	struct err none = { 0 };

	/* A log from before there was a null key: nothing is known as null. */
	if (!classes_null_key(a->store, false, w.null_key, &none) && none.kind != ERR_NOT_FOUND) {
		if (e != NULL)
			*e = none;
		return false;
	}
	a->next = at->leaf;
	bool ok = classes_each(&w, at->leaf, until, each_leaf, a, e);
	wipe(&w, sizeof(w));
	if (!ok)
		return false;
	missing(a, until);
	at->leaf = until;
	return true;
}

/* Statements that need a leaf and have none, neither in the log nor waiting for a slot. */
static bool statements_portion(struct auditing *a, struct audit_place *at, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_audit_statements);
	unsigned count = 0;
	bool found, ok;

	query_bind_int(q, 1, at->statement);
	query_bind_int(q, 2, AUDIT_PORTION);
	while ((ok = query_row(q, &found, e)) && found) {
		const struct kind *k = kind_find(query_bytes(q, 2));
		at->statement = query_int(q, 0);
		count++;
		count_up(a->out, "statements");
		if (query_int(q, 3) != 0 || k == NULL || !k->leaf || query_bytes(q, 1).len != SHA256_BYTES)
			continue;
		char hex[2 * SHA256_BYTES + 1], text[160];
		hex_write(query_bytes(q, 1), hex);
		snprintf(text, sizeof(text), "the %s %s has no leaf", k->name, hex);
		tell(a->out, "faults", "findings", -1, text);
	}
	query_end(q);
	at->done = ok && count < AUDIT_PORTION;
	return ok;
}

bool audit_log_portion(struct store *s, struct audit_place *at, json_t *out, struct err *e)
{
	struct auditing a = { .store = s, .out = out };
	uint64_t size;

	if (!log_size_stated(s, &size, e))
		return false;
	json_put_int(out, "size", (int64_t)size);
	if (at->leaf < size)
		return leaves_portion(&a, at, size, e);
	return statements_portion(&a, at, e);
}
