/* The store works behind the keeper's walls: everything outside HOME/store and HOME/backup is out of
 * reach after it was opened, and nothing it does later needs it. */
#include <sys/wait.h>

#include "base/file.h"
#include "process/sandbox.h"
#include "store/store-internal.h"
#include "store/test-home.h"

static int complain(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e->text);
	return 1;
}

static bool write_big(struct store *s, int round, struct err *e)
{
	static uint8_t leaf[200000];
	struct query *q;

	if (!store_begin(s, e))
		return false;
	for (int i = 0; i < 10; i++) {
		q = store_query(s, QUERY_log_leaf_add);
		query_bind_int(q, 1, round * 10 + i);
		query_bind_bytes(q, 2, BYTES_ARRAY(leaf));
		query_bind_null(q, 3);
		if (!query_run(q, e))
			return false;
		query_end(q);
	}
	q = store_query(s, QUERY_record_key_add);
	query_bind_bytes(q, 1, bytes_from(&round, sizeof(round)));
	query_bind_bytes(q, 2, bytes_of("key"));
	if (!query_run(q, e))
		return false;
	query_end(q);
	return store_commit(s, e);
}

static int child(struct test_home *h)
{
	struct sandbox_path paths[] = {
		{ "store", h->fd, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
		{ "backup", h->fd, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
	};
	struct sandbox_policy policy = { SANDBOX_FILES_READ | SANDBOX_FILES_WRITE, paths, 2 };
	struct sandbox_result walls;
	struct store *s = NULL;
	struct err e = { 0 };
	AUTO_BUF problems = { 0 };
	int dir;

	buf_init(&problems, 65536);
	if (!dir_make(h->fd, "backup", 0700, &e) || !store_open(h->fd, &s, &e))
		return complain("open", &e);
	if (!sandbox_apply(&policy, &walls, &e))
		return complain("sandbox", &e);
	if (walls.landlock && open("/tmp/comity-test-sandbox", O_CREAT | O_RDWR | O_CLOEXEC, 0600) >= 0)
		return complain("the wall does not stand", &e);
	for (int round = 0; round < 6; round++) /* several automatic checkpoints */
		if (!write_big(s, round, &e))
			return complain("write", &e);
	dir = openat(h->fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!store_backup(s, dir, true, NULL, NULL, &e))
		return complain("backup", &e);
	if (!store_check(s, &problems, &e) || problems.len > 0)
		return complain("check", &e);
	store_close(s);
	if (!store_open_backup(dir, &s, &e))
		return complain("open of the backup", &e);
	store_close(s);
	close(dir);
	return walls.landlock && walls.seccomp ? 0 : 77;
}

static void works_with_nothing_but_its_own_folders(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	int status = 0;

	home_make(&h);
	pid_t pid = fork();
	if (pid == 0)
		_exit(child(&h));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77)
		assert_int_equal(WEXITSTATUS(status), 0);
	assert_ok(store_open(h.fd, &s, e));
	store_close(s);
	home_remove(&h);
	if (WEXITSTATUS(status) == 77) {
		printf("this kernel has not all the walls: not tried behind them\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_with_nothing_but_its_own_folders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
