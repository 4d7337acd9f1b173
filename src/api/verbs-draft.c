/* Verbs about drafts. */
#include "api/api-internal.h"

#include "base/limits.h"
#include "exchange/draft.h"
#include "exchange/overdue.h"
#include "exchange/retire.h"

static struct findings *findings_new(void)
{
	struct findings *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	findings_init(f);
	return f;
}

/* hash, type, payload: what exactly an approver signs over. */
static bool put_draft(struct api_call *c, const struct draft_row *d, struct err *e)
{
	const struct kind *k = kind_find(bytes_of(d->kind));

	if (k == NULL)
		return err_set(e, ERR_SYSTEM, REASON_UNKNOWN_KIND, "a stored draft has the kind %s", d->kind);
	put_id(c->out, "draft", &d->id);
	put_hash(c->out, "hash", d->hash);
	json_put_bytes(c->out, "type", statement_type(k));
	put_base64(c->out, "payload", buf_bytes(&d->payload));
	return true;
}

static bool put_check(struct api_call *c, const struct draft_row *d, enum safeguard_step step, struct err *e)
{
	struct findings *f = findings_new();
	bool ok = draft_check(c->node, d, step, f, e);

	if (ok)
		put_findings(c->out, f);
	free(f);
	return ok;
}

static bool read_refs(const struct api_call *c, struct statement_ref *refs, size_t *ret_count, struct err *e)
{
	const json_t *list = json_object_get(c->in, "refs");
	size_t count = json_array_size(list);

	if (count > STATEMENT_REFS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u refs", STATEMENT_REFS_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(list, i);
		if (!id_parse(json_bytes(v, "id"), &refs[i].id) || !json_must_hex(v, "hash", refs[i].hash, SHA256_BYTES, e))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "refs[%zu] needs id and hash", i);
	}
	*ret_count = count;
	return true;
}

/* What belongs to a request always refers to it. */
static bool request_ref(struct api_call *c, const struct id *request, struct statement_ref *refs, size_t *count, struct err *e)
{
	struct request_row r;

	if (!node_request(c->node, request, &r, e))
		return false;
	for (size_t i = 0; i < *count; i++)
		if (memcmp(refs[i].hash, r.hash, SHA256_BYTES) == 0)
			return true;
	if (*count == STATEMENT_REFS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u refs", STATEMENT_REFS_MAX);
	refs[*count].id = r.id;
	memcpy(refs[(*count)++].hash, r.hash, SHA256_BYTES);
	return true;
}

/* A draft that was just made. */
static bool put_new(struct api_call *c, const struct id *id, struct err *e)
{
	struct draft_row row = { 0 };
	unsigned needed = 0, there;
	bool ok = draft_get(c->node, id, &row, e) && put_draft(c, &row, e) && put_check(c, &row, SAFEGUARD_DRAFT, e) &&
		  draft_approvals(c->node, &row, &needed, &there, NULL, NULL, e);

	put_roles(c->out, "approvals", ok ? needed : 0);
	draft_release(&row);
	return ok;
}

bool verb_draft_new(struct api_call *c, struct err *e)
{
	struct statement_ref refs[STATEMENT_REFS_MAX];
	struct draft_new d = { .kind = json_text(c->in, "kind"), .to = json_text(c->in, "to"), .case_ref = json_text(c->in, "case"),
			       .legal_basis = json_text(c->in, "legal_basis"), .officer = json_text(c->in, "officer"), .refs = refs };
	json_t *body = json_object_get(c->in, "body");
	struct id request, id;

	if (!json_is_object(body))
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a draft needs a body");
	if (!read_refs(c, refs, &d.ref_count, e))
		return false;
	if (json_text(c->in, "request")[0] != '\0') {
		if (!in_id(c, "request", &request, e) || !request_ref(c, &request, refs, &d.ref_count, e))
			return false;
		d.request = &request;
	}
	d.body = json_copy(body);
	json_object_del(d.body, "_help");
	bool ok = draft_new(c->node, &d, &id, e) && put_new(c, &id, e);
	json_decref(d.body);
	return ok;
}

bool verb_history_draft(struct api_call *c, struct err *e)
{
	struct bytes officer, text;
	struct id id;

	return in_text(c, "officer", &officer, e) && in_text(c, "text", &text, e) &&
	       retire_draft(c->node, json_text(c->in, "officer"), json_text(c->in, "text"), &id, e) && put_new(c, &id, e);
}

bool verb_complaint_draft(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	struct bytes officer;
	struct id id;

	return in_hash(c, "hash", hash, e) && in_text(c, "officer", &officer, e) &&
	       overdue_complaint(c->node, hash, json_text(c->in, "officer"), &id, e) && put_new(c, &id, e);
}

static bool add_approver(void *ctx, struct bytes approver, struct bytes role)
{
	json_t *v = json_object();

	json_put_bytes(v, "approver", approver);
	json_put_bytes(v, "role", role);
	json_array_append_new(ctx, v);
	return true;
}

static bool put_approvals(struct api_call *c, const struct draft_row *d, struct err *e)
{
	json_t *list = json_array();
	unsigned needed, there;

	json_put(c->out, "approvals_there", list);
	if (!draft_approvals(c->node, d, &needed, &there, add_approver, list, e))
		return false;
	put_roles(c->out, "approvals_missing", needed & ~there);
	return true;
}

/* Runs `work` on the draft that the call names. */
static bool with_draft(struct api_call *c, bool (*work)(struct api_call *c, struct draft_row *d, struct err *e), struct err *e)
{
	struct draft_row d = { 0 };
	struct id id;
	bool ok = in_id(c, "draft", &id, e) && draft_get(c->node, &id, &d, e) && work(c, &d, e);

	draft_release(&d);
	return ok;
}

static bool check(struct api_call *c, struct draft_row *d, struct err *e)
{
	bool send = bytes_is(json_bytes(c->in, "step"), "send");

	return put_check(c, d, send ? SAFEGUARD_SEND : SAFEGUARD_DRAFT, e) && put_approvals(c, d, e);
}

bool verb_draft_check(struct api_call *c, struct err *e)
{
	return with_draft(c, check, e);
}

static bool show(struct api_call *c, struct draft_row *d, struct err *e)
{
	const struct kind *k = kind_find(bytes_of(d->kind));
	struct statement *s;

	if (!put_draft(c, d, e) || !statement_parse(statement_type(k), buf_bytes(&d->payload), &s, e))
		return false;
	json_put_text(c->out, "kind", d->kind);
	json_put_text(c->out, "to", d->to);
	json_put_text(c->out, "case", d->case_ref);
	json_put_text(c->out, "officer", d->officer);
	if (d->has_request)
		put_id(c->out, "request", &d->request);
	else
		json_put_text(c->out, "request", "");
	put_statement_text(c, c->out, s);
	statement_free(s);
	return put_approvals(c, d, e);
}

bool verb_draft_show(struct api_call *c, struct err *e)
{
	return with_draft(c, show, e);
}

static bool approve(struct api_call *c, struct draft_row *d, struct err *e)
{
	struct bytes envelope;

	return in_text(c, "envelope", &envelope, e) && draft_approve(c->node, d, envelope, e) && put_approvals(c, d, e);
}

bool verb_draft_approve(struct api_call *c, struct err *e)
{
	return with_draft(c, approve, e);
}

static bool send(struct api_call *c, struct draft_row *d, struct err *e)
{
	uint8_t hash[SHA256_BYTES];

	if (!draft_send(c->node, d, hash, e))
		return false;
	put_id(c->out, "id", &d->id);
	put_hash(c->out, "hash", hash);
	put_id(c->out, "request", d->has_request ? &d->request : &d->id);
	return true;
}

bool verb_draft_send(struct api_call *c, struct err *e)
{
	return with_draft(c, send, e);
}

bool verb_draft_drop(struct api_call *c, struct err *e)
{
	struct id id;

	return in_id(c, "draft", &id, e) && draft_drop(c->node, &id, e);
}

bool verb_draft_list(struct api_call *c, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_draft_list);
	json_t *list = json_array();
	bool found, ok;

	json_put(c->out, "drafts", list);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_hex(v, "draft", query_bytes(q, 0));
		json_put_bytes(v, "kind", query_bytes(q, 1));
		json_put_bytes(v, "to", query_bytes(q, 2));
		json_put_bytes(v, "case", query_bytes(q, 3));
		json_put_bytes(v, "officer", query_bytes(q, 4));
		json_put_hex(v, "hash", query_bytes(q, 5));
		json_put_time(v, "created", query_int(q, 6));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}
