/* A request to preserve stored data quickly, before a request for the data themselves follows (art. 42). */
#include "statement/request-fields.h"

static const struct member members[] = {
	REQUEST_MEMBERS,
	M_TEXT("custodian", "who holds the data, or where they are"),
	M_TEXT("custodian_unknown_why", "why that is not known"),
	M_ID_OR_NONE("earlier", "extends request"),
	M_TIME_OR_NONE("intended_mla_date", "request for the data expected"),
	M_FLAG("intends_mla", "a request for the data will follow (42(3)(f))"),
	M_TEXT("judicial_authorisation", "decision of a court"),
	M_TEXT("necessity", "why it is necessary"),
	M_CHOICE_OR_NONE("status", "new|extension", "status"),
	M_TEXT("urgency_why", "why it is urgent"),
};
const struct shape preservation_request_shape = SHAPE(members);

bool preservation_request_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &preservation_request_shape, e);
}

void preservation_request_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	request_check(s, t, f);
}

void preservation_request_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &preservation_request_shape, offset_minutes, out);
}
