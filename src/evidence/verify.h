/* Verification without a node, by anybody: a package folder, one act (JSON), or a letter's plaintext.
 * Read strictly with limits; a verifier never writes. What is found is a report with one check per thing,
 * never a bare green tick:
 *   intact            everything verifies, and the roots given confirm every sender and every receiver's log: a trust
 *                     root the parties of its register, the fingerprint of a pinned entry the party it is of
 *   intact-unconfirmed  everything verifies, and no root was given (compare the fingerprint), or they do not confirm
 *                       all of them: `parties` says whom
 *   broken            something does not; `broken` names what. When no root given is one of this package's, the first of
 *                     these is root-mismatch */
#ifndef COMITY_EVIDENCE_VERIFY_H
#define COMITY_EVIDENCE_VERIFY_H

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"

struct verify_options {
	const char *path;
	const uint8_t *roots;    /* fingerprints of trust roots, or of pinned entries, that the reader compared, 32 bytes each */
	size_t root_count;       /* 0: none was given */
	int offset_minutes;      /* local time of the reader */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes hashed; may be NULL */
	void *ctx;
};

/* False only when path cannot be read at all (ERR_NOT_FOUND, ERR_INPUT). The report (new reference):
 * {"result":..., "kind":"package"|"act", "fingerprint":hex or "", "witnesses":0, "witness_words":"no independent witness yet",
 *  "exercise":bool, "case":text, "root_given":bool, "roots_given":n, "proofs_missing":n, "parties":[...], "broken":[{"what":path,"reason":code,"text":sentence}...],
 *  "checks":[{"name","ok","text"}...], "exhibits":[{"id","name","size","sha256","custody":[{...}],"conditions":[...]}...],
 *  "acts":[{"file","kind","from","to","time","summary","signed_by","approvals":[...],"logs":[{"party","index","size"}...]}...]} */
bool verify_path(const struct verify_options *o, json_t **ret, struct err *e) MUST_USE;
/* Exit status of `comity verify`: 0 intact (either), 1 broken. */
int verify_status(const json_t *report);
/* For a judge, in plain words and in order; and the same as one self-contained HTML page without script. */
void verify_print(const json_t *report, int offset_minutes, struct buf *out);
void verify_html(const json_t *report, int offset_minutes, struct buf *out);

#endif
