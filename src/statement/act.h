/* An act: a statement with everything that its verification needs. Canonical JSON, members in this
 * order: {"approvals":[envelope...],"envelope":{...},"leaf":text,"opening":64 hex,"proof":tlog-proof text,
 * "x":64 hex}. For kinds without leaf: leaf, opening, proof and x are "". Shape only: register/judge.h
 * says whether it is true. */
#ifndef COMITY_STATEMENT_ACT_H
#define COMITY_STATEMENT_ACT_H

#include "base/limits.h"
#include "seal/approval.h"
#include "seal/dsse.h"
#include "statement/statement.h"

struct act {
	struct envelope envelope;
	struct statement *statement;
	struct approval approvals[ACT_APPROVALS_MAX];
	struct bytes approval_bytes[ACT_APPROVALS_MAX]; /* canonical envelopes */
	size_t approval_count;
	struct bytes leaf;   /* all three in own memory */
	struct bytes proof;  /* "" while not logged under a checkpoint */
	uint8_t opening[32], x[32];
	struct buf json;     /* the act's canonical bytes */
};
/* in must be canonical. act_parse_json takes a part of a letter that was parsed already. */
bool act_parse(struct bytes in, struct act **ret, struct err *e) MUST_USE;
bool act_parse_json(const json_t *v, struct act **ret, struct err *e) MUST_USE;
void act_free(struct act *a);
void act_free_at(struct act **a);
#define AUTO_ACT __attribute__((cleanup(act_free_at))) struct act

/* The other log's side of an act (design.md part 10): its leaf, opening and proof there.
 * Canonical JSON {"hash","leaf","opening","proof"}. */
struct counterproof {
	uint8_t hash[SHA256_BYTES], opening[32];
	struct bytes leaf, proof; /* into memory of json */
	json_t *json;
};
bool counterproof_parse(struct bytes in, struct counterproof *ret, struct err *e) MUST_USE;
bool counterproof_parse_json(const json_t *v, struct counterproof *ret, struct err *e) MUST_USE; /* v is kept (incref) */
void counterproof_release(struct counterproof *c);
bool counterproof_write(const uint8_t hash[static SHA256_BYTES], struct bytes leaf, const uint8_t opening[static 32],
			struct bytes proof, struct buf *out, struct err *e) MUST_USE;

#endif
