/* C2SP tlog-witness: one add-checkpoint call decided. The state (origin -> size, root, last cosigned note) lies
 * behind two functions, so that the same code serves the daemon, the simulation and the bench. Order (crypto.md 1.6):
 * parse, origin, signature, old <= new, old == stored, proof, persist, sign, answer. The caller makes what `put`
 * wrote durable before the answer leaves. */
#ifndef COMITY_LOG_WITNESS_H
#define COMITY_LOG_WITNESS_H

#include "log/cosignature.h"
#include "log/merkle.h"

struct witness_state {
	uint64_t size;
	merkle_hash root;
};
struct witness_store {
	void *ctx;
	/* *ret_found false: this origin was never seen. */
	bool (*get)(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e);
	/* The new state, only if the stored one is still `was` (NULL: none); note: with our cosignature, for monitors. */
	bool (*put)(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now, struct bytes note,
		    struct err *e);
	/* Key of the log of this origin, NULL: not watched. */
	const struct note_key *(*log_key)(void *ctx, const char *origin);
};
struct witness_answer {
	unsigned status;          /* 200, 400, 403, 404, 409, 422, 500 */
	const char *content_type; /* "text/plain; charset=utf-8"; of 409 text/x.tlog.size */
	struct buf body;
};
/* Never fails: what goes wrong inside is status 500 and told in e (may be NULL). name and key: the witness's.
 * body of the answer is initialised here and released by the caller. */
void witness_add_checkpoint(const struct witness_store *s, const char *name, const struct sign_key *key, int64_t now_s,
			    struct bytes request, struct witness_answer *ret, struct err *e);
/* What a log sends: old size, proof and note (crypto.md 1.6). */
bool witness_request_write(uint64_t old, const merkle_hash *proof, size_t count, struct bytes note, struct buf *out,
			   struct err *e) MUST_USE;
/* Lower-case hex SHA-256 of the origin: the folder of the monitoring endpoint, GET <prefix>/<hex>/checkpoint. */
void witness_origin_hex(const char *origin, char ret[static 2 * SHA256_BYTES + 1]);

#endif
