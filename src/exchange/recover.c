/* Recovery reads entry bundles only; every leaf is believed because all of them together give the root that
 * this home signed, either as the signer's cell remembers it or as the newer of the two files says. */
#include "exchange/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "exchange/cosigning.h"
#include "exchange/pair-recover.h"
#include "exchange/classes.h"
#include "exchange/publish.h"
#include "exchange/shown.h"

#define BUNDLE_ENTRIES 256u
#define BUNDLE_BYTES_MAX (BUNDLE_ENTRIES * (2 + LEAF_BYTES_MAX))

/* The furthest checkpoint that is known to have been signed. */
static bool furthest(struct node *n, int aside, struct checkpoint *ret, struct err *e)
{
	struct checkpoint file;
	AUTO_BUF note = { 0 };
	bool locked;

	buf_init(&note, NOTE_BYTES_MAX);
	if (!n->signer.last(n->signer.ctx, ret, &locked, e))
		return false;
	/* What a witness showed may be one that never had its quorum, and so is in no file. */
	shown_furthest(n, ret);
	if (aside < 0 || faccessat(aside, "checkpoint", F_OK, 0) != 0)
		return true;
	if (!file_read(aside, "checkpoint", &note, e) || !checkpoint_verify(buf_bytes(&note), &n->identity.log, &file, e))
		return err_note(e, "%s/checkpoint", RECOVER_FOLDER);
	if (file.size > ret->size)
		*ret = file;
	return true;
}

/* A bundle of at least `width` entries: the full one, or the smallest partial one that has them. */
static bool bundle_read(int aside, uint64_t number, unsigned width, struct buf *out, struct err *e)
{
	char path[96];
	struct err why = { 0 };

	tile_path(-1, number, BUNDLE_ENTRIES, path);
	bool found = file_read(aside, path, out, &why);
	for (unsigned w = width; !found && why.kind == ERR_NOT_FOUND && w < BUNDLE_ENTRIES; w++) {
		buf_clear(out);
		tile_path(-1, number, w, path);
		found = file_read(aside, path, out, &why);
	}
	if (found)
		return true;
	tile_path(-1, number, width, path);
	return err_set(e, ERR_CONFLICT, REASON_LOCKED, "%s/%s or a wider one is needed: %s", RECOVER_FOLDER, path, why.text);
}

/* A leaf that still waits in the restored queue was logged already: it keeps its statement and waits no more. */
static bool queued_hash(struct node *n, struct bytes leaf, uint64_t index, uint8_t hash[static SHA256_BYTES], bool *ret_found,
			struct err *e)
{
	struct query *q = store_query(n->store, QUERY_leaf_queue_find);
	int64_t seq = 0;
	bool ok;

	query_bind_bytes(q, 1, leaf);
	ok = query_row(q, ret_found, e);
	if (ok && *ret_found && query_bytes(q, 1).len == SHA256_BYTES) {
		seq = query_int(q, 0);
		memcpy(hash, query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	if (!ok || !*ret_found)
		return ok;
	if (!classes_keep(n, seq, index, e))
		return false;
	q = store_query(n->store, QUERY_leaf_queue_drop_one);
	query_bind_int(q, 1, seq);
	ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool bundle_append(struct node *n, struct bytes bundle, uint64_t first, uint64_t end, struct err *e)
{
	struct reader r = reader_over(bundle);
	uint8_t hash[SHA256_BYTES];
	uint64_t index;

	for (uint64_t i = first; i < end; i++) {
		struct bytes leaf = reader_take(&r, reader_u16(&r));
		bool queued = false;
		if (!reader_ok(&r) || leaf.len > LEAF_BYTES_MAX)
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: an entry bundle is cut", RECOVER_FOLDER);
		if (i < log_size(n->log))
			continue;
		if (!queued_hash(n, leaf, i, hash, &queued, e) || !log_append(n->log, leaf, queued ? hash : NULL, &index, e))
			return false;
	}
	return true;
}

static bool leaves_back(struct node *n, int aside, const struct checkpoint *to, struct err *e)
{
	AUTO_BUF bundle = { 0 };
	uint64_t before = log_size(n->log);
	merkle_hash root;

	buf_init(&bundle, BUNDLE_BYTES_MAX);
	for (uint64_t b = log_size(n->log) / BUNDLE_ENTRIES; b * BUNDLE_ENTRIES < to->size; b++) {
		uint64_t first = b * BUNDLE_ENTRIES, end = first + BUNDLE_ENTRIES;
		if (end > to->size)
			end = to->size;
		buf_clear(&bundle);
		if (!bundle_read(aside, b, (unsigned)(end - first), &bundle, e) || !bundle_append(n, buf_bytes(&bundle), first, end, e))
			return false;
	}
	log_root(n->log, root);
	if (!classes_unopened(n->store, before, log_size(n->log), "brought back after a restore", e))
		return false;
	if (memcmp(root, to->root, sizeof(root)) != 0)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "the leaves in %s do not lead to the root that was signed", RECOVER_FOLDER);
	return log_save(n->log, e);
}

static bool bring_back(struct node *n, int aside, const struct checkpoint *to, struct err *e)
{
	if (!node_begin(n, e))
		return false;
	if (!leaves_back(n, aside, to, e)) {
		log_rollback(n->log);
		node_rollback(n);
		return false;
	}
	if (!node_commit(n, e)) {
		log_rollback(n->log);
		return false;
	}
	log_committed(n->log);
	return true;
}

/* Who has letters of ours, or sent us some, says how many. */
static bool peers_to_ask(struct node *n, const char *const *without, struct err *e)
{
	if (!node_begin(n, e))
		return false;
	if (pair_recovery_begin(n, without, e))
		return node_commit(n, e);
	node_rollback(n);
	return false;
}

/* An empty one is where files can be brought to. */
static bool aside_open(struct node *n, int *ret, struct err *e)
{
	int fd = openat(n->home_fd, RECOVER_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return err_system(e, "cannot open %s", RECOVER_FOLDER);
	if (fd >= 0 && faccessat(fd, "tile", F_OK, 0) != 0 && faccessat(fd, "checkpoint", F_OK, 0) != 0)
		fd_close_at(&fd);
	*ret = fd;
	return true;
}

bool node_recover(struct node *n, const char *const *without, struct recovered *ret, struct err *e)
{
	uint64_t before = log_size(n->log), acts = 0;
	AUTO_FD aside = -1;
	struct checkpoint to;

	if (!shown_contained(n, false, e) || !aside_open(n, &aside, e) || !furthest(n, aside, &to, e))
		return false;
	if (to.size > before && aside < 0)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED,
			       "the store has %llu leaves, %llu were signed, and there are no log files in %s to bring them back from: "
			       "signing stays locked (comity log recover --from a mirror, or a copy of the log)",
			       (unsigned long long)before, (unsigned long long)to.size, RECOVER_FOLDER);
	if (to.size > before && !bring_back(n, aside, &to, e))
		return err_note(e, "signing stays locked");
	if (!shown_contained(n, true, e))
		return false;
	/* Asking again with others left out is how an officer gives up on a peer that is gone. */
	if (aside >= 0 && !publish_back(n, aside, &acts, e))
		return false;
	if (((n->locked || n->recoveries > 0) && !peers_to_ask(n, without, e)) || !n->signer.unlock(n->signer.ctx, e))
		return false;
	if (n->locked)
		cosigning_look_again(n);
	*ret = (struct recovered){ .leaves = log_size(n->log) - before, .acts = acts };
	n->locked = false;
	n->locked_why[0] = '\0';
	return true;
}

/* --- a home that stands still ------------------------------------------------------------------------- */

/* No published checkpoint is no fault: one that never had its quorum is in no file. */
static bool files_hold(int home_fd, const struct note_key *log_key)
{
	AUTO_FD log = openat(home_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log_audit a;

	return log >= 0 && (faccessat(log, "checkpoint", F_OK, 0) != 0 || log_audit_files(log, log_key, NULL, NULL, &a, NULL));
}

bool recover_is_whole(int home_fd, struct store *s, const struct note_key *log_key, const struct checkpoint *last, bool *ret,
		      struct err *e)
{
	bool has = false, has_shown = false;

	*ret = false;
	if (!shown_is_in_store(s, last, &has, e) || !shown_in_store(s, log_key, &has_shown, e))
		return false;
	*ret = has && has_shown && files_hold(home_fd, log_key);
	return true;
}
