/* Parties as JSON: one spelling, every limit, keys that differ. */
#include "register/test-fixture.h"

static struct fx_home home;

static int setup(void **state)
{
	chance_seed(7);
	chance_set(chance_seeded_fill);
	fx_home_new("XA", "Arcadia", &home);
	return 0;
}

static int teardown(void **state)
{
	fx_home_free(&home);
	chance_set(NULL);
	return 0;
}

static bool read(const json_t *v, enum reason *ret)
{
	struct party *p = NULL;
	struct err e = { 0 };
	bool ok = party_from_json(v, &p, &e);

	party_free(p);
	*ret = e.reason;
	return ok;
}

static void writes_back_what_it_reads(void **state)
{
	AUTO_JSON *v = party_to_json(&home.party), *again = NULL;
	struct party *p = NULL;

	assert_true(party_from_json(v, &p, NULL));
	assert_string_equal(p->code, "XA");
	assert_string_equal(p->carries_out, "42 44");
	assert_true(p->fictional);
	assert_false(p->reservation_42_5);
	assert_int_equal(p->in_force_from, FX_NOW - 90 * DAY_MS);
	assert_int_equal(p->key_count, 1);
	assert_int_equal(p->keys[0].until, 0);
	assert_int_equal(p->approver_count, FX_PEOPLE);
	assert_memory_equal(&p->seal, &home.party.seal, sizeof(p->seal));
	assert_memory_equal(p->tls_spki, home.party.tls_spki, SHA256_BYTES);
	again = party_to_json(p);
	assert_true(json_equal(v, again));
	party_free(p);
}

static void keeps_its_own_copy_of_the_body(void **state)
{
	json_t *v = party_to_json(&home.party);
	struct party *p = NULL;

	assert_true(party_from_json(v, &p, NULL));
	json_put_text(v, "name", "Ruritania");
	json_decref(v);
	assert_string_equal(p->name, "Arcadia");
	assert_string_equal(p->approvers[FX_COURT].name, "Judge Finch");
	party_free(p);
}

/* The statement kind and this chapter agree on what a body is. */
static void is_what_the_statement_kind_accepts(void **state)
{
	AUTO_JSON *v = party_to_json(&home.party);
	struct err e = { 0 };

	assert_true(kind_find(bytes_of("register-entry"))->parse(v, &e));
}

static void refuses_each_missing_member(void **state)
{
	AUTO_JSON *whole = party_to_json(&home.party);
	const char *key;
	json_t *value;
	enum reason why;
	size_t n = 0;

	json_object_foreach(whole, key, value) {
		AUTO_JSON *v = json_copy(whole);

		assert_int_equal(json_object_del(v, key), 0);
		assert_false(read(v, &why));
		n++;
	}
	assert_int_equal(n, 21);
}

static void refuses_bad_values(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{ "code", "" }, { "code", "X" }, { "code", "xa" }, { "code", "X1" }, { "code", "ABCDEFGHI" },
		{ "name", "" }, { "name", "a\nb" }, { "name", "a\xe2\x80\xae" "b" }, { "phone", "\x1b[2J" },
		{ "carries_out", "42  44" }, { "carries_out", " 42" }, { "carries_out", "42 " }, { "carries_out", "all" },
		{ "in_force_from", "2026-11-23" }, { "in_force_from", "1970-01-01T00:00:00.000Z" },
		{ "log", "" }, { "log", "log.example+00000000+AAAA" }, { "seal", "age1" }, { "tls", "00" },
		{ "keys", "" }, { "approvers", "" }, { "fictional", "no" }, { "reservation_42_5", "" }, { "slot_ms", "1" },
	};
	enum reason why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_JSON *v = party_to_json(&home.party);

		json_put_text(v, bad[i].key, bad[i].value);
		if (read(v, &why))
			fail_msg("%s \"%s\" was accepted", bad[i].key, bad[i].value);
	}
}

static void refuses_an_unknown_member(void **state)
{
	AUTO_JSON *v = party_to_json(&home.party);
	enum reason why;

	json_put_text(v, "note", "");
	assert_false(read(v, &why));
	assert_int_equal(why, REASON_NOT_CANONICAL);
}

static void refuses_roles_in_another_order(void **state)
{
	struct party p = home.party;
	AUTO_JSON *v = NULL;
	json_t *roles;
	enum reason why;

	p.approvers[0].roles |= 1u << APPROVAL_DUTY;
	v = party_to_json(&p);
	assert_true(read(v, &why));
	roles = json_object_get(json_array_get(json_object_get(v, "approvers"), 0), "roles");
	assert_int_equal(json_array_size(roles), 2);
	assert_int_equal(json_array_append(roles, json_array_get(roles, 0)), 0);
	assert_int_equal(json_array_remove(roles, 0), 0);
	assert_false(read(v, &why));
	assert_int_equal(why, REASON_NOT_CANONICAL);
	assert_int_equal(json_array_clear(roles), 0);
	assert_false(read(v, &why));
	assert_int_equal(json_array_append_new(roles, json_string("king")), 0);
	assert_false(read(v, &why));
	assert_int_equal(why, REASON_BAD_FIELD);
}

static void refuses_one_key_in_two_places(void **state)
{
	enum reason why;

	for (int place = 0; place < 5; place++) {
		struct party p = home.party;
		AUTO_JSON *v = NULL;

		if (place == 0)
			memcpy(p.approvers[0].key, p.approvers[1].key, SIGN_PUBLIC_BYTES);
		else if (place == 1)
			memcpy(p.approvers[0].key, p.keys[0].key, SIGN_PUBLIC_BYTES);
		else if (place == 2)
			p.keys[p.key_count++] = p.keys[0];
		else if (place == 3)
			note_key_make("log.example", NOTE_ED25519, p.keys[0].key, &p.log_key);
		else
			memcpy(p.seal.x25519, p.tls_spki, 32);
		v = party_to_json(&p);
		assert_false(read(v, &why));
		assert_int_equal(why, REASON_BAD_FIELD);
	}
}

/* What is sealed to a point of small order is sealed to everybody, or to nobody: no letter would ever leave. */
static void refuses_a_sealing_key_of_small_order(void **state)
{
	static const uint8_t eighth[32] = { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
					    0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 };
	struct party p = home.party;
	enum reason why;

	for (int i = 0; i < 3; i++) {
		AUTO_JSON *v = NULL;

		memset(p.seal.x25519, 0, 32);
		p.seal.x25519[0] = (uint8_t)i;
		if (i == 2)
			memcpy(p.seal.x25519, eighth, 32);
		v = party_to_json(&p);
		assert_false(read(v, &why));
		assert_int_equal(why, REASON_BAD_FIELD);
	}
}

static void refuses_two_approvers_of_one_name(void **state)
{
	struct party p = home.party;
	AUTO_JSON *v = NULL;
	enum reason why;

	p.approvers[1].name = p.approvers[0].name;
	v = party_to_json(&p);
	assert_false(read(v, &why));
}

static void holds_its_limits(void **state)
{
	struct party p = home.party;
	char names[PARTY_APPROVERS_MAX][16];
	AUTO_JSON *v = NULL;
	enum reason why;

	p.approver_count = PARTY_APPROVERS_MAX;
	p.key_count = PARTY_KEYS_MAX;
	for (size_t i = 0; i < PARTY_APPROVERS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "Officer %zu", i);
		p.approvers[i] = (struct register_approver){ .name = names[i], .roles = 1 };
		chance_fill(p.approvers[i].key, SIGN_PUBLIC_BYTES);
	}
	for (size_t i = 0; i < PARTY_KEYS_MAX; i++)
		chance_fill(p.keys[i].key, SIGN_PUBLIC_BYTES);
	v = party_to_json(&p);
	assert_true(read(v, &why));
	assert_int_equal(json_array_append(json_object_get(v, "keys"), json_array_get(json_object_get(v, "keys"), 0)), 0);
	assert_false(read(v, &why));
	json_put(v, "keys", json_array());
	assert_false(read(v, &why));
	json_decref(v);
	v = party_to_json(&p);
	assert_int_equal(json_array_append(json_object_get(v, "approvers"),
					   json_array_get(json_object_get(v, "approvers"), 0)), 0);
	assert_false(read(v, &why));
}

static void a_key_is_valid_in_its_period_and_before_its_compromise(void **state)
{
	struct party p = home.party;
	uint8_t other[SIGN_PUBLIC_BYTES] = { 1 };
	const uint8_t *key = p.keys[0].key;

	p.keys[0].from = 100;
	assert_false(party_key_valid(&p, key, 99));
	assert_true(party_key_valid(&p, key, 100));
	assert_true(party_key_valid(&p, key, FX_NOW));
	p.keys[0].until = 200;
	assert_true(party_key_valid(&p, key, 199));
	assert_false(party_key_valid(&p, key, 200));
	p.keys[0].compromised = 150;
	assert_true(party_key_valid(&p, key, 149));
	assert_false(party_key_valid(&p, key, 150));
	assert_false(party_key_valid(&p, other, 120));
}

static void refuses_a_key_that_ends_before_it_begins(void **state)
{
	struct party p = home.party;
	AUTO_JSON *v = NULL;
	enum reason why;

	p.keys[0].until = p.keys[0].from;
	v = party_to_json(&p);
	assert_false(read(v, &why));
}

static void is_printed_with_what_people_must_see(void **state)
{
	struct party p = home.party;
	AUTO_BUF out = { 0 };

	buf_init(&out, 64 * KIB);
	p.keys[0].compromised = FX_NOW;
	party_print(&p, 60, &out);
	assert_non_null(strstr(buf_text(&out), "XA Arcadia (FICTIONAL)\n"));
	assert_non_null(strstr(buf_text(&out), "  telephone: +00 1 555 0100\n"));
	assert_non_null(strstr(buf_text(&out), "COMPROMISED from 2026-11-23 02:10 UTC (03:10 +01:00)"));
	assert_non_null(strstr(buf_text(&out), "  approver: Rana Vale (rights-reviewer)\n"));
	buf_clear(&out);
	p.in_force_from = 0;
	p.fictional = false;
	party_print(&p, 0, &out);
	assert_non_null(strstr(buf_text(&out), "XA Arcadia\n"));
	assert_non_null(strstr(buf_text(&out), "  Convention in force: no\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_back_what_it_reads),
		cmocka_unit_test(keeps_its_own_copy_of_the_body),
		cmocka_unit_test(is_what_the_statement_kind_accepts),
		cmocka_unit_test(refuses_each_missing_member),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(refuses_an_unknown_member),
		cmocka_unit_test(refuses_roles_in_another_order),
		cmocka_unit_test(refuses_one_key_in_two_places),
		cmocka_unit_test(refuses_a_sealing_key_of_small_order),
		cmocka_unit_test(refuses_two_approvers_of_one_name),
		cmocka_unit_test(holds_its_limits),
		cmocka_unit_test(a_key_is_valid_in_its_period_and_before_its_compromise),
		cmocka_unit_test(refuses_a_key_that_ends_before_it_begins),
		cmocka_unit_test(is_printed_with_what_people_must_see),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
