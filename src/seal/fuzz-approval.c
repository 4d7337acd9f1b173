/* Approvals from outside. The input is tried as an envelope, and as the payload of one, since a fuzzer
 * does not find base64 by itself. */
#include <stdlib.h>

#include "base/limits.h"
#include "seal/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct envelope_signature sig = { .keyid = "00112233445566778899aabbccddeeff" };
	AUTO_APPROVAL a = { 0 };
	AUTO_APPROVAL b = { 0 };
	AUTO_BUF envelope = { 0 };

	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	if (approval_parse(bytes_from(data, size), &a, NULL) && a.approver[0] == '\0')
		abort();
	if (envelope_write_of(bytes_of(APPROVAL_TYPE), bytes_from(data, size), &sig, 1, &envelope, NULL) &&
	    approval_parse(buf_bytes(&envelope), &b, NULL) &&
	    (b.approver[0] == '\0' || (unsigned)b.role >= APPROVAL_ROLE_COUNT))
		abort();
	return 0;
}
