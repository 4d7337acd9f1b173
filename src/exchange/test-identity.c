/* HOME/identity and HOME/approvers: one spelling, five lines or, with a witness, six; people with their roles, strictly. */
#include "store/test-home.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/approvers.h"
#include "exchange/identity.h"
#include "log/note.h"

static void identity_text(struct buf *out)
{
	struct identity v = { .since = INT64_C(1795399800000) };
	struct seal_identity *seal = seal_identity_new();
	struct sign_key *log = sign_key_new();

	chance_fill(v.sign, sizeof(v.sign));
	chance_fill(v.tls, sizeof(v.tls));
	note_key_make("comity/XA", NOTE_ED25519, sign_key_public(log), &v.log);
	seal_identity_recipient(seal, &v.seal);
	identity_write(&v, out);
	sign_key_free(log);
	seal_identity_free(seal);
}

static void an_identity_reads_back_the_same(void **state)
{
	struct identity v;
	AUTO_BUF text = { 0 }, again = { 0 };

	buf_init(&text, 4 * KIB);
	buf_init(&again, 4 * KIB);
	identity_text(&text);
	assert_ok(identity_parse(buf_bytes(&text), &v, e));
	identity_write(&v, &again);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
}

static void an_identity_that_is_cut_or_longer_is_refused(void **state)
{
	struct identity v;
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	identity_text(&text);
	for (size_t len = 0; len < text.len; len++)
		assert_false(identity_parse(bytes_from(text.at, len), &v, NULL));
	buf_add_text(&text, "\n");
	assert_refused(identity_parse(buf_bytes(&text), &v, e), REASON_MALFORMED);
}

static void an_identity_may_name_a_witness_and_only_its_key(void **state)
{
	struct identity v, w;
	struct sign_key *key = sign_key_new();
	AUTO_BUF text = { 0 }, again = { 0 };

	buf_init(&text, 4 * KIB);
	buf_init(&again, 4 * KIB);
	identity_text(&text);
	assert_ok(identity_parse(buf_bytes(&text), &v, e));
	assert_false(v.has_witness);
	size_t without = text.len;
	v.has_witness = true;
	note_key_make("comity/XA/witness", NOTE_COSIGNATURE, sign_key_public(key), &v.witness);
	buf_clear(&text);
	identity_write(&v, &text);
	assert_ok(identity_parse(buf_bytes(&text), &w, e));
	assert_true(w.has_witness);
	assert_string_equal(w.witness.name, "comity/XA/witness");
	identity_write(&w, &again);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(identity_parse(bytes_from(text.at, len), &w, NULL), len == without);
	note_key_make("comity/XA/witness", NOTE_ED25519, sign_key_public(key), &v.witness);
	buf_clear(&text);
	identity_write(&v, &text);
	assert_refused(identity_parse(buf_bytes(&text), &w, e), REASON_MALFORMED);
	sign_key_free(key);
}

static void lines_of_an_identity_have_one_order(void **state)
{
	struct identity v;

	assert_false(identity_parse(bytes_of("log x\nsign y\n"), &v, NULL));
}

/* --- approvers ------------------------------------------------------------------------------------------------------- */

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct approvers people; /* large */

static void people_have_names_roles_and_keys(void **state)
{
	assert_ok(approvers_parse(bytes_of("# people\n\nRana Vale\trights-reviewer\t" KEY "\nIlse Thorn\tauthority,court\t" KEY "\n"),
				  &people, e));
	assert_int_equal(people.count, 2);
	assert_string_equal(people.at[0].name, "Rana Vale");
	assert_int_equal(people.at[0].roles, 1u << APPROVAL_REVIEWER);
	assert_int_equal(people.at[1].roles, 1u << APPROVAL_AUTHORITY | 1u << APPROVAL_COURT);
	assert_int_equal(people.at[1].key[1], 0x11);
}

static void a_line_that_is_not_understood_is_named_and_refused(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} cases[] = {
		{ "Rana Vale\tqueen\t" KEY "\n", REASON_BAD_FIELD },
		{ "Rana Vale\t\t" KEY "\n", REASON_MISSING_FIELD },
		{ "Rana Vale\tcourt\t0011\n", REASON_BAD_FIELD },
		{ "Rana Vale\tcourt\t" KEY "00\n", REASON_BAD_FIELD },
		{ "Rana Vale\n", REASON_MISSING_FIELD },
		{ "\tcourt\t" KEY "\n", REASON_BAD_FIELD },
		{ "Rana \xff\tcourt\t" KEY "\n", REASON_BAD_FIELD },
		{ "Rana Vale\tcourt\t" KEY " \n", REASON_BAD_FIELD },
		{ "A\tcourt\t" KEY "\nA\tauthority\t" KEY "\n", REASON_BAD_FIELD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err why = { 0 };
		assert_false(approvers_parse(bytes_of(cases[i].text), &people, &why));
		assert_int_equal(why.reason, cases[i].reason);
		assert_non_null(strstr(why.text, i == 8 ? "approvers:2" : "approvers:1"));
	}
}

static void more_people_than_a_register_holds_are_too_many(void **state)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, APPROVERS_BYTES_MAX);
	for (unsigned i = 0; i < PARTY_APPROVERS_MAX; i++)
		buf_add_format(&text, "Person %u\tcourt\t" KEY "\n", i);
	assert_ok(approvers_parse(buf_bytes(&text), &people, e));
	buf_add_text(&text, "One More\tcourt\t" KEY "\n");
	assert_refused(approvers_parse(buf_bytes(&text), &people, e), REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_reads_back_the_same),
		cmocka_unit_test(an_identity_that_is_cut_or_longer_is_refused),
		cmocka_unit_test(an_identity_may_name_a_witness_and_only_its_key),
		cmocka_unit_test(lines_of_an_identity_have_one_order),
		cmocka_unit_test(people_have_names_roles_and_keys),
		cmocka_unit_test(a_line_that_is_not_understood_is_named_and_refused),
		cmocka_unit_test(more_people_than_a_register_holds_are_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
