/* What states have agreed, loaded from the files in treaties/uncc: articles, offences 7 to 19 with their
 * elements, measures, grounds of refusal per legal basis, request kinds with their fields, the scope
 * gate (treaty.md 1.A) and constants (0.5), each with its certainty. Whatever is not TEXT or TEXT-AR
 * prints "unchecked". The files are line-based blocks "key value"; every complaint says file:line.
 * Strings live as long as the treaty. */
#ifndef COMITY_TREATY_TREATY_H
#define COMITY_TREATY_TREATY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "treaty/finding.h"

struct treaty;

bool treaty_load(const char *folder, struct treaty **ret, struct err *e) MUST_USE; /* folder holds uncc/ */
void treaty_free(struct treaty *t);
/* Which rule pack was applied: `cd uncc && sha256sum *.txt | sha256sum`. */
const uint8_t *treaty_version(const struct treaty *t); /* SHA256_BYTES */

struct treaty_article {
	const char *number, *title, *summary, *certainty; /* "42", "TEXT", "KNOWN+P" ... */
};
const struct treaty_article *treaty_article(const struct treaty *t, struct bytes number); /* NULL: none */
size_t treaty_article_count(const struct treaty *t);
const struct treaty_article *treaty_article_at(const struct treaty *t, size_t i); /* paragraphs such as "42(3)" too */
bool certainty_is_checked(const char *certainty); /* TEXT or TEXT-AR */

enum element_kind { ELEMENT_MUST, ELEMENT_OPTION, ELEMENT_EXCLUDES };
struct treaty_element {
	const char *code, *words;
	enum element_kind kind;
};
struct treaty_offence {
	const char *code, *title, *certainty; /* "UNCC-10" */
	int article;
	bool asks_purpose;  /* art. 11: the purpose that 11(1) demands must be stated, 11(2) excludes the rest */
	bool asks_research; /* 7 to 11: the research question is mandatory */
	const struct treaty_element *elements;
	size_t element_count;
};
const struct treaty_offence *treaty_offence(const struct treaty *t, struct bytes code);
size_t treaty_offence_count(const struct treaty *t);
const struct treaty_offence *treaty_offence_at(const struct treaty *t, size_t i);

/* Which tool for which case (1.A). */
enum treaty_gate { GATE_CONVENTION_OFFENCE, GATE_SERIOUS_CRIME, GATE_LESSER_OFFENCE };
/* offence "" with a maximum penalty: serious at or above the constant serious_crime_years. */
enum treaty_gate treaty_gate_of(const struct treaty *t, struct bytes offence_code, int64_t max_penalty_years);
struct treaty_measure {
	const char *article, *name, *request_kind; /* "42", "expedited preservation", "preservation-request" */
	const char *certainty;
	bool open[3];                              /* by enum treaty_gate */
};
const struct treaty_measure *treaty_measure(const struct treaty *t, struct bytes article);
const struct treaty_measure *treaty_measure_of_kind(const struct treaty *t, struct bytes request_kind);

struct treaty_ground {
	const char *code, *words, *clause, *needs, *certainty; /* "R-ESSENTIAL", ..., "40(21)(b)" */
	const char *kinds; /* request kinds it applies to, separated by spaces */
	bool needs_reservation; /* 42(5): only with a reservation in the register and a non-Convention offence */
	bool other;             /* the last row of each legal basis, "other: cite the instrument"; code "OTHER" */
};
/* The grounds that exist for this kind under this legal basis ("UNCC", "budapest", "bilateral", ...). Under a
 * basis without own rows only *other* applies. Writes up to max pointers, returns how many there are. */
size_t treaty_grounds(const struct treaty *t, struct bytes legal_basis, struct bytes request_kind,
		      bool convention_offence, bool reservation, const struct treaty_ground **ret, size_t max);
const struct treaty_ground *treaty_ground(const struct treaty *t, struct bytes legal_basis, struct bytes code);
bool treaty_basis_exists(const struct treaty *t, struct bytes legal_basis);
const char *treaty_basis_words(const struct treaty *t, struct bytes legal_basis); /* NULL: none */

struct treaty_field {
	const char *name, *words, *clause, *certainty; /* member of the body, "necessity", "42(3)(e)" */
	const char *type;      /* text, count, time, flag, list, authority, offence, data, id, rights, choice:a|b|c */
	bool must;             /* M; else P or O */
	bool policy;           /* P: a field of practice, not of the Convention: said so */
};
size_t treaty_fields(const struct treaty *t, struct bytes request_kind, const struct treaty_field **ret);

/* Constants of 0.5: "order_days_max" 90, "hold_days_min" 60, "serious_crime_years" 4 ... */
int64_t treaty_constant(const struct treaty *t, const char *name); /* aborts on an unknown name: a defect */
const char *treaty_constant_clause(const struct treaty *t, const char *name);

/* For `comity treaty show WHAT`: an article number, offence code, ground code, kind, legal basis, constant;
 * or "articles", "bases", "constants", "gate", "grounds", "offences". */
bool treaty_show(const struct treaty *t, struct bytes what, struct buf *out, struct err *e) MUST_USE;
/* The same for a program. A new reference. */
bool treaty_show_json(const struct treaty *t, struct bytes what, json_t **ret, struct err *e) MUST_USE;

#endif
