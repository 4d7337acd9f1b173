/* Secret bytes live in libsodium's guarded memory: locked where the system allows it, between two
 * pages that trap, zeroed before they are given back. The header has no function that prints one. */
#include "base/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct secret {
	size_t len;
	uint8_t *at;
};

static void sodium_start(void)
{
	if (sodium_init() < 0)
		abort();
}

struct secret *secret_new(size_t len)
{
	struct secret *s = calloc(1, sizeof(*s));

	sodium_start();
	if (s == NULL)
		abort();
	s->len = len;
	s->at = sodium_malloc(len == 0 ? 1 : len);
	if (s->at == NULL)
		abort();
	sodium_memzero(s->at, len);
	return s;
}

struct secret *secret_from(struct bytes in)
{
	struct secret *s = secret_new(in.len);

	if (in.len > 0)
		memcpy(s->at, in.at, in.len);
	return s;
}

void secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	sodium_free(s->at); /* zeroes first */
	free(s);
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

uint8_t *secret_at(struct secret *s)
{
	return s->at;
}

struct bytes secret_bytes(const struct secret *s)
{
	return bytes_from(s->at, s->len);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return constant_time_equal(secret_bytes(a), secret_bytes(b));
}

bool constant_time_equal(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	return a.len == 0 || sodium_memcmp(a.at, b.at, a.len) == 0;
}

void wipe(void *at, size_t len)
{
	if (len > 0)
		sodium_memzero(at, len);
}

void secret_free_at(struct secret **s)
{
	secret_free(*s);
	*s = NULL;
}
