/* comity doctor: what stands on the disk is looked at here; what is in the store is asked of the running node,
 * or read from a backup, because a living store has one connection only. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exchange/approvers.h"
#include "exchange/config.h"
#include "exchange/parameters.h"
#include "store/store.h"

const struct option doctor_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "backup", 0, OPTION_VALUE, "DIR", "look at this backup instead of a home" },
	OPTION_END,
};

static void put_check(json_t *list, const char *name, bool ok, const char *text)
{
	json_t *v = json_object();

	json_put_text(v, "name", name);
	json_put_bool(v, "ok", ok);
	json_put_text(v, "text", text);
	if (json_array_append_new(list, v) != 0)
		abort();
}

/* Nothing is broken, and somebody should know. */
static void put_note(json_t *list, const char *name, const char *text)
{
	put_check(list, name, true, text);
	json_put_bool(json_array_get(list, json_array_size(list) - 1), "note", true);
}

static void check_private(json_t *list, int home, const char *path, bool must)
{
	struct stat st;
	char text[200];

	if (fstatat(home, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (must)
			put_check(list, path, false, "is missing");
		return;
	}
	snprintf(text, sizeof(text), "mode %03o%s", (unsigned)st.st_mode & 0777, (st.st_mode & 077) != 0 ? ": others can read it" : "");
	put_check(list, path, (st.st_mode & 077) == 0, text);
}

static void check_files(json_t *list, int home)
{
	static const char *const paths[] = { "keys", "keys/sign.key", "keys/log.key", "keys/seal.key", "keys/tls.key" };
	struct config *config = malloc(sizeof(*config));
	struct approvers *people = malloc(sizeof(*people));
	struct stat st;
	AUTO_BUF text = { 0 };
	struct err e;

	if (config == NULL || people == NULL)
		abort();
	buf_init(&text, APPROVERS_BYTES_MAX);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		check_private(list, home, paths[i], true);
	check_private(list, home, "store", false);
	check_private(list, home, "blobs", false);
	if (config_load(home, config, &e) && parameters_setting(config, &e)) {
		put_check(list, "comity.conf", true, "can be read");
		if (config_text(config, endpoint)[0] == '\0')
			put_note(list, "endpoint", "no endpoint: nobody can reach this node");
		if (config_text(config, phone)[0] == '\0')
			put_note(list, "phone", "no telephone: nobody can call this contact point");
	} else {
		put_check(list, "comity.conf", false, e.text);
	}
	if (fstatat(home, "approvers", &st, 0) != 0)
		put_check(list, "approvers", true, "none");
	else if (file_read(home, "approvers", &text, &e) && approvers_parse(buf_bytes(&text), people, &e))
		put_check(list, "approvers", true, "can be read");
	else
		put_check(list, "approvers", false, e.text);
	if (fstatat(home, RESTORED_MARK, &st, 0) == 0)
		put_check(list, "restored", false, "this home was restored and not recovered since: it signs nothing");
	free(config);
	free(people);
}

static bool check_backup(json_t *list, const char *path, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store *s = NULL;
	AUTO_BUF problems = { 0 };
	bool ok;

	buf_init(&problems, MIB);
	if (fd < 0)
		return err_system(e, "cannot open %s", path);
	if (!store_open_backup(fd, &s, e))
		return err_note(e, "%s", path);
	ok = store_check(s, &problems, e);
	store_close(s);
	if (ok)
		put_check(list, "store", problems.len == 0, problems.len == 0 ? "whole, and of this version" : buf_text(&problems));
	return ok;
}

static bool check_home(const struct args *a, json_t *list, struct err *e)
{
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	AUTO_FD fd = -1;
	const char *home;

	if (!home_of(a, &home, e))
		return false;
	fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open %s", home);
	check_files(list, fd);
	if (!client_open_home(home, &c, e))
		return false;
	if (client_call(c, "doctor", NULL, &answer, e))
		return json_array_extend(list, json_object_get(answer, "checks")) == 0 ||
		       err_set(e, ERR_SYSTEM, REASON_MALFORMED, "the node names no checks");
	if (e->kind != ERR_UNAVAILABLE && e->kind != ERR_NOT_FOUND)
		return false;
	put_check(list, "node", true, "not running: only the files were looked at (doctor --backup DIR looks into a backup)");
	return true;
}

static void print_checks(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "checks");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		buf_add_format(out, "%-5s %-16s ", json_bool(x, "note") ? "note" : json_bool(x, "ok") ? "ok" : "FAULT", json_text(x, "name"));
		output_printable(out, json_text(x, "text"));
		buf_add_u8(out, '\n');
	}
}

/* 1 when something is not as it should be. */
int doctor_command(const struct args *a)
{
	AUTO_JSON *v = json_object();
	json_t *list = json_array();
	const char *backup = args_value(a, "backup");
	struct err e;
	bool ok = true;
	int status;

	json_put(v, "checks", list);
	if (!(backup != NULL ? check_backup(list, backup, &e) : check_home(a, list, &e)))
		return command_failed(&e);
	for (size_t i = 0; i < json_array_size(list); i++)
		ok = ok && json_bool(json_array_get(list, i), "ok");
	json_put_bool(v, "ok", ok);
	status = output_value(a, v, print_checks);
	return status == 0 && !ok ? err_exit_status(ERR_REJECTED) : status;
}
