/* Checked arithmetic on sizes. The compiler's overflow builtins compute in unlimited precision, so
 * nothing here can wrap before it is noticed. */
#include "base/num.h"

bool num_add_size(size_t a, size_t b, size_t *ret)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

bool num_mul_size(size_t a, size_t b, size_t *ret)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

bool num_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

bool num_fit_u32(uint64_t a, uint32_t *ret)
{
	if (a > UINT32_MAX)
		return false;
	*ret = (uint32_t)a;
	return true;
}

bool num_fit_u16(uint64_t a, uint16_t *ret)
{
	if (a > UINT16_MAX)
		return false;
	*ret = (uint16_t)a;
	return true;
}

bool num_fit_size(uint64_t a, size_t *ret)
{
	if (a > SIZE_MAX)
		return false;
	*ret = (size_t)a;
	return true;
}

bool num_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (text == NULL || text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}
