/* The check of a request's fields against what treaties/ lists for its kind: every field that is missing is
 * said with its paragraph. What the Convention demands stops; what practice asks for (T-CY forms) is
 * told. An open case needs one of each part of the offence, the authority and each item of data, so these
 * are looked at from inside. */
#include "statement/request-fields.h"

static const struct member authority_members[] = {
	M_LINE("contact", "contact"),
	M_LINE("functions", "functions"),
	M_LINE("name", "name"),
};
const struct shape request_authority_shape = SHAPE(authority_members);

static const struct member offence_members[] = {
	M_LINE("code", "offence under the Convention"),
	M_TEXTS("elements", "element"),
	M_TEXT("law", "domestic law"),
	M_COUNT("max_penalty_years", 0, PENALTY_YEARS_MAX, "maximum penalty in years"),
	M_TEXT("purpose", "purpose of the conduct (11(2))"),
	M_CHOICE_OR_NONE("research", "no|yes|unknown", "security research or testing"),
	M_LINE("title", "in words"),
};
const struct shape request_offence_shape = SHAPE(offence_members);

static const struct member data_members[] = {
	M_LINE("account", "account"),
	M_CHOICE_OR_NONE("category", "subscriber|traffic|content|other", "category"),
	M_TEXT("description", "description"),
	M_TIME_OR_NONE("from", "from"),
	M_TEXT("relation", "relation to the offence"),
	M_LINE("timezone", "time zone of the times"),
	M_TIME_OR_NONE("until", "until"),
};
const struct shape request_data_shape = SHAPE(data_members);

static const struct member rights_members[] = {
	M_CHOICES("flags", "expression|conscience|opinion|religion|assembly|association|privacy|other", 0, "may touch"),
	M_TEXT("note", "note"),
};
const struct shape request_rights_shape = SHAPE(rights_members);

/* Where a member is missing inside a field that is there. */
static void missing_inside(const struct treaty_field *field, const char *place, const char *name, const char *words,
			   struct findings *f)
{
	char path[sizeof(((struct finding *)NULL)->field)];

	snprintf(path, sizeof(path), "%s.%s", place, name);
	finding_add(f, FINDING_STOP, path, field->clause, REASON_MISSING_FIELD, "%s", words);
}

static void check_authority(const struct treaty_field *field, const json_t *v, struct findings *f)
{
	if (json_bytes(v, "name").len == 0)
		missing_inside(field, field->name, "name", "give the name of the authority that asks", f);
}

static bool element_is_claimed(const json_t *claimed, const char *code)
{
	for (size_t i = 0; i < json_array_size(claimed); i++)
		if (strcmp(json_string_value(json_array_get(claimed, i)), code) == 0)
			return true;
	return false;
}

/* 35(3) compares conduct, so the elements are told: one that the offence does not have is a slip, one that
 * excludes it is for a person to look at, and those that must be there are asked for. */
static void check_elements(const struct treaty_field *field, const struct treaty_offence *offence,
			   const json_t *claimed, struct findings *f)
{
	for (size_t i = 0; i < json_array_size(claimed); i++) {
		const char *code = json_string_value(json_array_get(claimed, i));
		bool known = false;

		for (size_t j = 0; j < offence->element_count; j++)
			known = known || strcmp(code, offence->elements[j].code) == 0;
		if (!known)
			missing_inside(field, field->name, "elements", "an element is named that this offence does not have", f);
	}
	for (size_t j = 0; j < offence->element_count; j++) {
		const struct treaty_element *element = &offence->elements[j];
		bool there = element_is_claimed(claimed, element->code);

		if (element->kind == ELEMENT_MUST && !there)
			finding_add(f, FINDING_NOTE, "offence.elements", "35(3)", REASON_MISSING_FIELD,
				    "%s wants this element, and it is not named (%s): %s", offence->code, element->code,
				    element->words);
		if (element->kind == ELEMENT_EXCLUDES && there)
			finding_add(f, FINDING_REVIEW, "offence.elements", field->clause, REASON_RIGHTS_REVIEW,
				    "where this holds there is no such offence (%s): %s", element->code, element->words);
	}
}

/* A Convention offence is named by its code and elements; any other by its law and maximum penalty, since
 * the gate of 35(1)(c) turns on these. */
static void check_offence(const struct treaty_field *field, const json_t *v, const struct treaty *t,
			  struct findings *f)
{
	struct bytes code = json_bytes(v, "code");
	const struct treaty_offence *offence = treaty_offence(t, code);

	if (code.len > 0 && offence == NULL) {
		char path[sizeof(((struct finding *)NULL)->field)];

		snprintf(path, sizeof(path), "%s.code", field->name);
		finding_add(f, FINDING_STOP, path, field->clause, REASON_BAD_FIELD,
			    "this is no offence of the Convention; leave the code empty for another serious crime");
	}
	if (json_bytes(v, "law").len == 0)
		missing_inside(field, field->name, "law", "cite the domestic law on the offence", f);
	if (code.len == 0 && json_bytes(v, "title").len == 0)
		missing_inside(field, field->name, "title", "say which offence is investigated", f);
	if (code.len == 0 && json_int(v, "max_penalty_years") == 0) {
		missing_inside(field, field->name, "max_penalty_years",
			       "give the maximum penalty: without a Convention offence it must be a serious crime (2(h))", f);
	}
	if (offence != NULL)
		check_elements(field, offence, json_object_get(v, "elements"), f);
	if (offence != NULL && offence->asks_research && json_bytes(v, "research").len == 0)
		missing_inside(field, field->name, "research",
			       "say whether this may be security research or authorised testing (yes, no or unknown)", f);
}

static void check_data(const struct treaty_field *field, const json_t *v, struct findings *f)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);
		int64_t from, until;
		char place[32];

		snprintf(place, sizeof(place), "data[%zu]", i);
		if (json_bytes(item, "category").len == 0)
			missing_inside(field, place, "category",
				       "say which category of data: subscriber, traffic, content or other (art. 2)", f);
		if (json_bytes(item, "description").len == 0 && json_bytes(item, "account").len == 0)
			missing_inside(field, place, "description", "say which data", f);
		if (json_bytes(item, "relation").len == 0)
			missing_inside(field, place, "relation", "say how these data relate to the offence", f);
		if (body_time(item, "from", &from) && body_time(item, "until", &until) && until < from)
			missing_inside(field, place, "until", "the time window ends before it begins", f);
	}
}

static void check_rights(const struct treaty_field *field, const json_t *v, struct findings *f)
{
	if (json_bytes(v, "note").len == 0)
		missing_inside(field, field->name, "note",
			       "rights are flagged without a note: say how they are respected", f);
}

/* Some fields answer for others. */
static bool is_answered(const json_t *body, const struct treaty_field *field)
{
	if (strcmp(field->name, "custodian") == 0 && json_bytes(body, "custodian_unknown_why").len > 0)
		return true;
	return body_is_filled(json_object_get(body, field->name));
}

static void check_field(const struct statement *s, const struct treaty_field *field, const struct treaty *t,
			struct findings *f)
{
	const json_t *v = json_object_get(s->body, field->name);

	if (!is_answered(s->body, field)) {
		if (field->must && field->policy)
			finding_add(f, FINDING_STOP, field->name, "", REASON_MISSING_FIELD,
				    "missing, and house policy wants it (the Convention does not): %s", field->words);
		else if (field->must)
			finding_add(f, FINDING_STOP, field->name, field->clause, REASON_MISSING_FIELD, "missing: %s",
				    field->words);
		return;
	}
	if (strcmp(field->type, "authority") == 0)
		check_authority(field, v, f);
	else if (strcmp(field->type, "offence") == 0)
		check_offence(field, v, t, f);
	else if (strcmp(field->type, "data") == 0)
		check_data(field, v, f);
	else if (strcmp(field->type, "rights") == 0)
		check_rights(field, v, f);
}

/* A field that another one makes necessary. */
static const struct {
	const char *kind;
	const char *when, *value; /* the field that asks for it, and with which value ("" for any) */
	const char *field, *clause, *sentence;
} companions[] = {
	{ "preservation-request", "confidential", "", "confidential_why", "42(3)(g)",
	  "confidentiality is asked for as appropriate: say why it is needed here" },
	{ "preservation-request", "confidential", "", "confidential_until", "42(3)(g)",
	  "confidentiality needs an end (house policy): say until when" },
	{ "stored-data-request", "confidential", "", "confidential_why", "40(20)",
	  "say why the request must be kept confidential" },
	{ "stored-data-request", "confidential", "", "confidential_until", "40(20)",
	  "confidentiality needs an end (house policy): say until when" },
	{ "preservation-request", "status", "extension", "earlier", "42(9)", "name the request that is to be extended" },
	{ "stored-data-request", "answer_by", "", "answer_by_why", "40(26)",
	  "a deadline is heeded when its reason is given: say why by then" },
};

/* 44(3): expedited when the data are vulnerable or an instrument provides for speed. */
static void check_expedited(const struct statement *s, struct findings *f)
{
	const char *why = json_text(s->body, "expedited_why");

	if (json_bool(s->body, "expedited") && (why[0] == '\0' || strcmp(why, "none") == 0))
		finding_add(f, FINDING_STOP, "expedited_why", "44(3)", REASON_MISSING_FIELD,
			    "an expedited answer needs a reason: the data are vulnerable, or an instrument says so");
}

static void check_companions(const struct statement *s, struct findings *f)
{
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		const char *value = companions[i].value;

		if (strcmp(companions[i].kind, s->kind->name) != 0 ||
		    !body_is_filled(json_object_get(s->body, companions[i].when)) ||
		    (value[0] != '\0' && strcmp(json_text(s->body, companions[i].when), value) != 0))
			continue;
		body_must_text(s->body, companions[i].field, companions[i].clause, f, companions[i].sentence);
	}
}

static void check_times(const struct statement *s, struct findings *f)
{
	static const char *const later[] = { "confidential_until", "answer_by", "intended_mla_date" };
	int64_t ms;

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (body_time(s->body, later[i], &ms) && ms <= s->time)
			finding_add(f, FINDING_STOP, later[i], "", REASON_BAD_FIELD,
				    "this time lies before the request itself");
}

void request_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	const struct treaty_field *fields = NULL;
	size_t n = t == NULL ? 0 : treaty_fields(t, bytes_of(s->kind->name), &fields);

	for (size_t i = 0; i < n; i++)
		check_field(s, &fields[i], t, f);
	check_companions(s, f);
	check_expedited(s, f);
	check_times(s, f);
}
