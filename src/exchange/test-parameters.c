/* The log's parameters: stated, published, and changed only from the week that was stated. */
#include "exchange/test-log-audit.h"

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

static int64_t slot_leaves(struct home *h)
{
	uint64_t before = log_size(h->node->log);

	slot(h);
	return (int64_t)(log_size(h->node->log) - before);
}

static void the_first_version_is_stated_with_the_first_slot_and_published(void **state)
{
	struct act *a;
	size_t count;

	slot(&w.xa);
	a = published(&w.xa, "log-parameters", &count);
	assert_non_null(a);
	assert_int_equal(count, 1);
	assert_int_equal(json_int(a->statement->body, "version"), 1);
	assert_int_equal(json_int(a->statement->body, "leaves_per_slot"), 4);
	assert_int_equal(json_int(a->statement->body, "slot_ms"), SLOT_MS);
	assert_string_equal(json_text(a->statement->body, "start_week"), "2026-W48");
	assert_string_equal(json_text(a->statement->body, "log"), "comity/XA");
	act_free(a);
	reopen(&w.xa);
	slot(&w.xa);
	act_free(published(&w.xa, "log-parameters", &count));
	assert_int_equal(count, 1);
}

static void every_logged_class_is_in_the_list_and_null(void **state)
{
	AUTO_ACT *a = NULL;
	size_t count;

	slot(&w.xa);
	a = published(&w.xa, "log-parameters", &count);
	const json_t *classes = json_object_get(a->statement->body, "classes"), *v;
	for (size_t i = 0; i < kind_count(); i++) {
		size_t j, seen = 0;
		json_array_foreach(classes, j, v)
			seen += strcmp(json_text(v, "class"), kind_at(i)->act_class) == 0;
		assert_int_equal(seen, kind_at(i)->leaf ? 1 : 0);
	}
	size_t j, nulls = 0;
	json_array_foreach(classes, j, v)
		nulls += strcmp(json_text(v, "class"), "null") == 0;
	assert_int_equal(nulls, 1);
}

static void a_change_holds_from_the_week_that_it_names_and_not_before(void **state)
{
	AUTO_JSON *entry = NULL;
	struct act *a;
	size_t count;

	assert_int_equal(slot_leaves(&w.xa), 4);
	resettle(&w.xa, CONFIG_leaves_per_slot, "7");
	assert_int_equal(slot_leaves(&w.xa), 4);
	assert_int_equal(slot_leaves(&w.xa), 4);
	a = published(&w.xa, "log-parameters", &count);
	assert_int_equal(count, 2);
	assert_int_equal(json_int(a->statement->body, "version"), 2);
	assert_int_equal(json_int(a->statement->body, "leaves_per_slot"), 7);
	assert_string_equal(json_text(a->statement->body, "start_week"), "2026-W49");
	act_free(a);
	assert_ok(directory_own_body(w.xa.node, &entry, e));
	assert_int_equal(json_int(entry, "leaves_per_slot"), 4);
	/* SAMPLE_NOW is a Monday; the last slot of Sunday, and the first of the next week. */
	time_jumps("2026-11-29T23:59:00.000Z");
	assert_int_equal(slot_leaves(&w.xa), 4);
	assert_int_equal(slot_leaves(&w.xa), 7);
	json_decref(entry);
	assert_ok(directory_own_body(w.xa.node, &entry, e));
	assert_int_equal(json_int(entry, "leaves_per_slot"), 7);
	reopen(&w.xa);
	assert_int_equal(slot_leaves(&w.xa), 7);
}

static void what_was_stated_and_taken_back_in_the_same_week_never_holds(void **state)
{
	size_t count;

	slot(&w.xa);
	resettle(&w.xa, CONFIG_leaves_per_slot, "7");
	slot(&w.xa);
	resettle(&w.xa, CONFIG_leaves_per_slot, "4");
	slot(&w.xa);
	act_free(published(&w.xa, "log-parameters", &count));
	assert_int_equal(count, 3);
	time_jumps("2026-11-30T00:10:00.000Z");
	assert_int_equal(slot_leaves(&w.xa), 4);
}

static void an_embargo_of_no_class_stops_the_node(void **state)
{
	static const char *const wrong[] = { "preservations:2", "preservation:0", "preservation:41", "preservation", "null:2", "page:x", ":2" };

	home_close(&w.xa);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AUTO_BUF text = { 0 };
		buf_init(&text, 64 * KIB);
		set(&w.xa, CONFIG_embargo_classes, wrong[i]);
		config_write(&w.xa.config, &text);
		write_file(&w.xa, "comity.conf", buf_bytes(&text));
		assert_refused(parameters_setting(&w.xa.config, e), REASON_BAD_FIELD); /* before anything is started */
		assert_ok(signer_open(&w.xa, false, e));
		assert_refused(node_open_at(&w.xa, e), REASON_BAD_FIELD);
		w.xa.node = NULL;
		home_close(&w.xa);
	}
	set(&w.xa, CONFIG_embargo_classes, "page:4  preservation:2");
	AUTO_BUF good = { 0 };
	buf_init(&good, 64 * KIB);
	config_write(&w.xa.config, &good);
	write_file(&w.xa, "comity.conf", buf_bytes(&good));
	home_open(&w.xa);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(the_first_version_is_stated_with_the_first_slot_and_published),
		CLAIM(every_logged_class_is_in_the_list_and_null),
		CLAIM(a_change_holds_from_the_week_that_it_names_and_not_before),
		CLAIM(what_was_stated_and_taken_back_in_the_same_week_never_holds),
		CLAIM(an_embargo_of_no_class_stops_the_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
