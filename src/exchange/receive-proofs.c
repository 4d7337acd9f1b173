/* Proofs: the other log's side of what we sent, and the full proofs of what came proof-pending. Each is judged against the statement that it is about, with the
 * addressee's log key, and counts once. */
#include "exchange/receive.h"

#include "base/clock.h"
#include "exchange/directory.h"
#include "exchange/pending.h"
#include "exchange/record.h"
#include "register/judge.h"
#include "seal/age.h"

/* A proof may overtake the receipt that it belongs to, on another connection: then it has to come again. */
static bool proof_store(struct node *n, const uint8_t *hash, struct bytes text, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_receipt_get);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	query_end(q);
	if (!ok || !found)
		return ok && err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "the receipt of this statement is not here yet; try again");
	q = store_query(n->store, QUERY_receipt_proof);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_bytes(q, 2, text);
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* What our statement's leaf in their log commits to: hash, class record and cross-log secret. */
struct sent {
	struct act act;
	struct statement statement;
	char to[PARTY_CODE_LEN_MAX + 1], basis[16];
};

static bool sent_find(struct node *n, const uint8_t *hash, struct sent *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_class);
	struct record_keys keys;
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		bytes_text(query_bytes(q, 0), ret->to, sizeof(ret->to));
		bytes_text(query_bytes(q, 2), ret->basis, sizeof(ret->basis));
		ret->statement = (struct statement){ .kind = kind_find(query_bytes(q, 1)), .to = ret->to, .legal_basis = ret->basis,
						     .exercise = node_exercise(n), .time = query_int(q, 3) };
	}
	query_end(q);
	if (!ok || !found || ret->statement.kind == NULL)
		return ok && err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "a proof for a statement that this home did not send");
	memcpy(ret->statement.hash, hash, SHA256_BYTES);
	if (!node_record_keys(n, hash, &keys, e))
		return false;
	memcpy(ret->act.x, keys.x, sizeof(ret->act.x));
	wipe(&keys, sizeof(keys));
	ret->act.statement = &ret->statement;
	return true;
}

/* The statement itself is not read again: what the proof must rebuild stands in the outbox. */
static bool proof_take(struct node *n, const struct party *peer, const json_t *v, struct err *e)
{
	struct counterproof c = { 0 };
	struct judgement j;
	struct sent *s = calloc(1, sizeof(*s));
	AUTO_BUF text = { 0 };

	if (s == NULL)
		abort();
	buf_init(&text, NOTE_BYTES_MAX);
	/* Of a statement of theirs: the full proof of a letter that came proof-pending. */
	bool full = false, ok = counterproof_parse_json(v, &c, e) && pending_full_proof(n, peer->code, &c, &full, e);
	/* Its members are part of canonical JSON: written again, it is what came. */
	ok = ok && (full || (sent_find(n, c.hash, s, e) &&
			     judge_counterproof(&s->act, &c, n->reg, peer, clock_now_ms(), n->checkpoints, &j, e) &&
			     json_write_canonical(v, &text, e) && proof_store(n, c.hash, buf_bytes(&text), e)));
	counterproof_release(&c);
	wipe(s->act.x, sizeof(s->act.x));
	free(s);
	return ok;
}

bool receive_proofs(struct node *n, struct bytes body, const uint8_t *spki, struct err *e)
{
	const struct party *peer = spki != NULL ? register_party_by_tls(n->reg, spki) : NULL;
	struct secret *key = NULL;
	size_t header = 0;
	AUTO_JSON *v = NULL;
	AUTO_BUF plain = { 0 };

	buf_init(&plain, LETTER_BATCH_BYTES_MAX);
	if (peer == NULL)
		return err_set(e, ERR_FORBIDDEN, REASON_UNKNOWN_KEY, "unknown peer");
	if (!age_header_length(body, &header, e))
		return false;
	if (header == 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "proofs are cut inside their header");
	struct bytes head = bytes_slice(body, 0, header);
	if (!n->signer.unwrap(n->signer.ctx, &head, 1, &key, e))
		return false;
	bool ok = key != NULL ? age_payload_open(key, bytes_slice(body, header, body.len - header), &plain, e)
			      : err_set(e, ERR_REJECTED, REASON_NOT_SEALED_TO_US, "proofs are not sealed to this node");
	secret_free(key);
	ok = ok && json_parse_canonical(buf_bytes(&plain), "proofs", &v, e);
	json_t *list = ok ? json_object_get(v, "proofs") : NULL;
	if (ok && (!json_is_array(list) || json_array_size(list) > 256))
		ok = err_set(e, ERR_INPUT, REASON_MALFORMED, "proofs are no list of at most 256");
	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		struct err why = { 0 };
		/* One for a statement that we know nothing of (any more) must not keep the others away. */
		if (proof_take(n, peer, json_array_get(list, i), &why) || why.kind == ERR_NOT_FOUND)
			continue;
		ok = false;
		/* It comes again, and is judged by the newest register then. */
		n->refresh_wanted = n->refresh_wanted || (judge_wants_another_proof(why.reason) && directory_may_be_behind(n, clock_now_ms()));
		if (e != NULL)
			*e = why;
	}
	return ok;
}
