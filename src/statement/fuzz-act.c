/* Acts and counterproofs from outside: what is accepted writes back to the same bytes. */
#include "statement/act.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void counterproof(struct bytes in)
{
	struct counterproof c;
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	if (!counterproof_parse(in, &c, &e))
		return;
	if (!counterproof_write(c.hash, c.leaf, c.opening, c.proof, &out, &e) || !bytes_equal(buf_bytes(&out), in))
		abort();
	counterproof_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	AUTO_ACT *a = NULL;
	struct err e;

	counterproof(in);
	if (act_parse(in, &a, &e) && !bytes_equal(buf_bytes(&a->json), in))
		abort();
	return 0;
}
