/* The keeper: one loop, one connection to the store, one transaction a turn. Messages of a turn are decided
 * one by one, each in its own savepoint; after the last one the turn commits, and answers leave. Between
 * turns it closes slots of the log, pages, and hands work to courier and mills. It never waits for
 * anybody but the signer. */
#include "daemon/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "daemon/signer-messages.h"
#include "exchange/closings.h"
#include "exchange/directory.h"
#include "exchange/duty.h"
#include "exchange/overdue.h"
#include "exchange/recover.h"
#include "exchange/openings.h"
#include "exchange/rejections.h"
#include "exchange/shown.h"
#include "process/parcel.h"
#include "store/blob.h"

#define SECOND_US INT64_C(1000000)
/* Temporary blobs that no exhibit claims are swept when they are older. */
#define BLOB_AGE_MAX_MS (3600 * INT64_C(1000))

bool keeper_turn(struct keeper *k, struct err *e)
{
	if (k->in_turn)
		return true;
	k->in_turn = node_begin(k->node, e);
	return k->in_turn;
}

uint64_t keeper_number(struct keeper *k)
{
	return ++k->last_number;
}

bool keeper_send(struct keeper *k, enum role to, const struct buf *msg, const int *fds, size_t nfds)
{
	struct err e = { 0 };

	if (k->to[to] != NULL && buf_ok(msg) && parcel_send(k->to[to], buf_bytes(msg), fds, nfds, &e))
		return true;
	diag(DIAG_WARNING, "role-unreachable", "role=%s error=\"%s\"", role_name(to), e.text);
	return false;
}

/* --- channels ------------------------------------------------------------------------------------------ */

struct door_end {
	struct keeper *k;
	enum role role;
};

static void from_role(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct door_end *end = ctx;
	struct err e = { 0 };
	AUTO_BUF msg = { 0 };

	buf_init(&msg, PARCEL_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &msg, &e)) {
		diag_err(DIAG_ERROR, "bad-parcel", &e);
		return;
	}
	if (end->role == ROLE_door)
		keeper_door_message(end->k, buf_bytes(&msg));
	else if (end->role == ROLE_courier)
		keeper_courier_message(end->k, buf_bytes(&msg));
	else if (end->role == ROLE_witness)
		keeper_witness_message(end->k, buf_bytes(&msg));
	else
		keeper_mill_message(end->k, end->role, buf_bytes(&msg));
}

static void channel_end(struct keeper *k, enum role role)
{
	if (k->to[role] == NULL)
		return;
	channel_free(k->to[role]);
	k->to[role] = NULL;
	if (role == ROLE_courier)
		keeper_courier_gone(k);
	else if (role == ROLE_mill || role == ROLE_mill2)
		keeper_mill_gone(k);
	else if (role == ROLE_door)
		keeper_door_gone(k);
	else if (role == ROLE_witness)
		keeper_witness_gone(k);
}

static void role_gone(void *ctx, const struct err *why)
{
	struct door_end *end = ctx;

	/* The parent starts it again and brings a new channel. */
	channel_end(end->k, end->role);
}

static struct door_end ends[ROLE_COUNT];

static bool channel_take(struct keeper *k, enum role role, int fd, struct err *e)
{
	static const struct channel_calls calls = { .message = from_role, .closed = role_gone };

	channel_end(k, role); /* the new one may come before the end of the old one was seen */
	k->to[role] = channel_new(fd);
	if (role == ROLE_signer) {
		k->node->signer = signer_over_channel(&k->signer, k->to[role]);
		return true;
	}
	ends[role] = (struct door_end){ .k = k, .role = role };
	if (!channel_watch(k->to[role], k->loop, &calls, &ends[role], e))
		return false;
	if (role == ROLE_door || role == ROLE_witness)
		k->node->directory_changed = true;
	return true;
}

/* A signer that was started again knows neither register nor, before its first answer, the last checkpoint; nor that this
 * node is locked. */
static void signer_again(struct keeper *k)
{
	struct err e = { 0 };

	if (k->node->locked)
		shown_lock_signer(k->node);
	if (!directory_load(k->node, &e))
		diag_err(DIAG_ERROR, "register-not-loaded", &e);
}

static void from_parent(void *ctx, struct bytes packet, int *fds, size_t nfds)
{
	struct keeper *k = ctx;
	struct parent_message m;
	struct err e = { 0 };
	AUTO_BUF msg = { 0 };

	buf_init(&msg, MESSAGE_BYTES_MAX);
	if (!parcel_open(packet, &fds, &nfds, &msg, &e) || !parent_message_parse(buf_bytes(&msg), &m, &e)) {
		diag_err(DIAG_ERROR, "bad-message", &e);
		return;
	}
	if (m.type == PARENT_STOP) {
		k->stopping = true;
		loop_stop(k->loop);
	} else if (m.type == PARENT_CHANNEL && nfds == 1 && m.role != ROLE_keeper) {
		int fd = fds[0];
		fds[0] = -1;
		if (!channel_take(k, (enum role)m.role, fd, &e))
			diag_err(DIAG_ERROR, "channel-not-taken", &e);
		else if (m.role == ROLE_signer)
			signer_again(k);
		diag(DIAG_WARNING, "role-restarted", "role=%s restarts=%u", role_name((enum role)m.role), m.restarts);
	} else if (m.type == PARENT_PAGED) {
		if (!keeper_turn(k, &e) || !duty_paged(k->node, (int64_t)m.cookie, m.exit_status, clock_now_ms(), &e))
			diag_err(DIAG_ERROR, "page-not-recorded", &e);
	}
}

static void parent_gone(void *ctx, const struct err *why)
{
	struct keeper *k = ctx;

	k->stopping = true;
	loop_stop(k->loop);
}

/* --- between turns --------------------------------------------------------------------------------------- */

void keeper_turn_end(struct keeper *k)
{
	struct err e = { 0 };

	if (!k->in_turn) {
		keeper_replies_send(k, NULL);
		return;
	}
	k->in_turn = false;
	if (node_commit(k->node, &e)) {
		keeper_jobs_ended(k, true);
		keeper_replies_send(k, NULL);
		return;
	}
	keeper_jobs_ended(k, false);
	diag_err(DIAG_ERROR, "commit-failed", &e);
	keeper_replies_send(k, &e);
}

static bool page_send(struct keeper *k, const struct duty_page *p)
{
	struct parent_message m = { .type = PARENT_PAGE, .cookie = (uint64_t)p->seq, .officer = bytes_of(p->officer),
				    .words = buf_bytes(&p->words) };
	struct err e = { 0 };
	AUTO_BUF msg = { 0 };

	buf_init(&msg, MESSAGE_BYTES_MAX);
	parent_message_write(&m, &msg);
	if (parcel_send(k->parent, buf_bytes(&msg), NULL, 0, &e))
		return true;
	diag_err(DIAG_WARNING, "page-not-sent", &e);
	return false;
}

/* Overdue proofs, closings and yesterday's rejections, apart from the pages: whatever is wrong there, the duty officer is called. */
static void letter_clocks(struct node *n, int64_t now_ms)
{
	struct err e = { 0 };
	bool ok = node_begin(n, &e);

	if (ok && overdue_clock(n, now_ms, &e) && closings_clock(n, now_ms, &e) && rejections_clock(n, now_ms, &e)) {
		ok = node_commit(n, &e);
	} else if (ok) {
		node_rollback(n);
		ok = false;
	}
	if (!ok)
		diag_err(DIAG_ERROR, "clocks-of-letters", &e);
}

/* Pages and clocks, once a second or when something arrived. */
static void look_at_clocks(struct keeper *k, int64_t now_ms)
{
	struct err e = { 0 };
	int64_t now_us = clock_monotonic_us();
	bool found = true;

	if (!k->node->duty_changed && now_us - k->last_second_us < SECOND_US)
		return;
	k->node->duty_changed = false;
	k->last_second_us = now_us;
	for (int i = 0; found && i < 16; i++) {
		struct duty_page p = { 0 };
		found = false;
		if (!node_begin(k->node, &e))
			break;
		bool ok = duty_clocks(k->node, now_ms, &e) &&
			  duty_next(k->node, now_ms, &p, &found, &e);
		if (ok)
			ok = node_commit(k->node, &e);
		else
			node_rollback(k->node);
		if (ok && found)
			(void)page_send(k, &p);
		buf_release(&p.words);
		if (!ok) {
			diag_err(DIAG_ERROR, "clocks", &e);
			break;
		}
	}
	letter_clocks(k->node, now_ms);
	if (k->node->disputed[0] != '\0')
		diag(DIAG_ERROR, "letters-disputed", "%s", k->node->disputed);
	k->node->disputed[0] = '\0';
	k->node->outbox_changed = true;
	k->node->fetch_changed = true;
}

static void tick(void *ctx);

static void timer_set(struct keeper *k, int64_t now_ms)
{
	/* Slots are times of day; however the clock is set, we look again within a second. */
	int64_t now_us = clock_monotonic_us(), next_us = k->last_second_us + SECOND_US;
	int64_t slot_ms = k->node->next_slot_ms > now_ms ? k->node->next_slot_ms - now_ms : 0;

	if (slot_ms < SECOND_US / 1000 && now_us + slot_ms * 1000 < next_us)
		next_us = now_us + slot_ms * 1000;
	if (k->node->openings_due && !k->node->locked) /* the next portion, after what came meanwhile */
		next_us = now_us;
	loop_cancel(k->loop, k->timer);
	k->timer = loop_timer(k->loop, next_us, tick, k);
}

static void tick(void *ctx)
{
	struct keeper *k = ctx;

	k->timer = 0; /* what is due is looked at after the turn */
}

static void after_turn(void *ctx)
{
	struct keeper *k = ctx;
	struct err e = { 0 };
	int64_t now_ms = clock_now_ms();

	keeper_turn_end(k);
	if (!node_slot(k->node, now_ms, &e))
		diag_err(DIAG_ERROR, "slot", &e);
	look_at_clocks(k, now_ms);
	if (!openings_portion(k->node, now_ms, &e))
		diag_err(DIAG_ERROR, "openings", &e);
	if (k->node->directory_changed) {
		k->node->directory_changed = false;
		keeper_register_changed(k);
		keeper_pins_send(k);
		keeper_witness_tell(k);
	}
	keeper_pump(k, now_ms);
	if (k->timer == 0 || k->node->next_slot_ms <= now_ms || k->node->openings_due)
		timer_set(k, now_ms);
}

/* --- life ------------------------------------------------------------------------------------------------ */

static bool blob_wanted(void *ctx, const char *name)
{
	struct keeper *k = ctx;
	struct query *q = store_query(k->node->store, QUERY_exhibit_blob_wanted);
	struct err e = { 0 };
	bool found, wanted;

	query_bind_text(q, 1, name);
	wanted = !query_row(q, &found, &e) || (found && query_int(q, 0) > 0);
	query_end(q);
	return wanted;
}

static bool open_all(struct keeper *k, struct err *e)
{
	const char *treaties = getenv("COMITY_TREATIES");
	struct node_options o = { .home_fd = KEEPER_FD_HOME, .treaties = treaties != NULL ? treaties : COMITY_DATADIR "/treaties" };
	static const struct channel_calls calls = { .message = from_parent, .closed = parent_gone };

	k->to[ROLE_signer] = channel_new(KEEPER_FD_ROLES + ROLE_signer);
	o.signer = signer_over_channel(&k->signer, k->to[ROLE_signer]);
	if (!node_open(&o, &k->node, e))
		return false;
	k->signer.sign_key = k->node->identity.sign;
	k->parent = channel_new(KEEPER_FD_PARENT);
	if (!channel_watch(k->parent, k->loop, &calls, k, e))
		return false;
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (r != ROLE_keeper && r != ROLE_signer && !channel_take(k, (enum role)r, KEEPER_FD_ROLES + (int)r, e))
			return false;
	/* Where `log recover` brings files to; the sandbox lets in only what is there when it closes. */
	if (!dir_make(k->node->home_fd, RECOVER_FOLDER, 0700, e))
		return false;
	return sandbox_role("keeper", e) && blob_sweep(k->node->blobs_fd, BLOB_AGE_MAX_MS, blob_wanted, k, e);
}

static bool ready(struct keeper *k, struct err *e)
{
	struct parent_message m = { .type = PARENT_READY };
	AUTO_BUF msg = { 0 };

	buf_init(&msg, 64);
	parent_message_write(&m, &msg);
	return parcel_send(k->parent, buf_bytes(&msg), NULL, 0, e);
}

static void keeper_end(struct keeper *k)
{
	keeper_courier_gone(k);
	keeper_jobs_ended(k, false);
	keeper_mill_gone(k);
	keeper_register_changed(k);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		channel_free(k->to[r]);
	node_close(k->node);
	channel_free(k->parent); /* last: who has closed it is killed, and the store must be closed before */
	loop_free(k->loop);
}

int keeper_main(int argc, char **argv)
{
	struct keeper k = { .loop = loop_new(), .register_fd = -1 };
	struct err e = { 0 };

	k.replies_end = &k.replies;
	k.last_second_us = clock_monotonic_us() - SECOND_US;
	/* Not the numbers of the keeper before: what is late is of nobody. */
	chance_fill(&k.last_number, sizeof(k.last_number));
	(void)signal(SIGPIPE, SIG_IGN);
	bool ok = open_all(&k, &e) && ready(&k, &e);
	if (ok) {
		loop_after_turn(k.loop, after_turn, &k);
		k.node->outbox_changed = k.node->fetch_changed = k.node->duty_changed = true;
		timer_set(&k, clock_now_ms());
		ok = loop_run(k.loop, &e);
		keeper_turn_end(&k);
	}
	if (!ok)
		diag_err(DIAG_ERROR, "keeper", &e);
	keeper_end(&k);
	return ok ? 0 : 1;
}
