/* From a block to a row. It promises that what a row refers to exists: every clause stands in an
 * article of articles.txt, every kind in requests.txt, every basis in bases.txt, and that nothing is
 * named twice. A clause is a list such as "42(3)(a)" or "40(15)(e)-(f), 44". */
#include "base/num.h"
#include "treaty/treaty-internal.h"

struct bytes clause_article(struct bytes clause)
{
	size_t len = 0;

	while (len < clause.len && clause.at[len] >= '0' && clause.at[len] <= '9')
		len++;
	return bytes_slice(clause, 0, len);
}

/* Cuts one "(3)" or "(a)" off; false when there is none. */
static bool cut_paragraph(struct bytes *rest)
{
	size_t len = 1;

	if (rest->len < 3 || rest->at[0] != '(')
		return false;
	while (len < rest->len && ((rest->at[len] >= '0' && rest->at[len] <= '9') ||
				   (rest->at[len] >= 'a' && rest->at[len] <= 'z')))
		len++;
	if (len < 2 || len > 4 || len == rest->len || rest->at[len] != ')')
		return false;
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return true;
}

/* Cuts "42(3)(a)" off, and with `range` also "42(3)(a)-(f)". */
static bool cut_reference(struct bytes *rest, bool range, struct bytes *ret_article)
{
	*ret_article = clause_article(*rest);
	if (ret_article->len == 0 || ret_article->len > 2 || ret_article->at[0] == '0')
		return false;
	*rest = bytes_slice(*rest, ret_article->len, rest->len);
	while (cut_paragraph(rest))
		continue;
	if (range && rest->len > 0 && rest->at[0] == '-') {
		*rest = bytes_slice(*rest, 1, rest->len);
		return cut_paragraph(rest);
	}
	return true;
}

/* The clause of a block, "" only where certainty is POLICY: practice may have none. */
static bool take_clause(const struct treaty *t, const struct block *b, const char **ret, struct err *e)
{
	const char *clause = block_value(b, "clause");
	bool policy = strcmp(block_value(b, "certainty"), "POLICY") == 0;
	struct bytes rest = bytes_of(clause);
	struct bytes article;

	if (rest.len == 0 && !policy)
		return block_wrong(b, NULL, REASON_MISSING_FIELD, e,
				   "the key 'clause' is missing: only certainty POLICY goes without");
	if (rest.len > 23)
		return block_wrong(b, "clause", REASON_TOO_LARGE, e, "this clause is over 23 bytes");
	while (rest.len > 0) {
		if (!cut_reference(&rest, true, &article))
			return block_wrong(b, "clause", REASON_BAD_FIELD, e, "'%.40s' is not a clause", clause);
		if (treaty_article(t, article) == NULL)
			return block_wrong(b, "clause", REASON_NOT_FOUND, e, "clause '%.40s' is of an unknown article",
					   clause);
		if (rest.len == 0)
			break;
		if (rest.len < 3 || rest.at[0] != ',' || rest.at[1] != ' ')
			return block_wrong(b, "clause", REASON_BAD_FIELD, e, "'%.40s' is not a clause", clause);
		rest = bytes_slice(rest, 2, rest.len);
	}
	*ret = clause;
	return true;
}

static bool is_word(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return len > 0 && len <= 40;
}

/* The next word of a list that is parted by single spaces; "" at its end. */
static const char *cut_word(const struct treaty *t, struct bytes *rest)
{
	const char *word = arena_text(t->arena, bytes_cut(rest, ' '));

	return word == NULL ? "" : word;
}

static bool take_kinds(const struct treaty *t, const struct block *b, const char **ret, struct err *e)
{
	const char *kinds = block_value(b, "kinds");
	struct bytes rest = bytes_of(kinds);

	*ret = kinds;
	if (strcmp(kinds, "none") == 0)
		*ret = "";
	while (rest.len > 0 && (*ret)[0] != '\0') {
		struct bytes kind = bytes_cut(&rest, ' ');

		if (treaty_request(t, kind) == NULL)
			return block_wrong(b, "kinds", REASON_UNKNOWN_KIND, e, "unknown kind of request '%.*s'",
					   kind.len > 40 ? 40 : (int)kind.len, (const char *)kind.at);
		if (rest.len > 0 && words_hold((const char *)rest.at, kind))
			return block_wrong(b, "kinds", REASON_BAD_FIELD, e, "this list names a kind twice");
	}
	return true;
}

static bool take_yes(const struct block *b, const char *key, bool *ret, struct err *e)
{
	const struct block_line *line = block_line(b, key);

	if (line != NULL && strcmp(line->value, "yes") != 0 && strcmp(line->value, "no") != 0)
		return block_wrong(b, key, REASON_BAD_FIELD, e, "'%s' is yes or no", key);
	*ret = line != NULL && strcmp(line->value, "yes") == 0;
	return true;
}

/* Room for one more row, and a name that is a word. */
static bool take_name(const struct block *b, const char *name, bool twice, size_t count, size_t max, struct err *e)
{
	if (!is_word(name))
		return block_wrong(b, NULL, REASON_BAD_FIELD, e,
				   "'%.40s' is not a name: up to 40 letters, digits, - and _", name);
	if (twice)
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "'%s' is already there", name);
	if (count == max)
		return block_wrong(b, NULL, REASON_TOO_LARGE, e, "more than %zu of these", max);
	return true;
}

static bool article_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct bytes number = bytes_of(b->lines[0].value);
	struct bytes rest = number;
	struct bytes article;
	uint64_t n;

	if (!cut_reference(&rest, false, &article) || rest.len > 0 || number.len > 20 ||
	    !num_parse_u64(arena_text(t->arena, article), TREATY_ARTICLES_TOP, &n))
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "'%.40s' is not an article from 1 to %d or its paragraph",
				   b->lines[0].value, TREATY_ARTICLES_TOP);
	if (treaty_article(t, number) != NULL)
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "article %s is already there", b->lines[0].value);
	if (!bytes_equal(article, number) && treaty_article(t, article) == NULL)
		return block_wrong(b, NULL, REASON_NOT_FOUND, e, "%s stands before its article", b->lines[0].value);
	if (t->article_count == ARTICLES_MAX)
		return block_wrong(b, NULL, REASON_TOO_LARGE, e, "more than %u articles and paragraphs", ARTICLES_MAX);
	t->articles[t->article_count++] = (struct treaty_article){
		.number = b->lines[0].value,
		.title = block_value(b, "title"),
		.summary = block_value(b, "summary"),
		.certainty = block_value(b, "certainty"),
	};
	return true;
}

static bool basis_take(struct treaty *t, const struct block *b, struct err *e)
{
	const char *name = b->lines[0].value;
	struct basis_row row = { .name = name, .words = block_value(b, "words"), .certainty = block_value(b, "certainty") };

	if (!take_name(b, name, treaty_basis(t, bytes_of(name)) != NULL, t->basis_count, BASES_MAX, e) ||
	    !take_clause(t, b, &row.clause, e))
		return false;
	t->bases[t->basis_count++] = row;
	return true;
}

static bool constant_take(struct treaty *t, const struct block *b, struct err *e)
{
	const char *name = b->lines[0].value;
	struct constant_row row = { .name = name, .words = block_value(b, "words"), .unit = block_value(b, "unit"),
				    .certainty = block_value(b, "certainty") };
	uint64_t value;

	if (!take_name(b, name, treaty_constant_find(t, bytes_of(name)) != NULL, t->constant_count, CONSTANTS_MAX, e) ||
	    !take_clause(t, b, &row.clause, e) || !take_kinds(t, b, &row.kinds, e))
		return false;
	/* A house rule beside a clause would be read as the Convention's: the two are never mixed. */
	if (strcmp(row.certainty, "POLICY") == 0 && row.clause[0] != '\0')
		return block_wrong(b, "clause", REASON_BAD_FIELD, e, "house policy has no clause");
	if (!num_parse_u64(block_value(b, "value"), INT32_MAX, &value))
		return block_wrong(b, "value", REASON_BAD_FIELD, e, "the value is not a whole number");
	row.value = (int64_t)value;
	t->constants[t->constant_count++] = row;
	return true;
}

/* "must intent the act is intentional" */
static bool element_take(const struct treaty *t, const struct block *b, const struct block_line *line,
			 enum element_kind kind, struct offence_row *row, struct err *e)
{
	struct bytes rest = bytes_of(line->value);
	const char *code = cut_word(t, &rest);
	size_t n = row->offence.element_count;

	if (!is_word(code) || rest.len == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s:%u: an element is: code, one space, words", b->file,
			       line->number);
	for (size_t i = 0; i < n; i++)
		if (strcmp(row->elements[i].code, code) == 0)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s:%u: the element '%s' stands twice", b->file,
				       line->number, code);
	if (n == ELEMENTS_MAX)
		return err_set(e, ERR_INPUT, REASON_TOO_LARGE, "%s:%u: more than %u elements", b->file, line->number,
			       ELEMENTS_MAX);
	row->elements[n] = (struct treaty_element){ .code = code, .words = (const char *)rest.at, .kind = kind };
	row->offence.element_count++;
	return true;
}

static bool offence_elements(const struct treaty *t, const struct block *b, struct offence_row *row, struct err *e)
{
	static const char *const names[] = {
		[ELEMENT_MUST] = "must", [ELEMENT_OPTION] = "option", [ELEMENT_EXCLUDES] = "excludes",
	};

	for (size_t i = 1; i < b->count; i++)
		for (unsigned kind = ELEMENT_MUST; kind <= ELEMENT_EXCLUDES; kind++)
			if (strcmp(b->lines[i].key, names[kind]) == 0 &&
			    !element_take(t, b, &b->lines[i], (enum element_kind)kind, row, e))
				return false;
	return true;
}

static bool offence_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct offence_row *row = &t->offences[t->offence_count];
	const char *code = b->lines[0].value;
	struct bytes asks = bytes_of(block_value(b, "asks"));
	char want[16];

	if (!take_name(b, code, treaty_offence(t, bytes_of(code)) != NULL, t->offence_count, OFFENCES_MAX, e))
		return false;
	memset(row, 0, sizeof(*row));
	for (int n = 7; n <= 19; n++) {
		snprintf(want, sizeof(want), "UNCC-%02d", n);
		if (strcmp(code, want) == 0)
			row->offence.article = n;
	}
	if (row->offence.article == 0)
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "'%s' is not one of UNCC-07 to UNCC-19", code);
	while (asks.len > 0) {
		struct bytes what = bytes_cut(&asks, ' ');

		if (!bytes_is(what, "purpose") && !bytes_is(what, "research"))
			return block_wrong(b, "asks", REASON_BAD_FIELD, e, "'asks' names purpose, research or both");
		row->offence.asks_purpose = row->offence.asks_purpose || bytes_is(what, "purpose");
		row->offence.asks_research = row->offence.asks_research || bytes_is(what, "research");
	}
	row->offence.code = code;
	row->offence.title = block_value(b, "title");
	row->offence.certainty = block_value(b, "certainty");
	row->offence.elements = row->elements;
	if (!offence_elements(t, b, row, e))
		return false;
	t->offence_count++;
	return true;
}

static bool request_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct request_row *row = &t->requests[t->request_count];
	const char *kind = b->lines[0].value;

	if (!take_name(b, kind, treaty_request(t, bytes_of(kind)) != NULL, t->request_count, REQUESTS_MAX, e))
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = kind;
	row->words = block_value(b, "words");
	row->certainty = block_value(b, "certainty");
	if (!take_clause(t, b, &row->clause, e))
		return false;
	t->request_count++;
	return true;
}

static bool type_exists(const char *type)
{
	static const char *const types[] = { "text", "count", "time", "flag", "list", "authority", "offence", "data", "id",
					     "rights" };
	struct bytes rest = bytes_of(type);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	if (!bytes_starts(rest, "choice:"))
		return false;
	for (rest = bytes_slice(rest, 7, rest.len); bytes_find(rest, '|') < rest.len;)
		if (bytes_cut(&rest, '|').len == 0)
			return false;
	return rest.len > 0;
}

/* "field KIND NAME" */
static bool field_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct bytes rest = bytes_of(b->lines[0].value);
	const char *kind = cut_word(t, &rest), *name = cut_word(t, &rest);
	const struct request_row *found = treaty_request(t, bytes_of(kind));
	struct treaty_field field = { .name = name, .words = block_value(b, "words"),
				      .certainty = block_value(b, "certainty"), .type = block_value(b, "type") };
	struct request_row *row;
	bool twice = false;

	if (found == NULL || rest.len > 0)
		return block_wrong(b, NULL, REASON_UNKNOWN_KIND, e, "'field' names a kind of request and a field");
	row = &t->requests[found - t->requests];
	for (size_t i = 0; i < row->field_count; i++)
		twice = twice || strcmp(row->fields[i].name, name) == 0;
	if (!take_name(b, name, twice, row->field_count, FIELDS_MAX, e) || !take_clause(t, b, &field.clause, e) ||
	    !take_yes(b, "must", &field.must, e) || !take_yes(b, "policy", &field.policy, e))
		return false;
	if (!type_exists(field.type))
		return block_wrong(b, "type", REASON_BAD_FIELD, e, "unknown type '%.40s'", field.type);
	if (field.policy != (field.clause[0] == '\0'))
		return block_wrong(b, "policy", REASON_BAD_FIELD, e, "a field has a clause, or is policy");
	row->fields[row->field_count++] = field;
	return true;
}

static bool measure_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct measure_row row = { .note = block_value(b, "note") };
	struct treaty_measure *m = &row.measure;
	const char *article = b->lines[0].value;

	m->article = article;
	m->name = block_value(b, "name");
	m->request_kind = block_value(b, "request");
	m->certainty = block_value(b, "certainty");
	if (treaty_article(t, bytes_of(article)) == NULL)
		return block_wrong(b, NULL, REASON_NOT_FOUND, e, "'%.40s' is not a known article", article);
	if (treaty_measure(t, bytes_of(article)) != NULL)
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "the measure %s is already there", article);
	if (t->measure_count == MEASURES_MAX)
		return block_wrong(b, NULL, REASON_TOO_LARGE, e, "more than %u measures", MEASURES_MAX);
	if (m->request_kind[0] != '\0' && treaty_request(t, bytes_of(m->request_kind)) == NULL)
		return block_wrong(b, "request", REASON_UNKNOWN_KIND, e, "unknown kind of request '%.40s'",
				   m->request_kind);
	if (m->request_kind[0] != '\0' && treaty_measure_of_kind(t, bytes_of(m->request_kind)) != NULL)
		return block_wrong(b, "request", REASON_BAD_FIELD, e, "this kind has its measure already");
	if (!take_yes(b, "convention", &m->open[GATE_CONVENTION_OFFENCE], e) ||
	    !take_yes(b, "serious", &m->open[GATE_SERIOUS_CRIME], e) ||
	    !take_yes(b, "lesser", &m->open[GATE_LESSER_OFFENCE], e))
		return false;
	t->measures[t->measure_count++] = row;
	return true;
}

/* "ground BASIS CODE"; OTHER is the last row of its basis. */
static bool ground_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct bytes rest = bytes_of(b->lines[0].value);
	struct ground_row row = { .basis = cut_word(t, &rest) };
	struct treaty_ground *g = &row.ground;
	const struct basis_row *basis = treaty_basis(t, bytes_of(row.basis));

	g->code = cut_word(t, &rest);
	g->words = block_value(b, "words");
	g->needs = block_value(b, "needs");
	g->certainty = block_value(b, "certainty");
	g->other = strcmp(g->code, "OTHER") == 0;
	if (basis == NULL || rest.len > 0)
		return block_wrong(b, NULL, REASON_NOT_FOUND, e, "'ground' names a legal basis of bases.txt and a code");
	if (basis->has_other)
		return block_wrong(b, NULL, REASON_BAD_FIELD, e, "OTHER is the last ground of %s", basis->name);
	if (!take_name(b, g->code, treaty_ground(t, bytes_of(row.basis), bytes_of(g->code)) != NULL, t->ground_count,
		       GROUNDS_MAX, e) ||
	    !take_clause(t, b, &g->clause, e) || !take_kinds(t, b, &g->kinds, e) ||
	    !take_yes(b, "needs-reservation", &g->needs_reservation, e))
		return false;
	t->bases[basis - t->bases].has_other = g->other;
	t->grounds[t->ground_count++] = row;
	return true;
}

static bool never_take(struct treaty *t, const struct block *b, struct err *e)
{
	struct never_row row = { .name = b->lines[0].value, .words = block_value(b, "words"),
				 .certainty = block_value(b, "certainty") };
	bool twice = false;

	for (size_t i = 0; i < t->never_count; i++)
		twice = twice || strcmp(t->nevers[i].name, row.name) == 0;
	if (!take_name(b, row.name, twice, t->never_count, NEVERS_MAX, e) || !take_clause(t, b, &row.clause, e) ||
	    !take_kinds(t, b, &row.kinds, e))
		return false;
	t->nevers[t->never_count++] = row;
	return true;
}

#define MUST(key) { key, true, false }
#define MAY(key) { key, false, false }
#define MANY(key) { key, false, true }

const struct treaty_file treaty_files[] = {
	{ "articles.txt", { { "article", { MUST("title"), MUST("summary") }, article_take } } },
	{ "bases.txt", { { "basis", { MUST("words"), MAY("clause") }, basis_take } } },
	{ "requests.txt",
	  { { "request", { MUST("words"), MAY("clause") }, request_take },
	    { "field", { MUST("type"), MUST("must"), MAY("policy"), MAY("clause"), MUST("words") }, field_take } } },
	{ "constants.txt",
	  { { "constant", { MUST("value"), MUST("unit"), MAY("clause"), MUST("words"), MAY("kinds") }, constant_take } } },
	{ "offences.txt",
	  { { "offence", { MUST("title"), MAY("asks"), MANY("must"), MANY("option"), MANY("excludes") }, offence_take } } },
	{ "measures.txt",
	  { { "measure", { MUST("name"), MAY("request"), MUST("convention"), MUST("serious"), MUST("lesser"), MAY("note") },
	      measure_take } } },
	{ "grounds.txt",
	  { { "ground", { MUST("words"), MAY("clause"), MUST("needs"), MUST("kinds"), MAY("needs-reservation") },
	      ground_take },
	    { "never", { MUST("words"), MAY("clause"), MUST("kinds") }, never_take } } },
};
const size_t treaty_file_count = sizeof(treaty_files) / sizeof(treaty_files[0]);
