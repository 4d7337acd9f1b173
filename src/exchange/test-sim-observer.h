/* For test-simulation.c: an observer who has all public logs of the month, every leaf and when it was published, and nothing
 * else, and who tries to say which leaf of another log belongs to a letter's leaf, and which leaves of a slot are real. He is
 * even told which leaves letters have; what he is not told is where the other one stands.
 *
 * What guessing is worth is counted exactly: whoever picks one of |C| leaves without knowing anything is right with 1/|C|
 * if the right one is among them. He must stay within four standard deviations of that. */
#ifndef COMITY_EXCHANGE_TEST_SIM_OBSERVER_H
#define COMITY_EXCHANGE_TEST_SIM_OBSERVER_H

#include "exchange/test-sim-watch.h"

/* A leaf of a log, as the observer names it. */
struct place {
	int home;
	uint64_t index;
};

struct pair {
	struct place out, in;
};

struct observer {
	const struct sim *s;
	struct dice dice;
	struct pair *pair;
	size_t pairs;
};

struct outcome {
	double expected, variance;
	size_t right, tried;
};

static inline const uint8_t *leaf_at(const struct sim *s, struct place p)
{
	return s->monitor[0].tree[p.home].read.leaf[p.index];
}

static inline bool was_read(const struct sim *s, struct place p)
{
	return p.index < s->monitor[0].tree[p.home].read.count;
}

/* Every log of one K: the slot of a leaf, and when that was published, are public. */
static inline uint64_t slot_of(struct place p)
{
	return p.index / SIM_LEAVES;
}

static inline int64_t slot_ms(const struct sim *s, struct place p)
{
	return s->home[p.home].slot_at[slot_of(p)];
}

/* --- what he compares ---------------------------------------------------------------------------------------------------- */

static inline int bits_differ(const uint8_t *a, const uint8_t *b, size_t count)
{
	int bits = 0;

	for (size_t i = 0; i < count; i++)
		bits += __builtin_popcount((unsigned)(a[i] ^ b[i]));
	return bits;
}

static inline double near_bytes(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	int equal = 0;

	for (size_t i = 0; i < LEAF_V1_BYTES; i++)
		equal += a[i] == b[i];
	return equal;
}

static inline double near_tags(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -bits_differ(a + LEAF_T_AT, b + LEAF_T_AT, LEAF_HEX);
}

static inline double far_tags(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return bits_differ(a + LEAF_T_AT, b + LEAF_T_AT, LEAF_HEX);
}

static inline double near_classes(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -bits_differ(a + LEAF_K_AT, b + LEAF_K_AT, LEAF_HEX);
}

static inline double tag_in_commitment(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -bits_differ(a + LEAF_T_AT, b + LEAF_C_AT, LEAF_HEX);
}

static inline double commitments(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -bits_differ(a + LEAF_C_AT, b + LEAF_C_AT, LEAF_HEX);
}

static inline double looks_real(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -bits_differ(b, (const uint8_t *)"0000000000000000000000000000000000000000000000000000000000000000", LEAF_HEX);
}

static inline double same_place(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return pa == pb;
}

static inline double first_place(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return -(double)pb;
}

static inline double last_place(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb)
{
	return (double)pb;
}

static const struct {
	const char *words;
	double (*score)(const uint8_t *a, const uint8_t *b, uint64_t pa, uint64_t pb);
	bool alone; /* needs no other leaf: also says which leaf of a slot is real */
} strategies[] = {
	{ "most equal bytes", near_bytes, false },
	{ "tags that differ least", near_tags, false },
	{ "tags that differ most", far_tags, false },
	{ "classes that differ least", near_classes, false },
	{ "tag like commitment", tag_in_commitment, false },
	{ "commitments that differ least", commitments, false },
	{ "the same place in the slot", same_place, false },
	{ "bytes that look drawn", looks_real, true },
	{ "first in the slot", first_place, true },
	{ "last in the slot", last_place, true },
};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

/* --- choosing -------------------------------------------------------------------------------------------------------------- */

struct choice {
	struct place best;
	double score;
	uint64_t equals, all;
	bool has_right;
};

/* Of those that look equally good he takes any. */
static inline void choose_from(struct observer *o, struct choice *c, size_t strategy, const uint8_t *a, uint64_t pa, struct place p,
			       struct place right)
{
	double score = strategies[strategy].score(a, leaf_at(o->s, p), pa, p.index % SIM_LEAVES);

	c->all++;
	c->has_right = c->has_right || (p.home == right.home && p.index == right.index);
	if (c->all > 1 && score < c->score)
		return;
	c->equals = c->all == 1 || score > c->score ? 1 : c->equals + 1;
	if (c->equals == 1 || dice_roll(&o->dice) % c->equals == 0)
		c->best = p;
	c->score = score;
}

static inline void outcome_add(struct outcome *r, const struct choice *c, struct place right, double by_guessing)
{
	r->tried++;
	r->right += c->best.home == right.home && c->best.index == right.index;
	r->expected += by_guessing;
	r->variance += by_guessing * (1 - by_guessing);
}

/* The leaves of all other logs that were published after it, up to the end of the next slot (later: false), or about when
 * it was (later: true means after). */
static inline struct outcome pairing(struct observer *o, size_t strategy, bool later)
{
	const struct sim *s = o->s;
	struct outcome r = { 0 };

	for (size_t k = 0; k < o->pairs; k++) {
		const struct pair *p = &o->pair[k];
		int64_t t = slot_ms(s, p->out), from = later ? t + SIM_SLOT_MS / 2 : t - SIM_SLOT_MS / 2;
		struct choice c = { 0 };

		for (int h = 1; h < (int)s->homes; h++)
			for (uint64_t n = 0; h != p->out.home && n < s->home[h].slots; n++) {
				struct place q = { h, n * SIM_LEAVES };
				if (s->home[h].slot_at[n] < from || s->home[h].slot_at[n] >= from + SIM_SLOT_MS)
					continue;
				for (int i = 0; i < SIM_LEAVES; i++, q.index++)
					if (was_read(s, q))
						choose_from(o, &c, strategy, leaf_at(s, p->out), p->out.index % SIM_LEAVES, q, p->in);
			}
		if (c.all > 0)
			outcome_add(&r, &c, p->in, c.has_right ? 1.0 / (double)c.all : 0);
	}
	return r;
}

/* Which leaf of its slot belongs to a letter, where a slot has just one: that is 1 in K. */
static inline struct outcome telling_real(struct observer *o, size_t strategy, const struct place *real, size_t count)
{
	struct outcome r = { 0 };

	for (size_t k = 0; k < count; k++) {
		struct choice c = { 0 };
		struct place q = { real[k].home, slot_of(real[k]) * SIM_LEAVES };
		for (int i = 0; i < SIM_LEAVES; i++, q.index++)
			choose_from(o, &c, strategy, leaf_at(o->s, q), 0, q, real[k]);
		outcome_add(&r, &c, real[k], 1.0 / SIM_LEAVES);
	}
	return r;
}

/* The smallest multiple of a hundredth that is no less than the square root: no more is needed, and libm is not linked. */
static inline double root_of(double v)
{
	double r = 0;

	while (r * r < v)
		r += 0.01;
	return r;
}

/* Four standard deviations, and two more: for few expected hits the tail is longer than the bell's. */
static inline double outcome_most(const struct outcome *r)
{
	return r->expected + 4 * root_of(r->variance) + 2;
}

static inline double outcome_least(const struct outcome *r)
{
	return r->expected - 4 * root_of(r->variance) - 2;
}

/* --- the truth, which only the homes know ------------------------------------------------------------------------------------ */

static inline bool place_find(struct sim *s, int home, const uint8_t *hash, struct place *ret)
{
	struct query *q = store_query(s->home[home].h.node->store, QUERY_log_leaf_of);
	bool found;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	assert_ok(query_row(q, &found, e));
	if (found)
		*ret = (struct place){ home, (uint64_t)query_int(q, 0) };
	query_end(q);
	return found && was_read(s, *ret);
}

static inline void observer_begin(struct observer *o, struct sim *s)
{
	*o = (struct observer){ .s = s, .dice.state = s->o.seed ^ UINT64_C(0x0b5e4fe4), .pair = calloc(s->letters + 1, sizeof(*o->pair)) };
	if (o->pair == NULL)
		abort();
	for (size_t i = 0; i < s->letters; i++) {
		const struct sim_letter *l = &s->letter[i];
		if (s->home[l->from].cheat == CHEAT_NONE && s->home[l->to].cheat == CHEAT_NONE &&
		    place_find(s, l->from, l->said.hash, &o->pair[o->pairs].out) && place_find(s, l->to, l->said.hash, &o->pair[o->pairs].in))
			o->pairs++;
	}
}

static inline void observer_end(struct observer *o)
{
	free(o->pair);
}

#endif
