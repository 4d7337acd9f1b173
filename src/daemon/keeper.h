/* The keeper's own: the node's model, the channels to the other roles, and what is under way. One turn of
 * the loop is one transaction: all calls that arrived in it are decided, then it commits once, and only
 * then their answers leave (design.md part 4). Internal to the keeper's sources. */
#ifndef COMITY_DAEMON_KEEPER_H
#define COMITY_DAEMON_KEEPER_H

#include "daemon/courier-messages.h"
#include "daemon/door-messages.h"
#include "daemon/mill-messages.h"
#include "daemon/parent-messages.h"
#include "daemon/roles.h"
#include "daemon/signer-messages.h"
#include "exchange/exhibit.h"
#include "exchange/node.h"
#include "exchange/outbox.h"
#include "process/channel.h"
#include "process/loop.h"

/* An answer that waits for the commit. */
struct keeper_reply {
	struct keeper_reply *next;
	uint64_t call;
	enum door_message_type type; /* DOOR_REPLY, or DOOR_STREAM */
	uint16_t status;
	const char *content_type;
	struct buf body;
	int fd;                      /* -1: the body alone */
	bool ranges;
	uint64_t length;
	uint64_t mill_job;           /* for a stream whose mill job starts with it; 0 otherwise */
};

/* Evidence on its way in: pipe, first mill, second mill, store. */
struct keeper_intake {
	struct keeper_intake *next;
	uint64_t call, job;
	struct exhibit_intake x;
	bool body_ended, body_ok;    /* the client sent everything that it announced */
	bool sealed, checking;
	struct age_totals first;
};

enum keeper_job_kind { JOB_OUTBOX, JOB_EXHIBIT, JOB_REGISTER, JOB_PAIR, JOB_WITNESS };
/* What the courier has under way. */
struct keeper_job {
	struct keeper_job *next;
	uint64_t job;
	enum keeper_job_kind kind;
	struct outbox_job outbox;
	char peer[PARTY_CODE_LEN_MAX + 1]; /* of JOB_PAIR */
	bool followed; /* the courier holds the next batch to the same peer, for when this one has been taken */
	struct id exhibit;
	uint64_t ask;  /* of JOB_WITNESS: cosigning.h's number */
	int64_t asked_ms; /* of JOB_REGISTER: when, by the clock */
	int64_t begun_us;
};
/* What a mill opens for us: a fetched exhibit (checked), or one that somebody reads (content). */
struct keeper_opening {
	struct keeper_opening *next;
	uint64_t job;
	enum role mill; /* who was asked: the other one's word does not count */
	bool check;
	struct id exhibit;
};

struct keeper {
	struct loop *loop;
	struct node *node;
	struct channel *parent, *to[ROLE_COUNT]; /* to[ROLE_keeper] is NULL; the signer's is not watched */
	bool in_turn;
	struct keeper_reply *replies, **replies_end;
	struct keeper_intake *intakes;
	struct keeper_job *jobs, *ended; /* ended: answered in this turn, not durable yet */
	struct keeper_opening *openings;
	struct signer_end signer;
	uint64_t last_number;   /* of jobs; begins at a random one */
	uint64_t timer;
	int64_t last_second_us; /* when clocks and pages were last looked at, by the clock that is never set */
	int register_fd;        /* the stored bundle as it is published, sealed; -1: not made since it changed */
	uint64_t register_len;
	bool stopping;
	char watched[65]; /* hex hash of what the witness was last told to watch */
};

/* keeper.c */
bool keeper_turn(struct keeper *k, struct err *e) MUST_USE; /* opens the turn's transaction */
void keeper_turn_end(struct keeper *k);                     /* commits it and lets the answers go */
uint64_t keeper_number(struct keeper *k);
bool keeper_send(struct keeper *k, enum role to, const struct buf *msg, const int *fds, size_t nfds);

/* keeper-door.c: calls. */
void keeper_door_message(struct keeper *k, struct bytes msg);
void keeper_replies_send(struct keeper *k, const struct err *failed); /* failed: the turn's commit failed */
struct keeper_reply *keeper_reply_new(struct keeper *k, uint64_t call, uint16_t status);
void keeper_reply_problem(struct keeper *k, uint64_t call, const struct err *e);
void keeper_pins_send(struct keeper *k);
void keeper_door_gone(struct keeper *k); /* nobody waits for its calls any more */
void keeper_register_changed(struct keeper *k);
/* A descriptor of these bytes that nobody can change, neither here nor where it is sent. */
bool keeper_sealed_file(struct bytes in, int *ret_fd, struct err *e) MUST_USE;

/* keeper-bulk.c: evidence through the mills. */
void keeper_intake_begin(struct keeper *k, const struct door_message *m);
void keeper_intake_body_end(struct keeper *k, const struct door_message *m);
void keeper_content(struct keeper *k, const struct door_message *m, struct bytes id);
void keeper_mill_message(struct keeper *k, enum role mill, struct bytes msg);
void keeper_mill_gone(struct keeper *k);
void keeper_intakes_drop(struct keeper *k); /* without an answer */
bool keeper_check_exhibit(struct keeper *k, const struct id *id, struct err *e) MUST_USE;
bool keeper_exhibit_busy(void *ctx, const struct id *id);

/* keeper-witness.c */
void keeper_witness_message(struct keeper *k, struct bytes msg);
void keeper_witness_gone(struct keeper *k);
void keeper_witness_tell(struct keeper *k); /* which logs to watch, when they are others than before */

/* keeper-courier.c: letters, proofs, fetches. */
void keeper_courier_message(struct keeper *k, struct bytes msg);
void keeper_courier_gone(struct keeper *k);
void keeper_jobs_ended(struct keeper *k, bool durable);
void keeper_pump(struct keeper *k, int64_t now_ms); /* gives the courier what is due */

#endif
