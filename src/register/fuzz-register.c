/* Bundles, pinned entries and bodies of entries from outside. Nothing may crash; and whatever a register
 * holds after a load, it can be listed, found by code and TLS key, printed, and written as one spelling. */
#include "register/register.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void check_party(const struct party *p)
{
	AUTO_JSON *v = party_to_json(p);
	struct party *again = NULL;
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	party_print(p, 60, &out);
	must(buf_ok(&out));
	must(party_from_json(v, &again, NULL));
	party_free(again);
}

static void check_register(const struct register_ *r)
{
	for (size_t i = 0; i < register_count(r); i++) {
		const struct party *p = register_at(r, i);

		check_party(p);
		must(register_party(r, bytes_of(p->code)) == p);
		must(register_party_by_tls(r, p->tls_spki) == p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	struct register_ *r = register_new();
	const uint8_t none[SHA256_BYTES] = { 0 };
	struct party *p = NULL;
	struct act *a = NULL;
	struct err e = { 0 };
	AUTO_JSON *v = NULL;
	AUTO_BUF problems = { 0 };

	buf_init(&problems, MIB);
	if (register_load(r, in, NULL, 0, &problems, &e))
		must(register_root_fingerprint(r) != NULL);
	if (act_parse(in, &a, &e)) {
		must(!register_pin(r, in, none, &e));
		(void)!register_pin(r, in, a->statement->hash, &e);
		act_free(a);
	}
	check_register(r);
	if (json_parse_canonical(in, "input", &v, &e) && register_policy_own(r, v, &e))
		must(register_policy_count(r) > 0);
	register_free(r);
	json_decref(v);
	v = NULL;
	if (json_parse_canonical(in, "input", &v, &e) && party_from_json(v, &p, &e)) {
		check_party(p);
		party_free(p);
	}
	return 0;
}
