/* One file at a time, in two passes over its leaves, because its first line says how many are withheld. Memory does not
 * grow with the period: a portion is OPENINGS_PORTION leaves, and the digest is made on the way. The file gets its name
 * before it is stated: a crash in between makes the same file again, since everything in it is fixed. */
#include "exchange/openings.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "exchange/classes.h"
#include "exchange/parameters.h"
#include "exchange/publish.h"

/* A few milliseconds of the keeper's turn. */
#define OPENINGS_PORTION 1000u
/* A full disk, say. */
#define RETRY_MS (3600 * INT64_C(1000))
#define FOLDER "openings"
/* Weeks at the edges of a quarter, and a clock that was set back. */
#define WEEKS_AROUND_MS (35 * DAY_MS)

struct openings {
	struct openings_head head;
	int64_t quarters;       /* since its end: embargoes up to here have ended */
	uint64_t done;          /* leaves of this pass */
	bool writing;           /* the second pass */
	json_t *parameters;
	struct class_walk walk;
	struct sha256_run *sha;
	struct buf lines;
	int fd;
};

static void part_path(const struct openings *o, char out[static 64])
{
	snprintf(out, 64, FOLDER "/.%s.part", o->head.period);
}

void openings_free(struct openings *o)
{
	if (o == NULL)
		return;
	json_decref(o->parameters);
	wipe(&o->walk, sizeof(o->walk));
	sha256_drop(o->sha);
	buf_release(&o->lines);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

bool openings_open(struct node *n, struct err *e)
{
	n->openings_due = true;
	return true;
}

bool openings_slot(struct node *n, int64_t now_ms, struct err *e)
{
	char period[PERIOD_TEXT_LEN + 1], last[PERIOD_TEXT_LEN + 1] = "";
	struct query *q = store_query(n->store, QUERY_log_period_last);
	bool found, ok = query_row(q, &found, e);

	period_of(now_ms, period);
	if (ok && found)
		bytes_text(query_bytes(q, 0), last, sizeof(last));
	query_end(q);
	if (n->openings_retry_ms != 0 && now_ms >= n->openings_retry_ms) {
		n->openings_due = true;
		n->openings_retry_ms = 0;
	}
	if (!ok || strcmp(last, period) >= 0) /* not over, or a clock that was set back */
		return ok;
	q = store_query(n->store, QUERY_log_period_add);
	query_bind_text(q, 1, period);
	query_bind_int(q, 2, last[0] == '\0' ? 0 : (int64_t)log_size(n->log));
	ok = query_run(q, e);
	query_end(q);
	n->openings_due = true;
	return ok;
}

/* --- what is due ------------------------------------------------------------------------------------ */

/* The longest embargo that ends in so many quarters or less: nothing changes in between. */
static int64_t step_of(const json_t *parameters, int64_t quarters)
{
	const json_t *classes = json_object_get(parameters, "classes"), *v;
	int64_t step = 1;
	size_t i;

	json_array_foreach(classes, i, v) {
		int64_t embargo = json_int(v, "embargo_quarters");
		if (embargo <= quarters && embargo > step)
			step = embargo;
	}
	return step;
}

/* As at the end of the period, with the longest embargo that each class had in it: a leaf was logged under that promise. */
static bool parameters_of_period(struct node *n, int64_t from_ms, int64_t until_ms, json_t **ret, struct err *e)
{
	if (!parameters_body_at(n, until_ms - 1, ret, e))
		return false;
	for (int64_t at = from_ms; at < until_ms; at += 7 * DAY_MS) {
		AUTO_JSON *body = NULL;
		json_t *v;
		size_t i;

		if (!parameters_body_at(n, at, &body, e))
			return false;
		json_array_foreach(json_object_get(*ret, "classes"), i, v) {
			int64_t then = body != NULL ? parameters_embargo(body, json_bytes(v, "class")) : 1;
			if (then > json_int(v, "embargo_quarters"))
				json_put_int(v, "embargo_quarters", then);
		}
	}
	return true;
}

/* What was opened of it last: *ret_quarters 0 when nothing was. */
static bool opened_last(struct node *n, const char *period, int64_t *ret_quarters, uint8_t digest[static 32], int64_t *ret_withheld,
			struct err *e)
{
	struct query *q = store_query(n->store, QUERY_log_opened_last);
	bool found, ok;

	*ret_quarters = *ret_withheld = 0;
	query_bind_text(q, 1, period);
	ok = query_row(q, &found, e);
	if (ok && found && query_bytes(q, 1).len == SHA256_BYTES) {
		*ret_quarters = query_int(q, 0);
		memcpy(digest, query_bytes(q, 1).at, SHA256_BYTES);
		*ret_withheld = query_int(q, 2);
	}
	query_end(q);
	return ok;
}

static bool file_there(struct node *n, const char *period)
{
	char path[64];

	snprintf(path, sizeof(path), FOLDER "/%s", period);
	return faccessat(n->log_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether this period, which has ended, needs a file now: then o is filled in. */
static bool period_due(struct node *n, struct openings *o, int64_t now_ms, bool *ret_due, struct err *e)
{
	int64_t from, until, quarters = period_quarters_since(bytes_of(o->head.period), now_ms), last, withheld;
	uint8_t digest[SHA256_BYTES];

	*ret_due = false;
	if (quarters < 1 || !period_parse(bytes_of(o->head.period), &from, &until))
		return true;
	if (!opened_last(n, o->head.period, &last, digest, &withheld, e))
		return false;
	bool there = file_there(n, o->head.period);
	if (there && last > 0 && withheld == 0)
		return true;
	json_decref(o->parameters);
	o->parameters = NULL;
	if (!parameters_of_period(n, from, until, &o->parameters, e))
		return false;
	o->quarters = step_of(o->parameters, quarters);
	if (there && last >= o->quarters)
		return true;
	o->walk.from_ms = from - WEEKS_AROUND_MS;
	o->walk.until_ms = until + WEEKS_AROUND_MS;
	*ret_due = true;
	return true;
}

static bool find_due(struct node *n, struct openings *o, int64_t now_ms, bool *ret_due, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_log_period_list);
	bool found, ok;

	*ret_due = false;
	while ((ok = query_row(q, &found, e)) && found && !*ret_due) {
		if (query_is_null(q, 2))
			break; /* has not ended */
		bytes_text(query_bytes(q, 0), o->head.period, sizeof(o->head.period));
		o->head.first = (uint64_t)query_int(q, 1);
		o->head.leaves = (uint64_t)query_int(q, 2) - o->head.first;
		ok = period_due(n, o, now_ms, ret_due, e);
		if (!ok)
			break;
	}
	query_end(q);
	return ok;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static bool withheld(const struct openings *o, const struct class_seen *c)
{
	return !c->null && !c->o.lost && parameters_embargo(o->parameters, c->o.c.act_class) > o->quarters;
}

static bool each_leaf(void *ctx, const struct class_seen *c, struct err *e)
{
	struct openings *o = ctx;
	struct class_opening line = c->o;

	/* Nothing goes out that does not open its leaf: a row that was changed is no opening. */
	if (!line.lost && !c->rebuilt && !class_opening_check(&line, c->leaf, NULL))
		line = (struct class_opening){ .lost = true };
	line.withheld = !line.lost && withheld(o, c);
	if (o->writing) {
		class_opening_write(&line, &o->lines);
		return buf_check(&o->lines, "openings", e);
	}
	o->head.lost += line.lost;
	o->head.withheld += line.withheld;
	return true;
}

static bool flush(struct openings *o, struct err *e)
{
	sha256_add(o->sha, buf_bytes(&o->lines));
	if (!file_write_all(o->fd, buf_bytes(&o->lines), e))
		return false;
	buf_clear(&o->lines);
	return true;
}

static bool begin(struct node *n, int64_t now_ms, struct err *e)
{
	struct openings *o = calloc(1, sizeof(*o));
	bool due = false;

	if (o == NULL)
		abort();
	o->fd = -1;
	o->walk.store = n->store;
	memcpy(o->walk.null_key, n->null_key, sizeof(o->walk.null_key));
	config_log_origin(&n->config, o->head.log);
	buf_init(&o->lines, OPENINGS_PORTION * OPENINGS_LINE_BYTES_MAX);
	bool ok = find_due(n, o, now_ms, &due, e);
	if (ok && due) {
		n->openings = o;
		return true;
	}
	openings_free(o);
	n->openings_due = false; /* what failed is tried again later */
	return ok;
}

static bool begin_writing(struct node *n, struct openings *o, struct err *e)
{
	char path[64];

	part_path(o, path);
	if (!dir_make(n->log_fd, FOLDER, 0755, e))
		return false;
	o->fd = openat(n->log_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (o->fd < 0)
		return err_system(e, "cannot write %s", path);
	o->writing = true;
	o->done = 0;
	o->sha = sha256_begin();
	openings_head_write(&o->head, &o->lines);
	return true;
}

/* Its own name, durably. */
static bool put_in_place(struct node *n, struct openings *o, struct err *e)
{
	AUTO_FD dir = openat(n->log_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char part[64], path[64];

	part_path(o, part);
	snprintf(path, sizeof(path), FOLDER "/%s", o->head.period);
	if (dir < 0 || fsync(o->fd) != 0 || renameat(n->log_fd, part, n->log_fd, path) != 0 || fsync(dir) != 0)
		return err_system(e, "cannot put %s in place", path);
	return true;
}

static bool state_openings(struct node *n, const struct openings *o, const uint8_t digest[static 32], struct err *e)
{
	AUTO_JSON *body = json_object();
	struct own_statement s = { .kind = "class-openings", .to = "", .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	uint8_t hash[SHA256_BYTES];

	json_put_hex(body, "digest", bytes_from(digest, SHA256_BYTES));
	json_put_int(body, "first", (int64_t)o->head.first);
	json_put_int(body, "leaves", (int64_t)o->head.leaves);
	json_put_text(body, "log", o->head.log);
	json_put_int(body, "lost", (int64_t)o->head.lost);
	json_put_text(body, "period", o->head.period);
	json_put_int(body, "withheld", (int64_t)o->head.withheld);
	if (!node_state(n, &s, hash, e) || !publish_act(n, hash, e))
		return false;
	struct query *q = store_query(n->store, QUERY_log_opened_put);
	query_bind_text(q, 1, o->head.period);
	query_bind_int(q, 2, o->quarters);
	query_bind_bytes(q, 3, bytes_from(digest, SHA256_BYTES));
	query_bind_bytes(q, 4, BYTES_ARRAY(hash));
	query_bind_int(q, 5, (int64_t)o->head.withheld);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* A file that was only missing is not stated again. */
static bool complete(struct node *n, struct openings *o, struct err *e)
{
	uint8_t digest[SHA256_BYTES], before[SHA256_BYTES];
	int64_t last, still;

	sha256_end(o->sha, digest);
	o->sha = NULL;
	if (!put_in_place(n, o, e) || !opened_last(n, o->head.period, &last, before, &still, e))
		return false;
	if (last == o->quarters && memcmp(before, digest, sizeof(digest)) == 0)
		return true;
	if (!node_begin(n, e))
		return false;
	if (state_openings(n, o, digest, e))
		return node_commit(n, e);
	node_rollback(n);
	return false;
}

static bool portion(struct node *n, struct openings *o, struct err *e)
{
	uint64_t left = o->head.leaves - o->done, take = left < OPENINGS_PORTION ? left : OPENINGS_PORTION;
	uint64_t from = o->head.first + o->done;

	if (!classes_each(&o->walk, from, from + take, each_leaf, o, e) || (o->writing && !flush(o, e)))
		return false;
	o->done += take;
	if (o->done < o->head.leaves)
		return true;
	if (!o->writing)
		return begin_writing(n, o, e);
	if (!complete(n, o, e))
		return false;
	openings_free(o);
	n->openings = NULL;
	return true;
}

bool openings_portion(struct node *n, int64_t now_ms, struct err *e)
{
	if (!n->openings_due || n->locked)
		return true;
	if ((n->openings != NULL || begin(n, now_ms, e)) && (n->openings == NULL || portion(n, n->openings, e)))
		return true;
	openings_free(n->openings);
	n->openings = NULL;
	n->openings_due = false;
	n->openings_retry_ms = now_ms + RETRY_MS;
	return err_note(e, "opening the classes of a quarter");
}
