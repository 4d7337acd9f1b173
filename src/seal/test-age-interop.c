/* The independent implementation, both ways: what we seal, `age` opens; what `age` seals, we open; and
 * each reads the other's keys. Exit status 77 (skipped) where `age` is not installed. */
#include "seal/age.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

extern char **environ;

static char folder[] = "/tmp/comity-age-XXXXXX";
static int dir_fd = -1;

/* Runs a program of the PATH in the test's folder; its exit status, 127 when it is not there. */
static int run(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t child;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_addfchdir_np(&actions, dir_fd), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
	if (posix_spawnp(&child, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		status = 127 << 8;
	else
		assert_true(waitpid(child, &status, 0) == child);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void put(const char *name, struct bytes in)
{
	assert_true(file_write(dir_fd, name, in, 0600, false, NULL));
}

static void get(const char *name, struct buf *out)
{
	buf_clear(out);
	assert_true(file_read(dir_fd, name, out, NULL));
}

/* Opens with `age` and compares. It makes no file for an empty plaintext. */
static void they_open(const char *name, struct bytes want)
{
	AUTO_BUF opened = { 0 };

	buf_init(&opened, 4 * MIB);
	unlinkat(dir_fd, "opened", 0);
	assert_int_equal(RUN("age", "-d", "-i", "their-key", "-o", "opened", name), 0);
	if (want.len > 0 || faccessat(dir_fd, "opened", F_OK, 0) == 0)
		get("opened", &opened);
	assert_true(bytes_equal(buf_bytes(&opened), want));
}

static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000, 3000000 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))
static uint8_t plain[3000000];

/* Draws a new key with age-keygen; we read its file. */
static void their_recipient(struct age_recipient *ret)
{
	AUTO_SEAL_IDENTITY *s = NULL;
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4096);
	unlinkat(dir_fd, "their-key", 0);
	assert_int_equal(RUN("age-keygen", "-o", "their-key"), 0);
	get("their-key", &file);
	assert_true(seal_identity_parse(buf_bytes(&file), &s, NULL));
	seal_identity_recipient(s, ret);
}

static void their_key_file_is_ours(void **state)
{
	char text[AGE_RECIPIENT_LEN + 1];
	struct age_recipient r;
	AUTO_BUF file = { 0 };

	buf_init(&file, 4096);
	their_recipient(&r);
	get("their-key", &file);
	age_recipient_write(&r, text);
	assert_non_null(strstr(buf_text(&file), text)); /* in their comment */
}

static void our_key_file_is_theirs(void **state)
{
	AUTO_SEAL_IDENTITY *s = seal_identity_new();
	char text[AGE_RECIPIENT_LEN + 1];
	struct age_recipient r;
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4096);
	seal_identity_write(s, &file);
	put("our-key", buf_bytes(&file));
	assert_int_equal(RUN("age-keygen", "-y", "-o", "our-recipient", "our-key"), 0);
	get("our-recipient", &file);
	seal_identity_recipient(s, &r);
	age_recipient_write(&r, text);
	assert_true(bytes_equal(bytes_slice(buf_bytes(&file), 0, AGE_RECIPIENT_LEN), bytes_of(text)));
	assert_int_equal(unlinkat(dir_fd, "our-recipient", 0), 0);
}

static void they_open_what_we_seal(void **state)
{
	struct age_recipient r[2];
	AUTO_SEAL_IDENTITY *other = seal_identity_new();

	seal_identity_recipient(other, &r[0]);
	their_recipient(&r[1]);
	for (size_t i = 0; i < SIZES; i++) {
		AUTO_FD in = -1;
		AUTO_FD out = -1;
		struct age_totals totals;
		AUTO_BUF sealed = { 0 };

		buf_init(&sealed, 4 * MIB);
		assert_true(age_seal(r, 2, bytes_from(plain, sizes[i]), &sealed, NULL));
		put("letter.age", buf_bytes(&sealed));
		they_open("letter.age", bytes_from(plain, sizes[i]));
		/* The same for files. */
		put("plain", bytes_from(plain, sizes[i]));
		in = openat(dir_fd, "plain", O_RDONLY | O_CLOEXEC);
		out = openat(dir_fd, "file.age", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(age_copy_seal(&(struct age_copy){ .in_fd = in, .out_fd = out, .recipients = r,
							      .recipient_count = 2 }, &totals, NULL));
		they_open("file.age", bytes_from(plain, sizes[i]));
	}
}

static void we_open_what_they_seal(void **state)
{
	struct age_recipient r, theirs;
	AUTO_SEAL_IDENTITY *s = seal_identity_new();
	const struct seal_identity *list[] = { s };
	char text[AGE_RECIPIENT_LEN + 1], their_text[AGE_RECIPIENT_LEN + 1];

	their_recipient(&theirs);
	seal_identity_recipient(s, &r);
	age_recipient_write(&r, text);
	age_recipient_write(&theirs, their_text);
	for (size_t i = 0; i < SIZES; i++) {
		AUTO_FD in = -1;
		struct age_totals totals;
		AUTO_SECRET *file_key = NULL;
		uint8_t digest[SHA256_BYTES];
		struct err e;
		size_t len;
		AUTO_BUF sealed = { 0 };
		AUTO_BUF opened = { 0 };

		buf_init(&sealed, 4 * MIB);
		buf_init(&opened, 4 * MIB);
		put("plain", bytes_from(plain, sizes[i]));
		assert_int_equal(RUN("age", "-r", their_text, "-r", text, "-o", "theirs.age", "plain"), 0);
		get("theirs.age", &sealed);
		assert_true(age_header_length(buf_bytes(&sealed), &len, &e));
		assert_true(age_header_open(bytes_slice(buf_bytes(&sealed), 0, len), list, 1, &file_key, &e));
		assert_true(age_payload_open(file_key, bytes_slice(buf_bytes(&sealed), len, sealed.len), &opened, &e));
		assert_true(bytes_equal(buf_bytes(&opened), bytes_from(plain, sizes[i])));
		in = openat(dir_fd, "theirs.age", O_RDONLY | O_CLOEXEC);
		assert_true(age_copy_open(&(struct age_copy){ .in_fd = in, .out_fd = -1, .identities = list,
							      .identity_count = 1 }, &totals, &e));
		sha256(bytes_from(plain, sizes[i]), digest);
		assert_memory_equal(digest, totals.plain_sha256, sizeof(digest));
	}
}

static void clean(void)
{
	static const char *const names[] = { "their-key", "our-key", "letter.age", "file.age", "theirs.age", "plain",
					     "opened", "stderr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(their_key_file_is_ours),
		cmocka_unit_test(our_key_file_is_theirs),
		cmocka_unit_test(they_open_what_we_seal),
		cmocka_unit_test(we_open_what_they_seal),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / 253);
	if (dir_fd < 0 || RUN("age", "--version") != 0 || RUN("age-keygen", "--version") != 0) {
		clean();
		printf("skipped: age and age-keygen are not installed\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	clean();
	fd_close_at(&dir_fd);
	return failed;
}
