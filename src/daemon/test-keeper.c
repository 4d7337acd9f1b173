/* What the keeper believes of other roles, without a store: mills that speak out of turn, a door that goes. */
#include <errno.h>
#include <sys/stat.h>

#include "daemon/keeper.h"
#include "base/file.h"
#include "store/test-home.h"

#define BLOB "tmp-0123456789abcdef0123456789abcdef"

static struct test_home home;
static struct keeper k;

static int begin(void **state)
{
	home_make(&home);
	memset(&k, 0, sizeof(k));
	k.replies_end = &k.replies;
	k.register_fd = -1;
	k.node = calloc(1, sizeof(*k.node));
	assert_non_null(k.node);
	k.node->blobs_fd = home.fd;
	return 0;
}

static int end(void **state)
{
	free(k.node);
	home_remove(&home);
	return 0;
}

static void done(enum role mill, uint64_t job, bool ok)
{
	struct mill_message m = { .type = MILL_DONE, .job = job, .ok = ok };
	AUTO_BUF out = { 0 };

	buf_init(&out, 8 * KIB);
	mill_message_write(&m, &out);
	keeper_mill_message(&k, mill, buf_bytes(&out));
}

static void add_opening(enum role mill, uint64_t job)
{
	k.openings = calloc(1, sizeof(*k.openings));
	assert_non_null(k.openings);
	k.openings->mill = mill;
	k.openings->job = job;
}

static struct keeper_intake *add_intake(uint64_t job, const char *blob)
{
	struct keeper_intake *x = calloc(1, sizeof(*x));
	struct err e = { 0 };

	assert_non_null(x);
	x->job = x->call = job;
	snprintf(x->x.blob, sizeof(x->x.blob), "%s", blob);
	assert_true(file_write(home.fd, blob, bytes_of("sealed"), 0600, false, &e));
	x->x.fd = openat(home.fd, blob, O_RDWR | O_CLOEXEC);
	assert_true(x->x.fd >= 0);
	x->next = k.intakes;
	k.intakes = x;
	return x;
}

static void an_opening_is_answered_by_the_mill_that_was_asked(void **state)
{
	add_opening(ROLE_mill2, 7);
	done(ROLE_mill, 7, true);
	assert_non_null(k.openings);
	done(ROLE_mill2, 7, true);
	assert_null(k.openings);
}

static void an_intake_is_answered_by_the_mill_that_has_it(void **state)
{
	struct keeper_intake *x = add_intake(7, BLOB);

	done(ROLE_mill2, 7, true);
	done(ROLE_mill2, 7, false);
	assert_ptr_equal(k.intakes, x);
	assert_false(x->sealed);
	done(ROLE_mill, 7, true);
	assert_true(x->sealed);
	/* It has been said; the client still sends. */
	done(ROLE_mill, 7, false);
	assert_ptr_equal(k.intakes, x);
	x->checking = true;
	done(ROLE_mill, 7, false);
	assert_ptr_equal(k.intakes, x);
	assert_null(k.replies);
	keeper_intakes_drop(&k);
}

static void what_waits_for_a_door_that_went_is_dropped(void **state)
{
	struct keeper_intake *x = add_intake(7, BLOB);
	int blob_fd = x->x.fd, ends[2];
	struct stat st;
	char c;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	keeper_reply_new(&k, 8, 200)->fd = ends[1];
	(void)keeper_reply_new(&k, 9, 200);
	keeper_door_gone(&k);
	assert_null(k.replies);
	assert_ptr_equal(k.replies_end, &k.replies);
	assert_int_equal(read(ends[0], &c, 1), 0); /* the end of the pipe was closed */
	close(ends[0]);
	assert_null(k.intakes);
	assert_int_equal(fcntl(blob_fd, F_GETFD), -1);
	assert_int_equal(fstatat(home.fd, BLOB, &st, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void what_is_published_cannot_be_changed(void **state)
{
	struct err e = { 0 };
	AUTO_BUF in = { 0 };
	AUTO_FD fd = -1;

	assert_true(keeper_sealed_file(bytes_of("the register"), &fd, &e));
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(pwrite(fd, "x", 1, 100), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	buf_init(&in, KIB);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(file_read_fd(fd, "register", &in, &e));
	assert_true(bytes_is(buf_bytes(&in), "the register"));
}

/* Every answer of the register is a descriptor of the one file, and no copy; it takes no transaction: there is no
 * store here to begin one. */
static void the_register_is_handed_out_as_one_file(void **state)
{
	struct door_message m = { .type = DOOR_CALL, .caller = CALLER_PUBLIC, .method = METHOD_GET, .path = bytes_of("/register") };
	struct err e = { 0 };
	struct stat file, given;

	assert_true(keeper_sealed_file(bytes_of("the register"), &k.register_fd, &e));
	k.register_len = 12;
	assert_int_equal(fstat(k.register_fd, &file), 0);
	for (m.call = 1; m.call <= 2; m.call++) {
		AUTO_BUF msg = { 0 };

		buf_init(&msg, 8 * KIB);
		door_message_write(&m, &msg);
		keeper_door_message(&k, buf_bytes(&msg));
	}
	for (const struct keeper_reply *r = k.replies; r != NULL; r = r->next) {
		assert_int_equal(r->status, 200);
		assert_int_equal(r->body.len, 0);
		assert_int_equal(r->length, 12);
		assert_int_equal(fstat(r->fd, &given), 0);
		assert_int_equal(given.st_ino, file.st_ino);
	}
	assert_non_null(k.replies->next);
	keeper_door_gone(&k);
	keeper_register_changed(&k);
	assert_int_equal(k.register_fd, -1);
}

#define WITH_KEEPER(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KEEPER(an_opening_is_answered_by_the_mill_that_was_asked),
		WITH_KEEPER(an_intake_is_answered_by_the_mill_that_has_it),
		WITH_KEEPER(what_waits_for_a_door_that_went_is_dropped),
		WITH_KEEPER(what_is_published_cannot_be_changed),
		WITH_KEEPER(the_register_is_handed_out_as_one_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
