/* Which paths are files of the log. The grammar of c2sp.org/tlog-tiles, strictly, so that what is opened below
 * the log's folder cannot be anything else:
 *   checkpoint | tile/<L>/<N>[.p/<W>] | tile/entries/<N>[.p/<W>] | acts/index | acts/<64 hex> | openings/<YYYY-Qn>
 * and each of them behind mirror/<64 hex>/.
 * L is 0 to 63; N is groups of three digits, all but the last with an x before them; W is 1 to 255. */
#include <string.h>

#include "base/text.h"
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

static bool hex64(struct bytes in)
{
	uint8_t digest[SHA256_BYTES];

	return hex_parse(in, digest, sizeof(digest));
}

/* 2026-Q4 */
static bool period_is(struct bytes in)
{
	for (size_t i = 0; i < 4 && i < in.len; i++)
		if (in.at[i] < '0' || in.at[i] > '9')
			return false;
	return in.len == 7 && in.at[4] == '-' && in.at[5] == 'Q' && in.at[6] >= '1' && in.at[6] <= '4';
}

static enum door_file tile_is(struct bytes rest)
{
	struct bytes level = bytes_cut(&rest, '/');
	bool entries = bytes_is(level, "entries");

	if ((!entries && !number_is(level, 0, 63)) || !index_is(rest))
		return DOOR_FILE_NONE;
	return entries && bytes_find(rest, '.') == rest.len ? DOOR_FILE_BUNDLE : DOOR_FILE_TILE;
}

static enum door_file file_is(struct bytes rest)
{
	struct bytes folder;

	if (bytes_is(rest, "checkpoint"))
		return DOOR_FILE_CHECKPOINT;
	if (rest.len == 0 || rest.at[rest.len - 1] == '/')
		return DOOR_FILE_NONE;
	folder = bytes_cut(&rest, '/');
	if (bytes_is(folder, "tile"))
		return tile_is(rest);
	if (bytes_is(folder, "acts"))
		return bytes_is(rest, "index") ? DOOR_FILE_INDEX : hex64(rest) ? DOOR_FILE_ACT : DOOR_FILE_NONE;
	return bytes_is(folder, "openings") && period_is(rest) ? DOOR_FILE_OPENINGS : DOOR_FILE_NONE;
}

enum door_file door_file_of(const char *path, bool *ret_mirror, const char **ret_path)
{
	struct bytes rest = bytes_of(path);

	*ret_path = path;
	*ret_mirror = bytes_starts(rest, "mirror/");
	if (!*ret_mirror)
		return file_is(rest);
	rest = bytes_slice(rest, strlen("mirror/"), rest.len);
	*ret_path = path + strlen("mirror/");
	return hex64(bytes_cut(&rest, '/')) ? file_is(rest) : DOOR_FILE_NONE;
}
