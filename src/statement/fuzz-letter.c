/* The plaintext of letters: what is accepted is written again from its acts to the same bytes, and what stands around the
 * acts reads the same whether or not they can be read. */
#include "statement/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes acts[LETTER_ACTS_MAX];
	AUTO_LETTER_AROUND around = { 0 };
	AUTO_LETTER *l = NULL;
	struct err e;
	bool framed = letter_around_parse(bytes_from(data, size), &around, &e);
	AUTO_BUF out = { 0 };

	buf_init(&out, LETTER_BYTES_MAX);
	if (!letter_parse(bytes_from(data, size), &l, &e))
		return 0;
	if (!framed || strcmp(around.from, l->from) != 0 || around.pair.n != l->pair.n || !around.has_id ||
	    memcmp(around.main.hash, l->acts[0]->statement->hash, SHA256_BYTES) != 0)
		abort();
	for (size_t i = 0; i < l->act_count; i++)
		acts[i] = buf_bytes(&l->acts[i]->json);
	if (!letter_write(l->from, l->to, &l->pair, acts, l->act_count, &out, &e) ||
	    !bytes_equal(buf_bytes(&out), bytes_from(data, size)))
		abort();
	return 0;
}
