/* All parsers of messages between roles. The first byte chooses; what parses must be written back the same, byte for
 * byte: a format has one spelling. */
#include <stdlib.h>
#include <string.h>

#include "daemon/courier-messages.h"
#include "daemon/door-messages.h"
#include "daemon/mill-messages.h"
#include "daemon/parent-messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct buf *out, struct bytes in)
{
	if (!buf_ok(out) || !bytes_equal(buf_bytes(out), in))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	struct bytes rest = bytes_slice(in, 1, size);
	struct door_message door;
	struct courier_message courier;
	struct mill_message mill;
	struct parent_message parent;
	AUTO_BUF out = { 0 };

	buf_init(&out, 16 * MIB);
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'd':
		if (door_message_parse(rest, &door, NULL)) {
			door_message_write(&door, &out);
			same(&out, rest);
		}
		break;
	case 'c':
		if (courier_message_parse(rest, &courier, NULL)) {
			courier_message_write(&courier, &out);
			same(&out, rest);
		}
		break;
	case 'm':
		if (mill_message_parse(rest, &mill, NULL)) {
			mill_message_write(&mill, &out);
			same(&out, rest);
		}
		break;
	case 'p':
		if (parent_message_parse(rest, &parent, NULL)) {
			parent_message_write(&parent, &out);
			same(&out, rest);
		}
		break;
	default:
		break;
	}
	return 0;
}
