/* Letters: some acts from one party to another, sealed. Shape, and that sender and addressee of the acts are
 * those of the letter: acts that stay at home or go to the register may travel in support of others,
 * but only from the sender itself; a sealed letter that was re-addressed is found out here. */
#include "statement/letter.h"

static bool code_is_valid(struct bytes code)
{
	if (code.len < 2 || code.len > PARTY_CODE_LEN_MAX)
		return false;
	for (size_t i = 0; i < code.len; i++)
		if (code.at[i] < 'A' || code.at[i] > 'Z')
			return false;
	return true;
}

/* The statement names both parties and is signed; the letter around it is not, so it must not differ. */
static bool check_parties(const struct letter *l, const struct statement *s, bool first, struct err *e)
{
	if (strcmp(s->from, l->from) != 0)
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "a letter from %s holds a statement from %s", l->from,
			       s->from);
	if (s->kind->to == TO_PEER && strcmp(s->to, l->to) != 0)
		return err_set(e, ERR_REJECTED, REASON_RE_ADDRESSED, "a letter to %s holds a statement to %s", l->to,
			       s->to);
	if (first && s->kind->to != TO_PEER)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a letter is about a statement to the addressee; a %s is not",
			       s->kind->name);
	return true;
}

static bool parse_acts(struct letter *l, const json_t *acts, struct err *e)
{
	size_t n = json_array_size(acts);

	if (n == 0 || n > LETTER_ACTS_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a letter holds 1 to %u acts", LETTER_ACTS_MAX);
	for (; l->act_count < n; l->act_count++) {
		size_t i = l->act_count;

		if (!act_parse_json(json_array_get(acts, i), &l->acts[i], e))
			return err_note(e, "acts[%zu]", i);
		if (!check_parties(l, l->acts[i]->statement, i == 0, e)) {
			act_free(l->acts[i]);
			return err_note(e, "acts[%zu]", i);
		}
	}
	return true;
}

/* One spelling: what is empty is left out. */
static bool parse_gone(const json_t *list, struct letter_pair *ret, struct err *e)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count == 0 || count > LETTER_GONE_MAX || count >= ret->n)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "gone of a pair lists 1 to %u letters before this one", LETTER_GONE_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v) || !hex_parse(bytes_from(json_string_value(v), json_string_length(v)), ret->gone[i], SHA256_BYTES))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "gone[%zu] of a pair is no hash", i);
	}
	ret->gone_count = count;
	return true;
}

static bool parse_pair(const json_t *v, struct letter_pair *ret, struct err *e)
{
	const json_t *gone = json_object_get(v, "gone");
	int64_t n;

	if (!json_is_object(v) || json_object_size(v) != (gone != NULL ? 3 : 2) || !json_is_string(json_object_get(v, "prev")))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "pair has exactly n and prev, and gone where letters are gone");
	if (!json_must_int(v, "n", 0, LETTER_NUMBER_MAX, &n, e))
		return err_note(e, "pair");
	ret->n = (uint64_t)n;
	if (gone != NULL && !parse_gone(gone, ret, e))
		return false;
	if (n == 0 ? json_bytes(v, "prev").len == 0 : hex_parse(json_bytes(v, "prev"), ret->prev, sizeof(ret->prev)))
		return true;
	return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "prev of a pair is 64 hex digits, and \"\" where n is 0");
}

/* What has a leaf is counted, what has none is not: a notice never stands between two acts. */
static bool check_counted(const struct letter *l, struct err *e)
{
	const struct kind *k = l->acts[0]->statement->kind;

	return (l->pair.n > 0) == k->leaf ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, k->leaf ? "a letter with a %s has a number" : "a letter with a %s has no number", k->name);
}

/* Everything but the acts. */
static bool frame_parse(struct bytes plain, json_t **ret, struct letter_pair *ret_pair, struct err *e)
{
	AUTO_JSON *v = NULL;
	int64_t version;

	if (plain.len > LETTER_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a letter may have %u bytes; this one has %zu",
			       LETTER_BYTES_MAX, plain.len);
	if (!json_parse_canonical(plain, "letter", &v, e))
		return false;
	if (!json_is_object(v) || json_object_size(v) != 5 || !json_is_array(json_object_get(v, "acts")) ||
	    !code_is_valid(json_bytes(v, "from")) || !code_is_valid(json_bytes(v, "to")))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "a letter has exactly acts, from, pair, to (party codes) and v");
	if (!json_must_int(v, "v", 1, 1, &version, e))
		return err_note(e, "letter");
	if (bytes_equal(json_bytes(v, "from"), json_bytes(v, "to")))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a letter goes to another party");
	if (!parse_pair(json_object_get(v, "pair"), ret_pair, e))
		return err_note(e, "letter");
	*ret = v;
	v = NULL;
	return true;
}

bool letter_parse(struct bytes plain, struct letter **ret, struct err *e)
{
	AUTO_LETTER *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	if (!frame_parse(plain, &l->json, &l->pair, e))
		return false;
	l->from = json_text(l->json, "from");
	l->to = json_text(l->json, "to");
	if (!parse_acts(l, json_object_get(l->json, "acts"), e) || !check_counted(l, e))
		return err_note(e, "letter");
	*ret = l;
	l = NULL;
	return true;
}

void letter_around_release(struct letter_around *l)
{
	envelope_release(&l->main);
}

bool letter_around_parse(struct bytes plain, struct letter_around *ret, struct err *e)
{
	AUTO_JSON *v = NULL, *payload = NULL;
	struct err none;

	if (!frame_parse(plain, &v, &ret->pair, e) ||
	    !envelope_parse_json(json_object_get(json_array_get(json_object_get(v, "acts"), 0), "envelope"), &ret->main, e))
		return false;
	bytes_text(json_bytes(v, "from"), ret->from, sizeof(ret->from));
	bytes_text(json_bytes(v, "to"), ret->to, sizeof(ret->to));
	ret->has_id = json_parse_canonical(buf_bytes(&ret->main.payload), "statement", &payload, &none) && json_is_object(payload) &&
		      id_parse(json_bytes(payload, "id"), &ret->id);
	return true;
}

void letter_free(struct letter *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->act_count; i++)
		act_free(l->acts[i]);
	json_decref(l->json);
	free(l);
}

void letter_free_at(struct letter **l)
{
	letter_free(*l);
	*l = NULL;
}

static void write_gone(const struct letter_pair *pair, struct buf *out)
{
	for (size_t i = 0; i < pair->gone_count; i++) {
		buf_add_text(out, i == 0 ? "\"gone\":[\"" : "\",\"");
		buf_add_hex(out, BYTES_ARRAY(pair->gone[i]));
	}
	if (pair->gone_count > 0)
		buf_add_text(out, "\"],");
}

bool letter_write(const char *from, const char *to, const struct letter_pair *pair, const struct bytes *acts, size_t n,
		  struct buf *out, struct err *e)
{
	char prev[2 * SHA256_BYTES + 1] = "";

	if (!code_is_valid(bytes_of(from)) || !code_is_valid(bytes_of(to)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a letter goes from a party to a party");
	if (n == 0 || n > LETTER_ACTS_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a letter holds 1 to %u acts", LETTER_ACTS_MAX);
	buf_add_text(out, "{\"acts\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_u8(out, ',');
		buf_add(out, acts[i]);
	}
	if (pair->n > 0)
		hex_write(BYTES_ARRAY(pair->prev), prev);
	buf_add_format(out, "],\"from\":\"%s\",\"pair\":{", from);
	write_gone(pair, out);
	buf_add_format(out, "\"n\":%llu,\"prev\":\"%s\"},\"to\":\"%s\",\"v\":1}", (unsigned long long)pair->n, prev, to);
	return buf_check(out, "a letter", e);
}

bool letter_seal(struct bytes plain, const struct age_recipient *to, struct buf *out, struct err *e)
{
	return age_seal(to, 1, plain, out, e);
}
