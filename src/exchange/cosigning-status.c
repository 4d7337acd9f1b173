/* How cosigning stands, for people and for those who decide what may be sent. A quorum is missed when a signed
 * checkpoint has waited for it for a minute (quorum_missed_s); nothing less is worth waking anybody. */
#include "exchange/cosigning-internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/diag.h"

int64_t cosigning_missed_since(const struct node *n)
{
	const struct cosigning *c = n->cosigning;

	int64_t after_ms = config_count(&n->config, quorum_missed_s) * 1000;

	return c->has_policy && c->waiting_since != 0 && clock_now_ms() - c->waiting_since >= after_ms ? c->waiting_since : 0;
}

bool cosigning_page_due(const struct node *n, int64_t *ret_since)
{
	int64_t since = cosigning_missed_since(n);

	if (since == 0 || n->cosigning->paged_since != 0)
		return false;
	*ret_since = since;
	return true;
}

void cosigning_paged(struct node *n)
{
	n->cosigning->paged_since = cosigning_missed_since(n);
}

/* Another policy ends a miss without a quorum; then nothing was met, and a new one is told when it is there. */
void cosigning_tell(struct node *n)
{
	struct cosigning *c = n->cosigning;
	int64_t since = cosigning_missed_since(n);
	char when[TIME_TEXT_LEN + 1];

	if (since == c->told_since)
		return;
	if (since != 0) {
		time_write(since, when);
		diag(DIAG_WARNING, "quorum-missed", "since=%s proved=%llu", when, (unsigned long long)c->proved.checkpoint.size);
	} else if (c->proved.checkpoint.size > c->told_size) {
		time_write(c->told_since, when);
		diag(DIAG_INFO, "quorum-met", "missed_since=%s proved=%llu", when, (unsigned long long)c->proved.checkpoint.size);
	}
	c->told_since = since;
	c->told_size = c->proved.checkpoint.size;
}

bool cosigning_missing(const struct node *n, struct buf *out)
{
	const struct cosigning *c = n->cosigning;
	const struct proved *current = cosigning_current(n->cosigning);
	bool any = false;

	if (!c->has_policy || (c->waiting_since == 0 && c->proved.checkpoint.size > 0))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		const struct watcher *w = c->watchers[i];

		if (!w->counts || (current != NULL && watcher_has_signed(w, current, clock_now_ms())))
			continue;
		buf_add_format(out, "%s%s", any ? ", " : "", w->key.name);
		any = true;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of the last round: who signed the checkpoint that is proved, or a later one, even where that does not count. */
int64_t cosigning_clock_off_ms(const struct node *n)
{
	const struct cosigning *c = n->cosigning;
	int64_t off[COSIGNING_WITNESSES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct watcher *w = c->watchers[i];

		if (w->counts && w->told_size > 0 && w->told_size >= c->proved.checkpoint.size)
			off[count++] = w->off_ms;
	}
	if (count == 0)
		return 0;
	qsort(off, count, sizeof(off[0]), by_value);
	int64_t low = off[(count - 1) / 2], high = off[count / 2];
	/* Of two in the middle the one that accuses our clock less. */
	return (low < 0 ? -low : low) < (high < 0 ? -high : high) ? low : high;
}

bool cosigning_is_off(int64_t off_ms)
{
	return off_ms > COSIGNING_AHEAD_MS || off_ms < -COSIGNING_CLOCK_OFF_MS;
}

bool cosigning_clock_off(const struct node *n)
{
	return cosigning_is_off(cosigning_clock_off_ms(n));
}

bool cosigning_waits(struct node *n, const uint8_t hash[static 32], const char *peer)
{
	struct query *q = store_query(n->store, QUERY_log_leaf_of);
	const struct cosigning *c = n->cosigning;
	bool found, signed_only;

	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	signed_only = c->has_policy && query_row(q, &found, NULL) && found && (uint64_t)query_int(q, 0) < n->checkpoint.size &&
		      (uint64_t)query_int(q, 0) >= c->proved.checkpoint.size;
	query_end(q);
	if (!signed_only)
		return false;
	/* What may go with the addressee's own cosignature does not wait for the others. */
	q = store_query(n->store, QUERY_outbox_class);
	query_bind_bytes(q, 1, bytes_from(hash, SHA256_BYTES));
	bool ours = query_row(q, &found, NULL) && found;
	const struct kind *k = ours ? kind_find(query_bytes(q, 1)) : NULL;
	query_end(q);
	return k == NULL || !k->may_go_pending || cosigning_pending(n, peer) == NULL;
}

static int64_t waiting(const struct node *n, enum query_name name)
{
	struct query *q = store_query(n->store, name);
	bool found;
	int64_t count = query_row(q, &found, NULL) && found ? query_int(q, 0) : 0;

	query_end(q);
	return count;
}

static const char *quorum_word(const struct node *n)
{
	const struct cosigning *c = n->cosigning;

	if (!c->has_policy)
		return "none";
	if (cosigning_missed_since(n) != 0)
		return "missed";
	return c->waiting_since != 0 || c->proved.checkpoint.size == 0 ? "waiting" : "met";
}

json_t *cosigning_status(const struct node *n)
{
	const struct cosigning *c = n->cosigning;
	const struct proved *current = cosigning_current(n->cosigning);
	json_t *v = json_object(), *list = json_array();
	int64_t missed = cosigning_missed_since(n);

	json_put_int(v, "clock_off_ms", cosigning_clock_off_ms(n));
	json_put_int(v, "cosigned_ms_p50", (latency_quantile_us(&c->latency, 500) + 999) / 1000);
	json_put_int(v, "cosigned_ms_p95", (latency_quantile_us(&c->latency, 950) + 999) / 1000);
	if (missed != 0)
		json_put_time(v, "missed_since", missed);
	else
		json_put_text(v, "missed_since", "");
	if (c->proved.quorum_ms != 0)
		json_put_time(v, "proved_at", c->proved.quorum_ms);
	else
		json_put_text(v, "proved_at", "");
	json_put_int(v, "proved_by", (int64_t)c->proved.witnesses);
	json_put_int(v, "proved_size", (int64_t)c->proved.checkpoint.size);
	json_put_text(v, "quorum", quorum_word(n));
	json_put_int(v, "waiting", waiting(n, QUERY_outbox_count));
	json_put_int(v, "waiting_proofs", waiting(n, QUERY_proof_out_count));
	for (size_t i = 0; i < c->count; i++) {
		const struct watcher *w = c->watchers[i];
		json_t *one = json_object();

		json_put_bool(one, "counts", w->counts);
		json_put_text(one, "error", w->url[0] == '\0' ? "the policy says no address of it" : w->error);
		json_put_int(one, "last_ms", w->last_ms);
		json_put_text(one, "name", w->key.name);
		json_put_bool(one, "signed", current != NULL && watcher_has_signed(w, current, clock_now_ms()));
		json_array_append_new(list, one);
	}
	json_put(v, "witnesses", list);
	return v;
}
