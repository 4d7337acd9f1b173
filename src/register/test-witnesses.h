/* For the tests of witnesses: four of them, XA's own, and policies of this home for the logs of XA and XR. */
#ifndef COMITY_REGISTER_TEST_WITNESSES_H
#define COMITY_REGISTER_TEST_WITNESSES_H

#include "register/test-judge.h"

#define MINUTE INT64_C(60000)
#define MAX_AGE_S 600

static struct sign_key *witness[4], *own_witness;
static const char *const names[4] = { "w1.example/witness", "w2.example/witness", "w3.example/witness", "w4.example/witness" };

static int64_t the_time;

static inline int64_t now(void)
{
	return the_time;
}

static inline int begin(void **state)
{
	setup(state);
	for (size_t i = 0; i < 4; i++)
		witness[i] = sign_key_new();
	own_witness = sign_key_new();
	return 0;
}

static inline int end(void **state)
{
	for (size_t i = 0; i < 4; i++)
		sign_key_free(witness[i]);
	sign_key_free(own_witness);
	return teardown(state);
}

static inline int each(void **state)
{
	the_time = FX_NOW;
	clock_set(now);
	xa.party.retired_count = 0;
	xa.party.has_witness = xr.party.has_witness = false;
	return fresh(state);
}

static inline int after(void **state)
{
	clock_set(NULL);
	return 0;
}

static inline void put_witness(struct buf *out, const char *name, const char *key_name, const struct sign_key *k)
{
	struct note_key key;

	note_key_make(key_name, NOTE_COSIGNATURE, sign_key_public(k), &key);
	buf_add_format(out, "witness %s ", name);
	note_key_write(&key, out);
	buf_add_text(out, "\n");
}

/* The four witnesses, XA's own as "own", and then these lines. */
static inline void policy_of(const char *party, const char *lines, int64_t from_ms)
{
	AUTO_JSON *body = json_object();
	AUTO_BUF text = { 0 };
	char name[8];

	buf_init(&text, 8 * KIB);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "w%zu", i + 1);
		put_witness(&text, name, names[i], witness[i]);
	}
	put_witness(&text, "own", "log.XA.example/1/witness", own_witness);
	buf_add_text(&text, lines);
	json_put_time(body, "from", from_ms);
	json_put_int(body, "max_age_s", MAX_AGE_S);
	json_put_text(body, "party", party);
	json_put_text(body, "policy", buf_text(&text));
	assert_true(register_policy_own(reg, body, NULL));
}

#define TWO_OF_THREE "group g 2 w1 w2 w3\nquorum g\n"

static inline void old_policy(const char *lines)
{
	policy_of("XA", lines, FX_NOW - 30 * DAY_MS);
}

/* The text of the checkpoint that the act's proof stands under. */
static inline struct bytes checkpoint_text(const struct fx_act *a)
{
	struct tlog_proof p;
	struct note n;

	assert_true(tlog_proof_parse(buf_bytes(&a->proof), &p, NULL));
	assert_true(note_parse(p.note, &n, NULL));
	return n.text;
}

static inline void cosign_as(struct fx_act *a, const char *name, const struct sign_key *k, int64_t at_ms)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	buf_add(&text, checkpoint_text(a)); /* the proof grows */
	assert_true(cosignature_sign(buf_bytes(&text), name, k, at_ms / 1000, &a->proof, NULL));
}

static inline void cosign(struct fx_act *a, size_t i, int64_t at_ms)
{
	cosign_as(a, names[i], witness[i], at_ms);
}

/* True, and cosigned by the first two at these times. */
static inline void cosigned(struct fx_act *a, int64_t first_ms, int64_t second_ms)
{
	good(a);
	cosign(a, 0, first_ms);
	cosign(a, 1, second_ms);
}

static inline enum reason on_record(struct fx_act *a, int64_t at_ms, struct judgement *ret)
{
	struct err e = { 0 };
	AUTO_ACT *act = parsed(a);

	bool ok;

	*ret = (struct judgement){ 0 };
	ok = judge_act_on_record(act, reg, at_ms, NULL, ret, &e);
	assert_int_equal(ok, e.kind == ERR_NONE);
	fx_act_release(a);
	return e.reason;
}

static inline enum reason recorded(struct fx_act *a, int64_t at_ms)
{
	struct judgement j;

	return on_record(a, at_ms, &j);
}

#endif
