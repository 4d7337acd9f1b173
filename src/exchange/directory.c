/* Keeps the register that this home uses. The stored bundle is verified again at every start: the
 * store is trusted to keep bytes, not to have checked them. */
#include "exchange/directory.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/cell.h"
#include "exchange/lately.h"
#include "exchange/parameters.h"
#include "exchange/retire.h"

#define CELL_BUNDLE "register-bundle"

bool cell_put(struct node *n, const char *name, struct bytes value, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_cell_put);

	query_bind_text(q, 1, name);
	query_bind_bytes(q, 2, value);
	query_bind_int(q, 3, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* Appends the cell's value; nothing when there is none. */
bool cell_of_store(struct store *s, const char *name, struct buf *out, struct err *e)
{
	struct query *q = store_query(s, QUERY_cell_get);
	bool found;

	query_bind_text(q, 1, name);
	bool ok = query_row(q, &found, e);
	if (ok && found)
		buf_add(out, query_bytes(q, 0));
	query_end(q);
	return ok && buf_check(out, name, e);
}

bool cell_get(struct node *n, const char *name, struct buf *out, struct err *e)
{
	return cell_of_store(n->store, name, out, e);
}

static bool trust_root(const struct node *n, uint8_t root[static SHA256_BYTES])
{
	return hex_parse(bytes_of(config_text(&n->config, trust_root)), root, SHA256_BYTES);
}

/* A pin that does not fit (any more: it shares a key with a party of the bundle) is left out and told. */
static bool add_pins(struct node *n, struct register_ *r, struct buf *problems, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pin_list);
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		struct bytes hash = query_bytes(q, 1);
		/* The register says more and says it later; a pin is for parties that it does not have. */
		if (register_party(r, query_bytes(q, 0)) != NULL || hash.len != SHA256_BYTES)
			continue;
		struct err why = { 0 };
		if (!register_pin(r, query_bytes(q, 2), hash.at, &why) && problems != NULL)
			buf_add_format(problems, "a pin is not used: %s\n", why.text);
	}
	query_end(q);
	return ok;
}

/* Builds the register from this bundle (may be empty) and the pins. */
static bool build(struct node *n, struct bytes bundle, struct buf *problems, struct register_ **ret, struct err *e)
{
	uint8_t root[SHA256_BYTES];
	struct register_ *r = register_new();
	bool ok = true;

	if (bundle.len > 0)
		ok = trust_root(n, root) ? register_load(r, bundle, root, clock_now_ms(), problems, e)
					 : err_set(e, ERR_CONFLICT, REASON_ROOT_MISMATCH,
						   "this home has no trust root in comity.conf (trust_root)");
	if (!ok || !add_pins(n, r, problems, e) || !directory_own_policies(n, r, problems, e)) {
		register_free(r);
		return false;
	}
	*ret = r;
	return true;
}

static void use(struct node *n, struct register_ *r)
{
	register_free(n->reg);
	n->reg = r;
	n->register_uses++;
	n->directory_changed = true;
	n->outbox_changed = true;
}

bool directory_load(struct node *n, struct err *e)
{
	struct register_ *r;
	AUTO_BUF bundle = { 0 };

	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!directory_bundle(n, &bundle, e))
		return false;
	/* A bundle that does not verify any more (its root has expired) leaves us with the pins, said by doctor. */
	if (!build(n, buf_bytes(&bundle), NULL, &r, e) && !build(n, bytes_of(NULL), NULL, &r, e))
		return false;
	use(n, r);
	if (bundle.len == 0 || n->signer.trust == NULL || register_root_fingerprint(r) == NULL)
		return true;
	/* It may have taken a newer one just before a turn that was not committed: it keeps what it verified. */
	struct err why = { 0 };
	bool ok = n->signer.trust(n->signer.ctx, buf_bytes(&bundle), &why) || why.reason == REASON_STALE_REGISTER;
	if (!ok && e != NULL)
		*e = why;
	return ok;
}

bool directory_undone(struct node *n, struct err *e)
{
	struct register_ *r;
	AUTO_BUF bundle = { 0 };

	if (!n->directory_changed || n->reg == NULL)
		return true;
	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!directory_bundle(n, &bundle, e) ||
	    (!build(n, buf_bytes(&bundle), NULL, &r, NULL) && !build(n, bytes_of(NULL), NULL, &r, e)))
		return false;
	if (register_same(r, n->reg))
		register_free(r);
	else
		use(n, r);
	return true;
}

/* Against this one, NULL: nothing is in use. Our own first publication needs no witness, who would have to know it first. */
static bool follows(const struct register_ *r, const struct register_ *in_use, bool ours, struct err *e)
{
	return register_newer(r, in_use, e) && ((ours && in_use == NULL) || register_witnessed(r, in_use, clock_now_ms(), e));
}

/* Against the one in use; where that has expired, against what it said: nobody takes us back by waiting. */
static bool may_follow(struct node *n, const struct register_ *r, bool ours, struct err *e)
{
	struct register_ *stored;
	uint8_t root[SHA256_BYTES];
	AUTO_BUF bundle = { 0 };

	if (n->reg != NULL && register_root_fingerprint(n->reg) != NULL)
		return follows(r, n->reg, ours, e);
	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!directory_bundle(n, &bundle, e))
		return false;
	stored = register_new();
	bool before = bundle.len > 0 && trust_root(n, root) && register_load(stored, buf_bytes(&bundle), root, 0, NULL, NULL);
	bool ok = follows(r, before ? stored : NULL, ours, e);
	register_free(stored);
	return ok;
}

bool directory_bundle(struct node *n, struct buf *out, struct err *e)
{
	return cell_get(n, CELL_BUNDLE, out, e);
}

/* This very bundle is stored, and r, made from it, says what is in use: pointers to parties stay, and nobody need be told. */
static bool in_use(struct node *n, struct bytes bundle, const struct register_ *r, bool *ret, struct err *e)
{
	AUTO_BUF stored = { 0 };

	buf_init(&stored, REGISTER_BYTES_MAX);
	if (!directory_bundle(n, &stored, e))
		return false;
	*ret = bytes_equal(buf_bytes(&stored), bundle) && n->reg != NULL && register_same(r, n->reg);
	return true;
}

static bool take(struct node *n, struct bytes bundle, bool ours, size_t *ret_entries, struct buf *problems, struct err *e)
{
	struct register_ *r;
	bool same;
	AUTO_BUF bad = { 0 };

	buf_init(&bad, 64 * KIB);
	if (!build(n, bundle, &bad, &r, e))
		return false;
	if (problems != NULL)
		buf_add(problems, buf_bytes(&bad));
	if (!may_follow(n, r, ours, e)) {
		register_free(r);
		return false;
	}
	/* A bundle that lacks entries which it lists replaces no good one: that stays in use until it is stale. */
	if (register_missing(r) > 0 && n->reg != NULL && register_root_fingerprint(n->reg) != NULL) {
		register_free(r);
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the register in use is kept: %.280s", buf_text(&bad));
	}
	bool ok = n->signer.trust(n->signer.ctx, bundle, e) && in_use(n, bundle, r, &same, e) && (same || cell_put(n, CELL_BUNDLE, bundle, e));
	if (ok)
		*ret_entries = register_count(r);
	if (ok && !same)
		use(n, r);
	else
		register_free(r);
	return ok;
}

bool directory_take(struct node *n, struct bytes bundle, size_t *ret_entries, struct buf *problems, struct err *e)
{
	return take(n, bundle, false, ret_entries, problems, e);
}

bool directory_take_ours(struct node *n, struct bytes bundle, size_t *ret_entries, struct buf *problems, struct err *e)
{
	return take(n, bundle, true, ret_entries, problems, e);
}

void directory_checkpoint(const struct node *n, json_t *member)
{
	json_put_text(member, "origin", register_origin(n->reg));
	json_put_int(member, "size", (int64_t)register_size(n->reg));
	json_put_time(member, "time", register_root_fingerprint(n->reg) != NULL ? register_time(n->reg) : clock_now_ms());
}

const char *directory_state(const struct node *n)
{
	int64_t age = clock_now_ms() - register_time(n->reg);

	if (register_root_fingerprint(n->reg) == NULL)
		return "none";
	return age > REGISTER_STALE_MS ? "stale" : age > REGISTER_WARN_MS ? "warn" : "fresh";
}

static bool pin_put(struct node *n, const char *code, const uint8_t *hash, struct bytes act, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pin_put);

	query_bind_text(q, 1, code);
	query_bind_bytes(q, 2, bytes_from(hash, SHA256_BYTES));
	query_bind_bytes(q, 3, act);
	query_bind_int(q, 4, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* Without a secretariat our register has ourselves as we tell it to others, so that both ends judge alike. */
static bool pin_self(struct node *n, struct err *e)
{
	uint8_t root[SHA256_BYTES], hash[SHA256_BYTES];
	AUTO_BUF act = { 0 };

	if (trust_root(n, root))
		return true;
	buf_init(&act, LETTER_BYTES_MAX);
	return directory_describe(n, hash, e) && node_act_json(n, hash, &act, e) && pin_put(n, node_party(n), hash, buf_bytes(&act), e);
}

bool directory_pin(struct node *n, struct bytes act, const uint8_t hash[static 32], const char **ret_party, struct err *e)
{
	struct register_ *alone = register_new(), *all;
	AUTO_BUF bundle = { 0 };

	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!register_pin(alone, act, hash, e))
		return register_free(alone), false;
	struct bytes code = bytes_of(register_at(alone, 0)->code);
	bool ok = pin_put(n, register_at(alone, 0)->code, hash, act, e) && pin_self(n, e) && directory_bundle(n, &bundle, e) && build(n, buf_bytes(&bundle), NULL, &all, e);
	if (ok && register_party(all, code) == NULL) {
		register_free(all);
		ok = err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%s has a key that another party has too: it cannot be pinned",
			     register_at(alone, 0)->code);
	} else if (ok) {
		use(n, all);
		*ret_party = register_party(all, code)->code;
	}
	register_free(alone);
	return ok;
}

bool directory_pins(struct node *n, bool (*each)(void *ctx, const char *party, struct bytes act), void *ctx, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pin_list);
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		char code[PARTY_CODE_LEN_MAX + 1] = "";
		struct bytes name = query_bytes(q, 0);
		if (name.len > PARTY_CODE_LEN_MAX)
			continue;
		memcpy(code, name.at, name.len);
		if (!each(ctx, code, query_bytes(q, 2)))
			break;
	}
	query_end(q);
	return ok;
}

/* --- our own entry ----------------------------------------------------------------------------- */

bool directory_own_body(struct node *n, json_t **ret, struct err *e)
{
	const struct config *c = &n->config;
	struct party *p = calloc(1, sizeof(*p));
	bool ok = true;

	if (p == NULL)
		abort();
	*p = (struct party){ .code = config_text(c, party), .name = config_text(c, name),
		.authority = config_text(c, authority), .contact_name = config_text(c, contact_name),
		.phone = config_text(c, phone), .callback = config_text(c, callback),
		.languages = config_text(c, languages), .timezone = config_text(c, timezone),
		.carries_out = config_text(c, carries_out), .endpoint = config_text(c, endpoint),
		.public_endpoint = config_text(c, public_endpoint),
		.reservation_42_5 = config_yes(c, CONFIG_reservation_42_5), .fictional = config_yes(c, CONFIG_fictional),
		.log_key = n->identity.log, .slot_ms = parameters_slot_ms(n, clock_now_ms()),
		.leaves_per_slot = parameters_leaves(n, clock_now_ms()), .seal = n->identity.seal, .key_count = 1 };
	if (n->identity.has_witness) {
		p->witness_key = n->identity.witness;
		p->has_witness = true;
		p->witness_url = config_text(c, public_endpoint);
	}
	memcpy(p->keys[0].key, n->identity.sign, SIGN_PUBLIC_BYTES);
	p->keys[0].from = n->identity.since;
	memcpy(p->tls_spki, n->identity.tls, SHA256_BYTES);
	memcpy(p->approvers, n->approvers->at, n->approvers->count * sizeof(p->approvers[0]));
	p->approver_count = n->approvers->count;
	if (config_text(c, in_force_from)[0] != '\0' &&
	    !time_parse(bytes_of(config_text(c, in_force_from)), &p->in_force_from))
		ok = err_set(e, ERR_INPUT, REASON_BAD_FIELD, "comity.conf: in_force_from is not a time like 2026-01-01T00:00:00.000Z");
	ok = ok && retired_read(n->home_fd, p->retired, &p->retired_count, e);
	if (ok)
		*ret = party_to_json(p);
	free(p);
	return ok;
}

static bool hashes_of(struct node *n, enum query_name name, uint8_t (**ret)[32], size_t *ret_count, struct err *e)
{
	struct query *q = store_query(n->store, name);
	uint8_t(*all)[SHA256_BYTES] = NULL;
	size_t count = 0, room = 0;
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		if (query_bytes(q, 0).len != SHA256_BYTES)
			continue;
		if (count == room) {
			room = 2 * room + 64;
			all = realloc(all, room * sizeof(*all));
			if (all == NULL)
				abort();
		}
		memcpy(all[count++], query_bytes(q, 0).at, SHA256_BYTES);
	}
	query_end(q);
	if (!ok) {
		free(all);
		return false;
	}
	*ret = all;
	*ret_count = count;
	return true;
}

bool directory_entries(struct node *n, uint8_t (**ret)[32], size_t *ret_count, struct err *e)
{
	return hashes_of(n, QUERY_entry_list, ret, ret_count, e);
}

bool directory_policies(struct node *n, uint8_t (**ret)[32], size_t *ret_count, struct err *e)
{
	return hashes_of(n, QUERY_policy_list, ret, ret_count, e);
}

/* States a register entry with this body unless the last one of the same party says just that. */
static bool state_entry(struct node *n, json_t *body, uint8_t ret_hash[static 32], struct err *e)
{
	const char *code = json_text(body, "code");
	struct own_statement s = { .kind = "register-entry", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity",
				   .body = body };
	uint8_t(*hashes)[SHA256_BYTES];
	bool ok, same = false, same_party = false;
	size_t count;

	if (!directory_entries(n, &hashes, &count, e))
		return false;
	ok = true;
	while (ok && !same_party && count-- > 0) {
		struct act *a;
		ok = node_act_load(n, hashes[count], &a, e);
		if (!ok)
			break;
		same_party = bytes_is(bytes_of(json_text(a->statement->body, "code")), code);
		same = same_party && json_equal(a->statement->body, body);
		if (same)
			memcpy(ret_hash, hashes[count], SHA256_BYTES);
		act_free(a);
	}
	free(hashes);
	return ok && (same || node_state(n, &s, ret_hash, e));
}

bool directory_describe(struct node *n, uint8_t ret_hash[static 32], struct err *e)
{
	json_t *body;

	if (!directory_own_body(n, &body, e))
		return false;
	bool ok = state_entry(n, body, ret_hash, e);
	json_decref(body);
	return ok;
}

static bool source(const struct node *n, uint8_t pin[static SHA256_BYTES])
{
	uint8_t root[SHA256_BYTES];

	return config_text(&n->config, register_url)[0] != '\0' && trust_root(n, root) &&
	       hex_parse(bytes_of(config_text(&n->config, register_pin)), pin, SHA256_BYTES);
}

bool directory_has_source(const struct node *n)
{
	uint8_t pin[SHA256_BYTES];

	return source(n, pin);
}

bool directory_may_be_behind(const struct node *n, int64_t now_ms)
{
	return directory_has_source(n) && !lately_within(n->register_asked_ms, now_ms, REGISTER_ASKED_MS_MAX);
}

bool directory_fetch_due(struct node *n, int64_t now_ms, char url[static 600], uint8_t pin[static 32])
{
	const char *base = config_text(&n->config, register_url);

	if (!source(n, pin))
		return false;
	snprintf(url, 600, "%s/register", base);
	return n->refresh_wanted || register_root_fingerprint(n->reg) == NULL ||
	       now_ms - register_time(n->reg) > config_count(&n->config, register_every_s) * 1000;
}

bool directory_fetched(struct node *n, int64_t asked_ms, const struct bytes *bundle, struct buf *problems, struct err *e)
{
	size_t entries;

	n->register_asked_ms = clock_now_ms();
	if (bundle == NULL)
		return true;
	n->refresh_wanted = false;
	if (!directory_take(n, *bundle, &entries, problems, e))
		return false;
	/* Only what verifies speaks for the source; and it knew what was there when it was asked. */
	n->register_had_ms = asked_ms;
	return true;
}
