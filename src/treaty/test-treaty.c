/* The rule pack as a lawyer would question it, and every mistake that its editors can make. */
#include "treaty/treaty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
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

/* ---- what the treaty says ---- */

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
	AUTO_BUF sums;

	buf_init(&sums, 4096);
	for (size_t i = 0; i < FILES; i++) {
		AUTO_BUF in;

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

/* ---- what a person reads ---- */

static void show(const char *what, struct buf *out)
{
	struct err e = { 0 };

	buf_init(out, 1u << 20);
	if (!treaty_show(t, B(what), out, &e))
		fail_msg("%s", e.text);
}

static void article_42_shows_everything_a_duty_officer_needs(void **state)
{
	static const char *const wanted[] = {
		"Article 42", "KNOWN+P, unchecked", "expedited preservation", "Fields of preservation-request",
		"42(3)(e)", "R-ESSENTIAL", "R-DOMESTIC", "R-DISCRIM", "hold_days_min", "60 days  art. 42(8)",
		"order_days_max", "The Convention sets no answer deadline.", "Of house policy", "bank-secrecy",
	};
	const char *text, *none, *reserved;
	AUTO_BUF out;

	show("42", &out);
	text = buf_text(&out);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("not shown: %s", wanted[i]);
	none = strstr(text, "No grounds for preservation-request");
	reserved = strstr(text, "Only with a reservation");
	assert_non_null(none);
	assert_non_null(reserved);
	/* What is no ground stands only under that heading. */
	assert_true(strstr(text, "  R-FORM") > none);
	assert_true(strstr(text, "  R-DC  ") > none);
	assert_true(strstr(text, "dual-criminality") > none);
	assert_true(strstr(text, "bank-secrecy") > none);
	assert_true(strstr(text, "  R-DC-PRES") > reserved && strstr(text, "  R-DC-PRES") < none);
}

/* A line that carries a certainty carries its "unchecked" as well. */
static void assert_marked(const char *text)
{
	static const char *const marks[] = { "[KNOWN+P", "[KNOWN", "[UNSURE", "[POLICY" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		for (const char *at = strstr(text, marks[i]); at != NULL; at = strstr(at + 1, marks[i])) {
			const char *end = strchr(at, ']');

			if (end == NULL || memmem(at, (size_t)(end - at), ", unchecked", 11) == NULL)
				fail_msg("not marked: %.60s", at);
		}
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
		n++;
	return n;
}

static void every_row_that_is_not_checked_says_unchecked(void **state)
{
	static const char *const lists[] = { "articles", "bases", "constants", "gate", "grounds", "offences" };
	size_t unchecked = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		AUTO_BUF out;

		show(lists[i], &out);
		assert_marked(buf_text(&out));
		assert_true(times(buf_text(&out), "unchecked") > 0);
	}
	for (size_t i = 0; i < treaty_article_count(t); i++) {
		const struct treaty_article *a = treaty_article_at(t, i);
		AUTO_BUF out;

		show(a->number, &out);
		assert_marked(buf_text(&out));
		unchecked += !certainty_is_checked(a->certainty);
		/* The first line is the article's own. */
		assert_int_equal(memmem(buf_text(&out), strcspn(buf_text(&out), "\n"), "unchecked", 9) == NULL,
				 certainty_is_checked(a->certainty));
	}
	assert_true(unchecked > 50);
	for (size_t i = 0; i < treaty_offence_count(t); i++) {
		AUTO_BUF out;

		show(treaty_offence_at(t, i)->code, &out);
		assert_marked(buf_text(&out));
		assert_int_equal(strstr(buf_text(&out), "unchecked") == NULL,
				 certainty_is_checked(treaty_offence_at(t, i)->certainty));
	}
	assert_true(certainty_is_checked("TEXT") && certainty_is_checked("TEXT-AR"));
	assert_false(certainty_is_checked("KNOWN+P") || certainty_is_checked("KNOWN") || certainty_is_checked("UNSURE"));
	assert_false(certainty_is_checked("POLICY") || certainty_is_checked("TEXTUAL") || certainty_is_checked(""));
}

static void what_is_unsure_is_never_shown_as_law(void **state)
{
	static const char *const pages[] = { "39", "40", "44", DATA };
	AUTO_BUF page;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		AUTO_BUF out;
		const char *text;

		show(pages[i], &out);
		text = buf_text(&out);
		assert_true(times(text, "UNSURE") > 0);
		assert_int_equal(times(text, "[UNSURE"), times(text, "[UNSURE, unchecked, not law]"));
	}
	show("40", &page);
	assert_true(strstr(buf_text(&page), "40(15)(e)") > strstr(buf_text(&page), "Not to be relied on"));
	assert_true(strstr(buf_text(&page), "40(30)") < strstr(buf_text(&page), "Not to be relied on"));
	buf_release(&page);
	show("44", &page);
	assert_true(strstr(buf_text(&page), "  R-RIGHTS") > strstr(buf_text(&page), "A legal reading, not a listed ground"));
	assert_true(strstr(buf_text(&page), "  P-ONGOING") < strstr(buf_text(&page), "A legal reading, not a listed ground"));
}

static void a_program_is_told_what_is_law(void **state)
{
	AUTO_JSON *v = NULL;
	json_t *request, *one;
	size_t i, laws = 0;

	assert_true(treaty_show_json(t, B("44"), &v, NULL));
	request = json_object_get(v, "request");
	assert_true(json_is_false(json_object_get(request, "convention_sets_answer_deadline")));
	json_array_foreach(json_object_get(request, "grounds"), i, one)
	{
		bool law = json_bool(one, "law");

		laws += law;
		if (strcmp(json_text(one, "code"), "R-RIGHTS") == 0 || json_bool(one, "other"))
			assert_false(law);
		assert_int_equal(json_bool(one, "checked"), certainty_is_checked(json_text(one, "certainty")));
	}
	assert_true(laws > 5);
	json_array_foreach(json_object_get(request, "clocks"), i, one)
		assert_int_equal(json_bool(one, "law"), json_text(one, "clause")[0] != '\0');
}

static void the_same_names_work_for_people_and_programs(void **state)
{
	static const char *const names[] = { "42", "40(21)", "UNCC-11", "R-DISCRIM", "OTHER", "bank-secrecy", PRES, DATA,
					     "gate", "constants", "articles", "offences", "grounds", "bases",
					     "budapest", "hold_days_min" };
	struct err e = { 0 };
	json_t *none = NULL;
	AUTO_BUF out;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_JSON *v = NULL;
		AUTO_BUF text;

		show(names[i], &text);
		assert_true(buf_bytes(&text).len > 0);
		assert_true(treaty_show_json(t, B(names[i]), &v, &e));
	}
	buf_init(&out, 1000);
	assert_false(treaty_show(t, B("\x1b[2Jidentity theft"), &out, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_null(strchr(e.text, '\x1b'));
	assert_false(treaty_show_json(t, B("identity theft"), &none, &e));
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_null(none);
}

static void a_page_that_does_not_fit_is_an_error(void **state)
{
	struct err e = { 0 };
	AUTO_BUF out;

	buf_init(&out, 100);
	assert_false(treaty_show(t, B("42"), &out, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* ---- mistakes of editors: the real files with one edit ---- */

static void write_file(const char *dir, const char *file, struct bytes in)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/uncc/%s", dir, file);
	assert_true(file_write(AT_FDCWD, path, in, 0600, false, NULL));
}

/* Copies the files into dir, with the first `from` in `file` replaced; returns the line where `at` then
 * stands, 0 when at is NULL. */
static unsigned copy_edited(const char *dir, const char *file, const char *from, const char *to, const char *at)
{
	unsigned line = 0;

	for (size_t i = 0; i < FILES; i++) {
		char path[4096];
		const char *found;
		AUTO_BUF in, out;

		buf_init(&in, 1u << 20);
		buf_init(&out, 1u << 20);
		snprintf(path, sizeof(path), "%s/uncc/%s", folder(), files[i]);
		assert_true(file_read(AT_FDCWD, path, &in, NULL));
		if (strcmp(files[i], file) != 0) {
			write_file(dir, files[i], buf_bytes(&in));
			continue;
		}
		found = strstr(buf_text(&in), from);
		if (found == NULL)
			fail_msg("the edit finds no '%s' in %s", from, file);
		buf_add(&out, bytes_from(in.at, (size_t)(found - (const char *)in.at)));
		buf_add_text(&out, to);
		buf_add_text(&out, found + strlen(from));
		write_file(dir, file, buf_bytes(&out));
		found = at == NULL ? NULL : strstr(buf_text(&out), at);
		for (const char *c = buf_text(&out); found != NULL && c <= found; c++)
			line += c == (const char *)out.at || c[-1] == '\n';
	}
	return line;
}

static void remove_copy(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/uncc/%s", dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/uncc", dir);
	rmdir(path);
	rmdir(dir);
}

/* The edit is refused with words, at the line where `at` stands (NULL: the mistake has no line). */
static void refuses(const char *file, const char *from, const char *to, const char *at, const char *words)
{
	char dir[] = "/tmp/comity-treaty-XXXXXX";
	char path[64], where[128];
	struct treaty *bad = NULL;
	struct err e = { 0 };
	unsigned line;
	bool loaded;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/uncc", dir);
	assert_true(dir_make(AT_FDCWD, path, 0700, NULL));
	line = copy_edited(dir, file, from, to, at);
	loaded = treaty_load(dir, &bad, &e);
	remove_copy(dir);
	treaty_free(bad);
	assert_false(loaded);
	assert_null(bad);
	if (at != NULL) {
		assert_true(line > 0);
		snprintf(where, sizeof(where), "uncc/%s:%u: ", file, line);
	} else {
		snprintf(where, sizeof(where), "uncc/%s: ", file);
	}
	if (strncmp(e.text, where, strlen(where)) != 0 || strstr(e.text, words) == NULL)
		fail_msg("wanted '%s...%s', got '%s'", where, words, e.text);
	assert_int_equal(e.kind, ERR_INPUT);
}

static void refuses_an_unknown_key(void **state)
{
	refuses("offences.txt", "asks research", "wants research", "wants research", "unknown key 'wants'");
}

static void refuses_an_unknown_block(void **state)
{
	refuses("bases.txt", "basis pilot", "base pilot", "base pilot", "no block of this file begins with");
}

static void refuses_a_key_twice(void **state)
{
	refuses("articles.txt", "\nsummary Three", "\ntitle Again\nsummary Three", "title Again", "stands twice");
	refuses("articles.txt", "\nsummary Three", "\ncertainty TEXT\nsummary Three", "certainty TEXT\n", "stands twice");
}

static void refuses_a_missing_key(void **state)
{
	refuses("measures.txt", "serious yes\n", "", "measure 40", "'serious' is missing");
	refuses("offences.txt", "certainty TEXT-AR\n", "", "offence UNCC-07", "'certainty' is missing");
	refuses("grounds.txt", "clause 40(21)(a)\n", "", "ground UNCC R-FORM", "'clause' is missing");
}

static void refuses_an_unknown_certainty(void **state)
{
	refuses("articles.txt", "certainty TEXT-AR", "certainty TEXT-FR", "certainty TEXT-FR", "unknown certainty 'TEXT-FR'");
}

static void refuses_a_ground_for_an_unknown_kind(void **state)
{
	refuses("grounds.txt", "kinds stored-data-request", "kinds stored-date-request", "kinds stored-date-request",
		"unknown kind of request");
	refuses("grounds.txt", "kinds stored-data-request", "kinds stored-data-request stored-data-request",
		"kinds stored-data-request stored", "twice");
	refuses("constants.txt", "kinds preservation-request", "kinds preservation", "kinds preservation\n",
		"unknown kind of request");
}

static void refuses_a_clause_of_an_unknown_article(void **state)
{
	refuses("grounds.txt", "clause 40(21)(a)", "clause 80(21)(a)", "clause 80(21)(a)", "unknown article");
	refuses("requests.txt", "clause 42(3)(a)", "clause 69", "clause 69", "unknown article");
	refuses("measures.txt", "measure 37", "measure 73", "measure 73", "not a known article");
}

static void refuses_what_is_no_clause(void **state)
{
	static const char *const bad[] = { "clause art. 40", "clause 40(21", "clause 40(21)a",   "clause 040",
					   "clause 40,41",   "clause 40()",  "clause 40(A)",     "clause 40,",
					   "clause 400",     "clause 40 41", "clause 40(15)-16", "clause 40(12345)" };
	char edit[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(edit, sizeof(edit), "%s\nneeds the list", bad[i]);
		refuses("grounds.txt", "clause 40(21)(a)\nneeds the list", edit, edit, "is not a clause");
	}
}

static void refuses_a_ground_of_an_unknown_basis(void **state)
{
	refuses("grounds.txt", "ground pilot OTHER", "ground trial OTHER", "ground trial OTHER", "names a legal basis");
	refuses("grounds.txt", "ground UNCC R-FORM", "ground UNCC", "ground UNCC\n", "is not a name");
}

static void refuses_a_list_that_does_not_end_with_other(void **state)
{
	refuses("grounds.txt", "ground pilot OTHER", "ground pilot R-X", NULL, "does not end with OTHER");
	refuses("grounds.txt", "ground bilateral OTHER", "ground UNCC R-LATE", "ground UNCC R-LATE", "OTHER is the last ground");
}

static void refuses_what_is_there_twice(void **state)
{
	refuses("articles.txt", "article 2\n", "article 1\n", "article 1\ntitle Use", "already there");
	refuses("offences.txt", "offence UNCC-08", "offence UNCC-07", "offence UNCC-07\ntitle illegal interception",
		"already there");
	refuses("grounds.txt", "ground UNCC R-SYSTEM", "ground UNCC R-FORM", "ground UNCC R-FORM\nwords contrary",
		"already there");
	refuses("bases.txt", "basis pilot", "basis budapest", "basis budapest\nwords pilot", "already there");
	refuses("constants.txt", "constant hold_days_min", "constant order_days_max", "constant order_days_max\nvalue 60",
		"already there");
	refuses("measures.txt", "measure 43", "measure 42", "measure 42\nname expedited disclosure", "already there");
	refuses("requests.txt", "field preservation-request facts", "field preservation-request officer",
		"field preservation-request officer\ntype text\nmust yes\nclause", "already there");
	refuses("offences.txt", "option dishonest_intent with other", "option intent with other", "option intent with other",
		"stands twice");
	refuses("grounds.txt", "never fiscal-nature", "never bank-secrecy", "never bank-secrecy\nwords that", "already there");
}

static void refuses_a_pack_that_is_not_whole(void **state)
{
	refuses("articles.txt", "article 68\n", "article 67(9)\n", NULL, "article 68 is missing");
	refuses("constants.txt", "constant order_days_max", "constant order_days", NULL, "order_days_max is missing");
	refuses("measures.txt", "request preservation-request\n", "", NULL, "no measure for preservation-request");
	refuses("offences.txt", "offence UNCC-08", "offence UNCC-8", "offence UNCC-8\n", "not one of UNCC-07 to UNCC-19");
}

static void refuses_a_wrong_article_number(void **state)
{
	refuses("articles.txt", "article 68\n", "article 69\n", "article 69\n", "not an article from 1 to 68");
	refuses("articles.txt", "article 3\n", "article 03\n", "article 03\n", "not an article from 1 to 68");
	refuses("articles.txt", "article 1\n", "article 2(z)\n", "article 2(z)\n", "stands before its article");
}

static void refuses_values_of_the_wrong_type(void **state)
{
	refuses("constants.txt", "value 90", "value ninety", "value ninety", "not a whole number");
	refuses("constants.txt", "value 90", "value -90", "value -90", "not a whole number");
	refuses("measures.txt", "lesser no", "lesser maybe", "lesser maybe", "yes or no");
	refuses("requests.txt", "type authority", "type office", "type office", "unknown type");
	refuses("requests.txt", "type choice:new|extension", "type choice:new||extension", "type choice:new||extension",
		"unknown type");
	refuses("offences.txt", "asks research", "asks mercy", "asks mercy", "purpose, research or both");
	refuses("offences.txt", "must intent the act is intentional", "must intent", "must intent\n", "an element is");
	refuses("measures.txt", "request stored-data-request", "request data", "request data", "unknown kind");
	refuses("requests.txt", "field preservation-request officer", "field extradition officer",
		"field extradition officer", "names a kind of request");
	refuses("bases.txt", "basis pilot", "basis a pilot", "basis a pilot", "is not a name");
}

static void refuses_house_policy_dressed_as_law(void **state)
{
	refuses("constants.txt", "value 30\nunit minutes\n", "value 30\nunit minutes\nclause 41(1)\n", "clause 41(1)",
		"house policy has no clause");
	refuses("requests.txt", "policy yes\n", "policy yes\nclause 42\n", "policy yes\nclause 42", "a field has a clause, or is policy");
}

static void refuses_lines_that_are_none(void **state)
{
	refuses("bases.txt", "words pilot", "words  pilot", "words  pilot", "key, one space, value");
	refuses("bases.txt", "words pilot between", "words\npilot between", "words\npilot", "key, one space, value");
	refuses("bases.txt", "words pilot", " words pilot", " words pilot", "key, one space, value");
	refuses("bases.txt", "under any treaty", "under any treaty ", "words pilot", "key, one space, value");
}

static void refuses_characters_that_hide(void **state)
{
	refuses("bases.txt", "words pilot", "words \x1b[1mpilot", "words \x1b", "control character");
	refuses("bases.txt", "words pilot", "words \xe2\x80\xaepilot", "words \xe2\x80\xae", "control character");
	refuses("bases.txt", "words pilot", "words \xffpilot", "words \xff", "not UTF-8");
	refuses("bases.txt", "words pilot", "words\tpilot", "words\tpilot", "control character");
	refuses("bases.txt", "basis pilot\n", "basis pilot\r\n", "basis pilot\r", "control character");
}

static void refuses_a_line_that_is_too_long(void **state)
{
	char longer[1200] = "words ";

	memset(longer + 6, 'x', 1000);
	refuses("bases.txt", "words pilot", longer, longer, "over 1000 bytes");
}

static void refuses_a_file_without_its_last_line_feed(void **state)
{
	refuses("bases.txt", "no treaty\ncertainty POLICY\n", "no treaty\ncertainty UNENDED", "certainty UNENDED",
		"does not end with a line feed");
}

static void refuses_a_block_or_a_list_that_is_too_long(void **state)
{
	char many[4000] = "";
	size_t len = 0;

	for (unsigned i = 0; i < 41; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "option o%u words\n", i);
	snprintf(many + len, sizeof(many) - len, "offence ");
	refuses("offences.txt", "asks research\n", many, "option o37 words", "too many lines");
	many[0] = '\0';
	len = 0;
	for (unsigned i = 0; i < 27; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "option o%u words\n", i);
	refuses("offences.txt", "asks research\n", many, "option o24 words", "more than 24 elements");
}

static void says_which_file_is_not_there(void **state)
{
	struct treaty *none = NULL;
	struct err e = { 0 };

	assert_false(treaty_load("/nowhere", &none, &e));
	assert_non_null(strstr(e.text, "/nowhere/uncc/articles.txt"));
	assert_null(none);
	treaty_free(NULL);
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
		cmocka_unit_test(article_42_shows_everything_a_duty_officer_needs),
		cmocka_unit_test(every_row_that_is_not_checked_says_unchecked),
		cmocka_unit_test(what_is_unsure_is_never_shown_as_law),
		cmocka_unit_test(a_program_is_told_what_is_law),
		cmocka_unit_test(the_same_names_work_for_people_and_programs),
		cmocka_unit_test(a_page_that_does_not_fit_is_an_error),
		cmocka_unit_test(refuses_an_unknown_key),
		cmocka_unit_test(refuses_an_unknown_block),
		cmocka_unit_test(refuses_a_key_twice),
		cmocka_unit_test(refuses_a_missing_key),
		cmocka_unit_test(refuses_an_unknown_certainty),
		cmocka_unit_test(refuses_a_ground_for_an_unknown_kind),
		cmocka_unit_test(refuses_a_clause_of_an_unknown_article),
		cmocka_unit_test(refuses_what_is_no_clause),
		cmocka_unit_test(refuses_a_ground_of_an_unknown_basis),
		cmocka_unit_test(refuses_a_list_that_does_not_end_with_other),
		cmocka_unit_test(refuses_what_is_there_twice),
		cmocka_unit_test(refuses_a_pack_that_is_not_whole),
		cmocka_unit_test(refuses_a_wrong_article_number),
		cmocka_unit_test(refuses_values_of_the_wrong_type),
		cmocka_unit_test(refuses_house_policy_dressed_as_law),
		cmocka_unit_test(refuses_lines_that_are_none),
		cmocka_unit_test(refuses_characters_that_hide),
		cmocka_unit_test(refuses_a_line_that_is_too_long),
		cmocka_unit_test(refuses_a_file_without_its_last_line_feed),
		cmocka_unit_test(refuses_a_block_or_a_list_that_is_too_long),
		cmocka_unit_test(says_which_file_is_not_there),
	};

	return cmocka_run_group_tests_name("treaty", tests, load, unload);
}
