/* The published testkit of age, file by file: not only whether a file opens, but at which step it is
 * refused, and how much was released before. */
#include "seal/age.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

static int memory_file(struct bytes in)
{
	int fd = memfd_create("test-testkit", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(file_write_all(fd, in, NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void memory_read(int fd, struct buf *out)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(file_read_fd(fd, "memory file", out, NULL));
}

/* One file of the testkit. */
struct kit {
	char expect[32];
	uint8_t payload[SHA256_BYTES];
	struct seal_identity *identities[4];
	size_t identity_count;
	bool armored, zlib, passphrase, post_quantum;
	struct bytes file;
};

static void kit_parse(struct bytes in, struct kit *k)
{
	*k = (struct kit){ 0 };
	for (;;) {
		struct bytes line = bytes_cut(&in, '\n'), key = bytes_cut(&line, ':');
		struct bytes value = bytes_slice(line, 1, line.len);

		if (key.len == 0)
			break;
		if (bytes_is(key, "expect"))
			snprintf(k->expect, sizeof(k->expect), "%.*s", (int)value.len, (const char *)value.at);
		else if (bytes_is(key, "payload"))
			assert_true(hex_parse(value, k->payload, sizeof(k->payload)));
		else if (bytes_is(key, "armored"))
			k->armored = true;
		else if (bytes_is(key, "compressed"))
			k->zlib = true;
		else if (bytes_is(key, "passphrase"))
			k->passphrase = true;
		else if (bytes_is(key, "identity") && bytes_starts(value, "AGE-SECRET-KEY-PQ-"))
			k->post_quantum = true;
		else if (bytes_is(key, "identity"))
			assert_true(seal_identity_parse(value, &k->identities[k->identity_count++], NULL));
	}
	k->file = in;
}

/* The machine's Python unpacks zlib; without it those files are skipped. */
static bool inflate_with_python(struct bytes in, struct buf *out)
{
	static const char program[] =
		"import sys,zlib;sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))";
	AUTO_FD from = memory_file(in);
	AUTO_FD to = memory_file((struct bytes){ 0 });
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (dup2(from, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0)
			_exit(126);
		execlp("python3", "python3", "-c", program, (char *)NULL);
		_exit(127);
	}
	assert_true(waitpid(child, &status, 0) == child);
	if (status != 0)
		return false;
	memory_read(to, out);
	return true;
}

/* What happened, in the testkit's words; all that was released goes into digest. */
static const char *kit_run(const struct kit *k, struct bytes file, uint8_t digest[static SHA256_BYTES])
{
	AUTO_FD in = memory_file(file);
	AUTO_FD out = memory_file((struct bytes){ 0 });
	const struct seal_identity *const *list = (const struct seal_identity *const *)k->identities;
	AUTO_SECRET *file_key = NULL;
	struct age_totals totals;
	struct err e = { 0 }, of_header = { 0 };
	size_t len = 0;
	bool ok, header_ok;
	AUTO_BUF released = { 0 };

	buf_init(&released, 64 * MIB);
	ok = age_copy_open(&(struct age_copy){ .in_fd = in, .out_fd = out, .identities = list,
					       .identity_count = k->identity_count }, &totals, &e);
	memory_read(out, &released);
	sha256(buf_bytes(&released), digest);
	/* Opening in memory must say the same of the whole. */
	header_ok = age_header_length(file, &len, &of_header) && len > 0 &&
		    age_header_open(bytes_slice(file, 0, len), list, k->identity_count, &file_key, &of_header);
	if (header_ok) {
		buf_clear(&released);
		assert_int_equal(ok, age_payload_open(file_key, bytes_slice(file, len, file.len), &released, NULL));
	}
	if (ok)
		return "success";
	if (e.reason == REASON_NOT_SEALED_TO_US)
		return "no match";
	if (e.reason == REASON_SEAL_BROKEN)
		return header_ok ? "payload failure" : "HMAC failure";
	return e.kind == ERR_INPUT || e.kind == ERR_LIMIT ? "header failure" : "another failure";
}

static void agrees_with_the_published_testkit(void **state)
{
	const char *shared = getenv("COMITY_SHARED");
	unsigned passed = 0, failed = 0, armored = 0, passphrase = 0, hybrid = 0, packed = 0;
	struct dirent *entry;
	char path[1024];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vectors/age-cctv/testdata", shared == NULL ? "../shared" : shared);
	dir = opendir(path);
	if (dir == NULL) {
		printf("skipped: age-cctv/testdata is not here\n");
		skip();
	}
	while ((entry = readdir(dir)) != NULL) {
		uint8_t digest[SHA256_BYTES];
		const char *got;
		struct kit k;
		AUTO_BUF text = { 0 };
		AUTO_BUF unpacked = { 0 };

		buf_init(&text, 64 * MIB);
		buf_init(&unpacked, 64 * MIB);
		if (entry->d_name[0] == '.')
			continue;
		assert_true(file_read(dirfd(dir), entry->d_name, &text, NULL));
		kit_parse(buf_bytes(&text), &k);
		if (k.armored) {
			armored++;
		} else if (k.post_quantum) {
			hybrid++;
		} else if (k.passphrase && k.identity_count == 0) {
			passphrase++;
		} else if (k.zlib && !inflate_with_python(k.file, &unpacked)) {
			packed++;
		} else {
			got = kit_run(&k, k.zlib ? buf_bytes(&unpacked) : k.file, digest);
			if (strcmp(got, k.expect) == 0 &&
			    ((strcmp(got, "success") != 0 && strcmp(got, "payload failure") != 0) ||
			     memcmp(digest, k.payload, sizeof(digest)) == 0)) {
				passed++;
			} else {
				failed++;
				printf("age-cctv/%s: expected %s, got %s\n", entry->d_name, k.expect, got);
			}
		}
		for (size_t i = 0; i < k.identity_count; i++)
			seal_identity_free(k.identities[i]);
	}
	closedir(dir);
	printf("age-cctv/testdata: %u passed, %u failed, %u skipped (%u armor, %u passphrase, %u post-quantum, "
	       "%u without a zlib to unpack them)\n", passed, failed, armored + passphrase + hybrid + packed, armored,
	       passphrase, hybrid, packed);
	assert_int_equal(failed, 0);
	assert_true(passed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_published_testkit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
