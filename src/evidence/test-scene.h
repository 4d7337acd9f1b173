/* For the tests of packages: a whole exchange between Arcadia and Ruritania with real keys, a register with
 * a trust root of two of three keys, and both logs in memory. XA asks, XR accepts, a court of XR orders
 * disclosure, XR acquires and hands over two exhibits, XA accepts and confirms them, and seals a package. A
 * test changes one thing before scene_package writes it. */
#ifndef COMITY_EVIDENCE_TEST_SCENE_H
#define COMITY_EVIDENCE_TEST_SCENE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "evidence/package.h"
#include "evidence/verify.h"
#include "register/test-bundle.h"
#include "statement/test-samples.h"

struct said {
	struct fx_act a;
	struct fx_home *from, *to; /* to NULL: to itself */
	struct buf json, counter;
	char id[ID_TEXT_LEN + 1], hash[2 * SHA256_BYTES + 1];
	uint8_t opening[32], leaf[LEAF_V1_BYTES];
	size_t index;
	bool no_counter, left_out;
};

#define SAID_MAX 24
enum { ASKED, ACCEPTED, ORDERED, ACQUIRED, TRANSMITTED = ACQUIRED + 2, HANDED = TRANSMITTED + 2, TOOK = HANDED + 2,
       CONFIRMED = TOOK + 2, SAID_COUNT = CONFIRMED + 2 };

static const char *const exhibit_names[2] = { "access log <script>alert(1)</script>.txt", "mail box \xc3\xa9.mbox" };
static const char *const exhibit_ids[2] = { "a0000000000000000000000000000001", "a0000000000000000000000000000002" };
static const char *const exhibit_texts[2] = { "192.0.2.7 GET /login\n192.0.2.9 GET /\n", "From ada@host.example\n\nhello\n" };

static struct {
	struct said said[SAID_MAX];
	size_t count;
	struct sign_key *custodian[2];
	struct fx_home *sealer;
	struct buf checkpoint[2];
	struct buf pins[2];
	uint8_t pin_hash[2][SHA256_BYTES];
	bool only_pins, with_pins, exercise;
	const char *wrong_content, *case_ref, *where; /* NULL: as in the sample */
	struct fx_home *order_to;                     /* NULL: XA */
	int64_t order_expires;                        /* 0: as in the sample */
	char folder[64], package[96];
	void (*cosign)(struct buf *proof);            /* NULL: no witness signs */
} scene;

static inline struct said *say(const char *kind, struct fx_home *from, struct fx_home *to, json_t *body)
{
	struct said *s = &scene.said[scene.count++];
	const struct kind *k = kind_find(bytes_of(kind));
	struct envelope env = { 0 };
	struct statement *st = NULL;
	unsigned needed = kind_approvals(k, body);

	assert_true(scene.count <= SAID_MAX);
	*s = (struct said){ .from = from, .to = to };
	buf_init(&s->json, LETTER_BYTES_MAX);
	buf_init(&s->counter, LETTER_BYTES_MAX);
	fx_sign(&(struct fx_draft){ kind, from->party.code, to == NULL ? from->party.code : to->party.code, body, scene.exercise },
		from->key, &s->a);
	for (unsigned r = 0; r < APPROVAL_ROLE_COUNT; r++)
		for (size_t i = 0; (needed & 1u << r) != 0 && i < from->party.approver_count; i++)
			if ((from->party.approvers[i].roles & 1u << r) != 0)
				fx_approve(&s->a, i < FX_PEOPLE ? from->people[i] : scene.custodian[from == &xr],
					   from->party.approvers[i].name, (enum approval_role)r);
	fx_leaf(&s->a, &from->log);
	if (to != NULL) {
		chance_fill(s->opening, sizeof(s->opening));
		leaf_write(s->a.hash, &s->a.act_class, s->opening, s->a.x, LEAF_IN, s->leaf);
		s->index = fx_append(&to->log, BYTES_ARRAY(s->leaf));
	}
	assert_true(envelope_parse(buf_bytes(&s->a.envelope), &env, NULL));
	assert_true(statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &st, NULL));
	id_write(&st->id, s->id);
	hex_write(BYTES_ARRAY(s->a.hash), s->hash);
	statement_free(st);
	envelope_release(&env);
	return s;
}

static inline void put_digest(json_t *v, const char *key, const char *text)
{
	uint8_t digest[SHA256_BYTES];

	sha256(bytes_of(text), digest);
	json_put_hex(v, key, BYTES_ARRAY(digest));
}

static inline struct said *custody(const char *act, struct fx_home *who, size_t exhibit, int seq, const char *prev)
{
	json_t *body = sample_body("custody"), *object = json_object_get(body, "object");

	json_put_text(body, "act", act);
	if (scene.where != NULL)
		json_put_text(body, "where", scene.where);
	json_put_text(body, "exhibit", exhibit_ids[exhibit]);
	json_put_int(body, "seq", seq);
	json_put_text(body, "prev", prev);
	json_put_text(object, "name", exhibit_names[exhibit]);
	put_digest(object, "sha256", exhibit_texts[exhibit]);
	json_put_int(object, "size", (int64_t)strlen(exhibit_texts[exhibit]));
	return say("custody", who, NULL, body);
}

static inline void about_request(json_t *body)
{
	json_put_text(body, "request", scene.said[ASKED].id);
}

static inline void hand_over(size_t x)
{
	json_t *body = sample_body("exhibit"), *list = json_array();

	about_request(body);
	json_put_text(body, "exhibit", exhibit_ids[x]);
	json_put_text(body, "name", exhibit_names[x]);
	json_put_text(body, "order", scene.said[ORDERED].hash);
	put_digest(body, "sha256", exhibit_texts[x]);
	json_put_int(body, "size", (int64_t)strlen(exhibit_texts[x]));
	json_array_append_new(list, json_string(scene.said[ACQUIRED + x].hash));
	json_array_append_new(list, json_string(scene.said[TRANSMITTED + x].hash));
	json_put(body, "custody", list);
	say("exhibit", &xr, &xa, body);
}

static inline void scene_play(void)
{
	json_t *body;

	say("stored-data-request", &xa, &xr, sample_body("stored-data-request"));
	body = sample_body("answer");
	about_request(body);
	say("answer", &xr, &xa, body);
	body = sample_body("order");
	about_request(body);
	json_put_text(body, "measure", "disclose");
	if (scene.order_expires != 0)
		json_put_time(body, "expires", scene.order_expires);
	say("order", &xr, scene.order_to == NULL ? &xa : scene.order_to, body);
	for (size_t x = 0; x < 2; x++)
		custody("acquire", &xr, x, 0, "");
	for (size_t x = 0; x < 2; x++)
		custody("transmit", &xr, x, 1, scene.said[ACQUIRED + x].hash);
	for (size_t x = 0; x < 2; x++)
		hand_over(x);
	for (size_t x = 0; x < 2; x++)
		custody("accept", &xa, x, 0, scene.said[TRANSMITTED + x].hash);
	for (size_t x = 0; x < 2; x++) {
		body = sample_body("confirmation");
		about_request(body);
		json_put_text(body, "exhibit", exhibit_ids[x]);
		put_digest(body, "sha256", exhibit_texts[x]);
		say("confirmation", &xa, &xr, body)->no_counter = true;
	}
}

static inline void add_custodian(struct fx_home *h, struct sign_key *key)
{
	struct register_approver *a = &h->party.approvers[h->party.approver_count++];

	*a = (struct register_approver){ .name = "Cora Hale", .roles = 1u << APPROVAL_CUSTODIAN };
	memcpy(a->key, sign_key_public(key), SIGN_PUBLIC_BYTES);
}

static inline void scene_pin(struct fx_home *h, size_t i)
{
	struct fx_act a;

	fx_entry(&h->party, h->party.code, h->key, &h->log, &a);
	fx_prove(&a, &h->log);
	buf_init(&scene.pins[i], LETTER_BYTES_MAX);
	fx_write(&a, &scene.pins[i]);
	memcpy(scene.pin_hash[i], a.hash, SHA256_BYTES);
	fx_act_release(&a);
}

static inline int scene_setup(void **state)
{
	memset(&scene, 0, sizeof(scene));
	bundle_setup(state);
	for (size_t i = 0; i < 2; i++) {
		scene.custodian[i] = sign_key_new();
		add_custodian(i == 0 ? &xa : &xr, scene.custodian[i]);
		buf_init(&scene.checkpoint[i], NOTE_BYTES_MAX);
	}
	scene.sealer = &xa;
	scene.case_ref = "XA-2026-17";
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	finish();
	scene_pin(&xa, 0);
	scene_pin(&xr, 1);
	snprintf(scene.folder, sizeof(scene.folder), "/tmp/comity-test-XXXXXX");
	assert_non_null(mkdtemp(scene.folder));
	snprintf(scene.package, sizeof(scene.package), "%s/package", scene.folder);
	return 0;
}

static inline void remove_all(const char *path)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static inline int scene_teardown(void **state)
{
	for (size_t i = 0; i < scene.count; i++) {
		fx_act_release(&scene.said[i].a);
		buf_release(&scene.said[i].json);
		buf_release(&scene.said[i].counter);
	}
	for (size_t i = 0; i < 2; i++) {
		sign_key_free(scene.custodian[i]);
		buf_release(&scene.checkpoint[i]);
		buf_release(&scene.pins[i]);
	}
	remove_all(scene.folder);
	return bundle_teardown(state);
}

/* Every act is proved under the newest checkpoint of each log. */
static inline void scene_prove(void)
{
	for (size_t i = 0; i < scene.count; i++) {
		struct said *s = &scene.said[i];
		AUTO_BUF proof = { 0 };

		buf_init(&proof, NOTE_BYTES_MAX + 8 * KIB);
		fx_prove(&s->a, &s->from->log);
		if (scene.cosign != NULL)
			scene.cosign(&s->a.proof);
		fx_write(&s->a, &s->json);
		if (s->to == NULL || s->no_counter)
			continue;
		fx_proof(&s->to->log, s->index, &proof);
		if (scene.cosign != NULL)
			scene.cosign(&proof);
		buf_clear(&s->counter);
		assert_true(counterproof_write(s->a.hash, BYTES_ARRAY(s->leaf), s->opening, buf_bytes(&proof), &s->counter, NULL));
	}
	for (size_t i = 0; i < 2; i++)
		if (scene.checkpoint[i].len == 0)
			fx_checkpoint(i == 0 ? &xa.log : &xr.log, &scene.checkpoint[i]);
}

static inline bool scene_content(void *ctx, const struct package_exhibit *x, int out_fd, struct err *e)
{
	size_t i = strcmp(x->id, exhibit_ids[0]) == 0 ? 0 : 1;
	const char *text = scene.wrong_content != NULL ? scene.wrong_content : exhibit_texts[i];

	return file_write_all(out_fd, bytes_of(text), e);
}

static inline bool scene_seal(void *ctx, const uint8_t sha256_of[static SHA256_BYTES], uint64_t size, uint64_t files,
			      struct buf *act, struct err *e)
{
	json_t *body = sample_body("custody"), *object = json_object_get(body, "object");
	struct said *s;

	json_put_text(body, "act", "package");
	json_put_text(object, "name", "tagmanifest-sha256.txt");
	json_put_hex(object, "sha256", bytes_from(sha256_of, SHA256_BYTES));
	json_put_int(object, "size", (int64_t)size);
	s = say("custody", scene.sealer, NULL, body);
	fx_prove(&s->a, &s->from->log);
	if (scene.cosign != NULL)
		scene.cosign(&s->a.proof);
	fx_write(&s->a, act);
	return true;
}

static inline bool scene_package(struct err *e)
{
	static const char *const parties[2] = { "XA", "XR" };
	struct package_act acts[SAID_MAX];
	struct package_exhibit exhibits[2];
	struct bytes checkpoints[2], pins[2];
	struct package_input in = { .acts = acts, .exhibits = exhibits, .exhibit_count = 2, .bundle = buf_bytes(&bundle),
				    .checkpoint_parties = parties, .checkpoints = checkpoints, .checkpoint_count = 2,
				    .case_ref = scene.case_ref, .party = "XA", .party_name = "Arcadia", .now_ms = FX_NOW,
				    .content = scene_content, .seal = scene_seal };

	scene_prove();
	for (size_t i = 0; i < scene.count; i++)
		if (!scene.said[i].left_out)
			acts[in.act_count++] = (struct package_act){ buf_bytes(&scene.said[i].json), buf_bytes(&scene.said[i].counter) };
	for (size_t i = 0; i < 2; i++) {
		exhibits[i] = (struct package_exhibit){ .id = exhibit_ids[i], .name = exhibit_names[i], .size = strlen(exhibit_texts[i]) };
		sha256(bytes_of(exhibit_texts[i]), exhibits[i].sha256);
		checkpoints[i] = buf_bytes(&scene.checkpoint[i]);
		pins[i] = buf_bytes(&scene.pins[i]);
	}
	if (scene.only_pins)
		in.bundle = (struct bytes){ 0 };
	if (scene.only_pins || scene.with_pins) {
		in.pins = pins;
		in.pin_count = 2;
	}
	return package_write(scene.package, &in, e);
}

static inline void package_made(void)
{
	struct err e = { 0 };

	if (!scene_package(&e))
		fail_msg("%s", e.text);
}

/* roots: 32 bytes each. */
static inline json_t *verified_with(const uint8_t *roots, size_t count)
{
	struct verify_options o = { .path = scene.package, .roots = roots, .root_count = count, .offset_minutes = 60 };
	json_t *report = NULL;
	struct err e = { 0 };

	if (!verify_path(&o, &report, &e))
		fail_msg("%s", e.text);
	return report;
}

/* root: 32 bytes, or NULL. */
static inline json_t *verified(const uint8_t *root)
{
	return verified_with(root, root != NULL);
}

static inline bool names(const json_t *report, const char *what)
{
	const json_t *list = json_object_get(report, "broken");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "what"), what) == 0)
			return true;
	return false;
}

static inline bool names_reason(const json_t *report, const char *reason)
{
	const json_t *list = json_object_get(report, "broken");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "reason"), reason) == 0)
			return true;
	return false;
}

static inline void must_be(const json_t *report, const char *result)
{
	char *dump;

	if (strcmp(json_text(report, "result"), result) == 0)
		return;
	dump = json_dumps(json_object_get(report, "broken"), JSON_INDENT(1));
	print_message("%s\n", dump);
	free(dump);
	assert_string_equal(json_text(report, "result"), result);
}

#endif
