/* One add-checkpoint call, decided. Promises: what was cosigned for an origin once is never contradicted, because the
 * new state is taken only in the place of the one that was read and checked; no cosignature is in the answer unless
 * `put` took the state; nothing is checked against what the client says of our state, only against what is stored.
 * The order of the checks is the one of crypto.md 1.6, so that a caller without a watched key learns nothing but
 * that. (c2sp.org/tlog-witness) */
#include "log/witness.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "log/checkpoint.h"
#include "log/tlog-proof.h"

#define TEXT "text/plain; charset=utf-8"

struct witness_request {
	uint64_t old;
	merkle_hash proof[PROOF_HASHES_MAX];
	size_t count;
	struct bytes note_bytes;
	struct note note;
	struct checkpoint checkpoint;
};

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "add-checkpoint: %s", what);
}

static bool request_parse(struct bytes in, struct witness_request *q, struct err *e)
{
	struct reader r = reader_over(in);

	reader_literal(&r, "old ");
	q->old = reader_decimal(&r);
	reader_literal(&r, "\n");
	if (!reader_ok(&r) || q->old > INT64_MAX)
		return malformed(e, "it does not begin with \"old SIZE\"");
	if (!proof_lines_read(&r, "add-checkpoint", q->proof, &q->count, e))
		return false;
	q->note_bytes = reader_rest(&r);
	return note_parse(q->note_bytes, &q->note, e) && checkpoint_parse(q->note.text, &q->checkpoint, e);
}

static void answer(struct witness_answer *a, unsigned status, const char *text)
{
	buf_clear(&a->body);
	a->status = status;
	a->content_type = TEXT;
	buf_add_text(&a->body, text);
	buf_add_u8(&a->body, '\n');
}

static void failed(struct witness_answer *a)
{
	answer(a, 500, "the witness could not keep its state; nothing was cosigned");
}

/* The line of the log's signature that verified: what else the note carries is not ours to pass on. */
static void log_line_write(const struct note *n, const struct note_key *k, struct buf *out)
{
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];

		if (s->id != k->id || s->len != SIGNATURE_BYTES || !bytes_is(s->name, k->name))
			continue;
		note_signature_write(k, bytes_from(s->bytes, s->len), out);
		return;
	}
}

/* Signed before it is kept, because monitors read what is kept; it leaves only when it was kept. */
static bool keep(const struct witness_store *s, const char *name, const struct sign_key *key, int64_t now_s,
		 const struct witness_request *q, const struct note_key *log, const struct witness_state *was,
		 struct buf *line, struct err *e)
{
	struct witness_state now = { .size = q->checkpoint.size };
	AUTO_BUF note = { 0 };

	buf_init(&note, 2 * NOTE_BYTES_MAX);
	memcpy(now.root, q->checkpoint.root, sizeof(now.root));
	if (!cosignature_sign(q->note.text, name, key, now_s, line, e))
		return false;
	buf_add(&note, q->note.text);
	buf_add_u8(&note, '\n');
	log_line_write(&q->note, log, &note);
	buf_add(&note, buf_bytes(line));
	return buf_check(&note, "cosigned checkpoint", e) &&
	       s->put(s->ctx, q->checkpoint.origin, was, &now, buf_bytes(&note), e);
}

/* The stored state is never asked of the client: it says where it believes to stand, and is told when it errs. */
static void decide(const struct witness_store *s, const char *name, const struct sign_key *key, int64_t now_s,
		   const struct witness_request *q, const struct note_key *log, struct witness_answer *a, struct err *e)
{
	const struct checkpoint *c = &q->checkpoint;
	struct witness_state stored = { .size = 0 };
	struct err why = { 0 };
	bool found = false;
	AUTO_BUF line = { 0 };

	buf_init(&line, NOTE_BYTES_MAX);
	if (q->old > c->size) {
		answer(a, 400, "the old size is beyond the checkpoint's");
		return;
	}
	if (!s->get(s->ctx, c->origin, &stored, &found, e)) {
		failed(a);
		return;
	}
	if (!found) {
		stored.size = 0;
		merkle_empty(stored.root);
	}
	if (q->old != stored.size) {
		buf_clear(&a->body);
		buf_add_format(&a->body, "%llu\n", (unsigned long long)stored.size);
		a->status = 409;
		a->content_type = "text/x.tlog.size";
		return;
	}
	if (!merkle_check_consistency(stored.size, c->size, (const merkle_hash *)q->proof, q->count, stored.root, c->root, &why)) {
		answer(a, 422, why.text);
		return;
	}
	if (!keep(s, name, key, now_s, q, log, found ? &stored : NULL, &line, e)) {
		failed(a);
		return;
	}
	buf_clear(&a->body);
	buf_add(&a->body, buf_bytes(&line));
	a->status = 200;
	a->content_type = TEXT;
}

void witness_add_checkpoint(const struct witness_store *s, const char *name, const struct sign_key *key, int64_t now_s,
			    struct bytes request, struct witness_answer *ret, struct err *e)
{
	/* 10 KiB of signatures: not on the stack of a caller who may be deep in it. */
	struct witness_request *q = calloc(1, sizeof(*q));
	const struct note_key *log;
	struct err why = { 0 };

	if (q == NULL)
		abort();
	buf_init(&ret->body, NOTE_BYTES_MAX);
	if (e != NULL)
		*e = (struct err){ 0 };
	if (!request_parse(request, q, &why)) {
		answer(ret, 400, why.text);
	} else if (log = s->log_key(s->ctx, q->checkpoint.origin), log == NULL) {
		answer(ret, 404, "this log is not watched here");
	} else if (!note_verify(&q->note, log, &why)) {
		answer(ret, 403, "no signature of this log that verifies");
	} else {
		decide(s, name, key, now_s, q, log, ret, e);
	}
	free(q);
}

bool witness_request_write(uint64_t old, const merkle_hash *proof, size_t count, struct bytes note, struct buf *out,
			   struct err *e)
{
	if (count > PROOF_HASHES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "consistency proof: over %u hashes", PROOF_HASHES_MAX);
	buf_add_format(out, "old %llu\n", (unsigned long long)old);
	for (size_t i = 0; i < count; i++) {
		base64_write(BYTES_ARRAY(proof[i]), true, out);
		buf_add_u8(out, '\n');
	}
	buf_add_u8(out, '\n');
	buf_add(out, note);
	return buf_check(out, "add-checkpoint", e);
}

void witness_origin_hex(const char *origin, char ret[static 2 * SHA256_BYTES + 1])
{
	uint8_t digest[SHA256_BYTES];

	sha256(bytes_of(origin), digest);
	hex_write(BYTES_ARRAY(digest), ret);
}
