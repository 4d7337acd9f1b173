/* Taking in and handing over. An exhibit counts only when two readings agree: at the source a second mill
 * opens what the first one sealed, and both totals must be the same. */
#include "exchange/exhibit.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "exchange/exhibit-internal.h"

static bool row_read(struct query *q, struct exhibit_row *x)
{
	memset(x, 0, sizeof(*x));
	if (query_bytes(q, 0).len != ID_BYTES || query_bytes(q, 1).len != ID_BYTES ||
	    query_bytes(q, 6).len != SHA256_BYTES || query_bytes(q, 8).len != SHA256_BYTES)
		return false;
	memcpy(x->id.at, query_bytes(q, 0).at, ID_BYTES);
	memcpy(x->request.at, query_bytes(q, 1).at, ID_BYTES);
	bytes_text(query_bytes(q, 2), x->peer, sizeof(x->peer));
	x->own = query_int(q, 3) != 0;
	bytes_text(query_bytes(q, 4), x->name, sizeof(x->name));
	x->size = (uint64_t)query_int(q, 5);
	memcpy(x->sha256, query_bytes(q, 6).at, SHA256_BYTES);
	x->sealed_size = (uint64_t)query_int(q, 7);
	memcpy(x->sealed_sha256, query_bytes(q, 8).at, SHA256_BYTES);
	bytes_text(query_bytes(q, 9), x->blob, sizeof(x->blob));
	bytes_text(query_bytes(q, 10), x->state, sizeof(x->state));
	x->has_statement = query_bytes(q, 11).len == SHA256_BYTES;
	if (x->has_statement)
		memcpy(x->statement, query_bytes(q, 11).at, SHA256_BYTES);
	x->fetched = (uint64_t)query_int(q, 12);
	x->next = query_int(q, 13);
	x->attempts = query_int(q, 14);
	bytes_text(query_bytes(q, 15), x->media, sizeof(x->media));
	x->personal = query_int(q, 16) != 0;
	x->failed = query_int(q, 17);
	return true;
}

bool exhibit_get(struct node *n, const struct id *id, struct exhibit_row *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_get);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(id->at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok && !found)
		ok = err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no such exhibit");
	else if (ok && !row_read(q, ret))
		ok = err_set(e, ERR_SYSTEM, REASON_MALFORMED, "a stored exhibit cannot be read");
	query_end(q);
	return ok;
}

bool exhibit_state_put(struct node *n, const struct exhibit_row *x, const char *state, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_state);

	query_bind_bytes(q, 1, bytes_from(x->id.at, ID_BYTES));
	query_bind_text(q, 2, state);
	query_bind_text(q, 3, x->blob);
	query_bind_int(q, 4, (int64_t)x->fetched);
	query_bind_int(q, 5, x->next);
	query_bind_int(q, 6, x->attempts);
	query_bind_int(q, 7, x->failed);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* --- custody ------------------------------------------------------------------------------------------ */

/* Number and hash of the last event of this exhibit; seq -1 when there is none. */
static bool custody_last(struct node *n, const struct id *exhibit, int64_t *ret_seq, uint8_t hash[static 32], struct err *e)
{
	struct query *q = store_query(n->store, QUERY_custody_list);
	bool found, ok;

	*ret_seq = -1;
	query_bind_bytes(q, 1, bytes_from(exhibit->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found) {
		*ret_seq = query_int(q, 0);
		if (query_bytes(q, 1).len == SHA256_BYTES)
			memcpy(hash, query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	return ok;
}

bool exhibit_custody(struct node *n, const struct id *exhibit, const struct id *request, const char *case_ref,
		     const struct custody_event *v, uint8_t ret_hash[static 32], struct err *e)
{
	AUTO_JSON *body = json_object();
	json_t *object = json_object(), *tool = json_object();
	struct own_statement s = { .kind = "custody", .to = "", .case_ref = case_ref, .legal_basis = "UNCC", .via = "comity",
				   .body = body, .request = request };
	char id[ID_TEXT_LEN + 1];
	uint8_t prev[SHA256_BYTES];
	int64_t seq;

	if (!custody_last(n, exhibit, &seq, prev, e))
		return false;
	id_write(exhibit, id);
	json_put_text(object, "name", v->name);
	json_put_hex(object, "sha256", bytes_from(v->sha256, SHA256_BYTES));
	json_put_int(object, "size", (int64_t)v->size);
	json_put_text(tool, "name", "comity");
	json_put_text(tool, "version", COMITY_VERSION);
	json_put_text(body, "act", v->act);
	json_put_text(body, "actor", config_text(&n->config, authority)[0] != '\0' ? config_text(&n->config, authority)
										 : config_text(&n->config, name));
	json_put_text(body, "exhibit", id);
	json_put(body, "object", object);
	json_put_hex(body, "prev", bytes_from(prev, seq < 0 ? 0 : SHA256_BYTES));
	json_put_text(body, "reason", v->reason);
	json_put_text(body, "result", v->result);
	json_put_int(body, "seq", seq + 1);
	json_put(body, "tool", tool);
	json_put_time(body, "when", clock_now_ms());
	json_put_text(body, "where", config_text(&n->config, contact_name));
	return node_state(n, &s, ret_hash, e);
}

/* --- taking in ---------------------------------------------------------------------------------------- */

bool exhibit_begin(struct node *n, const struct id *request, const char *name, const char *media, bool personal,
		   struct exhibit_intake *ret, struct err *e)
{
	struct request_row r;
	const struct party *peer;

	memset(ret, 0, sizeof(*ret));
	if (!node_request(n, request, &r, e))
		return false;
	if (!r.asked || !life_state_is_open(r.state) || !bytes_is(bytes_of(r.kind), "stored-data-request"))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
			       "evidence is taken in for an open request for stored data that another party made; this one is \"%s\"",
			       life_state_words(r.state));
	peer = register_party(n->reg, bytes_of(r.peer));
	if (peer == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_BAD_REGISTER, "%s is not in our register", r.peer);
	if (name[0] == '\0' || strlen(name) > EXHIBIT_NAME_BYTES_MAX || !utf8_is_valid(bytes_of(name)) ||
	    strlen(media) >= sizeof(ret->media))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the name is empty, longer than %u bytes or not UTF-8", EXHIBIT_NAME_BYTES_MAX);
	chance_fill(ret->id.at, sizeof(ret->id.at));
	ret->request = *request;
	ret->personal = personal;
	ret->recipient = peer->seal;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	snprintf(ret->media, sizeof(ret->media), "%s", media);
	if (!blob_new(n->blobs_fd, ret->blob, &ret->fd, e))
		return false;
	ret->file_key = secret_random(AGE_FILE_KEY_BYTES);
	return true;
}

void exhibit_abandon(struct node *n, const struct exhibit_intake *x)
{
	struct err ignored;

	(void)!blob_remove(n->blobs_fd, x->blob, &ignored);
}

static bool intake_row(struct node *n, const struct exhibit_intake *x, const struct request_row *r, const struct age_totals *t,
		       const char *blob, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_add);

	query_bind_bytes(q, 1, bytes_from(x->id.at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(x->request.at, ID_BYTES));
	query_bind_text(q, 3, r->peer);
	query_bind_int(q, 4, 1);
	query_bind_text(q, 5, x->name);
	query_bind_int(q, 6, (int64_t)t->plain_bytes);
	query_bind_bytes(q, 7, BYTES_ARRAY(t->plain_sha256));
	query_bind_int(q, 8, (int64_t)t->sealed_bytes);
	query_bind_bytes(q, 9, BYTES_ARRAY(t->sealed_sha256));
	query_bind_text(q, 10, blob);
	query_bind_text(q, 11, "ready");
	query_bind_null(q, 12);
	query_bind_int(q, 13, clock_now_ms());
	query_bind_text(q, 14, x->media);
	query_bind_int(q, 15, x->personal);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool exhibit_key_add(struct node *n, const struct id *exhibit, const struct secret *key, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_exhibit_key_add);

	query_bind_bytes(q, 1, bytes_from(exhibit->at, ID_BYTES));
	query_bind_bytes(q, 2, secret_bytes(key));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool exhibit_sealed(struct node *n, const struct exhibit_intake *x, const struct age_totals *first,
		    const struct age_totals *second, struct err *e)
{
	struct custody_event taken = { .act = "acquire", .reason = "taken in for the request", .result = "ok", .name = x->name,
				       .sha256 = first->plain_sha256, .size = first->plain_bytes };
	struct custody_event sealed = { .act = "seal", .reason = "sealed to the requesting party and read again by a second process",
					.result = "ok", .name = x->name, .sha256 = first->sealed_sha256, .size = first->sealed_bytes };
	char blob[BLOB_NAME_LEN + 1];
	uint8_t hash[SHA256_BYTES];
	struct request_row r;

	if (first->plain_bytes != second->plain_bytes || first->sealed_bytes != second->sealed_bytes ||
	    memcmp(first->plain_sha256, second->plain_sha256, SHA256_BYTES) != 0 ||
	    memcmp(first->sealed_sha256, second->sealed_sha256, SHA256_BYTES) != 0)
		return err_set(e, ERR_SYSTEM, REASON_DIGEST_MISMATCH, "%s: what was written is not what was read", x->name);
	if (!node_request(n, &x->request, &r, e))
		return false;
	if (r.erased > 0)
		return err_set(e, ERR_CONFLICT, REASON_ERASED, "the request was erased while %s was taken in", x->name);
	return blob_keep(n->blobs_fd, x->blob, first->sealed_sha256, blob, e) &&
	       intake_row(n, x, &r, first, blob, e) && exhibit_key_add(n, &x->id, x->file_key, e) &&
	       exhibit_custody(n, &x->id, &x->request, r.case_ref, &taken, hash, e) &&
	       exhibit_custody(n, &x->id, &x->request, r.case_ref, &sealed, hash, e);
}

/* --- handing over --------------------------------------------------------------------------------------- */

static bool find_order(struct node *n, const struct id *request, uint8_t hash[static 32], struct id *ret_id, struct err *e)
{
	uint8_t orders[32][SHA256_BYTES];
	size_t count = 0;
	struct query *q = store_query(n->store, QUERY_statement_orders_of);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found && count < 32)
		if (query_bytes(q, 0).len == SHA256_BYTES)
			memcpy(orders[count++], query_bytes(q, 0).at, SHA256_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++) {
		struct act *a;
		if (!node_act_load(n, orders[i], &a, e))
			return false;
		bool is = bytes_is(json_bytes(a->statement->body, "measure"), "disclose");
		*ret_id = a->statement->id;
		act_free(a);
		if (is) {
			memcpy(hash, orders[i], SHA256_BYTES);
			return true;
		}
	}
	return ok && err_set(e, ERR_REJECTED, REASON_NO_DISCLOSURE_ORDER,
			     "there is no disclosure order for this request: the court or another competent body decides first (24(2), 24(4))");
}

static void ref_add(json_t *refs, const struct id *id, const uint8_t *hash)
{
	json_t *ref = json_object();
	char text[ID_TEXT_LEN + 1];

	id_write(id, text);
	json_put_hex(ref, "hash", bytes_from(hash, SHA256_BYTES));
	json_put_text(ref, "id", text);
	json_array_append_new(refs, ref);
}

static bool custody_list(struct node *n, const struct id *exhibit, json_t *list, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_custody_list);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(exhibit->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found) {
		char hex[2 * SHA256_BYTES + 1];
		if (query_bytes(q, 1).len != SHA256_BYTES)
			continue;
		hex_write(query_bytes(q, 1), hex);
		json_array_append_new(list, json_string(hex));
	}
	query_end(q);
	return ok;
}

/* The custody event that goes with the letter; only once, however often the hand-over is drafted. */
static bool transmit_once(struct node *n, const struct exhibit_row *x, const struct request_row *r, struct err *e)
{
	struct custody_event v = { .act = "transmit", .reason = "to be handed over under the disclosure order", .result = "ok",
				   .name = x->name, .sha256 = x->sha256, .size = x->size };
	uint8_t hash[SHA256_BYTES];
	int64_t seq;

	if (!custody_last(n, &x->id, &seq, hash, e))
		return false;
	return seq >= 2 || exhibit_custody(n, &x->id, &x->request, r->case_ref, &v, hash, e);
}

bool exhibit_release_body(struct node *n, const struct id *id, json_t **ret_body, json_t **ret_refs, struct request_row *ret_request,
			  struct err *e)
{
	struct exhibit_row x;
	uint8_t order[SHA256_BYTES];
	struct id order_id;
	json_t *body, *custody, *refs;
	char text[ID_TEXT_LEN + 1];

	if (!exhibit_get(n, id, &x, e) || !node_request(n, &x.request, ret_request, e))
		return false;
	if (!x.own || !bytes_is(bytes_of(x.state), "ready"))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the exhibit is \"%s\": only one that is ready can be handed over", x.state);
	if (!find_order(n, &x.request, order, &order_id, e) || !transmit_once(n, &x, ret_request, e))
		return false;
	body = json_object();
	custody = json_array();
	refs = json_array();
	id_write(id, text);
	json_put(body, "conditions", json_array());
	json_put(body, "custody", custody);
	json_put_text(body, "exhibit", text);
	json_put_text(body, "media_type", x.media);
	json_put_text(body, "name", x.name);
	json_put_hex(body, "order", BYTES_ARRAY(order));
	json_put_bool(body, "personal_data", x.personal);
	id_write(&x.request, text);
	json_put_text(body, "request", text);
	json_put_hex(body, "sealed_sha256", BYTES_ARRAY(x.sealed_sha256));
	json_put_int(body, "sealed_size", (int64_t)x.sealed_size);
	json_put_hex(body, "sha256", BYTES_ARRAY(x.sha256));
	json_put_int(body, "size", (int64_t)x.size);
	ref_add(refs, &ret_request->id, ret_request->hash);
	ref_add(refs, &order_id, order);
	if (!custody_list(n, id, custody, e)) {
		json_decref(body);
		json_decref(refs);
		return false;
	}
	*ret_body = body;
	*ret_refs = refs;
	return true;
}

bool exhibit_for_peer(struct node *n, const struct id *id, const uint8_t *spki, int *ret_fd, uint64_t *ret_size, struct err *e)
{
	const struct party *p = register_party_by_tls(n->reg, spki);
	struct exhibit_row x;

	if (p == NULL)
		return err_set(e, ERR_FORBIDDEN, REASON_UNKNOWN_KEY, "unknown peer");
	/* One answer for "there is none" and "not for you": a peer must not learn of others' exhibits. */
	if (!exhibit_get(n, id, &x, e) || !x.own || !bytes_is(bytes_of(x.state), "released") || !bytes_is(bytes_of(x.peer), p->code))
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no such exhibit was handed over to %s", p->code);
	*ret_size = x.sealed_size;
	return blob_open(n->blobs_fd, x.blob, false, ret_fd, e);
}
