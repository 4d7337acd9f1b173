/* For test-simulation.c: what goes from node to node, and to witnesses and back. Everything takes a while, some of it is
 * lost on the way there and some on the way back; a call to somebody who is away ends as a call that timed out. */
#ifndef COMITY_EXCHANGE_TEST_SIM_NETWORK_H
#define COMITY_EXCHANGE_TEST_SIM_NETWORK_H

#include "exchange/test-sim-world.h"

#include "exchange/pair-recover.h"
#include "exchange/slots.h"
#include "seal/dsse.h"

/* A policy as somebody's register has it for a log; zero: none. */
struct sim_policy {
	uint8_t hash[SHA256_BYTES];
};

static inline struct sim_policy policy_at(struct sim *s, int home, int log_of)
{
	const struct register_policy *p = register_policy(s->home[home].h.node->reg, s->home[log_of].code, s->now);
	struct sim_policy ret = { 0 };

	if (p != NULL)
		memcpy(ret.hash, p->hash, SHA256_BYTES);
	return ret;
}

struct carried {
	struct outbox_job job; /* of letters or proofs */
	struct buf body;       /* there, then back */
	uint64_t call;
	struct sim_policy by;  /* which its sender meant its log to need */
	unsigned life, status;
	bool show;             /* GET of a witness */
	bool question;         /* after a restore, what the peer has: POST /pair */
};

static inline void pump(struct sim *s, int i);

static inline void carried_free(struct carried *c)
{
	if (c == NULL)
		return;
	outbox_job_release(&c->job);
	buf_release(&c->body);
	free(c);
}

static inline void sim_send(struct sim *s, int64_t at, enum event_kind kind, int a, int b, struct carried *c)
{
	queue_add(&s->queue, (struct event){ .at = at, .kind = kind, .a = a, .b = b, .carried = c });
}

/* Most lines are fast, some are slow, and some are very slow. */
static inline int64_t sim_delay(struct sim *s)
{
	int64_t kind = sim_roll(s, 1, 100);

	return kind <= 80 ? sim_roll(s, 20, 800) : kind <= 97 ? sim_roll(s, 800, 8000) : sim_roll(s, 8000, 90000);
}

static inline bool sim_lost(struct sim *s)
{
	bool lost = sim_chance(s, 2);

	s->counts.lost_calls += lost;
	return lost;
}

/* Tries again what failed; later and later, so that a month of silence costs little. */
static inline void wake_later(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	int64_t most = x->failures < 3 ? 10 * MINUTE_MS : x->failures < 5 ? HOUR_MS : 4 * HOUR_MS;

	if (x->waking)
		return;
	x->waking = true;
	x->failures++;
	sim_at(s, s->now + sim_roll(s, MINUTE_MS + MINUTE_MS / 2, most), EV_WAKE, i, 0);
}

/* --- cosignatures --------------------------------------------------------------------------------------------------- */

static inline void pump_cosigning(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	bool found = true;

	while (found) {
		struct cosigning_ask ask;
		IN(&x->h, cosigning_next(x->h.node, the_time, &ask, &found, e));
		if (!found) {
			buf_release(&ask.body);
			break;
		}
		struct carried *c = calloc(1, sizeof(*c));
		if (c == NULL)
			abort();
		c->body = ask.body;
		c->call = ask.number;
		c->life = x->life;
		c->show = ask.body.len == 0;
		sim_send(s, s->now + sim_delay(s), EV_ASK, i, witness_by_url(s, ask.url), c);
	}
}

static inline void witness_shows(struct sim *s, int w, int home, struct carried *c)
{
	struct seen_tree *t = &s->witness[w].seen[home];

	c->status = t->note.len > 0 ? 200 : 404;
	buf_clear(&c->body);
	buf_add(&c->body, buf_bytes(&t->note));
}

static inline void on_ask(struct sim *s, int i, int w, struct carried *c)
{
	int64_t back = sim_delay(s);
	AUTO_BUF answer = { 0 };

	buf_init(&answer, NOTE_BYTES_MAX);
	the_time = s->now;
	if (s->witness[w].off || !reaches(s, i, end_of_witness(w)) || sim_lost(s)) {
		c->status = 0;
		back = 10000;
	} else if (c->show) {
		witness_shows(s, w, i, c);
	} else {
		c->status = witness_asked(s, w, buf_bytes(&c->body), &answer);
		if (c->status == 422 || c->status == 403)
			accuse(s, BY_WITNESS, w, i, REASON_SPLIT_VIEW);
		buf_clear(&c->body);
		buf_add(&c->body, buf_bytes(&answer));
		if (sim_lost(s)) /* it has signed, and nobody hears it */
			c->status = 0;
	}
	sim_note(s, "ask home=%d witness=%d status=%u", i, w, c->status);
	sim_send(s, s->now + back, EV_ANSWER, i, w, c);
}

static inline void on_answer(struct sim *s, int i, int w, struct carried *c)
{
	struct sim_home *x = &s->home[i];

	if (x->down || c->life != x->life)
		return;
	sim_as(s, x);
	bool locked = x->h.node->locked;
	IN(&x->h, cosigning_answered(x->h.node, c->call, c->status != 0, c->status, buf_bytes(&c->body), "no connection", the_time, e));
	s->counts.cosignatures += c->status == 200 && !c->show;
	if (x->h.node->locked && !locked) {
		sim_note(s, "locked home=%d", i);
		if (x->restored != 0)
			sim_at(s, s->now + HOUR_MS, EV_RECOVER, i, 0);
	}
	/* The courier of a real node asks who is away several times a minute; here that is done with the next wake. */
	if (c->status == 200 || c->status == 409)
		pump(s, i);
	else
		wake_later(s, i);
}

/* --- letters and proofs ------------------------------------------------------------------------------------------------ */

struct busy_at {
	struct sim *s;
	int i;
};

static inline bool sim_busy(void *ctx, enum outbox_what what, const char *peer)
{
	const struct busy_at *b = ctx;

	return b->s->home[b->i].busy[what][home_by_code(b->s, peer)];
}

static inline void pump_jobs(struct sim *s, int i, enum outbox_what what)
{
	struct sim_home *x = &s->home[i];
	struct busy_at at = { s, i };

	if (number(&x->h, what == OUTBOX_LETTERS ? QUERY_outbox_count : QUERY_proof_out_count) == 0)
		return;
	for (;;) {
		struct carried *c = calloc(1, sizeof(*c));
		if (c == NULL)
			abort();
		assert_ok(node_begin(x->h.node, e));
		assert_ok(outbox_next(x->h.node, what, the_time, sim_busy, &at, &c->job, e));
		if (c->job.held)
			assert_ok(node_commit(x->h.node, e));
		else
			node_rollback(x->h.node);
		if (c->job.count == 0) {
			carried_free(c);
			return;
		}
		int to = home_by_code(s, c->job.peer);
		assert_memory_equal(c->job.pin, s->home[to].h.tls, SHA256_BYTES);
		buf_init(&c->body, LETTER_BATCH_BYTES_MAX);
		c->life = x->life;
		c->by = policy_at(s, i, i);
		x->busy[what][to] = true;
		sim_note(s, "job from=%d to=%d what=%d count=%zu", i, to, (int)what, c->job.count);
		sim_send(s, s->now + sim_delay(s), EV_JOB, i, to, c);
	}
}

#define BUSY_ASKING 2 /* beside the two kinds of job */

static inline bool sim_asking(void *ctx, const char *peer)
{
	const struct busy_at *b = ctx;

	return b->s->home[b->i].busy[BUSY_ASKING][home_by_code(b->s, peer)];
}

/* After a restore: what do you have of us? */
static inline void pump_questions(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct busy_at at = { s, i };
	bool found = x->h.node->recoveries > 0;

	while (found) {
		struct pair_question ask;
		IN(&x->h, pair_question_next(x->h.node, the_time, sim_asking, &at, &ask, &found, e));
		if (!found) {
			buf_release(&ask.body);
			break;
		}
		int to = home_by_code(s, ask.peer);
		struct carried *c = calloc(1, sizeof(*c));
		if (c == NULL)
			abort();
		c->body = ask.body;
		c->life = x->life;
		c->question = true;
		x->busy[BUSY_ASKING][to] = true;
		sim_send(s, s->now + sim_delay(s), EV_JOB, i, to, c);
	}
}

/* What may be due at this home leaves it. */
static inline void pump(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	if (x->down)
		return;
	sim_as(s, x);
	x->h.node->directory_changed = false; /* as the keeper does, once what follows the register was told */
	pump_cosigning(s, i);
	assert_ok(slots_publish(x->h.node, the_time, e));
	pump_jobs(s, i, OUTBOX_LETTERS);
	pump_jobs(s, i, OUTBOX_PROOFS);
	pump_questions(s, i);
	if (x->h.node->refresh_wanted) {
		x->h.node->refresh_wanted = false;
		sim_at(s, s->now + MINUTE_MS, EV_REGISTER, i, 0);
	}
}

/* Which reasons say that the other did wrong, and not that it is slow, away, behind or restored. */
static inline bool blames(enum reason r)
{
	return r == REASON_LEAF_MISMATCH || r == REASON_UNDER_WITNESSED || r == REASON_BAD_PROOF || r == REASON_BAD_SIGNATURE ||
	       r == REASON_UNLOGGED || r == REASON_REPLAYED || r == REASON_INCONSISTENT || r == REASON_SPLIT_VIEW ||
	       r == REASON_BAD_APPROVAL || r == REASON_MISSING_APPROVAL || r == REASON_UNSIGNED || r == REASON_WRONG_PARTY;
}

static inline enum reason receipt_reason(struct bytes envelope)
{
	enum reason reason = REASON_NONE;
	AUTO_ENVELOPE v = { 0 };
	AUTO_STATEMENT *r = NULL;

	assert_ok(envelope_parse(envelope, &v, e));
	assert_ok(statement_parse(bytes_of(v.type), buf_bytes(&v.payload), &r, e));
	assert_true(reason_find(json_text(r->body, "reason"), &reason));
	return reason;
}

/* While one of two has a newer register they may mean two policies: such a letter or proof comes again when both have
 * fetched it (outbox-answers.c). What is not enough by the policy that both mean counts, whatever else their registers say. */
static inline bool two_policies(struct sim *s, enum reason reason, const struct sim_policy *by, int of, int judged_at)
{
	struct sim_policy there = policy_at(s, judged_at, of);

	return reason == REASON_UNDER_WITNESSED && memcmp(by, &there, sizeof(there)) != 0;
}

/* What the receipts say, as the receiver means it. */
static inline void receipts_told(struct sim *s, int by, int of, const struct sim_policy *meant, struct bytes reply)
{
	struct reader r = reader_over(reply);

	while (reader_left(&r) > 0) {
		enum reason reason = receipt_reason(reader_field(&r, ENVELOPE_BYTES_MAX));
		if (reason == REASON_NONE)
			continue;
		s->counts.rejected[reason]++;
		sim_note(s, "rejected from=%d by=%d reason=%s", of, by, reason_code(reason));
		if (blames(reason) && !two_policies(s, reason, meant, of, by))
			accuse(s, BY_PEER, by, of, reason);
	}
	assert_ok(reader_done(&r, "receipts", e));
}

static inline void letters_arrive(struct sim *s, int from, int to, struct carried *c)
{
	struct err why;

	c->status = receive_at(&s->home[to].h, buf_bytes(&c->job.body), s->home[from].h.tls, &c->body, &why);
	sim_note(s, "letters from=%d to=%d count=%zu status=%u", from, to, c->job.count, c->status);
	if (c->status != 200)
		return;
	receipts_told(s, to, from, &c->by, buf_bytes(&c->body));
	s->arrived(s, to, &c->job);
}

static inline void proofs_arrive(struct sim *s, int from, int to, struct carried *c)
{
	struct node *n = s->home[to].h.node;
	struct err why = { 0 };

	assert_ok(node_begin(n, e));
	bool ok = receive_proofs(n, buf_bytes(&c->job.body), s->home[from].h.tls, &why);
	if (ok)
		assert_ok(node_commit(n, e));
	else
		node_rollback(n);
	c->status = ok ? 200 : (unsigned)err_http_status(why.kind);
	sim_note(s, "proofs from=%d to=%d count=%zu status=%u", from, to, c->job.count, c->status);
	if (!ok && blames(why.reason) && !two_policies(s, why.reason, &c->by, from, to))
		accuse(s, BY_PEER, to, from, why.reason);
	buf_add_text(&c->body, "{}");
}

static inline void question_arrives(struct sim *s, int from, int to, struct carried *c)
{
	struct node *n = s->home[to].h.node;
	struct err why = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&reply, PAIR_MESSAGE_BYTES_MAX);
	assert_ok(node_begin(n, e));
	bool ok = pair_asked(n, buf_bytes(&c->body), s->home[from].h.tls, &reply, &why);
	if (ok)
		assert_ok(node_commit(n, e));
	else
		node_rollback(n);
	c->status = ok ? 200 : (unsigned)err_http_status(why.kind);
	buf_clear(&c->body);
	buf_add(&c->body, buf_bytes(&reply));
	sim_note(s, "pair from=%d to=%d status=%u", from, to, c->status);
}

static inline void on_job(struct sim *s, int from, int to, struct carried *c)
{
	int64_t back = sim_delay(s);

	if (!c->question)
		buf_clear(&c->body);
	c->status = 0;
	if (s->home[to].down || !reaches(s, from, to) || sim_lost(s)) {
		back = 30000;
	} else {
		sim_as(s, &s->home[to]);
		if (c->question)
			question_arrives(s, from, to, c);
		else if (c->job.what == OUTBOX_LETTERS)
			letters_arrive(s, from, to, c);
		else
			proofs_arrive(s, from, to, c);
		if (sim_lost(s)) /* it has taken them, and nobody hears it */
			c->status = 0;
		pump(s, to);
	}
	sim_send(s, s->now + back, EV_REPLY, from, to, c);
}

static inline void on_reply(struct sim *s, int from, int to, struct carried *c)
{
	struct sim_home *x = &s->home[from];

	if (x->down || c->life != x->life)
		return;
	sim_as(s, x);
	x->busy[c->question ? BUSY_ASKING : c->job.what][to] = false;
	if (c->question)
		IN(&x->h, pair_question_answered(x->h.node, s->home[to].code, c->status != 0, c->status, buf_bytes(&c->body), "no connection",
						 the_time, e));
	else
		answered(&x->h, &c->job, c->status, buf_bytes(&c->body));
	if (c->status != 200)
		wake_later(s, from);
	pump(s, from);
}

/* --- slots ---------------------------------------------------------------------------------------------------------------- */

static inline void on_slot(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	sim_at(s, s->now - s->now % SIM_SLOT_MS + SIM_SLOT_MS + sim_roll(s, 10000, 40000), EV_SLOT, i, 0);
	if (x->down)
		return;
	sim_as(s, x);
	uint64_t before = log_size(x->h.node->log);
	bool looking = cosigning_looking(x->h.node); /* at the witnesses, right after a start */
	assert_ok(node_slot(x->h.node, the_time, e));
	uint64_t grown = log_size(x->h.node->log) - before;
	/* Always the same, whatever there was to log. */
	if (grown != (x->h.node->locked || looking ? 0 : (uint64_t)x->leaves))
		fail_msg("%s: %" PRIu64 " leaves in a slot, on day %.3f", x->code, grown, (double)(s->now - s->begin) / (double)DAY_MS);
	if (grown > 0) {
		assert_true(x->slots < SIM_SLOTS_MAX);
		x->slot_at[x->slots++] = s->now;
	}
	x->failures = 0;
	s->counts.slots += grown > 0;
	s->counts.leaves += grown;
	pump(s, i);
	/* What a missed quorum lets go proof-pending is looked for after a while. */
	if (cosigning_current(x->h.node->cosigning) != NULL && number(&x->h, QUERY_outbox_count) > 0)
		wake_later(s, i);
}

#endif
