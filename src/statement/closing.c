/* At the end of a quarter each of two nodes says how many letters it has received from the other and sent to it,
 * and the head of each chain (exchange/pairs.h). Two closings that differ at the same number show that one of them
 * left out, added or exchanged a letter (crypto.md 3.5, point 6). */
#include "statement/body.h"

static const struct member side_members[] = {
	M_HASH("head", "head of the chain"),
	M_COUNT("n", 0, LETTER_NUMBER_MAX, "letters"),
};
static const struct shape side_shape = SHAPE(side_members);

static const struct member members[] = {
	M_LINE_MUST("peer", "peer"),
	M_LINE_MUST("period", "period"),
	M_OBJECT("received", &side_shape, "received from the peer"),
	M_OBJECT("sent", &side_shape, "sent to the peer"),
};
const struct shape closing_shape = SHAPE(members);

bool closing_parse(const json_t *body, struct err *e)
{
	struct bytes p;

	if (!body_parse(body, &closing_shape, e))
		return false;
	p = json_bytes(body, "period");
	for (size_t i = 0; i < 4; i++)
		if (p.len != 7 || p.at[i] < '0' || p.at[i] > '9')
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "period: a quarter is written 2026-Q4");
	if (p.at[4] != '-' || p.at[5] != 'Q' || p.at[6] < '1' || p.at[6] > '4')
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "period: a quarter is written 2026-Q4");
	return true;
}

void closing_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
}

void closing_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &closing_shape, offset_minutes, out);
}
