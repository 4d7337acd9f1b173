/* What the requested party does: its answer, its orders, what it hands over. The closed lists of grounds, the
 * two clocks of a preservation (25(2) and 42(8)), and no disclosure without the court. */
#include "safeguard/safeguard-internal.h"

#define GROUNDS_MAX 64u

bool request_is_known(const struct safeguard_facts *f, const struct findings *so_far)
{
	struct id id;

	return f->request != NULL && id_parse(json_bytes(f->s->body, "request"), &id) &&
	       id_equal(&id, &f->request->id);
}

static bool our_reservation(const struct safeguard_facts *f)
{
	const struct party *us = f->r == NULL ? NULL : register_party(f->r, bytes_of(f->our_party));

	return us != NULL && us->reservation_42_5;
}

/* The legal basis that counts is the request's. */
bool ground_applies(const struct safeguard_facts *f, const struct findings *so_far)
{
	const struct treaty_ground *grounds[GROUNDS_MAX];
	struct bytes code = json_bytes(f->s->body, "ground");
	size_t n;

	if (code.len == 0)
		return true; /* that one is needed is said by the answer's own check */
	if (f->request == NULL)
		return false;
	n = treaty_grounds(f->t, bytes_of(f->request->legal_basis), bytes_of(f->request->kind->name),
			   request_gate(f, f->request) == GATE_CONVENTION_OFFENCE, our_reservation(f), grounds,
			   GROUNDS_MAX);
	for (size_t i = 0; i < n && i < GROUNDS_MAX; i++)
		if (bytes_is(code, grounds[i]->code))
			return true;
	return false;
}

/* 40(28) speaks of assistance; for preservation 42 has its own, shorter rules. */
bool is_consulted(const struct safeguard_facts *f, const struct findings *so_far)
{
	struct bytes outcome = json_bytes(f->s->body, "outcome");

	if (!bytes_is(outcome, "refused") && !bytes_is(outcome, "postponed"))
		return true;
	if (f->request != NULL && strcmp(f->request->kind->name, "stored-data-request") != 0)
		return true;
	return json_bool(f->s->body, "consulted") && json_bytes(f->s->body, "consultation").len > 0;
}

static bool accepts_preservation(const struct safeguard_facts *f)
{
	return bytes_starts(json_bytes(f->s->body, "outcome"), "accepted") && f->request != NULL &&
	       strcmp(f->request->kind->name, "preservation-request") == 0;
}

bool hold_is_long_enough(const struct safeguard_facts *f, const struct findings *so_far)
{
	int64_t until;

	if (!accepts_preservation(f) || !time_parse(json_bytes(f->s->body, "hold_until"), &until))
		return true;
	return until - f->s->time >= treaty_constant(f->t, "hold_days_min") * DAY_MS;
}

bool hold_is_told(const struct safeguard_facts *f, const struct findings *so_far)
{
	return !accepts_preservation(f) || json_bytes(f->s->body, "hold_until").len > 0;
}

bool order_is_short_enough(const struct safeguard_facts *f, const struct findings *so_far)
{
	int64_t expires;

	if (!bytes_is(json_bytes(f->s->body, "measure"), "preserve"))
		return true;
	return time_parse(json_bytes(f->s->body, "expires"), &expires) &&
	       expires - f->s->time <= treaty_constant(f->t, "order_days_max") * DAY_MS;
}

bool order_is_independent(const struct safeguard_facts *f, const struct findings *so_far)
{
	struct bytes body_kind = json_bytes(f->s->body, "body_kind");

	return !bytes_is(json_bytes(f->s->body, "measure"), "disclose") || bytes_is(body_kind, "court") ||
	       bytes_is(body_kind, "independent");
}

/* The order must be the one that the exhibit names, ours, for the same request, for disclosure, and in force.
 * That the court signed it is part of being such an order: its kind demands that approval. */
bool disclosure_is_ordered(const struct safeguard_facts *f, const struct findings *so_far)
{
	const struct statement *o = f->order;
	uint8_t named[SHA256_BYTES];
	int64_t expires;

	return o != NULL && strcmp(o->kind->name, "order") == 0 && strcmp(o->from, f->s->from) == 0 &&
	       hex_parse(json_bytes(f->s->body, "order"), named, sizeof(named)) &&
	       memcmp(named, o->hash, sizeof(named)) == 0 &&
	       bytes_equal(json_bytes(o->body, "request"), json_bytes(f->s->body, "request")) &&
	       bytes_is(json_bytes(o->body, "measure"), "disclose") && o->exercise == f->s->exercise &&
	       time_parse(json_bytes(o->body, "expires"), &expires) && expires > f->now_ms;
}

bool personal_data_has_conditions(const struct safeguard_facts *f, const struct findings *so_far)
{
	return !json_bool(f->s->body, "personal_data") ||
	       json_array_size(json_object_get(f->s->body, "conditions")) > 0;
}
