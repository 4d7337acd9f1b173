/* The secretariat's side of the register: roots that its key holders signed elsewhere, entries that
 * parties made and the secretariat admits, and snapshots of what there is. What it publishes it first
 * takes into use itself, through the same verification as everybody else (arts 40(12), 41(2), 58). */
#include "exchange/cell.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"

#include "base/clock.h"
#include "base/limits.h"

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
	uint8_t first[SHA256_BYTES];
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
	/* As everybody will verify them: what does not follow would stop every later publication. */
	if (!register_roots_check(roots, hex_parse(bytes_of(config_text(&n->config, trust_root)), first, sizeof(first)) ? first : NULL,
				  clock_now_ms(), e))
		return false;
	if (!json_write_canonical(roots, &text, e) || !buf_check(&text, "roots", e))
		return false;
	memcpy(ret_fingerprint, v.hash, SHA256_BYTES);
	return cell_put(n, CELL_ROOTS, buf_bytes(&text), e);
}

static bool share_nothing(const struct party *p, const struct party *other, struct err *e)
{
	const char *what = strcmp(p->code, other->code) == 0 ? NULL : party_shares_key(p, other);

	return what == NULL || err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the %s of %s is one of %s: whose it is must be settled first",
				       what, p->code, other->code);
}

/* Against the register in use, and against what was admitted and waits to be published: of two entries that share a
 * key everybody would leave out both. Newest first, because only the newest entry of a party counts. */
static bool shares_no_key(struct node *n, const struct party *p, struct err *e)
{
	uint8_t(*hashes)[SHA256_BYTES] = NULL;
	AUTO_JSON *seen = json_object();
	size_t count = 0;
	bool ok;

	for (size_t i = 0; i < register_count(n->reg); i++)
		if (!share_nothing(p, register_at(n->reg, i), e))
			return false;
	ok = directory_entries(n, &hashes, &count, e);
	for (size_t i = count; ok && i-- > 0;) {
		struct party *other = NULL;
		AUTO_ACT *a = NULL;
		const char *code;

		ok = node_act_load(n, hashes[i], &a, e);
		if (!ok)
			break;
		code = json_text(a->statement->body, "code");
		if (json_bool(seen, code) || !party_from_json(a->statement->body, &other, NULL))
			continue;
		json_put_bool(seen, code, true);
		ok = share_nothing(p, other, e);
		party_free(other);
	}
	free(hashes);
	return ok;
}

/* The newest entry of this party that was admitted, published or not; NULL: none. */
static bool newest_entry(struct node *n, const char *code, struct party **ret, struct err *e)
{
	uint8_t(*hashes)[SHA256_BYTES] = NULL;
	size_t count = 0;
	bool ok = directory_entries(n, &hashes, &count, e);

	*ret = NULL;
	for (size_t i = count; ok && i-- > 0 && *ret == NULL;) {
		AUTO_ACT *a = NULL;

		ok = node_act_load(n, hashes[i], &a, e) && (strcmp(json_text(a->statement->body, "code"), code) != 0 ||
							    party_from_json(a->statement->body, ret, e));
	}
	free(hashes);
	return ok;
}

static bool has_retired(const struct party *p, const struct note_key *k)
{
	for (size_t i = 0; i < p->retired_count; i++)
		if (note_key_same(&p->retired[i].log_key, k))
			return true;
	return false;
}

/* A log is retired when another takes its place, once, and for good: an entry neither retires a log that was not the
 * party's, nor takes one back, nor ends one later than now. */
static bool retired_fits(struct node *n, const struct party *p, struct err *e)
{
	struct party *before;
	size_t expected;
	bool ok;

	if (!newest_entry(n, p->code, &before, e))
		return false;
	expected = before == NULL ? 0 : before->retired_count;
	if (before != NULL && !note_key_same(&p->log_key, &before->log_key) && p->retired_count > 0)
		expected++;
	ok = p->retired_count == expected;
	for (size_t i = 0; ok && before != NULL && i < before->retired_count; i++)
		ok = has_retired(p, &before->retired[i].log_key) &&
		     memcmp(p->retired[i].root, before->retired[i].root, SHA256_BYTES) == 0 &&
		     p->retired[i].size == before->retired[i].size && p->retired[i].at == before->retired[i].at;
	if (ok && before != NULL && expected > before->retired_count)
		ok = has_retired(p, &before->log_key) && p->retired[expected - 1].at <= clock_now_ms() + REGISTER_AHEAD_MS;
	party_free(before);
	return ok || err_set(e, ERR_REJECTED, REASON_BAD_REGISTER,
			     "the entry of %s retires a log that was not the one in its last entry, or changes what was retired before",
			     p->code);
}

bool directory_admit(struct node *n, struct bytes act, uint8_t ret_hash[static 32], struct err *e)
{
	AUTO_ACT *a = NULL;
	struct register_ *alone = register_new();
	struct own_statement s = { .kind = "register-entry", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity" };

	if (!act_parse(act, &a, e))
		return register_free(alone), false;
	/* The party's own signature shows that it holds the keys; that it is the party, people established. */
	bool ok = register_pin(alone, act, a->statement->hash, e) ||
		  err_note(e, "the entry is not signed by its own keys");
	ok = ok && shares_no_key(n, register_at(alone, 0), e) && retired_fits(n, register_at(alone, 0), e);
	register_free(alone);
	if (!ok)
		return false;
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
	/* All policies, oldest first: those of before are needed to judge what was said then. */
	size_t policy_count;
	struct buf policies[POLICIES_MAX];
	uint8_t policy_hashes[POLICIES_MAX][SHA256_BYTES];
};

static void entries_free(struct entries *x)
{
	for (size_t i = 0; i < x->count; i++)
		buf_release(&x->acts[i]);
	for (size_t i = 0; i < x->policy_count; i++)
		buf_release(&x->policies[i]);
	free(x);
}

/* Not under the proved checkpoint: it waits for the slot, or for witnesses. */
static bool not_proved(const struct node *n, const char *what, const char *code, struct err *e)
{
	AUTO_BUF missing = { 0 };

	buf_init(&missing, 8 * KIB);
	if (cosigning_missing(n, &missing))
		return err_set(e, ERR_UNAVAILABLE, REASON_UNDER_WITNESSED,
			       "%s %s is not under a checkpoint with enough cosignatures yet; missing: %.200s", what, code, buf_text(&missing));
	return err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "%s %s is not under a checkpoint yet; try again after the slot", what, code);
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
		ok = not_proved(n, "the entry of", code, e);
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

static bool policies_put(struct node *n, struct entries *x, const uint8_t *hash, struct err *e)
{
	AUTO_ACT *a = NULL;

	if (!node_act_load(n, hash, &a, e))
		return false;
	if (x->policy_count == POLICIES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u policies", POLICIES_MAX);
	if (a->proof.len == 0)
		return not_proved(n, "the policy for", json_text(a->statement->body, "party"), e);
	buf_init(&x->policies[x->policy_count], LETTER_BYTES_MAX);
	buf_add(&x->policies[x->policy_count], buf_bytes(&a->json));
	memcpy(x->policy_hashes[x->policy_count++], hash, SHA256_BYTES);
	return true;
}

static bool policies_load(struct node *n, struct entries *x, struct err *e)
{
	uint8_t(*all)[SHA256_BYTES];
	size_t count;
	bool ok = true;

	if (!directory_policies(n, &all, &count, e))
		return false;
	for (size_t i = 0; ok && i < count; i++)
		ok = policies_put(n, x, all[i], e);
	free(all);
	return ok;
}

static bool entries_load(struct node *n, struct entries *x, struct err *e)
{
	uint8_t(*all)[SHA256_BYTES];
	size_t count;
	bool ok = true;

	if (!directory_entries(n, &all, &count, e))
		return false;
	for (size_t i = 0; ok && i < count; i++)
		ok = entries_put(n, x, all[i], e);
	free(all);
	return ok;
}

static json_t *hex_list(uint8_t (*hashes)[SHA256_BYTES], size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char hex[2 * SHA256_BYTES + 1];

		hex_write(bytes_from(hashes[i], SHA256_BYTES), hex);
		if (json_array_append_new(list, json_string(hex)) != 0)
			abort();
	}
	return list;
}

static bool snapshot_make(struct node *n, struct entries *x, const struct checkpoint *c, struct buf *out, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "register-snapshot", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity",
				   .body = body };
	struct node_signature sig;
	struct envelope_signature es;
	struct signing_item item = { .kind = bytes_of(s.kind) };
	struct id id;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	json_put(body, "entries", hex_list(x->hashes, x->count));
	json_put_text(body, "origin", c->origin);
	if (x->policy_count > 0)
		json_put(body, "policies", hex_list(x->policy_hashes, x->policy_count));
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
	struct bytes acts[PARTIES_MAX + POLICIES_MAX], *roots;
	struct buf *root_text;
	AUTO_JSON *list = NULL;
	AUTO_BUF snapshot = { 0 };
	size_t root_count;
	bool ok;

	buf_init(&snapshot, ENVELOPE_BYTES_MAX);
	if (!roots_load(n, &list, e))
		return false;
	root_count = json_array_size(list);
	roots = calloc(root_count + 1, sizeof(*roots));
	root_text = calloc(root_count + 1, sizeof(*root_text));
	if (roots == NULL || root_text == NULL)
		abort();
	/* The proofs of entries and policies are all under the proved checkpoint. */
	const struct proved *proved = cosigning_proved(n);
	ok = entries_load(n, x, e) && policies_load(n, x, e) && snapshot_make(n, x, &proved->checkpoint, &snapshot, e);
	for (size_t i = 0; ok && i < root_count; i++) {
		buf_init(&root_text[i], ENVELOPE_BYTES_MAX);
		ok = json_write_canonical(json_array_get(list, i), &root_text[i], e) && buf_check(&root_text[i], "trust root", e);
		roots[i] = buf_bytes(&root_text[i]);
	}
	for (size_t i = 0; ok && i < x->count; i++)
		acts[i] = buf_bytes(&x->acts[i]);
	for (size_t i = 0; ok && i < x->policy_count; i++)
		acts[x->count + i] = buf_bytes(&x->policies[i]);
	ok = ok && register_bundle_write(roots, root_count, buf_bytes(&snapshot), buf_bytes(&proved->note), acts, x->count + x->policy_count, bundle, e) &&
	     buf_check(bundle, "the register's bundle", e);
	for (size_t i = 0; i < root_count; i++)
		buf_release(&root_text[i]);
	free(root_text);
	free(roots);
	if (ok)
		*ret_size = proved->checkpoint.size;
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
	bool ok = bundle_make(n, x, &bundle, ret_size, e) && directory_take_ours(n, buf_bytes(&bundle), ret_entries, &problems, e);
	/* What others would leave out is not published. */
	for (size_t i = 0; ok && i < x->count; i++) {
		const struct party *p = register_party(n->reg, bytes_of(x->codes[i]));

		if (p == NULL || memcmp(p->entry_hash, x->hashes[i], SHA256_BYTES) != 0)
			ok = err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%s cannot be published: %.280s", x->codes[i], buf_text(&problems));
	}
	entries_free(x);
	return ok;
}
