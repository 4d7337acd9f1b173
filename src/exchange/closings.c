/* A closing says where the sender of it stands; it need not be the same moment as the peer's, because heads of earlier
 * numbers can be found again in pair_letter. What they received is what we sent, and the reverse. */
#include "exchange/closings.h"

#include "base/clock.h"
#include "exchange/pair-recover.h"
#include "log/openings.h"

#define CLOSINGS_EVERY_MS (3600 * INT64_C(1000))

/* The quarter before the one of now, and when that ended. */
static bool quarter_before(int64_t now_ms, char period[static PERIOD_TEXT_LEN + 1], int64_t *ret_end)
{
	char this[PERIOD_TEXT_LEN + 1];
	int64_t until;

	period_of(now_ms, this);
	if (!period_parse(bytes_of(this), ret_end, &until))
		return false;
	period_of(*ret_end - 1, period);
	return true;
}

static json_t *side(const struct pair_state *s)
{
	json_t *v = json_object();

	json_put_hex(v, "head", BYTES_ARRAY(s->head));
	json_put_int(v, "n", (int64_t)s->n);
	return v;
}

static bool say(struct node *n, const char *peer, const char *period, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "closing", .to = peer, .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	struct pair_state sent, received;
	uint8_t hash[SHA256_BYTES];

	if (!pair_last(n, peer, PAIR_SENT, &sent, e) || !pair_last(n, peer, PAIR_RECEIVED, &received, e))
		return false;
	json_put_text(body, "peer", peer);
	json_put_text(body, "period", period);
	json_put(body, "received", side(&received));
	json_put(body, "sent", side(&sent));
	return node_state(n, &s, hash, e);
}

/* Letters in the quarter that no closing of ours has told yet; a closing is none itself. */
static bool traffic(struct node *n, const char *peer, enum pair_direction d, int64_t told, int64_t begin, int64_t end, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_traffic);
	bool found, ok;

	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, d);
	query_bind_int(q, 3, told);
	query_bind_int(q, 4, begin);
	query_bind_int(q, 5, end);
	ok = query_row(q, &found, e);
	query_end(q);
	*ret = *ret || (ok && found);
	return ok;
}

static bool due(struct node *n, const char *peer, const char *period, int64_t begin, int64_t end, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_closing_last);
	int64_t sent = 0, received = 0;
	bool found, ok, said = false;

	*ret = false;
	query_bind_text(q, 1, peer);
	ok = query_row(q, &found, e);
	if (ok && found) {
		said = bytes_is(query_bytes(q, 0), period);
		sent = query_int(q, 1) + 1;
		received = query_int(q, 2) + 1;
	}
	query_end(q);
	return ok && (said || (traffic(n, peer, PAIR_SENT, sent, begin, end, ret, e) &&
			       traffic(n, peer, PAIR_RECEIVED, received, begin, end, ret, e)));
}

bool closings_clock(struct node *n, int64_t now_ms, struct err *e)
{
	char period[PERIOD_TEXT_LEN + 1];
	int64_t end, begin, until;

	/* Once an hour; a clock that was set back does not stop it. */
	if (n->locked || (now_ms < n->closings_next_ms && n->closings_next_ms - now_ms <= CLOSINGS_EVERY_MS))
		return true;
	n->closings_next_ms = now_ms + CLOSINGS_EVERY_MS;
	if (!quarter_before(now_ms, period, &end) || !period_parse(bytes_of(period), &begin, &until))
		return true;
	for (size_t i = 0; i < register_count(n->reg); i++) {
		const char *peer = register_at(n->reg, i)->code;
		bool is, asked = false;
		if (bytes_is(bytes_of(peer), node_party(n)))
			continue;
		/* Until it has said what it has of us, we cannot say where we stand. */
		if (n->recoveries > 0 && !pair_recovery_waits(n, peer, &asked, e))
			return false;
		if (asked)
			continue;
		if (!due(n, peer, period, begin, end, &is, e) || (is && !say(n, peer, period, e)))
			return false;
		n->outbox_changed = n->outbox_changed || is;
	}
	return true;
}

/* One direction of theirs against ours; what differs is the first number that shows it. */
static bool compare(struct node *n, const struct statement *s, const char *member, enum pair_direction ours, bool *ret_equal, uint64_t *ret_n,
		    uint8_t head[static SHA256_BYTES], struct err *e)
{
	const json_t *v = json_object_get(s->body, member);
	uint8_t theirs[SHA256_BYTES];
	bool found;

	*ret_n = (uint64_t)json_int(v, "n");
	if (!hex_parse(json_bytes(v, "head"), theirs, sizeof(theirs)) || !pair_head_at(n, s->from, ours, *ret_n, head, &found, e))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a closing without a head");
	/* What they sent and has not come yet is no difference; what they received was sent. */
	*ret_equal = found ? memcmp(head, theirs, sizeof(theirs)) == 0 : ours == PAIR_RECEIVED;
	if (!found && !*ret_equal && !pair_lost(n, s->from, ours, *ret_n, ret_equal, e))
		return false;
	return *ret_equal || pair_dispute(n, s->from, "closing", *ret_n, head, theirs, NULL, bytes_from(s->hash, SHA256_BYTES), e);
}

static bool keep(struct node *n, const struct statement *s, bool own, bool equal, uint64_t number, const uint8_t *head, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_closing_add);

	query_bind_text(q, 1, own ? s->to : s->from);
	query_bind_text(q, 2, json_text(s->body, "period"));
	query_bind_int(q, 3, own);
	query_bind_bytes(q, 4, bytes_from(s->hash, SHA256_BYTES));
	query_bind_int(q, 5, equal);
	query_bind_int(q, 6, (int64_t)number);
	query_bind_bytes(q, 7, bytes_from(head, SHA256_BYTES));
	query_bind_int(q, 8, json_int(json_object_get(s->body, "sent"), "n"));
	query_bind_int(q, 9, json_int(json_object_get(s->body, "received"), "n"));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool closings_said(struct node *n, const struct statement *closing, bool own, struct err *e)
{
	uint8_t head[SHA256_BYTES] = { 0 };
	uint64_t number = 0;
	bool equal = true;

	if (!bytes_is(json_bytes(closing->body, "peer"), closing->to))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a closing of letters with another party than its addressee");
	if (!own && (!compare(n, closing, "received", PAIR_SENT, &equal, &number, head, e) ||
		     (equal && !compare(n, closing, "sent", PAIR_RECEIVED, &equal, &number, head, e))))
		return false;
	return keep(n, closing, own, equal, number, head, e);
}

bool closings_status(struct node *n, json_t *out, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_dispute_list);
	json_t *rows = json_array();
	bool found, ok;

	json_put(out, "disputed", rows);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "peer", query_bytes(q, 0));
		json_put_bytes(v, "what", query_bytes(q, 1));
		json_put_int(v, "n", query_int(q, 2));
		json_put_hex(v, "ours", query_bytes(q, 3));
		json_put_hex(v, "theirs", query_bytes(q, 4));
		json_put_time(v, "time", query_int(q, 5));
		json_array_append_new(rows, v);
	}
	query_end(q);
	return ok;
}
