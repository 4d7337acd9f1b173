/* Letters by another carrier: a sealed file out, a sealed file in. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"

static const struct option export_options[] = {
	OPTION_HOME,
	{ "output", 'o', OPTION_VALUE, "FILE", "where the letter goes (without: standard output)" },
	OPTION_END,
};

static int export_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	const char *path = args_value(a, "output");
	AUTO_CLIENT *c = NULL;
	AUTO_BUF letter = { 0 };
	struct err e;

	buf_init(&letter, 2 * LETTER_BYTES_MAX);
	json_put_text(in, "hash", a->positional[0]);
	if (!client_open(a, &c, &e) || !client_call(c, "letter-export", json_incref(in), &answer, &e))
		return command_failed(&e);
	if (!base64_parse(json_bytes(answer, "letter"), true, &letter)) {
		(void)err_set(&e, ERR_SYSTEM, REASON_MALFORMED, "the node's letter is not base64");
		return command_failed(&e);
	}
	if (path == NULL)
		return command_ended(output_write(&letter, &e), &e);
	return command_ended(file_write(AT_FDCWD, path, buf_bytes(&letter), 0600, true, &e), &e);
}

static const struct option import_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "receipt", 0, OPTION_VALUE, "FILE", "where the signed receipt goes, to be carried back" },
	OPTION_END,
};

static void print_imported(const json_t *v, struct buf *out)
{
	output_member(out, "outcome", json_text(v, "outcome"));
	output_member(out, "reason", json_text(v, "reason"));
	output_member(out, "why", json_text(v, "detail"));
}

/* 1 when the letter was rejected: the receipt says why, and may be carried back. */
static int import_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	const char *path = args_value(a, "receipt");
	AUTO_CLIENT *c = NULL;
	AUTO_BUF letter = { 0 }, text = { 0 };
	struct err e;
	int status;

	buf_init(&letter, 2 * LETTER_BYTES_MAX);
	buf_init(&text, 4 * LETTER_BYTES_MAX);
	if (!client_open(a, &c, &e) || !input_read(a->positional[0], &letter, &e))
		return command_failed(&e);
	base64_write(buf_bytes(&letter), true, &text);
	json_put_bytes(in, "letter", buf_bytes(&text));
	if (!client_call(c, "letter-import", json_incref(in), &answer, &e))
		return command_failed(&e);
	if (path != NULL && !file_write(AT_FDCWD, path, json_bytes(answer, "receipt"), 0600, true, &e))
		return command_failed(&e);
	status = output_value(a, answer, print_imported);
	return status == 0 && bytes_is(json_bytes(answer, "outcome"), "rejected") ? err_exit_status(ERR_REJECTED) : status;
}

static const struct option receipt_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static int receipt_command(const struct args *a)
{
	AUTO_BUF receipt = { 0 };
	json_t *in;
	struct err e;

	buf_init(&receipt, LETTER_BYTES_MAX);
	if (!input_read(a->positional[0], &receipt, &e))
		return command_failed(&e);
	in = json_object();
	json_put_bytes(in, "receipt", buf_bytes(&receipt));
	return output_call(a, "receipt-import", in, print_imported);
}

const struct command letter_commands[] = {
	{ .name = "export", .words = "a sealed letter for another carrier", .arguments = "STATEMENT", .positional_min = 1,
	  .positional_max = 1, .options = export_options, .run = export_command },
	{ .name = "import", .words = "a letter that came by another carrier (exit status 1: rejected)", .arguments = "FILE",
	  .positional_min = 1, .positional_max = 1, .options = import_options, .run = import_command },
	{ .name = "receipt", .words = "a receipt that came by another carrier", .arguments = "FILE", .positional_min = 1,
	  .positional_max = 1, .options = receipt_options, .run = receipt_command },
	{ 0 },
};
