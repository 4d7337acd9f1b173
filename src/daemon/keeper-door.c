/* Calls that came through the door. Who may call what is decided here: peers by their TLS key, the public
 * for what is public, local callers by their user id. Each call runs in a savepoint of the turn. */
#include "daemon/keeper.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/api.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/num.h"
#include "exchange/directory.h"
#include "exchange/pair-recover.h"
#include "exchange/receive.h"

struct keeper_reply *keeper_reply_new(struct keeper *k, uint64_t call, uint16_t status)
{
	struct keeper_reply *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->call = call;
	r->type = DOOR_REPLY;
	r->status = status;
	r->content_type = "application/json";
	r->fd = -1;
	buf_init(&r->body, REGISTER_BYTES_MAX + MIB);
	*k->replies_end = r;
	k->replies_end = &r->next;
	return r;
}

static void problem_into(struct keeper_reply *r, const struct err *e)
{
	r->status = (uint16_t)err_http_status(e->kind);
	r->content_type = "application/problem+json";
	buf_clear(&r->body);
	api_problem(e, &r->body);
	fd_close_at(&r->fd);
	r->type = DOOR_REPLY;
	r->ranges = false;
}

void keeper_reply_problem(struct keeper *k, uint64_t call, const struct err *e)
{
	problem_into(keeper_reply_new(k, call, 500), e);
}

static void reply_free(struct keeper_reply *r)
{
	fd_close_at(&r->fd);
	buf_wipe(&r->body);
	free(r);
}

/* A door that comes back counts its calls anew: what was meant for the one before reaches nobody. The turn that they
 * are part of is decided all the same. */
void keeper_door_gone(struct keeper *k)
{
	while (k->replies != NULL) {
		struct keeper_reply *r = k->replies;
		k->replies = r->next;
		reply_free(r);
	}
	k->replies_end = &k->replies;
	keeper_intakes_drop(k);
}

void keeper_replies_send(struct keeper *k, const struct err *failed)
{
	while (k->replies != NULL) {
		struct keeper_reply *r = k->replies;
		AUTO_BUF msg = { 0 };

		buf_init(&msg, REGISTER_BYTES_MAX + 2 * MIB);
		if (failed != NULL)
			problem_into(r, failed);
		struct door_message m = { .type = r->type, .call = r->call, .status = r->status,
			.content_type = bytes_of(r->content_type), .ranges = r->ranges, .length = r->length,
			.body = buf_bytes(&r->body) };
		door_message_write(&m, &msg);
		(void)keeper_send(k, ROLE_door, &msg, &r->fd, r->fd >= 0 ? 1 : 0);
		k->replies = r->next;
		reply_free(r);
	}
	k->replies_end = &k->replies;
}

void keeper_pins_send(struct keeper *k)
{
	struct node *n = k->node;
	struct door_message m = { .type = DOOR_PINS };
	AUTO_BUF pins = { 0 }, msg = { 0 };

	buf_init(&pins, 64 * KIB);
	buf_init(&msg, 128 * KIB);
	for (size_t i = 0; i < register_count(n->reg) && i < DOOR_PINS_MAX; i++) {
		const struct party *p = register_at(n->reg, i);
		if (!bytes_is(bytes_of(p->code), node_party(n)))
			buf_add(&pins, BYTES_ARRAY(p->tls_spki));
	}
	m.pins = buf_bytes(&pins);
	door_message_write(&m, &msg);
	(void)keeper_send(k, ROLE_door, &msg, NULL, 0);
}

/* --- who and what ------------------------------------------------------------------------------------- */

static bool local_may(struct keeper *k, uint32_t uid)
{
	struct bytes rest = bytes_of(config_text(&k->node->config, operators));

	if (uid == 0 || uid == (uint32_t)geteuid())
		return true;
	while (rest.len > 0) {
		struct bytes word = bytes_cut(&rest, ' ');
		char text[16] = "";
		uint64_t number;
		if (word.len == 0 || word.len >= sizeof(text))
			continue;
		memcpy(text, word.at, word.len);
		if (num_parse_u64(text, UINT32_MAX, &number) && number == uid)
			return true;
	}
	return false;
}

static bool run_verb(struct keeper *k, const struct door_message *m, struct bytes name, struct buf *out, struct err *e)
{
	const struct api_verb *v = api_verb_find(name);
	struct api_call call = { .node = k->node, .uid = m->uid };
	AUTO_JSON *in = NULL;
	AUTO_JSON *result = json_object();

	if (v == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no verb \"%.*s\"", (int)(name.len < 64 ? name.len : 64),
			       (const char *)name.at);
	if (m->body.len == 0)
		in = json_object();
	else if (!json_parse(m->body, "call", &in, e))
		return false;
	if (!json_is_object(in))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "a call is a JSON object");
	call.in = in;
	call.out = result;
	return v->run(&call, e) && json_write_canonical(result, out, e) && buf_check(out, "answer", e);
}

static bool local_call(struct keeper *k, const struct door_message *m, struct keeper_reply *r, struct err *e)
{
	struct bytes path = m->path;

	if (!local_may(k, m->uid))
		return err_set(e, ERR_FORBIDDEN, REASON_NOT_ALLOWED, "user %u is neither the owner of this home nor one of its operators", m->uid);
	if (!bytes_starts(path, "/api/") || (m->method != METHOD_POST && m->method != METHOD_GET))
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no such path");
	return run_verb(k, m, bytes_slice(path, 5, path.len), &r->body, e);
}

static bool peer_call(struct keeper *k, const struct door_message *m, struct keeper_reply *r, struct err *e)
{
	struct id id;

	if (register_party_by_tls(k->node->reg, m->spki) == NULL)
		return err_set(e, ERR_FORBIDDEN, REASON_UNKNOWN_KEY, "this TLS key is of no party in our register");
	if (m->method == METHOD_POST && bytes_is(m->path, "/letters")) {
		r->content_type = "application/octet-stream";
		return receive_letters(k->node, m->body, m->spki, &r->body, e);
	}
	if (m->method == METHOD_POST && bytes_is(m->path, "/proofs")) {
		buf_add_text(&r->body, "{}");
		return receive_proofs(k->node, m->body, m->spki, e);
	}
	if (m->method == METHOD_POST && bytes_is(m->path, "/pair"))
		return pair_asked(k->node, m->body, m->spki, &r->body, e);
	if ((m->method == METHOD_GET || m->method == METHOD_HEAD) && bytes_starts(m->path, "/exhibits/") &&
	    id_parse(bytes_slice(m->path, 10, m->path.len), &id)) {
		r->content_type = "application/octet-stream";
		r->ranges = true;
		return exhibit_for_peer(k->node, &id, m->spki, &r->fd, &r->length, e);
	}
	return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no such path");
}

bool keeper_sealed_file(struct bytes in, int *ret_fd, struct err *e)
{
	AUTO_FD fd = memfd_create("comity-register", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || !file_write_all(fd, in, e) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
		return err_system(e, "cannot make a file in memory");
	*ret_fd = fd;
	fd = -1;
	return true;
}

void keeper_register_changed(struct keeper *k)
{
	fd_close_at(&k->register_fd);
	k->register_len = 0;
}

static bool register_file(struct keeper *k, struct err *e)
{
	AUTO_BUF bundle = { 0 };

	if (k->register_fd >= 0)
		return true;
	buf_init(&bundle, REGISTER_BYTES_MAX);
	if (!directory_bundle(k->node, &bundle, e))
		return false;
	if (bundle.len == 0)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "this node publishes no register");
	k->register_len = bundle.len;
	return keeper_sealed_file(buf_bytes(&bundle), &k->register_fd, e);
}

/* Anybody may ask, as often and as slowly as they like: it is one file in memory for all of them, handed out as a
 * descriptor, and takes no transaction. */
static bool public_call(struct keeper *k, const struct door_message *m, struct keeper_reply *r, struct err *e)
{
	if ((m->method != METHOD_GET && m->method != METHOD_HEAD) || !bytes_is(m->path, "/register"))
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no such path");
	if (!register_file(k, e))
		return false;
	r->length = k->register_len;
	r->fd = fcntl(k->register_fd, F_DUPFD_CLOEXEC, 0);
	return r->fd >= 0 || err_system(e, "register");
}

/* What copies or extends what is committed runs between turns, with transactions of its own. */
static bool stands_alone(struct bytes path)
{
	return bytes_is(path, "/api/backup") || bytes_is(path, "/api/key-backup") || bytes_is(path, "/api/log-recover");
}

/* receive_letters makes parts of its own, one for each letter; everything else is one part. */
static bool decide(struct keeper *k, const struct door_message *m, struct keeper_reply *r, struct err *e)
{
	bool imports = bytes_is(m->path, "/api/letter-import");
	bool whole = stands_alone(m->path);
	bool letters = whole || imports || (m->caller == CALLER_PEER && bytes_is(m->path, "/letters"));
	struct err undo = { 0 };
	bool ok;

	if (!letters && !node_part(k->node, e))
		return false;
	ok = m->caller == CALLER_PEER ? peer_call(k, m, r, e) : local_call(k, m, r, e);
	if (!letters && !node_part_end(k->node, ok, &undo)) {
		*e = undo;
		return false;
	}
	return ok;
}

static void call(struct keeper *k, const struct door_message *m)
{
	struct err e = { 0 };
	struct bytes rest = m->path;

	if (m->caller == CALLER_LOCAL && bytes_starts(m->path, "/exhibits/")) {
		rest = bytes_slice(m->path, 10, m->path.len);
		if (!local_may(k, m->uid)) {
			(void)err_set(&e, ERR_FORBIDDEN, REASON_NOT_ALLOWED, "user %u may not use this home", m->uid);
			keeper_reply_problem(k, m->call, &e);
		} else if (m->method == METHOD_PUT) {
			keeper_intake_begin(k, m);
		} else {
			struct bytes id = bytes_cut(&rest, '/');
			keeper_content(k, m, bytes_is(rest, "content") ? id : bytes_of(""));
		}
		return;
	}
	if (m->caller == CALLER_PUBLIC) {
		struct keeper_reply *answer = keeper_reply_new(k, m->call, 200);
		if (!public_call(k, m, answer, &e))
			problem_into(answer, &e);
		return;
	}
	if (stands_alone(m->path))
		keeper_turn_end(k);
	else if (!keeper_turn(k, &e)) {
		keeper_reply_problem(k, m->call, &e);
		return;
	}
	struct keeper_reply *r = keeper_reply_new(k, m->call, 200);
	if (!decide(k, m, r, &e)) {
		problem_into(r, &e);
		if (e.kind == ERR_SYSTEM)
			diag_err(DIAG_ERROR, "call-failed", &e);
	}
}

void keeper_door_message(struct keeper *k, struct bytes msg)
{
	struct door_message m;
	struct err e = { 0 };

	if (!door_message_parse(msg, &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		return;
	}
	if (m.type == DOOR_CALL)
		call(k, &m);
	else if (m.type == DOOR_BODY_END)
		keeper_intake_body_end(k, &m);
	/* DOOR_GONE: what was begun ends by itself; its pipes break. */
}
