/* The acts under verification: each judged as on arrival, at its own time; then what they must say about
 * each other. Requests, orders and exhibits must stand in the receiver's log too; for other acts a missing
 * counterproof is told, because the last word of an exchange can never have its own receipt with it. */
#include <stdlib.h>
#include <string.h>

#include "evidence/custody.h"
#include "evidence/verify-internal.h"

bool verify_is_request(const struct statement *s)
{
	size_t len = strlen(s->kind->name);

	return len > 8 && strcmp(s->kind->name + len - 8, "-request") == 0;
}

/* --- one by one -------------------------------------------------------------------------------- */

static void judge_counter(struct verification *v, struct verified_act *a)
{
	const struct statement *s = a->act->statement;
	const struct party *receiver = register_party(v->r, bytes_of(s->to));
	struct counterproof c = { 0 };
	struct err e = { 0 };

	if (!counterproof_parse(a->counterproof, &c, &e)) {
		verify_broken_err(v, a->counter_file, &e);
		return;
	}
	if (receiver == NULL)
		verify_broken(v, a->counter_file, REASON_UNKNOWN_KEY, "the register knows no party %s", s->to);
	else if (!judge_counterproof_on_record(a->act, &c, v->r, receiver, a->act->statement->time, v->cache, &a->counter, &e))
		verify_broken_err(v, a->counter_file, &e);
	else
		a->counter_judged = true;
	counterproof_release(&c);
}

static void judge_one(struct verification *v, struct verified_act *a)
{
	const struct statement *s = a->act->statement;
	struct err e = { 0 };
	bool strict = is_exhibit(s) || verify_is_request(s) || strcmp(s->kind->name, "order") == 0;

	if (!judge_act_on_record(a->act, v->r, s->time, v->cache, &a->judgement, &e))
		verify_broken_err(v, a->file, &e);
	else
		a->judged = true;
	if (a->counter_file[0] != '\0')
		judge_counter(v, a);
	else if (v->bag == NULL || s->kind->to != TO_PEER || !s->kind->leaf)
		return;
	else if (strict)
		verify_broken(v, a->file, REASON_UNLOGGED, "there is no proof that %s logged this when it received it", s->to);
	else if (++v->proofs_missing > 0)
		verify_note(v, "counterproof", "%s: the proof from the log of %s is not there yet", a->file, s->to);
}

void verify_judge_all(struct verification *v)
{
	size_t before = verify_broken_count(v), logged = 0, counter = 0;

	/* Without any key nothing can be judged; that was said already. */
	if (register_count(v->r) == 0)
		return;
	for (size_t i = 0; i < v->act_count; i++) {
		judge_one(v, &v->acts[i]);
		logged += v->acts[i].judged && v->acts[i].judgement.checkpoint.size > 0;
		counter += v->acts[i].counter_judged;
	}
	if (verify_broken_count(v) != before)
		return;
	if (v->act_count == 1)
		verify_check(v, "acts", true, "the act: signature, approvals and log verify; it stands in %s",
			     counter > 0 ? "both logs" : logged > 0 ? "the sender's log" : "no log, as is usual for its kind");
	else
		verify_check(v, "acts", true,
			     "all %zu acts: signatures, approvals and logs verify; %zu stand in the sender's log, %zu also in the receiver's",
			     v->act_count, logged, counter);
}

/* --- checkpoints ------------------------------------------------------------------------------- */

struct seen_checkpoint {
	const struct checkpoint *c;
	const char *what;
};

static int compare_checkpoints(const void *a, const void *b)
{
	const struct checkpoint *x = ((const struct seen_checkpoint *)a)->c, *y = ((const struct seen_checkpoint *)b)->c;
	int c = strcmp(x->origin, y->origin);

	return c != 0 ? c : (x->size > y->size) - (x->size < y->size);
}

static bool last_checkpoint(struct verification *v, const struct bag_file *f, struct checkpoint *ret)
{
	static const size_t before = sizeof("meta/checkpoints/") - 1, after = sizeof(".txt") - 1;
	struct bytes name = bytes_of(f->path);
	const struct party *p;
	struct err e = { 0 };

	if (!bytes_starts(name, "meta/checkpoints/") || !f->read || name.len < before + after)
		return false;
	name = bytes_slice(name, before, name.len - before - after);
	p = register_party(v->r, name);
	if (p == NULL) {
		verify_note(v, "checkpoint", "%s: the register names no such party, so it was not verified", f->path);
		return false;
	}
	if (!checkpoint_verify(buf_bytes(&f->content), &p->log_key, ret, &e)) {
		verify_broken_err(v, f->path, &e);
		return false;
	}
	return true;
}

void verify_checkpoints(struct verification *v)
{
	struct seen_checkpoint *seen = calloc(2 * v->act_count + v->bag->count + 1, sizeof(*seen));
	struct checkpoint *last = calloc(v->bag->count + 1, sizeof(*last));
	size_t n = 0, before = verify_broken_count(v);

	if (seen == NULL || last == NULL)
		abort();
	for (size_t i = 0; i < v->act_count; i++) {
		const struct verified_act *a = &v->acts[i];

		if (a->judged && a->judgement.checkpoint.size > 0)
			seen[n++] = (struct seen_checkpoint){ &a->judgement.checkpoint, a->file };
		if (a->counter_judged)
			seen[n++] = (struct seen_checkpoint){ &a->counter.checkpoint, a->counter_file };
	}
	for (size_t i = 0; i < v->bag->count; i++)
		if (last_checkpoint(v, &v->bag->files[i], &last[i]))
			seen[n++] = (struct seen_checkpoint){ &last[i], v->bag->files[i].path };
	qsort(seen, n, sizeof(*seen), compare_checkpoints);
	for (size_t i = 1; i < n; i++)
		if (compare_checkpoints(&seen[i - 1], &seen[i]) == 0 && memcmp(seen[i - 1].c->root, seen[i].c->root, SHA256_BYTES) != 0)
			verify_broken(v, seen[i].what, REASON_INCONSISTENT,
				      "the log %s shows two different trees of size %llu: here and in %s; keep both as evidence",
				      seen[i].c->origin, (unsigned long long)seen[i].c->size, seen[i - 1].what);
	if (n > 0 && verify_broken_count(v) == before)
		verify_check(v, "logs", true, "no log shows two different states of the same size");
	free(seen);
	free(last);
}

/* --- against the register ---------------------------------------------------------------------- */

/* A statement names the register that its sender used: one that comes with an older one may hide what that says,
 * a key that was withdrawn for example. */
void verify_register_age(struct verification *v)
{
	for (size_t i = 0; register_root_fingerprint(v->r) != NULL && i < v->act_count; i++) {
		const struct statement *s = v->statements[i];

		if (strcmp(s->register_origin, register_origin(v->r)) == 0 && s->register_size > register_size(v->r))
			verify_broken(v, v->acts[i].file, REASON_STALE_REGISTER,
				      "%s used the register at size %llu; the one that is here is older, at size %llu", s->from,
				      (unsigned long long)s->register_size, (unsigned long long)register_size(v->r));
	}
}

/* --- what acts say about each other ------------------------------------------------------------ */

static const struct verified_act *find_request(const struct verification *v, const struct statement *x)
{
	struct id id;

	if (!id_parse(json_bytes(x->body, "request"), &id))
		return NULL;
	for (size_t i = 0; i < v->act_count; i++) {
		const struct statement *s = v->statements[i];

		if (verify_is_request(s) && id_equal(&s->id, &id) && strcmp(s->from, x->to) == 0 && strcmp(s->to, x->from) == 0)
			return &v->acts[i];
	}
	return NULL;
}

static const struct verified_act *find_hash(const struct verification *v, struct bytes hex)
{
	uint8_t hash[SHA256_BYTES];

	if (!hex_parse(hex, hash, sizeof(hash)))
		return NULL;
	for (size_t i = 0; i < v->act_count; i++)
		if (memcmp(v->statements[i]->hash, hash, sizeof(hash)) == 0)
			return &v->acts[i];
	return NULL;
}

static bool court_signed(const struct act *a)
{
	for (size_t i = 0; i < a->approval_count; i++)
		if (a->approvals[i].role == APPROVAL_COURT)
			return true;
	return false;
}

static void check_exhibit(struct verification *v, const struct verified_act *a)
{
	const struct statement *x = a->act->statement, *o;
	const struct verified_act *order = find_hash(v, json_bytes(x->body, "order"));
	int64_t expires;

	if (find_request(v, x) == NULL)
		verify_broken(v, a->file, REASON_NOT_FOUND, "the request of %s that this answers is not in the package", x->to);
	if (order == NULL) {
		verify_broken(v, a->file, REASON_NO_DISCLOSURE_ORDER, "the order on which this was disclosed is not in the package");
		return;
	}
	o = order->act->statement;
	if (strcmp(o->kind->name, "order") != 0 || strcmp(o->from, x->from) != 0 ||
	    !bytes_is(json_bytes(o->body, "measure"), "disclose") ||
	    !bytes_equal(json_bytes(o->body, "request"), json_bytes(x->body, "request")))
		verify_broken(v, a->file, REASON_NO_DISCLOSURE_ORDER, "%s is no order of %s to disclose on this request", order->file,
			      x->from);
	else if (!court_signed(order->act))
		verify_broken(v, order->file, REASON_MISSING_APPROVAL, "no court or independent body approved this order (art. 24(2))");
	if (strcmp(o->to, x->to) != 0)
		verify_broken(v, a->file, REASON_NO_DISCLOSURE_ORDER, "%s orders disclosure to %s, and this went to %s", order->file, o->to,
			      x->to);
	if (!time_parse(json_bytes(o->body, "expires"), &expires) || expires <= x->time)
		verify_broken(v, a->file, REASON_NO_DISCLOSURE_ORDER, "the order %s had expired when this was handed over", order->file);
	if (o->time > x->time)
		verify_broken(v, a->file, REASON_INCONSISTENT, "this was handed over before the order on which it rests");
}

static void check_refs(struct verification *v, size_t i)
{
	const struct statement *s = v->statements[i];

	for (size_t k = 0; k < v->act_count; k++) {
		const struct statement *t = v->statements[k];

		if (k < i && memcmp(t->hash, s->hash, SHA256_BYTES) == 0)
			verify_broken(v, v->acts[i].file, REASON_REPLAYED, "this is the same statement as %s", v->acts[k].file);
		for (size_t n = 0; n < s->ref_count; n++)
			if (id_equal(&s->refs[n].id, &t->id) && memcmp(s->refs[n].hash, t->hash, SHA256_BYTES) != 0)
				verify_broken(v, v->acts[i].file, REASON_INCONSISTENT, "it refers to another version of %s",
					      v->acts[k].file);
	}
}

void verify_references(struct verification *v)
{
	size_t before = verify_broken_count(v), exhibits = 0;

	for (size_t i = 0; i < v->act_count; i++) {
		check_refs(v, i);
		if (!is_exhibit(v->statements[i]))
			continue;
		check_exhibit(v, &v->acts[i]);
		exhibits++;
	}
	if (exhibits > 0 && verify_broken_count(v) == before)
		verify_check(v, "references", true,
			     "every exhibit answers a request and rests on a disclosure order that a court approved; both are here");
}

static void custody_problem(void *ctx, size_t index, const char *text)
{
	struct verification *v = ctx;

	verify_broken(v, v->acts[index].file, REASON_BAD_CUSTODY, "%s", text);
}

void verify_custody(struct verification *v)
{
	size_t before = verify_broken_count(v), events = 0;

	chain_judge(v->statements, v->act_count, custody_problem, v);
	for (size_t i = 0; i < v->act_count; i++) {
		if (!is_custody(v->statements[i]))
			continue;
		events++;
		if (bytes_is(json_bytes(v->statements[i]->body, "result"), "fail"))
			verify_note(v, "custody-failure", "%s records a step that failed: %s", v->acts[i].file,
				    verify_custody_words(json_text(v->statements[i]->body, "act")));
	}
	if (events > 0 && verify_broken_count(v) == before)
		verify_check(v, "custody", true, "the custody of every exhibit has no gap: %zu event%s", events, events == 1 ? "" : "s");
}

void verify_one_exercise(struct verification *v)
{
	bool exercise = v->act_count > 0 && v->statements[0]->exercise;

	if (v->seal != NULL && v->act_count > 0 && v->seal->statement->exercise != exercise)
		verify_broken(v, BAG_SEAL, exercise ? REASON_LIVE_IN_EXERCISE : REASON_EXERCISE_IN_LIVE,
			      "the seal and the acts differ in whether this is an exercise");
	for (size_t i = 1; i < v->act_count; i++)
		if (v->statements[i]->exercise != exercise)
			verify_broken(v, v->acts[i].file, exercise ? REASON_LIVE_IN_EXERCISE : REASON_EXERCISE_IN_LIVE,
				      "exercise and real acts stand in one package");
	for (size_t i = 0; i < v->act_count; i++)
		exercise = exercise || v->statements[i]->exercise;
	json_put_bool(v->report, "exercise", exercise);
}
