/* A duty officer was called. That nobody answered is a fact too, so each attempt is a statement. */
#include "statement/body.h"

static const struct member members[] = {
	M_COUNT("attempt", 1, 1000, "attempt"),
	M_LINE_MUST("officer", "officer called"),
	M_ID_OR_NONE("request", "request"), /* none: about the house itself, as missing cosignatures */
	M_TEXT("text", "what was said"),
};
const struct shape page_shape = SHAPE(members);

bool page_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &page_shape, e);
}

void page_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void page_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &page_shape, offset_minutes, out);
}
