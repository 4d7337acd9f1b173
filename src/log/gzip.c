/* Full bundles lie there compressed, too: half the bytes for whoever reads over a long way. The fastest level is taken,
 * because the hex digits of commitments give little more to a slower one (0.5 ms a bundle instead of 2), and the
 * keeper does this between slots. */
#include <stdlib.h>
#include <zlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/gzip.h"

#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for gzip's frame */
#define GZIP_TAIL_BYTES 8u    /* CRC-32 and length of the content, little endian */

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

static uint32_t little(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool gzip_looks_like(struct bytes gz, struct bytes content)
{
	if (gz.len < GZIP_TAIL_BYTES)
		return false;
	return little(gz.at + gz.len - 4) == (uint32_t)content.len &&
	       little(gz.at + gz.len - 8) == (uint32_t)crc32(0, content.at, (uInt)content.len);
}
