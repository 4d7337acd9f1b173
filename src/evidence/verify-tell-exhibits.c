/* The exhibits in a report: all of them in one table, then each with its conditions and with who had it in
 * hand. Steps are numbered over all parties in order of time; each party's own numbers stand in the acts. */
#include <stdlib.h>
#include <string.h>

#include "evidence/verify-internal.h"

const char *exhibit_name(const struct telling *g, const char *id)
{
	const json_t *list = list_in(g, "exhibits");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "id"), id) == 0)
			return json_text(json_array_get(list, i), "name");
	return id;
}

struct step {
	const json_t *event;
	const char *when; /* one spelling: compares as time does */
	size_t place;
};

static int compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	int c = strcmp(x->when, y->when);

	return c != 0 ? c : (x->place > y->place) - (x->place < y->place);
}

static void add_step(const struct telling *g, const json_t *v, size_t number, json_t *rows)
{
	const char *where = json_text(v, "where"), *tool = json_text(v, "tool"), *reason = json_text(v, "reason");
	char when[64], no[32], by[700], what[900], digest[17];

	when_of(g, json_text(v, "when"), when);
	snprintf(no, sizeof(no), "%zu", number);
	snprintf(by, sizeof(by), "%.300s%s%.150s%s%.150s", json_text(v, "actor"), where[0] == '\0' ? "" : ", ", where,
		 tool[0] == '\0' ? "" : ", with ", tool);
	snprintf(what, sizeof(what), "%s%.60s%s%.700s", strcmp(json_text(v, "result"), "ok") == 0 ? "" : "FAILED: ",
		 verify_custody_words(json_text(v, "act")), reason[0] == '\0' ? "" : ": ", reason);
	snprintf(digest, sizeof(digest), "%.16s", json_text(v, "sha256"));
	tell_add(rows, row_of(6, no, when, json_text(v, "party"), what, by, digest));
}

static void tell_custody(const struct telling *g, const json_t *x)
{
	const json_t *list = json_object_get(x, "custody");
	size_t n = json_array_size(list);
	struct step *steps = calloc(n + 1, sizeof(*steps));
	AUTO_JSON *heads = row_of(6, "Step", "When", "Party", "What was done", "By", "SHA-256 begins");
	AUTO_JSON *rows = json_array();
	char caption[400];

	if (steps == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		steps[i] = (struct step){ json_array_get(list, i), json_text(json_array_get(list, i), "when"), i };
	qsort(steps, n, sizeof(*steps), compare_steps);
	for (size_t i = 0; i < n; i++)
		add_step(g, steps[i].event, i + 1, rows);
	free(steps);
	snprintf(caption, sizeof(caption), "Who had exhibit %.8s in hand", json_text(x, "id"));
	g->t->table(g->out, caption, heads, rows);
}

static void tell_conditions(const struct telling *g, const json_t *x, const char *caption, const char *none)
{
	const json_t *list = json_object_get(x, "conditions");
	AUTO_JSON *heads = row_of(3, "Kind", "Under", "Condition");
	AUTO_JSON *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		tell_add(rows, row_of(3, json_text(c, "kind"), json_text(c, "clause"), json_text(c, "text")));
	}
	if (json_array_size(rows) > 0)
		g->t->table(g->out, caption, heads, rows);
	else
		g->t->paragraph(g->out, none);
}

static bool same_conditions(const json_t *list)
{
	for (size_t i = 1; i < json_array_size(list); i++)
		if (!json_equal(json_object_get(json_array_get(list, i), "conditions"),
				json_object_get(json_array_get(list, 0), "conditions")))
			return false;
	return json_array_size(list) > 1;
}

static void tell_overview(const struct telling *g, const json_t *list)
{
	AUTO_JSON *heads = row_of(6, "No.", "Exhibit", "Size", "SHA-256 begins", "Personal data", "Conditions");
	AUTO_JSON *rows = json_array();
	char no[32], size[64], digest[17];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		snprintf(no, sizeof(no), "%zu", i + 1);
		snprintf(size, sizeof(size), "%lld bytes", (long long)json_int(x, "size"));
		snprintf(digest, sizeof(digest), "%.16s", json_text(x, "sha256"));
		tell_add(rows, row_of(6, no, json_text(x, "name"), size, digest, json_bool(x, "personal_data") ? "yes" : "no",
				      json_array_size(json_object_get(x, "conditions")) > 0 ? "yes" : "no"));
	}
	g->t->table(g->out, "The exhibits", heads, rows);
}

void tell_exhibits(const struct telling *g)
{
	const json_t *list = list_in(g, "exhibits");
	bool same = same_conditions(list);
	char text[400], from[300], to[300];

	if (json_array_size(list) == 0)
		return;
	g->t->section(g->out, "Exhibits and who had them in hand");
	tell_overview(g, list);
	if (same)
		tell_conditions(g, json_array_get(list, 0), "Conditions of use, the same for every exhibit",
				"No condition of use was attached to any exhibit.");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		AUTO_JSON *pairs = json_array();

		party_name(g, json_text(x, "from"), from);
		party_name(g, json_text(x, "to"), to);
		snprintf(text, sizeof(text), "%zu, %.300s", i + 1, json_text(x, "name"));
		tell_add(pairs, row_of(2, "Exhibit", text));
		tell_add(pairs, row_of(2, "Identifier", json_text(x, "id")));
		tell_add(pairs, row_of(2, "Handed over by", from));
		tell_add(pairs, row_of(2, "To", to));
		tell_add(pairs, row_of(2, "File in the package", json_text(x, "path")));
		g->t->fields(g->out, pairs);
		if (!same)
			tell_conditions(g, x, "Conditions of use", "No condition of use was attached to this exhibit.");
		tell_custody(g, x);
	}
}

void tell_digests(const struct telling *g)
{
	const json_t *list = list_in(g, "exhibits");
	AUTO_JSON *heads = row_of(2, "Exhibit", "SHA-256");
	AUTO_JSON *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		tell_add(rows, row_of(2, json_text(json_array_get(list, i), "name"), json_text(json_array_get(list, i), "sha256")));
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "Digests in full");
	g->t->table(g->out, "Digests of the exhibits", heads, rows);
}

void tell_glossary(const struct telling *g)
{
	static const char *const terms[][2] = {
		{ "Exhibit", "one file that was handed over as evidence, known by its SHA-256: another content has another digest." },
		{ "Log", "the list that each party keeps of what it sent and received, in which nothing can be changed or removed "
			 "without that being seen." },
		{ "Position", "the place of an entry in a log, counted from 0; what stands before it was logged before it." },
		{ "Seal", "the signature over the list of all files of the package, by the party that made it; of an exhibit that was "
			  "sealed: encrypted so that only the receiver can open it." },
		{ "Trust root", "the keys from which the register of all parties' keys follows; its fingerprint is compared by "
				"telephone or in print." },
		{ "Witness", "somebody independent who watches the logs and signs what it saw, so that a log cannot show two histories." },
	};
	AUTO_JSON *pairs = json_array();

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		tell_add(pairs, row_of(2, terms[i][0], terms[i][1]));
	g->t->section(g->out, "Words used here");
	g->t->fields(g->out, pairs);
}
