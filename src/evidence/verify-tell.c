/* A report in words, for a judge: what the result is in one sentence, then who asked, approved, answered and
 * ordered, then the exhibits and who had them in hand, then where all this was logged, then what was
 * checked, and last what all of it shows and what it does not. Both forms (text, HTML) say exactly this.
 * Certainty is told as it is: nothing is called true that was only found consistent. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/verify-internal.h"

struct telling {
	const json_t *report;
	int offset_minutes;
	const struct teller *t;
	struct buf *out;
};

/* A text that was cut in the middle of a character is made good, not refused: it came from outside. */
static json_t *cell_of(const char *text)
{
	json_t *v = json_string_of(bytes_of(text));
	AUTO_BUF clean = { 0 };

	buf_init(&clean, 4 * MIB);
	if (v != NULL)
		return v;
	text_printable(bytes_of(text), &clean);
	v = json_string_of(bytes_of(buf_text(&clean)));
	if (v == NULL)
		abort();
	return v;
}

static json_t *row_of(size_t n, ...)
{
	json_t *row = json_array();
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(row, cell_of(va_arg(args, const char *))) != 0)
			abort();
	}
	va_end(args);
	return row;
}

static void add(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

static void add_text(json_t *array, const char *text)
{
	add(array, cell_of(text));
}

static const json_t *list_in(const struct telling *g, const char *name)
{
	return json_object_get(g->report, name);
}

static bool is_result(const struct telling *g, const char *result)
{
	return strcmp(json_text(g->report, "result"), result) == 0;
}

static void when_of(const struct telling *g, const char *time, char ret[static 64])
{
	int64_t ms;

	if (time_parse(bytes_of(time), &ms))
		time_write_people(ms, g->offset_minutes, ret);
	else
		snprintf(ret, 64, "%s", "no time");
}

/* "Arcadia (XA, fictional)". */
static void party_name(const struct telling *g, const char *code, char ret[static 300])
{
	const json_t *list = list_in(g, "parties");

	snprintf(ret, 300, "%.16s", code);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);

		if (strcmp(json_text(p, "code"), code) == 0 && json_text(p, "name")[0] != '\0')
			snprintf(ret, 300, "%.200s (%.16s%s)", json_text(p, "name"), code, json_bool(p, "fictional") ? ", fictional" : "");
	}
}

/* "64 hex" in groups of eight, as people read a fingerprint over the telephone. */
static void grouped(const char *hex, char ret[static 80])
{
	size_t n = 0;

	for (size_t i = 0; hex[i] != '\0' && n < 78; i++) {
		if (i > 0 && i % 8 == 0)
			ret[n++] = ' ';
		ret[n++] = hex[i];
	}
	ret[n] = '\0';
}

/* --- the result -------------------------------------------------------------------------------- */

static bool confirms_some(const struct telling *g)
{
	const json_t *list = list_in(g, "parties");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_bool(json_array_get(list, i), "confirmed"))
			return true;
	return false;
}

/* Parties whose keys only the party that sealed vouches for. */
static void tell_vouched(const struct telling *g)
{
	const json_t *list = list_in(g, "parties");
	const char *sealer = json_text(g->report, "sealed_by");
	char name[300], text[900];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);

		if (json_bool(p, "confirmed"))
			continue;
		party_name(g, json_text(p, "code"), name);
		if (sealer[0] == '\0' || strcmp(json_text(p, "code"), sealer) == 0)
			snprintf(text, sizeof(text),
				 "The root you gave does not itself confirm the keys of %s: only the entry that it signed itself does.", name);
		else
			snprintf(text, sizeof(text),
				 "The root you gave does not itself confirm the keys of %s: only %.16s, which sealed this, vouches for them.",
				 name, sealer);
		g->t->paragraph(g->out, text);
	}
}

static void tell_verdict(const struct telling *g)
{
	bool package = strcmp(json_text(g->report, "kind"), "package") == 0;
	const char *it = package ? "The package" : "The act";
	bool some = confirms_some(g);
	char text[600], fingerprint[80];

	grouped(json_text(g->report, "fingerprint"), fingerprint);
	if (is_result(g, "intact"))
		snprintf(text, sizeof(text), "%s is intact. Signers are confirmed against the trust root you gave.", it);
	else if (some && is_result(g, "intact-unconfirmed"))
		snprintf(text, sizeof(text), "%s is intact; the trust root you gave does not confirm every signer.", it);
	else if (is_result(g, "intact-unconfirmed"))
		snprintf(text, sizeof(text), "%s is intact; signers unconfirmed, compare this fingerprint: %s", it, fingerprint);
	else
		snprintf(text, sizeof(text), "%s is BROKEN: %zu thing%s do%s not verify. They are named below.", it,
			 json_array_size(list_in(g, "broken")), json_array_size(list_in(g, "broken")) == 1 ? "" : "s",
			 json_array_size(list_in(g, "broken")) == 1 ? "es" : "");
	g->t->verdict(g->out, json_text(g->report, "result"), text);
	if (some && is_result(g, "intact-unconfirmed"))
		tell_vouched(g);
	else if (is_result(g, "intact-unconfirmed"))
		g->t->paragraph(g->out,
				"Everything in it fits together under the keys that it brings itself. Whether these are the keys of the "
				"authorities named is decided by comparing the fingerprint with one from a source that you trust.");
}

static void tell_head(const struct telling *g)
{
	AUTO_JSON *pairs = json_array();
	char when[64], name[300];

	if (json_text(g->report, "case")[0] != '\0')
		add(pairs, row_of(2, "Case", json_text(g->report, "case")));
	if (json_text(g->report, "sealed_by")[0] != '\0') {
		party_name(g, json_text(g->report, "sealed_by"), name);
		when_of(g, json_text(g->report, "sealed_at"), when);
		add(pairs, row_of(2, "Sealed by", name));
		add(pairs, row_of(2, "Sealed at", when));
	}
	add(pairs, row_of(2, "Witnesses", json_text(g->report, "witness_words")));
	g->t->fields(g->out, pairs);
}

static void tell_broken(const struct telling *g)
{
	const json_t *list = list_in(g, "broken");
	AUTO_JSON *heads = row_of(3, "What", "Why", "Code");
	AUTO_JSON *rows = json_array();

	if (json_array_size(list) == 0)
		return;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *b = json_array_get(list, i);

		add(rows, row_of(3, json_text(b, "what"), json_text(b, "text"), json_text(b, "reason")));
	}
	g->t->section(g->out, "What is broken");
	g->t->table(g->out, "What does not verify", heads, rows);
	g->t->paragraph(g->out, "Nothing below may be relied on before this is explained: it is what the files say.");
}

/* --- who asked, approved, answered, ordered ---------------------------------------------------- */

static bool is_about(const json_t *act, const char *kind)
{
	const char *name = json_text(act, "kind");
	size_t len = strlen(name), n = strlen(kind);

	return len >= n && strcmp(name + len - n, kind) == 0;
}

static void tell_act(const struct telling *g, const json_t *act)
{
	const json_t *details = json_object_get(act, "details");
	AUTO_JSON *pairs = json_array();
	char from[300], to[300], when[64];

	party_name(g, json_text(act, "from"), from);
	party_name(g, json_text(act, "to"), to);
	when_of(g, json_text(act, "time"), when);
	add(pairs, row_of(2, "What", json_text(act, "words")));
	add(pairs, row_of(2, "From", from));
	add(pairs, row_of(2, "To", to));
	add(pairs, row_of(2, "When", when));
	add(pairs, row_of(2, "Legal basis", json_text(act, "legal_basis")));
	for (size_t i = 0; i < json_array_size(details); i++) {
		const char *value = json_text(json_array_get(details, i), "value");
		int64_t ms;

		if (time_parse(bytes_of(value), &ms)) {
			time_write_people(ms, g->offset_minutes, when);
			value = when;
		}
		add(pairs, row_of(2, json_text(json_array_get(details, i), "name"), value));
	}
	add(pairs, row_of(2, "Signature", json_bool(act, "verified") ? "verifies" : "does NOT verify"));
	add(pairs, row_of(2, "File", json_text(act, "file")));
	g->t->fields(g->out, pairs);
}

static void tell_kind(const struct telling *g, const char *kind, const char *title)
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

static void tell_approvals(const struct telling *g)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_JSON *heads = row_of(6, "Person", "For", "As", "Assurance", "When", "Of");
	AUTO_JSON *rows = json_array();
	char when[64];

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i), *list = json_object_get(act, "approvals");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const json_t *a = json_array_get(list, k);

			when_of(g, json_text(a, "time"), when);
			add(rows, row_of(6, json_text(a, "name"), json_text(act, "from"), json_text(a, "role"), json_text(a, "assurance"),
					 when, json_text(act, "kind")));
		}
	}
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "Who approved");
	g->t->table(g->out, "Persons who signed with a key of their own", heads, rows);
	g->t->paragraph(g->out,
			"Assurance says how the person signed: key-file means with a key kept in a file. The times of approvals are those "
			"that the person's machine stated.");
}

/* --- exhibits ---------------------------------------------------------------------------------- */

static void tell_custody(const struct telling *g, const json_t *x)
{
	const json_t *list = json_object_get(x, "custody");
	AUTO_JSON *heads = row_of(6, "No.", "When", "Party", "Event", "By", "Result");
	AUTO_JSON *rows = json_array();
	char when[64], number[32], by[700], caption[400];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		const char *where = json_text(v, "where"), *tool = json_text(v, "tool");

		when_of(g, json_text(v, "when"), when);
		snprintf(number, sizeof(number), "%lld", (long long)json_int(v, "seq"));
		snprintf(by, sizeof(by), "%.300s%s%.150s%s%.150s", json_text(v, "actor"), where[0] == '\0' ? "" : ", ", where,
			 tool[0] == '\0' ? "" : ", with ", tool);
		add(rows, row_of(6, number, when, json_text(v, "party"), json_text(v, "act"), by, json_text(v, "result")));
	}
	snprintf(caption, sizeof(caption), "Custody of exhibit %.8s", json_text(x, "id"));
	g->t->table(g->out, caption, heads, rows);
}

static void tell_conditions(const struct telling *g, const json_t *x)
{
	const json_t *list = json_object_get(x, "conditions");
	AUTO_JSON *heads = row_of(3, "Kind", "Under", "Condition");
	AUTO_JSON *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		add(rows, row_of(3, json_text(c, "kind"), json_text(c, "clause"), json_text(c, "text")));
	}
	if (json_array_size(rows) > 0)
		g->t->table(g->out, "Conditions of use", heads, rows);
	else
		g->t->paragraph(g->out, "No condition of use was attached to this exhibit.");
}

static void tell_exhibits(const struct telling *g)
{
	const json_t *list = list_in(g, "exhibits");
	char size[64], digest[64], from[300], to[300];

	if (json_array_size(list) == 0)
		return;
	g->t->section(g->out, "Exhibits and who had them in hand");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		AUTO_JSON *pairs = json_array();

		party_name(g, json_text(x, "from"), from);
		party_name(g, json_text(x, "to"), to);
		snprintf(size, sizeof(size), "%lld bytes", (long long)json_int(x, "size"));
		snprintf(digest, sizeof(digest), "%.16s (in full at the end)", json_text(x, "sha256"));
		add(pairs, row_of(2, "Exhibit", json_text(x, "name")));
		add(pairs, row_of(2, "Number", json_text(x, "id")));
		add(pairs, row_of(2, "Size", size));
		add(pairs, row_of(2, "SHA-256 begins with", digest));
		add(pairs, row_of(2, "Handed over by", from));
		add(pairs, row_of(2, "To", to));
		if (json_bool(x, "personal_data"))
			add(pairs, row_of(2, "Personal data", "yes"));
		add(pairs, row_of(2, "File in the package", json_text(x, "path")));
		g->t->fields(g->out, pairs);
		tell_conditions(g, x);
		tell_custody(g, x);
	}
}

/* --- logs, checks, limits ---------------------------------------------------------------------- */

static void tell_logs(const struct telling *g)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_JSON *heads = row_of(4, "Act", "Log of", "Position", "Size of the log");
	AUTO_JSON *rows = json_array();
	char index[32], size[32];

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i), *logs = json_object_get(act, "logs");

		for (size_t k = 0; k < json_array_size(logs); k++) {
			const json_t *l = json_array_get(logs, k);

			snprintf(index, sizeof(index), "%lld", (long long)json_int(l, "index"));
			snprintf(size, sizeof(size), "%lld", (long long)json_int(l, "size"));
			add(rows, row_of(4, json_text(act, "summary"), json_text(l, "party"), index, size));
		}
	}
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "What was logged where");
	g->t->table(g->out, "Places in the logs", heads, rows);
}

static void tell_checks(const struct telling *g)
{
	const json_t *checks = list_in(g, "checks");
	AUTO_JSON *passed = json_array();
	AUTO_JSON *notes = json_array();

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *c = json_array_get(checks, i);

		add_text(json_bool(c, "note") || !json_bool(c, "ok") ? notes : passed, json_text(c, "text"));
	}
	if (json_array_size(passed) > 0) {
		g->t->section(g->out, "What was checked and holds");
		g->t->list(g->out, passed);
	}
	if (json_array_size(notes) > 0) {
		g->t->section(g->out, "What to know beside that");
		g->t->list(g->out, notes);
	}
}

static void tell_digests(const struct telling *g)
{
	const json_t *list = list_in(g, "exhibits");
	AUTO_JSON *heads = row_of(2, "Exhibit", "SHA-256");
	AUTO_JSON *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		add(rows, row_of(2, json_text(json_array_get(list, i), "name"), json_text(json_array_get(list, i), "sha256")));
	if (json_array_size(rows) == 0)
		return;
	g->t->section(g->out, "Digests in full");
	g->t->table(g->out, "Digests of the exhibits", heads, rows);
}

static void tell_limits(const struct telling *g)
{
	AUTO_JSON *shows = json_array();
	AUTO_JSON *does_not = json_array();

	if (!is_result(g, "broken")) {
		if (strcmp(json_text(g->report, "kind"), "package") == 0)
			add_text(shows, "No file of the package was changed, added or removed since it was sealed.");
		add_text(shows, "The statements were signed with the keys that the register named for these parties and persons at "
				"the time that the statements give.");
		add_text(shows, "The logged statements stood in the logs named above, so they cannot be denied or dated back without "
				"that log showing two histories.");
		g->t->section(g->out, "What this shows");
		g->t->list(g->out, shows);
	}
	add_text(does_not, "It does not show that what the evidence says is true, or who acted at a keyboard.");
	add_text(does_not, "It does not show what happened to the evidence before the first custody event.");
	add_text(does_not, "It does not show that a key was in the right hands: it shows which key signed.");
	add_text(does_not, "Times are those that the parties stated. No independent witness has confirmed the logs yet, so two "
			   "parties that work together could have made a history that never was.");
	if (!is_result(g, "intact"))
		add_text(does_not, confirms_some(g) ? "It does not show who every signer is: the trust root that you gave confirms only some of them."
						    : "It does not show who the signers are: no trust root that you gave confirms them.");
	if (json_bool(g->report, "exercise"))
		add_text(does_not, "It shows nothing about a real case: this is an exercise.");
	g->t->section(g->out, "What this does not show");
	g->t->list(g->out, does_not);
}

void verify_tell(const json_t *report, int offset_minutes, const struct teller *t, struct buf *out)
{
	const struct telling g = { .report = report, .offset_minutes = offset_minutes, .t = t, .out = out };

	t->begin(out, strcmp(json_text(report, "kind"), "package") == 0 ? "Verification of an evidence package" : "Verification of an act",
		 json_bool(report, "exercise"));
	tell_verdict(&g);
	tell_head(&g);
	tell_broken(&g);
	tell_kind(&g, "-request", "Who asked what");
	tell_approvals(&g);
	tell_kind(&g, "answer", "Who answered");
	tell_kind(&g, "order", "Which court or body ordered");
	tell_exhibits(&g);
	tell_kind(&g, "confirmation", "Who confirmed what arrived");
	tell_logs(&g);
	tell_checks(&g);
	tell_digests(&g);
	tell_limits(&g);
	t->end(out);
}
