/* The homes of the tests for fuzz harnesses, which are linked without cmocka: a claim of the fixture that fails stops
 * the harness at once. One world serves all inputs; each runs in a transaction that is rolled back. */
#ifndef COMITY_EXCHANGE_TEST_FUZZ_H
#define COMITY_EXCHANGE_TEST_FUZZ_H

#include "exchange/test-carry.h"

void print_error(const char *const format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

void _fail(const char *const file, const int line)
{
	abort();
}

static inline void must(bool claim)
{
	if (!claim)
		abort();
}

void _assert_true(const LargestIntegralType result, const char *const expression, const char *const file, const int line)
{
	must(result != 0);
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b, const char *const file, const int line)
{
	must(a == b);
}

void _assert_string_equal(const char *const a, const char *const b, const char *const file, const int line)
{
	must(strcmp(a, b) == 0);
}

void _assert_memory_equal(const void *const a, const void *const b, const size_t size, const char *const file, const int line)
{
	must(memcmp(a, b, size) == 0);
}

static struct world fuzz_world;

static void fuzz_world_end(void)
{
	world_end(&fuzz_world);
}

static inline void fuzz_world_begin(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	world_begin(&fuzz_world);
	must(atexit(fuzz_world_end) == 0);
}

#endif
