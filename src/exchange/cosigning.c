/* Rounds of cosigning. What is believed is decided here and nowhere else: a witness's line counts only after
 * it verified under the very checkpoint that was sent, and the policy of the register, without our own keys and without
 * what is dated ahead, says when there are enough. Until then nothing is published, and no letter leaves. What is proved goes into the
 * store, so that a node that was started again has a proof to show before its witnesses are awake. */
#include "exchange/cosigning-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* The way to the receiver, and its clock. */
#define STALE_SPARE_MS 60000

static void proved_init(struct proved *p)
{
	buf_init(&p->note, NOTE_BYTES_MAX);
}

void proved_copy(struct proved *to, const struct proved *from)
{
	to->checkpoint = from->checkpoint;
	to->quorum_ms = from->quorum_ms;
	to->witnesses = from->witnesses;
	buf_clear(&to->note);
	buf_add(&to->note, buf_bytes(&from->note));
}

static void proved_none(struct proved *p)
{
	p->checkpoint = (struct checkpoint){ 0 };
	p->quorum_ms = 0;
	p->witnesses = 0;
	buf_clear(&p->note);
}

struct cosigning *cosigning_new(void)
{
	struct cosigning *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	proved_init(&c->candidate);
	proved_init(&c->proved);
	return c;
}

static void watcher_free(struct watcher *w)
{
	buf_release(&w->signed_under.note);
	free(w);
}

void cosigning_free(struct cosigning *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		watcher_free(c->watchers[i]);
	buf_release(&c->candidate.note);
	buf_release(&c->proved.note);
	free(c);
}

const struct proved *cosigning_proved(const struct node *n)
{
	return &n->cosigning->proved;
}

struct proved *cosigning_current(struct cosigning *c)
{
	if (c->candidate.checkpoint.size > 0)
		return &c->candidate;
	return c->has_policy && c->proved.checkpoint.size > 0 ? &c->proved : NULL;
}

/* --- the policy ------------------------------------------------------------------------------------------- */

/* The policy of our log, when it wants cosignatures. */
static const struct register_policy *policy_of(const struct node *n, int64_t now_ms)
{
	const struct register_policy *p = register_policy(n->reg, node_party(n), now_ms);

	return p != NULL && !policy_wants_none(p->policy) ? p : NULL;
}

bool cosigning_is_ahead(int64_t signed_ms, int64_t now_ms)
{
	return signed_ms > now_ms + COSIGNING_AHEAD_MS;
}

bool cosigning_is_behind(const struct node *n, int64_t signed_ms, int64_t now_ms)
{
	const struct register_policy *p = policy_of(n, now_ms);

	return p != NULL && now_ms - signed_ms > p->max_age_ms / 2;
}

bool watcher_has_signed(const struct watcher *w, const struct proved *p, int64_t now_ms)
{
	return w->signed_under.checkpoint.size == p->checkpoint.size && !cosigning_is_ahead(w->signed_under.quorum_ms, now_ms);
}

/* A receiver would reject it for its age, or because it would not count what is dated ahead. */
static bool too_old_or_ahead(const struct node *n, int64_t since, int64_t now_ms)
{
	const struct register_policy *p = policy_of(n, now_ms);
	int64_t spare;

	if (p == NULL || since == 0)
		return false;
	spare = p->max_age_ms / 4 < STALE_SPARE_MS ? p->max_age_ms / 4 : STALE_SPARE_MS;
	return now_ms - since > p->max_age_ms - spare || cosigning_is_ahead(since, now_ms);
}

bool cosigning_stale(const struct node *n, int64_t now_ms)
{
	return too_old_or_ahead(n, n->cosigning->proved.quorum_ms, now_ms);
}

/* A log's own party never counts (design.md part 10): not its log key, not its witness, whatever the policy says. */
static bool is_our_own(const struct node *n, const struct note_key *k)
{
	const struct party *us = register_party(n->reg, bytes_of(node_party(n)));
	char witness[NOTE_NAME_BYTES_MAX + 16];

	snprintf(witness, sizeof(witness), "%s/witness", n->identity.log.name);
	return note_key_same(k, &n->identity.log) || (n->identity.has_witness && note_key_same(k, &n->identity.witness)) ||
	       strcmp(k->name, witness) == 0 || strcmp(k->name, n->identity.log.name) == 0 ||
	       (us != NULL && us->has_witness && note_key_same(k, &us->witness_key));
}

struct watcher *watcher_find(struct cosigning *c, const struct note_key *k)
{
	for (size_t i = 0; i < c->count; i++)
		if (note_key_same(&c->watchers[i]->key, k))
			return c->watchers[i];
	return NULL;
}

/* It is asked again. */
static void signed_nothing(struct watcher *w)
{
	proved_none(&w->signed_under);
	w->told_size = 0;
}

/* NULL when there is no room. */
static struct watcher *watcher_add(struct cosigning *c, const struct note_key *k, const char *url)
{
	struct watcher *w = watcher_find(c, k);

	if (w == NULL && c->count == COSIGNING_WITNESSES_MAX)
		return NULL;
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			abort();
		proved_init(&w->signed_under);
		c->watchers[c->count++] = w;
	} else if (strcmp(w->key.name, k->name) != 0) {
		signed_nothing(w); /* by that name */
	}
	w->key = *k;
	/* Cut off it would be the address of somebody else. */
	snprintf(w->url, sizeof(w->url), "%s", strlen(url) < sizeof(w->url) ? url : "");
	return w;
}

static void drop_unneeded(struct cosigning *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (c->watchers[i]->counts || c->watchers[i]->for_peer)
			c->watchers[kept++] = c->watchers[i];
		else
			watcher_free(c->watchers[i]);
	}
	c->count = kept;
}

static bool policy_has(const struct policy *p, const struct note_key *k)
{
	for (size_t i = 0; p != NULL && i < policy_witness_count(p); i++)
		if (note_key_same(&policy_witness_at(p, i)->key, k))
			return true;
	return false;
}

/* Those of an earlier policy go; who stays keeps what is known of it. Those of peers come back where they are needed, when
 * the policy's have their room (cosigning_peers). */
static void watchers_of(struct node *n, const struct policy *p)
{
	struct cosigning *c = n->cosigning;

	for (size_t i = 0; i < c->count; i++) {
		c->watchers[i]->counts = policy_has(p, &c->watchers[i]->key);
		c->watchers[i]->for_peer = false;
		signed_nothing(c->watchers[i]); /* of the new round's note */
	}
	drop_unneeded(c);
	for (size_t i = 0; i < c->count; i++)
		c->watchers[i]->counts = false;
	for (size_t i = 0; p != NULL && i < policy_witness_count(p); i++) {
		const struct policy_witness *x = policy_witness_at(p, i);
		struct watcher *w = is_our_own(n, &x->key) ? NULL : watcher_add(c, &x->key, x->url);

		if (w != NULL)
			w->counts = true;
	}
	drop_unneeded(c); /* our own */
}

struct doubt {
	const struct node *n;
	const struct note *note;
	int64_t latest_ms;
};

static bool does_not_count(void *ctx, const struct note_key *k)
{
	const struct doubt *d = ctx;

	return is_our_own(d->n, k) || cosignature_is_after(d->note, k, d->latest_ms);
}

/* Whether the register's policy is met by this note. A cosignature that we have taken verified: one that fails here
 * is of a key that changed, and then the note is worth nothing. One may have been taken while our clock was wrong. */
static bool is_enough(const struct node *n, const struct register_policy *p, struct proved *proved, int64_t now_ms)
{
	struct policy_verdict v = { 0 };
	struct note note;
	struct doubt d = { n, &note, now_ms + COSIGNING_AHEAD_MS };

	if (!note_parse(buf_bytes(&proved->note), &note, NULL) || !policy_evaluate(p->policy, &note, does_not_count, &d, &v, NULL))
		return false;
	policy_verdict_release(&v);
	if (v.met) {
		proved->quorum_ms = v.quorum_ms;
		proved->witnesses = v.witnesses;
	}
	return v.met;
}

static bool same_policy(const struct cosigning *c, const struct register_policy *p)
{
	if (!c->looked || c->has_policy != (p != NULL))
		return false;
	return p == NULL || memcmp(p->hash, c->policy, sizeof(c->policy)) == 0;
}

bool cosigning_policy_is_known(const struct node *n, int64_t now_ms)
{
	return same_policy(n->cosigning, policy_of(n, now_ms));
}

bool cosigning_policy(struct node *n, int64_t now_ms, struct err *e)
{
	struct cosigning *c = n->cosigning;
	const struct register_policy *p = policy_of(n, now_ms);

	if (same_policy(c, p))
		return true;
	c->looked = true;
	c->has_policy = p != NULL;
	if (p != NULL)
		memcpy(c->policy, p->hash, sizeof(c->policy));
	watchers_of(n, p != NULL ? p->policy : NULL);
	proved_none(&c->candidate);
	c->waiting_since = c->beyond_since = 0;
	/* What was proved by another policy would be under-witnessed to those who know this one. */
	if (p != NULL && c->proved.checkpoint.size > 0 && !is_enough(n, p, &c->proved, now_ms))
		proved_none(&c->proved);
	return cosigning_signed(n, now_ms, e);
}

/* --- how long it takes ------------------------------------------------------------------------------------ */

/* Slots that wait for their proof. When there are too many, later ones are not measured: the oldest say the truth. */
static void slot_waits(struct node *n)
{
	struct cosigning *c = n->cosigning;

	if (n->slot_us == 0 || c->slot_count == COSIGNING_SLOTS_MAX ||
	    (c->slot_count > 0 && c->slots[c->slot_count - 1].size >= n->checkpoint.size))
		return;
	c->slots[c->slot_count].size = n->checkpoint.size;
	c->slots[c->slot_count++].committed_us = n->slot_us;
}

static void slots_proved(struct cosigning *c)
{
	int64_t now_us = clock_monotonic_us();
	size_t kept = 0;

	for (size_t i = 0; i < c->slot_count; i++) {
		if (c->slots[i].size <= c->proved.checkpoint.size)
			latency_add(&c->latency, now_us - c->slots[i].committed_us, 1);
		else
			c->slots[kept++] = c->slots[i];
	}
	c->slot_count = kept;
}

/* --- rounds ----------------------------------------------------------------------------------------------- */

void cosigning_begin(struct node *n, int64_t now_ms)
{
	struct cosigning *c = n->cosigning;

	c->candidate.checkpoint = n->checkpoint;
	c->candidate.quorum_ms = 0;
	c->candidate.witnesses = 0;
	buf_clear(&c->candidate.note);
	buf_add(&c->candidate.note, buf_bytes(&n->note));
	c->begun_ms = now_ms;
	c->beyond_since = 0;
}

/* One signature is enough. */
static void prove_alone(struct node *n)
{
	struct cosigning *c = n->cosigning;

	if (c->proved.checkpoint.size == n->checkpoint.size && bytes_equal(buf_bytes(&c->proved.note), buf_bytes(&n->note)))
		return;
	c->proved.checkpoint = n->checkpoint;
	c->proved.quorum_ms = 0;
	c->proved.witnesses = 0;
	buf_clear(&c->proved.note);
	buf_add(&c->proved.note, buf_bytes(&n->note));
	c->unsaved = true;
	n->publish_due = true;
	n->outbox_changed = true;
}

bool cosigning_signed(struct node *n, int64_t now_ms, struct err *e)
{
	struct cosigning *c = n->cosigning;
	const struct register_policy *p = policy_of(n, now_ms);

	if (!same_policy(c, p))
		return cosigning_policy(n, now_ms, e); /* comes back here */
	if (n->note.len == 0)
		return true;
	if (p == NULL) {
		prove_alone(n);
		return true;
	}
	if (n->checkpoint.size <= c->proved.checkpoint.size)
		return true;
	slot_waits(n);
	if (c->waiting_since == 0)
		c->waiting_since = now_ms;
	if (c->candidate.checkpoint.size == 0)
		cosigning_begin(n, now_ms);
	else if (c->beyond_since == 0 && n->checkpoint.size > c->candidate.checkpoint.size)
		c->beyond_since = now_ms;
	return true;
}

bool cosigning_gained(struct node *n, struct proved *p, int64_t now_ms, struct err *e)
{
	struct cosigning *c = n->cosigning;
	const struct register_policy *policy = policy_of(n, now_ms);
	bool again = p == &c->proved;

	if (policy == NULL || !is_enough(n, policy, p, now_ms))
		return true;
	if (!again) {
		proved_copy(&c->proved, p);
		slots_proved(c);
		proved_none(&c->candidate);
		c->waiting_since = c->beyond_since;
		c->beyond_since = 0;
		c->paged_since = 0;
		if (n->checkpoint.size > c->proved.checkpoint.size)
			cosigning_begin(n, now_ms);
		n->outbox_changed = true;
	}
	c->unsaved = true;
	n->publish_due = true;
	return cosigning_save(n, e);
}

/* --- over restarts ------------------------------------------------------------------------------------------ */

bool cosigning_save(struct node *n, struct err *e)
{
	struct cosigning *c = n->cosigning;
	struct query *q;

	if (!c->unsaved || c->proved.checkpoint.size == 0)
		return true;
	q = store_query(n->store, QUERY_log_note_put);
	query_bind_int(q, 1, (int64_t)c->proved.checkpoint.size);
	query_bind_bytes(q, 2, buf_bytes(&c->proved.note));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

void cosigning_saved(struct node *n)
{
	n->cosigning->unsaved = false;
}

/* Only what is signed by us and of this very tree. */
static bool is_ours(struct node *n, struct bytes note, struct checkpoint *ret)
{
	merkle_hash root;

	return checkpoint_verify(note, &n->identity.log, ret, NULL) && ret->size > 0 && ret->size <= log_size(n->log) &&
	       log_root_at(n->log, ret->size, root, NULL) && memcmp(root, ret->root, sizeof(root)) == 0;
}

bool cosigning_open(struct node *n, struct err *e)
{
	struct cosigning *c = n->cosigning;
	struct query *q = store_query(n->store, QUERY_log_note_get);
	bool found, ok = query_row(q, &found, e);

	proved_none(&c->proved);
	if (ok && found)
		buf_add(&c->proved.note, query_bytes(q, 1));
	query_end(q);
	if (ok && c->proved.note.len > 0 && !is_ours(n, buf_bytes(&c->proved.note), &c->proved.checkpoint))
		proved_none(&c->proved);
	c->looked = false; /* whether the note is enough by today's policy is looked at now */
	cosigning_look_again(n);
	return ok && cosigning_signed(n, clock_now_ms(), e);
}

/* --- proof-pending ------------------------------------------------------------------------------------------ */

bool cosigning_peers(struct node *n, struct err *e)
{
	struct cosigning *c = n->cosigning;
	struct query *q;
	bool found, ok;

	for (size_t i = 0; i < c->count; i++)
		c->watchers[i]->for_peer = false;
	if (cosigning_missed_since(n) == 0) {
		drop_unneeded(c);
		return true;
	}
	q = store_query(n->store, QUERY_outbox_peers);
	while ((ok = query_row(q, &found, e)) && found) {
		const struct party *p = register_party(n->reg, query_bytes(q, 0));
		const struct kind *k = kind_find(query_bytes(q, 1));

		if (p == NULL || k == NULL || !k->may_go_pending || !p->has_witness || is_our_own(n, &p->witness_key))
			continue;
		struct watcher *w = watcher_find(c, &p->witness_key);

		if (w == NULL || !w->counts) /* the policy says where its own are */
			w = watcher_add(c, &p->witness_key, p->witness_url);
		if (w != NULL)
			w->for_peer = true;
	}
	query_end(q);
	if (ok)
		drop_unneeded(c);
	return ok;
}

int64_t cosigning_reach(const struct node *n, int64_t now_ms)
{
	return cosigning_stale(n, now_ms) ? 0 : (int64_t)n->cosigning->proved.checkpoint.size;
}

const struct proved *cosigning_pending(const struct node *n, const char *party)
{
	const struct party *p = register_party(n->reg, bytes_of(party));
	const struct watcher *w;

	if (p == NULL || !p->has_witness || cosigning_missed_since(n) == 0 || is_our_own(n, &p->witness_key))
		return NULL;
	w = watcher_find(n->cosigning, &p->witness_key);
	if (w == NULL || w->signed_under.checkpoint.size == 0 || too_old_or_ahead(n, w->signed_under.quorum_ms, clock_now_ms()))
		return NULL;
	return &w->signed_under;
}
