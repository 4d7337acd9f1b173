/* Logs that other programs wrote: their checkpoints, tiles and bundles give the same trees here. */
#include "log/log-internal.h"

#include "log/test-vectors.h"

static void writes_paths_as_the_specification_does(void **state)
{
	static const struct {
		int level;
		uint64_t n;
		unsigned width;
		const char *path;
	} cases[] = {
		{ 0, 0, 0, "tile/0/000" },
		{ 0, 5, 256, "tile/0/005" },
		{ 0, 1234067, 0, "tile/0/x001/x234/067" },
		{ -1, 1234067, 15, "tile/entries/x001/x234/067.p/15" },
		{ 2, 1000, 255, "tile/2/x001/000.p/255" },
		{ 63, 36028797018963967, 1, "tile/63/x036/x028/x797/x018/x963/967.p/1" },
		{ -1, 36028797018963967, 255, "tile/entries/x036/x028/x797/x018/x963/967.p/255" },
	};
	char path[96];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tile_path(cases[i].level, cases[i].n, cases[i].width, path);
		assert_string_equal(path, cases[i].path);
	}
}

static void audits_tesseras_log_at_every_size(void **state)
{
	int fd = vectors_open("tlog-tiles-tessera/log");
	unsigned passed = 0, failed = 0;
	struct note_key key;
	struct test_home h;
	char link[PATH_MAX];

	if (fd < 0)
		skip();
	snprintf(link, sizeof(link), "%s/vectors/tlog-tiles-tessera/log/tile", getenv("COMITY_SHARED"));
	assert_ok(note_key_parse(bytes_of("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"), &key, e));
	home_make(&h);
	char *real = realpath(link, NULL);
	assert_non_null(real);
	assert_int_equal(symlinkat(real, h.fd, "tile"), 0);
	free(real);
	for (unsigned size = 0; size <= 15; size++) {
		char name[32];
		struct log_audit a = { 0 };
		struct err e = { 0 };
		AUTO_BUF note = { 0 };

		buf_init(&note, 4096);
		snprintf(name, sizeof(name), "checkpoint.%u", size);
		if (!file_read(fd, name, &note, &e) || !file_write(h.fd, "checkpoint", buf_bytes(&note), 0644, false, &e) ||
		    !log_audit_files(h.fd, &key, NULL, NULL, &a, &e) || a.leaves != size) {
			printf("  failed: %s: %s\n", name, e.text);
			failed++;
		} else {
			passed++;
		}
	}
	printf("tlog-tiles-tessera/log: %u passed, %u failed, 0 skipped\n", passed, failed);
	home_remove(&h);
	close(fd);
	assert_int_equal(failed, 0);
	assert_int_equal(passed, 16);
}

static void builds_the_mirrors_tree_from_its_tiles(void **state)
{
	int fd = vectors_open("tlog-witness-mirror-sunlight/testdata/witness/mirror/"
			      "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706");
	struct edge *g = calloc(1, sizeof(*g));
	struct checkpoint c;
	struct note n;
	merkle_hash root;
	AUTO_BUF note = { 0 }, full = { 0 }, partial = { 0 }, upper = { 0 };

	assert_non_null(g);
	if (fd < 0) {
		free(g);
		skip();
	}
	buf_init(&note, 4096);
	buf_init(&full, TILE_BYTES);
	buf_init(&partial, TILE_BYTES);
	buf_init(&upper, TILE_BYTES);
	assert_ok(file_read(fd, "checkpoint", &note, e));
	assert_ok(file_read(fd, "tile/0/000", &full, e));
	assert_ok(file_read(fd, "tile/0/001.p/44", &partial, e));
	assert_ok(file_read(fd, "tile/1/000.p/1", &upper, e));
	assert_int_equal(full.len, TILE_BYTES);
	assert_int_equal(partial.len, 44 * 32);
	for (size_t i = 0; i < 300; i++)
		assert_ok(edge_push(g, i < 256 ? full.at + i * 32 : partial.at + (i - 256) * 32, NULL, NULL, e));
	assert_int_equal(upper.len, 32);
	assert_memory_equal(upper.at, g->level[1].node[0], 32);
	assert_ok(note_parse(buf_bytes(&note), &n, e));
	assert_ok(checkpoint_parse(n.text, &c, e));
	assert_int_equal(c.size, 300);
	edge_root(g, root);
	assert_memory_equal(root, c.root, 32);
	printf("tlog-witness-mirror-sunlight/mirror: 1 passed, 0 failed, 0 skipped (the content of its bundles is dummy text)\n");
	free(g);
	close(fd);
}

static void reads_sigsums_checkpoint(void **state)
{
	int fd = vectors_open("sigsum");
	struct note_key key;
	struct checkpoint c;
	struct sign_key *k = NULL;
	AUTO_BUF note = { 0 };

	if (fd < 0)
		skip();
	buf_init(&note, 4096);
	assert_ok(file_read(fd, "checkpoint-valid.txt", &note, e));
	/* Its key is the seed 0x11 followed by zeros. */
	assert_ok(sign_key_parse(bytes_of("comity-key-v1 ed25519 1100000000000000000000000000000000000000000000000000000000000000\n"), &k, e));
	note_key_make("sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69", NOTE_ED25519,
		      sign_key_public(k), &key);
	assert_ok(checkpoint_verify(buf_bytes(&note), &key, &c, e));
	assert_int_equal(c.size, 10);
	printf("sigsum/checkpoint-valid.txt: 1 passed, 0 failed, 0 skipped\n");
	printf("sigsum/proofs: 0 passed, 0 failed, 2 skipped (sigsum's own format; the key and the message are not in them)\n");
	sign_key_free(k);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_paths_as_the_specification_does),
		cmocka_unit_test(audits_tesseras_log_at_every_size),
		cmocka_unit_test(builds_the_mirrors_tree_from_its_tiles),
		cmocka_unit_test(reads_sigsums_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
