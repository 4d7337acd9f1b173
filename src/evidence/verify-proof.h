/* A proof file alone (c2sp.org/tlog-proof with our `extra` line): what it shows to somebody who has nothing else, or the
 * register, or the log's key, or the statement. What `extra` says is believed only as far as the leaf rebuilds from it:
 * the statement's hash and the cross-log tag do, its kind and time are hearsay until the statement itself is given. */
#ifndef COMITY_EVIDENCE_VERIFY_PROOF_H
#define COMITY_EVIDENCE_VERIFY_PROOF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "log/tlog-proof.h"

/* Of which statement a proof is; hearsay as told above. */
struct proof_extra {
	uint8_t hash[SHA256_BYTES], opening[32];
	uint8_t leaf[220];
	char kind[64], time[TIME_TEXT_LEN + 1];
};
/* Writes the proof again with what it is of in its `extra` line. */
bool proof_extra_add(struct bytes proof, const struct proof_extra *x, struct buf *out, struct err *e) MUST_USE;
/* REASON_LEAF_MISMATCH when the leaf does not rebuild from hash, opening and secret, on either side. */
bool proof_extra_parse(const struct tlog_proof *p, struct proof_extra *ret, struct err *e) MUST_USE;

struct verify_proof_options {
	const char *path;
	const char *register_path; /* a bundle, or NULL */
	const uint8_t *roots;      /* as in verify.h */
	size_t root_count;
	const char *vkey;          /* the log's key instead of a register, or NULL */
	const char *policy_path;   /* with vkey: which witnesses must have signed; or NULL */
	const char *statement_path; /* an act or envelope that it must be of, or NULL */
};
/* {"result":"intact"|"intact-unconfirmed"|"not-verified"|"broken","kind":"proof","hash","said_kind","said_time"(as the file says),
 *  "statement_kind","statement_time"(of the statement, "" when it was not given),"origin","party","index","size",
 *  "cosignatures_checked":bool,"witnesses":n,"cosigned":[{"name","time"}...],"not_later_than":time or "","checks":[text...],"unchecked":[text...],
 *  "broken":[{"reason","text"}...]} */
bool verify_proof(const struct verify_proof_options *o, json_t **ret, struct err *e) MUST_USE;
void verify_proof_print(const json_t *report, int offset_minutes, struct buf *out);
/* 0 intact (either), 1 broken, 2 not verified. */
int verify_proof_status(const json_t *report);

#endif
