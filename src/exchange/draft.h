/* Drafts: everything an officer says begins as one. It is checked by kind and safeguards, approved by
 * people with their own keys, and only then signed. The payload is fixed when the draft is made, because
 * that is what is approved. */
#ifndef COMITY_EXCHANGE_DRAFT_H
#define COMITY_EXCHANGE_DRAFT_H

#include "exchange/node.h"
#include "safeguard/safeguard.h"

struct draft_row {
	struct id id, request;
	bool has_request;
	char kind[40], to[PARTY_CODE_LEN_MAX + 1], case_ref[CASE_REF_BYTES_MAX + 1], officer[APPROVER_NAME_BYTES_MAX + 1];
	uint8_t hash[32];
	int64_t created;
	struct buf payload; /* release with draft_release */
};
bool draft_get(struct node *n, const struct id *id, struct draft_row *ret, struct err *e) MUST_USE;
void draft_release(struct draft_row *d);

struct draft_new {
	const char *kind, *to, *case_ref, *legal_basis, *officer;
	const struct id *request;   /* NULL for a new request */
	json_t *body;               /* borrowed */
	const struct statement_ref *refs;
	size_t ref_count;
};
bool draft_new(struct node *n, const struct draft_new *d, struct id *ret_id, struct err *e) MUST_USE;
/* What the law finds missing, at this step. */
bool draft_check(struct node *n, const struct draft_row *d, enum safeguard_step step, struct findings *f, struct err *e) MUST_USE;
/* Roles that the signer will demand, and those that have approved: bits 1 << enum approval_role. */
bool draft_approvals(struct node *n, const struct draft_row *d, unsigned *ret_needed, unsigned *ret_there,
		     bool (*each)(void *ctx, struct bytes approver, struct bytes role), void *ctx, struct err *e) MUST_USE;
bool draft_approve(struct node *n, const struct draft_row *d, struct bytes envelope, struct err *e) MUST_USE;
/* Safeguards at send (a STOP stops), signature, record, leaf, letter; the draft is gone. */
bool draft_send(struct node *n, const struct draft_row *d, uint8_t ret_hash[static 32], struct err *e) MUST_USE;
/* The same checks for statements that another system of this authority prepared and had approved: without
 * drafts, LETTER_BATCH_MAX at most, one call of the signer. Each item fails on its own; false when none
 * could be tried. What was sent before is told as sent, so asking again is safe. Items need kind, payload
 * and approvals. */
bool draft_send_all(struct node *n, struct act_item *items, size_t count, struct err *e) MUST_USE;
bool draft_drop(struct node *n, const struct id *id, struct err *e) MUST_USE;

#endif
