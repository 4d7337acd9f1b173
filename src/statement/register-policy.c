/* Which witnesses must have cosigned a party's log before anybody acts on what stands in it, and how old a proof
 * may be on arrival. The text is a C2SP tlog-policy; here it is bounded text, register/ parses it, because the log's
 * formats lie above this chapter. Stated by the secretariat like the entries; in effect from `from`, or from the
 * statement's own time when that is later: no policy reaches back. */
#include "statement/body.h"

static const struct member members[] = {
	M_TIME("from", "in effect from"),
	M_COUNT("max_age_s", 1, POLICY_AGE_S_MAX, "how old a proof may be, in seconds"),
	{ .name = "party", .type = MEMBER_TEXT, .min = 2, .max = PARTY_CODE_LEN_MAX, .words = "for the log of" },
	M_TEXT_MUST("policy", "witnesses and quorum"),
};
const struct shape register_policy_shape = SHAPE(members);

bool register_policy_parse(const json_t *body, struct err *e)
{
	struct bytes code;

	if (!body_parse(body, &register_policy_shape, e))
		return false;
	code = json_bytes(body, "party");
	for (size_t i = 0; i < code.len; i++)
		if (code.at[i] < 'A' || code.at[i] > 'Z')
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field party is not a party code (2 to %d letters A-Z)",
				       PARTY_CODE_LEN_MAX);
	return true;
}

void register_policy_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void register_policy_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &register_policy_shape, offset_minutes, out);
}
