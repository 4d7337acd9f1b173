/* Approvals: bound to one statement, one person, one spelling. */
#include "seal/approval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/limits.h"

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TIME "2026-11-23T02:10:00.000Z"

static uint8_t hash[SHA256_BYTES];
static const int64_t time_ms = INT64_C(1795399800000);

/* An envelope around this payload, signed. */
static void around(const char *type, const char *payload, struct buf *out)
{
	AUTO_SIGN_KEY *k = sign_key_new();

	buf_clear(out);
	assert_true(envelope_sign(bytes_of(type), bytes_of(payload), k, out, NULL));
}

static int setup(void **state)
{
	return hex_parse(bytes_of(HASH), hash, sizeof(hash)) ? 0 : -1;
}

static void what_is_made_reads_back(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_APPROVAL a = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	for (unsigned role = 0; role < APPROVAL_ROLE_COUNT; role++) {
		buf_clear(&out);
		assert_true(approval_make(k, "Judge \xc3\x89. Vane, Arcadia", (enum approval_role)role,
					  "proportionate\n\"art. 24\"", hash, time_ms, &out, &e));
		assert_true(approval_parse(buf_bytes(&out), &a, &e));
		assert_string_equal(a.approver, "Judge \xc3\x89. Vane, Arcadia");
		assert_string_equal(a.note, "proportionate\n\"art. 24\"");
		assert_string_equal(a.assurance, "key-file");
		assert_int_equal(a.role, role);
		assert_memory_equal(a.hash, hash, sizeof(hash));
		assert_true(a.time == time_ms);
		assert_true(envelope_signed_by(&a.envelope, sign_key_public(k)));
		approval_release(&a);
	}
}

static void its_payload_is_known_to_the_byte(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_APPROVAL a = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(approval_make(k, "A. Vane", APPROVAL_COURT, "", hash, time_ms, &out, NULL));
	assert_true(approval_parse(buf_bytes(&out), &a, NULL));
	assert_string_equal(buf_text(&a.envelope.payload),
			    "{\"approver\":\"A. Vane\",\"assurance\":\"key-file\",\"hash\":\"" HASH
			    "\",\"note\":\"\",\"role\":\"court\",\"time\":\"" TIME "\",\"v\":1}");
}

#define PAYLOAD(approver, assurance, sum, note, role, time, v)                                              \
	"{\"approver\":\"" approver "\",\"assurance\":\"" assurance "\",\"hash\":\"" sum "\",\"note\":\"" note \
	"\",\"role\":\"" role "\",\"time\":\"" time "\",\"v\":" v "}"

static void refuses_fields_that_are_not_as_they_must_be(void **state)
{
	static const char *const bad[] = {
		"{}", "[]", "7",
		PAYLOAD("", "key-file", HASH, "", "court", TIME, "1"),
		PAYLOAD("A\xe2\x80\xaeV", "key-file", HASH, "", "court", TIME, "1"),
		PAYLOAD("A", "key-file", "00", "", "court", TIME, "1"),
		PAYLOAD("A", "key-file", HASH, "", "king", TIME, "1"),
		PAYLOAD("A", "key-file", HASH, "", "", TIME, "1"),
		PAYLOAD("A", "key-file", HASH, "", "court", "2026-02-30T02:10:00.000Z", "1"),
		PAYLOAD("A", "key-file", HASH, "", "court", "2026-11-23T02:10:00Z", "1"),
		PAYLOAD("A", "key-file", HASH, "", "court", TIME, "2"),
		PAYLOAD("A", "key-file", HASH, "", "court", TIME, "true"),
		PAYLOAD("A", "key-file", HASH, "", "court", TIME, "1,\"x\":1"),
		"{\"v\":1,\"approver\":\"A\",\"assurance\":\"key-file\",\"hash\":\"" HASH
		"\",\"note\":\"\",\"role\":\"court\",\"time\":\"" TIME "\"}",
		PAYLOAD("A", "key-file", HASH, "", "court", TIME, "1 "),
	};
	AUTO_APPROVAL good = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	around(APPROVAL_TYPE, PAYLOAD("A", "key-file", HASH, "", "court", TIME, "1"), &out);
	assert_true(approval_parse(buf_bytes(&out), &good, &e));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct approval a = { 0 };

		around(APPROVAL_TYPE, bad[i], &out);
		assert_false(approval_parse(buf_bytes(&out), &a, &e));
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(a.envelope.payload.at);
	}
}

static void refuses_assurances_that_nobody_verifies_here(void **state)
{
	static const char *const others[] = {
		PAYLOAD("A", "passkey", HASH, "", "court", TIME, "1"),
		PAYLOAD("A", "paper", HASH, "", "court", TIME, "1"),
		PAYLOAD("A", "oral", HASH, "", "court", TIME, "1"),
	};
	struct approval a = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		around(APPROVAL_TYPE, others[i], &out);
		assert_false(approval_parse(buf_bytes(&out), &a, &e));
		assert_int_equal(e.kind, ERR_REJECTED);
		assert_int_equal(e.reason, REASON_BAD_APPROVAL);
	}
}

static void an_envelope_of_another_type_is_no_approval(void **state)
{
	struct approval a = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	around("application/vnd.comity.receipt+json; v=1",
	       PAYLOAD("A", "key-file", HASH, "", "court", TIME, "1"), &out);
	assert_false(approval_parse(buf_bytes(&out), &a, &e));
	assert_int_equal(e.reason, REASON_UNKNOWN_KIND);
}

static void an_approval_is_the_act_of_one_person(void **state)
{
	struct envelope_signature two[2] = { { .keyid = "00112233445566778899aabbccddeeff" },
					     { .keyid = "ffeeddccbbaa99887766554433221100" } };
	struct approval a = { 0 };
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(envelope_write_of(bytes_of(APPROVAL_TYPE),
				      bytes_of(PAYLOAD("A", "key-file", HASH, "", "court", TIME, "1")), two, 2, &out,
				      &e));
	assert_false(approval_parse(buf_bytes(&out), &a, &e));
	assert_int_equal(e.reason, REASON_BAD_APPROVAL);
}

static void limits_hold_to_the_byte(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_APPROVAL a = { 0 };
	char name[APPROVER_NAME_BYTES_MAX + 2], note[APPROVAL_NOTE_BYTES_MAX + 2];
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	memset(name, 'n', sizeof(name));
	memset(note, '\x01', sizeof(note)); /* six bytes each in JSON */
	name[APPROVER_NAME_BYTES_MAX + 1] = '\0';
	note[APPROVAL_NOTE_BYTES_MAX + 1] = '\0';
	assert_false(approval_make(k, name, APPROVAL_DUTY, "", hash, time_ms, &out, &e));
	assert_false(approval_make(k, "A", APPROVAL_DUTY, note, hash, time_ms, &out, &e));
	assert_int_equal(out.len, 0);
	name[APPROVER_NAME_BYTES_MAX] = '\0';
	note[APPROVAL_NOTE_BYTES_MAX] = '\0';
	assert_true(approval_make(k, name, APPROVAL_DUTY, note, hash, time_ms, &out, &e));
	assert_true(approval_parse(buf_bytes(&out), &a, &e));
	assert_string_equal(a.note, note);
	assert_string_equal(a.approver, name);
}

static void makes_nothing_that_it_would_not_read(void **state)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_false(approval_make(k, "", APPROVAL_DUTY, "", hash, time_ms, &out, NULL));
	assert_false(approval_make(k, "\xff", APPROVAL_DUTY, "", hash, time_ms, &out, NULL));
	assert_false(approval_make(k, "A", APPROVAL_DUTY, "\xff", hash, time_ms, &out, NULL));
	assert_false(approval_make(k, "A", APPROVAL_ROLE_COUNT, "", hash, time_ms, &out, NULL));
	assert_false(approval_make(k, "A", APPROVAL_DUTY, "", hash, INT64_MAX, &out, NULL));
}

static void every_role_is_found_by_its_code(void **state)
{
	enum approval_role r;

	for (unsigned i = 0; i < APPROVAL_ROLE_COUNT; i++) {
		assert_true(approval_role_find(bytes_of(approval_role_code((enum approval_role)i)), &r));
		assert_int_equal(r, i);
		assert_true(approval_role_words((enum approval_role)i)[0] != '\0');
	}
	assert_false(approval_role_find(bytes_of("Court"), &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_reads_back),
		cmocka_unit_test(its_payload_is_known_to_the_byte),
		cmocka_unit_test(refuses_fields_that_are_not_as_they_must_be),
		cmocka_unit_test(refuses_assurances_that_nobody_verifies_here),
		cmocka_unit_test(an_envelope_of_another_type_is_no_approval),
		cmocka_unit_test(an_approval_is_the_act_of_one_person),
		cmocka_unit_test(limits_hold_to_the_byte),
		cmocka_unit_test(makes_nothing_that_it_would_not_read),
		cmocka_unit_test(every_role_is_found_by_its_code),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
