/* The files of a home that people edit: the first byte says which. Nothing may crash; what is accepted can be
 * written and reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "exchange/approvers.h"
#include "exchange/config.h"
#include "exchange/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void config(struct bytes in)
{
	struct config c, again;
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, 256 * KIB);
	if (!config_parse(in, &c, &e)) {
		must(e.reason != REASON_NONE);
		return;
	}
	config_write(&c, &out);
	must(buf_ok(&out) && config_parse(buf_bytes(&out), &again, NULL));
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		must(strcmp(c.text[i], again.text[i]) == 0 && c.count[i] == again.count[i]);
}

static void approvers(struct bytes in)
{
	static struct approvers a;
	struct err e = { 0 };

	if (!approvers_parse(in, &a, &e)) {
		must(e.reason != REASON_NONE);
		return;
	}
	must(a.count <= PARTY_APPROVERS_MAX);
	for (size_t i = 0; i < a.count; i++)
		must(a.at[i].roles != 0 && a.at[i].name == a.names[i] && a.at[i].name[0] != '\0');
}

static void identity(struct bytes in)
{
	struct identity v;
	AUTO_BUF out = { 0 };

	buf_init(&out, 8 * KIB);
	if (!identity_parse(in, &v, NULL))
		return;
	identity_write(&v, &out);
	must(bytes_equal(buf_bytes(&out), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct bytes in = bytes_from(data + 1, size - 1);
	if (data[0] == 'c')
		config(in);
	else if (data[0] == 'a')
		approvers(in);
	else
		identity(in);
	return 0;
}
