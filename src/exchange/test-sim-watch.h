/* For test-simulation.c: those who watch. Monitors follow every log from files, once a day, each from its own place in the
 * network, and compare what witnesses show; homes look at what they were promised. What a monitor has read of leaves is
 * also all that an observer gets (test-sim-observer.h). */
#ifndef COMITY_EXCHANGE_TEST_SIM_WATCH_H
#define COMITY_EXCHANGE_TEST_SIM_WATCH_H

#include "exchange/test-sim-cheats.h"

#include "exchange/closings.h"
#include "exchange/overdue.h"
#include "log/monitor.h"

/* What monitor 0 has read of one log, in order. */
struct observed {
	uint8_t (*leaf)[LEAF_V1_BYTES];
	size_t count, room;
};

/* A checkpoint that had its quorum: so many leaves, and when it was last cosigned. */
struct sighting {
	size_t leaves;
	int64_t ms;
};

struct watched_tree {
	struct monitor *monitor;
	struct observed read;
	struct sighting newest, smaller; /* smaller: the one before, of fewer leaves */
};

struct sim_monitor {
	struct watched_tree tree[SIM_HOMES_MAX];
};

static inline bool observe(void *ctx, uint64_t index, struct bytes entry, struct err *e)
{
	struct observed *o = ctx;

	assert_int_equal(entry.len, LEAF_V1_BYTES);
	if (index < o->count) /* read again after a failure */
		return true;
	assert_int_equal(index, o->count);
	if (o->count == o->room) {
		o->room = o->room == 0 ? 1024 : 2 * o->room;
		o->leaf = realloc(o->leaf, o->room * sizeof(*o->leaf));
		if (o->leaf == NULL)
			abort();
	}
	memcpy(o->leaf[o->count++], entry.at, LEAF_V1_BYTES);
	return true;
}

static inline void monitors_begin(struct sim *s)
{
	s->monitor = calloc(SIM_MONITORS, sizeof(*s->monitor));
	if (s->monitor == NULL)
		abort();
	for (size_t m = 0; m < SIM_MONITORS; m++)
		for (size_t i = 0; i < s->homes; i++) {
			struct watched_tree *t = &s->monitor[m].tree[i];
			struct monitor_options o = { .log_key = s->home[i].log_key, .leaf = observe, .ctx = &t->read };
			t->monitor = monitor_new(&o);
		}
}

static inline void monitors_end(struct sim *s)
{
	for (size_t m = 0; m < SIM_MONITORS; m++)
		for (size_t i = 0; i < s->homes; i++) {
			monitor_free(s->monitor[m].tree[i].monitor);
			free(s->monitor[m].tree[i].read.leaf);
		}
	free(s->monitor);
}

/* Cosignatures by the policy that the register has for this log now. */
static inline void monitor_judges(struct sim *s, int m, int i)
{
	struct watched_tree *t = &s->monitor[m].tree[i];
	const struct party *p = register_party(s->public, bytes_of(s->home[i].code));
	const struct register_policy *policy = register_policy(s->public, s->home[i].code, s->now);
	struct policy_verdict v = { 0 };
	struct note note;

	if (policy == NULL || monitor_note(t->monitor).len == 0)
		return;
	assert_ok(note_parse(monitor_note(t->monitor), &note, e));
	assert_ok(policy_evaluate(policy->policy, &note, p != NULL ? party_holds : NULL, (void *)(uintptr_t)p, &v, e));
	if (v.met) {
		if (t->read.count > t->newest.leaves)
			t->smaller = t->newest;
		t->newest = (struct sighting){ t->read.count, v.newest_ms };
	}
	if (!v.met && v.witnesses == 0 && t->newest.ms != 0) /* it had its quorum once, and now shows what nobody else has signed */
		accuse(s, BY_MONITOR, m, i, REASON_UNDER_WITNESSED);
	policy_verdict_release(&v);
}

/* Evidence is worth something when a stranger can verify it: two notes of this log's key that cannot both be. */
static inline void evidence_verifies(struct sim *s, int m, int i)
{
	struct bytes ours, theirs;
	struct checkpoint a, b;

	monitor_evidence(s->monitor[m].tree[i].monitor, &ours, &theirs);
	assert_ok(checkpoint_verify(ours, &s->home[i].log_key, &a, e));
	assert_ok(checkpoint_verify(theirs, &s->home[i].log_key, &b, e));
	assert_true(a.size != b.size || memcmp(a.root, b.root, SHA256_BYTES) != 0);
	s->counts.evidence++;
}

static inline void monitor_says(struct sim *s, int m, int i, const struct err *e)
{
	if (e->reason == REASON_SPLIT_VIEW || e->reason == REASON_ROLLED_BACK)
		evidence_verifies(s, m, i);
	if (e->reason == REASON_SPLIT_VIEW || e->reason == REASON_ROLLED_BACK || e->reason == REASON_BAD_PROOF)
		accuse(s, BY_MONITOR, m, i, e->reason);
	sim_note(s, "monitor %d log=%d %s", m, i, reason_code(e->reason));
}

/* What one witness shows of this log. */
static inline void monitor_compares(struct sim *s, int m, int i, const struct log_source *from)
{
	int w = (int)sim_roll(s, 0, (int64_t)s->o.witnesses - 1);
	const struct buf *note = &s->witness[w].seen[i].note;
	struct err why = { 0 };

	if (s->witness[w].off || note->len == 0 || !reaches(s, end_of_monitor(m), end_of_witness(w)))
		return;
	s->counts.notes_compared++;
	if (!monitor_compare(s->monitor[m].tree[i].monitor, from, buf_bytes(note), s->witness[w].name, &why))
		monitor_says(s, m, i, &why);
}

/* Monitor 1 is the one that is shown the fork. */
static inline void monitor_follows(struct sim *s, int m, int i)
{
	struct sim_home *x = &s->home[i];
	bool fooled = x->cheat == CHEAT_FORKS && x->shadow != NULL && m == 1;
	int fd = fooled ? dup(x->shadow->log_fd) : openat(x->h.dir.fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log_source from = log_source_folder(fd);
	struct err why = { 0 };

	assert_true(fd >= 0);
	if (monitor_follow(s->monitor[m].tree[i].monitor, &from, &why))
		monitor_judges(s, m, i);
	else
		monitor_says(s, m, i, &why);
	monitor_compares(s, m, i, &from);
	log_source_close(&from);
	close(fd);
}

static inline void on_monitor(struct sim *s, int m)
{
	sim_at(s, s->now + DAY_MS, EV_MONITOR, m, 0);
	the_time = s->now;
	for (size_t i = 0; i < s->homes; i++)
		if (!s->home[i].down && reaches(s, end_of_monitor(m), (int)i))
			monitor_follows(s, m, (int)i);
	s->counts.monitor_rounds++;
}

/* --- what was promised --------------------------------------------------------------------------------------------------- */

/* Whether the leaf that a receipt promised is in what monitor 0 has read. */
static inline bool tag_was_seen(struct sim *s, int i, const char *tag)
{
	for (size_t m = 0; m < SIM_MONITORS; m++) {
		const struct observed *o = &s->monitor[m].tree[i].read;
		for (size_t k = 0; k < o->count; k++)
			if (memcmp(o->leaf[k] + LEAF_T_AT, tag, LEAF_HEX) == 0)
				return true;
	}
	return false;
}

/* Two cosigned checkpoints, the smaller one from after that time: leaves came after it. */
static inline bool has_grown_since(const struct sim *s, int i, int64_t ms)
{
	size_t most = 0;
	bool grown = false;

	for (size_t m = 0; m < SIM_MONITORS; m++)
		most = most > s->monitor[m].tree[i].newest.leaves ? most : s->monitor[m].tree[i].newest.leaves;
	for (size_t m = 0; m < SIM_MONITORS; m++) {
		const struct watched_tree *t = &s->monitor[m].tree[i];
		grown = grown || (t->smaller.ms >= ms && t->smaller.leaves < most) || (t->newest.ms >= ms && t->newest.leaves < most);
	}
	return grown;
}

#define OFFICER_GRACE_MS (2 * DAY_MS)
/* The officer's look, OFFICER_GRACE_MS after the promised day at the earliest: even after that the peer's log has grown, in
 * front of its witnesses, and the tag is not in it (crypto.md 3.5, point 7). A log of this world takes some 20 leaves a day
 * and is full for more than one day when all close a quarter: it is late and hides nothing. One that stands still, or
 * cannot be seen, says nothing, and neither does an old tree that was cosigned again, as after a start. */
static inline void officer_looks(struct sim *s, int by, const struct sim_letter *l)
{
	struct sim_home *x = &s->home[by];
	struct receipt_row r = receipt_at(&x->h, l->said.hash);
	int64_t from = r.due + OFFICER_GRACE_MS;
	char tag[LEAF_HEX + 1];

	if (!r.found || r.proof > 0 || strcmp(r.outcome, "received") != 0 || s->now < from || !has_grown_since(s, l->to, from))
		return;
	struct record_keys keys;
	uint8_t t[32];
	assert_ok(node_record_keys(x->h.node, l->said.hash, &keys, e));
	leaf_tag(keys.x, LEAF_IN, t);
	hex_write(BYTES_ARRAY(t), tag);
	s->counts.overdue++;
	if (!tag_was_seen(s, l->to, tag))
		accuse(s, BY_PEER, by, l->to, REASON_PROOF_OVERDUE);
}

static inline void on_review(struct sim *s)
{
	sim_at(s, s->now + DAY_MS, EV_REVIEW, 0, 0);
	for (size_t k = 0; k < s->letters; k++) {
		const struct sim_letter *l = &s->letter[k];
		if (s->home[l->from].cheat == CHEAT_NONE && !s->home[l->from].down)
			officer_looks(s, l->from, l);
	}
}

/* Once a slot what the keeper does once a second: notices and closings. */
static inline void clocks(struct sim *s, int i)
{
	struct home *h = &s->home[i].h;

	IN(h, overdue_clock(h->node, the_time, e));
	IN(h, closings_clock(h->node, the_time, e));
}

static inline void watch_plan(struct sim *s)
{
	for (int m = 0; m < (int)SIM_MONITORS; m++)
		sim_at(s, s->now + (m + 1) * 5 * HOUR_MS, EV_MONITOR, m, 0);
	sim_at(s, s->now + DAY_MS, EV_REVIEW, 0, 0);
}

#endif
