/* Sizes are added with care. Every function returns false, and leaves *ret alone, on overflow. */
#ifndef COMITY_BASE_NUM_H
#define COMITY_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool num_add_size(size_t a, size_t b, size_t *ret);
bool num_mul_size(size_t a, size_t b, size_t *ret);
bool num_add_u64(uint64_t a, uint64_t b, uint64_t *ret);
bool num_fit_u32(uint64_t a, uint32_t *ret);
bool num_fit_u16(uint64_t a, uint16_t *ret);
bool num_fit_size(uint64_t a, size_t *ret);
/* Decimal text without sign or leading zeros, whole string, at most max. */
bool num_parse_u64(const char *text, uint64_t max, uint64_t *ret);

#endif
