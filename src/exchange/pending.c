/* What is pending stands in one table, a row a letter, from before it leaves (or as it is kept) until its full proof was
 * taken. A crash at any point leaves the row, and with it the debt. */
#include "exchange/pending.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/effect.h"
#include "register/judge.h"

struct row {
	bool found, ours, done;
	char peer[PARTY_CODE_LEN_MAX + 1];
	int64_t due;
};

static bool row_get(struct node *n, const uint8_t *hash, struct row *ret, struct err *e)
{
	struct query *q;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	if (!n->pending_any)
		return true;
	q = store_query(n->store, QUERY_pending_get);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &ret->found, e);
	if (ok && ret->found) {
		bytes_text(query_bytes(q, 0), ret->peer, sizeof(ret->peer));
		ret->ours = bytes_is(query_bytes(q, 1), "ours");
		ret->due = query_int(q, 2);
		ret->done = query_int(q, 3) != 0;
	}
	query_end(q);
	return ok;
}

static bool row_add(struct node *n, const uint8_t *hash, const char *peer, const char *side, int64_t now_ms, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pending_add);

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_text(q, 2, peer);
	query_bind_text(q, 3, side);
	query_bind_int(q, 4, now_ms + PENDING_DUE_MS);
	bool ok = query_run(q, e);
	query_end(q);
	n->pending_any |= ok;
	return ok;
}

static bool row_done(struct node *n, const uint8_t *hash, struct bytes proof, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pending_done);

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_int(q, 2, clock_now_ms());
	query_bind_bytes(q, 3, proof);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool pending_open(struct node *n, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pending_any);
	bool found, ok = query_row(q, &found, e);

	n->pending_any = ok && found;
	query_end(q);
	return ok;
}

/* --- ours ----------------------------------------------------------------------------------------------------- */

/* One that cannot be read goes no way at all, and must not hold up what can. */
static bool may_go(struct node *n, const uint8_t *hash, bool *ret, struct err *e)
{
	struct err why = { 0 };
	AUTO_ACT *a = NULL;

	*ret = false;
	if (!node_act_load(n, hash, &a, &why))
		return why.kind != ERR_SYSTEM || err_set(e, why.kind, why.reason, "%s", why.text);
	for (size_t i = 1; a->statement->kind->may_go_pending && i < a->approval_count; i++)
		*ret = *ret || strcmp(a->approvals[i].approver, a->approvals[0].approver) != 0;
	return true;
}

/* Some that are due, of a kind that may go so, behind *after, which becomes the last that was looked at; *ret_end: there
 * are no more. */
struct due {
	size_t count;
	int64_t seq[LETTER_BATCH_MAX];
	uint64_t number[LETTER_BATCH_MAX];
	uint8_t hash[LETTER_BATCH_MAX][SHA256_BYTES];
};

/* The two that may: it is for the store to pass over a hundred thousand of others. */
static void kinds_bind(struct query *q)
{
	int count = 0;

	for (size_t i = 0; i < kind_count() && count < 2; i++)
		if (kind_at(i)->may_go_pending)
			query_bind_text(q, 6 + count++, kind_at(i)->name);
}

static bool due_read(struct node *n, const struct proved *under, const char *peer, int64_t now_ms, int64_t *after, struct due *ret,
		     bool *ret_end, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_due_kinds);
	bool found = true, ok = true;
	int64_t last = *after;

	ret->count = 0;
	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)under->checkpoint.size);
	query_bind_int(q, 3, cosigning_reach(n, now_ms));
	query_bind_int(q, 4, now_ms);
	query_bind_int(q, 5, *after);
	kinds_bind(q);
	while (ret->count < LETTER_BATCH_MAX && (ok = query_row(q, &found, e)) && found) {
		const struct kind *k = kind_find(query_bytes(q, 2));
		last = query_int(q, 0);
		if (query_bytes(q, 1).len != SHA256_BYTES || k == NULL || !k->may_go_pending)
			continue;
		ret->seq[ret->count] = last;
		ret->number[ret->count] = (uint64_t)query_int(q, 3);
		memcpy(ret->hash[ret->count++], query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	*ret_end = last == *after;
	*after = last;
	return ok;
}

bool pending_choose(struct node *n, const struct proved *under, size_t most, struct outbox_job *j, int64_t now_ms, struct err *e)
{
	struct due due;
	int64_t after = 0;
	bool end = false, may;

	while (!end && j->count < most) {
		if (!due_read(n, under, j->peer, now_ms, &after, &due, &end, e))
			return false;
		for (size_t i = 0; i < due.count && j->count < most; i++) {
			if (!may_go(n, due.hash[i], &may, e) || (may && !row_add(n, due.hash[i], j->peer, "ours", now_ms, e)))
				return false;
			if (!may)
				continue;
			j->seq[j->count] = due.seq[i];
			j->number[j->count] = due.number[i];
			memcpy(j->hash[j->count++], due.hash[i], SHA256_BYTES);
			j->held = true;
		}
	}
	return true;
}

bool pending_receipted(struct node *n, const uint8_t hash[static 32], bool received, struct err *e)
{
	struct row r;
	struct query *q;

	if (!row_get(n, hash, &r, e))
		return false;
	if (!r.found || !r.ours || r.done)
		return true;
	if (!received)
		return row_done(n, hash, bytes_of(""), e);
	/* It goes the way of all proofs, once our leaf is under a proved checkpoint. */
	q = store_query(n->store, QUERY_proof_out_add);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_text(q, 2, r.peer);
	bool ok = query_run(q, e);
	query_end(q);
	if (!ok || store_changes(n->store) > 0)
		return ok;
	/* It went once, to a home that has lost it since. */
	q = store_query(n->store, QUERY_proof_out_again);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_text(q, 2, r.peer);
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool pending_proved(struct node *n, const uint8_t hash[static 32], struct err *e)
{
	struct row r;

	return row_get(n, hash, &r, e) && (!r.found || !r.ours || r.done || row_done(n, hash, bytes_of(""), e));
}

/* --- theirs --------------------------------------------------------------------------------------------------- */

bool pending_judge(struct node *n, const struct act *a, bool *ret_pending, struct err *e)
{
	const struct party *us = register_party(n->reg, bytes_of(node_party(n)));
	struct err why = { 0 };
	struct judgement j;

	*ret_pending = false;
	if (judge_act(a, n->reg, clock_now_ms(), n->checkpoints, &j, &why))
		return true;
	*ret_pending = why.reason == REASON_UNDER_WITNESSED && us != NULL &&
		       judge_act_pending(a, n->reg, us, clock_now_ms(), n->checkpoints, &j, NULL);
	if (!*ret_pending && e != NULL)
		*e = why;
	return *ret_pending;
}

bool pending_kept(struct node *n, const uint8_t hash[static 32], const char *peer, int64_t now_ms, struct err *e)
{
	return row_add(n, hash, peer, "theirs", now_ms, e);
}

static bool was_compromised(const struct act *a, const struct party *p, int64_t at_ms)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i].compromised != 0 && p->keys[i].compromised <= at_ms && envelope_signed_by(&a->envelope, p->keys[i].key))
			return true;
	return false;
}

/* Its signature and approvals were judged when it came; people and keys may have changed since, and that is no fault
 * of the proof, nor is its age. A key that was stolen before the witnesses' time is: then it stays pending, and nothing better can come. */
static bool full_judge(struct node *n, const struct act *a, const struct counterproof *c, bool *ret_enough, struct err *e)
{
	struct judge_question q = { .r = n->reg, .log_of = register_party(n->reg, bytes_of(a->statement->from)), .at_ms = clock_now_ms(),
				    .when = JUDGE_ARRIVAL_ANY_AGE, .cache = n->checkpoints };
	struct judgement j;

	if (q.log_of == NULL)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "no party of our register is called %s", a->statement->from);
	if (!judge_proof(&q, c->proof, a->leaf, &j, e))
		return false;
	*ret_enough = !was_compromised(a, q.log_of, j.quorum_ms != 0 ? j.quorum_ms : q.at_ms);
	return true;
}

bool pending_full_proof(struct node *n, const char *peer, const struct counterproof *c, bool *ret_found, struct err *e)
{
	AUTO_ACT *a = NULL;
	struct row r;
	bool enough;

	if (!row_get(n, c->hash, &r, e))
		return false;
	*ret_found = r.found && !r.ours && bytes_is(bytes_of(r.peer), peer);
	if (!*ret_found || r.done)
		return true;
	if (!node_act_load(n, c->hash, &a, e))
		return false;
	if (!bytes_equal(a->leaf, c->leaf) || memcmp(a->opening, c->opening, sizeof(a->opening)) != 0)
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the full proof of %s is of another leaf than its letter", peer);
	return full_judge(n, a, c, &enough, e) && (!enough || row_done(n, c->hash, c->proof, e));
}

bool pending_again(struct node *n, const struct act *a, struct err *e)
{
	struct judgement j;
	struct row r;

	if (!row_get(n, a->statement->hash, &r, e))
		return false;
	if (!r.found || r.ours || r.done || !judge_act(a, n->reg, clock_now_ms(), n->checkpoints, &j, NULL))
		return true;
	return row_done(n, a->statement->hash, a->proof, e);
}

bool pending_proof_of(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	struct query *q;
	bool found, ok;

	if (!n->pending_any)
		return true;
	q = store_query(n->store, QUERY_pending_proof);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found)
		buf_add(out, query_bytes(q, 0));
	query_end(q);
	return ok && buf_check(out, "full proof", e);
}

bool pending_request(struct node *n, const struct request_row *r, bool *ret, int64_t *ret_due_ms, struct err *e)
{
	struct row row;
	struct request_row first;

	*ret = false;
	*ret_due_ms = 0;
	if (!row_get(n, r->hash, &row, e))
		return false;
	if (row.found && !row.ours && !row.done) {
		*ret = true;
		*ret_due_ms = row.due;
		return true;
	}
	if (!n->pending_any || !r->has_preservation)
		return true;
	return node_request(n, &r->preservation, &first, e) && row_get(n, first.hash, &row, e) &&
	       ((*ret = row.found && !row.ours && !row.done, *ret_due_ms = *ret ? row.due : 0), true);
}

bool pending_allows(struct node *n, const struct statement *s, struct err *e)
{
	bool exhibit = bytes_is(bytes_of(s->kind->name), "exhibit");
	bool order = bytes_is(bytes_of(s->kind->name), "order") && bytes_is(json_bytes(s->body, "measure"), "disclose");
	char when[TIME_TEXT_LEN + 1];
	struct request_row r;
	struct id id;
	int64_t due;
	bool is;

	if (!n->pending_any || (!exhibit && !order) || !effect_request_of(s, &id))
		return true;
	if (!node_request(n, &id, &r, e) || !pending_request(n, &r, &is, &due, e))
		return false;
	if (!is)
		return true;
	time_write(due, when);
	return err_set(e, ERR_CONFLICT, REASON_PROOF_PENDING, "the request of %s came proof-pending and its full proof, due by %s, is not here: "
		       "it may be preserved, and nothing is disclosed", r.peer, when);
}

json_t *pending_status(struct node *n, int64_t now_ms)
{
	struct query *q = store_query(n->store, QUERY_pending_counts);
	json_t *v = json_object();
	int64_t ours = 0, theirs = 0, overdue = 0;
	bool found;

	query_bind_int(q, 1, now_ms);
	if (query_row(q, &found, NULL) && found) {
		ours = query_int(q, 0);
		theirs = query_int(q, 1);
		overdue = query_int(q, 2);
	}
	query_end(q);
	json_put_int(v, "ours", ours);
	json_put_int(v, "overdue", overdue);
	json_put_int(v, "theirs", theirs);
	return v;
}
