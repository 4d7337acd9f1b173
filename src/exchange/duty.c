/* Pages one officer after the other, in the order of the settings and round again, each time after
 * page_escalate_s without acknowledgement. Bounded, so that a desk that nobody reads costs nothing: after
 * 20 pages (or 200 that failed; store/queries.tbl.h) the request stays visible in `status` as unacknowledged. */
#include "exchange/duty.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/cosigning.h"

#define OFFICERS_MAX 16

/* The k-th word of the list, going round; false when the list is empty. */
static bool officer_at(const char *list, int64_t k, char out[static 128])
{
	struct bytes words[OFFICERS_MAX], rest = bytes_of(list);
	size_t count = 0;

	while (rest.len > 0 && count < OFFICERS_MAX) {
		struct bytes w = bytes_cut(&rest, ' ');
		if (w.len > 0 && w.len < 128)
			words[count++] = w;
	}
	if (count == 0)
		return false;
	struct bytes w = words[(size_t)k % count];
	memcpy(out, w.at, w.len);
	out[w.len] = '\0';
	return true;
}

static bool due(struct node *n, int64_t now_ms, struct id *ret_id, int64_t *ret_count, bool *ret_found, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_page_due);
	int64_t every_ms = config_count(&n->config, page_escalate_s) * 1000;
	bool found, ok;

	*ret_found = false;
	while ((ok = query_row(q, &found, e)) && found && !*ret_found) {
		int64_t count = query_int(q, 1);
		/* A page that failed counts for whose turn it is and when: the next officer, not the same one at once. */
		if ((count > 0 && now_ms - query_int(q, 2) < every_ms) || query_bytes(q, 0).len != ID_BYTES)
			continue;
		memcpy(ret_id->at, query_bytes(q, 0).at, ID_BYTES);
		*ret_count = count;
		*ret_found = true;
	}
	query_end(q);
	return ok;
}

/* r: NULL for a page about no request. */
static bool page_state(struct node *n, const struct request_row *r, const char *officer, int64_t attempt, const char *words,
		       struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "page", .to = "", .case_ref = r != NULL ? r->case_ref : "", .legal_basis = "UNCC", .via = "comity",
				   .body = body, .request = r != NULL ? &r->id : NULL };
	char id[ID_TEXT_LEN + 1] = "";
	uint8_t hash[SHA256_BYTES];

	if (r != NULL)
		id_write(&r->id, id);
	json_put_int(body, "attempt", attempt);
	json_put_text(body, "officer", officer);
	json_put_text(body, "request", id);
	json_put_text(body, "text", words);
	return node_state(n, &s, hash, e);
}

static bool page_row(struct node *n, const struct request_row *r, const char *officer, int64_t now_ms, int64_t *ret_seq, struct err *e)
{
	struct bytes about = bytes_from(r != NULL ? r->id.at : (const uint8_t *)"", r != NULL ? ID_BYTES : 0);
	struct query *q = store_query(n->store, QUERY_page_add);
	bool found, ok;

	query_bind_bytes(q, 1, about);
	query_bind_text(q, 2, officer);
	query_bind_int(q, 3, now_ms);
	ok = query_run(q, e);
	query_end(q);
	if (!ok)
		return false;
	q = store_query(n->store, QUERY_page_of_request);
	query_bind_bytes(q, 1, about);
	while ((ok = query_row(q, &found, e)) && found)
		*ret_seq = query_int(q, 0);
	query_end(q);
	return ok;
}

static int64_t count_of(struct node *n, enum query_name name)
{
	struct query *q = store_query(n->store, name);
	bool found;
	int64_t count = query_row(q, &found, NULL) && found ? query_int(q, 0) : 0;

	query_end(q);
	return count;
}

/* No witnesses, no proofs: a person has to know, because only a person can ask another authority what is wrong. */
static bool quorum_page(struct node *n, int64_t since, int64_t now_ms, struct duty_page *ret, bool *ret_found, struct err *e)
{
	char when[64];

	if (!officer_at(config_text(&n->config, page_officers), 0, ret->officer))
		return true;
	time_write_people(since, (int)config_count(&n->config, utc_offset_minutes), when);
	buf_add_format(&ret->words, "%sComity %s: cosignatures missing since %s, %lld letters and %lld proofs wait. See: comity status\n",
		       node_exercise(n) ? "EXERCISE. " : "", node_party(n), when, (long long)count_of(n, QUERY_outbox_count),
		       (long long)count_of(n, QUERY_proof_out_count));
	if (!page_state(n, NULL, ret->officer, 1, buf_text(&ret->words), e) || !page_row(n, NULL, ret->officer, now_ms, &ret->seq, e))
		return false;
	cosigning_paged(n);
	*ret_found = true;
	return true;
}

bool duty_next(struct node *n, int64_t now_ms, struct duty_page *ret, bool *ret_found, struct err *e)
{
	struct request_row r;
	struct id id;
	int64_t count = 0;
	char arrived[64], text[ID_TEXT_LEN + 1];

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->words, 2 * KIB);
	*ret_found = false;
	cosigning_tell(n); /* whoever has no page command has a journal */
	if (config_text(&n->config, page_command)[0] == '\0' || n->locked)
		return true;
	bool any;
	int64_t since;
	if (cosigning_page_due(n, &since))
		return quorum_page(n, since, now_ms, ret, ret_found, e);
	if (!due(n, now_ms, &id, &count, &any, e))
		return false;
	if (!any)
		return true;
	if (!officer_at(config_text(&n->config, page_officers), count, ret->officer))
		return true;
	if (!node_request(n, &id, &r, e))
		return false;
	time_write_people(r.created, (int)config_count(&n->config, utc_offset_minutes), arrived);
	id_write(&r.id, text);
	buf_add_format(&ret->words, "%sComity %s: %s from %s, arrived %s. Page %lld. Acknowledge: comity request acknowledge %s\n",
		       node_exercise(n) ? "EXERCISE. " : "", node_party(n), r.kind, r.peer, arrived, (long long)(count + 1), text);
	if (!page_state(n, &r, ret->officer, count + 1, buf_text(&ret->words), e) ||
	    !page_row(n, &r, ret->officer, now_ms, &ret->seq, e))
		return false;
	*ret_found = true;
	return true;
}

bool duty_paged(struct node *n, int64_t seq, int exit_status, int64_t now_ms, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_page_ended);

	query_bind_int(q, 1, seq);
	query_bind_int(q, 2, now_ms);
	query_bind_int(q, 3, exit_status);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool duty_clocks(struct node *n, int64_t now_ms, struct err *e)
{
	struct id ids[50];
	size_t count = 0;
	struct query *q = store_query(n->store, QUERY_request_hold_due);
	bool found, ok;

	query_bind_int(q, 1, now_ms);
	while ((ok = query_row(q, &found, e)) && found && count < 50)
		if (query_bytes(q, 0).len == ID_BYTES)
			memcpy(ids[count++].at, query_bytes(q, 0).at, ID_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++) {
		struct request_row r;
		ok = node_request(n, &ids[i], &r, e) && node_move(n, &r, EVENT_HOLD_ENDED, NULL, e);
	}
	return ok;
}
