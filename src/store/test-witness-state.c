/* The state of a witness: made once, a database of its own, and one that does not go back whatever is asked of it. */
#include "store/store-internal.h"
#include "store/test-home.h"

#include "base/limits.h"

#define ORIGIN "log.example"

static bool first(struct store *s, const char *origin, int64_t size, const char *root, struct err *e)
{
	struct query *q = store_query(s, QUERY_witness_first);

	query_bind_text(q, 1, origin);
	query_bind_bytes(q, 2, bytes_of(origin));
	query_bind_int(q, 3, size);
	query_bind_bytes(q, 4, bytes_of(root));
	query_bind_bytes(q, 5, bytes_of("note"));
	query_bind_int(q, 6, 1);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool next(struct store *s, int64_t was, const char *was_root, int64_t size, const char *root, struct err *e)
{
	struct query *q = store_query(s, QUERY_witness_next);

	query_bind_text(q, 1, ORIGIN);
	query_bind_int(q, 2, was);
	query_bind_bytes(q, 3, bytes_of(was_root));
	query_bind_int(q, 4, size);
	query_bind_bytes(q, 5, bytes_of(root));
	query_bind_bytes(q, 6, bytes_of("note"));
	query_bind_int(q, 7, 2);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int64_t size_now(struct store *s)
{
	struct query *q = store_query(s, QUERY_witness_get);
	bool found = false;
	int64_t size;

	query_bind_text(q, 1, ORIGIN);
	assert_ok(query_row(q, &found, e));
	size = found ? query_int(q, 0) : -1;
	query_end(q);
	return size;
}

static void takes_a_state_only_in_place_of_the_one_that_was_seen(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open_witness(h.fd, true, &s, e));
	assert_ok(first(s, ORIGIN, 5, A, e));
	assert_refused(first(s, ORIGIN, 6, A, e), REASON_WRONG_STATE);
	assert_ok(next(s, 4, A, 9, B, e));
	assert_int_equal(store_changes(s), 0); /* another size is stored */
	assert_ok(next(s, 5, B, 9, B, e));
	assert_int_equal(store_changes(s), 0); /* another root */
	assert_ok(next(s, 5, A, 9, B, e));
	assert_int_equal(store_changes(s), 1);
	assert_ok(next(s, 9, B, 9, B, e));
	assert_int_equal(store_changes(s), 1);
	assert_int_equal(size_now(s), 9);
	store_close(s);
	home_remove(&h);
}

static void never_goes_back(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open_witness(h.fd, true, &s, e));
	assert_ok(first(s, ORIGIN, 5, A, e));
	assert_refused(next(s, 5, A, 4, B, e), REASON_WRONG_STATE);
	assert_refused(next(s, 5, A, 5, B, e), REASON_WRONG_STATE);
	assert_int_equal(size_now(s), 5);
	s->walled = false; /* as another program would */
	assert_refused(store_exec(s->db, "DELETE FROM witness", e), REASON_WRONG_STATE);
	assert_refused(store_exec(s->db, "UPDATE witness SET size = 1", e), REASON_WRONG_STATE);
	assert_int_equal(size_now(s), 5);
	store_close(s);
	home_remove(&h);
}

static void what_was_rolled_back_is_not_there_and_what_was_committed_is(void **state)
{
	struct test_home h;
	struct store *s = NULL;

	home_make(&h);
	assert_ok(store_open_witness(h.fd, true, &s, e));
	assert_ok(store_begin(s, e));
	assert_ok(first(s, ORIGIN, 5, A, e));
	store_rollback(s);
	assert_int_equal(size_now(s), -1);
	assert_ok(store_begin(s, e));
	assert_ok(first(s, ORIGIN, 5, A, e));
	assert_ok(store_commit(s, e));
	store_close(s);
	assert_ok(store_open_witness(h.fd, false, &s, e));
	assert_int_equal(size_now(s), 5);
	store_close(s);
	home_remove(&h);
}

static void is_made_once_and_never_by_opening_it(void **state)
{
	struct test_home h;
	struct store *s = NULL, *other = NULL;

	home_make(&h);
	assert_refused(store_open_witness(h.fd, false, &s, e), REASON_FILE_MISSING);
	assert_ok(store_open_witness(h.fd, true, &s, e));
	assert_refused(store_open_witness(h.fd, false, &other, e), REASON_BUSY);
	store_close(s);
	assert_refused(store_open_witness(h.fd, true, &s, e), REASON_WRONG_STATE);
	assert_int_equal(unlinkat(h.fd, "state.db", 0), 0);
	assert_refused(store_open_witness(h.fd, false, &s, e), REASON_FILE_MISSING);
	home_remove(&h);
}

static void has_no_query_of_a_home_and_a_home_none_of_it(void **state)
{
	struct test_home h;
	struct store *s = NULL;
	bool found;

	home_make(&h);
	assert_ok(store_open_witness(h.fd, true, &s, e));
	struct query *q = store_query(s, QUERY_pin_list);
	assert_false(query_row(q, &found, NULL));
	query_end(q);
	store_close(s);
	assert_ok(store_open(h.fd, &s, e));
	q = store_query(s, QUERY_witness_list);
	assert_false(query_row(q, &found, NULL));
	query_end(q);
	store_close(s);
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_state_only_in_place_of_the_one_that_was_seen),
		cmocka_unit_test(never_goes_back),
		cmocka_unit_test(what_was_rolled_back_is_not_there_and_what_was_committed_is),
		cmocka_unit_test(is_made_once_and_never_by_opening_it),
		cmocka_unit_test(has_no_query_of_a_home_and_a_home_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
