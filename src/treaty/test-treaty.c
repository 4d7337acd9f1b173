/* The rule pack as a lawyer would question it. */
#include "treaty/treaty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

#define B(text) bytes_of(text)
static const char PRES[] = "preservation-request";
static const char DATA[] = "stored-data-request";
static const char *const files[] = { "articles.txt", "bases.txt", "constants.txt", "grounds.txt",
				     "measures.txt", "offences.txt", "requests.txt" };
#define FILES (sizeof(files) / sizeof(files[0]))

static struct treaty *t;

static const char *folder(void)
{
	const char *path = getenv("COMITY_TREATIES");

	return path == NULL ? "treaties" : path;
}

static int load(void **state)
{
	struct err e = { 0 };

	if (!treaty_load(folder(), &t, &e)) {
		print_error("%s\n", e.text);
		return 1;
	}
	return 0;
}

static int unload(void **state)
{
	treaty_free(t);
	return 0;
}

static void every_article_and_every_offence_is_there(void **state)
{
	char name[16];

	for (int n = 1; n <= 68; n++) {
		snprintf(name, sizeof(name), "%d", n);
		assert_non_null(treaty_article(t, B(name)));
		assert_true(treaty_article(t, B(name))->summary[0] != '\0');
	}
	assert_null(treaty_article(t, B("69")));
	assert_null(treaty_article(t, B("0")));
	assert_null(treaty_article(t, B("")));
	assert_int_equal(treaty_offence_count(t), 13);
	for (int n = 7; n <= 19; n++) {
		snprintf(name, sizeof(name), "UNCC-%02d", n);
		assert_int_equal(treaty_offence(t, B(name))->article, n);
		assert_int_equal(treaty_offence(t, B(name))->asks_research, n <= 11);
		assert_int_equal(treaty_offence(t, B(name))->asks_purpose, n == 11);
	}
	assert_null(treaty_article_at(t, treaty_article_count(t)));
	assert_null(treaty_offence_at(t, 13));
}

static const struct treaty_element *element(const char *offence, const char *code)
{
	const struct treaty_offence *o = treaty_offence(t, B(offence));

	for (size_t i = 0; i < o->element_count; i++)
		if (strcmp(o->elements[i].code, code) == 0)
			return &o->elements[i];
	return NULL;
}

static void elements_are_those_of_the_convention(void **state)
{
	assert_int_equal(element("UNCC-07", "security_measure_breached")->kind, ELEMENT_OPTION);
	assert_int_equal(element("UNCC-10", "serious_hindering")->kind, ELEMENT_MUST);
	for (size_t i = 0; i < treaty_offence(t, B("UNCC-10"))->element_count; i++)
		assert_int_not_equal(treaty_offence(t, B("UNCC-10"))->elements[i].kind, ELEMENT_OPTION);
	assert_int_equal(element("UNCC-11", "purpose_use_for_7_10")->kind, ELEMENT_MUST);
	assert_int_equal(element("UNCC-11", "authorised_testing")->kind, ELEMENT_EXCLUDES);
	/* Art. 15 alone of 7 to 16 does not say "without right". */
	for (int n = 7; n <= 16; n++) {
		char name[16];

		snprintf(name, sizeof(name), "UNCC-%02d", n);
		assert_int_equal(element(name, "intent")->kind, ELEMENT_MUST);
		assert_int_equal(element(name, "without_right") != NULL, n != 15);
	}
}

static void a_crime_is_serious_from_four_years_on(void **state)
{
	assert_int_equal(treaty_gate_of(t, B(""), 4), GATE_SERIOUS_CRIME);
	assert_int_equal(treaty_gate_of(t, B(""), 99), GATE_SERIOUS_CRIME);
	assert_int_equal(treaty_gate_of(t, B(""), 3), GATE_LESSER_OFFENCE);
	assert_int_equal(treaty_gate_of(t, B(""), 0), GATE_LESSER_OFFENCE);
	assert_int_equal(treaty_gate_of(t, B(""), -1), GATE_LESSER_OFFENCE);
}

static void an_offence_of_the_convention_needs_no_penalty(void **state)
{
	assert_int_equal(treaty_gate_of(t, B("UNCC-07"), 0), GATE_CONVENTION_OFFENCE);
	assert_int_equal(treaty_gate_of(t, B("UNCC-19"), 1), GATE_CONVENTION_OFFENCE);
	assert_int_equal(treaty_gate_of(t, B("UNCC-20"), 1), GATE_LESSER_OFFENCE);
	assert_int_equal(treaty_gate_of(t, B("UNCC-06"), 4), GATE_SERIOUS_CRIME);
}

static void every_rule_of_the_scope_gate_holds(void **state)
{
	static const struct {
		const char *article;
		bool open[3];
	} rules[] = {
		{ "37", { true, false, false } }, { "40", { true, true, false } },  { "41", { true, true, false } },
		{ "42", { true, true, false } },  { "43", { true, true, false } },  { "44", { true, true, false } },
		{ "45", { true, true, false } },  { "46", { true, true, false } },  { "47", { true, false, false } },
		{ "48", { true, false, false } }, { "49", { true, false, false } },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct treaty_measure *m = treaty_measure(t, B(rules[i].article));

		assert_non_null(m);
		for (unsigned gate = 0; gate < 3; gate++)
			assert_int_equal(m->open[gate], rules[i].open[gate]);
	}
	assert_null(treaty_measure(t, B("36")));
	assert_string_equal(treaty_measure_of_kind(t, B(PRES))->article, "42");
	assert_string_equal(treaty_measure_of_kind(t, B(DATA))->article, "44");
	assert_null(treaty_measure_of_kind(t, B("")));
	assert_null(treaty_measure_of_kind(t, B("answer")));
}

static bool offered(const char *basis, const char *kind, bool convention, bool reservation, const char *code)
{
	const struct treaty_ground *g[64];
	size_t n = treaty_grounds(t, B(basis), B(kind), convention, reservation, g, 64);

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++)
		if (strcmp(g[i]->code, code) == 0)
			return true;
	return false;
}

static size_t count(const char *basis, const char *kind, bool convention, bool reservation)
{
	return treaty_grounds(t, B(basis), B(kind), convention, reservation, NULL, 0);
}

static void preservation_has_three_grounds_and_dual_criminality_is_none(void **state)
{
	for (unsigned convention = 0; convention < 2; convention++) {
		assert_int_equal(count("UNCC", PRES, convention, false), 3);
		assert_true(offered("UNCC", PRES, convention, false, "R-ESSENTIAL"));
		assert_true(offered("UNCC", PRES, convention, false, "R-DOMESTIC"));
		assert_true(offered("UNCC", PRES, convention, false, "R-DISCRIM"));
	}
	assert_false(offered("UNCC", PRES, false, true, "R-DC"));
	assert_false(offered("UNCC", PRES, false, true, "OTHER"));
	assert_false(offered("UNCC", PRES, false, true, "R-RIGHTS"));
}

static void the_reservation_counts_only_outside_the_convention(void **state)
{
	assert_false(offered("UNCC", PRES, true, false, "R-DC-PRES"));
	assert_false(offered("UNCC", PRES, true, true, "R-DC-PRES"));
	assert_false(offered("UNCC", PRES, false, false, "R-DC-PRES"));
	assert_true(offered("UNCC", PRES, false, true, "R-DC-PRES"));
	assert_int_equal(count("UNCC", PRES, false, true), 4);
	assert_false(offered("UNCC", DATA, false, true, "R-DC-PRES"));
}

static void stored_data_has_the_grounds_of_mutual_legal_assistance(void **state)
{
	static const char *const codes[] = { "R-FORM", "R-ESSENTIAL", "R-DOMESTIC", "R-SYSTEM", "R-DISCRIM", "R-DC",
					     "R-DEMINIMIS", "R-OTHERWAY", "R-DATA", "R-RIGHTS", "P-ONGOING", "OTHER" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_true(offered("UNCC", DATA, true, false, codes[i]));
	assert_int_equal(count("UNCC", DATA, true, false), sizeof(codes) / sizeof(codes[0]));
	assert_false(offered("UNCC", DATA, true, false, "R-EXTR-NATIONAL"));
	assert_string_equal(treaty_ground(t, B("UNCC"), B("R-RIGHTS"))->certainty, "UNSURE");
}

static void bank_secrecy_and_fiscal_nature_are_no_ground(void **state)
{
	static const char *const kinds[] = { PRES, DATA };
	const struct treaty_ground *g[64];

	for (unsigned k = 0; k < 2; k++) {
		size_t n = treaty_grounds(t, B("UNCC"), B(kinds[k]), false, true, g, 64);

		for (size_t i = 0; i < n; i++) {
			assert_null(strstr(g[i]->words, "bank"));
			assert_null(strstr(g[i]->words, "fiscal"));
			assert_null(strstr(g[i]->clause, "40(23)"));
			assert_null(strstr(g[i]->clause, "40(24)"));
		}
	}
	assert_null(treaty_ground(t, B("UNCC"), B("bank-secrecy")));
	assert_null(treaty_ground(t, B("UNCC"), B("fiscal-nature")));
}

static void other_bases_have_one_row_that_cites_the_instrument(void **state)
{
	static const char *const bases[] = { "budapest", "bilateral", "reciprocity", "pilot" };

	for (size_t i = 0; i < 4; i++) {
		assert_true(treaty_basis_exists(t, B(bases[i])));
		assert_non_null(treaty_basis_words(t, B(bases[i])));
		assert_int_equal(count(bases[i], PRES, true, false), 1);
		assert_int_equal(count(bases[i], DATA, false, true), 1);
		assert_true(treaty_ground(t, B(bases[i]), B("OTHER"))->other);
		assert_null(treaty_ground(t, B(bases[i]), B("R-ESSENTIAL")));
	}
	assert_true(treaty_basis_exists(t, B("UNCC")));
	assert_false(treaty_basis_exists(t, B("uncc")));
	assert_null(treaty_basis_words(t, B("")));
	assert_int_equal(count("elsewhere", PRES, true, false), 0);
	assert_int_equal(count("UNCC", "answer", true, false), 0);
	assert_int_equal(count("UNCC", "", true, false), 0);
}

static void grounds_beyond_the_room_are_counted_and_not_written(void **state)
{
	const struct treaty_ground *g[3] = { NULL, NULL, NULL };

	assert_int_equal(treaty_grounds(t, B("UNCC"), B(DATA), true, false, g, 2), 12);
	assert_non_null(g[1]);
	assert_null(g[2]);
}

static const struct treaty_field *field(const char *kind, const char *name)
{
	const struct treaty_field *f = NULL;
	size_t n = treaty_fields(t, B(kind), &f);

	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].name, name) == 0)
			return &f[i];
	fail_msg("no field %s", name);
	return NULL;
}

static void preservation_asks_for_what_42_3_asks(void **state)
{
	static const struct {
		const char *name, *type, *clause;
		bool must, policy;
	} rows[] = {
		{ "officer", "text", "", true, true },
		{ "requesting_authority", "authority", "42(3)(a)", true, false },
		{ "offence", "offence", "42(3)(b)", true, false },
		{ "facts", "text", "42(3)(b)", true, false },
		{ "data", "data", "42(3)(c)", true, false },
		{ "custodian", "text", "42(3)(d)", true, false },
		{ "necessity", "text", "42(3)(e)", true, false },
		{ "intends_mla", "flag", "42(3)(f)", true, false },
		{ "confidential", "flag", "42(3)(g)", false, false },
		{ "confidential_until", "time", "", false, true },
		{ "status", "choice:new|extension", "", false, true },
		{ "callback", "text", "", true, true },
		{ "rights", "rights", "6", true, false },
	};
	const struct treaty_field *unused = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct treaty_field *f = field(PRES, rows[i].name);

		assert_string_equal(f->type, rows[i].type);
		assert_string_equal(f->clause, rows[i].clause);
		assert_int_equal(f->must, rows[i].must);
		assert_int_equal(f->policy, rows[i].policy);
	}
	assert_int_equal(treaty_fields(t, B("answer"), &unused), 0);
	assert_null(unused);
}

static void stored_data_asks_for_what_40_15_asks(void **state)
{
	assert_string_equal(field(DATA, "requesting_authority")->clause, "40(15)(a)");
	assert_string_equal(field(DATA, "offence")->clause, "40(15)(b)");
	assert_string_equal(field(DATA, "facts")->clause, "40(15)(c)");
	assert_string_equal(field(DATA, "help_wanted")->clause, "40(15)(d)");
	assert_string_equal(field(DATA, "purpose")->clause, "40(15)(g)");
	assert_string_equal(field(DATA, "authorised_by")->clause, "24(2)");
	assert_string_equal(field(DATA, "proportionality")->clause, "24(1)");
	assert_string_equal(field(DATA, "answer_by")->clause, "40(26)");
	assert_string_equal(field(DATA, "expedited_why")->type, "choice:vulnerable|instrument|none");
	assert_true(field(DATA, "authorised_by")->must && field(DATA, "proportionality")->must);
}

static void no_field_that_must_be_there_rests_on_an_unsure_row(void **state)
{
	static const char *const kinds[] = { PRES, DATA };
	const struct treaty_field *f = NULL;

	for (unsigned k = 0; k < 2; k++)
		for (size_t n = treaty_fields(t, B(kinds[k]), &f), i = 0; i < n; i++)
			assert_string_not_equal(f[i].certainty, "UNSURE");
}

static void numbers_are_those_of_the_convention(void **state)
{
	static const struct {
		const char *name, *clause;
		int64_t value;
	} rows[] = {
		{ "serious_crime_years", "2(h)", 4 },  { "order_days_max", "25(2)", 90 },
		{ "hold_days_min", "42(8)", 60 },      { "entry_instruments", "65(1)", 40 },
		{ "entry_days", "65(1)", 90 },         { "later_entry_days", "65", 30 },
		{ "safe_conduct_days", "40(29)", 15 }, { "protocol_states_min", "62", 60 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(treaty_constant(t, rows[i].name), rows[i].value);
		assert_string_equal(treaty_constant_clause(t, rows[i].name), rows[i].clause);
	}
	/* A clock for answers has no clause, because there is none. */
	assert_string_equal(treaty_constant_clause(t, "acknowledge_normal_minutes"), "");
}

static void the_version_can_be_recomputed_with_sha256sum(void **state)
{
	uint8_t digest[SHA256_BYTES];
	char path[4096];
	AUTO_BUF sums = { 0 };

	buf_init(&sums, 4096);
	for (size_t i = 0; i < FILES; i++) {
		AUTO_BUF in = { 0 };

		buf_init(&in, 1u << 20);
		snprintf(path, sizeof(path), "%s/uncc/%s", folder(), files[i]);
		assert_true(file_read(AT_FDCWD, path, &in, NULL));
		sha256(buf_bytes(&in), digest);
		buf_add_hex(&sums, BYTES_ARRAY(digest));
		buf_add_format(&sums, "  %s\n", files[i]);
	}
	sha256(buf_bytes(&sums), digest);
	assert_memory_equal(treaty_version(t), digest, SHA256_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_article_and_every_offence_is_there),
		cmocka_unit_test(elements_are_those_of_the_convention),
		cmocka_unit_test(a_crime_is_serious_from_four_years_on),
		cmocka_unit_test(an_offence_of_the_convention_needs_no_penalty),
		cmocka_unit_test(every_rule_of_the_scope_gate_holds),
		cmocka_unit_test(preservation_has_three_grounds_and_dual_criminality_is_none),
		cmocka_unit_test(the_reservation_counts_only_outside_the_convention),
		cmocka_unit_test(stored_data_has_the_grounds_of_mutual_legal_assistance),
		cmocka_unit_test(bank_secrecy_and_fiscal_nature_are_no_ground),
		cmocka_unit_test(other_bases_have_one_row_that_cites_the_instrument),
		cmocka_unit_test(grounds_beyond_the_room_are_counted_and_not_written),
		cmocka_unit_test(preservation_asks_for_what_42_3_asks),
		cmocka_unit_test(stored_data_asks_for_what_40_15_asks),
		cmocka_unit_test(no_field_that_must_be_there_rests_on_an_unsure_row),
		cmocka_unit_test(numbers_are_those_of_the_convention),
		cmocka_unit_test(the_version_can_be_recomputed_with_sha256sum),
	};

	return cmocka_run_group_tests_name("treaty", tests, load, unload);
}
