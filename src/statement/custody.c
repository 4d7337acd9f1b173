/* One event in the life of an exhibit: who did what to it, when, where, why, with which tool, and what it
 * hashed to. Events of an exhibit are chained by `prev`; evidence/ judges the chain. Nothing is ever
 * edited: "correct" is an event too. */
#include "statement/body.h"

#define ACTS                                                                                      \
	"seize|receive|acquire|hash|verify|package|seal|release|transmit|accept|refuse|open|copy|" \
	"extract|analyse|redact|disclose|return|destroy|correct"
#define EVENTS_MAX 1000000

static const struct member object_members[] = {
	M_LINE_MUST("name", "name"),
	M_HASH("sha256", "SHA-256"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "bytes"),
};
static const struct shape object_shape = SHAPE(object_members);

static const struct member tool_members[] = {
	M_LINE("name", "name"),
	M_LINE("version", "version"),
};
static const struct shape tool_shape = SHAPE(tool_members);

static const struct member members[] = {
	M_CHOICE("act", ACTS, "act"),
	M_LINE_MUST("actor", "by"),
	M_ID("exhibit", "exhibit"),
	M_OBJECT("object", &object_shape, "what it was done to"),
	M_HASH_OR_NONE("prev", "event before"),
	M_TEXT("reason", "reason"),
	M_CHOICE("result", "ok|fail", "result"),
	M_COUNT("seq", 0, EVENTS_MAX, "number of the event"),
	M_OBJECT("tool", &tool_shape, "with"),
	M_TIME("when", "when"),
	M_LINE("where", "where"),
};
const struct shape custody_shape = SHAPE(members);

bool custody_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &custody_shape, e);
}

void custody_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	static const char *const need_reason[] = { "destroy", "correct", "redact", "refuse" };
	struct bytes act = json_bytes(s->body, "act");
	int64_t when;

	for (size_t i = 0; i < sizeof(need_reason) / sizeof(need_reason[0]); i++)
		if (bytes_is(act, need_reason[i]))
			body_must_text(s->body, "reason", "", f,
				       "what cannot be undone needs a reason: say why this was done");
	if (body_time(s->body, "when", &when) && when > s->time)
		finding_add(f, FINDING_STOP, "when", "", REASON_BAD_FIELD, "the event would lie after its own record");
}

void custody_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &custody_shape, offset_minutes, out);
}
