/* The party that asked says whether what arrived is what was handed over: it hashed the sealed and the
 * open form itself. "broken" says why. */
#include "statement/body.h"

static const struct member members[] = {
	M_ID("exhibit", "exhibit"),
	M_ID("request", "request"),
	M_CHOICE("result", "verified|broken", "result"),
	M_HASH("sha256", "SHA-256 that was computed"),
	M_TEXT("text", "explanation"),
};
const struct shape confirmation_shape = SHAPE(members);

bool confirmation_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &confirmation_shape, e);
}

void confirmation_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	if (bytes_is(json_bytes(s->body, "result"), "broken"))
		body_must_text(s->body, "text", "", f, "say what is broken, so that the other party can send it again");
}

void confirmation_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &confirmation_shape, offset_minutes, out);
}
