/* One home at work, without processes and sockets: the model that the keeper drives and that tests
 * drive directly. It ties store, log, register, treaty and the signer's functions together; every act
 * of the node, ours or a peer's, goes through here. All functions run inside the store transaction of
 * the keeper's turn: what they did is real once node_commit has returned true, and nothing may be
 * answered before. */
#ifndef COMITY_EXCHANGE_NODE_H
#define COMITY_EXCHANGE_NODE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "exchange/approvers.h"
#include "exchange/config.h"
#include "exchange/identity.h"
#include "exchange/latency.h"
#include "exchange/signing.h"
#include "log/log.h"
#include "log/tlog-proof.h"
#include "register/register.h"
#include "request/life.h"
#include "statement/act.h"
#include "statement/statement.h"
#include "store/store.h"
#include "treaty/finding.h"
#include "treaty/treaty.h"

struct parameters;
struct openings;
struct proved; /* exchange/cosigning.h */

struct node_signature {
	bool ok;
	uint8_t signature[64];
	struct err e;
};

/* The signer, as the node sees it: another process for the daemon, this one for tests. Each returns
 * false only when the signer is gone or refuses the whole call. */
struct node_signer {
	void *ctx;
	bool (*sign)(void *ctx, const struct signing_item *items, size_t n, struct node_signature *results,
		     struct err *e);
	bool (*checkpoint)(void *ctx, const struct signing_extension *x, struct buf *note, struct err *e);
	/* keys[i] is NULL where a header is not sealed to us. */
	bool (*unwrap)(void *ctx, const struct bytes *headers, size_t n, struct secret **keys, struct err *e);
	bool (*trust)(void *ctx, struct bytes bundle, struct err *e);
	/* The last checkpoint that was signed, and whether signing is locked after a restore. */
	bool (*last)(void *ctx, struct checkpoint *ret, bool *ret_locked, struct err *e);
	bool (*unlock)(void *ctx, struct err *e);
};

/* What the witness of this home last said of itself (daemon/keeper-witness.c). */
struct node_witness {
	bool heard, signs;
	char why[ERR_TEXT_BYTES_MAX];
};

/* Parts in parts whose registers are told apart; the few that are deeper are undone with care instead. */
#define NODE_PARTS_MAX 8u

struct node {
	int home_fd, blobs_fd, log_fd;
	struct config config;
	struct store *store;
	struct log *log;
	struct register_ *reg;
	struct treaty *treaty;
	struct checkpoint_cache *checkpoints;
	struct node_signer signer;
	struct identity identity;      /* our public keys */
	struct approvers *approvers;   /* HOME/approvers */
	struct buf note;               /* the last checkpoint that was signed, and what it says */
	struct checkpoint checkpoint;
	int64_t next_slot_ms;          /* when the next slot of the log closes */
	int64_t published_ms;          /* when the files of the log were last written */
	bool outbox_changed;           /* letters or proofs may be due: the keeper looks */
	bool directory_changed;        /* the register changed: the keeper tells the door the pins */
	uint64_t register_uses;        /* how often it did */
	uint64_t part_uses[NODE_PARTS_MAX]; /* and had when each open part began */
	size_t parts;
	bool fetch_changed;            /* exhibits may be due to be fetched */
	bool duty_changed;             /* somebody may be due to be paged */
	bool refresh_wanted;           /* fetch the register now */
	int64_t register_asked_ms;     /* when its source last answered, or failed to; 0: not since the start */
	int64_t register_had_ms;       /* when it was asked for what it last answered with, and that verified; 0 likewise */
	struct lately *lately;         /* exchange/lately.h: what was done for each peer a moment ago */
	struct latency receipts;       /* from handing a letter to the courier until its receipt is durable */
	uint8_t null_key[32];          /* makes null leaves; exchange/classes.h */
	struct parameters *parameters; /* how the log is kept; exchange/parameters.h */
	bool publish_done;             /* every published act that is proved stands as a file */
	struct openings *openings;     /* a quarter that is being opened; exchange/openings.h */
	bool openings_due;             /* openings have work to do: the keeper comes again at once */
	int64_t openings_retry_ms;     /* they failed: try again then; 0: they did not */
	struct buf key_copies;         /* exchange/key-backup.c: open copies of the keys that the home had at open */
	bool scrub_wanted;             /* exchange/erase.c: keys, blobs or stanzas are to go once this is committed */
	struct cosigning *cosigning;   /* exchange/cosigning.h: which checkpoint is proved, and that is what travels */
	bool pending_any;              /* exchange/pending.h: some letter went or came proof-pending */
	int64_t slot_us;               /* monotonic: when the last slot of this start was committed; 0: none was */
	bool publish_due;              /* the proved checkpoint is newer than the published one */
	struct node_witness witness;
	bool locked;                   /* restored and not yet recovered: nothing is signed */
	char locked_why[200];
	size_t recoveries;             /* exchange/pair-recover.c: peers that have still to say what they have of us */
	char recovering[120];          /* those with which there was traffic */
	char left_out[120];            /* those that an officer did not wait for, until they have answered all the same */
	struct buf shown;              /* exchange/shown.c: what witnesses have of our log and this home has not */
	bool shown_unsaved;            /* not certainly in the store yet */
	int64_t closings_next_ms;      /* exchange/closings.c: when to look again */
	char disputed[120];            /* exchange/pairs.c: a new difference between two histories, for the keeper to tell */
};

struct node_options {
	int home_fd;          /* taken */
	const char *treaties; /* folder with uncc/ */
	struct node_signer signer;
};

bool node_open(const struct node_options *o, struct node **ret, struct err *e) MUST_USE;
void node_close(struct node *n);
bool node_begin(struct node *n, struct err *e) MUST_USE;
bool node_commit(struct node *n, struct err *e) MUST_USE;
void node_rollback(struct node *n);
/* A part of the turn that may fail on its own: node_part, then node_part_end with what became of it.
 * A part may hold parts. */
bool node_part(struct node *n, struct err *e) MUST_USE;
bool node_part_end(struct node *n, bool keep, struct err *e) MUST_USE;

const char *node_party(const struct node *n);
bool node_exercise(const struct node *n);

/* --- recording acts ------------------------------------------------------------------------- */

/* Keys of one record: everything secret about an act derives from one erasable 32-byte key
 * (crypto.md 3.1): opening of the leaf, cross-log secret, encryption at rest. */
struct record_keys {
	uint8_t opening[32], x[32], store[32];
};
void record_keys_derive(const uint8_t key[static 32], struct record_keys *ret);
bool node_record_keys(struct node *n, const uint8_t hash[static 32], struct record_keys *ret, struct err *e) MUST_USE;

/* A statement of ours, before it is signed. `to` is a party, "" for ourselves, "*" for the register. */
struct own_statement {
	const char *kind;
	const char *to;
	const char *case_ref;
	const char *legal_basis;
	const char *via;
	json_t *body;                  /* borrowed */
	const struct statement_ref *refs;
	size_t ref_count;
	const struct id *request;      /* the request whose file this belongs to, or NULL */
};

/* Fixes the canonical payload: id, time and register checkpoint are chosen here. */
bool node_payload(struct node *n, const struct own_statement *s, struct id *ret_id, struct buf *payload,
		  struct err *e) MUST_USE;
/* Many at once: one call of the signer for all (LETTER_BATCH_MAX at most). Each item fails on its own. */
struct act_item {
	struct bytes kind, payload;
	const struct bytes *approvals;
	size_t approval_count;
	const struct bytes *support;    /* acts; see signing_item */
	size_t support_count;
	const struct id *request;       /* or NULL; for a request: itself */
	const struct statement *parsed; /* the payload, when the caller has parsed it (kept by the caller), or NULL */
	bool ok;
	uint8_t hash[32];
	struct err e;
};
bool node_acts(struct node *n, struct act_item *items, size_t count, struct err *e) MUST_USE;
bool node_act(struct node *n, struct act_item *item, uint8_t ret_hash[static 32], struct err *e) MUST_USE;
/* Payload and act in one step, for what the node itself states (custody, page, answers of form). */
bool node_state(struct node *n, const struct own_statement *s, uint8_t ret_hash[static 32], struct err *e) MUST_USE;

/* The act as stored (canonical JSON, proof member filled in when our log has one). */
bool node_act_json(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
/* p: NULL for the proved checkpoint. */
bool node_act_json_under(struct node *n, const uint8_t hash[static 32], const struct proved *p, struct buf *out, struct err *e) MUST_USE;
bool node_act_load(struct node *n, const uint8_t hash[static 32], struct act **ret, struct err *e) MUST_USE;

/* --- the log -------------------------------------------------------------------------------- */

/* Closes a slot when it is due: K leaves, real ones first, into the tree; commits; has the checkpoint
 * signed; publishes tiles. Begins and commits its own transaction. */
bool node_slot(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* Our own leaf of an act: the tlog-proof text of a leaf of ours that is under the proved checkpoint; false with REASON_UNLOGGED when not yet. */
bool node_proof(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
/* The same under another checkpoint of ours with its note (cosigning_pending). */
bool node_proof_under(struct node *n, const uint8_t hash[static 32], const struct proved *p, struct buf *out, struct err *e) MUST_USE;
/* The leaf's bytes, when it is in the log. */
bool node_leaf(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;
/* What we would send (or have sent) as the receiver's side of an act that came to us. */
bool node_counterproof(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e) MUST_USE;

/* --- small reads used by several modules ----------------------------------------------------- */

struct request_row {
	struct id id;
	char kind[40], peer[8], case_ref[128];
	bool asked;
	enum life_state state;
	uint8_t hash[32];
	bool has_preservation;
	struct id preservation;
	int64_t hold_until, order_expires, acknowledged_at, created, updated;
	int64_t erased; /* when, or 0 */
	char acknowledged_by[128];
};
bool node_request(struct node *n, const struct id *id, struct request_row *ret, struct err *e) MUST_USE;
/* Moves the request by the table and records why; hash may be NULL (clocks). */
bool node_move(struct node *n, struct request_row *r, enum life_event event, const uint8_t *hash, struct err *e) MUST_USE;

#endif
