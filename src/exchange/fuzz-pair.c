/* What a peer says of the letters between us: what is accepted is written again to the same bytes. */
#include "exchange/pair-recover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair_message m;
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, PAIR_MESSAGE_BYTES_MAX);
	if (!pair_message_parse(bytes_from(data, size), &m, &e))
		return 0;
	if (!pair_message_write(&m, &out, &e) || !bytes_equal(buf_bytes(&out), bytes_from(data, size)))
		abort();
	return 0;
}
