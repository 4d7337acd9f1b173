/* Acts and counterproofs, shape only. What arrives in a letter is parsed JSON already, so nothing is parsed
 * twice: the canonical bytes are written once from the values, and approvals are slices of them. A kind
 * without leaf has no leaf, opening, proof or secret; any other has the first three together, or none
 * while it stands in no log (a pinned register entry). */
#include "statement/act.h"

#include "statement/body.h"

#define ACT_PROOF_BYTES_MAX (NOTE_BYTES_MAX + 8 * KIB) /* checkpoint and hashes in base64 */

static const struct member counterproof_members[] = {
	M_HASH("hash", "hash"),
	{ .name = "leaf", .type = MEMBER_TEXT, .min = 1, .max = LEAF_BYTES_MAX, .words = "leaf" },
	M_HASH("opening", "opening"),
	{ .name = "proof", .type = MEMBER_TEXT, .max = ACT_PROOF_BYTES_MAX, .words = "proof" },
};
static const struct shape counterproof_shape = SHAPE(counterproof_members);

static const struct member logged_members[] = {
	{ .name = "leaf", .type = MEMBER_TEXT, .max = LEAF_BYTES_MAX, .words = "leaf" },
	{ .name = "opening", .type = MEMBER_HASH, .optional = true, .words = "opening" },
	{ .name = "proof", .type = MEMBER_TEXT, .max = ACT_PROOF_BYTES_MAX, .words = "proof" },
	{ .name = "x", .type = MEMBER_HASH, .optional = true, .words = "cross-log secret" },
};
static const struct shape logged_shape = SHAPE(logged_members);

/* Writes the act's bytes and notes where each approval lies; only when nothing grows any more do the
 * slices point there. */
static bool write_json(const json_t *v, struct act *a, struct err *e)
{
	static const char *const others[] = { "envelope", "leaf", "opening", "proof", "x" };
	const json_t *approvals = json_object_get(v, "approvals");
	size_t from[ACT_APPROVALS_MAX], len[ACT_APPROVALS_MAX], n = json_array_size(approvals);
	bool ok = true;

	buf_add_text(&a->json, "{\"approvals\":[");
	for (size_t i = 0; ok && i < n; i++) {
		if (i > 0)
			buf_add_u8(&a->json, ',');
		from[i] = a->json.len;
		ok = json_write_canonical(json_array_get(approvals, i), &a->json, e);
		len[i] = a->json.len - from[i];
	}
	buf_add_u8(&a->json, ']');
	for (size_t i = 0; ok && i < sizeof(others) / sizeof(others[0]); i++) {
		buf_add_format(&a->json, ",\"%s\":", others[i]);
		ok = json_write_canonical(json_object_get(v, others[i]), &a->json, e);
	}
	buf_add_u8(&a->json, '}');
	if (!ok || !buf_check(&a->json, "an act", e))
		return false;
	for (size_t i = 0; i < n; i++)
		a->approval_bytes[i] = bytes_slice(buf_bytes(&a->json), from[i], len[i]);
	return true;
}

static bool parse_approvals(const json_t *v, struct act *a, struct err *e)
{
	size_t n = json_array_size(json_object_get(v, "approvals"));

	for (; a->approval_count < n; a->approval_count++) {
		size_t i = a->approval_count;

		if (!approval_parse(a->approval_bytes[i], &a->approvals[i], e))
			return err_note(e, "approvals[%zu]", i);
	}
	return true;
}

/* leaf and proof live in one block of the act's own. */
static void copy_texts(struct bytes leaf, struct bytes proof, struct act *a)
{
	uint8_t *own = malloc(leaf.len + proof.len + 1);

	if (own == NULL)
		abort();
	if (leaf.len > 0)
		memcpy(own, leaf.at, leaf.len);
	if (proof.len > 0)
		memcpy(own + leaf.len, proof.at, proof.len);
	a->leaf = bytes_from(own, leaf.len);
	a->proof = bytes_from(own + leaf.len, proof.len);
}

static bool parse_logged(const json_t *v, struct act *a, struct err *e)
{
	AUTO_JSON *logged = json_object();
	struct bytes leaf = json_bytes(v, "leaf"), opening = json_bytes(v, "opening");
	struct bytes proof = json_bytes(v, "proof"), x = json_bytes(v, "x");

	for (size_t i = 0; i < logged_shape.count; i++) {
		const char *name = logged_members[i].name;

		if (json_object_set(logged, name, json_object_get(v, name)) != 0)
			abort();
	}
	if (!body_parse(logged, &logged_shape, e))
		return false;
	if (!a->statement->kind->leaf && leaf.len + opening.len + proof.len + x.len > 0)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a %s has no leaf", a->statement->kind->name);
	if ((leaf.len > 0) != (opening.len > 0) || (leaf.len > 0) != (x.len > 0) || (leaf.len == 0 && proof.len > 0))
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD,
			       "leaf, opening and x stand together, and a proof only with them");
	if (leaf.len > 0 && (!hex_parse(opening, a->opening, sizeof(a->opening)) || !hex_parse(x, a->x, sizeof(a->x))))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "opening and x are 64 hex digits");
	copy_texts(leaf, proof, a);
	return true;
}

bool act_parse_json(const json_t *v, struct act **ret, struct err *e)
{
	AUTO_ACT *a = NULL;
	const json_t *approvals = json_object_get(v, "approvals");

	if (!json_is_object(v) || json_object_size(v) != 6 || !json_is_array(approvals) ||
	    json_object_get(v, "envelope") == NULL || !json_is_string(json_object_get(v, "leaf")) ||
	    !json_is_string(json_object_get(v, "opening")) || !json_is_string(json_object_get(v, "proof")) ||
	    !json_is_string(json_object_get(v, "x")))
		return err_set(e, ERR_INPUT, REASON_MALFORMED,
			       "an act has exactly approvals, envelope, leaf, opening, proof and x");
	if (json_array_size(approvals) > ACT_APPROVALS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "an act has at most %u approvals", ACT_APPROVALS_MAX);
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	buf_init(&a->json, LETTER_BYTES_MAX);
	if (!envelope_parse_json(json_object_get(v, "envelope"), &a->envelope, e) ||
	    !statement_parse(bytes_of(a->envelope.type), buf_bytes(&a->envelope.payload), &a->statement, e) ||
	    !write_json(v, a, e) || !parse_approvals(v, a, e) || !parse_logged(v, a, e))
		return err_note(e, "act");
	*ret = a;
	a = NULL;
	return true;
}

bool act_parse(struct bytes in, struct act **ret, struct err *e)
{
	AUTO_JSON *v = NULL;

	if (in.len > LETTER_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "an act may have %u bytes; this one has %zu",
			       LETTER_BYTES_MAX, in.len);
	return json_parse_canonical(in, "act", &v, e) && act_parse_json(v, ret, e);
}

void act_free(struct act *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->approval_count; i++)
		approval_release(&a->approvals[i]);
	statement_free(a->statement);
	envelope_release(&a->envelope);
	buf_release(&a->json);
	free((void *)(uintptr_t)a->leaf.at);
	free(a);
}

void act_free_at(struct act **a)
{
	act_free(*a);
	*a = NULL;
}

bool counterproof_parse_json(const json_t *v, struct counterproof *ret, struct err *e)
{
	struct counterproof c = { 0 };

	if (!body_parse(v, &counterproof_shape, e) || !json_must_hex(v, "hash", c.hash, sizeof(c.hash), e) ||
	    !json_must_hex(v, "opening", c.opening, sizeof(c.opening), e))
		return err_note(e, "counterproof");
	c.leaf = json_bytes(v, "leaf");
	c.proof = json_bytes(v, "proof");
	c.json = json_incref((json_t *)(uintptr_t)v);
	*ret = c;
	return true;
}

bool counterproof_parse(struct bytes in, struct counterproof *ret, struct err *e)
{
	AUTO_JSON *v = NULL;

	return json_parse_canonical(in, "counterproof", &v, e) && counterproof_parse_json(v, ret, e);
}

void counterproof_release(struct counterproof *c)
{
	json_decref(c->json);
	*c = (struct counterproof){ 0 };
}

bool counterproof_write(const uint8_t hash[static SHA256_BYTES], struct bytes leaf, const uint8_t opening[static 32],
			struct bytes proof, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();

	json_put_hex(v, "hash", bytes_from(hash, SHA256_BYTES));
	json_put_bytes(v, "leaf", leaf);
	json_put_hex(v, "opening", bytes_from(opening, 32));
	json_put_bytes(v, "proof", proof);
	return body_parse(v, &counterproof_shape, e) && json_write_canonical(v, out, e);
}
