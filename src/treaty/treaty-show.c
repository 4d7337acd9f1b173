/* What a person reads about a row of the treaty. It promises that certainty stands beside every row,
 * as "unchecked" wherever the text was not read; that house policy and legal readings stand under
 * headings of their own and never among the law; and that no answer deadline is shown as one of the
 * Convention, because it sets none. */
#include "treaty/treaty-internal.h"

#define SHOW_COLUMNS 88u
#define NO_DEADLINE "The Convention sets no answer deadline."

static const char *const gate_words[] = {
	[GATE_CONVENTION_OFFENCE] = "Convention offence (arts 7 to 19)",
	[GATE_SERIOUS_CRIME] = "other serious crime (2(h))",
	[GATE_LESSER_OFFENCE] = "lesser offence",
};

static bool is_unsure(const char *certainty)
{
	return strcmp(certainty, "UNSURE") == 0;
}

static bool is_policy(const char *certainty)
{
	return strcmp(certainty, "POLICY") == 0;
}

static void put_mark(struct buf *out, const char *certainty)
{
	buf_add_format(out, "  [%s%s%s]\n", certainty, certainty_is_checked(certainty) ? "" : ", unchecked",
		       is_unsure(certainty) ? ", not law" : is_policy(certainty) ? ", house policy" : "");
}

/* Words in lines of at most SHOW_COLUMNS, each indented. */
static void put_wrapped(struct buf *out, size_t indent, const char *text)
{
	struct bytes rest = bytes_of(text);
	size_t column = 0;

	while (rest.len > 0) {
		struct bytes word = bytes_cut(&rest, ' ');

		if (column > 0 && column + 1 + word.len > SHOW_COLUMNS) {
			buf_add_text(out, "\n");
			column = 0;
		}
		if (column == 0) {
			buf_add_format(out, "%*s", (int)indent, "");
			column = indent;
		} else {
			buf_add_text(out, " ");
			column++;
		}
		buf_add(out, word);
		column += word.len;
	}
	buf_add_text(out, "\n");
}

static void put_article(const struct treaty_article *a, struct buf *out)
{
	buf_add_format(out, "%s%s  %s", strchr(a->number, '(') == NULL ? "Article " : "  ", a->number, a->title);
	put_mark(out, a->certainty);
	put_wrapped(out, strchr(a->number, '(') == NULL ? 2 : 4, a->summary);
}

/* Paragraphs of an article, and of a paragraph: law first, then what nobody may rely on. */
static void put_paragraphs(const struct treaty *t, const char *number, bool unsure, struct buf *out)
{
	size_t len = strlen(number);
	bool first = true;

	for (size_t i = 0; i < t->article_count; i++) {
		const struct treaty_article *a = &t->articles[i];

		if (strncmp(a->number, number, len) != 0 || a->number[len] != '(' || is_unsure(a->certainty) != unsure)
			continue;
		if (first)
			buf_add_text(out, unsure ? "\nNot to be relied on before it is checked\n" : "\nParagraphs\n");
		first = false;
		put_article(a, out);
	}
}

static void put_gate(const struct measure_row *row, struct buf *out)
{
	const struct treaty_measure *m = &row->measure;

	buf_add_format(out, "  art. %s  %s", m->article, m->name);
	put_mark(out, m->certainty);
	for (unsigned gate = GATE_CONVENTION_OFFENCE; gate <= GATE_LESSER_OFFENCE; gate++)
		buf_add_format(out, "    %-34s %s\n", gate_words[gate], m->open[gate] ? "open" : "closed");
	if (row->note[0] != '\0')
		put_wrapped(out, 4, row->note);
	if (m->request_kind[0] != '\0')
		buf_add_format(out, "    asked for by a statement of kind %s\n", m->request_kind);
}

static void put_fields(const struct request_row *row, struct buf *out)
{
	buf_add_format(out, "\nFields of %s (* must be there)\n", row->kind);
	for (size_t i = 0; i < row->field_count; i++) {
		const struct treaty_field *f = &row->fields[i];

		buf_add_format(out, "  %s %-23s %-9s %s", f->must ? "*" : " ", f->name,
			       f->clause[0] == '\0' ? "practice" : f->clause, f->type);
		put_mark(out, f->certainty);
		put_wrapped(out, 6, f->words);
	}
}

static void put_ground(const struct treaty_ground *g, struct buf *out)
{
	buf_add_format(out, "  %s%s%s", g->code, g->clause[0] == '\0' ? "" : "  ", g->clause);
	put_mark(out, g->certainty);
	put_wrapped(out, 4, g->words);
	buf_add_format(out, "    needs: %s\n", g->needs);
}

enum section { SECTION_LISTED, SECTION_RESERVED, SECTION_OTHER, SECTION_READING, SECTION_COUNT };

static enum section section_of(const struct treaty_ground *g)
{
	if (is_unsure(g->certainty))
		return SECTION_READING;
	if (g->other)
		return SECTION_OTHER;
	return g->needs_reservation ? SECTION_RESERVED : SECTION_LISTED;
}

/* The grounds of one basis for a kind, section by section. */
static void put_grounds(const struct treaty *t, const char *basis, const char *kind, struct buf *out)
{
	static const char *const headings[SECTION_COUNT] = {
		[SECTION_LISTED] = "",
		[SECTION_RESERVED] = "  Only with a reservation in the register, for an offence outside the Convention:\n",
		[SECTION_OTHER] = "  Only from another instrument that binds both:\n",
		[SECTION_READING] = "  A legal reading, not a listed ground and not law before it is checked:\n",
	};

	buf_add_format(out, "\nGrounds of refusal under %s\n", basis);
	for (unsigned section = 0; section < SECTION_COUNT; section++) {
		bool first = true;

		for (size_t i = 0; i < t->ground_count; i++) {
			const struct ground_row *row = &t->grounds[i];

			if (strcmp(row->basis, basis) != 0 || !words_hold(row->ground.kinds, bytes_of(kind)) ||
			    section_of(&row->ground) != section)
				continue;
			if (first)
				buf_add_text(out, headings[section]);
			first = false;
			put_ground(&row->ground, out);
		}
	}
}

static void put_no_grounds(const struct treaty *t, const char *kind, struct buf *out)
{
	buf_add_format(out, "\nNo grounds for %s under UNCC\n", kind);
	for (size_t i = 0; i < t->never_count; i++) {
		const struct never_row *row = &t->nevers[i];

		if (!words_hold(row->kinds, bytes_of(kind)))
			continue;
		buf_add_format(out, "  %s  %s", row->name, row->clause);
		put_mark(out, row->certainty);
		put_wrapped(out, 4, row->words);
	}
	for (size_t i = 0; i < t->ground_count; i++) {
		const struct ground_row *row = &t->grounds[i];

		if (strcmp(row->basis, "UNCC") != 0 || row->ground.kinds[0] == '\0' ||
		    words_hold(row->ground.kinds, bytes_of(kind)))
			continue;
		buf_add_format(out, "  %s%s%s", row->ground.code, row->ground.clause[0] == '\0' ? "" : "  ",
			       row->ground.clause);
		put_mark(out, row->ground.certainty);
	}
}

static void put_constant(const struct constant_row *row, struct buf *out)
{
	buf_add_format(out, "  %-29s %lld %s%s%s", row->name, (long long)row->value, row->unit,
		       row->clause[0] == '\0' ? "" : "  art. ", row->clause);
	put_mark(out, row->certainty);
	put_wrapped(out, 4, row->words);
}

/* kind NULL: all constants. */
static void put_constants(const struct treaty *t, const char *kind, struct buf *out)
{
	for (int policy = 0; policy <= 1; policy++) {
		buf_add_text(out, policy ? "\nOf house policy\n" : "\nClocks and numbers of the Convention\n");
		for (size_t i = 0; i < t->constant_count; i++)
			if (is_policy(t->constants[i].certainty) == (policy == 1) &&
			    (kind == NULL || words_hold(t->constants[i].kinds, bytes_of(kind))))
				put_constant(&t->constants[i], out);
		if (!policy)
			buf_add_text(out, "  " NO_DEADLINE "\n");
	}
}

static void put_request(const struct treaty *t, const struct request_row *row, struct buf *out)
{
	put_fields(row, out);
	put_grounds(t, "UNCC", row->kind, out);
	put_no_grounds(t, row->kind, out);
	buf_add_text(out, "\nUnder another legal basis: other, with the instrument cited\n");
	put_constants(t, row->kind, out);
}

static void put_measure(const struct measure_row *row, struct buf *out)
{
	if (row == NULL)
		return;
	buf_add_text(out, "\nFor which case\n");
	put_gate(row, out);
}

static bool show_article(const struct treaty *t, struct bytes what, struct buf *out)
{
	const struct treaty_article *a = treaty_article(t, what);
	const struct measure_row *measure = treaty_measure_row(t, what);

	if (a == NULL)
		return false;
	put_article(a, out);
	put_paragraphs(t, a->number, false, out);
	put_paragraphs(t, a->number, true, out);
	put_measure(measure, out);
	if (measure != NULL && measure->measure.request_kind[0] != '\0')
		put_request(t, treaty_request(t, bytes_of(measure->measure.request_kind)), out);
	return true;
}

static bool show_kind(const struct treaty *t, struct bytes what, struct buf *out)
{
	const struct request_row *row = treaty_request(t, what);
	const struct treaty_measure *measure = treaty_measure_of_kind(t, what);

	if (row == NULL)
		return false;
	buf_add_format(out, "%s  %s (art. %s)", row->kind, row->words, row->clause);
	put_mark(out, row->certainty);
	put_measure(measure == NULL ? NULL : treaty_measure_row(t, bytes_of(measure->article)), out);
	put_request(t, row, out);
	return true;
}

static bool show_offence(const struct treaty *t, struct bytes what, struct buf *out)
{
	static const char *const kinds[] = {
		[ELEMENT_MUST] = "must", [ELEMENT_OPTION] = "option", [ELEMENT_EXCLUDES] = "excludes",
	};
	const struct treaty_offence *o = treaty_offence(t, what);

	if (o == NULL)
		return false;
	buf_add_format(out, "%s  %s (art. %d)", o->code, o->title, o->article);
	put_mark(out, o->certainty);
	for (size_t i = 0; i < o->element_count; i++)
		buf_add_format(out, "  %-9s %-28s %s\n", kinds[o->elements[i].kind], o->elements[i].code,
			       o->elements[i].words);
	buf_add_text(out, "  must: the Convention demands it; option: a party may add it; excludes: no such offence\n");
	if (o->asks_purpose)
		buf_add_text(out, "  The purpose must be stated: 11(1) demands it, 11(2) excludes every other.\n");
	if (o->asks_research)
		buf_add_text(out, "  Whether it was security research must be answered.\n");
	return true;
}

static bool show_ground(const struct treaty *t, struct bytes what, struct buf *out)
{
	bool found = false;

	for (size_t i = 0; i < t->ground_count; i++) {
		const struct ground_row *row = &t->grounds[i];

		if (!bytes_is(what, row->ground.code))
			continue;
		found = true;
		buf_add_format(out, "Under %s\n", row->basis);
		put_ground(&row->ground, out);
		buf_add_format(out, "    against: %s\n",
			       row->ground.kinds[0] == '\0' ? "no request of this program" : row->ground.kinds);
		if (row->ground.needs_reservation)
			buf_add_text(out, "    only with a reservation in the register and for an offence outside the Convention\n");
	}
	for (size_t i = 0; i < t->never_count; i++) {
		if (!bytes_is(what, t->nevers[i].name))
			continue;
		found = true;
		buf_add_format(out, "Never a ground under UNCC: %s  %s", t->nevers[i].words, t->nevers[i].clause);
		put_mark(out, t->nevers[i].certainty);
	}
	return found;
}

static void put_basis(const struct basis_row *row, struct buf *out)
{
	buf_add_format(out, "%s  %s", row->name, row->words);
	put_mark(out, row->certainty);
}

static bool show_one(const struct treaty *t, struct bytes what, struct buf *out)
{
	if (treaty_basis(t, what) != NULL)
		put_basis(treaty_basis(t, what), out);
	else if (treaty_constant_find(t, what) != NULL)
		put_constant(treaty_constant_find(t, what), out);
	else
		return show_article(t, what, out) || show_kind(t, what, out) || show_offence(t, what, out) ||
		       show_ground(t, what, out);
	return true;
}

static bool show_list(const struct treaty *t, struct bytes what, struct buf *out)
{
	if (bytes_is(what, "gate")) {
		for (size_t i = 0; i < t->measure_count; i++)
			put_gate(&t->measures[i], out);
	} else if (bytes_is(what, "constants")) {
		put_constants(t, NULL, out);
	} else if (bytes_is(what, "articles")) {
		for (size_t i = 0; i < t->article_count; i++) {
			buf_add_format(out, "%-10s %s", t->articles[i].number, t->articles[i].title);
			put_mark(out, t->articles[i].certainty);
		}
	} else if (bytes_is(what, "offences")) {
		for (size_t i = 0; i < t->offence_count; i++) {
			buf_add_format(out, "%s  %s", t->offences[i].offence.code, t->offences[i].offence.title);
			put_mark(out, t->offences[i].offence.certainty);
		}
	} else if (bytes_is(what, "bases")) {
		for (size_t i = 0; i < t->basis_count; i++)
			put_basis(&t->bases[i], out);
	} else if (bytes_is(what, "grounds")) {
		for (size_t i = 0; i < t->ground_count; i++) {
			buf_add_format(out, "%-12s %-16s %s", t->grounds[i].basis, t->grounds[i].ground.code,
				       t->grounds[i].ground.clause);
			put_mark(out, t->grounds[i].ground.certainty);
		}
	} else {
		return false;
	}
	return true;
}

bool treaty_show(const struct treaty *t, struct bytes what, struct buf *out, struct err *e)
{
	AUTO_BUF name = { 0 };

	buf_init(&name, 400);
	if (show_list(t, what, out) || show_one(t, what, out))
		return buf_check(out, "what the treaty says", e);
	text_printable(bytes_slice(what, 0, 60), &name);
	return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND,
		       "nothing is called '%s': ask for an article (42), an offence (UNCC-07), a ground (R-ESSENTIAL), "
		       "a kind (preservation-request), articles, bases, constants, gate, grounds or offences",
		       buf_text(&name));
}
