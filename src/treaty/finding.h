/* What a check says about one field: how grave, which clause, which reason, one sentence. Statement
 * checks and safeguards fill the same bounded list; whoever asked for the checks decides what to do.
 * STOP: the step may not be taken. REVIEW: a person with the right role must decide first, with a
 * note. NOTE: told, nothing more. */
#ifndef COMITY_TREATY_FINDING_H
#define COMITY_TREATY_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum finding_severity { FINDING_NOTE, FINDING_REVIEW, FINDING_STOP };

struct finding {
	char field[48];  /* "confidential_until", "data[2].from"; "" for the statement as a whole */
	char clause[24]; /* "42(3)(g)"; "" where no clause of the Convention asks for it */
	enum finding_severity severity;
	enum reason reason;
	char text[300]; /* one English sentence that says what is missing and what would change it */
};

#define FINDINGS_MAX 64u

struct findings {
	size_t count; /* in at[]; at most FINDINGS_MAX */
	size_t lost;  /* how many more there were */
	bool stops, reviews; /* one of these among all, lost ones too */
	struct finding at[FINDINGS_MAX];
};

void findings_init(struct findings *f);
void finding_add(struct findings *f, enum finding_severity severity, const char *field, const char *clause,
		 enum reason reason, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* One line per finding: "stop    42(3)(a)  requesting_authority: ..."; text from outside is made printable. */
void findings_print(const struct findings *f, struct buf *out);
/* [{"severity","field","clause","reason","text"}...]; a new reference. */
json_t *findings_json(const struct findings *f);
const char *finding_severity_name(enum finding_severity s); /* "stop", "review", "note" */
/* True without a STOP. Otherwise false with ERR_REJECTED, the reason and the words of the first one. */
bool findings_pass(const struct findings *f, struct err *e) MUST_USE;

#endif
