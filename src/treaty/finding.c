/* A bounded list of what checks have found. It promises never to forget that something stops or asks
 * for review, even when the list is full, and that text from outside reaches a terminal only in
 * printable form. */
#include "treaty/finding.h"

#include <stdarg.h>

#include "base/json.h"
#include "base/text.h"

static const char *const severity_names[] = {
	[FINDING_NOTE] = "note",
	[FINDING_REVIEW] = "review",
	[FINDING_STOP] = "stop",
};

void findings_init(struct findings *f)
{
	memset(f, 0, sizeof(*f));
}

/* Cuts what did not fit back to whole characters: half of one is not UTF-8. */
static void trim_broken_tail(char *text)
{
	size_t len = strlen(text);

	for (unsigned i = 0; i < 3 && len > 0 && !utf8_is_valid(bytes_from(text, len)); i++)
		if (utf8_is_valid(bytes_from(text, --len)))
			text[len] = '\0';
}

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from);
	trim_broken_tail(to);
}

/* When the list is full, a graver finding takes the place of the last one that is less grave. */
static struct finding *place_for(struct findings *f, enum finding_severity severity)
{
	if (f->count < FINDINGS_MAX)
		return &f->at[f->count++];
	f->lost++;
	for (size_t i = FINDINGS_MAX; i > 0; i--)
		if (f->at[i - 1].severity < severity)
			return &f->at[i - 1];
	return NULL;
}

void finding_add(struct findings *f, enum finding_severity severity, const char *field, const char *clause,
		 enum reason reason, const char *format, ...)
{
	struct finding *to = place_for(f, severity);
	va_list args;

	f->stops = f->stops || severity == FINDING_STOP;
	f->reviews = f->reviews || severity == FINDING_REVIEW;
	if (to == NULL)
		return;
	to->severity = severity;
	to->reason = reason;
	copy(to->field, sizeof(to->field), field);
	copy(to->clause, sizeof(to->clause), clause);
	va_start(args, format);
	vsnprintf(to->text, sizeof(to->text), format, args);
	va_end(args);
	trim_broken_tail(to->text);
}

const char *finding_severity_name(enum finding_severity s)
{
	return (unsigned)s <= FINDING_STOP ? severity_names[s] : "unknown";
}

void findings_print(const struct findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *at = &f->at[i];

		buf_add_format(out, "%-7s %-9s ", finding_severity_name(at->severity),
			       at->clause[0] == '\0' ? "-" : at->clause);
		if (at->field[0] != '\0') {
			text_printable(bytes_of(at->field), out);
			buf_add_text(out, ": ");
		}
		text_printable(bytes_of(at->text), out);
		buf_add_text(out, "\n");
	}
	if (f->lost > 0)
		buf_add_format(out, "and %zu more\n", f->lost);
}

json_t *findings_json(const struct findings *f)
{
	json_t *list = json_array();

	if (list == NULL)
		abort();
	for (size_t i = 0; i < f->count; i++) {
		json_t *one = json_object();

		if (one == NULL)
			abort();
		json_put_text(one, "severity", finding_severity_name(f->at[i].severity));
		json_put_text(one, "field", f->at[i].field);
		json_put_text(one, "clause", f->at[i].clause);
		json_put_text(one, "reason", reason_code(f->at[i].reason));
		json_put_text(one, "text", f->at[i].text);
		if (json_array_append_new(list, one) != 0)
			abort();
	}
	return list;
}

bool findings_pass(const struct findings *f, struct err *e)
{
	if (!f->stops)
		return true;
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *at = &f->at[i];

		if (at->severity == FINDING_STOP)
			return err_set(e, ERR_REJECTED, at->reason, "%s%s%s%s%s%s", at->clause[0] == '\0' ? "" : "art. ",
				       at->clause, at->clause[0] == '\0' ? "" : " ", at->field,
				       at->field[0] == '\0' ? "" : ": ", at->text);
	}
	return err_set(e, ERR_REJECTED, REASON_SAFEGUARD, "a check stops this step");
}
