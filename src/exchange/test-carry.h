/* For the tests of this chapter and of api/: what officers say, and how it is carried from home to home. */
#ifndef COMITY_EXCHANGE_TEST_CARRY_H
#define COMITY_EXCHANGE_TEST_CARRY_H

#include "exchange/test-nodes.h"

/* --- what an officer says ------------------------------------------------------------------------------------- */

static inline void draft(struct home *h, const char *kind, const char *to, const struct id *request, json_t *body,
			 struct id *ret)
{
	struct draft_new d = { .kind = kind, .to = to, .case_ref = "XA-2026-17", .legal_basis = "UNCC", .officer = "Ada Quill",
			       .request = request, .body = body };

	IN(h, draft_new(h->node, &d, ret, e));
}

static inline void approval_of(struct home *h, enum person who, enum approval_role role, const char *note, const uint8_t *hash,
			       struct buf *out)
{
	assert_ok(approval_make(h->person[who], people[who].name, role, note, hash, the_time, out, e));
}

static inline bool approve_as(struct home *h, const struct id *id, enum person who, enum approval_role role, struct err *e)
{
	struct draft_row row;
	AUTO_BUF envelope = { 0 };

	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	bool ok = draft_get(h->node, id, &row, e);
	if (ok) {
		approval_of(h, who, role, "seen", row.hash, &envelope);
		ok = draft_approve(h->node, &row, buf_bytes(&envelope), e);
	}
	draft_release(&row);
	return ok;
}

static inline void approve(struct home *h, const struct id *id, enum person who)
{
	IN(h, approve_as(h, id, who, people[who].role, e));
}

static inline bool send_draft(struct home *h, const struct id *id, uint8_t hash[static SHA256_BYTES], struct err *e)
{
	struct draft_row row;
	bool ok = draft_get(h->node, id, &row, e) && draft_send(h->node, &row, hash, e);

	draft_release(&row);
	return ok;
}

struct said {
	struct id id;
	uint8_t hash[SHA256_BYTES];
};

/* Draft, approvals and signature in one; body is taken. */
static inline struct said say(struct home *h, const char *kind, const char *to, const struct id *request, json_t *body,
			      enum person first, enum person second)
{
	struct said s;

	draft(h, kind, to, request, body, &s.id);
	json_decref(body);
	approve(h, &s.id, first);
	if (second != first)
		approve(h, &s.id, second);
	IN(h, send_draft(h, &s.id, s.hash, e));
	return s;
}

static inline json_t *body_about(const char *kind, const struct id *request)
{
	json_t *body = sample_body(kind);
	char text[ID_TEXT_LEN + 1];

	id_write(request, text);
	json_put_text(body, "request", text);
	return body;
}

static inline struct said say_request(struct home *h, const char *to)
{
	return say(h, "preservation-request", to, NULL, sample_body("preservation-request"), RANA, ILSE);
}

static inline struct said say_stored_data(struct home *h, const char *to, const struct id *preservation)
{
	json_t *body = sample_body("stored-data-request");
	char text[ID_TEXT_LEN + 1] = "";

	if (preservation != NULL)
		id_write(preservation, text);
	json_put_text(body, "preservation", text);
	return say(h, "stored-data-request", to, NULL, body, RANA, ILSE);
}

static inline struct said say_acknowledged(struct home *h, const char *to, const struct id *request)
{
	return say(h, "acknowledgement", to, request, body_about("acknowledgement", request), OMAR, OMAR);
}

static inline struct said say_accepted(struct home *h, const char *to, const struct id *request)
{
	return say(h, "answer", to, request, body_about("answer", request), ILSE, ILSE);
}

static inline struct said say_ordered(struct home *h, const char *to, const struct id *request, bool disclose)
{
	json_t *body = body_about("order", request);

	json_put_text(body, "measure", disclose ? "disclose" : "preserve");
	json_put_time(body, "expires", the_time + 60 * DAY_MS);
	json_put_time(body, "duration_until", the_time + 60 * DAY_MS);
	return say(h, "order", to, request, body, disclose ? FINCH : ILSE, disclose ? FINCH : ILSE);
}

/* --- carrying ------------------------------------------------------------------------------------------------- */

static inline bool nobody_is_busy(void *ctx, enum outbox_what what, const char *peer)
{
	return false;
}

/* The next batch that is due now; count 0: none. */
static inline void next_job(struct home *h, enum outbox_what what, struct outbox_job *j)
{
	assert_ok(node_begin(h->node, e));
	assert_ok(outbox_next(h->node, what, the_time, nobody_is_busy, NULL, j, e));
	node_rollback(h->node);
}

/* What the door would answer: the status, and the receipts when it is 200. */
static inline unsigned receive_at(struct home *to, struct bytes body, const uint8_t *spki, struct buf *reply, struct err *why)
{
	*why = (struct err){ 0 };
	buf_clear(reply);
	assert_ok(node_begin(to->node, e));
	bool ok = receive_letters(to->node, body, spki, reply, why);
	/* The keeper's turn commits, whatever became of the call. */
	assert_ok(node_commit(to->node, e));
	return ok ? 200 : (unsigned)err_http_status(why->kind);
}

static inline void answered(struct home *h, struct outbox_job *j, unsigned status, struct bytes body)
{
	IN(h, outbox_answered(h->node, j, status != 0, status, body, status != 0 ? "" : "no connection", the_time, e));
}

/* From now on this home fetches its register from somewhere. */
static inline void has_a_source(struct home *h)
{
	assert_ok(config_set(&h->node->config, CONFIG_register_url, "https://xs.example:8443", e));
	assert_ok(config_set(&h->node->config, CONFIG_register_pin, SAMPLE_HASH, e));
}

/* As the keeper does once its source has answered, with nothing newer. */
static inline void source_answers(struct home *h)
{
	h->node->register_had_ms = ++the_time; /* it was asked a moment ago */
	h->node->register_asked_ms = the_time;
	h->node->refresh_wanted = false;
}

/* Carries one batch; false when none was due. */
static inline bool carry_one(struct home *from, struct home *to)
{
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	next_job(from, OUTBOX_LETTERS, &j);
	bool any = j.count > 0;
	if (any) {
		assert_string_equal(j.peer, to->code);
		assert_memory_equal(j.pin, to->tls, SHA256_BYTES);
		unsigned status = receive_at(to, buf_bytes(&j.body), from->tls, &reply, &why);
		answered(from, &j, status, buf_bytes(&reply));
	}
	outbox_job_release(&j);
	return any;
}

static inline bool carry_proofs(struct home *from, struct home *to)
{
	struct outbox_job j;

	next_job(from, OUTBOX_PROOFS, &j);
	bool any = j.count > 0;
	if (any) {
		assert_string_equal(j.peer, to->code);
		IN(to, receive_proofs(to->node, buf_bytes(&j.body), from->tls, e));
		answered(from, &j, 200, bytes_of("{}"));
	}
	outbox_job_release(&j);
	return any;
}

/* Slots close and all that waits between the two is carried. */
static inline void settle(struct home *a, struct home *b)
{
	for (int i = 0; i < 3; i++) {
		slot(a);
		slot(b);
		while (carry_one(a, b) || carry_one(b, a))
			;
		while (carry_proofs(a, b) || carry_proofs(b, a))
			;
	}
}

/* --- looking --------------------------------------------------------------------------------------------------- */

static inline struct request_row request_at(struct home *h, const struct id *id)
{
	struct request_row r = { 0 };

	assert_ok(node_request(h->node, id, &r, e));
	return r;
}

#define assert_state(h, id, wanted) \
	assert_string_equal(life_state_code(request_at(h, id).state), life_state_code(LIFE_##wanted))

static inline int64_t rows(struct home *h, enum query_name name)
{
	struct query *q = store_query(h->node->store, name);
	int64_t count = 0;
	bool found;

	assert_ok(query_row(q, &found, e));
	for (; found; count++)
		assert_ok(query_row(q, &found, e));
	query_end(q);
	return count;
}

static inline int64_t number(struct home *h, enum query_name name)
{
	struct query *q = store_query(h->node->store, name);
	int64_t v = 0;
	bool found;

	assert_ok(query_row(q, &found, e));
	if (found)
		v = query_int(q, 0);
	query_end(q);
	return v;
}

struct receipt_row {
	bool found;
	char outcome[16], reason[40];
	size_t proof;
	int64_t due; /* until when the proof was promised; 0: none was */
};

static inline struct receipt_row receipt_at(struct home *h, const uint8_t *hash)
{
	struct query *q = store_query(h->node->store, QUERY_receipt_get);
	struct receipt_row r = { 0 };

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	assert_ok(query_row(q, &r.found, e));
	if (r.found) {
		snprintf(r.outcome, sizeof(r.outcome), "%.*s", (int)query_bytes(q, 1).len, (const char *)query_bytes(q, 1).at);
		snprintf(r.reason, sizeof(r.reason), "%.*s", (int)query_bytes(q, 2).len, (const char *)query_bytes(q, 2).at);
		r.proof = query_bytes(q, 5).len;
		r.due = query_int(q, 4);
	}
	query_end(q);
	return r;
}

static inline bool act_is_there(struct home *h, const uint8_t *hash)
{
	struct query *q = store_query(h->node->store, QUERY_statement_by_hash);
	bool found;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	assert_ok(query_row(q, &found, e));
	query_end(q);
	return found;
}

#endif
