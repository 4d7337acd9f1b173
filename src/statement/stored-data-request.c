/* A request to search or access, seize or secure, and disclose stored data (art. 44), with the contents that
 * 40(15) wants of every request for legal assistance. */
#include "statement/request-fields.h"

static const struct member members[] = {
	REQUEST_MEMBERS,
	M_TEXT("answer_by_why", "reason for that deadline"),
	M_LINE("authorised_by", "authorised by"),
	M_TEXT("domestic_basis", "domestic law it rests on"),
	M_FLAG("expedited", "expedited answer asked for (44(3))"),
	M_CHOICE_OR_NONE("expedited_why", "vulnerable|instrument|none", "because"),
	M_TEXT("help_wanted", "help wanted"),
	M_ID_OR_NONE("preservation", "data preserved by request"),
	M_TEXT("proportionality", "why it is proportionate"),
	M_TEXT("purpose", "what the data are for"),
};
const struct shape stored_data_request_shape = SHAPE(members);

bool stored_data_request_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &stored_data_request_shape, e);
}

void stored_data_request_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	request_check(s, t, f);
}

void stored_data_request_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &stored_data_request_shape, offset_minutes, out);
}
