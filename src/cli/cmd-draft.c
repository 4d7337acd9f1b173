/* Drafting a request and approving a draft: what people do at the asking side. */
#include "base/limits.h"
#include "cli/approve.h"
#include "cli/commands.h"
#include "cli/draft-body.h"
#include "cli/draft.h"
#include "cli/output.h"

const struct option draft_new_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "kind", 0, OPTION_VALUE, "KIND", "preservation-request or stored-data-request" },
	{ "to", 0, OPTION_VALUE, "PARTY", "code of the party that is asked" },
	{ "case", 0, OPTION_VALUE, "REF", "case that it belongs to" },
	{ "basis", 0, OPTION_VALUE, "BASIS", "legal basis: UNCC (default), budapest, bilateral, reciprocity, pilot" },
	{ "officer", 0, OPTION_VALUE, "NAME", "case officer, who may neither review nor authorise it" },
	{ "from", 'f', OPTION_VALUE, "FILE", "JSON with the fields (request form prints an empty one)" },
	{ "set", 's', OPTION_MANY, "PATH=VALUE", "one field: data[0].category=traffic, confidential_until=+30d" },
	{ "ref", 0, OPTION_MANY, "REQUEST", "request that this one follows" },
	OPTION_END,
};

static bool fill_request(const struct args *a, json_t *body, struct err *e)
{
	const char *from = args_value(a, "from"), *officer = args_value(a, "officer");
	AUTO_JSON *given = NULL;
	AUTO_BUF text = { 0 };

	buf_init(&text, MIB);
	if (from != NULL && (!input_read(from, &text, e) || !json_parse(buf_bytes(&text), from, &given, e)))
		return false;
	if (from != NULL && !json_is_object(given))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s is no JSON object", from);
	if (given != NULL)
		draft_body_merge(body, given);
	if (officer != NULL)
		json_put_text(body, "officer", officer);
	for (size_t i = 0; args_many(a, "set", i) != NULL; i++)
		if (!draft_body_set(body, args_many(a, "set", i), e))
			return false;
	draft_body_finish(body);
	return true;
}

static bool add_refs(const struct args *a, struct client *c, json_t *in, struct err *e)
{
	json_t *refs = json_array();

	json_put(in, "refs", refs);
	for (size_t i = 0; args_many(a, "ref", i) != NULL; i++) {
		AUTO_REQUEST_SEEN seen = { 0 };
		json_t *ref = json_object();

		if (json_array_append_new(refs, ref) != 0)
			abort();
		if (!request_seen_load(c, args_many(a, "ref", i), &seen, e))
			return false;
		json_put_text(ref, "hash", seen.hash);
		json_put_text(ref, "id", seen.id);
		if (json_is_string(json_object_get(json_object_get(in, "body"), "preservation")) &&
		    bytes_is(bytes_of(seen.kind), "preservation-request"))
			json_put_text(json_object_get(in, "body"), "preservation", seen.id);
	}
	return true;
}

int draft_new_command(const struct args *a)
{
	const char *kind = args_value(a, "kind"), *to = args_value(a, "to"), *ref = args_value(a, "case"),
		   *basis = args_value(a, "basis");
	AUTO_JSON *body = NULL, *in = NULL, *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (kind == NULL || to == NULL || ref == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "a draft needs --kind, --to and --case");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e) || !draft_body_form(kind, &body, &e) || !fill_request(a, body, &e))
		return command_failed(&e);
	draft_body_times(kind, body);
	in = draft_input(kind, NULL, json_incref(body));
	json_put_text(in, "to", to);
	json_put_text(in, "case", ref);
	json_put_text(in, "legal_basis", basis != NULL ? basis : "UNCC");
	if (!add_refs(a, c, in, &e) || !client_call(c, "draft-new", json_incref(in), &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, draft_print);
}

/* --- approving --------------------------------------------------------------------------------- */

const struct option approve_options[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN,
	{ "role", 0, OPTION_VALUE, "ROLE", "in which role (default: authority)" },
	OPTION_END,
};
const struct option review_options[] = { OPTION_HOME, OPTION_JSON, OPTION_QUIET, OPTIONS_SIGN, OPTION_END };

static void print_approved(const json_t *v, struct buf *out)
{
	const json_t *missing = json_object_get(v, "approvals_missing");

	if (json_array_size(missing) == 0)
		buf_add_text(out, "all approvals are there\n");
	for (size_t i = 0; i < json_array_size(missing); i++)
		output_member(out, "still to be approved by", json_string_value(json_array_get(missing, i)));
}

static int approve_as(const struct args *a, const char *role)
{
	struct approve p = { .draft = a->positional[0], .as = args_value(a, "as"), .role = role,
			     .key = args_value(a, "key"), .note = args_value(a, "note"), .quiet = args_has(a, "quiet"),
			     .ask = !args_has(a, "yes") };
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (p.as == NULL || p.key == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "who approves? give --as NAME and --key FILE");
		return command_failed(&e);
	}
	if (!client_open(a, &c, &e) || !approve_draft(c, &p, &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, print_approved);
}

int approve_command(const struct args *a)
{
	const char *role = args_value(a, "role");

	return approve_as(a, role != NULL ? role : "authority");
}

int review_command(const struct args *a)
{
	return approve_as(a, "rights-reviewer");
}
