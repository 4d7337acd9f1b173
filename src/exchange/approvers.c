/* Reads HOME/approvers, strictly: a line that is not understood must not silently take a person's
 * power to stop a request. */
#include "exchange/approvers.h"

#include "base/text.h"

static bool parse_roles(struct bytes list, unsigned *ret, struct err *e)
{
	unsigned roles = 0;

	while (list.len > 0) {
		struct bytes code = bytes_cut(&list, ',');
		enum approval_role role;
		if (!approval_role_find(code, &role))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "no role is called \"%.*s\"", (int)code.len,
				       (const char *)code.at);
		roles |= 1u << role;
	}
	if (roles == 0)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a person needs at least one role");
	*ret = roles;
	return true;
}

static bool parse_line(struct bytes line, struct approvers *a, struct err *e)
{
	struct bytes name = bytes_cut(&line, '\t'), roles = bytes_cut(&line, '\t');
	struct register_approver *p = &a->at[a->count];

	if (a->count == PARTY_APPROVERS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u people", PARTY_APPROVERS_MAX);
	if (name.len == 0 || name.len > APPROVER_NAME_BYTES_MAX || !utf8_is_valid(name) || memchr(name.at, 0, name.len))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the name is empty, too long or not UTF-8");
	for (size_t i = 0; i < a->count; i++)
		if (bytes_is(name, a->names[i]))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is there twice", a->names[i]);
	if (!parse_roles(roles, &p->roles, e))
		return false;
	if (!hex_parse(line, p->key, sizeof(p->key)))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the key is not %d hex characters", 2 * SIGN_PUBLIC_BYTES);
	memcpy(a->names[a->count], name.at, name.len);
	a->names[a->count][name.len] = '\0';
	p->name = a->names[a->count++];
	return true;
}

bool approvers_parse(struct bytes in, struct approvers *ret, struct err *e)
{
	unsigned number = 0;

	memset(ret, 0, sizeof(*ret));
	while (in.len > 0) {
		struct bytes line = bytes_cut(&in, '\n');
		number++;
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (!parse_line(line, ret, e))
			return err_note(e, "approvers:%u", number);
	}
	return true;
}
