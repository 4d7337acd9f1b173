/* A histogram with logarithmic steps: below 16 each microsecond has its own, above that sixteen share each power
 * of two. A quantile is told as the end of its step: never better than it was. */
#include "exchange/latency.h"

#define SHARES 16u

static unsigned step_of(uint64_t us)
{
	unsigned power = 0;

	while (us >> power >= 2 * SHARES)
		power++;
	unsigned step = power * SHARES + (unsigned)(us >> power);
	return step < LATENCY_STEPS ? step : LATENCY_STEPS - 1;
}

static int64_t step_end(unsigned step)
{
	unsigned power = step < 2 * SHARES ? 0 : step / SHARES - 1;

	return (int64_t)((uint64_t)(step - power * SHARES + 1) << power) - 1;
}

void latency_add(struct latency *l, int64_t us, uint64_t times)
{
	l->at[step_of(us < 0 ? 0 : (uint64_t)us)] += times;
	l->count += times;
}

int64_t latency_quantile_us(const struct latency *l, unsigned thousandths)
{
	uint64_t seen = 0;

	for (unsigned step = 0; step < LATENCY_STEPS && l->count > 0; step++) {
		seen += l->at[step];
		if (seen * 1000 >= l->count * thousandths)
			return step_end(step);
	}
	return 0;
}
