/* For test-simulation.c: what people and accidents do. Officers ask and take on requests; nodes are restarted and are away
 * for days; lines are cut; witnesses fail, and one loses all that it knew; one home loses its disk and is restored by the
 * rules. None of that is anybody's fault. */
#ifndef COMITY_EXCHANGE_TEST_SIM_LIFE_H
#define COMITY_EXCHANGE_TEST_SIM_LIFE_H

#include "exchange/test-sim-network.h"

#include "exchange/recover.h"

/* --- officers ------------------------------------------------------------------------------------------------------- */

/* After a restore a home waits for what each peer says of their letters. */
static inline bool asks_still(struct sim *s, int i, int peer)
{
	struct query *q = store_query(s->home[i].h.node->store, QUERY_pair_recovery_get);
	bool found;

	query_bind_text(q, 1, s->home[peer].code);
	assert_ok(query_row(q, &found, e));
	query_end(q);
	return found;
}

static inline struct sim_letter *letter_add(struct sim *s, int from, int to, struct said said)
{
	if (s->letters == s->letter_room) {
		s->letter_room = s->letter_room == 0 ? 256 : 2 * s->letter_room;
		s->letter = realloc(s->letter, s->letter_room * sizeof(*s->letter));
		if (s->letter == NULL)
			abort();
	}
	struct sim_letter *l = &s->letter[s->letters++];
	*l = (struct sim_letter){ .from = from, .to = to, .at = s->now, .said = said, .about = -1 };
	sim_note(s, "letter from=%d to=%d", from, to);
	s->counts.letters++;
	return l;
}

static inline bool may_speak(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	return !x->down && !x->h.node->locked && x->h.node->recovering[0] == '\0' && !bytes_is(bytes_of(directory_state(x->h.node)), "stale");
}

/* What a treaty request says of the month after it stands in the samples as a fixed day. */
static inline void request_dates(json_t *body)
{
	json_put_time(body, "intended_mla_date", the_time + 30 * DAY_MS);
	json_put_time(body, "confidential_until", the_time + 90 * DAY_MS);
}

static inline bool officer_asks(struct sim *s, int from, int to)
{
	json_t *body;

	if (!may_speak(s, from) || asks_still(s, from, to))
		return false;
	sim_as(s, &s->home[from]);
	body = sample_body("preservation-request");
	request_dates(body);
	letter_add(s, from, to, say(&s->home[from].h, "preservation-request", s->home[to].code, NULL, body, RANA, ILSE));
	return true;
}

static inline int somebody(struct sim *s)
{
	return (int)sim_roll(s, 1, (int64_t)s->o.parties);
}

static inline void on_officer(struct sim *s)
{
	int from = somebody(s), to = somebody(s);

	sim_at(s, s->now + sim_roll(s, MINUTE_MS, 2 * DAY_MS / s->o.letters_a_day), EV_OFFICER, 0, 0);
	/* Who sends crooked letters sends no others: then each one's fate is known. */
	if (from != to && s->home[from].cheat == CHEAT_NONE && s->home[to].cheat == CHEAT_NONE)
		(void)officer_asks(s, from, to);
}

/* The duty officer takes it on: that is a letter, too. */
static inline void on_duty(struct sim *s, int i, int64_t which)
{
	struct sim_home *x = &s->home[i];
	const struct sim_letter l = s->letter[which];

	if (!may_speak(s, i) || asks_still(s, i, l.from)) {
		sim_at(s, s->now + 2 * HOUR_MS, EV_DUTY, i, which);
		return;
	}
	if (!act_is_there(&x->h, l.said.hash) || request_at(&x->h, &l.said.id).state != LIFE_RECEIVED)
		return;
	sim_as(s, x);
	letter_add(s, i, l.from, say_acknowledged(&x->h, s->home[l.from].code, &l.said.id))->about = which;
}

static inline void sim_arrived_requests(struct sim *s, int to, const struct outbox_job *j)
{
	for (size_t k = 0; k < j->count; k++)
		for (size_t i = 0; i < s->letters; i++) {
			struct sim_letter *l = &s->letter[i];
			if (memcmp(l->said.hash, j->hash[k], SHA256_BYTES) != 0 || l->about >= 0 || l->seen)
				continue;
			l->seen = true;
			if (s->home[to].cheat == CHEAT_NONE && sim_chance(s, 70))
				sim_at(s, s->now + sim_roll(s, 10 * MINUTE_MS, 10 * HOUR_MS), EV_DUTY, to, (int64_t)i);
		}
}

/* --- restarts ---------------------------------------------------------------------------------------------------------- */

static inline void connections_die(struct sim_home *x)
{
	x->life++;
	memset(x->busy, 0, sizeof(x->busy));
	x->failures = 0;
}

static inline void on_down(struct sim *s, int i, int64_t minutes)
{
	struct sim_home *x = &s->home[i];

	if (x->down)
		return;
	sim_as(s, x);
	home_close(&x->h);
	x->down = true;
	connections_die(x);
	s->counts.restarts++;
	sim_note(s, "down home=%d", i);
	sim_at(s, s->now + minutes * MINUTE_MS, EV_UP, i, 0);
}

static inline void on_up(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	sim_as(s, x);
	home_open(&x->h);
	x->down = false;
	sim_note(s, "up home=%d locked=%d", i, x->h.node->locked);
	sim_at(s, s->now + 10000, EV_REGISTER, i, 0);
	pump(s, i);
}

static inline void on_wake(struct sim *s, int i)
{
	s->home[i].waking = false;
	pump(s, i);
}

/* --- a disk is lost ------------------------------------------------------------------------------------------------------- */

static inline void file_copy(struct home *h, const char *from, const char *to)
{
	AUTO_BUF in = { 0 };

	buf_init(&in, 256 * MIB);
	assert_ok(file_read(h->dir.fd, from, &in, e));
	write_file(h, to, buf_bytes(&in));
}

static inline void on_backup(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	if (x->down) {
		sim_at(s, s->now + HOUR_MS, EV_BACKUP, i, 0);
		return;
	}
	sim_as(s, x);
	int fd = openat(x->h.dir.fd, "backup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(store_backup(x->h.node->store, fd, true, NULL, NULL, e));
	close(fd);
	x->backed_up = s->now;
	sim_note(s, "backup home=%d size=%" PRIu64, i, log_size(x->h.node->log));
	sim_at(s, s->now + 30 * HOUR_MS, EV_RESTORE, i, 0);
}

/* What `comity restore` and `comity log recover` do: the log files that were there, or those of a mirror, are set aside and
 * read; the signer still knows what it signed. */
static inline void on_restore(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct recovered back;

	if (x->down) {
		sim_at(s, s->now + HOUR_MS, EV_RESTORE, i, 0);
		return;
	}
	sim_as(s, x);
	home_close(&x->h);
	connections_die(x);
	(void)unlinkat(x->h.dir.fd, "store/comity.db-wal", 0);
	(void)unlinkat(x->h.dir.fd, "store/keys.db-wal", 0);
	file_copy(&x->h, "backup/comity.db", "store/comity.db");
	file_copy(&x->h, "backup/keys.db", "store/keys.db");
	assert_int_equal(renameat(x->h.dir.fd, "log", x->h.dir.fd, RECOVER_FOLDER), 0);
	assert_ok(dir_make(x->h.dir.fd, "log", 0700, e));
	assert_ok(signer_open(&x->h, true, e));
	assert_ok(node_open_at(&x->h, e));
	assert_true(x->h.node->locked);
	assert_ok(node_recover(x->h.node, NULL, &back, e));
	assert_true(back.leaves > 0 && !x->h.node->locked);
	x->brought_back = back.leaves;
	x->restored = s->now;
	sim_note(s, "restored home=%d back=%" PRIu64, i, x->brought_back);
	sim_at(s, s->now + 10000, EV_REGISTER, i, 0);
	pump(s, i);
}

/* A checkpoint that never had its quorum is in no file; a witness that has signed it says so, and its leaves are there. */
static inline void on_recover(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct recovered more;

	if (x->down) {
		sim_at(s, s->now + HOUR_MS, EV_RECOVER, i, 0);
		return;
	}
	sim_as(s, x);
	if (!x->h.node->locked)
		return;
	assert_ok(node_recover(x->h.node, NULL, &more, e));
	assert_true(more.leaves > 0 && !x->h.node->locked);
	x->brought_back += more.leaves;
	sim_note(s, "recovered home=%d back=%" PRIu64, i, more.leaves);
	pump(s, i);
}

/* --- the register ---------------------------------------------------------------------------------------------------------- */

static inline void on_register(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];

	if (x->down)
		return;
	x->h.node->register_asked_ms = s->now + x->skew;
	if (register_time(x->h.node->reg) == s->bundle_time)
		return;
	if (s->home[0].down || !reaches(s, i, 0)) {
		sim_at(s, s->now + HOUR_MS, EV_REGISTER, i, 0);
		return;
	}
	sim_as(s, x);
	register_take(s, i);
	sim_note(s, "register home=%d", i);
	pump(s, i);
}

static inline void on_publish(struct sim *s)
{
	if (s->home[0].down) {
		sim_at(s, s->now + HOUR_MS, EV_PUBLISH, 0, 0);
		return;
	}
	sim_as(s, &s->home[0]);
	/* What was stated waits for its slot and its witnesses. */
	if (!register_publish(s)) {
		sim_at(s, s->now + HOUR_MS, EV_PUBLISH, 0, 0);
		return;
	}
	sim_note(s, "published register");
	for (size_t i = 1; i < s->homes; i++)
		sim_at(s, s->now + sim_roll(s, 1, 3 * HOUR_MS), EV_REGISTER, (int)i, 0);
}

/* --- lines and witnesses ------------------------------------------------------------------------------------------------------ */

/* A few on one side, everybody else on the other; p 0 cuts off so many that quorums are missed. */
static inline void on_part(struct sim *s, int p, int64_t hours)
{
	memset(s->apart[p], 0, sizeof(s->apart[p]));
	for (size_t i = 0; i < s->homes; i++)
		s->apart[p][i] = sim_chance(s, p == 0 ? 30 : 12);
	for (size_t w = 0; w < s->o.witnesses; w++)
		s->apart[p][end_of_witness((int)w)] = sim_chance(s, p == 0 ? 50 : 15);
	for (int m = 0; m < (int)SIM_MONITORS; m++)
		s->apart[p][end_of_monitor(m)] = sim_chance(s, 30);
	s->parted[p] = true;
	sim_note(s, "part %d", p);
	sim_at(s, s->now + hours * HOUR_MS, EV_JOIN, p, 0);
}

static inline void on_join(struct sim *s, int p)
{
	s->parted[p] = false;
	sim_note(s, "join %d", p);
}

static inline void on_witness_off(struct sim *s, int w, int64_t hours)
{
	s->witness[w].off = true;
	sim_note(s, "witness-off %d", w);
	if (hours > 0)
		sim_at(s, s->now + hours * HOUR_MS, EV_WITNESS_ON, w, 0);
}

/* Whoever has lost what it had seen takes a new key, and from a stated day the policies name that (design.md part 10). */
static inline void on_witness_new(struct sim *s, int w)
{
	struct sim_home *x = &s->home[w + 1];

	if (s->home[0].down || x->down) {
		sim_at(s, s->now + HOUR_MS, EV_WITNESS_NEW, w, 0);
		return;
	}
	witness_begin(s, w);
	s->witness[w].off = false;
	sim_note(s, "witness-new %d", w);
	sim_as(s, x);
	home_close(&x->h);
	connections_die(x);
	identity_rewrite(s, w + 1);
	home_open(&x->h);
	sim_as(s, &s->home[0]);
	entry_state(s, w + 1);
	for (size_t i = 0; i < s->homes; i++)
		if (policy_names(s, (int)i, w))
			policy_state(s, (int)i, s->now + 2 * DAY_MS);
	sim_at(s, s->now + 6 * HOUR_MS, EV_PUBLISH, 0, 0);
}

/* --- the month --------------------------------------------------------------------------------------------------------------- */

/* The last two days are quiet, so that everything can come to its end. */
static inline int64_t sim_quiet(const struct sim *s)
{
	return s->end - 2 * DAY_MS;
}

static inline int64_t sim_sometime(struct sim *s, int64_t hours_needed)
{
	int64_t until = sim_quiet(s) - hours_needed * HOUR_MS;

	return sim_roll(s, s->begin + 12 * HOUR_MS, until > s->begin + 12 * HOUR_MS ? until : s->begin + 12 * HOUR_MS);
}

static inline int64_t sim_hours(const struct sim *s, int64_t hours)
{
	int64_t most = (int64_t)s->o.days * 24 / 4;

	return hours < most ? hours : most;
}

static inline void month_plan(struct sim *s)
{
	int64_t week = sim_hours(s, 7 * 24), day = sim_hours(s, 24);

	for (size_t i = 0; i < s->homes; i++) {
		sim_at(s, s->now - s->now % SIM_SLOT_MS + SIM_SLOT_MS + sim_roll(s, 10000, 40000), EV_SLOT, (int)i, 0);
		/* Each is restarted; every tenth is away for a week. */
		sim_at(s, sim_sometime(s, 2), EV_DOWN, (int)i, sim_roll(s, 1, 90));
		if (i % 10 == 5)
			sim_at(s, sim_sometime(s, week), EV_DOWN, (int)i, week * 60);
	}
	for (int p = 0; p < 8; p++) {
		int64_t hours = sim_roll(s, 2, p < 3 ? 3 * day : day);
		sim_at(s, sim_sometime(s, hours), EV_PART, p, hours);
	}
	for (int w = 0; w < (int)s->o.witnesses; w++) {
		int64_t hours = sim_roll(s, 3, 4 * day);
		if (w != SIM_WITNESS_LOST)
			sim_at(s, sim_sometime(s, hours), EV_WITNESS_OFF, w, hours);
	}
	sim_at(s, sim_day(s, s->o.days * 0.3), EV_WITNESS_OFF, SIM_WITNESS_LOST, 0);
	sim_at(s, sim_day(s, s->o.days * 0.4), EV_WITNESS_NEW, SIM_WITNESS_LOST, 0);
	/* Warned of is a register of seven days, in use at most thirty. */
	for (int d = 20; d < s->o.days; d += 10)
		sim_at(s, sim_day(s, d), EV_PUBLISH, 0, 0);
	for (int k = 0; k < 2; k++)
		sim_at(s, sim_day(s, s->o.days * 0.45), EV_BACKUP, (int)s->o.parties - 8 - k, 0);
	sim_at(s, s->now + MINUTE_MS, EV_OFFICER, 0, 0);
}

#endif
