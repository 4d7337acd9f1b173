/* Bags: the profile's formats, and the published conformance suite. The suite's valid 1.0 bag has SHA-512
 * only and is refused by our stricter profile, for exactly that reason; its invalid bags are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "evidence/bagit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void accepts_safe_paths_only(void **state)
{
	static const char *const good[] = { "a", "data/x.txt", "data/a-b_c/D.0", "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d" };
	static const char *const bad[] = { "", "/", "/etc/passwd", "data/", "data//x", "..", "data/../x", "./x", "data/.hidden",
					   "data/-rf", "~root/x", "data/a b", "data/a\tb", "data/a\nb", "data/a%0Ab", "data\\x",
					   "data/\xc3\xa9", "C:x", "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d" };
	char path[PACKAGE_PATH_BYTES_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(bag_path_check(bytes_of(good[i]), NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bag_path_check(bytes_of(bad[i]), NULL))
			fail_msg("accepted %s", bad[i]);
	assert_false(bag_path_check(bytes_from("a\0b", 3), NULL));
	memset(path, 'a', sizeof(path));
	assert_true(bag_path_check(bytes_from(path, PACKAGE_PATH_BYTES_MAX), NULL));
	assert_false(bag_path_check(bytes_from(path, PACKAGE_PATH_BYTES_MAX + 1), NULL));
}

static void accepts_one_spelling_of_a_manifest(void **state)
{
	static const char *const good[] = { "", A64 "  data/a\n", A64 "  data/a\n" A64 "  data/b\n" };
	static const char *const bad[] = {
		A64 "  data/a", A64 " data/a\n", A64 " *data/a\n", A64 "\tdata/a\n", A64 "   data/a\n", A64 "  data/a\r\n",
		"\xef\xbb\xbf" A64 "  data/a\n", "A" A64 "  data/a\n", A64 "  data/b\n" A64 "  data/a\n",
		A64 "  data/a\n" A64 "  data/a\n", A64 "  ../a\n", A64 "  data/%25\n", A64 "  \n", "\n", A64 "\n",
		A64 "  data/a\n\n", A64 A64 "  data/a\n", "AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  data/a\n",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		AUTO_BAG_MANIFEST m = { 0 };
		AUTO_BUF again = { 0 };

		buf_init(&again, 4096);
		assert_true(bag_manifest_parse(bytes_of(good[i]), SHA256_BYTES, &m, NULL));
		for (size_t k = 0; k < m.count; k++)
			bag_line_write(m.lines[k].path, bytes_from(m.lines[k].digest, SHA256_BYTES), &again);
		assert_string_equal(buf_text(&again), good[i]);
		assert_int_equal(bag_manifest_find(&m, bytes_of("data/a")) != NULL, i > 0);
		assert_null(bag_manifest_find(&m, bytes_of("data/c")));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BAG_MANIFEST m = { 0 };

		if (bag_manifest_parse(bytes_of(bad[i]), SHA256_BYTES, &m, NULL))
			fail_msg("accepted %s", bad[i]);
	}
}

static void counts_the_lines_of_a_manifest(void **state)
{
	AUTO_BUF in = { 0 };

	buf_init(&in, PACKAGE_TAG_BYTES_MAX);
	for (size_t i = 0; i <= PACKAGE_FILES_MAX; i++) {
		AUTO_BAG_MANIFEST m = { 0 };

		if (i == PACKAGE_FILES_MAX) {
			assert_true(bag_manifest_parse(buf_bytes(&in), SHA256_BYTES, &m, NULL));
			assert_int_equal(m.count, PACKAGE_FILES_MAX);
		}
		buf_add_format(&in, A64 "  data/%06zu\n", i);
	}
	{
		AUTO_BAG_MANIFEST m = { 0 };
		struct err e = { 0 };

		assert_false(bag_manifest_parse(buf_bytes(&in), SHA256_BYTES, &m, &e));
		assert_int_equal(e.reason, REASON_TOO_LARGE);
	}
}

static void writes_bag_info_as_it_reads_it(void **state)
{
	static const char text[] = "Source-Organization: Arcadia\nExternal-Identifier: XA-2026-17\nInternal-Sender-Identifier: XA\n"
				   "Bagging-Date: 2026-11-23\nPayload-Oxum: 12.3\n";
	static const char *const bad[] = {
		"", "Source-Organization: Arcadia\n", "External-Identifier: XA-2026-17\nSource-Organization: Arcadia\n",
		"Source-Organization: A\nExternal-Identifier: c\nInternal-Sender-Identifier: XA\nBagging-Date: d\nPayload-Oxum: 012.3\n",
		"Source-Organization:  A\nExternal-Identifier: c\nInternal-Sender-Identifier: XA\nBagging-Date: d\nPayload-Oxum: 1.3\n",
		"Source-Organization: A\r\nExternal-Identifier: c\nInternal-Sender-Identifier: XA\nBagging-Date: d\nPayload-Oxum: 1.3\n",
		"Source-Organization: A\nExternal-Identifier: c\nInternal-Sender-Identifier: XA\nBagging-Date: d\nPayload-Oxum: 1.3\nX: y\n",
	};
	struct bag_info b;
	AUTO_BUF out = { 0 };

	buf_init(&out, 4096);
	assert_true(bag_info_parse(bytes_of(text), &b, NULL));
	assert_true(bytes_is(b.party, "XA"));
	assert_int_equal(b.payload_bytes, 12);
	assert_int_equal(b.payload_files, 3);
	assert_true(bag_info_write(&b, &out, NULL));
	assert_string_equal(buf_text(&out), text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bag_info_parse(bytes_of(bad[i]), &b, NULL));
	b.case_ref = bytes_of("two\nlines");
	assert_false(bag_info_write(&b, &out, NULL));
}

static void hashes_both_ways_in_one_read(void **state)
{
	/* FIPS 180-4, "abc" */
	struct bag_hasher *h = bag_hasher_new();
	char path[] = "/tmp/comity-hash-XXXXXX", hex[2 * SHA512_BYTES + 1];
	struct bag_digests d, e;
	int fd = mkstemp(path);

	bag_hash_bytes(h, bytes_of("abc"), &d);
	hex_write(BYTES_ARRAY(d.sha256), hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hex_write(BYTES_ARRAY(d.sha512), hex);
	assert_string_equal(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
				 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	assert_true(fd >= 0 && file_write_all(fd, bytes_of("abc"), NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(bag_hash_fd(h, fd, path, NULL, NULL, &e, NULL));
	assert_int_equal(e.size, 3);
	assert_memory_equal(d.sha256, e.sha256, SHA256_BYTES);
	assert_memory_equal(d.sha512, e.sha512, SHA512_BYTES);
	close(fd);
	unlink(path);
	bag_hasher_free(h);
}

/* 20 MiB and a bit: large enough for the lane, with a last block that is not full. */
static void hashes_a_large_file_as_its_bytes(void **state)
{
	struct bag_hasher *h = bag_hasher_new();
	char path[] = "/tmp/comity-hash-XXXXXX";
	size_t len = 20 * MIB + 4321;
	uint8_t *bytes = malloc(len);
	struct bag_digests d, e;
	int fd = mkstemp(path);

	assert_true(bytes != NULL && fd >= 0);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 13));
	assert_true(file_write_all(fd, bytes_from(bytes, len), NULL));
	bag_hash_bytes(h, bytes_from(bytes, len), &d);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(bag_hash_fd(h, fd, path, NULL, NULL, &e, NULL));
	assert_int_equal(e.size, len);
	assert_memory_equal(d.sha256, e.sha256, SHA256_BYTES);
	assert_memory_equal(d.sha512, e.sha512, SHA512_BYTES);
	close(fd);
	unlink(path);
	free(bytes);
	bag_hasher_free(h);
}

/* --- the conformance suite ----------------------------------------------------------------------- */

struct found {
	size_t count, missing_manifests;
	char first[200];
};

static void note(void *ctx, const char *what, enum reason reason, const char *text)
{
	struct found *f = ctx;

	if (f->count++ == 0)
		snprintf(f->first, sizeof(f->first), "%.60s: %.120s", what, text);
	f->missing_manifests += reason == REASON_FILE_MISSING && strstr(what, "manifest-sha256.txt") != NULL;
}

static bool read_vector(const char *name, struct found *ret)
{
	const char *shared = getenv("COMITY_SHARED");
	struct bag_watch w = { .problem = note, .ctx = ret };
	AUTO_BAG *b = NULL;
	char path[4096];
	AUTO_FD fd = -1;

	*ret = (struct found){ 0 };
	snprintf(path, sizeof(path), "%s/vectors/bagit/%s", shared == NULL ? "" : shared, name);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	return bag_read(fd, &w, &b, NULL);
}

static void refuses_the_valid_bag_only_for_its_missing_sha256(void **state)
{
	struct found f;

	assert_true(read_vector("v1.0/valid/basicBag", &f));
	assert_int_equal(f.missing_manifests, 2);
	assert_int_equal(f.count, 2);
}

static void refuses_the_invalid_bags(void **state)
{
	static const char *const bad[] = {
		"v1.0/invalid/same-filename-listed-twice-with-the-same-hash",
		"v1.0/invalid/same-filename-listed-twice-with-different-hashes",
		"v0.97/invalid/out-of-scope-file-paths-using-dot-notation-for-fetch",
		"v0.97/valid/bag-with-space",
		"v0.97/valid/bag-with-encoded-names",
		"v0.97/valid/ISO-8859-1-encoded-tag-files",
	};
	struct found f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(read_vector(bad[i], &f));
		if (f.count == 0)
			fail_msg("accepted %s", bad[i]);
	}
}

static void names_the_file_that_is_listed_twice(void **state)
{
	struct found f;

	assert_true(read_vector("v1.0/invalid/same-filename-listed-twice-with-different-hashes", &f));
	assert_non_null(strstr(f.first, "bagit.txt")); /* it has a space at the end of a line */
	assert_true(f.count > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_safe_paths_only),
		cmocka_unit_test(accepts_one_spelling_of_a_manifest),
		cmocka_unit_test(counts_the_lines_of_a_manifest),
		cmocka_unit_test(writes_bag_info_as_it_reads_it),
		cmocka_unit_test(hashes_both_ways_in_one_read),
		cmocka_unit_test(hashes_a_large_file_as_its_bytes),
		cmocka_unit_test(refuses_the_valid_bag_only_for_its_missing_sha256),
		cmocka_unit_test(refuses_the_invalid_bags),
		cmocka_unit_test(names_the_file_that_is_listed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
