/* Time and chance are injected: code asks here, tests decide what is answered. */
#ifndef COMITY_BASE_CLOCK_H
#define COMITY_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_now_ms(void);       /* UTC, milliseconds since 1970 */
int64_t clock_monotonic_us(void); /* for intervals; never written into a statement */
void chance_fill(void *out, size_t len);

/* For tests: NULL restores the real thing. */
void clock_set(int64_t (*now_ms)(void));
void clock_set_monotonic(int64_t (*now_us)(void));
void chance_set(void (*fill)(void *out, size_t len));
/* Deterministic stream from a seed (ChaCha20), to be used with chance_set. */
void chance_seed(uint64_t seed);
void chance_seeded_fill(void *out, size_t len);

#endif
