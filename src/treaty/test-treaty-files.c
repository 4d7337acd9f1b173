/* Every mistake that editors of the rule pack can make: the real files with one edit, refused with file and
 * line. */
#include "treaty/treaty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"

static const char *const files[] = { "articles.txt", "bases.txt", "constants.txt", "grounds.txt",
				     "measures.txt", "offences.txt", "requests.txt" };
#define FILES (sizeof(files) / sizeof(files[0]))

static const char *folder(void)
{
	const char *path = getenv("COMITY_TREATIES");

	return path == NULL ? "treaties" : path;
}

static void write_file(const char *dir, const char *file, struct bytes in)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/uncc/%s", dir, file);
	assert_true(file_write(AT_FDCWD, path, in, 0600, false, NULL));
}

/* Copies the files into dir, with the first `from` in `file` replaced; returns the line where `at` then
 * stands, 0 when at is NULL. */
static unsigned copy_edited(const char *dir, const char *file, const char *from, const char *to, const char *at)
{
	unsigned line = 0;

	for (size_t i = 0; i < FILES; i++) {
		char path[4096];
		const char *found;
		AUTO_BUF in = { 0 }, out = { 0 };

		buf_init(&in, 1u << 20);
		buf_init(&out, 1u << 20);
		snprintf(path, sizeof(path), "%s/uncc/%s", folder(), files[i]);
		assert_true(file_read(AT_FDCWD, path, &in, NULL));
		if (strcmp(files[i], file) != 0) {
			write_file(dir, files[i], buf_bytes(&in));
			continue;
		}
		found = strstr(buf_text(&in), from);
		if (found == NULL)
			fail_msg("the edit finds no '%s' in %s", from, file);
		buf_add(&out, bytes_from(in.at, (size_t)(found - (const char *)in.at)));
		buf_add_text(&out, to);
		buf_add_text(&out, found + strlen(from));
		write_file(dir, file, buf_bytes(&out));
		found = at == NULL ? NULL : strstr(buf_text(&out), at);
		for (const char *c = buf_text(&out); found != NULL && c <= found; c++)
			line += c == (const char *)out.at || c[-1] == '\n';
	}
	return line;
}

static void remove_copy(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/uncc/%s", dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/uncc", dir);
	rmdir(path);
	rmdir(dir);
}

/* Loads the real files with one edit; the line where `at` then stands goes to *ret_line. */
static bool loads(const char *file, const char *from, const char *to, const char *at, unsigned *ret_line, struct err *e)
{
	char dir[] = "/tmp/comity-treaty-XXXXXX";
	struct treaty *t = NULL;
	char path[64];
	bool loaded;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/uncc", dir);
	assert_true(dir_make(AT_FDCWD, path, 0700, NULL));
	*ret_line = copy_edited(dir, file, from, to, at);
	loaded = treaty_load(dir, &t, e);
	remove_copy(dir);
	assert_int_equal(loaded, t != NULL);
	treaty_free(t);
	return loaded;
}

/* The edit is refused with words, at the line where `at` stands (NULL: the mistake has no line). */
static void refuses(const char *file, const char *from, const char *to, const char *at, const char *words)
{
	struct err e = { 0 };
	char where[128];
	unsigned line;

	assert_false(loads(file, from, to, at, &line, &e));
	if (at != NULL) {
		assert_true(line > 0);
		snprintf(where, sizeof(where), "uncc/%s:%u: ", file, line);
	} else {
		snprintf(where, sizeof(where), "uncc/%s: ", file);
	}
	if (strncmp(e.text, where, strlen(where)) != 0 || strstr(e.text, words) == NULL)
		fail_msg("wanted '%s...%s', got '%s'", where, words, e.text);
	assert_int_equal(e.kind, ERR_INPUT);
}

static void refuses_an_unknown_key(void **state)
{
	refuses("offences.txt", "asks research", "wants research", "wants research", "unknown key 'wants'");
}

static void refuses_an_unknown_block(void **state)
{
	refuses("bases.txt", "basis pilot", "base pilot", "base pilot", "no block of this file begins with");
}

static void refuses_a_key_twice(void **state)
{
	refuses("articles.txt", "\nsummary Three", "\ntitle Again\nsummary Three", "title Again", "stands twice");
	refuses("articles.txt", "\nsummary Three", "\ncertainty TEXT\nsummary Three", "certainty TEXT\n",
		"stands twice");
}

static void refuses_a_missing_key(void **state)
{
	refuses("measures.txt", "serious yes\n", "", "measure 40", "'serious' is missing");
	refuses("offences.txt", "certainty TEXT-AR\n", "", "offence UNCC-07", "'certainty' is missing");
	refuses("grounds.txt", "clause 40(21)(a)\n", "", "ground UNCC R-FORM", "'clause' is missing");
}

static void refuses_an_unknown_certainty(void **state)
{
	refuses("articles.txt", "certainty TEXT-AR", "certainty TEXT-FR", "certainty TEXT-FR",
		"unknown certainty 'TEXT-FR'");
}

static void refuses_a_ground_for_an_unknown_kind(void **state)
{
	refuses("grounds.txt", "kinds stored-data-request", "kinds stored-date-request", "kinds stored-date-request",
		"unknown kind of request");
	refuses("grounds.txt", "kinds stored-data-request", "kinds stored-data-request stored-data-request",
		"kinds stored-data-request stored", "twice");
	refuses("constants.txt", "kinds preservation-request", "kinds preservation", "kinds preservation\n",
		"unknown kind of request");
}

static void refuses_a_clause_of_an_unknown_article(void **state)
{
	refuses("grounds.txt", "clause 40(21)(a)", "clause 80(21)(a)", "clause 80(21)(a)", "unknown article");
	refuses("requests.txt", "clause 42(3)(a)", "clause 69", "clause 69", "unknown article");
	refuses("measures.txt", "measure 37", "measure 73", "measure 73", "not a known article");
}

static void refuses_what_is_no_clause(void **state)
{
	static const char *const bad[] = { "clause art. 40", "clause 40(21", "clause 40(21)a",   "clause 040",
					   "clause 40,41",   "clause 40()",  "clause 40(A)",     "clause 40,",
					   "clause 400",     "clause 40 41", "clause 40(15)-16", "clause 40(12345)" };
	char edit[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(edit, sizeof(edit), "%s\nneeds the list", bad[i]);
		refuses("grounds.txt", "clause 40(21)(a)\nneeds the list", edit, edit, "is not a clause");
	}
}

static void refuses_a_ground_of_an_unknown_basis(void **state)
{
	refuses("grounds.txt", "ground pilot OTHER", "ground trial OTHER", "ground trial OTHER", "names a legal basis");
	refuses("grounds.txt", "ground UNCC R-FORM", "ground UNCC", "ground UNCC\n", "is not a name");
}

static void refuses_a_list_that_does_not_end_with_other(void **state)
{
	refuses("grounds.txt", "ground pilot OTHER", "ground pilot R-X", NULL, "does not end with OTHER");
	refuses("grounds.txt", "ground bilateral OTHER", "ground UNCC R-LATE", "ground UNCC R-LATE",
		"OTHER is the last ground");
}

static void refuses_what_is_there_twice(void **state)
{
	refuses("articles.txt", "article 2\n", "article 1\n", "article 1\ntitle Use", "already there");
	refuses("offences.txt", "offence UNCC-08", "offence UNCC-07", "offence UNCC-07\ntitle illegal interception",
		"already there");
	refuses("grounds.txt", "ground UNCC R-SYSTEM", "ground UNCC R-FORM", "ground UNCC R-FORM\nwords contrary",
		"already there");
	refuses("bases.txt", "basis pilot", "basis budapest", "basis budapest\nwords pilot", "already there");
	refuses("constants.txt", "constant hold_days_min", "constant order_days_max",
		"constant order_days_max\nvalue 60",
		"already there");
	refuses("measures.txt", "measure 43", "measure 42", "measure 42\nname expedited disclosure", "already there");
	refuses("requests.txt", "field preservation-request facts", "field preservation-request officer",
		"field preservation-request officer\ntype text\nmust yes\nclause", "already there");
	refuses("offences.txt", "option dishonest_intent with other", "option intent with other",
		"option intent with other",
		"stands twice");
	refuses("grounds.txt", "never fiscal-nature", "never bank-secrecy", "never bank-secrecy\nwords that",
		"already there");
}

static void refuses_a_pack_that_is_not_whole(void **state)
{
	refuses("articles.txt", "article 68\n", "article 67(9)\n", NULL, "article 68 is missing");
	refuses("constants.txt", "constant order_days_max", "constant order_days", NULL, "order_days_max is missing");
	refuses("measures.txt", "request preservation-request\n", "", NULL, "no measure for preservation-request");
	refuses("offences.txt", "offence UNCC-08", "offence UNCC-8", "offence UNCC-8\n",
		"not one of UNCC-07 to UNCC-19");
}

static void refuses_a_wrong_article_number(void **state)
{
	refuses("articles.txt", "article 68\n", "article 69\n", "article 69\n", "not an article from 1 to 68");
	refuses("articles.txt", "article 3\n", "article 03\n", "article 03\n", "not an article from 1 to 68");
	refuses("articles.txt", "article 1\n", "article 2(z)\n", "article 2(z)\n", "stands before its article");
}

static void refuses_values_of_the_wrong_type(void **state)
{
	refuses("constants.txt", "value 90", "value ninety", "value ninety", "not a whole number");
	refuses("constants.txt", "value 90", "value -90", "value -90", "not a whole number");
	refuses("measures.txt", "lesser no", "lesser maybe", "lesser maybe", "yes or no");
	refuses("requests.txt", "type authority", "type office", "type office", "unknown type");
	refuses("requests.txt", "type choice:new|extension", "type choice:new||extension", "type choice:new||extension",
		"unknown type");
	refuses("offences.txt", "asks research", "asks mercy", "asks mercy", "purpose, research or both");
	refuses("offences.txt", "must intent the act is intentional", "must intent", "must intent\n", "an element is");
	refuses("measures.txt", "request stored-data-request", "request data", "request data", "unknown kind");
	refuses("requests.txt", "field preservation-request officer", "field extradition officer",
		"field extradition officer", "names a kind of request");
	refuses("bases.txt", "basis pilot", "basis a pilot", "basis a pilot", "is not a name");
}

static void refuses_house_policy_dressed_as_law(void **state)
{
	refuses("constants.txt", "value 30\nunit minutes\n", "value 30\nunit minutes\nclause 41(1)\n", "clause 41(1)",
		"house policy has no clause");
	refuses("requests.txt", "policy yes\n", "policy yes\nclause 42\n", "policy yes\nclause 42",
		"a field has a clause, or is policy");
}

static void refuses_lines_that_are_none(void **state)
{
	refuses("bases.txt", "words pilot", "words  pilot", "words  pilot", "key, one space, value");
	refuses("bases.txt", "words pilot between", "words\npilot between", "words\npilot", "key, one space, value");
	refuses("bases.txt", "words pilot", " words pilot", " words pilot", "key, one space, value");
	refuses("bases.txt", "under any treaty", "under any treaty ", "words pilot", "key, one space, value");
}

static void refuses_characters_that_hide(void **state)
{
	refuses("bases.txt", "words pilot", "words \x1b[1mpilot", "words \x1b", "control character");
	refuses("bases.txt", "words pilot", "words \xe2\x80\xaepilot", "words \xe2\x80\xae", "control character");
	refuses("bases.txt", "words pilot", "words \xffpilot", "words \xff", "not UTF-8");
	refuses("bases.txt", "words pilot", "words\tpilot", "words\tpilot", "control character");
	refuses("bases.txt", "basis pilot\n", "basis pilot\r\n", "basis pilot\r", "control character");
}

static void refuses_a_line_that_is_too_long(void **state)
{
	char longer[1200] = "words ";

	unsigned line;

	memset(longer + 6, 'x', 994);
	assert_true(loads("bases.txt", "words pilot between two authorities, without effect under any treaty", longer, NULL,
			  &line, NULL));
	longer[1000] = 'x';
	refuses("bases.txt", "words pilot between two authorities, without effect under any treaty", longer, longer,
		"over 1000 bytes");
}

static void refuses_a_file_without_its_last_line_feed(void **state)
{
	refuses("bases.txt", "no treaty\ncertainty POLICY\n", "no treaty\ncertainty UNENDED", "certainty UNENDED",
		"does not end with a line feed");
}

static void refuses_a_block_or_a_list_that_is_too_long(void **state)
{
	char many[4000] = "";
	size_t len = 0;

	for (unsigned i = 0; i < 41; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "option o%u words\n", i);
	snprintf(many + len, sizeof(many) - len, "offence ");
	refuses("offences.txt", "asks research\n", many, "option o37 words", "too many lines");
	many[0] = '\0';
	len = 0;
	for (unsigned i = 0; i < 27; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "option o%u words\n", i);
	refuses("offences.txt", "asks research\n", many, "option o24 words", "more than 24 elements");
}

static void refuses_more_rows_than_there_is_room_for(void **state)
{
	char many[4000] = "";
	size_t len = 0;

	/* Five bases are there already, and room for 16. */
	for (unsigned i = 0; i < 12; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "basis b%u\nwords w\ncertainty POLICY\n\n", i);
	snprintf(many + len, sizeof(many) - len, "basis UNCC");
	refuses("bases.txt", "basis UNCC", many, "basis reciprocity", "more than 16 of these");
}

static void refuses_a_clause_that_is_too_long(void **state)
{
	refuses("grounds.txt", "clause 40(23), 37(16)", "clause 40(21), 40(23), 37(16)(a)", "clause 40(21), 40(23)",
		"over 23 bytes");
}

static void refuses_a_file_over_its_limit(void **state)
{
	char *comment = malloc(300001);
	struct err e = { 0 };
	unsigned line;

	assert_non_null(comment);
	for (size_t i = 0; i < 300000; i++)
		comment[i] = i % 100 == 99 ? '\n' : '#';
	comment[300000] = '\0';
	assert_false(loads("bases.txt", "# Legal", comment, NULL, &line, &e));
	free(comment);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_non_null(strstr(e.text, "uncc/bases.txt"));
}

static void says_which_file_is_not_there(void **state)
{
	struct treaty *none = NULL;
	struct err e = { 0 };

	assert_false(treaty_load("/nowhere", &none, &e));
	assert_non_null(strstr(e.text, "/nowhere/uncc/articles.txt"));
	assert_null(none);
	treaty_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_an_unknown_key),
		cmocka_unit_test(refuses_an_unknown_block),
		cmocka_unit_test(refuses_a_key_twice),
		cmocka_unit_test(refuses_a_missing_key),
		cmocka_unit_test(refuses_an_unknown_certainty),
		cmocka_unit_test(refuses_a_ground_for_an_unknown_kind),
		cmocka_unit_test(refuses_a_clause_of_an_unknown_article),
		cmocka_unit_test(refuses_what_is_no_clause),
		cmocka_unit_test(refuses_a_ground_of_an_unknown_basis),
		cmocka_unit_test(refuses_a_list_that_does_not_end_with_other),
		cmocka_unit_test(refuses_what_is_there_twice),
		cmocka_unit_test(refuses_a_pack_that_is_not_whole),
		cmocka_unit_test(refuses_a_wrong_article_number),
		cmocka_unit_test(refuses_values_of_the_wrong_type),
		cmocka_unit_test(refuses_house_policy_dressed_as_law),
		cmocka_unit_test(refuses_lines_that_are_none),
		cmocka_unit_test(refuses_characters_that_hide),
		cmocka_unit_test(refuses_a_line_that_is_too_long),
		cmocka_unit_test(refuses_a_file_without_its_last_line_feed),
		cmocka_unit_test(refuses_a_block_or_a_list_that_is_too_long),
		cmocka_unit_test(refuses_more_rows_than_there_is_room_for),
		cmocka_unit_test(refuses_a_clause_that_is_too_long),
		cmocka_unit_test(refuses_a_file_over_its_limit),
		cmocka_unit_test(says_which_file_is_not_there),
	};

	return cmocka_run_group_tests_name("treaty-files", tests, NULL, NULL);
}
