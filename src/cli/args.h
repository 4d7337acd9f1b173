/* Command lines as tables. A command says its options and words once; parsing, --help, shell
 * completion and the check of the manual pages are all made from that table. */
#ifndef COMITY_CLI_ARGS_H
#define COMITY_CLI_ARGS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum option_kind {
	OPTION_FLAG,  /* --json */
	OPTION_VALUE, /* --home DIR */
	OPTION_MANY,  /* --set KEY=VALUE, may be given again */
};

struct option {
	const char *name;     /* without the dashes */
	char letter;          /* short form, or 0 */
	enum option_kind kind;
	const char *argument; /* name of the value, for help */
	const char *words;
};

#define ARGS_POSITIONAL_MAX 256
#define ARGS_MANY_MAX 64
#define ARGS_OPTIONS_MAX 24

struct args {
	const struct option *options;
	const char *value[ARGS_OPTIONS_MAX];      /* NULL when not given; "" for a flag that was */
	const char *many[ARGS_MANY_MAX];
	unsigned char many_option[ARGS_MANY_MAX];
	size_t many_count;
	const char *positional[ARGS_POSITIONAL_MAX];
	size_t positional_count;
};

struct command {
	const char *name;
	const char *words;                       /* one line for the list */
	const char *arguments;                   /* "REQUEST [FILE...]" */
	size_t positional_min, positional_max;
	const struct option *options;            /* ends with a row without name; may be NULL */
	int (*run)(const struct args *a);        /* NULL for a command that has subcommands */
	const struct command *subcommands;       /* ends with a row without name; may be NULL */
	const char *more;                        /* paragraph for --help, or NULL */
	bool hidden;
};

const char *args_value(const struct args *a, const char *option); /* NULL when not given */
bool args_has(const struct args *a, const char *option);
/* i-th value of a MANY option, NULL beyond the last. */
const char *args_many(const struct args *a, const char *option, size_t i);
bool args_parse(const struct command *c, int argc, char **argv, struct args *ret, struct err *e) MUST_USE;
/* A fingerprint as people copy it: 64 hex digits, in groups and in either case. */
bool digest_read(const char *text, uint8_t ret[static SHA256_BYTES]) MUST_USE;
/* Seconds of an option, from 1 to a week; without it *ret stays. */
bool seconds_read(const struct args *a, const char *option, uint64_t *ret, struct err *e) MUST_USE;

/* Finds the (sub)command, handles --help, parses, runs. Returns the exit status. */
int command_run(const struct command *table, const char *path, int argc, char **argv);
/* Prints the error as `comity: sentence` on standard error; returns its exit status. */
int command_failed(const struct err *e);
const struct command *command_table(void);

#endif
