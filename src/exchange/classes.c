/* One row per real leaf, at the leaf's place, written in the transaction that appends the leaf. Leaves from before this
 * was kept are opened by their record while its key lives. A null leaf does not say its week: the weeks of its
 * time are tried, beginning with that of the null leaf before. */
#include "exchange/classes.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/record.h"
#include "log/leaf.h"

#define NULL_KEY "null"

static bool key_read(struct store *s, uint8_t ret[static 32], bool *ret_found, struct err *e)
{
	struct query *q = store_query(s, QUERY_log_secret_get);
	bool ok;

	query_bind_text(q, 1, NULL_KEY);
	ok = query_row(q, ret_found, e);
	if (ok && *ret_found && query_bytes(q, 0).len != 32)
		ok = err_set(e, ERR_SYSTEM, REASON_MALFORMED, "the null key of the log has a wrong length");
	else if (ok && *ret_found)
		memcpy(ret, query_bytes(q, 0).at, 32);
	query_end(q);
	return ok;
}

bool classes_size(struct store *s, uint64_t *ret, struct err *e)
{
	struct query *q = store_query(s, QUERY_log_leaf_count);
	bool found, ok = query_row(q, &found, e);

	if (ok)
		*ret = (uint64_t)query_int(q, 0);
	query_end(q);
	return ok;
}

bool classes_unopened(struct store *s, uint64_t first, uint64_t until, const char *why, struct err *e)
{
	if (first >= until)
		return true;
	struct query *q = store_query(s, QUERY_log_unopened_add);
	query_bind_int(q, 1, (int64_t)first);
	query_bind_int(q, 2, (int64_t)until);
	query_bind_text(q, 3, why);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool key_make(struct store *s, uint8_t ret[static 32], struct err *e)
{
	uint8_t key[32];
	uint64_t size;

	if (!store_begin(s, e))
		return false;
	chance_fill(key, sizeof(key));
	struct query *q = store_query(s, QUERY_log_secret_add);
	query_bind_text(q, 1, NULL_KEY);
	query_bind_bytes(q, 2, BYTES_ARRAY(key));
	bool ok = query_run(q, e);
	query_end(q);
	ok = ok && classes_size(s, &size, e) && classes_unopened(s, 0, size, "before null leaves had a key", e);
	if (ok)
		ok = store_commit(s, e);
	else
		store_rollback(s);
	if (ok)
		memcpy(ret, key, sizeof(key));
	wipe(key, sizeof(key));
	return ok;
}

bool classes_null_key(struct store *s, bool make, uint8_t ret[static 32], struct err *e)
{
	bool found = false;

	if (!key_read(s, ret, &found, e))
		return false;
	if (found)
		return true;
	return make ? key_make(s, ret, e) : err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "the log has no null key yet");
}

bool classes_keep(struct node *n, int64_t queue_seq, uint64_t index, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_leaf_class_keep);

	query_bind_int(q, 1, queue_seq);
	query_bind_int(q, 2, (int64_t)index);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* --- opening ----------------------------------------------------------------------------------- */

static bool null_of_week(const struct class_walk *w, uint64_t index, struct bytes leaf, const char *week)
{
	uint8_t want[LEAF_V1_BYTES];

	leaf_write_null(w->null_key, index, bytes_of(week), want);
	return bytes_equal(leaf, BYTES_ARRAY(want));
}

static bool null_open(struct class_walk *w, struct class_seen *c)
{
	bool found = w->week[0] != '\0' && null_of_week(w, c->index, c->leaf, w->week);

	if (!found && !leaf_is_null(w->null_key, c->index, c->leaf))
		return false;
	c->null = true;
	for (int64_t ms = w->from_ms; !found && ms <= w->until_ms; ms += 7 * DAY_MS) {
		char week[16];
		time_write_week(ms, week);
		found = null_of_week(w, c->index, c->leaf, week);
		if (found)
			memcpy(w->week, week, sizeof(week));
	}
	if (!found)
		return true; /* ours, but of no week that it may be of: c->o stays lost, the caller sees both */
	leaf_null_salt(w->null_key, c->index, c->o.salt);
	c->o.lost = false;
	c->rebuilt = true;
	c->o.c = (struct leaf_class){ .act_class = bytes_of(LEAF_CLASS_NULL), .basis = bytes_of(""), .week = bytes_of(w->week) };
	return true;
}

/* Logged before salts were kept: the record says it, while its key is there. */
struct from_record {
	struct act *act;
	char week[16];
};

static void record_opens(struct class_walk *w, struct class_seen *c, struct from_record *r)
{
	struct node n = { .store = w->store }; /* records need nothing else */
	struct record_keys keys;
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	if (!record_get(&n, c->hash, &json, NULL) || !act_parse(buf_bytes(&json), &r->act, NULL) ||
	    !node_record_keys(&n, c->hash, &keys, NULL))
		return;
	const struct statement *s = r->act->statement;
	time_write_week(s->time, r->week);
	leaf_class_salt(keys.opening, c->o.salt);
	c->o.lost = false;
	c->o.c = (struct leaf_class){ .act_class = bytes_of(s->kind->act_class), .basis = bytes_of(s->legal_basis),
				      .week = bytes_of(r->week), .exercise = s->exercise };
	wipe(&keys, sizeof(keys));
}

bool classes_each(struct class_walk *w, uint64_t from, uint64_t to,
		  bool (*each)(void *ctx, const struct class_seen *c, struct err *e), void *ctx, struct err *e)
{
	struct query *q = store_query(w->store, QUERY_leaf_classes);
	bool found = false, ok;

	query_bind_int(q, 1, (int64_t)from);
	query_bind_int(q, 2, (int64_t)to);
	while ((ok = query_row(q, &found, e)) && found) {
		struct class_seen c = { .index = (uint64_t)query_int(q, 0), .leaf = query_bytes(q, 1), .o = { .lost = true } };
		struct from_record r = { 0 };

		if (query_bytes(q, 2).len == SHA256_BYTES)
			c.hash = query_bytes(q, 2).at;
		c.kept = query_bytes(q, 3).len == sizeof(c.o.salt);
		if (c.kept) {
			memcpy(c.o.salt, query_bytes(q, 3).at, sizeof(c.o.salt));
			c.o.lost = false;
			c.o.c = (struct leaf_class){ .act_class = query_bytes(q, 4), .basis = query_bytes(q, 5), .week = query_bytes(q, 6),
						     .exercise = query_int(q, 7) != 0 };
		} else if (c.hash != NULL) {
			record_opens(w, &c, &r);
		} else {
			(void)null_open(w, &c);
		}
		ok = each(ctx, &c, e);
		act_free(r.act);
		if (!ok)
			break;
	}
	query_end(q);
	return ok;
}
