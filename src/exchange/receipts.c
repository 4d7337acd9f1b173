/* The receipts of a batch: built from what was decided about each letter, signed in one call of the signer, and kept
 * when the letter was accepted, so that the same letter again gets the same receipt again. */
#include "exchange/receive-internal.h"

#include "base/clock.h"
#include "exchange/signing.h"

static json_t *receipt_body(struct node *n, const struct arrival *a)
{
	json_t *body = json_object();
	char id[ID_TEXT_LEN + 1] = "";
	static const struct id none;
	const uint8_t *statement = a->act != NULL ? a->act->statement->hash : a->named ? a->place.hash : NULL;
	/* A notice has no leaf, and there is no proof to wait for. */
	bool logged = a->ok && a->act->statement->kind->leaf;

	if (a->act != NULL || (a->named && memcmp(a->id.at, none.at, sizeof(none.at)) != 0))
		id_write(a->act != NULL ? &a->act->statement->id : &a->id, id);
	json_put_text(body, "id", id);
	json_put_hex(body, "leaf", bytes_from(a->leaf_hash, logged ? SHA256_BYTES : 0));
	json_put_hex(body, "letter", BYTES_ARRAY(a->digest));
	json_put_text(body, "other_channel", a->ok ? "" : config_text(&n->config, phone));
	json_put_text(body, "outcome", a->ok ? "received" : "rejected");
	json_put_hex(body, "pair_head", bytes_from(a->after.head, a->peer[0] != '\0' ? SHA256_BYTES : 0));
	json_put_int(body, "pair_n", (int64_t)a->after.n);
	if (logged)
		json_put_time(body, "proof_due", clock_now_ms() + config_count(&n->config, proof_within_s) * 1000);
	else
		json_put_text(body, "proof_due", "");
	json_put_text(body, "reason", a->ok ? "none" : reason_code(a->why.reason));
	json_put_hex(body, "statement", bytes_from(statement, statement != NULL ? SHA256_BYTES : 0));
	json_put_hex(body, "tag", bytes_from(a->tag, logged ? SHA256_BYTES : 0));
	json_put_text(body, "text", a->ok ? "" : a->why.text);
	return body;
}

static bool receipt_payload(struct node *n, const struct arrival *a, const char *to, struct buf *out, struct err *e)
{
	AUTO_JSON *body = receipt_body(n, a);
	const struct statement *st = a->act != NULL ? a->act->statement : NULL;
	/* No case: a receipt may have to be published one day (design.md part 10). */
	struct own_statement s = { .kind = "receipt", .to = to, .case_ref = "",
				   .legal_basis = st != NULL ? st->legal_basis : "UNCC", .via = "comity", .body = body };
	struct id id;

	return node_payload(n, &s, &id, out, e);
}

static bool receipt_keep(struct node *n, const struct arrival *a, struct err *e)
{
	const struct statement *s = a->act->statement;
	struct query *q = store_query(n->store, QUERY_receipt_given_add);

	query_bind_text(q, 1, s->from);
	query_bind_bytes(q, 2, bytes_from(s->id.at, ID_BYTES));
	query_bind_bytes(q, 3, bytes_from(s->hash, SHA256_BYTES));
	query_bind_bytes(q, 4, buf_bytes(&a->receipt));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool receipts_sign(struct node *n, struct arrival *all, size_t count, const char *peer, struct err *e)
{
	struct signing_item items[LETTER_BATCH_MAX];
	struct buf payloads[LETTER_BATCH_MAX];
	struct node_signature *signatures = calloc(LETTER_BATCH_MAX, sizeof(*signatures));
	size_t places[LETTER_BATCH_MAX], to_sign = 0;
	bool ok = true;

	if (signatures == NULL)
		abort();
	for (size_t i = 0; ok && i < count; i++) {
		if (all[i].known)
			continue;
		buf_init(&payloads[to_sign], STATEMENT_BYTES_MAX);
		ok = receipt_payload(n, &all[i], peer, &payloads[to_sign], e);
		items[to_sign] = (struct signing_item){ .kind = bytes_of("receipt"), .payload = buf_bytes(&payloads[to_sign]) };
		places[to_sign++] = i;
	}
	ok = ok && (to_sign == 0 || n->signer.sign(n->signer.ctx, items, to_sign, signatures, e));
	for (size_t j = 0; ok && j < to_sign; j++) {
		struct arrival *a = &all[places[j]];
		struct envelope_signature es;
		key_id_write(n->identity.sign, es.keyid);
		memcpy(es.sig, signatures[j].signature, sizeof(es.sig));
		ok = signatures[j].ok || (e != NULL && (*e = signatures[j].e, false));
		ok = ok && envelope_write_of(statement_type(kind_find(items[j].kind)), items[j].payload, &es, 1, &a->receipt, e) &&
		     (!a->ok || receipt_keep(n, a, e));
	}
	for (size_t j = 0; j < to_sign; j++)
		buf_release(&payloads[j]);
	free(signatures);
	return ok;
}
