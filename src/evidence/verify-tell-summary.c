/* The summary right under the verdict: who asked whom, who reviewed and authorised, who ordered, what came, and
 * how sure all this is. Everything in it stands below in full; a long list is cut here, and says so. */
#include <string.h>

#include "evidence/verify-internal.h"

#define NAMED_MAX 4u

/* What was listed already, and how many were left out. */
struct naming {
	struct buf *out;
	json_t *seen;
	size_t named, left;
};

static void name_one(struct naming *n, const char *text)
{
	if (json_object_get(n->seen, text) != NULL)
		return;
	json_put_bool(n->seen, text, true);
	if (n->named == NAMED_MAX) {
		n->left++;
		return;
	}
	buf_add_format(n->out, "%s%s", n->named++ == 0 ? "" : "; ", text);
}

static void put_named(json_t *pairs, const char *what, struct naming *n)
{
	if (n->left > 0)
		buf_add_format(n->out, "; and %zu more", n->left);
	if (n->named > 0)
		tell_add(pairs, row_of(2, what, buf_text(n->out)));
}

static void add_asked(const struct telling *g, json_t *pairs)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_BUF out = { 0 };
	AUTO_JSON *seen = json_object();
	struct naming n = { .out = &out, .seen = seen };

	buf_init(&out, 64 * KIB);
	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i);
		char from[300], to[300], when[64], text[900];

		if (!is_about(act, "-request"))
			continue;
		party_name(g, json_text(act, "from"), from);
		party_name(g, json_text(act, "to"), to);
		when_of(g, json_text(act, "time"), when);
		if (n.named == 0)
			snprintf(text, sizeof(text), "%s asked %s: %.200s, %s", from, to, json_text(act, "words"), when);
		else
			snprintf(text, sizeof(text), "%.200s, %s", json_text(act, "words"), when);
		name_one(&n, text);
	}
	put_named(pairs, "Asked", &n);
}

/* The persons who approved the requests in this role. */
static void add_persons(const struct telling *g, json_t *pairs)
{
	static const char *const roles[][2] = { { "rights-reviewer", "reviewed by" }, { "authority", "authorised by" } };
	const json_t *acts = list_in(g, "acts");
	AUTO_BUF out = { 0 };
	AUTO_JSON *seen = json_object();
	struct naming n = { .out = &out, .seen = seen };
	char text[400];

	buf_init(&out, 64 * KIB);
	for (size_t r = 0; r < 2; r++)
		for (size_t i = 0; i < json_array_size(acts); i++) {
			const json_t *list = json_object_get(json_array_get(acts, i), "approvals");

			for (size_t k = 0; is_about(json_array_get(acts, i), "-request") && k < json_array_size(list); k++) {
				const json_t *a = json_array_get(list, k);

				if (strcmp(json_text(a, "role"), roles[r][0]) != 0)
					continue;
				snprintf(text, sizeof(text), "%s %.200s (%.16s)", roles[r][1], json_text(a, "name"),
					 json_text(json_array_get(acts, i), "from"));
				name_one(&n, text);
			}
		}
	put_named(pairs, "The request was", &n);
}

static void add_ordered(const struct telling *g, json_t *pairs)
{
	const json_t *acts = list_in(g, "acts");
	AUTO_BUF out = { 0 };
	AUTO_JSON *seen = json_object();
	struct naming n = { .out = &out, .seen = seen };

	buf_init(&out, 64 * KIB);
	for (size_t i = 0; i < json_array_size(acts); i++) {
		const json_t *act = json_array_get(acts, i);
		const char *kind = detail_of(act, "which is a");
		char when[64], text[700];

		if (!is_about(act, "order"))
			continue;
		when_of(g, json_text(act, "time"), when);
		snprintf(text, sizeof(text), "%.200s (%.16s%s%.40s) ordered to %.40s the data, %s", detail_of(act, "ordered by"),
			 json_text(act, "from"), kind[0] == '\0' ? "" : ", ", kind, detail_of(act, "measure"), when);
		name_one(&n, text);
	}
	put_named(pairs, "Ordered", &n);
}

/* "1.1 MB (1083000 bytes)". */
static void size_words(int64_t bytes, char ret[static 64])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	int64_t tenths = bytes / 100;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(ret, 64, "%lld byte%s", (long long)bytes, bytes == 1 ? "" : "s");
		return;
	}
	for (; tenths >= 10000 && unit < 3; unit++)
		tenths /= 1000;
	snprintf(ret, 64, "%lld.%lld %s (%lld bytes)", (long long)(tenths / 10), (long long)(tenths % 10), units[unit], (long long)bytes);
}

static void add_came(const struct telling *g, json_t *pairs)
{
	const json_t *list = list_in(g, "exhibits");
	size_t n = json_array_size(list);
	int64_t total = 0;
	char size[64], text[200];

	if (strcmp(json_text(g->report, "kind"), "package") != 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(total, json_int(json_array_get(list, i), "size"), &total))
			total = INT64_MAX;
	size_words(total, size);
	snprintf(text, sizeof(text), "%zu exhibit%s, %s in all", n, n == 1 ? "" : "s", size);
	tell_add(pairs, row_of(2, "Came", n == 0 ? "no exhibit" : text));
}

static void add_state(const struct telling *g, json_t *pairs)
{
	size_t broken = json_array_size(list_in(g, "broken")) - is_root_mismatch(g);
	int64_t missing = json_int(g->report, "proofs_missing");
	char text[200];

	if (broken == 0)
		snprintf(text, sizeof(text), "intact");
	else
		snprintf(text, sizeof(text), "BROKEN: %zu thing%s not verify, named below", broken, broken == 1 ? " does" : "s do");
	tell_add(pairs, row_of(2, "State", text));
	tell_add(pairs, row_of(2, "Witnesses", json_text(g->report, "witness_words")));
	if (missing > 0) {
		snprintf(text, sizeof(text), "%lld proof%s of the other log %s not there yet", (long long)missing, missing == 1 ? "" : "s",
			 missing == 1 ? "is" : "are");
		tell_add(pairs, row_of(2, "Proofs", text));
	}
	if (is_root_mismatch(g))
		tell_add(pairs, row_of(2, "Signers", "signers unconfirmed: the fingerprint you gave is another one"));
	else if (!json_bool(g->report, "root_given"))
		tell_add(pairs, row_of(2, "Signers", "signers unconfirmed: no fingerprint was given to compare"));
	else if (is_result(g, "intact-unconfirmed"))
		tell_add(pairs, row_of(2, "Signers", "not every signer is confirmed by what you gave"));
}

void tell_summary(const struct telling *g)
{
	AUTO_JSON *pairs = json_array();

	if (is_result(g, "broken") && json_array_size(list_in(g, "broken")) > (size_t)is_root_mismatch(g))
		g->t->paragraph(g->out, "In short, as the files say it, which may not be relied on before what is broken is explained:");
	add_asked(g, pairs);
	add_persons(g, pairs);
	add_ordered(g, pairs);
	add_came(g, pairs);
	add_state(g, pairs);
	g->t->fields(g->out, pairs);
}
