/* Key files of people who approve, until passkeys: comity key new, comity key show. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "seal/key.h"

static const struct option new_options[] = {
	OPTION_JSON,
	{ "out", 'o', OPTION_VALUE, "FILE", "where the key goes; must not exist" },
	{ "name", 'n', OPTION_VALUE, "NAME", "whose key it is" },
	OPTION_END,
};
static const struct option show_options[] = { OPTION_JSON, OPTION_END };

static void print_public(const json_t *v, struct buf *out)
{
	buf_add_format(out, "%s\n", json_text(v, "public"));
}

static int tell_public(const struct args *a, const struct sign_key *k)
{
	AUTO_JSON *v = json_object();
	char id[KEY_ID_LEN + 1];

	key_id_write(sign_key_public(k), id);
	json_put_hex(v, "public", bytes_from(sign_key_public(k), SIGN_PUBLIC_BYTES));
	json_put_text(v, "keyid", id);
	return output_value(a, v, print_public);
}

static int new_command(const struct args *a)
{
	const char *path = args_value(a, "out"), *name = args_value(a, "name");
	AUTO_SIGN_KEY *k = NULL;
	AUTO_BUF_WIPE file = { 0 };
	AUTO_FD fd = -1;
	struct err e;

	buf_init(&file, 4 * KIB);
	if (path == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "where does the key go? give --out FILE");
		return command_failed(&e);
	}
	k = sign_key_new();
	sign_key_write(k, name != NULL ? name : "approver", &file);
	if (!buf_check(&file, "the key", &e))
		return command_failed(&e);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		(void)(errno == EEXIST ? err_set(&e, ERR_CONFLICT, REASON_WRONG_STATE, KEY_IS_THERE, path) :
					 err_system(&e, "cannot make %s", path));
		return command_failed(&e);
	}
	if (!file_write_all(fd, buf_bytes(&file), &e) || (fsync(fd) != 0 && !err_system(&e, "cannot sync %s", path))) {
		unlink(path);
		return command_failed(&e);
	}
	return tell_public(a, k);
}

static int show_command(const struct args *a)
{
	AUTO_SIGN_KEY *k = NULL;
	AUTO_BUF_WIPE file = { 0 };
	struct err e;

	buf_init(&file, 4 * KIB);
	if (!file_read(AT_FDCWD, a->positional[0], &file, &e) || !sign_key_parse(buf_bytes(&file), &k, &e))
		return command_failed(&e);
	return tell_public(a, k);
}

const struct command key_commands[] = {
	{ .name = "new", .words = "make a key file; prints the public key", .arguments = "", .options = new_options,
	  .run = new_command },
	{ .name = "show", .words = "the public key of a key file", .arguments = "FILE", .positional_min = 1, .positional_max = 1,
	  .options = show_options, .run = show_command },
	{ 0 },
};
