/* The clock looks for receipts without proof, an officer decides what becomes public. Nothing here judges by
 * silence: every step stands on what the peer itself signed. */
#include "exchange/overdue.h"

#include "base/clock.h"
#include "exchange/draft.h"
#include "exchange/pairs.h"
#include "exchange/publish.h"

#define NOTICES_AT_ONCE 16
/* Of one letter; a notice has no leaf, and no slot bounds how many come. */
#define NOTICE_EVERY_MS DAY_MS

/* What the peer's receipt for a statement of ours promised. */
struct promise {
	char peer[PARTY_CODE_LEN_MAX + 1];
	struct buf envelope;
	uint8_t hash[SHA256_BYTES], receipt[SHA256_BYTES], leaf[SHA256_BYTES], tag[SHA256_BYTES];
	int64_t due;
	bool proved, received;
};

static bool receipt_fields(struct promise *p, struct err *e)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *s = NULL;

	if (!envelope_parse(buf_bytes(&p->envelope), &v, e) || !statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &s, e))
		return false;
	memcpy(p->receipt, s->hash, SHA256_BYTES);
	snprintf(p->peer, sizeof(p->peer), "%s", s->from);
	return !p->received || p->due == 0 ||
	       (hex_parse(json_bytes(s->body, "leaf"), p->leaf, sizeof(p->leaf)) && hex_parse(json_bytes(s->body, "tag"), p->tag, sizeof(p->tag))) ||
	       err_set(e, ERR_INPUT, REASON_MALFORMED, "a stored receipt has no leaf");
}

static bool promise_find(struct node *n, const uint8_t *hash, struct promise *p, bool *ret_found, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_receipt_get);
	bool ok;

	memset(p, 0, sizeof(*p));
	buf_init(&p->envelope, ENVELOPE_BYTES_MAX);
	memcpy(p->hash, hash, SHA256_BYTES);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, ret_found, e);
	if (ok && *ret_found) {
		buf_add(&p->envelope, query_bytes(q, 0));
		p->received = bytes_is(query_bytes(q, 1), "received");
		p->due = query_int(q, 4);
		p->proved = query_bytes(q, 5).len > 0;
	}
	query_end(q);
	return ok && (!*ret_found || receipt_fields(p, e));
}

/* --- the first step: the peer is told --------------------------------------------------------------------- */

static bool notice_keep(struct node *n, const uint8_t *hash, const uint8_t *notice, int64_t now_ms, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_overdue_add);

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_bytes(q, 2, bytes_from(notice, SHA256_BYTES));
	query_bind_int(q, 3, now_ms);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool notice_say(struct node *n, const struct promise *p, int64_t now_ms, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "overdue-notice", .to = p->peer, .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	uint8_t notice[SHA256_BYTES];

	json_put_time(body, "due", p->due);
	json_put_hex(body, "leaf", BYTES_ARRAY(p->leaf));
	json_put_hex(body, "receipt", BYTES_ARRAY(p->receipt));
	json_put_hex(body, "statement", BYTES_ARRAY(p->hash));
	json_put_hex(body, "tag", BYTES_ARRAY(p->tag));
	return node_state(n, &s, notice, e) && notice_keep(n, p->hash, notice, now_ms, e);
}

/* One that cannot be told about is passed over, once and for all: neither does it hide the others, nor stop the clocks. */
static bool notice_for(struct node *n, const uint8_t *hash, int64_t now_ms, struct err *e)
{
	static const uint8_t none[SHA256_BYTES];
	struct err why = { 0 };
	struct promise p;
	bool found = false, ok;

	if (!node_part(n, e))
		return false;
	ok = promise_find(n, hash, &p, &found, &why) && (!found || notice_say(n, &p, now_ms, &why));
	buf_release(&p.envelope);
	if (!node_part_end(n, ok, e))
		return false;
	if (ok || (why.kind != ERR_SYSTEM && why.kind != ERR_UNAVAILABLE && why.reason != REASON_LOCKED))
		return ok || notice_keep(n, hash, none, now_ms, e);
	if (e != NULL)
		*e = why;
	return false;
}

bool overdue_clock(struct node *n, int64_t now_ms, struct err *e)
{
	uint8_t hashes[NOTICES_AT_ONCE][SHA256_BYTES];
	size_t count = 0;
	struct query *q;
	bool found, ok;

	if (n->locked)
		return true;
	q = store_query(n->store, QUERY_overdue_due);
	query_bind_int(q, 1, now_ms);
	query_bind_int(q, 2, NOTICES_AT_ONCE);
	while ((ok = query_row(q, &found, e)) && found && count < NOTICES_AT_ONCE)
		if (query_bytes(q, 0).len == SHA256_BYTES)
			memcpy(hashes[count++], query_bytes(q, 0).at, SHA256_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++)
		ok = notice_for(n, hashes[i], now_ms, e);
	if (count > 0)
		n->outbox_changed = true;
	return ok;
}

bool overdue_heard(struct node *n, const struct statement *notice, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	struct query *q;
	bool ok;

	if (!hex_parse(json_bytes(notice->body, "statement"), hash, sizeof(hash)))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a notice about no statement");
	q = store_query(n->store, QUERY_proof_out_again);
	query_bind_bytes(q, 1, BYTES_ARRAY(hash));
	query_bind_text(q, 2, notice->from);
	ok = query_run(q, e);
	query_end(q);
	if (ok && store_changes(n->store) == 0)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "a notice about a letter of %s that did not come here", notice->from);
	if (!ok)
		return false;
	q = store_query(n->store, QUERY_overdue_heard_add);
	int64_t due;
	if (!time_parse(json_bytes(notice->body, "due"), &due))
		due = 0;
	query_bind_bytes(q, 1, BYTES_ARRAY(hash));
	query_bind_text(q, 2, notice->from);
	query_bind_int(q, 3, due);
	query_bind_int(q, 4, clock_now_ms());
	query_bind_int(q, 5, NOTICE_EVERY_MS);
	ok = query_run(q, e);
	query_end(q);
	n->outbox_changed = true;
	return ok && (store_changes(n->store) > 0 ||
		      err_set(e, ERR_REJECTED, REASON_BUSY, "a notice about this letter of %s came less than a day ago", notice->from));
}

/* --- the second step: an officer ------------------------------------------------------------------------------- */

/* When the peer was told, 0: never. */
static bool notice_time(struct node *n, const uint8_t *hash, int64_t *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_overdue_get);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	*ret = ok && found ? query_int(q, 1) : 0;
	query_end(q);
	return ok;
}

static bool still_overdue(struct node *n, const struct promise *p, struct err *e)
{
	int64_t told, grace = config_count(&n->config, overdue_grace_s) * 1000;

	if (p->proved)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the proof of %s has come: there is nothing to complain about", p->peer);
	if (!p->received || p->due == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s promised no proof of this statement", p->peer);
	if (!notice_time(n, p->hash, &told, e))
		return false;
	if (told == 0)
		return err_set(e, ERR_CONFLICT, REASON_PROOF_PENDING, "the proof is not overdue: no notice has been sent to %s", p->peer);
	if (clock_now_ms() < told + grace) {
		char when[64];
		time_write_people(told + grace, (int)config_count(&n->config, utc_offset_minutes), when);
		return err_set(e, ERR_CONFLICT, REASON_PROOF_PENDING, "%s has until %s to send the proof (overdue_grace_s)", p->peer, when);
	}
	return true;
}

static json_t *body_empty(const char *what, const char *party)
{
	json_t *body = json_object();

	json_put_text(body, "closing", "");
	json_put_text(body, "due", "");
	json_put_text(body, "head", "");
	json_put_text(body, "leaf", "");
	json_put_int(body, "n", 0);
	json_put_text(body, "party", party);
	json_put_text(body, "receipt", "");
	json_put_text(body, "tag", "");
	json_put_text(body, "what", what);
	return body;
}

static json_t *body_overdue(const struct promise *p)
{
	json_t *body = body_empty("overdue-proof", p->peer);

	json_put_time(body, "due", p->due);
	json_put_hex(body, "leaf", BYTES_ARRAY(p->leaf));
	json_put_bytes(body, "receipt", buf_bytes(&p->envelope));
	json_put_hex(body, "tag", BYTES_ARRAY(p->tag));
	return body;
}

/* The peer's closing as it signed it, and where ours differs. */
static bool body_closing(struct node *n, const uint8_t *hash, json_t **ret, struct err *e)
{
	AUTO_ACT *a = NULL;
	AUTO_BUF envelope = { 0 };
	struct query *q;
	bool found, ok;

	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	if (!node_act_load(n, hash, &a, e))
		return false;
	q = store_query(n->store, QUERY_pair_closing_unequal);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found && query_bytes(q, 1).len == SHA256_BYTES &&
	    envelope_write_of(bytes_of(a->envelope.type), buf_bytes(&a->envelope.payload), a->envelope.signatures, a->envelope.signature_count,
			      &envelope, e)) {
		*ret = body_empty("unequal-closing", a->statement->from);
		json_put_bytes(*ret, "closing", buf_bytes(&envelope));
		json_put_int(*ret, "n", query_int(q, 0));
		json_put_hex(*ret, "head", query_bytes(q, 1));
	} else if (ok) {
		ok = found ? false : err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the closing fits ours: there is nothing to complain about");
	}
	query_end(q);
	return ok;
}

static bool complaint_draft(struct node *n, json_t *body, const char *officer, struct id *ret, struct err *e)
{
	struct draft_new d = { .kind = "complaint", .to = "*", .case_ref = "", .legal_basis = "UNCC", .officer = officer, .body = body };

	return draft_new(n, &d, ret, e);
}

bool overdue_complaint(struct node *n, const uint8_t hash[static SHA256_BYTES], const char *officer, struct id *ret_draft, struct err *e)
{
	struct promise p;
	json_t *body = NULL;
	bool found = false, ok = promise_find(n, hash, &p, &found, e);

	if (ok && found) {
		ok = still_overdue(n, &p, e);
		if (ok)
			body = body_overdue(&p);
	} else if (ok) {
		struct err none;
		AUTO_ACT *a = NULL;
		/* No receipt for a statement of ours: nothing was promised. */
		if (node_act_load(n, hash, &a, &none) && bytes_is(bytes_of(a->statement->kind->name), "closing") &&
		    !bytes_is(bytes_of(a->statement->from), node_party(n)))
			ok = body_closing(n, hash, &body, e);
		else
			ok = err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no receipt for such a statement: undelivered accuses nobody");
	}
	buf_release(&p.envelope);
	ok = ok && complaint_draft(n, body, officer, ret_draft, e);
	json_decref(body);
	return ok;
}

bool overdue_complained(struct node *n, const struct statement *complaint, struct err *e)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *receipt = NULL;
	uint8_t hash[SHA256_BYTES];
	struct promise p;
	bool found;

	if (bytes_is(json_bytes(complaint->body, "what"), "unequal-closing"))
		return publish_act(n, complaint->hash, e);
	if (!envelope_parse(json_bytes(complaint->body, "receipt"), &v, e) ||
	    !statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &receipt, e) ||
	    !hex_parse(json_bytes(receipt->body, "statement"), hash, sizeof(hash)))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a complaint without a receipt");
	bool ok = promise_find(n, hash, &p, &found, e) &&
		  (found || err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "a complaint about a receipt that is not here")) &&
		  still_overdue(n, &p, e) && publish_act(n, complaint->hash, e);
	buf_release(&p.envelope);
	return ok;
}

/* --- status ------------------------------------------------------------------------------------------------------ */

static bool list(struct node *n, enum query_name name, json_t *out, const char *key, const char *time_key, struct err *e)
{
	struct query *q = store_query(n->store, name);
	json_t *rows = json_array();
	bool found, ok;

	json_put(out, key, rows);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "peer", query_bytes(q, 0));
		json_put_hex(v, "hash", query_bytes(q, 1));
		json_put_time(v, "due", query_int(q, 2));
		json_put_time(v, time_key, query_int(q, 3));
		json_array_append_new(rows, v);
	}
	query_end(q);
	return ok;
}

bool overdue_status(struct node *n, json_t *out, struct err *e)
{
	return list(n, QUERY_overdue_list, out, "overdue", "notice", e) && list(n, QUERY_overdue_heard_list, out, "notices", "time", e);
}
