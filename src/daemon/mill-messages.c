/* Messages between keeper and mill. One shape for all: type, job, then every field that the type has. */
#include "daemon/mill-messages.h"

#include "base/reader.h"

static bool read_bool(struct reader *r)
{
	uint8_t v = reader_u8(r);

	if (v > 1)
		reader_fail(r);
	return v == 1;
}

static void write_totals(const struct age_totals *t, struct buf *out)
{
	buf_add_u64(out, t->plain_bytes);
	buf_add_u64(out, t->sealed_bytes);
	buf_add(out, BYTES_ARRAY(t->plain_sha256));
	buf_add(out, BYTES_ARRAY(t->sealed_sha256));
}

static void read_totals(struct reader *r, struct age_totals *t)
{
	t->plain_bytes = reader_u64(r);
	t->sealed_bytes = reader_u64(r);
	reader_copy(r, t->plain_sha256, sizeof(t->plain_sha256));
	reader_copy(r, t->sealed_sha256, sizeof(t->sealed_sha256));
}

void mill_message_write(const struct mill_message *m, struct buf *out)
{
	buf_add_u8(out, (uint8_t)m->type);
	buf_add_u64(out, m->job);
	switch (m->type) {
	case MILL_SEAL:
		buf_add(out, BYTES_ARRAY(m->file_key));
		buf_add_u8(out, (uint8_t)m->recipient_count);
		for (size_t i = 0; i < m->recipient_count && i < AGE_STANZAS_MAX; i++)
			buf_add(out, BYTES_ARRAY(m->recipients[i].x25519));
		break;
	case MILL_OPEN:
	case MILL_CHECK:
		buf_add(out, BYTES_ARRAY(m->file_key));
		break;
	case MILL_DONE:
		buf_add_u8(out, m->ok);
		buf_add_field(out, m->error);
		buf_add_u16(out, m->reason);
		write_totals(&m->totals, out);
		break;
	case MILL_PROGRESS:
		buf_add_u64(out, m->bytes);
		break;
	}
}

static void read_seal(struct reader *r, struct mill_message *m)
{
	reader_copy(r, m->file_key, sizeof(m->file_key));
	m->recipient_count = reader_u8(r);
	if (m->recipient_count == 0 || m->recipient_count > AGE_STANZAS_MAX)
		reader_fail(r);
	for (size_t i = 0; reader_ok(r) && i < m->recipient_count; i++)
		reader_copy(r, m->recipients[i].x25519, sizeof(m->recipients[i].x25519));
}

bool mill_message_parse(struct bytes in, struct mill_message *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct mill_message m = { .type = (enum mill_message_type)reader_u8(&r), .job = reader_u64(&r) };

	switch (m.type) {
	case MILL_SEAL:
		read_seal(&r, &m);
		break;
	case MILL_OPEN:
	case MILL_CHECK:
		reader_copy(&r, m.file_key, sizeof(m.file_key));
		break;
	case MILL_DONE:
		m.ok = read_bool(&r);
		m.error = reader_field(&r, ERR_TEXT_BYTES_MAX);
		m.reason = reader_u16(&r);
		read_totals(&r, &m.totals);
		if (m.reason >= REASON_COUNT)
			reader_fail(&r);
		break;
	case MILL_PROGRESS:
		m.bytes = reader_u64(&r);
		break;
	default:
		reader_fail(&r);
	}
	if (!reader_done(&r, "message between mill and keeper", e))
		return false;
	*ret = m;
	return true;
}
