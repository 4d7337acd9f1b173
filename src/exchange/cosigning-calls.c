/* Calls to witnesses: what is asked next, and what an answer is worth. One call per witness is under way; one that
 * fails is tried again after a while that grows, and a refusal after longer. After a start each shows first what it has
 * seen. An unsigned answer changes what is asked next and what `status` says, and nothing else: who can come between us
 * and a witness can delay, and hide from a home that was put back what that witness has seen; not more. */
#include "exchange/cosigning-internal.h"
#include "exchange/shown.h"

#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/num.h"
#include "log/witness.h"

#define RETRY_MS_MIN 1000
#define RETRY_MS_MAX 10000
/* After an answer that only people can change: an unknown log, a bad signature, a fork. */
#define REFUSED_MS 60000
/* A call that nobody answers for so long was lost with its carrier. */
#define CALL_LOST_MS 60000

/* --- asking ------------------------------------------------------------------------------------------------- */

/* Those that have shown nothing yet may have been a quorum by themselves, of a checkpoint that nobody here knows of. */
static bool too_few_have_shown(const struct node *n)
{
	const struct register_policy *p = register_policy(n->reg, node_party(n), clock_now_ms());
	bool others[POLICY_WITNESSES_MAX] = { false };

	for (size_t i = 0; p != NULL && i < policy_witness_count(p->policy); i++) {
		const struct watcher *w = watcher_find(n->cosigning, &policy_witness_at(p->policy, i)->key);

		others[i] = w != NULL && w->counts && w->url[0] != '\0' && !w->has_shown;
	}
	return p != NULL && policy_quorum(p->policy, others);
}

/* Only for those who count: the others stop nobody. Who has no address cannot be asked. Who failed is asked again while too
 * few have answered: at boot the network may come a second later. */
static bool unseen(const struct node *n, const struct watcher *w)
{
	const struct cosigning *c = n->cosigning;

	if (w->has_shown || !c->look || !c->has_policy || !w->counts || w->url[0] == '\0')
		return false;
	return (c->look_us == 0 || clock_monotonic_us() - c->look_us < COSIGNING_ROUND_MS * 1000) &&
	       (!w->looked_at || too_few_have_shown(n));
}

/* Its time begins when somebody can be asked: opening a large home takes longer than the look may. */
static void look_begins(struct cosigning *c)
{
	if (c->look && c->look_us == 0)
		c->look_us = clock_monotonic_us();
}

bool cosigning_looking(const struct node *n)
{
	struct cosigning *c = n->cosigning;

	look_begins(c);
	for (size_t i = 0; i < c->count; i++)
		if (unseen(n, c->watchers[i]))
			return true;
	return false;
}

void cosigning_look_again(struct node *n)
{
	struct cosigning *c = n->cosigning;

	c->look = true;
	c->look_us = 0;
	for (size_t i = 0; i < c->count; i++)
		c->watchers[i]->looked_at = c->watchers[i]->has_shown = false;
}

/* current: NULL where nothing is signed yet, and there is only the look. */
static bool wants(const struct node *n, const struct watcher *w, const struct proved *current, int64_t now_ms)
{
	if (!(w->counts || w->for_peer) || w->url[0] == '\0')
		return false;
	if (w->call != 0 && now_ms - w->call_ms < CALL_LOST_MS && now_ms >= w->call_ms)
		return false;
	/* However the clock is set, it is tried again within the longest wait. */
	if (now_ms < w->next_ms && w->next_ms - now_ms <= REFUSED_MS)
		return false;
	return unseen(n, w) || (current != NULL && (w->claimed > 0 || w->contradicts || !watcher_has_signed(w, current, now_ms)));
}

/* What the witness has seen is where the proof begins; who was never asked is asked from nothing, and says where. */
static bool ask_cosign(struct node *n, struct watcher *w, const struct proved *current, struct buf *body, struct err *e)
{
	merkle_hash proof[PROOF_HASHES_MAX];
	uint64_t old = w->known && w->size <= current->checkpoint.size ? w->size : 0;
	size_t count = 0;

	if (old > 0 && old < current->checkpoint.size && !log_consistency(n->log, old, current->checkpoint.size, proof, &count, e))
		return false;
	w->what = CALL_COSIGN;
	return witness_request_write(old, (const merkle_hash *)proof, count, buf_bytes(&current->note), body, e);
}

static bool ask(struct node *n, struct watcher *w, const struct proved *current, int64_t now_ms, struct cosigning_ask *ret,
		struct err *e)
{
	char hex[2 * SHA256_BYTES + 1];

	bool look = unseen(n, w);

	if (look || w->claimed > 0 || w->contradicts) {
		w->what = look ? CALL_LOOK : CALL_SHOW;
		witness_origin_hex(log_origin(n->log), hex);
		snprintf(ret->url, sizeof(ret->url), "%s/%s/checkpoint", w->url, hex);
	} else {
		snprintf(ret->url, sizeof(ret->url), "%s/add-checkpoint", w->url);
		if (!ask_cosign(n, w, current, &ret->body, e))
			return false;
	}
	w->asked = current != NULL ? current->checkpoint : (struct checkpoint){ 0 };
	w->call = ret->number = ++n->cosigning->last_number;
	w->call_ms = now_ms;
	return true;
}

/* A round that is not complete in its time makes room for the newest checkpoint; what it has gained is not lost to the
 * witnesses, who go on from there. */
static void round_over(struct node *n, int64_t now_ms)
{
	struct cosigning *c = n->cosigning;

	/* Our clock may have been set back. */
	if (now_ms < c->waiting_since)
		c->waiting_since = now_ms;
	if (now_ms < c->beyond_since)
		c->beyond_since = now_ms;
	if (c->candidate.checkpoint.size == 0)
		return;
	if (now_ms < c->begun_ms)
		c->begun_ms = now_ms;
	if (now_ms - c->begun_ms >= COSIGNING_ROUND_MS && n->checkpoint.size > c->candidate.checkpoint.size)
		cosigning_begin(n, now_ms);
}

bool cosigning_due(const struct node *n, int64_t now_ms)
{
	struct cosigning *c = n->cosigning;
	const struct proved *current = cosigning_current(c);

	if (n->locked)
		return false;
	if (!cosigning_policy_is_known(n, now_ms) || cosigning_missed_since(n) != 0)
		return true;
	if (c->candidate.checkpoint.size > 0 && n->checkpoint.size > c->candidate.checkpoint.size &&
	    (now_ms < c->begun_ms || now_ms - c->begun_ms >= COSIGNING_ROUND_MS))
		return true;
	for (size_t i = 0; i < c->count; i++)
		if (wants(n, c->watchers[i], current, now_ms))
			return true;
	return false;
}

bool cosigning_next(struct node *n, int64_t now_ms, struct cosigning_ask *ret, bool *ret_found, struct err *e)
{
	struct cosigning *c = n->cosigning;
	const struct proved *current;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->body, 2 * NOTE_BYTES_MAX);
	*ret_found = false;
	if (n->locked)
		return true;
	if (!cosigning_policy(n, now_ms, e) || !cosigning_peers(n, e))
		return false;
	look_begins(c);
	round_over(n, now_ms);
	current = cosigning_current(c);
	for (size_t i = 0; i < c->count; i++) {
		if (!wants(n, c->watchers[i], current, now_ms))
			continue;
		*ret_found = ask(n, c->watchers[i], current, now_ms, ret, e);
		return *ret_found;
	}
	return true;
}

/* --- answers ------------------------------------------------------------------------------------------------ */

static void failed(struct watcher *w, int64_t wait_ms, int64_t now_ms, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void failed(struct watcher *w, int64_t wait_ms, int64_t now_ms, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->error, sizeof(w->error), format, args);
	va_end(args);
	for (unsigned i = 0; wait_ms < RETRY_MS_MAX && i < w->failures; i++)
		wait_ms *= 2;
	w->failures++;
	w->next_ms = now_ms + wait_ms;
}

/* It has signed that, and said what time it is. */
static void told(struct watcher *w, uint64_t size, int64_t signed_ms, int64_t now_ms)
{
	w->known = true;
	w->corrected = false;
	w->size = w->told_size = size;
	w->last_ms = now_ms;
	w->off_ms = signed_ms - now_ms;
}

/* Only the policy's lines are gathered: a note has room for so many, and those of peers, each for one letter, must not take
 * it from them. */
static void took(struct watcher *w, struct proved *under, struct bytes with, int64_t signed_ms)
{
	w->failures = 0;
	w->next_ms = 0;
	w->error[0] = '\0';
	proved_copy(&w->signed_under, under);
	w->signed_under.quorum_ms = signed_ms;
	buf_clear(&w->signed_under.note);
	buf_add(&w->signed_under.note, with);
	if (w->counts) {
		buf_clear(&under->note);
		buf_add(&under->note, with);
	}
}

static bool cosigned(struct node *n, struct watcher *w, struct bytes lines, int64_t now_ms, struct err *e)
{
	struct cosigning *c = n->cosigning;
	struct err why = { 0 };
	int64_t time_s;
	AUTO_BUF with = { 0 };
	/* The round may have gone on, and what was the candidate may be proved by others. */
	struct proved *p = c->candidate.checkpoint.size == w->asked.size ? &c->candidate : &c->proved;

	if (p->checkpoint.size != w->asked.size || memcmp(p->checkpoint.root, w->asked.root, sizeof(w->asked.root)) != 0) {
		w->known = true; /* if it lies about that, it will say 409 */
		w->size = w->asked.size;
		w->failures = 0;
		return true;
	}
	buf_init(&with, p->note.max);
	buf_add(&with, buf_bytes(&p->note));
	if (!cosignature_take(&with, lines, &w->key, &time_s, &why)) {
		/* It took the checkpoint, with whatever key: asked from less it would say 409, and hide what is wrong. */
		w->known = true;
		w->corrected = false;
		w->size = w->asked.size;
		failed(w, RETRY_MS_MIN, now_ms, "its answer has no cosignature by the key that is known here: %.120s", why.text);
		return true;
	}
	told(w, p->checkpoint.size, time_s * 1000, now_ms);
	bool ahead = cosigning_is_ahead(time_s * 1000, now_ms);
	if (ahead || cosigning_is_behind(n, time_s * 1000, now_ms)) {
		failed(w, RETRY_MS_MIN, now_ms, "its clock is off, or ours: its cosignature is dated %lld s %s and does not count",
		       (long long)(ahead ? w->off_ms : -w->off_ms) / 1000, ahead ? "ahead" : "back");
		return true;
	}
	took(w, p, buf_bytes(&with), time_s * 1000);
	return !w->counts || cosigning_gained(n, p, now_ms, e);
}

/* Leaves that this home knows of: after a recovery more than are signed again yet. */
static uint64_t leaves_known(const struct node *n)
{
	uint64_t here = log_size(n->log);

	return here > n->checkpoint.size ? here : n->checkpoint.size;
}

/* 409 says how much it has seen: text, one line. */
static void conflict(struct node *n, struct watcher *w, struct bytes body, int64_t now_ms)
{
	struct bytes line = bytes_cut(&body, '\n');
	char text[24];
	uint64_t size;

	bytes_text(line, text, sizeof(text));
	if (body.len > 0 || line.len >= sizeof(text) || !num_parse_u64(text, INT64_MAX, &size)) {
		failed(w, RETRY_MS_MIN, now_ms, "it says that it has seen another size of this log, and not which");
		return;
	}
	if (size > leaves_known(n)) {
		w->claimed = size;
		failed(w, 0, now_ms, "it says that it has seen %llu leaves of this log, and there are %llu", (unsigned long long)size,
		       (unsigned long long)leaves_known(n));
		return;
	}
	/* Asked again at once, from there; the second time it waits as after any failure, whatever size it says then. */
	bool again = w->corrected;
	w->known = w->corrected = true;
	w->size = size;
	if (size > w->asked.size)
		failed(w, RETRY_MS_MIN, now_ms, "it has seen a later checkpoint than it was asked for");
	else if (again)
		failed(w, RETRY_MS_MIN, now_ms, "it does not stand by the size that it says");
}

static void refused(struct node *n, struct watcher *w, unsigned status, int64_t now_ms)
{
	switch (status) {
	case 404:
		failed(w, REFUSED_MS, now_ms, "it does not watch this log (404)");
		break;
	case 403:
		failed(w, REFUSED_MS, now_ms, "it does not accept this log's signature (403)");
		break;
	case 422:
		/* Our proof is built from our own tree: what it saw before is of another. That it shows next. */
		w->contradicts = true;
		failed(w, 0, now_ms, "it has seen another tree of this log: evidence of a fork (422)");
		diag(DIAG_ERROR, "fork-evidence", "witness=%s size=%llu asked=%llu", w->key.name, (unsigned long long)w->size,
		     (unsigned long long)w->asked.size);
		break;
	default:
		failed(w, RETRY_MS_MIN, now_ms, "it answered with status %u", status);
	}
}

/* Restore is not a fork (design.md part 10): only our own signature under what we have not stops us. */
static bool locks(struct node *n, const struct watcher *w, struct bytes note, struct checkpoint *ret)
{
	enum shown_is is;

	if (!checkpoint_verify(note, &n->identity.log, ret, NULL))
		return false;
	if (!shown_compare(n, ret, &is, NULL) || is == SHOWN_OURS)
		return false;
	(void)!shown_keep(n, note, w->key.name, NULL); /* what cannot be written now is written later */
	diag(DIAG_ERROR, "locked", "why=\"%s\"", n->locked_why);
	return true;
}

static void shown(struct node *n, struct watcher *w, bool ok, struct bytes note, int64_t now_ms)
{
	struct checkpoint c;
	uint64_t claimed = w->claimed;

	w->claimed = 0;
	w->contradicts = w->known = false;
	if (ok && locks(n, w, note, &c))
		return;
	if (claimed > 0)
		failed(w, REFUSED_MS, now_ms, "it says that it has seen %llu leaves of this log, and shows no signature of ours for that",
		       (unsigned long long)claimed);
	else
		failed(w, REFUSED_MS, now_ms, "it says that it has seen another tree of this log (422), and shows no signature of ours for that");
}

/* What it shows is where its next proof begins; when it shows nothing of ours, that holds up nobody. */
static void looked_at(struct node *n, struct watcher *w, unsigned status, struct bytes note, int64_t now_ms)
{
	struct checkpoint c = { 0 };

	w->looked_at = true;
	w->has_shown = status == 200 || status == 404;
	if (status != 0 && !w->has_shown)
		failed(w, RETRY_MS_MIN, now_ms, "it does not show what it has seen: status %u", status);
	if (status != 200 || locks(n, w, note, &c) || c.size == 0)
		return;
	w->known = true;
	w->size = c.size;
}

bool cosigning_answered(struct node *n, uint64_t number, bool http_ok, unsigned status, struct bytes body, const char *error,
			int64_t now_ms, struct err *e)
{
	struct cosigning *c = n->cosigning;
	struct watcher *w = NULL;

	for (size_t i = 0; i < c->count; i++)
		if (c->watchers[i]->call == number && number != 0)
			w = c->watchers[i];
	if (w == NULL)
		return true; /* too late, or of a witness that is no longer asked */
	w->call = 0;
	if (w->what == CALL_LOOK) {
		looked_at(n, w, http_ok ? status : 0, body, now_ms);
		if (http_ok)
			return true;
	}
	if (w->what == CALL_SHOW)
		shown(n, w, http_ok && status == 200, body, now_ms);
	else if (!http_ok)
		failed(w, RETRY_MS_MIN, now_ms, "%s", error);
	else if (status == 200)
		return cosigned(n, w, body, now_ms, e);
	else if (status == 409)
		conflict(n, w, body, now_ms);
	else
		refused(n, w, status, now_ms);
	return true;
}
