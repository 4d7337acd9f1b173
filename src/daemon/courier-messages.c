/* Messages between keeper and courier. One shape for all: type, job, then every field that the type has. */
#include "daemon/courier-messages.h"

#include <string.h>

#include "base/reader.h"

#define CONTENT_TYPE_BYTES_MAX 128u
/* Letters go out, registers come in. */
#define BODY_BYTES_MAX (REGISTER_BYTES_MAX + MIB)

void courier_message_write(const struct courier_message *m, struct buf *out)
{
	buf_add_u8(out, (uint8_t)m->type);
	buf_add_u64(out, m->job);
	switch (m->type) {
	case COURIER_FETCH:
		buf_add_u8(out, m->post);
		buf_add_u8(out, m->show_certificate);
		buf_add_u8(out, m->any_server);
		buf_add(out, BYTES_ARRAY(m->pin));
		buf_add_field(out, m->url);
		buf_add_field(out, m->content_type);
		buf_add_field(out, m->body);
		buf_add_u64(out, m->range_from);
		buf_add_u64(out, m->bytes_max);
		buf_add_u32(out, m->timeout_ms);
		buf_add_u64(out, m->after);
		break;
	case COURIER_FETCHED:
		buf_add_u8(out, m->ok);
		buf_add_u16(out, m->status);
		buf_add_field(out, m->error);
		buf_add_u64(out, m->begun_us);
		buf_add_field(out, m->content_type);
		buf_add_field(out, m->body);
		buf_add_u64(out, m->written);
		break;
	case COURIER_PROGRESS:
		buf_add_u64(out, m->written);
		break;
	case COURIER_CANCEL:
		break;
	}
}

static bool read_bool(struct reader *r)
{
	uint8_t v = reader_u8(r);

	if (v > 1)
		reader_fail(r);
	return v == 1;
}

static bool is_zero(const uint8_t pin[static 32])
{
	static const uint8_t zero[32];

	return memcmp(pin, zero, sizeof(zero)) == 0;
}

bool courier_message_parse(struct bytes in, struct courier_message *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct courier_message m = { .type = (enum courier_message_type)reader_u8(&r), .job = reader_u64(&r) };

	switch (m.type) {
	case COURIER_FETCH:
		m.post = read_bool(&r);
		m.show_certificate = read_bool(&r);
		m.any_server = read_bool(&r);
		reader_copy(&r, m.pin, sizeof(m.pin));
		m.url = reader_field(&r, COURIER_URL_BYTES_MAX);
		m.content_type = reader_field(&r, CONTENT_TYPE_BYTES_MAX);
		m.body = reader_field(&r, BODY_BYTES_MAX);
		m.range_from = reader_u64(&r);
		m.bytes_max = reader_u64(&r);
		m.timeout_ms = reader_u32(&r);
		m.after = reader_u64(&r);
		/* A pin or any server, never both, and never our name for nobody in particular. */
		if (m.any_server != is_zero(m.pin) || (m.any_server && m.show_certificate))
			reader_fail(&r);
		break;
	case COURIER_FETCHED:
		m.ok = read_bool(&r);
		m.status = reader_u16(&r);
		m.error = reader_field(&r, ERR_TEXT_BYTES_MAX);
		m.begun_us = reader_u64(&r);
		m.content_type = reader_field(&r, CONTENT_TYPE_BYTES_MAX);
		m.body = reader_field(&r, BODY_BYTES_MAX);
		m.written = reader_u64(&r);
		break;
	case COURIER_PROGRESS:
		m.written = reader_u64(&r);
		break;
	case COURIER_CANCEL:
		break;
	default:
		reader_fail(&r);
	}
	if (!reader_done(&r, "message between courier and keeper", e))
		return false;
	*ret = m;
	return true;
}
