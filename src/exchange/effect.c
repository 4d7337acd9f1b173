/* One function per kind that moves something; a table says which. Who may say what: what is done about a
 * request comes from the party that was asked, its confirmation and withdrawal from the one that asks. */
#include "exchange/effect.h"

#include "base/clock.h"
#include "exchange/closings.h"
#include "exchange/erase.h"
#include "exchange/overdue.h"
#include "exchange/publish.h"

/* --- reading and moving requests ----------------------------------------------------------------- */

static bool row_read(struct query *q, struct request_row *r)
{
	struct bytes id = query_bytes(q, 0), hash = query_bytes(q, 6);

	memset(r, 0, sizeof(*r));
	if (id.len != ID_BYTES || hash.len != SHA256_BYTES || !life_state_find(query_bytes(q, 5), &r->state))
		return false;
	memcpy(r->id.at, id.at, ID_BYTES);
	memcpy(r->hash, hash.at, SHA256_BYTES);
	bytes_text(query_bytes(q, 1), r->kind, sizeof(r->kind));
	bytes_text(query_bytes(q, 2), r->peer, sizeof(r->peer));
	bytes_text(query_bytes(q, 3), r->case_ref, sizeof(r->case_ref));
	r->asked = query_int(q, 4) != 0;
	r->has_preservation = !query_is_null(q, 7) && query_bytes(q, 7).len == ID_BYTES;
	if (r->has_preservation)
		memcpy(r->preservation.at, query_bytes(q, 7).at, ID_BYTES);
	r->hold_until = query_int(q, 8);
	r->order_expires = query_int(q, 9);
	bytes_text(query_bytes(q, 10), r->acknowledged_by, sizeof(r->acknowledged_by));
	r->acknowledged_at = query_int(q, 11);
	r->created = query_int(q, 12);
	r->updated = query_int(q, 13);
	r->erased = query_int(q, 14);
	return true;
}

bool node_request(struct node *n, const struct id *id, struct request_row *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_request_get);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(id->at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok && !found)
		ok = err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no such request");
	else if (ok && !row_read(q, ret))
		ok = err_set(e, ERR_SYSTEM, REASON_MALFORMED, "a stored request cannot be read");
	query_end(q);
	return ok;
}

static bool move_record(struct node *n, const struct request_row *r, const struct life_move *m, const uint8_t *hash,
			int64_t now, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_request_move_add);

	query_bind_bytes(q, 1, bytes_from(r->id.at, ID_BYTES));
	query_bind_text(q, 2, life_state_code(m->from));
	query_bind_text(q, 3, life_event_code(m->event));
	query_bind_text(q, 4, life_state_code(m->to));
	if (hash != NULL)
		query_bind_bytes(q, 5, bytes_from(hash, SHA256_BYTES));
	else
		query_bind_null(q, 5);
	query_bind_text(q, 6, m->why);
	query_bind_int(q, 7, now);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool node_move(struct node *n, struct request_row *r, enum life_event event, const uint8_t *hash, struct err *e)
{
	const struct life_move *m;
	enum life_kind kind;
	int64_t now = clock_now_ms();

	if (!life_kind_of(bytes_of(r->kind), &kind))
		return err_set(e, ERR_SYSTEM, REASON_UNKNOWN_KIND, "a stored request has the kind %s", r->kind);
	if (!life_find(kind, r->asked ? LIFE_ASKED : LIFE_ASKING, r->state, event, &m, e) ||
	    !move_record(n, r, m, hash, now, e))
		return false;
	struct query *q = store_query(n->store, QUERY_request_state);
	query_bind_bytes(q, 1, bytes_from(r->id.at, ID_BYTES));
	query_bind_text(q, 2, life_state_code(m->to));
	query_bind_int(q, 3, now);
	bool ok = query_run(q, e);
	query_end(q);
	if (ok) {
		r->state = m->to;
		r->updated = now;
	}
	return ok;
}

/* --- what each kind does ------------------------------------------------------------------------- */

static bool body_id(const struct statement *s, const char *member, struct id *ret)
{
	return id_parse(json_bytes(s->body, member), ret);
}

bool effect_request_of(const struct statement *s, struct id *ret)
{
	enum life_kind kind;

	if (life_kind_of(bytes_of(s->kind->name), &kind)) {
		*ret = s->id;
		return true;
	}
	return body_id(s, "request", ret);
}

static bool clocks(struct node *n, const struct request_row *r, int64_t hold_until, int64_t order_expires, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_request_clocks);

	query_bind_bytes(q, 1, bytes_from(r->id.at, ID_BYTES));
	query_bind_int(q, 2, hold_until);
	query_bind_int(q, 3, order_expires);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool hold_on(struct node *n, struct request_row *p, int64_t since_ms, const uint8_t *hash, struct err *e)
{
	/* A receipt may come after the hold has ended here; what counts is when the other side had the request. */
	bool late = p->state == LIFE_LAPSED && !p->asked && since_ms < p->hold_until;

	if (p->state != LIFE_PRESERVED && !late)
		return true; /* nothing runs out there yet, or any more */
	return node_move(n, p, EVENT_FOLLOW_UP, hash, e) && clocks(n, p, 0, p->order_expires, e);
}

/* A stored-data request stops the clock of the preservation that it follows (42(8)). */
static bool follow_up(struct node *n, const struct statement *s, const struct id *preservation, bool own, struct err *e)
{
	struct request_row p;

	if (!node_request(n, preservation, &p, e))
		return err_note(e, "the preservation that this request follows");
	if (p.asked == own || !bytes_is(bytes_of(p.peer), own ? s->to : s->from))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "that preservation is not between these two parties");
	return own || hold_on(n, &p, clock_now_ms(), s->hash, e);
}

bool effect_delivered(struct node *n, const struct request_row *r, int64_t since_ms, struct err *e)
{
	struct request_row p;

	if (r->asked || !r->has_preservation || !life_state_is_open(r->state))
		return true;
	return node_request(n, &r->preservation, &p, e) && hold_on(n, &p, since_ms, r->hash, e);
}

static bool request_begins(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct request_row r = { .id = s->id, .asked = !own };
	struct query *q = store_query(n->store, QUERY_request_add);
	struct id preservation;
	bool linked = body_id(s, "preservation", &preservation);

	snprintf(r.kind, sizeof(r.kind), "%s", s->kind->name);
	query_bind_bytes(q, 1, bytes_from(s->id.at, ID_BYTES));
	query_bind_text(q, 2, s->kind->name);
	query_bind_text(q, 3, own ? s->to : s->from);
	query_bind_text(q, 4, s->case_ref);
	query_bind_int(q, 5, own ? 0 : 1);
	query_bind_text(q, 6, life_state_code(LIFE_NONE));
	query_bind_bytes(q, 7, bytes_from(s->hash, SHA256_BYTES));
	if (linked)
		query_bind_bytes(q, 8, bytes_from(preservation.at, ID_BYTES));
	else
		query_bind_null(q, 8);
	query_bind_int(q, 9, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	if (!own)
		n->duty_changed = true;
	/* On the asking side the hold is believed once the other side has the follow-up: effect_delivered. */
	return ok && node_move(n, &r, own ? EVENT_SENT : EVENT_ARRIVED, s->hash, e) &&
	       (!linked || follow_up(n, s, &preservation, own, e));
}

/* The request that an act is about, and that it may come from this side. */
static bool request_for(struct node *n, const struct statement *s, bool own, bool from_asked, struct request_row *r,
			struct err *e)
{
	struct id id;

	if (!body_id(s, "request", &id))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "it names no request");
	if (!node_request(n, &id, r, e))
		return false;
	if (r->erased > 0)
		return err_set(e, ERR_REJECTED, REASON_ERASED, "the request that this is about was erased here");
	if (!bytes_is(bytes_of(r->peer), own ? s->to : s->from) || r->asked != (own == from_asked))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "%s has no such part in that request", s->from);
	return true;
}

static bool acknowledged(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct request_row r;

	if (!request_for(n, s, own, true, &r, e) || !node_move(n, &r, EVENT_ACKNOWLEDGEMENT, s->hash, e))
		return false;
	struct query *q = store_query(n->store, QUERY_request_acknowledged);
	query_bind_bytes(q, 1, bytes_from(r.id.at, ID_BYTES));
	query_bind_text(q, 2, json_text(s->body, "officer"));
	query_bind_int(q, 3, s->time);
	bool ok = query_run(q, e);
	query_end(q);
	n->duty_changed = true;
	return ok;
}

/* Is another request that follows the same preservation still open? */
static bool others_follow(struct node *n, const struct request_row *r, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_request_followed_open);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(r->preservation.at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(r->id.at, ID_BYTES));
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

/* The last follow-up is decided: the preservation needs no longer be held (42(8)). */
static bool preservation_ends(struct node *n, const struct request_row *r, const uint8_t *hash, struct err *e)
{
	struct request_row p;
	bool others;

	if (!r->has_preservation)
		return true;
	if (!others_follow(n, r, &others, e) || !node_request(n, &r->preservation, &p, e))
		return false;
	return others || p.state != LIFE_HELD || node_move(n, &p, EVENT_FOLLOW_UP_DECIDED, hash, e);
}

bool effect_rejected(struct node *n, const struct request_row *r, const uint8_t hash[static SHA256_BYTES], struct err *e)
{
	return preservation_ends(n, r, hash, e);
}

static bool answered(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct bytes outcome = json_bytes(s->body, "outcome");
	bool withdrawn = bytes_is(outcome, "withdrawn");
	struct request_row r;
	enum life_event event;

	if (!request_for(n, s, own, !withdrawn, &r, e))
		return false;
	if (!life_event_of_outcome(outcome, &event))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "no answer is called \"%.*s\"", (int)outcome.len,
			       (const char *)outcome.at);
	if (!node_move(n, &r, event, s->hash, e))
		return false;
	int64_t hold;
	if (event == EVENT_ACCEPTED && time_parse(json_bytes(s->body, "hold_until"), &hold) &&
	    !clocks(n, &r, hold, r.order_expires, e))
		return false;
	return life_state_is_open(r.state) || preservation_ends(n, &r, s->hash, e);
}

static bool ordered(struct node *n, const struct statement *s, bool own, struct err *e)
{
	bool preserve = bytes_is(json_bytes(s->body, "measure"), "preserve");
	struct request_row r;
	int64_t expires = 0;

	if (!request_for(n, s, own, true, &r, e) ||
	    !node_move(n, &r, preserve ? EVENT_ORDER_PRESERVE : EVENT_ORDER_DISCLOSE, s->hash, e))
		return false;
	if (!preserve)
		return true;
	/* Two clocks (treaty.md 3.2): the order ends and is renewed (25(2)); the hold lasts at least 60 days
	 * from the first order, and until the follow-up is decided (42(8)). */
	if (!time_parse(json_bytes(s->body, "expires"), &expires))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the order has no end (25(2))");
	int64_t hold = r.hold_until, least = s->time + treaty_constant(n->treaty, "hold_days_min") * DAY_MS;
	if (r.order_expires == 0 && r.state == LIFE_PRESERVED && hold < least)
		hold = least; /* the answer may have promised more, never less */
	return clocks(n, &r, hold, expires, e);
}

static bool exhibit_row_add(struct node *n, const struct statement *s, const struct request_row *r, const struct id *exhibit,
			    struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_add);
	uint8_t sha[SHA256_BYTES], sealed[SHA256_BYTES];

	if (!hex_parse(json_bytes(s->body, "sha256"), sha, sizeof(sha)) ||
	    !hex_parse(json_bytes(s->body, "sealed_sha256"), sealed, sizeof(sealed)))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "an exhibit without digests");
	query_bind_bytes(q, 1, bytes_from(exhibit->at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(r->id.at, ID_BYTES));
	query_bind_text(q, 3, r->peer);
	query_bind_int(q, 4, 0);
	query_bind_text(q, 5, json_text(s->body, "name"));
	query_bind_int(q, 6, json_int(s->body, "size"));
	query_bind_bytes(q, 7, BYTES_ARRAY(sha));
	query_bind_int(q, 8, json_int(s->body, "sealed_size"));
	query_bind_bytes(q, 9, BYTES_ARRAY(sealed));
	query_bind_text(q, 10, "");
	query_bind_text(q, 11, "announced");
	query_bind_bytes(q, 12, bytes_from(s->hash, SHA256_BYTES));
	query_bind_int(q, 13, clock_now_ms());
	query_bind_text(q, 14, json_text(s->body, "media_type"));
	query_bind_int(q, 15, json_bool(s->body, "personal_data"));
	bool ok = query_run(q, e);
	query_end(q);
	n->fetch_changed = true;
	return ok;
}

static bool exhibit_handed_over(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct request_row r;
	struct id exhibit;

	if (!request_for(n, s, own, true, &r, e))
		return false;
	if (!body_id(s, "exhibit", &exhibit))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "an exhibit without an id");
	if (!node_move(n, &r, EVENT_EXHIBIT, s->hash, e))
		return false;
	if (!own)
		return exhibit_row_add(n, s, &r, &exhibit, e);
	struct query *q = store_query(n->store, QUERY_exhibit_statement);
	query_bind_bytes(q, 1, bytes_from(exhibit.at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(s->hash, SHA256_BYTES));
	query_bind_text(q, 3, "released");
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool confirmed(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct request_row r;

	if (!request_for(n, s, own, false, &r, e))
		return false;
	if (!bytes_is(json_bytes(s->body, "result"), "verified"))
		return true; /* told, and the exhibit may be sent again */
	return node_move(n, &r, EVENT_CONFIRMED, s->hash, e) && preservation_ends(n, &r, s->hash, e);
}

static bool custody_kept(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct query *q;
	struct id exhibit;

	/* Each party counts and chains its own events; theirs are kept as statements only. */
	if (!own)
		return true;
	if (!body_id(s, "exhibit", &exhibit))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a custody event without an exhibit");
	q = store_query(n->store, QUERY_custody_add);
	query_bind_bytes(q, 1, bytes_from(exhibit.at, ID_BYTES));
	query_bind_int(q, 2, json_int(s->body, "seq"));
	query_bind_bytes(q, 3, bytes_from(s->hash, SHA256_BYTES));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* Ours is carried out. Theirs asks us to do the same; request-show says so, and an officer decides. */
static bool erased(struct node *n, const struct statement *s, bool own, struct err *e)
{
	struct request_row r;
	struct id id;

	if (!body_id(s, "request", &id))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "it names no request");
	if (!node_request(n, &id, &r, e))
		return false;
	if (!bytes_is(bytes_of(r.peer), own ? s->to : s->from))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "%s has no part in that request", s->from);
	return !own || erase_apply(n, s, &r, e);
}

static bool noticed(struct node *n, const struct statement *s, bool own, struct err *e)
{
	return own || overdue_heard(n, s, e);
}

static bool complained(struct node *n, const struct statement *s, bool own, struct err *e)
{
	return !own || overdue_complained(n, s, e);
}

static bool history_lost(struct node *n, const struct statement *s, bool own, struct err *e)
{
	return !own || publish_act(n, s->hash, e);
}

static const struct {
	const char *kind;
	bool (*apply)(struct node *n, const struct statement *s, bool own, struct err *e);
} effects[] = {
	{ "preservation-request", request_begins }, { "stored-data-request", request_begins },
	{ "acknowledgement", acknowledged },	    { "answer", answered },
	{ "order", ordered },			    { "exhibit", exhibit_handed_over },
	{ "confirmation", confirmed },		    { "custody", custody_kept },
	{ "overdue-notice", noticed },		    { "closing", closings_said },
	{ "complaint", complained },		    { "history-lost", history_lost },
	{ "erasure", erased },
};

bool effect_apply(struct node *n, const struct statement *s, bool own, struct err *e)
{
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if (bytes_is(bytes_of(s->kind->name), effects[i].kind))
			return effects[i].apply(n, s, own, e);
	return true;
}
