/* What the other side says to a request: acknowledging it, answering it, ordering the measure. Each drafts
 * its statement; with --as and --key it is signed and sent in one go. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/draft-body.h"
#include "cli/draft.h"
#include "cli/output.h"

#define ORDER_DAYS_MAX 3650u

/* What the kinds of answers have in common; `role` signs. in is filled from the request. */
static int answer_with(const struct args *a, const char *kind, const char *role,
		       bool (*fill)(const struct args *a, json_t *body, struct err *e))
{
	AUTO_CLIENT *c = NULL;
	AUTO_REQUEST_SEEN request = { 0 };
	AUTO_JSON *body = NULL;
	struct err e;

	if (!client_open(a, &c, &e) || !request_seen_load(c, a->positional[0], &request, &e) ||
	    !draft_body_form(kind, &body, &e))
		return command_failed(&e);
	json_put_text(body, "request", request.id);
	if (!fill(a, body, &e))
		return command_failed(&e);
	draft_body_finish(body);
	draft_body_times(kind, body);
	return draft_run(a, c, draft_input(kind, &request, json_incref(body)), role);
}

static void put_option(const struct args *a, json_t *body, const char *option, const char *member)
{
	const char *value = args_value(a, option);

	if (value != NULL)
		json_put_text(body, member, value);
}

/* --- acknowledge ------------------------------------------------------------------------------- */

const struct option acknowledge_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN,
	{ "officer", 0, OPTION_VALUE, "NAME", "who took it on, when it is not who signs" },
	{ "words", 0, OPTION_VALUE, "TEXT", "what is told to the other contact point" },
	OPTION_END,
};

static bool fill_acknowledgement(const struct args *a, json_t *body, struct err *e)
{
	put_option(a, body, "as", "officer");
	put_option(a, body, "officer", "officer");
	put_option(a, body, "words", "note");
	return json_text(body, "officer")[0] != '\0' ||
	       err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "who acknowledges? give --as NAME --key FILE, or --officer NAME");
}

int acknowledge_command(const struct args *a)
{
	return answer_with(a, "acknowledgement", "duty-officer", fill_acknowledgement);
}

/* --- answers ----------------------------------------------------------------------------------- */

#define OPTIONS_ANSWER                                                                                        \
	OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN,                                                 \
		{ "reasons", 0, OPTION_VALUE, "TEXT", "reasons, or what is asked or said" },                  \
		{ "consultation", 0, OPTION_VALUE, "TEXT", "how the other side was consulted (40(28))" },     \
		{ "condition", 0, OPTION_MANY, "TEXT", "condition; \"40(19): ...\" cites its clause" }

const struct option answer_options[] = {
	OPTIONS_ANSWER,
	{ "hold", 0, OPTION_VALUE, "TIME", "until when the data are held, also +60d" },
	OPTION_END,
};
const struct option refuse_options[] = {
	OPTIONS_ANSWER,
	{ "ground", 0, OPTION_VALUE, "CODE", "ground of refusal (request grounds ID lists them)" },
	{ "instrument", 0, OPTION_VALUE, "TEXT", "instrument relied on, for a ground outside the Convention" },
	OPTION_END,
};
const struct option postpone_options[] = {
	OPTIONS_ANSWER,
	{ "ground", 0, OPTION_VALUE, "CODE", "ground of postponement" },
	{ "until", 0, OPTION_VALUE, "TIME", "when it is looked at again (40(27)), also +30d" },
	OPTION_END,
};
const struct option unable_options[] = {
	OPTIONS_ANSWER,
	{ "no-data", 0, OPTION_FLAG, NULL, "it was looked for and there is none" },
	OPTION_END,
};

static bool fill_answer(const struct args *a, json_t *body, const char *outcome, struct err *e)
{
	json_put_text(body, "outcome", outcome);
	put_option(a, body, "reasons", "reasons");
	put_option(a, body, "consultation", "consultation");
	json_put_bool(body, "consulted", args_has(a, "consultation"));
	json_put(body, "conditions", json_array());
	for (size_t i = 0; args_many(a, "condition", i) != NULL; i++)
		if (!draft_body_condition(body, args_many(a, "condition", i), e))
			return false;
	return true;
}

static bool fill_accepted(const struct args *a, json_t *body, struct err *e)
{
	return fill_answer(a, body, args_has(a, "condition") ? "accepted-with-conditions" : "accepted", e) &&
	       (!args_has(a, "hold") || draft_body_set_text(body, "hold_until", args_value(a, "hold"), e));
}

static bool fill_refused(const struct args *a, json_t *body, struct err *e)
{
	put_option(a, body, "ground", "ground");
	put_option(a, body, "instrument", "instrument");
	return fill_answer(a, body, "refused", e);
}

static bool fill_postponed(const struct args *a, json_t *body, struct err *e)
{
	put_option(a, body, "ground", "ground");
	return fill_answer(a, body, "postponed", e) &&
	       (!args_has(a, "until") || draft_body_set_text(body, "review_date", args_value(a, "until"), e));
}

static bool fill_unable(const struct args *a, json_t *body, struct err *e)
{
	return fill_answer(a, body, args_has(a, "no-data") ? "no-data" : "unable", e);
}

static bool fill_information(const struct args *a, json_t *body, struct err *e)
{
	return fill_answer(a, body, "more-information", e);
}

static bool fill_redirected(const struct args *a, json_t *body, struct err *e)
{
	return fill_answer(a, body, "redirected", e);
}

static bool fill_withdrawn(const struct args *a, json_t *body, struct err *e)
{
	return fill_answer(a, body, "withdrawn", e);
}

int accept_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_accepted);
}

int refuse_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_refused);
}

int postpone_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_postponed);
}

int inform_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_information);
}

int redirect_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_redirected);
}

int unable_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_unable);
}

int withdraw_command(const struct args *a)
{
	return answer_with(a, "answer", "authority", fill_withdrawn);
}

/* --- orders ------------------------------------------------------------------------------------ */

const struct option order_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN,
	{ "measure", 'm', OPTION_VALUE, "preserve|disclose", "what is ordered; disclosure needs the court (24(2))" },
	{ "expires", 0, OPTION_VALUE, "DAYS", "days until the order expires (preservation: at most 90, 25(2))" },
	{ "body", 0, OPTION_VALUE, "NAME", "which body made the order" },
	{ "body-kind", 0, OPTION_VALUE, "KIND", "court, independent, prosecutor or police" },
	{ "grounds", 0, OPTION_VALUE, "TEXT", "grounds that justify the measure (24(2))" },
	{ "scope", 0, OPTION_VALUE, "TEXT", "what the measure is limited to (24(2))" },
	{ "proportionality", 0, OPTION_VALUE, "TEXT", "why it is proportionate (24(1))" },
	{ "remedy", 0, OPTION_VALUE, "TEXT", "which remedy there is (24(2))" },
	{ "instrument", 0, OPTION_VALUE, "TEXT", "domestic law that it rests on" },
	{ "renews", 0, OPTION_VALUE, "HASH", "order that this one renews" },
	OPTION_END,
};

static bool fill_order(const struct args *a, json_t *body, struct err *e)
{
	uint64_t days = 0;
	int64_t expires;

	if (!args_has(a, "measure") || !args_has(a, "body") || !args_has(a, "body-kind"))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "an order needs --measure, --body and --body-kind");
	if (!args_has(a, "expires") || !num_parse_u64(args_value(a, "expires"), ORDER_DAYS_MAX, &days))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--expires wants a number of days");
	expires = clock_now_ms() + (int64_t)days * DAY_MS;
	json_put_time(body, "expires", expires);
	json_put_time(body, "duration_until", expires);
	put_option(a, body, "measure", "measure");
	put_option(a, body, "body", "authorising_body");
	put_option(a, body, "body-kind", "body_kind");
	put_option(a, body, "grounds", "grounds");
	put_option(a, body, "scope", "scope");
	put_option(a, body, "proportionality", "proportionality");
	put_option(a, body, "remedy", "remedy");
	put_option(a, body, "instrument", "instrument");
	put_option(a, body, "renews", "previous");
	return true;
}

int order_command(const struct args *a)
{
	const char *measure = args_value(a, "measure");
	bool disclose = measure != NULL && bytes_is(bytes_of(measure), "disclose");

	return answer_with(a, "order", disclose ? "court" : "authority", fill_order);
}

/* --- erasure ----------------------------------------------------------------------------------- */

const struct option erase_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "reason", 0, OPTION_VALUE, "TEXT", "why it is erased; it stays, so it names nobody" },
	{ "order", 0, OPTION_VALUE, "HASH", "statement that orders it" },
	OPTION_END,
};

/* Two people approve it, so it is only drafted here; the node fills in by when the keys are gone. */
int erase_command(const struct args *a)
{
	AUTO_REQUEST_SEEN request = { 0 };
	AUTO_JSON *body = NULL, *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (!args_has(a, "reason")) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "an erasure says why: --reason TEXT");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e) || !request_seen_load(c, a->positional[0], &request, &e) || !draft_body_form("erasure", &body, &e))
		return command_failed(&e);
	json_put_text(body, "request", request.id);
	put_option(a, body, "reason", "basis_text");
	put_option(a, body, "order", "order");
	if (!client_call(c, "draft-new", draft_input("erasure", &request, json_incref(body)), &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, draft_print);
}
