/* Which witnesses a log needs: said by the secretariat, or by a home that only has pins; and what the register in use
 * says about parties and witnesses. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "log/policy.h"

const struct option register_policy_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "max-age", 0, OPTION_VALUE, "SECONDS", "how old a proof may be when it arrives" },
	{ "from", 0, OPTION_VALUE, "TIME", "in effect from then on, like 2027-01-01T00:00:00.000Z (default: now)" },
	OPTION_END,
};

static void print_decided(const json_t *v, struct buf *out)
{
	output_lines(out, json_text(v, "warnings"));
	output_member(out, "policy", json_text(v, "hash"));
}

static bool read_arguments(const struct args *a, json_t *in, struct err *e)
{
	const char *age = args_value(a, "max-age"), *from = args_value(a, "from");
	uint64_t seconds;
	json_t *policy;
	int64_t ms;
	AUTO_BUF text = { 0 };

	buf_init(&text, POLICY_BYTES_MAX);
	if (age == NULL || !num_parse_u64(age, POLICY_AGE_S_MAX, &seconds) || seconds == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "give --max-age SECONDS, 1 to %d", POLICY_AGE_S_MAX);
	if (from != NULL && !time_parse(bytes_of(from), &ms))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--from wants a time like 2027-01-01T00:00:00.000Z");
	if (!input_read(a->positional[1], &text, e))
		return false;
	policy = json_string_of(buf_bytes(&text));
	if (policy == NULL)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s is not UTF-8 text", a->positional[1]);
	json_put(in, "policy", policy);
	json_put_text(in, "party", a->positional[0]);
	json_put_int(in, "max_age_s", (int64_t)seconds);
	if (from != NULL)
		json_put_text(in, "from", from);
	return true;
}

int register_policy_command(const struct args *a)
{
	json_t *in = json_object();
	struct err e;

	if (read_arguments(a, in, &e))
		return output_call(a, "register-policy", in, print_decided);
	json_decref(in);
	return command_failed(&e);
}

static void print_witnesses(const struct policy *p, struct buf *out)
{
	for (size_t i = 0; i < policy_witness_count(p); i++) {
		const struct policy_witness *w = policy_witness_at(p, i);

		buf_add_text(out, "  witness ");
		output_printable(out, w->name);
		buf_add_text(out, ": ");
		output_printable(out, w->key.name);
		buf_add_text(out, w->url[0] == '\0' ? "" : " at ");
		output_printable(out, w->url);
		buf_add_u8(out, '\n');
	}
}

static void print_policies(const json_t *list, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		struct bytes text = json_bytes(v, "policy"), rest = text;
		AUTO_POLICY *p = NULL;

		buf_add_text(out, "\npolicy for the log of ");
		output_printable(out, json_text(v, "party"));
		buf_add_u8(out, '\n');
		output_member_time(out, "  in effect since", json_text(v, "from"));
		output_member_time(out, "  until", json_text(v, "until"));
		buf_add_format(out, "  a proof may be %" PRId64 " seconds old\n", json_int(v, "max_age_s"));
		if (!policy_parse(text, &p, NULL))
			continue;
		print_witnesses(p, out);
		while (rest.len > 0) {
			struct bytes line = bytes_cut(&rest, '\n');

			if (!bytes_starts(line, "group ") && !bytes_starts(line, "quorum "))
				continue;
			buf_add_text(out, "  ");
			text_printable(line, out);
			buf_add_u8(out, '\n');
		}
	}
}

static void print_party(const json_t *p, struct buf *out)
{
	const json_t *approvers = json_object_get(p, "approvers");
	bool in_force = json_text(p, "in_force_from")[0] != '\0';

	buf_add_u8(out, '\n');
	output_printable(out, json_text(p, "code"));
	buf_add_u8(out, ' ');
	output_printable(out, json_text(p, "name"));
	buf_add_format(out, "%s%s\n", json_bool(p, "fictional") ? " (fictional)" : "", json_bool(p, "pinned") ? " (pinned)" : "");
	buf_add_text(out, in_force ? "" : "  the Convention is not in force for it\n");
	output_member_time(out, "  Convention in force from", json_text(p, "in_force_from"));
	output_member(out, "  contact point", json_text(p, "contact_name"));
	output_member(out, "  telephone", json_text(p, "phone"));
	output_member(out, "  call back to check", json_text(p, "callback"));
	output_member(out, "  languages", json_text(p, "languages"));
	output_member(out, "  time zone", json_text(p, "timezone"));
	output_member(out, "  carries out itself (arts.)", json_text(p, "carries_out"));
	output_member(out, "  endpoint", json_text(p, "endpoint"));
	for (size_t i = 0; i < json_array_size(approvers); i++)
		output_member(out, "  approver", json_text(json_array_get(approvers, i), "name"));
}

static void print_register(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "parties");

	output_member(out, "register", json_text(v, "origin")[0] != '\0' ? json_text(v, "origin") : "none, parties are pinned");
	output_member(out, "trust root", json_text(v, "fingerprint"));
	output_member_time(out, "as of", json_text(v, "time"));
	for (size_t i = 0; i < json_array_size(list); i++)
		print_party(json_array_get(list, i), out);
	print_policies(json_object_get(v, "policies"), out);
}

int register_show_command(const struct args *a)
{
	return output_call(a, "register-show", NULL, print_register);
}
