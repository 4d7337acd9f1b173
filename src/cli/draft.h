/* From a body to a draft, and in one go to a signed and sent statement. */
#ifndef COMITY_CLI_DRAFT_H
#define COMITY_CLI_DRAFT_H

#include "cli/client.h"

/* One request as the node shows it, and the legal basis that its statement rests on. */
struct request_seen {
	json_t *shown;
	const char *id, *peer, *case_ref, *hash, *kind;
	char legal_basis[32];
};
bool request_seen_load(struct client *c, const char *id, struct request_seen *ret, struct err *e) MUST_USE;
void request_seen_release(struct request_seen *r);
#define AUTO_REQUEST_SEEN __attribute__((cleanup(request_seen_release))) struct request_seen

/* What draft-new gets; an answer to `request` (NULL: the statement begins a request). body is taken. */
json_t *draft_input(const char *kind, const struct request_seen *request, json_t *body);

/* What draft-new and draft-send answered, for people. */
void draft_print(const json_t *v, struct buf *out);
void draft_print_sent(const json_t *v, struct buf *out);

/* The rows that commands have which draft, approve and send in one go. */
#define OPTIONS_SIGN                                                                              \
	{ "as", 0, OPTION_VALUE, "NAME", "who signs, as in the register" },                       \
	{ "key", 'k', OPTION_VALUE, "FILE", "key file of who signs" },                            \
	{ "note", 0, OPTION_VALUE, "TEXT", "note that is signed with the approval" },             \
	{ "yes", 'y', OPTION_FLAG, NULL, "do not ask before signing" }

/* draft-send; when approvals are missing, the error says whose. */
bool draft_hand_in(struct client *c, const char *draft, json_t **ret, struct err *e) MUST_USE;
/* Drafts; with --as and --key also approves in `role` and sends; prints what came of it. A draft that is
 * stopped in one go is dropped, with the findings on standard error. in is taken. */
int draft_run(const struct args *a, struct client *c, json_t *in, const char *role);

#endif
