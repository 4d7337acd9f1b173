/* The answer to a request. What an outcome needs is a table: a refusal its ground and reasons (40(25)),
 * a postponement its review date (40(27)), a question the question (40(16)). Whether the ground applies
 * to this kind of request is asked in safeguard/, where the request is known. */
#include "statement/body.h"

static const struct member condition_members[] = {
	M_LINE("clause", "under"),
	M_LINE_MUST("kind", "kind"),
	M_TEXT_MUST("text", "condition"),
};
static const struct shape condition_shape = SHAPE(condition_members);

static const struct member members[] = {
	M_LIST("conditions", &condition_shape, 0, "condition"),
	M_FLAG("consulted", "the requesting party was consulted (40(28))"),
	M_TEXT("consultation", "consultation"),
	M_LINE("ground", "ground"),
	M_TIME_OR_NONE("hold_until", "data are held until"),
	M_LINE("instrument", "instrument relied on"),
	M_CHOICE("outcome",
		 "accepted|accepted-with-conditions|more-information|redirected|unable|no-data|postponed|refused|withdrawn",
		 "outcome"),
	M_TEXT("reasons", "reasons"),
	M_ID("request", "request"),
	M_TIME_OR_NONE("review_date", "to be reviewed"),
};
const struct shape answer_shape = SHAPE(members);

bool answer_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &answer_shape, e);
}

static const struct {
	const char *outcome, *field, *clause, *sentence;
} needed[] = {
	{ "refused", "ground", "40(25)", "a refusal names its ground: choose one that the legal basis knows" },
	{ "refused", "reasons", "40(25)", "reasons shall be given for every refusal" },
	{ "postponed", "review_date", "40(27)", "a postponement says when it is looked at again" },
	{ "postponed", "reasons", "40(25)", "say with which investigation or proceeding it would interfere" },
	{ "more-information", "reasons", "40(16)", "say what further information is needed" },
	{ "redirected", "reasons", "40(12)", "say which authority is competent" },
	{ "unable", "reasons", "42(7)", "say why it cannot be done, so that the requesting party can decide what to do" },
	{ "accepted-with-conditions", "conditions", "40(28)", "state at least one condition" },
};

static void check_ground(const struct statement *s, const struct treaty *t, struct findings *f)
{
	struct bytes code = json_bytes(s->body, "ground");
	const struct treaty_ground *ground = treaty_ground(t, bytes_of(s->legal_basis), code);

	if (ground == NULL) {
		finding_add(f, FINDING_STOP, "ground", "", REASON_NOT_A_GROUND,
			    "this is no ground of refusal under the legal basis %s", s->legal_basis);
		return;
	}
	if (ground->other)
		body_must_text(s->body, "instrument", "", f,
			       "cite the instrument and article that allow this refusal");
}

void answer_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	struct bytes outcome = json_bytes(s->body, "outcome");
	bool negative = bytes_is(outcome, "refused") || bytes_is(outcome, "postponed");
	int64_t review;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (bytes_is(outcome, needed[i].outcome) &&
		    !body_is_filled(json_object_get(s->body, needed[i].field)))
			finding_add(f, FINDING_STOP, needed[i].field, needed[i].clause, REASON_MISSING_FIELD, "%s",
				    needed[i].sentence);
	if (json_bool(s->body, "consulted"))
		body_must_text(s->body, "consultation", "40(28)", f,
			       "say when and with whom it was consulted, and what came of it");
	if (t != NULL && negative && json_bytes(s->body, "ground").len > 0)
		check_ground(s, t, f);
	if (!negative && json_bytes(s->body, "ground").len > 0)
		finding_add(f, FINDING_STOP, "ground", "40(25)", REASON_BAD_FIELD,
			    "only a refusal or a postponement has a ground");
	if (body_time(s->body, "review_date", &review) && review <= s->time)
		finding_add(f, FINDING_STOP, "review_date", "40(27)", REASON_BAD_FIELD,
			    "the review date lies before the answer");
}

void answer_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &answer_shape, offset_minutes, out);
}
