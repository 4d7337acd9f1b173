/* Reads a whole bag and says everything that is wrong with it. First the folder is walked: what stands in
 * it is found without opening or following anything. Then each file is hashed once, tag files in memory,
 * so that what was hashed is what is parsed later. Then files and manifests are held against each other,
 * both ways. Where two manifests disagree about a file and one of them is right, the other manifest is
 * what was changed, and is named. */
#include "evidence/bagit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct reading {
	int dir_fd;
	const struct bag_watch *w;
	struct bag *bag;
	struct bag_hasher *hasher;
	size_t entries;           /* seen in the walk, folders too */
	uint64_t total, done;     /* bytes */
	size_t tag_bytes;
	bool full;
};

/* The two manifests over one group of files. */
struct pair {
	const char *name256, *name512;
	bool is[2];
	struct bag_manifest m[2];
};

static void told(const struct reading *r, const char *what, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void told(const struct reading *r, const char *what, enum reason reason, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->w->problem(r->w->ctx, what, reason, text);
}

/* --- the walk ---------------------------------------------------------------------------------- */

static void add_file(struct reading *r, const char *path, uint64_t size)
{
	struct bag *b = r->bag;
	struct bag_file *f;

	if (b->count == b->room) {
		b->room = b->room == 0 ? 64 : 2 * b->room;
		b->files = realloc(b->files, b->room * sizeof(*b->files));
		if (b->files == NULL)
			abort();
	}
	f = &b->files[b->count++];
	*f = (struct bag_file){ .path = strdup(path), .payload = bytes_starts(bytes_of(path), "data/") };
	if (f->path == NULL)
		abort();
	buf_init(&f->content, PACKAGE_TAG_BYTES_MAX);
	r->total += size;
}

static void walk(struct reading *r, int folder_fd, const char *prefix, unsigned depth);

static void walk_folder(struct reading *r, int parent_fd, const char *name, const char *path, unsigned depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		told(r, path, REASON_SYSTEM, "this folder cannot be opened: %s", strerror(errno));
		return;
	}
	walk(r, fd, path, depth + 1);
}

static void walk_entry(struct reading *r, int folder_fd, const char *prefix, const char *name, unsigned depth)
{
	char path[PACKAGE_PATH_BYTES_MAX + 2 + NAME_MAX];
	struct err e = { 0 };
	struct stat st;

	snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", name);
	if (!bag_path_check(bytes_of(path), &e)) {
		told(r, path, REASON_MALFORMED, "this name may not stand in a package: %s", e.text);
		return;
	}
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		told(r, path, REASON_SYSTEM, "this cannot be looked at: %s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		walk_folder(r, folder_fd, name, path, depth);
	else if (!S_ISREG(st.st_mode))
		told(r, path, REASON_MALFORMED, "this is a %s; a package holds regular files only",
		     S_ISLNK(st.st_mode) ? "link" : "device, pipe or socket");
	else if ((st.st_mode & (S_ISUID | S_ISGID)) != 0)
		told(r, path, REASON_MALFORMED, "this file would run under another's rights (set-uid)");
	else
		add_file(r, path, (uint64_t)st.st_size);
}

/* Takes folder_fd. */
static void walk(struct reading *r, int folder_fd, const char *prefix, unsigned depth)
{
	DIR *dir = fdopendir(folder_fd);
	const struct dirent *d;
	bool empty = true;

	if (dir == NULL) {
		told(r, prefix, REASON_SYSTEM, "this folder cannot be read: %s", strerror(errno));
		close(folder_fd);
		return;
	}
	while (!r->full && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		empty = false;
		if (++r->entries > PACKAGE_FILES_MAX) {
			r->full = true;
			told(r, prefix[0] == '\0' ? "." : prefix, REASON_TOO_LARGE,
			     "a package holds at most %u files and folders", PACKAGE_FILES_MAX);
			break;
		}
		walk_entry(r, dirfd(dir), prefix, d->d_name, depth);
	}
	closedir(dir);
	if (empty && depth > 0 && strcmp(prefix, "data") != 0)
		told(r, prefix, REASON_FILE_EXTRA, "this empty folder is listed nowhere");
}

static int compare_files(const void *a, const void *b)
{
	return bytes_compare(bytes_of(((const struct bag_file *)a)->path), bytes_of(((const struct bag_file *)b)->path));
}

const struct bag_file *bag_find(const struct bag *b, const char *path)
{
	const struct bag_file key = { .path = (char *)(uintptr_t)path };

	return b->count == 0 ? NULL : bsearch(&key, b->files, b->count, sizeof(key), compare_files);
}

/* --- hashing ----------------------------------------------------------------------------------- */

static void hash_progress(void *ctx, uint64_t bytes)
{
	struct reading *r = ctx;

	r->done += bytes;
	if (r->w->progress != NULL)
		r->w->progress(r->w->ctx, r->done, r->total);
}

static bool hash_file(struct reading *r, struct bag_file *f, struct err *e)
{
	AUTO_FD fd = -1;

	if (!bag_open(r->dir_fd, f->path, &fd, e))
		return false;
	if (f->payload)
		return bag_hash_fd(r->hasher, fd, f->path, hash_progress, r, &f->digests, e);
	f->content.max = PACKAGE_TAG_BYTES_MAX - r->tag_bytes;
	if (!file_read_fd(fd, f->path, &f->content, e))
		return false;
	r->tag_bytes += f->content.len;
	bag_hash_bytes(r->hasher, buf_bytes(&f->content), &f->digests);
	hash_progress(r, f->content.len);
	return true;
}

static void hash_all(struct reading *r)
{
	for (size_t i = 0; i < r->bag->count; i++) {
		struct bag_file *f = &r->bag->files[i];
		struct err e = { 0 };

		f->read = hash_file(r, f, &e);
		if (!f->read)
			told(r, f->path, e.reason, "%s", e.text);
		if (f->payload && f->read) {
			r->bag->payload_files++;
			r->bag->payload_bytes += f->digests.size;
		}
	}
}

/* --- files against manifests ------------------------------------------------------------------- */

static bool load_manifest(const struct reading *r, const char *name, size_t digest_bytes, struct bag_manifest *ret)
{
	const struct bag_file *f = bag_find(r->bag, name);
	struct err e = { 0 };

	if (f == NULL)
		told(r, name, REASON_FILE_MISSING, "this manifest is missing; a package has SHA-256 and SHA-512 of everything");
	else if (f->read && !bag_manifest_parse(buf_bytes(&f->content), digest_bytes, ret, &e))
		told(r, name, e.reason, "%s", e.text);
	else
		return f->read;
	return false;
}

static void judge_digest(const struct reading *r, const struct pair *p, const struct bag_file *f,
			 const struct bag_line *const l[2])
{
	bool wrong[2] = { l[0] != NULL && memcmp(l[0]->digest, f->digests.sha256, SHA256_BYTES) != 0,
			  l[1] != NULL && memcmp(l[1]->digest, f->digests.sha512, SHA512_BYTES) != 0 };

	if (wrong[0] && wrong[1])
		told(r, f->path, REASON_DIGEST_MISMATCH, "this file is not what it was: neither its SHA-256 nor its SHA-512 is as listed");
	else if (wrong[0] || wrong[1])
		told(r, l[0] != NULL && l[1] != NULL ? (wrong[0] ? p->name256 : p->name512) : f->path, REASON_DIGEST_MISMATCH,
		     "%s has another %s than %s lists", f->path, wrong[0] ? "SHA-256" : "SHA-512",
		     wrong[0] ? p->name256 : p->name512);
}

static void judge_file(const struct reading *r, const struct pair *p, const struct bag_file *f)
{
	const struct bag_line *l[2] = { NULL, NULL };

	for (int i = 0; i < 2; i++)
		if (p->is[i])
			l[i] = bag_manifest_find(&p->m[i], bytes_of(f->path));
	if ((p->is[0] || p->is[1]) && l[0] == NULL && l[1] == NULL) {
		told(r, f->path, REASON_FILE_EXTRA, "this file was added: %s does not list it", p->name256);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (p->is[i] && l[i] == NULL)
			told(r, i == 0 ? p->name256 : p->name512, REASON_FILE_MISSING, "it does not list %s", f->path);
	if (f->read)
		judge_digest(r, p, f, l);
}

static void judge_lines(const struct reading *r, const struct pair *p, int which, bool payload)
{
	const struct bag_manifest *m = &p->m[which];
	const char *name = which == 0 ? p->name256 : p->name512;
	char path[PACKAGE_PATH_BYTES_MAX + 1];

	for (size_t i = 0; p->is[which] && i < m->count; i++) {
		struct bytes b = m->lines[i].path;

		snprintf(path, sizeof(path), "%.*s", (int)b.len, (const char *)b.at);
		if (bytes_starts(b, "data/") != payload || (!payload && (bytes_starts(b, "tagmanifest-") || bytes_is(b, BAG_SEAL))))
			told(r, name, REASON_FILE_EXTRA, "it lists %s, which does not belong there", path);
		else if (bag_find(r->bag, path) == NULL)
			told(r, path, REASON_FILE_MISSING, "this file was removed: %s lists it", name);
	}
}

static bool is_sealing(const char *path)
{
	return bytes_starts(bytes_of(path), "tagmanifest-") || strcmp(path, BAG_SEAL) == 0;
}

static void judge_group(const struct reading *r, bool payload)
{
	struct pair p = { .name256 = payload ? "manifest-sha256.txt" : BAG_TAGMANIFEST,
			  .name512 = payload ? "manifest-sha512.txt" : "tagmanifest-sha512.txt" };

	p.is[0] = load_manifest(r, p.name256, SHA256_BYTES, &p.m[0]);
	p.is[1] = load_manifest(r, p.name512, SHA512_BYTES, &p.m[1]);
	for (size_t i = 0; i < r->bag->count; i++) {
		const struct bag_file *f = &r->bag->files[i];

		if (f->payload == payload && !is_sealing(f->path))
			judge_file(r, &p, f);
		else if (!payload && strcmp(f->path, p.name256) != 0 && strcmp(f->path, p.name512) != 0 &&
			 bytes_starts(bytes_of(f->path), "tagmanifest-"))
			told(r, f->path, REASON_FILE_EXTRA, "a package has tag manifests in SHA-256 and SHA-512, no others");
	}
	judge_lines(r, &p, 0, payload);
	judge_lines(r, &p, 1, payload);
	bag_manifest_release(&p.m[0]);
	bag_manifest_release(&p.m[1]);
}

static void judge_declaration(const struct reading *r)
{
	const struct bag_file *f = bag_find(r->bag, "bagit.txt");

	if (f == NULL)
		told(r, "bagit.txt", REASON_FILE_MISSING, "this file is missing; it says that this folder is a BagIt package");
	else if (f->read && !bytes_is(buf_bytes(&f->content), BAG_DECLARATION))
		told(r, "bagit.txt", REASON_MALFORMED, "it does not say BagIt 1.0 in UTF-8 with exactly the bytes that the profile wants");
	if (bag_find(r->bag, "fetch.txt") != NULL)
		told(r, "fetch.txt", REASON_FILE_EXTRA, "a package holds all its files; it fetches none");
}

bool bag_read(int dir_fd, const struct bag_watch *w, struct bag **ret, struct err *e)
{
	struct reading r = { .dir_fd = dir_fd, .w = w };
	int top = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return err_system(e, "cannot open the package's folder");
	r.bag = calloc(1, sizeof(*r.bag));
	if (r.bag == NULL)
		abort();
	r.hasher = bag_hasher_new();
	walk(&r, top, "", 0);
	if (r.bag->count > 0)
		qsort(r.bag->files, r.bag->count, sizeof(*r.bag->files), compare_files);
	hash_all(&r);
	judge_declaration(&r);
	judge_group(&r, true);
	judge_group(&r, false);
	bag_hasher_free(r.hasher);
	*ret = r.bag;
	return true;
}

void bag_free(struct bag *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++) {
		free(b->files[i].path);
		buf_release(&b->files[i].content);
	}
	free(b->files);
	free(b);
}

void bag_free_at(struct bag **b)
{
	bag_free(*b);
	*b = NULL;
}
