/* Five lines in this order, a sixth where there is a witness, nothing else. */
#include "exchange/identity.h"

#include "base/reader.h"

#define IDENTITY_LINE_BYTES_MAX 400u

static struct bytes line_of(struct reader *r, const char *name)
{
	reader_literal(r, name);
	reader_literal(r, " ");
	return reader_line(r, IDENTITY_LINE_BYTES_MAX);
}

bool identity_parse(struct bytes in, struct identity *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct identity v = { 0 };
	struct bytes sign = line_of(&r, "sign"), log = line_of(&r, "log"), seal = line_of(&r, "seal"), tls = line_of(&r, "tls"),
		     since = line_of(&r, "since"), witness = { 0 };

	v.has_witness = reader_ok(&r) && reader_left(&r) > 0;
	if (v.has_witness)
		witness = line_of(&r, "witness");

	if (!reader_done(&r, "identity", e))
		return false;
	if (!hex_parse(sign, v.sign, sizeof(v.sign)) || !hex_parse(tls, v.tls, sizeof(v.tls)))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "identity: a key is not 64 hex characters");
	if (!note_key_parse(log, &v.log, e) || !age_recipient_parse(seal, &v.seal, e))
		return err_note(e, "identity");
	if (v.has_witness && (!note_key_parse(witness, &v.witness, e) || v.witness.type != NOTE_COSIGNATURE))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "identity: witness is not the key of a witness");
	if (!time_parse(since, &v.since))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "identity: since is not a time");
	*ret = v;
	return true;
}

void identity_write(const struct identity *v, struct buf *out)
{
	char recipient[AGE_RECIPIENT_LEN + 1], since[TIME_TEXT_LEN + 1];

	age_recipient_write(&v->seal, recipient);
	buf_add_text(out, "sign ");
	buf_add_hex(out, BYTES_ARRAY(v->sign));
	buf_add_text(out, "\nlog ");
	note_key_write(&v->log, out);
	buf_add_format(out, "\nseal %s\ntls ", recipient);
	buf_add_hex(out, BYTES_ARRAY(v->tls));
	time_write(v->since, since);
	buf_add_format(out, "\nsince %s\n", since);
	if (v->has_witness) {
		buf_add_text(out, "witness ");
		note_key_write(&v->witness, out);
		buf_add_u8(out, '\n');
	}
}
