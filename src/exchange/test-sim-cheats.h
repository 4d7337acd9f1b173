/* For test-simulation.c: what the homes of test-sim-cheats.tbl.h do. Each is honest in everything but its one thing, and each
 * does that by bending what honest code made: another leaf in the queue, a proof of another tree, an old disk. */
#ifndef COMITY_EXCHANGE_TEST_SIM_CHEATS_H
#define COMITY_EXCHANGE_TEST_SIM_CHEATS_H

#include "exchange/test-forge.h"
#include "exchange/test-sim-life.h"
#include "exchange/test-sim-shadow.h"

/* Places of c, k and t in a leaf's bytes. */
#define LEAF_C_AT 6u
#define LEAF_K_AT 77u
#define LEAF_T_AT 148u
#define LEAF_HEX 64u

/* Makes it of another statement, or of another class; all else is as it was. */
static inline void leaf_bend(uint8_t leaf[static LEAF_V1_BYTES], bool of_class)
{
	size_t at = of_class ? LEAF_K_AT : LEAF_C_AT;
	uint8_t other[LEAF_V1_BYTES], hash[32], opening[32];
	struct leaf_class c = { .act_class = bytes_of("acknowledgement"), .basis = bytes_of("UNCC"), .week = bytes_of("2026-W48") };

	chance_fill(hash, sizeof(hash));
	chance_fill(opening, sizeof(opening));
	leaf_write(hash, &c, opening, opening, LEAF_IN, other);
	memcpy(leaf + at, other + at, LEAF_HEX);
}

/* --- what came -------------------------------------------------------------------------------------------------------- */

struct queued {
	int64_t seq;
	uint8_t hash[SHA256_BYTES], leaf[LEAF_V1_BYTES];
};

/* The oldest leaf of a letter that came, from place `after` of the queue on. */
static inline bool queued_next(struct sim_home *x, int64_t after, struct queued *ret)
{
	struct query *q = store_query(x->h.node->store, QUERY_leaf_queue_take);
	bool found, mine = false;

	query_bind_int(q, 1, LEAF_RANK_PEER);
	query_bind_int(q, 2, LEAF_RANK_PEER);
	query_bind_int(q, 3, 1000);
	assert_ok(query_row(q, &found, e));
	while (found && !mine) {
		mine = query_int(q, 0) > after;
		if (mine) {
			ret->seq = query_int(q, 0);
			memcpy(ret->hash, query_bytes(q, 1).at, SHA256_BYTES);
			memcpy(ret->leaf, query_bytes(q, 2).at, LEAF_V1_BYTES);
		} else {
			assert_ok(query_row(q, &found, e));
		}
	}
	query_end(q);
	return mine;
}

static inline void queued_bend(struct sim_home *x, const struct queued *l)
{
	struct query *q = store_query(x->h.node->store, QUERY_leaf_queue_drop_one);
	uint8_t leaf[LEAF_V1_BYTES];
	struct record_keys keys;
	AUTO_ACT *a = NULL;

	query_bind_int(q, 1, l->seq);
	assert_ok(query_run(q, e));
	query_end(q);
	if (x->cheat == CHEAT_DOES_NOT_LOG)
		return;
	memcpy(leaf, l->leaf, sizeof(leaf));
	leaf_bend(leaf, x->cheat == CHEAT_MISCLASSIFIES_PROOF);
	assert_ok(node_act_load(x->h.node, l->hash, &a, e));
	assert_ok(node_record_keys(x->h.node, l->hash, &keys, e));
	assert_ok(record_queue_leaf(x->h.node, a->statement, keys.opening, BYTES_ARRAY(leaf), LEAF_RANK_PEER, a->statement->from, e));
}

/* Leaves of letters that came are dropped, or bent; each once: what takes their places comes behind them in the queue. */
static inline void leaves_bend(struct sim_home *x)
{
	struct queued l[LETTER_BATCH_MAX], last;
	size_t count = 0;

	if (x->cheat != CHEAT_DOES_NOT_LOG && x->cheat != CHEAT_MISOPENS_PROOF && x->cheat != CHEAT_MISCLASSIFIES_PROOF)
		return;
	for (; count < LETTER_BATCH_MAX && queued_next(x, x->bent, &l[count]); count++)
		x->bent = l[count].seq;
	assert_ok(node_begin(x->h.node, e));
	for (size_t i = 0; i < count; i++)
		queued_bend(x, &l[i]);
	assert_ok(node_commit(x->h.node, e));
	while (queued_next(x, x->bent, &last))
		x->bent = last.seq;
}

/* --- what goes ------------------------------------------------------------------------------------------------------- */

/* A request that is true but for its leaf or its proof, and its leaf on the way into whatever log. */
struct crooked {
	struct forged f;
	struct statement *said;
	uint8_t leaf[LEAF_V1_BYTES];
	int to;
};

static inline struct crooked *crooked_new(struct sim *s, int from, int to)
{
	struct crooked *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->to = to;
	forge(&s->home[from].h, &s->home[to].h, &c->f);
	request_dates(json_object_get(c->f.frame, "body"));
	forge_state(&s->home[from].h, &c->f, BY_TWO, &c->said);
	judge_leaf(c->said, c->f.opening, c->f.x, false, c->leaf);
	return c;
}

static inline void crooked_free(struct crooked *c)
{
	if (c == NULL)
		return;
	json_decref(c->f.act);
	statement_free(c->said);
	free(c);
}

/* Brought to the other home by the usual way, when both have the newest register: nothing excuses it. */
static inline void crooked_bring(struct sim *s, int from, struct crooked *c, struct bytes proof)
{
	struct sim_home *to = &s->home[c->to];
	struct err why;
	AUTO_BUF sealed = { 0 }, batch = { 0 }, reply = { 0 };

	buf_init(&sealed, LETTER_BYTES_MAX + AGE_HEADER_BYTES_MAX);
	buf_init(&batch, LETTER_BATCH_BYTES_MAX);
	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	register_take(s, from);
	register_take(s, c->to);
	forge_act(&c->f, BYTES_ARRAY(c->leaf), proof);
	sim_as(s, to);
	to->h.node->register_asked_ms = the_time;
	seal_letter(s->home[from].code, to->code, &c->f.act, 1, &to->h, &sealed);
	buf_add_field(&batch, buf_bytes(&sealed));
	unsigned status = receive_at(&to->h, buf_bytes(&batch), s->home[from].h.tls, &reply, &why);
	sim_note(s, "crooked from=%d to=%d status=%u", from, c->to, status);
	assert_int_equal(status, 200);
	struct sim_policy by = policy_at(s, from, from);
	receipts_told(s, c->to, from, &by, buf_bytes(&reply));
	assert_false(receipt_was_kept(&to->h, s->home[from].code, &c->f.id));
	s->counts.crooked++;
}

/* An honest home that is there now. */
static inline int victim(struct sim *s)
{
	for (;;) {
		int i = somebody(s);
		if (s->home[i].cheat == CHEAT_NONE && may_speak(s, i))
			return i;
	}
}

/* Its leaf goes into its log, bent; the letter when that is proved. */
static inline void cheat_bent_letter(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	AUTO_BUF proof = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	if (x->crooked == NULL) {
		x->crooked = crooked_new(s, i, victim(s));
		leaf_bend(x->crooked->leaf, x->cheat == CHEAT_MISCLASSIFIES_LETTER);
		IN(&x->h, record_queue_leaf(x->h.node, x->crooked->said, x->crooked->f.opening, BYTES_ARRAY(x->crooked->leaf), LEAF_RANK_OWN,
					    "", e));
		sim_at(s, s->now + 5 * HOUR_MS, EV_CHEAT, i, 0);
		return;
	}
	if (s->home[x->crooked->to].down || !node_proof(x->h.node, x->crooked->f.hash, &proof, NULL)) {
		sim_at(s, s->now + HOUR_MS, EV_CHEAT, i, 0);
		return;
	}
	crooked_bring(s, i, x->crooked, buf_bytes(&proof));
	crooked_free(x->crooked);
	x->crooked = NULL;
}

/* --- a second tree ------------------------------------------------------------------------------------------------------ */

/* Once with the log's signature alone, once with its own witness's beside it: neither counts. */
static inline void cheat_private_fork(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct sim_witness *w = &s->witness[i - 1];

	shadow_free(x->shadow);
	x->shadow = shadow_new(x);
	for (int k = 0; k < 2; k++) {
		struct crooked *c = crooked_new(s, i, victim(s));
		AUTO_BUF proof = { 0 };

		buf_init(&proof, NOTE_BYTES_MAX);
		shadow_add(x, x->shadow, (const uint8_t(*)[LEAF_V1_BYTES])c->leaf, 1);
		if (k == 1) {
			struct buf *note = &x->shadow->shown.note;
			struct note parts;
			AUTO_BUF line = { 0 };
			buf_init(&line, KIB);
			assert_ok(note_parse(buf_bytes(note), &parts, e));
			assert_ok(cosignature_sign(parts.text, w->name, w->key, s->now / 1000, &line, e));
			buf_add(note, buf_bytes(&line));
		}
		shadow_proof(x->shadow, &proof);
		crooked_bring(s, i, c, buf_bytes(&proof));
		crooked_free(c);
	}
}

/* From now on one monitor is shown another tree, which grows beside the true one. */
static inline void cheat_forks(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	if (x->shadow != NULL)
		return;
	x->shadow = shadow_new(x);
	shadow_slot(x, x->shadow);
	assert_ok(log_publish(x->shadow->log, buf_bytes(&x->shadow->shown.note), e));
}

static inline void fork_slot(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	int w = (int)sim_roll(s, 0, (int64_t)s->o.witnesses - 1);

	if (x->cheat != CHEAT_FORKS || x->shadow == NULL)
		return;
	sim_as(s, x);
	shadow_slot(x, x->shadow);
	assert_ok(log_publish(x->shadow->log, buf_bytes(&x->shadow->shown.note), e));
	if (s->witness[w].off || s->witness[w].seen[i].state.size <= x->shadow->forked_at)
		return;
	unsigned status = shadow_offer(s, i, w);
	/* Whatever it says, it does not sign. */
	assert_true(status == 409 || status == 422);
	if (status == 422)
		accuse(s, BY_WITNESS, w, i, REASON_SPLIT_VIEW);
}

/* --- an old disk ---------------------------------------------------------------------------------------------------------- */

static inline void folder_copy(const char *from, const char *to)
{
	char command[4 * PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
	assert_int_equal(system(command), 0);
}

static const char *const disk_parts[] = { "store", "log", "keys" };

static inline void disk_move(struct sim_home *x, bool keep)
{
	char here[PATH_MAX + 16], there[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(disk_parts) / sizeof(disk_parts[0]); i++) {
		snprintf(here, sizeof(here), "%s/%s", x->h.dir.path, disk_parts[i]);
		snprintf(there, sizeof(there), "%s/%s", x->kept.path, disk_parts[i]);
		folder_copy(keep ? here : there, keep ? there : here);
	}
}

/* First it keeps a copy of its disk; later that takes the place of the disk, and with what it then says its log has
 * another history. Honest code stops there by itself, once a witness has shown what it had signed (cosigning.h). */
static inline void cheat_rolls_back(struct sim *s, int i, bool keep)
{
	struct sim_home *x = &s->home[i];

	/* What it takes back was seen: all that it has signed has its quorum. */
	if (!keep && cosigning_proved(x->h.node)->checkpoint.size < log_size(x->h.node->log)) {
		sim_at(s, s->now + HOUR_MS, EV_CHEAT, i, 1);
		return;
	}
	home_close(&x->h);
	connections_die(x);
	if (keep)
		home_make(&x->kept);
	disk_move(x, keep);
	home_open(&x->h);
	sim_note(s, "%s home=%d size=%" PRIu64, keep ? "keeps" : "rolls-back", i, log_size(x->h.node->log));
	if (keep)
		return;
	x->rolled_back = s->now;
	x->crooked = crooked_new(s, i, victim(s));
	IN(&x->h, record_queue_leaf(x->h.node, x->crooked->said, x->crooked->f.opening, BYTES_ARRAY(x->crooked->leaf), LEAF_RANK_OWN, "", e));
	sim_at(s, s->now + DAY_MS, EV_CHEAT, i, 2);
	pump(s, i);
}

/* Then it makes its signer go on, publishes what nobody has cosigned, and sends a letter with that for a proof. */
static inline void cheat_signs_on(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct proved alone = { 0 };
	AUTO_BUF proof = { 0 };

	buf_init(&proof, NOTE_BYTES_MAX);
	buf_init(&alone.note, NOTE_BYTES_MAX);
	/* No witness may have shown it yet what it had signed; somebody must be there to whom it can write; and while it looks at
	 * its witnesses it signs nothing. */
	if ((!x->h.node->locked && s->now < x->rolled_back + 2 * DAY_MS) || s->home[x->crooked->to].down ||
	    cosigning_looking(x->h.node)) {
		buf_release(&alone.note);
		sim_at(s, s->now + HOUR_MS, EV_CHEAT, i, 2);
		return;
	}
	signing_unlock(x->h.signing);
	x->h.node->locked = false;
	x->h.node->next_slot_ms = 0;
	assert_ok(node_slot(x->h.node, the_time, e));
	alone.checkpoint = x->h.node->checkpoint;
	buf_add(&alone.note, buf_bytes(&x->h.node->note));
	assert_ok(log_publish(x->h.node->log, buf_bytes(&alone.note), e));
	assert_ok(node_proof_under(x->h.node, x->crooked->f.hash, &alone, &proof, e));
	crooked_bring(s, i, x->crooked, buf_bytes(&proof));
	crooked_free(x->crooked);
	x->crooked = NULL;
	buf_release(&alone.note);
}

/* --- when ------------------------------------------------------------------------------------------------------------------ */

static inline void on_cheat(struct sim *s, int i, int64_t step)
{
	struct sim_home *x = &s->home[i];

	if (x->down) {
		sim_at(s, s->now + HOUR_MS, EV_CHEAT, i, step);
		return;
	}
	sim_as(s, x);
	sim_note(s, "cheat home=%d step=%d", i, (int)step);
	switch (x->cheat) {
	case CHEAT_FORKS:
		cheat_forks(s, i);
		break;
	case CHEAT_PRIVATE_FORK:
		cheat_private_fork(s, i);
		break;
	case CHEAT_MISOPENS_LETTER:
	case CHEAT_MISCLASSIFIES_LETTER:
		cheat_bent_letter(s, i);
		break;
	case CHEAT_DOES_NOT_LOG:
	case CHEAT_MISOPENS_PROOF:
	case CHEAT_MISCLASSIFIES_PROOF:
		if (!officer_asks(s, victim(s), i)) /* what comes is what it bends */
			sim_at(s, s->now + HOUR_MS, EV_CHEAT, i, step);
		break;
	case CHEAT_ROLLS_BACK:
		if (step == 2)
			cheat_signs_on(s, i);
		else
			cheat_rolls_back(s, i, step == 0);
		break;
	case CHEAT_NONE:
	case CHEATS:
		break;
	}
}

static inline void cheats_plan(struct sim *s)
{
	for (enum cheat c = CHEAT_NONE + 1; s->o.cheats && c < CHEATS; c++) {
		int i = home_of_cheat(s, c);
		int64_t between = 20 * MINUTE_MS; /* never on the border of a slot, nor at a later try by the hour */
		sim_at(s, sim_day(s, s->o.days * 0.3) + between, EV_CHEAT, i, 0);
		sim_at(s, sim_day(s, s->o.days * 0.5) + between, EV_CHEAT, i, 1);
		/* Whoever spoils what comes needs somebody to write. */
		if (c == CHEAT_DOES_NOT_LOG || c == CHEAT_MISOPENS_PROOF || c == CHEAT_MISCLASSIFIES_PROOF)
			sim_at(s, sim_day(s, s->o.days * 0.1) + between, EV_CHEAT, i, 2);
	}
}

#endif
