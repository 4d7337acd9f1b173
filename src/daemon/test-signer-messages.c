/* The keeper's end of its channel to the signer. The answers lie in the channel before the question is asked, so that
 * nobody waits: what they are worth is decided when they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/signer-messages.h"
#include "process/parcel.h"
#include "seal/dsse.h"

#define SIGN 1
#define LAST UINT64_C(41)
#define NEXT (LAST + 1)

static struct signer_end end_;
static struct node_signer signer;
static struct channel *ours, *signers;
static struct sign_key *key;

static int begin(void **state)
{
	struct err e = { 0 };
	int pair[2];

	assert_true(channel_pair(pair, &e));
	ours = channel_new(pair[0]);
	signers = channel_new(pair[1]);
	key = sign_key_new();
	end_ = (struct signer_end){ .sign_key = sign_key_public(key) };
	signer = signer_over_channel(&end_, ours);
	end_.last = LAST;
	return 0;
}

static int end(void **state)
{
	channel_free(ours);
	channel_free(signers);
	sign_key_free(key);
	return 0;
}

static void sign(const char *kind, const char *payload, uint8_t ret[static SIGNATURE_BYTES])
{
	AUTO_BUF pae = { 0 };

	buf_init(&pae, 8 * KIB);
	pae_write(statement_type(kind_find(bytes_of(kind))), bytes_of(payload), &pae);
	sign_key_sign(key, buf_bytes(&pae), ret);
}

static void answer_with(uint64_t number, const uint8_t signature[static SIGNATURE_BYTES])
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, KIB);
	buf_add_u8(&out, SIGN);
	buf_add_u64(&out, number);
	buf_add_u8(&out, 1);
	buf_add_u8(&out, 1);
	buf_add(&out, bytes_from(signature, SIGNATURE_BYTES));
	assert_true(parcel_send(signers, buf_bytes(&out), NULL, 0, &e));
}

static bool ask(const char *kind, const char *payload, struct node_signature *ret, struct err *e)
{
	struct signing_item item = { .kind = bytes_of(kind), .payload = bytes_of(payload) };

	return signer.sign(signer.ctx, &item, 1, ret, e);
}

/* The signer sees the end, behind the requests that it was sent. */
static void assert_shut(void)
{
	struct node_signature r;
	struct err e = { 0 };
	int fds[MESSAGE_FDS_MAX];
	size_t nfds;
	enum channel_got got;
	AUTO_BUF in = { 0 };

	buf_init(&in, MESSAGE_BYTES_MAX);
	while ((got = channel_receive(signers, &in, fds, &nfds, &e)) == CHANNEL_MESSAGE)
		;
	assert_int_equal(got, CHANNEL_CLOSED);
	assert_false(ask("answer", "{}", &r, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
}

static void the_answer_to_a_request_is_taken(void **state)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct node_signature r = { 0 };
	struct err e = { 0 };

	sign("answer", "{}", signature);
	answer_with(NEXT, signature);
	assert_true(ask("answer", "{}", &r, &e));
	assert_true(r.ok);
	assert_memory_equal(r.signature, signature, sizeof(signature));
}

static void the_answer_to_the_request_before_is_not_taken(void **state)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct node_signature r = { 0 };
	struct err e = { 0 };

	sign("receipt", "{}", signature);
	answer_with(LAST, signature);
	assert_false(ask("receipt", "{}", &r, &e));
	assert_false(r.ok);
	assert_shut();
}

static void an_answer_that_goes_on_behind_its_end_shuts_the_channel(void **state)
{
	uint8_t all[] = { SIGN, 0, 0, 0, 0, 0, 0, 0, NEXT, 1, 0, 1 };
	struct node_signature r = { 0 };
	struct err e = { 0 };

	assert_true(parcel_send(signers, BYTES_ARRAY(all), NULL, 0, &e));
	assert_false(ask("receipt", "{}", &r, &e));
	assert_shut();
}

static void a_signature_of_an_act_that_does_not_verify_is_not_believed(void **state)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct node_signature r = { 0 };
	struct err e = { 0 };

	sign("answer", "{\"of\":\"another\"}", signature);
	answer_with(NEXT, signature);
	assert_false(ask("answer", "{}", &r, &e));
	assert_int_equal(e.reason, REASON_BAD_SIGNATURE);
	assert_shut();
}

static void nothing_is_signed_before_our_key_is_known(void **state)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct node_signature r = { 0 };
	struct err e = { 0 };

	end_.sign_key = NULL;
	sign("answer", "{}", signature);
	answer_with(NEXT, signature);
	assert_false(ask("answer", "{}", &r, &e));
}

static void a_refusal_is_no_failure_of_the_channel(void **state)
{
	struct node_signature r = { 0 };
	struct err e = { 0 };
	uint8_t signature[SIGNATURE_BYTES], nothing[9] = { 99, 0, 0, 0, 0, 0, 0, 0, 7 };
	AUTO_BUF reply = { 0 };

	/* The signer repeats kind and number when it refuses, too. */
	buf_init(&reply, KIB);
	assert_true(signer_answer(NULL, BYTES_ARRAY(nothing), &reply, &e));
	assert_memory_equal(reply.at, nothing, sizeof(nothing));
	assert_int_equal(reply.at[sizeof(nothing)], 0);
	reply.at[0] = SIGN;
	reply.at[8] = NEXT;
	assert_true(parcel_send(signers, buf_bytes(&reply), NULL, 0, &e));
	assert_false(ask("answer", "{}", &r, &e));
	assert_int_equal(e.reason, REASON_UNKNOWN_KIND);
	sign("answer", "{}", signature);
	answer_with(NEXT + 1, signature);
	assert_true(ask("answer", "{}", &r, &e));
}

#define WITH_PAIR(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(the_answer_to_a_request_is_taken),
		WITH_PAIR(the_answer_to_the_request_before_is_not_taken),
		WITH_PAIR(an_answer_that_goes_on_behind_its_end_shuts_the_channel),
		WITH_PAIR(a_signature_of_an_act_that_does_not_verify_is_not_believed),
		WITH_PAIR(nothing_is_signed_before_our_key_is_known),
		WITH_PAIR(a_refusal_is_no_failure_of_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
