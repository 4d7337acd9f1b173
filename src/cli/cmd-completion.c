/* Shell completion, written from the command table: what can be typed is what can be completed. */
#include "cli/commands.h"
#include "cli/output.h"

const struct option completion_options[] = { OPTION_END };

static void put_names(const struct command *table, struct buf *out)
{
	for (const struct command *c = table; c->name != NULL; c++)
		if (!c->hidden)
			buf_add_format(out, "%s ", c->name);
}

static void put_options(const struct command *c, struct buf *out)
{
	buf_add_text(out, "--help");
	for (const struct option *o = c->options; o != NULL && o->name != NULL; o++)
		buf_add_format(out, " --%s", o->name);
}

static void put_cases(const struct command *table, const char *path, struct buf *out)
{
	for (const struct command *c = table; c->name != NULL; c++) {
		char deeper[128];

		if (c->hidden)
			continue;
		snprintf(deeper, sizeof(deeper), "%s%s%s", path, path[0] != '\0' ? " " : "", c->name);
		buf_add_format(out, "\t\"%s\") words=\"", deeper);
		if (c->subcommands != NULL)
			put_names(c->subcommands, out);
		else
			put_options(c, out);
		buf_add_text(out, "\" ;;\n");
		if (c->subcommands != NULL)
			put_cases(c->subcommands, deeper, out);
	}
}

static void put_bash(struct buf *out)
{
	buf_add_text(out, "# comity completion for bash: source it, or put it where bash-completion looks\n"
			  "_comity() {\n"
			  "\tlocal cur=${COMP_WORDS[COMP_CWORD]} path= words= i w\n"
			  "\tfor ((i = 1; i < COMP_CWORD && i < 3; i++)); do\n"
			  "\t\tw=${COMP_WORDS[i]}\n"
			  "\t\t[[ $w == -* ]] && break\n"
			  "\t\tcase \" $(_comity_groups) \" in *\" ${path:-top} \"*) path=\"${path:+$path }$w\" ;; *) break ;; esac\n"
			  "\tdone\n"
			  "\tcase $path in\n"
			  "\t\"\") words=\"");
	put_names(command_table(), out);
	buf_add_text(out, "\" ;;\n");
	put_cases(command_table(), "", out);
	buf_add_text(out, "\tesac\n"
			  "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			  "}\n"
			  "_comity_groups() { echo top");
	for (const struct command *c = command_table(); c->name != NULL; c++)
		if (c->subcommands != NULL)
			buf_add_format(out, " %s", c->name);
	buf_add_text(out, "; }\n"
			  "complete -o default -F _comity comity\n");
}

int completion_command(const struct args *a)
{
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (!bytes_is(bytes_of(a->positional[0]), "bash")) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "completion is written for bash (zsh: autoload bashcompinit first)");
		return command_failed(&e);
	}
	put_bash(&out);
	return command_ended(output_write(&out, &e), &e);
}
