/* The way of every answer, order and hand-over: draft-new, then approve, then draft-send. Nothing is left
 * behind when the second half fails. */
#include "cli/draft.h"

#include "base/limits.h"
#include "cli/approve.h"
#include "cli/output.h"
#include "statement/act.h"

static bool legal_basis_of(struct client *c, const char *hash, char *out, size_t out_room, struct err *e)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	AUTO_ACT *act = NULL;

	json_put_text(in, "hash", hash);
	if (!client_call(c, "statement-show", json_incref(in), &answer, e) ||
	    !act_parse(json_bytes(answer, "act"), &act, e))
		return err_note(e, "the statement of the request");
	snprintf(out, out_room, "%s", act->statement->legal_basis);
	return true;
}

bool request_seen_load(struct client *c, const char *id, struct request_seen *ret, struct err *e)
{
	struct request_seen r = { 0 };
	json_t *in = json_object();

	json_put_text(in, "id", id);
	if (!client_call(c, "request-show", in, &r.shown, e))
		return false;
	r.id = json_text(r.shown, "id");
	r.peer = json_text(r.shown, "peer");
	r.case_ref = json_text(r.shown, "case");
	r.hash = json_text(r.shown, "hash");
	r.kind = json_text(r.shown, "kind");
	if (!legal_basis_of(c, r.hash, r.legal_basis, sizeof(r.legal_basis), e)) {
		json_decref(r.shown);
		return false;
	}
	*ret = r;
	return true;
}

void request_seen_release(struct request_seen *r)
{
	json_decref(r->shown);
	r->shown = NULL;
}

json_t *draft_input(const char *kind, const struct request_seen *request, json_t *body)
{
	json_t *in = json_object();

	json_put_text(in, "kind", kind);
	json_put(in, "body", body);
	json_put_text(in, "officer", json_text(body, "officer"));
	if (request != NULL) {
		json_t *refs = json_array(), *ref = json_object();

		json_put_text(ref, "hash", request->hash);
		json_put_text(ref, "id", request->id);
		if (json_array_append_new(refs, ref) != 0)
			abort();
		json_put(in, "refs", refs);
		json_put_text(in, "request", request->id);
		json_put_text(in, "to", request->peer);
		json_put_text(in, "case", request->case_ref);
		json_put_text(in, "legal_basis", request->legal_basis);
	}
	return in;
}

void draft_print(const json_t *v, struct buf *out)
{
	const json_t *roles = json_object_get(v, "approvals");

	output_member(out, "draft", json_text(v, "draft"));
	output_member(out, "hash", json_text(v, "hash"));
	for (size_t i = 0; i < json_array_size(roles); i++)
		output_member(out, "to be approved by", json_string_value(json_array_get(roles, i)));
	output_findings(out, json_object_get(v, "findings"));
}

void draft_print_sent(const json_t *v, struct buf *out)
{
	output_member(out, "id", json_text(v, "id"));
	output_member(out, "hash", json_text(v, "hash"));
	output_member(out, "request", json_text(v, "request"));
}

static bool stopped(const json_t *drafted, struct err *e)
{
	const json_t *findings = json_object_get(drafted, "findings");
	AUTO_BUF text = { 0 };

	buf_init(&text, MIB);
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);
		enum reason reason = REASON_SAFEGUARD;

		if (!bytes_is(json_bytes(f, "severity"), "stop"))
			continue;
		(void)reason_find(json_text(f, "reason"), &reason);
		(void)err_set(e, ERR_REJECTED, reason, "stopped: %s", json_text(f, "text"));
		output_findings(&text, findings);
		fputs(buf_text(&text), stderr);
		return true;
	}
	return false;
}

static json_t *draft_named(const json_t *drafted)
{
	json_t *in = json_object();

	json_put_text(in, "draft", json_text(drafted, "draft"));
	return in;
}

bool draft_hand_in(struct client *c, const char *draft, json_t **ret, struct err *e)
{
	AUTO_JSON *in = json_object(), *check = NULL;
	const json_t *missing;
	char roles[200] = "";
	size_t used = 0;

	json_put_text(in, "draft", draft);
	if (client_call(c, "draft-send", json_incref(in), ret, e))
		return true;
	if (e->reason != REASON_MISSING_APPROVAL || !client_call(c, "draft-check", json_incref(in), &check, NULL))
		return false;
	missing = json_object_get(check, "approvals_missing");
	for (size_t i = 0; i < json_array_size(missing) && used < sizeof(roles); i++)
		used += (size_t)snprintf(roles + used, sizeof(roles) - used, "%s%.40s", i > 0 ? ", " : "",
					 json_string_value(json_array_get(missing, i)));
	return used == 0 ? false : err_set(e, ERR_REJECTED, REASON_MISSING_APPROVAL, "art. 24: an approval is missing: %s", roles);
}

static bool sign_and_send(const struct args *a, struct client *c, const json_t *drafted, const char *role, json_t **ret,
			  struct err *e)
{
	AUTO_JSON *approved = NULL;
	struct approve p = { .draft = json_text(drafted, "draft"), .as = args_value(a, "as"), .role = role,
			     .key = args_value(a, "key"), .note = args_value(a, "note"), .quiet = args_has(a, "quiet"),
			     .ask = !args_has(a, "yes") };

	return !stopped(drafted, e) && approve_draft(c, &p, &approved, e) &&
	       draft_hand_in(c, json_text(drafted, "draft"), ret, e);
}

int draft_run(const struct args *a, struct client *c, json_t *in, const char *role)
{
	AUTO_JSON *drafted = NULL, *sent = NULL, *dropped = NULL;
	struct err e;

	if (args_has(a, "as") != args_has(a, "key")) {
		json_decref(in);
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--as and --key belong together: who signs, and with what");
		return command_failed(&e);
	}
	if (!client_call(c, "draft-new", in, &drafted, &e))
		return command_failed(&e);
	if (!args_has(a, "as"))
		return output_value(a, drafted, draft_print);
	if (!sign_and_send(a, c, drafted, role, &sent, &e)) {
		/* Best effort: the first error is the one to tell. */
		bool gone = client_call(c, "draft-drop", draft_named(drafted), &dropped, NULL);
		(void)gone;
		return command_failed(&e);
	}
	return output_value(a, sent, draft_print_sent);
}
