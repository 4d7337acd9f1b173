/* What requests to preserve (42) and for stored data (44) have in common: their members, and the check of
 * what the Convention wants to find in them, driven by treaty_fields. Internal to statement/. */
#ifndef COMITY_STATEMENT_REQUEST_FIELDS_H
#define COMITY_STATEMENT_REQUEST_FIELDS_H

#include "statement/body.h"

extern const struct shape request_authority_shape, request_offence_shape, request_data_shape, request_rights_shape;

/* Members of both kinds. */
#define REQUEST_MEMBERS                                                              \
	M_TIME_OR_NONE("answer_by", "answer wanted by"),                             \
	M_LINE("callback", "call back to confirm"),                                  \
	M_FLAG("confidential", "to be kept confidential"),                           \
	M_TIME_OR_NONE("confidential_until", "confidential until"),                  \
	M_TEXT("confidential_why", "reason for confidentiality"),                    \
	M_LIST("data", &request_data_shape, 0, "data"),                              \
	M_TEXT("facts", "facts"),                                                    \
	M_OBJECT("offence", &request_offence_shape, "offence"),                      \
	M_LINE("officer", "case officer"),                                           \
	M_OBJECT("requesting_authority", &request_authority_shape, "authority that asks"), \
	M_OBJECT("rights", &request_rights_shape, "rights screen")

void request_check(const struct statement *s, const struct treaty *t, struct findings *f);

#endif
