/* The verbs that command line and desk use, on whole homes: what they answer on the way of one request, and that
 * bad calls get one clear sentence and change nothing. */
#include "exchange/test-carry.h"

#include "api/api.h"

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

/* As the keeper calls: a turn, and in it one part. `in` is taken; the answer is to be released. */
static bool called(struct home *h, const char *verb, json_t *in, json_t **ret, struct err *why)
{
	const struct api_verb *v = api_verb_find(bytes_of(verb));
	struct api_call c = { .node = h->node, .in = in, .out = json_object() };
	bool ok;

	assert_non_null(v);
	*why = (struct err){ 0 };
	assert_ok(node_begin(h->node, e));
	assert_ok(node_part(h->node, e));
	ok = v->run(&c, why);
	struct err undo = { 0 };
	assert_true(node_part_end(h->node, ok, &undo));
	assert_true(node_commit(h->node, &undo));
	json_decref(in);
	*ret = c.out;
	return ok;
}

static json_t *call(struct home *h, const char *verb, json_t *in)
{
	struct err e;
	json_t *out;

	if (!called(h, verb, in, &out, &e))
		fail_msg("%s: %s", verb, e.text);
	return out;
}

static json_t *with(const char *key, const char *value)
{
	json_t *v = json_object();

	json_put_text(v, key, value);
	return v;
}

static void refused(struct home *h, const char *verb, json_t *in, enum reason wanted)
{
	struct err e;
	json_t *out;

	if (called(h, verb, in, &out, &e))
		fail_msg("%s was not refused", verb);
	if (e.reason != wanted)
		fail_msg("%s: %s (%s)", verb, reason_code(e.reason), e.text);
	assert_true(strlen(e.text) > 10);
	assert_null(strchr(e.text, '\n'));
	json_decref(out);
}

static json_t *new_draft(const char *kind, json_t *body)
{
	json_t *in = with("kind", kind);

	json_put_text(in, "to", "XR");
	json_put_text(in, "case", "XA-2026-17");
	json_put_text(in, "legal_basis", "UNCC");
	json_put_text(in, "officer", "Ada Quill");
	json_put(in, "body", body);
	return in;
}

/* Approves as the command line does: from the payload that it was shown. */
static json_t *approve_call(struct home *h, const char *draft, enum person who)
{
	AUTO_JSON *shown = call(h, "draft-show", with("draft", draft));
	uint8_t hash[SHA256_BYTES], told[SHA256_BYTES];
	json_t *in = with("draft", draft);
	AUTO_BUF payload = { 0 }, envelope = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	assert_true(base64_parse(json_bytes(shown, "payload"), true, &payload));
	pae_hash(json_bytes(shown, "type"), buf_bytes(&payload), hash);
	assert_true(hex_parse(json_bytes(shown, "hash"), told, sizeof(told)));
	assert_memory_equal(hash, told, sizeof(hash));
	approval_of(h, who, people[who].role, "seen", hash, &envelope);
	json_put_bytes(in, "envelope", buf_bytes(&envelope));
	return in;
}

static void a_request_is_drafted_approved_and_sent(void **state)
{
	AUTO_JSON *made = call(&w.xa, "draft-new", new_draft("preservation-request", sample_body("preservation-request")));
	char draft_id[ID_TEXT_LEN + 1];
	json_t *out;

	snprintf(draft_id, sizeof(draft_id), "%s", json_text(made, "draft"));
	assert_int_equal(json_array_size(json_object_get(made, "findings")), 0);
	assert_int_equal(json_array_size(json_object_get(made, "approvals")), 2);
	refused(&w.xa, "draft-send", with("draft", draft_id), REASON_MISSING_APPROVAL);
	json_decref(call(&w.xa, "draft-approve", approve_call(&w.xa, draft_id, RANA)));
	out = call(&w.xa, "draft-approve", approve_call(&w.xa, draft_id, ILSE));
	assert_int_equal(json_array_size(json_object_get(out, "approvals_missing")), 0);
	json_decref(out);
	/* Said twice is said once. */
	json_decref(call(&w.xa, "draft-approve", approve_call(&w.xa, draft_id, ILSE)));
	out = call(&w.xa, "draft-check", with("draft", draft_id));
	assert_int_equal(json_array_size(json_object_get(out, "approvals_there")), 2);
	json_decref(out);
	out = call(&w.xa, "draft-list", json_object());
	assert_int_equal(json_array_size(json_object_get(out, "drafts")), 1);
	json_decref(out);
	out = call(&w.xa, "draft-check", with("draft", draft_id));
	assert_int_equal(json_array_size(json_object_get(out, "approvals_there")), 2);
	json_decref(out);
	out = call(&w.xa, "draft-send", with("draft", draft_id));
	assert_string_equal(json_text(out, "request"), draft_id);
	json_decref(out);
	out = call(&w.xa, "draft-list", json_object());
	assert_int_equal(json_array_size(json_object_get(out, "drafts")), 0);
	json_decref(out);
	settle(&w.xa, &w.xr);
	out = call(&w.xr, "request-list", json_object());
	assert_int_equal(json_array_size(json_object_get(out, "requests")), 1);
	json_decref(out);
}

static void a_draft_can_be_dropped(void **state)
{
	AUTO_JSON *made = call(&w.xa, "draft-new", new_draft("preservation-request", sample_body("preservation-request")));

	json_decref(call(&w.xa, "draft-drop", with("draft", json_text(made, "draft"))));
	refused(&w.xa, "draft-drop", with("draft", json_text(made, "draft")), REASON_NOT_FOUND);
	refused(&w.xa, "draft-show", with("draft", json_text(made, "draft")), REASON_NOT_FOUND);
}

static bool listed(const json_t *list, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), key), value) == 0)
			return true;
	return false;
}

static void a_preservation_has_its_three_grounds_and_dual_criminality_is_none(void **state)
{
	struct said p = say_request(&w.xa, "XR"), d;
	char id[ID_TEXT_LEN + 1];

	settle(&w.xa, &w.xr);
	id_write(&p.id, id);
	AUTO_JSON *shown = call(&w.xr, "request-show", with("id", id));
	const json_t *grounds = json_object_get(shown, "grounds");
	assert_int_equal(json_array_size(grounds), 3);
	assert_true(listed(grounds, "code", "R-ESSENTIAL"));
	assert_true(listed(grounds, "code", "R-DOMESTIC"));
	assert_true(listed(grounds, "code", "R-DISCRIM"));
	assert_false(listed(grounds, "code", "R-DC"));
	assert_true(listed(json_object_get(shown, "next"), "event", "acknowledgement"));
	char command[100];
	snprintf(command, sizeof(command), "comity request acknowledge %s", id);
	assert_true(listed(json_object_get(shown, "next"), "command", command));
	assert_false(listed(json_object_get(shown, "next"), "event", "exhibit"));
	assert_string_equal(json_text(shown, "state"), "received");
	assert_true(listed(json_object_get(shown, "findings"), "clause", "24(4)"));
	/* Who asks is offered no ground of refusal. */
	AUTO_JSON *ours = call(&w.xa, "request-show", with("id", id));
	assert_int_equal(json_array_size(json_object_get(ours, "grounds")), 0);
	snprintf(command, sizeof(command), "comity request withdraw %s", id);
	assert_true(listed(json_object_get(ours, "next"), "command", command));
	snprintf(command, sizeof(command), "comity request acknowledge %s", id);
	assert_false(listed(json_object_get(ours, "next"), "command", command));
	assert_string_equal(json_text(json_object_get(ours, "delivery"), "state"), "answered");
	d = say_stored_data(&w.xa, "XR", NULL);
	settle(&w.xa, &w.xr);
	id_write(&d.id, id);
	AUTO_JSON *data = call(&w.xr, "request-show", with("id", id));
	assert_true(listed(json_object_get(data, "grounds"), "code", "R-DC"));
}

static void an_undelivered_letter_shows_the_number_to_call(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	char id[ID_TEXT_LEN + 1];

	id_write(&p.id, id);
	the_time += 179000;
	AUTO_JSON *soon = call(&w.xa, "status", json_object());
	assert_int_equal(json_array_size(json_object_get(soon, "undelivered")), 0);
	the_time += 1000;
	AUTO_JSON *late = call(&w.xa, "status", json_object());
	const json_t *one = json_array_get(json_object_get(late, "undelivered"), 0);
	assert_string_equal(json_text(one, "call"), "+00 1 555 0101");
	assert_string_equal(json_text(one, "peer"), "XR");
	assert_string_equal(json_text(one, "id"), id);
	assert_int_equal(json_int(late, "outbox_waiting"), 1);
}

static void the_status_tells_how_the_home_stands(void **state)
{
	AUTO_JSON *s = call(&w.xa, "status", json_object());

	assert_string_equal(json_text(s, "party"), "XA");
	assert_false(json_bool(s, "locked"));
	assert_string_equal(json_text(json_object_get(s, "register"), "state"), "fresh");
	assert_int_equal(json_int(json_object_get(s, "register"), "parties"), 3);
	assert_string_equal(json_text(json_object_get(s, "log"), "origin"), "comity/XA");
}

static void doctor_finds_a_home_in_order(void **state)
{
	say_request(&w.xa, "XR");
	settle(&w.xa, &w.xr);
	AUTO_JSON *a = call(&w.xa, "doctor", json_object()), *r = call(&w.xr, "doctor", json_object());
	assert_true(json_bool(a, "ok"));
	assert_true(json_bool(r, "ok"));
}

/* --- another carrier ------------------------------------------------------------------------------------------------- */

static void a_letter_is_exported_imported_and_its_receipt_brought_back(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	char hash[2 * SHA256_BYTES + 1];

	hex_write(BYTES_ARRAY(p.hash), hash);
	refused(&w.xa, "letter-export", with("hash", hash), REASON_UNLOGGED);
	slot(&w.xa);
	AUTO_JSON *letter = call(&w.xa, "letter-export", with("hash", hash));
	AUTO_JSON *receipt = call(&w.xr, "letter-import", with("letter", json_text(letter, "letter")));
	assert_string_equal(json_text(receipt, "outcome"), "received");
	AUTO_JSON *again = call(&w.xr, "letter-import", with("letter", json_text(letter, "letter")));
	assert_string_equal(json_text(again, "receipt"), json_text(receipt, "receipt"));
	AUTO_JSON *back = call(&w.xa, "receipt-import", with("receipt", json_text(receipt, "receipt")));
	assert_string_equal(json_text(back, "outcome"), "received");
	assert_state(&w.xa, &p.id, DELIVERED);
	/* At the wrong home it is rejected, and says so. */
	AUTO_JSON *wrong = call(&w.xl, "letter-import", with("letter", json_text(letter, "letter")));
	assert_string_equal(json_text(wrong, "reason"), "not-sealed-to-us");
	refused(&w.xr, "letter-import", with("letter", "no base64!"), REASON_MALFORMED);
	refused(&w.xa, "receipt-import", with("receipt", "{}"), REASON_MALFORMED);
}

static void a_package_has_both_sides_of_every_act(void **state)
{
	struct said p = say_request(&w.xa, "XR");
	char id[ID_TEXT_LEN + 1];

	id_write(&p.id, id);
	refused(&w.xa, "package-data", with("request", id), REASON_UNLOGGED);
	settle(&w.xa, &w.xr);
	say_acknowledged(&w.xr, "XA", &p.id);
	settle(&w.xa, &w.xr);
	AUTO_JSON *data = call(&w.xa, "package-data", with("request", id));
	const json_t *acts = json_object_get(data, "acts");
	assert_int_equal(json_array_size(acts), 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(json_bytes(json_array_get(acts, i), "counterproof").len > 0);
	assert_true(json_bytes(data, "bundle").len > 0);
	refused(&w.xa, "package-data", with("request", SAMPLE_ID), REASON_NOT_FOUND);
}

/* --- bad calls ---------------------------------------------------------------------------------------------------------- */

static void every_verb_has_words_and_is_found_by_its_name(void **state)
{
	for (size_t i = 0; i < api_verb_count(); i++) {
		const struct api_verb *v = api_verb_at(i);
		assert_ptr_equal(api_verb_find(bytes_of(v->name)), v);
		assert_true(strlen(v->words) > 0);
	}
	assert_null(api_verb_at(api_verb_count()));
	assert_null(api_verb_find(bytes_of("draft")));
	assert_null(api_verb_find(bytes_of("")));
}

/* Nothing given, and everything given with the wrong type or without sense. */
static json_t *nonsense(int kind)
{
	static const char *const members[] = { "act", "body", "bundle", "case", "draft", "envelope", "exhibit", "files", "hash", "id",
					       "kind", "legal_basis", "letter", "officer", "receipt", "refs", "request", "sha256", "size",
					       "step", "to" };
	json_t *v = json_object();

	for (size_t i = 0; kind > 0 && i < sizeof(members) / sizeof(members[0]); i++)
		json_put(v, members[i],
			 kind == 1 ? json_integer(-1) : kind == 2 ? json_string("") : kind == 3 ? json_string(SAMPLE_HASH)
			 : kind == 4 ? json_object() : kind == 5 ? json_string("preservation-request") : json_array());
	return v;
}

static void what_makes_no_sense_gets_a_sentence_and_changes_nothing(void **state)
{
	static const char *const fine_without_members[] = { "status", "register-describe", "register-show", "register-bundle", "draft-list",
							    "request-list", "backup", "doctor", "log-recover", "register-publish" };

	for (size_t i = 0; i < api_verb_count(); i++)
		for (int kind = 0; kind < 7; kind++) {
			const char *name = api_verb_at(i)->name;
			bool fine = false;
			struct err e;
			json_t *out;
			for (size_t k = 0; k < sizeof(fine_without_members) / sizeof(fine_without_members[0]); k++)
				fine = fine || strcmp(name, fine_without_members[k]) == 0;
			if (strcmp(name, "backup") == 0)
				continue; /* copies outside a transaction */
			if (called(&w.xa, name, nonsense(kind), &out, &e)) {
				/* A letter that cannot be read is answered too, by a rejection. */
				if (!fine && strcmp(json_text(out, "outcome"), "rejected") != 0)
					fail_msg("%s took nonsense (%d)", name, kind);
			} else if (e.reason == REASON_NONE || strlen(e.text) < 10 || e.kind == ERR_SYSTEM) {
				fail_msg("%s (%d): %s \"%s\"", name, kind, err_kind_name(e.kind), e.text);
			}
			json_decref(out);
		}
	assert_int_equal(rows(&w.xa, QUERY_request_list), 0);
}

static void a_problem_is_told_in_the_published_form(void **state)
{
	struct err problem;
	AUTO_BUF out = { 0 };
	AUTO_JSON *v = NULL;

	buf_init(&out, 4 * KIB);
	err_set(&problem, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no such draft");
	api_problem(&problem, &out);
	assert_ok(json_parse_canonical(buf_bytes(&out), "problem", &v, e));
	assert_int_equal(json_int(v, "status"), 404);
	assert_string_equal(json_text(v, "reason"), "not-found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_request_is_drafted_approved_and_sent),
		CLAIM(a_draft_can_be_dropped),
		CLAIM(a_preservation_has_its_three_grounds_and_dual_criminality_is_none),
		CLAIM(an_undelivered_letter_shows_the_number_to_call),
		CLAIM(the_status_tells_how_the_home_stands),
		CLAIM(doctor_finds_a_home_in_order),
		CLAIM(a_letter_is_exported_imported_and_its_receipt_brought_back),
		CLAIM(a_package_has_both_sides_of_every_act),
		CLAIM(every_verb_has_words_and_is_found_by_its_name),
		CLAIM(what_makes_no_sense_gets_a_sentence_and_changes_nothing),
		CLAIM(a_problem_is_told_in_the_published_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
