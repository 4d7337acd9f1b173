/* A person's signature, made where the person is. The node is not believed about what it asks to have signed:
 * the payload is parsed and shown here, its hash is computed here, and that is what is signed. */
#ifndef COMITY_CLI_APPROVE_H
#define COMITY_CLI_APPROVE_H

#include "cli/client.h"

struct approve {
	const char *draft;
	const char *as;   /* name of the person, as in the register */
	const char *role; /* code of enum approval_role */
	const char *key;  /* key file */
	const char *note; /* may be NULL */
	bool quiet;       /* does not show the text */
	bool ask;         /* asks before signing, where there is a terminal */
};
/* Shows, asks, signs, hands the approval in. ret: the node's answer, {approvals_missing}. */
bool approve_draft(struct client *c, const struct approve *p, json_t **ret, struct err *e) MUST_USE;

#endif
