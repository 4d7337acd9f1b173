/* Published acts: there once proved and not before, whole for a stranger, and showing nothing of any other act. */
#include "exchange/test-log-audit.h"
#include "register/judge.h"

static struct world w;

static int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static void a_stranger_verifies_a_published_act_from_files_alone(void **state)
{
	uint8_t leaf[LEAF_V1_BYTES];
	struct checkpoint c;
	uint64_t index;
	AUTO_ACT *a = NULL;
	size_t count;

	slot(&w.xa);
	a = published(&w.xa, "log-parameters", &count);
	assert_non_null(a);
	judge_leaf(a->statement, a->opening, a->x, false, leaf);
	assert_true(bytes_equal(a->leaf, BYTES_ARRAY(leaf)));
	assert_ok(tlog_proof_check(a->proof, a->leaf, &w.xa.node->identity.log, NULL, &c, &index, e));
}

static void nothing_is_published_before_its_proof(void **state)
{
	struct said p;
	AUTO_BUF file = { 0 };
	char path[80] = "acts/";
	size_t count;

	buf_init(&file, LETTER_BYTES_MAX);
	slot(&w.xa);
	p = say_request(&w.xa, "XR");
	IN(&w.xa, publish_act(w.xa.node, p.hash, e));
	assert_ok(publish_proved(w.xa.node, e));
	hex_write(BYTES_ARRAY(p.hash), path + 5);
	assert_false(log_file(&w.xa, path, &file));
	act_free(published(&w.xa, "preservation-request", &count));
	assert_int_equal(count, 0);
	slot(&w.xa);
	assert_true(log_file(&w.xa, path, &file));
	act_free(published(&w.xa, "preservation-request", &count));
	assert_int_equal(count, 1);
	/* Said twice is published once. */
	IN(&w.xa, publish_act(w.xa.node, p.hash, e));
	slot(&w.xa);
	act_free(published(&w.xa, "preservation-request", &count));
	assert_int_equal(count, 1);
}

static void no_other_act_is_among_the_files(void **state)
{
	struct said p;
	AUTO_BUF index = { 0 }, act = { 0 };
	char hex[65];

	buf_init(&index, MIB);
	buf_init(&act, LETTER_BYTES_MAX);
	p = say_request(&w.xa, "XR");
	slot(&w.xa);
	hex_write(BYTES_ARRAY(p.hash), hex);
	assert_true(log_file(&w.xa, "acts/index", &index));
	buf_add_u8(&index, 0);
	assert_null(strstr((const char *)index.at, hex));
	assert_non_null(strstr((const char *)index.at, " log-parameters "));
	struct bytes line = buf_bytes(&index);
	char path[80];
	snprintf(path, sizeof(path), "acts/%.64s", (const char *)bytes_slice(line, 0, 64).at);
	assert_true(log_file(&w.xa, path, &act));
	buf_add_u8(&act, 0);
	assert_null(strstr((const char *)act.at, hex));
}

static void files_that_are_gone_come_back_at_the_start(void **state)
{
	AUTO_BUF index = { 0 }, again = { 0 };
	char path[80];
	size_t count;

	buf_init(&index, MIB);
	buf_init(&again, MIB);
	slot(&w.xa);
	assert_true(log_file(&w.xa, "acts/index", &index));
	snprintf(path, sizeof(path), "acts/%.64s", (const char *)index.at);
	assert_int_equal(unlinkat(w.xa.node->log_fd, path, 0), 0);
	assert_int_equal(unlinkat(w.xa.node->log_fd, "acts/index", 0), 0);
	reopen(&w.xa);
	slot(&w.xa);
	act_free(published(&w.xa, "log-parameters", &count));
	assert_int_equal(count, 1);
	assert_true(log_file(&w.xa, "acts/index", &again));
	assert_true(bytes_equal(buf_bytes(&index), buf_bytes(&again)));
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_stranger_verifies_a_published_act_from_files_alone),
		CLAIM(nothing_is_published_before_its_proof),
		CLAIM(no_other_act_is_among_the_files),
		CLAIM(files_that_are_gone_come_back_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
