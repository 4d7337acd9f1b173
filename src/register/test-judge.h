/* For the tests of judging: two parties that pinned each other, and an act between them that is true until a test
 * changes one thing. */
#ifndef COMITY_REGISTER_TEST_JUDGE_H
#define COMITY_REGISTER_TEST_JUDGE_H

#include "register/test-fixture.h"

static struct fx_home xa, xr;
static struct register_ *reg;
static struct buf act_bytes;

/* XA and XR know each other by pins: no bundle is needed to judge. */
static inline void pin(struct fx_home *h)
{
	struct fx_act a;

	fx_entry(&h->party, h->party.code, h->key, &h->log, &a);
	fx_write(&a, &act_bytes);
	assert_true(register_pin(reg, buf_bytes(&act_bytes), a.hash, NULL));
	fx_act_release(&a);
}

static inline void pin_both(void)
{
	register_free(reg);
	reg = register_new();
	pin(&xa);
	pin(&xr);
}

static inline int setup(void **state)
{
	chance_seed(11);
	chance_set(chance_seeded_fill);
	buf_init(&act_bytes, LETTER_BYTES_MAX);
	fx_home_new("XA", "Arcadia", &xa);
	fx_home_new("XR", "Ruritania", &xr);
	reg = register_new();
	pin_both();
	return 0;
}

static inline int teardown(void **state)
{
	register_free(reg);
	fx_home_free(&xa);
	fx_home_free(&xr);
	buf_release(&act_bytes);
	chance_set(NULL);
	return 0;
}

/* Each test begins with small logs. */
static inline int fresh(void **state)
{
	xa.log.n = xr.log.n = 0;
	xa.party.keys[0].until = xa.party.keys[0].compromised = 0;
	pin_both();
	return 0;
}

static inline json_t *acknowledgement(void)
{
	json_t *body = json_object();

	json_put_text(body, "note", "");
	json_put_text(body, "officer", "Omar Reed");
	json_put_text(body, "request", "00112233445566778899aabbccddeeff");
	return body;
}

/* From XA to XR, approved by the duty officer; nothing is in the log yet. */
static inline void draft(struct fx_act *a, const char *from, const struct sign_key *key)
{
	fx_sign(&(struct fx_draft){ "acknowledgement", from, "XR", acknowledgement(), true }, key, a);
}

static inline void log_it(struct fx_act *a)
{
	leaf_write_null(a->opening, 0, bytes_of("2026-W47"), a->leaf);
	fx_append(&xa.log, BYTES_ARRAY(a->leaf));
	fx_leaf(a, &xa.log);
	fx_append(&xa.log, bytes_of("a later leaf"));
	fx_prove(a, &xa.log);
}

static inline struct act *parsed(const struct fx_act *a)
{
	struct err e = { 0 };
	struct act *act = NULL;

	fx_write(a, &act_bytes);
	if (!act_parse(buf_bytes(&act_bytes), &act, &e))
		fail_msg("%s", e.text);
	return act;
}

/* Takes a. REASON_NONE when it is true. */
static inline enum reason judged_at(struct fx_act *a, int64_t at_ms)
{
	struct judgement j = { 0 };
	struct err e = { 0 };
	AUTO_ACT *act = parsed(a);

	if (judge_act(act, reg, at_ms, NULL, &j, &e)) {
		assert_ptr_equal(j.sender, register_party(reg, bytes_of("XA")));
		assert_int_equal(e.kind, ERR_NONE);
	} else {
		assert_null(j.sender);
		assert_int_equal(e.kind, ERR_REJECTED);
		assert_true(e.text[0] != '\0');
	}
	fx_act_release(a);
	return e.reason;
}

static inline enum reason judged(struct fx_act *a)
{
	return judged_at(a, FX_NOW);
}

static inline void good(struct fx_act *a)
{
	draft(a, "XA", xa.key);
	fx_approve(a, xa.people[FX_DUTY], "Omar Reed", APPROVAL_DUTY);
	log_it(a);
}

#endif
