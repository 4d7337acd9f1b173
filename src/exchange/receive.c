/* Judging what arrives. A letter is opened once, parsed once, judged by register/judge.h, checked by the
 * safeguards, and kept; then its receipt is signed, all receipts of a batch in one call of the signer.
 * A letter that fails anywhere changes nothing but a count (and a leaf: rejections.c), and its receipt says why by a stable code and
 * which telephone is another channel: rejecting is no refusal under the Convention (design.md part 2). */
#include "exchange/receive.h"

#include "base/clock.h"
#include "base/reader.h"
#include "exchange/directory.h"
#include "exchange/effect.h"
#include "exchange/lately.h"
#include "exchange/pending.h"
#include "exchange/receive-internal.h"
#include "exchange/record.h"
#include "exchange/rejections.h"
#include "log/leaf.h"
#include "register/judge.h"
#include "safeguard/safeguard.h"
#include "seal/age.h"

/* A register that the sender last saw fresh longer ago than this is too old to act on. */
#define REGISTER_AGE_MAX_MS REGISTER_STALE_MS
/* Statements may be older than that only by this: drafts wait for approvals, carriers take days. */
#define CLOCK_AHEAD_MAX_MS 60000

/* ISO 3166's user-assigned code for an unknown one: a letter that cannot be opened says nobody's name. */
#define PARTY_UNKNOWN "ZZ"

/* --- judging one letter ---------------------------------------------------------------------------- */

static bool open_letter(const struct arrival *a, struct buf *plain, struct err *e)
{
	size_t header;

	return age_header_length(a->sealed, &header, e) &&
	       age_payload_open(a->file_key, bytes_slice(a->sealed, header, a->sealed.len - header), plain, e);
}

static bool check_address(struct node *n, const struct arrival *a, const uint8_t *spki, struct err *e)
{
	const struct statement *s = a->act->statement;
	const struct party *peer = register_party(n->reg, bytes_of(a->letter->from));

	if (peer == NULL)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "no party of our register is called %s", a->letter->from);
	if (!bytes_is(bytes_of(s->from), a->letter->from) || (spki != NULL && memcmp(peer->tls_spki, spki, SHA256_BYTES) != 0))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "a statement of %s in a letter of %s, brought by another",
			       s->from, a->letter->from);
	if (!bytes_is(bytes_of(a->letter->to), node_party(n)) || !bytes_is(bytes_of(s->to), node_party(n)))
		return err_set(e, ERR_REJECTED, REASON_RE_ADDRESSED, "this is %s; the statement is addressed to %s",
			       node_party(n), s->to);
	if (s->exercise != node_exercise(n))
		return err_set(e, ERR_REJECTED, s->exercise ? REASON_EXERCISE_IN_LIVE : REASON_LIVE_IN_EXERCISE,
			       "%s statement at %s node", s->exercise ? "an exercise" : "a live", s->exercise ? "a live" : "an exercise");
	if (s->time > clock_now_ms() + CLOCK_AHEAD_MAX_MS)
		return err_set(e, ERR_REJECTED, REASON_CLOCK_OFF, "the statement is dated in the future");
	if (s->time - s->register_time > REGISTER_AGE_MAX_MS)
		return err_set(e, ERR_REJECTED, REASON_STALE_REGISTER, "the sender used a register older than 30 days");
	return true;
}

/* Same sender and id: the same statement again gets the same receipt, another one is a replay. */
static bool check_replay(struct node *n, struct arrival *a, struct err *e)
{
	const struct statement *s = a->act->statement;
	struct query *q = store_query(n->store, QUERY_receipt_given_get);
	bool found, ok;

	query_bind_text(q, 1, s->from);
	query_bind_bytes(q, 2, bytes_from(s->id.at, ID_BYTES));
	ok = query_row(q, &found, e);
	if (ok && found) {
		if (bytes_equal(query_bytes(q, 0), bytes_from(s->hash, SHA256_BYTES))) {
			a->known = query_bytes(q, 1).len > 0;
			buf_add(&a->receipt, query_bytes(q, 1));
			ok = a->known || err_set(e, ERR_REJECTED, REASON_ERASED, "this statement arrived before and was erased here");
		} else {
			ok = err_set(e, ERR_REJECTED, REASON_REPLAYED, "another statement with this id arrived before");
		}
	}
	query_end(q);
	return ok;
}

static bool check_safeguards(struct node *n, const struct arrival *a, struct err *e)
{
	struct safeguard_facts f = { .s = a->act->statement, .t = n->treaty, .r = n->reg, .our_party = node_party(n),
				     .our_exercise = node_exercise(n), .now_ms = clock_now_ms(),
				     .approvals = a->act->approvals, .approval_count = a->act->approval_count };
	struct findings *found = calloc(1, sizeof(*found));

	if (found == NULL)
		abort();
	findings_init(found);
	safeguard_check(SAFEGUARD_RECEIPT, &f, found);
	bool ok = findings_pass(found, e);
	free(found);
	return ok;
}

/* Records one act of theirs; a main act also gets our leaf. */
static bool keep_act(struct node *n, const struct act *act, bool with_leaf, struct arrival *a, struct err *e)
{
	const struct statement *s = act->statement;
	struct record_keys keys = { 0 };
	uint8_t leaf[LEAF_V1_BYTES];
	struct id request;
	struct record_head h = { .id = s->id, .sender = s->from, .addressee = s->to, .kind = s->kind->name,
				 .case_ref = s->case_ref, .time = s->time, .arrived = clock_now_ms() };

	memcpy(h.hash, s->hash, sizeof(h.hash));
	/* What stands in support belongs to the same file as the act that it supports. */
	if (effect_request_of(s, &request) || effect_request_of(a->act->statement, &request))
		h.request = &request;
	bool ok = record_new(n, s->hash, &keys, e) && record_put(n, &h, &keys, buf_bytes(&act->json), e);
	if (ok && with_leaf) {
		uint8_t prefixed[1 + LEAF_V1_BYTES];
		judge_leaf(s, keys.opening, act->x, true, leaf);
		leaf_tag(act->x, LEAF_IN, a->tag);
		prefixed[0] = 0;
		memcpy(prefixed + 1, leaf, sizeof(leaf));
		sha256(BYTES_ARRAY(prefixed), a->leaf_hash);
		ok = record_queue_leaf(n, s, keys.opening, BYTES_ARRAY(leaf), LEAF_RANK_PEER, s->from, e);
		if (ok) {
			struct query *q = store_query(n->store, QUERY_proof_out_add);
			query_bind_bytes(q, 1, bytes_from(s->hash, SHA256_BYTES));
			query_bind_text(q, 2, s->from);
			ok = query_run(q, e);
			query_end(q);
		}
	}
	wipe(&keys, sizeof(keys));
	return ok;
}

static bool act_known(struct node *n, const uint8_t *hash, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_statement_by_hash);
	bool ok;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

/* In support of an exhibit stand the sender's custody events that it names; everything else comes in a letter of
 * its own, with its own checks and receipt. */
static bool check_support(const struct arrival *a, const struct statement *s, size_t i, struct err *e)
{
	const json_t *named = json_object_get(a->act->statement->body, "custody");
	char hash[2 * SHA256_BYTES + 1];

	hex_write(bytes_from(s->hash, SHA256_BYTES), hash);
	if (!bytes_is(bytes_of(s->from), a->letter->from))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "supporting act %zu is not the sender's", i);
	for (size_t k = 0; k < json_array_size(named); k++)
		if (bytes_is(bytes_of(s->kind->name), "custody") && bytes_is(bytes_of(json_string_value(json_array_get(named, k))), hash) &&
		    bytes_is(bytes_of(a->act->statement->kind->name), "exhibit") && s->exercise == a->act->statement->exercise)
			return true;
	return err_set(e, ERR_REJECTED, REASON_BAD_CUSTODY, "supporting act %zu is no custody event that this exhibit names", i);
}

/* Each judged like the first one and kept once; it does nothing by itself. */
static bool keep_support(struct node *n, struct arrival *a, struct err *e)
{
	struct judgement j;
	bool known;

	for (size_t i = 1; i < a->letter->act_count; i++) {
		const struct act *act = a->letter->acts[i];
		if (!check_support(a, act->statement, i, e) || !act_known(n, act->statement->hash, &known, e))
			return false;
		if (known)
			continue;
		if (!judge_act(act, n->reg, clock_now_ms(), n->checkpoints, &j, e) || !keep_act(n, act, false, a, e))
			return err_note(e, "supporting act %zu", i);
	}
	return true;
}

/* Only what the peer itself brought, or signed, takes a place among its letters: whoever else carries a letter could
 * have written what stands around the statement. */
static void author_find(struct node *n, struct arrival *a, const char *from, const struct envelope *main, const uint8_t *spki)
{
	const struct party *p = register_party(n->reg, bytes_of(from));
	bool its = p != NULL && spki != NULL && memcmp(p->tls_spki, spki, SHA256_BYTES) == 0;

	a->brought = its;
	for (size_t i = 0; p != NULL && spki == NULL && !its && i < p->key_count; i++)
		its = envelope_signed_by(main, p->keys[i].key);
	if (its)
		snprintf(a->peer, sizeof(a->peer), "%s", p->code);
}

/* The order of the letters comes before their content: what is missing may explain the rest. */
static bool check_place(struct node *n, struct arrival *a, struct err *e)
{
	if (a->peer[0] == '\0')
		return true;
	if (!pair_see(n, a->peer, &a->place, &a->fit, e))
		return false;
	return a->fit != PAIR_GAP || pair_gap(n, a->peer, &a->place, e);
}

/* It was accepted before, perhaps by a program that did not count: then it takes its place now. */
static bool known_place(struct node *n, struct arrival *a, struct err *e)
{
	if (a->peer[0] != '\0' && !pair_see(n, a->peer, &a->place, &a->fit, e))
		return false;
	if (a->fit != PAIR_NEXT)
		a->fit = PAIR_AGAIN;
	return true;
}

/* What it is about may have been lost with a restored store: it is kept then, without effect, and has its leaf and its
 * proof, because the receipt that it once got promised them. */
static bool apply(struct node *n, const struct statement *s, struct err *e)
{
	struct err why = { 0 };
	bool lost = false;

	if (effect_apply(n, s, false, &why))
		return true;
	if (why.reason == REASON_NOT_FOUND && !pair_lost_any(n, s->from, PAIR_SENT, &lost, e))
		return false;
	return lost || err_set(e, why.kind, why.reason, "%s", why.text);
}

static bool accept_act(struct node *n, struct arrival *a, struct err *e)
{
	bool leaf = a->act->statement->kind->leaf;
	const struct party *sender;

	if (leaf ? !pending_judge(n, a->act, &a->pending, e)
		 : !judge_signature(a->act, n->reg, clock_now_ms(), &sender, e))
		return false;
	return check_safeguards(n, a, e) && keep_support(n, a, e) && keep_act(n, a->act, leaf, a, e) &&
	       apply(n, a->act->statement, e) &&
	       (!a->pending || pending_kept(n, a->act->statement->hash, a->act->statement->from, clock_now_ms(), e));
}

/* An act that this program cannot read, as of a kind that only a newer one knows: when its author is known it is rejected
 * by name and in its place, so that it comes no more and nothing waits behind it. False always. */
static bool reject_unread(struct node *n, struct arrival *a, struct bytes plain, const uint8_t *spki, struct err *e)
{
	struct err cause = *e, none;
	AUTO_LETTER_AROUND l = { 0 };

	if (!letter_around_parse(plain, &l, &none) || l.pair.n == 0 || !bytes_is(bytes_of(l.to), node_party(n)))
		return false;
	author_find(n, a, l.from, &l.main, spki);
	if (a->peer[0] == '\0')
		return false;
	a->place.at = l.pair;
	memcpy(a->place.hash, l.main.hash, sizeof(a->place.hash));
	if (!a->brought)
		a->place.at.gone_count = 0;
	a->named = true;
	if (l.has_id)
		a->id = l.id;
	if (check_place(n, a, e))
		*e = cause;
	return false;
}

static bool accept_letter(struct node *n, struct arrival *a, const uint8_t *spki, struct err *e)
{
	const struct kind *k;
	struct err why = { 0 };
	AUTO_BUF plain = { 0 };

	buf_init(&plain, LETTER_BYTES_MAX);
	if (!open_letter(a, &plain, e))
		return false;
	if (!letter_parse(buf_bytes(&plain), &a->letter, e))
		return reject_unread(n, a, buf_bytes(&plain), spki, e);
	a->act = a->letter->acts[0];
	k = a->act->statement->kind;
	a->place = (struct pair_letter){ .at = a->letter->pair, .never_waits = k->may_go_pending };
	memcpy(a->place.hash, a->act->statement->hash, sizeof(a->place.hash));
	author_find(n, a, a->letter->from, &a->act->envelope, spki);
	if (!a->brought)
		a->place.at.gone_count = 0; /* which letters are gone the peer says itself */
	bool addressed = (k->to == TO_PEER && (k->leaf || k->notice)) ||
			 err_set(&why, ERR_REJECTED, REASON_UNKNOWN_KIND, "a %s is no letter of its own", k->name);
	addressed = addressed && check_address(n, a, spki, &why) && check_replay(n, a, &why);
	if (a->known)
		return known_place(n, a, e) && pending_again(n, a->act, e);
	if (addressed || why.kind != ERR_SYSTEM) {
		if (!check_place(n, a, e))
			return false;
		if (addressed)
			return accept_act(n, a, e);
	}
	*e = why;
	return false;
}

/* A letter takes its place whatever became of its content, so that one that is rejected does not stop the others. */
static bool take_place(struct node *n, struct arrival *a, struct err *e)
{
	/* Its place stands outside of what is signed: a carrier's word on it accuses nobody. */
	if (!a->brought && a->fit == PAIR_GAP)
		return true;
	if (!a->brought && a->fit == PAIR_EARLY)
		memset(a->place.at.prev, 0, sizeof(a->place.at.prev));
	return a->peer[0] == '\0' || pair_take(n, a->peer, &a->place, a->fit, e);
}

/* --- batches ------------------------------------------------------------------------------------------ */

static bool batch_parse(struct bytes body, struct arrival *all, size_t *ret_count, struct err *e)
{
	struct reader r = reader_over(body);
	size_t count = 0;

	while (reader_ok(&r) && reader_left(&r) > 0) {
		if (count == LETTER_BATCH_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u letters at once", LETTER_BATCH_MAX);
		all[count].sealed = reader_field(&r, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
		sha256(all[count].sealed, all[count].digest);
		buf_init(&all[count].receipt, ENVELOPE_BYTES_MAX);
		count++;
	}
	if (!reader_done(&r, "batch of letters", e))
		return false;
	*ret_count = count;
	return count > 0 || err_set(e, ERR_INPUT, REASON_MALFORMED, "no letters");
}

static bool unwrap_all(struct node *n, struct arrival *all, size_t count, struct err *e)
{
	struct bytes headers[LETTER_BATCH_MAX];
	struct secret *keys[LETTER_BATCH_MAX] = { NULL };
	size_t places[LETTER_BATCH_MAX], valid = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = 0;
		if (!age_header_length(all[i].sealed, &len, &all[i].why) || len == 0) {
			if (all[i].why.kind == ERR_NONE)
				err_set(&all[i].why, ERR_INPUT, REASON_MALFORMED, "the letter is cut inside its header");
			continue;
		}
		headers[valid] = bytes_slice(all[i].sealed, 0, len);
		places[valid++] = i;
	}
	if (valid > 0 && !n->signer.unwrap(n->signer.ctx, headers, valid, keys, e))
		return false;
	for (size_t j = 0; j < valid; j++) {
		struct arrival *a = &all[places[j]];
		a->file_key = keys[j];
		if (keys[j] == NULL)
			err_set(&a->why, ERR_REJECTED, REASON_NOT_SEALED_TO_US,
				"the letter is not sealed to this node, or was changed on its way");
	}
	return true;
}

/* What a newer register may make true. */
static bool a_register_explains(enum reason r)
{
	return r == REASON_UNKNOWN_KEY || r == REASON_UNSIGNED || r == REASON_KEY_NOT_VALID || r == REASON_BAD_APPROVAL ||
	       r == REASON_NOT_IN_FORCE || judge_wants_another_proof(r);
}

/* A register was named that our source did not have, although it was asked after that: an answer that was on its way
 * already, or that does not verify, or none, says nothing against anybody. */
static bool disproved(const struct node *n, const struct lately_peer *p, int64_t now_ms)
{
	return lately_within(p->behind_ms, now_ms, REGISTER_ASKED_MS_MAX) && n->register_had_ms > p->behind_ms && n->register_had_ms <= now_ms &&
	       p->behind_size > register_size(n->reg);
}

/* The first claim that is open stays the one that is asked about: whoever names another one each second is answered too. */
static void claimed(const struct node *n, struct lately_peer *p, uint64_t size, int64_t now_ms)
{
	if (lately_within(p->behind_ms, now_ms, REGISTER_ASKED_MS_MAX) && p->behind_size > register_size(n->reg))
		return;
	p->behind_ms = now_ms;
	p->behind_size = size;
}

/* We are behind the sender's register: fetch first, and let it try again (design.md part 10). A statement tells the register
 * that it was made by; its proof may be by a newer one still, so before one is not enough our source is asked. */
static bool behind(struct node *n, const struct arrival *all, size_t count, const uint8_t *spki)
{
	const struct party *by = spki != NULL ? register_party_by_tls(n->reg, spki) : NULL;
	struct lately_peer *p = lately_of(n->lately, by != NULL ? by->code : "");
	int64_t now = clock_now_ms();
	bool unsure = directory_may_be_behind(n, now), believed = directory_has_source(n) && !disproved(n, p, now);
	uint64_t named = 0;
	bool proof = false;

	for (size_t i = 0; i < count; i++) {
		const struct statement *s = all[i].act != NULL ? all[i].act->statement : NULL;
		if (s == NULL || all[i].ok || !a_register_explains(all[i].why.reason) ||
		    !bytes_is(bytes_of(s->register_origin), register_origin(n->reg)))
			continue;
		if (believed && s->register_size > register_size(n->reg) && s->register_size > named)
			named = s->register_size;
		proof = proof || (unsure && judge_wants_another_proof(all[i].why.reason));
	}
	if (named > 0)
		claimed(n, p, named, now);
	return named > 0 || proof;
}

static bool judge_all(struct node *n, struct arrival *all, size_t count, const uint8_t *spki, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct arrival *a = &all[i];
		if (a->file_key == NULL)
			continue;
		if (!node_part(n, e))
			return false;
		a->ok = accept_letter(n, a, spki, &a->why);
		/* Our own disk or signer failing is no rejection of theirs. */
		if (!a->ok && (a->why.kind == ERR_SYSTEM || a->why.kind == ERR_UNAVAILABLE) && a->why.reason != REASON_UNLOGGED) {
			struct err ignored;
			(void)!node_part_end(n, false, &ignored);
			*e = a->why;
			return false;
		}
		if (!node_part_end(n, a->ok, e) || !take_place(n, a, e))
			return false;
		if (a->peer[0] != '\0' && !pair_last(n, a->peer, PAIR_RECEIVED, &a->after, e))
			return false;
	}
	return true;
}

static const char *peer_of(struct node *n, const struct arrival *all, size_t count, const uint8_t *spki)
{
	const struct party *p = spki != NULL ? register_party_by_tls(n->reg, spki) : NULL;

	for (size_t i = 0; p == NULL && i < count; i++)
		if (all[i].letter != NULL || all[i].peer[0] != '\0')
			p = register_party(n->reg, bytes_of(all[i].letter != NULL ? all[i].letter->from : all[i].peer));
	return p != NULL ? p->code : "";
}

/* All or nothing: a letter that was kept while its receipt could not be given would come again and be no
 * longer new. */
static bool take_batch(struct node *n, struct arrival *all, size_t count, const uint8_t *spki, struct err *e)
{
	struct err undo = { 0 };

	if (!node_part(n, e))
		return false;
	bool ok = judge_all(n, all, count, spki, e);
	if (ok && behind(n, all, count, spki)) {
		n->refresh_wanted = true;
		ok = err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "our register may be behind yours; it is being fetched, try again");
	}
	const char *peer = peer_of(n, all, count, spki);
	peer = peer[0] != '\0' ? peer : PARTY_UNKNOWN;
	ok = ok && receipts_sign(n, all, count, peer, e) && rejections_keep(n, all, count, spki, peer, e);
	if (node_part_end(n, ok, &undo))
		return ok;
	if (e != NULL)
		*e = undo;
	return false;
}

static bool may_receive(struct node *n, const uint8_t *spki, struct err *e)
{
	/* What was restored may have forgotten receipts that it gave: nothing is answered until it is whole. */
	if (n->locked)
		return err_set(e, ERR_UNAVAILABLE, REASON_LOCKED, "this node was restored and is not recovered yet; try again later");
	if (bytes_is(bytes_of(directory_state(n)), "stale")) {
		n->refresh_wanted = true;
		return err_set(e, ERR_UNAVAILABLE, REASON_STALE_REGISTER, "our register is older than 30 days; try again later");
	}
	return spki == NULL || peer_has_room(n, spki, e);
}

bool receive_letters(struct node *n, struct bytes body, const uint8_t *spki, struct buf *reply, struct err *e)
{
	struct arrival *all;
	size_t count = 0;
	bool ok;

	if (!may_receive(n, spki, e))
		return false;
	all = calloc(LETTER_BATCH_MAX, sizeof(*all));
	if (all == NULL)
		abort();
	ok = batch_parse(body, all, &count, e) && unwrap_all(n, all, count, e) && take_batch(n, all, count, spki, e);
	for (size_t i = 0; i < LETTER_BATCH_MAX; i++) {
		if (ok && i < count)
			buf_add_field(reply, buf_bytes(&all[i].receipt));
		letter_free(all[i].letter);
		secret_free(all[i].file_key);
		buf_release(&all[i].receipt);
	}
	free(all);
	return ok && buf_check(reply, "receipts", e);
}
