/* age files from outside: length and parsing of the header, then the payload under a known file key.
 * Every input is tried as an identity file and as a recipient, too. */
#include <stdlib.h>
#include <string.h>

#include "seal/age.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void file_try(struct bytes in, const struct seal_identity *identity)
{
	AUTO_SECRET *file_key = NULL;
	AUTO_BUF plain = { 0 };
	size_t len;

	buf_init(&plain, 1 * MIB);
	if (!age_header_length(in, &len, NULL))
		return;
	if (len > in.len)
		abort();
	if (len == 0)
		return;
	if (!age_header_open(bytes_slice(in, 0, len), &identity, 1, &file_key, NULL)) {
		file_key = secret_from(bytes_of("YELLOW SUBMARINE"));
		if (age_header_check(bytes_slice(in, 0, len), file_key, NULL) && len < 60)
			abort();
	}
	if (!age_payload_open(file_key, bytes_slice(in, len, in.len), &plain, NULL) && plain.len != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mine[] = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
	AUTO_SEAL_IDENTITY *identity = NULL;
	AUTO_SEAL_IDENTITY *other = NULL;
	struct age_recipient r;
	char text[AGE_RECIPIENT_LEN + 1];
	struct bytes in = bytes_from(data, size);

	if (!seal_identity_parse(bytes_of(mine), &identity, NULL))
		abort();
	file_try(in, identity);
	if (seal_identity_parse(in, &other, NULL) && size < 74)
		abort();
	if (age_recipient_parse(in, &r, NULL)) {
		age_recipient_write(&r, text);
		if (!bytes_is(in, text))
			abort();
	}
	return 0;
}
