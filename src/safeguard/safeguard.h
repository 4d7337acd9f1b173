/* The checks on a request and on what is done about it, as a table (safeguards.tbl.h): at draft, send,
 * receipt and execution, each with its clause and what it does when it is not satisfied: stop, or
 * review by a person with the right role (treaty.md part 4). A row is a sentence that a lawyer can check. */
#ifndef COMITY_SAFEGUARD_SAFEGUARD_H
#define COMITY_SAFEGUARD_SAFEGUARD_H

#include "register/register.h"
#include "statement/statement.h"
#include "treaty/finding.h"

enum safeguard_step { SAFEGUARD_DRAFT, SAFEGUARD_SEND, SAFEGUARD_RECEIPT, SAFEGUARD_EXECUTION, SAFEGUARD_STEP_COUNT };

/* What the checks look at. Statement and treaty are always there; the rest as far as known at that step. */
struct safeguard_facts {
	const struct statement *s;
	const struct treaty *t;
	const struct register_ *r;
	const char *our_party;
	bool our_exercise;
	int64_t now_ms;
	const struct approval *approvals; /* at send */
	size_t approval_count;
	const struct statement *request;  /* of an answer, order or exhibit: the request that it is about */
	const struct statement *order;    /* of an exhibit: the disclosure order, NULL when there is none */
};
void safeguard_check(enum safeguard_step step, const struct safeguard_facts *f, struct findings *out);
/* The table for `comity treaty show safeguards` and the manual. */
void safeguard_print(struct buf *out);

#endif
