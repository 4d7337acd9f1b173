/* Each row about what the requested party does fires when its safeguard is missing, and is silent when it is
 * there. */
#include "safeguard/test-scene.h"

#define IN_90_DAYS "2027-02-21T02:10:00.000Z"
#define IN_91_DAYS "2027-02-22T02:10:00.000Z"

static void what_is_done_in_order_passes_execution(void **state)
{
	static const char *const kinds[] = { "answer", "order" };

	for (size_t i = 0; i < 2; i++) {
		struct scene c;

		scene_of(kinds[i], &c);
		with_request(&c, "preservation-request", "pilot", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(c.found.count, 0);
		end(&c);
	}
}

/* --- carrying out --------------------------------------------------------------------------------------- */

static void an_answer_is_about_the_request_that_it_names(void **state)
{
	struct scene c;

	scene_of("answer", &c);
	with_request(&c, "preservation-request", "pilot", "UNCC-10");
	json_put_text(body_of(&c), "request", "ff0102030405060708090a0b0c0d0e0f");
	check(SAFEGUARD_EXECUTION, &c);
	FIRES(&c, "", STOP, NOT_FOUND);
	end(&c);
}

static void refusing(struct scene *c, const char *basis, const char *ground)
{
	scene_of("answer", c);
	json_put_text(c->frame, "legal_basis", basis);
	json_put_text(body_of(c), "outcome", "refused");
	json_put_text(body_of(c), "ground", ground);
	json_put_text(body_of(c), "reasons", "for these reasons");
	json_put_text(body_of(c), "instrument", "Treaty of 1999, art. 3");
	json_put_bool(body_of(c), "consulted", true);
	json_put_text(body_of(c), "consultation", "called on Monday, conditions would not do");
}

static void a_ground_counts_only_where_it_applies(void **state)
{
	static const struct {
		const char *basis, *kind, *ground;
		bool applies;
	} cases[] = {
		{ "UNCC", "preservation-request", "R-ESSENTIAL", true },
		{ "UNCC", "preservation-request", "R-FORM", false },
		{ "UNCC", "preservation-request", "R-DC", false },
		{ "UNCC", "preservation-request", "R-DC-PRES", false }, /* no reservation, and a Convention offence */
		{ "UNCC", "stored-data-request", "R-FORM", true },
		{ "UNCC", "stored-data-request", "R-DC-PRES", false },
		{ "UNCC", "stored-data-request", "bank-secrecy", false },
		{ "budapest", "preservation-request", "R-ESSENTIAL", false },
		{ "budapest", "preservation-request", "OTHER", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene c;

		refusing(&c, cases[i].basis, cases[i].ground);
		with_request(&c, cases[i].kind, cases[i].basis, "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		if ((found(&c, "40(21)", FINDING_STOP, REASON_NOT_A_GROUND) == NULL) != cases[i].applies)
			fail_msg("%s %s %s", cases[i].basis, cases[i].kind, cases[i].ground);
		end(&c);
	}
}

static void only_a_registered_reservation_opens_42_5_and_for_no_convention_offence(void **state)
{
	for (int which = 0; which < 3; which++) {
		struct register_ *r = scene_register(SAMPLE_NOW);
		struct scene c;

		refusing(&c, "UNCC", "R-DC-PRES");
		with_request(&c, "preservation-request", "UNCC", which == 1 ? "UNCC-10" : "");
		c.facts.r = r;
		c.facts.our_party = which == 2 ? "XR" : "XA"; /* XR has none */
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "40(21)", FINDING_STOP, REASON_NOT_A_GROUND) != NULL, which > 0);
		end(&c);
		register_free(r);
	}
}

static void assistance_is_not_refused_without_consultation(void **state)
{
	for (int consulted = 0; consulted < 2; consulted++) {
		struct scene c, preservation;

		refusing(&c, "UNCC", "R-ESSENTIAL");
		json_put_bool(body_of(&c), "consulted", consulted);
		with_request(&c, "stored-data-request", "UNCC", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "40(28)", FINDING_STOP, REASON_SAFEGUARD) != NULL, !consulted);
		end(&c);
		refusing(&preservation, "UNCC", "R-ESSENTIAL");
		json_put_bool(body_of(&preservation), "consulted", consulted);
		with_request(&preservation, "preservation-request", "UNCC", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &preservation);
		nothing_stops(&preservation);
		end(&preservation);
	}
}

static void preserved_data_are_held_for_60_days(void **state)
{
	static const char *const until[] = { "2027-01-22T02:10:00.000Z", "2027-01-22T02:09:59.999Z", "" };

	for (size_t i = 0; i < 3; i++) {
		struct scene c;

		scene_of("answer", &c);
		json_put_text(body_of(&c), "hold_until", until[i]);
		with_request(&c, "preservation-request", "pilot", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "42(8)", FINDING_STOP, REASON_SAFEGUARD) != NULL, i == 1);
		assert_int_equal(found(&c, "42(8)", FINDING_NOTE, REASON_MISSING_FIELD) != NULL, i == 2);
		end(&c);
	}
}

static void a_preservation_order_lasts_at_most_90_days(void **state)
{
	for (int over = 0; over < 2; over++) {
		struct scene c;

		scene_of("order", &c);
		json_put_text(body_of(&c), "expires", over ? IN_91_DAYS : IN_90_DAYS);
		with_request(&c, "preservation-request", "pilot", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "25(2)", FINDING_STOP, REASON_SAFEGUARD) != NULL, over);
		end(&c);
	}
}

static void disclosure_by_the_police_is_reviewed(void **state)
{
	static const char *const bodies[] = { "police", "prosecutor", "independent", "court" };

	for (size_t i = 0; i < 4; i++) {
		struct scene c;

		scene_of("order", &c);
		json_put_text(body_of(&c), "measure", "disclose");
		json_put_text(body_of(&c), "body_kind", bodies[i]);
		with_request(&c, "stored-data-request", "pilot", "UNCC-10");
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "24(2)", FINDING_REVIEW, REASON_SAFEGUARD) != NULL, i < 2);
		end(&c);
	}
}

/* An exhibit of a stored-data request with the order that it names, changed in one member. */
static void exhibit_with_order(struct scene *c, const char *member, const char *value)
{
	json_t *frame = sample_frame("order", sample_body("order"));
	char hash[2 * SHA256_BYTES + 1];

	scene_of("exhibit", c);
	with_request(c, "stored-data-request", "pilot", "UNCC-10");
	json_put_text(json_object_get(frame, "body"), "measure", "disclose");
	if (member != NULL)
		json_put_text(json_object_get(frame, "body"), member, value);
	assert_true(sample_parse(frame, &c->order, NULL));
	hex_write(BYTES_ARRAY(c->order->hash), hash);
	json_put_text(body_of(c), "order", hash);
	c->facts.order = c->order;
}

static void evidence_leaves_only_on_an_order_for_disclosure(void **state)
{
	static const struct {
		const char *member, *value;
	} wrong[] = {
		{ "measure", "preserve" },
		{ "request", "ff0102030405060708090a0b0c0d0e0f" },
		{ "expires", SAMPLE_TIME },
	};
	struct scene c;

	exhibit_with_order(&c, NULL, NULL);
	check(SAFEGUARD_EXECUTION, &c);
	assert_int_equal(c.found.count, 0);
	c.facts.order = NULL;
	check(SAFEGUARD_EXECUTION, &c);
	FIRES(&c, "24(2), 24(4)", STOP, NO_DISCLOSURE_ORDER);
	end(&c);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		exhibit_with_order(&c, wrong[i].member, wrong[i].value);
		check(SAFEGUARD_EXECUTION, &c);
		FIRES(&c, "24(2), 24(4)", STOP, NO_DISCLOSURE_ORDER);
		end(&c);
	}
	exhibit_with_order(&c, NULL, NULL);
	json_put_text(body_of(&c), "order", SAMPLE_HASH); /* names another order */
	check(SAFEGUARD_EXECUTION, &c);
	FIRES(&c, "24(2), 24(4)", STOP, NO_DISCLOSURE_ORDER);
	end(&c);
}

static void personal_data_leave_with_conditions(void **state)
{
	for (int personal = 0; personal < 2; personal++) {
		struct scene c;

		exhibit_with_order(&c, NULL, NULL);
		json_put(body_of(&c), "conditions", json_array());
		json_put_bool(body_of(&c), "personal_data", personal);
		check(SAFEGUARD_EXECUTION, &c);
		assert_int_equal(found(&c, "36(1)(b), 40(19)", FINDING_STOP, REASON_SAFEGUARD) != NULL, personal);
		end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_in_order_passes_execution),
		cmocka_unit_test(an_answer_is_about_the_request_that_it_names),
		cmocka_unit_test(a_ground_counts_only_where_it_applies),
		cmocka_unit_test(only_a_registered_reservation_opens_42_5_and_for_no_convention_offence),
		cmocka_unit_test(assistance_is_not_refused_without_consultation),
		cmocka_unit_test(preserved_data_are_held_for_60_days),
		cmocka_unit_test(a_preservation_order_lasts_at_most_90_days),
		cmocka_unit_test(disclosure_by_the_police_is_reviewed),
		cmocka_unit_test(evidence_leaves_only_on_an_order_for_disclosure),
		cmocka_unit_test(personal_data_leave_with_conditions),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
