/* Nothing that an outsider sends may fill our log. A rejection is stated for itself only when the peer's own TLS key brought
 * the letter and the peer's own key signed what is in it, once for each statement; its leaf counts among the peer's own
 * (peer_has_room), so that a peer that floods us with bad letters waits as one does that floods us with good
 * ones. Everything else is a count by peer, day and reason, and one leaf when the day is over. */
#include "exchange/rejections.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/parameters.h"
#include "register/judge.h"

/* Days and peers that one look states. */
#define AT_ONCE 16

static void today(int64_t now_ms, char day[static TIME_TEXT_LEN + 1])
{
	time_write(now_ms, day);
	day[10] = '\0';
}

/* Whose letter it is beyond doubt; NULL: nobody's. */
static const struct party *sender_of(struct node *n, const struct arrival *a, const uint8_t *spki)
{
	const struct party *by_tls = spki != NULL ? register_party_by_tls(n->reg, spki) : NULL, *sender;

	if (a->act == NULL || by_tls == NULL || !bytes_is(bytes_of(a->act->statement->from), by_tls->code) ||
	    !judge_signature(a->act, n->reg, clock_now_ms(), &sender, NULL))
		return NULL;
	return sender;
}

/* *ret_new false: a rejection of this statement is in the log already. */
static bool is_first(struct node *n, const struct statement *s, bool *ret_new, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_rejection_add);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(s->hash, SHA256_BYTES));
	query_bind_text(q, 2, s->from);
	query_bind_int(q, 3, clock_now_ms());
	ok = query_row(q, ret_new, e);
	query_end(q);
	return ok;
}

/* Counted per peer, day and reason. */
static bool count_one(struct node *n, const char *peer, enum reason reason, bool logged, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_reject_count_add);
	char day[TIME_TEXT_LEN + 1];

	today(clock_now_ms(), day);
	query_bind_text(q, 1, peer);
	query_bind_text(q, 2, day);
	query_bind_text(q, 3, reason_code(reason));
	query_bind_int(q, 4, logged ? 1 : 0);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static json_t *rejection_body(const struct arrival *a)
{
	const struct statement *s = a->act->statement;
	json_t *body = json_object();

	json_put_text(body, "from", s->from);
	json_put_hex(body, "letter", BYTES_ARRAY(a->digest));
	json_put_text(body, "reason", reason_code(a->why.reason));
	json_put_hex(body, "statement", bytes_from(s->hash, SHA256_BYTES));
	return body;
}

static bool payload_of(struct node *n, const struct arrival *a, struct buf *out, struct err *e)
{
	AUTO_JSON *body = rejection_body(a);
	struct own_statement s = { .kind = "rejection", .to = "", .case_ref = "", .legal_basis = a->act->statement->legal_basis,
				   .via = "comity", .body = body };
	struct id id;

	return node_payload(n, &s, &id, out, e);
}

bool rejections_keep(struct node *n, const struct arrival *all, size_t count, const uint8_t *spki, const char *peer, struct err *e)
{
	struct act_item *items = calloc(LETTER_BATCH_MAX, sizeof(*items));
	struct buf *payloads = calloc(LETTER_BATCH_MAX, sizeof(*payloads));
	size_t stated = 0;
	bool ok = true;

	if (items == NULL || payloads == NULL)
		abort();
	for (size_t i = 0; ok && i < count; i++) {
		const struct party *sender;
		bool first = false;

		if (all[i].ok || all[i].known)
			continue;
		sender = sender_of(n, &all[i], spki);
		ok = (sender == NULL || is_first(n, all[i].act->statement, &first, e)) &&
		     count_one(n, sender != NULL ? sender->code : peer, all[i].why.reason, sender != NULL, e);
		if (!ok || !first)
			continue;
		buf_init(&payloads[stated], STATEMENT_BYTES_MAX);
		ok = payload_of(n, &all[i], &payloads[stated], e);
		items[stated] = (struct act_item){ .kind = bytes_of("rejection"), .payload = buf_bytes(&payloads[stated]) };
		stated++;
	}
	ok = ok && (stated == 0 || node_acts(n, items, stated, e));
	for (size_t i = 0; i < stated; i++) {
		if (ok && !items[i].ok) {
			ok = false;
			if (e != NULL)
				*e = items[i].e;
		}
		buf_release(&payloads[i]);
	}
	free(payloads);
	free(items);
	return ok;
}

/* --- when the day is over ---------------------------------------------------------------------------------- */

struct day {
	char peer[PARTY_CODE_LEN_MAX + 1], day[TIME_TEXT_LEN + 1];
};

static bool days_over(struct node *n, int64_t now_ms, struct day all[static AT_ONCE], size_t *ret_count, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_reject_days);
	char day[TIME_TEXT_LEN + 1];
	bool found, ok;

	*ret_count = 0;
	today(now_ms, day);
	query_bind_text(q, 1, day);
	query_bind_int(q, 2, AT_ONCE);
	while ((ok = query_row(q, &found, e)) && found && *ret_count < AT_ONCE) {
		struct day *d = &all[(*ret_count)++];
		struct bytes peer = query_bytes(q, 0), when = query_bytes(q, 1);

		snprintf(d->peer, sizeof(d->peer), "%.*s", (int)peer.len, (const char *)peer.at);
		snprintf(d->day, sizeof(d->day), "%.*s", (int)when.len, (const char *)when.at);
	}
	query_end(q);
	return ok;
}

static bool say(struct node *n, const struct day *d, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "rejections", .to = "", .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	struct query *q = store_query(n->store, QUERY_reject_of_day);
	json_t *reasons = json_array();
	uint8_t hash[SHA256_BYTES];
	bool found, ok;

	json_put_text(body, "day", d->day);
	json_put_text(body, "peer", d->peer);
	json_put(body, "reasons", reasons);
	query_bind_text(q, 1, d->peer);
	query_bind_text(q, 2, d->day);
	while ((ok = query_row(q, &found, e)) && found && json_array_size(reasons) < LIST_ITEMS_MAX) {
		json_t *one = json_object();

		json_put_int(one, "count", query_int(q, 1));
		json_put_bytes(one, "reason", query_bytes(q, 0));
		json_array_append_new(reasons, one);
	}
	query_end(q);
	if (!ok || !node_state(n, &s, hash, e))
		return false;
	q = store_query(n->store, QUERY_reject_day_said);
	query_bind_text(q, 1, d->peer);
	query_bind_text(q, 2, d->day);
	query_bind_bytes(q, 3, BYTES_ARRAY(hash));
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool rejections_clock(struct node *n, int64_t now_ms, struct err *e)
{
	struct day days[AT_ONCE];
	size_t count;

	if (n->locked)
		return true;
	if (!days_over(n, now_ms, days, &count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!say(n, &days[i], e))
			return false;
	return true;
}

/* --- room -------------------------------------------------------------------------------------------- */

static bool rejected_today(struct node *n, const char *peer, int64_t *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_reject_count_of);
	char day[TIME_TEXT_LEN + 1];
	bool found, ok;

	today(clock_now_ms(), day);
	query_bind_text(q, 1, peer);
	query_bind_text(q, 2, day);
	ok = query_row(q, &found, e);
	*ret = ok && found ? query_int(q, 0) : 0;
	query_end(q);
	return ok;
}

bool peer_has_room(struct node *n, const uint8_t *spki, struct err *e)
{
	const struct party *p = register_party_by_tls(n->reg, spki);
	struct query *q;
	int64_t waiting, rejected;
	bool found, ok;

	if (p == NULL)
		return true; /* each letter says so itself */
	if (!rejected_today(n, p->code, &rejected, e))
		return false;
	if (rejected >= REJECTIONS_PER_DAY_MAX)
		return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "%lld letters of %s were rejected today; try again tomorrow", (long long)rejected,
			       p->code);
	q = store_query(n->store, QUERY_leaf_queue_of_peer);
	query_bind_text(q, 1, p->code);
	ok = query_row(q, &found, e);
	waiting = ok && found ? query_int(q, 0) : 0;
	query_end(q);
	if (ok && waiting >= PEER_SLOTS_AHEAD_MAX * parameters_leaves(n, clock_now_ms()))
		return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "%lld letters of %s wait for their slot of our log; try again",
			       (long long)waiting, p->code);
	return ok;
}
