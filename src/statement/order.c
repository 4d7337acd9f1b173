/* A domestic order: what a body of the requested party decided, so that a measure may be carried out there
 * (arts 24 to 28, and for requests from abroad 24(4)). Preservation lasts at most 90 days and is renewed
 * by an order that names the one before (25(2)); disclosure is signed by the court or independent body
 * (24(2)), which is why its approvals depend on the measure. */
#include "statement/body.h"

static const struct member members[] = {
	M_LINE("authorising_body", "ordered by"),
	M_CHOICE("body_kind", "court|independent|prosecutor|police", "which is"),
	M_TIME("duration_until", "measure lasts until"),
	M_TIME("expires", "order expires"),
	M_TEXT("grounds", "grounds (24(2))"),
	M_LINE("instrument", "domestic law"),
	M_CHOICE("measure", "preserve|disclose", "measure"),
	M_HASH_OR_NONE("previous", "renews order"),
	M_TEXT("proportionality", "proportionality (24(1))"),
	M_TEXT("remedy", "remedy (24(2))"),
	M_ID("request", "request"),
	M_TEXT("scope", "scope (24(2))"),
};
const struct shape order_shape = SHAPE(members);

bool order_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &order_shape, e);
}

unsigned order_approvals_of(const json_t *body)
{
	return 1u << (bytes_is(json_bytes(body, "measure"), "disclose") ? APPROVAL_COURT : APPROVAL_AUTHORITY);
}

static void check_times(const struct statement *s, const struct treaty *t, struct findings *f)
{
	int64_t expires = 0, until = 0;

	if (!body_time(s->body, "expires", &expires) || !body_time(s->body, "duration_until", &until))
		return;
	if (expires <= s->time)
		finding_add(f, FINDING_STOP, "expires", "", REASON_BAD_FIELD, "the order would expire before it is made");
	if (until > expires)
		finding_add(f, FINDING_STOP, "duration_until", "24(2)", REASON_BAD_FIELD,
			    "the measure would last longer than the order that allows it");
	if (t != NULL && bytes_is(json_bytes(s->body, "measure"), "preserve") && expires > s->time) {
		int64_t days = treaty_constant(t, "order_days_max");

		if (expires - s->time > days * DAY_MS)
			finding_add(f, FINDING_STOP, "expires", treaty_constant_clause(t, "order_days_max"),
				    REASON_BAD_FIELD,
				    "a preservation order lasts at most %lld days; renew it with a further order",
				    (long long)days);
	}
}

void order_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	static const struct {
		const char *field, *clause, *sentence;
	} needed[] = {
		{ "authorising_body", "24(2)", "say which body made the order" },
		{ "grounds", "24(2)", "say on which grounds the measure is justified" },
		{ "scope", "24(2)", "say what the measure is limited to" },
		{ "proportionality", "24(1)", "say why the measure is proportionate" },
		{ "remedy", "24(2)", "say which remedy there is against the measure" },
		{ "instrument", "24(2)", "cite the domestic law that the order rests on" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		body_must_text(s->body, needed[i].field, needed[i].clause, f, needed[i].sentence);
	check_times(s, t, f);
}

void order_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &order_shape, offset_minutes, out);
}
