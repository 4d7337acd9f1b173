/* A letter is about a statement to its addressee, from its sender, and comes out of its seal as it went in. */
#include "statement/letter.h"
#include "statement/test-acts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct letter_pair third = { .n = 3, .prev = { 1, 2, 3 } };

/* acts: taken, NULL at the end. */
static void write_letter(const char *from, const char *to, json_t *const *acts, struct buf *out)
{
	struct buf written[LETTER_ACTS_MAX + 1];
	struct bytes bytes[LETTER_ACTS_MAX + 1] = { 0 };
	size_t n = 0;

	for (; acts[n] != NULL; n++) {
		buf_init(&written[n], LETTER_BYTES_MAX);
		assert_true(json_write_canonical(acts[n], &written[n], NULL));
		bytes[n] = buf_bytes(&written[n]);
		json_decref(acts[n]);
	}
	assert_true(letter_write(from, to, &third, bytes, n, out, NULL));
	for (size_t i = 0; i < n; i++)
		buf_release(&written[i]);
}

static bool parses(const char *from, const char *to, json_t *const *acts, struct err *e)
{
	AUTO_LETTER *l = NULL;
	AUTO_BUF plain = { 0 };

	buf_init(&plain, LETTER_BYTES_MAX);
	write_letter(from, to, acts, &plain);
	return letter_parse(buf_bytes(&plain), &l, e);
}

static void a_letter_holds_its_acts_in_order(void **state)
{
	AUTO_LETTER *l = NULL;
	AUTO_BUF plain = { 0 };

	buf_init(&plain, LETTER_BYTES_MAX);
	write_letter("XA", "XR",
		     (json_t *[]){ sample_act_of("exhibit", 1), sample_act_of("order", 1), sample_act_of("custody", 0), NULL },
		     &plain);
	assert_true(letter_parse(buf_bytes(&plain), &l, NULL));
	assert_int_equal(l->act_count, 3);
	assert_string_equal(l->from, "XA");
	assert_string_equal(l->to, "XR");
	assert_int_equal(l->pair.n, 3);
	assert_memory_equal(l->pair.prev, third.prev, SHA256_BYTES);
	assert_string_equal(l->acts[0]->statement->kind->name, "exhibit");
	assert_string_equal(l->acts[2]->statement->kind->name, "custody");
}

static void a_statement_from_another_sender_is_rejected(void **state)
{
	struct err e;

	assert_false(parses("XL", "XR", (json_t *[]){ sample_act_of("order", 1), NULL }, &e));
	assert_int_equal(e.reason, REASON_WRONG_PARTY);
}

static void a_statement_to_another_addressee_is_rejected(void **state)
{
	struct err e;

	assert_false(parses("XA", "XL", (json_t *[]){ sample_act_of("order", 1), NULL }, &e));
	assert_int_equal(e.reason, REASON_RE_ADDRESSED);
}

static void a_letter_is_about_something_for_its_addressee(void **state)
{
	struct err e;

	assert_false(parses("XA", "XR", (json_t *[]){ sample_act_of("custody", 0), NULL }, &e));
	assert_int_equal(e.reason, REASON_BAD_FIELD);
}

static void a_letter_has_one_to_its_limit_of_acts(void **state)
{
	json_t *acts[LETTER_ACTS_MAX + 1] = { NULL };
	AUTO_BUF out = { 0 };

	for (size_t i = 0; i < LETTER_ACTS_MAX; i++)
		acts[i] = sample_act_of("acknowledgement", 0);
	assert_true(parses("XA", "XR", acts, NULL));
	buf_init(&out, LETTER_BYTES_MAX);
	assert_false(letter_write("XA", "XR", &third, NULL, 0, &out, NULL));
	assert_false(letter_write("XA", "XR", &third, NULL, LETTER_ACTS_MAX + 1, &out, NULL));
}

static void other_frames_are_refused(void **state)
{
	static const char *const frames[] = {
		"{\"acts\":[],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XA\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"*\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":2}",
		"{\"acts\":{},\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1,\"z\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":0,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":1,\"prev\":\"\"},\"to\":\"XR\",\"v\":1}",
		"{\"acts\":[{}],\"from\":\"XA\",\"pair\":{\"n\":9007199254740992,\"prev\":\"" SAMPLE_HASH "\"},\"to\":\"XR\",\"v\":1}",
		"[]",
		"",
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		AUTO_LETTER *l = NULL;

		assert_false(letter_parse(bytes_of(frames[i]), &l, NULL));
		assert_null(l);
	}
}

static void what_is_sealed_comes_out_the_same(void **state)
{
	AUTO_SEAL_IDENTITY *identity = seal_identity_new();
	const struct seal_identity *identities[] = { identity };
	struct age_recipient recipient;
	AUTO_SECRET *key = NULL;
	size_t header;
	AUTO_BUF plain = { 0 }, sealed = { 0 }, opened = { 0 };

	buf_init(&plain, LETTER_BYTES_MAX);
	buf_init(&sealed, 2 * LETTER_BYTES_MAX);
	buf_init(&opened, LETTER_BYTES_MAX);
	seal_identity_recipient(identity, &recipient);
	write_letter("XA", "XR", (json_t *[]){ sample_act_of("order", 1), NULL }, &plain);
	assert_true(letter_seal(buf_bytes(&plain), &recipient, &sealed, NULL));
	assert_true(age_header_length(buf_bytes(&sealed), &header, NULL));
	assert_true(age_header_open(bytes_slice(buf_bytes(&sealed), 0, header), identities, 1, &key, NULL));
	assert_true(age_payload_open(key, bytes_slice(buf_bytes(&sealed), header, sealed.len - header), &opened, NULL));
	assert_true(bytes_equal(buf_bytes(&plain), buf_bytes(&opened)));
}

/* An order is an act, a receipt is none: the one is counted, the other is not. */
static void what_has_a_leaf_is_counted_and_nothing_else(void **state)
{
	static const struct letter_pair none = { 0 };
	AUTO_LETTER *l = NULL;
	AUTO_JSON *act = sample_act_of("order", 1);
	struct err e;
	AUTO_BUF json = { 0 }, plain = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	buf_init(&plain, LETTER_BYTES_MAX);
	assert_true(json_write_canonical(act, &json, NULL));
	struct bytes one = buf_bytes(&json);
	assert_true(letter_write("XA", "XR", &none, &one, 1, &plain, NULL));
	assert_false(letter_parse(buf_bytes(&plain), &l, &e));
	assert_int_equal(e.reason, REASON_BAD_FIELD);
	assert_non_null(strstr(e.text, "has a number"));
}

/* Letters that their sender erased: the hashes stand in the next one, in one spelling. */
static void a_letter_accounts_for_the_erased_ones_before_it(void **state)
{
	static struct letter_pair pair = { .n = 3, .prev = { 1 }, .gone_count = 2, .gone = { { 2 }, { 3 } } };
	static const struct {
		const char *from, *to;
	} bad[] = {
		{ "\"gone\":[\"02", "\"gone\":[\"0g" },
		{ "\"n\":3", "\"n\":2" }, /* there are not so many before it */
		{ "\"gone\":[", "\"gine\":[" },
	};
	AUTO_JSON *act = sample_act_of("order", 1);
	AUTO_LETTER *l = NULL;
	struct err e;
	AUTO_BUF json = { 0 }, plain = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	buf_init(&plain, LETTER_BYTES_MAX);
	assert_true(json_write_canonical(act, &json, NULL));
	struct bytes one = buf_bytes(&json);
	assert_true(letter_write("XA", "XR", &pair, &one, 1, &plain, NULL));
	assert_true(letter_parse(buf_bytes(&plain), &l, NULL));
	assert_int_equal(l->pair.gone_count, 2);
	assert_memory_equal(l->pair.gone, pair.gone, sizeof(pair.gone));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_LETTER *none = NULL;
		AUTO_BUF text = { 0 };
		char *at;

		buf_init(&text, LETTER_BYTES_MAX);
		buf_add(&text, buf_bytes(&plain));
		at = memmem(text.at, text.len, bad[i].from, strlen(bad[i].from));
		assert_non_null(at);
		memcpy(at, bad[i].to, strlen(bad[i].to));
		assert_false(letter_parse(buf_bytes(&text), &none, &e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_holds_its_acts_in_order),
		cmocka_unit_test(a_letter_accounts_for_the_erased_ones_before_it),
		cmocka_unit_test(a_statement_from_another_sender_is_rejected),
		cmocka_unit_test(a_statement_to_another_addressee_is_rejected),
		cmocka_unit_test(a_letter_is_about_something_for_its_addressee),
		cmocka_unit_test(a_letter_has_one_to_its_limit_of_acts),
		cmocka_unit_test(other_frames_are_refused),
		cmocka_unit_test(what_has_a_leaf_is_counted_and_nothing_else),
		cmocka_unit_test(what_is_sealed_comes_out_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
