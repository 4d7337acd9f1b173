/* Messages between keeper and signer: both ends in one file, so that what one writes and the other reads
 * stands side by side. A request is its kind, its number and its fields; an answer is the same kind and number,
 * whether it was done, and then either the result or the error. Numbers begin at a random one and are counted, so that
 * no answer is taken for that of another request. Many items go in as few parcels as they fit in. File keys
 * pass through buffers that are wiped. */
#include "daemon/signer-messages.h"

#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/text.h"
#include "exchange/signing.h"
#include "process/parcel.h"
#include "seal/dsse.h"

enum { SIGNER_SIGN = 1, SIGNER_CHECKPOINT = 2, SIGNER_UNWRAP = 3, SIGNER_TRUST = 4, SIGNER_LAST = 5, SIGNER_UNLOCK = 6 };

#define ITEMS_MAX 256u
/* Kind, number, count. */
#define HEAD_BYTES (1 + 8 + 2)
#define KIND_BYTES_MAX 64u
/* A signer that thinks for longer is stuck: a register of all parties verifies in well under a second. */
#define ANSWER_MS_MAX 30000
/* An act as support: a statement, its approvals, and the JSON around them. */
#define SUPPORT_BYTES_MAX LETTER_BYTES_MAX

/* --- what both ends write and read ------------------------------------------------------------- */

static void write_err(const struct err *e, struct buf *out)
{
	buf_add_u8(out, (uint8_t)e->kind);
	buf_add_u16(out, (uint16_t)e->reason);
	buf_add_field(out, bytes_of(e->text));
}

static void read_err(struct reader *r, struct err *ret)
{
	uint8_t kind = reader_u8(r);
	uint16_t reason = reader_u16(r);
	struct bytes text = reader_field(r, ERR_TEXT_BYTES_MAX - 1);

	if (kind == ERR_NONE || kind >= ERR_KIND_COUNT || reason >= REASON_COUNT)
		reader_fail(r);
	if (reader_ok(r))
		(void)err_set(ret, (enum err_kind)kind, (enum reason)reason, "%.*s", (int)text.len,
			      (const char *)text.at);
}

static void write_item(const struct signing_item *i, struct buf *out)
{
	buf_add_field(out, i->kind);
	buf_add_field(out, i->payload);
	buf_add_u8(out, (uint8_t)i->approval_count);
	for (size_t k = 0; k < i->approval_count; k++)
		buf_add_field(out, i->approvals[k]);
	buf_add_u8(out, (uint8_t)i->support_count);
	for (size_t k = 0; k < i->support_count; k++)
		buf_add_field(out, i->support[k]);
}

/* What write_item writes. */
static size_t item_bytes(const struct signing_item *i)
{
	size_t sum = 4 + i->kind.len + 4 + i->payload.len + 2;

	for (size_t k = 0; k < i->approval_count; k++)
		sum += 4 + i->approvals[k].len;
	for (size_t k = 0; k < i->support_count; k++)
		sum += 4 + i->support[k].len;
	return sum;
}

struct item_parts {
	struct bytes approvals[ACT_APPROVALS_MAX], support[LETTER_ACTS_MAX];
};

static void read_item(struct reader *r, struct item_parts *parts, struct signing_item *ret)
{
	struct signing_item i = { .approvals = parts->approvals, .support = parts->support };

	i.kind = reader_field(r, KIND_BYTES_MAX);
	i.payload = reader_field(r, STATEMENT_BYTES_MAX);
	i.approval_count = reader_u8(r);
	if (i.approval_count > ACT_APPROVALS_MAX)
		reader_fail(r);
	for (size_t k = 0; reader_ok(r) && k < i.approval_count; k++)
		parts->approvals[k] = reader_field(r, ENVELOPE_BYTES_MAX);
	i.support_count = reader_u8(r);
	if (i.support_count > LETTER_ACTS_MAX)
		reader_fail(r);
	for (size_t k = 0; reader_ok(r) && k < i.support_count; k++)
		parts->support[k] = reader_field(r, SUPPORT_BYTES_MAX);
	*ret = i;
}

/* --- the keeper's end -------------------------------------------------------------------------- */

static void begin(struct signer_end *end, uint8_t kind, struct buf *request)
{
	buf_add_u8(request, kind);
	buf_add_u64(request, ++end->last);
}

static bool done(struct signer_end *end, const struct reader *r, struct err *e)
{
	if (reader_done(r, "answer of the signer", e))
		return true;
	channel_shut(end->ch);
	return false;
}

/* Sends the request; *ret_answer then stands behind kind, number and "done". False with the signer's own error when
 * it was not done. */
static bool call(struct signer_end *end, const struct buf *request, struct buf *reply, struct reader *ret_answer,
		 struct err *e)
{
	struct err theirs = { 0 };

	if (!buf_check(request, "request to the signer", e) ||
	    !parcel_call(end->ch, buf_bytes(request), NULL, 0, reply, ANSWER_MS_MAX, e))
		return err_note(e, "signer");
	*ret_answer = reader_over(buf_bytes(reply));
	if (reader_u8(ret_answer) != request->at[0] || reader_u64(ret_answer) != end->last || reader_left(ret_answer) == 0) {
		channel_shut(end->ch);
		return err_set(e, ERR_UNAVAILABLE, REASON_MALFORMED, "the signer answered something else");
	}
	if (reader_u8(ret_answer) == 1)
		return true;
	read_err(ret_answer, &theirs);
	if (!done(end, ret_answer, e))
		return false;
	if (e != NULL)
		*e = theirs;
	return false;
}

/* A signature of an act enters the log and cannot be taken back, so it is verified before it is believed: 43 us beside
 * a commit. A receipt enters no log, and its receiver verifies it on arrival: it is not verified here, which would cost
 * the busy path of arriving letters a second verification for each. */
static bool verifies(const struct signer_end *end, const struct signing_item *i, const struct node_signature *s)
{
	const struct kind *k = kind_find(i->kind);
	AUTO_BUF pae = { 0 };

	if (bytes_is(i->kind, "receipt"))
		return true;
	if (k == NULL || end->sign_key == NULL)
		return false;
	buf_init(&pae, STATEMENT_BYTES_MAX + KIB);
	pae_write(statement_type(k), i->payload, &pae);
	return buf_ok(&pae) && signature_verify(end->sign_key, buf_bytes(&pae), s->signature);
}

static bool sign_some(struct signer_end *end, const struct signing_item *items, size_t n, struct node_signature *results,
		      struct err *e)
{
	AUTO_BUF request = { 0 };
	AUTO_BUF reply = { 0 };
	struct reader r;

	buf_init(&request, PARCEL_BYTES_MAX);
	buf_init(&reply, PARCEL_BYTES_MAX);
	begin(end, SIGNER_SIGN, &request);
	buf_add_u16(&request, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		write_item(&items[i], &request);
	if (!call(end, &request, &reply, &r, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		results[i] = (struct node_signature){ .ok = reader_u8(&r) == 1 };
		if (results[i].ok)
			reader_copy(&r, results[i].signature, sizeof(results[i].signature));
		else
			read_err(&r, &results[i].e);
	}
	if (!done(end, &r, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (results[i].ok && !verifies(end, &items[i], &results[i])) {
			channel_shut(end->ch);
			return err_set(e, ERR_SYSTEM, REASON_BAD_SIGNATURE, "a signature of the signer does not verify");
		}
	}
	return true;
}

static bool over_sign(void *ctx, const struct signing_item *items, size_t n, struct node_signature *results,
		      struct err *e)
{
	for (size_t from = 0; from < n;) {
		size_t count = 0, bytes = HEAD_BYTES;

		while (from + count < n && count < ITEMS_MAX &&
		       (count == 0 || bytes + item_bytes(&items[from + count]) <= PARCEL_BYTES_MAX)) {
			bytes += item_bytes(&items[from + count]);
			count++;
		}
		if (!sign_some(ctx, items + from, count, results + from, e))
			return false;
		from += count;
	}
	return true;
}

static bool over_checkpoint(void *ctx, const struct signing_extension *x, struct buf *note, struct err *e)
{
	AUTO_BUF request = { 0 };
	AUTO_BUF reply = { 0 };
	struct bytes signed_note;
	struct reader r;

	buf_init(&request, 8 * KIB);
	buf_init(&reply, NOTE_BYTES_MAX + KIB);
	begin(ctx, SIGNER_CHECKPOINT, &request);
	buf_add_u64(&request, x->size);
	buf_add(&request, BYTES_ARRAY(x->root));
	buf_add_u8(&request, (uint8_t)x->proof_count);
	for (size_t i = 0; i < x->proof_count && i < PROOF_HASHES_MAX; i++)
		buf_add(&request, BYTES_ARRAY(x->proof[i]));
	if (!call(ctx, &request, &reply, &r, e))
		return false;
	signed_note = reader_field(&r, NOTE_BYTES_MAX);
	if (!done(ctx, &r, e))
		return false;
	buf_add(note, signed_note);
	return buf_check(note, "checkpoint", e);
}

static bool unwrap_some(struct signer_end *end, const struct bytes *headers, size_t n, struct secret **keys,
			struct err *e)
{
	AUTO_BUF request = { 0 };
	AUTO_BUF_WIPE reply = { 0 };
	struct reader r;

	buf_init(&request, PARCEL_BYTES_MAX);
	buf_init(&reply, 64 * KIB);
	begin(end, SIGNER_UNWRAP, &request);
	buf_add_u16(&request, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		buf_add_field(&request, headers[i]);
	if (!call(end, &request, &reply, &r, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct bytes key = reader_field(&r, AGE_FILE_KEY_BYTES);

		keys[i] = key.len == AGE_FILE_KEY_BYTES ? secret_from(key) : NULL;
	}
	return done(end, &r, e);
}

static bool over_unwrap(void *ctx, const struct bytes *headers, size_t n, struct secret **keys, struct err *e)
{
	memset(keys, 0, n * sizeof(struct secret *));
	for (size_t from = 0; from < n;) {
		size_t count = 0, bytes = HEAD_BYTES;

		while (from + count < n && count < ITEMS_MAX &&
		       (count == 0 || bytes + 4 + headers[from + count].len <= PARCEL_BYTES_MAX)) {
			bytes += 4 + headers[from + count].len;
			count++;
		}
		if (!unwrap_some(ctx, headers + from, count, keys + from, e)) {
			for (size_t i = 0; i < n; i++)
				secret_free_at(&keys[i]);
			return false;
		}
		from += count;
	}
	return true;
}

static bool over_trust(void *ctx, struct bytes bundle, struct err *e)
{
	AUTO_BUF request = { 0 };
	AUTO_BUF reply = { 0 };
	struct reader r;

	buf_init(&request, PARCEL_BYTES_MAX);
	buf_init(&reply, 8 * KIB);
	begin(ctx, SIGNER_TRUST, &request);
	buf_add_field(&request, bundle);
	return call(ctx, &request, &reply, &r, e) && done(ctx, &r, e);
}

static bool over_last(void *ctx, struct checkpoint *ret, bool *ret_locked, struct err *e)
{
	struct checkpoint c = { 0 };
	struct bytes origin;
	struct reader r;
	bool locked;
	AUTO_BUF request = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&request, 16);
	buf_init(&reply, 8 * KIB);
	begin(ctx, SIGNER_LAST, &request);
	if (!call(ctx, &request, &reply, &r, e))
		return false;
	locked = reader_u8(&r) == 1;
	c.size = reader_u64(&r);
	reader_copy(&r, c.root, sizeof(c.root));
	origin = reader_field(&r, CHECKPOINT_ORIGIN_BYTES_MAX);
	if (!done(ctx, &r, e))
		return false;
	if (origin.len > 0)
		memcpy(c.origin, origin.at, origin.len);
	*ret = c;
	*ret_locked = locked;
	return true;
}

static bool over_unlock(void *ctx, struct err *e)
{
	struct reader r;
	AUTO_BUF request = { 0 };
	AUTO_BUF reply = { 0 };

	buf_init(&request, 16);
	buf_init(&reply, 8 * KIB);
	begin(ctx, SIGNER_UNLOCK, &request);
	return call(ctx, &request, &reply, &r, e) && done(ctx, &r, e);
}

struct node_signer signer_over_channel(struct signer_end *end, struct channel *ch)
{
	end->ch = ch;
	chance_fill(&end->last, sizeof(end->last));
	return (struct node_signer){
		.ctx = end, .sign = over_sign, .checkpoint = over_checkpoint, .unwrap = over_unwrap, .trust = over_trust,
		.last = over_last, .unlock = over_unlock,
	};
}

/* --- the signer's end -------------------------------------------------------------------------- */

/* Items are signed one after another while they are read: one that is refused does not stop the others, and a
 * request that turns out malformed is answered by its error alone. */
static bool answer_sign(struct signing *s, struct reader *r, struct buf *out, struct err *e)
{
	uint16_t n = reader_u16(r);

	if (n > ITEMS_MAX)
		reader_fail(r);
	for (size_t i = 0; reader_ok(r) && i < n; i++) {
		uint8_t signature[SIGNATURE_BYTES];
		struct item_parts parts;
		struct signing_item item;
		struct err refused = { 0 };

		read_item(r, &parts, &item);
		if (!reader_ok(r))
			break;
		if (signing_statement(s, &item, signature, &refused)) {
			buf_add_u8(out, 1);
			buf_add(out, BYTES_ARRAY(signature));
		} else {
			buf_add_u8(out, 0);
			write_err(&refused, out);
		}
	}
	return reader_done(r, "request to the signer", e);
}

static bool answer_checkpoint(struct signing *s, struct reader *r, struct buf *out, struct err *e)
{
	struct signing_extension x = { .size = reader_u64(r) };
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	reader_copy(r, x.root, sizeof(x.root));
	x.proof_count = reader_u8(r);
	if (x.proof_count > PROOF_HASHES_MAX)
		reader_fail(r);
	for (size_t i = 0; reader_ok(r) && i < x.proof_count; i++)
		reader_copy(r, x.proof[i], sizeof(x.proof[i]));
	if (!reader_done(r, "request to the signer", e) || !signing_checkpoint(s, &x, &note, e))
		return false;
	buf_add_field(out, buf_bytes(&note));
	return true;
}

static bool answer_unwrap(struct signing *s, struct reader *r, struct buf *out, struct err *e)
{
	uint16_t n = reader_u16(r);

	if (n > ITEMS_MAX)
		reader_fail(r);
	for (size_t i = 0; reader_ok(r) && i < n; i++) {
		struct bytes header = reader_field(r, AGE_HEADER_BYTES_MAX);
		AUTO_SECRET *key = NULL;

		if (reader_ok(r) && signing_unwrap(s, header, &key, NULL))
			buf_add_field(out, secret_bytes(key));
		else
			buf_add_field(out, (struct bytes){ 0 });
	}
	return reader_done(r, "request to the signer", e);
}

static bool answer_trust(struct signing *s, struct reader *r, struct err *e)
{
	struct bytes bundle = reader_field(r, REGISTER_BYTES_MAX);

	return reader_done(r, "request to the signer", e) && signing_trust(s, bundle, e);
}

static bool answer_last(struct signing *s, struct reader *r, struct buf *out, struct err *e)
{
	const struct checkpoint *c = signing_last(s);

	if (!reader_done(r, "request to the signer", e))
		return false;
	buf_add_u8(out, signing_locked(s) ? 1 : 0);
	buf_add_u64(out, c->size);
	buf_add(out, BYTES_ARRAY(c->root));
	buf_add_field(out, bytes_of(c->origin));
	return true;
}

static bool answer_unlock(struct signing *s, struct reader *r, struct err *e)
{
	if (!reader_done(r, "request to the signer", e))
		return false;
	signing_unlock(s);
	return true;
}

static bool answer(struct signing *s, uint8_t kind, struct reader *r, struct buf *out, struct err *e)
{
	switch (kind) {
	case SIGNER_SIGN:
		return answer_sign(s, r, out, e);
	case SIGNER_CHECKPOINT:
		return answer_checkpoint(s, r, out, e);
	case SIGNER_UNWRAP:
		return answer_unwrap(s, r, out, e);
	case SIGNER_TRUST:
		return answer_trust(s, r, e);
	case SIGNER_LAST:
		return answer_last(s, r, out, e);
	case SIGNER_UNLOCK:
		return answer_unlock(s, r, e);
	default:
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "the signer has no request of kind %u", kind);
	}
}

bool signer_answer(struct signing *s, struct bytes request, struct buf *reply, struct err *e)
{
	struct reader r = reader_over(request);
	uint8_t kind = reader_u8(&r);
	uint64_t number = reader_u64(&r);
	struct err refused = { 0 };

	buf_add_u8(reply, kind);
	buf_add_u64(reply, number);
	buf_add_u8(reply, 1);
	if (!answer(s, kind, &r, reply, &refused)) {
		buf_wipe(reply);
		buf_add_u8(reply, kind);
		buf_add_u64(reply, number);
		buf_add_u8(reply, 0);
		write_err(&refused, reply);
	}
	return buf_check(reply, "answer of the signer", e);
}
