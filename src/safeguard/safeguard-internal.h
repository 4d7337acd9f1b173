/* The functions behind the rows: true when the safeguard is satisfied or does not concern the statement.
 * Internal to safeguard/. */
#ifndef COMITY_SAFEGUARD_INTERNAL_H
#define COMITY_SAFEGUARD_INTERNAL_H

#include "safeguard/safeguard.h"

typedef bool safeguard_fn(const struct safeguard_facts *f, const struct findings *so_far);

/* checks-request.c */
safeguard_fn exercise_is_marked, live_is_live, is_in_force, is_in_force_if_known, case_is_named, offence_is_in_scope,
	lesser_offence_has_a_basis, offence_is_of_convention;
/* checks-rights.c */
safeguard_fn purpose_is_stated, research_is_excluded, rights_are_screened, flags_have_a_note, no_right_is_flagged,
	never_without_review, is_authorised, is_proportionate;
/* checks-people.c */
safeguard_fn approvals_are_complete, approvals_are_of_this, officer_does_not_approve, reviewer_is_another,
	review_is_noted;
/* checks-execution.c */
safeguard_fn request_is_known, ground_applies, is_consulted, hold_is_long_enough, hold_is_told, order_is_short_enough,
	order_is_independent, disclosure_is_ordered, personal_data_has_conditions;

/* The gate of art. 35 for a request's offence. */
enum treaty_gate request_gate(const struct safeguard_facts *f, const struct statement *request);

#endif
