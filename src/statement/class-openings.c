/* The classes of all leaves of one quarter stand in a published file with this digest; so many of them are withheld
 * by an embargo that has not ended, so many nobody can open. A later statement of the same period opens what was
 * withheld. */
#include "statement/body.h"

#define LEAVES_MAX INT64_C(9007199254740991)

static const struct member members[] = {
	M_HASH("digest", "SHA-256 of the file of openings"),
	M_COUNT("first", 0, LEAVES_MAX, "first leaf"),
	M_COUNT("leaves", 0, LEAVES_MAX, "leaves"),
	M_LINE_MUST("log", "log"),
	M_COUNT("lost", 0, LEAVES_MAX, "leaves that nobody can open"),
	{ .name = "period", .type = MEMBER_TEXT, .min = 7, .max = 7, .words = "quarter" },
	M_COUNT("withheld", 0, LEAVES_MAX, "leaves withheld by an embargo"),
};
const struct shape class_openings_shape = SHAPE(members);

bool class_openings_parse(const json_t *body, struct err *e)
{
	if (!body_parse(body, &class_openings_shape, e))
		return false;
	return json_int(body, "lost") <= json_int(body, "leaves") - json_int(body, "withheld") ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "more leaves are withheld and lost than there are");
}

void class_openings_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void class_openings_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &class_openings_shape, offset_minutes, out);
}
