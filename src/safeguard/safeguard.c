/* Walks the table: each row that belongs to the step and the kind and is not satisfied becomes a finding
 * with its clause. What another row or the statement's own check has said about a field already is not
 * said twice. Nothing here decides: findings do, and people where a row says review. */
#include "safeguard/safeguard-internal.h"

enum {
	STEP_DRAFT = 1 << SAFEGUARD_DRAFT,
	STEP_SEND = 1 << SAFEGUARD_SEND,
	STEP_RECEIPT = 1 << SAFEGUARD_RECEIPT,
	STEP_EXECUTION = 1 << SAFEGUARD_EXECUTION,
};

struct safeguard {
	unsigned steps;
	const char *kinds, *clause;
	enum finding_severity severity;
	enum reason reason;
	safeguard_fn *satisfied; /* NULL: the kind's own check */
	const char *field, *sentence;
};

/* The table writes steps without their prefix. */
#define DRAFT STEP_DRAFT
#define SEND STEP_SEND
#define RECEIPT STEP_RECEIPT
#define EXECUTION STEP_EXECUTION
#define REQUESTS "preservation-request stored-data-request"
#define COMPLETE NULL
static const struct safeguard table[] = {
#define SAFEGUARD(steps, kinds, clause, severity, reason, function, field, sentence) \
	{ steps, kinds, clause, FINDING_##severity, REASON_##reason, function, field, sentence },
#include "safeguard/safeguards.tbl.h"
};
#undef DRAFT
#undef SEND
#undef RECEIPT
#undef EXECUTION
#define ROWS (sizeof(table) / sizeof(table[0]))

static bool kinds_have(const char *kinds, const char *name)
{
	struct bytes rest = bytes_of(kinds);

	if (strcmp(kinds, "*") == 0)
		return true;
	while (rest.len > 0)
		if (bytes_is(bytes_cut(&rest, ' '), name))
			return true;
	return false;
}

static bool said_already(const struct findings *out, const char *field, enum finding_severity severity)
{
	for (size_t i = 0; i < out->count; i++)
		if (field[0] != '\0' && strcmp(out->at[i].field, field) == 0 && out->at[i].severity >= severity &&
		    out->at[i].reason == REASON_MISSING_FIELD)
			return true;
	return false;
}

static bool same_is_there(const struct findings *out, const struct finding *x)
{
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->at[i].field, x->field) == 0 && strcmp(out->at[i].text, x->text) == 0)
			return true;
	return false;
}

/* The kind's own check, no graver than the row. */
static void add_missing(const struct safeguard *row, const struct safeguard_facts *f, struct findings *out)
{
	struct findings own;

	findings_init(&own);
	statement_check(f->s, f->t, &own);
	for (size_t i = 0; i < own.count; i++) {
		const struct finding *x = &own.at[i];

		if (!same_is_there(out, x))
			finding_add(out, x->severity < row->severity ? x->severity : row->severity, x->field, x->clause,
				    x->reason, "%s", x->text);
	}
	if (own.lost > 0)
		finding_add(out, row->severity, "", "", row->reason, "%zu more fields are not in order", own.lost);
}

void safeguard_check(enum safeguard_step step, const struct safeguard_facts *f, struct findings *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct safeguard *row = &table[i];

		if ((row->steps & (1u << step)) == 0 || !kinds_have(row->kinds, f->s->kind->name))
			continue;
		if (row->satisfied == NULL)
			add_missing(row, f, out);
		else if (!row->satisfied(f, out) && !said_already(out, row->field, row->severity))
			finding_add(out, row->severity, row->field, row->clause, row->reason, "%s", row->sentence);
	}
}

void safeguard_print(struct buf *out)
{
	static const char *const steps[SAFEGUARD_STEP_COUNT] = { "draft", "send", "receipt", "execution" };

	for (size_t i = 0; i < ROWS; i++) {
		const struct safeguard *row = &table[i];
		const char *comma = "";

		buf_add_format(out, "%s", finding_severity_name(row->severity));
		if (row->clause[0] != '\0')
			buf_add_format(out, ", art. %s", row->clause);
		buf_add_text(out, "; at ");
		for (size_t step = 0; step < SAFEGUARD_STEP_COUNT; step++)
			if ((row->steps & (1u << step)) != 0) {
				buf_add_format(out, "%s%s", comma, steps[step]);
				comma = ", ";
			}
		buf_add_format(out, "; %s\n  %s%s%s\n", strcmp(row->kinds, "*") == 0 ? "every statement" : row->kinds,
			       row->field, row->field[0] != '\0' ? ": " : "", row->sentence);
	}
}
