/* How a log is kept: classes and their embargoes, slot, leaves per slot and leaf schema, from a week on. A new version
 * never holds in the week in which it is stated, so that nobody bends the rhythm of the log around an act. */
#include "statement/body.h"

#define EMBARGO_QUARTERS_MAX 40 /* ten years */

static const struct member class_members[] = {
	M_LINE_MUST("class", "class"),
	M_COUNT("embargo_quarters", 1, EMBARGO_QUARTERS_MAX, "opened after quarters"),
	M_LINE_MUST("words", "for"),
};
static const struct shape class_shape = SHAPE(class_members);

static const struct member members[] = {
	{ .name = "classes", .type = MEMBER_LIST, .min = 1, .max = LIST_ITEMS_MAX, .of = &class_shape, .words = "class" },
	M_COUNT("leaf_schema", 1, 1, "leaf schema"),
	M_COUNT("leaves_per_slot", 1, 100000, "leaves in a slot"),
	M_LINE_MUST("log", "log"),
	M_COUNT("slot_ms", 1, 86400000, "slot in milliseconds"),
	{ .name = "start_week", .type = MEMBER_TEXT, .min = 8, .max = 8, .words = "from week" },
	M_COUNT("version", 1, 1000000, "version"),
};
const struct shape log_parameters_shape = SHAPE(members);

bool log_parameters_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &log_parameters_shape, e);
}

void log_parameters_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void log_parameters_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &log_parameters_shape, offset_minutes, out);
}
