/* A party erases what it holds of a request, and says so: on which basis, by when the keys are gone, and
 * the day on which the last backup of those keys dies (design.md part 10). The letter asks the other party
 * to erase its copy; it decides for itself and answers with an erasure of its own. It names no case and
 * nobody, because it is what stays. */
#include "statement/body.h"

#define STATEMENTS_MAX 1000000

static const struct member members[] = {
	M_TEXT_MUST("basis_text", "basis"),
	M_TIME("keys_gone", "keys are gone by"),
	M_LINE_MUST("last_backup_dies", "last key backup dies"),
	M_HASH_OR_NONE("order", "order"),
	M_ID("request", "request"),
	M_COUNT("statements", 1, STATEMENTS_MAX, "statements erased"),
};
const struct shape erasure_shape = SHAPE(members);

bool erasure_day(struct bytes day, int64_t *ret_ms)
{
	char text[TIME_TEXT_LEN + 1];

	if (day.len != ERASURE_DAY_LEN)
		return false;
	snprintf(text, sizeof(text), "%.*sT00:00:00.000Z", (int)day.len, (const char *)day.at);
	return time_parse(bytes_of(text), ret_ms);
}

bool erasure_parse(const json_t *body, struct err *e)
{
	int64_t day;

	return body_parse(body, &erasure_shape, e) &&
	       (erasure_day(json_bytes(body, "last_backup_dies"), &day) ||
		err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field last_backup_dies is not a day like 2026-12-25"));
}

void erasure_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	int64_t day = 0, gone = 0;

	if (s->case_ref[0] != '\0')
		finding_add(f, FINDING_STOP, "case", "", REASON_BAD_FIELD, "an erasure names no case: it is what stays");
	if (erasure_day(json_bytes(s->body, "last_backup_dies"), &day) && body_time(s->body, "keys_gone", &gone) &&
	    day + DAY_MS <= gone)
		finding_add(f, FINDING_STOP, "last_backup_dies", "", REASON_BAD_FIELD,
			    "the last key backup would die before the keys are gone");
}

void erasure_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &erasure_shape, offset_minutes, out);
}
