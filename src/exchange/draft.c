/* From draft to act. The same checks run when it is drafted (told), and again when it is sent (they stop);
 * what is done about a request is checked as execution. The signer checks the approvals once more by
 * itself: nothing here can make it sign. */
#include "exchange/draft.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/effect.h"
#include "exchange/erase.h"
#include "exchange/pending.h"
#include "register/judge.h"

bool draft_get(struct node *n, const struct id *id, struct draft_row *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_draft_get);
	bool found, ok;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->payload, STATEMENT_BYTES_MAX);
	query_bind_bytes(q, 1, bytes_from(id->at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok && !found)
		ok = err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no such draft");
	if (ok) {
		ret->id = *id;
		bytes_text(query_bytes(q, 0), ret->kind, sizeof(ret->kind));
		bytes_text(query_bytes(q, 1), ret->to, sizeof(ret->to));
		bytes_text(query_bytes(q, 2), ret->case_ref, sizeof(ret->case_ref));
		ret->has_request = query_bytes(q, 3).len == ID_BYTES;
		if (ret->has_request)
			memcpy(ret->request.at, query_bytes(q, 3).at, ID_BYTES);
		bytes_text(query_bytes(q, 4), ret->officer, sizeof(ret->officer));
		buf_add(&ret->payload, query_bytes(q, 5));
		if (query_bytes(q, 6).len == SHA256_BYTES)
			memcpy(ret->hash, query_bytes(q, 6).at, SHA256_BYTES);
		ret->created = query_int(q, 7);
	}
	query_end(q);
	return ok;
}

void draft_release(struct draft_row *d)
{
	buf_wipe(&d->payload);
}

static bool may_draft(const struct kind *k, struct bytes name, struct err *e)
{
	return (k != NULL && k->approvals != 0 && k->to != TO_SELF) ||
	       err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "\"%.*s\" is nothing that an officer drafts",
		       (int)(name.len < 64 ? name.len : 64), (const char *)name.at);
}

/* An erasure names no case, and the node knows best what it destroys and by when. */
static bool fill_erasure(struct node *n, const struct draft_new *d, struct own_statement *s, struct err *e)
{
	struct request_row r;
	struct id id;

	if (!bytes_is(bytes_of(s->kind), "erasure"))
		return true;
	if (d->request == NULL || !id_parse(json_bytes(s->body, "request"), &id) || !id_equal(&id, d->request))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "an erasure is of one request, which its body names");
	s->case_ref = "";
	return node_request(n, &id, &r, e) && erase_allowed(n, &r, e) && erase_fill(n, &id, s->body, e);
}

bool draft_new(struct node *n, const struct draft_new *d, struct id *ret_id, struct err *e)
{
	AUTO_JSON *body = json_deep_copy(d->body);
	struct own_statement s = { .kind = d->kind, .to = d->to, .case_ref = d->case_ref, .legal_basis = d->legal_basis,
				   .via = "comity", .body = body, .refs = d->refs, .ref_count = d->ref_count };
	const struct kind *k = kind_find(bytes_of(d->kind));
	AUTO_STATEMENT *st = NULL;
	struct id id;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	if (!may_draft(k, bytes_of(d->kind), e))
		return false;
	if (bytes_is(bytes_of(d->to), node_party(n)))
		return err_set(e, ERR_INPUT, REASON_WRONG_PARTY, "%s is this party itself", d->to);
	if (!fill_erasure(n, d, &s, e) || !node_payload(n, &s, &id, &payload, e) || !statement_parse(statement_type(k), buf_bytes(&payload), &st, e))
		return false;
	struct query *q = store_query(n->store, QUERY_draft_add);
	query_bind_bytes(q, 1, bytes_from(id.at, ID_BYTES));
	query_bind_text(q, 2, d->kind);
	query_bind_text(q, 3, d->to);
	query_bind_text(q, 4, s.case_ref);
	if (d->request != NULL)
		query_bind_bytes(q, 5, bytes_from(d->request->at, ID_BYTES));
	else
		query_bind_null(q, 5);
	query_bind_text(q, 6, d->officer);
	query_bind_bytes(q, 7, buf_bytes(&payload));
	query_bind_bytes(q, 8, bytes_from(st->hash, SHA256_BYTES));
	query_bind_int(q, 9, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	*ret_id = id;
	return ok;
}

/* --- checking ------------------------------------------------------------------------------------------ */

static bool load_approvals(struct node *n, const struct draft_row *d, struct buf *envelopes, size_t *ret_count, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_draft_approvals);
	size_t count = 0;
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(d->id.at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found && count < ACT_APPROVALS_MAX) {
		buf_init(&envelopes[count], ENVELOPE_BYTES_MAX);
		buf_add(&envelopes[count++], query_bytes(q, 2));
	}
	query_end(q);
	*ret_count = count;
	return ok;
}

/* The request and the disclosure order that a draft is about, as far as there are any. */
static bool load_about(struct node *n, const struct statement *s, struct act **request, struct act **order, struct err *e)
{
	struct request_row r;
	struct id id;
	uint8_t hash[SHA256_BYTES];

	if (effect_request_of(s, &id) && !id_equal(&id, &s->id)) {
		if (!node_request(n, &id, &r, e) || !node_act_load(n, r.hash, request, e))
			return false;
	}
	struct err none = { 0 };
	if (hex_parse(json_bytes(s->body, "order"), hash, sizeof(hash)) && !node_act_load(n, hash, order, &none))
		*order = NULL;
	return true;
}

/* The one place where safeguards look at what is drafted or sent. */
static bool check(struct node *n, const struct statement *st, enum safeguard_step step, const struct bytes *approvals,
		  size_t count, struct findings *f, struct approval *parsed, struct err *e)
{
	AUTO_ACT *request = NULL, *order = NULL;
	enum life_kind life;

	for (size_t i = 0; i < count; i++)
		if (!approval_parse(approvals[i], &parsed[i], e))
			return false;
	if (!load_about(n, st, &request, &order, e))
		return false;
	struct safeguard_facts facts = { .s = st, .t = n->treaty, .r = n->reg, .our_party = node_party(n),
		.our_exercise = node_exercise(n), .now_ms = clock_now_ms(), .approvals = parsed, .approval_count = count,
		.request = request != NULL ? request->statement : NULL, .order = order != NULL ? order->statement : NULL };
	/* Sending and executing include the kind's own check; what is done about a request is execution. */
	bool request_kind = life_kind_of(bytes_of(st->kind->name), &life);
	if (request_kind && step == SAFEGUARD_DRAFT)
		statement_check(st, n->treaty, f);
	if (request_kind || step == SAFEGUARD_SEND)
		safeguard_check(step, &facts, f);
	if (!request_kind)
		safeguard_check(SAFEGUARD_EXECUTION, &facts, f);
	return true;
}

static struct approval *approvals_new(void)
{
	struct approval *parsed = calloc(ACT_APPROVALS_MAX, sizeof(*parsed));

	if (parsed == NULL)
		abort();
	return parsed;
}

static void approvals_free(struct approval *parsed)
{
	for (size_t i = 0; i < ACT_APPROVALS_MAX; i++)
		approval_release(&parsed[i]);
	free(parsed);
}

bool draft_check(struct node *n, const struct draft_row *d, enum safeguard_step step, struct findings *f, struct err *e)
{
	const struct kind *k = kind_find(bytes_of(d->kind));
	struct buf envelopes[ACT_APPROVALS_MAX];
	struct bytes approvals[ACT_APPROVALS_MAX] = { 0 };
	struct approval *parsed = approvals_new();
	AUTO_STATEMENT *st = NULL;
	size_t count = 0;

	findings_init(f);
	bool ok = may_draft(k, bytes_of(d->kind), e) && statement_parse(statement_type(k), buf_bytes(&d->payload), &st, e) &&
		  load_approvals(n, d, envelopes, &count, e);
	for (size_t i = 0; i < count; i++)
		approvals[i] = buf_bytes(&envelopes[i]);
	ok = ok && check(n, st, step, approvals, count, f, parsed, e);
	for (size_t i = 0; i < count; i++)
		buf_release(&envelopes[i]);
	approvals_free(parsed);
	return ok;
}

/* --- approving ----------------------------------------------------------------------------------------- */

static unsigned needed_of(const struct draft_row *d)
{
	const struct kind *k = kind_find(bytes_of(d->kind));
	struct statement *st;
	unsigned needed = 0;

	if (k != NULL && statement_parse(statement_type(k), buf_bytes(&d->payload), &st, NULL)) {
		needed = kind_approvals(k, st->body);
		statement_free(st);
	}
	return needed;
}

bool draft_approvals(struct node *n, const struct draft_row *d, unsigned *ret_needed, unsigned *ret_there,
		     bool (*each)(void *ctx, struct bytes approver, struct bytes role), void *ctx, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_draft_approvals);
	unsigned there = 0;
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(d->id.at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found) {
		enum approval_role role;
		if (approval_role_find(query_bytes(q, 1), &role))
			there |= 1u << role;
		if (each != NULL && !each(ctx, query_bytes(q, 0), query_bytes(q, 1)))
			break;
	}
	query_end(q);
	*ret_there = there;
	*ret_needed = needed_of(d);
	return ok;
}

/* Our own people: of our entry in the register, or of HOME/approvers while there is none. */
static const struct register_approver *own_approver(struct node *n, struct bytes name)
{
	const struct party *p = register_party(n->reg, bytes_of(node_party(n)));

	if (p != NULL)
		return party_approver(p, name);
	for (size_t i = 0; i < n->approvers->count; i++)
		if (bytes_is(name, n->approvers->at[i].name))
			return &n->approvers->at[i];
	return NULL;
}

static bool approved_before(struct node *n, const struct draft_row *d, const struct approval *a, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_draft_approvals);
	bool found, ok;

	*ret = false;
	query_bind_bytes(q, 1, bytes_from(d->id.at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found)
		if (bytes_is(query_bytes(q, 0), a->approver) && bytes_is(query_bytes(q, 1), approval_role_code(a->role)))
			*ret = true;
	query_end(q);
	return ok;
}

bool draft_approve(struct node *n, const struct draft_row *d, struct bytes envelope, struct err *e)
{
	AUTO_APPROVAL a = { 0 };
	const struct register_approver *who;

	if (!approval_parse(envelope, &a, e))
		return false;
	if (memcmp(a.hash, d->hash, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_APPROVAL, "the approval is of another statement");
	who = own_approver(n, bytes_of(a.approver));
	if (who == NULL || (who->roles & (1u << a.role)) == 0)
		return err_set(e, ERR_FORBIDDEN, REASON_BAD_APPROVAL, "%s may not sign as %s here", a.approver, approval_role_code(a.role));
	if (!envelope_signed_by(&a.envelope, who->key))
		return err_set(e, ERR_FORBIDDEN, REASON_BAD_APPROVAL, "this is not the key of %s", a.approver);
	if (a.role == APPROVAL_REVIEWER && bytes_is(bytes_of(a.approver), d->officer))
		return err_set(e, ERR_FORBIDDEN, REASON_BAD_APPROVAL, "%s drafted it and may not screen it too (6, 24)", a.approver);
	/* Said twice is said once: the answer to the first may have been lost. */
	bool again;
	if (!approved_before(n, d, &a, &again, e))
		return false;
	if (again)
		return true;
	struct query *q = store_query(n->store, QUERY_draft_approval_add);
	query_bind_bytes(q, 1, bytes_from(d->id.at, ID_BYTES));
	query_bind_text(q, 2, a.approver);
	query_bind_text(q, 3, approval_role_code(a.role));
	query_bind_bytes(q, 4, envelope);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* --- sending ------------------------------------------------------------------------------------------- */

/* A REVIEW finding is satisfied when the rights reviewer has approved with a note; a STOP never is. */
static bool review_done(const struct approval *parsed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parsed[i].role == APPROVAL_REVIEWER && parsed[i].note[0] != '\0')
			return true;
	return false;
}

static bool may_send(const struct findings *f, const struct approval *parsed, size_t count, struct err *e)
{
	if (!findings_pass(f, e))
		return false;
	for (size_t i = 0; f->reviews && i < f->count; i++)
		if (f->at[i].severity == FINDING_REVIEW && !review_done(parsed, count))
			return err_set(e, ERR_REJECTED, REASON_RIGHTS_REVIEW, "stopped for review by the rights reviewer, who must leave a note: %s (%s)",
				       f->at[i].text, f->at[i].clause);
	return true;
}

/* The disclosure order that allows an exhibit, for the signer. */
static bool load_support(struct node *n, const struct statement *s, struct buf *support, struct err *e)
{
	uint8_t hash[SHA256_BYTES];

	if (!bytes_is(bytes_of(s->kind->name), "exhibit"))
		return true;
	if (!hex_parse(json_bytes(s->body, "order"), hash, sizeof(hash)))
		return err_set(e, ERR_REJECTED, REASON_NO_DISCLOSURE_ORDER, "the exhibit names no disclosure order (24(2))");
	return node_act_json(n, hash, support, e);
}

/* One statement on its way out, with what its item only points to. */
struct outgoing {
	struct statement *st;
	struct id request;
	struct buf support;
	struct bytes support_bytes;
};

static bool safeguards_pass(struct node *n, const struct statement *st, const struct act_item *item, struct err *e)
{
	struct approval *parsed = approvals_new();
	struct findings *f = calloc(1, sizeof(*f));
	bool ok = item->approval_count <= ACT_APPROVALS_MAX ||
		  err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u approvals", ACT_APPROVALS_MAX);

	if (f == NULL)
		abort();
	findings_init(f);
	ok = ok && check(n, st, SAFEGUARD_SEND, item->approvals, item->approval_count, f, parsed, e) &&
	     may_send(f, parsed, item->approval_count, e);
	approvals_free(parsed);
	free(f);
	return ok;
}

/* Everything but the signature: the item is then ready for node_acts. */
static bool prepare(struct node *n, struct act_item *item, struct outgoing *o, struct err *e)
{
	const struct kind *k = kind_find(item->kind);

	if (!may_draft(k, item->kind, e) || !statement_parse(statement_type(k), item->payload, &o->st, e))
		return false;
	if (k->to == TO_PEER && register_party(n->reg, bytes_of(o->st->to)) == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_BAD_REGISTER, "%s is not in our register: nobody knows where to send this", o->st->to);
	if (!pending_allows(n, o->st, e) || !safeguards_pass(n, o->st, item, e) || !load_support(n, o->st, &o->support, e))
		return false;
	if (effect_request_of(o->st, &o->request))
		item->request = &o->request;
	o->support_bytes = buf_bytes(&o->support);
	item->support = &o->support_bytes;
	item->support_count = o->support.len > 0 ? 1 : 0;
	item->parsed = o->st;
	return true;
}

/* Who asks again because no answer came gets the answer that was lost. */
static bool sent_before(struct node *n, const struct statement *st, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_statement_by_hash);
	bool found = false;

	query_bind_bytes(q, 1, bytes_from(st->hash, SHA256_BYTES));
	found = query_row(q, &found, e) && found && query_int(q, 4) != 0;
	query_end(q);
	return found;
}

bool draft_send_all(struct node *n, struct act_item *items, size_t count, struct err *e)
{
	struct outgoing *out = calloc(LETTER_BATCH_MAX, sizeof(*out));
	struct act_item *ready = calloc(LETTER_BATCH_MAX, sizeof(*ready));
	size_t places[LETTER_BATCH_MAX], n_ready = 0;
	bool ok = !n->locked || err_set(e, ERR_CONFLICT, REASON_LOCKED, "%s", n->locked_why);

	if (out == NULL || ready == NULL)
		abort();
	if (ok && count > LETTER_BATCH_MAX)
		ok = err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u statements at once", LETTER_BATCH_MAX);
	for (size_t i = 0; ok && i < count; i++) {
		buf_init(&out[i].support, LETTER_BYTES_MAX);
		ready[n_ready] = items[i];
		items[i].ok = prepare(n, &ready[n_ready], &out[i], &items[i].e);
		if (items[i].ok)
			places[n_ready++] = i;
	}
	ok = ok && (n_ready == 0 || node_acts(n, ready, n_ready, e));
	for (size_t j = 0; ok && j < n_ready; j++) {
		struct act_item *item = &items[places[j]];
		item->ok = ready[j].ok;
		item->e = ready[j].e;
		if (!item->ok && item->e.kind == ERR_CONFLICT && sent_before(n, out[places[j]].st, &item->e))
			item->ok = true;
		memcpy(item->hash, out[places[j]].st->hash, SHA256_BYTES);
		n->outbox_changed |= item->ok;
	}
	for (size_t i = 0; i < LETTER_BATCH_MAX; i++) {
		statement_free(out[i].st);
		buf_release(&out[i].support);
	}
	free(out);
	free(ready);
	return ok;
}

bool draft_send(struct node *n, const struct draft_row *d, uint8_t ret_hash[static 32], struct err *e)
{
	struct buf envelopes[ACT_APPROVALS_MAX];
	struct bytes approvals[ACT_APPROVALS_MAX] = { 0 };
	struct act_item item = { .kind = bytes_of(d->kind), .payload = buf_bytes(&d->payload), .approvals = approvals };
	bool ok = load_approvals(n, d, envelopes, &item.approval_count, e);

	for (size_t i = 0; i < item.approval_count; i++)
		approvals[i] = buf_bytes(&envelopes[i]);
	ok = ok && draft_send_all(n, &item, 1, e);
	if (ok && !item.ok) {
		ok = false;
		if (e != NULL)
			*e = item.e;
	}
	for (size_t i = 0; i < item.approval_count; i++)
		buf_release(&envelopes[i]);
	if (ok)
		memcpy(ret_hash, item.hash, SHA256_BYTES);
	return ok && draft_drop(n, &d->id, e);
}

bool draft_drop(struct node *n, const struct id *id, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_draft_drop);

	query_bind_bytes(q, 1, bytes_from(id->at, ID_BYTES));
	bool ok = query_run(q, e);
	query_end(q);
	if (ok && store_changes(n->store) == 0)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no such draft");
	return ok;
}
