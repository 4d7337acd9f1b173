/* C2SP tlog-policy: which logs and witnesses are trusted, and which of them together are a quorum (crypto.md
 * 1.7). Written by whoever decides about trust (the register, an operator), read by everybody who judges a
 * proof. Lines: log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K MEMBER..., quorum NAME|none. */
#ifndef COMITY_LOG_POLICY_H
#define COMITY_LOG_POLICY_H

#include "log/cosignature.h"

struct policy;
struct policy_log {
	struct note_key key;
	const char *url; /* "" when none is given */
};
struct policy_witness {
	const char *name;
	struct note_key key;
	const char *url; /* submission prefix, without a slash at its end; "" when none is given */
};

/* A policy without log lines is fine: then the caller knows whose log it is. Errors name the line. */
bool policy_parse(struct bytes text, struct policy **ret, struct err *e) MUST_USE;
void policy_free(struct policy *p);
void policy_free_at(struct policy **p);
#define AUTO_POLICY __attribute__((cleanup(policy_free_at))) struct policy

size_t policy_log_count(const struct policy *p);
const struct policy_log *policy_log_at(const struct policy *p, size_t i);
size_t policy_witness_count(const struct policy *p);
const struct policy_witness *policy_witness_at(const struct policy *p, size_t i);
bool policy_wants_none(const struct policy *p); /* quorum none */
/* Whether these witnesses together are a quorum; counted: one flag per witness, in the order of policy_witness_at. */
bool policy_quorum(const struct policy *p, const bool *counted);

struct policy_verdict {
	bool met;
	int64_t quorum_ms;  /* when the quorum was complete: the earliest time at which enough had signed; 0 without quorum */
	int64_t newest_ms, oldest_ms; /* of all cosignatures that count; 0 when there is none */
	size_t witnesses;   /* that count */
	struct buf missing; /* names of witnesses that count and have not signed, with ", " between; released by policy_verdict_release */
};
void policy_verdict_release(struct policy_verdict *v);
/* Verifies the cosignatures of a note whose log signature the caller has verified. Witnesses below the quorum count, others
 * that the policy lists do not (with quorum none nobody does: met, all else 0). A key that `excluded` names
 * never counts (a log's own party, design.md part 10); NULL: none is. A known key with a bad signature fails the whole
 * note (REASON_BAD_SIGNATURE). True with met false when there are too few. */
bool policy_evaluate(const struct policy *p, const struct note *n, bool (*excluded)(void *ctx, const struct note_key *k), void *ctx,
		     struct policy_verdict *ret, struct err *e) MUST_USE;

#endif
