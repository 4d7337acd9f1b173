/* Proofs from outside: one spelling, and none that holds under a key that signed nothing. */
#include <stdlib.h>
#include <string.h>

#include "log/tlog-proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	struct note_key key = { .name = "xa.example/log", .type = NOTE_ED25519 };
	struct tlog_proof p;
	struct checkpoint c;
	merkle_hash leaf, root;
	uint64_t index;
	AUTO_BUF again = { 0 };

	buf_init(&again, size + 1);
	if (tlog_proof_check(in, bytes_of("leaf"), &key, NULL, &c, &index, NULL))
		abort();
	if (!tlog_proof_parse(in, &p, NULL))
		return 0;
	tlog_proof_write(&p, &again);
	if (!bytes_equal(buf_bytes(&again), in))
		abort();
	merkle_leaf(bytes_of("leaf"), leaf);
	merkle_empty(root);
	/* Sizes of our choice, since no checkpoint here is signed. */
	for (unsigned bits = 0; bits < 64; bits++)
		if (merkle_check_inclusion(p.index, UINT64_C(1) << bits, leaf, (const merkle_hash *)p.hashes, p.hash_count, root, NULL) ||
		    merkle_check_consistency(p.index, UINT64_C(1) << bits, (const merkle_hash *)p.hashes, p.hash_count, leaf, root, NULL))
			abort();
	return 0;
}
