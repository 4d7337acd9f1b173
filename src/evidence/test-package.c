/* Packages: what was written verifies, with and without a root, and nothing that is changed stays unnoticed
 * or unnamed. */
#include "evidence/test-scene.h"

#include "evidence/bagit.h"

static void verifies_what_was_written(void **state)
{
	json_t *report;

	scene_play();
	package_made();
	report = verified(fingerprint);
	must_be(report, "intact");
	assert_int_equal(verify_status(report), 0);
	assert_int_equal(json_array_size(json_object_get(report, "exhibits")), 2);
	assert_int_equal(json_array_size(json_object_get(report, "acts")), SAID_COUNT);
	assert_string_equal(json_text(report, "case"), "XA-2026-17");
	assert_string_equal(json_text(report, "sealed_by"), "XA");
	json_decref(report);
}

static void says_unconfirmed_and_the_fingerprint_without_a_root(void **state)
{
	char hex[2 * SHA256_BYTES + 1];
	json_t *report;

	scene_play();
	package_made();
	report = verified(NULL);
	must_be(report, "intact-unconfirmed");
	assert_int_equal(verify_status(report), 0);
	hex_write(BYTES_ARRAY(fingerprint), hex);
	assert_string_equal(json_text(report, "fingerprint"), hex);
	json_decref(report);
}

static void refuses_another_root(void **state)
{
	uint8_t other[SHA256_BYTES];
	json_t *report;

	scene_play();
	package_made();
	memcpy(other, fingerprint, sizeof(other));
	other[31] ^= 1;
	report = verified(other);
	must_be(report, "broken");
	assert_true(names_reason(report, "root-mismatch"));
	assert_int_equal(json_array_size(json_object_get(report, "broken")), 1);
	assert_int_equal(verify_status(report), 1);
	json_decref(report);
}

static void a_pin_confirms_its_own_party_only(void **state)
{
	scene_play();
	scene.only_pins = true;
	package_made();
	for (size_t i = 0; i < 3; i++) {
		json_t *report = verified(i == 0 ? NULL : scene.pin_hash[i - 1]);

		must_be(report, "intact-unconfirmed");
		for (size_t k = 0; k < 2; k++) {
			const json_t *p = json_array_get(json_object_get(report, "parties"), k);

			assert_int_equal(json_bool(p, "confirmed"), i > 0 && strcmp(json_text(p, "code"), i == 1 ? "XA" : "XR") == 0);
		}
		json_decref(report);
	}
}

/* --- every byte -------------------------------------------------------------------------------- */

static void ignored(void *ctx, const char *what, enum reason reason, const char *text)
{
}

/* The paths of the package as it stands. */
static struct bag *files_of(void)
{
	const struct bag_watch w = { .problem = ignored };
	AUTO_FD fd = open(scene.package, O_RDONLY | O_DIRECTORY);
	struct bag *b = NULL;

	assert_true(fd >= 0);
	assert_true(bag_read(fd, &w, &b, NULL));
	return b;
}

static void path_of(const char *name, char ret[static 400])
{
	snprintf(ret, 400, "%s/%s", scene.package, name);
}

static void is_broken_and_named(const char *what, const char *how)
{
	json_t *report = verified(fingerprint);
	char *dump = json_dumps(json_object_get(report, "broken"), 0);

	if (strcmp(json_text(report, "result"), "broken") != 0 || !names(report, what) || verify_status(report) != 1)
		fail_msg("%s %s: %s, %s", what, how, json_text(report, "result"), dump);
	free(dump);
	json_decref(report);
}

static void flip(const char *name, off_t at)
{
	char path[400];
	uint8_t byte;
	AUTO_FD fd = -1;

	path_of(name, path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x01;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void names_the_file_of_one_flipped_byte(void **state)
{
	AUTO_BAG *b = NULL;
	json_t *report;

	scene_play();
	package_made();
	b = files_of();
	assert_true(b->count > 30);
	for (size_t i = 0; i < b->count; i++) {
		off_t size = (off_t)b->files[i].digests.size, at[3] = { 0, size / 2, size - 1 };

		assert_true(size > 0);
		for (size_t k = 0; k < 3; k++) {
			flip(b->files[i].path, at[k]);
			is_broken_and_named(b->files[i].path, k == 0 ? "flipped first" : k == 1 ? "flipped middle" : "flipped last");
			flip(b->files[i].path, at[k]);
		}
	}
	report = verified(fingerprint);
	must_be(report, "intact");
	json_decref(report);
}

static void names_the_file_that_was_removed_or_cut_or_grew(void **state)
{
	char path[400], away[400];
	AUTO_BAG *b = NULL;

	scene_play();
	package_made();
	b = files_of();
	for (size_t i = 0; i < b->count; i++) {
		off_t size = (off_t)b->files[i].digests.size;

		struct buf kept;

		buf_init(&kept, 4 * MIB);
		path_of(b->files[i].path, path);
		assert_true(file_read(AT_FDCWD, path, &kept, NULL));
		snprintf(away, sizeof(away), "%s/away", scene.folder);
		assert_int_equal(rename(path, away), 0);
		is_broken_and_named(b->files[i].path, "removed");
		assert_int_equal(rename(away, path), 0);
		assert_int_equal(truncate(path, size + 1), 0);
		is_broken_and_named(b->files[i].path, "grown");
		assert_int_equal(truncate(path, 0), 0);
		is_broken_and_named(b->files[i].path, "emptied");
		assert_int_equal(unlink(path), 0);
		assert_true(file_write(AT_FDCWD, path, buf_bytes(&kept), 0644, false, NULL));
		buf_release(&kept);
	}
}

static void names_both_statements_that_were_swapped(void **state)
{
	char one[400], two[400], away[400];
	AUTO_BAG *b = NULL;
	json_t *report;

	scene_play();
	package_made();
	b = files_of();
	for (size_t i = 1; i < b->count; i++) {
		if (!bytes_starts(bytes_of(b->files[i - 1].path), "meta/acts/") ||
		    !bytes_starts(bytes_of(b->files[i].path), "meta/acts/"))
			continue;
		path_of(b->files[i - 1].path, one);
		path_of(b->files[i].path, two);
		snprintf(away, sizeof(away), "%s/away", scene.folder);
		for (size_t twice = 0; twice < 2; twice++) {
			assert_int_equal(rename(one, away) | rename(two, one) | rename(away, two), 0);
			report = verified(fingerprint);
			must_be(report, twice == 0 ? "broken" : "intact");
			assert_true(twice == 1 || (names(report, b->files[i - 1].path) && names(report, b->files[i].path)));
			json_decref(report);
		}
	}
}

/* --- what does not belong there ---------------------------------------------------------------- */

static void put(const char *name, const char *text)
{
	char path[400];
	AUTO_FD fd = -1;

	path_of(name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_true(fd >= 0 && file_write_all(fd, bytes_of(text), NULL));
}

static void names_what_was_added(void **state)
{
	static const char *const names_of_added[] = { "data/extra.txt", "meta/acts/0099-order.json", "debug", "fetch.txt",
						      "manifest-md5.txt", "tagmanifest-md5.txt", "meta/.hidden", "seal/other.json",
						      "data/a0000000000000000000000000000001/second", "meta/pins/XL.json",
						      "meta/checkpoints/XL.txt", "name with space", "-rf" };
	char path[400];

	scene_play();
	package_made();
	path_of("meta/pins", path);
	mkdir(path, 0755);
	for (size_t i = 0; i < sizeof(names_of_added) / sizeof(names_of_added[0]); i++) {
		put(names_of_added[i], "x");
		is_broken_and_named(names_of_added[i], "added");
		path_of(names_of_added[i], path);
		assert_int_equal(unlink(path), 0);
	}
	is_broken_and_named("meta/pins", "empty folder");
}

static void refuses_links_pipes_and_deep_or_long_paths(void **state)
{
	char path[400], target[400], deep[400] = "data";

	scene_play();
	package_made();
	path_of("meta/README.txt", path);
	snprintf(target, sizeof(target), "%s/copy", scene.folder);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	is_broken_and_named("meta/README.txt", "replaced by a link to the same bytes");
	assert_int_equal(unlink(path) | mkfifo(path, 0644), 0);
	is_broken_and_named("meta/README.txt", "replaced by a pipe");
	assert_int_equal(unlink(path) | rename(target, path), 0);
	path_of("meta", path);
	assert_int_equal(rename(path, target) | symlink(target, path), 0);
	is_broken_and_named("meta", "replaced by a link to the same folder");
	assert_int_equal(unlink(path) | rename(target, path), 0);
	for (size_t i = 0; i < PACKAGE_DEPTH_MAX; i++) {
		snprintf(deep + strlen(deep), sizeof(deep) - strlen(deep), "/d");
		path_of(deep, path);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	is_broken_and_named(deep, "too deep");
	assert_int_equal(rmdir(path), 0);
	snprintf(deep, sizeof(deep), "data/%0251d", 1);
	path_of(deep, path);
	put(deep, "x");
	is_broken_and_named(deep, "too long");
}

/* The manifests made right again by somebody who cannot seal. */
static void names_the_list_of_files_when_all_manifests_were_made_again(void **state)
{
	char command[1200];
	json_t *report;

	scene_play();
	package_made();
	flip("data/a0000000000000000000000000000002/mail_box___.mbox", 3);
	snprintf(command, sizeof(command),
		 "cd '%s' && export LC_ALL=C && for a in 256 512; do "
		 "find data -type f | sort | xargs sha${a}sum > manifest-sha$a.txt; done && for a in 256 512; do "
		 "find . -type f ! -path './data/*' ! -name 'tagmanifest*' | sed 's/^..//' | sort | xargs sha${a}sum > ../t$a; done && "
		 "for a in 256 512; do mv ../t$a tagmanifest-sha$a.txt; done",
		 scene.package);
	assert_int_equal(system(command), 0);
	report = verified(fingerprint);
	must_be(report, "broken");
	assert_true(names(report, "tagmanifest-sha256.txt"));
	assert_true(names(report, "data/a0000000000000000000000000000002/mail_box___.mbox"));
	assert_true(names_reason(report, "seal-broken"));
	json_decref(report);
}

static void coreutils_alone_check_it(void **state)
{
	char command[400];

	scene_play();
	package_made();
	snprintf(command, sizeof(command),
		 "cd '%s' && for a in 256 512; do sha${a}sum --strict --quiet -c manifest-sha$a.txt tagmanifest-sha$a.txt; done",
		 scene.package);
	assert_int_equal(system(command), 0);
}

static void writes_nothing_when_the_content_is_another(void **state)
{
	struct err e = { 0 };
	char part[200];

	scene_play();
	scene.wrong_content = "something else";
	assert_false(scene_package(&e));
	assert_int_equal(e.reason, REASON_DIGEST_MISMATCH);
	snprintf(part, sizeof(part), "%s.part", scene.package);
	assert_int_equal(access(scene.package, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
	scene.wrong_content = NULL;
	package_made();
	assert_false(scene_package(&e)); /* nothing is written over */
	assert_int_equal(e.reason, REASON_WRONG_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)
		T(verifies_what_was_written),
		T(says_unconfirmed_and_the_fingerprint_without_a_root),
		T(refuses_another_root),
		T(a_pin_confirms_its_own_party_only),
		T(names_the_file_of_one_flipped_byte),
		T(names_the_file_that_was_removed_or_cut_or_grew),
		T(names_both_statements_that_were_swapped),
		T(names_what_was_added),
		T(refuses_links_pipes_and_deep_or_long_paths),
		T(names_the_list_of_files_when_all_manifests_were_made_again),
		T(coreutils_alone_check_it),
		T(writes_nothing_when_the_content_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
