/* Envelopes from outside: the two readers accept exactly the same, and what they accept has one
 * spelling. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "seal/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[SIGN_PUBLIC_BYTES] = { 9 };
	struct bytes in = bytes_from(data, size);
	AUTO_ENVELOPE one = { 0 };
	AUTO_ENVELOPE two = { 0 };
	AUTO_JSON *v = NULL;
	AUTO_BUF again = { 0 };
	bool direct = envelope_parse(in, &one, NULL);
	bool by_json = size <= ENVELOPE_BYTES_MAX && json_parse_canonical(in, "envelope", &v, NULL) &&
		       envelope_parse_json(v, &two, NULL);

	buf_init(&again, ENVELOPE_BYTES_MAX);
	if (direct != by_json)
		abort();
	if (!direct)
		return 0;
	if (!envelope_write_of(bytes_of(one.type), buf_bytes(&one.payload), one.signatures,
			       one.signature_count, &again, NULL) ||
	    !bytes_equal(buf_bytes(&again), in) || memcmp(one.hash, two.hash, sizeof(one.hash)) != 0)
		abort();
	if (one.signature_count < 3 && envelope_signed_by(&one, key))
		abort();
	return 0;
}
