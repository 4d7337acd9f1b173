/* Class openings through the quarters: what anybody can count, when, and what stays closed. */
#include "exchange/test-log-audit.h"

static struct world w;

static void with_embargo(struct world *v)
{
	set(&v->xa, CONFIG_embargo_classes, "preservation:2");
	set(&v->xa, CONFIG_leaves_per_slot, "700"); /* several portions */
}

static int begin(void **state)
{
	world_begin_with(&w, with_embargo);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

struct counted {
	struct openings_head head;
	uint8_t digest[SHA256_BYTES];
	size_t null, withheld, lost, preservation, parameters, other;
};

/* As a stranger counts: every line that says something opens the leaf at its place. */
static void count(struct home *h, const char *path, struct counted *ret)
{
	AUTO_BUF file = { 0 };

	memset(ret, 0, sizeof(*ret));
	buf_init(&file, 64 * MIB);
	assert_true(log_file(h, path, &file));
	sha256(buf_bytes(&file), ret->digest);
	struct reader r = reader_over(buf_bytes(&file));
	assert_ok(openings_head_parse(reader_line(&r, OPENINGS_LINE_BYTES_MAX), &ret->head, e));
	for (uint64_t i = 0; i < ret->head.leaves; i++) {
		struct class_opening o;
		uint8_t leaf[LEAF_V1_BYTES];
		assert_ok(class_opening_parse(reader_line(&r, OPENINGS_LINE_BYTES_MAX), &o, e));
		leaf_at(h, ret->head.first + i, leaf);
		if (!o.withheld && !o.lost)
			assert_ok(class_opening_check(&o, BYTES_ARRAY(leaf), e));
		ret->withheld += o.withheld;
		ret->lost += o.lost;
		ret->null += bytes_is(o.c.act_class, "null");
		ret->preservation += bytes_is(o.c.act_class, "preservation");
		ret->parameters += bytes_is(o.c.act_class, "log-parameters");
		ret->other += bytes_is(o.c.act_class, "register");
	}
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(ret->withheld, ret->head.withheld);
	assert_int_equal(ret->lost, ret->head.lost);
}

static void statement_says(struct home *h, const struct counted *c, size_t how_many)
{
	uint8_t digest[SHA256_BYTES];
	AUTO_ACT *a = NULL;
	size_t number_of;

	a = published(h, "class-openings", &number_of);
	assert_int_equal(number_of, how_many);
	assert_ok(json_must_hex(a->statement->body, "digest", digest, sizeof(digest), e));
	assert_memory_equal(digest, c->digest, sizeof(digest));
	assert_int_equal(json_int(a->statement->body, "withheld"), (int64_t)c->withheld);
	assert_int_equal(json_int(a->statement->body, "leaves"), (int64_t)c->head.leaves);
	assert_string_equal(json_text(a->statement->body, "period"), c->head.period);
}

static void a_quarter_is_opened_a_quarter_after_its_end_and_embargoes_later(void **state)
{
	struct said kept = say_request(&w.xa, "XR"), erased = say_request(&w.xa, "XR");
	AUTO_BUF file = { 0 };
	struct counted c;

	buf_init(&file, 64 * MIB);
	for (int i = 0; i < 4; i++)
		slot(&w.xa);
	home_close(&w.xa);
	tamper_forget_key(&w.xa.dir, erased.hash);
	home_open(&w.xa);
	uint64_t border = log_size(w.xa.node->log);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	assert_false(log_file(&w.xa, "openings/2026-Q4", &file));
	time_jumps("2027-03-31T23:50:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	assert_false(log_file(&w.xa, "openings/2026-Q4", &file));

	time_jumps("2027-04-01T00:00:00.000Z");
	slot(&w.xa);
	assert_true(open_all_due(&w.xa) >= 4); /* two passes of at least two portions */
	count(&w.xa, "openings/2026-Q4", &c);
	assert_int_equal(c.head.first, 0);
	assert_int_equal(c.head.leaves, border);
	assert_int_equal(c.withheld, 2);
	assert_int_equal(c.preservation, 0);
	assert_int_equal(c.parameters, 1);
	assert_int_equal(c.lost, 0);
	assert_int_equal(c.null + c.withheld + c.parameters + c.other, border);
	slot(&w.xa);
	statement_says(&w.xa, &c, 1);
	assert_false(log_file(&w.xa, "openings/2027-Q1", &file));

	time_jumps("2027-07-01T00:01:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	count(&w.xa, "openings/2026-Q4", &c);
	assert_int_equal(c.withheld, 0);
	assert_int_equal(c.preservation, 2); /* of the erased one too */
	assert_true(leaf_place(&w.xa, kept.hash) < border);
	struct counted next;
	count(&w.xa, "openings/2027-Q1", &next);
	assert_int_equal(next.head.first, border);
	slot(&w.xa);
	statement_says(&w.xa, &next, 3); /* of both periods: the last one stated is of the later */
}

static void a_restart_in_the_middle_makes_the_same_file_and_states_it_once(void **state)
{
	AUTO_BUF first = { 0 }, again = { 0 };
	struct counted c;

	buf_init(&first, 64 * MIB);
	buf_init(&again, 64 * MIB);
	for (int i = 0; i < 4; i++)
		slot(&w.xa);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	time_jumps("2027-04-02T08:00:00.000Z");
	slot(&w.xa);
	for (int i = 0; i < 3; i++)
		assert_ok(openings_portion(w.xa.node, the_time, e));
	assert_false(log_file(&w.xa, "openings/2026-Q4", &first));
	reopen(&w.xa);
	(void)open_all_due(&w.xa);
	assert_true(log_file(&w.xa, "openings/2026-Q4", &first));
	slot(&w.xa);
	/* Gone: it comes back the same, without another statement. */
	assert_int_equal(unlinkat(w.xa.node->log_fd, "openings/2026-Q4", 0), 0);
	reopen(&w.xa);
	(void)open_all_due(&w.xa);
	assert_true(log_file(&w.xa, "openings/2026-Q4", &again));
	assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	slot(&w.xa);
	count(&w.xa, "openings/2026-Q4", &c);
	statement_says(&w.xa, &c, 1);
}

/* An embargo that is declared later does not close what was to be opened. */
static void an_embargo_counts_only_for_the_periods_that_it_was_declared_in(void **state)
{
	struct counted c;

	(void)say_request(&w.xa, "XR");
	slot(&w.xa);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	resettle(&w.xa, CONFIG_embargo_classes, "preservation:40 register:40 log-parameters:40");
	slot(&w.xa);
	time_jumps("2027-07-02T08:00:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	count(&w.xa, "openings/2026-Q4", &c);
	assert_int_equal(c.withheld, 0);
	assert_int_equal(c.preservation, 1);
}

/* Nor does one that is taken back open what was logged under it. */
static void an_embargo_holds_for_the_quarter_that_it_was_ever_declared_in(void **state)
{
	struct counted c;

	(void)say_request(&w.xa, "XR");
	slot(&w.xa);
	resettle(&w.xa, CONFIG_embargo_classes, "");
	slot(&w.xa);
	time_jumps("2026-12-28T08:00:00.000Z"); /* the new version is in effect */
	slot(&w.xa);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	time_jumps("2027-04-02T08:00:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	count(&w.xa, "openings/2026-Q4", &c);
	assert_int_equal(c.withheld, 1);
	assert_int_equal(c.preservation, 0);
}

static void a_leaf_that_nobody_can_open_is_told_as_lost(void **state)
{
	static const char stray[] = "{\"c\":\"4e193e48a45d81d241189ab658eed9f443686627e4254a4d2f683b3a35935bd0\",\"k\":\"5503e6fe0da62fdaaf302fb105d453809b77410cf51340f4835485c6c36ba413\",\"t\":\"a5bf0dfaa163c51df8dfd132ff7eabdfdef444632b31c8432dcdede3a1c0cf91\",\"v\":1}";
	struct counted c;

	slot(&w.xa);
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(log_append(w.xa.node->log, bytes_of(stray), NULL, NULL, e));
	assert_ok(log_save(w.xa.node->log, e));
	assert_ok(node_commit(w.xa.node, e));
	log_committed(w.xa.node->log);
	time_jumps("2027-01-02T08:00:00.000Z");
	slot(&w.xa);
	time_jumps("2027-04-02T08:00:00.000Z");
	slot(&w.xa);
	(void)open_all_due(&w.xa);
	count(&w.xa, "openings/2026-Q4", &c);
	assert_int_equal(c.lost, 1);
}

/* The receiver rebuilds the sender's leaf, class and all: no other class opens it, and it holds the proof. */
static void the_counterpart_sees_another_class(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct class_opening o = { 0 };
	AUTO_ACT *a = NULL;

	settle(&w.xa, &w.xr);
	assert_state(&w.xr, &p.id, RECEIVED);
	assert_ok(node_act_load(w.xr.node, p.hash, &a, e));
	leaf_class_salt(a->opening, o.salt);
	o.c = (struct leaf_class){ .act_class = bytes_of("preservation"), .basis = bytes_of("UNCC"), .week = bytes_of("2026-W48") };
	o.c.exercise = a->statement->exercise;
	assert_ok(class_opening_check(&o, a->leaf, e));
	o.c.act_class = bytes_of("page");
	assert_refused(class_opening_check(&o, a->leaf, e), REASON_LEAF_MISMATCH);
	o.c.act_class = bytes_of("null");
	o.c.basis = bytes_of("");
	assert_refused(class_opening_check(&o, a->leaf, e), REASON_LEAF_MISMATCH);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_quarter_is_opened_a_quarter_after_its_end_and_embargoes_later),
		CLAIM(a_restart_in_the_middle_makes_the_same_file_and_states_it_once),
		CLAIM(an_embargo_counts_only_for_the_periods_that_it_was_declared_in),
		CLAIM(an_embargo_holds_for_the_quarter_that_it_was_ever_declared_in),
		CLAIM(a_leaf_that_nobody_can_open_is_told_as_lost),
		CLAIM(the_counterpart_sees_another_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
