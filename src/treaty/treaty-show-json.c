/* The same as treaty-show.c, for a program. It promises that every object carries `certainty`,
 * `checked` (the text was read) and `law` (false for house policy and for readings that are unsure). */
#include "base/json.h"
#include "treaty/treaty-internal.h"

static json_t *object_of(const char *certainty)
{
	json_t *v = json_object();

	if (v == NULL)
		abort();
	json_put_text(v, "certainty", certainty);
	json_put_bool(v, "checked", certainty_is_checked(certainty));
	json_put_bool(v, "law", strcmp(certainty, "UNSURE") != 0 && strcmp(certainty, "POLICY") != 0);
	return v;
}

static json_t *list_of(void)
{
	json_t *v = json_array();

	if (v == NULL)
		abort();
	return v;
}

static void append(json_t *list, json_t *taken)
{
	if (json_array_append_new(list, taken) != 0)
		abort();
}

static json_t *words_json(const char *words)
{
	struct bytes rest = bytes_of(words);
	json_t *list = list_of();

	while (rest.len > 0)
		append(list, json_string_of(bytes_cut(&rest, ' ')));
	return list;
}

static json_t *article_json(const struct treaty_article *a)
{
	json_t *v = object_of(a->certainty);

	json_put_text(v, "article", a->number);
	json_put_text(v, "title", a->title);
	json_put_text(v, "summary", a->summary);
	return v;
}

static json_t *measure_json(const struct measure_row *row)
{
	json_t *v = object_of(row->measure.certainty);

	json_put_text(v, "article", row->measure.article);
	json_put_text(v, "name", row->measure.name);
	json_put_text(v, "request", row->measure.request_kind);
	json_put_text(v, "note", row->note);
	json_put_bool(v, "convention_offence", row->measure.open[GATE_CONVENTION_OFFENCE]);
	json_put_bool(v, "serious_crime", row->measure.open[GATE_SERIOUS_CRIME]);
	json_put_bool(v, "lesser_offence", row->measure.open[GATE_LESSER_OFFENCE]);
	return v;
}

static json_t *field_json(const struct treaty_field *f)
{
	json_t *v = object_of(f->certainty);

	json_put_text(v, "name", f->name);
	json_put_text(v, "type", f->type);
	json_put_text(v, "clause", f->clause);
	json_put_text(v, "words", f->words);
	json_put_bool(v, "must", f->must);
	json_put_bool(v, "policy", f->policy);
	return v;
}

static json_t *ground_json(const struct ground_row *row)
{
	const struct treaty_ground *g = &row->ground;
	json_t *v = object_of(g->certainty);

	json_put_text(v, "basis", row->basis);
	json_put_text(v, "code", g->code);
	json_put_text(v, "words", g->words);
	json_put_text(v, "clause", g->clause);
	json_put_text(v, "needs", g->needs);
	json_put(v, "kinds", words_json(g->kinds));
	json_put_bool(v, "needs_reservation", g->needs_reservation);
	json_put_bool(v, "other", g->other);
	return v;
}

static json_t *never_json(const struct never_row *row)
{
	json_t *v = object_of(row->certainty);

	json_put_text(v, "name", row->name);
	json_put_text(v, "words", row->words);
	json_put_text(v, "clause", row->clause);
	json_put(v, "kinds", words_json(row->kinds));
	return v;
}

static json_t *constant_json(const struct constant_row *row)
{
	json_t *v = object_of(row->certainty);

	json_put_text(v, "name", row->name);
	json_put_int(v, "value", row->value);
	json_put_text(v, "unit", row->unit);
	json_put_text(v, "clause", row->clause);
	json_put_text(v, "words", row->words);
	json_put(v, "kinds", words_json(row->kinds));
	return v;
}

static json_t *basis_json(const struct basis_row *row)
{
	json_t *v = object_of(row->certainty);

	json_put_text(v, "name", row->name);
	json_put_text(v, "words", row->words);
	json_put_text(v, "clause", row->clause);
	return v;
}

static json_t *offence_json(const struct treaty_offence *o)
{
	static const char *const kinds[] = {
		[ELEMENT_MUST] = "must", [ELEMENT_OPTION] = "option", [ELEMENT_EXCLUDES] = "excludes",
	};
	json_t *v = object_of(o->certainty);
	json_t *elements = list_of();

	json_put_text(v, "code", o->code);
	json_put_text(v, "title", o->title);
	json_put_int(v, "article", o->article);
	json_put_bool(v, "asks_purpose", o->asks_purpose);
	json_put_bool(v, "asks_research", o->asks_research);
	for (size_t i = 0; i < o->element_count; i++) {
		json_t *one = object_of(o->certainty);

		json_put_text(one, "code", o->elements[i].code);
		json_put_text(one, "kind", kinds[o->elements[i].kind]);
		json_put_text(one, "words", o->elements[i].words);
		append(elements, one);
	}
	json_put(v, "elements", elements);
	return v;
}

static json_t *request_json(const struct treaty *t, const struct request_row *row)
{
	json_t *v = object_of(row->certainty);
	json_t *fields = list_of(), *grounds = list_of(), *closed = list_of(), *nevers = list_of(),
	       *clocks = list_of();
	struct bytes kind = bytes_of(row->kind);

	json_put_text(v, "kind", row->kind);
	json_put_text(v, "words", row->words);
	json_put_text(v, "clause", row->clause);
	/* The Convention sets none; clocks that are house policy say so by their certainty. */
	json_put_bool(v, "convention_sets_answer_deadline", false);
	for (size_t i = 0; i < row->field_count; i++)
		append(fields, field_json(&row->fields[i]));
	for (size_t i = 0; i < t->ground_count; i++)
		if (words_hold(t->grounds[i].ground.kinds, kind))
			append(grounds, ground_json(&t->grounds[i]));
		else if (strcmp(t->grounds[i].basis, "UNCC") == 0)
			append(closed, ground_json(&t->grounds[i]));
	for (size_t i = 0; i < t->never_count; i++)
		if (words_hold(t->nevers[i].kinds, kind))
			append(nevers, never_json(&t->nevers[i]));
	for (size_t i = 0; i < t->constant_count; i++)
		if (words_hold(t->constants[i].kinds, kind))
			append(clocks, constant_json(&t->constants[i]));
	json_put(v, "fields", fields);
	json_put(v, "grounds", grounds);
	json_put(v, "not_grounds", closed);
	json_put(v, "never", nevers);
	json_put(v, "clocks", clocks);
	return v;
}

static json_t *show_article(const struct treaty *t, const struct treaty_article *a)
{
	const struct measure_row *measure = treaty_measure_row(t, bytes_of(a->number));
	json_t *v = article_json(a), *paragraphs = list_of();
	size_t len = strlen(a->number);

	for (size_t i = 0; i < t->article_count; i++)
		if (strncmp(t->articles[i].number, a->number, len) == 0 && t->articles[i].number[len] == '(')
			append(paragraphs, article_json(&t->articles[i]));
	json_put(v, "paragraphs", paragraphs);
	if (measure != NULL)
		json_put(v, "measure", measure_json(measure));
	if (measure != NULL && measure->measure.request_kind[0] != '\0')
		json_put(v, "request", request_json(t, treaty_request(t, bytes_of(measure->measure.request_kind))));
	return v;
}

/* NULL when no ground and no "never" has this name. */
static json_t *show_ground(const struct treaty *t, struct bytes what)
{
	AUTO_JSON *list = list_of();

	for (size_t i = 0; i < t->ground_count; i++)
		if (bytes_is(what, t->grounds[i].ground.code))
			append(list, ground_json(&t->grounds[i]));
	for (size_t i = 0; i < t->never_count; i++)
		if (bytes_is(what, t->nevers[i].name))
			append(list, never_json(&t->nevers[i]));
	return json_array_size(list) == 0 ? NULL : json_incref(list);
}

static json_t *show_one(const struct treaty *t, struct bytes what)
{
	if (treaty_basis(t, what) != NULL)
		return basis_json(treaty_basis(t, what));
	if (treaty_constant_find(t, what) != NULL)
		return constant_json(treaty_constant_find(t, what));
	if (treaty_article(t, what) != NULL)
		return show_article(t, treaty_article(t, what));
	if (treaty_request(t, what) != NULL)
		return request_json(t, treaty_request(t, what));
	if (treaty_offence(t, what) != NULL)
		return offence_json(treaty_offence(t, what));
	return show_ground(t, what);
}

static json_t *show_list(const struct treaty *t, struct bytes what)
{
	AUTO_JSON *list = list_of();

	if (bytes_is(what, "gate"))
		for (size_t i = 0; i < t->measure_count; i++)
			append(list, measure_json(&t->measures[i]));
	else if (bytes_is(what, "constants"))
		for (size_t i = 0; i < t->constant_count; i++)
			append(list, constant_json(&t->constants[i]));
	else if (bytes_is(what, "articles"))
		for (size_t i = 0; i < t->article_count; i++)
			append(list, article_json(&t->articles[i]));
	else if (bytes_is(what, "offences"))
		for (size_t i = 0; i < t->offence_count; i++)
			append(list, offence_json(&t->offences[i].offence));
	else if (bytes_is(what, "bases"))
		for (size_t i = 0; i < t->basis_count; i++)
			append(list, basis_json(&t->bases[i]));
	else if (bytes_is(what, "grounds"))
		for (size_t i = 0; i < t->ground_count; i++)
			append(list, ground_json(&t->grounds[i]));
	else
		return NULL;
	return json_incref(list);
}

bool treaty_show_json(const struct treaty *t, struct bytes what, json_t **ret, struct err *e)
{
	json_t *v = show_list(t, what);

	if (v == NULL)
		v = show_one(t, what);
	if (v == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "the treaty has nothing of this name");
	*ret = v;
	return true;
}
