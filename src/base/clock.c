/* The one place that asks the machine for time and chance, so that tests can answer instead. The
 * real chance is the kernel's (by libsodium); the seeded one is for tests and repeats exactly. */
#include "base/clock.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

static int64_t (*now_ms_from)(void);
static int64_t (*monotonic_us_from)(void);
static void (*fill_from)(void *out, size_t len);

static uint8_t seed_key[crypto_stream_chacha20_KEYBYTES];
static uint64_t seed_calls;

int64_t clock_now_ms(void)
{
	struct timespec t;

	if (now_ms_from != NULL)
		return now_ms_from();
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec t;

	if (monotonic_us_from != NULL)
		return monotonic_us_from();
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void chance_fill(void *out, size_t len)
{
	if (len == 0)
		return;
	if (fill_from != NULL) {
		fill_from(out, len);
		return;
	}
	if (sodium_init() < 0)
		abort();
	randombytes_buf(out, len);
}

struct secret *secret_random(size_t len)
{
	struct secret *s = secret_new(len);

	chance_fill(secret_at(s), len);
	return s;
}

void clock_set(int64_t (*now_ms)(void))
{
	now_ms_from = now_ms;
}

void clock_set_monotonic(int64_t (*now_us)(void))
{
	monotonic_us_from = now_us;
}

void chance_set(void (*fill)(void *out, size_t len))
{
	fill_from = fill;
}

void chance_seed(uint64_t seed)
{
	memset(seed_key, 0, sizeof(seed_key));
	memcpy(seed_key, &seed, sizeof(seed));
	seed_calls = 0;
}

void chance_seeded_fill(void *out, size_t len)
{
	uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };

	/* Each call is its own stream, so that what one caller takes does not shift the next. */
	memcpy(nonce, &seed_calls, sizeof(seed_calls));
	seed_calls++;
	if (len > 0)
		crypto_stream_chacha20(out, len, nonce, seed_key);
}
