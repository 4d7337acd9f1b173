/* Verbs about requests: the list, and one with all that happened. */
#include "api/api-internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/draft.h"
#include "exchange/effect.h"
#include "exchange/erase.h"
#include "exchange/exhibit.h"
#include "exchange/pending.h"
#include "safeguard/safeguard.h"

#define LIST_MAX 1000
#define GROUNDS_MAX 64

static void put_row(json_t *v, const struct request_row *r)
{
	put_id(v, "id", &r->id);
	json_put_text(v, "kind", r->kind);
	json_put_text(v, "peer", r->peer);
	json_put_text(v, "case", r->case_ref);
	json_put_bool(v, "asked", r->asked);
	json_put_text(v, "state", life_state_code(r->state));
	json_put_text(v, "words", life_state_words(r->state));
	put_hash(v, "hash", r->hash);
	put_time(v, "hold_until", r->hold_until);
	put_time(v, "order_expires", r->order_expires);
	json_put_text(v, "acknowledged_by", r->acknowledged_by);
	put_time(v, "acknowledged_at", r->acknowledged_at);
	if (r->has_preservation)
		put_id(v, "preservation", &r->preservation);
	else
		json_put_text(v, "preservation", "");
	json_put_time(v, "created", r->created);
	json_put_time(v, "updated", r->updated);
	put_time(v, "erased", r->erased);
}

bool verb_request_list(struct api_call *c, struct err *e)
{
	struct id *ids = calloc(LIST_MAX, sizeof(*ids));
	struct query *q = store_query(c->node->store, QUERY_request_list);
	json_t *list = json_array();
	size_t count = 0;
	bool found, ok;

	if (ids == NULL)
		abort();
	json_put(c->out, "requests", list);
	while ((ok = query_row(q, &found, e)) && found && count < LIST_MAX)
		if (query_bytes(q, 0).len == ID_BYTES)
			memcpy(ids[count++].at, query_bytes(q, 0).at, ID_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++) {
		struct request_row r;
		ok = node_request(c->node, &ids[i], &r, e);
		if (!ok || (json_bool(c->in, "open") && !life_state_is_open(r.state)))
			continue;
		json_t *v = json_object();
		put_row(v, &r);
		json_array_append_new(list, v);
	}
	free(ids);
	return ok;
}

/* --- one request --------------------------------------------------------------------------------------- */

static bool put_delivery(struct api_call *c, json_t *out, const uint8_t *hash, const char *peer, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_outbox_get);
	json_t *d = json_object();
	bool found, ok;

	json_put(out, "delivery", d);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		int64_t waited = clock_now_ms() - query_int(q, 2);
		bool done = query_int(q, 4) != 0;
		bool late = !done && waited > config_count(&c->node->config, undelivered_s) * 1000;
		bool waits = !done && cosigning_waits(c->node, hash, peer);
		json_put_text(d, "state", done ? "answered" : waits ? "waits for witnesses" : late ? "undelivered" : "on its way");
		json_put_time(d, "since", query_int(q, 2));
		json_put_bytes(d, "last_error", query_bytes(q, 5));
		json_put_text(d, "call", done ? "" : call_number(c->node, peer));
	}
	query_end(q);
	return ok;
}

/* logged, receipt and proof of one statement. */
static bool put_proofs(struct api_call *c, json_t *v, const uint8_t *hash, bool own, struct err *e)
{
	struct err none = { 0 };
	AUTO_BUF proof = { 0 };
	bool found = false, ok = true;

	buf_init(&proof, NOTE_BYTES_MAX);
	json_put_bool(v, "logged", node_proof(c->node, hash, &proof, &none));
	json_put_text(v, "receipt", "");
	json_put_text(v, "receipt_reason", "");
	json_put_bool(v, "proof", false);
	if (!own)
		return true;
	struct query *q = store_query(c->node->store, QUERY_receipt_get);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		json_put_bytes(v, "receipt", query_bytes(q, 1));
		json_put_bytes(v, "receipt_reason", query_bytes(q, 2));
		json_put_bool(v, "proof", query_bytes(q, 5).len > 0);
	}
	query_end(q);
	return ok;
}

struct hashes {
	size_t count;
	struct {
		uint8_t hash[SHA256_BYTES];
		bool own;
	} at[LIST_MAX];
};

/* What an answer or order says, word for word; other kinds are long, and statement-show has them. */
static bool put_answer(struct api_call *c, json_t *v, const uint8_t *hash, struct err *e)
{
	struct bytes kind = json_bytes(v, "kind");
	AUTO_ACT *a = NULL;

	if (!bytes_is(kind, "answer") && !bytes_is(kind, "order") && !bytes_is(kind, "acknowledgement"))
		return true;
	struct err why = { 0 };
	if (node_act_load(c->node, hash, &a, &why))
		json_put(v, "body", json_deep_copy(a->statement->body));
	else if (why.reason != REASON_ERASED)
		return e != NULL && (*e = why, false);
	return true;
}

static bool put_statements(struct api_call *c, json_t *out, const struct id *request, struct err *e)
{
	struct hashes *h = calloc(1, sizeof(*h));
	json_t *list = json_array();
	struct query *q = store_query(c->node->store, QUERY_statement_of_request);
	bool found, ok;

	if (h == NULL)
		abort();
	json_put(out, "statements", list);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found && h->count < LIST_MAX) {
		json_t *v = json_object();
		if (query_bytes(q, 0).len == SHA256_BYTES)
			memcpy(h->at[h->count].hash, query_bytes(q, 0).at, SHA256_BYTES);
		h->at[h->count++].own = query_int(q, 5) != 0;
		json_put_hex(v, "hash", query_bytes(q, 0));
		json_put_hex(v, "id", query_bytes(q, 1));
		json_put_bytes(v, "from", query_bytes(q, 2));
		json_put_bytes(v, "to", query_bytes(q, 3));
		json_put_bytes(v, "kind", query_bytes(q, 4));
		json_put_bool(v, "own", query_int(q, 5) != 0);
		json_put_time(v, "time", query_int(q, 6));
		json_array_append_new(list, v);
	}
	query_end(q);
	for (size_t i = 0; ok && i < h->count; i++)
		ok = put_proofs(c, json_array_get(list, i), h->at[i].hash, h->at[i].own, e) &&
		     put_answer(c, json_array_get(list, i), h->at[i].hash, e);
	free(h);
	return ok;
}

static bool put_moves(struct api_call *c, json_t *out, const struct id *request, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_request_moves);
	json_t *list = json_array();
	bool found, ok;

	json_put(out, "moves", list);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "from", query_bytes(q, 0));
		json_put_bytes(v, "event", query_bytes(q, 1));
		json_put_bytes(v, "to", query_bytes(q, 2));
		json_put_hex(v, "hash", query_bytes(q, 3));
		json_put_bytes(v, "why", query_bytes(q, 4));
		json_put_time(v, "time", query_int(q, 5));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

static bool put_pages(struct api_call *c, json_t *out, const struct id *request, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_page_of_request);
	json_t *list = json_array();
	bool found, ok;

	json_put(out, "pages", list);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "officer", query_bytes(q, 1));
		put_time(v, "sent", query_int(q, 2));
		put_time(v, "ended", query_int(q, 3));
		json_put_int(v, "exit_status", query_int(q, 4));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

/* The grounds of refusal that exist at all, for this kind, basis and offence (treaty.md 3.6). */
static void put_grounds(struct api_call *c, json_t *out, const struct statement *s, const struct request_row *r)
{
	const struct treaty_ground *grounds[GROUNDS_MAX];
	const json_t *offence = json_object_get(s->body, "offence");
	const struct party *us = register_party(c->node->reg, bytes_of(node_party(c->node)));
	size_t count = !r->asked ? 0 : treaty_grounds(c->node->treaty, bytes_of(s->legal_basis), bytes_of(r->kind),
		json_text(offence, "code")[0] != '\0', us != NULL && us->reservation_42_5, grounds, GROUNDS_MAX);
	json_t *list = json_array();

	json_put(out, "grounds", list);
	for (size_t i = 0; i < count && i < GROUNDS_MAX; i++) {
		json_t *v = json_object();
		json_put_text(v, "code", grounds[i]->code);
		json_put_text(v, "words", grounds[i]->words);
		json_put_text(v, "clause", grounds[i]->clause);
		json_put_text(v, "needs", grounds[i]->needs);
		json_put_text(v, "certainty", grounds[i]->certainty);
		json_put_bool(v, "unchecked", !certainty_is_checked(grounds[i]->certainty));
		json_array_append_new(list, v);
	}
}

/* What a person of ours types for an event; the other side's events, and those that no person makes, are not here. */
static const struct {
	enum life_event event;
	enum life_side side;
	const char *command; /* before the request's id, and behind it */
	const char *rest;
} doings[] = {
	{ EVENT_ACKNOWLEDGEMENT, LIFE_ASKED, "request acknowledge", "" },
	{ EVENT_ACCEPTED, LIFE_ASKED, "request accept", "" },
	{ EVENT_INFO, LIFE_ASKED, "request inform --reasons TEXT", "" },
	{ EVENT_POSTPONED, LIFE_ASKED, "request postpone --ground CODE --until TIME --reasons TEXT", "" },
	{ EVENT_REFUSED, LIFE_ASKED, "request refuse --ground CODE --reasons TEXT", "" },
	{ EVENT_UNABLE, LIFE_ASKED, "request unable --reasons TEXT", "" },
	{ EVENT_REDIRECTED, LIFE_ASKED, "request redirect --reasons TEXT", "" },
	{ EVENT_ORDER_PRESERVE, LIFE_ASKED, "request order -m preserve", "" },
	{ EVENT_ORDER_DISCLOSE, LIFE_ASKED, "request order -m disclose", "" },
	{ EVENT_EXHIBIT, LIFE_ASKED, "evidence add", " PATH..., then comity evidence release with the same id" },
	{ EVENT_WITHDRAWN, LIFE_ASKING, "request withdraw", "" },
	{ EVENT_FOLLOW_UP, LIFE_ASKING, "request draft --kind stored-data-request --ref", " --to PARTY --case REF" },
};

static const char *doing_of(const struct request_row *r, const char *id, enum life_event event, char command[static 200])
{
	for (size_t i = 0; i < sizeof(doings) / sizeof(doings[0]); i++) {
		if (doings[i].event != event || doings[i].side != (r->asked ? LIFE_ASKED : LIFE_ASKING))
			continue;
		snprintf(command, 200, "comity %s %s%s", doings[i].command, id, doings[i].rest);
		return command;
	}
	return "";
}

/* The other party has erased its side and asks us to: nothing happens by itself. */
static bool put_asked(struct api_call *c, json_t *list, const struct request_row *r, struct err *e)
{
	char id[ID_TEXT_LEN + 1], command[200], why[120];
	int64_t since;

	if (r->erased > 0)
		return true;
	if (!erase_asked(c->node, &r->id, &since, e))
		return false;
	if (since == 0)
		return true;
	id_write(&r->id, id);
	snprintf(command, sizeof(command), "comity request erase %s --reason TEXT", id);
	snprintf(why, sizeof(why), "%s erased its side of this request and asks us to erase ours", r->peer);
	json_t *v = json_object();
	json_put_text(v, "event", "erasure");
	json_put_text(v, "command", command);
	json_put_text(v, "why", why);
	json_array_append_new(list, v);
	return true;
}

/* pending: the full proof of the request is not here, so that nothing is disclosed yet (pending_allows). */
static void put_moves_next(json_t *list, const struct request_row *r, bool pending)
{
	char id[ID_TEXT_LEN + 1], command[200];
	enum life_kind kind;

	if (!life_kind_of(bytes_of(r->kind), &kind))
		return;
	id_write(&r->id, id);
	for (size_t i = 0; i < life_count(); i++) {
		const struct life_move *m = life_at(i);
		if ((m->kind & kind) == 0 || (m->side & (r->asked ? LIFE_ASKED : LIFE_ASKING)) == 0 || m->from != r->state)
			continue;
		json_t *v = json_object();
		bool waits = pending && (m->event == EVENT_ORDER_DISCLOSE || m->event == EVENT_EXHIBIT);
		json_put_text(v, "event", life_event_code(m->event));
		json_put_text(v, "command", waits ? "" : doing_of(r, id, m->event, command));
		json_put_text(v, "why", waits ? "not before the full proof of the request is here (proof-pending)" : m->why);
		json_array_append_new(list, v);
	}
}

static bool put_next(struct api_call *c, const struct request_row *r, bool pending, struct err *e)
{
	json_t *list = json_array();

	json_put(c->out, "next", list);
	if (r->erased == 0)
		put_moves_next(list, r, pending);
	return put_asked(c, list, r, e);
}

static void put_screening(struct api_call *c, json_t *out, const struct act *a)
{
	struct safeguard_facts f = { .s = a->statement, .t = c->node->treaty, .r = c->node->reg, .our_party = node_party(c->node),
				     .our_exercise = node_exercise(c->node), .now_ms = clock_now_ms(), .approvals = a->approvals,
				     .approval_count = a->approval_count };
	struct findings *found = calloc(1, sizeof(*found));

	if (found == NULL)
		abort();
	findings_init(found);
	safeguard_check(SAFEGUARD_RECEIPT, &f, found);
	put_findings(out, found);
	free(found);
}

static bool put_exhibits(struct api_call *c, json_t *out, const struct id *request, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_exhibit_of_request);
	struct id *ids = calloc(LIST_MAX, sizeof(*ids));
	json_t *list = json_array();
	size_t count = 0;
	bool found, ok;

	if (ids == NULL)
		abort();
	json_put(out, "exhibits", list);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found && count < LIST_MAX)
		if (query_bytes(q, 0).len == ID_BYTES)
			memcpy(ids[count++].at, query_bytes(q, 0).at, ID_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++) {
		struct exhibit_row x;
		ok = exhibit_get(c->node, &ids[i], &x, e);
		if (!ok)
			break;
		json_t *v = json_object();
		put_id(v, "id", &x.id);
		json_put_text(v, "name", x.name);
		json_put_text(v, "media_type", x.media);
		json_put_bool(v, "personal_data", x.personal);
		json_put_int(v, "size", (int64_t)x.size);
		put_hash(v, "sha256", x.sha256);
		json_put_text(v, "state", x.state);
		json_put_bool(v, "own", x.own);
		json_put_int(v, "fetched", (int64_t)x.fetched);
		json_put_int(v, "sealed_size", (int64_t)x.sealed_size);
		json_array_append_new(list, v);
	}
	free(ids);
	return ok;
}

/* What its own statement says, and what follows from that. */
static void put_said(struct api_call *c, const struct request_row *r, const struct act *a)
{
	put_statement_text(c, c->out, a->statement);
	json_put_text(c->out, "legal_basis", a->statement->legal_basis);
	json_put_bool(c->out, "exercise", a->statement->exercise);
	put_grounds(c, c->out, a->statement, r);
	put_screening(c, c->out, a);
}

bool verb_request_show(struct api_call *c, struct err *e)
{
	struct request_row r;
	struct id id;
	AUTO_ACT *a = NULL;
	int64_t due;
	bool pending;

	if (!in_id(c, "id", &id, e) || !node_request(c->node, &id, &r, e) || !pending_request(c->node, &r, &pending, &due, e))
		return false;
	if (r.erased == 0 && !node_act_load(c->node, r.hash, &a, e))
		return false;
	json_put_bool(c->out, "proof_pending", pending);
	put_time(c->out, "proof_due", due);
	put_row(c->out, &r);
	if (a != NULL)
		put_said(c, &r, a);
	else
		json_put_text(c->out, "text", "This request was erased here. Its leaves in the log, its hashes and the erasure are what is left.\n");
	if (!put_next(c, &r, pending, e))
		return false;
	json_put_text(c->out, "call", call_number(c->node, r.peer));
	return put_delivery(c, c->out, r.hash, r.peer, e) && put_moves(c, c->out, &id, e) && put_pages(c, c->out, &id, e) &&
	       put_statements(c, c->out, &id, e) && put_exhibits(c, c->out, &id, e);
}

bool verb_exhibit_list(struct api_call *c, struct err *e)
{
	struct request_row r;
	struct id id;

	return in_id(c, "request", &id, e) && node_request(c->node, &id, &r, e) && put_exhibits(c, c->out, &id, e);
}

bool verb_exhibit_release_body(struct api_call *c, struct err *e)
{
	json_t *body, *refs;
	struct request_row r;
	struct id id;
	AUTO_ACT *a = NULL;

	if (!in_id(c, "exhibit", &id, e) || !exhibit_release_body(c->node, &id, &body, &refs, &r, e))
		return false;
	json_put(c->out, "body", body);
	json_put(c->out, "refs", refs);
	put_id(c->out, "request", &r.id);
	json_put_text(c->out, "to", r.peer);
	json_put_text(c->out, "case", r.case_ref);
	if (!node_act_load(c->node, r.hash, &a, e))
		return false;
	json_put_text(c->out, "legal_basis", a->statement->legal_basis);
	return true;
}
