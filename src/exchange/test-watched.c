/* What a node's witness is told to watch: everybody's log but its own, and the register's. */
#include "exchange/test-carry.h"

#include "exchange/watched.h"
#include "log/watched.h"

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

static void watches(struct home *at, struct watched *ret)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	assert_ok(watched_text(at->node, &text, e));
	assert_ok(watched_parse(buf_bytes(&text), ret, e));
}

static void each_watches_all_others_and_the_register_and_not_itself(void **state)
{
	struct home *all[] = { &w.xa, &w.xr };

	for (size_t i = 0; i < 2; i++) {
		const struct node *n = all[i]->node;
		const struct note_key *register_log = register_log_key(n->reg);
		AUTO_WATCHED logs = { 0 };

		watches(all[i], &logs);
		assert_null(watched_find(&logs, n->identity.log.name));
		assert_non_null(register_log);
		assert_string_equal(register_log->name, register_origin(n->reg));
		assert_non_null(watched_find(&logs, register_log->name));
		for (size_t k = 0; k < register_count(n->reg); k++) {
			const struct party *p = register_at(n->reg, k);
			const struct watched_log *l = watched_find(&logs, p->log_key.name);

			if (strcmp(p->log_key.name, n->identity.log.name) == 0)
				continue;
			assert_non_null(l);
			assert_true(note_key_same(&l->key, &p->log_key));
			assert_string_equal(l->url, p->public_endpoint);
		}
	}
}

static void a_home_without_a_register_watches_nothing(void **state)
{
	struct home alone;
	AUTO_WATCHED logs = { 0 };

	home_begin(&alone, "XL", "Laurania");
	home_write(&alone);
	home_open(&alone);
	assert_null(register_log_key(alone.node->reg));
	watches(&alone, &logs);
	assert_int_equal(logs.count, 0);
	home_end(&alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_watches_all_others_and_the_register_and_not_itself, begin, end),
		cmocka_unit_test_setup_teardown(a_home_without_a_register_watches_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
