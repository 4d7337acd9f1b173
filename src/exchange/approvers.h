/* HOME/approvers: the people of this home who review, authorise and order, one a line:
 * name TAB roles separated by commas TAB public key in hex. `comity init --approver` writes it; it goes
 * into the home's register entry. */
#ifndef COMITY_EXCHANGE_APPROVERS_H
#define COMITY_EXCHANGE_APPROVERS_H

#include "base/bytes.h"
#include "base/err.h"
#include "register/register.h"

#define APPROVERS_BYTES_MAX (64 * KIB)

struct approvers {
	struct register_approver at[PARTY_APPROVERS_MAX];
	size_t count;
	char names[PARTY_APPROVERS_MAX][APPROVER_NAME_BYTES_MAX + 1]; /* at[i].name points here */
};
/* Errors name the line: "approvers:3: ...". ret is large: not for the stack of a deep call. */
bool approvers_parse(struct bytes in, struct approvers *ret, struct err *e) MUST_USE;

#endif
