/* Proofs for any size up to the log's: RFC 6962's PATH and PROOF, walked from the root down, with every
 * complete subtree's hash looked up in a tile. Only the right flank of an earlier size is hashed. */
#include <string.h>

#include "log/log-internal.h"

/* A complete subtree of 2^bits leaves, the index-th of its size. */
static bool complete(struct log *l, unsigned bits, uint64_t index, merkle_hash ret, struct err *e)
{
	unsigned level = bits / TILE_BITS, within = bits % TILE_BITS;
	uint64_t per_tile = (uint64_t)TILE_WIDTH >> within;
	const struct tile *t;

	if (!tile_get(l, level, index / per_tile, &t, e))
		return false;
	memcpy(ret, t->node[tile_place(within, index % per_tile)], SHA256_BYTES);
	return true;
}

static unsigned bits_of(uint64_t power)
{
	return (unsigned)__builtin_ctzll(power);
}

/* The largest power of two below n; n >= 2. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH of the leaves [start, end), at least one; start is a multiple of the largest power of two in its length. */
static bool range(struct log *l, uint64_t start, uint64_t end, merkle_hash ret, struct err *e)
{
	merkle_hash peaks[64];
	size_t count = 0;

	do {
		uint64_t power = UINT64_C(1) << (63 - __builtin_clzll(end - start));

		if (!complete(l, bits_of(power), start / power, peaks[count++], e))
			return false;
		start += power;
	} while (start < end);
	memcpy(ret, peaks[--count], SHA256_BYTES);
	while (count > 0)
		merkle_node(peaks[--count], ret, ret);
	return true;
}

bool log_root_at(struct log *l, uint64_t size, merkle_hash ret, struct err *e)
{
	if (size > l->now.size)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "log: it has not %llu leaves", (unsigned long long)size);
	if (size == 0) {
		merkle_empty(ret);
		return true;
	}
	return range(l, 0, size, ret, e);
}

/* Walks down collect from the root's side; proofs begin at the leaf's. */
static void emit(const merkle_hash *collected, size_t count, merkle_hash proof[static PROOF_HASHES_MAX], size_t *ret_count)
{
	for (size_t i = 0; i < count; i++)
		memcpy(proof[i], collected[count - 1 - i], SHA256_BYTES);
	*ret_count = count;
}

bool log_inclusion(struct log *l, uint64_t index, uint64_t size, merkle_hash proof[static PROOF_HASHES_MAX],
		   size_t *ret_count, struct err *e)
{
	merkle_hash collected[PROOF_HASHES_MAX];
	uint64_t start = 0, end = size;
	size_t count = 0;

	if (size > l->now.size || index >= size)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "log: no leaf %llu in a tree of %llu", (unsigned long long)index,
			       (unsigned long long)size);
	while (end - start > 1) {
		uint64_t middle = start + split(end - start);
		bool left = index < middle;

		if (!range(l, left ? middle : start, left ? end : middle, collected[count++], e))
			return false;
		if (left)
			end = middle;
		else
			start = middle;
	}
	emit((const merkle_hash *)collected, count, proof, ret_count);
	return true;
}

bool log_consistency(struct log *l, uint64_t m, uint64_t n, merkle_hash proof[static PROOF_HASHES_MAX],
		     size_t *ret_count, struct err *e)
{
	merkle_hash collected[PROOF_HASHES_MAX + 1];
	uint64_t start = 0, end = n;
	size_t count = 0;

	if (n > l->now.size || m > n)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "log: no consistency from %llu to %llu", (unsigned long long)m,
			       (unsigned long long)n);
	/* Down to the subtree that ends where the old tree ended. */
	while (m > 0 && m < n && end != m) {
		uint64_t middle = start + split(end - start);
		bool left = m <= middle;

		if (!range(l, left ? middle : start, left ? end : middle, collected[count++], e))
			return false;
		if (left)
			end = middle;
		else
			start = middle;
	}
	/* It is the whole old tree when start is 0: then the verifier has its hash. */
	if (m > 0 && m < n && start != 0 && !range(l, start, end, collected[count++], e))
		return false;
	emit((const merkle_hash *)collected, count, proof, ret_count);
	return true;
}
