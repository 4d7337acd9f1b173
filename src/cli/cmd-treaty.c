/* What states have agreed, as this program knows it. */
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/treaty-folder.h"
#include "safeguard/safeguard.h"

static const struct option show_options[] = { OPTION_JSON, OPTION_END };

/* What stands in brackets behind a row, once for all of them. */
static bool put_marks(struct buf *out)
{
	buf_add_text(out, "\nunchecked: not compared with the certified text. TEXT: read in a source (TEXT-AR: in the authentic\n"
			  "Arabic text). KNOWN+P: known, its model article was read. KNOWN: known, not read again. UNSURE: not to be\n"
			  "relied on. POLICY: a rule of this house.\n");
	return true;
}

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
	if (!treaty_load_here(&t, e))
		return false;
	if (args_has(a, "json"))
		ok = treaty_show_json(t, what, &v, e) && json_write_pretty(v, out, e);
	else
		ok = treaty_show(t, what, out, e) && put_marks(out);
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
	if (!treaty_load_here(&t, &e))
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
