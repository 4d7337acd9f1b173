/* A cosignature is made over the text of a checkpoint and nothing else, and is believed only for the key that was
 * asked about. The first line of a key counts; a line that names it and does not verify is an error and not an absence. The
 * bytes that Ed25519 signs begin with a line of their own, so no cosignature is ever a log's signature; those of
 * ML-DSA-44 name the witness and repeat the checkpoint's fields, and leave extension lines out. */
#include "log/cosignature.h"

#include <inttypes.h>
#include <string.h>

#include "base/reader.h"

#define TIME_BYTES 8u
/* Milliseconds of it still fit in an int64_t. */
#define TIME_S_MAX (INT64_MAX / 1000)

static void ed25519_message(struct bytes text, uint64_t time_s, struct buf *out)
{
	buf_add_format(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	buf_add(out, text);
}

/* A checkpoint is the subtree that begins at 0. */
static void mldsa_message(const struct checkpoint *c, const char *witness, uint64_t time_s, struct buf *out)
{
	buf_add(out, bytes_from("subtree/v1\n", 12)); /* with its NUL */
	buf_add_u8(out, (uint8_t)strlen(witness));    /* both names have at most 200 bytes */
	buf_add_text(out, witness);
	buf_add_u64(out, time_s);
	buf_add_u8(out, (uint8_t)strlen(c->origin));
	buf_add_text(out, c->origin);
	buf_add_u64(out, 0);
	buf_add_u64(out, c->size);
	buf_add(out, BYTES_ARRAY(c->root));
}

bool cosignature_sign(struct bytes text, const char *name, const struct sign_key *k, int64_t time_s, struct buf *out,
		      struct err *e)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct checkpoint c;
	struct note_key key;
	AUTO_BUF message = { 0 };
	AUTO_BUF payload = { 0 };

	buf_init(&message, NOTE_BYTES_MAX);
	buf_init(&payload, TIME_BYTES + SIGNATURE_BYTES);
	if (!checkpoint_parse(text, &c, e))
		return err_note(e, "cosignature");
	if (!note_name_is_valid(bytes_of(name)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "cosignature: the name of the key is not valid");
	if (time_s <= 0 || time_s > TIME_S_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "cosignature: %" PRId64 " is no time", time_s);
	ed25519_message(text, (uint64_t)time_s, &message);
	if (!buf_check(&message, "cosignature", e))
		return false;
	note_key_make(name, NOTE_COSIGNATURE, sign_key_public(k), &key);
	sign_key_sign(k, buf_bytes(&message), signature);
	buf_add_u64(&payload, (uint64_t)time_s);
	buf_add(&payload, BYTES_ARRAY(signature));
	note_signature_write(&key, buf_bytes(&payload), out);
	return buf_check(out, "cosignature", e);
}

/* Length of the signature that follows the time; 0 for a type that makes no cosignatures. */
static size_t signature_len(uint8_t type)
{
	if (type == NOTE_COSIGNATURE)
		return SIGNATURE_BYTES;
	return type == NOTE_COSIGNATURE_MLDSA ? MLDSA44_SIGNATURE_BYTES : 0;
}

static bool line_is_of(const struct note_signature *s, const struct note_key *k)
{
	return s->id == k->id && bytes_is(s->name, k->name);
}

static bool line_verify(struct bytes text, const struct checkpoint *c, const struct note_signature *s, const struct note_key *k,
			int64_t *ret_time_s)
{
	struct reader r;
	uint64_t time_s;
	struct bytes signature;
	AUTO_BUF payload = { 0 };
	AUTO_BUF message = { 0 };

	buf_init(&payload, NOTE_BYTES_MAX);
	buf_init(&message, NOTE_BYTES_MAX + KIB);
	if (s->len != TIME_BYTES + signature_len(k->type))
		return false;
	note_signature_decode(s, &payload);
	r = reader_over(buf_bytes(&payload));
	time_s = reader_u64(&r);
	signature = reader_rest(&r);
	if (!reader_ok(&r) || time_s == 0 || time_s > (uint64_t)TIME_S_MAX)
		return false;
	if (k->type == NOTE_COSIGNATURE)
		ed25519_message(text, time_s, &message);
	else
		mldsa_message(c, k->name, time_s, &message);
	if (!buf_ok(&message))
		return false;
	if (k->type == NOTE_COSIGNATURE ? !signature_verify(k->public_key, buf_bytes(&message), signature.at)
					: !mldsa44_verify(k->public_key, buf_bytes(&message), signature.at))
		return false;
	*ret_time_s = (int64_t)time_s;
	return true;
}

/* What both questions need: a key that cosigns, a note that is a checkpoint. */
static bool ready(const struct note *n, const struct note_key *witness, struct checkpoint *ret, struct err *e)
{
	if (signature_len(witness->type) == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the key of %s does not cosign", witness->name);
	return checkpoint_parse(n->text, ret, e) || err_note(e, "cosignature");
}

bool cosignature_verify(const struct note *n, const struct note_key *witness, int64_t *ret_time_s, struct err *e)
{
	struct checkpoint c;

	if (!ready(n, witness, &c, e))
		return false;
	for (size_t i = 0; i < n->signature_count; i++) {
		if (!line_is_of(&n->signatures[i], witness))
			continue;
		if (!line_verify(n->text, &c, &n->signatures[i], witness, ret_time_s))
			return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "cosignature: that of %s is wrong", witness->name);
		return true;
	}
	return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "cosignature: not signed by %s+%08" PRIx32, witness->name, witness->id);
}

bool cosignature_is_after(const struct note *n, const struct note_key *witness, int64_t latest_ms)
{
	int64_t time_s;

	return cosignature_verify(n, witness, &time_s, NULL) && time_s * 1000 > latest_ms;
}

/* The first line of an answer that is this witness's and verifies. */
static bool answer_find(const struct note *n, const struct checkpoint *c, struct bytes lines, const struct note_key *witness,
			struct bytes *ret_line, int64_t *ret_time_s)
{
	static const size_t dash_len = sizeof(NOTE_DASH) - 1;

	while (lines.len > 0) {
		struct bytes line = bytes_cut(&lines, '\n');
		struct note_signature s;

		if (!bytes_starts(line, NOTE_DASH) || !bytes_starts(bytes_slice(line, dash_len, line.len), witness->name) ||
		    !note_signature_parse(bytes_slice(line, dash_len, line.len), &s, NULL) || !line_is_of(&s, witness))
			continue;
		if (line_verify(n->text, c, &s, witness, ret_time_s)) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

bool cosignature_take(struct buf *note, struct bytes lines, const struct note_key *witness, int64_t *ret_time_s, struct err *e)
{
	struct note n, again;
	struct checkpoint c;
	struct bytes line;
	int64_t time_s;
	size_t max = note->max;
	AUTO_BUF made = { 0 };

	if (lines.len > NOTE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "cosignature: an answer over %u bytes", NOTE_BYTES_MAX);
	if (!note_parse(buf_bytes(note), &n, e) || !ready(&n, witness, &c, e))
		return false;
	if (!answer_find(&n, &c, lines, witness, &line, &time_s))
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "cosignature: the answer has none of %s+%08" PRIx32, witness->name,
			       witness->id);
	buf_init(&made, max);
	buf_add(&made, n.text);
	buf_add_u8(&made, '\n');
	for (size_t i = 0; i < n.signature_count; i++) {
		const struct note_signature *s = &n.signatures[i];

		if (line_is_of(s, witness))
			continue;
		buf_add_text(&made, NOTE_DASH);
		buf_add(&made, s->name);
		buf_add_u8(&made, ' ');
		buf_add(&made, s->base64);
		buf_add_u8(&made, '\n');
	}
	buf_add(&made, line);
	buf_add_u8(&made, '\n');
	/* A note that others would refuse is not kept. */
	if (!buf_check(&made, "signed note", e) || !note_parse(buf_bytes(&made), &again, e))
		return false;
	buf_release(note);
	*note = made;
	made = (struct buf){ 0 };
	*ret_time_s = time_s;
	return true;
}
