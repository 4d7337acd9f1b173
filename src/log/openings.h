/* Class openings: what lets anybody count a log's acts by class, from files alone. A period's file has one line for
 * every leaf of the period, in order, as canonical JSON:
 *   {"basis":"UNCC","class":"preservation","exercise":false,"salt":64 hex,"week":"2026-W47"}
 * or {} for a leaf whose class has an embargo that has not ended: a later file of the same period opens it. A null
 * leaf opens to class "null", basis "", exercise false, its slot's week. The first line is the head:
 *   {"first":N,"leaves":N,"log":origin,"period":"2026-Q4","schema":1,"withheld":N}
 * The file's SHA-256 stands in a logged, published statement (kind class-openings). design.md part 10. */
#ifndef COMITY_LOG_OPENINGS_H
#define COMITY_LOG_OPENINGS_H

#include "base/buf.h"
#include "base/err.h"
#include "log/checkpoint.h"
#include "log/leaf.h"

#define PERIOD_TEXT_LEN 7 /* "2026-Q4" */
void period_of(int64_t ms, char ret[static PERIOD_TEXT_LEN + 1]);
bool period_parse(struct bytes text, int64_t *ret_from_ms, int64_t *ret_until_ms);

struct openings_head {
	char log[CHECKPOINT_ORIGIN_BYTES_MAX + 1], period[PERIOD_TEXT_LEN + 1];
	uint64_t first, leaves, withheld;
};
struct class_opening {
	bool withheld;     /* "{}": embargoed, nothing else is said */
	uint8_t salt[32];
	struct leaf_class c;
};
void openings_head_write(const struct openings_head *h, struct buf *out);       /* one line with its newline */
void class_opening_write(const struct class_opening *o, struct buf *out);
bool openings_head_parse(struct bytes line, struct openings_head *ret, struct err *e) MUST_USE;
bool class_opening_parse(struct bytes line, struct class_opening *ret, struct err *e) MUST_USE; /* texts point into line */
/* Does it open this leaf's k? REASON_LEAF_MISMATCH. */
bool class_opening_check(const struct class_opening *o, struct bytes leaf, struct err *e) MUST_USE;

#endif
