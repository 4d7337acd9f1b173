/* What the register says about one party: contact point (41(1)-(2)), languages (40(13)), declarations, keys,
 * and who may approve what. The shape is that of struct party in register/register.h. */
#include "statement/body.h"

#define APPROVERS_MAX 64 /* as PARTY_APPROVERS_MAX in register/ */
#define KEYS_MAX 8       /* as PARTY_KEYS_MAX */
#define RETIRED_MAX 4    /* as PARTY_RETIRED_MAX */

static const struct member approver_members[] = {
	M_HASH("key", "key"),
	{ .name = "name", .type = MEMBER_TEXT, .min = 1, .max = APPROVER_NAME_BYTES_MAX, .words = "name" },
	{ .name = "roles", .type = MEMBER_TEXTS, .min = 1, .max = APPROVAL_ROLE_COUNT, .words = "may approve as" },
};
static const struct shape approver_shape = SHAPE(approver_members);

static const struct member key_members[] = {
	M_TIME_OR_NONE("compromised", "compromised since"),
	M_TIME_OR_NONE("from", "valid from"),
	M_HASH("key", "key"),
	M_TIME_OR_NONE("until", "valid until"),
};
static const struct shape key_shape = SHAPE(key_members);

static const struct member retired_members[] = {
	M_TIME("at", "since"),
	M_LINE_MUST("log", "key of the log"),
	M_HASH("root", "last root"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "last size"),
};
static const struct shape retired_shape = SHAPE(retired_members);

static const struct member members[] = {
	{ .name = "approvers", .type = MEMBER_LIST, .max = APPROVERS_MAX, .of = &approver_shape, .words = "approver" },
	M_LINE("authority", "authority that signs"),
	M_LINE("callback", "call back"),
	M_LINE("carries_out", "measures it carries out itself (others it facilitates)"),
	{ .name = "code", .type = MEMBER_TEXT, .min = 2, .max = PARTY_CODE_LEN_MAX, .words = "party" },
	M_LINE("contact_name", "contact point (41(1))"),
	M_LINE("endpoint", "address for parties"),
	M_FLAG("fictional", "fictional"),
	M_TIME_OR_NONE("in_force_from", "Convention in force for it from (65)"),
	{ .name = "keys", .type = MEMBER_LIST, .min = 1, .max = KEYS_MAX, .of = &key_shape, .words = "statement key" },
	M_LINE("languages", "languages (40(13))"),
	M_COUNT("leaves_per_slot", 1, 100000, "leaves in a slot of its log"),
	M_LINE_MUST("log", "key of its log"),
	M_LINE_MUST("name", "name"),
	M_LINE("phone", "telephone"),
	M_LINE("public_endpoint", "public address"),
	M_FLAG("reservation_42_5", "reservation under 42(5)"),
	{ .name = "retired", .type = MEMBER_LIST, .may_miss = true, .max = RETIRED_MAX, .of = &retired_shape, .words = "retired log" },
	M_LINE_MUST("seal", "letters are sealed to"),
	M_COUNT("slot_ms", 1, 86400000, "slot of its log in milliseconds"),
	M_LINE("timezone", "time zone"),
	M_HASH("tls", "pin of its TLS key"),
	{ .name = "witness", .type = MEMBER_TEXT, .may_miss = true, .max = LINE_BYTES_MAX, .words = "key of its witness" },
	{ .name = "witness_url", .type = MEMBER_TEXT, .may_miss = true, .max = LINE_BYTES_MAX, .words = "address of its witness" },
};
const struct shape register_entry_shape = SHAPE(members);

static bool parse_approver(const json_t *approver, struct err *e)
{
	const json_t *roles = json_object_get(approver, "roles");
	enum approval_role role;

	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *v = json_array_get(roles, i);

		if (!approval_role_find(bytes_from(json_string_value(v), json_string_length(v)), &role))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "roles[%zu] is no role of an approver", i);
		for (size_t j = 0; j < i; j++)
			if (json_equal(v, json_array_get(roles, j)))
				return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "roles[%zu] is there twice", i);
	}
	return true;
}

bool register_entry_parse(const json_t *body, struct err *e)
{
	const json_t *approvers;
	struct bytes code;

	if (!body_parse(body, &register_entry_shape, e))
		return false;
	code = json_bytes(body, "code");
	for (size_t i = 0; i < code.len; i++)
		if (code.at[i] < 'A' || code.at[i] > 'Z')
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
				       "the field code is not a party code (2 to %d letters A-Z)", PARTY_CODE_LEN_MAX);
	approvers = json_object_get(body, "approvers");
	for (size_t i = 0; i < json_array_size(approvers); i++)
		if (!parse_approver(json_array_get(approvers, i), e))
			return err_note(e, "approvers[%zu]", i);
	return true;
}

void register_entry_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	if (json_bytes(s->body, "phone").len == 0)
		finding_add(f, FINDING_NOTE, "phone", "41(1)", REASON_MISSING_FIELD,
			    "a contact point is to be reached day and night: give a telephone");
	if (json_bytes(s->body, "languages").len == 0)
		finding_add(f, FINDING_NOTE, "languages", "40(13)", REASON_MISSING_FIELD,
			    "say in which languages requests are accepted");
}

void register_entry_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &register_entry_shape, offset_minutes, out);
}
