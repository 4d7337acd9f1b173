/* Writes a package: content first, each file read back and hashed as it lies on the disk; then what the
 * acts say, in order of time; then the manifests; then the seal over them. All of it grows under a
 * temporary name and gets its own only when it is complete and on the disk, so that a folder with the
 * package's name is a package. What went wrong leaves nothing behind. */
#include "evidence/package.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "evidence/custody.h"
#include "evidence/package-internal.h"
#include "statement/act.h"

struct written {
	char *path;
	struct bag_digests digests;
};

struct sorted_act {
	struct act *act;
	const struct package_act *from;
	size_t index;
};

struct writing {
	const struct package_input *in;
	int dir_fd;
	struct bag_hasher *hasher;
	struct written *files;
	size_t count, room;
	uint64_t payload_bytes, payload_files;
	struct sorted_act *acts;             /* in order of time */
	const struct statement **statements; /* as acts */
};

/* --- files ------------------------------------------------------------------------------------- */

static void note_file(struct writing *w, const char *path, const struct bag_digests *d)
{
	if (w->count == w->room) {
		w->room = w->room == 0 ? 64 : 2 * w->room;
		w->files = realloc(w->files, w->room * sizeof(*w->files));
		if (w->files == NULL)
			abort();
	}
	w->files[w->count].path = strdup(path);
	if (w->files[w->count].path == NULL)
		abort();
	w->files[w->count++].digests = *d;
}

static bool create(const struct writing *w, const char *path, int *ret_fd, struct err *e)
{
	const char *slash = strrchr(path, '/');
	package_path folder;

	if (!bag_path_check(bytes_of(path), e))
		return err_note(e, "%s", path);
	if (slash != NULL) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (!dir_make(w->dir_fd, folder, 0755, e))
			return false;
	}
	*ret_fd = openat(w->dir_fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return *ret_fd >= 0 || err_system(e, "cannot create %s", path);
}

static bool put_file(struct writing *w, const char *path, struct bytes in, struct err *e)
{
	struct bag_digests d;
	AUTO_FD fd = -1;

	if (!create(w, path, &fd, e) || !file_write_all(fd, in, e))
		return err_note(e, "%s", path);
	bag_hash_bytes(w->hasher, in, &d);
	note_file(w, path, &d);
	return true;
}

static bool put_text(struct writing *w, const char *path, struct buf *text, struct err *e)
{
	return buf_check(text, path, e) && put_file(w, path, buf_bytes(text), e);
}

static bool put_exhibit(struct writing *w, const struct package_exhibit *x, struct err *e)
{
	package_path path;
	struct bag_digests d;
	AUTO_FD fd = -1;

	package_payload_path(bytes_of(x->id), bytes_of(x->name), path);
	if (!create(w, path, &fd, e) || !w->in->content(w->in->ctx, x, fd, e))
		return err_note(e, "exhibit %s", x->name);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_system(e, "cannot read %s back", path);
	if (!bag_hash_fd(w->hasher, fd, path, NULL, NULL, &d, e))
		return false;
	if (d.size != x->size || memcmp(d.sha256, x->sha256, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH, "exhibit %s: its content is not what was handed over", x->name);
	note_file(w, path, &d);
	w->payload_files++;
	w->payload_bytes += d.size;
	if (w->in->progress != NULL)
		w->in->progress(w->in->ctx, x->name, w->payload_files, w->in->exhibit_count);
	return true;
}

/* --- acts -------------------------------------------------------------------------------------- */

static int compare_acts(const void *a, const void *b)
{
	const struct sorted_act *x = a, *y = b;
	int64_t t = x->act->statement->time, u = y->act->statement->time;

	return t != u ? (t > u) - (t < u) : (x->index > y->index) - (x->index < y->index);
}

static bool load_acts(struct writing *w, struct err *e)
{
	size_t n = w->in->act_count;

	if (n > PACKAGE_ACTS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a package holds at most %u acts", PACKAGE_ACTS_MAX);
	w->acts = calloc(n + 1, sizeof(*w->acts));
	w->statements = calloc(n + 1, sizeof(*w->statements));
	if (w->acts == NULL || w->statements == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		w->acts[i].from = &w->in->acts[i];
		w->acts[i].index = i;
		if (!act_parse(w->in->acts[i].act, &w->acts[i].act, e))
			return err_note(e, "act %zu", i + 1);
	}
	if (n > 0)
		qsort(w->acts, n, sizeof(*w->acts), compare_acts);
	for (size_t i = 0; i < n; i++)
		w->statements[i] = w->acts[i].act->statement;
	return true;
}

/* Exhibits and the statements that hand them over are the same set. */
static bool check_exhibits(const struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->in->exhibit_count; i++) {
		const struct package_exhibit *x = &w->in->exhibits[i];
		size_t found = 0;

		for (size_t k = 0; k < w->in->act_count; k++)
			found += is_exhibit(w->statements[k]) && bytes_is(json_bytes(w->statements[k]->body, "exhibit"), x->id);
		if (found == 0)
			return err_set(e, ERR_INPUT, REASON_NOT_FOUND, "no act hands over the exhibit %s", x->name);
	}
	for (size_t k = 0; k < w->in->act_count; k++) {
		struct bytes id = json_bytes(w->statements[k]->body, "exhibit");
		bool found = !is_exhibit(w->statements[k]);

		for (size_t i = 0; i < w->in->exhibit_count && !found; i++)
			found = bytes_is(id, w->in->exhibits[i].id);
		if (!found)
			return err_set(e, ERR_INPUT, REASON_FILE_MISSING, "the content of exhibit %.*s is not here", (int)id.len,
				       (const char *)id.at);
	}
	return true;
}

static bool put_acts(struct writing *w, struct err *e)
{
	package_path path;

	for (size_t i = 0; i < w->in->act_count; i++) {
		const struct sorted_act *a = &w->acts[i];
		const char *kind = a->act->statement->kind->name;

		package_act_path(i + 1, kind, false, path);
		if (!put_file(w, path, a->from->act, e))
			return false;
		package_act_path(i + 1, kind, true, path);
		if (a->from->counterproof.len > 0 && !put_file(w, path, a->from->counterproof, e))
			return false;
	}
	return true;
}

/* --- what belongs to it ------------------------------------------------------------------------ */

static bool put_register(struct writing *w, struct err *e)
{
	const struct package_input *in = w->in;
	package_path path;

	if (in->bundle.len > 0 && !put_file(w, PACKAGE_REGISTER_PATH, in->bundle, e))
		return false;
	for (size_t i = 0; i < in->pin_count; i++) {
		AUTO_ACT *pin = NULL;

		if (!act_parse(in->pins[i], &pin, e))
			return err_note(e, "pin %zu", i + 1);
		snprintf(path, sizeof(path), "meta/pins/%s.json", json_text(pin->statement->body, "code"));
		if (!put_file(w, path, in->pins[i], e))
			return false;
	}
	for (size_t i = 0; i < in->checkpoint_count; i++) {
		snprintf(path, sizeof(path), "meta/checkpoints/%s.txt", in->checkpoint_parties[i]);
		if (!put_file(w, path, in->checkpoints[i], e))
			return false;
	}
	return true;
}

static bool put_readme(struct writing *w, struct err *e)
{
	char when[TIME_TEXT_LEN + 1];
	AUTO_BUF out = { 0 };

	buf_init(&out, 64 * KIB);
	time_write(w->in->now_ms, when);
	buf_add_format(&out, "Evidence package of %s (%s), case %s, made %s\n\n", w->in->party_name, w->in->party, w->in->case_ref, when);
	buf_add_text(&out,
		     "What is in it\n"
		     "  data/                  the exhibits, byte for byte as they were received\n"
		     "  meta/names.json        the names that the exhibits had\n"
		     "  meta/acts/             who asked, who approved, which court ordered, who handed over: signed\n"
		     "                         statements, oldest first, each with its proof that it stands in a log\n"
		     "  meta/custody.jsonld    who had the exhibits in hand, in CASE/UCO for other tools\n"
		     "  meta/register.json, meta/pins/   whose keys these are\n"
		     "  meta/checkpoints/      the last known state of each log\n"
		     "  seal/tagmanifest.json  the seal over everything else\n\n"
		     "How to check it without any special program, in this folder\n"
		     "  sha256sum --check --strict manifest-sha256.txt\n"
		     "  sha256sum --check --strict tagmanifest-sha256.txt\n"
		     "  This shows that no file was changed. It does not show who made the package.\n\n"
		     "How to check all of it, offline\n"
		     "  comity verify FOLDER --root FINGERPRINT\n"
		     "  FINGERPRINT is that of the trust root of the register (or of the pinned entry of the party that\n"
		     "  made the package). Get it from an authority that you trust, not from this package.\n");
	return put_text(w, PACKAGE_README_PATH, &out, e);
}

static bool put_meta(struct writing *w, struct err *e)
{
	AUTO_BUF names = { 0 }, custody = { 0 };

	buf_init(&names, PACKAGE_TAG_BYTES_MAX);
	buf_init(&custody, PACKAGE_TAG_BYTES_MAX);
	return put_acts(w, e) && put_register(w, e) && package_names(w->statements, w->in->act_count, &names, e) &&
	       put_text(w, PACKAGE_NAMES_PATH, &names, e) && chain_render(w->statements, w->in->act_count, &custody, e) &&
	       put_text(w, PACKAGE_CUSTODY_PATH, &custody, e) && put_readme(w, e);
}

static bool put_bag_files(struct writing *w, struct err *e)
{
	char when[TIME_TEXT_LEN + 1];
	struct bag_info b = { .organization = bytes_of(w->in->party_name), .case_ref = bytes_of(w->in->case_ref),
			      .party = bytes_of(w->in->party), .payload_bytes = w->payload_bytes,
			      .payload_files = w->payload_files };
	AUTO_BUF out = { 0 };

	buf_init(&out, 64 * KIB);
	time_write(w->in->now_ms, when);
	b.date = bytes_slice(bytes_of(when), 0, 10);
	return put_file(w, "bagit.txt", bytes_of(BAG_DECLARATION), e) && bag_info_write(&b, &out, e) &&
	       put_text(w, "bag-info.txt", &out, e);
}

static int compare_written(const void *a, const void *b)
{
	return bytes_compare(bytes_of(((const struct written *)a)->path), bytes_of(((const struct written *)b)->path));
}

/* Both manifests over the first n files: payload or tag files. */
static bool put_manifests(struct writing *w, bool payload, struct err *e)
{
	size_t n = w->count;
	AUTO_BUF in256 = { 0 }, in512 = { 0 };

	buf_init(&in256, PACKAGE_TAG_BYTES_MAX);
	buf_init(&in512, PACKAGE_TAG_BYTES_MAX);
	qsort(w->files, n, sizeof(*w->files), compare_written);
	for (size_t i = 0; i < n; i++) {
		struct bytes path = bytes_of(w->files[i].path);

		if (bytes_starts(path, "data/") != payload)
			continue;
		bag_line_write(path, BYTES_ARRAY(w->files[i].digests.sha256), &in256);
		bag_line_write(path, BYTES_ARRAY(w->files[i].digests.sha512), &in512);
	}
	return put_text(w, payload ? "manifest-sha256.txt" : BAG_TAGMANIFEST, &in256, e) &&
	       put_text(w, payload ? "manifest-sha512.txt" : "tagmanifest-sha512.txt", &in512, e);
}

static bool put_seal(struct writing *w, struct err *e)
{
	const struct bag_digests *d = NULL;
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->files[i].path, BAG_TAGMANIFEST) == 0)
			d = &w->files[i].digests;
	if (!w->in->seal(w->in->ctx, d->sha256, d->size, w->count, &act, e))
		return err_note(e, "seal");
	return put_text(w, BAG_SEAL, &act, e);
}

static bool write_all(struct writing *w, struct err *e)
{
	if (!load_acts(w, e) || !check_exhibits(w, e) || !dir_make(w->dir_fd, "data", 0755, e))
		return false;
	for (size_t i = 0; i < w->in->exhibit_count; i++)
		if (!put_exhibit(w, &w->in->exhibits[i], e))
			return false;
	return put_meta(w, e) && put_bag_files(w, e) && put_manifests(w, true, e) && put_manifests(w, false, e) &&
	       put_seal(w, e);
}

static void writing_release(struct writing *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->files[i].path);
	free(w->files);
	for (size_t i = 0; w->acts != NULL && i < w->in->act_count; i++)
		act_free(w->acts[i].act);
	free(w->acts);
	free(w->statements);
	bag_hasher_free(w->hasher);
}

/* Empties and removes a folder that we made. */
static void remove_tree(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 && unlinkat(fd, d->d_name, 0) != 0)
			remove_tree(fd, d->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static bool publish(int dir_fd, const char *part, const char *path, struct err *e)
{
	/* Everything at once: a sync for each of thousands of small files would take minutes. */
	if (syncfs(dir_fd) != 0)
		return err_system(e, "cannot sync %s", part);
	if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
		return err_system(e, "cannot give the package its name %s", path);
	return syncfs(dir_fd) == 0 || err_system(e, "cannot sync %s", path);
}

bool package_write(const char *path, const struct package_input *in, struct err *e)
{
	struct writing w = { .in = in, .dir_fd = -1 };
	size_t len = strlen(path);
	char own[PATH_MAX], part[PATH_MAX + 8];
	struct stat st;
	AUTO_FD fd = -1;
	bool ok;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(own))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "this is no path for a package");
	snprintf(own, sizeof(own), "%.*s", (int)len, path);
	snprintf(part, sizeof(part), "%s.part", own);
	if (lstat(own, &st) == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s exists already; a package is written into a new folder", own);
	if (mkdir(part, 0755) != 0)
		return errno == EEXIST ? err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
						 "%s is left from before; remove it and try again", part) :
					 err_system(e, "cannot make %s", part);
	fd = open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open %s", part);
	w.dir_fd = fd;
	w.hasher = bag_hasher_new();
	ok = write_all(&w, e) && publish(fd, part, own, e);
	writing_release(&w);
	if (!ok)
		remove_tree(AT_FDCWD, part);
	return ok;
}
