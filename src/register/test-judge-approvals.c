/* Approvals: the people of a party, under their own names and keys, in their own roles, and of this statement. */
#include "register/test-judge.h"

static void missing_approval(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_MISSING_APPROVAL);
	draft(&a, "XA", xa.key); /* another role does not stand in for it */
	fx_approve(&a, xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_MISSING_APPROVAL);
}

static void bad_approval_by_someone_not_in_the_register(void **state)
{
	AUTO_SIGN_KEY *stranger = sign_key_new();
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, stranger, "Nobody Known", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
}

static void bad_approval_under_anothers_name(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xa.people[FX_COURT], "Omar Reed", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
}

static void bad_approval_in_a_role_that_is_not_theirs(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xa.people[FX_COURT], "Judge Finch", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
}

static void bad_approval_by_the_other_partys_officer(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xr.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
}

static void bad_approval_of_another_statement(void **state)
{
	struct fx_act a, other;

	draft(&other, "XA", xa.key);
	fx_approve(&other, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	draft(&a, "XA", xa.key);
	a.approvals[a.approval_count++] = other.approvals[--other.approval_count];
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
	fx_act_release(&other);
}

static void bad_approval_twice_by_one_person(void **state)
{
	struct fx_act a;

	draft(&a, "XA", xa.key);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	fx_approve(&a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	log_it(&a);
	assert_int_equal(judged(&a), REASON_BAD_APPROVAL);
}

/* --- judge_approvals as the signer uses it: before there is a signature ------------------------------- */

static const uint8_t some_hash[SHA256_BYTES] = { 5 };
#define REVIEWER_AND_AUTHORITY (1u << APPROVAL_REVIEWER | 1u << APPROVAL_AUTHORITY)

static void approved(struct approval *ret, const struct sign_key *key, const char *name, enum approval_role role)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, ENVELOPE_BYTES_MAX);
	assert_true(approval_make(key, name, role, "", some_hash, FX_NOW, &out, NULL));
	assert_true(approval_parse(buf_bytes(&out), ret, NULL));
}

static enum reason approvals_judged(struct approval *two, size_t n, unsigned needed, const struct party *p,
				    const char *officer)
{
	AUTO_JSON *body = json_object();
	struct err e = { 0 };
	bool ok;

	json_put_text(body, "officer", officer);
	ok = judge_approvals(two, n, some_hash, needed, p, body, FX_NOW, &e);
	assert_int_equal(ok, e.kind == ERR_NONE);
	for (size_t i = 0; i < n; i++)
		approval_release(&two[i]);
	return e.reason;
}

static void reviewer_and_authority_together_are_enough(void **state)
{
	struct approval two[2] = { 0 };

	approved(&two[0], xa.people[FX_REVIEWER], "Rana Vale", APPROVAL_REVIEWER);
	approved(&two[1], xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	assert_int_equal(approvals_judged(two, 2, REVIEWER_AND_AUTHORITY, &xa.party, "Kit Marsh"), REASON_NONE);
	approved(&two[0], xa.people[FX_REVIEWER], "Rana Vale", APPROVAL_REVIEWER);
	assert_int_equal(approvals_judged(two, 1, REVIEWER_AND_AUTHORITY, &xa.party, "Kit Marsh"), REASON_MISSING_APPROVAL);
}

static void the_reviewer_is_not_the_case_officer(void **state)
{
	struct approval two[2] = { 0 };

	approved(&two[0], xa.people[FX_REVIEWER], "Rana Vale", APPROVAL_REVIEWER);
	approved(&two[1], xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	assert_int_equal(approvals_judged(two, 2, REVIEWER_AND_AUTHORITY, &xa.party, "Rana Vale"), REASON_BAD_APPROVAL);
}

static void neither_authority_nor_court_is_the_case_officer(void **state)
{
	struct approval one[1] = { 0 };

	approved(&one[0], xa.people[FX_AUTHORITY], "Ilse Thorn", APPROVAL_AUTHORITY);
	assert_int_equal(approvals_judged(one, 1, 1u << APPROVAL_AUTHORITY, &xa.party, "Ilse Thorn"), REASON_BAD_APPROVAL);
	approved(&one[0], xa.people[FX_COURT], "Judge Finch", APPROVAL_COURT);
	assert_int_equal(approvals_judged(one, 1, 1u << APPROVAL_COURT, &xa.party, "Judge Finch"), REASON_BAD_APPROVAL);
	approved(&one[0], xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY); /* who acknowledges names himself */
	assert_int_equal(approvals_judged(one, 1, 1u << APPROVAL_DUTY, &xa.party, "Omar Reed"), REASON_NONE);
}

static void reviewer_and_authority_are_different_people(void **state)
{
	struct party p = xa.party;

	p.approvers[0].roles = REVIEWER_AND_AUTHORITY;
	for (int swap = 0; swap < 2; swap++) {
		struct approval two[2] = { 0 };

		approved(&two[swap], xa.people[FX_REVIEWER], "Rana Vale", APPROVAL_REVIEWER);
		approved(&two[1 - swap], xa.people[FX_REVIEWER], "Rana Vale", APPROVAL_AUTHORITY);
		assert_int_equal(approvals_judged(two, 2, REVIEWER_AND_AUTHORITY, &p, "Kit Marsh"), REASON_BAD_APPROVAL);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		T(missing_approval),
		T(bad_approval_by_someone_not_in_the_register),
		T(bad_approval_under_anothers_name),
		T(bad_approval_in_a_role_that_is_not_theirs),
		T(bad_approval_by_the_other_partys_officer),
		T(bad_approval_of_another_statement),
		T(bad_approval_twice_by_one_person),
		T(reviewer_and_authority_together_are_enough),
		T(the_reviewer_is_not_the_case_officer),
		T(neither_authority_nor_court_is_the_case_officer),
		T(reviewer_and_authority_are_different_people),
	};
#undef T

	return cmocka_run_group_tests(tests, setup, teardown);
}
