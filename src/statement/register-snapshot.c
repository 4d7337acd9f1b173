/* Which entries the register has at a time, so that none can be left out unnoticed. */
#include "statement/body.h"

static const struct member members[] = {
	{ .name = "entries", .type = MEMBER_HASHES, .max = PARTIES_MAX, .words = "entry" },
	M_LINE("origin", "log of the register"),
	{ .name = "policies", .type = MEMBER_HASHES, .may_miss = true, .max = POLICIES_MAX, .words = "policy" },
	M_HASH("root", "root of the log"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "size of the log"),
	M_TIME("time", "time"),
};
const struct shape register_snapshot_shape = SHAPE(members);

bool register_snapshot_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &register_snapshot_shape, e);
}

void register_snapshot_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void register_snapshot_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &register_snapshot_shape, offset_minutes, out);
}
