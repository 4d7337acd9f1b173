/* Manifests and bag-info.txt from outside: what is accepted writes back to the same bytes. The first byte
 * chooses the digest, or bag-info.txt. */
#include <stdlib.h>
#include <string.h>

#include "evidence/bagit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_equal(struct bytes in, struct buf *out)
{
	if (!bytes_equal(in, buf_bytes(out)))
		abort();
}

static void try_manifest(struct bytes in, size_t digest_bytes)
{
	AUTO_BAG_MANIFEST m = { 0 };
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PACKAGE_TAG_BYTES_MAX);
	if (!bag_manifest_parse(in, digest_bytes, &m, &e)) {
		if (e.kind == ERR_NONE || e.text[0] == '\0')
			abort();
		return;
	}
	for (size_t i = 0; i < m.count; i++) {
		bag_line_write(m.lines[i].path, bytes_from(m.lines[i].digest, digest_bytes), &out);
		if (bag_manifest_find(&m, m.lines[i].path) != &m.lines[i] || !bag_path_check(m.lines[i].path, NULL))
			abort();
	}
	must_equal(in, &out);
}

static void try_info(struct bytes in)
{
	struct bag_info b;
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	if (!bag_info_parse(in, &b, &e))
		return;
	if (!bag_info_write(&b, &out, &e))
		abort();
	must_equal(in, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);

	if (size == 0)
		return 0;
	in = bytes_slice(in, 1, size);
	if (data[0] == 'i')
		try_info(in);
	else
		try_manifest(in, data[0] == '5' ? SHA512_BYTES : SHA256_BYTES);
	return 0;
}
