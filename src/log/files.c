/* HOME/log as a projection of the store. Publishing replays the new leaves over the edge that the files
 * show, so each full tile is written once, when its last leaf comes, and besides only the unfinished
 * tiles that grew. Bundles come before tiles and lower levels before higher ones, so that whoever sees a
 * tile can fetch what is below it. The unfinished widths that had a checkpoint stay until their tile is
 * full. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "log/gzip.h"
#include "log/log-internal.h"

/* When the log opens, sizes of full tiles are looked at from the latest backwards until this many in a row
 * are whole (about 30 ms): a power cut takes only files of the last half minute, and a projection that
 * was cut off, which runs forwards, lacks the latest. An older one that is damaged is found when it is read. */
#define REPAIR_TILES 16384u
/* A bundle has no fixed size: of these latest ones the content is walked through. */
#define REPAIR_BUNDLES 256u

/* Removes "067.p" with all its widths. Others may be reading them: an open file stays readable. */
static bool partials_remove(struct log *l, int level, uint64_t n, struct err *e)
{
	char path[96];
	int fd;
	DIR *dir;
	struct dirent *entry;

	tile_path(level, n, 1, path);
	*strrchr(path, '/') = '\0';
	fd = openat(l->log_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || err_system(e, "cannot open %s", path);
	dir = fdopendir(fd);
	if (dir == NULL) {
		err_system(e, "cannot list %s", path);
		fd_close_at(&fd);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			crash_point("log-remove");
			unlinkat(fd, entry->d_name, 0);
		}
	closedir(dir);
	return unlinkat(l->log_fd, path, AT_REMOVEDIR) == 0 || err_system(e, "cannot remove %s", path);
}

static bool full_tile(void *ctx, unsigned level, uint64_t n, const struct tile *t, struct err *e)
{
	struct log *l = ctx;

	if (level == 0) {
		if (!buf_check(&l->bundle, "bundle", e) ||
		    !tile_write_file(l, LEVEL_ENTRIES, n, TILE_WIDTH, buf_bytes(&l->bundle), e) ||
		    !partials_remove(l, LEVEL_ENTRIES, n, e))
			return false;
		buf_clear(&l->bundle);
	}
	return tile_write_file(l, (int)level, n, TILE_WIDTH, bytes_from(t->node, TILE_BYTES), e) &&
	       partials_remove(l, (int)level, n, e);
}

static bool publish_each(void *ctx, struct bytes leaf, struct err *e)
{
	struct log *l = ctx;
	merkle_hash hash;

	merkle_leaf(leaf, hash);
	bundle_add(&l->bundle, leaf);
	return edge_push(&l->published, hash, full_tile, l, e);
}

/* Unfinished tiles of the published edge whose content is new since `before` leaves. */
static bool partials_publish(struct log *l, uint64_t before, struct err *e)
{
	const struct edge *g = &l->published;

	if (g->size != before && edge_width(g, 0) > 0 &&
	    (!buf_check(&l->bundle, "bundle", e) ||
	     !tile_write_file(l, LEVEL_ENTRIES, edge_full_tiles(g, 0), edge_width(g, 0), buf_bytes(&l->bundle), e)))
		return false;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = edge_width(g, level);

		if (width == 0 || g->size >> (TILE_BITS * level) == before >> (TILE_BITS * level))
			continue;
		if (!tile_write_file(l, (int)level, edge_full_tiles(g, level), width,
				     bytes_from(g->level[level].node, (size_t)width * SHA256_BYTES), e))
			return false;
	}
	return true;
}

bool files_publish(struct log *l, struct err *e)
{
	uint64_t before = l->published.size;
	merkle_hash ours, theirs;

	if (l->must_repair && !files_repair(l, e))
		return false;
	if (l->published.size == l->committed.size)
		return true;
	l->must_repair = true; /* until all of it succeeded */
	if (!leaves_each(l, l->published.size, l->committed.size, publish_each, l, e) || !partials_publish(l, before, e))
		return err_note(e, "log");
	edge_root(&l->published, theirs);
	edge_root(&l->committed, ours);
	if (memcmp(ours, theirs, SHA256_BYTES) != 0)
		return err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "log: the store's leaves do not give its root");
	l->must_repair = false;
	return true;
}

/* A file with exactly this content; other content or none is replaced. */
static bool ensure_file(struct log *l, int level, uint64_t n, unsigned width, struct bytes content, struct err *e)
{
	char path[96];
	AUTO_BUF have = { 0 };

	tile_path(level, n, width, path);
	buf_init(&have, content.len);
	if (file_read(l->log_fd, path, &have, NULL) && bytes_equal(buf_bytes(&have), content))
		return true;
	return tile_write_file(l, level, n, width, content, e);
}

static bool looks_whole(struct log *l, int level, uint64_t n)
{
	char path[96];
	struct stat st;

	tile_path(level, n, TILE_WIDTH, path);
	if (fstatat(l->log_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return false;
	if (level >= 0)
		return st.st_size == TILE_BYTES;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), ".gz");
	return st.st_size > 0 && fstatat(l->log_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool bundle_is_whole(struct log *l, uint64_t n)
{
	char path[96];
	struct reader r;
	unsigned count = 0;
	AUTO_BUF in = { 0 }, gz = { 0 };

	buf_init(&in, BUNDLE_BYTES_MAX);
	tile_path(LEVEL_ENTRIES, n, TILE_WIDTH, path);
	if (!file_read(l->log_fd, path, &in, NULL))
		return false;
	r = reader_over(buf_bytes(&in));
	while (reader_ok(&r) && reader_left(&r) > 0) {
		reader_take(&r, reader_u16(&r));
		count++;
	}
	if (!reader_ok(&r) || count != TILE_WIDTH)
		return false;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), ".gz");
	buf_init(&gz, BUNDLE_BYTES_MAX + BUNDLE_BYTES_MAX / 8);
	return file_read(l->log_fd, path, &gz, NULL) && gzip_gives(buf_bytes(&gz), buf_bytes(&in));
}

static bool whole(struct log *l, unsigned level, uint64_t n)
{
	if (!looks_whole(l, (int)level, n))
		return false;
	if (level > 0)
		return true;
	return edge_full_tiles(&l->committed, 0) - n <= REPAIR_BUNDLES ? bundle_is_whole(l, n) : looks_whole(l, LEVEL_ENTRIES, n);
}

static bool repair_full(struct log *l, unsigned level, struct err *e)
{
	uint64_t full = edge_full_tiles(&l->committed, level), n = full;
	const struct tile *t;

	for (unsigned in_row = 0; n > 0 && in_row < REPAIR_TILES; n--)
		in_row = whole(l, level, n - 1) ? in_row + 1 : 0;
	for (; n < full; n++) {
		bool last = n + 1 == full; /* its content is compared, too */

		if (!last && whole(l, level, n))
			continue;
		if (level == 0 && (!bundle_project(l, n, TILE_WIDTH, e) || !partials_remove(l, LEVEL_ENTRIES, n, e)))
			return false;
		if (!tile_get(l, level, n, &t, e) || !partials_remove(l, (int)level, n, e))
			return false;
	}
	return true;
}

static bool bundle_each(void *ctx, struct bytes leaf, struct err *e)
{
	struct log *l = ctx;

	bundle_add(&l->bundle, leaf);
	return true;
}

/* The unfinished tiles as they were at `size`, which is the edge's or an earlier one's; those that have
 * become full since need no such files. */
static bool repair_partials(struct log *l, uint64_t size, struct err *e)
{
	const struct edge *g = &l->committed;

	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		unsigned width = size_width(size, level);
		uint64_t n = edge_full_tiles(g, level);

		if (width == 0 || size_full_tiles(size, level) != n)
			continue;
		if (level == 0) {
			AUTO_BUF bundle = { 0 };

			buf_init(&bundle, BUNDLE_BYTES_MAX);
			for (size_t i = 0, pos = 0; i < width; i++) {
				size_t len = (size_t)l->bundle.at[pos] << 8 | l->bundle.at[pos + 1];

				buf_add(&bundle, bytes_slice(buf_bytes(&l->bundle), pos, 2 + len));
				pos += 2 + len;
			}
			if (!buf_check(&bundle, "bundle", e) || !ensure_file(l, LEVEL_ENTRIES, n, width, buf_bytes(&bundle), e))
				return false;
		}
		if (!ensure_file(l, (int)level, n, width, bytes_from(g->level[level].node, (size_t)width * SHA256_BYTES), e))
			return false;
	}
	return true;
}

bool files_ensure(struct log *l, uint64_t size, struct err *e)
{
	return repair_partials(l, size, e);
}

/* What the files claim. A checkpoint beyond the store, or of another tree, is no lag: publishing would
 * fork the log in the open. *ret_size 0: there is none that can be read. */
static bool checkpoint_look(struct log *l, uint64_t *ret_size, struct err *e)
{
	struct checkpoint c;
	struct note n;
	merkle_hash root;
	AUTO_BUF in = { 0 };

	buf_init(&in, NOTE_BYTES_MAX);
	*ret_size = 0;
	if (!file_read(l->log_fd, "checkpoint", &in, NULL) || !note_parse(buf_bytes(&in), &n, NULL) ||
	    !checkpoint_parse(n.text, &c, NULL))
		return true;
	if (strcmp(c.origin, l->origin) != 0)
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "log: the published checkpoint is of %s, not of %s", c.origin, l->origin);
	if (c.size > l->committed.size)
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT,
			       "log: %llu leaves are published, the store has %llu: this store is older than what the world has seen",
			       (unsigned long long)c.size, (unsigned long long)l->committed.size);
	if (!log_root_at(l, c.size, root, e))
		return false;
	if (memcmp(root, c.root, SHA256_BYTES) != 0)
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "log: the published checkpoint of %llu leaves is not of this tree",
			       (unsigned long long)c.size);
	*ret_size = c.size;
	return true;
}

bool files_repair(struct log *l, struct err *e)
{
	uint64_t size = l->committed.size, shown = 0;

	l->must_repair = true;
	tile_cache_clear(l);
	l->published = l->committed; /* from here on a tile that is built is also written */
	buf_clear(&l->bundle);
	if (!leaves_each(l, size - size % TILE_WIDTH, size, bundle_each, l, e) || !buf_check(&l->bundle, "bundle", e))
		return false;
	/* From the top, because a tile is checked against its parent. */
	for (unsigned level = TILE_LEVELS; level-- > 0;)
		if (!repair_full(l, level, e))
			return false;
	if (!checkpoint_look(l, &shown, e) || !repair_partials(l, size, e) || !repair_partials(l, shown, e))
		return false;
	l->must_repair = false;
	return true;
}
