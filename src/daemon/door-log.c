/* Which paths are files of the log. The grammar of c2sp.org/tlog-tiles, strictly, so that what is opened below
 * the log's folder cannot be anything else:
 *   checkpoint | tile/<L>/<N>[.p/<W>] | tile/entries/<N>[.p/<W>]
 * L is 0 to 63; N is groups of three digits, all but the last with an x before them; W is 1 to 255. */
#include "base/bytes.h"
#include "daemon/door.h"

#define GROUPS_MAX 7 /* 2^63 / 256 leaves */

static bool digits3(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] < '0' || in.at[i] > '9')
			return false;
	}
	return in.len == 3;
}

/* Decimal without leading zeros. */
static bool number_is(struct bytes in, unsigned min, unsigned max)
{
	unsigned v = 0;

	if (in.len == 0 || in.len > 3 || (in.at[0] == '0' && in.len > 1))
		return false;
	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] < '0' || in.at[i] > '9')
			return false;
		v = v * 10 + (unsigned)(in.at[i] - '0');
	}
	return v >= min && v <= max;
}

static bool index_is(struct bytes rest)
{
	bool first = true;

	for (int i = 0; i < GROUPS_MAX; i++) {
		struct bytes group = bytes_cut(&rest, '/');

		if (group.len == 4 && group.at[0] == 'x') {
			/* "x000" first would be a second spelling. */
			if (!digits3(bytes_slice(group, 1, 3)) || (first && bytes_is(group, "x000")))
				return false;
			first = false;
			continue;
		}
		if (rest.len == 0)
			return digits3(group);
		return group.len == 5 && digits3(bytes_slice(group, 0, 3)) &&
		       bytes_is(bytes_slice(group, 3, 2), ".p") && number_is(rest, 1, 255);
	}
	return false;
}

bool door_log_path_is(const char *path)
{
	struct bytes rest = bytes_of(path), level;

	if (bytes_is(rest, "checkpoint"))
		return true;
	if (rest.len == 0 || rest.at[rest.len - 1] == '/' || !bytes_is(bytes_cut(&rest, '/'), "tile"))
		return false;
	level = bytes_cut(&rest, '/');
	return (bytes_is(level, "entries") || number_is(level, 0, 63)) && index_is(rest);
}
