/* What a peer may send to a home: batches of letters, letters whose seal is true (the harness seals what the fuzzer
 * wrote), changed letters, proofs, receipts. The first byte says which. Nothing may crash; what is not received
 * leaves nothing. */
#include "exchange/test-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf good; /* the plaintext of a letter in order from Arcadia to Ruritania */
static struct said request;

static void prepare(void)
{
	static const struct letter_pair first = { .n = 1 };
	struct bytes act;
	AUTO_BUF json = { 0 };

	if (good.len > 0)
		return;
	fuzz_world_begin();
	buf_init(&json, LETTER_BYTES_MAX);
	buf_init(&good, LETTER_BYTES_MAX);
	request = say_request(&fuzz_world.xa, "XR");
	slot(&fuzz_world.xa);
	assert_ok(node_act_json(fuzz_world.xa.node, request.hash, &json, e));
	act = buf_bytes(&json);
	assert_ok(letter_write("XA", "XR", &first, &act, 1, &good, e));
}

static void letters(struct bytes body)
{
	struct home *xr = &fuzz_world.xr;
	int64_t before = rows(xr, QUERY_statement_all);
	struct err e = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	if (!receive_letters(xr->node, body, fuzz_world.xa.tls, &reply, &e)) {
		must(e.reason != REASON_NONE && e.kind != ERR_SYSTEM);
		must(rows(xr, QUERY_statement_all) == before);
	}
}

static void sealed(struct bytes plain)
{
	struct age_recipient to;
	AUTO_BUF letter = { 0 }, batch = { 0 };

	buf_init(&letter, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	buf_init(&batch, LETTER_BATCH_BYTES_MAX);
	seal_identity_recipient(fuzz_world.xr.seal, &to);
	if (!letter_seal(plain, &to, &letter, NULL))
		return;
	buf_add_field(&batch, buf_bytes(&letter));
	letters(buf_bytes(&batch));
}

/* Three bytes each: where, and what instead. */
static void changed(struct bytes patches)
{
	AUTO_BUF plain = { 0 };

	buf_init(&plain, LETTER_BYTES_MAX);
	buf_add(&plain, buf_bytes(&good));
	for (size_t i = 0; i + 3 <= patches.len; i += 3)
		plain.at[((size_t)patches.at[i] << 8 | patches.at[i + 1]) % plain.len] = patches.at[i + 2];
	sealed(buf_bytes(&plain));
}

static void proofs(struct bytes plain)
{
	struct age_recipient to;
	AUTO_BUF body = { 0 };

	buf_init(&body, LETTER_BATCH_BYTES_MAX);
	seal_identity_recipient(fuzz_world.xa.seal, &to);
	if (age_seal(&to, 1, plain, &body, NULL))
		must(!receive_proofs(fuzz_world.xa.node, buf_bytes(&body), fuzz_world.xr.tls, NULL) ||
		     receipt_at(&fuzz_world.xa, request.hash).proof == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *outcome;

	prepare();
	if (size == 0 || size > LETTER_BYTES_MAX)
		return 0;
	struct bytes in = bytes_from(data + 1, size - 1);
	assert_ok(node_begin(fuzz_world.xr.node, e));
	assert_ok(node_begin(fuzz_world.xa.node, e));
	switch (data[0]) {
	case 's':
		sealed(in);
		break;
	case 'c':
		changed(in);
		break;
	case 'p':
		proofs(in);
		break;
	case 'r':
		must(!outbox_receipt(fuzz_world.xa.node, in, NULL, &outcome, NULL));
		break;
	default:
		letters(in);
	}
	node_rollback(fuzz_world.xa.node);
	node_rollback(fuzz_world.xr.node);
	return 0;
}
