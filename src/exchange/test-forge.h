/* For the tests of what arrives: acts and letters as a careless or hostile sender makes them. Everything is true
 * except what the test changes: a forged statement is signed by the home's own key, approved by its people and
 * stands in its log with a proof. */
#ifndef COMITY_EXCHANGE_TEST_FORGE_H
#define COMITY_EXCHANGE_TEST_FORGE_H

#include "exchange/test-carry.h"

#include "exchange/pairs.h"
#include "exchange/record.h"
#include "log/leaf.h"
#include "register/judge.h"

struct forged {
	json_t *frame;           /* the statement; taken by forge_sign */
	const struct sign_key *key;
	uint8_t hash[SHA256_BYTES], opening[32], x[32];
	struct id id;
	json_t *act;             /* after forge_sign; change a member, then write */
};

/* A fresh statement of this kind from one home to another; the register it names is the one in use. */
static inline json_t *frame_of(struct home *from, const char *to, const char *kind, json_t *body)
{
	json_t *v = sample_frame(kind, body), *reg = json_object();
	uint8_t id[ID_BYTES];

	chance_fill(id, sizeof(id));
	directory_checkpoint(from->node, reg);
	json_put(v, "register", reg);
	json_put_hex(v, "id", BYTES_ARRAY(id));
	json_put_text(v, "from", from->code);
	json_put_text(v, "to", to);
	json_put_time(v, "time", the_time);
	json_put_bool(v, "exercise", node_exercise(from->node));
	return v;
}

/* Signs with f->key and adds these approvals by people of `people_of`: an act that has no leaf and no proof yet. */
static inline void forge_state(struct home *people_of, struct forged *f, const enum person *who, size_t who_count,
			       struct statement **ret)
{
	const struct kind *k = kind_find(json_bytes(f->frame, "kind"));
	struct envelope_signature sig;
	json_t *approvals = json_array(), *envelope;
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, 2 * STATEMENT_BYTES_MAX);
	assert_ok(json_write_canonical(f->frame, &payload, e));
	json_decref(f->frame);
	f->frame = NULL;
	assert_ok(statement_parse(statement_type(k), buf_bytes(&payload), ret, e));
	f->id = (*ret)->id;
	memcpy(f->hash, (*ret)->hash, SHA256_BYTES);
	pae_write(statement_type(k), buf_bytes(&payload), &pae);
	key_id_write(sign_key_public(f->key), sig.keyid);
	sign_key_sign(f->key, buf_bytes(&pae), sig.sig);
	assert_ok(envelope_json_of(statement_type(k), buf_bytes(&payload), &sig, 1, &envelope, e));
	for (size_t i = 0; i < who_count; i++) {
		json_t *one;
		AUTO_BUF text = { 0 };
		buf_init(&text, ENVELOPE_BYTES_MAX);
		enum approval_role role = who[i] == ADA ? APPROVAL_AUTHORITY : people[who[i]].role;
		approval_of(people_of, who[i], role, "seen", f->hash, &text);
		assert_ok(json_parse(buf_bytes(&text), "approval", &one, e));
		assert_int_equal(json_array_append_new(approvals, one), 0);
	}
	chance_fill(f->opening, sizeof(f->opening));
	chance_fill(f->x, sizeof(f->x));
	f->act = json_object();
	json_put(f->act, "approvals", approvals);
	json_put(f->act, "envelope", envelope);
	json_put_hex(f->act, "opening", BYTES_ARRAY(f->opening));
	json_put_hex(f->act, "x", BYTES_ARRAY(f->x));
}

/* What the act says of a log. */
static inline void forge_act(struct forged *f, struct bytes leaf, struct bytes proof)
{
	json_put_bytes(f->act, "leaf", leaf);
	json_put_bytes(f->act, "proof", proof);
}

/* Both, and the leaf in the log of `from`; waits for the proof. */
static inline void forge_sign(struct home *from, struct home *people_of, struct forged *f, const enum person *who, size_t who_count)
{
	AUTO_STATEMENT *s = NULL;
	uint8_t leaf[LEAF_V1_BYTES];
	AUTO_BUF proof = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	forge_state(people_of, f, who, who_count, &s);
	judge_leaf(s, f->opening, f->x, false, leaf);
	IN(from, record_queue_leaf(from->node, s, f->opening, BYTES_ARRAY(leaf), LEAF_RANK_OWN, "", e));
	slot(from);
	assert_ok(node_proof(from->node, f->hash, &proof, e));
	forge_act(f, BYTES_ARRAY(leaf), buf_bytes(&proof));
}

/* A request in order; the test then changes one thing. */
static inline void forge(struct home *from, struct home *to, struct forged *f)
{
	memset(f, 0, sizeof(*f));
	f->key = from->sign;
	f->frame = frame_of(from, to->code, "preservation-request", sample_body("preservation-request"));
}

#define BY_TWO (const enum person[]){ RANA, ILSE }, 2

/* The letter with these acts, sealed to a home. */
static inline void seal_letter(const char *from, const char *to, json_t *const *acts, size_t count, struct home *sealed_to,
			       struct buf *out)
{
	struct buf text[4];
	struct bytes parts[4];
	struct age_recipient recipient;
	struct letter_pair pair = { 0 };
	struct pair_state last;
	AUTO_BUF plain = { 0 };

	/* In its place, as far as the receiver knows. */
	assert_ok(pair_last(sealed_to->node, from, PAIR_RECEIVED, &last, e));
	pair.n = last.n + 1;
	memcpy(pair.prev, last.head, sizeof(pair.prev));
	if (json_bytes(acts[0], "leaf").len == 0)
		pair.n = 0;
	buf_init(&plain, LETTER_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_init(&text[i], LETTER_BYTES_MAX);
		assert_ok(json_write_canonical(acts[i], &text[i], e));
		parts[i] = buf_bytes(&text[i]);
	}
	assert_ok(letter_write(from, to, &pair, parts, count, &plain, e));
	seal_identity_recipient(sealed_to->seal, &recipient);
	buf_clear(out);
	assert_ok(letter_seal(buf_bytes(&plain), &recipient, out, e));
	for (size_t i = 0; i < count; i++)
		buf_release(&text[i]);
}

/* --- what a home has: to see that nothing changed --------------------------------------------------------------- */

struct stand {
	int64_t requests, statements, leaves, proofs_owed, exhibits;
};

static inline struct stand stand_of(struct home *h)
{
	return (struct stand){ .requests = rows(h, QUERY_request_list), .statements = rows(h, QUERY_statement_all),
			       .leaves = number(h, QUERY_leaf_queue_count), .proofs_owed = number(h, QUERY_proof_out_count) };
}

static inline bool receipt_was_kept(struct home *h, const char *sender, const struct id *id)
{
	struct query *q = store_query(h->node->store, QUERY_receipt_given_get);
	bool found;

	query_bind_text(q, 1, sender);
	query_bind_bytes(q, 2, bytes_from(id->at, ID_BYTES));
	assert_ok(query_row(q, &found, e));
	query_end(q);
	return found;
}

struct verdict {
	unsigned status;
	enum reason reason;      /* of the receipt, or of the call when there is none */
	struct buf envelope;     /* the receipt */
};

/* Brings one sealed letter and reads the receipt. */
static inline void bring(struct home *to, struct bytes sealed, const uint8_t *spki, struct verdict *v)
{
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *s = NULL;
	AUTO_BUF batch = { 0 }, reply = { 0 };
	struct err why;

	buf_init(&batch, LETTER_BATCH_BYTES_MAX);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	buf_init(&v->envelope, ENVELOPE_BYTES_MAX);
	buf_add_field(&batch, sealed);
	v->status = receive_at(to, buf_bytes(&batch), spki, &reply, &why);
	v->reason = why.reason;
	if (v->status != 200)
		return;
	struct reader r = reader_over(buf_bytes(&reply));
	buf_add(&v->envelope, reader_field(&r, ENVELOPE_BYTES_MAX));
	assert_ok(reader_done(&r, "reply", e));
	assert_ok(envelope_parse(buf_bytes(&v->envelope), &env, e));
	assert_true(envelope_signed_by(&env, sign_key_public(to->sign)));
	assert_ok(statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &s, e));
	assert_true(reason_find(json_text(s->body, "reason"), &v->reason));
	assert_int_equal(v->reason == REASON_NONE, bytes_is(json_bytes(s->body, "outcome"), "received"));
	/* A rejection names another channel. */
	assert_int_equal(v->reason == REASON_NONE, json_bytes(s->body, "other_channel").len == 0);
}

/* The letter is rejected for this reason, and the home is as it was, but for at most one statement of that rejection
 * and its leaf (test-rejections.c says when). */
static inline void rejected_as(struct home *to, struct bytes sealed, const uint8_t *spki, enum reason wanted,
			       const char *sender, const struct id *id, int line)
{
	struct stand before = stand_of(to), after;
	struct verdict v;

	bring(to, sealed, spki, &v);
	after = stand_of(to);
	if (v.status != 200 || v.reason != wanted)
		fail_msg("line %d: status %u, %s instead of %s", line, v.status, reason_code(v.reason), reason_code(wanted));
	int64_t stated = after.statements - before.statements;
	assert_true(stated == 0 || (stated == 1 && spki != NULL));
	before.statements += stated;
	before.leaves += stated;
	assert_memory_equal(&before, &after, sizeof(before));
	if (id != NULL)
		assert_false(receipt_was_kept(to, sender, id));
	buf_release(&v.envelope);
}

/* A receipt of this home with the given body, signed by it; the body is taken over. */
static inline void forge_receipt(struct home *by, const char *to, json_t *body, struct buf *out)
{
	struct bytes type = statement_type(kind_find(bytes_of("receipt")));
	json_t *frame = frame_of(by, to, "receipt", body);
	struct envelope_signature sig;
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, 2 * STATEMENT_BYTES_MAX);
	buf_init(out, ENVELOPE_BYTES_MAX);
	assert_ok(json_write_canonical(frame, &payload, e));
	json_decref(frame);
	pae_write(type, buf_bytes(&payload), &pae);
	key_id_write(sign_key_public(by->sign), sig.keyid);
	sign_key_sign(by->sign, buf_bytes(&pae), sig.sig);
	assert_ok(envelope_write_of(type, buf_bytes(&payload), &sig, 1, out, e));
}

#endif
