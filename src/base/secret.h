/* Secret bytes: in libsodium's guarded memory, zeroed on free, compared only in constant time, with
 * no function that prints them. */
#ifndef COMITY_BASE_SECRET_H
#define COMITY_BASE_SECRET_H

#include "base/bytes.h"
#include "base/err.h"

struct secret;

struct secret *secret_new(size_t len); /* zeroed; aborts when memory is gone */
struct secret *secret_from(struct bytes in);
struct secret *secret_random(size_t len);
void secret_free(struct secret *s); /* NULL is fine */
size_t secret_len(const struct secret *s);
uint8_t *secret_at(struct secret *s);
struct bytes secret_bytes(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time in the content */
bool constant_time_equal(struct bytes a, struct bytes b);
void wipe(void *at, size_t len);

void secret_free_at(struct secret **s);
#define AUTO_SECRET __attribute__((cleanup(secret_free_at))) struct secret

#endif
