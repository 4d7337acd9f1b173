/* The log over a real store and real files: every proof, the exact layout, and files that are always
 * what the store says, whatever happened to them. */
#include "log/log-internal.h"

#include <sys/stat.h>
#include <zlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/test-home.h"

#define ORIGIN "xa.example/log"

struct fixture {
	struct test_home home;
	struct store *s;
	struct log *l;
	struct sign_key *k;
	struct note_key key;
	int log_fd;
};

static void reopen(struct fixture *f)
{
	log_close(f->l);
	f->l = NULL;
	assert_ok(log_open(f->s, f->log_fd, ORIGIN, &f->l, e));
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	home_make(&f->home);
	assert_ok(dir_make(f->home.fd, "log", 0755, e));
	f->log_fd = openat(f->home.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(store_open(f->home.fd, &f->s, e));
	f->k = sign_key_new();
	note_key_make(ORIGIN, NOTE_ED25519, sign_key_public(f->k), &f->key);
	reopen(f);
}

static void end(struct fixture *f)
{
	log_close(f->l);
	store_close(f->s);
	sign_key_free(f->k);
	close(f->log_fd);
	home_remove(&f->home);
}

static size_t entry_write(uint64_t i, char out[static 32])
{
	return (size_t)snprintf(out, 32, "entry %llu", (unsigned long long)i);
}

static void append(struct fixture *f, uint64_t count)
{
	char entry[32];
	uint64_t index = 0;

	assert_ok(store_begin(f->s, e));
	for (uint64_t i = 0; i < count; i++) {
		uint64_t want = log_size(f->l);

		assert_ok(log_append(f->l, bytes_from(entry, entry_write(want, entry)), NULL, &index, e));
		assert_int_equal(index, want);
	}
	assert_ok(log_save(f->l, e));
	assert_ok(store_commit(f->s, e));
	log_committed(f->l);
}

static void note_of(struct fixture *f, struct buf *out)
{
	struct checkpoint c = { .origin = ORIGIN, .size = log_size(f->l) };
	AUTO_BUF text = { 0 };

	buf_init(&text, 1024);
	log_root(f->l, c.root);
	checkpoint_write(&c, &text);
	assert_ok(note_sign(buf_bytes(&text), ORIGIN, f->k, out, e));
}

static void publish(struct fixture *f)
{
	AUTO_BUF note = { 0 };

	buf_init(&note, 4096);
	note_of(f, &note);
	assert_ok(log_publish(f->l, buf_bytes(&note), e));
}

static void audit(struct fixture *f, uint64_t leaves)
{
	struct log_audit a;

	assert_ok(log_audit_files(f->log_fd, &f->key, NULL, NULL, &a, e));
	assert_int_equal(a.leaves, leaves);
}

static bool there(struct fixture *f, const char *path)
{
	return faccessat(f->log_fd, path, F_OK, 0) == 0;
}

/* MTH straight from RFC 6962's definition, for comparison. */
static void mth(uint64_t start, uint64_t count, merkle_hash ret)
{
	char entry[32];
	merkle_hash left, right;
	uint64_t k = 1;

	if (count == 0) {
		merkle_empty(ret);
		return;
	}
	if (count == 1) {
		merkle_leaf(bytes_from(entry, entry_write(start, entry)), ret);
		return;
	}
	while (2 * k < count)
		k *= 2;
	mth(start, k, left);
	mth(start + k, count - k, right);
	merkle_node(left, right, ret);
}

/* Every index under every size up to `max`, and every older size. */
static void prove_all(struct fixture *f, uint64_t max, uint64_t step)
{
	merkle_hash *roots = calloc(max + 1, sizeof(merkle_hash)), *leaves = calloc(max + 1, sizeof(merkle_hash));
	merkle_hash proof[PROOF_HASHES_MAX];
	size_t count = 0;

	assert_non_null(roots);
	assert_non_null(leaves);
	for (uint64_t n = 0; n <= max; n++) {
		mth(n, 1, leaves[n]);
		assert_ok(log_root_at(f->l, n, roots[n], e));
	}
	for (uint64_t n = 0; n <= max; n += step)
		for (uint64_t m = 0; m <= n; m++) {
			assert_ok(log_consistency(f->l, m, n, proof, &count, e));
			assert_ok(merkle_check_consistency(m, n, (const merkle_hash *)proof, count, roots[m], roots[n], e));
			if (m == n)
				continue;
			assert_ok(log_inclusion(f->l, m, n, proof, &count, e));
			assert_ok(merkle_check_inclusion(m, n, leaves[m], (const merkle_hash *)proof, count, roots[n], e));
		}
	free(roots);
	free(leaves);
}

static void proves_every_leaf_under_every_size(void **state)
{
	struct fixture f;
	merkle_hash root, want, proof[PROOF_HASHES_MAX];
	size_t count;

	begin(&f);
	append(&f, 600);
	for (uint64_t n = 0; n <= 600; n += 7) {
		assert_ok(log_root_at(f.l, n, root, e));
		mth(0, n, want);
		assert_memory_equal(root, want, SHA256_BYTES);
	}
	prove_all(&f, 600, 13); /* nothing published: from memory and the store */
	publish(&f);
	prove_all(&f, 600, 1);
	reopen(&f);
	prove_all(&f, 600, 13); /* from the files */
	assert_refused(log_inclusion(f.l, 600, 600, proof, &count, e), REASON_BAD_ARGUMENT);
	assert_refused(log_inclusion(f.l, 0, 601, proof, &count, e), REASON_BAD_ARGUMENT);
	assert_refused(log_consistency(f.l, 5, 4, proof, &count, e), REASON_BAD_ARGUMENT);
	assert_refused(log_root_at(f.l, 601, root, e), REASON_BAD_ARGUMENT);
	end(&f);
}

static unsigned widths_in(struct fixture *f, const char *path)
{
	unsigned n = 0;

	for (unsigned w = 1; w < TILE_WIDTH; w++) {
		char name[128];

		snprintf(name, sizeof(name), "%s/%u", path, w);
		n += there(f, name) ? 1 : 0;
	}
	return n;
}

/* The specification's example: 70,000 leaves. */
static void lays_out_70000_leaves_as_the_specification_does(void **state)
{
	struct fixture f;
	struct stat st;

	begin(&f);
	append(&f, 255);
	publish(&f);
	assert_true(there(&f, "tile/0/000.p/255"));
	assert_false(there(&f, "tile/1"));
	append(&f, 1);
	publish(&f);
	assert_true(there(&f, "tile/0/000"));
	assert_true(there(&f, "tile/entries/000"));
	assert_false(there(&f, "tile/0/000.p"));
	assert_false(there(&f, "tile/entries/000.p"));
	assert_false(there(&f, "tile/0/001.p")); /* no tile of width 0 */
	assert_true(there(&f, "tile/1/000.p/1"));
	append(&f, 65535 - 256);
	publish(&f);
	assert_true(there(&f, "tile/1/000.p/255"));
	assert_true(there(&f, "tile/1/000.p/1")); /* it had a checkpoint, and its tile is not full */
	append(&f, 70000 - 65535);
	publish(&f);
	assert_true(there(&f, "tile/0/272"));
	assert_false(there(&f, "tile/0/273"));
	assert_int_equal(fstatat(f.log_fd, "tile/0/273.p/112", &st, 0), 0);
	assert_int_equal(st.st_size, 112 * 32);
	assert_int_equal(widths_in(&f, "tile/0/273.p"), 1);
	assert_true(there(&f, "tile/1/000"));
	assert_false(there(&f, "tile/1/000.p"));
	assert_int_equal(fstatat(f.log_fd, "tile/1/001.p/17", &st, 0), 0);
	assert_int_equal(fstatat(f.log_fd, "tile/2/000.p/1", &st, 0), 0);
	assert_int_equal(st.st_size, 32);
	assert_true(there(&f, "tile/entries/273.p/112"));
	assert_false(there(&f, "tile/3"));
	audit(&f, 70000);

	merkle_hash proof[PROOF_HASHES_MAX], leaf, root;
	size_t count;
	for (int round = 0; round < 2; round++) {
		log_root(f.l, root);
		for (uint64_t i = 0; i < 70000; i += 311) {
			assert_ok(log_inclusion(f.l, i, 70000, proof, &count, e));
			mth(i, 1, leaf);
			assert_ok(merkle_check_inclusion(i, 70000, leaf, (const merkle_hash *)proof, count, root, e));
		}
		/* The second time without the upper tile: it is built again from those below. */
		assert_int_equal(unlinkat(f.log_fd, "tile/1/000", 0), 0);
		assert_int_equal(unlinkat(f.log_fd, "tile/0/077", 0), 0);
		reopen(&f);
	}
	audit(&f, 70000);
	end(&f);
}

static void forgets_what_was_rolled_back(void **state)
{
	struct fixture f;
	merkle_hash before, after, proof[PROOF_HASHES_MAX];
	size_t count;

	begin(&f);
	append(&f, 250);
	log_root(f.l, before);
	for (int round = 0; round < 2; round++) {
		assert_ok(store_begin(f.s, e));
		for (unsigned i = 0; i < 300; i++)
			assert_ok(log_append(f.l, bytes_of("not to be"), NULL, NULL, e));
		assert_ok(log_save(f.l, e));
		assert_ok(log_consistency(f.l, 100, 550, proof, &count, e));
		assert_refused(log_publish_tiles(f.l, e), REASON_WRONG_STATE);
		store_rollback(f.s);
		log_rollback(f.l);
		assert_int_equal(log_size(f.l), 250);
		log_root(f.l, after);
		assert_memory_equal(before, after, SHA256_BYTES);
	}
	append(&f, 350);
	mth(0, 600, before);
	log_root(f.l, after);
	assert_memory_equal(before, after, SHA256_BYTES);
	publish(&f);
	prove_all(&f, 600, 50);
	audit(&f, 600);
	assert_refused(log_append(f.l, bytes_of("no transaction"), NULL, NULL, e), REASON_WRONG_STATE);
	end(&f);
}

/* The full bundles lie there compressed, too, and give the same bytes. */
static void compressed(struct fixture *f, uint64_t bundles)
{
	for (uint64_t n = 0; n < bundles; n++) {
		char path[100];
		AUTO_BUF gz = { 0 }, plain = { 0 }, out = { 0 };

		buf_init(&gz, MIB);
		buf_init(&plain, MIB);
		buf_init(&out, MIB);
		tile_path(LEVEL_ENTRIES, n, TILE_WIDTH, path);
		assert_ok(file_read(f->log_fd, path, &plain, e));
		snprintf(path + strlen(path), sizeof(path) - strlen(path), ".gz");
		assert_ok(file_read(f->log_fd, path, &gz, e));
		z_stream z = { .next_in = gz.at, .avail_in = (uInt)gz.len, .next_out = buf_room(&out, MIB), .avail_out = MIB };
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		buf_grown(&out, z.total_out);
		assert_int_equal(inflateEnd(&z), Z_OK);
		assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&plain)));
	}
}

static void projects_again_what_the_files_lack(void **state)
{
	static const char *const lost[] = {
		"checkpoint", "tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001", "tile/0/002.p/88",
		"tile/entries/002.p/88", "tile/1/000.p/2", "tile/entries/000.gz", "tile/entries/001.gz",
	};
	struct fixture f;

	begin(&f);
	append(&f, 600);
	publish(&f);
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		for (int how = 0; how < 4; how++) {
			AUTO_FD fd = openat(f.log_fd, lost[i], O_WRONLY | O_CLOEXEC);

			assert_true(fd >= 0);
			/* Missing, emptied or cut by a power cut, or (what is read again) with other bytes. */
			if (how == 0)
				assert_int_equal(unlinkat(f.log_fd, lost[i], 0), 0);
			else if (how == 1)
				assert_int_equal(ftruncate(fd, 0), 0);
			else if (how == 2)
				assert_int_equal(ftruncate(fd, 50), 0);
			else if (strstr(lost[i], "entries/000") == NULL)
				assert_int_equal(pwrite(fd, "damage", 6, 40), 6);
			if (strcmp(lost[i], "checkpoint") != 0) {
				reopen(&f);
				prove_all(&f, 600, 200);
			}
			publish(&f);
			audit(&f, 600);
			compressed(&f, 2);
		}
	end(&f);
}

static void catches_up_with_a_store_that_ran_ahead(void **state)
{
	struct fixture f;

	begin(&f);
	append(&f, 100);
	publish(&f);
	append(&f, 130); /* committed, never published: the process died */
	reopen(&f);
	assert_true(there(&f, "tile/0/000.p/100"));
	assert_true(there(&f, "tile/0/000.p/230"));
	append(&f, 1000);
	reopen(&f);
	assert_false(there(&f, "tile/0/000.p"));
	publish(&f);
	audit(&f, 1230);
	prove_all(&f, 1230, 400);
	/* All files gone: a restored store projects the whole log. */
	assert_int_equal(renameat(f.log_fd, "tile", f.home.fd, "lost"), 0);
	assert_int_equal(unlinkat(f.log_fd, "checkpoint", 0), 0);
	reopen(&f);
	publish(&f);
	audit(&f, 1230);
	end(&f);
}

static void survives_a_new_process(void **state)
{
	struct fixture f;
	merkle_hash before, after;

	begin(&f);
	for (unsigned i = 1; i < 40; i++) {
		append(&f, i);
		if (i % 3 == 0)
			publish(&f);
		if (i % 7 == 0) {
			log_root(f.l, before);
			log_close(f.l);
			store_close(f.s);
			f.l = NULL;
			assert_ok(store_open(f.home.fd, &f.s, e));
			reopen(&f);
			log_root(f.l, after);
			assert_memory_equal(before, after, SHA256_BYTES);
		}
	}
	publish(&f);
	audit(&f, 780);
	end(&f);
}

static void refuses_files_that_are_ahead_of_the_store(void **state)
{
	struct fixture a, b;
	AUTO_BUF note = { 0 };

	begin(&a);
	begin(&b);
	buf_init(&note, 4096);
	append(&a, 10);
	append(&b, 9);
	note_of(&a, &note);
	assert_ok(file_write(b.log_fd, "checkpoint", buf_bytes(&note), 0644, false, e));
	log_close(b.l);
	b.l = NULL;
	assert_refused(log_open(b.s, b.log_fd, ORIGIN, &b.l, e), REASON_INCONSISTENT);
	assert_refused(log_open(b.s, b.log_fd, "other.example/log", &b.l, e), REASON_INCONSISTENT);
	assert_int_equal(unlinkat(b.log_fd, "checkpoint", 0), 0);
	reopen(&b);
	/* The same size, another tree. */
	assert_ok(store_begin(b.s, e));
	assert_ok(log_append(b.l, bytes_of("another"), NULL, NULL, e));
	assert_ok(log_save(b.l, e));
	assert_ok(store_commit(b.s, e));
	log_committed(b.l);
	assert_refused(log_publish(b.l, buf_bytes(&note), e), REASON_INCONSISTENT);
	assert_ok(file_write(b.log_fd, "checkpoint", buf_bytes(&note), 0644, false, e));
	log_close(b.l);
	b.l = NULL;
	assert_refused(log_open(b.s, b.log_fd, ORIGIN, &b.l, e), REASON_INCONSISTENT);
	end(&a);
	end(&b);
}

static void refuses_leaves_without_their_edge(void **state)
{
	struct fixture f;

	begin(&f);
	append(&f, 5);
	assert_ok(store_begin(f.s, e));
	assert_ok(log_append(f.l, bytes_of("x"), NULL, NULL, e));
	assert_ok(store_commit(f.s, e)); /* log_save was forgotten */
	log_close(f.l);
	f.l = NULL;
	assert_refused(log_open(f.s, f.log_fd, ORIGIN, &f.l, e), REASON_INCONSISTENT);
	end(&f);
}

static void takes_leaves_up_to_their_limit(void **state)
{
	struct fixture f;
	uint8_t big[LEAF_BYTES_MAX + 1] = { 0 };

	begin(&f);
	assert_ok(store_begin(f.s, e));
	for (unsigned i = 0; i < 300; i++)
		assert_ok(log_append(f.l, bytes_from(big, LEAF_BYTES_MAX), big, NULL, e));
	assert_refused(log_append(f.l, bytes_from(big, LEAF_BYTES_MAX + 1), NULL, NULL, e), REASON_TOO_LARGE);
	assert_refused(log_append(f.l, bytes_of(""), NULL, NULL, e), REASON_TOO_LARGE);
	assert_ok(log_save(f.l, e));
	assert_ok(store_commit(f.s, e));
	log_committed(f.l);
	publish(&f);
	audit(&f, 300);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proves_every_leaf_under_every_size),
		cmocka_unit_test(lays_out_70000_leaves_as_the_specification_does),
		cmocka_unit_test(forgets_what_was_rolled_back),
		cmocka_unit_test(projects_again_what_the_files_lack),
		cmocka_unit_test(catches_up_with_a_store_that_ran_ahead),
		cmocka_unit_test(survives_a_new_process),
		cmocka_unit_test(refuses_files_that_are_ahead_of_the_store),
		cmocka_unit_test(refuses_leaves_without_their_edge),
		cmocka_unit_test(takes_leaves_up_to_their_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
