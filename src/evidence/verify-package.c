/* A whole package: the bag, then who says what in it. Reading goes on after something broken was found, so
 * that the report names everything; what cannot be read is simply absent from the later checks. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "evidence/custody.h"
#include "evidence/verify-internal.h"

static void bag_problem(void *ctx, const char *what, enum reason reason, const char *text)
{
	verify_broken(ctx, what, reason, "%s", text);
}

static void bag_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct verification *v = ctx;

	if (v->o->progress != NULL)
		v->o->progress(v->o->ctx, done, total);
}

static struct bytes content(const struct verification *v, const char *path)
{
	const struct bag_file *f = bag_find(v->bag, path);

	return f == NULL || !f->read ? (struct bytes){ 0 } : buf_bytes(&f->content);
}

/* Cuts "meta/pins/" and ".json" off. */
static bool between(const char *path, const char *prefix, const char *suffix, char *ret, size_t room)
{
	size_t len = strlen(path), before = strlen(prefix), after = strlen(suffix);

	if (len <= before + after || len - before - after >= room || strncmp(path, prefix, before) != 0 ||
	    strcmp(path + len - after, suffix) != 0)
		return false;
	memcpy(ret, path + before, len - before - after);
	ret[len - before - after] = '\0';
	return true;
}

/* --- acts -------------------------------------------------------------------------------------- */

/* "0001-order" or "0001-order.counterproof", between "meta/acts/" and ".json". */
static bool act_number(const char *name, size_t *ret)
{
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		n = 10 * n + (size_t)(name[i] - '0');
	}
	*ret = n;
	return name[4] == '-' && n > 0;
}

static void take_file(struct verification *v, const struct bag_file *f, struct verified_act *slots)
{
	char name[PACKAGE_PATH_BYTES_MAX + 1];
	struct err e = { 0 };
	package_path expected;
	struct act *a = NULL;
	size_t n;

	if (!between(f->path, "meta/acts/", ".json", name, sizeof(name)) || !act_number(name, &n)) {
		verify_broken(v, f->path, REASON_FILE_EXTRA, "no such file belongs among the acts");
		return;
	}
	if (strstr(name, ".counterproof") != NULL) {
		if (slots[n].counter_file[0] != '\0') {
			verify_broken(v, f->path, REASON_FILE_EXTRA, "there are two counterproofs with number %zu", n);
			return;
		}
		snprintf(slots[n].counter_file, sizeof(package_path), "%s", f->path);
		slots[n].counterproof = buf_bytes(&f->content);
		return;
	}
	if (!f->read)
		return;
	if (!act_parse(buf_bytes(&f->content), &a, &e)) {
		verify_broken_err(v, f->path, &e);
		return;
	}
	package_act_path(n, a->statement->kind->name, false, expected);
	if (strcmp(expected, f->path) != 0)
		verify_broken(v, f->path, REASON_UNKNOWN_KIND, "this file holds a %s", a->statement->kind->name);
	if (slots[n].act != NULL) {
		verify_broken(v, f->path, REASON_FILE_EXTRA, "there are two acts with number %zu", n);
		act_free(a);
		return;
	}
	slots[n].act = a;
	snprintf(slots[n].file, sizeof(package_path), "%s", f->path);
}

static void check_slot(struct verification *v, const struct verified_act *s, size_t n, const struct verified_act *before)
{
	package_path expected;

	if (s->act == NULL) {
		verify_broken(v, s->counter_file[0] != '\0' ? s->counter_file : "meta/acts", REASON_FILE_MISSING,
			      "act number %zu cannot be read or is not there", n);
		return;
	}
	package_act_path(n, s->act->statement->kind->name, true, expected);
	if (s->counter_file[0] != '\0' && strcmp(expected, s->counter_file) != 0)
		verify_broken(v, s->counter_file, REASON_FILE_EXTRA, "this is not the name of a counterproof to %s", s->file);
	if (before != NULL && before->act->statement->time > s->act->statement->time)
		verify_broken(v, s->file, REASON_INCONSISTENT, "acts stand in order of time; this one is older than the one before");
}

static void load_acts(struct verification *v)
{
	struct verified_act *slots = calloc(PACKAGE_ACTS_MAX + 1, sizeof(*slots));
	const struct verified_act *before = NULL;
	size_t last = 0;

	if (slots == NULL)
		abort();
	for (size_t i = 0; i < v->bag->count; i++) {
		const char *path = v->bag->files[i].path;
		size_t n;

		if (!bytes_starts(bytes_of(path), "meta/acts/"))
			continue;
		take_file(v, &v->bag->files[i], slots);
		if (act_number(path + strlen("meta/acts/"), &n) && n > last)
			last = n;
	}
	v->acts = calloc(last + 1, sizeof(*v->acts));
	v->statements = calloc(last + 1, sizeof(*v->statements));
	if (v->acts == NULL || v->statements == NULL)
		abort();
	for (size_t n = 1; n <= last; n++) {
		check_slot(v, &slots[n], n, before);
		if (slots[n].act == NULL)
			continue;
		v->acts[v->act_count] = slots[n];
		v->statements[v->act_count++] = slots[n].act->statement;
		before = &slots[n];
	}
	free(slots);
	if (v->act_count == 0)
		verify_broken(v, "meta/acts", REASON_FILE_MISSING, "the package holds no act");
}

/* --- the closed profile ------------------------------------------------------------------------ */

static bool is_known(const char *path)
{
	static const char *const fixed[] = { "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt",
					     BAG_TAGMANIFEST, "tagmanifest-sha512.txt", BAG_SEAL, PACKAGE_CUSTODY_PATH,
					     PACKAGE_NAMES_PATH, PACKAGE_README_PATH, PACKAGE_REGISTER_PATH };
	char name[PACKAGE_PATH_BYTES_MAX + 1];

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(path, fixed[i]) == 0)
			return true;
	return bytes_starts(bytes_of(path), "data/") || bytes_starts(bytes_of(path), "meta/acts/") ||
	       (between(path, "meta/pins/", ".json", name, sizeof(name)) && strchr(name, '/') == NULL) ||
	       (between(path, "meta/checkpoints/", ".txt", name, sizeof(name)) && strchr(name, '/') == NULL);
}

static void check_profile(struct verification *v)
{
	static const char *const must[] = { "bag-info.txt", PACKAGE_CUSTODY_PATH, PACKAGE_NAMES_PATH, PACKAGE_README_PATH, BAG_SEAL };
	struct bytes info = content(v, "bag-info.txt");
	struct err e = { 0 };

	for (size_t i = 0; i < v->bag->count; i++)
		if (!is_known(v->bag->files[i].path))
			verify_broken(v, v->bag->files[i].path, REASON_FILE_EXTRA, "no such file belongs to a package");
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		if (bag_find(v->bag, must[i]) == NULL)
			verify_broken(v, must[i], REASON_FILE_MISSING, "this file belongs to every package");
	if (info.at == NULL)
		return;
	if (!bag_info_parse(info, &v->info, &e)) {
		verify_broken_err(v, "bag-info.txt", &e);
		v->info = (struct bag_info){ 0 };
		return;
	}
	json_put_bytes(v->report, "case", v->info.case_ref);
	json_put_bytes(v->report, "made_by", v->info.organization);
	json_put_bytes(v->report, "made_by_party", v->info.party);
	if (v->info.payload_bytes != v->bag->payload_bytes || v->info.payload_files != v->bag->payload_files)
		verify_broken(v, "bag-info.txt", REASON_INCONSISTENT, "it counts %llu bytes in %llu files, there are %llu in %llu",
			      (unsigned long long)v->info.payload_bytes, (unsigned long long)v->info.payload_files,
			      (unsigned long long)v->bag->payload_bytes, (unsigned long long)v->bag->payload_files);
}

/* --- content against statements ---------------------------------------------------------------- */

static void check_payload_file(struct verification *v, const struct bag_file *f, const package_path *paths)
{
	bool found = false;

	for (size_t k = 0; k < v->act_count; k++) {
		const json_t *body = v->statements[k]->body;
		uint8_t digest[SHA256_BYTES];

		if (paths[k][0] == '\0' || strcmp(paths[k], f->path) != 0)
			continue;
		if (f->read && (!hex_parse(json_bytes(body, "sha256"), digest, sizeof(digest)) ||
				memcmp(digest, f->digests.sha256, sizeof(digest)) != 0 ||
				(uint64_t)json_int(body, "size") != f->digests.size))
			verify_broken(v, f->path, REASON_DIGEST_MISMATCH, "this is not the content that %s hands over", v->acts[k].file);
		found = true;
	}
	if (!found)
		verify_broken(v, f->path, REASON_FILE_EXTRA, "no act in the package hands this file over");
}

static void check_payload(struct verification *v)
{
	package_path *paths = calloc(v->act_count + 1, sizeof(*paths));
	size_t before = verify_broken_count(v), exhibits = 0;

	if (paths == NULL)
		abort();
	for (size_t k = 0; k < v->act_count; k++) {
		const json_t *body = v->statements[k]->body;

		if (!is_exhibit(v->statements[k]))
			continue;
		exhibits++;
		package_payload_path(json_bytes(body, "exhibit"), json_bytes(body, "name"), paths[k]);
		if (bag_find(v->bag, paths[k]) == NULL)
			verify_broken(v, paths[k], REASON_FILE_MISSING, "%s hands this file over, and it is not here", v->acts[k].file);
	}
	for (size_t i = 0; i < v->bag->count; i++)
		if (v->bag->files[i].payload)
			check_payload_file(v, &v->bag->files[i], paths);
	free(paths);
	if (exhibits == 1 && verify_broken_count(v) == before)
		verify_check(v, "exhibits", true, "the exhibit is here, with the digest that was signed when it was handed over");
	else if (exhibits > 1 && verify_broken_count(v) == before)
		verify_check(v, "exhibits", true, "all %zu exhibits are here, with the digests that were signed when they were handed over",
			     exhibits);
}

/* What follows from the acts must be exactly what lies beside them. */
static void check_same(struct verification *v, const char *path, struct buf *expected, bool ok, const char *what)
{
	if (!ok || bag_find(v->bag, path) == NULL)
		return;
	if (!bytes_equal(content(v, path), buf_bytes(expected)))
		verify_broken(v, path, REASON_INCONSISTENT, "%s differs from what the acts say", what);
	else
		verify_check(v, path, true, "%s is exactly what follows from the acts", what);
}

static void check_projections(struct verification *v)
{
	AUTO_BUF names = { 0 }, custody = { 0 };

	buf_init(&names, PACKAGE_TAG_BYTES_MAX);
	buf_init(&custody, PACKAGE_TAG_BYTES_MAX);
	check_same(v, PACKAGE_NAMES_PATH, &names, package_names(v->statements, v->act_count, &names, NULL), "the list of names");
	check_same(v, PACKAGE_CUSTODY_PATH, &custody, chain_render(v->statements, v->act_count, &custody, NULL),
		   "the custody graph");
}

/* --- register and seal ------------------------------------------------------------------------- */

static void load_seal(struct verification *v)
{
	struct bytes in = content(v, BAG_SEAL);
	struct err e = { 0 };

	if (in.at != NULL && !act_parse(in, &v->seal, &e))
		verify_broken_err(v, BAG_SEAL, &e);
}

static void load_register(struct verification *v)
{
	struct bytes bundle = content(v, PACKAGE_REGISTER_PATH);
	int64_t at_ms = v->seal != NULL ? v->seal->statement->time : clock_now_ms();
	char code[PARTY_CODE_LEN_MAX + 1];
	package_path what = PACKAGE_REGISTER_PATH;

	if (bundle.len > 0)
		verify_bundle(v, PACKAGE_REGISTER_PATH, bundle, at_ms);
	for (size_t i = 0; i < v->bag->count; i++) {
		const struct bag_file *f = &v->bag->files[i];

		if (!bytes_starts(bytes_of(f->path), "meta/pins/") || !f->read)
			continue;
		if (!between(f->path, "meta/pins/", ".json", code, sizeof(code)))
			verify_broken(v, f->path, REASON_FILE_EXTRA, "this is not the name of a pinned entry");
		else
			verify_pin(v, f->path, code, buf_bytes(&f->content));
		if (bundle.len == 0)
			snprintf(what, sizeof(what), "%s", f->path);
	}
	if (register_count(v->r) == 0)
		verify_broken(v, PACKAGE_REGISTER_PATH, REASON_BAD_REGISTER, "the package does not say whose keys these are");
	verify_root(v, what);
}

static void judge_seal(struct verification *v)
{
	const struct bag_file *sealed = bag_find(v->bag, BAG_TAGMANIFEST);
	size_t before = verify_broken_count(v);
	const struct statement *s = v->seal->statement;
	const json_t *object = json_object_get(s->body, "object");
	struct judgement j;
	struct err e = { 0 };
	uint8_t digest[SHA256_BYTES];
	char when[64];

	if (!is_custody(s) || !bytes_is(json_bytes(s->body, "act"), "package")) {
		verify_broken(v, BAG_SEAL, REASON_UNKNOWN_KIND, "this is not the act that seals a package");
		return;
	}
	if (!judge_act_on_record(v->seal, v->r, s->time, v->cache, &j, &e))
		verify_broken_err(v, BAG_SEAL, &e);
	if (v->info.party.len > 0 && !bytes_is(v->info.party, s->from))
		verify_broken(v, BAG_SEAL, REASON_WRONG_PARTY, "the package is said to be of %.*s, and %s sealed it",
			      (int)v->info.party.len, (const char *)v->info.party.at, s->from);
	if (sealed != NULL && sealed->read &&
	    (!hex_parse(json_bytes(object, "sha256"), digest, sizeof(digest)) ||
	     memcmp(digest, sealed->digests.sha256, sizeof(digest)) != 0 || (uint64_t)json_int(object, "size") != sealed->digests.size))
		verify_broken(v, BAG_TAGMANIFEST, REASON_SEAL_BROKEN, "it is not the list of files that %s sealed", s->from);
	time_write_people(s->time, v->o->offset_minutes, when);
	json_put_text(v->report, "sealed_by", s->from);
	json_put_time(v->report, "sealed_at", s->time);
	if (verify_broken_count(v) == before)
		verify_check(v, "seal", true, "%s sealed the list of all files at %s", s->from, when);
}

void verify_package(struct verification *v, int dir_fd, struct err *e)
{
	const struct bag_watch w = { .problem = bag_problem, .progress = bag_progress, .ctx = v };

	if (!bag_read(dir_fd, &w, &v->bag, e)) {
		verify_broken_err(v, ".", e);
		return;
	}
	check_profile(v);
	if (verify_broken_count(v) == 0)
		verify_check(v, "files", true, "all %zu files are as the manifests list them, and nothing was added or removed",
			     v->bag->count);
	load_acts(v);
	load_seal(v);
	load_register(v);
	if (v->seal != NULL)
		judge_seal(v);
	check_payload(v);
	verify_judge_all(v);
	verify_register_age(v);
	verify_checkpoints(v);
	verify_references(v);
	verify_custody(v);
	check_projections(v);
	verify_one_exercise(v);
	if (v->seal != NULL)
		verify_fingerprint(v, v->seal->statement->from);
	verify_tell_acts(v);
	verify_tell_exhibits(v);
	verify_tell_parties(v);
}
