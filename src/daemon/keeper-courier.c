/* What the courier carries: batches of letters and of proofs, exhibits, the register, checkpoints to witnesses. One job
 * a peer and kind at a time. A courier that dies loses nothing: what it had under way is due again. */
#include "daemon/keeper.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/pair-recover.h"

#define LETTERS_TIMEOUT_MS 30000u
#define BULK_TIMEOUT_MS 60000u
/* A witness signs in milliseconds; the round must not wait for one that is ill. */
#define WITNESS_TIMEOUT_MS 5000u
#define WITNESS_ANSWER_BYTES_MAX NOTE_BYTES_MAX
/* After a register that could not be fetched or used. */
#define REGISTER_RETRY_US INT64_C(5000000)

static int64_t register_again_us; /* not before */

/* It is under way from fetch on. */
static struct keeper_job *job_new(struct keeper *k, enum keeper_job_kind kind)
{
	struct keeper_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		abort();
	j->kind = kind;
	j->job = keeper_number(k);
	return j;
}

static void job_free(struct keeper_job *j)
{
	if (j->kind == JOB_OUTBOX)
		outbox_job_release(&j->outbox);
	free(j);
}

static struct keeper_job *job_take(struct keeper *k, uint64_t number)
{
	for (struct keeper_job **at = &k->jobs; *at != NULL; at = &(*at)->next) {
		if ((*at)->job == number) {
			struct keeper_job *j = *at;
			*at = j->next;
			return j;
		}
	}
	return NULL;
}

/* --- handing out --------------------------------------------------------------------------------------- */

static bool outbox_busy(void *ctx, enum outbox_what what, const char *peer)
{
	struct keeper *k = ctx;

	for (struct keeper_job *j = k->jobs; j != NULL; j = j->next)
		if (j->kind == JOB_OUTBOX && j->outbox.what == what && bytes_is(bytes_of(peer), j->outbox.peer))
			return true;
	return false;
}

bool keeper_exhibit_busy(void *ctx, const struct id *id)
{
	struct keeper *k = ctx;

	for (struct keeper_job *j = k->jobs; j != NULL; j = j->next)
		if (j->kind == JOB_EXHIBIT && id_equal(&j->exhibit, id))
			return true;
	for (struct keeper_opening *o = k->openings; o != NULL; o = o->next)
		if (o->check && id_equal(&o->exhibit, id))
			return true;
	return false;
}

static bool fetch(struct keeper *k, struct keeper_job *j, struct courier_message *m, int fd)
{
	AUTO_BUF msg = { 0 };

	buf_init(&msg, LETTER_BATCH_BYTES_MAX + MIB);
	m->type = COURIER_FETCH;
	m->job = j->job;
	j->begun_us = clock_monotonic_us();
	j->next = k->jobs;
	k->jobs = j;
	courier_message_write(m, &msg);
	if (keeper_send(k, ROLE_courier, &msg, &fd, fd >= 0 ? 1 : 0))
		return true;
	job_free(job_take(k, j->job));
	return false;
}

static bool send_batch(struct keeper *k, struct keeper_job *j, uint64_t after)
{
	struct courier_message m = { .post = true, .show_certificate = true, .url = bytes_of(j->outbox.url),
		.content_type = bytes_of("application/octet-stream"), .body = buf_bytes(&j->outbox.body),
		.bytes_max = LETTER_BATCH_BYTES_MAX, .timeout_ms = LETTERS_TIMEOUT_MS, .after = after };

	memcpy(m.pin, j->outbox.pin, sizeof(m.pin));
	bool sent = fetch(k, j, &m, -1);
	if (sent)
		buf_release(&j->outbox.body);
	return sent;
}

/* The batch is read in a transaction of its own; true when something was handed out. */
static bool pump_outbox(struct keeper *k, enum outbox_what what, int64_t now_ms)
{
	struct outbox_job next;
	struct err e = { 0 };

	if (!node_begin(k->node, &e)) {
		diag_err(DIAG_ERROR, "outbox", &e);
		return false;
	}
	bool ok = outbox_next(k->node, what, now_ms, outbox_busy, k, &next, &e);
	if (!ok || !next.held)
		node_rollback(k->node); /* only read */
	else
		ok = node_commit(k->node, &e);
	if (!ok)
		diag_err(DIAG_ERROR, "outbox", &e);
	if (!ok || next.count == 0) {
		outbox_job_release(&next);
		return false;
	}
	struct keeper_job *j = job_new(k, JOB_OUTBOX);
	j->outbox = next;
	return send_batch(k, j, 0);
}

/* A full batch that waits behind one under way is sealed now, and the courier holds it until that one was taken: the
 * other node need not wait until we have looked at its receipts, and still nothing overtakes. */
static void pump_ahead(struct keeper *k, struct keeper_job *flying)
{
	struct outbox_job next;
	struct err e = { 0 };

	if (flying->kind != JOB_OUTBOX || flying->outbox.what != OUTBOX_LETTERS || flying->followed || !node_begin(k->node, &e))
		return;
	bool ok = outbox_ahead(k->node, &flying->outbox, &next, &e);
	node_rollback(k->node); /* only read */
	if (!ok)
		diag_err(DIAG_ERROR, "outbox", &e);
	if (!ok || next.count == 0) {
		outbox_job_release(&next);
		return;
	}
	struct keeper_job *j = job_new(k, JOB_OUTBOX);
	j->outbox = next;
	flying->followed = true;
	(void)send_batch(k, j, flying->job);
}

/* Behind a batch that has the way to its peer for itself. */
static void pump_ahead_all(struct keeper *k)
{
	for (struct keeper_job *j = k->jobs, *next; j != NULL; j = next) {
		bool alone = true;
		next = j->next;
		for (struct keeper_job *o = k->jobs; o != NULL; o = o->next)
			alone = alone && (o == j || o->kind != JOB_OUTBOX || o->outbox.what != j->outbox.what ||
					  !bytes_is(bytes_of(o->outbox.peer), j->outbox.peer));
		if (alone)
			pump_ahead(k, j);
	}
}

static bool pump_exhibit(struct keeper *k, int64_t now_ms)
{
	struct exhibit_fetch f = { .fd = -1 };
	struct err e = { 0 };
	bool found = false;

	if (!node_begin(k->node, &e))
		return false;
	bool ok = exhibit_next(k->node, now_ms, keeper_exhibit_busy, k, &f, &found, &e);
	if (ok)
		ok = node_commit(k->node, &e);
	else
		node_rollback(k->node);
	if (!ok)
		diag_err(DIAG_ERROR, "exhibit", &e);
	else if (f.problem.text[0] != '\0')
		diag_err(DIAG_WARNING, "exhibit-set-back", &f.problem);
	if (!ok || !found) {
		fd_close_at(&f.fd);
		return false;
	}
	if (f.fd < 0) {
		ok = keeper_check_exhibit(k, &f.row.id, &e);
		if (!ok)
			diag_err(DIAG_ERROR, "exhibit", &e);
		return ok;
	}
	struct keeper_job *j = job_new(k, JOB_EXHIBIT);
	j->exhibit = f.row.id;
	struct courier_message m = { .show_certificate = true, .url = bytes_of(f.url), .range_from = f.from,
		.bytes_max = f.row.sealed_size - f.from, .timeout_ms = BULK_TIMEOUT_MS };
	memcpy(m.pin, f.pin, sizeof(m.pin));
	ok = fetch(k, j, &m, f.fd);
	fd_close_at(&f.fd);
	return ok;
}

static void pump_register(struct keeper *k, int64_t now_ms)
{
	struct courier_message m = { .bytes_max = REGISTER_BYTES_MAX, .timeout_ms = LETTERS_TIMEOUT_MS };
	char url[600];

	if (clock_monotonic_us() < register_again_us || !directory_fetch_due(k->node, now_ms, url, m.pin))
		return;
	for (struct keeper_job *j = k->jobs; j != NULL; j = j->next)
		if (j->kind == JOB_REGISTER)
			return;
	m.url = bytes_of(url);
	register_again_us = clock_monotonic_us() + REGISTER_RETRY_US;
	struct keeper_job *j = job_new(k, JOB_REGISTER);
	j->asked_ms = clock_now_ms();
	(void)fetch(k, j, &m, -1);
}

/* A call that nobody will answer: it may be made again. Says nothing to the store. */
static void witness_unasked(struct keeper *k, uint64_t number)
{
	if (k->node != NULL && number != 0)
		(void)!cosigning_answered(k->node, number, false, 0, bytes_of(""), "the call was cut off", clock_now_ms(), NULL);
}

/* One call to a witness; all that are due leave one after the other and run side by side. */
static bool pump_witness(struct keeper *k, int64_t now_ms)
{
	struct cosigning_ask ask;
	struct err e = { 0 };
	bool found = false;

	if (!cosigning_due(k->node, now_ms))
		return false;
	if (!node_begin(k->node, &e)) {
		diag_err(DIAG_ERROR, "cosigning", &e);
		return false;
	}
	bool ok = cosigning_next(k->node, now_ms, &ask, &found, &e);
	node_rollback(k->node); /* only read */
	if (!ok)
		diag_err(DIAG_ERROR, "cosigning", &e);
	if (ok && found) {
		struct courier_message m = { .post = ask.body.len > 0, .any_server = true, .url = bytes_of(ask.url),
			.content_type = bytes_of("text/plain; charset=utf-8"), .body = buf_bytes(&ask.body),
			.bytes_max = WITNESS_ANSWER_BYTES_MAX, .timeout_ms = WITNESS_TIMEOUT_MS };
		struct keeper_job *j = job_new(k, JOB_WITNESS);
		j->ask = ask.number;
		found = fetch(k, j, &m, -1);
		if (!found)
			witness_unasked(k, ask.number);
	}
	buf_release(&ask.body);
	return ok && found;
}

static bool pair_busy(void *ctx, const char *peer)
{
	struct keeper *k = ctx;

	for (struct keeper_job *j = k->jobs; j != NULL; j = j->next)
		if (j->kind == JOB_PAIR && bytes_is(bytes_of(peer), j->peer))
			return true;
	return false;
}

/* After a restore: peers say what they have of us. */
static bool pump_pair(struct keeper *k, int64_t now_ms)
{
	struct pair_question ask;
	struct err e = { 0 };
	bool found = false;

	if (!node_begin(k->node, &e)) {
		diag_err(DIAG_ERROR, "recovery", &e);
		return false;
	}
	bool ok = pair_question_next(k->node, now_ms, pair_busy, k, &ask, &found, &e);
	node_rollback(k->node); /* only read */
	if (!ok)
		diag_err(DIAG_ERROR, "recovery", &e);
	if (ok && found) {
		struct keeper_job *j = job_new(k, JOB_PAIR);
		struct courier_message m = { .post = true, .show_certificate = true, .url = bytes_of(ask.url),
			.content_type = bytes_of("application/json"), .body = buf_bytes(&ask.body), .bytes_max = PAIR_MESSAGE_BYTES_MAX,
			.timeout_ms = LETTERS_TIMEOUT_MS };
		snprintf(j->peer, sizeof(j->peer), "%s", ask.peer);
		memcpy(m.pin, ask.pin, sizeof(m.pin));
		found = fetch(k, j, &m, -1);
	}
	buf_release(&ask.body);
	return ok && found;
}

void keeper_pump(struct keeper *k, int64_t now_ms)
{
	if (k->to[ROLE_courier] == NULL || k->stopping)
		return;
	if (k->node->outbox_changed) {
		k->node->outbox_changed = false;
		while (pump_outbox(k, OUTBOX_LETTERS, now_ms))
			;
		while (pump_outbox(k, OUTBOX_PROOFS, now_ms))
			;
		pump_ahead_all(k);
	}
	if (k->node->fetch_changed) {
		k->node->fetch_changed = false;
		while (pump_exhibit(k, now_ms))
			;
	}
	while (k->node->recoveries > 0 && pump_pair(k, now_ms))
		;
	pump_register(k, now_ms);
	while (pump_witness(k, now_ms))
		;
}

/* --- answers --------------------------------------------------------------------------------------------- */

static bool register_fetched(struct keeper *k, const struct keeper_job *j, const struct courier_message *m, struct err *e)
{
	bool had = m->ok && m->status == 200;
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 64 * KIB);
	if (!directory_fetched(k->node, j->asked_ms, had ? &m->body : NULL, &problems, e))
		return false;
	if (!had)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the register could not be fetched: %.*s%sstatus %u",
			       (int)m->error.len, (const char *)m->error.at, m->error.len > 0 ? ", " : "", m->status);
	if (problems.len > 0)
		diag(DIAG_WARNING, "register-entries", "left-out=\"%s\"", buf_text(&problems));
	return true;
}

static bool answered(struct keeper *k, struct keeper_job *j, const struct courier_message *m, bool *ret_open, struct err *e)
{
	char error[200];

	snprintf(error, sizeof(error), "%.*s", (int)(m->error.len < 190 ? m->error.len : 190), (const char *)m->error.at);
	switch (j->kind) {
	case JOB_OUTBOX:
		return outbox_answered(k->node, &j->outbox, m->ok, m->status, m->body, error, clock_now_ms(), e);
	case JOB_EXHIBIT:
		return exhibit_fetched(k->node, &j->exhibit, m->ok && (m->status == 200 || m->status == 206), error, clock_now_ms(),
				       ret_open, e);
	case JOB_REGISTER:
		return register_fetched(k, j, m, e);
	case JOB_WITNESS:
		return cosigning_answered(k->node, j->ask, m->ok, m->status, m->body, error, clock_now_ms(), e);
	case JOB_PAIR:
		return pair_question_answered(k->node, j->peer, m->ok, m->status, m->body, error, clock_now_ms(), e);
	}
	return true;
}

static void finish(struct keeper *k, struct keeper_job *j, const struct courier_message *m)
{
	struct err e = { 0 }, undo = { 0 };
	bool open = false, ok;

	if (m->begun_us != 0)
		j->begun_us = (int64_t)m->begun_us;
	ok = keeper_turn(k, &e) && node_part(k->node, &e);
	if (ok) {
		ok = answered(k, j, m, &open, &e);
		if (!node_part_end(k->node, ok, &undo)) {
			ok = false;
			e = undo;
		}
	}
	if (!ok)
		diag_err(DIAG_WARNING, "courier-answer", &e);
	/* The row says that all bytes are there: the mill may look once the turn is durable or not, it only reads. */
	if (ok && open && !keeper_check_exhibit(k, &j->exhibit, &e))
		diag_err(DIAG_WARNING, "exhibit", &e);
	if (!ok) {
		job_free(j);
		return;
	}
	j->next = k->ended;
	k->ended = j;
}

/* The receipts that they brought count from when they are durable. */
void keeper_jobs_ended(struct keeper *k, bool durable)
{
	while (k->ended != NULL) {
		struct keeper_job *j = k->ended;
		k->ended = j->next;
		if (durable && j->kind == JOB_OUTBOX && j->outbox.receipts > 0)
			latency_add(&k->node->receipts, clock_monotonic_us() - j->begun_us, j->outbox.receipts);
		job_free(j);
	}
}

static void progress(struct keeper *k, uint64_t number)
{
	struct err e = { 0 };

	for (struct keeper_job *j = k->jobs; j != NULL; j = j->next)
		if (j->job == number && j->kind == JOB_EXHIBIT &&
		    (!keeper_turn(k, &e) || !exhibit_progress(k->node, &j->exhibit, &e)))
			diag_err(DIAG_WARNING, "exhibit", &e);
}

void keeper_courier_message(struct keeper *k, struct bytes msg)
{
	struct courier_message m;
	struct err e = { 0 };
	struct keeper_job *j;

	if (!courier_message_parse(msg, &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		return;
	}
	if (m.type == COURIER_PROGRESS)
		progress(k, m.job);
	if (m.type != COURIER_FETCHED || (j = job_take(k, m.job)) == NULL)
		return;
	finish(k, j, &m);
}

void keeper_courier_gone(struct keeper *k)
{
	while (k->jobs != NULL) {
		struct keeper_job *j = k->jobs;
		k->jobs = j->next;
		witness_unasked(k, j->ask);
		job_free(j);
	}
	if (k->node != NULL)
		k->node->outbox_changed = k->node->fetch_changed = true;
}
