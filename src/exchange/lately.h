/* What was done for each peer a moment ago, so that asking again at once brings nothing. In memory alone: a start forgets it,
 * and of more peers than a register may have the one that was quiet for the longest. */
#ifndef COMITY_EXCHANGE_LATELY_H
#define COMITY_EXCHANGE_LATELY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "statement/statement.h"

/* Times are 0 for never. */
struct lately_peer {
	char code[PARTY_CODE_LEN_MAX + 1]; /* "": all whom nobody knows */
	uint64_t turn;                     /* when it was last looked at */
	int64_t behind_ms;                 /* it was told that our register may be behind the one that it named, ... */
	uint64_t behind_size;              /* ... which had this size */
	int64_t pair_ms;                   /* it asked which letters it lacks, and they were set to go again */
	int64_t gap_ms;                    /* the same for a receipt that said so */
};

struct lately *lately_new(void);
void lately_free(struct lately *l);
/* Never NULL; stays until the next call. */
struct lately_peer *lately_of(struct lately *l, const char *peer);
/* Was that so lately? A time that lies ahead is of a clock that went back, and does not count. */
bool lately_within(int64_t at_ms, int64_t now_ms, int64_t window_ms);
/* False if it was; else it is from now on. */
bool lately_begin(int64_t *at_ms, int64_t now_ms, int64_t window_ms);

#endif
