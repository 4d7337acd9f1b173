/* A letter was not accepted although it came over its sender's own TLS key and its sender had signed what stands in it:
 * nobody else could have made that letter, so that it is a fact about the two. Said once of a statement. It names no case. */
#include "statement/body.h"

static const struct member members[] = {
	M_LINE_MUST("from", "sender"),
	M_HASH("letter", "letter"),
	M_LINE_MUST("reason", "reason"),
	M_HASH("statement", "statement"),
};
const struct shape rejection_shape = SHAPE(members);

bool rejection_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &rejection_shape, e);
}

void rejection_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void rejection_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &rejection_shape, offset_minutes, out);
}
