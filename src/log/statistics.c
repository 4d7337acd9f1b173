/* One pass over the log: leaves come verified and in order, and each period's file of openings is walked beside them.
 * The acts that vouch for these files are bound to the same tree: the checkpoint of each proof is compared with it. */
#include "log/statistics.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "log/openings.h"
#include "log/published.h"
#include "log/tlog-proof.h"

#define WORD_BYTES_MAX 64u
/* Class x basis x week x exercise of all periods; more is no statistics. */

struct counter {
	char act_class[WORD_BYTES_MAX + 1], basis[WORD_BYTES_MAX + 1], week[9];
	bool exercise;
	size_t period;
	uint64_t count;
};

/* The file is held while its leaves go by, and fetched for that a second time: one quarter at a time is in memory. */
struct period {
	struct openings_head head;
	uint8_t digest[SHA256_BYTES];
	struct buf file;
	struct reader lines;
	bool rest; /* lines after the last leaf */
	uint64_t opened, null_leaves, withheld, lost, taken;
};

struct count {
	const struct statistics_options *o;
	const struct log_source *source;
	struct published *published;
	struct period *periods;
	size_t period_count;
	struct counter *counters;
	size_t counter_count, counter_room, last; /* last: the counter that was used last */
	json_t *classes; /* names that the log's parameters have ever had, as members */
	struct monitor *monitor;
	struct buf notes; /* of the proofs of acts, to be compared with the tree */
	struct bytes last_note;
};

/* --- what is published --------------------------------------------------------------------------- */

static bool act_take(struct count *c, const struct published_line *l, struct act **ret, struct err *e)
{
	struct checkpoint proved;
	struct tlog_proof proof;
	uint64_t index;

	if (!published_act(c->source, l, &c->o->log_key, ret, &proved, &index, e))
		return false;
	if (!tlog_proof_parse((*ret)->proof, &proof, e))
		return false;
	if (!bytes_equal(proof.note, c->last_note)) {
		buf_add_field(&c->notes, proof.note);
		c->last_note = bytes_slice(buf_bytes(&c->notes), c->notes.len - proof.note.len, proof.note.len);
	}
	if (!buf_check(&c->notes, "proofs of published acts", e))
		return false;
	return c->o->signer == NULL || c->o->signer(c->o->ctx, *ret, e);
}

/* Class names of every version: a leaf may be older than the newest. */
static bool classes_read(struct count *c, struct err *e)
{
	for (size_t i = 0; i < published_count(c->published); i++) {
		const struct published_line *l = published_at(c->published, i);
		AUTO_ACT *a = NULL;
		size_t k;
		json_t *class;

		if (strcmp(l->kind, "log-parameters") != 0)
			continue;
		if (!act_take(c, l, &a, e))
			return false;
		json_array_foreach(json_object_get(a->statement->body, "classes"), k, class)
			json_put_bool(c->classes, json_text(class, "class"), true);
	}
	return true;
}

static bool period_known(const struct count *c, const char *period)
{
	for (size_t i = 0; i < c->period_count; i++)
		if (strcmp(c->periods[i].head.period, period) == 0)
			return true;
	return false;
}

/* The file with this digest, its head read. */
static bool period_open(struct count *c, struct period *p, struct err *e)
{
	uint8_t digest[SHA256_BYTES];
	char path[32];

	snprintf(path, sizeof(path), "openings/%s", p->head.period);
	buf_init(&p->file, OPENINGS_BYTES_MAX);
	if (!c->source->fetch(c->source->ctx, path, OPENINGS_BYTES_MAX, &p->file, e))
		return false;
	sha256(buf_bytes(&p->file), digest);
	if (memcmp(digest, p->digest, sizeof(digest)) != 0)
		return err_set(e, ERR_UNAVAILABLE, REASON_DIGEST_MISMATCH, "%s changed while it was read; try again", path);
	p->lines = reader_over(buf_bytes(&p->file));
	(void)reader_line(&p->lines, OPENINGS_LINE_BYTES_MAX);
	return true;
}

/* The file and the act that names its digest, what the head says included. */
static bool period_read(struct count *c, const char *period, struct err *e)
{
	struct period *p;
	char path[32];
	struct bytes head;
	AUTO_ACT *a = NULL;

	c->periods = reallocarray(c->periods, c->period_count + 1, sizeof(*c->periods));
	if (c->periods == NULL)
		abort();
	p = &c->periods[c->period_count++];
	*p = (struct period){ .taken = 0 };
	snprintf(p->head.period, sizeof(p->head.period), "%s", period);
	snprintf(path, sizeof(path), "openings/%s", period);
	buf_init(&p->file, OPENINGS_BYTES_MAX);
	if (!c->source->fetch(c->source->ctx, path, OPENINGS_BYTES_MAX, &p->file, e))
		return false;
	sha256(buf_bytes(&p->file), p->digest);
	if (!published_openings_act(c->published, c->source, &c->o->log_key, period, p->digest, &a, e))
		return false;
	p->lines = reader_over(buf_bytes(&p->file));
	head = reader_line(&p->lines, OPENINGS_LINE_BYTES_MAX);
	if (!reader_ok(&p->lines) || !openings_head_parse(head, &p->head, e))
		return err_note(e, "%s", path);
	if (strcmp(p->head.period, period) != 0 || strcmp(p->head.log, c->o->log_key.name) != 0 ||
	    (int64_t)p->head.first != json_int(a->statement->body, "first") ||
	    (int64_t)p->head.leaves != json_int(a->statement->body, "leaves"))
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s: its head is of something else than the act that names it", path);
	/* So that one at a time is in memory. */
	for (const struct period *o = c->periods; o < p; o++)
		if (p->head.first < o->head.first + o->head.leaves && o->head.first < p->head.first + p->head.leaves)
			return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s opens leaves that openings/%s opens too", path, o->head.period);
	buf_release(&p->file);
	return true;
}

static bool periods_read(struct count *c, struct err *e)
{
	for (size_t i = 0; i < published_count(c->published); i++) {
		const struct published_line *l = published_at(c->published, i);
		char period[PERIOD_TEXT_LEN + 1];
		int64_t from, until;
		AUTO_ACT *a = NULL;

		if (strcmp(l->kind, "class-openings") != 0)
			continue;
		if (!act_take(c, l, &a, e))
			return false;
		bytes_text(json_bytes(a->statement->body, "period"), period, sizeof(period));
		if (!period_parse(bytes_of(period), &from, &until))
			return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "a published act opens \"%.10s\", which is no quarter", period);
		if (period_known(c, period) || (c->o->period != NULL && strcmp(c->o->period, period) != 0))
			continue;
		if (!period_read(c, period, e))
			return false;
	}
	if (c->o->period != NULL && c->period_count == 0)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s has published no openings of %s", c->o->log_key.name, c->o->period);
	return true;
}

/* Each proof is of this tree, and not only of some tree that the key has signed. */
static bool notes_compare(struct count *c, struct err *e)
{
	struct reader r = reader_over(buf_bytes(&c->notes));

	while (reader_left(&r) > 0)
		if (!monitor_compare(c->monitor, c->source, reader_field(&r, NOTE_BYTES_MAX), "a published act", e))
			return false;
	return true;
}

/* --- counting ---------------------------------------------------------------------------------------- */

static bool counter_is(const struct counter *n, size_t period, const struct leaf_class *k, bool weeks)
{
	return n->period == period && n->exercise == k->exercise && bytes_is(k->act_class, n->act_class) && bytes_is(k->basis, n->basis) &&
	       (!weeks || bytes_is(k->week, n->week));
}

static bool add(struct count *c, size_t period, const struct leaf_class *k, struct err *e)
{
	size_t i = c->last;
	struct counter *n;

	if (i >= c->counter_count || !counter_is(&c->counters[i], period, k, c->o->weeks))
		for (i = 0; i < c->counter_count && !counter_is(&c->counters[i], period, k, c->o->weeks);)
			i++;
	c->last = i;
	if (i < c->counter_count) {
		c->counters[i].count++;
		return true;
	}
	if (c->counter_count == STATISTICS_COUNTERS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u classes, bases and weeks", STATISTICS_COUNTERS_MAX);
	if (c->counter_count == c->counter_room) {
		c->counter_room = 2 * c->counter_room + 32;
		c->counters = reallocarray(c->counters, c->counter_room, sizeof(*c->counters));
		if (c->counters == NULL)
			abort();
	}
	n = &c->counters[c->counter_count++];
	*n = (struct counter){ .exercise = k->exercise, .period = period, .count = 1 };
	bytes_text(k->act_class, n->act_class, sizeof(n->act_class));
	bytes_text(k->basis, n->basis, sizeof(n->basis));
	if (c->o->weeks)
		bytes_text(k->week, n->week, sizeof(n->week));
	return true;
}

static bool line_take(struct count *c, size_t period, uint64_t index, struct bytes entry, struct err *e)
{
	struct period *p = &c->periods[period];
	struct bytes line = reader_line(&p->lines, OPENINGS_LINE_BYTES_MAX);
	struct class_opening o;

	if (!reader_ok(&p->lines) || !class_opening_parse(line, &o, e))
		return err_set(e, ERR_REJECTED, REASON_MALFORMED, "openings/%s: leaf %llu has no valid line", p->head.period, (unsigned long long)index);
	p->taken++;
	if (o.withheld || o.lost) {
		p->withheld += o.withheld ? 1 : 0;
		p->lost += o.lost ? 1 : 0;
		return true;
	}
	if (!class_opening_check(&o, entry, e))
		return err_note(e, "openings/%s: leaf %llu", p->head.period, (unsigned long long)index);
	if (bytes_is(o.c.act_class, LEAF_CLASS_NULL)) {
		p->null_leaves++;
		return true;
	}
	if (json_object_size(c->classes) > 0) {
		char name[WORD_BYTES_MAX + 1];

		bytes_text(o.c.act_class, name, sizeof(name));
		if (!json_bool(c->classes, name))
			return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "openings/%s: leaf %llu has the class %s, which the log's parameters do not have",
				       p->head.period, (unsigned long long)index, name);
	}
	p->opened++;
	return add(c, period, &o.c, e);
}

static void period_close(struct period *p)
{
	p->rest = reader_left(&p->lines) > 0;
	p->lines = reader_over((struct bytes){ 0 });
	buf_release(&p->file);
}

static bool leaf_take(void *ctx, uint64_t index, struct bytes entry, struct err *e)
{
	struct count *c = ctx;

	for (size_t i = 0; i < c->period_count; i++) {
		const struct openings_head *h = &c->periods[i].head;

		if (index < h->first || index - h->first >= h->leaves)
			continue;
		if ((index == h->first && !period_open(c, &c->periods[i], e)) || !line_take(c, i, index, entry, e))
			return false;
		if (index - h->first == h->leaves - 1)
			period_close(&c->periods[i]);
	}
	return true;
}

static bool told(void *ctx, uint64_t done, uint64_t size)
{
	struct count *c = ctx;

	return c->o->progress == NULL || c->o->progress(c->o->ctx, done, size);
}

static bool periods_end(struct count *c, struct err *e)
{
	for (size_t i = 0; i < c->period_count; i++) {
		struct period *p = &c->periods[i];

		if (p->taken != p->head.leaves || p->rest || p->withheld != p->head.withheld || p->lost != p->head.lost)
			return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "openings/%s does not have the lines that its head counts", p->head.period);
	}
	return true;
}

/* --- the result ------------------------------------------------------------------------------------ */

static int counter_order(const void *a, const void *b)
{
	const struct counter *x = a, *y = b;
	int r = x->period < y->period ? -1 : x->period > y->period;

	r = r != 0 ? r : strcmp(x->week, y->week);
	r = r != 0 ? r : strcmp(x->act_class, y->act_class);
	r = r != 0 ? r : strcmp(x->basis, y->basis);
	return r != 0 ? r : (int)x->exercise - (int)y->exercise;
}

static void array_add(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

static json_t *result(struct count *c)
{
	json_t *v = json_object(), *counts = json_array(), *periods = json_array();

	if (c->counter_count > 0)
		qsort(c->counters, c->counter_count, sizeof(c->counters[0]), counter_order);
	for (size_t i = 0; i < c->counter_count; i++) {
		const struct counter *n = &c->counters[i];
		json_t *one = json_object();

		json_put_text(one, "basis", n->basis);
		json_put_text(one, "class", n->act_class);
		json_put_int(one, "count", (int64_t)n->count);
		json_put_bool(one, "exercise", n->exercise);
		json_put_text(one, "period", c->periods[n->period].head.period);
		if (c->o->weeks)
			json_put_text(one, "week", n->week);
		array_add(counts, one);
	}
	for (size_t i = 0; i < c->period_count; i++) {
		const struct period *p = &c->periods[i];
		json_t *one = json_object();

		json_put_int(one, "first", (int64_t)p->head.first);
		json_put_int(one, "leaves", (int64_t)p->head.leaves);
		json_put_int(one, "lost", (int64_t)p->lost);
		json_put_int(one, "null", (int64_t)p->null_leaves);
		json_put_int(one, "opened", (int64_t)p->opened);
		json_put_text(one, "period", p->head.period);
		json_put_int(one, "withheld", (int64_t)p->withheld);
		array_add(periods, one);
	}
	json_put(v, "counts", counts);
	json_put_text(v, "log", c->o->log_key.name);
	json_put(v, "periods", periods);
	json_put_bool(v, "signatures_checked", c->o->signer != NULL);
	json_put_int(v, "size", (int64_t)monitor_checkpoint(c->monitor)->size);
	return v;
}

static void count_release(struct count *c)
{
	for (size_t i = 0; i < c->period_count; i++)
		buf_release(&c->periods[i].file);
	free(c->periods);
	buf_release(&c->notes);
	free(c->counters);
	json_decref(c->classes);
	published_free(c->published);
	monitor_free(c->monitor);
}

bool statistics_count(const struct statistics_options *o, const struct log_source *s, json_t **ret, struct err *e)
{
	struct count c = { .o = o, .source = s, .classes = json_object() };
	struct monitor_options m = { .log_key = o->log_key, .leaf = leaf_take, .progress = told, .ctx = &c };
	struct err none = { 0 };
	bool ok;

	c.monitor = monitor_new(&m);
	buf_init(&c.notes, PUBLISHED_INDEX_BYTES_MAX);
	ok = published_read(s, &c.published, &none);
	if (!ok && none.kind == ERR_NOT_FOUND)
		ok = err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s publishes no acts, so there are no openings to count", o->log_key.name);
	else if (!ok)
		ok = err_set(e, none.kind, none.reason, "%s", none.text);
	ok = ok && classes_read(&c, e) && periods_read(&c, e) && monitor_follow(c.monitor, s, e) && notes_compare(&c, e) &&
	     periods_end(&c, e);
	if (ok)
		*ret = result(&c);
	count_release(&c);
	return ok;
}
