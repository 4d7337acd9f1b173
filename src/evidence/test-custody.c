/* Custody chains: what may follow what, and the rendering as CASE/UCO. */
#include "evidence/custody.h"

#include "register/test-fixture.h"
#include "statement/test-samples.h"

#define EVENTS_MAX 12
#define OPEN_SHA SAMPLE_HASH

static struct statement *list[EVENTS_MAX];
static char hashes[EVENTS_MAX][2 * SHA256_BYTES + 1];
static size_t count;
static char told[1000];

static int setup(void **state)
{
	chance_seed(7);
	chance_set(chance_seeded_fill);
	count = 0;
	told[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < count; i++)
		statement_free(list[i]);
	chance_set(NULL);
	return 0;
}

static void add(const char *kind, const char *from, json_t *body)
{
	json_t *frame = sample_frame(kind, body);
	uint8_t id[ID_BYTES];
	struct err e = { 0 };

	assert_true(count < EVENTS_MAX);
	chance_fill(id, sizeof(id));
	json_put_hex(frame, "id", BYTES_ARRAY(id));
	json_put_text(frame, "from", from);
	json_put_text(frame, "to", strcmp(kind, "custody") == 0 ? from : strcmp(from, "XA") == 0 ? "XR" : "XA");
	if (!sample_parse(frame, &list[count], &e))
		fail_msg("%s", e.text);
	hex_write(BYTES_ARRAY(list[count]->hash), hashes[count]);
	count++;
}

static void event(const char *from, const char *act, int seq, const char *prev, const char *sha)
{
	json_t *body = sample_body("custody");

	json_put_text(body, "act", act);
	json_put_int(body, "seq", seq);
	json_put_text(body, "prev", prev);
	json_put_text(json_object_get(body, "object"), "sha256", sha);
	add("custody", from, body);
}

static void event_at(const char *when, int seq, const char *prev)
{
	json_t *body = sample_body("custody");

	json_put_text(body, "act", "hash");
	json_put_int(body, "seq", seq);
	json_put_text(body, "prev", prev);
	json_put_text(body, "when", when);
	add("custody", "XR", body);
}

static void tell(void *ctx, size_t index, const char *text)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "[%zu] %s\n", index, text);
}

static void judged(const char *expected)
{
	chain_judge((const struct statement *const *)list, count, tell, NULL);
	if (expected[0] == '\0')
		assert_string_equal(told, "");
	else if (strstr(told, expected) == NULL)
		fail_msg("wanted \"%s\", got \"%s\"", expected, told);
}

static void whole_chain(void)
{
	event("XR", "acquire", 0, "", OPEN_SHA);
	event("XR", "transmit", 1, hashes[0], OPEN_SHA);
	event("XA", "accept", 0, hashes[1], OPEN_SHA);
	event("XA", "verify", 1, hashes[2], OPEN_SHA);
}

static void accepts_a_whole_chain_in_any_order_of_the_list(void **state)
{
	struct statement *first;

	whole_chain();
	judged("");
	first = list[0];
	list[0] = list[3];
	list[3] = first;
	judged("");
}

static void finds_a_gap(void **state)
{
	event("XR", "acquire", 0, "", OPEN_SHA);
	event("XR", "hash", 2, hashes[0], OPEN_SHA);
	judged("[1] the custody of this exhibit at XR has a gap: event 1 is missing");
}

static void finds_a_missing_beginning(void **state)
{
	event("XR", "hash", 1, SAMPLE_HASH, OPEN_SHA);
	judged("event 0 is missing");
}

static void finds_two_events_of_one_number(void **state)
{
	event("XR", "acquire", 0, "", OPEN_SHA);
	event("XR", "copy", 0, "", OPEN_SHA);
	judged("two events with number 0");
}

static void finds_an_event_that_follows_another(void **state)
{
	event("XR", "acquire", 0, "", OPEN_SHA);
	event("XR", "hash", 1, SAMPLE_HASH_2, OPEN_SHA);
	judged("event 1 of the custody at XR does not follow from event 0");
}

static void finds_a_beginning_that_follows_nothing_here(void **state)
{
	event("XR", "acquire", 0, SAMPLE_HASH_2, OPEN_SHA);
	judged("follows an event that is not here");
}

static void finds_a_transmit_without_accept(void **state)
{
	event("XR", "acquire", 0, "", OPEN_SHA);
	event("XR", "transmit", 1, hashes[0], OPEN_SHA);
	judged("[1] XR handed this over, and nobody accepted it");
}

static void confirmed_by(const char *from, const char *result, const char *sha)
{
	json_t *body = sample_body("confirmation");

	json_put_text(body, "result", result);
	json_put_text(body, "sha256", sha);
	if (strcmp(result, "broken") == 0)
		json_put_text(body, "text", "it did not open");
	add("confirmation", from, body);
}

static void takes_the_confirmation_of_the_receiver_for_its_accept(void **state)
{
	event("XR", "transmit", 0, "", OPEN_SHA);
	confirmed_by("XA", "verified", OPEN_SHA);
	judged("");
}

static void takes_no_other_confirmation(void **state)
{
	event("XR", "transmit", 0, "", OPEN_SHA);
	confirmed_by("XR", "verified", OPEN_SHA);
	confirmed_by("XA", "verified", SAMPLE_HASH_2);
	confirmed_by("XA", "broken", OPEN_SHA);
	judged("nobody accepted it");
}

static void finds_an_accept_without_transmit(void **state)
{
	event("XA", "accept", 0, "", OPEN_SHA);
	judged("[0] XA accepted this, and nobody handed it over");
}

static void nobody_accepts_from_himself(void **state)
{
	event("XR", "transmit", 0, "", OPEN_SHA);
	event("XR", "accept", 1, hashes[0], OPEN_SHA);
	judged("nobody accepted it");
}

static void finds_another_digest_on_the_way(void **state)
{
	event("XR", "transmit", 0, "", OPEN_SHA);
	event("XA", "accept", 0, "", SAMPLE_HASH_2);
	judged("another digest");
}

static void finds_times_that_run_backwards(void **state)
{
	event_at("2026-11-23T02:10:00.000Z", 0, "");
	event_at("2026-11-23T02:09:59.999Z", 1, hashes[0]);
	judged("[1] event 1 of the custody at XR lies before event 0 in time");
}

static void exhibit_naming(const char *event_hash, const char *sha)
{
	json_t *body = sample_body("exhibit"), *custody = json_array();

	assert_int_equal(json_array_append_new(custody, json_string(event_hash)), 0);
	json_put(body, "custody", custody);
	json_put_text(body, "sha256", sha);
	add("exhibit", "XR", body);
}

static void wants_the_events_that_an_exhibit_names(void **state)
{
	whole_chain();
	exhibit_naming(hashes[0], OPEN_SHA);
	judged("");
	exhibit_naming(SAMPLE_HASH_2, OPEN_SHA);
	judged("[5] custody event ff11223344556677 of this exhibit is not in the package");
}

static void wants_an_event_about_the_content_of_an_exhibit(void **state)
{
	whole_chain();
	exhibit_naming(hashes[0], SAMPLE_HASH_2);
	judged("[4] no custody event of XR is about the content");
}

/* --- rendering --------------------------------------------------------------------------------- */

static json_t *rendered(struct buf *out)
{
	json_t *v = NULL;

	assert_true(chain_render((const struct statement *const *)list, count, out, NULL));
	assert_true(json_parse(buf_bytes(out), "test", &v, NULL));
	return v;
}

static size_t nodes_of(const json_t *document, const char *type)
{
	const json_t *graph = json_object_get(document, "@graph");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(graph); i++)
		n += strcmp(json_text(json_array_get(graph, i), "@type"), type) == 0;
	return n;
}

static void renders_the_same_bytes_for_the_same_statements(void **state)
{
	AUTO_BUF once = { 0 }, again = { 0 };
	json_t *v;

	whole_chain();
	exhibit_naming(hashes[0], OPEN_SHA);
	buf_init(&once, MIB);
	buf_init(&again, MIB);
	v = rendered(&once);
	json_decref(v);
	v = rendered(&again);
	assert_true(bytes_equal(buf_bytes(&once), buf_bytes(&again)));
	assert_int_equal(nodes_of(v, "case-investigation:InvestigativeAction"), 4);
	assert_int_equal(nodes_of(v, "case-investigation:ProvenanceRecord"), 2);
	assert_int_equal(nodes_of(v, "case-investigation:Authorization"), 1);
	assert_int_equal(nodes_of(v, "case-investigation:Investigation"), 1);
	assert_int_equal(nodes_of(v, "uco-observable:File"), 1);
	assert_int_equal(nodes_of(v, "uco-identity:Organization"), 2);
	json_decref(v);
	if (getenv("COMITY_TEST_REPORTS") != NULL) {
		FILE *f = fopen("custody.jsonld", "w");

		assert_non_null(f);
		assert_int_equal(fwrite(once.at, 1, once.len, f), once.len);
		fclose(f);
	}
}

/* Names end in a UUID of version 5; times and hashes are typed (SHACL of CASE/UCO 1.4). */
static void check_node(const json_t *v)
{
	const char *id = json_text(v, "@id"), *uuid;
	const char *key;
	json_t *member;

	if (json_object_get(v, "@id") != NULL) {
		assert_true(strlen(id) > 36);
		uuid = id + strlen(id) - 36;
		assert_int_equal(uuid[14], '5');
		assert_non_null(strchr("89ab", uuid[19]));
	}
	json_object_foreach ((json_t *)(uintptr_t)v, key, member) {
		if (strcmp(key, "uco-action:startTime") == 0)
			assert_string_equal(json_text(member, "@type"), "xsd:dateTime");
		if (strcmp(key, "uco-types:hashValue") == 0)
			assert_string_equal(json_text(member, "@type"), "xsd:hexBinary");
		if (strcmp(key, "uco-action:performer") == 0)
			assert_true(json_is_object(member));
		for (size_t i = 0; i < json_array_size(member); i++)
			if (json_is_object(json_array_get(member, i)))
				check_node(json_array_get(member, i));
	}
}

static void names_every_node_with_a_uuid_and_types_its_literals(void **state)
{
	const json_t *graph;
	AUTO_BUF out = { 0 };
	json_t *v;

	whole_chain();
	buf_init(&out, MIB);
	v = rendered(&out);
	graph = json_object_get(v, "@graph");
	assert_true(json_array_size(graph) > 8);
	for (size_t i = 0; i < json_array_size(graph); i++)
		check_node(json_array_get(graph, i));
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(accepts_a_whole_chain_in_any_order_of_the_list),
		T(finds_a_gap),
		T(finds_a_missing_beginning),
		T(finds_two_events_of_one_number),
		T(finds_an_event_that_follows_another),
		T(finds_a_beginning_that_follows_nothing_here),
		T(finds_a_transmit_without_accept),
		T(takes_the_confirmation_of_the_receiver_for_its_accept),
		T(takes_no_other_confirmation),
		T(finds_an_accept_without_transmit),
		T(nobody_accepts_from_himself),
		T(finds_another_digest_on_the_way),
		T(finds_times_that_run_backwards),
		T(wants_the_events_that_an_exhibit_names),
		T(wants_an_event_about_the_content_of_an_exhibit),
		T(renders_the_same_bytes_for_the_same_statements),
		T(names_every_node_with_a_uuid_and_types_its_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
