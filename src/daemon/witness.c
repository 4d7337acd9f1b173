/* The witness: cosigns the checkpoints of other logs, and nothing else. It has a key of its own, a folder of its own
 * and no network: the door brings calls. All calls of one turn of the loop are one transaction; it is on the disk
 * before any of their answers leaves, so that what was acknowledged is never taken back, whatever dies. A turn that
 * could not be kept answers 503 to all of its calls, without a cosignature. Which logs are watched stands in
 * the file `logs`; in a node the keeper says it, and the witness writes that file, so that nobody else's hands are in the
 * folder that its key lies in. */
#include "daemon/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "daemon/door-messages.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "exchange/witness-home.h"
#include "log/watched.h"
#include "log/witness.h"
#include "process/parcel.h"

#define SECOND_US INT64_C(1000000)
/* A door that was started again has been brought long before. */
#define DOORLESS_US_MAX (20 * SECOND_US)
#define TEXT_TYPE "text/plain; charset=utf-8"

struct reply {
	struct reply *next;
	uint64_t call;
	struct witness_answer answer;
};

struct witness {
	struct witness_options o;
	struct channel *door, *keeper; /* NULL: gone, or there is none */
	struct store *store;           /* NULL: it may not sign; why says why */
	struct sign_key *key;
	struct note_key self;
	char why[ERR_TEXT_BYTES_MAX];
	struct watched logs;
	struct stat logs_seen;         /* of the file that was read */
	char logs_why[ERR_TEXT_BYTES_MAX]; /* why it was not, said once; empty when it was */
	struct reply *replies, **replies_end;
	uint64_t timer;
	int64_t doorless_us; /* since when there is no door */
};

/* --- state ------------------------------------------------------------------------------------------- */

static bool state_get(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e)
{
	struct witness *w = ctx;
	struct query *q = store_query(w->store, QUERY_witness_get);
	bool found = false, ok;

	query_bind_text(q, 1, origin);
	ok = query_row(q, &found, e);
	if (ok && found) {
		struct bytes root = query_bytes(q, 1);

		ret->size = (uint64_t)query_int(q, 0);
		ok = root.len == sizeof(ret->root) ||
		     err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the stored root of %.100s is not 32 bytes", origin);
		if (ok)
			memcpy(ret->root, root.at, sizeof(ret->root));
	}
	query_end(q);
	*ret_found = found;
	return ok;
}

static bool state_first(struct witness *w, const char *origin, const struct witness_state *now, struct bytes note, struct err *e)
{
	struct query *q = store_query(w->store, QUERY_witness_first);
	uint8_t hash[SHA256_BYTES];

	sha256(bytes_of(origin), hash);
	query_bind_text(q, 1, origin);
	query_bind_bytes(q, 2, BYTES_ARRAY(hash));
	query_bind_int(q, 3, (int64_t)now->size);
	query_bind_bytes(q, 4, BYTES_ARRAY(now->root));
	query_bind_bytes(q, 5, note);
	query_bind_int(q, 6, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool state_next(struct witness *w, const char *origin, const struct witness_state *was, const struct witness_state *now,
		       struct bytes note, struct err *e)
{
	struct query *q = store_query(w->store, QUERY_witness_next);

	query_bind_text(q, 1, origin);
	query_bind_int(q, 2, (int64_t)was->size);
	query_bind_bytes(q, 3, BYTES_ARRAY(was->root));
	query_bind_int(q, 4, (int64_t)now->size);
	query_bind_bytes(q, 5, BYTES_ARRAY(now->root));
	query_bind_bytes(q, 6, note);
	query_bind_int(q, 7, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok && (store_changes(w->store) == 1 ||
		      err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%.100s: another state is stored by now", origin));
}

static bool state_put(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now,
		      struct bytes note, struct err *e)
{
	struct witness *w = ctx;

	if (!store_in_transaction(w->store) && !store_begin(w->store, e))
		return false;
	return was == NULL ? state_first(w, origin, now, note, e) : state_next(w, origin, was, now, note, e);
}

/* --- what is watched ----------------------------------------------------------------------------------- */

/* All zero: there is no file. */
static bool logs_stat(const struct witness *w, struct stat *ret, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	return fstatat(w->o.dir_fd, WITNESS_LOGS_FILE, ret, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT ||
	       err_system(e, "cannot look at " WITNESS_LOGS_FILE);
}

static bool logs_changed(const struct witness *w, const struct stat *now)
{
	const struct stat *seen = &w->logs_seen;

	return now->st_ino != seen->st_ino || now->st_size != seen->st_size || now->st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	       now->st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

/* A file that cannot be read changes nothing: the logs that were watched still are. What could not be read is looked at
 * again; what was read and is no list only when it is another file. It is looked at before it is read, so that a file
 * that changes in between is read again. */
static bool logs_look(struct witness *w, bool *ret_changed, struct err *e)
{
	struct stat now;
	struct watched logs = { 0 };
	AUTO_BUF text = { 0 };

	*ret_changed = false;
	if (!logs_stat(w, &now, e))
		return false;
	if (!logs_changed(w, &now))
		return true;
	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	if (now.st_ino != 0 && !file_read(w->o.dir_fd, WITNESS_LOGS_FILE, &text, e))
		return false;
	w->logs_seen = now;
	if (!watched_parse(buf_bytes(&text), &logs, e))
		return false;
	watched_release(&w->logs);
	w->logs = logs;
	*ret_changed = true;
	diag(DIAG_INFO, "watching", "logs=%zu", w->logs.count);
	return true;
}

static void logs_refresh(struct witness *w, bool *ret_changed)
{
	struct err e = { 0 };

	if (logs_look(w, ret_changed, &e)) {
		w->logs_why[0] = '\0';
	} else if (strcmp(w->logs_why, e.text) != 0) {
		snprintf(w->logs_why, sizeof(w->logs_why), "%s", e.text);
		diag_err(DIAG_ERROR, "logs-not-read", &e);
	}
}

static const struct note_key *state_log_key(void *ctx, const char *origin)
{
	struct witness *w = ctx;
	const struct watched_log *l = watched_find(&w->logs, origin);
	bool changed = false;

	if (l == NULL) {
		logs_refresh(w, &changed); /* it may have been added just now */
		l = changed ? watched_find(&w->logs, origin) : NULL;
	}
	return l == NULL ? NULL : &l->key;
}

/* --- answers ------------------------------------------------------------------------------------------- */

static void answer_text(struct witness_answer *a, unsigned status, const char *text)
{
	buf_init(&a->body, NOTE_BYTES_MAX);
	a->status = status;
	a->content_type = TEXT_TYPE;
	buf_add_format(&a->body, "%s\n", text);
}

static void reply_send(struct witness *w, const struct reply *r)
{
	struct door_message m = { .type = DOOR_REPLY, .call = r->call, .status = (uint16_t)r->answer.status,
				  .content_type = bytes_of(r->answer.content_type), .body = buf_bytes(&r->answer.body) };
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	door_message_write(&m, &out);
	if (w->door != NULL && !(buf_check(&out, "answer", &e) && parcel_send(w->door, buf_bytes(&out), NULL, 0, &e)))
		diag_err(DIAG_WARNING, "door-not-told", &e);
}

static void replies_send(struct witness *w, bool kept)
{
	while (w->replies != NULL) {
		struct reply *r = w->replies;

		w->replies = r->next;
		if (!kept) {
			buf_release(&r->answer.body);
			answer_text(&r->answer, 503, "the witness could not keep its state; nothing was cosigned");
		}
		reply_send(w, r);
		buf_release(&r->answer.body);
		free(r);
	}
	w->replies_end = &w->replies;
}

/* Commit, then the answers. What was said of a state that was not kept is not said: not even a size. */
static void turn_end(void *ctx)
{
	struct witness *w = ctx;
	struct err e = { 0 };
	bool kept = true;

	if (w->store != NULL && store_in_transaction(w->store)) {
		kept = store_commit(w->store, &e);
		if (!kept)
			diag_err(DIAG_ERROR, "commit-failed", &e);
	}
	replies_send(w, kept);
}

/* --- calls --------------------------------------------------------------------------------------------- */

static void call_add(struct witness *w, const struct door_message *m, struct witness_answer *a)
{
	const struct witness_store s = { .ctx = w, .get = state_get, .put = state_put, .log_key = state_log_key };
	struct err e = { 0 };

	witness_add_checkpoint(&s, w->self.name, w->key, clock_now_ms() / 1000, m->body, a, &e);
	if (a->status >= 500)
		diag_err(DIAG_ERROR, "add-checkpoint", &e);
}

/* "/<64 hex>/checkpoint" */
static void call_get(struct witness *w, const struct door_message *m, struct witness_answer *a)
{
	uint8_t hash[SHA256_BYTES];
	struct err e = { 0 };
	struct query *q;
	bool found = false;

	if (!hex_parse(bytes_slice(m->path, 1, 2 * SHA256_BYTES), hash, sizeof(hash))) {
		answer_text(a, 404, "there is nothing at this address");
		return;
	}
	q = store_query(w->store, QUERY_witness_note);
	query_bind_bytes(q, 1, BYTES_ARRAY(hash));
	if (!query_row(q, &found, &e)) {
		diag_err(DIAG_ERROR, "checkpoint", &e);
		answer_text(a, 500, "the witness cannot read its state");
	} else if (!found) {
		answer_text(a, 404, "no checkpoint of this log was cosigned here");
	} else {
		buf_init(&a->body, 2 * NOTE_BYTES_MAX);
		a->status = 200;
		a->content_type = TEXT_TYPE;
		buf_add(&a->body, query_bytes(q, 0));
	}
	query_end(q);
}

static void call(struct witness *w, const struct door_message *m)
{
	struct reply *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->call = m->call;
	if (w->store == NULL)
		answer_text(&r->answer, 503, "this witness does not sign at present");
	else if (m->method == METHOD_POST)
		call_add(w, m, &r->answer);
	else
		call_get(w, m, &r->answer);
	*w->replies_end = r;
	w->replies_end = &r->next;
}

static void door_gone(void *ctx, const struct err *why)
{
	struct witness *w = ctx;

	/* The parent starts it again and brings a new channel. */
	channel_free(w->door);
	w->door = NULL;
	w->doorless_us = clock_monotonic_us();
}

static void door_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct witness *w = ctx;
	struct door_message m;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, PARCEL_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !door_message_parse(buf_bytes(&in), &m, &e))
		diag_err(DIAG_ERROR, "bad-message", &e);
	else if (m.type == DOOR_CALL)
		call(w, &m);
}

bool witness_door(struct witness *w, int fd, struct err *e)
{
	static const struct channel_calls calls = { .message = door_message, .closed = door_gone };

	channel_free(w->door);
	w->door = channel_new(fd);
	return channel_watch(w->door, w->o.loop, &calls, w, e);
}

/* --- the keeper ------------------------------------------------------------------------------------------ */

/* Why this witness does not sign; empty when it does. */
static void keeper_tell(struct witness *w)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, 2 * ERR_TEXT_BYTES_MAX);
	buf_add_u8(&out, w->store != NULL);
	buf_add_text(&out, w->why);
	if (w->keeper != NULL && !parcel_send(w->keeper, buf_bytes(&out), NULL, 0, &e))
		diag_err(DIAG_WARNING, "keeper-not-told", &e);
}

/* The text of `logs`: written only when it is another one, and only when it can be read. */
static bool logs_take(struct witness *w, struct bytes text, struct err *e)
{
	AUTO_WATCHED check = { 0 };
	AUTO_BUF there = { 0 };
	bool changed;

	buf_init(&there, WITNESS_LOGS_BYTES_MAX);
	if (!watched_parse(text, &check, e))
		return false;
	if (file_read(w->o.dir_fd, WITNESS_LOGS_FILE, &there, NULL) && bytes_equal(buf_bytes(&there), text))
		return true;
	return file_write(w->o.dir_fd, WITNESS_LOGS_FILE, text, 0644, true, e) && logs_look(w, &changed, e);
}

static void keeper_gone(void *ctx, const struct err *why)
{
	struct witness *w = ctx;

	/* Nobody decides any more; the parent ends us all and begins again. */
	channel_free(w->keeper);
	w->keeper = NULL;
}

static void keeper_message(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct witness *w = ctx;
	struct err e = { 0 };
	AUTO_BUF in = { 0 };

	buf_init(&in, WITNESS_LOGS_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &in, &e) || !logs_take(w, buf_bytes(&in), &e))
		diag_err(DIAG_ERROR, "logs-not-taken", &e);
}

/* --- life ------------------------------------------------------------------------------------------------ */

static bool state_open(struct witness *w, struct err *e)
{
	bool changed;

	if (!witness_home_open(w->o.dir_fd, &w->key, &w->self, &w->store, e)) {
		snprintf(w->why, sizeof(w->why), "%s", e->text);
		return false;
	}
	w->why[0] = '\0';
	logs_refresh(w, &changed);
	return true;
}

static void tick(void *ctx)
{
	struct witness *w = ctx;
	struct err e = { 0 };
	bool changed;

	if (w->store == NULL && state_open(w, &e)) {
		diag(DIAG_INFO, "witness-signs", "name=%s", w->self.name);
		keeper_tell(w);
	} else {
		logs_refresh(w, &changed);
	}
	/* A door that lives and has given us up brings no new channel; being started again does. */
	if (w->door == NULL && clock_monotonic_us() - w->doorless_us > DOORLESS_US_MAX) {
		diag(DIAG_WARNING, "no-door", "name=%s", w->self.name);
		loop_stop(w->o.loop);
	}
	w->timer = loop_timer(w->o.loop, clock_monotonic_us() + SECOND_US, tick, w);
}

bool witness_new(const struct witness_options *o, struct witness **ret, struct err *e)
{
	static const struct channel_calls calls = { .message = keeper_message, .closed = keeper_gone };
	struct witness *w = calloc(1, sizeof(*w));
	struct err why = { 0 };
	bool ok;

	if (w == NULL)
		abort();
	w->o = *o;
	w->replies_end = &w->replies;
	w->keeper = o->keeper_fd < 0 ? NULL : channel_new(o->keeper_fd);
	ok = witness_door(w, o->door_fd, e) && (w->keeper == NULL || channel_watch(w->keeper, o->loop, &calls, w, e));
	if (ok && !state_open(w, &why)) {
		diag_err(DIAG_ERROR, "witness-refuses", &why);
		/* Somebody may be looking at the state for a moment (witness show): the next tick tries again. */
		ok = w->keeper != NULL || why.reason == REASON_BUSY || err_set(e, why.kind, why.reason, "%s", why.text);
	}
	if (!ok) {
		witness_free(w);
		return false;
	}
	keeper_tell(w);
	loop_after_turn(o->loop, turn_end, w);
	w->timer = loop_timer(o->loop, clock_monotonic_us() + SECOND_US, tick, w);
	*ret = w;
	return true;
}

void witness_free(struct witness *w)
{
	if (w == NULL)
		return;
	loop_after_turn(w->o.loop, NULL, NULL);
	loop_cancel(w->o.loop, w->timer);
	channel_free(w->door);
	w->door = NULL;
	replies_send(w, false);
	channel_free(w->keeper);
	store_close(w->store);
	sign_key_free(w->key);
	watched_release(&w->logs);
	free(w);
}

static void channel_again(void *ctx, enum role role, int fd)
{
	struct err e = { 0 };

	if (role != ROLE_door)
		close(fd);
	else if (!witness_door(ctx, fd, &e))
		diag_err(DIAG_ERROR, "channel-not-taken", &e);
}

static bool witness_serve(struct role_loop *r, struct err *e)
{
	struct witness_options o = { .loop = r->loop, .door_fd = WITNESS_FD_DOOR, .keeper_fd = ROLE_FD_KEEPER, .dir_fd = WITNESS_FD_HOME };
	struct witness *w;

	if (role_has(r, ROLE_ALONE))
		o.keeper_fd = -1;
	if (!witness_new(&o, &w, e) || !sandbox_role("witness", e))
		return false;
	r->channel = channel_again;
	r->ctx = w;
	return role_ready(r, e) && loop_run(r->loop, e);
}

int witness_main(int argc, char **argv)
{
	return role_serve(witness_serve, argc, argv);
}
