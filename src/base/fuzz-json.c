/* JSON from outside: what the canonical parser accepts is rewritten to the same bytes; what the plain
 * parser accepts and may be signed has a canonical form that reads back as itself. */
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	AUTO_JSON *v = NULL;
	AUTO_JSON *again = NULL;
	AUTO_JSON *exact = NULL;
	AUTO_BUF out = { 0 };
	struct err e;
	bool canonical = json_parse_canonical(in, "input", &exact, &e);

	/* A control character takes one byte here and six there. */
	buf_init(&out, 8 * size + 64);
	if (!json_parse(in, "input", &v, &e)) {
		if (canonical)
			abort();
		return 0;
	}
	if (!json_write_canonical(v, &out, &e)) {
		if (canonical || !buf_ok(&out))
			abort();
		return 0;
	}
	if (canonical != bytes_equal(buf_bytes(&out), in) ||
	    !json_parse_canonical(buf_bytes(&out), "output", &again, &e) || !json_equal(v, again))
		abort();
	return 0;
}
