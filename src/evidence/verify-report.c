/* What was found in a package, as JSON for programs and for verify_tell: acts with who signed, approved and
 * logged them; exhibits with their custody and conditions; the parties. Only values that acts say or
 * judgements established; the words for people are in verify-tell.c. */
#include <stdlib.h>
#include <string.h>

#include "evidence/custody.h"
#include "evidence/verify-internal.h"

static void append(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

static void put_field(json_t *list, const char *name, struct bytes value)
{
	json_t *row;

	if (value.len == 0)
		return;
	row = json_object();
	json_put_text(row, "name", name);
	json_put_bytes(row, "value", value);
	append(list, row);
}

/* The few fields of a body that a judge asks for, by kind. */
static const struct {
	const char *kind, *outer, *member, *words;
} telling[] = {
	{ "-request", "requesting_authority", "name", "authority that asks" },
	{ "-request", "", "authorised_by", "authorised by" },
	{ "-request", "", "judicial_authorisation", "judicial authorisation" },
	{ "-request", "", "custodian", "who holds the data" },
	{ "-request", "offence", "title", "offence" },
	{ "-request", "offence", "law", "domestic law" },
	{ "-request", "", "facts", "facts" },
	{ "-request", "", "necessity", "necessity" },
	{ "-request", "", "purpose", "purpose" },
	{ "-request", "", "proportionality", "proportionality" },
	{ "answer", "", "outcome", "outcome" },
	{ "answer", "", "ground", "ground" },
	{ "answer", "", "reasons", "reasons" },
	{ "answer", "", "hold_until", "data are held until" },
	{ "answer", "", "review_date", "to be reviewed" },
	{ "order", "", "authorising_body", "ordered by" },
	{ "order", "", "body_kind", "which is a" },
	{ "order", "", "measure", "measure" },
	{ "order", "", "instrument", "domestic law" },
	{ "order", "", "scope", "scope" },
	{ "order", "", "grounds", "grounds" },
	{ "order", "", "expires", "expires" },
	{ "order", "", "remedy", "remedy" },
	{ "acknowledgement", "", "officer", "officer" },
	{ "confirmation", "", "result", "result" },
	{ "confirmation", "", "text", "explanation" },
	{ "exhibit", "", "name", "exhibit" },
	{ "custody", "", "act", "event" },
	{ "custody", "", "actor", "by" },
	{ "custody", "", "reason", "reason" },
};

static bool kind_ends(const struct statement *s, const char *ending)
{
	size_t len = strlen(s->kind->name), n = strlen(ending);

	return len >= n && strcmp(s->kind->name + len - n, ending) == 0;
}

/* Which data a request is about: "mail@host.example, traffic data: logins"; the times stand beside it. */
static void put_data(json_t *details, const struct statement *s)
{
	const json_t *list = json_object_get(s->body, "data");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		const char *category = json_text(d, "category");
		size_t before = json_array_size(details);
		AUTO_BUF out = { 0 };

		buf_init(&out, STATEMENT_BYTES_MAX);
		buf_add(&out, json_bytes(d, "account"));
		buf_add_format(&out, "%s%s%s: ", out.len == 0 ? "" : ", ", category, category[0] == '\0' ? "data" : " data");
		buf_add(&out, json_bytes(d, "description"));
		put_field(details, "data", buf_ok(&out) ? buf_bytes(&out) : json_bytes(d, "account"));
		if (json_array_size(details) == before)
			continue;
		json_put_text(json_array_get(details, before), "from", json_text(d, "from"));
		json_put_text(json_array_get(details, before), "until", json_text(d, "until"));
	}
}

static void put_conditions(json_t *details, const struct statement *s)
{
	const json_t *list = json_object_get(s->body, "conditions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		AUTO_BUF out = { 0 };

		buf_init(&out, STATEMENT_BYTES_MAX);
		buf_add(&out, json_bytes(c, "text"));
		if (json_bytes(c, "clause").len > 0)
			buf_add_format(&out, " (under %s)", json_text(c, "clause"));
		put_field(details, "condition", buf_bytes(&out));
	}
}

static json_t *details_of(const struct statement *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		const json_t *v = telling[i].outer[0] == '\0' ? s->body : json_object_get(s->body, telling[i].outer);

		if (kind_ends(s, telling[i].kind))
			put_field(list, telling[i].words, json_bytes(v, telling[i].member));
	}
	if (verify_is_request(s))
		put_data(list, s);
	if (kind_ends(s, "answer"))
		put_conditions(list, s);
	return list;
}

static json_t *approvals_of(const struct act *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->approval_count; i++) {
		const struct approval *p = &a->approvals[i];
		json_t *row = json_object();

		json_put_text(row, "name", p->approver);
		json_put_text(row, "role", approval_role_code(p->role));
		json_put_text(row, "role_words", approval_role_words(p->role));
		json_put_text(row, "assurance", p->assurance);
		json_put_time(row, "time", p->time);
		json_put_text(row, "note", p->note);
		append(list, row);
	}
	return list;
}

static void put_log(json_t *list, const char *party, const struct judgement *j)
{
	json_t *row = json_object();

	json_put_text(row, "party", party);
	json_put_text(row, "origin", j->checkpoint.origin);
	json_put_int(row, "index", (int64_t)j->index);
	json_put_int(row, "size", (int64_t)j->checkpoint.size);
	json_put_int(row, "witnesses", (int64_t)j->witnesses);
	if (j->quorum_ms != 0)
		json_put_time(row, "quorum", j->quorum_ms);
	else
		json_put_text(row, "quorum", "");
	append(list, row);
}

static json_t *logs_of(const struct verified_act *a)
{
	json_t *list = json_array();

	if (a->judged && a->judgement.checkpoint.size > 0)
		put_log(list, a->act->statement->from, &a->judgement);
	if (a->counter_judged)
		put_log(list, a->act->statement->to, &a->counter);
	return list;
}

/* The name that the exhibit was handed over with. */
static const char *confirmed_name(const struct verification *v, const struct statement *s)
{
	for (size_t i = 0; i < v->act_count; i++)
		if (is_exhibit(v->statements[i]) && bytes_equal(json_bytes(v->statements[i]->body, "exhibit"), json_bytes(s->body, "exhibit")))
			return json_text(v->statements[i]->body, "name");
	return "an exhibit that is not here";
}

static void put_summary(const struct verification *v, json_t *row, const struct statement *s)
{
	char text[500];

	if (is_custody(s))
		snprintf(text, sizeof(text), "%s recorded of %.300s: %.60s", s->from, json_text(json_object_get(s->body, "object"), "name"),
			 verify_custody_words(json_text(s->body, "act")));
	else if (kind_ends(s, "order"))
		snprintf(text, sizeof(text), "%.300s of %s ordered to %.40s the data", json_text(s->body, "authorising_body"), s->from,
			 json_text(s->body, "measure"));
	else if (is_exhibit(s))
		snprintf(text, sizeof(text), "%s handed %.300s over to %s", s->from, json_text(s->body, "name"), s->to);
	else if (strcmp(s->kind->name, "confirmation") == 0)
		snprintf(text, sizeof(text), "%s confirmed %.300s: %.40s", s->from, confirmed_name(v, s), json_text(s->body, "result"));
	else if (kind_ends(s, "answer"))
		snprintf(text, sizeof(text), "%s answered %s: %.40s", s->from, s->to, json_text(s->body, "outcome"));
	else if (s->kind->to == TO_PEER)
		snprintf(text, sizeof(text), "%s to %s: %s", s->from, s->to, s->kind->words);
	else
		snprintf(text, sizeof(text), "%s: %s", s->from, s->kind->words);
	json_put_text(row, "summary", text);
}

void verify_tell_acts(struct verification *v)
{
	json_t *list = json_object_get(v->report, "acts");

	for (size_t i = 0; i < v->act_count; i++) {
		const struct verified_act *a = &v->acts[i];
		const struct statement *s = a->act->statement;
		char id[ID_TEXT_LEN + 1];
		json_t *row = json_object();

		id_write(&s->id, id);
		json_put_text(row, "file", a->file);
		json_put_text(row, "id", id);
		json_put_hex(row, "hash", BYTES_ARRAY(s->hash));
		json_put_text(row, "kind", s->kind->name);
		json_put_text(row, "words", s->kind->words);
		json_put_text(row, "from", s->from);
		json_put_text(row, "to", s->to);
		json_put_text(row, "authority", s->authority);
		json_put_text(row, "request", json_text(s->body, "request"));
		json_put_text(row, "exhibit", json_text(s->body, "exhibit"));
		json_put_text(row, "legal_basis", s->legal_basis);
		json_put_text(row, "via", s->via);
		json_put_time(row, "time", s->time);
		put_summary(v, row, s);
		json_put_bool(row, "verified", a->judged);
		json_put_text(row, "signed_by", a->judged ? a->judgement.sender->name : "");
		json_put(row, "details", details_of(s));
		json_put(row, "approvals", approvals_of(a->act));
		json_put(row, "logs", logs_of(a));
		append(list, row);
	}
}

/* --- exhibits ---------------------------------------------------------------------------------- */

static json_t *event_of(const struct verified_act *a)
{
	static const char *const texts[] = { "act", "actor", "when", "where", "reason", "result" };
	const json_t *body = a->act->statement->body, *object = json_object_get(body, "object"), *tool = json_object_get(body, "tool");
	json_t *row = json_object();

	json_put_text(row, "file", a->file);
	json_put_text(row, "party", a->act->statement->from);
	json_put_int(row, "seq", json_int(body, "seq"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_put_text(row, texts[i], json_text(body, texts[i]));
	json_put_text(row, "object", json_text(object, "name"));
	json_put_text(row, "sha256", json_text(object, "sha256"));
	json_put_text(row, "tool", json_text(tool, "name"));
	json_put_text(row, "tool_version", json_text(tool, "version"));
	json_put(row, "logs", logs_of(a));
	return row;
}

/* Of the acts in logs: how many have independent witnesses, and at least how many those have. */
void verify_tell_witnesses(struct verification *v)
{
	size_t logged = 0, witnessed = 0, least = SIZE_MAX;
	char words[200] = "no independent witness yet";

	for (size_t i = 0; i < v->act_count; i++) {
		const struct verified_act *a = &v->acts[i];

		if (!a->judged || a->judgement.checkpoint.size == 0)
			continue;
		logged++;
		witnessed += a->judgement.witnesses > 0;
		if (a->judgement.witnesses < least)
			least = a->judgement.witnesses;
	}
	if (witnessed > 0 && witnessed < logged)
		snprintf(words, sizeof(words), "independent witnesses signed for %zu of %zu acts; no independent witness yet for the others",
			 witnessed, logged);
	else if (witnessed > 0)
		snprintf(words, sizeof(words), "signed by %s%zu independent witness%s", logged > 1 ? "at least " : "", least,
			 least == 1 ? "" : "es");
	json_put_int(v->report, "witnesses", (int64_t)(logged > 0 ? least : 0));
	json_put_text(v->report, "witness_words", words);
}

void verify_tell_exhibits(struct verification *v)
{
	json_t *list = json_object_get(v->report, "exhibits");

	for (size_t i = 0; i < v->act_count; i++) {
		const struct statement *x = v->statements[i];
		json_t *row, *custody, *conditions;
		package_path path;

		if (!is_exhibit(x))
			continue;
		row = json_object();
		custody = json_array();
		package_payload_path(json_bytes(x->body, "exhibit"), json_bytes(x->body, "name"), path);
		json_put_text(row, "id", json_text(x->body, "exhibit"));
		json_put_text(row, "name", json_text(x->body, "name"));
		json_put_text(row, "path", path);
		json_put_text(row, "media_type", json_text(x->body, "media_type"));
		json_put_int(row, "size", json_int(x->body, "size"));
		json_put_text(row, "sha256", json_text(x->body, "sha256"));
		json_put_bool(row, "personal_data", json_bool(x->body, "personal_data"));
		json_put_text(row, "from", x->from);
		json_put_text(row, "to", x->to);
		for (size_t k = 0; k < v->act_count; k++)
			if (is_custody(v->statements[k]) &&
			    bytes_equal(json_bytes(v->statements[k]->body, "exhibit"), json_bytes(x->body, "exhibit")))
				append(custody, event_of(&v->acts[k]));
		json_put(row, "custody", custody);
		conditions = json_deep_copy(json_object_get(x->body, "conditions"));
		json_put(row, "conditions", conditions == NULL ? json_array() : conditions);
		append(list, row);
	}
}

static void put_party(struct verification *v, json_t *list, const char *code)
{
	const struct party *p = register_party(v->r, bytes_of(code));
	json_t *row;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "code"), code) == 0)
			return;
	row = json_object();
	json_put_text(row, "code", code);
	json_put_text(row, "name", p == NULL ? "" : p->name);
	json_put_bool(row, "fictional", p != NULL && p->fictional);
	json_put_bool(row, "pinned", p != NULL && p->pinned);
	json_put_bool(row, "confirmed", verify_confirmed(v, code));
	append(list, row);
}

void verify_tell_parties(struct verification *v)
{
	json_t *list = json_object_get(v->report, "parties");

	for (size_t i = 0; i < v->act_count; i++) {
		put_party(v, list, v->statements[i]->from);
		if (v->statements[i]->kind->to == TO_PEER)
			put_party(v, list, v->statements[i]->to);
	}
}
