/* The chain grows by one row for each letter and is never changed. The sender gives numbers when a letter is queued;
 * the receiver takes a letter only after the one before it, also when it then rejects the content, so that one bad
 * letter does not stop the way. Requests that never wait (arts. 41 and 42) may come early: they are acted upon at
 * once and take their place when the missing ones have come. */
#include "exchange/pairs.h"

#include "base/clock.h"
#include "exchange/lately.h"
#include "exchange/pair-recover.h"

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

bool pair_lost(struct node *n, const char *peer, enum pair_direction d, uint64_t at, bool *ret, struct err *e)
{
	uint8_t head[SHA256_BYTES];
	struct pair_state last;
	bool found, waits = false;

	if (!pair_last(n, peer, d, &last, e) || !pair_head_at(n, peer, d, at, head, &found, e) ||
	    (n->recoveries > 0 && !pair_recovery_waits(n, peer, &waits, e)))
		return false;
	*ret = !found && (at < last.n || waits);
	return true;
}

bool pair_lost_any(struct node *n, const char *peer, enum pair_direction d, bool *ret, struct err *e)
{
	static const uint8_t unknown[SHA256_BYTES];
	struct query *q = store_query(n->store, QUERY_pair_lost_any);
	bool ok;

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, d);
	query_bind_bytes(q, 3, BYTES_ARRAY(unknown));
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
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
		  const uint8_t theirs[static SHA256_BYTES], const uint8_t *about, struct bytes evidence, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_dispute_add);

	query_bind_text(q, 1, peer);
	query_bind_text(q, 2, what);
	query_bind_int(q, 3, (int64_t)number);
	query_bind_bytes(q, 4, bytes_from(ours, SHA256_BYTES));
	query_bind_bytes(q, 5, bytes_from(theirs, SHA256_BYTES));
	query_bind_bytes(q, 6, evidence);
	query_bind_int(q, 7, clock_now_ms());
	query_bind_int(q, 8, PAIR_DISPUTES_MAX);
	if (about != NULL)
		query_bind_bytes(q, 9, bytes_from(about, SHA256_BYTES));
	else
		query_bind_null(q, 9);
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

/* The oldest first: they were read the other way round. */
static void gone_turn(struct letter_pair *p)
{
	uint8_t one[SHA256_BYTES];

	for (size_t i = 0; i < p->gone_count / 2; i++) {
		size_t other = p->gone_count - 1 - i;
		memcpy(one, p->gone[i], sizeof(one));
		memcpy(p->gone[i], p->gone[other], sizeof(one));
		memcpy(p->gone[other], one, sizeof(one));
	}
}

bool pair_of_letter(struct node *n, const char *peer, uint64_t number, struct letter_pair *ret, struct err *e)
{
	static const uint8_t unknown[SHA256_BYTES];
	uint64_t next = number - 1;
	bool found, ok, before = false;
	struct query *q;

	memset(ret, 0, sizeof(*ret));
	ret->n = number;
	if (number <= 1)
		return true;
	q = store_query(n->store, QUERY_pair_before);
	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)number);
	/* Back to the first that can still be sent, or that nobody here knows. */
	while ((ok = query_row(q, &found, e)) && found && ret->gone_count < LETTER_GONE_MAX) {
		struct bytes hash = query_bytes(q, 1), head = query_bytes(q, 2);
		if ((uint64_t)query_int(q, 0) != next || hash.len != SHA256_BYTES || head.len != SHA256_BYTES)
			break;
		if (!before)
			memcpy(ret->prev, head.at, SHA256_BYTES);
		before = true;
		if (query_int(q, 3) != 0 || memcmp(hash.at, unknown, sizeof(unknown)) == 0)
			break;
		memcpy(ret->gone[ret->gone_count++], hash.at, SHA256_BYTES);
		next--;
	}
	query_end(q);
	gone_turn(ret);
	return ok && (before || err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "letter %llu to %s has no letter before it", (unsigned long long)number,
					peer));
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
static bool agrees(struct node *n, const char *peer, const struct pair_state *told, const uint8_t *about, struct bytes evidence, bool *ret,
		   struct err *e)
{
	uint8_t ours[SHA256_BYTES];
	bool found;

	if (!pair_head_at(n, peer, PAIR_SENT, told->n, ours, &found, e))
		return false;
	*ret = found && memcmp(ours, told->head, sizeof(ours)) == 0;
	bool lost = false;
	return *ret || ((found || pair_lost(n, peer, PAIR_SENT, told->n, &lost, e)) &&
			(lost || pair_dispute(n, peer, "receipt", told->n, ours, told->head, about, evidence, e)));
}

bool pair_check_receipt(struct node *n, const char *peer, const uint8_t *about, const json_t *body, struct bytes envelope, struct err *e)
{
	struct pair_state told;
	bool says, same;

	told_of(body, &told, &says);
	return !says || agrees(n, peer, &told, about, envelope, &same, e);
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

bool pair_fill_gap(struct node *n, const char *peer, const uint8_t *about, const json_t *body, struct bytes envelope, struct err *e)
{
	struct pair_state told;
	bool says, same;

	told_of(body, &told, &says);
	if (!says || !agrees(n, peer, &told, about, envelope, &same, e))
		return !says;
	/* The letter that the receipt is for stays due, and brings the next such receipt if they are still missing then. */
	return !same || !lately_begin(&lately_of(n->lately, peer)->gap_ms, clock_now_ms(), PAIR_AGAIN_MS_MAX) ||
	       pair_send_again(n, peer, told.n, e);
}

/* --- receiving ------------------------------------------------------------------------------------------- */

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

/* The letters between `last` and this one are gone, and their hashes lead to its prev. */
static bool gone_leads(const struct letter_pair *p, const struct pair_state *last)
{
	uint64_t missing = p->n - 1 - last->n;
	uint8_t head[SHA256_BYTES];

	if (missing > p->gone_count)
		return false;
	memcpy(head, last->head, sizeof(head));
	for (size_t i = p->gone_count - (size_t)missing; i < p->gone_count; i++)
		pair_head_next(head, p->gone[i], head);
	return memcmp(head, p->prev, sizeof(head)) == 0;
}

bool pair_see(struct node *n, const char *peer, const struct pair_letter *l, enum pair_fit *ret, struct err *e)
{
	uint8_t hash[SHA256_BYTES], head[SHA256_BYTES];
	struct letter_pair early;
	struct pair_state last;
	bool found, room = false;

	*ret = PAIR_UNSEEN;
	if (l->at.n == 0)
		return true;
	if (!pair_last(n, peer, PAIR_RECEIVED, &last, e))
		return false;
	*ret = PAIR_GAP;
	if (l->at.n > last.n && gone_leads(&l->at, &last)) {
		*ret = PAIR_NEXT;
		return true;
	}
	if (l->at.n == last.n + 1)
		return true;
	if (l->at.n <= last.n) {
		if (!row_at(n, peer, PAIR_RECEIVED, l->at.n, hash, head, &found, e))
			return false;
		if (found && memcmp(hash, l->hash, sizeof(hash)) == 0)
			*ret = PAIR_AGAIN;
		return true;
	}
	if (!l->never_waits)
		return true;
	if (!early_find(n, peer, l->at.n, &early, hash, &found, e) || !early_room(n, peer, &room, e))
		return false;
	if (found)
		*ret = memcmp(hash, l->hash, sizeof(hash)) == 0 ? PAIR_AGAIN : PAIR_GAP;
	else if (room)
		*ret = PAIR_EARLY;
	return true;
}

bool pair_gap(struct node *n, const char *peer, const struct pair_letter *l, struct err *e)
{
	unsigned long long number = (unsigned long long)l->at.n;
	struct pair_state last;
	struct err none;

	if (!pair_last(n, peer, PAIR_RECEIVED, &last, &none))
		memset(&last, 0, sizeof(last));
	if (l->at.n > last.n + 2)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came, letters %llu to %llu are missing: bring those first, "
			       "then this one again", number, peer, (unsigned long long)last.n + 1, number - 1);
	if (l->at.n == last.n + 2)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came, letter %llu is missing: bring that first, then this "
			       "one again", number, peer, number - 1);
	if (l->at.n == last.n + 1)
		return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s does not follow the letters that came before it: two "
			       "histories", number, peer);
	return err_set(e, ERR_REJECTED, REASON_PAIR_GAP, "letter %llu of %s came before as another one (the newest is %llu): two histories", number,
		       peer, (unsigned long long)last.n);
}

static bool early_add(struct node *n, const char *peer, const struct pair_letter *l, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_early_add);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)l->at.n);
	query_bind_bytes(q, 3, BYTES_ARRAY(l->at.prev));
	query_bind_bytes(q, 4, BYTES_ARRAY(l->hash));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool early_delete(struct node *n, enum query_name which, const char *peer, uint64_t number, struct err *e)
{
	struct query *q = store_query(n->store, which);

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, (int64_t)number);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool early_drop(struct node *n, const char *peer, uint64_t number, struct err *e)
{
	return early_delete(n, QUERY_pair_early_drop, peer, number, e);
}

bool pair_forget_early(struct node *n, const char *peer, uint64_t after, struct err *e)
{
	return early_delete(n, QUERY_pair_early_forget, peer, after, e);
}

/* Those that came early and are next now. */
static bool early_follow(struct node *n, const char *peer, struct pair_state *last, struct err *e)
{
	static const uint8_t unsaid[SHA256_BYTES]; /* by the peer itself */
	struct letter_pair early;
	uint8_t hash[SHA256_BYTES];
	bool found = true;

	while (found) {
		if (!early_find(n, peer, last->n + 1, &early, hash, &found, e))
			return false;
		if (!found)
			break;
		if (memcmp(early.prev, unsaid, sizeof(unsaid)) != 0 && memcmp(early.prev, last->head, sizeof(last->head)) != 0 &&
		    !pair_dispute(n, peer, "letter", last->n, last->head, early.prev, NULL, bytes_of(""), e))
			return false;
		if (!early_drop(n, peer, last->n + 1, e) || !grow(n, peer, PAIR_RECEIVED, hash, last, e))
			return false;
	}
	return true;
}

/* The next one, after those that are gone. Each of them may also have come early, as another. */
static bool take_next(struct node *n, const char *peer, const struct pair_letter *l, struct err *e)
{
	const struct letter_pair *p = &l->at;
	struct pair_state last;

	if (!pair_last(n, peer, PAIR_RECEIVED, &last, e))
		return false;
	while (last.n + 1 < p->n)
		if (!early_drop(n, peer, last.n + 1, e) ||
		    !grow(n, peer, PAIR_RECEIVED, p->gone[p->gone_count - (size_t)(p->n - 1 - last.n)], &last, e))
			return false;
	return early_drop(n, peer, p->n, e) && grow(n, peer, PAIR_RECEIVED, l->hash, &last, e) &&
	       early_follow(n, peer, &last, e);
}

bool pair_take(struct node *n, const char *peer, const struct pair_letter *l, enum pair_fit fit, struct err *e)
{
	uint8_t ours[SHA256_BYTES];
	bool found;

	switch (fit) {
	case PAIR_NEXT:
		return take_next(n, peer, l, e);
	case PAIR_EARLY:
		return early_add(n, peer, l, e);
	case PAIR_GAP:
		/* Missing letters are no dispute; another history is. */
		if (!pair_head_at(n, peer, PAIR_RECEIVED, l->at.n - 1, ours, &found, e))
			return false;
		return !found || pair_dispute(n, peer, "letter", l->at.n - 1, ours, l->at.prev, NULL, bytes_of(""), e);
	case PAIR_UNSEEN:
	case PAIR_AGAIN:
		break;
	}
	return true;
}
