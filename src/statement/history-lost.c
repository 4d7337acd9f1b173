/* The last resort after a restore: what a log signed is gone and cannot be brought back, so that log ends where it
 * is known to have ended, and another goes on under a new name and key. Said by two people, in the new log, for
 * everybody (design.md part 10). */
#include "statement/body.h"

static const struct member members[] = {
	M_TIME("at", "ended"),
	M_LINE_MUST("log", "key of the log that ended"),
	M_LINE_MUST("origin", "log that ended"),
	M_HASH("root", "last root that is known"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "last size that is known"),
	M_LINE_MUST("successor", "log that goes on"),
	M_TEXT_MUST("text", "what happened"),
};
const struct shape history_lost_shape = SHAPE(members);

bool history_lost_parse(const json_t *body, struct err *e)
{
	if (!body_parse(body, &history_lost_shape, e))
		return false;
	return !bytes_equal(json_bytes(body, "origin"), json_bytes(body, "successor")) ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "a log does not follow itself");
}

void history_lost_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void history_lost_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &history_lost_shape, offset_minutes, out);
}
