/* Blobs get their name from their content, once, and no other name is touched. */
#include "store/blob.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/test-home.h"

static int64_t now_ms;

static int64_t test_now(void)
{
	return now_ms;
}

static void write_blob(int fd, const char *text, char name[static BLOB_NAME_LEN + 1])
{
	int blob = -1;

	assert_ok(blob_new(fd, name, &blob, e));
	assert_ok(file_write_all(blob, bytes_of(text), e));
	close(blob);
}

static void keeps_under_the_digest_and_only_once(void **state)
{
	struct test_home h;
	char temporary[BLOB_NAME_LEN + 1], name[BLOB_NAME_LEN + 1], again[BLOB_NAME_LEN + 1];
	uint8_t digest[SHA256_BYTES];
	uint64_t size = 0;
	int fd = -1;

	home_make(&h);
	sha256(bytes_of("evidence"), digest);
	write_blob(h.fd, "evidence", temporary);
	assert_ok(blob_keep(h.fd, temporary, digest, name, e));
	assert_string_equal(name, "ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7c0d31ec20f0a0a8e");
	assert_ok(blob_size(h.fd, name, &size, e));
	assert_int_equal(size, 8);
	assert_refused(blob_size(h.fd, temporary, &size, e), REASON_NOT_FOUND);
	write_blob(h.fd, "evidence", temporary);
	assert_ok(blob_keep(h.fd, temporary, digest, again, e));
	assert_string_equal(again, name);
	assert_refused(blob_open(h.fd, temporary, false, &fd, e), REASON_NOT_FOUND);
	assert_ok(blob_remove(h.fd, name, e));
	assert_refused(blob_remove(h.fd, name, e), REASON_NOT_FOUND);
	home_remove(&h);
}

static void resumes_a_temporary_but_never_writes_a_finished_one(void **state)
{
	struct test_home h;
	char temporary[BLOB_NAME_LEN + 1], name[BLOB_NAME_LEN + 1];
	uint8_t digest[SHA256_BYTES];
	int fd = -1;

	home_make(&h);
	write_blob(h.fd, "evi", temporary);
	assert_ok(blob_open(h.fd, temporary, true, &fd, e));
	assert_int_equal(lseek(fd, 0, SEEK_END), 3);
	assert_ok(file_write_all(fd, bytes_of("dence"), e));
	close(fd);
	sha256(bytes_of("evidence"), digest);
	assert_ok(blob_keep(h.fd, temporary, digest, name, e));
	assert_refused(blob_open(h.fd, name, true, &fd, e), REASON_WRONG_STATE);
	assert_ok(blob_open(h.fd, name, false, &fd, e));
	close(fd);
	home_remove(&h);
}

static void touches_no_name_from_outside(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "../x", "tmp-", "tmp-../../../../../../../../etc/passwd", "/etc/passwd",
		"tmp-0123456789abcdef0123456789ABCDEF",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF",
	};
	struct test_home h;
	uint64_t size;
	int fd;

	home_make(&h);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_refused(blob_open(h.fd, names[i], false, &fd, e), REASON_BAD_ARGUMENT);
		assert_refused(blob_remove(h.fd, names[i], e), REASON_BAD_ARGUMENT);
		assert_refused(blob_size(h.fd, names[i], &size, e), REASON_BAD_ARGUMENT);
	}
	home_remove(&h);
}

static bool is_wanted(void *ctx, const char *name)
{
	return strcmp(ctx, name) == 0;
}

static void overwrites_the_beginning_and_never_more_than_there_is(void **state)
{
	struct test_home h;
	char temporary[BLOB_NAME_LEN + 1], name[BLOB_NAME_LEN + 1];
	uint8_t digest[SHA256_BYTES];
	AUTO_BUF now = { 0 };

	home_make(&h);
	sha256(bytes_of("evidence"), digest);
	write_blob(h.fd, "evidence", temporary);
	assert_ok(blob_keep(h.fd, temporary, digest, name, e));
	assert_refused(blob_overwrite(h.fd, name, bytes_of("evidences"), e), REASON_BAD_ARGUMENT);
	assert_refused(blob_overwrite(h.fd, "../store/lock", bytes_of("e"), e), REASON_BAD_ARGUMENT);
	assert_ok(blob_overwrite(h.fd, name, bytes_of("-----"), e));
	buf_init(&now, 100);
	assert_ok(file_read(h.fd, name, &now, e));
	assert_true(bytes_is(buf_bytes(&now), "-----nce"));
	home_remove(&h);
}

static void sweeps_old_temporaries_that_nobody_wants(void **state)
{
	struct test_home h;
	char old[BLOB_NAME_LEN + 1], wanted[BLOB_NAME_LEN + 1], young[BLOB_NAME_LEN + 1], kept[BLOB_NAME_LEN + 1];
	struct timespec times[2] = { { 1000000, 0 }, { 1000000, 0 } };
	uint8_t digest[SHA256_BYTES] = { 7 };
	uint64_t size;

	home_make(&h);
	write_blob(h.fd, "a", old);
	write_blob(h.fd, "b", wanted);
	write_blob(h.fd, "c", young);
	write_blob(h.fd, "d", kept);
	assert_ok(blob_keep(h.fd, kept, digest, kept, e));
	assert_int_equal(utimensat(h.fd, old, times, 0), 0);
	assert_int_equal(utimensat(h.fd, wanted, times, 0), 0);
	assert_int_equal(utimensat(h.fd, kept, times, 0), 0);
	times[0].tv_sec = times[1].tv_sec = 1000090;
	assert_int_equal(utimensat(h.fd, young, times, 0), 0);
	now_ms = INT64_C(1000100) * 1000;
	clock_set(test_now);
	assert_ok(blob_sweep(h.fd, 50000, is_wanted, wanted, e));
	clock_set(NULL);
	assert_refused(blob_size(h.fd, old, &size, e), REASON_NOT_FOUND);
	assert_ok(blob_size(h.fd, wanted, &size, e));
	assert_ok(blob_size(h.fd, young, &size, e));
	assert_ok(blob_size(h.fd, kept, &size, e));
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_under_the_digest_and_only_once),
		cmocka_unit_test(resumes_a_temporary_but_never_writes_a_finished_one),
		cmocka_unit_test(touches_no_name_from_outside),
		cmocka_unit_test(overwrites_the_beginning_and_never_more_than_there_is),
		cmocka_unit_test(sweeps_old_temporaries_that_nobody_wants),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
