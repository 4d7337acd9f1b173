/* Requests, ours and theirs: forms, drafts, the list, one request with all that happened, waiting. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/draft.h"
#include "cli/output.h"
#include "cli/request-show.h"
#include "cli/treaty-folder.h"
#include "statement/statement.h"

#define WAIT_SECONDS_DEFAULT 30u
#define WAIT_STEP_MS 150

static const struct option plain_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static json_t *named(const char *member, const char *value)
{
	json_t *v = json_object();

	json_put_text(v, member, value);
	return v;
}

/* --- form -------------------------------------------------------------------------------------- */

static int form_command(const struct args *a)
{
	const struct kind *k = kind_find(bytes_of(a->positional[0]));
	struct treaty *t = NULL;
	struct err e;
	AUTO_BUF text = { 0 };
	bool ok;

	buf_init(&text, MIB);
	if (k == NULL)
		ok = err_set(&e, ERR_INPUT, REASON_UNKNOWN_KIND, "there is no kind \"%s\"", a->positional[0]);
	else
		ok = treaty_load_here(&t, &e) && statement_form(k, t, &text, &e) && output_write(&text, &e);
	treaty_free(t);
	return command_ended(ok, &e);
}

/* --- drafts ------------------------------------------------------------------------------------ */

static void print_check(const json_t *v, struct buf *out)
{
	const json_t *missing = json_object_get(v, "approvals_missing"), *there = json_object_get(v, "approvals_there");

	output_findings(out, json_object_get(v, "findings"));
	for (size_t i = 0; i < json_array_size(there); i++) {
		const json_t *p = json_array_get(there, i);

		buf_add_text(out, "approved by ");
		output_printable(out, json_text(p, "approver"));
		buf_add_format(out, " (%s)\n", json_text(p, "role"));
	}
	for (size_t i = 0; i < json_array_size(missing); i++)
		output_member(out, "still to be approved by", json_string_value(json_array_get(missing, i)));
}

static const struct option check_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "step", 0, OPTION_VALUE, "STEP", "draft (default) or send" },
	OPTION_END,
};

/* 1 when something stops the draft, so that a script can ask. */
static int check_command(const struct args *a)
{
	AUTO_JSON *in = named("draft", a->positional[0]), *answer = NULL;
	AUTO_CLIENT *c = NULL;
	const json_t *findings;
	struct err e;
	int status;

	if (args_has(a, "step"))
		json_put_text(in, "step", args_value(a, "step"));
	if (!client_open(a, &c, &e) || !client_call(c, "draft-check", json_incref(in), &answer, &e))
		return command_failed(&e);
	status = output_value(a, answer, print_check);
	findings = json_object_get(answer, "findings");
	for (size_t i = 0; status == 0 && i < json_array_size(findings); i++)
		if (bytes_is(json_bytes(json_array_get(findings, i), "severity"), "stop"))
			status = err_exit_status(ERR_REJECTED);
	return status;
}

static int send_command(const struct args *a)
{
	AUTO_JSON *sent = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (!client_open(a, &c, &e) || !draft_hand_in(c, a->positional[0], &sent, &e))
		return command_failed(&e);
	return output_value(a, sent, draft_print_sent);
}

static void print_nothing(const json_t *v, struct buf *out)
{
}

static int drop_command(const struct args *a)
{
	return output_call(a, "draft-drop", named("draft", a->positional[0]), print_nothing);
}

static void print_drafts(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "drafts");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);

		buf_add_format(out, "%s  %-22s to %-4s ", json_text(d, "draft"), json_text(d, "kind"), json_text(d, "to"));
		output_printable(out, json_text(d, "case"));
		buf_add_text(out, "  ");
		output_printable(out, json_text(d, "officer"));
		buf_add_u8(out, '\n');
	}
}

static int drafts_command(const struct args *a)
{
	return output_call(a, "draft-list", NULL, print_drafts);
}

static void print_text(const json_t *v, struct buf *out)
{
	output_lines(out, json_text(v, "text"));
}

static int preview_command(const struct args *a)
{
	return output_call(a, "draft-show", named("draft", a->positional[0]), print_text);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void print_request_line(const json_t *r, struct buf *out)
{
	char time[TIME_TEXT_LEN + 1];

	snprintf(time, sizeof(time), "%s", json_text(r, "created"));
	buf_add_format(out, "%s  %-20s  %-8s %-5s %-18s %.10s %.5s  ", json_text(r, "id"), json_text(r, "kind"),
		       json_bool(r, "asked") ? "they ask" : "we ask", json_text(r, "peer"), json_text(r, "state"), time, time + 11);
	output_printable(out, json_text(r, "case"));
	buf_add_u8(out, '\n');
}

static void print_list(const json_t *v, const char *none, struct buf *out)
{
	const json_t *list = json_object_get(v, "requests");

	if (json_array_size(list) == 0)
		buf_add_text(out, none);
	else
		buf_add_format(out, "%-32s  %-20s  %-8s %-5s %-18s %-16s  %s\n", "request", "kind", "who asks", "party", "state",
			       "began (UTC)", "case");
	for (size_t i = 0; i < json_array_size(list); i++)
		print_request_line(json_array_get(list, i), out);
}

static void print_requests(const json_t *v, struct buf *out)
{
	print_list(v, "no requests\n", out);
}

static void print_inbox(const json_t *v, struct buf *out)
{
	print_list(v, "nothing open\n", out);
}

static const struct option list_options[] = {
	OPTION_HOME, OPTION_JSON, { "open", 0, OPTION_FLAG, NULL, "only those that still need somebody" }, OPTION_END,
};

static int list_command(const struct args *a)
{
	json_t *in = json_object();

	json_put_bool(in, "open", args_has(a, "open"));
	return output_call(a, "request-list", in, print_requests);
}

/* Open requests of others. */
static int inbox_command(const struct args *a)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	AUTO_CLIENT *c = NULL;
	json_t *list;
	struct err e;

	json_put_bool(in, "open", true);
	if (!client_open(a, &c, &e) || !client_call(c, "request-list", json_incref(in), &answer, &e))
		return command_failed(&e);
	list = json_object_get(answer, "requests");
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!json_bool(json_array_get(list, i), "asked"))
			(void)json_array_remove(list, i);
	return output_value(a, answer, print_inbox);
}

static int show_command(const struct args *a)
{
	return output_call(a, "request-show", named("id", a->positional[0]), request_print);
}

static void print_grounds(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "grounds");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);

		buf_add_format(out, "%-14s %-10s ", json_text(g, "code"), json_text(g, "clause"));
		output_printable(out, json_text(g, "words"));
		if (json_text(g, "needs")[0] != '\0') {
			buf_add_text(out, "; needs: ");
			output_printable(out, json_text(g, "needs"));
		}
		if (!certainty_is_checked(json_text(g, "certainty")))
			buf_add_text(out, " [unchecked]");
		buf_add_u8(out, '\n');
	}
	if (json_array_size(list) == 0)
		buf_add_text(out, "no ground of refusal exists for this request\n");
}

static int grounds_command(const struct args *a)
{
	AUTO_JSON *in = named("id", a->positional[0]), *answer = NULL, *only = json_object();
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (!client_open(a, &c, &e) || !client_call(c, "request-show", json_incref(in), &answer, &e))
		return command_failed(&e);
	if (json_is_array(json_object_get(answer, "grounds")))
		json_put(only, "grounds", json_incref(json_object_get(answer, "grounds")));
	return output_value(a, only, print_grounds);
}

/* --- waiting ----------------------------------------------------------------------------------- */

static const struct option wait_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "state", 0, OPTION_VALUE, "STATE[,STATE...]", "wait until the request is in one of these" },
	{ "timeout", 't', OPTION_VALUE, "S", "give up after so many seconds (default 30)" },
	OPTION_END,
};

static void print_state(const json_t *v, struct buf *out)
{
	output_member(out, "state", json_text(v, "state"));
}

static bool state_is_one_of(const json_t *shown, const char *wanted)
{
	for (struct bytes rest = bytes_of(wanted); rest.len > 0;)
		if (bytes_equal(bytes_cut(&rest, ','), json_bytes(shown, "state")))
			return true;
	return false;
}

/* Looks once; ret is left alone while the request is not known, or not in a wanted state. */
static bool wait_look(struct client *c, const char *id, const char *wanted, char seen[static 40], json_t **ret, struct err *e)
{
	AUTO_JSON *shown = NULL;

	if (!client_call(c, "request-show", named("id", id), &shown, e))
		return e->kind == ERR_NOT_FOUND || e->kind == ERR_UNAVAILABLE;
	snprintf(seen, 40, "%s", json_text(shown, "state"));
	if (state_is_one_of(shown, wanted))
		*ret = json_incref(shown);
	return true;
}

static int wait_command(const struct args *a)
{
	const char *wanted = args_value(a, "state");
	uint64_t seconds = WAIT_SECONDS_DEFAULT;
	struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	char seen[40] = "not known here";
	AUTO_JSON *shown = NULL;
	AUTO_CLIENT *c = NULL;
	int64_t until;
	struct err e;

	if (wanted == NULL || (args_has(a, "timeout") && !num_parse_u64(args_value(a, "timeout"), 86400, &seconds))) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "wait needs --state STATE, and --timeout a number of seconds");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e))
		return command_failed(&e);
	until = clock_monotonic_us() + (int64_t)seconds * 1000000;
	for (;;) {
		if (!wait_look(c, a->positional[0], wanted, seen, &shown, &e))
			return command_failed(&e);
		if (shown != NULL)
			return output_value(a, shown, print_state);
		if (clock_monotonic_us() >= until)
			break;
		(void)nanosleep(&step, NULL);
	}
	(void)err_set(&e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "request %s is \"%s\" after %" PRIu64 " s, not \"%s\"",
		      a->positional[0], seen, seconds, wanted);
	return command_failed(&e);
}

#define ONE_ID .arguments = "REQUEST", .positional_min = 1, .positional_max = 1
#define ONE_DRAFT .arguments = "DRAFT", .positional_min = 1, .positional_max = 1
#define NO_WORDS .arguments = ""

const struct command request_commands[] = {
	{ .name = "form", .words = "print an empty form of a kind, with the paragraph of each field", .arguments = "KIND",
	  .positional_min = 1, .positional_max = 1, .run = form_command },
	{ .name = "draft", .words = "draft a request and hear what is missing", NO_WORDS, .options = draft_new_options,
	  .run = draft_new_command },
	{ .name = "check", .words = "check a draft again (exit status 1: something stops it)", ONE_DRAFT,
	  .options = check_options, .run = check_command },
	{ .name = "preview", .words = "what exactly a draft says", ONE_DRAFT, .options = plain_options, .run = preview_command },
	{ .name = "review", .words = "approve a draft as rights reviewer", ONE_DRAFT, .options = review_options,
	  .run = review_command },
	{ .name = "approve", .words = "approve a draft", ONE_DRAFT, .options = approve_options, .run = approve_command },
	{ .name = "send", .words = "sign, log and deliver a draft", ONE_DRAFT, .options = plain_options, .run = send_command },
	{ .name = "drop", .words = "drop a draft", ONE_DRAFT, .options = plain_options, .run = drop_command },
	{ .name = "drafts", .words = "list drafts", NO_WORDS, .options = plain_options, .run = drafts_command },
	{ .name = "list", .words = "list requests, ours and theirs", NO_WORDS, .options = list_options, .run = list_command },
	{ .name = "inbox", .words = "list open requests of others", NO_WORDS, .options = plain_options, .run = inbox_command },
	{ .name = "show", .words = "one request with all that happened", ONE_ID, .options = plain_options, .run = show_command },
	{ .name = "grounds", .words = "grounds of refusal that exist for a request", ONE_ID, .options = plain_options,
	  .run = grounds_command },
	{ .name = "wait", .words = "wait until a request is in a state", ONE_ID, .options = wait_options, .run = wait_command },
	{ .name = "acknowledge", .words = "a duty officer takes it on (art. 41)", ONE_ID, .options = acknowledge_options,
	  .run = acknowledge_command },
	{ .name = "accept", .words = "accept, perhaps with conditions", ONE_ID, .options = answer_options, .run = accept_command },
	{ .name = "refuse", .words = "refuse on a ground, with reasons (40(25))", ONE_ID, .options = refuse_options,
	  .run = refuse_command },
	{ .name = "postpone", .words = "postpone until a review date (40(27))", ONE_ID, .options = postpone_options,
	  .run = postpone_command },
	{ .name = "inform", .words = "ask for more information (40(16))", ONE_ID, .options = answer_options,
	  .run = inform_command },
	{ .name = "redirect", .words = "another authority is competent (40(12))", ONE_ID, .options = answer_options,
	  .run = redirect_command },
	{ .name = "unable", .words = "it cannot be done (42(7))", ONE_ID, .options = unable_options, .run = unable_command },
	{ .name = "withdraw", .words = "help is no longer needed (40(26))", ONE_ID, .options = answer_options,
	  .run = withdraw_command },
	{ .name = "erase", .words = "draft the erasure of a request that has ended", ONE_ID, .options = erase_options,
	  .run = erase_command },
	{ .name = "order", .words = "record the domestic order for a measure (24, 25)", ONE_ID, .options = order_options,
	  .run = order_command },
	{ 0 },
};
