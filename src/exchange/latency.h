/* How long things took, in memory only, for `status`: a histogram whose steps are a sixteenth of their value,
 * so that a quantile is at most 7 % above the truth, however long the node runs. */
#ifndef COMITY_EXCHANGE_LATENCY_H
#define COMITY_EXCHANGE_LATENCY_H

#include <stddef.h>
#include <stdint.h>

/* Up to 2^40 us, twelve days; what takes longer counts as that. */
#define LATENCY_STEPS (16 + 36 * 16)

struct latency {
	uint64_t count, at[LATENCY_STEPS];
};

void latency_add(struct latency *l, int64_t us, uint64_t times);
/* The time within which this many thousandths of all were done, in microseconds; 0 when there were none. */
int64_t latency_quantile_us(const struct latency *l, unsigned thousandths);

#endif
