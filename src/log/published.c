/* The index is small and read whole; acts are fetched one by one, when somebody asks. An act is verified as far as the
 * log's own key goes: hash, kind, leaf, proof. */
#include "log/published.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "log/leaf.h"
#include "log/tlog-proof.h"

struct published {
	struct published_line *lines;
	size_t count, room;
	struct buf index;
};

void published_free(struct published *p)
{
	if (p == NULL)
		return;
	buf_release(&p->index);
	free(p->lines);
	free(p);
}

void published_free_at(struct published **p)
{
	published_free(*p);
	*p = NULL;
}

size_t published_count(const struct published *p)
{
	return p->count;
}

const struct published_line *published_at(const struct published *p, size_t i)
{
	return &p->lines[i];
}

struct bytes published_index(const struct published *p)
{
	return buf_bytes(&p->index);
}

void published_path(const uint8_t hash[static SHA256_BYTES], char ret[static 80])
{
	memcpy(ret, "acts/", 5);
	hex_write(bytes_from(hash, SHA256_BYTES), ret + 5);
}

static bool line_take(struct published *p, struct bytes line)
{
	struct bytes hash = bytes_cut(&line, ' '), kind = bytes_cut(&line, ' ');
	struct published_line l = { .time = 0 };

	if (!hex_parse(hash, l.hash, sizeof(l.hash)) || kind.len == 0 || kind.len > PUBLISHED_KIND_BYTES_MAX ||
	    !time_parse(line, &l.time))
		return false;
	for (size_t i = 0; i < kind.len; i++)
		if (kind.at[i] != '-' && (kind.at[i] < 'a' || kind.at[i] > 'z') && (kind.at[i] < '0' || kind.at[i] > '9'))
			return false;
	bytes_text(kind, l.kind, sizeof(l.kind));
	if (p->count == p->room) {
		p->room = 2 * p->room + 16;
		p->lines = reallocarray(p->lines, p->room, sizeof(*p->lines));
		if (p->lines == NULL)
			abort();
	}
	p->lines[p->count++] = l;
	return true;
}

bool published_parse(struct bytes index, struct published **ret, struct err *e)
{
	AUTO_PUBLISHED *p = calloc(1, sizeof(*p));
	struct reader r = reader_over(index);

	if (p == NULL)
		abort();
	buf_init(&p->index, PUBLISHED_INDEX_BYTES_MAX);
	buf_add(&p->index, index);
	if (!buf_check(&p->index, "acts/index", e))
		return false;
	while (reader_ok(&r) && reader_left(&r) > 0) {
		struct bytes line = reader_line(&r, 200);

		if (reader_ok(&r) && !line_take(p, line))
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "acts/index: line %zu is none of hash, kind and time", p->count + 1);
	}
	if (!reader_done(&r, "acts/index", e))
		return false;
	*ret = p;
	p = NULL;
	return true;
}

bool published_read(const struct log_source *s, struct published **ret, struct err *e)
{
	AUTO_BUF in = { 0 };

	buf_init(&in, PUBLISHED_INDEX_BYTES_MAX);
	return s->fetch(s->ctx, "acts/index", PUBLISHED_INDEX_BYTES_MAX, &in, e) && published_parse(buf_bytes(&in), ret, e);
}

/* The leaf that this act must have in its sender's log. */
static bool leaf_is(const struct act *a)
{
	const struct statement *s = a->statement;
	uint8_t leaf[LEAF_V1_BYTES];
	char week[16];
	struct leaf_class c = { .act_class = bytes_of(s->kind->act_class), .basis = bytes_of(s->legal_basis), .exercise = s->exercise };

	time_write_week(s->time, week);
	c.week = bytes_of(week);
	leaf_write(s->hash, &c, a->opening, a->x, LEAF_OUT, leaf);
	return bytes_equal(a->leaf, BYTES_ARRAY(leaf));
}

bool published_act(const struct log_source *s, const struct published_line *l, const struct note_key *log_key, struct act **ret,
		   struct checkpoint *ret_proved, uint64_t *ret_index, struct err *e)
{
	char path[80];
	AUTO_ACT *a = NULL;
	AUTO_BUF in = { 0 };

	published_path(l->hash, path);
	buf_init(&in, LETTER_BYTES_MAX);
	if (!s->fetch(s->ctx, path, LETTER_BYTES_MAX, &in, e))
		return false;
	if (!act_parse(buf_bytes(&in), &a, e))
		return err_note(e, "%s", path);
	if (memcmp(a->statement->hash, l->hash, SHA256_BYTES) != 0 || strcmp(a->statement->kind->name, l->kind) != 0)
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "%s is another act than the index says", path);
	if (!leaf_is(a))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "%s: its leaf is of something else", path);
	if (!tlog_proof_check(a->proof, a->leaf, log_key, NULL, ret_proved, ret_index, e))
		return err_note(e, "%s", path);
	*ret = a;
	a = NULL;
	return true;
}

bool published_openings_act(const struct published *p, const struct log_source *s, const struct note_key *log_key, const char *period,
			    const uint8_t digest[static SHA256_BYTES], struct act **ret, struct err *e)
{
	for (size_t i = p->count; i-- > 0;) {
		struct checkpoint c;
		uint64_t index;
		uint8_t said[SHA256_BYTES];
		AUTO_ACT *a = NULL;

		if (strcmp(p->lines[i].kind, "class-openings") != 0)
			continue;
		if (!published_act(s, &p->lines[i], log_key, &a, &c, &index, e))
			return false;
		if (strcmp(json_text(a->statement->body, "period"), period) != 0 ||
		    strcmp(json_text(a->statement->body, "log"), log_key->name) != 0 ||
		    !hex_parse(json_bytes(a->statement->body, "digest"), said, sizeof(said)) || memcmp(said, digest, sizeof(said)) != 0)
			continue;
		*ret = a;
		a = NULL;
		return true;
	}
	return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH, "openings/%s: no logged act names its digest", period);
}
