/* Each row about a request and the people who sign fires when its safeguard is missing, and is silent when it
 * is there. */
#include "safeguard/test-scene.h"

/* --- in order ------------------------------------------------------------------------------------------ */

static void a_request_in_order_passes_draft_and_send_without_a_word(void **state)
{
	static const char *const kinds[] = { "preservation-request", "stored-data-request" };

	for (size_t i = 0; i < 2; i++) {
		struct scene c;

		scene_of(kinds[i], &c);
		approved_by_two(&c);
		check(SAFEGUARD_DRAFT, &c);
		assert_int_equal(c.found.count, 0);
		check(SAFEGUARD_SEND, &c);
		assert_int_equal(c.found.count, 0);
		end(&c);
	}
}

/* --- the statement itself ---------------------------------------------------------------------------- */

static void exercise_and_live_never_mix(void **state)
{
	for (int s = 0; s < 2; s++)
		for (int node = 0; node < 2; node++) {
			struct scene c;

			scene_of("preservation-request", &c);
			json_put_bool(c.frame, "exercise", s);
			c.facts.our_exercise = node;
			check(SAFEGUARD_RECEIPT, &c);
			assert_int_equal(found(&c, "", FINDING_STOP, REASON_EXERCISE_IN_LIVE) != NULL, s && !node);
			assert_int_equal(found(&c, "", FINDING_STOP, REASON_LIVE_IN_EXERCISE) != NULL, !s && node);
			end(&c);
		}
}

static void what_is_missing_stops_the_sender_and_is_asked_for_by_the_receiver(void **state)
{
	struct scene c;

	scene_of("preservation-request", &c);
	json_put_text(body_of(&c), "necessity", "");
	approved_by_two(&c);
	check(SAFEGUARD_SEND, &c);
	FIRES(&c, "42(3)(e)", STOP, MISSING_FIELD);
	check(SAFEGUARD_RECEIPT, &c);
	FIRES(&c, "42(3)(e)", REVIEW, MISSING_FIELD);
	nothing_stops(&c);
	end(&c);
}

static void the_convention_serves_only_where_it_is_in_force(void **state)
{
	struct register_ *empty = register_new();
	struct scene c, other;

	scene_of("preservation-request", &c);
	json_put_text(c.frame, "legal_basis", "UNCC");
	c.facts.r = empty;
	check(SAFEGUARD_DRAFT, &c);
	FIRES(&c, "65", STOP, NOT_IN_FORCE);
	check(SAFEGUARD_RECEIPT, &c);
	FIRES(&c, "65", STOP, NOT_IN_FORCE);
	c.facts.r = NULL;
	check(SAFEGUARD_DRAFT, &c);
	SILENT(&c, "65", STOP, NOT_IN_FORCE);
	check(SAFEGUARD_SEND, &c);
	FIRES(&c, "65", STOP, NOT_IN_FORCE);
	end(&c);
	scene_of("preservation-request", &other);
	other.facts.r = empty; /* under the basis "pilot" */
	check(SAFEGUARD_SEND, &other);
	SILENT(&other, "65", STOP, NOT_IN_FORCE);
	end(&other);
	register_free(empty);
}

static void the_convention_is_in_force_from_its_day_on_for_both(void **state)
{
	for (int64_t late = 0; late < 3; late++) {
		struct register_ *r = scene_register(late == 2 ? 0 : SAMPLE_NOW + late);
		struct scene c;

		scene_of("preservation-request", &c);
		json_put_text(c.frame, "legal_basis", "UNCC");
		c.facts.r = r;
		check(SAFEGUARD_RECEIPT, &c);
		assert_int_equal(found(&c, "65", FINDING_STOP, REASON_NOT_IN_FORCE) != NULL, late > 0);
		end(&c);
		register_free(r);
	}
}

/* --- scope ------------------------------------------------------------------------------------------------ */

static void a_case_must_be_named(void **state)
{
	struct scene c;

	scene_of("preservation-request", &c);
	json_put_text(c.frame, "case", "");
	check(SAFEGUARD_DRAFT, &c);
	FIRES(&c, "3", STOP, MISSING_FIELD);
	check(SAFEGUARD_RECEIPT, &c);
	FIRES(&c, "3", REVIEW, MISSING_FIELD);
	end(&c);
}

/* No Convention offence, with this maximum penalty. */
static void other_crime(struct scene *c, int years, const char *basis)
{
	scene_of("preservation-request", c);
	json_put_text(c->frame, "legal_basis", basis);
	json_put_text(offence_of(c), "code", "");
	json_put_text(offence_of(c), "title", "insult");
	json_put_int(offence_of(c), "max_penalty_years", years);
}

static void a_lesser_offence_is_stopped_and_a_serious_crime_reviewed(void **state)
{
	for (int years = 3; years <= 4; years++) {
		struct scene c;

		other_crime(&c, years, "pilot");
		check(SAFEGUARD_DRAFT, &c);
		assert_int_equal(found(&c, "35(1)", FINDING_STOP, REASON_BELOW_THRESHOLD) != NULL, years == 3);
		assert_int_equal(found(&c, "35(1)(c)", FINDING_REVIEW, REASON_RIGHTS_REVIEW) != NULL, years == 4);
		end(&c);
	}
}

static void a_lesser_offence_under_another_treaty_is_reviewed(void **state)
{
	struct scene c;

	other_crime(&c, 3, "budapest");
	check(SAFEGUARD_RECEIPT, &c);
	SILENT(&c, "35(1)", STOP, BELOW_THRESHOLD);
	FIRES(&c, "35(1)(c)", REVIEW, RIGHTS_REVIEW);
	end(&c);
}

/* --- rights -------------------------------------------------------------------------------------------- */

static void misuse_of_devices_needs_its_purpose(void **state)
{
	for (int there = 0; there < 2; there++) {
		struct scene c;

		scene_of("preservation-request", &c);
		json_put_text(offence_of(&c), "code", "UNCC-11");
		json_put_text(offence_of(&c), "purpose", there ? "to break into hospitals" : "");
		check(SAFEGUARD_DRAFT, &c);
		assert_int_equal(found(&c, "11(1)", FINDING_STOP, REASON_PURPOSE_MISSING) != NULL, !there);
		end(&c);
	}
}

static void possible_research_is_reviewed_for_arts_7_to_11_only(void **state)
{
	static const struct {
		const char *code, *research;
		bool fires;
	} cases[] = {
		{ "UNCC-07", "no", false },     { "UNCC-07", "yes", true },      { "UNCC-08", "unknown", true },
		{ "UNCC-09", "yes", true },     { "UNCC-10", "unknown", true },  { "UNCC-11", "yes", true },
		{ "UNCC-12", "yes", false },    { "UNCC-13", "unknown", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene c;

		scene_of("preservation-request", &c);
		json_put_text(offence_of(&c), "code", cases[i].code);
		json_put_text(offence_of(&c), "research", cases[i].research);
		check(SAFEGUARD_RECEIPT, &c);
		assert_int_equal(found(&c, "11(2), 53(3)(e)", FINDING_REVIEW, REASON_RIGHTS_REVIEW) != NULL,
				 cases[i].fires);
		end(&c);
	}
}

static void the_rights_screen_must_be_there(void **state)
{
	struct scene c;

	scene_of("preservation-request", &c);
	json_put_text(json_object_get(body_of(&c), "rights"), "note", "");
	check(SAFEGUARD_DRAFT, &c);
	FIRES(&c, "6", STOP, RIGHTS_REVIEW);
	end(&c);
}

static void flagged_rights_need_a_note_and_a_review(void **state)
{
	for (int note = 0; note < 2; note++) {
		struct scene c;
		json_t *rights;

		scene_of("preservation-request", &c);
		rights = json_object_get(body_of(&c), "rights");
		assert_int_equal(json_array_append_new(json_object_get(rights, "flags"), json_string("expression")), 0);
		json_put_text(rights, "note", note ? "the article itself is not asked for" : "");
		check(SAFEGUARD_DRAFT, &c);
		assert_int_equal(found(&c, "6", FINDING_STOP, REASON_RIGHTS_REVIEW) != NULL, !note);
		FIRES(&c, "6(2)", REVIEW, RIGHTS_REVIEW);
		end(&c);
	}
}

static void every_request_is_screened_again_on_receipt(void **state)
{
	struct scene c, answer;

	scene_of("preservation-request", &c);
	check(SAFEGUARD_RECEIPT, &c);
	FIRES(&c, "24(4)", REVIEW, RIGHTS_REVIEW);
	nothing_stops(&c);
	end(&c);
	scene_of("answer", &answer);
	check(SAFEGUARD_RECEIPT, &answer);
	assert_int_equal(answer.found.count, 0);
	end(&answer);
}

static void stored_data_are_asked_for_with_authorisation_and_proportionately(void **state)
{
	static const struct {
		const char *field, *clause;
	} rows[] = { { "authorised_by", "24(2)" }, { "proportionality", "24(1)" } };

	for (size_t i = 0; i < 2; i++) {
		struct scene c;

		scene_of("stored-data-request", &c);
		json_put_text(body_of(&c), rows[i].field, "");
		check(SAFEGUARD_DRAFT, &c);
		FIRES(&c, rows[i].clause, STOP, SAFEGUARD);
		assert_int_equal(c.found.count, 1);
		end(&c);
	}
}

/* --- people ------------------------------------------------------------------------------------------- */

static void each_approval_that_the_kind_needs_is_missed(void **state)
{
	for (int which = 0; which < 3; which++) {
		struct scene c;

		scene_of("preservation-request", &c);
		if (which == 1)
			approved(&c, APPROVAL_REVIEWER, "Rana Vale", "");
		if (which == 2)
			approved(&c, APPROVAL_AUTHORITY, "Ilse Thorn", "");
		check(SAFEGUARD_SEND, &c);
		FIRES(&c, "24", STOP, MISSING_APPROVAL);
		end(&c);
	}
}

static void an_order_for_disclosure_is_not_sent_without_the_court(void **state)
{
	for (int court = 0; court < 2; court++) {
		struct scene c;

		scene_of("order", &c);
		json_put_text(body_of(&c), "measure", "disclose");
		approved(&c, court ? APPROVAL_COURT : APPROVAL_AUTHORITY, "Judge Finch", "");
		check(SAFEGUARD_SEND, &c);
		assert_int_equal(found(&c, "24", FINDING_STOP, REASON_MISSING_APPROVAL) != NULL, !court);
		end(&c);
	}
}

static void an_approval_of_another_text_is_none(void **state)
{
	struct scene c;

	scene_of("preservation-request", &c);
	approved_by_two(&c);
	check(SAFEGUARD_SEND, &c);
	c.approvals[1].hash[0] ^= 1;
	check(SAFEGUARD_SEND, &c);
	FIRES(&c, "24", STOP, BAD_APPROVAL);
	end(&c);
}

static void the_case_officer_approves_nothing_of_his_own(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct scene c;

		scene_of("preservation-request", &c);
		approved(&c, APPROVAL_REVIEWER, role == 0 ? "Ada Quill" : "Rana Vale", "");
		approved(&c, APPROVAL_AUTHORITY, role == 1 ? "Ada Quill" : "Ilse Thorn", "");
		check(SAFEGUARD_SEND, &c);
		FIRES(&c, "6", STOP, BAD_APPROVAL);
		end(&c);
	}
}

static void reviewer_and_authority_are_two_people(void **state)
{
	struct scene name, key;

	scene_of("preservation-request", &name);
	approved(&name, APPROVAL_REVIEWER, "Rana Vale", "");
	approved(&name, APPROVAL_AUTHORITY, "Rana Vale", "");
	check(SAFEGUARD_SEND, &name);
	FIRES(&name, "6", STOP, BAD_APPROVAL);
	end(&name);
	scene_of("preservation-request", &key);
	approved_by_two(&key);
	memcpy(key.approvals[1].envelope.signatures, key.approvals[0].envelope.signatures,
	       sizeof(key.approvals[0].envelope.signatures));
	check(SAFEGUARD_SEND, &key);
	FIRES(&key, "6", STOP, BAD_APPROVAL);
	end(&key);
}

static void a_point_for_review_needs_the_reviewers_note(void **state)
{
	for (int note = 0; note < 2; note++) {
		struct scene c;

		scene_of("preservation-request", &c);
		json_put_text(offence_of(&c), "research", "unknown");
		approved(&c, APPROVAL_REVIEWER, "Rana Vale", note ? "a gang, by all that is known" : "");
		approved(&c, APPROVAL_AUTHORITY, "Ilse Thorn", "");
		check(SAFEGUARD_SEND, &c);
		assert_int_equal(found(&c, "6, 24", FINDING_STOP, REASON_RIGHTS_REVIEW) != NULL, !note);
		assert_true(c.found.reviews);
		end(&c);
	}
}

static void the_table_prints_every_row_with_its_clause(void **state)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	safeguard_print(&out);
	assert_true(buf_ok(&out));
	assert_non_null(strstr(buf_text(&out), "stop, art. 35(1); at draft, send, receipt;"));
	assert_non_null(strstr(buf_text(&out), "stop, art. 24(2), 24(4); at execution; exhibit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_in_order_passes_draft_and_send_without_a_word),
		cmocka_unit_test(exercise_and_live_never_mix),
		cmocka_unit_test(what_is_missing_stops_the_sender_and_is_asked_for_by_the_receiver),
		cmocka_unit_test(the_convention_serves_only_where_it_is_in_force),
		cmocka_unit_test(the_convention_is_in_force_from_its_day_on_for_both),
		cmocka_unit_test(a_case_must_be_named),
		cmocka_unit_test(a_lesser_offence_is_stopped_and_a_serious_crime_reviewed),
		cmocka_unit_test(a_lesser_offence_under_another_treaty_is_reviewed),
		cmocka_unit_test(misuse_of_devices_needs_its_purpose),
		cmocka_unit_test(possible_research_is_reviewed_for_arts_7_to_11_only),
		cmocka_unit_test(the_rights_screen_must_be_there),
		cmocka_unit_test(flagged_rights_need_a_note_and_a_review),
		cmocka_unit_test(every_request_is_screened_again_on_receipt),
		cmocka_unit_test(stored_data_are_asked_for_with_authorisation_and_proportionately),
		cmocka_unit_test(each_approval_that_the_kind_needs_is_missed),
		cmocka_unit_test(an_order_for_disclosure_is_not_sent_without_the_court),
		cmocka_unit_test(an_approval_of_another_text_is_none),
		cmocka_unit_test(the_case_officer_approves_nothing_of_his_own),
		cmocka_unit_test(reviewer_and_authority_are_two_people),
		cmocka_unit_test(a_point_for_review_needs_the_reviewers_note),
		cmocka_unit_test(the_table_prints_every_row_with_its_clause),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
