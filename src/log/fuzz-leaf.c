/* Leaves of other logs: what parses has exactly our spelling. */
#include <stdlib.h>
#include <string.h>

#include "log/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t c[32], k[32], t[32];
	char hex[3][65], again[LEAF_V1_BYTES + 1];

	if (!leaf_parse(bytes_from(data, size), c, k, t, NULL))
		return 0;
	hex_write(BYTES_ARRAY(c), hex[0]);
	hex_write(BYTES_ARRAY(k), hex[1]);
	hex_write(BYTES_ARRAY(t), hex[2]);
	snprintf(again, sizeof(again), "{\"c\":\"%s\",\"k\":\"%s\",\"t\":\"%s\",\"v\":1}", hex[0], hex[1], hex[2]);
	if (size != LEAF_V1_BYTES || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
