/* Is this a request that the Convention has a tool for: in force for both (65), for a specific case (3), and
 * through the gate of art. 35. Traffic of exercises and real traffic never mix. */
#include "safeguard/safeguard-internal.h"

bool exercise_is_marked(const struct safeguard_facts *f, const struct findings *so_far)
{
	return f->s->exercise || !f->our_exercise;
}

bool live_is_live(const struct safeguard_facts *f, const struct findings *so_far)
{
	return !f->s->exercise || f->our_exercise;
}

/* Without a register nobody knows; then it counts as not in force. */
bool is_in_force(const struct safeguard_facts *f, const struct findings *so_far)
{
	if (strcmp(f->s->legal_basis, "UNCC") != 0)
		return true;
	return f->r != NULL && register_in_force(f->r, bytes_of(f->s->from), bytes_of(f->s->to), f->now_ms);
}

/* A draft may be made without a register at hand; it is asked again when it is sent. */
bool is_in_force_if_known(const struct safeguard_facts *f, const struct findings *so_far)
{
	return f->r == NULL || is_in_force(f, so_far);
}

bool case_is_named(const struct safeguard_facts *f, const struct findings *so_far)
{
	return f->s->case_ref[0] != '\0';
}

enum treaty_gate request_gate(const struct safeguard_facts *f, const struct statement *request)
{
	const json_t *offence = json_object_get(request->body, "offence");

	return treaty_gate_of(f->t, json_bytes(offence, "code"), json_int(offence, "max_penalty_years"));
}

/* A pilot stands under no treaty and plays by the Convention's rules. */
static bool gate_binds(const struct statement *s)
{
	return strcmp(s->legal_basis, "UNCC") == 0 || strcmp(s->legal_basis, "pilot") == 0;
}

bool offence_is_in_scope(const struct safeguard_facts *f, const struct findings *so_far)
{
	const struct treaty_measure *measure = treaty_measure_of_kind(f->t, bytes_of(f->s->kind->name));

	if (!gate_binds(f->s))
		return true;
	return measure != NULL && measure->open[request_gate(f, f->s)];
}

bool lesser_offence_has_a_basis(const struct safeguard_facts *f, const struct findings *so_far)
{
	return gate_binds(f->s) || request_gate(f, f->s) != GATE_LESSER_OFFENCE;
}

bool offence_is_of_convention(const struct safeguard_facts *f, const struct findings *so_far)
{
	return request_gate(f, f->s) != GATE_SERIOUS_CRIME;
}
