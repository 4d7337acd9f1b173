/* A person took a request on: from here on a named officer answers for it (art. 41(1)). */
#include "statement/body.h"

static const struct member members[] = {
	M_TEXT("note", "note"),
	M_LINE_MUST("officer", "officer"),
	M_ID("request", "request"),
};
const struct shape acknowledgement_shape = SHAPE(members);

bool acknowledgement_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &acknowledgement_shape, e);
}

void acknowledgement_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void acknowledgement_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &acknowledgement_shape, offset_minutes, out);
}
