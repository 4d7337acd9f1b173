/* What a log says of itself, as files beside it: acts/index with a line "<64 hex> <kind> <time>" for each published act,
 * oldest first; acts/<64 hex>, the act with its proof; openings/<period>. Nothing of it is believed for standing there:
 * an act must rebuild its leaf, and its proof must lead to a checkpoint of the log's key; openings must have the digest
 * that such an act names. Whose statement an act is, only a register can say. */
#ifndef COMITY_LOG_PUBLISHED_H
#define COMITY_LOG_PUBLISHED_H

#include "log/checkpoint.h"
#include "log/source.h"
#include "statement/act.h"

#define PUBLISHED_KIND_BYTES_MAX 40u

struct published_line {
	uint8_t hash[SHA256_BYTES];
	char kind[PUBLISHED_KIND_BYTES_MAX + 1];
	int64_t time;
};
struct published;

/* ERR_NOT_FOUND: the log has no index, so it publishes nothing. */
bool published_read(const struct log_source *s, struct published **ret, struct err *e) MUST_USE;
bool published_parse(struct bytes index, struct published **ret, struct err *e) MUST_USE; /* its bytes alone */
void published_free(struct published *p);
void published_free_at(struct published **p);
#define AUTO_PUBLISHED __attribute__((cleanup(published_free_at))) struct published
size_t published_count(const struct published *p);
const struct published_line *published_at(const struct published *p, size_t i);
struct bytes published_index(const struct published *p); /* its bytes */

void published_path(const uint8_t hash[static SHA256_BYTES], char ret[static 80]); /* acts/<64 hex> */
/* Fetches an act and verifies all that the log's key can verify. Under ret_proved its leaf stands at *ret_index.
 * REASON_INCONSISTENT, REASON_LEAF_MISMATCH, REASON_BAD_PROOF, REASON_UNLOGGED. */
bool published_act(const struct log_source *s, const struct published_line *l, const struct note_key *log_key, struct act **ret,
		   struct checkpoint *ret_proved, uint64_t *ret_index, struct err *e) MUST_USE;
/* The newest class-openings act of the period that names this digest; REASON_DIGEST_MISMATCH when none does. */
bool published_openings_act(const struct published *p, const struct log_source *s, const struct note_key *log_key, const char *period,
			    const uint8_t digest[static SHA256_BYTES], struct act **ret, struct err *e) MUST_USE;

#endif
