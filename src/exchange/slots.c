/* Closing a slot: K leaves into the tree and one commit, which is what makes them last; then the
 * checkpoint is signed (the signer has its own durable cell), and tiles are published as files. The checkpoint
 * follows when it is proved (cosigning.h): what the world sees has its cosignatures. Ed25519 is deterministic, so
 * after a crash between commit and publication the same note is signed again; leaves that were committed and not signed are
 * signed with those of the next slot, which closes at once. The proved note is kept in the store
 * with the next slot at the latest. */
#include "exchange/slots.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/classes.h"
#include "exchange/cosigning.h"
#include "exchange/shown.h"
#include "exchange/openings.h"
#include "exchange/parameters.h"
#include "exchange/publish.h"
#include "exchange/record.h"
#include "log/leaf.h"

/* The checkpoint for the public follows a log of short slots at this pace; letters carry their own. */
#define PUBLISH_EVERY_MS 500

bool slots_publish(struct node *n, int64_t now_ms, struct err *e)
{
	const struct proved *p = cosigning_proved(n);

	if (!n->publish_due || p->checkpoint.size == 0)
		return true;
	/* A clock that was set back does not stop it. */
	if (now_ms >= n->published_ms && now_ms < n->published_ms + PUBLISH_EVERY_MS)
		return true;
	if (!log_publish(n->log, buf_bytes(&p->note), e))
		return false;
	n->published_ms = now_ms;
	n->publish_due = false;
	return publish_proved(n, e);
}

/* again: only what was signed already. */
static bool sign(struct node *n, bool again, struct err *e)
{
	struct signing_extension x = { .size = log_size(n->log) };
	struct checkpoint last;
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	if (!n->signer.last(n->signer.ctx, &last, &n->locked, e))
		return false;
	if (last.size > x.size) {
		n->locked = true;
		(void)!n->signer.checkpoint(n->signer.ctx, &x, &note, NULL); /* refused, and the signer locks itself */
		return err_set(e, ERR_CONFLICT, REASON_LOCKED,
			       "the store has %llu leaves but %llu were signed: it was restored from an older backup",
			       (unsigned long long)x.size, (unsigned long long)last.size);
	}
	if (again)
		x.size = last.size;
	if (!log_root_at(n->log, x.size, x.root, e) || !log_consistency(n->log, last.size, x.size, x.proof, &x.proof_count, e) ||
	    !n->signer.checkpoint(n->signer.ctx, &x, &note, e) ||
	    !checkpoint_verify(buf_bytes(&note), &n->identity.log, &n->checkpoint, e))
		return false;
	buf_clear(&n->note);
	buf_add(&n->note, buf_bytes(&note));
	/* Leaves go out at once: recovery may need them. */
	return buf_check(&n->note, "checkpoint", e) && log_publish_tiles(n->log, e);
}

bool slots_open(struct node *n, struct err *e)
{
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	struct err locked = { 0 };

	config_log_origin(&n->config, origin);
	buf_init(&n->note, NOTE_BYTES_MAX);
	if (!classes_null_key(n->store, true, n->null_key, e) || !log_open(n->store, n->log_fd, origin, &n->log, e) || !shown_load(n, e))
		return false;
	/* A slot that was committed and not signed waits for the look at witnesses as a new one does (cosigning.h). */
	if (n->locked || sign(n, true, &locked))
		return true;
	if (locked.reason != REASON_LOCKED) {
		*e = locked;
		return false;
	}
	n->locked = true;
	snprintf(n->locked_why, sizeof(n->locked_why), "%.199s", locked.text);
	return true;
}

void slots_close(struct node *n)
{
	struct err ignored;

	if (n->log != NULL && n->publish_due && cosigning_proved(n)->checkpoint.size > 0)
		(void)!log_publish(n->log, buf_bytes(&cosigning_proved(n)->note), &ignored);
}

/* The real leaves of one slot. */
struct waiting {
	int64_t seq;
	uint8_t hash[SHA256_BYTES];
	size_t at, len; /* in the bytes of all */
};
struct slot_real {
	struct waiting *wait;
	size_t count;
	struct buf bytes;
};

static bool drop_queued(struct node *n, const struct slot_real *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		struct query *q = store_query(n->store, QUERY_leaf_queue_drop_one);
		query_bind_int(q, 1, r->wait[i].seq);
		bool ok = query_run(q, e);
		query_end(q);
		if (!ok)
			return false;
	}
	return true;
}

/* Queued leaves of these ranks after the first `skip`, at most so many more. They stay in the queue until they stand in
 * the tree: what class a leaf is of is kept from there. */
static bool take_ranks(struct node *n, enum leaf_rank from, enum leaf_rank to, size_t skip, size_t most, struct slot_real *r,
		       struct err *e)
{
	size_t end = r->count + most;
	struct query *q;
	bool found, ok;

	if (most == 0)
		return true;
	q = store_query(n->store, QUERY_leaf_queue_take);
	query_bind_int(q, 1, from);
	query_bind_int(q, 2, to);
	query_bind_int(q, 3, (int64_t)(skip + most));
	while ((ok = query_row(q, &found, e)) && found && r->count < end) {
		if (skip > 0) {
			skip--;
			continue;
		}
		struct waiting *w = &r->wait[r->count];
		struct bytes hash = query_bytes(q, 1), leaf = query_bytes(q, 2);

		ok = hash.len == SHA256_BYTES || err_set(e, ERR_SYSTEM, REASON_MALFORMED, "a queued leaf has no hash");
		if (!ok)
			break;
		*w = (struct waiting){ .seq = query_int(q, 0), .at = r->bytes.len, .len = leaf.len };
		memcpy(w->hash, hash.at, SHA256_BYTES);
		buf_add(&r->bytes, leaf);
		r->count++;
	}
	query_end(q);
	return ok && buf_check(&r->bytes, "leaves of a slot", e);
}

/* Real leaves, at most a slot's: ours first, but a quarter is for letters that came and then for pages, so that
 * neither a busy office nor a peer that floods keeps the other's acts out of the log. */
static bool take_queued(struct node *n, size_t most, struct slot_real *r, struct err *e)
{
	size_t reserve = most / 4 > 0 ? most / 4 : most > 1, own;

	if (!take_ranks(n, LEAF_RANK_OWN, LEAF_RANK_OWN, 0, most - reserve, r, e))
		return false;
	own = r->count;
	return take_ranks(n, LEAF_RANK_PEER, LEAF_RANK_PAGE, 0, most - r->count, r, e) &&
	       take_ranks(n, LEAF_RANK_OWN, LEAF_RANK_OWN, own, most - r->count, r, e);
}

static bool append_real(struct node *n, const struct slot_real *r, size_t which, struct err *e)
{
	const struct waiting *w = &r->wait[which];
	uint64_t index;

	return log_append(n->log, bytes_slice(buf_bytes(&r->bytes), w->at, w->len), w->hash, &index, e) &&
	       classes_keep(n, w->seq, index, e);
}

static bool append_null(struct node *n, const char *week, struct err *e)
{
	uint8_t leaf[LEAF_V1_BYTES];

	leaf_write_null(n->null_key, log_size(n->log), bytes_of(week), leaf);
	return log_append(n->log, BYTES_ARRAY(leaf), NULL, NULL, e);
}

static void shuffle(struct waiting *w, size_t count, const uint64_t *draws)
{
	for (size_t i = count; i > 1; i--) {
		struct waiting other = w[i - 1];
		size_t with = (size_t)(draws[i - 1] % i);

		w[i - 1] = w[with];
		w[with] = other;
	}
}

/* A slot's leaves stand in no order: were real ones first, anybody could tell them (crypto.md 3.1). At each place it is a
 * real one with the share that real ones have in what is left; then every choice of places is equally likely. */
static bool append_mixed(struct node *n, size_t k, struct slot_real *r, int64_t now_ms, struct err *e)
{
	uint64_t *draws = calloc(2 * k + 1, sizeof(*draws));
	size_t done = 0;
	char week[16];
	bool ok = true;

	if (draws == NULL)
		abort();
	chance_fill(draws, (2 * k + 1) * sizeof(*draws));
	shuffle(r->wait, r->count, draws + k);
	time_write_week(now_ms, week);
	for (size_t i = 0; ok && i < k; i++) {
		bool real = draws[i] % (k - i) < r->count - done;
		ok = real ? append_real(n, r, done, e) : append_null(n, week, e);
		done += real;
	}
	free(draws);
	return ok;
}

static bool fill_slot(struct node *n, int64_t now_ms, struct err *e)
{
	size_t k = (size_t)parameters_leaves(n, now_ms);
	struct slot_real r = { .wait = calloc(k + 1, sizeof(*r.wait)) };
	bool ok;

	if (r.wait == NULL)
		abort();
	buf_init(&r.bytes, (k + 1) * LEAF_BYTES_MAX);
	ok = openings_slot(n, now_ms, e) && take_queued(n, k, &r, e) && append_mixed(n, k, &r, now_ms, e) && drop_queued(n, &r, e) &&
	     cosigning_save(n, e) && log_save(n->log, e);
	buf_release(&r.bytes);
	free(r.wait);
	return ok;
}

bool node_slot(struct node *n, int64_t now_ms, struct err *e)
{
	int64_t slot = parameters_slot_ms(n, now_ms);

	/* A clock that was set back does not stop the log. */
	if (now_ms < n->next_slot_ms && n->next_slot_ms - now_ms <= slot)
		return slots_publish(n, now_ms, e); /* what the pace held back */
	if (!n->locked && cosigning_looking(n)) {
		n->next_slot_ms = now_ms + (slot < COSIGNING_LOOK_AGAIN_MS ? slot : COSIGNING_LOOK_AGAIN_MS);
		return slots_publish(n, now_ms, e);
	}
	n->next_slot_ms = now_ms - now_ms % slot + slot;
	if (n->locked)
		return shown_write(n, e); /* what waits keeps waiting: nothing is logged that cannot be signed */
	if (!parameters_state(n, e) || !node_begin(n, e))
		return false;
	if (!fill_slot(n, now_ms, e)) {
		log_rollback(n->log);
		node_rollback(n);
		return err_note(e, "closing a slot of the log");
	}
	if (!node_commit(n, e)) {
		log_rollback(n->log);
		return err_note(e, "closing a slot of the log");
	}
	log_committed(n->log);
	cosigning_saved(n);
	n->slot_us = clock_monotonic_us();
	n->outbox_changed = true;
	if (sign(n, false, e) && cosigning_signed(n, now_ms, e))
		return slots_publish(n, now_ms, e);
	if (e != NULL && e->reason == REASON_LOCKED)
		snprintf(n->locked_why, sizeof(n->locked_why), "%.199s", e->text);
	return err_note(e, "signing the checkpoint");
}

/* Index and bytes of our leaf for this act. */
static bool leaf_find(struct node *n, const uint8_t *hash, uint64_t *ret_index, struct buf *leaf, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_log_leaf_of);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		*ret_index = (uint64_t)query_int(q, 0);
		if (leaf != NULL)
			buf_add(leaf, query_bytes(q, 1));
	}
	query_end(q);
	if (ok && !found)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "not in the log yet: it waits for the next slot");
	return ok;
}

bool node_leaf(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	uint64_t index;

	return leaf_find(n, hash, &index, out, e);
}

bool node_proof(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	return node_proof_under(n, hash, cosigning_proved(n), out, e);
}

bool node_proof_under(struct node *n, const uint8_t hash[static 32], const struct proved *u, struct buf *out, struct err *e)
{
	struct tlog_proof p = { 0 };

	if (!leaf_find(n, hash, &p.index, NULL, e))
		return false;
	if (p.index >= u->checkpoint.size)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNLOGGED, "no checkpoint with enough cosignatures covers it yet");
	if (!log_inclusion(n->log, p.index, u->checkpoint.size, p.hashes, &p.hash_count, e))
		return false;
	p.note = buf_bytes(&u->note);
	tlog_proof_write(&p, out);
	return buf_check(out, "proof", e);
}

bool node_counterproof(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	struct record_keys keys;
	AUTO_BUF leaf = { 0 }, proof = { 0 };

	buf_init(&leaf, LEAF_BYTES_MAX);
	buf_init(&proof, NOTE_BYTES_MAX);
	if (!node_leaf(n, hash, &leaf, e) || !node_proof(n, hash, &proof, e) || !node_record_keys(n, hash, &keys, e))
		return false;
	bool ok = counterproof_write(hash, buf_bytes(&leaf), keys.opening, buf_bytes(&proof), out, e);
	wipe(&keys, sizeof(keys));
	return ok;
}
