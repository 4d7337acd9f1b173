/* What states have agreed, as this program knows it. */
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/treaty-folder.h"
#include "safeguard/safeguard.h"
#include "treaty/treaty.h"

const char *treaty_folder(void)
{
	const char *folder = getenv("COMITY_TREATIES");

	return folder != NULL && folder[0] != '\0' ? folder : COMITY_DATADIR "/treaties";
}

static const struct option show_options[] = { OPTION_JSON, OPTION_END };

static bool show(const struct args *a, struct buf *out, struct err *e)
{
	struct bytes what = bytes_of(a->positional[0]);
	struct treaty *t = NULL;
	AUTO_JSON *v = NULL;
	bool ok;

	if (bytes_is(what, "safeguards") && !args_has(a, "json")) {
		safeguard_print(out);
		return true;
	}
	if (!treaty_load(treaty_folder(), &t, e))
		return false;
	if (args_has(a, "json"))
		ok = treaty_show_json(t, what, &v, e) && json_write_pretty(v, out, e);
	else
		ok = treaty_show(t, what, out, e);
	treaty_free(t);
	return ok;
}

static int show_command(const struct args *a)
{
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, OUTPUT_BYTES_MAX);
	return command_ended(show(a, &out, &e) && output_write(&out, &e), &e);
}

static int articles_command(const struct args *a)
{
	struct treaty *t = NULL;
	struct err e;
	AUTO_BUF out = { 0 };

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (!treaty_load(treaty_folder(), &t, &e))
		return command_failed(&e);
	for (size_t i = 0; i < treaty_article_count(t); i++) {
		const struct treaty_article *x = treaty_article_at(t, i);

		buf_add_format(&out, "%-4s %s%s\n", x->number, x->title, certainty_is_checked(x->certainty) ? "" : " [unchecked]");
	}
	treaty_free(t);
	return command_ended(output_write(&out, &e), &e);
}

const struct command treaty_commands[] = {
	{ .name = "show", .words = "an article (42), offence (UNCC-07), ground, kind, constants, gate or safeguards",
	  .arguments = "WHAT", .positional_min = 1, .positional_max = 1, .options = show_options, .run = show_command,
	  .more = "What is marked unchecked was not compared with the certified text." },
	{ .name = "list", .words = "the articles", .arguments = "", .run = articles_command },
	{ 0 },
};
