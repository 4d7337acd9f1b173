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

#define TESSERA "tlog-tiles-tessera/log"
#define TESSERA_KEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

/* name: a checkpoint of that log, put beside its tiles. */
static bool audits(int from, int home, const char *name, const struct note_key *key, uint64_t size)
{
	struct log_audit a = { 0 };
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	return file_read(from, name, &note, NULL) && file_write(home, "checkpoint", buf_bytes(&note), 0644, false, NULL) &&
	       log_audit_files(home, key, NULL, NULL, &a, NULL) && a.leaves == size;
}

/* A partial bundle has that many entries, and the tile of that width their hashes; both are lines. */
static void partial_tile(int fd, unsigned width, struct tally *sum)
{
	char bundle[96], tile[96], name[160];
	struct bytes rest;
	bool ok;
	unsigned i = 0;
	AUTO_BUF entries = { 0 }, hashes = { 0 };

	buf_init(&entries, MIB);
	buf_init(&hashes, TILE_BYTES);
	tile_path(-1, 0, width, bundle);
	tile_path(0, 0, width, tile);
	ok = file_read(fd, bundle, &entries, NULL) && file_read(fd, tile, &hashes, NULL) && hashes.len == 32 * width;
	for (rest = buf_bytes(&entries); ok && i < width; i++) {
		merkle_hash leaf;
		size_t len = rest.len >= 2 ? (size_t)(rest.at[0] << 8 | rest.at[1]) : SIZE_MAX;

		ok = rest.len >= 2 && len <= rest.len - 2;
		if (!ok)
			break;
		merkle_leaf(bytes_from(rest.at + 2, len), leaf);
		ok = memcmp(leaf, hashes.at + 32 * i, 32) == 0;
		rest = bytes_from(rest.at + 2 + len, rest.len - 2 - len);
	}
	ok = ok && rest.len == 0;
	snprintf(name, sizeof(name), TESSERA "/%s", bundle);
	tally_file(sum, name, ok, "its entries hash to the tile of this width");
	snprintf(name, sizeof(name), TESSERA "/%s", tile);
	tally_file(sum, name, ok, "its hashes are those of the bundle of this width");
}

static void audits_tesseras_log_at_every_size(void **state)
{
	static const char *const own[] = { "publish.lock", "treeState", "treeState.lock", "version" };
	int fd = vectors_open(TESSERA);
	struct tally sum = { 0 };
	struct note_key key;
	struct test_home h;
	char link[PATH_MAX], name[64], path[128];

	if (fd < 0)
		skip();
	snprintf(link, sizeof(link), "%s/vectors/" TESSERA "/tile", getenv("COMITY_SHARED"));
	assert_ok(note_key_parse(bytes_of(TESSERA_KEY), &key, e));
	home_make(&h);
	char *real = realpath(link, NULL);
	assert_non_null(real);
	assert_int_equal(symlinkat(real, h.fd, "tile"), 0);
	free(real);
	for (unsigned size = 0; size <= 15; size++) {
		snprintf(name, sizeof(name), "checkpoint.%u", size);
		snprintf(path, sizeof(path), TESSERA "/%s", name);
		tally_file(&sum, path, audits(fd, h.fd, name, &key, size), NULL);
		if (size > 0)
			partial_tile(fd, size, &sum);
	}
	tally_file(&sum, TESSERA "/checkpoint", audits(fd, h.fd, "checkpoint", &key, 15), NULL);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(path, sizeof(path), TESSERA "/.state/%s", own[i]);
		tally_unread(path, 1, "what the program that wrote the log keeps for itself");
	}
	home_remove(&h);
	close(fd);
	assert_int_equal(sum.failed, 0);
	assert_int_equal(sum.passed, 16 + 2 * 15 + 1);
}

#define SUNLIGHT "tlog-witness-mirror-sunlight/testdata"
#define MIRROR "witness/mirror/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"

/* Of the CT log itself the tiles are dummy text: its checkpoint says the tree that its list entry says. */
static void ct_checkpoint(int fd, struct tally *sum)
{
	AUTO_JSON *list = vectors_json(fd, "tree/log.v3.json");
	const json_t *head = json_object_get(list, "final_tree_head");
	struct tally t = { .skipped = 1 };
	struct checkpoint c;
	struct note n;
	merkle_hash root;
	AUTO_BUF note = { 0 }, said = { 0 };

	buf_init(&note, 4096);
	buf_init(&said, 64);
	bool ok = base64_parse(json_bytes(head, "sha256_root_hash"), true, &said) && said.len == sizeof(root) &&
		  file_read(fd, "tree/checkpoint", &note, NULL) && note_parse(buf_bytes(&note), &n, NULL) &&
		  checkpoint_parse(n.text, &c, NULL) && (int64_t)c.size == json_int(head, "tree_size") &&
		  memcmp(c.root, said.at, sizeof(root)) == 0 && strcmp(c.origin, json_text(list, "description")) == 0;
	tally_case(&t, ok, "name, size and root");
	tally_print(&t, SUNLIGHT "/tree/checkpoint", "its signature is ECDSA by RFC 6962, which no log here has");
	tally_file(sum, SUNLIGHT "/tree/log.v3.json", ok, "the tree of its checkpoint");
	sum->passed += t.passed;
	sum->failed += t.failed;
}

/* The tiles of 300 leaves, and the checkpoint above them. */
static void tiles_of_300(const char *folder, struct tally *sum)
{
	static const struct {
		const char *name;
		size_t bytes;
	} files[] = { { "tile/0/000", TILE_BYTES }, { "tile/0/001.p/44", 44 * 32 }, { "tile/1/000.p/1", 32 } };
	char path[256];
	struct edge *g = calloc(1, sizeof(*g));
	struct checkpoint c;
	struct note n;
	merkle_hash root = { 0 };
	struct buf tile[3] = { 0 };
	bool there[3], ok = true;
	AUTO_BUF note = { 0 };

	assert_non_null(g);
	snprintf(path, sizeof(path), SUNLIGHT "/%s", folder);
	int fd = vectors_open(path);
	buf_init(&note, 4096);
	for (size_t i = 0; i < 3; i++) {
		buf_init(&tile[i], TILE_BYTES);
		there[i] = file_read(fd, files[i].name, &tile[i], NULL) && tile[i].len == files[i].bytes;
		ok = ok && there[i];
	}
	for (size_t i = 0; ok && i < 300; i++)
		ok = edge_push(g, i < 256 ? tile[0].at + i * 32 : tile[1].at + (i - 256) * 32, NULL, NULL, NULL);
	there[2] = ok && memcmp(tile[2].at, g->level[1].node[0], 32) == 0;
	ok = ok && file_read(fd, "checkpoint", &note, NULL) && note_parse(buf_bytes(&note), &n, NULL) &&
	     checkpoint_parse(n.text, &c, NULL) && c.size == 300;
	if (ok)
		edge_root(g, root);
	ok = ok && memcmp(root, c.root, 32) == 0;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), SUNLIGHT "/%s/%s", folder, files[i].name);
		tally_file(sum, path, there[i] && (ok || i == 2), i == 2 ? "the hash of the full tile below" : "with the other tiles it has the checkpoint's root");
		buf_release(&tile[i]);
	}
	snprintf(path, sizeof(path), SUNLIGHT "/%s/checkpoint", folder);
	tally_file(sum, path, ok, "its root is that of the tiles");
	free(g);
	close(fd);
}

static void builds_the_mirrors_tree_from_its_tiles(void **state)
{
	static const struct {
		const char *name, *why;
	} unread[] = {
		{ "tree/tile/0/000", "its content is dummy text" }, { "tree/tile/0/001.p/44", "its content is dummy text" },
		{ "tree/tile/1/000.p/1", "its content is dummy text" },
		{ "tree/tile/data/000", "its content is dummy text" }, { "tree/tile/data/001.p/44", "its content is dummy text" },
		{ "tree/tile/names/000", "its content is dummy text" },
		{ "tree/issuer/76a2d477b477d00f6fe635ec3faf0984b0584127ab6ea9c46b1dd569496b5c3d", "a certificate; no log here has any" },
		{ MIRROR "/tile/entries/000", "its content is dummy text" }, { MIRROR "/tile/entries/001.p/44", "its content is dummy text" },
		{ "skylight.yaml", "settings of another program" }, { "witness/checkpoint", "a decoy that is no checkpoint" },
		{ "witness/mirror/checkpoint", "a decoy that is no checkpoint" },
	};
	int fd = vectors_open(SUNLIGHT);
	struct tally sum = { 0 };
	char path[256];

	if (fd < 0)
		skip();
	tiles_of_300(MIRROR, &sum);
	ct_checkpoint(fd, &sum);
	close(fd);
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		snprintf(path, sizeof(path), SUNLIGHT "/%s", unread[i].name);
		tally_unread(path, 1, unread[i].why);
	}
	assert_int_equal(sum.failed, 0);
	assert_int_equal(sum.passed, 6);
}

static void reads_sigsums_checkpoint(void **state)
{
	int fd = vectors_open("sigsum");
	struct note_key key;
	struct checkpoint c;
	struct sign_key *k = NULL;
	struct tally sum = { 0 };
	AUTO_BUF note = { 0 };

	if (fd < 0)
		skip();
	buf_init(&note, 4096);
	assert_ok(file_read(fd, "checkpoint-valid.txt", &note, e));
	/* Its key is the seed 0x11 followed by zeros. */
	assert_ok(sign_key_parse(bytes_of("comity-key-v1 ed25519 1100000000000000000000000000000000000000000000000000000000000000\n"), &k, e));
	note_key_make("sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69", NOTE_ED25519,
		      sign_key_public(k), &key);
	tally_file(&sum, "sigsum/checkpoint-valid.txt", checkpoint_verify(buf_bytes(&note), &key, &c, NULL) && c.size == 10, NULL);
	tally_unread("sigsum/proof-size1.txt", 1, "sigsum's own format; the key and the message are not in it");
	tally_unread("sigsum/proof-size4.txt", 1, "sigsum's own format; the key and the message are not in it");
	assert_int_equal(sum.failed, 0);
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
