/* The chain grows by one row for each letter and is never changed. The sender gives numbers when a letter is queued;
 * the receiver takes a letter only after the one before it, also when it then rejects the content, so that one bad
 * letter does not stop the way. Requests that never wait (arts. 41 and 42) may come early: they are acted upon at
 * once and take their place when the missing ones have come. */
#include "exchange/pairs.h"

#include "base/clock.h"

static const char domain[] = "comity pair v1";

void pair_head_next(const uint8_t prev[static SHA256_BYTES], const uint8_t hash[static SHA256_BYTES], uint8_t head[static SHA256_BYTES])
{
	uint8_t all[sizeof(domain) - 1 + 2 * SHA256_BYTES];

	memcpy(all, domain, sizeof(domain) - 1);
	memcpy(all + sizeof(domain) - 1, prev, SHA256_BYTES);
	memcpy(all + sizeof(domain) - 1 + SHA256_BYTES, hash, SHA256_BYTES);
	sha256(BYTES_ARRAY(all), head);
}

/* --- rows ------------------------------------------------------------------------------------------------ */

bool pair_last(struct node *n, const char *peer, enum pair_direction d, struct pair_state *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_last);
	bool found, ok;

	memset(ret, 0, sizeof(*ret));
	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, d);
	ok = query_row(q, &found, e);
	if (ok && found && query_bytes(q, 1).len == SHA256_BYTES) {
		ret->n = (uint64_t)query_int(q, 0);
		memcpy(ret->head, query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	return ok;
}

/* hash: of the statement at that place, all zero where a recovery skipped it. */
static bool row_at(struct node *n, const char *peer, enum pair_direction d, uint64_t at, uint8_t *hash, uint8_t *head, bool *ret_found,
		   struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_at);
	bool ok;

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, d);
	query_bind_int(q, 3, (int64_t)at);
	ok = query_row(q, ret_found, e);
	if (ok && *ret_found) {
		if (query_bytes(q, 0).len == SHA256_BYTES)
			memcpy(hash, query_bytes(q, 0).at, SHA256_BYTES);
		else
			memset(hash, 0, SHA256_BYTES);
		if (query_bytes(q, 1).len == SHA256_BYTES)
			memcpy(head, query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	return ok;
}

bool pair_head_at(struct node *n, const char *peer, enum pair_direction d, uint64_t at, uint8_t head[static SHA256_BYTES], bool *ret_found,
		  struct err *e)
{
	uint8_t hash[SHA256_BYTES];

	memset(head, 0, SHA256_BYTES);
	*ret_found = true;
	return at == 0 || row_at(n, peer, d, at, hash, head, ret_found, e);
}

static bool row_add(struct node *n, const char *peer, enum pair_direction d, uint64_t at, const uint8_t *hash, const uint8_t *head,
		    struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_add);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, d);
	query_bind_int(q, 3, (int64_t)at);
	query_bind_bytes(q, 4, bytes_from(hash, SHA256_BYTES));
	query_bind_bytes(q, 5, bytes_from(head, SHA256_BYTES));
	query_bind_int(q, 6, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool grow(struct node *n, const char *peer, enum pair_direction d, const uint8_t *hash, struct pair_state *last, struct err *e)
{
	pair_head_next(last->head, hash, last->head);
	last->n++;
	return row_add(n, peer, d, last->n, hash, last->head, e);
}

bool pair_skip(struct node *n, const char *peer, enum pair_direction d, const struct pair_state *to, struct err *e)
{
	static const uint8_t unknown[SHA256_BYTES];

	return row_add(n, peer, d, to->n, unknown, to->head, e);
}

bool pair_dispute(struct node *n, const char *peer, const char *what, uint64_t number, const uint8_t ours[static SHA256_BYTES],
		  const uint8_t theirs[static SHA256_BYTES], struct bytes evidence, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_dispute_add);

	query_bind_text(q, 1, peer);
	query_bind_text(q, 2, what);
	query_bind_int(q, 3, (int64_t)number);
	query_bind_bytes(q, 4, bytes_from(ours, SHA256_BYTES));
	query_bind_bytes(q, 5, bytes_from(theirs, SHA256_BYTES));
	query_bind_bytes(q, 6, evidence);
	query_bind_int(q, 7, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	if (ok && store_changes(n->store) > 0)
		snprintf(n->disputed, sizeof(n->disputed), "peer=%s what=%s number=%llu", peer, what, (unsigned long long)number);
	return ok;
}

/* --- sending --------------------------------------------------------------------------------------------- */

bool pair_count(struct node *n, const char *peer, const uint8_t hash[static SHA256_BYTES], uint64_t *ret_n, struct err *e)
{
	struct pair_state last;

	if (!pair_last(n, peer, PAIR_SENT, &last, e) || !grow(n, peer, PAIR_SENT, hash, &last, e))
		return false;
	*ret_n = last.n;
	return true;
}

bool pair_of_letter(struct node *n, const char *peer, uint64_t number, struct letter_pair *ret, struct err *e)
{
	bool found = true;

	memset(ret, 0, sizeof(*ret));
	ret->n = number;
	if (number > 1 && !pair_head_at(n, peer, PAIR_SENT, number - 1, ret->prev, &found, e))
		return false;
	return found || err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "letter %llu to %s has no letter before it", (unsigned long long)number, peer);
}

bool pair_adopt(struct node *n, struct err *e)
{
	for (;;) {
		struct query *q = store_query(n->store, QUERY_outbox_uncounted);
		char peer[PARTY_CODE_LEN_MAX + 1] = "";
		uint8_t hash[SHA256_BYTES];
		int64_t seq = 0;
		uint64_t number;
		bool found, ok;

		ok = query_row(q, &found, e);
		if (ok && found && query_bytes(q, 1).len == SHA256_BYTES) {
			seq = query_int(q, 0);
			memcpy(hash, query_bytes(q, 1).at, SHA256_BYTES);
			bytes_text(query_bytes(q, 2), peer, sizeof(peer));
		}
		query_end(q);
		if (!ok || seq == 0)
			return ok;
		if (!pair_count(n, peer, hash, &number, e))
			return false;
		q = store_query(n->store, QUERY_outbox_number);
		query_bind_int(q, 1, seq);
		query_bind_int(q, 2, (int64_t)number);
		ok = query_run(q, e);
		query_end(q);
		if (!ok)
			return false;
	}
}

/* The peer's count and head in a receipt; *ret_told false: it says nothing. */
static void told_of(const json_t *body, struct pair_state *ret, bool *ret_told)
{
	memset(ret, 0, sizeof(*ret));
	ret->n = (uint64_t)json_int(body, "pair_n");
	*ret_told = hex_parse(json_bytes(body, "pair_head"), ret->head, sizeof(ret->head));
}

/* Do they have our letters up to there, as we sent them? */
static bool agrees(struct node *n, const char *peer, const struct pair_state *told, const char *what, struct bytes evidence, bool *ret,
		   struct err *e)
{
	uint8_t ours[SHA256_BYTES];
	bool found;

	if (!pair_head_at(n, peer, PAIR_SENT, told->n, ours, &found, e))
		return false;
	*ret = found && memcmp(ours, told->head, sizeof(ours)) == 0;
	return *ret || pair_dispute(n, peer, what, told->n, ours, told->head, evidence, e);
}

bool pair_check_receipt(struct node *n, const char *peer, const json_t *body, struct bytes envelope, struct err *e)
{
	struct pair_state told;
	bool says, same;

	told_of(body, &told, &says);
	return !says || agrees(n, peer, &told, "receipt", envelope, &same, e);
}

bool pair_send_again(struct node *n, const char *peer, uint64_t after, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_again);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)after);
	bool ok = query_run(q, e);
	query_end(q);
	n->outbox_changed = true;
	return ok;
}

bool pair_fill_gap(struct node *n, const char *peer, const json_t *body, struct bytes envelope, struct err *e)
{
	struct pair_state told;
	bool says, same;

	told_of(body, &told, &says);
	if (!says || !agrees(n, peer, &told, "receipt", envelope, &same, e))
		return !says;
	return !same || pair_send_again(n, peer, told.n, e);
}

/* --- receiving ------------------------------------------------------------------------------------------- */

/* Requests to preserve, and that a duty officer has taken one on, wait for nothing. */
static bool never_waits(const struct kind *k)
{
	return k->may_go_pending;
}

static bool early_find(struct node *n, const char *peer, uint64_t number, struct letter_pair *ret, uint8_t *hash, bool *ret_found,
		       struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_early_get);
	bool ok;

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)number);
	ok = query_row(q, ret_found, e);
	*ret_found = ok && *ret_found && query_bytes(q, 0).len == SHA256_BYTES && query_bytes(q, 1).len == SHA256_BYTES;
	if (*ret_found) {
		ret->n = number;
		memcpy(ret->prev, query_bytes(q, 0).at, SHA256_BYTES);
		memcpy(hash, query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	return ok;
}

static bool early_room(struct node *n, const char *peer, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_early_count);
	bool found, ok;

	query_bind_text(q, 1, peer);
	ok = query_row(q, &found, e);
	*ret = ok && found && query_int(q, 0) < PAIR_EARLY_MAX;
	query_end(q);
	return ok;
}

bool pair_see(struct node *n, const char *peer, const struct letter *l, enum pair_fit *ret, struct err *e)
{
	const struct statement *s = l->acts[0]->statement;
	uint8_t hash[SHA256_BYTES], head[SHA256_BYTES];
	struct letter_pair early;
	struct pair_state last;
	bool found, room = false;

	*ret = PAIR_UNSEEN;
	if (l->pair.n == 0)
		return true;
	if (!pair_last(n, peer, PAIR_RECEIVED, &last, e))
		return false;
	*ret = PAIR_GAP;
	if (l->pair.n == last.n + 1) {
		if (memcmp(l->pair.prev, last.head, sizeof(last.head)) == 0)
			*ret = PAIR_NEXT;
		return true;
	}
	if (l->pair.n <= last.n) {
		if (!row_at(n, peer, PAIR_RECEIVED, l->pair.n, hash, head, &found, e))
			return false;
		if (found && memcmp(hash, s->hash, sizeof(hash)) == 0)
			*ret = PAIR_AGAIN;
		return true;
	}
	if (!never_waits(s->kind))
		return true;
	if (!early_find(n, peer, l->pair.n, &early, hash, &found, e) || !early_room(n, peer, &room, e))
		return false;
	if (found)
		*ret = memcmp(hash, s->hash, sizeof(hash)) == 0 ? PAIR_AGAIN : PAIR_GAP;
	else if (room)
		*ret = PAIR_EARLY;
	return true;
}

bool pair_gap(struct node *n, const char *peer, const struct letter *l, struct err *e)
{
	unsigned long long number = (unsigned long long)l->pair.n;
	struct pair_state last;
	struct err none;

	if (!pair_last(n, peer, PAIR_RECEIVED, &last, &none))
		memset(&last, 0, sizeof(last));
	if (l->pair.n > last.n + 2)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came, letters %llu to %llu are missing: bring those first, "
			       "then this one again", number, peer, (unsigned long long)last.n + 1, number - 1);
	if (l->pair.n == last.n + 2)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came, letter %llu is missing: bring that first, then this "
			       "one again", number, peer, number - 1);
	if (l->pair.n == last.n + 1)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s does not follow the letters that came before it: two "
			       "histories", number, peer);
	return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came before as another one (the newest is %llu): two histories", number,
		       peer, (unsigned long long)last.n);
}

static bool early_add(struct node *n, const char *peer, const struct letter *l, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_early_add);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)l->pair.n);
	query_bind_bytes(q, 3, BYTES_ARRAY(l->pair.prev));
	query_bind_bytes(q, 4, BYTES_ARRAY(l->acts[0]->statement->hash));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool early_drop(struct node *n, const char *peer, uint64_t number, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_early_drop);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)number);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* Those that came early and are next now. */
static bool early_follow(struct node *n, const char *peer, struct pair_state *last, struct err *e)
{
	struct letter_pair early;
	uint8_t hash[SHA256_BYTES];
	bool found = true;

	while (found) {
		if (!early_find(n, peer, last->n + 1, &early, hash, &found, e))
			return false;
		if (!found)
			break;
		if (memcmp(early.prev, last->head, sizeof(last->head)) != 0 &&
		    !pair_dispute(n, peer, "letter", last->n, last->head, early.prev, bytes_of(""), e))
			return false;
		if (!early_drop(n, peer, last->n + 1, e) || !grow(n, peer, PAIR_RECEIVED, hash, last, e))
			return false;
	}
	return true;
}

bool pair_take(struct node *n, const char *peer, const struct letter *l, enum pair_fit fit, struct err *e)
{
	struct pair_state last;
	uint8_t ours[SHA256_BYTES];
	bool found;

	switch (fit) {
	case PAIR_NEXT:
		/* The next one may also have come early, as another. */
		return pair_last(n, peer, PAIR_RECEIVED, &last, e) && early_drop(n, peer, l->pair.n, e) &&
		       grow(n, peer, PAIR_RECEIVED, l->acts[0]->statement->hash, &last, e) && early_follow(n, peer, &last, e);
	case PAIR_EARLY:
		return early_add(n, peer, l, e);
	case PAIR_GAP:
		/* Missing letters are no dispute; another history is. */
		if (!pair_head_at(n, peer, PAIR_RECEIVED, l->pair.n - 1, ours, &found, e))
			return false;
		return !found || pair_dispute(n, peer, "letter", l->pair.n - 1, ours, l->pair.prev, bytes_of(""), e);
	case PAIR_UNSEEN:
	case PAIR_AGAIN:
		break;
	}
	return true;
}
