/* For test-simulation.c: what became of a month, for people. */
#ifndef COMITY_EXCHANGE_TEST_SIM_TELL_H
#define COMITY_EXCHANGE_TEST_SIM_TELL_H

#include "exchange/test-sim-life.h"

static inline const char *accuser_words(enum accuser by)
{
	return by == BY_PEER ? "peers" : by == BY_WITNESS ? "witnesses" : "monitors";
}

static inline void tell_cheats(const struct sim *s)
{
	for (enum cheat c = CHEAT_NONE + 1; c < CHEATS; c++) {
		int home = home_of_cheat(s, c);
		printf("  %s %s\n", s->home[home].code, cheats[c].words);
		for (enum accuser by = BY_PEER; by <= BY_MONITOR; by = (enum accuser)(2 * by))
			for (enum reason r = 0; r < REASON_COUNT; r++) {
				int who = 0;
				int64_t first = 0;
				for (size_t i = 0; i < s->accusations; i++) {
					const struct accusation *a = &s->accusation[i];
					if (a->accused != home || a->by != by || a->reason != r)
						continue;
					first = who++ == 0 ? a->at : first;
				}
				if (who > 0)
					printf("       noticed by %d %s, first on day %.1f: %s\n", who, accuser_words(by),
					       (double)(first - s->begin) / (double)DAY_MS, reason_code(r));
			}
	}
}

struct fates {
	size_t honest, delivered, proved, lost, waiting;
};

static inline bool is_honest(const struct sim *s, const struct sim_letter *l)
{
	return s->home[l->from].cheat == CHEAT_NONE && s->home[l->to].cheat == CHEAT_NONE;
}

/* Said between the backup and the loss of the disk: its home has forgotten it; or it is the answer to such a one. */
static inline bool was_forgotten(const struct sim *s, const struct sim_letter *l)
{
	const struct sim_home *x = &s->home[l->from];

	return (x->restored != 0 && l->at >= x->backed_up && l->at <= x->restored) ||
	       (l->about >= 0 && was_forgotten(s, &s->letter[l->about]));
}

static inline struct fates fates_of(struct sim *s, bool tell)
{
	struct fates f = { 0 };

	for (size_t i = 0; i < s->letters; i++) {
		const struct sim_letter *l = &s->letter[i];
		struct receipt_row r = receipt_at(&s->home[l->from].h, l->said.hash);
		if (!is_honest(s, l))
			continue;
		f.honest++;
		f.delivered += r.found;
		f.proved += r.proof > 0;
		bool late = l->at >= sim_quiet(s) + DAY_MS / 2;
		f.waiting += r.proof == 0 && late;
		f.lost += r.proof == 0 && was_forgotten(s, l);
		if (tell && r.proof == 0 && !late && !was_forgotten(s, l))
			printf("  letter %s -> %s of day %.2f: %s %s\n", s->home[l->from].code, s->home[l->to].code,
			       (double)(l->at - s->begin) / (double)DAY_MS, r.found ? r.outcome : "undelivered", r.reason);
	}
	return f;
}

static inline void tell(struct sim *s, int64_t took_ms)
{
	const struct counts *c = &s->counts;
	struct fates f = fates_of(s, true);

	printf("%d days, %zu homes and a secretariat, %zu witnesses, %u monitors; seed %" PRIu64 " (COMITY_SIM_SEED); %.1f s\n", s->o.days,
	       s->o.parties, s->o.witnesses, SIM_MONITORS, s->o.seed, (double)took_ms / 1000);
	printf("  %" PRIu64 " events, %" PRIu64 " slots, %" PRIu64 " leaves, %" PRIu64 " cosignatures (409: %" PRIu64 ", 422: %" PRIu64
	       "), %" PRIu64 " calls lost, %" PRIu64 " restarts, %" PRIu64 " registers taken\n",
	       c->events, c->slots, c->leaves, c->cosignatures, c->witness_said[409], c->witness_said[422], c->lost_calls, c->restarts, c->registers);
	printf("  %" PRIu64 " letters: of %zu between honest homes %zu delivered, %zu proved, %zu said too late for that, %zu lost with a disk; %" PRIu64
	       " crooked ones\n", c->letters, f.honest, f.delivered, f.proved, f.waiting, f.lost, c->crooked);
	for (enum reason r = 0; r < REASON_COUNT; r++)
		if (c->rejected[r] > 0)
			printf("  rejected: %" PRIu64 " %s\n", c->rejected[r], reason_code(r));
	printf("  %" PRIu64 " monitor rounds, %" PRIu64 " notes of witnesses compared, %" PRIu64 " pairs of notes as evidence, %" PRIu64
	       " looks at overdue proofs\n", c->monitor_rounds, c->notes_compared, c->evidence, c->overdue);
	if (s->o.cheats)
		tell_cheats(s);
}

#endif
