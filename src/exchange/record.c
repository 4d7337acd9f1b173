/* How acts are kept: one record per statement, encrypted under its own key, which is the only thing
 * that has to be destroyed to erase it (crypto.md 3.6). Opening and cross-log secret derive from the
 * same key, so erasing leaves nothing that could reopen the leaf. */
#include "exchange/record.h"

#include "base/clock.h"
#include "base/limits.h"
#include "log/leaf.h"
#include "store/record.h"

void record_keys_derive(const uint8_t key[static 32], struct record_keys *ret)
{
	struct bytes k = bytes_from(key, 32), none = { NULL, 0 };

	hkdf_sha256(k, none, "comity/record/open", ret->opening, sizeof(ret->opening));
	hkdf_sha256(k, none, "comity/record/xlog", ret->x, sizeof(ret->x));
	hkdf_sha256(k, none, "comity/record/store", ret->store, sizeof(ret->store));
}

/* Erased, or a key that is not there because an older key backup was restored: the sentence says which. */
static bool key_is_gone(struct node *n, const uint8_t *hash, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_erased_when);
	char day[TIME_TEXT_LEN + 1];
	int64_t when = 0;
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found)
		when = query_int(q, 0);
	query_end(q);
	if (!ok)
		return false;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no such statement, or its key is gone: it cannot be read");
	time_write(when, day);
	return err_set(e, ERR_NOT_FOUND, REASON_ERASED, "this statement was erased on %.10s: its leaf and its hash are what is left", day);
}

bool node_record_keys(struct node *n, const uint8_t hash[static 32], struct record_keys *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_record_key_get);
	bool found;

	query_bind_bytes(q, 1, bytes_from(hash, 32));
	if (!query_row(q, &found, e))
		return query_end(q), false;
	struct bytes key = found ? query_bytes(q, 0) : bytes_of(NULL);
	if (key.len != 32) {
		query_end(q);
		return key_is_gone(n, hash, e);
	}
	record_keys_derive(key.at, ret);
	query_end(q);
	return true;
}

/* Draws the key of a new record and stores it; the key store commits before the main one. */
bool record_new(struct node *n, const uint8_t hash[static 32], struct record_keys *ret, struct err *e)
{
	uint8_t key[32];
	struct query *q = store_query(n->store, QUERY_record_key_add);

	chance_fill(key, sizeof(key));
	record_keys_derive(key, ret);
	query_bind_bytes(q, 1, bytes_from(hash, 32));
	query_bind_bytes(q, 2, BYTES_ARRAY(key));
	bool ok = query_run(q, e);
	query_end(q);
	wipe(key, sizeof(key));
	return ok;
}

bool record_put(struct node *n, const struct record_head *h, const struct record_keys *keys, struct bytes act_json,
		struct err *e)
{
	AUTO_BUF sealed = { 0 };
	struct query *q = store_query(n->store, QUERY_statement_add);

	buf_init(&sealed, LETTER_BYTES_MAX + KIB);
	if (!record_seal(keys->store, h->hash, act_json, &sealed, e))
		return false;
	query_bind_bytes(q, 1, bytes_from(h->id.at, ID_BYTES));
	query_bind_text(q, 2, h->sender);
	query_bind_text(q, 3, h->addressee);
	query_bind_text(q, 4, h->kind);
	query_bind_bytes(q, 5, bytes_from(h->hash, 32));
	query_bind_int(q, 6, h->own ? 1 : 0);
	if (h->request != NULL)
		query_bind_bytes(q, 7, bytes_from(h->request->at, ID_BYTES));
	else
		query_bind_null(q, 7);
	query_bind_text(q, 8, h->case_ref);
	query_bind_int(q, 9, h->time);
	query_bind_int(q, 10, h->arrived);
	query_bind_bytes(q, 11, buf_bytes(&sealed));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool record_get(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	struct record_keys keys;
	bool found;

	if (!node_record_keys(n, hash, &keys, e))
		return false;
	struct query *q = store_query(n->store, QUERY_statement_sealed);
	query_bind_bytes(q, 1, bytes_from(hash, 32));
	if (!query_row(q, &found, e))
		return query_end(q), false;
	bool ok = found ? record_open(keys.store, hash, query_bytes(q, 0), out, e)
			: err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no such statement");
	query_end(q);
	wipe(&keys, sizeof(keys));
	return ok;
}

bool record_queue_leaf(struct node *n, const struct statement *s, const uint8_t opening[static 32], struct bytes leaf,
		       enum leaf_rank rank, const char *peer, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_leaf_queue_add);
	uint8_t salt[32];
	char week[16];

	leaf_class_salt(opening, salt);
	time_write_week(s->time, week);
	query_bind_bytes(q, 1, bytes_from(s->hash, 32));
	query_bind_bytes(q, 2, leaf);
	query_bind_int(q, 3, (int64_t)rank);
	query_bind_text(q, 4, peer);
	query_bind_bytes(q, 5, BYTES_ARRAY(salt));
	query_bind_text(q, 6, s->kind->act_class);
	query_bind_text(q, 7, s->legal_basis);
	query_bind_text(q, 8, week);
	query_bind_int(q, 9, s->exercise ? 1 : 0);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* The act is canonical JSON with members in this order: approvals, envelope, leaf, opening, proof, x.
 * What follows the proof has a fixed length, so the empty proof is found from the end without parsing
 * ten kilobytes again for every letter. Base64 in the envelope cannot imitate it. */
static const char proof_empty[] = "\"proof\":\"\",\"x\":\"";
#define PROOF_TAIL (sizeof(proof_empty) - 1 + 64 + 2)

bool record_lacks_proof(struct bytes act_json)
{
	return act_json.len > PROOF_TAIL &&
	       bytes_starts(bytes_slice(act_json, act_json.len - PROOF_TAIL, PROOF_TAIL), proof_empty);
}

bool record_with_proof(struct bytes act_json, struct bytes proof, struct buf *out, struct err *e)
{
	if (!record_lacks_proof(act_json))
		return err_set(e, ERR_SYSTEM, REASON_MALFORMED, "a stored act has no empty proof to fill");
	size_t head = act_json.len - PROOF_TAIL + strlen("\"proof\":\"");
	buf_add(out, bytes_slice(act_json, 0, head));
	for (size_t i = 0; i < proof.len; i++) {
		if (proof.at[i] == '\n')
			buf_add_text(out, "\\n");
		else
			buf_add_u8(out, proof.at[i]);
	}
	buf_add(out, bytes_slice(act_json, head, act_json.len - head));
	return buf_check(out, "act with its proof", e);
}
