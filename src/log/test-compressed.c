/* What whoever accepts gzip is sent is the bundle, and anything else that lies in its place is named. */
#include "log/gzip.h"
#include "log/log-internal.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/test-home.h"

#define ORIGIN "xa.example/log"
#define FULL "tile/entries/000"

struct fixture {
	struct test_home home;
	struct store *s;
	struct log *l;
	int log_fd;
	struct buf gz; /* of the first bundle, as the log wrote it */
	char told[ERR_TEXT_BYTES_MAX];
};

static void append(struct fixture *f, uint64_t count)
{
	assert_ok(store_begin(f->s, e));
	for (uint64_t i = 0; i < count; i++) {
		char entry[32];

		snprintf(entry, sizeof(entry), "entry %llu", (unsigned long long)i);
		assert_ok(log_append(f->l, bytes_of(entry), NULL, NULL, e));
	}
	assert_ok(log_save(f->l, e));
	assert_ok(store_commit(f->s, e));
	log_committed(f->l);
	assert_ok(log_publish_tiles(f->l, e));
}

static int begin(void **state)
{
	static struct fixture f;

	f = (struct fixture){ 0 };
	home_make(&f.home);
	assert_ok(dir_make(f.home.fd, "log", 0755, e));
	f.log_fd = openat(f.home.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(store_open(f.home.fd, &f.s, e));
	assert_ok(log_open(f.s, f.log_fd, ORIGIN, &f.l, e));
	append(&f, 600);
	buf_init(&f.gz, MIB);
	assert_ok(file_read(f.log_fd, FULL ".gz", &f.gz, e));
	*state = &f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	log_close(f->l);
	store_close(f->s);
	buf_release(&f->gz);
	close(f->log_fd);
	home_remove(&f->home);
	return 0;
}

static void told(void *ctx, const char *text)
{
	struct fixture *f = ctx;

	snprintf(f->told, sizeof(f->told), "%s", text);
}

static uint64_t wrong(struct fixture *f)
{
	f->told[0] = '\0';
	return log_audit_compressed(f->log_fd, 600, NULL, told, f);
}

/* This lies there: the audit names it, and the next start writes the right one. */
static void assert_found_and_mended(struct fixture *f, struct bytes gz)
{
	AUTO_BUF now = { 0 };

	buf_init(&now, MIB);
	assert_ok(file_write(f->log_fd, FULL ".gz", gz, 0644, false, e));
	assert_int_equal(wrong(f), 1);
	assert_non_null(strstr(f->told, FULL ".gz"));
	log_close(f->l);
	f->l = NULL;
	assert_ok(log_open(f->s, f->log_fd, ORIGIN, &f->l, e));
	assert_int_equal(wrong(f), 0);
	assert_ok(file_read(f->log_fd, FULL ".gz", &now, e));
	assert_true(bytes_equal(buf_bytes(&now), buf_bytes(&f->gz)));
}

static void what_the_log_wrote_and_what_is_not_there_are_no_fault(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wrong(f), 0);
	assert_int_equal(unlinkat(f->log_fd, FULL ".gz", 0), 0);
	assert_int_equal(wrong(f), 0); /* a mirror has none */
}

static void another_content_is_found_even_with_the_right_end(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF plain = { 0 }, gz = { 0 };

	buf_init(&plain, BUNDLE_BYTES_MAX);
	buf_init(&gz, MIB);
	assert_ok(file_read(f->log_fd, FULL, &plain, e));
	plain.at[5] ^= 1;
	gzip_write(buf_bytes(&plain), &gz);
	assert_found_and_mended(f, buf_bytes(&gz));
	/* Check sum and length, the last eight bytes, are those of the bundle. */
	memcpy(gz.at + gz.len - 8, f->gz.at + f->gz.len - 8, 8);
	assert_found_and_mended(f, buf_bytes(&gz));
}

static void less_and_more_is_found(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF gz = { 0 };

	buf_init(&gz, MIB);
	assert_found_and_mended(f, bytes_of(NULL));
	assert_found_and_mended(f, bytes_slice(buf_bytes(&f->gz), 0, f->gz.len / 2));
	assert_found_and_mended(f, bytes_of("no gzip at all"));
	/* A second member follows, which who unpacks would append. */
	buf_add(&gz, buf_bytes(&f->gz));
	gzip_write(bytes_of("more"), &gz);
	assert_found_and_mended(f, buf_bytes(&gz));
}

static void what_inflates_to_far_more_ends_at_the_bundle(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF much = { 0 }, gz = { 0 };

	buf_init(&much, 64 * MIB);
	buf_init(&gz, 65 * MIB);
	memset(buf_room(&much, 64 * MIB), 0, 64 * MIB);
	buf_grown(&much, 64 * MIB);
	gzip_write(buf_bytes(&much), &gz);
	assert_true(gz.len > 0);
	assert_found_and_mended(f, buf_bytes(&gz));
}

static void what_is_too_large_to_be_one_is_found(void **state)
{
	struct fixture *f = *state;

	assert_ok(file_write(f->log_fd, FULL ".gz", buf_bytes(&f->gz), 0644, false, e));
	AUTO_FD fd = openat(f->log_fd, FULL ".gz", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)2 * BUNDLE_BYTES_MAX), 0);
	assert_int_equal(wrong(f), 1);
	assert_non_null(strstr(f->told, FULL ".gz"));
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(what_the_log_wrote_and_what_is_not_there_are_no_fault),
		CLAIM(another_content_is_found_even_with_the_right_end),
		CLAIM(less_and_more_is_found),
		CLAIM(what_inflates_to_far_more_ends_at_the_bundle),
		CLAIM(what_is_too_large_to_be_one_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
