/* The transparency log: auditing its files, proving a statement, what an officer publishes of it. */
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
#include "cli/watch.h"
#include "log/leaf.h"
#include "log/log.h"
#include "log/tlog-proof.h"

static const struct option verify_rows[] = {
	OPTION_JSON, OPTION_QUIET,
	{ "key", 'k', OPTION_VALUE, "VKEY", "key of the log: name+8 hex+base64 (log show prints it)" },
	OPTION_ORIGIN(OPTION_VALUE, "first line of the log's checkpoints, when it is not the key's name"),
	OPTION_END,
};

static void audited(void *ctx, uint64_t leaves, uint64_t size)
{
	struct progress *p = ctx;

	p->total = size * LEAF_V1_BYTES;
	progress_at(p, leaves * LEAF_V1_BYTES);
}

static void print_audit(const json_t *v, struct buf *out)
{
	output_member(out, "log", json_text(v, "origin"));
	buf_add_format(out, "leaves: %" PRId64 ", every one hashed up to the checkpoint's root\n", json_int(v, "leaves"));
	output_member(out, "root", json_text(v, "root"));
}

struct inflating {
	struct progress progress;
	struct err first; /* of those that are wrong */
};

static void inflated(void *ctx, uint64_t leaves, uint64_t size)
{
	struct inflating *i = ctx;

	audited(&i->progress, leaves, size);
}

static void compressed_is_wrong(void *ctx, const char *text)
{
	struct inflating *i = ctx;

	if (i->first.text[0] == '\0')
		(void)err_set(&i->first, ERR_REJECTED, REASON_BAD_PROOF, "%s", text);
}

static bool verify_compressed(int log_fd, uint64_t size, bool quiet, struct err *e)
{
	struct inflating i = { 0 };

	progress_start(&i.progress, "inflating", 0, quiet);
	if (log_audit_compressed(log_fd, size, inflated, compressed_is_wrong, &i) > 0)
		*e = i.first;
	progress_end(&i.progress);
	return i.first.text[0] == '\0';
}

static int verify_files_command(const struct args *a)
{
	AUTO_FD fd = open(a->positional[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *vkey = args_value(a, "key"), *origin;
	AUTO_JSON *v = json_object();
	struct log_audit audit;
	struct note_key key;
	struct progress p;
	struct err e;
	bool ok;

	if (fd < 0)
		ok = err_system(&e, "cannot open %s", a->positional[0]);
	else if (vkey == NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "whose log is it? give --key VKEY");
	else
		ok = note_key_parse(bytes_of(vkey), &key, &e) && origin_read(args_value(a, "origin"), &origin, &e);
	if (!ok)
		return command_failed(&e);
	progress_start(&p, "hashing", 0, args_has(a, "quiet"));
	ok = log_audit_files_of(fd, origin, &key, audited, &p, &audit, &e);
	progress_end(&p);
	if (!ok || !verify_compressed(fd, audit.checkpoint.size, args_has(a, "quiet"), &e))
		return command_failed(&e);
	json_put_text(v, "origin", audit.checkpoint.origin);
	json_put_int(v, "leaves", (int64_t)audit.leaves);
	json_put_int(v, "size", (int64_t)audit.checkpoint.size);
	json_put_hex(v, "root", BYTES_ARRAY(audit.checkpoint.root));
	return output_value(a, v, print_audit);
}

static const struct option prove_options[] = {
	OPTION_HOME, OPTION_JSON, { "leaf", 0, OPTION_VALUE, "FILE", "also write the leaf, which log check wants" }, OPTION_END,
};

static void print_proof(const json_t *v, struct buf *out)
{
	buf_add(out, json_bytes(v, "proof"));
}

static int prove_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	const char *leaf = args_value(a, "leaf");
	AUTO_CLIENT *c = NULL;
	struct err e;

	json_put_text(in, "hash", a->positional[0]);
	if (!client_open(a, &c, &e) || !client_call(c, "statement-proof", json_incref(in), &answer, &e) ||
	    (leaf != NULL && !file_write(AT_FDCWD, leaf, json_bytes(answer, "leaf"), 0644, false, &e)))
		return command_failed(&e);
	return output_value(a, answer, print_proof);
}

/* --- a proof without a node -------------------------------------------------------------------- */

static const struct option check_options[] = {
	OPTION_JSON,
	{ "leaf", 0, OPTION_VALUE, "FILE", "the leaf that the proof is of (log prove --leaf writes it)" },
	{ "key", 'k', OPTION_VALUE, "VKEY", "key of the log: name+8 hex+base64 (log show prints it)" },
	OPTION_ORIGIN(OPTION_VALUE, "first line of the log's checkpoints, when it is not the key's name"),
	OPTION_END,
};

static void print_checked(const json_t *v, struct buf *out)
{
	output_member(out, "proved in the log", json_text(v, "origin"));
	buf_add_format(out, "leaf %" PRId64 " of %" PRId64 ", under a checkpoint signed by the key given\n", json_int(v, "index"),
		       json_int(v, "size"));
}

static bool check_proof(const struct args *a, json_t *v, struct err *e)
{
	const char *leaf = args_value(a, "leaf"), *vkey = args_value(a, "key"), *origin;
	struct checkpoint checkpoint;
	struct note_key key;
	uint64_t index;
	AUTO_BUF proof = { 0 }, entry = { 0 };

	buf_init(&proof, 2 * NOTE_BYTES_MAX);
	buf_init(&entry, LEAF_BYTES_MAX);
	if (leaf == NULL || vkey == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a proof is of a leaf and of a log: give --leaf FILE and --key VKEY");
	if (!note_key_parse(bytes_of(vkey), &key, e) || !origin_read(args_value(a, "origin"), &origin, e) ||
	    !input_read(a->positional[0], &proof, e) || !input_read(leaf, &entry, e) ||
	    !tlog_proof_check_of(buf_bytes(&proof), buf_bytes(&entry), origin, &key, &checkpoint, &index, e))
		return false;
	json_put_text(v, "origin", checkpoint.origin);
	json_put_int(v, "index", (int64_t)index);
	json_put_int(v, "size", (int64_t)checkpoint.size);
	return true;
}

static int check_command(const struct args *a)
{
	AUTO_JSON *v = json_object();
	struct err e;

	return check_proof(a, v, &e) ? output_value(a, v, print_checked) : command_failed(&e);
}

static const struct option show_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static void print_log(const json_t *v, struct buf *out)
{
	output_member(out, "log", json_text(v, "origin"));
	output_member(out, "key", json_text(v, "vkey"));
	buf_add_format(out, "size: %" PRId64 "\n", json_int(v, "size"));
	output_lines(out, json_text(v, "note"));
}

/* The log's verifier key, from the home's key file. */
static bool own_vkey(const char *home, const char *origin, json_t *v, struct err *e)
{
	char path[4200];
	AUTO_BUF_WIPE file = { 0 };
	AUTO_SIGN_KEY *k = NULL;
	struct note_key key;
	AUTO_BUF text = { 0 };

	buf_init(&file, 4 * KIB);
	buf_init(&text, KIB);
	snprintf(path, sizeof(path), "%.4000s/keys/log.key", home);
	if (!file_read(AT_FDCWD, path, &file, e) || !sign_key_parse(buf_bytes(&file), &k, e))
		return false;
	note_key_make(origin, NOTE_ED25519, sign_key_public(k), &key);
	note_key_write(&key, &text);
	json_put_text(v, "vkey", buf_text(&text));
	return true;
}

static int show_command(const struct args *a)
{
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	const char *home;
	struct err e;
	json_t *log;

	if (!home_of(a, &home, &e) || !client_open(a, &c, &e) || !client_call(c, "status", NULL, &answer, &e))
		return command_failed(&e);
	log = json_object_get(answer, "log");
	if (!json_is_object(log)) {
		(void)err_set(&e, ERR_SYSTEM, REASON_MALFORMED, "the node says nothing of its log");
		return command_failed(&e);
	}
	(void)(own_vkey(home, json_text(log, "origin"), log, &e) || true); /* an operator may not read keys/ */
	return output_value(a, log, print_log);
}

/* --- an officer publishes ---------------------------------------------------------------------- */

static const struct option publish_options[] = {
	OPTION_HOME, OPTION_JSON, { "officer", 0, OPTION_VALUE, "NAME", "who drafts the complaint" }, OPTION_END,
};

static int publish_notice_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	const char *officer = args_value(a, "officer");
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (officer == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "who drafts it? give --officer NAME");
		return command_failed(&e);
	}
	json_put_text(in, "hash", a->positional[0]);
	json_put_text(in, "officer", officer);
	if (!client_open(a, &c, &e) || !client_call(c, "complaint-draft", json_incref(in), &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, draft_print);
}

const struct command log_commands[] = {
	{ .name = "verify", .words = "hash every tile of a log's files up to its signed checkpoint", .arguments = "DIR",
	  .positional_min = 1, .positional_max = 1, .options = verify_rows, .run = verify_files_command },
	{ .name = "prove", .words = "proof file that a statement stands in our log", .arguments = "STATEMENT", .positional_min = 1,
	  .positional_max = 1, .options = prove_options, .run = prove_command },
	{ .name = "check", .words = "check a proof file against its leaf and the log's key, without a node", .arguments = "PROOF",
	  .positional_min = 1, .positional_max = 1, .options = check_options, .run = check_command },
	{ .name = "show", .words = "our log: name, key, size, checkpoint", .arguments = "", .options = show_options,
	  .run = show_command },
	{ .name = "audit", .words = "files, store and every leaf against what it opens to", .arguments = "",
	  .options = log_audit_options, .run = log_audit_command },
	{ .name = "retire", .words = "last resort: the log ends, a successor begins, and two people say so", .arguments = "",
	  .options = retire_options, .run = retire_command },
	{ .name = "publish-notice", .words = "draft a public complaint: an overdue proof, or a closing that does not fit",
	  .arguments = "STATEMENT", .positional_min = 1, .positional_max = 1, .options = publish_options, .run = publish_notice_command },
	{ .name = "recover", .words = "after a restore: bring signed leaves back, unlock signing, ask the peers", .arguments = "",
	  .options = recover_options, .run = recover_command },
	/* for outsiders */
	{ .name = "monitor", .words = "follow logs of others: every leaf hashed, split views proved", .arguments = "[TARGET...]",
	  .positional_max = ARGS_POSITIONAL_MAX, .options = monitor_options_table, .run = monitor_command,
	  .more = "TARGET is a folder or an https address. Exit status: 0 all consistent, 1 something is wrong, 2 not everything "
		  "could be looked at." },
	{ .name = "statistics", .words = "count a log's acts by class, from its files alone", .arguments = "[TARGET...]",
	  .positional_max = ARGS_POSITIONAL_MAX, .options = statistics_options_table, .run = statistics_command,
	  .more = "TARGET is a folder or an https address. Exit status: 0 counted, 1 something is wrong, 2 not everything could be "
		  "looked at." },
	{ .name = "mirror", .words = "a full verified copy of a log", .arguments = "TARGET DIR | PARTY...", .positional_min = 1,
	  .positional_max = ARGS_POSITIONAL_MAX, .options = mirror_options_table, .run = mirror_command,
	  .more = "With --home, the logs of parties go to HOME/mirror, and the node serves them. Exit status as of log monitor." },
	{ 0 },
};
