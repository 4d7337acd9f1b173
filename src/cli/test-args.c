/* The parser of command lines, and the command table itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/args.h"

static const struct option options[] = {
	{ "json", 0, OPTION_FLAG, NULL, "flag" },
	{ "home", 'C', OPTION_VALUE, "DIR", "value" },
	{ "set", 's', OPTION_MANY, "K=V", "many" },
	{ 0 },
};
static const struct command one = { .name = "one", .arguments = "A [B]", .positional_min = 1, .positional_max = 2,
				    .options = options };

#define PARSE(a, e, ...)                                                     \
	args_parse(&one, (int)(sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *)), (char *[]){ __VA_ARGS__ }, a, e)

static void takes_options_before_between_and_after_words(void **state)
{
	struct args a;

	assert_true(PARSE(&a, NULL, "--json", "x", "-C", "h", "y", "--set=k=v"));
	assert_int_equal(a.positional_count, 2);
	assert_string_equal(a.positional[1], "y");
	assert_true(args_has(&a, "json"));
	assert_string_equal(args_value(&a, "home"), "h");
	assert_string_equal(args_many(&a, "set", 0), "k=v");
	assert_null(args_many(&a, "set", 1));
}

static void keeps_many_values_in_order(void **state)
{
	struct args a;

	assert_true(PARSE(&a, NULL, "-s", "1", "x", "--set", "2", "-s", ""));
	assert_string_equal(args_many(&a, "set", 0), "1");
	assert_string_equal(args_many(&a, "set", 1), "2");
	assert_string_equal(args_many(&a, "set", 2), "");
}

static void takes_what_follows_two_dashes_as_words(void **state)
{
	struct args a;

	assert_true(PARSE(&a, NULL, "--", "--json", "-"));
	assert_string_equal(a.positional[0], "--json");
	assert_string_equal(a.positional[1], "-");
	assert_false(args_has(&a, "json"));
}

static void refuses(const char *part, bool ok, const struct err *e)
{
	assert_false(ok);
	assert_int_equal(e->kind, ERR_INPUT);
	assert_non_null(strstr(e->text, part));
}

static void refuses_what_the_table_does_not_have(void **state)
{
	struct args a;
	struct err e;

	refuses("no option", PARSE(&a, &e, "x", "--jsonx"), &e);
	refuses("no option", PARSE(&a, &e, "x", "--jso"), &e);
	refuses("no option", PARSE(&a, &e, "x", "-sC"), &e);
	refuses("no value", PARSE(&a, &e, "x", "--json=1"), &e);
	refuses("needs a value", PARSE(&a, &e, "x", "--home"), &e);
	refuses("given twice", PARSE(&a, &e, "x", "--home", "1", "--home", "2"), &e);
	refuses("too many", PARSE(&a, &e, "x", "y", "z"), &e);
	refuses("needs: A", PARSE(&a, &e, "--json"), &e);
}

static void says_what_is_wrong_of_the_command_as_it_was_typed(void **state)
{
	char *argv[] = { "request", "draft", "--frob" };
	int before = dup(STDERR_FILENO), captured = memfd_create("test-args", MFD_CLOEXEC);
	char said[200] = "";

	assert_true(before >= 0 && captured >= 0 && dup2(captured, STDERR_FILENO) >= 0);
	assert_int_equal(command_run(command_table(), "comity", 3, argv), 2);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	assert_true(pread(captured, said, sizeof(said) - 1, 0) > 0);
	assert_string_equal(said, "comity: comity request draft has no option --frob (see comity request draft --help)\n");
	close(before);
	close(captured);
}

static void refuses_one_value_above_the_maximum(void **state)
{
	char *argv[2 * ARGS_MANY_MAX + 3] = { "x" };
	struct args a;
	struct err e;

	for (int i = 0; i <= ARGS_MANY_MAX; i++) {
		argv[1 + 2 * i] = "-s";
		argv[2 + 2 * i] = "v";
	}
	assert_true(args_parse(&one, 1 + 2 * ARGS_MANY_MAX, argv, &a, &e));
	assert_false(args_parse(&one, 3 + 2 * ARGS_MANY_MAX, argv, &a, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* --- the table --------------------------------------------------------------------------------- */

static void check_rows(const struct command *c)
{
	size_t n = 0;

	for (const struct option *o = c->options; o != NULL && o->name != NULL; o++, n++) {
		assert_non_null(o->words);
		assert_true((o->kind == OPTION_FLAG) == (o->argument == NULL));
		for (const struct option *p = c->options; p != o; p++) {
			assert_string_not_equal(p->name, o->name);
			assert_true(o->letter == 0 || o->letter != p->letter);
		}
	}
	assert_true(n < ARGS_OPTIONS_MAX);
}

static void check_table(const struct command *table)
{
	for (const struct command *c = table; c->name != NULL; c++) {
		assert_non_null(c->words);
		assert_true((c->run != NULL) != (c->subcommands != NULL));
		assert_true(c->positional_min <= c->positional_max && c->positional_max <= ARGS_POSITIONAL_MAX);
		assert_true(c->run == NULL || c->arguments != NULL);
		for (const struct command *p = table; p != c; p++)
			assert_string_not_equal(p->name, c->name);
		check_rows(c);
		if (c->subcommands != NULL)
			check_table(c->subcommands);
	}
}

static void every_command_has_words_and_options_of_its_own(void **state)
{
	check_table(command_table());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_options_before_between_and_after_words),
		cmocka_unit_test(keeps_many_values_in_order),
		cmocka_unit_test(takes_what_follows_two_dashes_as_words),
		cmocka_unit_test(refuses_what_the_table_does_not_have),
		cmocka_unit_test(says_what_is_wrong_of_the_command_as_it_was_typed),
		cmocka_unit_test(refuses_one_value_above_the_maximum),
		cmocka_unit_test(every_command_has_words_and_options_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
