/* Any kind of statement from outside: the first byte chooses the kind, the rest is the payload. What is
 * accepted must write back to the same bytes and print. */
#include "statement/statement.h"

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STATEMENT *s = NULL;
	struct err e = { 0 };
	struct findings f;
	AUTO_BUF out;

	buf_init(&out, 4 * MIB);
	if (size == 0)
		return 0;
	if (!statement_parse(statement_type(kind_at(data[0] % kind_count())), bytes_from(data + 1, size - 1), &s, &e)) {
		if (e.kind == ERR_NONE || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (!json_write_canonical(s->json, &out, &e) || !bytes_equal(buf_bytes(&out), s->payload))
		abort();
	buf_clear(&out);
	statement_print(s, -90, &out);
	if (!buf_ok(&out) || !utf8_is_valid(buf_bytes(&out)))
		abort();
	findings_init(&f);
	statement_check(s, NULL, &f);
	return 0;
}
