/* A witness's word that we signed more, or something else, outlives starts and turns that are undone, and only a log that
 * contains it takes it back. Our own signature is what counts, not the witness's; so nobody else can lock us. */
#include "exchange/shown.h"

#include "base/limits.h"
#include "base/reader.h"
#include "exchange/cell.h"

/* In the store: one behind the other, each the witness's name and the note, with their lengths before them. */
#define SHOWN_CELL "log-shown-by"
#define SHOWN_BYTES_MAX (SHOWN_MAX * (NOTE_BYTES_MAX + KIB))

struct shown {
	char who[NOTE_NAME_BYTES_MAX + 1];
	struct bytes note;
	struct checkpoint checkpoint;
};

/* Those of a log that was retired do not verify any more. */
static bool next(const struct note_key *log_key, struct bytes *rest, struct shown *ret)
{
	while (rest->len > 0) {
		struct reader r = reader_over(*rest);
		struct bytes who = reader_field(&r, NOTE_NAME_BYTES_MAX);

		ret->note = reader_field(&r, NOTE_BYTES_MAX);
		if (!reader_ok(&r))
			return false;
		*rest = reader_rest(&r);
		bytes_text(who, ret->who, sizeof(ret->who));
		if (checkpoint_verify(ret->note, log_key, &ret->checkpoint, NULL))
			return true;
	}
	return false;
}

static void add(struct buf *to, const char *who, struct bytes note)
{
	buf_add_u32(to, (uint32_t)strlen(who));
	buf_add_text(to, who);
	buf_add_u32(to, (uint32_t)note.len);
	buf_add(to, note);
}

bool shown_compare(const struct node *n, const struct checkpoint *c, enum shown_is *ret, struct err *e)
{
	merkle_hash root;

	if (c->size == 0 || c->size > log_size(n->log)) {
		*ret = c->size == 0 ? SHOWN_OURS : SHOWN_MORE;
		return true;
	}
	if (!log_root_at(n->log, c->size, root, e))
		return false;
	*ret = memcmp(root, c->root, sizeof(root)) == 0 ? SHOWN_OURS : SHOWN_OTHER;
	return true;
}

/* The one that is to be told: another tree before a larger one, and of larger ones the largest. */
static bool worst(const struct node *n, struct shown *ret, enum shown_is *ret_is, struct err *e)
{
	struct bytes rest = buf_bytes(&n->shown);
	struct shown s;
	enum shown_is is;

	*ret_is = SHOWN_OURS;
	while (next(&n->identity.log, &rest, &s)) {
		if (!shown_compare(n, &s.checkpoint, &is, e))
			return false;
		if (is > *ret_is || (is == SHOWN_MORE && *ret_is == SHOWN_MORE && s.checkpoint.size > ret->checkpoint.size)) {
			*ret = s;
			*ret_is = is;
		}
	}
	return true;
}

/* As by a store that is too small. */
void shown_lock_signer(const struct node *n)
{
	struct signing_extension nothing = { .size = 0 };
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	(void)!n->signer.checkpoint(n->signer.ctx, &nothing, &note, NULL);
}

static void lock(struct node *n, const struct shown *s, enum shown_is is)
{
	n->locked = true;
	if (is == SHOWN_MORE)
		snprintf(n->locked_why, sizeof(n->locked_why), "%.60s shows %llu leaves of this log with its signature, and this home has "
			 "%llu: it was restored from an older state (comity log recover)", s->who, (unsigned long long)s->checkpoint.size,
			 (unsigned long long)log_size(n->log));
	else
		snprintf(n->locked_why, sizeof(n->locked_why), "%.60s shows another tree of %llu leaves of this log with its signature: "
			 "evidence of a fork, or this home was restored from an older state", s->who, (unsigned long long)s->checkpoint.size);
	shown_lock_signer(n);
}

/* What the log contains by now is left out. */
static bool put_with(struct node *n, const struct shown *new, struct err *e)
{
	struct bytes rest = buf_bytes(&n->shown);
	struct shown s;
	enum shown_is is;
	size_t count = 0;
	bool there = false;
	AUTO_BUF kept = { 0 };

	buf_init(&kept, SHOWN_BYTES_MAX);
	while (next(&n->identity.log, &rest, &s)) {
		if (!shown_compare(n, &s.checkpoint, &is, e))
			return false;
		if (is == SHOWN_OURS)
			continue;
		there = there || (s.checkpoint.size == new->checkpoint.size &&
				  memcmp(s.checkpoint.root, new->checkpoint.root, sizeof(s.checkpoint.root)) == 0);
		add(&kept, s.who, s.note);
		count++;
	}
	if (!there && count < SHOWN_MAX)
		add(&kept, new->who, new->note);
	buf_clear(&n->shown);
	buf_add(&n->shown, buf_bytes(&kept));
	return true;
}

bool shown_keep(struct node *n, struct bytes note, const char *who, struct err *e)
{
	struct shown s = { .note = note };
	enum shown_is is;

	snprintf(s.who, sizeof(s.who), "%s", who);
	if (!checkpoint_verify(note, &n->identity.log, &s.checkpoint, e) || !shown_compare(n, &s.checkpoint, &is, e))
		return false;
	if (is == SHOWN_OURS)
		return true;
	n->locked = true;
	if (!put_with(n, &s, e) || !worst(n, &s, &is, e))
		return false;
	lock(n, &s, is);
	n->shown_unsaved = true;
	return cell_put(n, SHOWN_CELL, buf_bytes(&n->shown), e);
}

bool shown_write(struct node *n, struct err *e)
{
	if (!n->shown_unsaved)
		return true;
	if (!node_begin(n, e))
		return false;
	if (!cell_put(n, SHOWN_CELL, buf_bytes(&n->shown), e)) {
		node_rollback(n);
		return false;
	}
	if (!node_commit(n, e))
		return false;
	n->shown_unsaved = false;
	return true;
}

bool shown_load(struct node *n, struct err *e)
{
	struct shown s;
	enum shown_is is;

	buf_release(&n->shown);
	buf_init(&n->shown, SHOWN_BYTES_MAX);
	if (!cell_get(n, SHOWN_CELL, &n->shown, e) || !worst(n, &s, &is, e))
		return false;
	if (is != SHOWN_OURS)
		lock(n, &s, is);
	return true;
}

void shown_furthest(const struct node *n, struct checkpoint *ret)
{
	struct bytes rest = buf_bytes(&n->shown);
	struct shown s;

	while (next(&n->identity.log, &rest, &s))
		if (s.checkpoint.size > log_size(n->log) && s.checkpoint.size > ret->size)
			*ret = s.checkpoint;
}

bool shown_contained(const struct node *n, bool end, struct err *e)
{
	struct shown s;
	enum shown_is is;

	if (!worst(n, &s, &is, e))
		return false;
	if (is == SHOWN_OTHER)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED,
			       "%.60s shows another tree of %llu leaves with this log's signature, and no leaves lead from here to it: this log "
			       "can only be retired (comity log retire); signing stays locked",
			       s.who, (unsigned long long)s.checkpoint.size);
	if (is == SHOWN_MORE && end)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED,
			       "the store has %llu leaves, and %.60s shows a log of %llu: bring its files with --from; signing stays locked",
			       (unsigned long long)log_size(n->log), s.who, (unsigned long long)s.checkpoint.size);
	return true;
}

bool shown_is_in_store(struct store *s, const struct checkpoint *c, bool *ret, struct err *e)
{
	merkle_hash root;
	struct err why = { 0 };

	*ret = log_root_of_store(s, c->size, NULL, NULL, root, &why) && memcmp(root, c->root, sizeof(root)) == 0;
	return *ret || why.reason == REASON_NONE || why.reason == REASON_INCONSISTENT || (e != NULL && (*e = why, false));
}

bool shown_in_store(struct store *s, const struct note_key *log_key, bool *ret, struct err *e)
{
	struct bytes rest;
	struct shown one;
	AUTO_BUF all = { 0 };

	*ret = true;
	buf_init(&all, SHOWN_BYTES_MAX);
	if (!cell_of_store(s, SHOWN_CELL, &all, e))
		return false;
	rest = buf_bytes(&all);
	while (*ret && next(log_key, &rest, &one))
		if (!shown_is_in_store(s, &one.checkpoint, ret, e))
			return false;
	return true;
}

bool shown_furthest_in_store(struct store *s, const struct note_key *log_key, struct checkpoint *ret, struct err *e)
{
	struct bytes rest;
	struct shown one;
	AUTO_BUF all = { 0 };

	buf_init(&all, SHOWN_BYTES_MAX);
	if (!cell_of_store(s, SHOWN_CELL, &all, e))
		return false;
	rest = buf_bytes(&all);
	while (next(log_key, &rest, &one))
		if (one.checkpoint.size > ret->size)
			*ret = one.checkpoint;
	return true;
}
