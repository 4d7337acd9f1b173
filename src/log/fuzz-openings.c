/* Openings that other logs publish: a head, then one line per leaf; what parses is written back as the same line. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/reader.h"
#include "log/openings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct buf *again, struct bytes line)
{
	if (!buf_ok(again) || again->len != line.len + 1 || memcmp(again->at, line.at, line.len) != 0 || again->at[line.len] != '\n')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t leaf[LEAF_V1_BYTES] = { 0 };
	struct reader r = reader_over(bytes_from(data, size));
	struct openings_head h;
	struct class_opening o;
	int64_t from, until;
	char period[PERIOD_TEXT_LEN + 1];

	if (period_parse(r.in, &from, &until)) {
		period_of(from, period);
		if (until <= from || !bytes_is(r.in, period))
			abort();
	}

	for (bool first = true; reader_ok(&r) && reader_left(&r) > 0; first = false) {
		struct bytes line = reader_line(&r, OPENINGS_LINE_BYTES_MAX);
		AUTO_BUF again = { 0 };

		buf_init(&again, 4 * KIB);
		if (!reader_ok(&r))
			break;
		if (first && openings_head_parse(line, &h, NULL)) {
			openings_head_write(&h, &again);
			same(&again, line);
		} else if (!first && class_opening_parse(line, &o, NULL)) {
			class_opening_write(&o, &again);
			same(&again, line);
			if (class_opening_check(&o, BYTES_ARRAY(leaf), NULL))
				abort();
		}
	}
	return 0;
}
