/* A table of fixed size: nothing that a peer sends makes it grow. */
#include "exchange/lately.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX (PARTIES_MAX + 1u)

struct lately {
	struct lately_peer at[PEERS_MAX];
	size_t count;
	uint64_t turn;
};

struct lately *lately_new(void)
{
	struct lately *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	return l;
}

void lately_free(struct lately *l)
{
	free(l);
}

struct lately_peer *lately_of(struct lately *l, const char *peer)
{
	struct lately_peer *quiet = &l->at[0], *p = NULL;

	for (size_t i = 0; p == NULL && i < l->count; i++) {
		if (strcmp(l->at[i].code, peer) == 0)
			p = &l->at[i];
		else if (l->at[i].turn < quiet->turn)
			quiet = &l->at[i];
	}
	if (p == NULL) {
		p = l->count < PEERS_MAX ? &l->at[l->count++] : quiet;
		memset(p, 0, sizeof(*p));
		snprintf(p->code, sizeof(p->code), "%s", peer);
	}
	p->turn = ++l->turn;
	return p;
}

bool lately_within(int64_t at_ms, int64_t now_ms, int64_t window_ms)
{
	return at_ms != 0 && now_ms >= at_ms && now_ms - at_ms <= window_ms;
}

bool lately_begin(int64_t *at_ms, int64_t now_ms, int64_t window_ms)
{
	if (lately_within(*at_ms, now_ms, window_ms))
		return false;
	*at_ms = now_ms;
	return true;
}
