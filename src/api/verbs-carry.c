/* Verbs about statements, letters by another carrier, and what a package needs. */
#include "api/api-internal.h"

#include "base/limits.h"
#include "base/reader.h"
#include "evidence/verify-proof.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/effect.h"
#include "exchange/exhibit.h"
#include "exchange/outbox.h"
#include "exchange/receive.h"

#define ACTS_MAX 2000

/* The other log's side of a statement: what they sent of ours, what we would send of theirs. */
static bool counterproof_of(struct node *n, const uint8_t *hash, bool own, struct buf *out, struct err *e)
{
	struct err none = { 0 };
	bool found, ok;

	if (!own) {
		if (!node_counterproof(n, hash, out, &none))
			buf_clear(out);
		return true;
	}
	struct query *q = store_query(n->store, QUERY_receipt_get);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found)
		buf_add(out, query_bytes(q, 5));
	query_end(q);
	return ok && buf_check(out, "counterproof", e);
}

static bool is_own(struct node *n, const struct statement *s)
{
	return bytes_is(bytes_of(s->from), node_party(n));
}

bool verb_statement_show(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_ACT *a = NULL;
	AUTO_BUF counter = { 0 };

	buf_init(&counter, NOTE_BYTES_MAX);
	if (!in_hash(c, "hash", hash, e) || !node_act_load(c->node, hash, &a, e) ||
	    !counterproof_of(c->node, hash, is_own(c->node, a->statement), &counter, e))
		return false;
	json_put_bytes(c->out, "act", buf_bytes(&a->json));
	json_put_bytes(c->out, "counterproof", buf_bytes(&counter));
	put_statement_text(c, c->out, a->statement);
	return true;
}

static bool known(struct node *n, const uint8_t *hash, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_statement_by_hash);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	query_end(q);
	return ok && (found || err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this home has no such statement"));
}

/* What the proof is of, so that the file can be checked alone. */
static bool proof_whole(struct node *n, const uint8_t *hash, struct bytes leaf, struct bytes proof, struct buf *out, struct err *e)
{
	struct proof_extra x = { .kind = "" };
	struct record_keys keys;
	AUTO_ACT *a = NULL;

	if (!node_act_load(n, hash, &a, e) || !node_record_keys(n, hash, &keys, e))
		return false;
	memcpy(x.hash, hash, SHA256_BYTES);
	memcpy(x.opening, keys.opening, sizeof(x.opening));
	wipe(&keys, sizeof(keys));
	if (leaf.len != sizeof(x.leaf))
		return err_set(e, ERR_SYSTEM, REASON_MALFORMED, "a leaf of another length");
	memcpy(x.leaf, leaf.at, leaf.len);
	snprintf(x.kind, sizeof(x.kind), "%s", a->statement->kind->name);
	time_write(a->statement->time, x.time);
	bool ok = proof_extra_add(proof, &x, out, e);
	wipe(&x, sizeof(x));
	return ok;
}

bool verb_statement_proof(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF proof = { 0 }, leaf = { 0 }, whole = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	buf_init(&leaf, LEAF_BYTES_MAX);
	buf_init(&whole, 2 * NOTE_BYTES_MAX);
	if (!in_hash(c, "hash", hash, e) || !known(c->node, hash, e) || !node_leaf(c->node, hash, &leaf, e) ||
	    !node_proof(c->node, hash, &proof, e) || !proof_whole(c->node, hash, buf_bytes(&leaf), buf_bytes(&proof), &whole, e))
		return false;
	json_put_bytes(c->out, "proof", buf_bytes(&whole));
	json_put_bytes(c->out, "leaf", buf_bytes(&leaf));
	return true;
}

bool verb_letter_export(struct api_call *c, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF letter = { 0 };

	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	if (!in_hash(c, "hash", hash, e) || !outbox_letter(c->node, hash, &letter, e))
		return false;
	put_base64(c->out, "letter", buf_bytes(&letter));
	return true;
}

/* outcome and reason of a receipt of ours. */
static bool put_receipt(struct api_call *c, struct bytes envelope, struct err *e)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *s = NULL;

	if (!envelope_parse(envelope, &v, e) || !statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &s, e))
		return false;
	json_put_bytes(c->out, "receipt", envelope);
	json_put_bytes(c->out, "outcome", json_bytes(s->body, "outcome"));
	json_put_bytes(c->out, "reason", json_bytes(s->body, "reason"));
	json_put_bytes(c->out, "detail", json_bytes(s->body, "text"));
	json_put_bytes(c->out, "id", json_bytes(s->body, "id"));
	return true;
}

bool verb_letter_import(struct api_call *c, struct err *e)
{
	struct bytes text;
	AUTO_BUF letter = { 0 }, batch = { 0 }, reply = { 0 };

	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	buf_init(&batch, LETTER_BATCH_BYTES_MAX);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	if (!in_text(c, "letter", &text, e))
		return false;
	if (!base64_parse(text, true, &letter))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the letter is not base64, or too large");
	buf_add_field(&batch, buf_bytes(&letter));
	if (!receive_letters(c->node, buf_bytes(&batch), NULL, &reply, e))
		return false;
	struct reader r = reader_over(buf_bytes(&reply));
	return put_receipt(c, reader_field(&r, ENVELOPE_BYTES_MAX), e);
}

bool verb_receipt_import(struct api_call *c, struct err *e)
{
	const char *outcome;
	struct bytes envelope;

	if (!in_text(c, "receipt", &envelope, e) || !outbox_receipt(c->node, envelope, NULL, &outcome, e))
		return false;
	json_put_text(c->out, "outcome", outcome);
	return true;
}

/* --- packages ------------------------------------------------------------------------------------------ */

struct collected {
	size_t count;
	struct {
		uint8_t hash[SHA256_BYTES];
		int64_t time;
	} at[ACTS_MAX];
};

static bool collect(struct node *n, const struct id *request, struct collected *c, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_statement_of_request);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	while ((ok = query_row(q, &found, e)) && found && c->count < ACTS_MAX) {
		/* A receipt has no leaf, and the seals of earlier packages are not part of this one. */
		if (query_bytes(q, 0).len != SHA256_BYTES)
			continue;
		memcpy(c->at[c->count].hash, query_bytes(q, 0).at, SHA256_BYTES);
		c->at[c->count++].time = query_int(q, 6);
	}
	query_end(q);
	return ok;
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = &((const struct { uint8_t h[SHA256_BYTES]; int64_t t; } *)a)->t;
	const int64_t *y = &((const struct { uint8_t h[SHA256_BYTES]; int64_t t; } *)b)->t;

	return *x < *y ? -1 : *x > *y;
}

static bool put_act(struct api_call *c, json_t *list, const uint8_t *hash, struct err *e)
{
	AUTO_ACT *a = NULL;
	AUTO_BUF counter = { 0 };

	buf_init(&counter, NOTE_BYTES_MAX);
	if (!node_act_load(c->node, hash, &a, e))
		return false;
	if (bytes_is(bytes_of(a->statement->kind->name), "custody") && bytes_is(json_bytes(a->statement->body, "act"), "package"))
		return true;
	if (a->statement->kind->leaf && a->proof.len == 0)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "a %s waits for its slot of the log; try again in a moment",
			       a->statement->kind->name);
	if (a->statement->kind->to == TO_PEER && !counterproof_of(c->node, hash, is_own(c->node, a->statement), &counter, e))
		return false;
	json_t *v = json_object();
	json_put_bytes(v, "act", buf_bytes(&a->json));
	json_put_bytes(v, "counterproof", buf_bytes(&counter));
	json_array_append_new(list, v);
	return true;
}

static bool add_pin(void *ctx, const char *party, struct bytes act)
{
	json_array_append_new(ctx, json_string_of(act));
	return true;
}

/* A home that trusts by pins is itself known to the reader by its own entry. */
static bool put_pins(struct api_call *c, json_t *pins, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	if (!directory_pins(c->node, add_pin, pins, e))
		return false;
	/* With a register, or where this home pinned itself too, its entry is there already. */
	if (register_root_fingerprint(c->node->reg) != NULL || register_party(c->node->reg, bytes_of(node_party(c->node))) != NULL)
		return true;
	if (!directory_describe(c->node, hash, e) || !node_act_json(c->node, hash, &act, e))
		return false;
	json_array_append_new(pins, json_string_of(buf_bytes(&act)));
	return true;
}

static bool put_checkpoints(struct api_call *c, json_t *list, struct err *e)
{
	json_t *v = json_object();

	json_put_text(v, "party", node_party(c->node));
	json_put_bytes(v, "note", buf_bytes(&cosigning_proved(c->node)->note));
	json_array_append_new(list, v);
	return true;
}

bool verb_package_data(struct api_call *c, struct err *e)
{
	struct collected *all = calloc(1, sizeof(*all));
	json_t *acts = json_array(), *pins = json_array(), *checkpoints = json_array();
	struct request_row r;
	struct id id;
	AUTO_BUF bundle = { 0 };

	if (all == NULL)
		abort();
	buf_init(&bundle, REGISTER_BYTES_MAX);
	json_put(c->out, "acts", acts);
	json_put(c->out, "pins", pins);
	json_put(c->out, "checkpoints", checkpoints);
	bool ok = in_id(c, "request", &id, e) && node_request(c->node, &id, &r, e) && collect(c->node, &id, all, e) &&
		  (!r.has_preservation || collect(c->node, &r.preservation, all, e));
	if (ok)
		qsort(all->at, all->count, sizeof(all->at[0]), by_time);
	for (size_t i = 0; ok && i < all->count; i++)
		ok = put_act(c, acts, all->at[i].hash, e);
	free(all);
	ok = ok && directory_bundle(c->node, &bundle, e) && put_pins(c, pins, e) && put_checkpoints(c, checkpoints, e) &&
	     verb_exhibit_list(c, e);
	if (!ok)
		return false;
	json_put_bytes(c->out, "bundle", buf_bytes(&bundle));
	json_put_text(c->out, "case", r.case_ref);
	json_put_text(c->out, "party", node_party(c->node));
	json_put_text(c->out, "party_name", config_text(&c->node->config, name));
	return true;
}

bool verb_package_seal(struct api_call *c, struct err *e)
{
	struct custody_event v = { .act = "package", .reason = "sealed for a court", .result = "ok", .name = "tagmanifest-sha256.txt" };
	uint8_t sha256[SHA256_BYTES], hash[SHA256_BYTES];
	struct request_row r;
	int64_t size;
	struct id id;

	if (!in_id(c, "request", &id, e) || !in_hash(c, "sha256", sha256, e) ||
	    !json_must_int(c->in, "size", 0, INT64_MAX, &size, e) || !node_request(c->node, &id, &r, e))
		return false;
	v.sha256 = sha256;
	v.size = (uint64_t)size;
	if (!exhibit_custody(c->node, &id, &id, r.case_ref, &v, hash, e))
		return false;
	put_hash(c->out, "hash", hash);
	return true;
}
