/* Runs of bytes that somebody else owns. Nothing here allocates, and no function reads outside the
 * run that it was given: positions and lengths from callers are clipped, never trusted. */
#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of(const char *text)
{
	return bytes_from(text, text == NULL ? 0 : strlen(text));
}

struct bytes bytes_from(const void *at, size_t len)
{
	return (struct bytes){ .at = at, .len = at == NULL ? 0 : len };
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool bytes_is(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of(text));
}

bool bytes_starts(struct bytes a, const char *prefix)
{
	struct bytes p = bytes_of(prefix);

	return a.len >= p.len && (p.len == 0 || memcmp(a.at, p.at, p.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.at, b.at, common);

	if (order != 0)
		return order < 0 ? -1 : 1;
	if (a.len == b.len)
		return 0;
	return a.len < b.len ? -1 : 1;
}

size_t bytes_find(struct bytes a, uint8_t c)
{
	const uint8_t *found = a.len == 0 ? NULL : memchr(a.at, c, a.len);

	return found == NULL ? a.len : (size_t)(found - a.at);
}

struct bytes bytes_cut(struct bytes *rest, uint8_t c)
{
	size_t pos = bytes_find(*rest, c);
	struct bytes head = bytes_slice(*rest, 0, pos);

	if (pos == rest->len)
		*rest = bytes_slice(*rest, pos, 0);
	else
		*rest = bytes_slice(*rest, pos + 1, rest->len - pos - 1);
	return head;
}

struct bytes bytes_slice(struct bytes a, size_t from, size_t len)
{
	if (from > a.len)
		from = a.len;
	if (len > a.len - from)
		len = a.len - from;
	return (struct bytes){ .at = a.at == NULL ? NULL : a.at + from, .len = len };
}

void bytes_text(struct bytes a, char *out, size_t room)
{
	size_t len = a.len < room ? a.len : room - 1;

	if (len > 0)
		memcpy(out, a.at, len);
	out[len] = '\0';
}
