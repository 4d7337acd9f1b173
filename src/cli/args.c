/* Parses command lines by the commands' own tables and prints their help. */
#include "cli/args.h"

#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"

static const struct option *option_rows(const struct command *c)
{
	static const struct option none[] = { { 0 } };

	return c->options != NULL ? c->options : none;
}

static size_t option_index(const struct args *a, const char *name)
{
	size_t i = 0;

	while (a->options[i].name != NULL && !bytes_is(bytes_of(a->options[i].name), name))
		i++;
	if (a->options[i].name == NULL)
		abort(); /* the command asks for an option that its table does not have */
	return i;
}

const char *args_value(const struct args *a, const char *option)
{
	return a->value[option_index(a, option)];
}

bool args_has(const struct args *a, const char *option)
{
	return args_value(a, option) != NULL;
}

const char *args_many(const struct args *a, const char *option, size_t i)
{
	size_t index = option_index(a, option);

	for (size_t k = 0; k < a->many_count; k++)
		if (a->many_option[k] == index && i-- == 0)
			return a->many[k];
	return NULL;
}

static bool take_option(struct args *a, size_t i, const char *given, const char *inline_value, int argc, char **argv,
			int *at, struct err *e)
{
	const struct option *o = &a->options[i];
	const char *value = inline_value;

	if (o->kind == OPTION_FLAG) {
		if (inline_value != NULL)
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s takes no value", given);
		a->value[i] = "";
		return true;
	}
	if (value == NULL) {
		if (*at + 1 >= argc)
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s needs a value: %s", given, o->argument);
		value = argv[++*at];
	}
	if (o->kind == OPTION_VALUE) {
		if (a->value[i] != NULL)
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is given twice", given);
		a->value[i] = value;
		return true;
	}
	if (a->many_count == ARGS_MANY_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s is given more than %d times", given, ARGS_MANY_MAX);
	a->value[i] = value;
	a->many[a->many_count] = value;
	a->many_option[a->many_count++] = (unsigned char)i;
	return true;
}

static bool parse_dashed(const struct command *c, struct args *a, int argc, char **argv, int *at, struct err *e)
{
	const char *word = argv[*at];
	struct bytes name = bytes_of(word + 1);
	const char *value = NULL;

	if (word[1] == '-') {
		name = bytes_of(word + 2);
		size_t equals = bytes_find(name, '=');
		if (equals < name.len)
			value = word + 2 + equals + 1;
		name.len = equals;
	}
	for (size_t i = 0; a->options[i].name != NULL; i++) {
		bool is_long = word[1] == '-' && bytes_is(name, a->options[i].name);
		bool is_short = word[1] != '-' && name.len == 1 && a->options[i].letter != 0 &&
				word[1] == a->options[i].letter;
		if (is_long || is_short)
			return take_option(a, i, word, value, argc, argv, at, e);
	}
	return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s has no option %s (see %s --help)", c->name, word, c->name);
}

bool args_parse(const struct command *c, int argc, char **argv, struct args *ret, struct err *e)
{
	bool only_words = false;

	memset(ret, 0, sizeof(*ret));
	ret->options = option_rows(c);
	for (int i = 0; i < argc; i++) {
		if (!only_words && bytes_is(bytes_of(argv[i]), "--")) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!parse_dashed(c, ret, argc, argv, &i, e))
				return false;
		} else if (ret->positional_count == c->positional_max || ret->positional_count == ARGS_POSITIONAL_MAX) {
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s: \"%s\" is one word too many",
				       c->name, argv[i]);
		} else {
			ret->positional[ret->positional_count++] = argv[i];
		}
	}
	if (ret->positional_count < c->positional_min)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s needs: %s", c->name, c->arguments);
	return true;
}

static void print_options(const struct command *c)
{
	for (const struct option *o = option_rows(c); o->name != NULL; o++) {
		char left[64];
		if (o->letter != 0)
			snprintf(left, sizeof(left), "-%c, --%s %s", o->letter, o->name, o->argument ? o->argument : "");
		else
			snprintf(left, sizeof(left), "--%s %s", o->name, o->argument ? o->argument : "");
		printf("  %-28s %s\n", left, o->words);
	}
}

static void print_help(const struct command *c, const char *path)
{
	if (c->subcommands == NULL) {
		printf("usage: %s [options]%s%s\n\n%s\n", path, c->arguments && c->arguments[0] ? " " : "", c->arguments ? c->arguments : "", c->words);
	} else {
		printf("usage: %s COMMAND ...\n\n%s\n\n", path, c->words);
		for (const struct command *s = c->subcommands; s->name != NULL; s++)
			if (!s->hidden)
				printf("  %-14s %s\n", s->name, s->words);
	}
	if (c->options != NULL) {
		printf("\n");
		print_options(c);
	}
	if (c->more != NULL)
		printf("\n%s\n", c->more);
}

int command_failed(const struct err *e)
{
	AUTO_BUF text = { 0 };

	/* What was typed, or read from a file, is in it: no control character of theirs reaches the terminal. */
	buf_init(&text, 4 * ERR_TEXT_BYTES_MAX);
	text_printable(bytes_of(e->text), &text);
	fflush(stdout);
	fprintf(stderr, "comity: %s", buf_text(&text));
	if (e->reason != REASON_NONE && e->reason != REASON_BAD_ARGUMENT && e->reason != REASON_SYSTEM)
		fprintf(stderr, " [%s]", reason_code(e->reason));
	fprintf(stderr, "\n");
	return err_exit_status(e->kind);
}

static bool is_help(const char *word)
{
	return bytes_is(bytes_of(word), "--help") || bytes_is(bytes_of(word), "-h");
}

static int run_leaf(const struct command *c, const char *path, int argc, char **argv)
{
	struct args a;
	struct err e;

	for (int i = 0; i < argc && !bytes_is(bytes_of(argv[i]), "--"); i++) {
		if (is_help(argv[i])) {
			print_help(c, path);
			return 0;
		}
	}
	/* What is wrong is said of the command as it was typed. */
	struct command full = *c;
	full.name = path;
	if (!args_parse(&full, argc, argv, &a, &e))
		return command_failed(&e);
	return c->run(&a);
}

int command_run(const struct command *table, const char *path, int argc, char **argv)
{
	char deeper[128];
	struct err e;

	if (argc == 0 || is_help(argv[0]) || bytes_is(bytes_of(argv[0]), "help")) {
		const struct command top = { .name = path, .subcommands = table,
			.words = "Comity: preserve and hand over electronic evidence between states, provably." };
		print_help(&top, path);
		return argc == 0 ? 2 : 0;
	}
	for (const struct command *c = table; c->name != NULL; c++) {
		if (!bytes_is(bytes_of(argv[0]), c->name))
			continue;
		snprintf(deeper, sizeof(deeper), "%s %s", path, c->name);
		if (c->subcommands == NULL)
			return run_leaf(c, deeper, argc - 1, argv + 1);
		if (argc > 1 && !is_help(argv[1]))
			return command_run(c->subcommands, deeper, argc - 1, argv + 1);
		print_help(c, deeper);
		return argc > 1 ? 0 : 2;
	}
	(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s has no command \"%s\" (see %s --help)", path, argv[0], path);
	return command_failed(&e);
}

bool digest_read(const char *text, uint8_t ret[static SHA256_BYTES])
{
	char hex[2 * SHA256_BYTES];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == ':')
			continue;
		if (n == sizeof(hex))
			return false;
		hex[n++] = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
	}
	return hex_parse(bytes_from(hex, n), ret, SHA256_BYTES);
}

bool seconds_read(const struct args *a, const char *option, uint64_t *ret, struct err *e)
{
	const char *text = args_value(a, option);

	return text == NULL || (num_parse_u64(text, OPTION_SECONDS_MAX, ret) && *ret > 0) ||
	       err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--%s wants seconds, 1 to %u", option, OPTION_SECONDS_MAX);
}
