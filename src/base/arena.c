/* Memory for one visit. Pieces are cut from chunks and all freed at once; the ceiling counts what was
 * asked for (rounded up to the alignment), so that a visit cannot take more than it was given. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define ARENA_ALIGN 16u
#define ARENA_CHUNK_BYTES 4096u

struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(ARENA_ALIGN) uint8_t at[];
};

struct arena {
	struct chunk *first;
	size_t taken, max;
};

struct arena *arena_new(size_t bytes_max)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->max = bytes_max;
	return a;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL) {
		struct chunk *c = a->first;

		a->first = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *chunk_add(struct arena *a, size_t need)
{
	size_t room = need > ARENA_CHUNK_BYTES ? need : ARENA_CHUNK_BYTES;
	size_t size;
	struct chunk *c;

	if (!num_add_size(room, sizeof(*c), &size))
		return NULL;
	c = calloc(1, size);
	if (c == NULL)
		return NULL;
	c->room = room;
	c->next = a->first;
	a->first = c;
	return c;
}

void *arena_take(struct arena *a, size_t len)
{
	struct chunk *c = a->first;
	size_t need;
	void *out;

	if (!num_add_size(len == 0 ? 1 : len, ARENA_ALIGN - 1, &need))
		return NULL;
	need -= need % ARENA_ALIGN;
	if (need > a->max - a->taken)
		return NULL;
	if (c == NULL || need > c->room - c->used) {
		c = chunk_add(a, need);
		if (c == NULL)
			return NULL;
	}
	out = c->at + c->used;
	c->used += need;
	a->taken += need;
	return out;
}

char *arena_text(struct arena *a, struct bytes in)
{
	size_t size;
	char *out = num_add_size(in.len, 1, &size) ? arena_take(a, size) : NULL;

	if (out != NULL && in.len > 0)
		memcpy(out, in.at, in.len);
	return out;
}

struct bytes arena_copy(struct arena *a, struct bytes in)
{
	uint8_t *out = arena_take(a, in.len);

	if (out != NULL && in.len > 0)
		memcpy(out, in.at, in.len);
	return bytes_from(out, in.len);
}

void arena_free_at(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}
