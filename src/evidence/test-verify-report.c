/* How what was verified is told to people: in plain words, with the verdict first, and without contradicting itself. */
#include "evidence/test-scene.h"

static void prints_for_a_judge(void **state)
{
	static const char *const said_in_text[] = {
		"The package is intact. Signers are confirmed against the trust root you gave.", "no independent witness yet",
		"EXERCISE", "Arcadia (XA, fictional)", "Judge Finch", "court", "key-file", "Court of Ruritania", "transmit",
		"UN Convention against Cybercrime (UNCC)", "2 exhibits, ", "2 proofs of the other log are not there yet",
		"the request for stored data (art. 44) of", "Words used here",
		"this case only", "2026-11-23 02:10 UTC (03:10 +01:00)", "What this does not show", "Digests in full",
	};
	json_t *report;
	AUTO_BUF text = { 0 }, html = { 0 };

	scene.exercise = true;
	scene_play();
	package_made();
	report = verified(fingerprint);
	must_be(report, "intact");
	buf_init(&text, 4 * MIB);
	buf_init(&html, 4 * MIB);
	verify_print(report, 60, &text);
	verify_html(report, 60, &html);
	for (size_t i = 0; i < sizeof(said_in_text) / sizeof(said_in_text[0]); i++) {
		if (strstr(buf_text(&text), said_in_text[i]) == NULL)
			fail_msg("the text lacks \"%s\":\n%s", said_in_text[i], buf_text(&text));
		if (strstr(buf_text(&html), said_in_text[i]) == NULL)
			fail_msg("the page lacks \"%s\"", said_in_text[i]);
	}
	assert_null(strstr(buf_text(&text), "00.000Z"));
	assert_null(strstr(buf_text(&html), "<script"));
	assert_non_null(strstr(buf_text(&html), "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(buf_text(&html), "<html lang=\"en\">"));
	assert_non_null(strstr(buf_text(&html), "<caption>"));
	if (getenv("COMITY_TEST_REPORTS") != NULL) {
		assert_true(file_write(AT_FDCWD, "report.html", buf_bytes(&html), 0644, false, NULL));
		assert_true(file_write(AT_FDCWD, "report.txt", buf_bytes(&text), 0644, false, NULL));
	}
	json_decref(report);
}

/* A place that is cut in the middle of a character, and one that would turn the direction of the line. */
static void prints_whatever_a_party_wrote(void **state)
{
	char where[LINE_BYTES_MAX + 1] = "xx\xe2\x80\xae";
	json_t *report;
	AUTO_BUF text = { 0 }, html = { 0 };

	buf_init(&text, 4 * MIB);
	buf_init(&html, 4 * MIB);
	while (strlen(where) + 2 <= LINE_BYTES_MAX)
		snprintf(where + strlen(where), 3, "\xc3\xa9");
	scene.where = where;
	scene_play();
	package_made();
	report = verified(fingerprint);
	must_be(report, "intact");
	verify_print(report, 60, &text);
	verify_html(report, 60, &html);
	assert_true(buf_ok(&text) && utf8_is_valid(buf_bytes(&text)));
	assert_true(buf_ok(&html) && utf8_is_valid(buf_bytes(&html)));
	assert_null(strstr(buf_text(&text), "\xe2\x80\xae"));
	assert_null(strstr(buf_text(&html), "\xe2\x80\xae"));
	json_decref(report);
}

static void a_wrong_fingerprint_is_a_verdict_of_its_own(void **state)
{
	uint8_t other[SHA256_BYTES];
	json_t *report;
	AUTO_BUF text = { 0 };

	scene_play();
	package_made();
	memcpy(other, fingerprint, sizeof(other));
	other[0] ^= 1;
	report = verified(other);
	must_be(report, "broken");
	assert_string_equal(json_text(json_array_get(json_object_get(report, "broken"), 0), "reason"), "root-mismatch");
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "The fingerprint you gave is not that of this package's trust root ("));
	assert_null(strstr(buf_text(&text), "BROKEN"));
	assert_null(strstr(buf_text(&text), "follow from the trust root you gave"));
	json_decref(report);
}

static void the_root_given_is_not_denied_by_a_broken_file(void **state)
{
	char path[300];
	json_t *report;
	AUTO_BUF text = { 0 };

	scene_play();
	package_made();
	snprintf(path, sizeof(path), "%s/meta/README.txt", scene.package);
	assert_int_equal(truncate(path, 3), 0);
	report = verified(fingerprint);
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "1 thing does not verify. It is named below."));
	assert_non_null(strstr(buf_text(&text), "the keys of XA follow from the trust root you gave"));
	assert_null(strstr(buf_text(&text), "does not show who the signers are"));
	json_decref(report);
}

/* Without a secretariat each party's entry is pinned, and each is compared by itself. */
static void two_pinned_entries_confirm_both_parties(void **state)
{
	uint8_t both[2][SHA256_BYTES];
	json_t *report;

	scene_play();
	scene.only_pins = true;
	package_made();
	memcpy(both, scene.pin_hash, sizeof(both));
	report = verified_with(both[0], 2);
	must_be(report, "intact");
	json_decref(report);
	both[1][0] ^= 1;
	report = verified_with(both[0], 2);
	must_be(report, "intact-unconfirmed");
	json_decref(report);
	both[0][0] ^= 1;
	report = verified_with(both[0], 2);
	must_be(report, "broken");
	assert_true(names_reason(report, "root-mismatch"));
	json_decref(report);
}

static void says_first_that_it_is_broken(void **state)
{
	char path[300];
	json_t *report;
	AUTO_BUF text = { 0 };

	scene_play();
	package_made();
	snprintf(path, sizeof(path), "%s/data/%s/mail_box___.mbox", scene.package, exhibit_ids[1]);
	assert_int_equal(truncate(path, 3), 0);
	report = verified(fingerprint);
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "The package is BROKEN"));
	assert_non_null(strstr(buf_text(&text), "mail_box___.mbox"));
	assert_null(strstr(buf_text(&text), "is intact"));
	assert_null(strstr(buf_text(&text), "No file of the package was changed"));
	json_decref(report);
}

/* --- witnesses ------------------------------------------------------------------------------------- */

static struct sign_key *witness;
static bool only_once;

static void cosign(struct buf *proof)
{
	struct tlog_proof p;
	struct note n;
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	assert_true(tlog_proof_parse(buf_bytes(proof), &p, NULL) && note_parse(p.note, &n, NULL));
	buf_add(&text, n.text);
	assert_true(cosignature_sign(buf_bytes(&text), "w.example/witness", witness, (FX_NOW + 60000) / 1000, proof, NULL));
	if (only_once)
		scene.cosign = NULL;
}

/* The register of the scene, with a policy for both logs. */
static void with_a_policy(void)
{
	struct note_key key;
	AUTO_BUF vkey = { 0 };
	char text[600];

	buf_init(&vkey, KIB);
	note_key_make("w.example/witness", NOTE_COSIGNATURE, sign_key_public(witness), &key);
	note_key_write(&key, &vkey);
	snprintf(text, sizeof(text), "witness w %s\nquorum w\n", buf_text(&vkey));
	begin();
	add_entry(&xa.party);
	add_entry(&xr.party);
	add_policy("XA", text, FX_NOW);
	add_policy("XR", text, FX_NOW);
	finish();
}

static void says_how_many_witnesses_signed_and_when(void **state)
{
	json_t *report;
	AUTO_BUF text = { 0 };

	witness = sign_key_new();
	scene.cosign = cosign;
	only_once = false;
	with_a_policy();
	scene_play();
	package_made();
	report = verified(fingerprint);
	must_be(report, "intact");
	assert_int_equal(json_int(report, "witnesses"), 1);
	assert_string_equal(json_text(report, "witness_words"), "signed by at least 1 independent witness");
	buf_init(&text, 4 * MIB);
	verify_print(report, 60, &text);
	assert_non_null(strstr(buf_text(&text), "signed by 1 independent witness at 2026-11-23 02:11 UTC (03:11 +01:00)"));
	assert_null(strstr(buf_text(&text), "no independent witness yet"));
	json_decref(report);
	sign_key_free(witness);
}

static void an_act_without_the_witnesses_of_its_policy_is_broken(void **state)
{
	json_t *report;

	witness = sign_key_new();
	scene.cosign = cosign;
	only_once = true; /* the first act alone */
	with_a_policy();
	scene_play();
	package_made();
	report = verified(fingerprint);
	must_be(report, "broken");
	assert_true(names_reason(report, "under-witnessed"));
	assert_true(names(report, "meta/acts/0002-answer.json"));
	assert_false(names(report, "meta/acts/0001-stored-data-request.json"));
	json_decref(report);
	sign_key_free(witness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)
		T(prints_for_a_judge),
		T(prints_whatever_a_party_wrote),
		T(a_wrong_fingerprint_is_a_verdict_of_its_own),
		T(the_root_given_is_not_denied_by_a_broken_file),
		T(two_pinned_entries_confirm_both_parties),
		T(says_first_that_it_is_broken),
		T(says_how_many_witnesses_signed_and_when),
		T(an_act_without_the_witnesses_of_its_policy_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
