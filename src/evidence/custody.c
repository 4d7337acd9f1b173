/* Judges custody. Events are sorted by exhibit, party and number, and each run is walked once: numbers from
 * 0 without a gap, each event naming the one before by hash, times not running backwards. Changes of hands
 * are matched both ways, because a party alone can neither hand over nor receive. An event that failed is
 * told by whoever shows the chain; it is part of the truth and breaks nothing. */
#include "evidence/custody.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct event {
	const struct statement *s;
	size_t index;
	struct bytes exhibit, act, digest, prev;
	int64_t seq, when;
};

struct chain {
	const struct statement *const *list;
	size_t n;
	struct event *events; /* sorted */
	size_t count;
	chain_problem *problem;
	void *ctx;
};

bool is_custody(const struct statement *s)
{
	return strcmp(s->kind->name, "custody") == 0;
}

bool is_exhibit(const struct statement *s)
{
	return strcmp(s->kind->name, "exhibit") == 0;
}

static void told(const struct chain *c, size_t index, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void told(const struct chain *c, size_t index, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->problem(c->ctx, index, text);
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int c = bytes_compare(x->exhibit, y->exhibit);

	if (c == 0)
		c = strcmp(x->s->from, y->s->from);
	if (c == 0)
		c = (x->seq > y->seq) - (x->seq < y->seq);
	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

static void gather(struct chain *c)
{
	c->events = calloc(c->n + 1, sizeof(*c->events));
	if (c->events == NULL)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		const struct statement *s = c->list[i];
		struct event *v = &c->events[c->count];

		if (!is_custody(s))
			continue;
		*v = (struct event){ .s = s, .index = i, .exhibit = json_bytes(s->body, "exhibit"),
				     .act = json_bytes(s->body, "act"), .prev = json_bytes(s->body, "prev"),
				     .digest = json_bytes(json_object_get(s->body, "object"), "sha256"),
				     .seq = json_int(s->body, "seq") };
		if (!time_parse(json_bytes(s->body, "when"), &v->when))
			v->when = s->time;
		c->count++;
	}
	if (c->count > 0)
		qsort(c->events, c->count, sizeof(*c->events), compare_events);
}

static bool same_exhibit(const struct event *a, const struct event *b)
{
	return bytes_equal(a->exhibit, b->exhibit);
}

static bool is_hash_of(struct bytes hex, const struct statement *s)
{
	uint8_t hash[SHA256_BYTES];

	return hex_parse(hex, hash, sizeof(hash)) && memcmp(hash, s->hash, sizeof(hash)) == 0;
}

/* The first event of a party begins a chain, or carries on from what another party recorded. */
static bool begins(const struct chain *c, const struct event *v)
{
	if (v->prev.len == 0)
		return true;
	for (size_t i = 0; i < c->count; i++)
		if (same_exhibit(&c->events[i], v) && strcmp(c->events[i].s->from, v->s->from) != 0 &&
		    is_hash_of(v->prev, c->events[i].s))
			return true;
	return false;
}

static void judge_event(const struct chain *c, const struct event *v, const struct event *before)
{
	int64_t expected = before == NULL ? 0 : before->seq + 1;

	if (v->seq < expected)
		told(c, v->index, "the custody of this exhibit at %s has two events with number %lld", v->s->from,
		     (long long)v->seq);
	else if (v->seq > expected)
		told(c, v->index, "the custody of this exhibit at %s has a gap: event %lld is missing", v->s->from,
		     (long long)expected);
	else if (before != NULL && !is_hash_of(v->prev, before->s))
		told(c, v->index, "event %lld of the custody at %s does not follow from event %lld", (long long)v->seq, v->s->from,
		     (long long)before->seq);
	else if (before == NULL && !begins(c, v))
		told(c, v->index, "the first event of the custody at %s follows an event that is not here", v->s->from);
	if (before != NULL && v->when < before->when)
		told(c, v->index, "event %lld of the custody at %s lies before event %lld in time", (long long)v->seq, v->s->from,
		     (long long)before->seq);
}

static void judge_runs(const struct chain *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct event *v = &c->events[i];
		bool first = i == 0 || !same_exhibit(&v[-1], v) || strcmp(v[-1].s->from, v->s->from) != 0;

		judge_event(c, v, first ? NULL : &v[-1]);
	}
}

/* Is there the other half of a change of hands: other party, same exhibit; with the same digest or not. */
static bool has_half(const struct chain *c, const struct event *v, const char *act, bool same_digest)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct event *o = &c->events[i];

		if (same_exhibit(o, v) && bytes_is(o->act, act) && strcmp(o->s->from, v->s->from) != 0 &&
		    (!same_digest || bytes_equal(o->digest, v->digest)))
			return true;
	}
	return false;
}

/* The receiver's signed word that what arrived has this digest stands for its accept, where the sender makes
 * the package: it does not have the receiver's own events. */
static bool was_confirmed(const struct chain *c, const struct event *v)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct statement *s = c->list[i];

		if (strcmp(s->kind->name, "confirmation") == 0 && strcmp(s->from, v->s->from) != 0 &&
		    bytes_is(json_bytes(s->body, "result"), "verified") &&
		    bytes_equal(json_bytes(s->body, "exhibit"), v->exhibit) && bytes_equal(json_bytes(s->body, "sha256"), v->digest))
			return true;
	}
	return false;
}

static void judge_hands(const struct chain *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct event *v = &c->events[i];
		bool out = bytes_is(v->act, "transmit");
		const char *half = out ? "accept" : "transmit";

		if ((!out && !bytes_is(v->act, "accept")) || has_half(c, v, half, true) ||
		    (out && was_confirmed(c, v)))
			continue;
		if (has_half(c, v, half, false))
			told(c, v->index, "what %s %s has another digest than what the other party %s", v->s->from,
			     out ? "handed over" : "accepted", out ? "accepted" : "handed over");
		else
			told(c, v->index, out ? "%s handed this over, and nobody accepted it" :
						"%s accepted this, and nobody handed it over", v->s->from);
	}
}

static const struct event *find_event(const struct chain *c, struct bytes hex, const struct statement *exhibit)
{
	struct bytes id = json_bytes(exhibit->body, "exhibit");
	uint8_t hash[SHA256_BYTES];

	if (!hex_parse(hex, hash, sizeof(hash)))
		return NULL;
	for (size_t i = 0; i < c->count; i++)
		if (memcmp(hash, c->events[i].s->hash, sizeof(hash)) == 0 &&
		    strcmp(c->events[i].s->from, exhibit->from) == 0 && bytes_equal(c->events[i].exhibit, id))
			return &c->events[i];
	return NULL;
}

static void judge_exhibit(const struct chain *c, size_t index)
{
	const struct statement *x = c->list[index];
	const json_t *custody = json_object_get(x->body, "custody");
	bool own_content = false;

	for (size_t i = 0; i < json_array_size(custody); i++) {
		const json_t *v = json_array_get(custody, i);

		if (find_event(c, bytes_from(json_string_value(v), json_string_length(v)), x) == NULL)
			told(c, index, "custody event %.16s of this exhibit is not in the package", json_string_value(v));
	}
	for (size_t i = 0; i < c->count && !own_content; i++)
		own_content = strcmp(c->events[i].s->from, x->from) == 0 &&
			      bytes_equal(c->events[i].exhibit, json_bytes(x->body, "exhibit")) &&
			      bytes_equal(c->events[i].digest, json_bytes(x->body, "sha256"));
	if (!own_content)
		told(c, index, "no custody event of %s is about the content that it handed over", x->from);
}

void chain_judge(const struct statement *const *list, size_t n, chain_problem *problem, void *ctx)
{
	struct chain c = { .list = list, .n = n, .problem = problem, .ctx = ctx };

	gather(&c);
	judge_runs(&c);
	judge_hands(&c);
	for (size_t i = 0; i < n; i++)
		if (is_exhibit(list[i]))
			judge_exhibit(&c, i);
	free(c.events);
}
