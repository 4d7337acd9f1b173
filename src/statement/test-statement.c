/* The frame has one spelling, and what is printed cannot lie. */
#include "statement/test-samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const frame_members[] = { "authority", "body", "case", "exercise", "from", "id", "kind",
					     "legal_basis", "refs", "register", "time", "to", "v", "via" };

static json_t *frame(void)
{
	return sample_frame("page", sample_body("page"));
}

static json_t *peer_frame(void)
{
	return sample_frame("acknowledgement", sample_body("acknowledgement"));
}

static bool parses(json_t *taken)
{
	AUTO_STATEMENT *s = NULL;
	struct err e = { 0 };
	bool ok = sample_parse(taken, &s, &e);

	assert_int_equal(ok, e.kind == ERR_NONE);
	return ok;
}

static void fields_are_read_from_the_frame(void **state)
{
	AUTO_STATEMENT *s = NULL;
	json_t *v = peer_frame(), *ref = json_object(), *refs = json_array();
	uint8_t hash[SHA256_BYTES];

	json_put_text(ref, "hash", SAMPLE_HASH_2);
	json_put_text(ref, "id", SAMPLE_ID);
	assert_int_equal(json_array_append_new(refs, ref), 0);
	json_put(v, "refs", refs);
	assert_true(sample_parse(v, &s, NULL));
	assert_string_equal(s->from, "XA");
	assert_string_equal(s->to, "XR");
	assert_string_equal(s->case_ref, "XA-2026-17");
	assert_string_equal(s->legal_basis, "UNCC");
	assert_string_equal(s->dedupe, "");
	assert_int_equal(s->time, SAMPLE_NOW);
	assert_int_equal(s->ref_count, 1);
	assert_int_equal(s->refs[0].hash[0], 0xff);
	assert_false(s->exercise);
	pae_hash(statement_type(s->kind), s->payload, hash);
	assert_memory_equal(s->hash, hash, sizeof(hash));
}

static void every_member_of_the_frame_is_needed_and_no_other_taken(void **state)
{
	json_t *more = frame();

	assert_true(parses(frame()));
	for (size_t i = 0; i < sizeof(frame_members) / sizeof(frame_members[0]); i++) {
		AUTO_STATEMENT *s = NULL;
		AUTO_JSON *v = frame();
		AUTO_BUF payload = { 0 };

		buf_init(&payload, STATEMENT_BYTES_MAX);
		assert_int_equal(json_object_del(v, frame_members[i]), 0);
		assert_true(json_write_canonical(v, &payload, NULL));
		assert_false(statement_parse(statement_type(kind_find(bytes_of("page"))), buf_bytes(&payload), &s, NULL));
	}
	json_put_text(more, "secret", "");
	assert_false(parses(more));
}

static void the_kind_inside_must_be_that_of_the_type(void **state)
{
	AUTO_STATEMENT *s = NULL;
	AUTO_JSON *v = frame();
	AUTO_BUF payload = { 0 };
	struct err e;

	buf_init(&payload, STATEMENT_BYTES_MAX);
	json_put_text(v, "kind", "custody");
	assert_true(json_write_canonical(v, &payload, NULL));
	assert_false(statement_parse(statement_type(kind_find(bytes_of("page"))), buf_bytes(&payload), &s, &e));
	assert_false(statement_parse(bytes_of("application/json"), buf_bytes(&payload), &s, &e));
	assert_int_equal(e.reason, REASON_UNKNOWN_KIND);
}

static void another_spelling_is_refused(void **state)
{
	AUTO_STATEMENT *s = NULL;
	AUTO_JSON *v = frame();
	AUTO_BUF payload = { 0 };
	struct err e;

	buf_init(&payload, STATEMENT_BYTES_MAX);
	assert_true(json_write_canonical(v, &payload, NULL));
	buf_add_u8(&payload, ' ');
	assert_false(statement_parse(statement_type(kind_find(bytes_of("page"))), buf_bytes(&payload), &s, &e));
	assert_int_equal(e.reason, REASON_NOT_CANONICAL);
}

static void attested_by_and_dedupe_stand_if_and_only_if_it_came_another_way(void **state)
{
	json_t *v = frame();

	json_put_text(v, "via", "telephone");
	assert_false(parses(v));
	v = frame();
	json_put_text(v, "attested_by", "Omar Reed");
	json_put_text(v, "dedupe", "call 7");
	assert_false(parses(v));
	v = frame();
	json_put_text(v, "via", "i-24/7");
	json_put_text(v, "attested_by", "Omar Reed");
	json_put_text(v, "dedupe", "call 7");
	assert_true(parses(v));
}

static void values_outside_their_lists_are_refused(void **state)
{
	static const struct {
		const char *member, *value;
	} wrong[] = {
		{ "via", "pigeon" },
		{ "legal_basis", "uncc" },
		{ "from", "xa" },
		{ "from", "X" },
		{ "from", "ABCDEFGHI" },
		{ "time", "2026-11-23T02:10:00Z" },
		{ "id", "000102030405060708090A0B0C0D0E0F" },
		{ "v", "1" },
		{ "refs", "" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *v = frame();

		json_put_text(v, wrong[i].member, wrong[i].value);
		assert_false(parses(v));
	}
}

static void each_kind_goes_where_it_belongs(void **state)
{
	json_t *v = frame();

	json_put_text(v, "to", "XR"); /* a page stays at home */
	assert_false(parses(v));
	v = peer_frame();
	json_put_text(v, "to", "XA"); /* to itself */
	assert_false(parses(v));
	v = peer_frame();
	json_put_text(v, "to", "*");
	assert_false(parses(v));
	v = sample_frame("register-entry", sample_body("register-entry"));
	json_put_text(v, "to", "XR");
	assert_false(parses(v));
}

static void a_statement_over_its_limit_is_refused(void **state)
{
	AUTO_STATEMENT *s = NULL;
	AUTO_BUF payload = { 0 };
	struct err e;

	buf_init(&payload, STATEMENT_BYTES_MAX * 2);
	while (payload.len <= STATEMENT_BYTES_MAX)
		buf_add_text(&payload, "          ");
	assert_false(statement_parse(statement_type(kind_at(0)), buf_bytes(&payload), &s, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void print_shows_no_treacherous_characters_and_no_false_lines(void **state)
{
	AUTO_STATEMENT *s = NULL;
	json_t *v = frame(), *body = json_object_get(v, "body");
	AUTO_BUF out = { 0 };

	buf_init(&out, MIB);
	json_put_text(v, "case", "A\x1b[2J\xe2\x80\xae" "B\nlegal basis: pilot");
	json_put_text(body, "text", "called\nfrom: XR");
	json_put_bool(v, "exercise", true);
	assert_true(sample_parse(v, &s, NULL));
	statement_print(s, 0, &out);
	assert_non_null(strstr(buf_text(&out), "EXERCISE"));
	assert_null(strchr(buf_text(&out), '\x1b'));
	assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
	assert_null(strstr(buf_text(&out), "\nlegal basis: pilot"));
	assert_null(strstr(buf_text(&out), "\nfrom: XR"));
	assert_non_null(strstr(buf_text(&out), "| from: XR"));
}

static void a_form_has_every_field_with_words(void **state)
{
	struct err e;

	for (size_t i = 0; i < kind_count(); i++) {
		AUTO_JSON *form = NULL, *sample = sample_body(kind_at(i)->name);
		const char *key;
		json_t *value;
		AUTO_BUF out = { 0 };

		buf_init(&out, MIB);
		assert_true(statement_form(kind_at(i), NULL, &out, &e));
		assert_true(json_parse(buf_bytes(&out), "form", &form, &e));
		assert_int_equal(json_object_size(form), json_object_size(sample) + 1);
		json_object_foreach(sample, key, value) {
			assert_non_null(json_object_get(form, key));
			assert_string_not_equal(json_text(json_object_get(form, "_help"), key), "");
		}
	}
}

static void refusals_and_postponements_need_what_the_articles_say(void **state)
{
	static const struct {
		const char *outcome, *field, *clause;
	} cases[] = {
		{ "refused", "ground", "40(25)" },      { "refused", "reasons", "40(25)" },
		{ "postponed", "review_date", "40(27)" }, { "more-information", "reasons", "40(16)" },
		{ "redirected", "reasons", "40(12)" },  { "unable", "reasons", "42(7)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_STATEMENT *s = NULL;
		json_t *body = sample_body("answer");
		struct findings f;
		bool found = false;

		json_put_text(body, "outcome", cases[i].outcome);
		assert_true(sample_parse(sample_frame("answer", body), &s, NULL));
		findings_init(&f);
		statement_check(s, NULL, &f);
		assert_true(f.stops);
		for (size_t j = 0; j < f.count; j++)
			found = found || (strcmp(f.at[j].field, cases[i].field) == 0 &&
					  strcmp(f.at[j].clause, cases[i].clause) == 0);
		assert_true(found);
	}
}

static void an_order_says_what_article_24_wants(void **state)
{
	static const char *const fields[] = { "authorising_body", "grounds", "scope", "proportionality", "remedy",
					      "instrument" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		AUTO_STATEMENT *s = NULL;
		json_t *body = sample_body("order");
		struct findings f;

		json_put_text(body, fields[i], "");
		assert_true(sample_parse(sample_frame("order", body), &s, NULL));
		findings_init(&f);
		statement_check(s, NULL, &f);
		assert_int_equal(f.count, 1);
		assert_string_equal(f.at[0].field, fields[i]);
		assert_true(f.stops);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_from_the_frame),
		cmocka_unit_test(every_member_of_the_frame_is_needed_and_no_other_taken),
		cmocka_unit_test(the_kind_inside_must_be_that_of_the_type),
		cmocka_unit_test(another_spelling_is_refused),
		cmocka_unit_test(attested_by_and_dedupe_stand_if_and_only_if_it_came_another_way),
		cmocka_unit_test(values_outside_their_lists_are_refused),
		cmocka_unit_test(each_kind_goes_where_it_belongs),
		cmocka_unit_test(a_statement_over_its_limit_is_refused),
		cmocka_unit_test(print_shows_no_treacherous_characters_and_no_false_lines),
		cmocka_unit_test(a_form_has_every_field_with_words),
		cmocka_unit_test(refusals_and_postponements_need_what_the_articles_say),
		cmocka_unit_test(an_order_says_what_article_24_wants),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
