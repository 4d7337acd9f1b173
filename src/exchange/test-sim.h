/* For test-simulation.c: a month of many nodes in one process. Everything that the product decides is decided by its
 * own code: real homes with real stores, signers, logs and registers (test-nodes.h), real witnesses (log/witness.h), real
 * monitors (log/monitor.h). What is made up here is the world around them: time, a network that delays and breaks,
 * officers, and homes that cheat. One seed decides all of it: no wall clock, no thread, no order that is not fixed.
 * This header has what the others stand on: dice, events in their order, who is who, and what is counted. */
#ifndef COMITY_EXCHANGE_TEST_SIM_H
#define COMITY_EXCHANGE_TEST_SIM_H

#include "exchange/test-carry.h"

#include <inttypes.h>

#include "exchange/cosigning-internal.h"
#include "exchange/pending.h"
#include "log/cosignature.h"
#include "log/leaf.h"
#include "log/witness.h"

#define SIM_HOMES_MAX 52u     /* parties and the secretariat, which is home 0 */
#define SIM_WITNESSES_MAX 20u
#define SIM_ENDS_MAX (SIM_HOMES_MAX + SIM_WITNESSES_MAX + 3u) /* ends of the network: homes, witnesses, monitors */
#define SIM_GROUPS 3u         /* of witnesses: regions */
#define SIM_PER_POLICY 7u     /* witnesses that a log's policy names */
#define SIM_MONITORS 3u
#define SIM_SLOTS_MAX 512u
#define SIM_LEAVES 4          /* K: leaves a slot */
#define SIM_REGISTER_LEAVES 128 /* of the secretariat: all entries and policies in one slot */
/* Slots of six hours instead of half a minute: a month is 120 slots a log and not 86,400. Nothing else is slower. */
#define SIM_SLOT_MS (INT64_C(6) * 3600 * 1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (INT64_C(60) * MINUTE_MS)

/* --- dice ------------------------------------------------------------------------------------------------- */

/* The world's own chance (splitmix64): what nodes draw comes from chance_seed, so that neither moves the other. */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline int64_t dice_between(struct dice *d, int64_t from, int64_t to)
{
	return from + (int64_t)(dice_roll(d) % (uint64_t)(to - from + 1));
}

/* --- events ----------------------------------------------------------------------------------------------- */

enum event_kind {
	EV_SLOT,        /* a: home */
	EV_WAKE,        /* a: home that tries again what failed */
	EV_ASK,         /* a: home, b: witness: an add-checkpoint call arrives */
	EV_ANSWER,      /* a: home, b: witness */
	EV_JOB,         /* a: from, b: to: letters or proofs arrive */
	EV_REPLY,       /* a: from, b: to: the answer to that comes back to a */
	EV_OFFICER,     /* somebody asks somebody for something */
	EV_DUTY,        /* a: home whose duty officer takes a request on, b: who asked */
	EV_MONITOR,     /* a: monitor */
	EV_DOWN,        /* a: home, b: how long, in minutes */
	EV_UP,          /* a: home */
	EV_PART,        /* a: partition begins */
	EV_JOIN,        /* a: partition ends */
	EV_WITNESS_OFF, /* a: witness, b: how long, in hours; 0: its state is lost for good */
	EV_WITNESS_ON,
	EV_WITNESS_NEW, /* a: witness, with a new key */
	EV_PUBLISH,     /* the secretariat publishes the register */
	EV_REGISTER,    /* a: home that fetches it */
	EV_BACKUP,      /* a: home */
	EV_RESTORE,     /* a: home, from its backup, by the rules */
	EV_RECOVER,     /* a: home, once more, after a witness has shown more */
	EV_CHEAT,       /* a: home, b: which step */
	EV_REVIEW,      /* a: home whose officer looks at overdue proofs */
	EV_KINDS
};

struct carried; /* what is on its way, in test-sim-network.h */

struct event {
	int64_t at;
	uint64_t number;
	enum event_kind kind;
	int a;
	int64_t b;
	struct carried *carried;
};

struct queue {
	struct event *at;
	size_t count, room;
	uint64_t last;
};

static inline bool event_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static inline void queue_add(struct queue *q, struct event e)
{
	size_t i = q->count;

	if (q->count == q->room) {
		q->room = q->room == 0 ? 1024 : 2 * q->room;
		q->at = realloc(q->at, q->room * sizeof(*q->at));
		if (q->at == NULL)
			abort();
	}
	e.number = ++q->last;
	for (q->count++; i > 0 && event_before(&e, &q->at[(i - 1) / 2]); i = (i - 1) / 2)
		q->at[i] = q->at[(i - 1) / 2];
	q->at[i] = e;
}

static inline struct event queue_take(struct queue *q)
{
	struct event first = q->at[0], last = q->at[--q->count];
	size_t i = 0;

	for (size_t child = 1; child < q->count; child = 2 * i + 1) {
		if (child + 1 < q->count && event_before(&q->at[child + 1], &q->at[child]))
			child++;
		if (!event_before(&q->at[child], &last))
			break;
		q->at[i] = q->at[child];
		i = child;
	}
	if (q->count > 0)
		q->at[i] = last;
	return first;
}

/* --- who cheats -------------------------------------------------------------------------------------------- */

enum cheat {
	CHEAT_NONE,
#define CHEAT(name, words, noticed_by, reason) CHEAT_##name,
#include "exchange/test-sim-cheats.tbl.h"
	CHEATS
};

enum accuser { BY_PEER = 1, BY_WITNESS = 2, BY_MONITOR = 4 };

static const struct {
	const char *words;
	unsigned noticed_by;
	enum reason reason;
} cheats[CHEATS] = {
#define CHEAT(name, words, noticed_by, reason) [CHEAT_##name] = { words, noticed_by, reason },
#include "exchange/test-sim-cheats.tbl.h"
};

struct accusation {
	int64_t at;
	enum accuser by;
	int accuser, accused;
	enum reason reason;
	int count;
};

/* --- who is who -------------------------------------------------------------------------------------------- */

struct sim_home {
	struct home h;
	char code[8], name[24];
	enum cheat cheat;
	bool down, waking, unjudged; /* unjudged: its register is to be fetched before it sends */
	unsigned life;               /* of its connections: what was under way dies with a restart */
	bool busy[3][SIM_HOMES_MAX]; /* a batch of letters, of proofs, or a question is under way to that home */
	int failures;                /* wakes since the last slot */
	int64_t skew;                /* of its clock */
	uint64_t slots;              /* closed */
	int64_t slot_at[SIM_SLOTS_MAX]; /* when each was */
	struct note_key log_key;
	int leaves;                  /* K of its log */
	struct test_home kept;       /* what a home that rolls back put aside */
	int64_t backed_up, restored; /* when; 0: not */
	uint64_t brought_back;
	struct shadow *shadow;       /* a second tree under the same key */
	struct crooked *crooked;     /* a letter that waits for its proof */
	int64_t bent;                /* place in the queue up to which leaves were bent */
	int64_t rolled_back;         /* when; 0: not */
};

struct seen_tree {
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	struct witness_state state;
	struct buf note;
};

struct sim_witness {
	struct sign_key *key;
	struct note_key public;
	char name[64];
	bool off;
	unsigned generation; /* how many keys it has had */
	int64_t skew;
	struct seen_tree seen[SIM_HOMES_MAX];
	struct sim *sim;
};

struct sim_letter {
	int from, to;
	int64_t at;
	struct said said;
	bool seen;
	int64_t about; /* the letter that it acknowledges; -1: it is a request */
};

struct sim_options {
	uint64_t seed;
	size_t parties, witnesses;
	int days, letters_a_day;
	bool cheats;
};

struct counts {
	uint64_t events, slots, cosignatures, witness_said[600], letters, crooked, leaves, restarts, lost_calls,
		registers, rejected[REASON_COUNT], notes_compared, monitor_rounds, evidence, overdue;
};

struct sim {
	struct sim_options o;
	struct dice dice;
	struct queue queue;
	int64_t begin, end, now;
	size_t homes; /* with the secretariat */
	struct sim_home home[SIM_HOMES_MAX];
	struct sim_witness witness[SIM_WITNESSES_MAX];
	struct sign_key *roots[3];
	struct buf bundle;   /* the register, as last published */
	int64_t bundle_time;
	struct register_ *public; /* as everybody outside reads it */
	uint8_t fingerprint[SHA256_BYTES];
	bool apart[8][SIM_ENDS_MAX]; /* partitions under way: who is on the one side */
	bool parted[8];
	struct sim_letter *letter;
	size_t letters, letter_room;
	struct accusation accusation[256];
	size_t accusations;
	struct counts counts;
	struct sim_monitor *monitor;
	/* Letters have been taken, or rejected, at a home: who asked and who cheats goes on from there. */
	void (*arrived)(struct sim *s, int to, const struct outbox_job *j);
	uint8_t digest[SHA256_BYTES]; /* of all events and what came of them */
};

static inline int64_t sim_roll(struct sim *s, int64_t from, int64_t to)
{
	return dice_between(&s->dice, from, to);
}

static inline bool sim_chance(struct sim *s, int per_cent)
{
	return sim_roll(s, 1, 100) <= per_cent;
}

static inline void sim_at(struct sim *s, int64_t at, enum event_kind kind, int a, int64_t b)
{
	if (at < s->end)
		queue_add(&s->queue, (struct event){ .at = at, .kind = kind, .a = a, .b = b });
}

static inline int64_t sim_day(const struct sim *s, double day)
{
	return s->begin + (int64_t)(day * (double)DAY_MS);
}

/* Time as this home's clock shows it. */
static inline void sim_as(struct sim *s, const struct sim_home *h)
{
	the_time = s->now + (h != NULL ? h->skew : 0);
}

static inline int home_by_code(const struct sim *s, const char *code)
{
	for (size_t i = 0; i < s->homes; i++)
		if (strcmp(s->home[i].code, code) == 0)
			return (int)i;
	fail_msg("no home %s", code);
	return 0;
}

/* All that happened, as one number: two runs are the same when it is. */
static inline void sim_digest(struct sim *s, struct bytes what)
{
	sha256_two(BYTES_ARRAY(s->digest), what, s->digest);
}

static inline void sim_note(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void sim_note(struct sim *s, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sim_digest(s, bytes_of(text));
	if (getenv("COMITY_SIM_TRACE") != NULL)
		printf("%8.3f %.*s\n", (double)(s->now - s->begin) / (double)DAY_MS, len, text);
}

static inline void accuse(struct sim *s, enum accuser by, int accuser, int accused, enum reason reason)
{
	for (size_t i = 0; i < s->accusations; i++) {
		struct accusation *a = &s->accusation[i];
		if (a->by == by && a->accuser == accuser && a->accused == accused && a->reason == reason) {
			a->count++;
			return;
		}
	}
	assert_true(s->accusations < sizeof(s->accusation) / sizeof(s->accusation[0]));
	s->accusation[s->accusations++] = (struct accusation){ s->now, by, accuser, accused, reason, 1 };
	sim_note(s, "accused home=%d by=%d accuser=%d reason=%s", accused, (int)by, accuser, reason_code(reason));
}

/* --- the network ------------------------------------------------------------------------------------------- */

static inline int end_of_witness(int w)
{
	return (int)SIM_HOMES_MAX + w;
}

static inline int end_of_monitor(int m)
{
	return (int)SIM_HOMES_MAX + (int)SIM_WITNESSES_MAX + m;
}

static inline bool reaches(const struct sim *s, int a, int b)
{
	for (size_t p = 0; p < sizeof(s->parted) / sizeof(s->parted[0]); p++)
		if (s->parted[p] && s->apart[p][a] != s->apart[p][b])
			return false;
	return true;
}

#endif
