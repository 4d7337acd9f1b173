/* The tree's arithmetic. A node hash is what everything here costs, so its input is laid out once on the
 * stack and hashed in one call. The checks are those of RFC 9162 2.1.3.2 and 2.1.4.2: they walk the
 * path from the leaf and need neither the tree nor recursion. Roots are public: plain comparison. */
#include "log/merkle.h"

#include <string.h>

void merkle_empty(merkle_hash ret)
{
	sha256((struct bytes){ 0 }, ret);
}

void merkle_leaf(struct bytes entry, merkle_hash ret)
{
	static const uint8_t prefix = 0x00;

	sha256_two(bytes_from(&prefix, 1), entry, ret);
}

void merkle_node(const merkle_hash left, const merkle_hash right, merkle_hash ret)
{
	uint8_t in[1 + 2 * SHA256_BYTES];

	in[0] = 0x01;
	memcpy(in + 1, left, SHA256_BYTES);
	memcpy(in + 1 + SHA256_BYTES, right, SHA256_BYTES);
	sha256(BYTES_ARRAY(in), ret);
}

static bool same(const merkle_hash a, const merkle_hash b)
{
	return memcmp(a, b, SHA256_BYTES) == 0;
}

static bool bad(struct err *e, const char *what)
{
	return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s", what);
}

bool merkle_check_inclusion(uint64_t index, uint64_t size, const merkle_hash leaf_hash, const merkle_hash *proof,
			    size_t proof_count, const merkle_hash root, struct err *e)
{
	uint64_t fn = index, sn = size - 1;
	merkle_hash r;

	if (index >= size)
		return bad(e, "inclusion proof: the index is not in the tree");
	memcpy(r, leaf_hash, SHA256_BYTES);
	for (size_t i = 0; i < proof_count; i++) {
		if (sn == 0)
			return bad(e, "inclusion proof: too long");
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(proof[i], r, r);
			while (fn != 0 && (fn & 1) == 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(r, proof[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return bad(e, "inclusion proof: too short");
	return same(r, root) || bad(e, "inclusion proof: it leads to another root");
}

/* 0 < m < n. */
static bool check_growth(uint64_t m, uint64_t n, const merkle_hash *proof, size_t proof_count,
			 const merkle_hash root_m, const merkle_hash root_n, struct err *e)
{
	uint64_t fn = m - 1, sn = n - 1;
	bool power = (m & (m - 1)) == 0; /* then root_m is itself the first hash */
	size_t i = power ? 0 : 1;
	merkle_hash fr, sr;

	if (proof_count == 0)
		return bad(e, "consistency proof: empty");
	while ((fn & 1) != 0) {
		fn >>= 1;
		sn >>= 1;
	}
	memcpy(fr, power ? root_m : proof[0], SHA256_BYTES);
	memcpy(sr, fr, SHA256_BYTES);
	for (; i < proof_count; i++) {
		if (sn == 0)
			return bad(e, "consistency proof: too long");
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(proof[i], fr, fr);
			merkle_node(proof[i], sr, sr);
			while (fn != 0 && (fn & 1) == 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(sr, proof[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return bad(e, "consistency proof: too short");
	return (same(fr, root_m) && same(sr, root_n)) || bad(e, "consistency proof: it leads to other roots");
}

bool merkle_check_consistency(uint64_t m, uint64_t n, const merkle_hash *proof, size_t proof_count,
			      const merkle_hash root_m, const merkle_hash root_n, struct err *e)
{
	merkle_hash empty;

	if (m > n)
		return bad(e, "consistency proof: the tree shrank");
	merkle_empty(empty);
	/* A size of 0 has one root, whatever else is claimed (tlog-witness: 422). */
	if ((m == 0 && !same(root_m, empty)) || (n == 0 && !same(root_n, empty)))
		return bad(e, "consistency proof: not the root of the empty tree");
	if (m == 0 || m == n) {
		if (proof_count != 0)
			return bad(e, "consistency proof: there is nothing to prove");
		return m == 0 || same(root_m, root_n) || bad(e, "consistency proof: one size, two roots");
	}
	return check_growth(m, n, proof, proof_count, root_m, root_n, e);
}
