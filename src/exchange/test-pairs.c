/* Letters between two parties are counted and chained: none is left out, added, exchanged or taken in another order
 * without both knowing. */
#include "exchange/test-forge.h"

static struct world w;

static int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static struct pair_state last_of(struct home *h, const char *peer, enum pair_direction d)
{
	struct pair_state s;

	assert_ok(pair_last(h->node, peer, d, &s, e));
	return s;
}

static void assert_agree(struct home *from, struct home *to, uint64_t letters)
{
	struct pair_state sent = last_of(from, to->code, PAIR_SENT), received = last_of(to, from->code, PAIR_RECEIVED);

	assert_int_equal(sent.n, letters);
	assert_int_equal(received.n, letters);
	assert_memory_equal(sent.head, received.head, SHA256_BYTES);
}

/* A letter as another carrier takes it. */
static void export(struct home *h, const uint8_t *hash, struct buf *out)
{
	buf_init(out, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	assert_ok(outbox_letter(h->node, hash, out, e));
}

static void import_receipt(struct home *h, const struct verdict *v)
{
	const char *outcome;

	IN(h, outbox_receipt(h->node, buf_bytes(&v->envelope), NULL, &outcome, e));
}

static json_t *body_of_receipt(const struct verdict *v)
{
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *s = NULL;

	assert_ok(envelope_parse(buf_bytes(&v->envelope), &env, e));
	assert_ok(statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &s, e));
	return json_deep_copy(s->body);
}

/* An answer of state: a letter of a kind that waits for its turn. */
static struct said say_answer(struct home *h, const char *to, const struct id *request)
{
	json_t *body = body_about("answer", request);

	return say(h, "answer", to, request, body, ILSE, ILSE);
}

static void every_letter_has_the_next_number_and_both_know_the_same_head(void **state)
{
	uint8_t head[SHA256_BYTES] = { 0 };
	struct said said[3];

	for (size_t i = 0; i < 3; i++) {
		said[i] = say_request(&w.xa, "XR");
		pair_head_next(head, said[i].hash, head);
	}
	settle(&w.xa, &w.xr);
	assert_agree(&w.xa, &w.xr, 3);
	assert_memory_equal(last_of(&w.xa, "XR", PAIR_SENT).head, head, SHA256_BYTES);
	/* The other direction and another peer have chains of their own. */
	assert_int_equal(last_of(&w.xr, "XA", PAIR_SENT).n, 0);
	assert_int_equal(last_of(&w.xa, "XL", PAIR_SENT).n, 0);
	say_acknowledged(&w.xr, "XA", &said[0].id);
	settle(&w.xr, &w.xa);
	assert_agree(&w.xr, &w.xa, 1);
	assert_agree(&w.xa, &w.xr, 3);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list) + rows(&w.xr, QUERY_pair_dispute_list), 0);
}

/* The known answer: SHA-256 of "comity pair v1", 32 zero bytes and 32 bytes 0x11. */
static void the_head_is_the_hash_that_the_protocol_says(void **state)
{
	uint8_t head[SHA256_BYTES] = { 0 }, hash[SHA256_BYTES], all[14 + 64] = "comity pair v1", expected[SHA256_BYTES];

	memset(hash, 0x11, sizeof(hash));
	memcpy(all + 14 + 32, hash, sizeof(hash));
	sha256(BYTES_ARRAY(all), expected);
	pair_head_next(head, hash, head);
	assert_memory_equal(head, expected, sizeof(head));
}

/* Three letters, on sticks: the third before the second. */
static void a_gap_is_told_with_what_is_missing_and_nothing_is_lost(void **state)
{
	struct said p = say_request(&w.xr, "XA"), a[3];
	struct buf letter[3];
	struct verdict v;

	settle(&w.xr, &w.xa);
	a[0] = say_acknowledged(&w.xa, "XR", &p.id);
	a[1] = say_answer(&w.xa, "XR", &p.id);
	a[2] = say_ordered(&w.xa, "XR", &p.id, false);
	slot(&w.xa);
	slot(&w.xa);
	for (size_t i = 0; i < 3; i++)
		export(&w.xa, a[i].hash, &letter[i]);
	bring(&w.xr, buf_bytes(&letter[0]), NULL, &v);
	assert_int_equal(v.reason, REASON_NONE);
	import_receipt(&w.xa, &v);
	buf_release(&v.envelope);

	struct pair_state before = last_of(&w.xr, "XA", PAIR_RECEIVED);
	bring(&w.xr, buf_bytes(&letter[2]), NULL, &v);
	assert_int_equal(v.reason, REASON_PAIR_GAP);
	AUTO_JSON *told = body_of_receipt(&v);
	assert_non_null(strstr(json_text(told, "text"), "letter 3 of XA came, letter 2 is missing"));
	/* The receipt says where they stand, and the sender finds that true. */
	assert_int_equal(json_int(told, "pair_n"), before.n);
	import_receipt(&w.xa, &v);
	buf_release(&v.envelope);
	assert_false(receipt_at(&w.xa, a[2].hash).found);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 0);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, before.n);

	for (size_t i = 1; i < 3; i++) {
		bring(&w.xr, buf_bytes(&letter[i]), NULL, &v);
		assert_int_equal(v.reason, REASON_NONE);
		import_receipt(&w.xa, &v);
		buf_release(&v.envelope);
		assert_string_equal(receipt_at(&w.xa, a[i].hash).outcome, "received");
	}
	assert_agree(&w.xa, &w.xr, 3);
	for (size_t i = 0; i < 3; i++)
		buf_release(&letter[i]);
}

/* Requests to preserve do not wait for what is missing, and take their place when it came. */
static void a_request_to_preserve_may_come_early(void **state)
{
	struct said p = say_request(&w.xr, "XA"), a, urgent;
	struct buf first, second;
	struct verdict v;

	settle(&w.xr, &w.xa);
	say_acknowledged(&w.xa, "XR", &p.id);
	settle(&w.xa, &w.xr);
	a = say_answer(&w.xa, "XR", &p.id);
	urgent = say_request(&w.xa, "XR");
	slot(&w.xa);
	slot(&w.xa);
	export(&w.xa, a.hash, &first);
	export(&w.xa, urgent.hash, &second);
	bring(&w.xr, buf_bytes(&second), NULL, &v);
	assert_int_equal(v.reason, REASON_NONE);
	AUTO_JSON *told = body_of_receipt(&v);
	assert_int_equal(json_int(told, "pair_n"), 1);
	import_receipt(&w.xa, &v);
	buf_release(&v.envelope);
	assert_state(&w.xr, &urgent.id, RECEIVED);
	assert_state(&w.xa, &urgent.id, DELIVERED);
	bring(&w.xr, buf_bytes(&first), NULL, &v);
	assert_int_equal(v.reason, REASON_NONE);
	import_receipt(&w.xa, &v);
	buf_release(&v.envelope);
	assert_agree(&w.xa, &w.xr, 3);
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list) + rows(&w.xr, QUERY_pair_dispute_list), 0);
	buf_release(&first);
	buf_release(&second);
}

/* A batch whose second letter cannot be opened: what follows it waits, and comes again in order. */
static void what_follows_an_unopened_letter_waits_for_it(void **state)
{
	struct said p = say_request(&w.xr, "XA");
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	settle(&w.xr, &w.xa);
	say_acknowledged(&w.xa, "XR", &p.id);
	say_answer(&w.xa, "XR", &p.id);
	struct said last = say_ordered(&w.xa, "XR", &p.id, false);
	slot(&w.xa);
	slot(&w.xa);
	next_job(&w.xa, OUTBOX_LETTERS, &j);
	assert_int_equal(j.count, 3);
	/* The last byte of the second letter is changed on its way. */
	size_t first = (size_t)j.body.at[0] << 24 | (size_t)j.body.at[1] << 16 | (size_t)j.body.at[2] << 8 | j.body.at[3];
	uint8_t *second = j.body.at + 4 + first;
	size_t len = (size_t)second[0] << 24 | (size_t)second[1] << 16 | (size_t)second[2] << 8 | second[3];
	second[4 + len - 1] ^= 1;
	assert_int_equal(receive_at(&w.xr, buf_bytes(&j.body), w.xa.tls, &reply, &why), 200);
	answered(&w.xa, &j, 200, buf_bytes(&reply));
	assert_int_equal(j.receipts, 1);
	outbox_job_release(&j);
	assert_false(receipt_at(&w.xa, last.hash).found);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 2);
	the_time += 60000;
	settle(&w.xa, &w.xr);
	assert_string_equal(receipt_at(&w.xa, last.hash).outcome, "received");
	assert_agree(&w.xa, &w.xr, 3);
}

static void a_rejected_letter_keeps_its_place_and_stops_nobody(void **state)
{
	struct said bad, good;

	the_time += 600000; /* Arcadia's clock runs ahead */
	bad = say_request(&w.xa, "XR");
	the_time -= 600000;
	good = say_request(&w.xa, "XR");
	slot(&w.xa);
	slot(&w.xr);
	assert_true(carry_one(&w.xa, &w.xr));
	assert_string_equal(receipt_at(&w.xa, bad.hash).reason, "clock-off");
	assert_string_equal(receipt_at(&w.xa, good.hash).outcome, "received");
	assert_state(&w.xa, &bad.id, REJECTED);
	assert_agree(&w.xa, &w.xr, 2);
}

/* The receipt of a rejection was lost: the letter comes again and has its place already. */
static void a_rejection_whose_receipt_was_lost_comes_again(void **state)
{
	struct forged f;
	struct verdict v;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, (const enum person[]){ RANA }, 1); /* nobody authorised it */
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	for (size_t i = 0; i < 2; i++) {
		bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
		assert_int_equal(v.reason, REASON_MISSING_APPROVAL);
		AUTO_JSON *told = body_of_receipt(&v);
		assert_int_equal(json_int(told, "pair_n"), 1);
		assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
		buf_release(&v.envelope);
	}
	json_decref(f.act);
}

/* Whoever carries a letter cannot make the chain go on with what the sender did not sign. */
static void a_stranger_takes_no_place(void **state)
{
	struct forged f;
	struct verdict v;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	f.key = w.xl.sign;
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	bring(&w.xr, buf_bytes(&sealed), NULL, &v);
	assert_int_equal(v.reason, REASON_UNSIGNED);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	buf_release(&v.envelope);
	bring(&w.xr, buf_bytes(&sealed), w.xl.tls, &v);
	assert_int_equal(v.reason, REASON_WRONG_PARTY);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	assert_int_equal(last_of(&w.xr, "XL", PAIR_RECEIVED).n, 0);
	buf_release(&v.envelope);
	json_decref(f.act);
}

/* The same letter a second time: the same receipt, and the chain does not move. */
static void a_replay_gets_the_old_receipt(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct buf letter;
	struct verdict v, again;

	slot(&w.xa);
	slot(&w.xa);
	export(&w.xa, p.hash, &letter);
	bring(&w.xr, buf_bytes(&letter), NULL, &v);
	bring(&w.xr, buf_bytes(&letter), w.xa.tls, &again);
	assert_true(bytes_equal(buf_bytes(&v.envelope), buf_bytes(&again.envelope)));
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
	buf_release(&v.envelope);
	buf_release(&again.envelope);
	buf_release(&letter);
}

/* Ruritania says, and signs, that it has another history of our letters. */
static void a_receipt_with_another_head_is_kept_as_evidence(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct buf letter;
	struct verdict v;
	const char *outcome;
	AUTO_BUF envelope = { 0 };

	slot(&w.xa);
	slot(&w.xa);
	export(&w.xa, p.hash, &letter);
	bring(&w.xr, buf_bytes(&letter), NULL, &v);
	json_t *body = body_of_receipt(&v);
	json_put_text(body, "pair_head", SAMPLE_HASH);
	forge_receipt(&w.xr, "XA", body, &envelope);
	IN(&w.xa, outbox_receipt(w.xa.node, buf_bytes(&envelope), NULL, &outcome, e));
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 1);
	assert_non_null(strstr(w.xa.node->disputed, "peer=XR what=receipt number=1"));
	/* The letter did arrive. */
	assert_state(&w.xa, &p.id, DELIVERED);
	/* Said again, it is one dispute. */
	IN(&w.xa, outbox_receipt(w.xa.node, buf_bytes(&envelope), NULL, &outcome, e));
	assert_int_equal(rows(&w.xa, QUERY_pair_dispute_list), 1);
	buf_release(&v.envelope);
	buf_release(&letter);
}

/* Another letter with a number that was there before, or that follows another history. */
static void another_letter_in_the_same_place_is_a_dispute(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct pair_state before;
	struct forged f;
	struct verdict v;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge(&w.xa, &w.xr, &f);
	forge_sign(&w.xa, &w.xa, &f, BY_TWO);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed); /* number 1, as the request of before that is on its way */
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, DELIVERED);
	before = last_of(&w.xr, "XA", PAIR_RECEIVED);
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_PAIR_GAP);
	AUTO_JSON *told = body_of_receipt(&v);
	assert_non_null(strstr(json_text(told, "text"), "two histories"));
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, before.n);
	buf_release(&v.envelope);
	json_decref(f.act);
}

/* An act as a newer program sends it: everything in order, but of a kind that this one does not know. */
static void forge_of_the_future(struct forged *f, uint8_t hash[static SHA256_BYTES])
{
	static const char type[] = "application/vnd.comity.seizure-order+json";
	struct envelope_signature sig;
	json_t *frame, *envelope;
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, 2 * STATEMENT_BYTES_MAX);
	forge(&w.xa, &w.xr, f);
	frame = json_deep_copy(f->frame);
	json_put_text(frame, "kind", "seizure-order");
	forge_sign(&w.xa, &w.xa, f, BY_TWO);
	assert_ok(json_write_canonical(frame, &payload, e));
	json_decref(frame);
	pae_write(bytes_of(type), buf_bytes(&payload), &pae);
	key_id_write(sign_key_public(w.xa.sign), sig.keyid);
	sign_key_sign(w.xa.sign, buf_bytes(&pae), sig.sig);
	assert_ok(envelope_json_of(bytes_of(type), buf_bytes(&payload), &sig, 1, &envelope, e));
	json_put(f->act, "envelope", envelope);
	pae_hash(bytes_of(type), buf_bytes(&payload), hash);
}

static void a_kind_that_is_unknown_here_is_rejected_in_its_place(void **state)
{
	uint8_t hash[SHA256_BYTES], head[SHA256_BYTES] = { 0 }, told_hash[SHA256_BYTES];
	struct forged f, next;
	struct verdict v;
	struct id id;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge_of_the_future(&f, hash);
	pair_head_next(head, hash, head);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	/* By stick or by wire, and once more because the receipt was lost. */
	for (size_t i = 0; i < 3; i++) {
		bring(&w.xr, buf_bytes(&sealed), i == 0 ? NULL : w.xa.tls, &v);
		assert_int_equal(v.reason, REASON_UNKNOWN_KIND);
		AUTO_JSON *told = body_of_receipt(&v);
		assert_true(hex_parse(json_bytes(told, "statement"), told_hash, sizeof(told_hash)));
		assert_memory_equal(told_hash, hash, sizeof(hash));
		assert_true(id_parse(json_bytes(told, "id"), &id));
		assert_memory_equal(id.at, f.id.at, ID_BYTES);
		assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
		assert_memory_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).head, head, sizeof(head));
		buf_release(&v.envelope);
	}
	/* What follows it is not stopped. */
	forge(&w.xa, &w.xr, &next);
	forge_sign(&w.xa, &w.xa, &next, BY_TWO);
	seal_letter("XA", "XR", &next.act, 1, &w.xr, &sealed);
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_NONE);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 2);
	buf_release(&v.envelope);
	json_decref(f.act);
	json_decref(next.act);
}

static void a_stranger_takes_no_place_with_an_unknown_kind(void **state)
{
	uint8_t hash[SHA256_BYTES];
	struct forged f;
	struct verdict v;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	forge_of_the_future(&f, hash);
	seal_letter("XA", "XR", &f.act, 1, &w.xr, &sealed);
	bring(&w.xr, buf_bytes(&sealed), w.xl.tls, &v);
	assert_int_equal(v.reason, REASON_UNKNOWN_KIND);
	AUTO_JSON *told = body_of_receipt(&v);
	assert_int_equal(json_bytes(told, "statement").len, 0);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 0);
	assert_int_equal(last_of(&w.xr, "XL", PAIR_RECEIVED).n, 0);
	buf_release(&v.envelope);
	/* Nor does the sender with a letter that stands in another history. */
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	bring(&w.xr, buf_bytes(&sealed), w.xa.tls, &v);
	assert_int_equal(v.reason, REASON_PAIR_GAP);
	assert_int_equal(last_of(&w.xr, "XA", PAIR_RECEIVED).n, 1);
	buf_release(&v.envelope);
	json_decref(f.act);
}

/* The sender learns which letter it was: the request is rejected, and it comes no more. */
static void the_sender_of_what_cannot_be_read_is_told_for_good(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	struct verdict v;
	json_t *act;
	AUTO_BUF text = { 0 }, sealed = { 0 };

	buf_init(&text, LETTER_BYTES_MAX);
	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	slot(&w.xa);
	slot(&w.xa);
	assert_ok(node_act_json(w.xa.node, p.hash, &text, e));
	assert_ok(json_parse(buf_bytes(&text), "act", &act, e));
	json_put_text(act, "opening", "in another form");
	seal_letter("XA", "XR", &act, 1, &w.xr, &sealed);
	bring(&w.xr, buf_bytes(&sealed), NULL, &v);
	assert_int_equal(v.reason, REASON_BAD_FIELD);
	import_receipt(&w.xa, &v);
	assert_state(&w.xa, &p.id, REJECTED);
	assert_int_equal(number(&w.xa, QUERY_outbox_count), 0);
	assert_agree(&w.xa, &w.xr, 1);
	buf_release(&v.envelope);
	json_decref(act);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(every_letter_has_the_next_number_and_both_know_the_same_head),
		CLAIM(the_head_is_the_hash_that_the_protocol_says),
		CLAIM(a_gap_is_told_with_what_is_missing_and_nothing_is_lost),
		CLAIM(a_request_to_preserve_may_come_early),
		CLAIM(what_follows_an_unopened_letter_waits_for_it),
		CLAIM(a_rejected_letter_keeps_its_place_and_stops_nobody),
		CLAIM(a_rejection_whose_receipt_was_lost_comes_again),
		CLAIM(a_stranger_takes_no_place),
		CLAIM(a_replay_gets_the_old_receipt),
		CLAIM(a_receipt_with_another_head_is_kept_as_evidence),
		CLAIM(another_letter_in_the_same_place_is_a_dispute),
		CLAIM(a_kind_that_is_unknown_here_is_rejected_in_its_place),
		CLAIM(a_stranger_takes_no_place_with_an_unknown_kind),
		CLAIM(the_sender_of_what_cannot_be_read_is_told_for_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
