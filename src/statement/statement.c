/* The frame that every statement has, whatever its kind. A payload is accepted only as canonical JSON with
 * exactly the members of the frame, so there is one spelling of each statement: the bytes that came
 * are the bytes that would be written. What it says is not judged here: shape first, then the kind's
 * check and the safeguards. */
#include "statement/statement.h"

#include "statement/body.h"

#define AUTHORITY_BYTES_MAX 120
#define DEDUPE_BYTES_MAX 120

static const struct member register_members[] = {
	M_LINE("origin", "log of the register"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "size of the register's log"),
	M_TIME("time", "last seen fresh"),
};
static const struct shape register_shape = SHAPE(register_members);

static const struct member ref_members[] = {
	M_HASH("hash", "hash"),
	M_ID("id", "id"),
};
static const struct shape ref_shape = SHAPE(ref_members);

#define VIAS "comity|mail|telephone|courier|budapest|g7|i-24/7"
#define BASES "UNCC|budapest|bilateral|reciprocity|pilot"

/* Without "body", "from" and "to", which have their own rules. */
#define FRAME_MEMBERS                                                                                   \
	{ .name = "authority", .type = MEMBER_TEXT, .max = AUTHORITY_BYTES_MAX, .words = "authority" }, \
	{ .name = "case", .type = MEMBER_TEXT, .max = CASE_REF_BYTES_MAX, .words = "case" },            \
	M_FLAG("exercise", "exercise"),                                                                 \
	M_ID("id", "id"),                                                                               \
	M_LINE_MUST("kind", "kind"),                                                                    \
	M_CHOICE("legal_basis", BASES, "legal basis"),                                                  \
	{ .name = "refs", .type = MEMBER_LIST, .max = STATEMENT_REFS_MAX, .of = &ref_shape,             \
	  .words = "refers to" },                                                                       \
	M_OBJECT("register", &register_shape, "register used"),                                         \
	M_TIME("time", "time"),                                                                         \
	M_COUNT("v", 1, 1, "version"),                                                                  \
	M_CHOICE("via", VIAS, "came by")

static const struct member frame_members[] = { FRAME_MEMBERS };
static const struct member frame_members_elsewhere[] = {
	FRAME_MEMBERS,
	M_LINE_MUST("attested_by", "attested by"),
	{ .name = "dedupe", .type = MEMBER_TEXT, .min = 1, .max = DEDUPE_BYTES_MAX, .words = "sent once as" },
};

static bool code_is_valid(struct bytes code)
{
	if (code.len < 2 || code.len > PARTY_CODE_LEN_MAX)
		return false;
	for (size_t i = 0; i < code.len; i++)
		if (code.at[i] < 'A' || code.at[i] > 'Z')
			return false;
	return true;
}

static bool parse_parties(const json_t *v, const struct kind *k, struct err *e)
{
	struct bytes from = json_bytes(v, "from"), to = json_bytes(v, "to");

	if (!code_is_valid(from))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field from is not a party code (2 to %d letters A-Z)",
			       PARTY_CODE_LEN_MAX);
	if (k->to == TO_REGISTER && !bytes_is(to, "*"))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a %s goes to the register: the field to must be \"*\"",
			       k->name);
	if (k->to != TO_REGISTER && !code_is_valid(to))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field to is not a party code (2 to %d letters A-Z)",
			       PARTY_CODE_LEN_MAX);
	if (k->to == TO_SELF && !bytes_equal(from, to))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a %s stays at home: from and to must be the same", k->name);
	if (k->to == TO_PEER && bytes_equal(from, to))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a %s goes to another party: from and to are the same",
			       k->name);
	return true;
}

/* body, from and to are taken out for the walk over the table of members. */
static bool parse_frame(const json_t *v, const struct kind *k, struct err *e)
{
	bool elsewhere = !bytes_is(json_bytes(v, "via"), "comity");
	const struct member *members = elsewhere ? frame_members_elsewhere : frame_members;
	size_t count = elsewhere ? sizeof(frame_members_elsewhere) / sizeof(members[0]) :
				   sizeof(frame_members) / sizeof(members[0]);
	AUTO_JSON *rest = json_copy((json_t *)(uintptr_t)v);

	if (rest == NULL)
		abort();
	if (json_object_del(rest, "body") != 0)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "the field body is missing");
	if (!parse_parties(v, k, e))
		return false;
	(void)json_object_del(rest, "from");
	(void)json_object_del(rest, "to");
	if (!body_parse(rest, &(struct shape){ members, count }, e))
		return false;
	if (!bytes_is(json_bytes(v, "kind"), k->name))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the kind inside is not that of the payload type (%s)",
			       k->name);
	return true;
}

/* From a frame that parse_frame accepted: every text keeps the spelling that it came in. */
static bool fill(struct statement *s, struct err *e)
{
	const json_t *v = s->json, *refs = json_object_get(v, "refs"), *reg = json_object_get(v, "register");
	bool ok = id_parse(json_bytes(v, "id"), &s->id) && body_time(v, "time", &s->time) &&
		  body_time(reg, "time", &s->register_time);

	s->from = json_text(v, "from");
	s->to = json_text(v, "to");
	s->authority = json_text(v, "authority");
	s->case_ref = json_text(v, "case");
	s->legal_basis = json_text(v, "legal_basis");
	s->via = json_text(v, "via");
	s->dedupe = json_text(v, "dedupe");
	s->attested_by = json_text(v, "attested_by");
	s->exercise = json_bool(v, "exercise");
	s->register_origin = json_text(reg, "origin");
	s->register_size = (uint64_t)json_int(reg, "size");
	s->body = json_object_get(v, "body");
	s->ref_count = json_array_size(refs);
	for (size_t i = 0; i < s->ref_count; i++) {
		const json_t *ref = json_array_get(refs, i);

		ok = ok && id_parse(json_bytes(ref, "id"), &s->refs[i].id) &&
		     hex_parse(json_bytes(ref, "hash"), s->refs[i].hash, SHA256_BYTES);
	}
	return ok || err_set(e, ERR_SYSTEM, REASON_SYSTEM, "a checked frame does not read back");
}

bool statement_parse(struct bytes type, struct bytes payload, struct statement **ret, struct err *e)
{
	const struct kind *k = kind_find_type(type);
	AUTO_STATEMENT *s = NULL;
	uint8_t *copy;

	if (k == NULL)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "this is no kind of statement that Comity knows");
	if (payload.len > STATEMENT_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a statement may have %u bytes; this one has %zu",
			       STATEMENT_BYTES_MAX, payload.len);
	s = calloc(1, sizeof(*s));
	copy = malloc(payload.len + 1);
	if (s == NULL || copy == NULL)
		abort();
	if (payload.len > 0)
		memcpy(copy, payload.at, payload.len);
	s->payload = bytes_from(copy, payload.len);
	s->kind = k;
	if (!json_parse_canonical(s->payload, k->name, &s->json, e))
		return false;
	if (!json_is_object(s->json))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is not an object", k->name);
	if (!parse_frame(s->json, k, e) || !fill(s, e))
		return err_note(e, "%s", k->name);
	if (!k->parse(s->body, e))
		return err_note(e, "%s: body", k->name);
	pae_hash(type, s->payload, s->hash);
	*ret = s;
	s = NULL;
	return true;
}

void statement_free(struct statement *s)
{
	if (s == NULL)
		return;
	json_decref(s->json);
	free((void *)(uintptr_t)s->payload.at);
	free(s);
}

void statement_free_at(struct statement **s)
{
	statement_free(*s);
	*s = NULL;
}

void statement_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	s->kind->check(s, t, f);
}

static void print_line(const char *words, const char *text, struct buf *out)
{
	if (text[0] == '\0')
		return;
	buf_add_format(out, "%s: ", words);
	text_printable(bytes_of(text), out);
	buf_add_u8(out, '\n');
}

static void print_refs(const struct statement *s, struct buf *out)
{
	for (size_t i = 0; i < s->ref_count; i++) {
		char id[ID_TEXT_LEN + 1];

		id_write(&s->refs[i].id, id);
		buf_add_format(out, "refers to: %s (statement ", id);
		buf_add_hex(out, BYTES_ARRAY(s->refs[i].hash));
		buf_add_text(out, ")\n");
	}
}

void statement_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	char id[ID_TEXT_LEN + 1], time[64];

	if (s->exercise)
		buf_add_text(out, "EXERCISE: this is a drill and has no legal effect\n");
	buf_add_format(out, "%s (%s)\n", s->kind->words, s->kind->name);
	print_line("from", s->from, out);
	print_line("authority", s->authority, out);
	print_line("to", s->kind->to == TO_REGISTER ? "everybody, by the register" : s->to, out);
	time_write_people(s->time, offset_minutes, time);
	print_line("time", time, out);
	print_line("case", s->case_ref, out);
	print_line("legal basis", s->legal_basis, out);
	if (strcmp(s->via, "comity") != 0) {
		print_line("came by", s->via, out);
		print_line("attested by", s->attested_by, out);
		print_line("sent once as", s->dedupe, out);
	}
	id_write(&s->id, id);
	print_line("id", id, out);
	buf_add_text(out, "statement: ");
	buf_add_hex(out, BYTES_ARRAY(s->hash));
	buf_add_u8(out, '\n');
	print_refs(s, out);
	time_write_people(s->register_time, offset_minutes, time);
	if (s->register_origin[0] == '\0') {
		buf_add_format(out, "register: none, parties are pinned; as of %s\n", time);
	} else {
		buf_add_text(out, "register: ");
		text_printable(bytes_of(s->register_origin), out);
		buf_add_format(out, ", %llu entries, as of %s\n", (unsigned long long)s->register_size, time);
	}
	s->kind->print(s, offset_minutes, out);
}

static void times_of(const struct shape *shape, json_t *v, void (*each)(json_t *object, const char *name))
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct member *m = &shape->members[i];
		json_t *value = json_object_get(v, m->name), *item;
		size_t at;

		if (m->type == MEMBER_TIME && json_is_string(value))
			each(v, m->name);
		else if (m->type == MEMBER_OBJECT && json_is_object(value))
			times_of(m->of, value, each);
		else if (m->type == MEMBER_LIST)
			json_array_foreach(value, at, item)
				times_of(m->of, item, each);
	}
}

void statement_times(const struct kind *k, json_t *body, void (*each)(json_t *object, const char *name))
{
	times_of(kind_shape(k), body, each);
}

/* Where the words of a member do not say what may be written. */
static const struct {
	const char *path, *words;
} hints[] = {
	{ "offence.code", "UNCC-07 to UNCC-19, or empty for another serious crime" },
	{ "offence.elements", "codes of the elements that are met; comity treaty show CODE lists those of the offence" },
	{ "data.timezone", "for example UTC or Europe/Vienna" },
};

/* What may be written there: the words of a choice, the spelling of a time. */
static void put_spelling(const struct member *m, struct buf *words)
{
	if (m->choices != NULL)
		buf_add_format(words, ": %s%s", m->type == MEMBER_CHOICES ? "list of " : "", m->choices);
	else if (m->type == MEMBER_TIME)
		buf_add_text(words, ": 2026-11-20T10:00:00.000Z; 2026-11-20, 2026-11-20T10:00Z or +30d from now are brought to it");
}

/* Words for a field: the paragraph where the Convention asks for it, and that practice or the house asks
 * where it does not. */
static void put_help(json_t *help, const struct treaty_field *field, const struct member *m)
{
	AUTO_BUF words = { 0 };

	buf_init(&words, 4 * KIB);
	buf_add_text(&words, field->words);
	if (field->policy || field->clause[0] == '\0')
		buf_add_text(&words, " (good practice; the Convention does not ask)");
	else if (strcmp(field->certainty, "POLICY") == 0)
		buf_add_format(&words, " (house policy on art. %s)", field->clause);
	else
		buf_add_format(&words, " (art. %s%s)%s", field->clause, field->must ? "" : ", as appropriate",
			       certainty_is_checked(field->certainty) ? "" : " [unchecked]");
	put_spelling(m, &words);
	json_put_text(help, field->name, buf_text(&words));
}

static void put_plain_help(json_t *help, const char *path, const struct member *m)
{
	AUTO_BUF words = { 0 };

	buf_init(&words, 4 * KIB);
	buf_add_text(&words, m->words);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(hints[i].path, path) == 0)
			buf_add_format(&words, ": %s", hints[i].words);
	put_spelling(m, &words);
	json_put_text(help, path, buf_text(&words));
}

/* "offence.research": the members of a member. */
static void put_inner_help(json_t *help, const struct member *m)
{
	for (size_t i = 0; m->of != NULL && i < m->of->count; i++) {
		char path[100];

		snprintf(path, sizeof(path), "%s.%s", m->name, m->of->members[i].name);
		put_plain_help(help, path, &m->of->members[i]);
	}
}

/* Fields of a request come in the order in which treaties/ lists them: that in which a person fills them in. */
bool statement_form(const struct kind *k, const struct treaty *t, struct buf *out, struct err *e)
{
	const struct shape *shape = kind_shape(k);
	const struct treaty_field *fields = NULL;
	size_t n = t == NULL ? 0 : treaty_fields(t, bytes_of(k->name), &fields);
	AUTO_JSON *empty = body_form(shape);
	AUTO_JSON *form = json_object();
	json_t *help = json_object();

	for (size_t i = 0; i < n; i++) {
		const struct member *m = shape_find(shape, bytes_of(fields[i].name));

		if (m == NULL)
			continue;
		json_put(form, m->name, json_incref(json_object_get(empty, m->name)));
		put_help(help, &fields[i], m);
		put_inner_help(help, m);
	}
	for (size_t i = 0; i < shape->count; i++) {
		const struct member *m = &shape->members[i];

		if (json_object_get(form, m->name) != NULL)
			continue;
		json_put(form, m->name, json_incref(json_object_get(empty, m->name)));
		put_plain_help(help, m->name, m);
		put_inner_help(help, m);
	}
	json_put(form, "_help", help);
	return json_write_pretty(form, out, e);
}
