/* seal, open, keygen: the age format for people and scripts, in constant memory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "seal/age.h"

#define IDENTITIES_MAX 16u

const struct option seal_options[] = {
	OPTION_QUIET,
	{ "recipient", 'r', OPTION_MANY, "RECIPIENT", "age1..., or a file with such lines" },
	{ "output", 'o', OPTION_VALUE, "FILE", "where it goes (without: standard output)" },
	{ "force", 0, OPTION_FLAG, NULL, "write over a file that is there" },
	OPTION_END,
};
const struct option open_options[] = {
	OPTION_QUIET,
	{ "identity", 'i', OPTION_MANY, "FILE", "identity file (AGE-SECRET-KEY-1...)" },
	{ "output", 'o', OPTION_VALUE, "FILE", "where it goes (without: standard output)" },
	{ "force", 0, OPTION_FLAG, NULL, "write over a file that is there" },
	OPTION_END,
};
const struct option keygen_options[] = {
	{ "output", 'o', OPTION_VALUE, "FILE", "where the identity goes; must not exist" },
	OPTION_END,
};

static void copied(void *ctx, uint64_t plain_bytes)
{
	progress_at(ctx, plain_bytes);
}

static bool open_input(const char *path, int *ret, uint64_t *ret_size, struct err *e)
{
	struct stat st;
	int fd = bytes_is(bytes_of(path), "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)err_system(e, "cannot open %s", path);
		fd_close_at(&fd);
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is a folder", path);
	}
	*ret = fd;
	*ret_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return true;
}

/* Writes beside the target and renames at the end: what was not verified to its last byte never has the name. */
struct target {
	const char *path; /* NULL: standard output */
	char part[4200];
	int fd;
};

static bool target_open(struct target *t, const struct args *a, struct err *e)
{
	const char *path = args_value(a, "output");

	t->path = path;
	t->fd = STDOUT_FILENO;
	if (path == NULL)
		return true;
	if (!args_has(a, "force") && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is there already (--force writes over it)", path);
	snprintf(t->part, sizeof(t->part), "%.4096s.part", path);
	t->fd = open(t->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return t->fd >= 0 || err_system(e, "cannot make %s", t->part);
}

static bool target_close(struct target *t, bool ok, struct err *e)
{
	if (t->path == NULL)
		return ok;
	if (ok && fsync(t->fd) != 0)
		ok = err_system(e, "cannot sync %s", t->part);
	close(t->fd);
	if (ok && rename(t->part, t->path) != 0)
		ok = err_system(e, "cannot rename to %s", t->path);
	if (!ok)
		unlink(t->part);
	return ok;
}

/* --- seal -------------------------------------------------------------------------------------- */

static bool add_recipient(struct bytes text, struct age_recipient *list, size_t *n, struct err *e)
{
	if (*n == AGE_STANZAS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u recipients", AGE_STANZAS_MAX);
	return age_recipient_parse(text, &list[(*n)++], e);
}

static bool recipients_of(const struct args *a, struct age_recipient *list, size_t *n, struct err *e)
{
	const char *given;

	*n = 0;
	for (size_t i = 0; (given = args_many(a, "recipient", i)) != NULL; i++) {
		AUTO_BUF file = { 0 };
		struct bytes rest;

		if (bytes_starts(bytes_of(given), "age1")) {
			if (!add_recipient(bytes_of(given), list, n, e))
				return false;
			continue;
		}
		buf_init(&file, 64 * KIB);
		if (!file_read(AT_FDCWD, given, &file, e))
			return false;
		rest = buf_bytes(&file);
		while (rest.len > 0) {
			struct bytes line = bytes_cut(&rest, '\n');
			if (line.len > 0 && line.at[0] != '#' && !add_recipient(line, list, n, e))
				return err_note(e, "%s", given);
		}
	}
	return *n > 0 || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "for whom? give -r RECIPIENT");
}

int seal_command(const struct args *a)
{
	struct age_recipient recipients[AGE_STANZAS_MAX];
	struct age_copy copy = { .recipients = recipients, .progress = copied };
	struct age_totals totals;
	struct target out = { 0 };
	struct progress p;
	uint64_t size = 0;
	AUTO_FD in = -1;
	struct err e;
	bool ok;

	if (!recipients_of(a, recipients, &copy.recipient_count, &e) || !open_input(a->positional[0], &in, &size, &e) ||
	    !target_open(&out, a, &e))
		return command_failed(&e);
	progress_start(&p, "sealing", size, args_has(a, "quiet"));
	copy.in_fd = in;
	copy.out_fd = out.fd;
	copy.ctx = &p;
	ok = age_copy_seal(&copy, &totals, &e);
	progress_end(&p);
	return command_ended(target_close(&out, ok, &e), &e);
}

/* --- open -------------------------------------------------------------------------------------- */

static bool identities_of(const struct args *a, struct seal_identity **list, size_t *n, struct err *e)
{
	const char *path;

	for (*n = 0; (path = args_many(a, "identity", *n)) != NULL; (*n)++) {
		AUTO_BUF_WIPE file = { 0 };

		if (*n == IDENTITIES_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u identities", IDENTITIES_MAX);
		buf_init(&file, 64 * KIB);
		if (!input_read(path, &file, e) || !seal_identity_parse(buf_bytes(&file), &list[*n], e))
			return err_note(e, "identity");
	}
	return *n > 0 || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "with which identity? give -i FILE");
}

static bool open_file(const struct args *a, const struct seal_identity *const *identities, size_t n, struct err *e)
{
	struct age_copy copy = { .identities = identities, .identity_count = n, .progress = copied };
	struct age_totals totals;
	struct target out = { 0 };
	struct progress p;
	uint64_t size = 0;
	AUTO_FD in = -1;
	bool ok;

	if (!open_input(a->positional[0], &in, &size, e) || !target_open(&out, a, e))
		return false;
	progress_start(&p, "opening", size, args_has(a, "quiet"));
	copy.in_fd = in;
	copy.out_fd = out.fd;
	copy.ctx = &p;
	ok = age_copy_open(&copy, &totals, e);
	if (ok)
		p.done = p.total;
	progress_end(&p);
	return target_close(&out, ok, e);
}

int open_command(const struct args *a)
{
	struct seal_identity *identities[IDENTITIES_MAX] = { 0 };
	size_t n = 0;
	struct err e;
	bool ok = identities_of(a, identities, &n, &e) &&
		  open_file(a, (const struct seal_identity *const *)identities, n, &e);

	for (size_t i = 0; i < IDENTITIES_MAX; i++)
		seal_identity_free(identities[i]);
	return command_ended(ok, &e);
}

/* --- keygen ------------------------------------------------------------------------------------ */

int keygen_command(const struct args *a)
{
	const char *path = args_value(a, "output");
	AUTO_SEAL_IDENTITY *identity = seal_identity_new();
	char recipient[AGE_RECIPIENT_LEN + 1];
	struct age_recipient r;
	AUTO_BUF_WIPE file = { 0 };
	AUTO_BUF line = { 0 };
	AUTO_FD fd = -1;
	struct err e;

	if (path == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "where does the identity go? give -o FILE");
		return command_failed(&e);
	}
	buf_init(&file, 4 * KIB);
	buf_init(&line, KIB);
	seal_identity_write(identity, &file);
	seal_identity_recipient(identity, &r);
	age_recipient_write(&r, recipient);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		(void)(errno == EEXIST ? err_set(&e, ERR_CONFLICT, REASON_WRONG_STATE, KEY_IS_THERE, path) :
					 err_system(&e, "cannot make %s", path));
		return command_failed(&e);
	}
	buf_add_format(&line, "%s\n", recipient);
	return command_ended(file_write_all(fd, buf_bytes(&file), &e) && output_write(&line, &e), &e);
}
