/* Counting a log's acts by class, from files alone: the log is verified, and every line of the openings is held against
 * the leaf that it opens. What a home counts of itself is never asked. (design.md part 10) */
#ifndef COMITY_LOG_STATISTICS_H
#define COMITY_LOG_STATISTICS_H

#include "base/json.h"
#include "log/monitor.h"
#include "statement/act.h"

struct statistics_options {
	struct note_key log_key;
	const char *period; /* NULL: all that are published */
	bool weeks;         /* count each week apart */
	/* May be NULL: whether the signature of an act is the party's own; needs a register. */
	bool (*signer)(void *ctx, const struct act *a, struct err *e);
	bool (*progress)(void *ctx, uint64_t done, uint64_t size); /* may be NULL */
	void *ctx;
};
/* ret: {"counts":[{"basis","class","count","exercise","period"(,"week")}...],"leaves":N,"log":origin,
 * "periods":[{"first","leaves","lost","null","opened","period","withheld"}...],"signatures_checked":bool,"size":N}.
 * REASON_LEAF_MISMATCH: a line does not open its leaf; the sentence has the index. REASON_DIGEST_MISMATCH: no logged act
 * names the file. REASON_BAD_FIELD: a class that the log's parameters do not have. Otherwise as monitor_follow. */
bool statistics_count(const struct statistics_options *o, const struct log_source *s, json_t **ret, struct err *e) MUST_USE;

#endif
