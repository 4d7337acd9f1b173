/* Deciding which witnesses a log needs: at the secretariat by a statement that stands in its log and in every
 * bundle; where two parties only pinned each other, by each home for itself, kept in its store. Somewhere else
 * nobody decides: the register does. No policy begins before it is made. */
#include "exchange/cell.h"
#include "exchange/directory.h"

#include "base/clock.h"
#include "base/limits.h"

static bool own_load(struct node *n, json_t **ret, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, OWN_POLICIES_BYTES_MAX);
	if (!cell_get(n, CELL_OWN_POLICIES, &text, e))
		return false;
	if (text.len == 0) {
		*ret = json_array();
		return true;
	}
	return json_parse(buf_bytes(&text), "stored policies", ret, e);
}

bool directory_own_policies(struct node *n, struct register_ *r, struct buf *problems, struct err *e)
{
	AUTO_JSON *list = NULL;

	if (register_root_fingerprint(r) != NULL)
		return true;
	if (!own_load(n, &list, e))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct err why = { 0 };

		if (!register_policy_own(r, json_array_get(list, i), &why) && problems != NULL)
			buf_add_format(problems, "a policy is not used: %s\n", why.text);
	}
	return true;
}

static bool is_secretariat(struct node *n, bool *ret, struct err *e)
{
	AUTO_BUF roots = { 0 };

	buf_init(&roots, ROOTS_BYTES_MAX);
	if (!cell_get(n, CELL_ROOTS, &roots, e))
		return false;
	*ret = roots.len > 0;
	return true;
}

/* The party whose log it is: as the register says, or ourselves. *ret_own is what is to be freed. */
static bool find_party(struct node *n, struct bytes code, const struct party **ret, struct party **ret_own, struct err *e)
{
	json_t *body;
	bool ok;

	*ret_own = NULL;
	*ret = register_party(n->reg, code);
	if (*ret != NULL)
		return true;
	if (!bytes_is(code, node_party(n)))
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "the register knows no party of this code");
	if (!directory_own_body(n, &body, e))
		return false;
	ok = party_from_json(body, ret_own, e);
	json_decref(body);
	*ret = *ret_own;
	return ok;
}

static json_t *policy_body(const struct party *p, struct bytes text, int64_t max_age_s, int64_t from_ms)
{
	json_t *body = json_object();

	json_put_time(body, "from", from_ms);
	json_put_int(body, "max_age_s", max_age_s);
	json_put_text(body, "party", p->code);
	json_put_bytes(body, "policy", text);
	return body;
}

/* As a home's own decision: what a statement would have been checked for, is checked here. */
static bool own_add(struct node *n, json_t *body, uint8_t ret_hash[static 32], struct err *e)
{
	AUTO_JSON *list = NULL;
	AUTO_BUF text = { 0 }, alone = { 0 };

	buf_init(&text, OWN_POLICIES_BYTES_MAX);
	buf_init(&alone, STATEMENT_BYTES_MAX);
	n->register_uses++;
	n->directory_changed = true; /* whatever becomes of this turn, memory follows the store */
	n->outbox_changed = true;
	if (!kind_find(bytes_of("register-policy"))->parse(body, e) || !register_policy_own(n->reg, body, e) || !own_load(n, &list, e))
		return false;
	if (json_array_append(list, body) != 0)
		abort();
	if (!json_write_canonical(body, &alone, e) || !buf_check(&alone, "policy", e) || !json_write_canonical(list, &text, e) ||
	    !buf_check(&text, "policies", e))
		return false;
	sha256(buf_bytes(&alone), ret_hash);
	return cell_put(n, CELL_OWN_POLICIES, buf_bytes(&text), e);
}

static bool policy_decide(struct node *n, json_t *body, uint8_t ret_hash[static 32], struct err *e)
{
	struct own_statement s = { .kind = "register-policy", .to = "*", .case_ref = "", .legal_basis = "UNCC", .via = "comity",
				   .body = body };
	uint8_t root[SHA256_BYTES], (*all)[SHA256_BYTES];
	bool secretariat;
	size_t count;

	if (!is_secretariat(n, &secretariat, e))
		return false;
	if (!secretariat && hex_parse(bytes_of(config_text(&n->config, trust_root)), root, SHA256_BYTES))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "this home follows a register: its secretariat decides about policies");
	if (!secretariat)
		return own_add(n, body, ret_hash, e);
	if (!directory_policies(n, &all, &count, e))
		return false;
	free(all);
	if (count >= POLICIES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a register holds at most %u policies", POLICIES_MAX);
	return node_state(n, &s, ret_hash, e);
}

bool directory_policy(struct node *n, struct bytes party, struct bytes text, int64_t max_age_s, int64_t from_ms,
		      uint8_t ret_hash[static 32], struct buf *warnings, struct err *e)
{
	int64_t now = clock_now_ms();
	const struct party *p;
	struct party *own;
	bool ok;

	if (max_age_s < 1 || max_age_s > POLICY_AGE_S_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a proof may be 1 to %d seconds old", POLICY_AGE_S_MAX);
	if (from_ms != 0 && from_ms < now - REGISTER_AHEAD_MS)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a policy cannot begin in the past");
	if (!find_party(n, party, &p, &own, e))
		return false;
	ok = register_policy_review(text, p, warnings, e);
	if (ok) {
		json_t *body = policy_body(p, text, max_age_s, from_ms < now ? now : from_ms);

		ok = policy_decide(n, body, ret_hash, e);
		json_decref(body);
	}
	party_free(own);
	return ok;
}
