/* Memory for one visit (an HTTP call, a message, a command): taken piece by piece up to a ceiling,
 * freed at once. */
#ifndef COMITY_BASE_ARENA_H
#define COMITY_BASE_ARENA_H

#include "base/bytes.h"

struct arena;

struct arena *arena_new(size_t bytes_max);
void arena_free(struct arena *a);
void *arena_take(struct arena *a, size_t len); /* zeroed, aligned; NULL beyond the ceiling */
char *arena_text(struct arena *a, struct bytes in); /* NUL-terminated copy; NULL beyond the ceiling */
struct bytes arena_copy(struct arena *a, struct bytes in); /* .at NULL beyond the ceiling */

void arena_free_at(struct arena **a);
#define AUTO_ARENA __attribute__((cleanup(arena_free_at))) struct arena

#endif
