/* Letters of a day that came from this peer, or in its name, and of which nobody can be sure that they were the peer's:
 * counted, so that whoever sends rubbish fills no log. */
#include "statement/body.h"

static const struct member of_reason[] = {
	M_COUNT("count", 1, INT64_C(9007199254740991), "letters"),
	M_LINE_MUST("reason", "reason"),
};
static const struct shape reason_shape = SHAPE(of_reason);
static const struct member members[] = {
	{ .name = "day", .type = MEMBER_TEXT, .min = 10, .max = 10, .words = "day (UTC)" },
	M_LINE_MUST("peer", "peer"),
	M_LIST("reasons", &reason_shape, 1, "reason"),
};
const struct shape rejections_shape = SHAPE(members);

bool rejections_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &rejections_shape, e);
}

void rejections_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void rejections_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &rejections_shape, offset_minutes, out);
}
