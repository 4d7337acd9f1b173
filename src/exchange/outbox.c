/* Letters and proofs on their way. A batch that got no answer, or "not now", is tried again after 1 s, 2 s,
 * ... 60 s; all that is proved and waits for that peer waits with it, so that nothing overtakes. While the quorum is missed,
 * what may go without goes first and waits by itself: the receiver takes it early. What an answer is worth stands in
 * outbox-answers.c. */
#include "exchange/outbox-internal.h"

#include "base/clock.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/pairs.h"
#include "exchange/pending.h"
#include "exchange/record.h"
#include "statement/letter.h"

#define RETRY_MS_MIN 1000
#define RETRY_MS_MAX 60000
#define PROOFS_PER_JOB 32
/* Fewer than a batch may hold: the receiver decides a batch in one turn, and its receipts wait for all of it. */
#define LETTERS_PER_JOB 16

/* --- holding -------------------------------------------------------------------------------------------- */

/* The most that any of these had. */
static bool attempts_of(struct node *n, const struct outbox_job *j, int64_t *ret, struct err *e)
{
	bool letters = j->what == OUTBOX_LETTERS, found, ok = true;

	*ret = 0;
	for (size_t i = 0; ok && i < (letters ? j->count : 1); i++) {
		struct query *q = store_query(n->store, letters ? QUERY_outbox_attempts : QUERY_proof_out_peer);
		if (letters)
			query_bind_int(q, 1, j->seq[i]);
		else
			query_bind_text(q, 1, j->peer);
		ok = query_row(q, &found, e);
		int64_t attempts = ok && found ? query_int(q, letters ? 0 : 1) : 0;
		*ret = attempts > *ret ? attempts : *ret;
		query_end(q);
	}
	return ok;
}

bool outbox_hold(struct node *n, const struct outbox_job *j, const char *error, int64_t now_ms, struct err *e)
{
	bool letters = j->what == OUTBOX_LETTERS;
	int64_t attempts, wait = RETRY_MS_MIN;
	struct query *q;
	bool ok = attempts_of(n, j, &attempts, e);

	while (ok && attempts-- > 0 && wait < RETRY_MS_MAX)
		wait *= 2;
	if (wait > RETRY_MS_MAX)
		wait = RETRY_MS_MAX;
	for (size_t i = 0; ok && i < j->count; i++) {
		q = store_query(n->store, letters ? QUERY_outbox_hold : QUERY_proof_out_hold);
		query_bind_int(q, 1, j->seq[i]);
		query_bind_int(q, 2, now_ms + wait);
		if (letters)
			query_bind_text(q, 3, error);
		ok = query_run(q, e);
		query_end(q);
	}
	return ok;
}

/* --- building ----------------------------------------------------------------------------------------- */

/* Appends the canonical acts of one letter: the act itself, then custody events that an exhibit refers to. */
static bool letter_acts(struct node *n, const uint8_t *hash, const struct proved *under, struct buf *acts, struct bytes *ret,
			size_t *ret_count, struct err *e)
{
	AUTO_ACT *a = NULL;
	size_t count = 1;

	if (!node_act_json_under(n, hash, under, &acts[0], e))
		return false;
	/* Only exhibits have acts in support; the kind stands in the stored row, so most letters are not parsed. */
	struct query *q = store_query(n->store, QUERY_statement_by_hash);
	bool found, ok;
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	bool exhibit = ok && found && bytes_is(query_bytes(q, 3), "exhibit");
	query_end(q);
	if (ok && exhibit) {
		ok = act_parse(buf_bytes(&acts[0]), &a, e);
		json_t *list = ok ? json_object_get(a->statement->body, "custody") : NULL;
		for (size_t i = 0; ok && i < json_array_size(list) && count < LETTER_ACTS_MAX; i++) {
			uint8_t custody[SHA256_BYTES];
			ok = hex_parse(bytes_of(json_string_value(json_array_get(list, i))), custody, sizeof(custody)) &&
			     node_act_json(n, custody, &acts[count], e);
			count += ok;
		}
	}
	for (size_t i = 0; i < count; i++)
		ret[i] = buf_bytes(&acts[i]);
	*ret_count = count;
	return ok;
}

static bool letter_build(struct node *n, const struct party *peer, const uint8_t *hash, uint64_t number, const struct proved *under,
			 struct buf *out, struct err *e)
{
	struct letter_pair pair;
	struct buf *acts = calloc(LETTER_ACTS_MAX, sizeof(*acts));
	struct bytes parts[LETTER_ACTS_MAX];
	size_t count = 0;
	AUTO_BUF plain = { 0 };

	if (acts == NULL)
		abort();
	buf_init(&plain, LETTER_BYTES_MAX);
	for (size_t i = 0; i < LETTER_ACTS_MAX; i++)
		buf_init(&acts[i], LETTER_BYTES_MAX);
	bool ok = letter_acts(n, hash, under, acts, parts, &count, e) && pair_of_letter(n, peer->code, number, &pair, e) &&
		  letter_write(node_party(n), peer->code, &pair, parts, count, &plain, e) &&
		  letter_seal(buf_bytes(&plain), &peer->seal, out, e);
	for (size_t i = 0; i < LETTER_ACTS_MAX; i++)
		buf_release(&acts[i]);
	free(acts);
	return ok;
}

bool outbox_letter(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	const struct party *peer = NULL;
	struct query *q = store_query(n->store, QUERY_outbox_get);
	AUTO_BUF proof = { 0 };
	uint64_t number = 0;
	bool found, ok;

	buf_init(&proof, NOTE_BYTES_MAX);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		peer = register_party(n->reg, query_bytes(q, 1));
		number = (uint64_t)query_int(q, 6);
	}
	query_end(q);
	if (ok && (!found || peer == NULL))
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no letter of ours carries that statement");
	/* Without proof it would have no effect there. */
	return ok && (number == 0 || node_proof(n, hash, &proof, e)) && letter_build(n, peer, hash, number, cosigning_proved(n), out, e);
}

static bool job_letters(struct node *n, const struct party *peer, const struct proved *under, struct outbox_job *j, struct err *e)
{
	for (size_t i = 0; i < j->count; i++) {
		AUTO_BUF sealed = { 0 };
		buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
		if (!letter_build(n, peer, j->hash[i], j->number[i], under, &sealed, e))
			return false;
		if (i > 0 && j->body.len + sealed.len + 4 > LETTER_BATCH_BYTES_MAX) {
			j->count = i; /* the rest goes with the next batch */
			break;
		}
		sha256(buf_bytes(&sealed), j->letter[i]);
		buf_add_field(&j->body, buf_bytes(&sealed));
	}
	return buf_check(&j->body, "batch of letters", e);
}

static bool job_proofs(struct node *n, const struct party *peer, struct outbox_job *j, struct err *e)
{
	AUTO_BUF plain = { 0 }, one = { 0 };

	buf_init(&plain, LETTER_BATCH_BYTES_MAX);
	buf_init(&one, NOTE_BYTES_MAX);
	buf_add_format(&plain, "{\"from\":\"%s\",\"proofs\":[", node_party(n));
	for (size_t i = 0; i < j->count; i++) {
		buf_clear(&one);
		if (!node_counterproof(n, j->hash[i], &one, e))
			return false;
		if (i > 0)
			buf_add_text(&plain, ",");
		buf_add(&plain, buf_bytes(&one));
	}
	buf_add_format(&plain, "],\"to\":\"%s\",\"v\":1}", peer->code);
	return buf_check(&plain, "proofs", e) && age_seal(&peer->seal, 1, buf_bytes(&plain), &j->body, e);
}

/* --- choosing ----------------------------------------------------------------------------------------- */

/* Whether what choose chooses from waits. */
static bool peer_waits(struct node *n, enum outbox_what what, const char *peer, int64_t now, bool *ret, struct err *e)
{
	bool letters = what == OUTBOX_LETTERS, found, ok;
	struct query *q = store_query(n->store, letters ? QUERY_outbox_waits : QUERY_proof_out_peer);

	query_bind_text(q, 1, peer);
	if (letters) {
		query_bind_int(q, 2, cosigning_reach(n, now));
		query_bind_int(q, 3, now);
	}
	ok = query_row(q, &found, e);
	*ret = ok && found && (letters || query_int(q, 0) > now);
	query_end(q);
	return ok;
}

/* A letter whose proof is too old would be rejected, and a rejection is its end: it waits for a fresh one. */
static bool choose(struct node *n, struct outbox_job *j, int64_t after, int64_t now_ms, struct err *e)
{
	struct query *q = store_query(n->store, j->what == OUTBOX_LETTERS ? QUERY_outbox_due : QUERY_proof_out_due);
	bool found, ok;

	query_bind_text(q, 1, j->peer);
	query_bind_int(q, 2, j->what == OUTBOX_LETTERS ? cosigning_reach(n, now_ms) : (int64_t)cosigning_proved(n)->checkpoint.size);
	query_bind_int(q, 3, j->what == OUTBOX_LETTERS ? LETTERS_PER_JOB : PROOFS_PER_JOB);
	query_bind_int(q, 4, after);
	while ((ok = query_row(q, &found, e)) && found && j->count < LETTER_BATCH_MAX) {
		if (query_bytes(q, 1).len != SHA256_BYTES)
			continue;
		j->seq[j->count] = query_int(q, 0);
		if (j->what == OUTBOX_LETTERS)
			j->number[j->count] = (uint64_t)query_int(q, 2);
		memcpy(j->hash[j->count++], query_bytes(q, 1).at, SHA256_BYTES);
	}
	query_end(q);
	return ok;
}

static void job_begin(struct outbox_job *j, enum outbox_what what)
{
	memset(j, 0, sizeof(*j));
	buf_init(&j->body, LETTER_BATCH_BYTES_MAX + 64 * KIB);
	j->what = what;
}

static bool may_send(const struct node *n)
{
	/* With a register older than 30 days, or a clock that is off, nothing is sent (design.md part 10). */
	return n->note.len > 0 && !n->locked && !bytes_is(bytes_of(directory_state(n)), "stale") && !cosigning_clock_off(n);
}

static bool job_build(struct node *n, const struct party *p, const struct proved *under, struct outbox_job *j, struct err *e)
{
	bool letters = j->what == OUTBOX_LETTERS;

	snprintf(j->url, sizeof(j->url), "%s/%s", p->endpoint, letters ? "letters" : "proofs");
	memcpy(j->pin, p->tls_spki, SHA256_BYTES);
	memset(j->under, 0, sizeof(j->under));
	if (letters && under == cosigning_proved(n))
		sha256(buf_bytes(&under->note), j->under);
	if (j->count > 1) /* asked for at once, a body of many letters is not copied each time it grows */
		buf_room(&j->body, j->count * 18 * KIB);
	return letters ? job_letters(n, p, under, j, e) : job_proofs(n, p, j, e);
}

/* Two kinds of batch that have nothing in common: whether one of them waits, or cannot be built, is nothing to the other.
 * Within one letter's longest wait both have their turn. */
enum way { PENDING, PROVED, WAYS };

static bool way_choose(struct node *n, enum way way, struct outbox_job *j, const struct proved **ret_under, int64_t now_ms, struct err *e)
{
	bool waits = false;

	*ret_under = way == PROVED ? cosigning_proved(n) : j->what == OUTBOX_LETTERS ? cosigning_pending(n, j->peer) : NULL;
	if (*ret_under == NULL)
		return true;
	if (way == PENDING)
		return pending_choose(n, *ret_under, LETTERS_PER_JOB, j, now_ms, e);
	return peer_waits(n, j->what, j->peer, now_ms, &waits, e) && (waits || choose(n, j, 0, now_ms, e));
}

/* The first of them that is due and can be built; ret->count 0: none. */
static bool peer_next(struct node *n, const struct party *p, struct outbox_job *ret, int64_t now_ms, struct err *e)
{
	snprintf(ret->peer, sizeof(ret->peer), "%s", p->code);
	for (enum way way = PENDING; way < WAYS; way++) {
		const struct proved *under;
		struct err why = { 0 };
		if (!way_choose(n, way, ret, &under, now_ms, e))
			return false;
		if (ret->count == 0)
			continue;
		if (job_build(n, p, under, ret, &why))
			return true;
		/* What cannot be built for one peer (its key, a record that is gone) holds up no other. */
		if (!outbox_hold(n, ret, why.text, now_ms, e))
			return false;
		ret->held = true;
		ret->count = 0;
		buf_clear(&ret->body);
	}
	return true;
}

bool outbox_next(struct node *n, enum outbox_what what, int64_t now_ms,
		 bool (*busy)(void *ctx, enum outbox_what what, const char *peer), void *ctx, struct outbox_job *ret, struct err *e)
{
	job_begin(ret, what);
	if (!may_send(n))
		return true;
	for (size_t i = 0; i < register_count(n->reg); i++) {
		const struct party *p = register_at(n->reg, i);
		if (p->endpoint[0] == '\0' || bytes_is(bytes_of(p->code), node_party(n)) || busy(ctx, what, p->code))
			continue;
		if (!peer_next(n, p, ret, now_ms, e))
			return false;
		if (ret->count > 0)
			return true;
	}
	return true;
}

/* The batch in flight went with just the proof that is there now. */
static bool same_proof(const struct node *n, const struct outbox_job *flying)
{
	uint8_t now[SHA256_BYTES];

	sha256(buf_bytes(&cosigning_proved(n)->note), now);
	return memcmp(now, flying->under, sizeof(now)) == 0;
}

bool outbox_ahead(struct node *n, const struct outbox_job *flying, struct outbox_job *ret, struct err *e)
{
	const struct party *p = register_party(n->reg, bytes_of(flying->peer));

	job_begin(ret, flying->what);
	/* While the quorum is missed, batch behind batch would leave no turn to what may go without. */
	if (!may_send(n) || p == NULL || p->endpoint[0] == '\0' || flying->count == 0 || !same_proof(n, flying) ||
	    cosigning_pending(n, flying->peer) != NULL)
		return true;
	snprintf(ret->peer, sizeof(ret->peer), "%s", p->code);
	if (!choose(n, ret, flying->seq[flying->count - 1], clock_now_ms(), e))
		return false;
	if (ret->count < LETTERS_PER_JOB)
		ret->count = 0;
	return ret->count == 0 || job_build(n, p, cosigning_proved(n), ret, e);
}

void outbox_job_release(struct outbox_job *j)
{
	buf_release(&j->body);
}
