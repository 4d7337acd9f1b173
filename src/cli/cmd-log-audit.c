/* comity log audit: files against the store, and every leaf against what it opens to. The files are hashed here; what is
 * in the store is asked of the running node a portion at a time, so that it goes on working meanwhile, or read from a
 * backup, because a living store has one connection only. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exchange/audit-log.h"
#include "exchange/identity.h"
#include "log/leaf.h"
#include "log/log.h"
#include "store/store.h"

const struct option log_audit_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "backup", 0, OPTION_VALUE, "DIR", "audit this backup instead of a running home" },
	{ "key", 'k', OPTION_VALUE, "VKEY", "with --backup: key of the log, to check the signature of its last checkpoint" },
	OPTION_END,
};

struct auditor {
	json_t *v;                     /* the report */
	struct progress progress;
	struct client *client;         /* of a running node, or */
	struct store *store;           /* of a backup */
	struct checkpoint checkpoint;  /* of the files, or of the backup */
	struct audit_place at;
};

static void add_fault(struct auditor *a, int64_t index, const char *text)
{
	json_t *list = json_object_get(a->v, "faults"), *v = json_object();

	json_put_int(v, "index", index);
	json_put_text(v, "text", text);
	json_put_int(a->v, "findings", json_int(a->v, "findings") + 1);
	if (json_array_size(list) >= 20 * AUDIT_TOLD_MAX)
		json_decref(v);
	else if (json_array_append_new(list, v) != 0)
		abort();
}

/* Adds a portion's counts and the beginning of its lists. */
static void merge(json_t *v, const json_t *part)
{
	static const char *const counts[] = { "real", "null", "erased", "unknown", "findings", "statements" };
	static const char *const lists[] = { "told", "faults" };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_put_int(v, counts[i], json_int(v, counts[i]) + json_int(part, counts[i]));
	for (size_t i = 0; i < 2; i++) {
		json_t *to = json_object_get(v, lists[i]), *from = json_object_get(part, lists[i]);
		for (size_t j = 0; j < json_array_size(from) && json_array_size(to) < 20 * AUDIT_TOLD_MAX; j++)
			if (json_array_append(to, json_array_get(from, j)) != 0)
				abort();
	}
	json_put_int(v, "size", json_int(part, "size"));
}

static void hashed(void *ctx, uint64_t leaves, uint64_t size)
{
	struct progress *p = ctx;

	p->total = size * LEAF_V1_BYTES;
	progress_at(p, leaves * LEAF_V1_BYTES);
}

/* --- a running home ------------------------------------------------------------------------------ */

static void inflated(void *ctx, uint64_t leaves, uint64_t size)
{
	struct auditor *a = ctx;

	hashed(&a->progress, leaves, size);
}

static void file_is_wrong(void *ctx, const char *text)
{
	add_fault(ctx, -1, text);
}

/* Before the first checkpoint has its quorum there is no file of it. The node is asked first: once it has something to show,
 * a file that is not there is a fault. */
static bool nothing_published(struct auditor *a, int log_fd, bool *ret, struct err *e)
{
	AUTO_JSON *status = NULL;

	if (!client_call(a->client, "status", NULL, &status, e))
		return false;
	*ret = json_text(json_object_get(status, "log"), "note")[0] == '\0' &&
	       faccessat(log_fd, "checkpoint", F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
	return true;
}

/* False only when nothing could be looked at; files that are wrong are a fault. */
static bool audit_files(struct auditor *a, const char *home, struct err *e)
{
	AUTO_FD dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct identity identity;
	struct log_audit files;
	struct err why = { 0 };
	AUTO_BUF text = { 0 };
	bool none;

	buf_init(&text, 4 * KIB);
	if (dir < 0)
		return err_system(e, "cannot open %s", home);
	if (!file_read(dir, "identity", &text, e) || !identity_parse(buf_bytes(&text), &identity, e))
		return false;
	AUTO_FD log = openat(dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log < 0)
		return err_system(e, "cannot open %s/log", home);
	if (!nothing_published(a, log, &none, e))
		return false;
	json_put_bool(a->v, "published", !none);
	if (none)
		return true;
	if (log_audit_files(log, &identity.log, hashed, &a->progress, &files, &why)) {
		a->checkpoint = files.checkpoint;
		(void)log_audit_compressed(log, files.checkpoint.size, inflated, file_is_wrong, a);
	} else {
		add_fault(a, -1, why.text);
	}
	json_put_int(a->v, "files", (int64_t)a->checkpoint.size);
	return true;
}

static bool ask_portion(struct auditor *a, struct err *e)
{
	AUTO_JSON *answer = NULL;
	json_t *in = json_object();
	bool first = a->at.leaf == 0 && a->at.statement == 0 && a->checkpoint.size > 0;
	uint8_t root[SHA256_BYTES];

	json_put_int(in, "leaf", (int64_t)a->at.leaf);
	json_put_int(in, "statement", a->at.statement);
	if (first)
		json_put_int(in, "size", (int64_t)a->checkpoint.size);
	if (!client_call(a->client, "log-audit", in, &answer, e))
		return false;
	if (first && (!json_must_hex(answer, "root", root, sizeof(root), e)))
		return false;
	if (first && memcmp(root, a->checkpoint.root, sizeof(root)) != 0)
		add_fault(a, -1, "files and store have different leaves");
	merge(a->v, answer);
	a->at.leaf = (uint64_t)json_int(answer, "leaf");
	a->at.statement = json_int(answer, "statement");
	a->at.done = json_bool(answer, "done");
	return true;
}

/* --- a backup --------------------------------------------------------------------------------------- */

/* The tree over all leaves of the store, against the last checkpoint that it holds. */
static bool audit_backup_tree(struct auditor *a, const char *vkey, struct err *e)
{
	struct query *q = store_query(a->store, QUERY_log_note_get);
	struct note_key key;
	struct note note;
	struct err why = { 0 };
	merkle_hash root;
	bool found, ok = query_row(q, &found, e);
	AUTO_BUF text = { 0 };

	buf_init(&text, NOTE_BYTES_MAX);
	if (ok && found)
		buf_add(&text, query_bytes(q, 1));
	query_end(q);
	if (!ok || !found)
		return ok; /* nothing was signed yet */
	if (vkey != NULL && !note_key_parse(bytes_of(vkey), &key, e))
		return false;
	ok = vkey != NULL ? checkpoint_verify(buf_bytes(&text), &key, &a->checkpoint, &why)
			  : note_parse(buf_bytes(&text), &note, &why) && checkpoint_parse(note.text, &a->checkpoint, &why);
	if (!ok)
		add_fault(a, -1, why.text);
	else if (!log_root_of_store(a->store, a->checkpoint.size, hashed, &a->progress, root, &why))
		add_fault(a, -1, why.text);
	else if (memcmp(root, a->checkpoint.root, sizeof(root)) != 0)
		add_fault(a, -1, "the leaves do not give the root of the last checkpoint");
	if (ok) /* what is of another log, or not signed by that key, has no size to tell */
		json_put_int(a->v, "signed", (int64_t)a->checkpoint.size);
	json_put_bool(a->v, "signature_checked", vkey != NULL && ok);
	return true;
}

static bool read_portion(struct auditor *a, struct err *e)
{
	AUTO_JSON *part = json_object();

	if (!audit_log_portion(a->store, &a->at, part, e))
		return false;
	merge(a->v, part);
	return true;
}

/* --- both ------------------------------------------------------------------------------------------- */

static bool portions(struct auditor *a, bool quiet, struct err *e)
{
	progress_end(&a->progress);
	progress_start(&a->progress, "opening", 0, quiet);
	while (!a->at.done) {
		if (!(a->client != NULL ? ask_portion(a, e) : read_portion(a, e)))
			return false;
		a->progress.total = (uint64_t)json_int(a->v, "size") * LEAF_V1_BYTES;
		progress_at(&a->progress, a->at.leaf * LEAF_V1_BYTES);
	}
	progress_end(&a->progress);
	return true;
}

static bool audit(const struct args *args, struct auditor *a, struct err *e)
{
	const char *backup = args_value(args, "backup"), *home;
	bool quiet = args_has(args, "quiet");

	progress_start(&a->progress, "hashing", 0, quiet);
	if (backup == NULL)
		return home_of(args, &home, e) && client_open(args, &a->client, e) && audit_files(a, home, e) && portions(a, quiet, e);
	AUTO_FD dir = open(backup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_system(e, "cannot open %s", backup);
	if (!store_open_backup(dir, &a->store, e))
		return err_note(e, "%s", backup);
	if (!audit_backup_tree(a, args_value(args, "key"), e))
		return false;
	/* The backup of the keys is a file of its own, kept apart: what cannot be opened is no fault. */
	bool keys = faccessat(dir, "keys.db", F_OK, 0) == 0;
	json_put_bool(a->v, "opened", keys);
	return !keys || portions(a, quiet, e);
}

static void print_list(const json_t *v, const char *name, const char *word, struct buf *out)
{
	const json_t *list = json_object_get(v, name), *x;
	size_t i;

	json_array_foreach(list, i, x) {
		if (json_int(x, "index") >= 0)
			buf_add_format(out, "%s leaf %" PRId64 ": ", word, json_int(x, "index"));
		else
			buf_add_format(out, "%s ", word);
		output_printable(out, json_text(x, "text"));
		buf_add_u8(out, '\n');
	}
}

static void print_audit(const json_t *v, struct buf *out)
{
	if (json_object_get(v, "files") != NULL)
		buf_add_format(out, "files: %" PRId64 " leaves hashed up to the signed checkpoint\n", json_int(v, "files"));
	if (json_is_false(json_object_get(v, "published")))
		buf_add_text(out, "files: nothing is published yet\n");
	if (json_object_get(v, "signed") != NULL)
		buf_add_format(out, "last checkpoint: %" PRId64 " leaves, %s\n", json_int(v, "signed"),
			       json_bool(v, "signature_checked") ? "signed by the key given" : "signature not checked (give --key)");
	if (json_is_false(json_object_get(v, "opened")))
		buf_add_format(out, "leaves: not opened, because keys.db is not in the folder (the backup of the keys, opened)\nfaults: %" PRId64 "\n",
			       json_int(v, "findings"));
	else
		buf_add_format(out,
		       "leaves: %" PRId64 "\n  real, rebuilt from their records: %" PRId64 "\n  null, rebuilt from the null key: %" PRId64
		       "\n  erased, class opened, act and tag not checked: %" PRId64 "\n  known not to open: %" PRId64
		       "\nstatements: %" PRId64 "\nfaults: %" PRId64 "\n",
		       json_int(v, "size"), json_int(v, "real"), json_int(v, "null"), json_int(v, "erased"), json_int(v, "unknown"),
		       json_int(v, "statements"), json_int(v, "findings"));
	print_list(v, "told", "note", out);
	print_list(v, "faults", "FAULT", out);
}

/* 1 when anything is a fault. */
int log_audit_command(const struct args *args)
{
	struct auditor a = { .v = json_object() };
	struct err e;
	int status;

	json_put(a.v, "told", json_array());
	json_put(a.v, "faults", json_array());
	json_put_int(a.v, "findings", 0);
	bool ok = audit(args, &a, &e);
	client_free(a.client);
	store_close(a.store);
	if (ok) {
		json_put_bool(a.v, "ok", json_int(a.v, "findings") == 0);
		status = output_value(args, a.v, print_audit);
		if (status == 0 && json_int(a.v, "findings") > 0)
			status = err_exit_status(ERR_REJECTED);
	} else {
		status = command_failed(&e);
	}
	json_decref(a.v);
	return status;
}
