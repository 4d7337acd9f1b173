/* Human rights (6, 24) and the people whom the Convention does not mean (11(2), 53(3)(e)): those who test and
 * protect systems. What is unknown is treated as what might be. */
#include "safeguard/safeguard-internal.h"

static const json_t *offence(const struct safeguard_facts *f)
{
	return json_object_get(f->s->body, "offence");
}

static const struct treaty_offence *offence_in_treaty(const struct safeguard_facts *f)
{
	return treaty_offence(f->t, json_bytes(offence(f), "code"));
}

bool purpose_is_stated(const struct safeguard_facts *f, const struct findings *so_far)
{
	const struct treaty_offence *o = offence_in_treaty(f);

	return o == NULL || !o->asks_purpose || json_bytes(offence(f), "purpose").len > 0;
}

/* "yes" or "unknown" for arts 7 to 11. An empty answer is a missing field: said elsewhere, and review too. */
bool research_is_excluded(const struct safeguard_facts *f, const struct findings *so_far)
{
	const struct treaty_offence *o = offence_in_treaty(f);

	return o == NULL || !o->asks_research || bytes_is(json_bytes(offence(f), "research"), "no");
}

static bool flags_are_set(const struct safeguard_facts *f)
{
	return json_array_size(json_object_get(json_object_get(f->s->body, "rights"), "flags")) > 0;
}

static bool note_is_there(const struct safeguard_facts *f)
{
	return json_bytes(json_object_get(f->s->body, "rights"), "note").len > 0;
}

bool rights_are_screened(const struct safeguard_facts *f, const struct findings *so_far)
{
	return flags_are_set(f) || note_is_there(f);
}

bool flags_have_a_note(const struct safeguard_facts *f, const struct findings *so_far)
{
	return !flags_are_set(f) || note_is_there(f);
}

bool no_right_is_flagged(const struct safeguard_facts *f, const struct findings *so_far)
{
	return !flags_are_set(f);
}

/* The sender's screen binds nobody here: the receiver's officer does it again, for every request. */
bool never_without_review(const struct safeguard_facts *f, const struct findings *so_far)
{
	return false;
}

bool is_authorised(const struct safeguard_facts *f, const struct findings *so_far)
{
	return json_bytes(f->s->body, "authorised_by").len > 0;
}

bool is_proportionate(const struct safeguard_facts *f, const struct findings *so_far)
{
	return json_bytes(f->s->body, "proportionality").len > 0;
}
