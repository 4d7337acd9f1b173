/* A month of 50 nodes and 20 witnesses, in seconds. Slots are six hours long instead of half a minute; everything else is
 * what the product does. The seed is printed and decides all: COMITY_SIM_SEED=N replays a month, COMITY_SIM_DAYS shortens it,
 * COMITY_SIM_TRACE=1 tells every event. The month runs once, before the first claim; the claims look at what it left. */
#include "exchange/test-sim-observer.h"
#include "exchange/test-sim-tell.h"

#include "base/num.h"
#include "log/openings.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SIM_SLOW 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIM_SLOW 1
#endif

#define SIM_SEED 2026

static struct sim *month;

static void arrived(struct sim *s, int to, const struct outbox_job *j)
{
	sim_arrived_requests(s, to, j);
	leaves_bend(&s->home[to]);
}

/* --- events ------------------------------------------------------------------------------------------------------------- */

static void of_slot(struct sim *s, const struct event *e)
{
	if (!s->home[e->a].down) {
		sim_as(s, &s->home[e->a]);
		clocks(s, e->a);
	}
	on_slot(s, e->a);
	fork_slot(s, e->a);
}

static void of_ask(struct sim *s, const struct event *e)
{
	on_ask(s, e->a, (int)e->b, e->carried);
}

static void of_answer(struct sim *s, const struct event *e)
{
	on_answer(s, e->a, (int)e->b, e->carried);
}

static void of_job(struct sim *s, const struct event *e)
{
	on_job(s, e->a, (int)e->b, e->carried);
}

static void of_reply(struct sim *s, const struct event *e)
{
	on_reply(s, e->a, (int)e->b, e->carried);
}

static void of_witness_on(struct sim *s, const struct event *e)
{
	s->witness[e->a].off = false;
}

/* The rest takes what it is about, and perhaps one number. */
#define OF_ONE(name)                                                  \
	static void of_##name(struct sim *s, const struct event *e) \
	{                                                             \
		on_##name(s, e->a);                                   \
	}
#define OF_TWO(name)                                                  \
	static void of_##name(struct sim *s, const struct event *e) \
	{                                                             \
		on_##name(s, e->a, e->b);                             \
	}
#define OF_NONE(name)                                                 \
	static void of_##name(struct sim *s, const struct event *e) \
	{                                                             \
		on_##name(s);                                         \
	}
OF_ONE(wake)
OF_NONE(officer)
OF_TWO(duty)
OF_ONE(monitor)
OF_TWO(down)
OF_ONE(up)
OF_TWO(part)
OF_ONE(join)
OF_TWO(witness_off)
OF_ONE(witness_new)
OF_NONE(publish)
OF_ONE(register)
OF_ONE(backup)
OF_ONE(restore)
OF_ONE(recover)
OF_TWO(cheat)
OF_NONE(review)

static void (*const of[EV_KINDS])(struct sim *s, const struct event *e) = {
	[EV_SLOT] = of_slot, [EV_WAKE] = of_wake, [EV_ASK] = of_ask, [EV_ANSWER] = of_answer, [EV_JOB] = of_job, [EV_REPLY] = of_reply,
	[EV_OFFICER] = of_officer, [EV_DUTY] = of_duty, [EV_MONITOR] = of_monitor, [EV_DOWN] = of_down, [EV_UP] = of_up,
	[EV_PART] = of_part, [EV_JOIN] = of_join, [EV_WITNESS_OFF] = of_witness_off, [EV_WITNESS_ON] = of_witness_on,
	[EV_WITNESS_NEW] = of_witness_new, [EV_PUBLISH] = of_publish, [EV_REGISTER] = of_register, [EV_BACKUP] = of_backup,
	[EV_RESTORE] = of_restore, [EV_RECOVER] = of_recover, [EV_CHEAT] = of_cheat, [EV_REVIEW] = of_review,
};

/* What is under way is handed on by these two; everybody else is its end. */
static bool hands_on(enum event_kind k)
{
	return k == EV_ASK || k == EV_JOB;
}

static void run(struct sim *s)
{
	month_plan(s);
	cheats_plan(s);
	watch_plan(s);
	while (s->queue.count > 0) {
		struct event e = queue_take(&s->queue);
		if (e.at < s->end) {
			s->now = e.at;
			s->counts.events++;
			of[e.kind](s, &e);
		}
		if (e.at >= s->end || !hands_on(e.kind))
			carried_free(e.carried);
	}
	s->now = s->end - 1;
	for (int i = 0; i < (int)s->homes; i++)
		if (s->home[i].down)
			on_up(s, i);
	for (size_t i = 0; i < s->homes; i++) {
		sim_note(s, "log %zu size=%" PRIu64, i, log_size(s->home[i].h.node->log));
		sim_digest(s, buf_bytes(&s->home[i].h.node->note));
	}
	while (s->queue.count > 0)
		carried_free(queue_take(&s->queue).carried);
}

static struct sim *sim_new(const struct sim_options *o)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	sim_begin(s, o);
	s->arrived = arrived;
	monitors_begin(s);
	run(s);
	return s;
}

static void sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->homes; i++) {
		shadow_free(s->home[i].shadow);
		crooked_free(s->home[i].crooked);
		if (s->home[i].kept.path[0] != '\0')
			home_remove(&s->home[i].kept);
	}
	monitors_end(s);
	sim_end(s);
	free(s);
}

/* --- the claims ------------------------------------------------------------------------------------------------------------- */

static void every_cheat_is_noticed_by_those_who_must_and_for_its_reason(void **state)
{
	for (enum cheat c = CHEAT_NONE + 1; c < CHEATS; c++) {
		unsigned noticed = 0;
		bool for_reason = false;
		for (size_t i = 0; i < month->accusations; i++) {
			const struct accusation *a = &month->accusation[i];
			if (a->accused != home_of_cheat(month, c))
				continue;
			noticed |= a->by;
			for_reason = for_reason || a->reason == cheats[c].reason;
		}
		if ((noticed & cheats[c].noticed_by) != cheats[c].noticed_by || !for_reason)
			fail_msg("who %s: noticed by %x instead of %x, %s%s", cheats[c].words, noticed, cheats[c].noticed_by,
				 for_reason ? "" : "not ", reason_code(cheats[c].reason));
	}
}

/* Not for a week of silence, nor for a cut line, a slow one, a lost witness or a lost disk. */
static void nobody_honest_is_accused(void **state)
{
	for (size_t i = 0; i < month->accusations; i++) {
		const struct accusation *a = &month->accusation[i];
		if (month->home[a->accused].cheat == CHEAT_NONE)
			fail_msg("%s is accused by %d (%s): %s", month->home[a->accused].code, a->accuser, accuser_words(a->by), reason_code(a->reason));
	}
}

static size_t closings_of(struct sim *s, size_t i)
{
	size_t count = 0;

	for (size_t k = 0; k < s->homes; k++) {
		struct query *q = store_query(s->home[i].h.node->store, QUERY_pair_closing_last);
		bool found;
		query_bind_text(q, 1, s->home[k].code);
		assert_ok(query_row(q, &found, e));
		query_end(q);
		count += found;
	}
	return count;
}

/* Neither when homes that were restored ask their peers what they have, nor when the quarter is closed. */
static void no_two_honest_homes_disagree_about_their_letters(void **state)
{
	size_t closings = 0;

	for (size_t i = 0; i < month->homes; i++) {
		struct query *q = store_query(month->home[i].h.node->store, QUERY_pair_dispute_list);
		bool found;

		closings += closings_of(month, i);
		assert_ok(query_row(q, &found, e));
		for (; found && month->home[i].cheat == CHEAT_NONE;) {
			char peer[PARTY_CODE_LEN_MAX + 1];
			bytes_text(query_bytes(q, 0), peer, sizeof(peer));
			if (month->home[home_by_code(month, peer)].cheat == CHEAT_NONE)
				fail_msg("%s and %s disagree: %.*s", month->home[i].code, peer, (int)query_bytes(q, 1).len,
					 (const char *)query_bytes(q, 1).at);
			assert_ok(query_row(q, &found, e));
		}
		query_end(q);
	}
	printf("  %zu closings of the quarter\n", closings);
}

/* What a home would publish after the quarter opens its leaves; what was logged under another class does not open. */
static void classes_open_the_leaves_of_all_but_who_misclassifies(void **state)
{
	for (size_t i = 1; i < month->homes; i++) {
		const struct sim_home *x = &month->home[i];
		struct query *q = store_query(x->h.node->store, QUERY_leaf_classes);
		size_t opened = 0, wrong = 0;
		bool found;

		query_bind_int(q, 1, 0);
		query_bind_int(q, 2, (int64_t)log_size(x->h.node->log));
		assert_ok(query_row(q, &found, e));
		while (found) {
			struct class_opening o = { .c = { query_bytes(q, 4), query_bytes(q, 5), query_bytes(q, 6), query_int(q, 7) != 0 } };
			if (query_bytes(q, 3).len == sizeof(o.salt)) {
				memcpy(o.salt, query_bytes(q, 3).at, sizeof(o.salt));
				bool fits = class_opening_check(&o, query_bytes(q, 1), NULL);
				opened += fits;
				wrong += !fits;
			}
			assert_ok(query_row(q, &found, e));
		}
		query_end(q);
		assert_true(opened > 0);
		bool misclassifies = x->cheat == CHEAT_MISCLASSIFIES_PROOF || x->cheat == CHEAT_MISCLASSIFIES_LETTER;
		assert_int_equal(wrong > 0, misclassifies);
	}
}

/* They are late, and some wait for witnesses; none is lost, and none is proved by half. */
static void letters_between_honest_homes_arrive_and_are_proved(void **state)
{
	struct fates f = fates_of(month, false);

	assert_true(f.honest > 20);
	assert_int_equal(f.proved + f.waiting + f.lost, f.honest);
}

/* Nobody reads from a log when, how often or with whom an authority acts. */
static void every_log_grows_by_the_same_each_slot_whatever_it_had_to_say(void **state)
{
	for (size_t i = 0; i < month->homes; i++) {
		const struct sim_home *x = &month->home[i];
		if (x->rolled_back == 0)
			assert_int_equal(log_size(x->h.node->log), x->slots * (uint64_t)x->leaves);
	}
}

static void no_witness_has_signed_what_is_not_of_the_true_tree(void **state)
{
	merkle_hash root;

	for (size_t w = 0; w < month->o.witnesses; w++)
		for (size_t i = 0; i < month->homes; i++) {
			const struct seen_tree *t = &month->witness[w].seen[i];
			if (t->note.len == 0 || month->home[i].rolled_back != 0)
				continue;
			assert_true(t->state.size <= log_size(month->home[i].h.node->log));
			assert_ok(log_root_at(month->home[i].h.node->log, t->state.size, root, e));
			assert_memory_equal(root, t->state.root, SHA256_BYTES);
		}
}

static void restored_homes_go_on_as_the_same_and_are_believed(void **state)
{
	size_t restored = 0;

	for (size_t i = 0; i < month->homes; i++) {
		const struct sim_home *x = &month->home[i];
		if (x->restored == 0)
			continue;
		restored++;
		assert_false(x->h.node->locked);
		/* Every honest peer has said what it has of their letters. */
		for (int k = 0; k < (int)month->homes; k++)
			assert_true(month->home[k].cheat != CHEAT_NONE || !asks_still(month, (int)i, k));
		assert_true(x->brought_back > 0);
		/* What it has said since then has its quorum. */
		assert_true(cosigning_proved(x->h.node)->quorum_ms > x->restored);
	}
	assert_int_equal(restored, 2);
}

static void an_observer_pairs_no_better_than_by_guessing(void **state)
{
	struct observer o;

	observer_begin(&o, month);
	assert_true(o.pairs > 20);
	for (size_t k = 0; k < STRATEGIES; k++)
		for (int later = 0; later < 2; later++) {
			struct outcome r = pairing(&o, k, later == 1);
			printf("  pairs by %-30s %s slot: %3zu of %zu right, guessing %.1f, at most %.1f\n", strategies[k].words,
			       later == 1 ? "next" : "same", r.right, r.tried, r.expected, outcome_most(&r));
			assert_true((double)r.right <= outcome_most(&r));
		}
	observer_end(&o);
}

static void an_observer_cannot_tell_which_leaves_are_real(void **state)
{
	struct observer o;
	struct place *real;

	observer_begin(&o, month);
	real = calloc(2 * o.pairs + 1, sizeof(*real));
	assert_non_null(real);
	for (size_t i = 0; i < o.pairs; i++) {
		real[2 * i] = o.pair[i].out;
		real[2 * i + 1] = o.pair[i].in;
	}
	for (size_t k = 0; k < STRATEGIES; k++) {
		if (!strategies[k].alone)
			continue;
		struct outcome r = telling_real(&o, k, real, 2 * o.pairs);
		printf("  real by %-22s %3zu of %zu right, guessing %.1f, at most %.1f\n", strategies[k].words, r.right, r.tried, r.expected,
		       outcome_most(&r));
		assert_true((double)r.right <= outcome_most(&r) && (double)r.right >= outcome_least(&r));
	}
	free(real);
	observer_end(&o);
}

/* Else the two claims above could not fail. */
static void the_same_observer_finds_a_tag_that_is_in_both_logs(void **state)
{
	struct observer o;
	struct outcome r;
	size_t planted = 0;

	observer_begin(&o, month);
	for (size_t i = 0; i < o.pairs && planted < 60; i++) {
		struct place in = o.pair[i].in;
		uint8_t *leaf = month->monitor[0].tree[in.home].read.leaf[in.index];
		memcpy(leaf + LEAF_T_AT, leaf_at(month, o.pair[i].out) + LEAF_T_AT, LEAF_HEX);
		o.pair[planted++] = o.pair[i];
	}
	o.pairs = planted;
	r = pairing(&o, 1, true);
	printf("  planted: %zu of %zu right, at most %.1f by guessing\n", r.right, r.tried, outcome_most(&r));
	assert_true((double)r.right > outcome_most(&r));
	observer_end(&o);
}

static void the_same_seed_gives_the_same_month_and_another_seed_another(void **state)
{
	struct sim_options o = { .seed = month->o.seed, .parties = 16, .witnesses = 8, .days = 5, .letters_a_day = 12, .cheats = true };
	uint8_t digest[3][SHA256_BYTES];

	for (int k = 0; k < 3; k++) {
		o.seed += k == 2;
		struct sim *s = sim_new(&o);
		memcpy(digest[k], s->digest, SHA256_BYTES);
		sim_free(s);
	}
	assert_memory_equal(digest[0], digest[1], SHA256_BYTES);
	assert_memory_not_equal(digest[0], digest[2], SHA256_BYTES);
}

/* --- */

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t v = otherwise;

	if (text != NULL && !num_parse_u64(text, UINT64_MAX / 2, &v))
		fail_msg("%s is no number", name);
	return v;
}

static int begin(void **state)
{
#ifdef SIM_SLOW
	struct sim_options o = { .parties = 18, .witnesses = 8, .days = 10, .letters_a_day = 20, .cheats = true };
#else
	struct sim_options o = { .parties = 50, .witnesses = 20, .days = 30, .letters_a_day = 20, .cheats = true };
#endif
	int64_t begun = clock_monotonic_us();

	o.seed = number_of("COMITY_SIM_SEED", SIM_SEED);
	o.days = (int)number_of("COMITY_SIM_DAYS", (uint64_t)o.days);
	o.parties = (size_t)number_of("COMITY_SIM_HOMES", o.parties);
	o.witnesses = o.parties < 40 ? 8 : o.witnesses;
	/* Less than ten days is too short for every promise to be broken, noticed and looked at. */
	if (o.days < 5 || o.days > 100 || o.parties < 16 || o.parties >= SIM_HOMES_MAX)
		fail_msg("5 to 100 days, 16 to %u homes", SIM_HOMES_MAX - 1);
	/* Where a sync costs nothing: power failures have tests of their own. */
	if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	printf("seed %" PRIu64 "\n", o.seed);
	fflush(stdout);
	month = sim_new(&o);
	clock_set_monotonic(NULL);
	tell(month, (clock_monotonic_us() - begun) / 1000);
	clock_set_monotonic(time_monotonic);
	return 0;
}

static int end(void **state)
{
	sim_free(month);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cheat_is_noticed_by_those_who_must_and_for_its_reason),
		cmocka_unit_test(nobody_honest_is_accused),
		cmocka_unit_test(no_two_honest_homes_disagree_about_their_letters),
		cmocka_unit_test(classes_open_the_leaves_of_all_but_who_misclassifies),
		cmocka_unit_test(letters_between_honest_homes_arrive_and_are_proved),
		cmocka_unit_test(every_log_grows_by_the_same_each_slot_whatever_it_had_to_say),
		cmocka_unit_test(no_witness_has_signed_what_is_not_of_the_true_tree),
		cmocka_unit_test(restored_homes_go_on_as_the_same_and_are_believed),
		cmocka_unit_test(an_observer_pairs_no_better_than_by_guessing),
		cmocka_unit_test(an_observer_cannot_tell_which_leaves_are_real),
		cmocka_unit_test(the_same_observer_finds_a_tag_that_is_in_both_logs),
		cmocka_unit_test(the_same_seed_gives_the_same_month_and_another_seed_another),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
