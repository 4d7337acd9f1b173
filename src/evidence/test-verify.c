/* What the acts in a package must say about each other. */
#include "evidence/test-scene.h"

static void broken_with(const char *reason, const char *what)
{
	json_t *report = verified(fingerprint);
	char *dump = json_dumps(json_object_get(report, "broken"), 0);

	if (strcmp(json_text(report, "result"), "broken") != 0 || !names_reason(report, reason) || !names(report, what))
		fail_msg("wanted %s of %s: %s", reason, what, dump);
	free(dump);
	json_decref(report);
}

static void wants_the_counterproof_of_exhibit_order_and_request(void **state)
{
	scene_play();
	scene.said[ASKED].no_counter = scene.said[ORDERED].no_counter = scene.said[HANDED].no_counter = true;
	package_made();
	broken_with("unlogged", "meta/acts/0001-stored-data-request.json");
	broken_with("unlogged", "meta/acts/0003-order.json");
	broken_with("unlogged", "meta/acts/0008-exhibit.json");
}

static void tells_the_missing_counterproof_of_an_answer_and_stays_intact(void **state)
{
	json_t *report;
	AUTO_BUF out = { 0 };

	scene_play();
	scene.said[ACCEPTED].no_counter = true;
	package_made();
	report = verified(fingerprint);
	must_be(report, "intact");
	buf_init(&out, 4 * MIB);
	verify_print(report, 60, &out);
	assert_non_null(strstr(buf_text(&out), "0002-answer.json: the proof"));
	json_decref(report);
}

static void wants_request_and_order_of_every_exhibit(void **state)
{
	scene_play();
	scene.said[ASKED].left_out = scene.said[ORDERED].left_out = true;
	package_made();
	broken_with("not-found", "meta/acts/0006-exhibit.json");
	broken_with("no-disclosure-order", "meta/acts/0006-exhibit.json");
}

static void refuses_an_order_to_preserve_in_place_of_disclosure(void **state)
{
	json_t *body = sample_body("order");

	say("stored-data-request", &xa, &xr, sample_body("stored-data-request"));
	say("answer", &xr, &xa, sample_body("answer"));
	about_request(body);
	say("order", &xr, &xa, body);
	for (size_t x = 0; x < 2; x++)
		custody("acquire", &xr, x, 0, "");
	for (size_t x = 0; x < 2; x++)
		custody("transmit", &xr, x, 1, scene.said[ACQUIRED + x].hash);
	for (size_t x = 0; x < 2; x++)
		hand_over(x);
	for (size_t x = 0; x < 2; x++)
		custody("accept", &xa, x, 0, "");
	package_made();
	broken_with("no-disclosure-order", "meta/acts/0008-exhibit.json");
}

static void wants_the_court_under_a_disclosure_order(void **state)
{
	scene_play();
	buf_release(&scene.said[ORDERED].a.approvals[0]);
	scene.said[ORDERED].a.approval_count = 0;
	package_made();
	broken_with("missing-approval", "meta/acts/0003-order.json");
}

static void wants_the_accept_of_what_was_transmitted(void **state)
{
	scene_play();
	scene.said[TOOK].left_out = scene.said[CONFIRMED].left_out = true;
	package_made();
	broken_with("bad-custody", "meta/acts/0006-custody.json");
}

static void wants_every_custody_event(void **state)
{
	scene_play();
	scene.said[ACQUIRED].left_out = true;
	package_made();
	broken_with("bad-custody", "meta/acts/0005-custody.json");
	broken_with("bad-custody", "meta/acts/0007-exhibit.json");
}

static void finds_a_log_with_two_trees_of_one_size(void **state)
{
	merkle_hash kept;

	scene_play();
	memcpy(kept, xr.log.leaves[0], sizeof(kept));
	xr.log.leaves[0][0] ^= 1;
	fx_checkpoint(&xr.log, &scene.checkpoint[1]);
	memcpy(xr.log.leaves[0], kept, sizeof(kept));
	package_made();
	{
		json_t *report = verified(fingerprint);

		must_be(report, "broken");
		assert_true(names_reason(report, "inconsistent"));
		json_decref(report);
	}
}

static void refuses_a_checkpoint_that_another_key_signed(void **state)
{
	scene_play();
	fx_checkpoint(&xr.log, &scene.checkpoint[0]);
	package_made();
	broken_with("unknown-key", "meta/checkpoints/XA.txt");
}

static void refuses_the_seal_of_another_party(void **state)
{
	scene_play();
	scene.sealer = &xr;
	package_made();
	broken_with("wrong-party", "seal/tagmanifest.json");
}

static void refuses_an_act_that_was_signed_after_its_key_was_compromised(void **state)
{
	xr.party.keys[0].compromised = FX_NOW - DAY_MS;
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	finish();
	scene_play();
	package_made();
	broken_with("key-not-valid", "meta/acts/0008-exhibit.json");
}

static void refuses_one_statement_twice(void **state)
{
	scene_play();
	scene.said[scene.count] = scene.said[ACCEPTED];
	buf_init(&scene.said[scene.count].json, LETTER_BYTES_MAX);
	buf_init(&scene.said[scene.count].counter, LETTER_BYTES_MAX);
	scene.count++;
	package_made();
	broken_with("replayed", "meta/acts/0014-answer.json");
	buf_release(&scene.said[SAID_COUNT].a.proof);
	buf_release(&scene.said[SAID_COUNT].json);
	buf_release(&scene.said[SAID_COUNT].counter);
	memset(&scene.said[SAID_COUNT], 0, sizeof(scene.said[0]));
}

/* Somebody with the real register, who puts a pin of his own beside it. */
static void a_pin_cannot_replace_a_party_of_the_register(void **state)
{
	struct sign_key *own = xr.key;
	json_t *report;

	xr.key = sign_key_new();
	memcpy(xr.party.keys[0].key, sign_key_public(xr.key), SIGN_PUBLIC_BYTES);
	buf_release(&scene.pins[1]);
	scene_pin(&xr, 1);
	scene.with_pins = true;
	scene_play();
	package_made();
	broken_with("unsigned", "meta/acts/0003-order.json");
	report = verified(NULL);
	must_be(report, "broken");
	json_decref(report);
	sign_key_free(own);
}

static void says_whose_keys_are_only_vouched_for(void **state)
{
	json_t *report;
	AUTO_BUF text = { 0 };

	scene_play();
	scene.only_pins = true;
	package_made();
	report = verified(scene.pin_hash[0]);
	must_be(report, "intact-unconfirmed");
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "does not itself confirm the keys of Ruritania (XR, fictional)"));
	assert_null(strstr(buf_text(&text), "confirm the keys of Arcadia"));
	json_decref(report);
}

/* Keys of its maker's own for XR, in a pin beside the true register; `listed`: whether that has an entry of XR. */
static json_t *forged_pin(bool listed)
{
	struct fx_home real;

	fx_home_new("XR", "Ruritania", &real);
	begin();
	add_entry(&xa.party);
	if (listed)
		add_entry(&real.party);
	finish();
	if (listed) {
		AUTO_JSON *v = fx_json(buf_bytes(&bundle));
		json_t *list = json_deep_copy(json_object_get(v, "entries"));

		assert_int_equal(json_array_remove(list, 1), 0);
		put_member("entries", list);
	}
	scene.with_pins = true;
	scene_play();
	package_made();
	fx_home_free(&real);
	return verified(fingerprint);
}

static void an_entry_that_was_dropped_from_the_register_breaks_it(void **state)
{
	json_t *report = forged_pin(true);

	must_be(report, "broken");
	assert_true(names(report, "meta/register.json") && names_reason(report, "bad-register"));
	/* Nor is the pin in its place believed. */
	assert_true(names(report, "meta/acts/0003-order.json") && names_reason(report, "unknown-key"));
	json_decref(report);
}

static void a_party_that_only_the_sealer_knows_is_not_confirmed_by_the_root(void **state)
{
	json_t *report = forged_pin(false);
	AUTO_BUF text = { 0 };

	must_be(report, "intact-unconfirmed");
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "the trust root you gave does not confirm every signer"));
	assert_non_null(strstr(buf_text(&text), "does not itself confirm the keys of Ruritania (XR, fictional): only XA"));
	assert_null(strstr(buf_text(&text), "confirm the keys of Arcadia"));
	json_decref(report);
}

static void refuses_a_register_older_than_the_acts_used(void **state)
{
	fx_used_origin = log_of_register.vkey.name;
	fx_used_size = log_of_register.n + 1;
	scene_play();
	package_made();
	fx_used_origin = "";
	fx_used_size = 0;
	broken_with("stale-register", "meta/acts/0001-stored-data-request.json");
}

static void takes_the_register_that_the_acts_used(void **state)
{
	json_t *report;

	fx_used_origin = log_of_register.vkey.name;
	fx_used_size = log_of_register.n;
	scene_play();
	package_made();
	fx_used_origin = "";
	fx_used_size = 0;
	report = verified(fingerprint);
	must_be(report, "intact");
	json_decref(report);
}

static void an_order_counts_for_the_party_that_it_names(void **state)
{
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	add_entry(&xl.party);
	finish();
	scene.order_to = &xl;
	scene_play();
	package_made();
	broken_with("no-disclosure-order", "meta/acts/0008-exhibit.json");
}

static void an_order_that_had_expired_discloses_nothing(void **state)
{
	scene.order_expires = FX_NOW;
	scene_play();
	package_made();
	broken_with("no-disclosure-order", "meta/acts/0008-exhibit.json");
}

static void a_number_has_one_counterproof(void **state)
{
	char path[300];
	json_t *report, *list;
	bool told_it = false;

	scene_play();
	package_made();
	snprintf(path, sizeof(path), "%s/meta/acts/0001-order.counterproof.json", scene.package);
	assert_true(file_write(AT_FDCWD, path, buf_bytes(&scene.said[ASKED].counter), 0644, false, NULL));
	report = verified(fingerprint);
	list = json_object_get(report, "broken");
	for (size_t i = 0; i < json_array_size(list); i++)
		told_it = told_it || strstr(json_text(json_array_get(list, i), "text"), "two counterproofs") != NULL;
	assert_true(told_it);
	json_decref(report);
}

/* --- one act ----------------------------------------------------------------------------------- */

static void judges_one_act_with_the_register_beside_it(void **state)
{
	char path[300];
	struct verify_options o = { .path = path, .roots = fingerprint, .root_count = 1 };
	json_t *report;

	scene_play();
	package_made();
	snprintf(path, sizeof(path), "%s/meta/register.json", scene.package);
	assert_true(file_write(AT_FDCWD, path, buf_bytes(&bundle), 0644, false, NULL));
	snprintf(path, sizeof(path), "%s/meta/acts/0001-stored-data-request.json", scene.package);
	assert_true(verify_path(&o, &report, NULL));
	must_be(report, "intact");
	assert_string_equal(json_text(report, "kind"), "act");
	json_decref(report);
	snprintf(path, sizeof(path), "%s/act.json", scene.folder);
	assert_true(file_write(AT_FDCWD, path, buf_bytes(&scene.said[ASKED].json), 0644, false, NULL));
	assert_true(verify_path(&o, &report, NULL));
	must_be(report, "broken");
	assert_true(names_reason(report, "unknown-key"));
	json_decref(report);
	snprintf(path, sizeof(path), "%s/nothing", scene.folder);
	assert_false(verify_path(&o, &report, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)
		T(wants_the_counterproof_of_exhibit_order_and_request),
		T(tells_the_missing_counterproof_of_an_answer_and_stays_intact),
		T(wants_request_and_order_of_every_exhibit),
		T(refuses_an_order_to_preserve_in_place_of_disclosure),
		T(wants_the_court_under_a_disclosure_order),
		T(wants_the_accept_of_what_was_transmitted),
		T(wants_every_custody_event),
		T(finds_a_log_with_two_trees_of_one_size),
		T(refuses_a_checkpoint_that_another_key_signed),
		T(refuses_the_seal_of_another_party),
		T(refuses_an_act_that_was_signed_after_its_key_was_compromised),
		T(refuses_one_statement_twice),
		T(a_pin_cannot_replace_a_party_of_the_register),
		T(says_whose_keys_are_only_vouched_for),
		T(an_entry_that_was_dropped_from_the_register_breaks_it),
		T(a_party_that_only_the_sealer_knows_is_not_confirmed_by_the_root),
		T(refuses_a_register_older_than_the_acts_used),
		T(takes_the_register_that_the_acts_used),
		T(an_order_counts_for_the_party_that_it_names),
		T(an_order_that_had_expired_discloses_nothing),
		T(a_number_has_one_counterproof),
		T(judges_one_act_with_the_register_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
