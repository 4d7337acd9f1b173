/* Each row of the table fires when its safeguard is missing, and is silent when it is there. */
#include "safeguard/safeguard.h"
#include "statement/test-samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define IN_90_DAYS "2027-02-21T02:10:00.000Z"
#define IN_91_DAYS "2027-02-22T02:10:00.000Z"

static struct treaty *treaty;

static int load(void **state)
{
	const char *folder = getenv("COMITY_TREATIES");
	struct err e = { 0 };

	if (folder == NULL || !treaty_load(folder, &treaty, &e)) {
		fprintf(stderr, "treaties: %s\n", folder == NULL ? "COMITY_TREATIES is not set" : e.text);
		return -1;
	}
	return 0;
}

static int unload(void **state)
{
	treaty_free(treaty);
	return 0;
}

/* --- what a case is made of -------------------------------------------------------------------------- */

struct scene {
	json_t *frame; /* until it is parsed */
	struct statement *s, *request, *order;
	struct approval approvals[3];
	struct safeguard_facts facts;
	struct findings found;
};

/* A sample of the kind, under the basis "pilot", which needs no register; everything is in order. */
static void scene_of(const char *kind, struct scene *c)
{
	memset(c, 0, sizeof(*c));
	c->frame = sample_frame(kind, sample_body(kind));
	json_put_text(c->frame, "legal_basis", "pilot");
	c->facts = (struct safeguard_facts){ .t = treaty, .our_party = "XA", .now_ms = SAMPLE_NOW };
}

static json_t *body_of(struct scene *c)
{
	return json_object_get(c->frame, "body");
}

static json_t *offence_of(struct scene *c)
{
	return json_object_get(body_of(c), "offence");
}

/* The request that an answer, order or exhibit is about. */
static void with_request(struct scene *c, const char *kind, const char *basis, const char *offence)
{
	json_t *frame = sample_frame(kind, sample_body(kind));

	json_put_text(frame, "legal_basis", basis);
	json_put_text(json_object_get(json_object_get(frame, "body"), "offence"), "code", offence);
	assert_true(sample_parse(frame, &c->request, NULL));
	c->facts.request = c->request;
}

static void approved(struct scene *c, enum approval_role role, const char *name, const char *note)
{
	struct approval *a = &c->approvals[c->facts.approval_count++];

	a->role = role;
	snprintf(a->approver, sizeof(a->approver), "%s", name);
	snprintf(a->note, sizeof(a->note), "%s", note);
	a->envelope.signature_count = 1;
	snprintf(a->envelope.signatures[0].keyid, sizeof(a->envelope.signatures[0].keyid), "%s", name);
	c->facts.approvals = c->approvals;
}

static void approved_by_two(struct scene *c)
{
	approved(c, APPROVAL_REVIEWER, "Rana Vale", "");
	approved(c, APPROVAL_AUTHORITY, "Ilse Thorn", "");
}

static void check(enum safeguard_step step, struct scene *c)
{
	struct err e = { 0 };

	if (c->s == NULL) {
		if (!sample_parse(c->frame, &c->s, &e))
			fail_msg("%s", e.text);
		for (size_t i = 0; i < c->facts.approval_count; i++)
			memcpy(c->approvals[i].hash, c->s->hash, SHA256_BYTES);
	}
	c->facts.s = c->s;
	findings_init(&c->found);
	safeguard_check(step, &c->facts, &c->found);
}

static void end(struct scene *c)
{
	if (c->s == NULL)
		json_decref(c->frame);
	statement_free(c->s);
	statement_free(c->request);
	statement_free(c->order);
}

static const struct finding *found(const struct scene *c, const char *clause, enum finding_severity severity,
				   enum reason reason)
{
	for (size_t i = 0; i < c->found.count; i++) {
		const struct finding *x = &c->found.at[i];

		if (strcmp(x->clause, clause) == 0 && x->severity == severity && x->reason == reason)
			return x;
	}
	return NULL;
}

#define FIRES(c, clause, severity, reason) assert_non_null(found(c, clause, FINDING_##severity, REASON_##reason))
#define SILENT(c, clause, severity, reason) assert_null(found(c, clause, FINDING_##severity, REASON_##reason))

static void nothing_stops(const struct scene *c)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (c->found.at[i].severity == FINDING_STOP)
			fail_msg("%s: %s", c->found.at[i].clause, c->found.at[i].text);
}

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
	other.facts.r = empty;
	check(SAFEGUARD_SEND, &other);
	SILENT(&other, "65", STOP, NOT_IN_FORCE);
	end(&other);
	register_free(empty);
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

static void the_table_prints_every_row_with_its_clause(void **state)
{
	AUTO_BUF out;

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
		cmocka_unit_test(what_is_done_in_order_passes_execution),
		cmocka_unit_test(exercise_and_live_never_mix),
		cmocka_unit_test(what_is_missing_stops_the_sender_and_is_asked_for_by_the_receiver),
		cmocka_unit_test(the_convention_serves_only_where_it_is_in_force),
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
		cmocka_unit_test(an_answer_is_about_the_request_that_it_names),
		cmocka_unit_test(a_ground_counts_only_where_it_applies),
		cmocka_unit_test(assistance_is_not_refused_without_consultation),
		cmocka_unit_test(preserved_data_are_held_for_60_days),
		cmocka_unit_test(a_preservation_order_lasts_at_most_90_days),
		cmocka_unit_test(disclosure_by_the_police_is_reviewed),
		cmocka_unit_test(evidence_leaves_only_on_an_order_for_disclosure),
		cmocka_unit_test(personal_data_leave_with_conditions),
		cmocka_unit_test(the_table_prints_every_row_with_its_clause),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
