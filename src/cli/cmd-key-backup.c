/* Backups of the keys, apart from those of the store: sealed by the node to somebody else, brought to where they are to
 * lie, and deleted there after 30 days. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exchange/key-backup.h"

static bool sealed_copy(int in, int dir, const char *name, struct err *e)
{
	AUTO_FD out = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint8_t *piece = malloc(MIB);
	ssize_t got = 1;
	bool ok = out >= 0 || err_system(e, "cannot make %s", name);

	if (piece == NULL)
		abort();
	while (ok && got > 0) {
		got = read(in, piece, MIB);
		ok = got < 0 ? err_system(e, "cannot read %s", name) : file_write_all(out, bytes_from(piece, (size_t)got), e);
	}
	free(piece);
	return ok && ((fsync(out) == 0 && fsync(dir) == 0) || err_system(e, "cannot sync %s", name));
}

/* From where the node may write to where it goes. */
static bool move_out(const char *home, const char *file, const char *to, json_t *answer, struct err *e)
{
	char from[4400], path[4400];
	const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
	AUTO_FD dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC), in = -1;
	int64_t when;

	if (dir < 0)
		return err_system(e, "cannot open %s", to);
	if (!key_backup_time(bytes_of(name), &when))
		return err_set(e, ERR_SYSTEM, REASON_MALFORMED, "the node named no key backup");
	snprintf(from, sizeof(from), "%.4096s/%.200s", home, file);
	in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return err_system(e, "cannot open %s", from);
	if (!sealed_copy(in, dir, name, e))
		return false;
	if (unlink(from) != 0)
		return err_system(e, "cannot delete %s", from);
	snprintf(path, sizeof(path), "%.4096s/%.200s", to, name);
	json_put_text(answer, "file", path);
	return key_backup_sweep(dir, false, clock_now_ms(), json_object_get(answer, "deleted"), e);
}

int key_backup_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	json_t *to = json_array();
	AUTO_CLIENT *c = NULL;
	const char *home;
	struct err e;

	json_put(in, "to", to);
	for (size_t i = 0; args_many(a, "to", i) != NULL; i++)
		if (json_array_append_new(to, json_string(args_many(a, "to", i))) != 0)
			abort();
	if (!home_of(a, &home, &e) || !client_open(a, &c, &e) || !client_call(c, "key-backup", json_incref(in), &answer, &e))
		return command_failed(&e);
	if (args_has(a, "out") && !move_out(home, json_text(answer, "file"), args_value(a, "out"), answer, &e))
		return command_failed(&e);
	return output_value(a, answer, backup_print);
}
