/* Proof files with an extra line from outside: what is read writes back to the same bytes, and what rebuilds does so. */
#include "evidence/verify-proof.h"

#include <stdlib.h>

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlog_proof p;
	struct proof_extra x;
	AUTO_BUF again = { 0 };

	buf_init(&again, 4 * NOTE_BYTES_MAX);
	if (!tlog_proof_parse(bytes_from(data, size), &p, NULL) || !proof_extra_parse(&p, &x, NULL))
		return 0;
	if (!proof_extra_add(bytes_from(data, size), &x, &again, NULL) || !bytes_equal(buf_bytes(&again), bytes_from(data, size)))
		abort();
	return 0;
}
