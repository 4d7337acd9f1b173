/* The table is the law here: what has a row moves, what has none does not. */
#include "request/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_row_moves_and_every_other_event_is_refused(void **state)
{
	struct err e;
	const struct life_move *m;

	for (unsigned kind = LIFE_PRES; kind <= LIFE_DATA; kind++)
		for (unsigned side = LIFE_ASKING; side <= LIFE_ASKED; side++)
			for (unsigned from = 0; from < LIFE_STATE_COUNT; from++)
				for (unsigned event = 0; event < LIFE_EVENT_COUNT; event++) {
					unsigned rows = 0;
					for (size_t i = 0; i < life_count(); i++) {
						const struct life_move *r = life_at(i);
						rows += (r->kind & kind) && (r->side & side) &&
							r->from == from && r->event == event;
					}
					assert_true(rows <= 1);
					assert_int_equal(life_find((enum life_kind)kind, (enum life_side)side,
								   (enum life_state)from,
								   (enum life_event)event, &m, &e),
							 rows == 1);
				}
}

static void every_state_is_reachable(void **state)
{
	bool reached[LIFE_STATE_COUNT] = { [LIFE_NONE] = true };

	for (unsigned round = 0; round < LIFE_STATE_COUNT; round++)
		for (size_t i = 0; i < life_count(); i++)
			if (reached[life_at(i)->from])
				reached[life_at(i)->to] = true;
	for (unsigned s = 0; s < LIFE_STATE_COUNT; s++)
		assert_true(reached[s]);
}

static void nothing_is_refused_before_a_person_acknowledged(void **state)
{
	struct err e;
	const struct life_move *m;

	assert_false(life_find(LIFE_PRES, LIFE_ASKED, LIFE_RECEIVED, EVENT_REFUSED, &m, &e));
	assert_int_equal(e.reason, REASON_WRONG_STATE);
}

static void preservation_cannot_be_postponed(void **state)
{
	struct err e;
	const struct life_move *m;

	assert_false(life_find(LIFE_PRES, LIFE_ASKED, LIFE_ACKNOWLEDGED, EVENT_POSTPONED, &m, &e));
	assert_true(life_find(LIFE_DATA, LIFE_ASKED, LIFE_ACKNOWLEDGED, EVENT_POSTPONED, &m, &e));
}

static void evidence_needs_a_disclosure_order_first(void **state)
{
	struct err e;
	const struct life_move *m;

	assert_false(life_find(LIFE_DATA, LIFE_ASKED, LIFE_ACCEPTED, EVENT_EXHIBIT, &m, &e));
	assert_true(life_find(LIFE_DATA, LIFE_ASKED, LIFE_EXECUTING, EVENT_EXHIBIT, &m, &e));
}

static void codes_and_states_agree(void **state)
{
	enum life_state s;

	for (unsigned i = 0; i < LIFE_STATE_COUNT; i++) {
		assert_true(life_state_find(bytes_of(life_state_code((enum life_state)i)), &s));
		assert_int_equal(s, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_moves_and_every_other_event_is_refused),
		cmocka_unit_test(every_state_is_reachable),
		cmocka_unit_test(nothing_is_refused_before_a_person_acknowledged),
		cmocka_unit_test(preservation_cannot_be_postponed),
		cmocka_unit_test(evidence_needs_a_disclosure_order_first),
		cmocka_unit_test(codes_and_states_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
