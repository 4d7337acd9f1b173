/* One shape for all: type, then every field that the type has. */
#include "daemon/parent-messages.h"

#include "base/reader.h"

void parent_message_write(const struct parent_message *m, struct buf *out)
{
	buf_add_u8(out, (uint8_t)m->type);
	switch (m->type) {
	case PARENT_READY:
	case PARENT_STOP:
		break;
	case PARENT_CHANNEL:
		buf_add_u8(out, m->role);
		buf_add_u32(out, m->restarts);
		buf_add_u32(out, m->pid);
		break;
	case PARENT_PAGE:
		buf_add_u64(out, m->cookie);
		buf_add_field(out, m->officer);
		buf_add_field(out, m->words);
		break;
	case PARENT_PAGED:
		buf_add_u64(out, m->cookie);
		buf_add_u8(out, m->exit_status);
		break;
	}
}

bool parent_message_parse(struct bytes in, struct parent_message *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct parent_message m = { .type = (enum parent_message_type)reader_u8(&r) };

	switch (m.type) {
	case PARENT_READY:
	case PARENT_STOP:
		break;
	case PARENT_CHANNEL:
		m.role = reader_u8(&r);
		m.restarts = reader_u32(&r);
		m.pid = reader_u32(&r);
		if (m.role >= ROLE_COUNT)
			reader_fail(&r);
		break;
	case PARENT_PAGE:
		m.cookie = reader_u64(&r);
		m.officer = reader_field(&r, PAGE_OFFICER_BYTES_MAX);
		m.words = reader_field(&r, PAGE_WORDS_BYTES_MAX);
		break;
	case PARENT_PAGED:
		m.cookie = reader_u64(&r);
		m.exit_status = reader_u8(&r);
		break;
	default:
		reader_fail(&r);
	}
	if (!reader_done(&r, "message of the parent", e))
		return false;
	*ret = m;
	return true;
}
