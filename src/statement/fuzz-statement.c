/* Any kind of statement from outside: the first byte chooses the kind, the rest is the payload. What is
 * accepted must write back to the same bytes and print. JSON in another spelling is refused, and then
 * tried again in the canonical one, so that the walk over the members is reached as well. */
#include "statement/statement.h"

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_payload(const struct kind *k, struct bytes payload)
{
	AUTO_STATEMENT *s = NULL;
	struct err e = { 0 };
	struct findings f;
	AUTO_BUF out = { 0 };

	buf_init(&out, 4 * MIB);
	if (!statement_parse(statement_type(k), payload, &s, &e)) {
		if (e.kind == ERR_NONE || e.text[0] == '\0')
			abort();
		return;
	}
	if (!json_write_canonical(s->json, &out, &e) || !bytes_equal(buf_bytes(&out), payload))
		abort();
	buf_clear(&out);
	statement_print(s, -90, &out);
	if (!buf_ok(&out) || !utf8_is_valid(buf_bytes(&out)))
		abort();
	findings_init(&f);
	statement_check(s, NULL, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON *v = NULL;
	struct err e;
	AUTO_BUF canonical = { 0 };

	buf_init(&canonical, 2 * STATEMENT_BYTES_MAX);
	if (size == 0)
		return 0;
	try_payload(kind_at(data[0] % kind_count()), bytes_from(data + 1, size - 1));
	if (json_parse(bytes_from(data + 1, size - 1), "payload", &v, &e) && json_write_canonical(v, &canonical, &e))
		try_payload(kind_at(data[0] % kind_count()), buf_bytes(&canonical));
	return 0;
}
