/* The secretariat's side of the register: roots that its key holders signed elsewhere, entries that
 * parties made and the secretariat admits, and snapshots of what there is. What it publishes it first
 * takes into use itself, through the same verification as everybody else (arts 40(12), 41(2), 58). */
#include "exchange/cell.h"
#include "exchange/directory.h"

#include "base/clock.h"
#include "base/limits.h"

/* Roots are kept as a JSON array of envelopes, version 1 first. */
#define CELL_ROOTS "register-roots"
#define ROOTS_BYTES_MAX (1 * MIB)

static bool roots_load(struct node *n, json_t **ret, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, ROOTS_BYTES_MAX);
	if (!cell_get(n, CELL_ROOTS, &text, e))
		return false;
	if (text.len == 0) {
		*ret = json_array();
		return true;
	}
	return json_parse(buf_bytes(&text), "stored roots", ret, e);
}

bool directory_root(struct node *n, struct bytes envelope, int64_t *ret_version, uint8_t ret_fingerprint[static 32],
		    struct err *e)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *st = NULL;
	AUTO_JSON *roots = NULL;
	AUTO_BUF text = { 0 };
	json_t *parsed;

	buf_init(&text, ROOTS_BYTES_MAX);
	if (!envelope_parse(envelope, &v, e) || !roots_load(n, &roots, e))
		return false;
	if (!statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &st, e))
		return false;
	if (!bytes_is(bytes_of(st->kind->name), "register-root"))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "this is a %s, not a trust root", st->kind->name);
	*ret_version = json_int(st->body, "version");
	if (*ret_version != (int64_t)json_array_size(roots) + 1)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the next root has version %zu, this one %lld",
			       json_array_size(roots) + 1, (long long)*ret_version);
	if (!json_parse(envelope, "root", &parsed, e))
		return false;
	json_array_append_new(roots, parsed);
	if (!json_write_canonical(roots, &text, e) || !buf_check(&text, "roots", e))
		return false;
	memcpy(ret_fingerprint, v.hash, SHA256_BYTES);
	return cell_put(n, CELL_ROOTS, buf_bytes(&text), e);
}

bool directory_admit(struct node *n, struct bytes act, uint8_t ret_hash[static 32], struct err *e)
{
	AUTO_ACT *a = NULL;
	struct register_ *alone = register_new();
	struct own_statement s = { .kind = "register-entry", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity" };

	if (!act_parse(act, &a, e))
		return register_free(alone), false;
	/* The party's own signature shows that it holds the keys; that it is the party, people established. */
	bool ok = register_pin(alone, act, a->statement->hash, e);
	register_free(alone);
	if (!ok)
		return err_note(e, "the entry is not signed by its own keys");
	s.body = json_incref((json_t *)(uintptr_t)a->statement->body);
	ok = node_state(n, &s, ret_hash, e);
	json_decref(s.body);
	return ok;
}

/* The newest entry of each party, oldest party first: acts with proofs, and their hashes. */
struct entries {
	size_t count;
	struct buf acts[PARTIES_MAX];
	char codes[PARTIES_MAX][PARTY_CODE_LEN_MAX + 1];
	uint8_t hashes[PARTIES_MAX][SHA256_BYTES];
};

static void entries_free(struct entries *x)
{
	for (size_t i = 0; i < x->count; i++)
		buf_release(&x->acts[i]);
	free(x);
}

static bool entries_put(struct node *n, struct entries *x, const uint8_t *hash, struct err *e)
{
	struct act *a;
	size_t at = 0;

	if (!node_act_load(n, hash, &a, e))
		return false;
	const char *code = json_text(a->statement->body, "code");
	while (at < x->count && !bytes_is(bytes_of(code), x->codes[at]))
		at++;
	bool ok = at < PARTIES_MAX || err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u parties", PARTIES_MAX);
	if (ok && a->proof.len == 0)
		ok = err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "the entry of %s is not under a checkpoint yet; try again after the slot", code);
	if (ok) {
		if (at == x->count) {
			buf_init(&x->acts[at], LETTER_BYTES_MAX);
			snprintf(x->codes[at], sizeof(x->codes[at]), "%s", code);
			x->count++;
		}
		buf_clear(&x->acts[at]);
		buf_add(&x->acts[at], buf_bytes(&a->json));
		memcpy(x->hashes[at], hash, SHA256_BYTES);
	}
	act_free(a);
	return ok;
}

static bool entries_load(struct node *n, struct entries *x, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_entry_list);
	size_t count = 0, room = 4 * PARTIES_MAX;
	uint8_t(*all)[SHA256_BYTES] = calloc(room, sizeof(*all));
	bool found, ok;

	if (all == NULL)
		abort();
	while ((ok = query_row(q, &found, e)) && found && count < room)
		if (query_bytes(q, 0).len == SHA256_BYTES)
			memcpy(all[count++], query_bytes(q, 0).at, SHA256_BYTES);
	query_end(q);
	for (size_t i = 0; ok && i < count; i++)
		ok = entries_put(n, x, all[i], e);
	free(all);
	return ok;
}

static bool snapshot_make(struct node *n, const struct entries *x, const struct checkpoint *c, struct buf *out, struct err *e)
{
	AUTO_JSON *body = json_object();
	json_t *list = json_array();
	struct own_statement s = { .kind = "register-snapshot", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity",
				   .body = body };
	struct node_signature sig;
	struct envelope_signature es;
	struct signing_item item = { .kind = bytes_of(s.kind) };
	struct id id;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	for (size_t i = 0; i < x->count; i++) {
		char hex[2 * SHA256_BYTES + 1];
		hex_write(bytes_from(x->hashes[i], SHA256_BYTES), hex);
		json_array_append_new(list, json_string(hex));
	}
	json_put(body, "entries", list);
	json_put_text(body, "origin", c->origin);
	json_put_hex(body, "root", BYTES_ARRAY(c->root));
	json_put_int(body, "size", (int64_t)c->size);
	json_put_time(body, "time", clock_now_ms());
	if (!node_payload(n, &s, &id, &payload, e))
		return false;
	item.payload = buf_bytes(&payload);
	if (!n->signer.sign(n->signer.ctx, &item, 1, &sig, e))
		return false;
	if (!sig.ok) {
		*e = sig.e;
		return false;
	}
	key_id_write(n->identity.sign, es.keyid);
	memcpy(es.sig, sig.signature, sizeof(es.sig));
	return envelope_write_of(statement_type(kind_find(item.kind)), item.payload, &es, 1, out, e);
}

static bool bundle_make(struct node *n, struct entries *x, struct buf *bundle, uint64_t *ret_size, struct err *e)
{
	struct bytes roots[16], acts[PARTIES_MAX];
	struct buf root_text[16];
	AUTO_JSON *list = NULL;
	AUTO_BUF snapshot = { 0 };
	size_t root_count = 0;
	bool ok;

	buf_init(&snapshot, ENVELOPE_BYTES_MAX);
	/* The entries' proofs are all under the checkpoint that the node holds now. */
	ok = roots_load(n, &list, e) && entries_load(n, x, e) && snapshot_make(n, x, &n->checkpoint, &snapshot, e);
	for (size_t i = 0; ok && i < json_array_size(list) && i < 16; i++) {
		buf_init(&root_text[i], ENVELOPE_BYTES_MAX);
		root_count++;
		ok = json_write_canonical(json_array_get(list, i), &root_text[i], e);
		roots[i] = buf_bytes(&root_text[i]);
	}
	for (size_t i = 0; ok && i < x->count; i++)
		acts[i] = buf_bytes(&x->acts[i]);
	ok = ok && register_bundle_write(roots, root_count, buf_bytes(&snapshot), buf_bytes(&n->note), acts, x->count, bundle, e);
	for (size_t i = 0; i < root_count; i++)
		buf_release(&root_text[i]);
	if (ok)
		*ret_size = n->checkpoint.size;
	return ok;
}

bool directory_publish(struct node *n, size_t *ret_entries, uint64_t *ret_size, struct err *e)
{
	struct entries *x = calloc(1, sizeof(*x));
	AUTO_BUF bundle = { 0 }, problems = { 0 };

	if (x == NULL)
		abort();
	buf_init(&bundle, REGISTER_BYTES_MAX);
	buf_init(&problems, 64 * KIB);
	bool ok = bundle_make(n, x, &bundle, ret_size, e) && directory_take(n, buf_bytes(&bundle), ret_entries, &problems, e);
	/* What others would leave out is not published. */
	if (ok && problems.len > 0)
		ok = err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%.300s", buf_text(&problems));
	entries_free(x);
	return ok;
}
