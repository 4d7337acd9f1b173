/* comity log retire: the last resort after a restore. While the home stands still its log ends and a successor begins;
 * when it runs, the same command drafts what two people then state. Nothing is deleted: the old log's files, key and
 * leaves are set aside. Each step can be done again, should the first attempt have been cut off. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/draft.h"
#include "cli/output.h"
#include "exchange/config.h"
#include "exchange/identity.h"
#include "exchange/recover.h"
#include "exchange/retire.h"
#include "store/store.h"

const struct option retire_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "officer", 0, OPTION_VALUE, "NAME", "who drafts the statement (the node runs)" },
	{ "text", 0, OPTION_VALUE, "TEXT", "what happened (the node runs)" },
	{ "yes", 'y', OPTION_FLAG, NULL, "the log shall end: what it signed cannot be brought back" },
	{ "although-whole", 0, OPTION_FLAG, NULL, "end it also when nothing is lost" }, OPTION_END,
};

/* The line of this log in HOME/retired: written now, or by an attempt that was cut off. */
static bool line_there(int home, const struct identity *public, struct register_retired *r, struct err *e)
{
	struct checkpoint last;
	struct register_retired all[PARTY_RETIRED_MAX];
	size_t count;
	AUTO_BUF text = { 0 };

	buf_init(&text, RETIRED_BYTES_MAX);
	if (!retired_read(home, all, &count, e))
		return false;
	if (count > 0 && strcmp(all[count - 1].log_key.name, public->log.name) == 0) {
		*r = all[count - 1];
		return true;
	}
	if ((count > 0 && !file_read(home, RETIRED_FILE, &text, e)) || !retire_furthest(home, &public->log, &last, e))
		return false;
	*r = (struct register_retired){ .log_key = public->log, .size = last.size, .at = clock_now_ms() };
	memcpy(r->root, last.root, sizeof(r->root));
	retired_write(r, &text);
	return buf_check(&text, RETIRED_FILE, e) && file_write(home, RETIRED_FILE, buf_bytes(&text), 0644, true, e);
}

/* An attempt that was cut off goes on, whatever is left by now. */
static bool is_begun(int home, const struct identity *public, const char *origin, bool *ret, struct err *e)
{
	struct register_retired all[PARTY_RETIRED_MAX];
	size_t count;

	if (!retired_read(home, all, &count, e))
		return false;
	*ret = strcmp(public->log.name, origin) == 0 || (count > 0 && strcmp(all[count - 1].log_key.name, public->log.name) == 0);
	return true;
}

/* Everybody sees that a log ended, and history-lost would be no true statement of one that has everything. */
static bool may_end(const struct args *a, int home, const struct identity *public, const char *origin, struct err *e)
{
	struct store *s = NULL;
	struct checkpoint last;
	bool whole = false, begun, ok;

	if (args_has(a, "although-whole"))
		return true;
	if (!is_begun(home, public, origin, &begun, e) || (!begun && !retire_furthest(home, &public->log, &last, e)))
		return false;
	if (begun || faccessat(home, RESTORED_MARK, F_OK, 0) == 0)
		return true;
	ok = store_open(home, &s, e) && recover_is_whole(home, s, &public->log, &last, &whole, e);
	store_close(s);
	return ok && (!whole || err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
					"nothing is lost: a log is retired when it cannot be recovered (--although-whole ends it nevertheless)"));
}

/* name becomes name.retired-MS, unless that was done. */
static bool put_by(int home, const char *name, int64_t at, struct err *e)
{
	char aside[96];

	snprintf(aside, sizeof(aside), "%s.retired-%" PRId64, name, at);
	return faccessat(home, aside, F_OK, 0) == 0 || renameat(home, name, home, aside) == 0 || errno == ENOENT ||
	       err_system(e, "cannot put %s by", name);
}

static bool key_new(int home, const char *party, const char *origin, struct identity *public, struct err *e)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_BUF_WIPE file = { 0 };
	AUTO_BUF text = { 0 };

	buf_init(&file, 4 * KIB);
	buf_init(&text, 4 * KIB);
	sign_key_write(k, party, &file);
	note_key_make(origin, NOTE_ED25519, sign_key_public(k), &public->log);
	identity_write(public, &text);
	return buf_check(&file, "the key", e) && buf_check(&text, "identity", e) &&
	       file_write(home, "keys/log.key", buf_bytes(&file), 0600, true, e) &&
	       file_write(home, "identity", buf_bytes(&text), 0644, true, e);
}

static bool settings_new(int home, struct config *c, const char *origin, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 256 * KIB);
	if (!config_set(c, CONFIG_log_origin, origin, e))
		return false;
	config_write(c, &text);
	return buf_check(&text, "comity.conf", e) && file_write(home, "comity.conf", buf_bytes(&text), 0644, true, e);
}

/* The settings come last: while they name the old log, this is not finished and may be begun again. */
static bool successor_begin(int home, struct config *c, const char *origin, struct identity *public, json_t *v, struct err *e)
{
	static const char *const by[] = { "log", RECOVER_FOLDER, "keys/log.key", "keys/checkpoint" };
	char old[CONFIG_ORIGIN_BYTES_MAX + 1];
	struct register_retired r;

	config_log_origin(c, old);
	/* Cut off after the identity was written: only the settings are missing. */
	if (strcmp(public->log.name, origin) != 0) {
		if (!line_there(home, public, &r, e) || !store_log_restart(home, clock_now_ms(), e))
			return false;
		(void)unlinkat(home, RECOVER_FOLDER, AT_REMOVEDIR); /* an empty one holds nothing to put by */
		for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
			if (!put_by(home, by[i], r.at, e))
				return false;
		if (!dir_make(home, "log", 0700, e) || !key_new(home, config_text(c, party), origin, public, e))
			return false;
		json_put_int(v, "size", (int64_t)r.size);
	}
	if (unlinkat(home, RESTORED_MARK, 0) != 0 && errno != ENOENT)
		return err_system(e, "cannot remove " RESTORED_MARK);
	json_put_text(v, "ended", old);
	json_put_text(v, "successor", origin);
	return settings_new(home, c, origin, e);
}

static void print_retired(const json_t *v, struct buf *out)
{
	output_member(out, "ended", json_text(v, "ended"));
	output_member(out, "goes on as", json_text(v, "successor"));
	buf_add_text(out, "next: start the node, register describe (peers, secretariat and witnesses alone need the new key), then\n"
			  "comity log retire --officer NAME --text TEXT, request review, request approve, request send\n");
}

static int end_log(const struct args *a, int home)
{
	struct config *c = malloc(sizeof(*c));
	char old[CONFIG_ORIGIN_BYTES_MAX + 1], origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	AUTO_JSON *v = json_object();
	struct identity public;
	AUTO_BUF text = { 0 };
	struct err e;

	if (c == NULL)
		abort();
	buf_init(&text, 4 * KIB);
	bool ok = args_has(a, "yes") ||
		  err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "this ends the log for good; try log recover --from first, then say --yes");
	ok = ok && config_load(home, c, &e);
	if (ok) {
		config_log_origin(c, old);
		ok = retire_successor(old, origin, &e) && file_read(home, "identity", &text, &e) &&
		     identity_parse(buf_bytes(&text), &public, &e) && may_end(a, home, &public, origin, &e) && successor_begin(home, c, origin, &public, v, &e);
	}
	free(c);
	return ok ? output_value(a, v, print_retired) : command_failed(&e);
}

static int draft_statement(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (args_value(a, "officer") == NULL || args_value(a, "text") == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "the node runs: stop it to end its log, or give --officer and --text to state that it ended");
		return command_failed(&e);
	}
	json_put_text(in, "officer", args_value(a, "officer"));
	json_put_text(in, "text", args_value(a, "text"));
	if (!client_open(a, &c, &e) || !client_call(c, "history-draft", json_incref(in), &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, draft_print);
}

int retire_command(const struct args *a)
{
	struct store *s = NULL;
	const char *home;
	struct err e = { 0 };

	if (!home_of(a, &home, &e))
		return command_failed(&e);
	AUTO_FD fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_system(&e, "cannot open %s", home);
		return command_failed(&e);
	}
	if (!store_open(fd, &s, &e))
		return e.reason == REASON_BUSY ? draft_statement(a) : command_failed(&e);
	store_close(s); /* nobody has it open; the steps below take the lock themselves */
	return end_log(a, fd);
}
