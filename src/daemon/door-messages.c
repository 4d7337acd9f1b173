/* Messages between door and keeper. One shape for all: type, call, then every field that the type has. */
#include "daemon/door-messages.h"

#include "base/reader.h"
#include "base/text.h"

#define CONTENT_TYPE_BYTES_MAX 128u
#define BODY_BYTES_MAX (LETTER_BATCH_BYTES_MAX > HTTP_BODY_BYTES_MAX ? LETTER_BATCH_BYTES_MAX : HTTP_BODY_BYTES_MAX)
/* What the keeper answers may be larger than what it is asked: a register. */
#define REPLY_BYTES_MAX (REGISTER_BYTES_MAX + MIB)

static void write_call(const struct door_message *m, struct buf *out)
{
	buf_add_u8(out, (uint8_t)m->caller);
	buf_add_u8(out, (uint8_t)m->method);
	buf_add(out, BYTES_ARRAY(m->spki));
	buf_add_u32(out, m->uid);
	buf_add_field(out, m->path);
	buf_add_field(out, m->query);
	buf_add_field(out, m->body);
	buf_add_u64(out, m->content_length);
}

static void write_reply(const struct door_message *m, struct buf *out)
{
	buf_add_u16(out, m->status);
	buf_add_field(out, m->content_type);
	buf_add_u8(out, m->cacheable);
	buf_add_u8(out, m->ranges);
	buf_add_u64(out, m->offset);
	buf_add_u64(out, m->length);
	buf_add_field(out, m->body);
}

void door_message_write(const struct door_message *m, struct buf *out)
{
	buf_add_u8(out, (uint8_t)m->type);
	buf_add_u64(out, m->call);
	switch (m->type) {
	case DOOR_CALL:
		write_call(m, out);
		break;
	case DOOR_REPLY:
	case DOOR_STREAM:
		write_reply(m, out);
		break;
	case DOOR_PIPE:
	case DOOR_GONE:
		break;
	case DOOR_PINS:
		buf_add_field(out, m->pins);
		break;
	case DOOR_BODY_END:
		buf_add_u8(out, m->ok);
		buf_add_u64(out, m->received);
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

static void read_call(struct reader *r, struct door_message *m)
{
	m->caller = (enum door_caller)reader_u8(r);
	m->method = (enum door_method)reader_u8(r);
	reader_copy(r, m->spki, sizeof(m->spki));
	m->uid = reader_u32(r);
	m->path = reader_field(r, DOOR_PATH_BYTES_MAX);
	m->query = reader_field(r, DOOR_QUERY_BYTES_MAX);
	m->body = reader_field(r, BODY_BYTES_MAX);
	m->content_length = reader_u64(r);
	if (m->caller < CALLER_PEER || m->caller > CALLER_LOCAL || m->method < METHOD_GET || m->method > METHOD_PUT)
		reader_fail(r);
}

static void read_reply(struct reader *r, struct door_message *m)
{
	m->status = reader_u16(r);
	m->content_type = reader_field(r, CONTENT_TYPE_BYTES_MAX);
	m->cacheable = read_bool(r);
	m->ranges = read_bool(r);
	m->offset = reader_u64(r);
	m->length = reader_u64(r);
	m->body = reader_field(r, REPLY_BYTES_MAX);
	if (m->status < 200 || m->status > 599)
		reader_fail(r);
}

bool door_message_parse(struct bytes in, struct door_message *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct door_message m = { .type = (enum door_message_type)reader_u8(&r), .call = reader_u64(&r) };

	switch (m.type) {
	case DOOR_CALL:
		read_call(&r, &m);
		break;
	case DOOR_REPLY:
	case DOOR_STREAM:
		read_reply(&r, &m);
		break;
	case DOOR_PIPE:
	case DOOR_GONE:
		break;
	case DOOR_PINS:
		m.pins = reader_field(&r, DOOR_PINS_MAX * SHA256_BYTES);
		if (m.pins.len % SHA256_BYTES != 0)
			reader_fail(&r);
		break;
	case DOOR_BODY_END:
		m.ok = read_bool(&r);
		m.received = reader_u64(&r);
		break;
	default:
		reader_fail(&r);
	}
	if (!reader_done(&r, "message between door and keeper", e))
		return false;
	*ret = m;
	return true;
}
