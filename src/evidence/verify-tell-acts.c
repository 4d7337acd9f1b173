/* Who asked, approved, answered, ordered and confirmed, in a report: an act says which request it is about and
 * which persons stand behind it, so that nobody has to compare numbers. */
#include <stdlib.h>
#include <string.h>

#include "evidence/verify-internal.h"

bool is_about(const json_t *act, const char *kind)
{
	const char *name = json_text(act, "kind");
	size_t len = strlen(name), n = strlen(kind);

	return len >= n && strcmp(name + len - n, kind) == 0;
}

const json_t *act_by_id(const struct telling *g, const char *id)
{
	const json_t *acts = list_in(g, "acts");

	for (size_t i = 0; id[0] != '\0' && i < json_array_size(acts); i++)
		if (strcmp(json_text(json_array_get(acts, i), "id"), id) == 0)
			return json_array_get(acts, i);
	return NULL;
}

const char *detail_of(const json_t *act, const char *name)
{
	const json_t *details = json_object_get(act, "details");

	for (size_t i = 0; i < json_array_size(details); i++)
		if (strcmp(json_text(json_array_get(details, i), "name"), name) == 0)
			return json_text(json_array_get(details, i), "value");
	return "";
}

/* "order" alone would hide what was ordered. */
static const char *act_words(const json_t *act)
{
	const char *measure = is_about(act, "order") ? detail_of(act, "measure") : "";

	if (strcmp(measure, "preserve") == 0)
		return "domestic order to preserve the data";
	if (strcmp(measure, "disclose") == 0)
		return "domestic order to disclose the data";
	return json_text(act, "words");
}

static const char *role_words(const json_t *approval)
{
	const char *words = json_text(approval, "role_words");

	return words[0] == '\0' ? json_text(approval, "role") : words;
}

static void add_request(const struct telling *g, const json_t *act, json_t *pairs)
{
	const json_t *request = act_by_id(g, json_text(act, "request"));
	char text[700], when[64];

	if (json_text(act, "request")[0] == '\0')
		return;
	if (request == NULL) {
		snprintf(text, sizeof(text), "request %.32s, which is not here", json_text(act, "request"));
	} else {
		when_of(g, json_text(request, "time"), when);
		snprintf(text, sizeof(text), "the %.200s of %s (%.200s)", json_text(request, "words"), when, json_text(request, "file"));
	}
	tell_add(pairs, row_of(2, is_about(act, "answer") ? "Answers" : "On", text));
}

/* Times of a detail as people read them. */
static void add_detail(const struct telling *g, const json_t *detail, json_t *pairs)
{
	const char *value = json_text(detail, "value"), *from = json_text(detail, "from"), *until = json_text(detail, "until");
	char name[80], when[64], end[64];
	AUTO_BUF out = { 0 };
	int64_t ms;

	buf_init(&out, 4 * MIB);
	snprintf(name, sizeof(name), "%s", json_text(detail, "name"));
	if (name[0] >= 'a' && name[0] <= 'z')
		name[0] = (char)(name[0] - 'a' + 'A');
	if (time_parse(bytes_of(value), &ms)) {
		when_of(g, value, when);
		value = when;
	}
	buf_add_text(&out, value);
	if (from[0] != '\0' || until[0] != '\0') {
		when_of(g, from, when);
		when_of(g, until, end);
		buf_add_format(&out, "; from %s until %s", from[0] == '\0' ? "(open)" : when, until[0] == '\0' ? "(open)" : end);
	}
	tell_add(pairs, row_of(2, name, buf_ok(&out) ? buf_text(&out) : value));
}

void witness_words(const struct telling *g, const json_t *log, char ret[static 160])
{
	int64_t n = json_int(log, "witnesses");
	char when[64];

	when_of(g, json_text(log, "quorum"), when);
	if (n == 0)
		snprintf(ret, 160, "no independent witness yet");
	else if (json_text(log, "quorum")[0] == '\0')
		snprintf(ret, 160, "signed by %lld independent witness%s", (long long)n, n == 1 ? "" : "es");
	else
		snprintf(ret, 160, "signed by %lld independent witness%s at %s", (long long)n, n == 1 ? "" : "es", when);
}

static void tell_act(const struct telling *g, const json_t *act)
{
	const json_t *details = json_object_get(act, "details"), *approvals = json_object_get(act, "approvals");
	AUTO_JSON *pairs = json_array();
	char from[300], to[300], when[64], text[500];

	party_name(g, json_text(act, "from"), from);
	party_name(g, json_text(act, "to"), to);
	when_of(g, json_text(act, "time"), when);
	tell_add(pairs, row_of(2, "What", act_words(act)));
	add_request(g, act, pairs);
	tell_add(pairs, row_of(2, "From", from));
	tell_add(pairs, row_of(2, "To", to));
	tell_add(pairs, row_of(2, "When", when));
	tell_add(pairs, row_of(2, "Legal basis", verify_basis_words(json_text(act, "legal_basis"))));
	for (size_t i = 0; i < json_array_size(details); i++) {
		const json_t *d = json_array_get(details, i);

		if (!is_about(act, "order") || strcmp(json_text(d, "name"), "measure") != 0)
			add_detail(g, d, pairs);
	}
	for (size_t i = 0; i < json_array_size(approvals); i++) {
		const json_t *a = json_array_get(approvals, i);

		snprintf(text, sizeof(text), "%.200s (%.32s: %.200s)", json_text(a, "name"), json_text(a, "role"), role_words(a));
		tell_add(pairs, row_of(2, "Approved by", text));
	}
	tell_add(pairs, row_of(2, "Signature", json_bool(act, "verified") ? "verifies" : "does NOT verify"));
	if (json_array_size(json_object_get(act, "logs")) > 0) {
		witness_words(g, json_array_get(json_object_get(act, "logs"), 0), text);
		tell_add(pairs, row_of(2, "Cosigned", text));
	}
	tell_add(pairs, row_of(2, "File", json_text(act, "file")));
	g->t->fields(g->out, pairs);
}

void tell_kind(const struct telling *g, const char *kind, const char *title)
{
	const json_t *acts = list_in(g, "acts");
	bool any = false;

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i);

		if (!is_about(act, kind))
			continue;
		if (!any)
			g->t->section(g->out, title);
		any = true;
		tell_act(g, act);
	}
}

/* What was approved; of an exhibit, which. */
static void approved_words(const json_t *act, char ret[static 500])
{
	const char *name = detail_of(act, "exhibit");

	snprintf(ret, 500, "%.200s%s%.200s", act_words(act), name[0] == '\0' ? "" : ": ", name);
}

void tell_approvals(const struct telling *g)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_JSON *heads = row_of(5, "Person", "For", "As", "When", "What");
	AUTO_JSON *rows = json_array();
	AUTO_JSON *roles = json_array();
	AUTO_JSON *signing = json_array();
	AUTO_JSON *seen = json_object();
	char when[64], text[500];

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i), *list = json_object_get(act, "approvals");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const json_t *a = json_array_get(list, k);

			when_of(g, json_text(a, "time"), when);
			approved_words(act, text);
			tell_add(rows, row_of(5, json_text(a, "name"), json_text(act, "from"), json_text(a, "role"), when, text));
			if (json_object_get(seen, json_text(a, "role")) == NULL)
				tell_add(roles, row_of(2, json_text(a, "role"), role_words(a)));
			json_put_bool(seen, json_text(a, "role"), true);
			if (json_object_get(seen, json_text(a, "assurance")) == NULL)
				tell_add(signing, row_of(2, "Signed", verify_assurance_words(json_text(a, "assurance"))));
			json_put_bool(seen, json_text(a, "assurance"), true);
		}
	}
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "Who approved");
	g->t->table(g->out, "Persons who signed with a key of their own", heads, rows);
	if (json_array_extend(roles, signing) != 0)
		abort();
	g->t->fields(g->out, roles);
	g->t->paragraph(g->out, "The times of approvals are those that the person's machine stated.");
}

/* One row each: they differ in the exhibit alone. */
void tell_confirmations(const struct telling *g)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_JSON *heads = row_of(5, "Exhibit", "Confirmed by", "When", "Result", "Signature");
	AUTO_JSON *rows = json_array();
	char from[300], when[64], text[500];

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i);
		const char *why = detail_of(act, "explanation");

		if (!is_about(act, "confirmation"))
			continue;
		party_name(g, json_text(act, "from"), from);
		when_of(g, json_text(act, "time"), when);
		snprintf(text, sizeof(text), "%.40s%s%.400s", detail_of(act, "result"), why[0] == '\0' ? "" : ": ", why);
		tell_add(rows, row_of(5, exhibit_name(g, json_text(act, "exhibit")), from, when, text,
				      json_bool(act, "verified") ? "verifies" : "does NOT verify"));
	}
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "Who confirmed what arrived");
	g->t->table(g->out, "Exhibits whose digest the receiver computed again", heads, rows);
}
