/* The tree's hashes and checks, on paper-sized trees and on the published vectors of RFC 6962. */
#include <dirent.h>

#include "log/test-vectors.h"

static void hashes_as_the_rfc_says(void **state)
{
	merkle_hash h;
	char hex[65];

	merkle_empty(h);
	hex_write(BYTES_ARRAY(h), hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	merkle_leaf(bytes_of(""), h);
	hex_write(BYTES_ARRAY(h), hex);
	assert_string_equal(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	merkle_node(h, h, h); /* in place */
	hex_write(BYTES_ARRAY(h), hex);
	assert_string_equal(hex, "fe43d66afa4a9a5c4f9c9da89f4ffb52635c8f342e7ffb731d68e36c5982072a");
}

/* Two leaves, and three. */
static void refuses_what_is_almost_a_proof(void **state)
{
	merkle_hash a, b, c, ab, abc, empty, proof[3];

	merkle_empty(empty);
	merkle_leaf(bytes_of("a"), a);
	merkle_leaf(bytes_of("b"), b);
	merkle_leaf(bytes_of("c"), c);
	merkle_node(a, b, ab);
	merkle_node(ab, c, abc);
	memcpy(proof[0], b, 32);
	memcpy(proof[1], c, 32);
	memcpy(proof[2], c, 32);
	const merkle_hash *p = (const merkle_hash *)proof;
	assert_ok(merkle_check_inclusion(0, 3, a, p, 2, abc, e));
	assert_refused(merkle_check_inclusion(1, 3, a, p, 2, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_inclusion(0, 3, a, p, 1, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_inclusion(0, 3, a, p, 3, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_inclusion(3, 3, a, p, 2, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_inclusion(0, 0, a, p, 0, a, e), REASON_BAD_PROOF);
	assert_ok(merkle_check_consistency(2, 3, p + 1, 1, ab, abc, e));
	assert_refused(merkle_check_consistency(2, 3, p + 1, 1, abc, ab, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_consistency(3, 2, p + 1, 1, abc, ab, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_consistency(2, 3, p + 1, 2, ab, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_consistency(2, 3, p + 1, 0, ab, abc, e), REASON_BAD_PROOF);
	assert_ok(merkle_check_consistency(0, 3, p, 0, empty, abc, e));
	assert_refused(merkle_check_consistency(0, 3, p, 0, ab, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_consistency(0, 3, p, 1, empty, abc, e), REASON_BAD_PROOF);
	assert_ok(merkle_check_consistency(3, 3, p, 0, abc, abc, e));
	assert_refused(merkle_check_consistency(3, 3, p, 0, ab, abc, e), REASON_BAD_PROOF);
	assert_refused(merkle_check_consistency(3, 3, p, 1, abc, abc, e), REASON_BAD_PROOF);
}

/* 32 bytes of base64; false when it is something else, which no caller of ours could pass on. */
static bool hash_of(const char *text, merkle_hash ret)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 4096);
	if (!base64_parse(bytes_of(text), true, &b) || b.len != 32)
		return false;
	memcpy(ret, b.at, 32);
	return true;
}

static bool proof_of(const json_t *list, merkle_hash *ret, size_t *ret_count)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		if (i == PROOF_HASHES_MAX || !hash_of(json_string_value(json_array_get(list, i)), ret[i]))
			return false;
	*ret_count = n;
	return true;
}

static bool inclusion_holds(const json_t *v)
{
	merkle_hash leaf, root, proof[PROOF_HASHES_MAX];
	size_t count;

	return hash_of(json_text(v, "leafHash"), leaf) && hash_of(json_text(v, "root"), root) &&
	       proof_of(json_object_get(v, "proof"), proof, &count) &&
	       merkle_check_inclusion((uint64_t)json_int(v, "leafIdx"), (uint64_t)json_int(v, "treeSize"), leaf,
				      (const merkle_hash *)proof, count, root, NULL);
}

/* A subtree [start, end) begins at a multiple of the smallest power of two that holds it; inside, it is a tree. */
static bool subtree_inclusion_holds(const json_t *v)
{
	int64_t start = json_int(v, "start"), end = json_int(v, "end"), leaf = json_int(v, "leafIdx"), span = 1;
	merkle_hash hash, root, proof[PROOF_HASHES_MAX];
	size_t count;

	if (start < 0 || end <= start || leaf < start)
		return false;
	while (span < end - start)
		span *= 2;
	return start % span == 0 && hash_of(json_text(v, "leafHash"), hash) && hash_of(json_text(v, "root"), root) &&
	       proof_of(json_object_get(v, "proof"), proof, &count) &&
	       merkle_check_inclusion((uint64_t)(leaf - start), (uint64_t)(end - start), hash, (const merkle_hash *)proof, count, root,
				      NULL);
}

/* No protocol here proves that a subtree belongs to a tree: these are counted as skipped. */
static bool not_asked(const json_t *v)
{
	return false;
}

static bool consistency_holds(const json_t *v)
{
	merkle_hash a, b, proof[PROOF_HASHES_MAX];
	size_t count;

	return hash_of(json_text(v, "root1"), a) && hash_of(json_text(v, "root2"), b) &&
	       proof_of(json_object_get(v, "proof"), proof, &count) &&
	       merkle_check_consistency((uint64_t)json_int(v, "size1"), (uint64_t)json_int(v, "size2"),
					(const merkle_hash *)proof, count, a, b, NULL);
}

/* C2SP (tlog-witness) takes a size of 0 as the start of every tree, from which an empty proof leads
 * anywhere; the suite calls that an error. Its files for it all have, besides, a root that is not the
 * empty tree's or a proof that is not empty, so that both rules refuse them. What is left is one file
 * with two equal "roots" of 12 bytes, which ours cannot be given. */
static bool cannot_be_asked(const json_t *v)
{
	merkle_hash root;

	return json_object_get(v, "root1") != NULL && !hash_of(json_text(v, "root1"), root);
}

/* A file, a case: a line each. */
static void one_file(int dir_fd, const char *name, const char *path, bool (*holds)(const json_t *v), struct tally *t)
{
	AUTO_JSON *v = vectors_json(dir_fd, name);

	if (holds == not_asked) {
		tally_unread(path, 1, "no protocol here asks whether a subtree belongs to a tree");
		t->skipped++;
	} else if (v == NULL) {
		tally_unread(path, 1, "a number in it is beyond 64 bits");
		t->skipped++;
	} else if (holds(v) != json_bool(v, "wantErr")) {
		tally_file(t, path, true, NULL);
	} else if (cannot_be_asked(v)) {
		tally_unread(path, 1, "its roots have not 32 bytes, and ours cannot be given them");
		t->skipped++;
	} else {
		tally_file(t, path, false, json_text(v, "desc"));
	}
}

static void walk(int dir_fd, const char *path, bool (*holds)(const json_t *v), struct tally *t)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;
	char below[PATH_MAX];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%.1000s/%s", path, entry->d_name);
		int sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub >= 0)
			walk(sub, below, holds, t);
		else
			one_file(dirfd(dir), entry->d_name, below, holds, t);
	}
	closedir(dir);
}

static void agrees_with_the_published_vectors(void **state)
{
	static const struct {
		const char *folder;
		bool (*holds)(const json_t *v);
		unsigned least, skipped;
	} rows[] = {
		{ "inclusion", inclusion_holds, 90, 0 },
		{ "consistency", consistency_holds, 90, 1 },
		{ "subtreeinclusion", subtree_inclusion_holds, 100, 1 },
		{ "subtreeconsistency", not_asked, 0, 100 },
	};
	int fd = vectors_open("merkle-rfc6962");
	struct tally t[4] = { 0 };
	unsigned failed = 0;
	char path[64];

	if (fd < 0)
		skip();
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "merkle-rfc6962/%s", rows[i].folder);
		walk(openat(fd, rows[i].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, rows[i].holds, &t[i]);
		failed += t[i].failed;
	}
	close(fd);
	assert_int_equal(failed, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_true(t[i].passed >= rows[i].least);
		assert_true(rows[i].holds == not_asked ? t[i].skipped >= rows[i].skipped : t[i].skipped == rows[i].skipped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_the_rfc_says),
		cmocka_unit_test(refuses_what_is_almost_a_proof),
		cmocka_unit_test(agrees_with_the_published_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
