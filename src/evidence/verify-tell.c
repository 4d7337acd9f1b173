/* A report in words, for a judge: what the result is in one sentence, then who asked, approved, answered and
 * ordered, then the exhibits and who had them in hand, then where all this was logged, then what was
 * checked, and last what all of it shows and what it does not. Both forms (text, HTML) say exactly this.
 * Certainty is told as it is: nothing is called true that was only found consistent. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/verify-internal.h"

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

json_t *row_of(size_t n, ...)
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

void tell_add(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

void tell_add_text(json_t *array, const char *text)
{
	tell_add(array, cell_of(text));
}

const json_t *list_in(const struct telling *g, const char *name)
{
	return json_object_get(g->report, name);
}

bool is_result(const struct telling *g, const char *result)
{
	return strcmp(json_text(g->report, "result"), result) == 0;
}

/* Then it stands first, see verify_root. */
bool is_root_mismatch(const struct telling *g)
{
	return strcmp(json_text(json_array_get(list_in(g, "broken"), 0), "reason"), "root-mismatch") == 0;
}

void when_of(const struct telling *g, const char *time, char ret[static 64])
{
	int64_t ms;

	if (time_parse(bytes_of(time), &ms))
		time_write_people(ms, g->offset_minutes, ret);
	else
		snprintf(ret, 64, "%s", "no time");
}

void party_name(const struct telling *g, const char *code, char ret[static 300])
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

static void broken_words(const struct telling *g, const char *it, char ret[static 600])
{
	size_t n = json_array_size(list_in(g, "broken")) - is_root_mismatch(g);
	char fingerprint[80];

	grouped(json_text(g->report, "fingerprint"), fingerprint);
	if (!is_root_mismatch(g))
		snprintf(ret, 600, "%s is BROKEN: %zu thing%s not verify. %s named below.", it, n, n == 1 ? " does" : "s do",
			 n == 1 ? "It is" : "They are");
	else
		snprintf(ret, 600, "%s that of this %s's trust root (%s): nothing is confirmed. %s itself is %s.",
			 json_int(g->report, "roots_given") > 1 ? "None of the fingerprints you gave is" : "The fingerprint you gave is not",
			 strcmp(json_text(g->report, "kind"), "package") == 0 ? "package" : "act", fingerprint, it,
			 n == 0 ? "intact" : "BROKEN");
}

static void tell_verdict(const struct telling *g)
{
	const char *it = strcmp(json_text(g->report, "kind"), "package") == 0 ? "The package" : "The act";
	bool some = confirms_some(g), several = json_int(g->report, "roots_given") > 1;
	char text[600], fingerprint[80];

	grouped(json_text(g->report, "fingerprint"), fingerprint);
	if (is_result(g, "intact"))
		snprintf(text, sizeof(text), "%s is intact. Signers are confirmed against the %s you gave.", it,
			 several ? "fingerprints" : "trust root");
	else if (some && is_result(g, "intact-unconfirmed"))
		snprintf(text, sizeof(text), "%s is intact; the %s not confirm every signer.", it,
			 several ? "fingerprints you gave do" : "trust root you gave does");
	else if (is_result(g, "intact-unconfirmed"))
		snprintf(text, sizeof(text), "%s is intact; signers unconfirmed, compare this fingerprint: %s", it, fingerprint);
	else
		broken_words(g, it, text);
	g->t->verdict(g->out, json_text(g->report, "result"), text);
	tell_summary(g);
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
		tell_add(pairs, row_of(2, "Case", json_text(g->report, "case")));
	if (json_text(g->report, "sealed_by")[0] != '\0') {
		party_name(g, json_text(g->report, "sealed_by"), name);
		when_of(g, json_text(g->report, "sealed_at"), when);
		tell_add(pairs, row_of(2, "Sealed by", name));
		tell_add(pairs, row_of(2, "Sealed at", when));
	}
	if (json_array_size(pairs) > 0)
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

		tell_add(rows, row_of(3, json_text(b, "what"), json_text(b, "text"), json_text(b, "reason")));
	}
	g->t->section(g->out, "What is broken");
	g->t->table(g->out, "What does not verify", heads, rows);
	g->t->paragraph(g->out, is_root_mismatch(g) && json_array_size(list) == 1 ?
				"What is below fits together, under keys of which you do not know whose they are." :
				"Nothing below may be relied on before this is explained: it is what the files say.");
}

/* --- logs, checks, limits ---------------------------------------------------------------------- */

static void tell_logs(const struct telling *g)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_JSON *heads = row_of(5, "Act", "Log of", "Position", "Size of the log", "Witnesses");
	AUTO_JSON *rows = json_array();
	char index[32], size[32], witnesses[160];

	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i), *logs = json_object_get(act, "logs");

		for (size_t k = 0; k < json_array_size(logs); k++) {
			const json_t *l = json_array_get(logs, k);

			snprintf(index, sizeof(index), "%lld", (long long)json_int(l, "index"));
			snprintf(size, sizeof(size), "%lld", (long long)json_int(l, "size"));
			witness_words(g, l, witnesses);
			tell_add(rows, row_of(5, json_text(act, "summary"), json_text(l, "party"), index, size, witnesses));
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

		tell_add_text(json_bool(c, "note") || !json_bool(c, "ok") ? notes : passed, json_text(c, "text"));
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

static void tell_limits(const struct telling *g)
{
	AUTO_JSON *shows = json_array();
	AUTO_JSON *does_not = json_array();

	if (!is_result(g, "broken")) {
		if (strcmp(json_text(g->report, "kind"), "package") == 0)
			tell_add_text(shows, "No file of the package was changed, added or removed since it was sealed.");
		tell_add_text(shows, "The statements were signed with the keys that the register named for these parties and persons at "
				"the time that the statements give.");
		tell_add_text(shows, "The logged statements stood in the logs named above, so they cannot be denied or dated back without "
				"that log showing two histories.");
		g->t->section(g->out, "What this shows");
		g->t->list(g->out, shows);
	}
	tell_add_text(does_not, "It does not show that what the evidence says is true, or who acted at a keyboard.");
	tell_add_text(does_not, "It does not show what happened to the evidence before the first custody event.");
	tell_add_text(does_not, "It does not show that a key was in the right hands: it shows which key signed.");
	tell_add_text(does_not, json_int(g->report, "witnesses") > 0 ?
			   "Times are those that the parties stated; that it was not later than the time given, independent witnesses "
			   "confirm. Together with all of them the parties could have made a history that never was." :
			   "Times are those that the parties stated. Not every log here has been confirmed by an independent witness, so "
			   "parties that work together could have made a history that never was.");
	if (!json_bool(g->report, "root_given"))
		tell_add_text(does_not, "It does not show who the signers are: you gave no fingerprint that confirms them.");
	else if (is_root_mismatch(g))
		tell_add_text(does_not, "It does not show who the signers are: the fingerprint you gave is another one.");
	else if (is_result(g, "intact-unconfirmed"))
		tell_add_text(does_not, "It does not show who every signer is: what you gave confirms only some of them.");
	if (json_bool(g->report, "exercise"))
		tell_add_text(does_not, "It shows nothing about a real case: this is an exercise.");
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
	tell_confirmations(&g);
	tell_logs(&g);
	tell_checks(&g);
	tell_digests(&g);
	tell_limits(&g);
	tell_glossary(&g);
	t->end(out);
}
