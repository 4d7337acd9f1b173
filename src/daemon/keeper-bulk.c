/* Evidence through the mills. In: door -> pipe -> first mill -> blob -> second mill -> compared and kept. Out: blob -> mill ->
 * pipe -> door. The keeper hands out descriptors and file keys, and looks at digests only. */
#include "daemon/keeper.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"

/* --- intake ---------------------------------------------------------------------------------------------- */

static bool hex_digit(uint8_t c, uint8_t *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (uint8_t)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		*ret = (uint8_t)((c | 0x20) - 'a' + 10);
	else
		return false;
	return true;
}

/* One parameter of a query string, percent-decoded; "" when it is not there. */
static bool query_value(struct bytes query, const char *name, char *out, size_t room, struct err *e)
{
	size_t len = 0;

	out[0] = '\0';
	while (query.len > 0) {
		struct bytes value = bytes_cut(&query, '&');
		struct bytes key = bytes_cut(&value, '=');
		if (!bytes_is(key, name))
			continue;
		for (size_t i = 0; i < value.len; i++) {
			uint8_t c = value.at[i], hi, lo;
			if (c == '%') {
				if (i + 2 >= value.len || !hex_digit(value.at[i + 1], &hi) || !hex_digit(value.at[i + 2], &lo))
					return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: a bad %% escape", name);
				c = (uint8_t)(hi << 4 | lo);
				i += 2;
			}
			if (len + 1 >= room || c == 0)
				return err_set(e, ERR_INPUT, REASON_TOO_LARGE, "%s: too long, or a zero byte", name);
			out[len++] = (char)c;
		}
		out[len] = '\0';
		return true;
	}
	return true;
}

static void intake_free(struct keeper *k, struct keeper_intake *x, bool keep)
{
	for (struct keeper_intake **at = &k->intakes; *at != NULL; at = &(*at)->next) {
		if (*at == x) {
			*at = x->next;
			break;
		}
	}
	if (!keep)
		exhibit_abandon(k->node, &x->x);
	fd_close_at(&x->x.fd);
	secret_free(x->x.file_key);
	free(x);
}

static bool mill_send(struct keeper *k, enum role mill, struct mill_message *m, const struct secret *key, const int *fds, size_t nfds)
{
	AUTO_BUF_WIPE msg = { 0 };

	buf_init(&msg, 64 * KIB);
	memcpy(m->file_key, secret_bytes(key).at, sizeof(m->file_key));
	mill_message_write(m, &msg);
	bool ok = keeper_send(k, mill, &msg, fds, nfds);
	wipe(m->file_key, sizeof(m->file_key));
	return ok;
}

/* Pipe between door and first mill. */
static bool intake_start(struct keeper *k, struct keeper_intake *x, struct err *e)
{
	struct mill_message seal = { .type = MILL_SEAL, .job = x->job, .recipient_count = 1 };
	struct door_message pipe_message = { .type = DOOR_PIPE, .call = x->call };
	int ends[2];
	AUTO_BUF msg = { 0 };

	buf_init(&msg, KIB);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_system(e, "cannot make a pipe");
	seal.recipients[0] = x->x.recipient;
	door_message_write(&pipe_message, &msg);
	bool ok = mill_send(k, ROLE_mill, &seal, x->x.file_key, (int[]){ ends[0], x->x.fd }, 2) &&
		  keeper_send(k, ROLE_door, &msg, &ends[1], 1);
	close(ends[0]);
	close(ends[1]);
	return ok || err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the mill is not available now");
}

void keeper_intake_begin(struct keeper *k, const struct door_message *m)
{
	struct keeper_intake *x = calloc(1, sizeof(*x));
	char name[EXHIBIT_NAME_BYTES_MAX + 1], media[100], personal[4];
	struct err e = { 0 };
	struct id request;

	if (x == NULL)
		abort();
	x->call = m->call;
	x->job = keeper_number(k);
	x->x.fd = -1;
	bool ok = id_parse(bytes_slice(m->path, 10, m->path.len), &request) ||
		  err_set(&e, ERR_NOT_FOUND, REASON_NOT_FOUND, "PUT /exhibits/<request id>");
	ok = ok && query_value(m->query, "name", name, sizeof(name), &e) && query_value(m->query, "media", media, sizeof(media), &e) &&
	     query_value(m->query, "personal", personal, sizeof(personal), &e) && keeper_turn(k, &e);
	bool began = ok && exhibit_begin(k->node, &request, name, media, personal[0] == '1', &x->x, &e);
	if (began) {
		x->next = k->intakes;
		k->intakes = x;
	}
	if (began && intake_start(k, x, &e))
		return;
	keeper_reply_problem(k, m->call, &e);
	if (began)
		intake_free(k, x, false);
	else
		free(x);
}

void keeper_intakes_drop(struct keeper *k)
{
	while (k->intakes != NULL)
		intake_free(k, k->intakes, false);
}

static void intake_fail(struct keeper *k, struct keeper_intake *x, const struct err *e)
{
	keeper_reply_problem(k, x->call, e);
	intake_free(k, x, false);
}

/* Sealed, and the client said all: the second mill reads it again. */
static void intake_check(struct keeper *k, struct keeper_intake *x)
{
	struct mill_message check = { .type = MILL_CHECK, .job = x->job };
	struct err e = { 0 };
	AUTO_FD fd = -1;

	if (!x->sealed || !x->body_ended || x->checking)
		return;
	if (!x->body_ok) {
		(void)err_set(&e, ERR_INPUT, REASON_MALFORMED, "the content ended before its announced length");
		intake_fail(k, x, &e);
		return;
	}
	x->checking = true;
	if (!blob_open(k->node->blobs_fd, x->x.blob, false, &fd, &e))
		intake_fail(k, x, &e);
	else if (!mill_send(k, ROLE_mill2, &check, x->x.file_key, &fd, 1)) {
		(void)err_set(&e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the second mill is not available now");
		intake_fail(k, x, &e);
	}
}

static struct keeper_intake *intake_of_call(struct keeper *k, uint64_t call)
{
	struct keeper_intake *x = k->intakes;

	while (x != NULL && x->call != call)
		x = x->next;
	return x;
}

void keeper_intake_body_end(struct keeper *k, const struct door_message *m)
{
	struct keeper_intake *x = intake_of_call(k, m->call);

	if (x == NULL)
		return;
	x->body_ended = true;
	x->body_ok = m->ok;
	intake_check(k, x);
}

static void intake_keep(struct keeper *k, struct keeper_intake *x, const struct age_totals *second)
{
	struct err e = { 0 }, undo = { 0 };
	char id[ID_TEXT_LEN + 1];
	bool ok = keeper_turn(k, &e) && node_part(k->node, &e);

	if (ok) {
		ok = exhibit_sealed(k->node, &x->x, &x->first, second, &e);
		if (!node_part_end(k->node, ok, &undo)) {
			ok = false;
			e = undo;
		}
	}
	if (!ok) {
		intake_fail(k, x, &e);
		return;
	}
	AUTO_JSON *out = json_object();
	id_write(&x->x.id, id);
	json_put_text(out, "id", id);
	json_put_text(out, "name", x->x.name);
	json_put_int(out, "size", (int64_t)x->first.plain_bytes);
	json_put_hex(out, "sha256", BYTES_ARRAY(x->first.plain_sha256));
	json_put_int(out, "sealed_size", (int64_t)x->first.sealed_bytes);
	struct keeper_reply *r = keeper_reply_new(k, x->call, 201);
	if (!json_write_canonical(out, &r->body, &e))
		r->status = 500;
	intake_free(k, x, true);
}

/* --- opening ---------------------------------------------------------------------------------------------- */

static struct keeper_opening *opening_new(struct keeper *k, enum role mill, const struct id *exhibit, bool check)
{
	struct keeper_opening *o = calloc(1, sizeof(*o));

	if (o == NULL)
		abort();
	o->job = keeper_number(k);
	o->mill = mill;
	o->exhibit = *exhibit;
	o->check = check;
	o->next = k->openings;
	k->openings = o;
	return o;
}

static struct keeper_opening *opening_take(struct keeper *k, enum role mill, uint64_t job)
{
	for (struct keeper_opening **at = &k->openings; *at != NULL; at = &(*at)->next) {
		if ((*at)->job == job && (*at)->mill == mill) {
			struct keeper_opening *o = *at;
			*at = o->next;
			return o;
		}
	}
	return NULL;
}

/* What cannot even be begun to open (a changed header, say) is broken like what does not verify. */
static bool check_failed(struct keeper *k, const struct id *id, struct err *e)
{
	struct age_totals none = { 0 };

	return keeper_turn(k, e) && exhibit_checked(k->node, id, false, &none, clock_now_ms(), e);
}

bool keeper_check_exhibit(struct keeper *k, const struct id *id, struct err *e)
{
	struct mill_message m = { .type = MILL_CHECK };
	struct exhibit_row row;
	struct secret *key = NULL;
	AUTO_FD fd = -1;

	if (keeper_exhibit_busy(k, id))
		return true;
	if (!exhibit_open(k->node, id, &row, &key, &fd, e))
		return (e != NULL && (e->kind == ERR_INPUT || e->kind == ERR_REJECTED)) && check_failed(k, id, e);
	struct keeper_opening *o = opening_new(k, ROLE_mill2, id, true);
	m.job = o->job;
	bool ok = mill_send(k, o->mill, &m, key, &fd, 1);
	secret_free(key);
	if (!ok) {
		free(opening_take(k, o->mill, o->job));
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the mill is not available now");
	}
	return true;
}

void keeper_content(struct keeper *k, const struct door_message *m, struct bytes id_text)
{
	struct mill_message open = { .type = MILL_OPEN };
	struct exhibit_row row;
	struct secret *key = NULL;
	struct err e = { 0 };
	struct id id;
	int ends[2] = { -1, -1 };
	AUTO_FD fd = -1;
	bool ok = id_parse(id_text, &id) || err_set(&e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no such path");

	ok = ok && exhibit_open(k->node, &id, &row, &key, &fd, &e);
	if (ok && !row.own && !bytes_is(bytes_of(row.state), "opened"))
		ok = err_set(&e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is \"%s\": its content is given out once it has been verified", row.name, row.state);
	if (ok && pipe2(ends, O_CLOEXEC) != 0)
		ok = err_system(&e, "cannot make a pipe");
	if (ok) {
		struct keeper_opening *o = opening_new(k, ROLE_mill, &id, false);
		open.job = o->job;
		ok = mill_send(k, o->mill, &open, key, (int[]){ fd, ends[1] }, 2);
		if (!ok) {
			free(opening_take(k, o->mill, o->job));
			(void)err_set(&e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the mill is not available now");
		}
	}
	secret_free(key);
	fd_close_at(&ends[1]);
	if (!ok) {
		fd_close_at(&ends[0]);
		keeper_reply_problem(k, m->call, &e);
		return;
	}
	struct keeper_reply *r = keeper_reply_new(k, m->call, 200);
	r->type = DOOR_STREAM;
	r->content_type = "application/octet-stream";
	r->length = row.size;
	r->fd = ends[0];
}

/* --- what the mills say ------------------------------------------------------------------------------------- */

static void opening_done(struct keeper *k, struct keeper_opening *o, const struct mill_message *m)
{
	struct err e = { 0 }, undo = { 0 };

	if (o->check) {
		bool ok = keeper_turn(k, &e) && node_part(k->node, &e);
		if (ok) {
			ok = exhibit_checked(k->node, &o->exhibit, m->ok, &m->totals, clock_now_ms(), &e);
			if (!node_part_end(k->node, ok, &undo))
				ok = false;
		}
		if (!ok)
			diag_err(DIAG_ERROR, "exhibit", &e);
	} else if (!m->ok) {
		diag(DIAG_WARNING, "content-not-given", "error=\"%.*s\"", (int)m->error.len, (const char *)m->error.at);
	}
	free(o);
}

/* Only of the mill that has the intake now: the two look at each other's work. */
static void intake_done(struct keeper *k, struct keeper_intake *x, enum role mill, const struct mill_message *m)
{
	struct err e = { 0 };
	bool expected = x->checking ? mill == ROLE_mill2 : mill == ROLE_mill && !x->sealed;

	if (!expected) {
		diag(DIAG_ERROR, "mill-misspoke", "role=%s", role_name(mill));
		return;
	}

	if (!m->ok) {
		enum reason why = m->reason < REASON_COUNT ? (enum reason)m->reason : REASON_SYSTEM;
		(void)err_set(&e, why == REASON_DISK_FULL ? ERR_UNAVAILABLE : ERR_SYSTEM, why, "%s: %.*s", x->x.name,
			      (int)(m->error.len < 200 ? m->error.len : 200), (const char *)m->error.at);
		intake_fail(k, x, &e);
	} else if (!x->checking) {
		x->sealed = true;
		x->first = m->totals;
		intake_check(k, x);
	} else {
		intake_keep(k, x, &m->totals);
	}
}

void keeper_mill_message(struct keeper *k, enum role mill, struct bytes msg)
{
	struct mill_message m;
	struct err e = { 0 };

	if (!mill_message_parse(msg, &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		return;
	}
	if (m.type != MILL_DONE)
		return;
	struct keeper_opening *o = opening_take(k, mill, m.job);
	if (o != NULL) {
		opening_done(k, o, &m);
		return;
	}
	for (struct keeper_intake *x = k->intakes; x != NULL; x = x->next) {
		if (x->job == m.job) {
			intake_done(k, x, mill, &m);
			return;
		}
	}
}

void keeper_mill_gone(struct keeper *k)
{
	struct err e = { 0 };

	(void)err_set(&e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "a mill ended while it worked on this; try again");
	while (k->intakes != NULL)
		intake_fail(k, k->intakes, &e);
	while (k->openings != NULL) {
		struct keeper_opening *o = k->openings;
		k->openings = o->next;
		free(o);
	}
	if (k->node != NULL)
		k->node->fetch_changed = true;
}
