/* Erasure in two steps that a crash cannot mix up. In the transaction of the signed erasure everything
 * readable in comity.db is blanked; only when that is durable the keys go, then the blobs, and the files are
 * scrubbed. Were it the other way round, a crash between the two files could leave a request without keys
 * and without the statement that says why. What is done is asked of the store each time, so whatever was cut
 * off is finished at the next commit or start.
 *
 * A restored store may be older than an erasure. Two things remember: the erasures in comity.db, whose keys
 * are deleted again at every start, and the list HOME/store/erased, which `comity restore` leaves in place.
 *
 * What is blanked, by table; what stays, and why:
 *   record_key      the row goes            exhibit_key    the row goes (the erasure's own record stays)
 *   statement       case_ref, sealed        id, sender, addressee, kind, hash, times: what the log proves and counts
 *   request         case_ref, acknowledged_by           id, kind, peer, state, clocks: counts; that it was erased
 *   request_move    why                     states and times: counts
 *   page            officer                 times: the duty desk's record
 *   draft           the row goes            draft_approval goes with it
 *   outbox          last_error              kind, basis, times: the class record, which is published anyway
 *   receipt         envelope, proof, reason (their words)       times, and outcome: "received" becomes "erased"
 *   receipt_given   envelope                sender, id, hash: a letter that comes again is known, and answered `erased`
 *   exhibit         name, media, size, digests, blob (and the file)      id, state "erased": counts
 *   pending_proof   proof; what is open ends        hash, peer, times: counts
 *   pair_dispute    evidence (their words)          numbers and heads
 *   custody, leaf_queue, log_leaf, proof_out, pair_letter, pair_early, pair_closing, overdue, overdue_heard    nothing: hashes
 *   and commitments, which say nothing without keys
 *   log_edge, log_note, reject_count, rejection, reject_day, cell, pin, pair_recovery    nothing: they know no request */
#include "exchange/erase-internal.h"

#include "base/clock.h"
#include "exchange/key-backup.h"

/* --- asking --------------------------------------------------------------------------------------------- */

static bool number_of(struct node *n, enum query_name name, const struct id *request, const int64_t *second, int64_t *ret,
		      struct err *e)
{
	struct query *q = store_query(n->store, name);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	if (second != NULL)
		query_bind_int(q, 2, *second);
	ok = query_row(q, &found, e);
	if (ok)
		*ret = found ? query_int(q, 0) : 0;
	query_end(q);
	return ok;
}

static bool followed(struct node *n, const struct request_row *r, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_request_followed_open);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(r->id.at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(r->id.at, ID_BYTES));
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

static bool nothing_waits(struct node *n, const struct request_row *r, struct err *e)
{
	int64_t now = clock_now_ms();
	const struct {
		enum query_name query;
		const int64_t *second;
		const char *words;
	} waits[] = {
		{ QUERY_erase_fetching, NULL, "exhibits are still being fetched" },
		{ QUERY_erase_undelivered, NULL, "letters of this request have no receipt yet" },
		{ QUERY_erase_proofs_waiting, &now, "letters of this request wait for the other log's proof" },
		{ QUERY_erase_proofs_owed, NULL, "the other party still waits for our proof of letters of this request" },
	};
	int64_t count;

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		if (!number_of(n, waits[i].query, &r->id, waits[i].second, &count, e))
			return false;
		if (count == 0)
			continue;
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s (%lld): erase the request afterwards", waits[i].words,
			       (long long)count);
	}
	return true;
}

bool erase_allowed(struct node *n, const struct request_row *r, struct err *e)
{
	bool follows;

	if (r->erased > 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "this request is erased already");
	/* A rejected one needs somebody, but nothing moves it any more. */
	if (life_state_is_open(r->state) && r->state != LIFE_REJECTED)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the request has not ended (it is \"%s\"): what is open is not erased",
			       life_state_words(r->state));
	if (!followed(n, r, &follows, e))
		return false;
	if (follows)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "an open request follows this preservation (42(8)): it is erased after that one");
	/* A demand of an auditor, and a duty to keep, will be asked for here: neither can be stated yet. */
	return nothing_waits(n, r, e) && key_copies_none(n, e);
}

bool erase_asked(struct node *n, const struct id *request, int64_t *ret_ms, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_erase_asked);
	bool found, ok;

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok)
		*ret_ms = found ? query_int(q, 1) : 0;
	query_end(q);
	return ok;
}

/* --- what the erasure promises ---------------------------------------------------------------------------- */

/* The day on which the last backup dies, when none is made after `by`: of the keys, and of comity.db, which has case
 * references and names in the open. */
static bool last_backup_day(struct node *n, int64_t by_ms, int64_t *ret_ms, struct err *e)
{
	static const char *const cells[] = { "key-backup", "backup" };
	int64_t last = by_ms;

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct query *q = store_query(n->store, QUERY_cell_get);
		bool found, ok;
		query_bind_text(q, 1, cells[i]);
		ok = query_row(q, &found, e);
		if (ok && found && query_int(q, 1) + KEY_BACKUP_DAYS * DAY_MS > last)
			last = query_int(q, 1) + KEY_BACKUP_DAYS * DAY_MS;
		query_end(q);
		if (!ok)
			return false;
	}
	*ret_ms = last / DAY_MS * DAY_MS;
	return true;
}

bool erase_fill(struct node *n, const struct id *request, json_t *body, struct err *e)
{
	int64_t by = clock_now_ms() + ERASE_DRAFT_DAYS * DAY_MS, dies, count;
	char day[TIME_TEXT_LEN + 1];

	if (!last_backup_day(n, by, &dies, e) || !number_of(n, QUERY_erase_count, request, NULL, &count, e))
		return false;
	time_write(dies, day);
	day[ERASURE_DAY_LEN] = '\0';
	json_put_time(body, "keys_gone", by);
	json_put_text(body, "last_backup_dies", day);
	json_put_int(body, "statements", count);
	return true;
}

/* Whether it still holds when it is signed. */
static bool promise_holds(struct node *n, const struct statement *s, const struct request_row *r, struct err *e)
{
	int64_t by = 0, said = 0, dies = 0, count;

	if (!time_parse(json_bytes(s->body, "keys_gone"), &by) || !erasure_day(json_bytes(s->body, "last_backup_dies"), &said))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the erasure has no times");
	if (!last_backup_day(n, by, &dies, e) || !number_of(n, QUERY_erase_count, &r->id, NULL, &count, e))
		return false;
	if (by < clock_now_ms())
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the draft is older than %d days: draft the erasure again", ERASE_DRAFT_DAYS);
	if (said < dies)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "a backup was made after this was drafted: draft the erasure again");
	if (json_int(s->body, "statements") != count)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the request has %lld statements now: draft the erasure again", (long long)count);
	return true;
}

/* --- blanking ------------------------------------------------------------------------------------------------ */

bool erase_blank(struct node *n, const struct id *request, int64_t when, const struct id *but_draft, struct err *e)
{
	static const uint8_t zero[SHA256_BYTES];
	static const enum query_name plain[] = { QUERY_erase_statements, QUERY_erase_moves, QUERY_erase_pages, QUERY_erase_outbox,
						 QUERY_erase_receipts, QUERY_erase_receipts_given, QUERY_erase_evidence };
	struct query *q = store_query(n->store, QUERY_erase_request); /* first: it is what the triggers ask for */

	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	query_bind_int(q, 2, when);
	bool ok = query_run(q, e);
	query_end(q);
	/* A proof that is due is of no use to anybody. */
	q = store_query(n->store, QUERY_erase_pending);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	query_bind_int(q, 2, when);
	ok = ok && query_run(q, e);
	query_end(q);
	for (size_t i = 0; ok && i < sizeof(plain) / sizeof(plain[0]); i++) {
		q = store_query(n->store, plain[i]);
		query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
		ok = query_run(q, e);
		query_end(q);
	}
	if (!ok)
		return false;
	q = store_query(n->store, QUERY_erase_drafts);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	query_bind_bytes(q, 2, bytes_from(but_draft->at, ID_BYTES));
	ok = query_run(q, e);
	query_end(q);
	if (!ok)
		return false;
	q = store_query(n->store, QUERY_erase_exhibits);
	query_bind_bytes(q, 1, bytes_from(request->at, ID_BYTES));
	query_bind_bytes(q, 2, BYTES_ARRAY(zero));
	ok = query_run(q, e);
	query_end(q);
	n->scrub_wanted = true;
	return ok;
}

bool erase_apply(struct node *n, const struct statement *s, struct request_row *r, struct err *e)
{
	if (!erase_allowed(n, r, e) || !promise_holds(n, s, r, e) || !erase_blank(n, &r->id, clock_now_ms(), &s->id, e))
		return false;
	r->erased = clock_now_ms();
	return true;
}
