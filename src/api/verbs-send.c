/* For other systems of the authority: many statements in one call, prepared and approved by them. Nothing is
 * left out for the sake of speed: each is checked like a draft that is sent, and the signer verifies its
 * approvals by itself. */
#include "api/api-internal.h"

#include "base/limits.h"
#include "exchange/draft.h"

struct items {
	struct act_item at[LETTER_BATCH_MAX];
	struct buf payloads[LETTER_BATCH_MAX];
	struct bytes approvals[LETTER_BATCH_MAX][ACT_APPROVALS_MAX];
	size_t count;
};

static bool read_item(const json_t *v, struct act_item *item, struct buf *payload, struct bytes *approvals, struct err *e)
{
	const json_t *list = json_object_get(v, "approvals");

	if (json_array_size(list) > ACT_APPROVALS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u approvals", ACT_APPROVALS_MAX);
	if (!base64_parse(json_bytes(v, "payload"), true, payload))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "payload is not base64 of at most %u bytes", STATEMENT_BYTES_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		if (!json_is_string(one))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "approvals[%zu] is no text", i);
		approvals[i] = bytes_from(json_string_value(one), json_string_length(one));
	}
	*item = (struct act_item){ .kind = json_bytes(v, "kind"), .payload = buf_bytes(payload), .approvals = approvals,
				   .approval_count = json_array_size(list) };
	return true;
}

static bool read_items(const struct api_call *c, struct items *all, struct err *e)
{
	const json_t *list = json_object_get(c->in, "items");

	if (!json_is_array(list) || json_array_size(list) > LETTER_BATCH_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "items is no list of at most %u", LETTER_BATCH_MAX);
	for (; all->count < json_array_size(list); all->count++) {
		size_t i = all->count;
		buf_init(&all->payloads[i], STATEMENT_BYTES_MAX);
		if (!read_item(json_array_get(list, i), &all->at[i], &all->payloads[i], all->approvals[i], e)) {
			buf_release(&all->payloads[i]);
			return err_note(e, "items[%zu]", i);
		}
	}
	return true;
}

static void put_result(json_t *list, const struct act_item *item)
{
	json_t *v = json_object();

	json_put_bool(v, "ok", item->ok);
	json_put_hex(v, "hash", bytes_from(item->hash, item->ok ? SHA256_BYTES : 0));
	json_put_text(v, "reason", item->ok ? "none" : reason_code(item->e.reason));
	json_put_text(v, "detail", item->ok ? "" : item->e.text);
	if (json_array_append_new(list, v) != 0)
		abort();
}

/* How many letters have no receipt yet, so that the caller can hold back. */
static bool put_waiting(struct api_call *c, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_outbox_count);
	bool found, ok = query_row(q, &found, e);

	if (ok)
		json_put_int(c->out, "waiting", found ? query_int(q, 0) : 0);
	query_end(q);
	return ok;
}

bool verb_statement_send(struct api_call *c, struct err *e)
{
	struct items *all = calloc(1, sizeof(*all));
	json_t *results = json_array();

	if (all == NULL)
		abort();
	json_put(c->out, "results", results);
	bool ok = read_items(c, all, e) && draft_send_all(c->node, all->at, all->count, e);
	for (size_t i = 0; i < all->count; i++) {
		if (ok)
			put_result(results, &all->at[i]);
		buf_release(&all->payloads[i]);
	}
	free(all);
	return ok && put_waiting(c, e);
}
