/* A node tells a peer that the proof which its receipt promised has not come by the day that it promised. It has no
 * leaf and accuses nobody: the first step, before an officer may publish a complaint (design.md part 10). */
#include "statement/body.h"

static const struct member members[] = {
	M_TIME("due", "proof was due"),
	M_HASH("leaf", "leaf that the receipt promised"),
	M_HASH("receipt", "receipt"),
	M_HASH("statement", "statement"),
	M_HASH("tag", "tag in the receiver's log"),
};
const struct shape overdue_notice_shape = SHAPE(members);

bool overdue_notice_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &overdue_notice_shape, e);
}

void overdue_notice_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void overdue_notice_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &overdue_notice_shape, offset_minutes, out);
}
