/* Full bundles lie there compressed, too: half the bytes for whoever reads over a long way. The fastest level is taken,
 * because the hex digits of commitments give little more to a slower one (0.5 ms a bundle instead of 2), and the
 * keeper does this between slots. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/gzip.h"

#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for gzip's frame */

void gzip_write(struct bytes in, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.at, .avail_in = (uInt)in.len };
	uint8_t *at;
	size_t room;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory */
	room = deflateBound(&z, (uLong)in.len);
	at = buf_room(out, room);
	if (at == NULL) {
		deflateEnd(&z);
		return;
	}
	z.next_out = at;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort(); /* there is room for the bound */
	buf_grown(out, z.total_out);
	deflateEnd(&z);
}

bool gzip_beside(int dir_fd, const char *path, struct bytes content, struct err *e)
{
	char name[160];
	AUTO_BUF gz = { 0 };

	buf_init(&gz, content.len + content.len / 8 + KIB);
	gzip_write(content, &gz);
	snprintf(name, sizeof(name), "%.150s.gz", path);
	return buf_check(&gz, name, e) && file_write(dir_fd, name, buf_bytes(&gz), 0644, false, e);
}

bool gzip_gives(struct bytes gz, struct bytes content)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)gz.at, .avail_in = (uInt)gz.len };
	uint8_t piece[16 * KIB];
	size_t at = 0, got;
	int how;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		abort(); /* out of memory */
	/* A piece at a time, so that what inflates to gigabytes ends at the first byte too many. */
	do {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		how = inflate(&z, Z_NO_FLUSH);
		got = sizeof(piece) - z.avail_out;
		if (got > content.len - at || (got > 0 && memcmp(piece, content.at + at, got) != 0))
			how = Z_DATA_ERROR;
		else
			at += got;
	} while (how == Z_OK);
	inflateEnd(&z);
	return how == Z_STREAM_END && at == content.len && z.avail_in == 0;
}
