/* Times as people write them, brought to the one spelling before anything goes to the node: a plain date is its
 * first moment in UTC, a time may leave out seconds, and "+30d" counts from now. What is no time stays as it is:
 * the node says what it wants instead. */
#include "cli/draft-body.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "statement/statement.h"

bool draft_time_relative(const char *value, char out[static TIME_TEXT_LEN + 1])
{
	size_t len = strlen(value);
	char number[16];
	uint64_t n;
	int64_t unit;

	if ((value[0] != '+' && value[0] != '-') || len < 3 || len - 2 >= sizeof(number))
		return false;
	unit = value[len - 1] == 'd' ? DAY_MS : value[len - 1] == 'h' ? 3600000 : value[len - 1] == 'm' ? 60000 : 0;
	memcpy(number, value + 1, len - 2);
	number[len - 2] = '\0';
	if (unit == 0 || !num_parse_u64(number, 100000, &n))
		return false;
	time_write(clock_now_ms() + (value[0] == '-' ? -1 : 1) * (int64_t)n * unit, out);
	return true;
}

/* The shorter spellings are the long one with its end cut off; all but the plain date keep their Z. */
static bool completed(const char *value, char out[static TIME_TEXT_LEN + 1])
{
	static const char ends[] = "dddd-dd-ddT00:00:00.000Z";
	size_t len = strlen(value);
	int64_t ms;

	if (len == 17 || len == 20) {
		if (value[len - 1] != 'Z')
			return false;
		len--;
	} else if (len != 10) {
		return false;
	}
	memcpy(out, value, len);
	memcpy(out + len, ends + len, TIME_TEXT_LEN + 1 - len);
	return time_parse(bytes_of(out), &ms);
}

static void spell(json_t *object, const char *name)
{
	const char *value = json_text(object, name);
	char time[TIME_TEXT_LEN + 1];

	if (draft_time_relative(value, time) || completed(value, time))
		json_put_text(object, name, time);
}

void draft_body_times(const char *kind, json_t *body)
{
	const struct kind *k = kind_find(bytes_of(kind));

	if (k != NULL)
		statement_times(k, body, spell);
}
