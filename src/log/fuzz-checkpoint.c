/* Checkpoints from outside: what parses is written back as the same bytes, up to extension lines, which
 * are ignored. */
#include <stdlib.h>
#include <string.h>

#include "log/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	struct checkpoint c;
	struct note_key key = { .name = "xa.example/log", .type = NOTE_ED25519 };
	AUTO_BUF again = { 0 };

	buf_init(&again, 1024);
	if (checkpoint_verify(in, &key, &c, NULL))
		abort();
	if (!checkpoint_parse(in, &c, NULL))
		return 0;
	checkpoint_write(&c, &again);
	if (!buf_ok(&again) || again.len > in.len || !bytes_equal(buf_bytes(&again), bytes_slice(in, 0, again.len)))
		abort();
	return 0;
}
