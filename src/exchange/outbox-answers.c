/* What the answer to a batch is worth. A receipt ends a letter's journey, whatever it says, but for what a later
 * attempt can mend: letters before it that are missing, or a proof that is not enough by the register that the other
 * node has. It is believed only when the peer's key signed it for just this letter. */
#include "exchange/outbox-internal.h"

#include "base/clock.h"
#include "base/reader.h"
#include "exchange/effect.h"
#include "exchange/pairs.h"
#include "exchange/pending.h"
#include "exchange/record.h"
#include "log/leaf.h"
#include "register/judge.h"

static bool receipt_known(struct node *n, const uint8_t *hash, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_receipt_get);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

struct letter_row {
	bool found, its, counted, done; /* its: it went to this peer */
};

static bool letter_row(struct node *n, const uint8_t *hash, const char *peer, struct letter_row *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_get);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &ret->found, e);
	ret->its = ok && ret->found && bytes_is(query_bytes(q, 1), peer);
	ret->counted = ret->its && query_int(q, 6) > 0;
	ret->done = ret->its && query_int(q, 4) > 0;
	query_end(q);
	return ok;
}

static bool receipt_store(struct node *n, struct bytes envelope, const uint8_t *hash, const struct statement *r, struct err *e)
{
	int64_t due = 0;
	struct query *q = store_query(n->store, QUERY_receipt_add);

	if (!time_parse(json_bytes(r->body, "proof_due"), &due))
		due = 0; /* a rejection promises none */
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_bytes(q, 2, envelope);
	query_bind_text(q, 3, json_text(r->body, "outcome"));
	query_bind_text(q, 4, json_text(r->body, "reason"));
	query_bind_int(q, 5, r->time);
	query_bind_int(q, 6, due);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool letter_done(struct node *n, const uint8_t *hash, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_outbox_done);

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	query_bind_int(q, 2, clock_now_ms());
	query_bind_text(q, 3, "");
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* A request of ours is delivered, or was rejected by the other node. */
static bool move_request(struct node *n, const struct statement *r, const uint8_t *hash, bool received, struct err *e)
{
	struct request_row row;
	struct id id;
	struct err none = { 0 };

	if (!id_parse(json_bytes(r->body, "id"), &id) || !node_request(n, &id, &row, &none) || row.asked ||
	    memcmp(row.hash, hash, SHA256_BYTES) != 0)
		return true;
	/* An acknowledgement may have overtaken the receipt. */
	if (row.state == LIFE_SENT && !node_move(n, &row, received ? EVENT_RECEIPT : EVENT_REJECTION, r->hash, e))
		return false;
	return received ? effect_delivered(n, &row, r->time, e) : effect_rejected(n, &row, r->hash, e);
}

/* The tag proves that the receiver opened the letter: only who knows x can write it. */
static bool check_tag(struct node *n, const uint8_t *hash, const struct statement *r, struct err *e)
{
	struct record_keys keys;
	uint8_t tag[SHA256_BYTES], told[SHA256_BYTES];

	if (!node_record_keys(n, hash, &keys, e))
		return false;
	leaf_tag(keys.x, LEAF_IN, tag);
	wipe(&keys, sizeof(keys));
	if (!hex_parse(json_bytes(r->body, "tag"), told, sizeof(told)) || !constant_time_equal(BYTES_ARRAY(tag), BYTES_ARRAY(told)))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "a receipt with a wrong tag");
	return true;
}

/* Is it a receipt for us, by a key of the party that it names? */
static bool receipt_judge(struct node *n, const struct envelope *v, const struct statement *r, const struct party **ret, struct err *e)
{
	const struct party *peer;
	size_t k = 0;

	if (!bytes_is(bytes_of(r->kind->name), "receipt") || !bytes_is(bytes_of(r->to), node_party(n)))
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "this is no receipt for us");
	peer = register_party(n->reg, bytes_of(r->from));
	if (peer == NULL)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "a receipt of an unknown party");
	while (k < peer->key_count && !(party_key_valid(peer, peer->keys[k].key, clock_now_ms()) && envelope_signed_by(v, peer->keys[k].key)))
		k++;
	*ret = peer;
	return k < peer->key_count || err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "the receipt is not signed by a key of %s", peer->code);
}

/* The other node took a register first in which the policy of our log is another, or its clock is ahead: nothing is wrong
 * with the statement, and a fresh proof by the same register will do. It has kept no receipt, and judges it again. */
static bool wants_another_proof(const json_t *body)
{
	enum reason reason;

	return reason_find(json_text(body, "reason"), &reason) && judge_wants_another_proof(reason);
}

/* One for a statement of ours: the first counts; one that came again ends the letter's journey too. */
static bool receipt_keep(struct node *n, struct bytes envelope, const struct statement *r, const char *peer, const uint8_t *hash, bool received,
			 bool *ret_proof, struct err *e)
{
	struct letter_row letter;
	bool known;

	if (!letter_row(n, hash, peer, &letter, e) || !receipt_known(n, hash, &known, e))
		return false;
	if (!letter.its)
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "a receipt of %s for a statement that did not go there", peer);
	/* Letters before it are missing there: it comes again after them, and this is no answer to it. */
	if (!received && bytes_is(json_bytes(r->body, "reason"), reason_code(REASON_PAIR_GAP)))
		return pair_fill_gap(n, peer, hash, r->body, envelope, e);
	if (received && letter.counted && !check_tag(n, hash, r, e))
		return false;
	if (!pair_check_receipt(n, peer, hash, r->body, envelope, e))
		return false;
	if (!received && wants_another_proof(r->body)) {
		n->refresh_wanted = *ret_proof = true;
		return true;
	}
	return (known || (receipt_store(n, envelope, hash, r, e) && move_request(n, r, hash, received, e))) &&
	       pending_receipted(n, hash, received, e) && letter_done(n, hash, e);
}

static bool receipt_take(struct node *n, struct bytes envelope, const uint8_t *letter_digest, const char **ret_outcome, bool *ret_proof,
			 struct err *e)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *r = NULL;
	uint8_t hash[SHA256_BYTES], letter[SHA256_BYTES];
	const struct party *peer = NULL;
	bool received;
	struct id id;

	if (!envelope_parse(envelope, &v, e) || !statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &r, e) ||
	    !receipt_judge(n, &v, r, &peer, e))
		return false;
	received = bytes_is(json_bytes(r->body, "outcome"), "received");
	*ret_outcome = received ? "received" : "rejected";
	/* The first receipt comes again for a letter that was sealed anew; its tag shows that they opened it. A rejection
	 * has no tag and is of one sealed letter only. */
	if (!hex_parse(json_bytes(r->body, "letter"), letter, sizeof(letter)) ||
	    (!received && letter_digest != NULL && memcmp(letter, letter_digest, sizeof(letter)) != 0))
		return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH, "the receipt is for another letter");
	if (!hex_parse(json_bytes(r->body, "statement"), hash, sizeof(hash)) || !id_parse(json_bytes(r->body, "id"), &id))
		return true; /* rejected before it could be read: nothing of ours is named */
	return receipt_keep(n, envelope, r, peer->code, hash, received, ret_proof, e);
}

bool outbox_receipt(struct node *n, struct bytes envelope, const uint8_t *letter_digest, const char **ret_outcome, struct err *e)
{
	bool proof;

	return receipt_take(n, envelope, letter_digest, ret_outcome, &proof, e);
}

/* Not the end of the letter, which is tried again later with what the register says then: it was rejected unread (changed
 * on its way, or sealed to a key that is gone, and then the receipt names the letter only), letters before it are missing
 * there, or it wants another proof. */
enum not_yet { UNREAD, PROOF, NOT_YETS };
static const char *const not_yet_words[NOT_YETS] = {
	[UNREAD] = "the other node could not open the letter, or lacks one before it",
	[PROOF] = "the other node wants more witnesses, or fresher ones, than this proof has; the register is fetched and it is tried again",
};

static void come_again(struct outbox_job *again, const struct outbox_job *j, size_t i)
{
	again->seq[again->count++] = j->seq[i];
}

static bool hold_again(struct node *n, struct outbox_job again[static NOT_YETS], const struct outbox_job *j, int64_t now_ms, struct err *e)
{
	for (size_t k = 0; k < NOT_YETS; k++) {
		again[k].what = OUTBOX_LETTERS;
		snprintf(again[k].peer, sizeof(again[k].peer), "%s", j->peer);
		if (again[k].count > 0 && !outbox_hold(n, &again[k], not_yet_words[k], now_ms, e))
			return false;
	}
	return true;
}

static bool answered_letters(struct node *n, struct outbox_job *j, struct bytes body, int64_t now_ms, struct err *e)
{
	struct outbox_job again[NOT_YETS] = { 0 };
	struct reader r = reader_over(body);

	for (size_t i = 0; i < j->count; i++) {
		struct bytes envelope = reader_field(&r, ENVELOPE_BYTES_MAX);
		const char *outcome = "";
		struct err why = { 0 };
		struct letter_row row = { 0 };
		bool proof = false;
		if (!reader_ok(&r) || !receipt_take(n, envelope, j->letter[i], &outcome, &proof, &why))
			return outbox_hold(n, j, reader_ok(&r) ? why.text : "the other node's receipts are malformed", now_ms, e);
		if (!letter_row(n, j->hash[i], j->peer, &row, e))
			return false;
		if (!row.done)
			come_again(&again[proof ? PROOF : UNREAD], j, i);
		j->receipts += row.done;
	}
	return hold_again(n, again, j, now_ms, e);
}

bool outbox_answered(struct node *n, struct outbox_job *j, bool http_ok, unsigned status, struct bytes body,
		     const char *error, int64_t now_ms, struct err *e)
{
	char words[200];

	n->outbox_changed = true;
	if (!http_ok || status != 200) {
		if (http_ok)
			snprintf(words, sizeof(words), "the other node answered with status %u", status);
		else
			snprintf(words, sizeof(words), "%s", error);
		return outbox_hold(n, j, words, now_ms, e);
	}
	if (j->what == OUTBOX_LETTERS)
		return answered_letters(n, j, body, now_ms, e);
	for (size_t i = 0; i < j->count; i++) {
		struct query *q = store_query(n->store, QUERY_proof_out_done);
		query_bind_int(q, 1, j->seq[i]);
		query_bind_int(q, 2, now_ms);
		bool ok = query_run(q, e);
		query_end(q);
		if (!ok || !pending_proved(n, j->hash[i], e))
			return false;
	}
	return true;
}
