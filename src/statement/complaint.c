/* What an officer publishes when a peer does not keep what it signed: no proof by the day that its receipt promised,
 * after a notice and a grace period; or a closing that does not fit ours. It names parties, tag, leaf, day and what
 * the peer signed, and nothing of the case: anybody may look for the tag in the peer's log (design.md part 10). */
#include "statement/body.h"

static const struct member members[] = {
	M_TEXT("closing", "closing that the party signed"),
	M_TIME_OR_NONE("due", "proof was due"),
	M_HASH_OR_NONE("head", "head that we have at that number"),
	M_HASH_OR_NONE("leaf", "leaf that the receipt promised"),
	{ .name = "n", .type = MEMBER_COUNT, .max = LETTER_NUMBER_MAX, .zero_is_none = true, .words = "number of the letter" },
	M_LINE_MUST("party", "party"),
	M_TEXT("receipt", "receipt that the party signed"),
	M_HASH_OR_NONE("tag", "tag in the party's log"),
	M_CHOICE("what", "overdue-proof|unequal-closing", "complaint"),
};
const struct shape complaint_shape = SHAPE(members);

bool complaint_parse(const json_t *body, struct err *e)
{
	static const char *const of_overdue[] = { "due", "leaf", "receipt", "tag" }, *const of_closing[] = { "closing", "head" };

	if (!body_parse(body, &complaint_shape, e))
		return false;
	bool overdue = bytes_is(json_bytes(body, "what"), "overdue-proof");
	for (size_t i = 0; i < sizeof(of_overdue) / sizeof(of_overdue[0]); i++)
		if ((json_bytes(body, of_overdue[i]).len > 0) != overdue)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a complaint about an overdue proof, and no other, has %s", of_overdue[i]);
	for (size_t i = 0; i < sizeof(of_closing) / sizeof(of_closing[0]); i++)
		if ((json_bytes(body, of_closing[i]).len > 0) == overdue)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a complaint about a closing, and no other, has %s", of_closing[i]);
	return true;
}

void complaint_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void complaint_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &complaint_shape, offset_minutes, out);
}
