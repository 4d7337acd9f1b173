/* Lists of logs: what parses is written in one way that parses to the same. */
#include <stdlib.h>

#include "log/watched.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_WATCHED first = { 0 }, second = { 0 };
	AUTO_BUF once = { 0 }, twice = { 0 };

	buf_init(&once, 1 * MIB);
	buf_init(&twice, 1 * MIB);
	if (size > 256 * KIB || !watched_parse(bytes_from(data, size), &first, NULL))
		return 0;
	watched_write(&first, &once);
	if (!watched_parse(buf_bytes(&once), &second, NULL))
		abort();
	watched_write(&second, &twice);
	if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice)))
		abort();
	for (size_t i = 0; i < first.count; i++)
		if (watched_find(&first, first.at[i].origin) != &first.at[i])
			abort();
	return 0;
}
