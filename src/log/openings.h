/* Class openings: what lets anybody count a log's acts by class, from files alone. A period's file has one line for
 * every leaf of the period, in order, as canonical JSON:
 *   {"basis":"UNCC","class":"preservation","exercise":false,"salt":64 hex,"week":"2026-W47"}
 * or {} for a leaf whose class has an embargo that has not ended: a later file of the same period opens it;
 * or {"lost":true} for a leaf that its home cannot open any more: it came back after a restore, and what it said did
 * not. A null leaf opens to class "null", basis "", exercise false, its slot's week. The first line is the head:
 *   {"first":N,"leaves":N,"log":origin,"lost":N,"period":"2026-Q4","schema":1,"withheld":N}
 * The file's SHA-256 stands in a logged, published statement (kind class-openings). design.md part 10. */
#ifndef COMITY_LOG_OPENINGS_H
#define COMITY_LOG_OPENINGS_H

#include "base/buf.h"
#include "base/err.h"
#include "log/checkpoint.h"
#include "log/leaf.h"

#define PERIOD_TEXT_LEN 7 /* "2026-Q4": a quarter of the year, UTC */
void period_of(int64_t ms, char ret[static PERIOD_TEXT_LEN + 1]);
bool period_parse(struct bytes text, int64_t *ret_from_ms, int64_t *ret_until_ms) MUST_USE;
/* Whole quarters from the end of this period until the time; 0 while it has not ended. */
int64_t period_quarters_since(struct bytes period, int64_t ms);

struct openings_head {
	char log[CHECKPOINT_ORIGIN_BYTES_MAX + 1], period[PERIOD_TEXT_LEN + 1];
	uint64_t first, leaves, withheld, lost;
};
struct class_opening {
	bool withheld;     /* "{}": embargoed, nothing else is said */
	bool lost;         /* "{"lost":true}": nobody can open it, nothing else is said */
	uint8_t salt[32];
	struct leaf_class c;
};
void openings_head_write(const struct openings_head *h, struct buf *out);       /* one line with its newline */
void class_opening_write(const struct class_opening *o, struct buf *out);       /* the same */
/* A line without its newline, of at most OPENINGS_LINE_BYTES_MAX. */
bool openings_head_parse(struct bytes line, struct openings_head *ret, struct err *e) MUST_USE;
bool class_opening_parse(struct bytes line, struct class_opening *ret, struct err *e) MUST_USE; /* texts point into line */
/* Does it open this leaf's k? REASON_LEAF_MISMATCH; a withheld or lost one opens nothing. */
bool class_opening_check(const struct class_opening *o, struct bytes leaf, struct err *e) MUST_USE;

#endif
