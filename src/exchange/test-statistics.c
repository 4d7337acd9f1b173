/* Counting a home's acts from its files alone, as a stranger does; and what a stranger finds when a file says otherwise. */
#include "exchange/test-log-audit.h"

#include "log/statistics.h"

static struct world w;

static void with_embargo(struct world *v)
{
	set(&v->xa, CONFIG_embargo_classes, "stored-data:2");
}

/* Two requests in the fourth quarter, opened in the second of the next year. */
static int begin(void **state)
{
	world_begin_with(&w, with_embargo);
	(void)say_request(&w.xa, "XR");
	(void)say_request(&w.xa, "XR");
	for (int i = 0; i < 4; i++)
		slot(&w.xa);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	time_jumps("2027-04-02T08:00:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	slot(&w.xa);
	slot(&w.xa);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static bool count_files(const char *period, json_t **ret, struct err *e)
{
	struct log_source s = log_source_folder(w.xa.node->log_fd);

	return statistics_count(&(struct statistics_options){ .log_key = w.xa.node->identity.log, .period = period, .weeks = true }, &s, ret, e);
}

static int64_t counted(const json_t *v, const char *class)
{
	const json_t *n;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(v, "counts"), i, n) {
		if (strcmp(json_text(n, "class"), class) == 0)
			sum += json_int(n, "count");
	}
	return sum;
}

static void a_stranger_counts_what_the_home_did(void **state)
{
	AUTO_JSON *v = NULL, *none = NULL;
	const json_t *period;

	assert_ok(count_files(NULL, &v, e));
	assert_int_equal(json_array_size(json_object_get(v, "periods")), 1);
	period = json_array_get(json_object_get(v, "periods"), 0);
	assert_string_equal(json_text(period, "period"), "2026-Q4");
	assert_int_equal(counted(v, "preservation"), 2);
	assert_int_equal(counted(v, "log-parameters"), 1);
	assert_int_equal(counted(v, "null"), 0); /* null leaves are no acts */
	assert_true(json_int(period, "null") > 0);
	assert_int_equal(json_int(period, "opened") + json_int(period, "null") + json_int(period, "withheld") + json_int(period, "lost"),
			 json_int(period, "leaves"));
	assert_int_equal(json_int(v, "size"), (int64_t)log_size(w.xa.node->log));
	assert_refused(count_files("2026-Q3", &none, e), REASON_NOT_FOUND);
}

/* The file with one piece of text put in the place of another of the same length. */
static void change(const char *path, const char *from, const char *to)
{
	AUTO_BUF file = { 0 };
	char *at;

	assert_int_equal(strlen(from), strlen(to));
	buf_init(&file, MIB);
	assert_true(log_file(&w.xa, path, &file));
	at = strstr(buf_text(&file), from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	assert_ok(file_write(w.xa.node->log_fd, path, buf_bytes(&file), 0644, false, e));
}

static void openings_that_no_act_names_are_refused(void **state)
{
	AUTO_JSON *v = NULL;

	change("openings/2026-Q4", "\"class\":\"preservation\"", "\"class\":\"preservatiom\"");
	assert_refused(count_files(NULL, &v, e), REASON_DIGEST_MISMATCH);
}

/* A home that lies: its own logged, published act names a file in which one act has another class. */
static void a_home_that_opens_a_leaf_as_another_class_is_found_out(void **state)
{
	AUTO_JSON *body = json_object(), *v = NULL;
	struct own_statement s = { .kind = "class-openings", .to = "", .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	uint8_t digest[SHA256_BYTES], hash[SHA256_BYTES];
	struct openings_head head;
	struct bytes rest;
	struct err why = { 0 };
	AUTO_BUF file = { 0 };

	buf_init(&file, MIB);
	change("openings/2026-Q4", "\"class\":\"preservation\"", "\"class\":\"confirmation\"");
	assert_true(log_file(&w.xa, "openings/2026-Q4", &file));
	sha256(buf_bytes(&file), digest);
	rest = buf_bytes(&file);
	assert_ok(openings_head_parse(bytes_cut(&rest, '\n'), &head, e));
	json_put_hex(body, "digest", BYTES_ARRAY(digest));
	json_put_int(body, "first", (int64_t)head.first);
	json_put_int(body, "leaves", (int64_t)head.leaves);
	json_put_text(body, "log", head.log);
	json_put_int(body, "lost", (int64_t)head.lost);
	json_put_text(body, "period", head.period);
	json_put_int(body, "withheld", (int64_t)head.withheld);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(node_state(w.xa.node, &s, hash, e));
	assert_ok(publish_act(w.xa.node, hash, e));
	assert_ok(node_commit(w.xa.node, e));
	for (int i = 0; i < 3; i++)
		slot(&w.xa);
	assert_false(count_files(NULL, &v, &why));
	assert_int_equal(why.reason, REASON_LEAF_MISMATCH);
	assert_int_equal(why.kind, ERR_REJECTED);
	assert_non_null(strstr(why.text, "openings/2026-Q4: leaf ")); /* which one */
}

static void a_published_act_that_was_changed_is_refused(void **state)
{
	AUTO_JSON *v = NULL;
	AUTO_BUF index = { 0 };
	char path[80];

	buf_init(&index, MIB);
	assert_true(log_file(&w.xa, "acts/index", &index));
	snprintf(path, sizeof(path), "acts/%.64s", buf_text(&index));
	change(path, "\"opening\":\"", "\"openinG\":\"");
	assert_false(count_files(NULL, &v, NULL));
}

static void a_log_that_publishes_nothing_says_so(void **state)
{
	AUTO_JSON *v = NULL;

	assert_int_equal(unlinkat(w.xa.node->log_fd, "acts/index", 0), 0);
	assert_refused(count_files(NULL, &v, e), REASON_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stranger_counts_what_the_home_did, begin, end),
		cmocka_unit_test_setup_teardown(openings_that_no_act_names_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_home_that_opens_a_leaf_as_another_class_is_found_out, begin, end),
		cmocka_unit_test_setup_teardown(a_published_act_that_was_changed_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_log_that_publishes_nothing_says_so, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
