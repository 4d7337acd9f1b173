/* Periods and the lines of their openings file. Class codes and legal bases are words of letters, digits, "." and
 * "-", so a line needs no escapes and no general parser: it has one spelling, and a file of ten million of them is
 * read at the speed of the disk. Only the head, whose log may have any name, goes through the JSON parser. */
#include "log/openings.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/reader.h"

#define SCHEMA 1
#define WORD_BYTES_MAX 64u
#define WEEK_TEXT_LEN 8u /* "2026-W47" */

/* --- periods ----------------------------------------------------------------------------------- */

void period_of(int64_t ms, char ret[static PERIOD_TEXT_LEN + 1])
{
	char text[TIME_TEXT_LEN + 1];

	time_write(ms, text);
	unsigned month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
	snprintf(ret, PERIOD_TEXT_LEN + 1, "%.4s-Q%u", text, (month + 2) / 3 % 10);
}

static bool quarter_begin(unsigned year, unsigned quarter, int64_t *ret)
{
	char text[TIME_TEXT_LEN + 1];

	snprintf(text, sizeof(text), "%04u-%02u-01T00:00:00.000Z", (year + quarter / 4) % 10000, quarter % 4 * 3 + 1);
	return time_parse(bytes_of(text), ret);
}

/* Quarters since year 0. */
static bool quarter_parse(struct bytes text, unsigned *ret)
{
	unsigned year = 0;

	if (text.len != PERIOD_TEXT_LEN || text.at[4] != '-' || text.at[5] != 'Q' || text.at[6] < '1' || text.at[6] > '4')
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		year = year * 10 + (unsigned)(text.at[i] - '0');
	}
	*ret = year * 4 + (unsigned)(text.at[6] - '1');
	return true;
}

bool period_parse(struct bytes text, int64_t *ret_from_ms, int64_t *ret_until_ms)
{
	unsigned quarter;
	int64_t from, until;

	if (!quarter_parse(text, &quarter) || !quarter_begin(quarter / 4, quarter % 4, &from) ||
	    !quarter_begin((quarter + 1) / 4, (quarter + 1) % 4, &until) || until <= from)
		return false;
	*ret_from_ms = from;
	*ret_until_ms = until;
	return true;
}

int64_t period_quarters_since(struct bytes period, int64_t ms)
{
	char now[PERIOD_TEXT_LEN + 1];
	unsigned a, b;

	period_of(ms, now);
	if (!quarter_parse(period, &a) || !quarter_parse(bytes_of(now), &b) || b <= a)
		return 0;
	return (int64_t)(b - a) - 1;
}

/* --- lines ------------------------------------------------------------------------------------- */

void openings_head_write(const struct openings_head *h, struct buf *out)
{
	AUTO_JSON *v = json_object();

	json_put_int(v, "first", (int64_t)h->first);
	json_put_int(v, "leaves", (int64_t)h->leaves);
	json_put_text(v, "log", h->log);
	json_put_int(v, "lost", (int64_t)h->lost);
	json_put_text(v, "period", h->period);
	json_put_int(v, "schema", SCHEMA);
	json_put_int(v, "withheld", (int64_t)h->withheld);
	if (!json_write_canonical(v, out, NULL))
		abort(); /* numbers of leaves and the name of our log always have a canonical form */
	buf_add_u8(out, '\n');
}

bool openings_head_parse(struct bytes line, struct openings_head *ret, struct err *e)
{
	static const int64_t most = INT64_C(1) << 53;
	AUTO_JSON *v = NULL;
	struct openings_head h = { 0 };
	const char *log, *period;
	int64_t first, leaves, lost, withheld, schema, from, until;

	if (line.len > OPENINGS_LINE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "openings: the head has %zu bytes", line.len);
	if (!json_parse_canonical(line, "head of the openings", &v, e))
		return false;
	if (!json_is_object(v) || json_object_size(v) != 7)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "openings: the head has other members than it should have");
	if (!json_must_int(v, "first", 0, most, &first, e) || !json_must_int(v, "leaves", 0, most, &leaves, e) ||
	    !json_must_text(v, "log", &log, e) || !json_must_int(v, "lost", 0, leaves, &lost, e) ||
	    !json_must_text(v, "period", &period, e) || !json_must_int(v, "schema", SCHEMA, SCHEMA, &schema, e) ||
	    !json_must_int(v, "withheld", 0, leaves - lost, &withheld, e))
		return err_note(e, "openings");
	if (log[0] == '\0' || strlen(log) > CHECKPOINT_ORIGIN_BYTES_MAX || !period_parse(bytes_of(period), &from, &until))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "openings: the head names no log or no period");
	snprintf(h.log, sizeof(h.log), "%s", log);
	snprintf(h.period, sizeof(h.period), "%s", period);
	h.first = (uint64_t)first;
	h.leaves = (uint64_t)leaves;
	h.lost = (uint64_t)lost;
	h.withheld = (uint64_t)withheld;
	*ret = h;
	return true;
}

void class_opening_write(const struct class_opening *o, struct buf *out)
{
	if (o->withheld || o->lost) {
		buf_add_text(out, o->withheld ? "{}\n" : "{\"lost\":true}\n");
		return;
	}
	buf_add_text(out, "{\"basis\":\"");
	buf_add(out, o->c.basis);
	buf_add_text(out, "\",\"class\":\"");
	buf_add(out, o->c.act_class);
	buf_add_text(out, o->c.exercise ? "\",\"exercise\":true,\"salt\":\"" : "\",\"exercise\":false,\"salt\":\"");
	buf_add_hex(out, BYTES_ARRAY(o->salt));
	buf_add_text(out, "\",\"week\":\"");
	buf_add(out, o->c.week);
	buf_add_text(out, "\"}\n");
}

static struct bytes word(struct reader *r, size_t least)
{
	size_t len = 0;

	while (r->pos + len < r->in.len && len <= WORD_BYTES_MAX) {
		uint8_t c = r->in.at[r->pos + len];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			break;
		len++;
	}
	if (len < least || len > WORD_BYTES_MAX)
		reader_fail(r);
	return reader_take(r, len);
}

/* "2026-W47"; which weeks a year has is not asked: the commitment says which was meant. */
static struct bytes week(struct reader *r)
{
	static const char shape[] = "0000-W00";
	struct bytes text = reader_take(r, WEEK_TEXT_LEN);

	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == '0' ? text.at[i] < '0' || text.at[i] > '9' : text.at[i] != (uint8_t)shape[i])
			reader_fail(r);
	return text;
}

static bool flag(struct reader *r)
{
	bool yes = bytes_starts(bytes_slice(r->in, r->pos, 4), "true");

	reader_literal(r, yes ? "true" : "false");
	return yes;
}

bool class_opening_parse(struct bytes line, struct class_opening *ret, struct err *e)
{
	struct reader r = reader_over(line);
	struct class_opening o = { 0 };

	if (bytes_is(line, "{}")) {
		*ret = (struct class_opening){ .withheld = true };
		return true;
	}
	if (bytes_is(line, "{\"lost\":true}")) {
		*ret = (struct class_opening){ .lost = true };
		return true;
	}
	reader_literal(&r, "{\"basis\":\"");
	o.c.basis = word(&r, 0);
	reader_literal(&r, "\",\"class\":\"");
	o.c.act_class = word(&r, 1);
	reader_literal(&r, "\",\"exercise\":");
	o.c.exercise = flag(&r);
	reader_literal(&r, ",\"salt\":\"");
	if (!hex_parse(reader_take(&r, 64), o.salt, sizeof(o.salt)))
		reader_fail(&r);
	reader_literal(&r, "\",\"week\":\"");
	o.c.week = week(&r);
	reader_literal(&r, "\"}");
	if (!reader_done(&r, "class opening", e))
		return false;
	*ret = o;
	return true;
}

bool class_opening_check(const struct class_opening *o, struct bytes leaf, struct err *e)
{
	uint8_t c[32], k[32], t[32], want[32];

	if (o->withheld || o->lost)
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, o->lost ? "the class of this leaf is lost" : "the class of this leaf is withheld");
	if (!leaf_parse(leaf, c, k, t, e))
		return false;
	leaf_class_commit(o->salt, &o->c, want);
	return memcmp(k, want, sizeof(k)) == 0 ||
	       err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the class %.*s does not open this leaf", (int)o->c.act_class.len,
		       (const char *)o->c.act_class.at);
}
