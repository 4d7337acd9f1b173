/* RFC 6962 / RFC 9162 hashing and proofs with SHA-256. Where C2SP and other suites differ (consistency
 * from size 0 is accepted with an empty proof), C2SP holds. (crypto.md 1.1) */
#ifndef COMITY_LOG_MERKLE_H
#define COMITY_LOG_MERKLE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

typedef uint8_t merkle_hash[SHA256_BYTES];

void merkle_empty(merkle_hash ret);
void merkle_leaf(struct bytes entry, merkle_hash ret);
void merkle_node(const merkle_hash left, const merkle_hash right, merkle_hash ret);
/* ERR_REJECTED with REASON_BAD_PROOF. */
bool merkle_check_inclusion(uint64_t index, uint64_t size, const merkle_hash leaf_hash, const merkle_hash *proof,
			    size_t proof_count, const merkle_hash root, struct err *e) MUST_USE;
bool merkle_check_consistency(uint64_t m, uint64_t n, const merkle_hash *proof, size_t proof_count,
			      const merkle_hash root_m, const merkle_hash root_n, struct err *e) MUST_USE;

#endif
